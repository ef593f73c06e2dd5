//! Files beside manifests that are something else: values of charts, dashboards, settings of CI.
//!
//! Only a file that can be read to its end, and in which nothing looks like an object or a part of
//! one, is taken for something else. It declares nothing, so it is no reason to keep objects. Any
//! doubt leaves it a manifest with a fault, which may declare anything.

use std::collections::BTreeMap;

use super::selection::IGNORE_FILE;
use crate::core::json::{Map, Value};
use crate::core::manifest::{self, Reading};
use crate::core::problem::{Location, Problem};
use crate::core::suggest::distance;

/// How many files a message names.
const NAMED: usize = 3;

/// Fields that most objects have at their top: a manifest that lost its head still has one of them.
const FIELDS: [&str; 6] = ["items", "spec", "status", "data", "stringData", "binaryData"];
/// Fields that every object has, and how many slips make another word of them.
const HEAD: [(&str, usize); 3] = [("apiVersion", 2), ("kind", 1), ("metadata", 2)];
/// A longer key is not a slip.
const LONGEST: usize = 40;
/// Names of files that make manifests, if only by a program that does not run.
const MAKERS: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Chart.yaml"];

/// A file that was read as a manifest, or told apart from one.
#[derive(Debug)]
pub enum FileReading {
    /// A manifest.
    Manifest(Reading),
    /// Something else, by its path.
    Other(String),
}

/// Reads a file; one that is `named` by the user is a manifest, whatever it looks like.
pub fn read(path: &str, bytes: &[u8], named: bool) -> FileReading {
    let mut reading = manifest::read(path, bytes);
    let Some(first) = reading.problems.first_mut() else { return FileReading::Manifest(reading) };
    if !reading.manifests.is_empty() {
        return FileReading::Manifest(reading);
    }
    let documents = documents(path, bytes);
    let is_maker = MAKERS.contains(&path.rsplit('/').next().unwrap_or(path));
    let is_other = |documents: &Vec<Value>| !named && !is_maker && documents.iter().all(is_other);
    if documents.as_ref().is_some_and(is_other) {
        return FileReading::Other(path.to_owned());
    }
    let is_surely_one = match &documents {
        Some(documents) => documents.iter().any(is_object),
        None => names_an_object(bytes),
    };
    if !is_surely_one {
        let line = ignore_line(path);
        let remedy = format!("if it is not a manifest, add the line `{line}` to {IGNORE_FILE}");
        let slip = || documents.iter().flatten().find_map(slip);
        first.hint = Some(match first.hint.take().or_else(slip) {
            Some(hint) => format!("{hint}; {remedy}"),
            None => remedy,
        });
    }
    FileReading::Manifest(reading)
}

/// Every document of a file, `None` where one can't be read.
fn documents(path: &str, bytes: &[u8]) -> Option<Vec<Value>> {
    match serde_json::from_slice(bytes) {
        Ok(value) => Some(vec![value]),
        Err(_) => manifest::values(path, bytes).ok(),
    }
}

/// Whether a document can't be an object, nor was one before something went wrong with it.
fn is_other(document: &Value) -> bool {
    match document {
        Value::Object(map) => !has_head(map) && !map.values().any(holds_object),
        Value::Array(list) => list.iter().all(|item| match item {
            Value::Object(_) | Value::Array(_) => is_other(item),
            _ => true,
        }),
        // The pointer of a file that is kept elsewhere, or one that is encrypted.
        _ => false,
    }
}

/// Whether a document has all that an object has.
fn is_object(document: &Value) -> bool {
    HEAD.iter().all(|(field, _)| document.get(*field).is_some())
}

/// Whether a key is one of an object's, or may be meant as one.
fn has_head(map: &Map) -> bool {
    let is_field = |key: &str| FIELDS.iter().any(|field| key.eq_ignore_ascii_case(field));
    map.keys().any(|key| is_field(key) || meant(key).is_some())
}

/// The field that every object has which a key is, or may be meant as.
fn meant(key: &str) -> Option<&'static str> {
    if key.len() > LONGEST {
        return None;
    }
    let letters: String = key.chars().filter(|char| char.is_alphanumeric()).collect();
    let letters = letters.to_lowercase();
    let is_near =
        |(field, slips): &&(&str, usize)| distance(&letters, &field.to_lowercase()) <= *slips;
    HEAD.iter().find(is_near).map(|(field, _)| *field)
}

/// The remedy for the first misspelled key of a document.
fn slip(document: &Value) -> Option<String> {
    let mut keys = document.as_object()?.keys();
    keys.find_map(|key| {
        let field = meant(key).filter(|field| *field != key.as_str())?;
        Some(format!("write `{field}` instead of `{key}`"))
    })
}

/// Whether there is an object anywhere in a value, as in a document that is indented too far.
fn holds_object(value: &Value) -> bool {
    match value {
        Value::Object(map) => {
            let is_head = match (map.get("apiVersion"), map.get("kind")) {
                (Some(version), Some(kind)) => {
                    !(is_schema_of_text(version) && is_schema_of_text(kind))
                }
                _ => false,
            };
            is_head || map.values().any(holds_object)
        }
        Value::Array(list) => list.iter().any(holds_object),
        _ => false,
    }
}

/// Whether it is what a JSON Schema says of a field such as `kind`, and no value of it.
fn is_schema_of_text(value: &Value) -> bool {
    value.as_object().is_some_and(|map| map.get("type").is_some_and(|kind| *kind == "string"))
}

/// Whether a text that can't be read has a line that an object begins with.
fn names_an_object(bytes: &[u8]) -> bool {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    lines.any(|line| line.starts_with(b"apiVersion:") || line.starts_with(b"kind:"))
}

/// The line of the `.trueupignore` at the root of the checkout that leaves out this very file.
pub fn ignore_line(path: &str) -> String {
    let mut line = "/".to_owned();
    for char in path.chars() {
        if matches!(char, '\\' | '*' | '?' | '[' | ']') {
            line.push('\\');
        }
        line.push(char);
    }
    match line.strip_suffix(' ') {
        Some(start) => format!("{start}\\ "),
        None => line,
    }
}

/// The warnings of files that are something else: one for each folder.
pub fn warnings(mut paths: Vec<String>) -> Vec<Problem> {
    paths.sort();
    let mut folders: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for path in paths {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        folders.entry(folder).or_default().push(path);
    }
    folders.into_values().filter_map(|paths| warning(&paths)).collect()
}

fn warning(paths: &[String]) -> Option<Problem> {
    let (first, others) = paths.split_first()?;
    let name = |path: &String| path.rsplit('/').next().unwrap_or(path).to_owned();
    let message = match others {
        [] => "this file is not a manifest, and is not applied".to_owned(),
        others => format!(
            "this file and {} more of its folder are not manifests, and are not applied: {}",
            others.len(),
            listed(others.iter().map(name).collect())
        ),
    };
    let lines = listed(paths.iter().map(|path| format!("`{}`", ignore_line(path))).collect());
    let (line, them) = if paths.len() == 1 { ("line", "it") } else { ("lines", "them") };
    let hint = format!("to leave {them} out, add the {line} {lines} to {IGNORE_FILE}");
    Some(Problem {
        place: Location { path: first.clone(), line: 1, column: 1 },
        message,
        excerpt: None,
        hint: Some(hint),
    })
}

/// Names in a message: the first ones, and how many more there are.
pub fn listed(mut names: Vec<String>) -> String {
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    if more > 0 {
        names.push(format!("and {more} more"));
    }
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::source::selection::Selection;

    #[track_caller]
    fn expect_other(path: &str, text: &str) {
        let reading = read(path, text.as_bytes(), false);
        assert!(matches!(reading, FileReading::Other(_)), "{path}: {text:?}: {reading:?}");
        let named = read(path, text.as_bytes(), true);
        assert!(matches!(named, FileReading::Manifest(_)), "{path} is named");
    }

    #[track_caller]
    fn hint(path: &str, text: &str) -> Option<String> {
        match read(path, text.as_bytes(), false) {
            FileReading::Manifest(Reading { problems, .. }) if !problems.is_empty() => {
                problems[0].hint.clone()
            }
            reading => panic!("{path}: {text:?}: {reading:?}"),
        }
    }

    #[test]
    fn common_files_are_told_apart() {
        for (path, text) in [
            ("values.yaml", "image: {repository: nginx, tag: '1'}\nreplicaCount: 1\n"),
            ("docker-compose.yml", "services:\n  web: {image: nginx}\nvolumes: {}\n"),
            ("package.json", r#"{"name": "a", "version": "1.0.0", "scripts": {"test": "b"}}"#),
            ("renovate.json", "{\n\t\"extends\": [\"config:base\"]\n}"),
            (
                "dash.json",
                r#"{"annotations": {"list": []}, "panels": [], "schemaVersion": 39, "uid": "a"}"#,
            ),
            ("ci.yaml", "name: ci\n\"on\": [push]\njobs: {a: {runs-on: b}}\n"),
            ("rules.yaml", "groups:\n- name: a\n  rules: [{alert: b}]\n"),
            ("play.yaml", "- hosts: all\n  tasks: []\n---\n- hosts: b\n"),
            ("patch.json", r#"[{"op": "add", "path": "/spec/a", "value": 1}]"#),
            (
                "widget_v1.json",
                r#"{"type": "object", "properties": {"spec": {"type": "object"},
                    "apiVersion": {"type": "string"}, "kind": {"type": "string"}}}"#,
            ),
            ("numbers.json", "[1, 2]"),
            ("empty.json", "{}"),
        ] {
            expect_other(path, text);
        }
    }

    #[test]
    fn broken_manifests_stay_manifests() {
        for text in [
            "apiVersoin: v1\nkidn: ConfigMap\nmetdata: {name: a}\n",
            "apiVerison: v1\nname: a\n",
            "api-version: v1\n",
            "APIVersion: v1\n",
            "\"apiVersion \": v1\n",
            "kinds: ConfigMap\n",
            "Kind: ConfigMap\n",
            "metaddata: {name: a}\n",
            "spec: {replicas: 1}\n",
            "data: {a: b}\n",
            "stringData: {a: b}\n",
            "items: []\n",
            // Indented too far, or listed.
            "web:\n  apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: a}\n",
            "- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: a}\n",
            "- - kind: ConfigMap\n",
            "web: {apiVersion: {a: string}, kind: {type: string}}\n",
            "web: {apiVersion: v1, kind: {{ a }}}\n",
            // Cut in two by a line of dashes.
            "a: b\n---\nkind: ConfigMap\n",
            "version https://git-lfs.github.com/spec/v1\noid: a\n",
            "$ANSIBLE_VAULT;1.1;AES256\n",
            "\"text\"",
            "3",
            "{{ a }}: b\n",
            "a: [\n",
        ] {
            hint("a.yaml", text);
        }
        for path in ["kustomization.yaml", "a/kustomization.yml", "Chart.yaml"] {
            hint(path, "resources: [a.yaml]\n");
        }
    }

    #[test]
    fn a_file_with_one_object_is_a_manifest() {
        let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\na: b\n";
        assert_eq!(hint("a.yaml", text), None);
    }

    #[test]
    fn the_remedy_names_the_line() {
        assert_eq!(
            hint("a/values.yaml", "kind: Deployment\nimage: a\n").as_deref(),
            Some("if it is not a manifest, add the line `/a/values.yaml` to .trueupignore")
        );
        assert_eq!(
            hint("a.yaml", "apiVerison: v1\nKind: ConfigMap\n").as_deref(),
            Some(
                "write `kind` instead of `Kind`; if it is not a manifest, add the line `/a.yaml` \
                to .trueupignore"
            )
        );
        let template = hint("a/b.yaml", "{{ if a }}\na: b\n").unwrap();
        assert!(template.ends_with("add the line `/a/b.yaml` to .trueupignore"), "{template}");
        let kubeconfig = hint("a.yaml", "apiVersion: v1\nkind: Config\nclusters: []\n").unwrap();
        assert!(kubeconfig.contains("`/a.yaml`"), "{kubeconfig}");
        // A slip in a manifest is mended and not ignored.
        let unnamed = hint("a.yaml", "apiVersion: v1\nkind: A\nmetadata: {}\n");
        assert_eq!(unnamed, None);
        let slip = hint("a.yaml", "apiVersion: v1\nkind: A\nmetadata: name: a\n").unwrap();
        assert!(!slip.contains(IGNORE_FILE), "{slip}");
    }

    #[test]
    fn an_ignore_line_leaves_out_its_file_alone() {
        for path in ["a/b.yaml", "a [1]*/b?.yaml", "#a.yaml", "!a.yaml", "a\\b.json", "a.json "] {
            let ignores = BTreeMap::from([(String::new(), ignore_line(path).into_bytes())]);
            let selection = Selection::new(&ignores).unwrap();
            assert!(!selection.reaches("", path), "{path}: {}", ignore_line(path));
            for other in ["b.yaml", "c/a/b.yaml", "a 1x/by.yaml", "a.json", "x"] {
                assert!(selection.reaches("", other), "{path}: {other}");
            }
        }
    }

    #[test]
    fn a_folder_has_one_warning() {
        let paths = ["b/5.json", "b/1.json", "b/2.json", "b/3.json", "b/4.json", "a.yaml"];
        let warnings: Vec<String> = warnings(paths.map(str::to_owned).into())
            .into_iter()
            .map(|it| format!("{}: {}; {}", it.place, it.message, it.hint.unwrap()))
            .collect();
        assert_eq!(
            warnings,
            [
                "a.yaml:1:1: this file is not a manifest, and is not applied; to leave it out, add \
                the line `/a.yaml` to .trueupignore",
                "b/1.json:1:1: this file and 4 more of its folder are not manifests, and are not \
                applied: 2.json, 3.json, 4.json, and 1 more; to leave them out, add the lines \
                `/b/1.json`, `/b/2.json`, `/b/3.json`, and 2 more to .trueupignore"
            ]
        );
    }
}
