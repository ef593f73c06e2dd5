//! The order in which the fields of an object are shown: as its own file declares them, as far as
//! it does.

use std::collections::BTreeMap;

use crate::core::json::{Key, Map, Value};
use crate::core::manifest::{Manifest, PathPart, Positions};

/// Keys that come first where no file says otherwise: at the top of an object, in its metadata, and
/// in an element of a list.
const FIRST: &[&str] = &["apiVersion", "kind", "metadata"];
const FIRST_IN_METADATA: &[&str] = &["name", "namespace", "labels", "annotations"];
const FIRST_ELSEWHERE: &[&str] = &["name"];

/// The order in which a file declares the fields of a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldOrder {
    /// A map's keys.
    keys: Vec<(String, FieldOrder)>,
    /// A list's elements, by their names.
    named: BTreeMap<String, FieldOrder>,
    /// The order within every element of a list.
    any: Option<Box<FieldOrder>>,
}

impl FieldOrder {
    /// The order of a manifest; none where it was not written as it is.
    pub fn new(manifest: &Manifest) -> Self {
        if manifest.positions.is_empty() {
            return Self::default();
        }
        map(&manifest.object.0, &mut Vec::new(), &manifest.positions)
    }

    /// That of an object which no file declares.
    pub fn none() -> &'static Self {
        &NONE
    }

    /// The order below a map's key.
    pub(super) fn key(&self, key: &str) -> &Self {
        self.keys.iter().find(|(name, _)| name == key).map_or(&NONE, |(_, order)| order)
    }

    /// The order in a list's element.
    pub(super) fn item(&self, item: &Value) -> &Self {
        let name = item.get("name").and_then(Value::as_str);
        let named = name.and_then(|name| self.named.get(name));
        named.or(self.any.as_deref()).unwrap_or(&NONE)
    }

    /// The keys of all `maps`, each once: first as the file has them; what it does not declare
    /// stands behind.
    pub(super) fn keys<'a>(&self, place: MapContext, maps: &[&'a Map]) -> Vec<&'a str> {
        let mut others: Vec<&str> =
            maps.iter().flat_map(|map| map.keys()).map(Key::as_str).collect();
        others.sort_unstable();
        others.dedup();
        let mut keys: Vec<&str> = Vec::with_capacity(others.len());
        for (declared, _) in &self.keys {
            if let Ok(at) = others.binary_search(&declared.as_str()) {
                keys.push(others.remove(at));
            }
        }
        // The usual first fields come first, undeclared too.
        let mut at = 0;
        for first in place.first() {
            match (keys.iter().position(|key| key == first), others.binary_search(first)) {
                (Some(place), _) => at = place + 1,
                (None, Ok(other)) => {
                    keys.insert(at, others.remove(other));
                    at += 1;
                }
                (None, Err(_)) => {}
            }
        }
        keys.extend(others);
        keys
    }

    /// Takes over what the other has more.
    fn extend(&mut self, other: &Self) {
        for (key, order) in &other.keys {
            match self.keys.iter_mut().find(|(name, _)| name == key) {
                Some((_, own)) => own.extend(order),
                None => self.keys.push((key.clone(), order.clone())),
            }
        }
    }
}

static NONE: FieldOrder = FieldOrder { keys: Vec::new(), named: BTreeMap::new(), any: None };

/// Where in an object a map stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MapContext {
    /// It is the object.
    Top,
    /// It is the object's metadata.
    Metadata,
    /// It is an element of a list.
    Element,
    /// It is the value of any other key.
    Value,
}

impl MapContext {
    /// The place of the value of a map's key.
    pub(super) fn below(self, key: &str) -> Self {
        if self == Self::Top && key == "metadata" { Self::Metadata } else { Self::Value }
    }

    fn first(self) -> &'static [&'static str] {
        match self {
            Self::Top => FIRST,
            Self::Metadata => FIRST_IN_METADATA,
            Self::Element | Self::Value => FIRST_ELSEWHERE,
        }
    }
}

fn map<'a>(entries: &'a Map, path: &mut Vec<PathPart<'a>>, positions: &Positions) -> FieldOrder {
    let mut keys = Vec::new();
    for (key, value) in entries {
        path.push(PathPart::Key(key));
        if let Some(spot) = positions.of(path) {
            keys.push((spot, key.clone(), self::value(value, path, positions)));
        }
        path.pop();
    }
    keys.sort_by_key(|(spot, ..)| *spot);
    let keys = keys.into_iter().map(|(_, key, order)| (key.into(), order)).collect();
    FieldOrder { keys, ..FieldOrder::default() }
}

fn value<'a>(value: &'a Value, path: &mut Vec<PathPart<'a>>, positions: &Positions) -> FieldOrder {
    let items = match value {
        Value::Object(entries) => return map(entries, path, positions),
        Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => {
            items
        }
        _ => return FieldOrder::default(),
    };
    let (mut named, mut any) = (BTreeMap::new(), FieldOrder::default());
    for (i, item) in items.iter().enumerate() {
        path.push(PathPart::Index(i));
        let order = self::value(item, path, positions);
        path.pop();
        any.extend(&order);
        if let Some(name) = item.get("name").and_then(Value::as_str) {
            named.insert(name.to_owned(), order);
        }
    }
    FieldOrder { keys: Vec::new(), named, any: Some(Box::new(any)) }
}
