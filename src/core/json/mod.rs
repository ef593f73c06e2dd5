//! JSON in little memory. `serde_json`'s own map is a tree whose smallest node has room for eleven
//! fields, 632 bytes, and most maps of an object have one to three.
//!
//! [`Map`] is a sorted list of just its fields, and a name of up to 23 bytes stands in it without an
//! allocation. Text is read and written by `serde_json`; what it says is the same, byte for byte.

mod conversions;
mod index;
mod map;
mod serde;

use std::fmt;

pub use conversions::{from_value, to_value};
pub use index::Index;
pub use map::{Entry, Map, OccupiedEntry, VacantEntry};
pub use serde_json::Number;
pub use smol_str::SmolStr as Key;

/// A JSON value.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Value {
    /// `null`
    #[default]
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text.
    String(String),
    /// A list.
    Array(Vec<Value>),
    /// A map.
    Object(Map),
}

/// A value written out as JSON, as `serde_json::json!` takes it.
macro_rules! json {
    ($($json:tt)+) => { $crate::core::json::Value::from(serde_json::json!($($json)+)) };
}
pub(crate) use json;

impl Value {
    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Whether it is a truth value.
    pub fn is_boolean(&self) -> bool {
        matches!(self, Self::Bool(_))
    }

    /// Whether it is a number.
    pub fn is_number(&self) -> bool {
        matches!(self, Self::Number(_))
    }

    /// Whether it is an integer of 64 bits with a sign.
    pub fn is_i64(&self) -> bool {
        matches!(self, Self::Number(number) if number.is_i64())
    }

    /// Whether it is an integer of 64 bits without a sign.
    pub fn is_u64(&self) -> bool {
        matches!(self, Self::Number(number) if number.is_u64())
    }

    /// Whether it is a text.
    pub fn is_string(&self) -> bool {
        matches!(self, Self::String(_))
    }

    /// Whether it is a list.
    pub fn is_array(&self) -> bool {
        matches!(self, Self::Array(_))
    }

    /// Whether it is a map.
    pub fn is_object(&self) -> bool {
        matches!(self, Self::Object(_))
    }

    /// The truth value that it is.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The number that it is.
    pub fn as_number(&self) -> Option<&Number> {
        match self {
            Self::Number(number) => Some(number),
            _ => None,
        }
    }

    /// The integer that it is.
    pub fn as_i64(&self) -> Option<i64> {
        self.as_number()?.as_i64()
    }

    /// The integer that it is, where it has no sign.
    pub fn as_u64(&self) -> Option<u64> {
        self.as_number()?.as_u64()
    }

    /// The number that it is, as near as a `f64` can be.
    pub fn as_f64(&self) -> Option<f64> {
        self.as_number()?.as_f64()
    }

    /// The text that it is.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The list that it is.
    pub fn as_array(&self) -> Option<&Vec<Self>> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The list that it is, to change it.
    pub fn as_array_mut(&mut self) -> Option<&mut Vec<Self>> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The map that it is.
    pub fn as_object(&self) -> Option<&Map> {
        match self {
            Self::Object(map) => Some(map),
            _ => None,
        }
    }

    /// The map that it is, to change it.
    pub fn as_object_mut(&mut self) -> Option<&mut Map> {
        match self {
            Self::Object(map) => Some(map),
            _ => None,
        }
    }

    /// The value of a map's field, or an element of a list.
    pub fn get(&self, index: impl Index) -> Option<&Self> {
        index.find(self)
    }

    /// The same, to change it.
    pub fn get_mut(&mut self, index: impl Index) -> Option<&mut Self> {
        index.find_mut(self)
    }

    /// The value that a JSON pointer (RFC 6901) leads to.
    pub fn pointer(&self, pointer: &str) -> Option<&Self> {
        if pointer.is_empty() {
            return Some(self);
        }
        let parts = pointer.strip_prefix('/')?.split('/');
        parts.map(|part| part.replace("~1", "/").replace("~0", "~")).try_fold(
            self,
            |value, part| match value {
                Self::Object(map) => map.get(&part),
                Self::Array(items) => items.get(list_index(&part)?),
                _ => None,
            },
        )
    }

    /// Takes the value, and leaves null.
    pub fn take(&mut self) -> Self {
        std::mem::take(self)
    }
}

/// The place in a list that a part of a pointer means.
fn list_index(part: &str) -> Option<usize> {
    let is_plain = !part.starts_with('+') && (part == "0" || !part.starts_with('0'));
    part.parse().ok().filter(|_| is_plain)
}

/// As JSON, on one line; with `#` on many.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match f.alternate() {
            true => serde_json::to_string_pretty(self),
            false => serde_json::to_string(self),
        };
        f.write_str(&text.map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("Null"),
            Self::Bool(value) => write!(f, "Bool({value})"),
            Self::Number(number) => write!(f, "Number({number})"),
            Self::String(text) => write!(f, "String({text:?})"),
            Self::Array(items) => f.debug_list().entries(items).finish(),
            Self::Object(map) => map.fmt(f),
        }
    }
}

#[cfg(test)]
impl schemars::JsonSchema for Value {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        serde_json::Value::schema_name()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        serde_json::Value::json_schema(generator)
    }
}

#[cfg(test)]
mod tests;
