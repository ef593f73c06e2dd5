//! The way to a field: step by step, as people read it, and as it goes in one object.

use crate::core::json::{Map, Value};
use crate::core::manifest::PathPart;
use crate::core::object::Object;

/// One step from a map or a list to a value in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathStep {
    /// The value of a map's key.
    Key(String),
    /// An element of a list, by its places before and after, from 0; `None` where it is not there.
    Item {
        /// Where it is.
        before: Option<usize>,
        /// Where it will be.
        after: Option<usize>,
    },
    /// The element of a list that these fields identify, such as its name.
    Keyed(Map),
    /// The element of a list in which every value stands once, such as a finalizer.
    Member(Value),
}

/// Which of the two objects between which there is a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The object as it is.
    Before,
    /// The object as it will be, or is declared.
    After,
}

impl PathStep {
    /// An element of a list that has one place.
    pub fn item(at: usize) -> Self {
        Self::Item { before: Some(at), after: Some(at) }
    }
}

/// The steps as people read them, such as `spec.ports[port=80,protocol=TCP].name` or
/// `metadata.finalizers[="example.com/a"]`.
pub fn path(steps: &[PathStep]) -> String {
    let mut path = String::new();
    for step in steps {
        match step {
            PathStep::Key(key) if !is_word(key) => path.push_str(&format!("[{}]", quoted(key))),
            PathStep::Key(key) if path.is_empty() => path.push_str(key),
            PathStep::Key(key) => path.push_str(&format!(".{key}")),
            PathStep::Item { before, after } => {
                let at = after.or(*before).unwrap_or_default();
                path.push_str(&format!("[{at}]"));
            }
            PathStep::Keyed(keys) => {
                let keys =
                    keys.iter().map(|(key, value)| format!("{}={}", word(key), plain(value)));
                path.push_str(&format!("[{}]", keys.collect::<Vec<_>>().join(",")));
            }
            PathStep::Member(member) => path.push_str(&format!("[={member}]")),
        }
    }
    path
}

/// The steps to a field, as they go in `object`: each element by its place in the list. `None`
/// where the object has no such field.
pub fn resolve<'s>(
    object: &Object,
    steps: &'s [PathStep],
    side: Side,
) -> Option<Vec<PathPart<'s>>> {
    let parts = around(object, steps, side);
    (!steps.is_empty() && parts.len() == steps.len()).then_some(parts)
}

/// The same as far as the object goes: the way to the innermost value around a field that it lacks.
pub fn around<'s>(object: &Object, steps: &'s [PathStep], side: Side) -> Vec<PathPart<'s>> {
    let mut parts = Vec::new();
    let mut value: Option<&Value> = None;
    for step in steps {
        let next = match (step, value) {
            (PathStep::Key(key), None) => object.0.get(key).map(|next| (PathPart::Key(key), next)),
            (_, None) => None,
            (step, Some(value)) => below(value, step, side),
        };
        let Some((part, below)) = next else { break };
        parts.push(part);
        value = Some(below);
    }
    parts
}

/// One step on: the part, and what stands there.
fn below<'s, 'v>(
    value: &'v Value,
    step: &'s PathStep,
    side: Side,
) -> Option<(PathPart<'s>, &'v Value)> {
    let at = match step {
        PathStep::Key(key) => return Some((PathPart::Key(key), value.get(key)?)),
        PathStep::Item { before, after } => match side {
            Side::Before => (*before)?,
            Side::After => (*after)?,
        },
        PathStep::Keyed(keys) => element(value.as_array()?, keys)?,
        PathStep::Member(member) => value.as_array()?.iter().position(|item| item == member)?,
    };
    Some((PathPart::Index(at), value.get(at)?))
}

/// Where the element with these keys stands. One that leaves some of them out, as a manifest does
/// that trusts in defaults, is taken where no other fits.
fn element(items: &[Value], keys: &Map) -> Option<usize> {
    let has_all = |item: &Value| keys.iter().all(|(key, value)| item.get(key) == Some(value));
    let may_be = |item: &Value| {
        let mut own =
            keys.iter().filter_map(|(key, value)| Some((item.get(key)?, value))).peekable();
        own.peek().is_some() && own.all(|(own, value)| own == value)
    };
    items.iter().position(has_all).or_else(|| items.iter().position(may_be))
}

/// `text`, quoted unless it is a plain word.
fn word(text: &str) -> String {
    if is_word(text) { text.to_owned() } else { quoted(text) }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), word)
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}
