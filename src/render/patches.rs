//! Parts of a kustomization's patches that may be secret: kustomize quotes a patch that it can't
//! read or apply. Patches stand in a kustomization, in transformers, or in files of their own.

use crate::core::json::{Map, Value};
use crate::core::manifest;
use crate::core::object::Object;
use crate::core::redact::Inputs;

/// Patches inside of transformers are looked for this deep.
const DEPTH: usize = 3;
/// Fields of which no value is secret, so that a message still says where it is wrong.
const NAMES: [&str; 7] = ["apiVersion", "kind", "metadata", "name", "namespace", "path", "target"];

/// Fields of a kustomization that hold patches, or transformers and generators as texts.
const FIELDS: [&str; 6] = [
    "patches",
    "patchesStrategicMerge",
    "patchesJson6902",
    "transformers",
    "generators",
    "validators",
];

/// Adds the secret values of every patch that a field of a kustomization holds.
pub(super) fn add_field(field: &str, value: &Value, inputs: &mut Inputs) {
    // kustomize knows its fields in whatever case.
    if FIELDS.iter().any(|known| known.eq_ignore_ascii_case(field)) {
        add(value, inputs);
    }
}

/// Adds those that a transformer holds.
pub(super) fn add(value: &Value, inputs: &mut Inputs) {
    within(value, true, DEPTH, inputs);
}

/// Adds those of JSON patch operations that are a file by themselves. Which objects they change
/// stands elsewhere, so they count as a Secret's.
pub(super) fn add_operations(operations: &Value, inputs: &mut Inputs) {
    read(operations, true, inputs);
}

/// Adds those of a patch that is a file by itself and can't be read as manifests.
pub(super) fn add_file(text: &str, inputs: &mut Inputs) {
    if text.contains("Secret") {
        scalars(text, inputs);
    }
}

fn within(value: &Value, may_be_secret: bool, depth: usize, inputs: &mut Inputs) {
    match value {
        Value::Object(map) => {
            let may_be_secret = map.get("target").map_or(may_be_secret, selects_secrets);
            let values = map.iter().filter(|(key, _)| *key != "target");
            values.for_each(|(_, value)| within(value, may_be_secret, depth, inputs));
        }
        Value::Array(items) => {
            items.iter().for_each(|item| within(item, may_be_secret, depth, inputs));
        }
        Value::String(text) => patch(text, may_be_secret, depth, inputs),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Whether a target's kind, which is a pattern, may be a Secret's.
fn selects_secrets(target: &Value) -> bool {
    let kind = target.get("kind").and_then(Value::as_str).unwrap_or_default();
    kind.is_empty() || kind == "Secret" || kind.contains(|c: char| !c.is_ascii_alphanumeric())
}

/// Adds the values of a text that may be a patch.
fn patch(text: &str, may_be_secret: bool, depth: usize, inputs: &mut Inputs) {
    let Some(depth) = depth.checked_sub(1) else { return };
    if !text.contains(['\n', ':', '{']) {
        return; // a file's name
    }
    for document in documents(text) {
        match manifest::value("", document.as_bytes()) {
            Ok(Some((value @ (Value::Object(_) | Value::Array(_)), _))) => {
                read(&value, may_be_secret, inputs);
                within(&value, may_be_secret, depth, inputs);
            }
            Ok(_) => {}
            Err(_) if may_be_secret || document.contains("Secret") => scalars(&document, inputs),
            Err(_) => {}
        }
    }
}

/// Its documents, each by itself.
fn documents(text: &str) -> Vec<String> {
    let mut documents = vec![String::new()];
    for line in text.lines() {
        if line.trim_end() == "---" {
            documents.push(String::new());
        } else if let Some(last) = documents.last_mut() {
            last.push_str(line);
            last.push('\n');
        }
    }
    documents
}

/// Adds the values of a patch that could be read: the fields of a Secret, or what operations put
/// there.
fn read(patch: &Value, may_be_secret: bool, inputs: &mut Inputs) {
    match patch {
        Value::Object(map) if map.get("kind").is_some_and(|kind| kind == "SecretGenerator") => {
            let literals = map.get("literals").and_then(Value::as_array).into_iter().flatten();
            for literal in literals.filter_map(Value::as_str) {
                let value = literal.split_once('=').map_or(literal, |(_, value)| value);
                inputs.secret(value.trim_matches(['"', '\'']));
            }
        }
        Value::Object(map) => {
            let mut map = map.clone();
            if may_be_secret && !map.contains_key("kind") {
                map.insert("kind".to_owned(), "Secret".into());
            }
            inputs.object(&Object::from(map));
        }
        Value::Array(operations) if may_be_secret => {
            operations.iter().filter_map(Value::as_object).for_each(|it| operation(it, inputs));
        }
        _ => {}
    }
}

/// Adds the value of one operation on the fields of a Secret.
fn operation(operation: &Map, inputs: &mut Inputs) {
    let path = operation.get("path").and_then(Value::as_str).unwrap_or_default();
    let field = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    let Some(value) = operation.get("value") else { return };
    // A patch that replaces the whole object has those fields in it, and a wrong path may mean any.
    let values = match (field, value) {
        ("metadata" | "spec" | "status", _) => return,
        ("data" | "stringData", Value::Object(map)) => map.clone(),
        (_, value) => [("value".to_owned(), value.clone())].into_iter().collect(),
    };
    let whole = Value::from(values);
    let fields = ["data", "stringData"].map(|field| (field.to_owned(), whole.clone()));
    let kind = ("kind".to_owned(), "Secret".into());
    inputs.object(&fields.into_iter().chain([kind]).collect::<Map>().into());
}

/// Adds everything that could be a value of a text that can't be read.
fn scalars(text: &str, inputs: &mut Inputs) {
    let mut add = |text: &str| {
        let text = text.trim().trim_matches(['"', '\'']);
        if !text.is_empty() {
            inputs.secret(text);
        }
    };
    for line in text.lines() {
        let line = line.trim().trim_start_matches("- ");
        let pieces = line.split(['{', '}', '[', ']', ',']);
        for piece in [line].into_iter().chain(pieces) {
            let (name, value) = match piece.split_once(':') {
                Some((name, value)) => (name.trim().trim_matches(['"', '\'']), value),
                // A field without its colon, or a line of a longer value.
                None => ("", piece.rsplit(' ').next().unwrap_or_default()),
            };
            if !NAMES.contains(&name) {
                add(value);
                if name.is_empty() {
                    add(piece);
                }
            }
        }
    }
}
