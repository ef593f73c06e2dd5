//! The field that a message of the API server names → its place in the file.
//!
//! The server names fields in two ways: `spec.containers[0].image` where an object is validated, and
//! `.spec.containers[name="web"].image` where server-side apply types it. Neither escapes anything,
//! so a name is understood by what the object really holds.

use super::{Manifest, PathPart};
use crate::core::json::{Key, Map, Value};
use crate::core::problem::{Cause, Location};

impl Manifest {
    /// Where the field that the server calls `field` is declared: its key, or a list's element. If
    /// the file doesn't have it, the innermost field around it that the file has.
    pub fn place_of(&self, field: &str) -> Location {
        let mut path = path_to(&self.object.0, field);
        if let Some(place) = self.written_key(&path) {
            return place;
        }
        let mut found = None;
        while found.is_none() && !path.is_empty() {
            found = self.positions.of(&path).or_else(|| self.unfolded(&path));
            path.pop();
        }
        match found {
            Some((line, column)) => Location { path: self.origin.path.clone(), line, column },
            None => self.location(),
        }
    }

    /// The parts of the field that the server calls `field` as far as the object has them, and the
    /// rest of its name.
    pub fn parts_of<'f>(&self, field: &'f str) -> (Vec<PathPart<'_>>, &'f str) {
        steps(&self.object.0, field)
    }

    /// Where the field at `path` is declared; `None` where its file does not say, as of what was
    /// rendered.
    pub fn place_at(&self, path: &[PathPart<'_>]) -> Option<Location> {
        if let Some(place) = self.written_at(path) {
            return Some(place);
        }
        let (line, column) = self.positions.of(path).or_else(|| self.unfolded(path))?;
        Some(Location { path: self.origin.path.clone(), line, column })
    }

    /// The causes with the place of each.
    pub fn located(&self, causes: Vec<Cause>) -> Vec<Cause> {
        let located = |cause: Cause| Cause { place: Some(self.place_of(&cause.field)), ..cause };
        causes.into_iter().map(located).collect()
    }

    /// Where a Secret's `data` is, if the file calls it `stringData`.
    fn unfolded(&self, path: &[PathPart]) -> Option<(usize, usize)> {
        let secret = (self.object.api_version(), self.object.kind()) == ("v1", "Secret");
        match path {
            [PathPart::Key("data"), rest @ ..] if secret => {
                self.positions.of(&[&[PathPart::Key("stringData")], rest].concat())
            }
            _ => None,
        }
    }
}

/// The parts of `field` as far as the object has them.
fn path_to<'a>(object: &'a Map, field: &str) -> Vec<PathPart<'a>> {
    steps(object, field).0
}

/// The same, with what is left of the field's name.
fn steps<'a, 'f>(object: &'a Map, field: &'f str) -> (Vec<PathPart<'a>>, &'f str) {
    let mut path = Vec::new();
    let mut rest = field.trim_start_matches('.');
    let mut value = key(object, rest);
    while let Some((part, below, after)) = value {
        path.push(part);
        rest = after;
        value = match below {
            Value::Object(map) => key(map, rest.strip_prefix('.').unwrap_or(rest)),
            Value::Array(list) => element(list, rest),
            _ => None,
        };
    }
    (path, rest)
}

/// One step: the part, the value there, and what is left of the field's name.
type FieldStep<'a, 'f> = (PathPart<'a>, &'a Value, &'f str);

/// The longest key that `rest` begins with: keys such as `app.kubernetes.io/name` hold dots.
fn key<'a, 'f>(map: &'a Map, rest: &'f str) -> Option<FieldStep<'a, 'f>> {
    let step = |key: &'a Key, value: &'a Value| {
        let after = match rest.strip_prefix('[') {
            None => rest.strip_prefix(key.as_str())?,
            Some(inside) => match inside.strip_prefix('"') {
                None => inside.strip_prefix(key.as_str())?.strip_prefix(']')?,
                Some(inside) => inside.strip_prefix(key.as_str())?.strip_prefix("\"]")?,
            },
        };
        let ends = after.is_empty() || after.starts_with(['.', '[']);
        ends.then_some((PathPart::Key(key), value, after))
    };
    map.iter().filter_map(|(key, value)| step(key, value)).min_by_key(|(.., after)| after.len())
}

/// The element that `rest` begins with, by its index, its value or the keys that tell it apart.
fn element<'a, 'f>(list: &'a [Value], rest: &'f str) -> Option<FieldStep<'a, 'f>> {
    let inside = rest.strip_prefix('[')?;
    if let Some((index, after)) = inside.split_once(']')
        && let Ok(index) = index.parse::<usize>()
    {
        return Some((PathPart::Index(index), list.get(index)?, after));
    }
    let (wanted, after) = selector(inside)?;
    let is_wanted = |element: &Value, or_default: bool| {
        wanted.iter().all(|(key, value)| match (key, element) {
            (&"", _) => element == value,
            (key, Value::Object(map)) => map.get(key).map_or(or_default, |found| found == value),
            _ => false,
        })
    };
    // The server fills in a key that has a default, such as a port's protocol.
    let index = list
        .iter()
        .position(|element| is_wanted(element, false))
        .or_else(|| list.iter().position(|element| is_wanted(element, true)))?;
    Some((PathPart::Index(index), &list[index], after))
}

/// Keys and values of `name="web",port=80]…`, and what stands behind it; of a set's `="a"]…`, an
/// empty key.
fn selector(mut rest: &str) -> Option<(Vec<(&str, Value)>, &str)> {
    let mut wanted = Vec::new();
    loop {
        let (key, value) = rest.split_once('=')?;
        let mut values = serde_json::Deserializer::from_str(value).into_iter::<Value>();
        wanted.push((key, values.next()?.ok()?));
        rest = &value[values.byte_offset()..];
        match rest.strip_prefix(',') {
            Some(more) => rest = more,
            None => return Some((wanted, rest.strip_prefix(']')?)),
        }
    }
}
