//! Objects as themselves, so that kubectl reads back what git says: a stream of YAML documents, or
//! one List in JSON.

use std::io::{self, Write};

use super::json as document;
use crate::core::diff::yaml;
use crate::core::json::{Value, json};
use crate::core::manifest::Origin;
use crate::core::object::Object;
use crate::core::sanitize::{Commands, is_harmless};

/// Writes a YAML document for each object, below a comment that says where it is from.
///
/// # Errors
///
/// When `out` does not take it.
pub fn yaml(out: &mut impl Write, objects: &[(&Origin, Object)]) -> io::Result<()> {
    for (origin, object) in objects {
        writeln!(out, "---\n# {}:{}", comment(&origin.path), origin.line)?;
        out.write_all(yaml::text(object).as_bytes())?;
    }
    Ok(())
}

/// Writes one List.
///
/// # Errors
///
/// When `out` does not take it.
pub fn json(out: &mut impl Write, objects: &[(&Origin, Object)]) -> io::Result<()> {
    let items: Vec<Value> = objects.iter().map(|(_, object)| Value::from(object.clone())).collect();
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": items });
    writeln!(out, "{}", document::text(&list)?)
}

/// A path may hold anything, and a comment ends with its line.
fn comment(path: &str) -> String {
    let mut commands = Commands::within_line();
    let plain = |c| if is_harmless(c) && !commands.completes(c) { c } else { '?' };
    path.chars().map(plain).collect()
}
