//! The path to a field as a JSON pointer (RFC 6901), with one addition: `[name=main]` is the
//! element of a list whose `name` is `main`.

use std::fmt;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::manifest::PathPart;

/// What identifies an object, and so is no field to have a rule about.
const IDENTITY: [&[&str]; 6] = [
    &["apiVersion"],
    &["kind"],
    &["metadata"],
    &["metadata", "name"],
    &["metadata", "namespace"],
    &["metadata", "managedFields"],
];

/// The path to a field.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub struct Pointer {
    /// As it is written.
    text: String,
    /// Its parts, unescaped. Whoever reads a file says first what is wrong with it, where that is.
    parts: Result<Vec<String>, PointerError>,
}

/// Why a text is no path to a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PointerError {
    /// It does not begin as one.
    #[error("a path to a field begins with `/`, such as /spec/replicas")]
    NoSlash,
    /// A tilde that stands for nothing.
    #[error("`~` is written `~0` in a path to a field, and `/` is written `~1`")]
    Tilde,
    /// It leads to what an object is told by.
    #[error("this is what identifies the object, and no field to have a rule about")]
    Identity,
}

impl From<String> for Pointer {
    fn from(text: String) -> Self {
        Self { parts: parts(&text), text }
    }
}

fn parts(text: &str) -> Result<Vec<String>, PointerError> {
    let path = text.strip_prefix('/').ok_or(PointerError::NoSlash)?;
    let unescaped = |part: &str| {
        let rest = part.replace("~0", "").replace("~1", "");
        (!rest.contains('~')).then(|| part.replace("~1", "/").replace("~0", "~"))
    };
    let parts: Option<Vec<String>> = path.split('/').map(unescaped).collect();
    let parts = parts.ok_or(PointerError::Tilde)?;
    if IDENTITY.iter().any(|path| *path == parts.as_slice()) || parts == [""] {
        return Err(PointerError::Identity);
    }
    Ok(parts)
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Pointer {
    /// The steps to the field; `None` where the object has no such field.
    pub fn find<'a>(&'a self, object: &Map<String, Value>) -> Option<Vec<PathPart<'a>>> {
        let (first, rest) = self.parts().split_first()?;
        let mut value = object.get(first)?;
        let mut steps = vec![PathPart::Key(first)];
        for part in rest {
            let (step, next) = step(part, value)?;
            steps.push(step);
            value = next?;
        }
        Some(steps)
    }

    /// The field's value, if the object has it.
    pub fn value<'v>(&self, object: &'v Map<String, Value>) -> Option<&'v Value> {
        let (first, rest) = self.parts().split_first()?;
        rest.iter().try_fold(object.get(first)?, |value, part| step(part, value)?.1)
    }

    /// As [`value`](Self::value), to be changed.
    pub fn value_mut<'v>(&self, object: &'v mut Map<String, Value>) -> Option<&'v mut Value> {
        let (first, rest) = self.parts().split_first()?;
        rest.iter().try_fold(object.get_mut(first)?, |value, part| {
            let (step, _) = step(part, value)?;
            match step {
                PathPart::Key(key) => value.get_mut(key),
                PathPart::Index(index) => value.get_mut(index),
            }
        })
    }

    /// Its parts, unescaped.
    pub(super) fn parts(&self) -> &[String] {
        self.parts.as_deref().unwrap_or_default()
    }

    /// What is wrong with it.
    pub fn wrong(&self) -> Option<PointerError> {
        self.parts.as_ref().err().copied()
    }
}

/// The step that a part means in `value`, and where it leads.
pub(super) fn step<'a, 'v>(
    part: &'a str,
    value: &'v Value,
) -> Option<(PathPart<'a>, Option<&'v Value>)> {
    match value {
        Value::Object(map) => Some((PathPart::Key(part), map.get(part))),
        Value::Array(list) => {
            let index = match part.strip_prefix('[').and_then(|part| part.strip_suffix(']')) {
                Some(selector) => {
                    let (key, wanted) = selector.split_once('=')?;
                    list.iter().position(|item| is_called(item.get(key), wanted))?
                }
                None => part.parse().ok()?,
            };
            Some((PathPart::Index(index), list.get(index)))
        }
        _ => None,
    }
}

fn is_called(value: Option<&Value>, wanted: &str) -> bool {
    match value {
        Some(Value::String(text)) => text == wanted,
        Some(value) => value.to_string().as_str() == wanted,
        None => false,
    }
}
