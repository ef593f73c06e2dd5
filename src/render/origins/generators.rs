//! The entry of a kustomization that generates a ConfigMap or a Secret.

use super::{KustomizationText, has_name};
use crate::core::json::Value;
use crate::core::manifest::{PathPart, WrittenObject, WrittenPart};
use crate::core::object::Object;
use crate::core::problem::Location;

/// The generator of an object, with the entries of its keys.
pub(super) fn entry(
    kustomization: &KustomizationText<'_>,
    object: &Object,
) -> Option<WrittenObject> {
    let generator = match object.kind() {
        "ConfigMap" => "configMapGenerator",
        "Secret" => "secretGenerator",
        _ => return None,
    };
    let entries = kustomization.value.get(generator)?.as_array()?;
    let name = |entry: &Value| entry.get("name").and_then(Value::as_str).map(str::to_owned);
    let named = entries.iter().enumerate().filter_map(|(at, entry)| Some((at, name(entry)?)));
    let about = named.filter(|(_, name)| has_name(object.name(), name));
    let (at, _) = about.max_by_key(|(_, name)| name.len())?;
    let place = |path: &[PathPart<'_>]| {
        let (line, column) = kustomization.positions.of(path)?;
        Some(Location { path: kustomization.path.to_owned(), line, column })
    };
    let whole = [generator.into(), at.into()];
    let mut parts = Vec::new();
    for list in ["literals", "files"] {
        let texts = entries[at].get(list).and_then(Value::as_array).into_iter().flatten();
        for (index, text) in texts.enumerate() {
            let path = [whole.as_slice(), &[list.into(), index.into()]].concat();
            let (Some(key), Some(place)) = (text.as_str().and_then(key), place(&path)) else {
                continue;
            };
            let field = vec!["data".to_owned(), key.to_owned()];
            parts.push(WrittenPart::Entry { field, value: None, place });
        }
    }
    Some(WrittenObject { whole: place(&whole)?, parts })
}

/// The key that `key=value`, `key=path` or a path makes.
fn key(entry: &str) -> Option<&str> {
    match entry.split_once('=') {
        Some((key, _)) => Some(key),
        None => entry.rsplit('/').next(),
    }
}
