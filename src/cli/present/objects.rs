//! Objects as themselves, so that kubectl reads back what git says: a stream of YAML documents, or
//! one List in JSON.

use std::io;

use super::json as document;
use crate::core::diff::yaml;
use crate::core::json::{Value, json};
use crate::core::manifest::Origin;
use crate::core::object::Object;
use crate::core::sanitize::{Commands, is_harmless};

/// An object as a YAML document, below a comment that says where it is from.
pub fn yaml(origin: &Origin, object: &Object) -> String {
    format!("---\n# {}:{}\n{}", comment(&origin.path), origin.line, yaml::text(object))
}

/// Objects as one List in JSON.
///
/// # Errors
///
/// When they can't be written.
pub fn json(objects: Vec<Object>) -> io::Result<String> {
    let items: Vec<Value> = objects.into_iter().map(Value::from).collect();
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": items });
    Ok(document::text(&list)? + "\n")
}

/// A path may hold anything, and a comment ends with its line.
pub(super) fn comment(path: &str) -> String {
    let mut commands = Commands::within_line();
    let plain = |c| if is_harmless(c) && !commands.completes(c) { c } else { '?' };
    path.chars().map(plain).collect()
}
