//! The path to a field as a JSON pointer (RFC 6901), with two additions: `[name=main]` is the
//! element of a list whose `name` is `main`, and `*` is every key of a map, or every element of a
//! list.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde::Deserialize;

use crate::core::json::{Map, Value};
use crate::core::manifest::PathPart;

/// Fields that identify an object, and so can't have a rule.
const IDENTITY: [&[&str]; 6] = [
    &["apiVersion"],
    &["kind"],
    &["metadata"],
    &["metadata", "name"],
    &["metadata", "namespace"],
    &["metadata", "managedFields"],
];

/// Stands for every key or element.
const ANY: &str = "*";

/// The path to a field, or to several.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub struct Pointer {
    /// As it is written.
    text: String,
    /// Its parts, unescaped. Whoever reads a file says first what is wrong with it, where that is.
    parts: Result<Vec<String>, PointerError>,
}

/// Why a text is not a path to a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PointerError {
    /// It does not begin as one.
    #[error("a path to a field begins with `/`, such as /spec/replicas")]
    NoSlash,
    /// A tilde that stands for nothing.
    #[error("`~` is written `~0` in a path to a field, and `/` is written `~1`")]
    Tilde,
    /// It leads to a field that identifies an object.
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
    if is_identity(&parts) || parts == [""] {
        return Err(PointerError::Identity);
    }
    Ok(parts)
}

fn is_identity(parts: &[String]) -> bool {
    IDENTITY.iter().any(|path| *path == parts)
}

/// Adds every way that `rest` leads from `value`, which `path` led to.
fn expand<'v>(
    value: &'v Value,
    rest: &[String],
    path: &mut Vec<String>,
    paths: &mut Vec<Vec<String>>,
) {
    let Some((part, rest)) = rest.split_first() else {
        paths.push(path.clone());
        return;
    };
    let mut follow = |part: &str, value: &Value| {
        path.push(part.to_owned());
        expand(value, rest, path, paths);
        path.pop();
    };
    match value {
        Value::Object(map) if part == ANY => {
            map.iter().for_each(|(key, value)| follow(key, value));
        }
        Value::Array(items) if part == ANY => {
            let name = |item: &'v Value| item.get("name").and_then(Value::as_str);
            let mut times: HashMap<&str, usize> = HashMap::new();
            items.iter().filter_map(name).for_each(|name| *times.entry(name).or_default() += 1);
            for (i, item) in items.iter().enumerate() {
                let name = name(item).filter(|name| times.get(name) == Some(&1));
                let part = name.map_or_else(|| i.to_string(), |name| format!("[name={name}]"));
                follow(&part, item);
            }
        }
        value => {
            if let Some((_, Some(next))) = step(part, value) {
                follow(part, next);
            }
        }
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Pointer {
    /// The paths that it means in an object, each to one field: itself, unless it has a `*`. An
    /// element that has a name is identified by it, so that the path leads to the same one
    /// elsewhere.
    pub fn within<'a>(&'a self, object: &Map) -> Vec<Cow<'a, Self>> {
        if !self.parts().iter().any(|part| part == ANY) {
            return vec![Cow::Borrowed(self)];
        }
        let mut paths = Vec::new();
        let Some((first, rest)) = self.parts().split_first() else { return Vec::new() };
        for (key, value) in object.iter().filter(|(key, _)| first == ANY || *key == first) {
            expand(value, rest, &mut vec![key.to_string()], &mut paths);
        }
        paths.retain(|path| !is_identity(path));
        let pointer = |parts: Vec<String>| {
            let escaped = |part: &String| part.replace('~', "~0").replace('/', "~1");
            let text = parts.iter().map(|part| format!("/{}", escaped(part))).collect();
            Cow::Owned(Self { text, parts: Ok(parts) })
        };
        paths.into_iter().map(pointer).collect()
    }

    /// The steps to the field; `None` where the object has no such field.
    pub fn find<'a>(&'a self, object: &Map) -> Option<Vec<PathPart<'a>>> {
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

    /// Whether it leads into an element that its list in the object doesn't have.
    pub(super) fn lacks_element(&self, object: &Map) -> bool {
        let Some((first, rest)) = self.parts().split_first() else { return false };
        let mut value = object.get(first);
        for part in rest {
            let Some(here) = value else { return false };
            value = step(part, here).and_then(|(_, next)| next);
            if here.is_array() && value.is_none() {
                return true;
            }
        }
        false
    }

    /// The field's value, if the object has it.
    pub fn value<'v>(&self, object: &'v Map) -> Option<&'v Value> {
        let (first, rest) = self.parts().split_first()?;
        rest.iter().try_fold(object.get(first)?, |value, part| step(part, value)?.1)
    }

    /// As [`value`](Self::value), to be changed.
    pub fn value_mut<'v>(&self, object: &'v mut Map) -> Option<&'v mut Value> {
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
    pub fn parts(&self) -> &[String] {
        self.parts.as_deref().unwrap_or_default()
    }

    /// Its fault.
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
