//! Kinds that a folder with schemas has, for `trueup explain`. The names of the files say which kinds they
//! are; only those of the kind that is asked for are opened, and definitions in YAML. Where none has the
//! name, files that trueup pulled are looked into: they have the short names of their kinds.

use std::path::{Path, PathBuf};

use super::bounded_read::read_regular;
use super::schema_folder::{LARGEST, SchemaFileError, definitions};
use crate::core::json::Value;
use crate::core::kinds::manual::{FileName, Manual, guessed_plural};
use crate::core::kinds::schemas::SOURCE;
use crate::core::manifest;

/// Adds the kinds of a folder that `word`, in lower case, may name.
///
/// # Errors
///
/// When the folder or one of these files can't be read.
pub fn add(manual: &mut Manual, folder: &Path, word: &str) -> Result<(), SchemaFileError> {
    let mut others = Vec::new();
    for path in json_files(folder)? {
        let Some(name) = file_name(folder, &path) else { continue };
        let kind = name.kind.to_lowercase();
        if kind != word && guessed_plural(&kind) != word {
            manual.saw(&name.kind);
            others.push((path, name));
            continue;
        }
        let error = |why: String| SchemaFileError::new(&path, why);
        let text = read_regular(&path, LARGEST).map_err(|it| error(it.to_string()))?;
        manual.add_json(&name, &text).map_err(error)?;
    }
    let mut files = Vec::new();
    definitions(folder, 0, &mut files)?;
    files.sort();
    for path in files {
        let text = read_regular(&path, LARGEST).map_err(|it| SchemaFileError::new(&path, it))?;
        let file = path.display().to_string();
        let reading = manifest::read(&file, &text);
        if let Some(problem) = reading.problems.first() {
            return Err(SchemaFileError::new(&path, &problem.message));
        }
        for manifest in &reading.manifests {
            manual.define(&manifest.object, &file);
        }
    }
    if manual.has(word) {
        return Ok(());
    }
    for (path, name) in others {
        let Some(text) = pulled(&path, word) else { continue };
        manual.add_json(&name, &text).map_err(|why| SchemaFileError::new(&path, why))?;
    }
    Ok(())
}

/// The text of a file that trueup pulled, if its kind is also called `word`.
fn pulled(path: &Path, word: &str) -> Option<Vec<u8>> {
    let text = read_regular(path, LARGEST).ok()?;
    // A catalogue has thousands of other files, which take long to parse.
    text.windows(SOURCE.len()).find(|window| *window == SOURCE.as_bytes())?;
    let root: Value = serde_json::from_slice(&text).ok()?;
    let names = &root[SOURCE]["names"];
    let short = names["shortNames"].as_array().into_iter().flatten();
    let mut names = short.chain([&names["plural"], &names["singular"]]).filter_map(Value::as_str);
    names.any(|name| name.eq_ignore_ascii_case(word)).then_some(text)
}

/// The JSON files of a folder and of the folders in it, which are named like groups.
fn json_files(folder: &Path) -> Result<Vec<PathBuf>, SchemaFileError> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        let error = |it: std::io::Error| SchemaFileError::new(&next, it);
        for entry in std::fs::read_dir(&next).map_err(error)? {
            let entry = entry.map_err(error)?;
            let (path, kind) = (entry.path(), entry.file_type().map_err(error)?);
            if kind.is_dir() && next == folder {
                folders.push(path);
            } else if !kind.is_dir() && path.extension().is_some_and(|it| it == "json") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The kind in the name of a file: `GROUP/KIND_VERSION.json` or `KIND-GROUP-VERSION.json`.
fn file_name(folder: &Path, path: &Path) -> Option<FileName> {
    let stem = path.file_stem()?.to_str()?;
    let parent = path.parent()?;
    let (group, kind, version) = if parent == folder {
        let (kind, rest) = stem.split_once('-')?;
        let (group, version) = rest.rsplit_once('-')?;
        (group, kind, version)
    } else {
        let (kind, version) = stem.rsplit_once('_')?;
        (parent.file_name()?.to_str()?, kind, version)
    };
    Some(FileName {
        group: group.to_owned(),
        kind: kind.to_owned(),
        version: version.to_owned(),
        file: path.display().to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manual(files: &[(&str, &str)], word: &str) -> Result<Manual, String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let mut manual = Manual::of("1.36").unwrap();
        let added = add(&mut manual, folder.path(), word);
        added.map(|()| manual).map_err(|error| error.to_string())
    }

    #[test]
    fn kinds_of_all_layouts_are_found_by_kind_and_plural() {
        let schema = r#"{"type": "object", "properties": {"spec": {"type": "object"}}}"#;
        let definition = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n\
            metadata: {name: policies.example.com}\nspec:\n  group: example.com\n  scope: Cluster\n  \
            names: {kind: Policy, plural: policies, shortNames: [pol]}\n  versions: [{name: v1, \
            served: true, schema: {openAPIV3Schema: {type: object, properties: {spec: {type: \
            object}}}}}]\n";
        for (name, text, words) in [
            ("example.com/policy_v1.json", schema, &["policy", "policies"][..]),
            ("policy-example.com-v1.json", schema, &["policy", "policies"]),
            ("crds/deep/policies.yaml", definition, &["policy", "policies", "pol"]),
        ] {
            for word in words {
                let manual = manual(&[(name, text)], word).unwrap();
                let asked = format!("{word}.spec");
                let page = manual.page(&asked, None, false).unwrap();
                assert_eq!(page.known.api_version(), "example.com/v1", "{name}");
                assert_eq!(page.field.type_word, "Object", "{name}");
            }
        }
    }

    #[test]
    fn pulled_file_is_found_by_every_name_of_its_kind() {
        let schema = r#"{"type": "object", "properties": {"spec": {"type": "object"}},
            "x-kubernetes-group-version-kind": [{"kind": "Policy"}], "x-trueup-source": {"names":
            {"plural": "policys", "singular": "policy", "shortNames": ["pol", "po2"]}}}"#;
        let files = [
            ("example.com/policy_v1.json", schema),
            ("example.com/other_v1.json", "{\"x-trueup-source\": {}}"),
            ("example.com/broken_v1.json", "\"x-trueup-source"),
        ];
        for word in ["policy", "policies", "policys", "pol", "po2"] {
            let manual = manual(&files, word).unwrap();
            match manual.page(word, None, false) {
                Ok(page) => assert_eq!(page.known.kind, "Policy", "{word}"),
                // Its definition has another plural than the one that is guessed.
                Err(_) => assert_eq!(word, "policies"),
            }
        }
        assert!(manual(&files, "gone").unwrap().page("gone", None, false).is_err());
    }

    #[test]
    fn other_files_are_not_opened_and_wrong_ones_named() {
        let files = [("example.com/gadget_v1.json", "{\"type\": ")];
        let found = manual(&files, "gadgit").unwrap();
        let error = found.page("gadgit", None, false).err().unwrap();
        assert_eq!(error.hint().unwrap(), "did you mean gadget?");
        let error = manual(&files, "gadget").err().unwrap();
        assert!(error.contains("example.com/gadget_v1.json: EOF"), "{error}");
    }
}
