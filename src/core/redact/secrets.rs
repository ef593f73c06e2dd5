//! Where in an object a Secret's values stand: `data`, `stringData`, annotations that hold the whole
//! object once more, and Secrets inside other objects.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::core::json::{Map, Value};
use crate::core::object::ObjectKey;

/// Where `kubectl apply` keeps the whole object as it was last applied.
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Whether the map is a Secret of the core group, at the top or inside another object.
pub(super) fn is_secret(map: &Map) -> bool {
    map.get("kind").is_some_and(|kind| kind == "Secret")
        && map
            .get("apiVersion")
            .and_then(Value::as_str)
            .is_none_or(|version| !version.contains('/'))
}

/// Whether the map is a Secret or has one in it.
pub(super) fn holds_secret(map: &Map) -> bool {
    fn inside(value: &Value) -> bool {
        match value {
            Value::Object(map) => holds_secret(map),
            Value::Array(items) => items.iter().any(inside),
            _ => false,
        }
    }
    is_secret(map) || map.values().any(inside)
}

/// Whether a Secret's annotation holds a whole object, as kubectl's and others' do.
pub(super) fn holds_object(key: &str, text: &str) -> bool {
    key == LAST_APPLIED
        || matches!(serde_json::from_str(text), Ok(Value::Object(map)) if map.contains_key("kind"))
}

/// The bytes that a value stands for; `None` for null.
pub(super) fn bytes_of(value: &Value, base64: bool) -> Option<Vec<u8>> {
    match value {
        Value::Null => None,
        Value::String(text) if base64 => Some(decode(text)),
        Value::String(text) => Some(text.clone().into_bytes()),
        other => Some(other.to_string().into_bytes()),
    }
}

/// The decoded base64 text; the text itself when it is not base64.
pub(super) fn decode(text: &str) -> Vec<u8> {
    let dense: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD.decode(dense).unwrap_or_else(|_| text.as_bytes().to_vec())
}

/// A value found in a Secret.
pub(super) struct Secret {
    /// The Secret.
    pub(super) key: ObjectKey,
    /// The value itself.
    pub(super) bytes: Vec<u8>,
    /// As it is written there.
    pub(super) written: String,
    /// It is a whole object as text: masked, while what is in it is found one by one.
    pub(super) whole: bool,
}

impl Secret {
    /// It as a text without white space around it, if it is one.
    pub(super) fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.bytes).ok().map(str::trim)
    }
}

/// The values of Secrets, in the order in which they are found.
#[derive(Default)]
pub(super) struct FoundSecrets {
    pub(super) values: Vec<Secret>,
}

impl FoundSecrets {
    /// Adds those of every Secret that `map` is or has in it; `key` is the whole object's.
    pub(super) fn of_map(&mut self, key: &ObjectKey, map: &Map) {
        if is_secret(map) {
            for (field, base64) in [("data", true), ("stringData", false)] {
                match map.get(field) {
                    Some(Value::Object(values)) => {
                        values.values().for_each(|value| self.of_value(key, value, base64));
                    }
                    Some(value) => self.of_value(key, value, base64),
                    None => {}
                }
            }
            let annotations = map.get("metadata").and_then(|metadata| metadata.get("annotations"));
            for (name, value) in annotations.and_then(Value::as_object).into_iter().flatten() {
                let Some(text) = value.as_str().filter(|text| holds_object(name, text)) else {
                    continue;
                };
                let inner = serde_json::from_str::<Map>(text).ok();
                if let Some(inner) = &inner {
                    self.of_map(key, inner);
                }
                let (bytes, written) = (text.as_bytes().to_vec(), text.to_owned());
                self.values.push(Secret {
                    key: key.clone(),
                    bytes,
                    written,
                    whole: inner.is_some(),
                });
            }
        }
        map.values().for_each(|value| self.inside(key, value));
    }

    /// Secrets inside other objects, such as the items of a List.
    fn inside(&mut self, key: &ObjectKey, value: &Value) {
        match value {
            Value::Object(map) => self.of_map(key, map),
            Value::Array(items) => items.iter().for_each(|item| self.inside(key, item)),
            _ => {}
        }
    }

    /// Adds every text, number and truth value of a field that is masked by a rule.
    pub(super) fn of_field(&mut self, key: &ObjectKey, value: &Value) {
        match value {
            Value::Object(map) => map.values().for_each(|value| self.of_field(key, value)),
            Value::Array(items) => items.iter().for_each(|item| self.of_field(key, item)),
            value => self.of_value(key, value, false),
        }
    }

    fn of_value(&mut self, key: &ObjectKey, value: &Value, base64: bool) {
        let Some(bytes) = bytes_of(value, base64) else { return };
        let written = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        self.values.push(Secret { key: key.clone(), bytes, written, whole: false });
        // Neither a list nor a map is valid here; an error message may quote what is in it.
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.of_value(key, item, base64)),
            Value::Object(map) => map.values().for_each(|item| self.of_value(key, item, base64)),
            _ => {}
        }
    }
}
