//! A document's value → the objects that it declares: the items of a list one by one, and each with
//! the fields that make it an object.

use super::build::BuiltDocument;
use super::fault::{ManifestFault, Spot};
use super::limits;
use super::positions::{PathPart, Positions};
use crate::core::json::{Map, Value};
use crate::core::object::Object;
use crate::core::suggest::suggest;

type Declared = Result<(Object, Positions), ManifestFault>;

/// The document's objects; kubectl takes any map with `items` for a list of objects.
pub(super) fn objects(document: BuiltDocument) -> Vec<Declared> {
    let BuiltDocument { value, positions, may_be_big, .. } = document;
    let spot = positions.root().unwrap_or_default();
    let mut map = match value {
        Value::Object(map) => map,
        other => return vec![Err(not_a_map(spot, &other))],
    };
    let at = |field: &str| positions.spot(&[field.into()]).unwrap_or(spot);
    match map.remove("items") {
        None => vec![object(map, positions, may_be_big)],
        Some(items) => {
            if let Err(fault) = required_text(&map, "kind", at("kind")) {
                return vec![Err(fault)];
            }
            match items {
                Value::Array(items) => self::items(&map, items, &positions, may_be_big),
                Value::Null => Vec::new(),
                _ => vec![Err(ManifestFault::new(at("items"), "items must be a list of objects"))],
            }
        }
    }
}

fn items(list: &Map, items: Vec<Value>, positions: &Positions, may_be_big: bool) -> Vec<Declared> {
    // Of two keys `items` the last one counts, as it does for the values.
    let below = positions.within(&["items".into()]).unwrap_or_default();
    let mut spots = below.children();
    items
        .into_iter()
        .map(|item| {
            let positions = spots.next().unwrap_or_default();
            let spot = positions.root().unwrap_or_default();
            match item {
                Value::Object(mut item) if !item.contains_key("items") => {
                    inherit(list, &mut item);
                    object(item, positions, may_be_big)
                }
                Value::Object(_) => Err(ManifestFault::new(spot, "a list can't hold a list")
                    .hint("put the inner list's items into the outer one")),
                other => Err(not_a_map(spot, &other)),
            }
        })
        .collect()
}

/// An item of a `ConfigMapList` may leave out both apiVersion and kind.
fn inherit(list: &Map, item: &mut Map) {
    let text = |map: &Map, field: &str| {
        map.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let list_kind = text(list, "kind");
    let kind = list_kind.strip_suffix("List").unwrap_or(&list_kind);
    let bare = text(item, "kind").is_empty() && text(item, "apiVersion").is_empty();
    if !kind.is_empty() && bare {
        item.insert("kind".to_owned(), kind.into());
        item.insert("apiVersion".to_owned(), text(list, "apiVersion").into());
    }
}

fn object(map: Map, positions: Positions, may_be_big: bool) -> Declared {
    let spot = positions.root().unwrap_or_default();
    let at = |path: &[PathPart]| positions.spot(path).unwrap_or(spot);
    if let Some(fault) = misspelt(&map, |key| at(&[key.into()])) {
        return Err(fault);
    }
    required_text(&map, "apiVersion", at(&["apiVersion".into()]))?;
    if map["apiVersion"].as_str().is_some_and(|version| version.matches('/').count() > 1) {
        let spot = at(&["apiVersion".into()]);
        return Err(ManifestFault::new(spot, "apiVersion has more than one `/`")
            .hint("write it as `group/version`"));
    }
    required_text(&map, "kind", at(&["kind".into()]))?;
    let metadata = match map.get("metadata") {
        None | Some(Value::Null) => {
            return Err(ManifestFault::new(spot, "metadata.name is missing"));
        }
        Some(Value::Object(metadata)) => metadata,
        Some(_) => {
            return Err(ManifestFault::new(at(&["metadata".into()]), "metadata must be a map"));
        }
    };
    identity(metadata, |field| at(&["metadata".into(), field.into()]), at(&["metadata".into()]))?;
    let object = Object::from(map);
    if may_be_big && json_size(&object) > limits::OBJECT {
        return Err(limits::object_too_big(spot));
    }
    Ok((object, positions))
}

/// The fields without which a map is no object.
const OF_EVERY_OBJECT: [&str; 3] = ["apiVersion", "kind", "metadata"];

/// The key that most likely means the one field that an object lacks. A map that lacks more of them
/// may be anything.
fn misspelt(map: &Map, at: impl Fn(&str) -> Spot) -> Option<ManifestFault> {
    let mut lacks = OF_EVERY_OBJECT.into_iter().filter(|field| !map.contains_key(field));
    let (Some(field), None) = (lacks.next(), lacks.next()) else { return None };
    let keys = map.keys().map(|key| key.as_str());
    let near = suggest(field, keys.filter(|key| !OF_EVERY_OBJECT.contains(key)));
    let key = near.first()?;
    let fault = ManifestFault::new(at(key), format!("unknown field `{key}`"));
    Some(fault.hint(format!("did you mean {field}?")))
}

/// The metadata that can't be applied: the first field at all, the others only to the very object
/// and state that they were copied from.
const SERVERS_OWN: [&str; 3] = ["managedFields", "uid", "resourceVersion"];

fn identity(metadata: &Map, at: impl Fn(&str) -> Spot, spot: Spot) -> Result<(), ManifestFault> {
    if !metadata.contains_key("name") && metadata.contains_key("generateName") {
        return Err(ManifestFault::new(
            at("generateName"),
            "metadata.generateName would create a new object with every apply",
        )
        .hint("give it a metadata.name"));
    }
    text(metadata, "metadata.name", at("name"))?
        .filter(|name| !name.is_empty())
        .ok_or_else(|| ManifestFault::new(spot, "metadata.name is missing"))?;
    text(metadata, "metadata.namespace", at("namespace"))?;
    for field in SERVERS_OWN {
        let is_said = match metadata.get(field) {
            None | Some(Value::Null) => false,
            Some(Value::String(text)) => !text.is_empty(),
            Some(_) => true,
        };
        if is_said {
            let what = format!(
                "metadata.{field} is set by the API server, which refuses it from \
                others"
            );
            let hint = "remove it; it is part of what `kubectl get -o yaml` prints";
            return Err(ManifestFault::new(at(field), what).hint(hint));
        }
    }
    Ok(())
}

fn required_text(map: &Map, field: &str, spot: Spot) -> Result<(), ManifestFault> {
    match text(map, field, spot)? {
        None | Some("") => Err(ManifestFault::new(spot, format!("{field} is missing"))),
        Some(_) => Ok(()),
    }
}

/// The text at the last part of `field`, `None` if it is missing or null.
fn text<'a>(map: &'a Map, field: &str, spot: Spot) -> Result<Option<&'a str>, ManifestFault> {
    let key = field.rsplit('.').next().unwrap_or(field);
    match map.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(Value::Number(_) | Value::Bool(_)) => {
            Err(ManifestFault::new(spot, format!("{field} must be text"))
                .hint("write it in quotes"))
        }
        Some(_) => Err(ManifestFault::new(spot, format!("{field} must be text"))),
    }
}

/// How Git LFS begins what it commits in place of a file.
const LFS: &str = "version https://git-lfs.github.com/spec/";

fn not_a_map(spot: Spot, value: &Value) -> ManifestFault {
    let what = match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(text) if text.starts_with(LFS) => {
            return ManifestFault::new(spot, "this is a Git LFS pointer, not an object".to_owned())
                .hint(
                    "the commit holds only the pointer: run `git lfs untrack`, then commit the \
                    file itself",
                );
        }
        Value::String(_) => "a text",
        Value::Array(_) | Value::Object(_) => "a list",
    };
    ManifestFault::new(spot, format!("this is {what}, not an object"))
        .hint("an object begins with `apiVersion:` and `kind:`")
}

fn json_size(object: &Object) -> usize {
    struct Counter(usize);
    impl std::io::Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut counter = Counter(0);
    // Counting can't fail, and a value with text for keys can always be written.
    let _ = serde_json::to_writer(&mut counter, object);
    counter.0
}
