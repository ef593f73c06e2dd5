//! Whether a build can tell that kustomize notes origins. Where no file of it has an annotation, and
//! nothing in it looks at metadata as a whole, one build is enough: without the notes, its output is
//! what kustomize prints by itself.
//!
//! An object with annotations of its own takes two builds: kustomize reads their values when it adds
//! a note, so that a number such as `1e3` comes out in another spelling than it does without.

use super::{KustomizationText, ORIGIN, ReadFile, folder};
use crate::core::json::Value;
use crate::core::manifest;
use crate::core::object::Object;
use crate::render::file_index::resolve;

/// Fields of a kustomization that read no annotation.
const BLIND: [&str; 17] = [
    "apiVersion",
    "kind",
    "metadata",
    "resources",
    "bases",
    "components",
    "namespace",
    "namePrefix",
    "nameSuffix",
    "commonLabels",
    "labels",
    "images",
    "replicas",
    "configMapGenerator",
    "secretGenerator",
    "generatorOptions",
    "sortOptions",
];

/// Fields with patches, which are looked into.
const PATCHES: [&str; 3] = ["patches", "patchesJson6902", "patchesStrategicMerge"];

/// Whether nothing in these kustomizations sees an annotation that is not in their files.
pub(super) fn by(kustomizations: &[KustomizationText<'_>], files: &ReadFile<'_>) -> bool {
    kustomizations.iter().all(|kustomization| {
        let fields = kustomization.value.as_object().into_iter().flatten();
        let is_blind = |key: &str, value: &Value| {
            BLIND.contains(&key) || PATCHES.contains(&key) && patches(kustomization, value, files)
        };
        fields.into_iter().all(|(key, value)| is_blind(key, value))
    })
}

/// Whether the patches of a field are blind.
fn patches(kustomization: &KustomizationText<'_>, value: &Value, files: &ReadFile<'_>) -> bool {
    let is_blind = |text: &[u8]| is_blind(text);
    let named = |name: &str| files(&resolve(folder(kustomization), name)?);
    let is_blind_entry = |entry: &Value| match entry {
        Value::String(text) => is_blind(named(text).unwrap_or(text.as_bytes())),
        _ => {
            let selects = entry.pointer("/target/annotationSelector").is_some();
            let text = |key: &str| entry.get(key).and_then(Value::as_str);
            let text = match (text("path"), text("patch")) {
                (Some(path), _) => named(path),
                (None, patch) => patch.map(str::as_bytes),
            };
            !selects && text.is_some_and(is_blind)
        }
    };
    value.as_array().is_some_and(|entries| entries.iter().all(is_blind_entry))
}

/// Whether a file may have to do with annotations.
pub(super) fn names_annotations(text: &[u8]) -> bool {
    const WORD: &[u8] = b"annotation";
    text.windows(WORD.len()).any(|window| window.eq_ignore_ascii_case(WORD))
}

/// Whether the documents of a patch neither name annotations nor take in what is around them.
fn is_blind(text: &[u8]) -> bool {
    // An escape may spell the word.
    if text.contains(&b'\\') || names_annotations(text) {
        return false;
    }
    let Ok(documents) = manifest::values("", text) else { return false };
    documents.iter().all(|document| match document {
        Value::Array(operations) => operations.iter().all(is_blind_operation),
        Value::Object(fields) => {
            let metadata = fields.get("metadata");
            metadata.is_none_or(Value::is_object) && !has_directive(document)
        }
        _ => false,
    })
}

fn is_blind_operation(operation: &Value) -> bool {
    let is_elsewhere = |key: &str| match operation.get(key) {
        None => true,
        Some(pointer) => pointer.as_str().is_some_and(|pointer| {
            let mut parts = pointer.split('/');
            parts.next() == Some("") && !matches!(parts.next(), None | Some("" | "metadata"))
        }),
    };
    is_elsewhere("path") && is_elsewhere("from")
}

/// Whether a patch replaces or deletes as a whole, such as with `$patch`.
fn has_directive(value: &Value) -> bool {
    match value {
        Value::Object(map) => {
            map.iter().any(|(key, value)| key.starts_with('$') || has_directive(value))
        }
        Value::Array(list) => list.iter().any(has_directive),
        _ => false,
    }
}

/// Takes the note of its origin out of an object; false where that is not its only annotation.
pub(super) fn take_out(object: &mut Object) -> bool {
    let metadata = object.metadata_mut();
    let Some(Value::Object(annotations)) = metadata.get_mut("annotations") else { return false };
    let is_alone = annotations.remove(ORIGIN).is_some() && annotations.is_empty();
    metadata.remove("annotations");
    is_alone
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::json::json;

    /// Whether a kustomization is blind, beside a patch in `patch.yaml`.
    fn is_blind(kustomization: &str, patch: &str) -> bool {
        let (value, positions) =
            manifest::value("k", kustomization.as_bytes()).unwrap().unwrap_or_default();
        let path = "app/kustomization.yaml";
        let text = kustomization.as_bytes();
        let kustomization = KustomizationText { path, text, value, positions };
        by(&[kustomization], &|path| (path == "app/patch.yaml").then_some(patch.as_bytes()))
    }

    #[test]
    fn a_build_that_reads_annotations_is_known() {
        for kustomization in [
            "resources: [a.yaml]\nnamePrefix: a-\nlabels: [{pairs: {a: b}}]",
            "components: [../a]\nimages: [{name: a, newTag: b}]\nreplicas: [{name: a, count: 2}]",
            "namespace: a\nconfigMapGenerator: [{name: a, literals: [b=c]}]",
            "patches: [{target: {kind: A}, patch: '[{op: add, path: /spec/a, value: b}]'}]",
            "patches: [{patch: '{kind: A, metadata: {name: a}, spec: {b: null}}'}]",
            "{}",
        ] {
            assert!(is_blind(kustomization, ""), "{kustomization}");
        }
        for kustomization in [
            "replacements: []",
            "commonAnnotations: {a: b}",
            "vars: []",
            "transformers: [a.yaml]",
            "configurations: [a.yaml]",
            "buildMetadata: [managedByLabel]",
            "crds: [a.json]",
            "patches: [{target: {annotationSelector: a=b}, patch: '{kind: A}'}]",
            "patches: [{path: gone.yaml}]",
            "patches: [{}]",
            "patches: 3",
        ] {
            assert!(!is_blind(kustomization, ""), "{kustomization}");
        }
    }

    #[test]
    fn a_patch_that_reads_annotations_is_known() {
        let kustomizations =
            ["patches: [{path: patch.yaml}]", "patchesStrategicMerge: [patch.yaml]"];
        for (patch, expected) in [
            ("kind: A\nmetadata: {name: a}\nspec: {b: c}", true),
            ("- {op: replace, path: /spec/metadata, value: b}", true),
            ("[{\"op\": \"remove\", \"path\": \"/spec/a~1b\"}]", true),
            ("- {op: add, path: /metadata/annotations/a, value: b}", false),
            ("- {op: test, path: /metadata, value: b}", false),
            ("- {op: copy, path: /data/a, from: ''}", false),
            ("- {op: move, path: /data, from: /metadata}", false),
            ("- {op: replace, path: '', value: {}}", false),
            ("- {op: add, path: \"/met\\u0061data/annotation\\u0073\"}", false),
            ("kind: A\nmetadata: {annotations: {a: b}}", false),
            ("kind: A\nmetadata: null", false),
            ("kind: A\nspec: {$patch: replace}", false),
            ("kind: A\nspec: [{$patch: delete, name: a}]", false),
            ("3", false),
            ("a: [", false),
        ] {
            for kustomization in kustomizations {
                assert_eq!(is_blind(kustomization, patch), expected, "{patch}");
            }
        }
    }

    #[test]
    fn a_note_leaves_nothing_behind() {
        let object = |metadata: Value| {
            let object = json!({ "kind": "A", "metadata": metadata });
            Object::from(object.as_object().cloned().unwrap())
        };
        let mut noted = object(json!({ "name": "a", "annotations": { ORIGIN: "path: a" } }));
        assert!(take_out(&mut noted));
        assert_eq!(noted, object(json!({ "name": "a" })));
        assert!(!take_out(&mut noted));
        for annotations in [json!({ ORIGIN: "path: a", "b": "c" }), json!({ "b": "c" }), json!({})]
        {
            let mut noted = object(json!({ "name": "a", "annotations": annotations }));
            assert!(!take_out(&mut noted));
        }
    }
}
