//! Where a rendered object is written: the document that it was made of, and what else has put
//! something into it. A field is looked for where its value is, since a program may have moved it
//! within a list, or changed it.

use super::{Manifest, Origin, PathPart, Positions};
use crate::core::json::{Map, Value};
use crate::core::object::Object;
use crate::core::problem::Location;

/// Where an object that a program rendered is written.
#[derive(Clone, Debug, PartialEq)]
pub struct WrittenObject {
    /// The place of the whole.
    pub whole: Location,
    /// The texts that it was made of; the earlier ones count more.
    pub parts: Vec<WrittenPart>,
}

/// A text that an object, or a part of it, was made of.
#[derive(Clone, Debug, PartialEq)]
pub enum WrittenPart {
    /// A document with fields of the object: the object as it was, or a patch.
    Document {
        /// The file.
        path: String,
        /// The fields.
        fields: Object,
        /// Where each of them stands.
        positions: Positions,
        /// The lines and columns before the document, where it stands within a text of the file.
        within: (usize, usize),
    },
    /// An entry that sets one field.
    Entry {
        /// The way to the field, with indexes as numbers.
        field: Vec<String>,
        /// The value that it sets, where that is known.
        value: Option<Value>,
        /// Where it stands.
        place: Location,
    },
}

/// Which end of a field is wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Key,
    Value,
}

impl Manifest {
    /// The place of the object: of its document, or where what was rendered was written.
    pub fn location(&self) -> Location {
        match &self.written {
            Some(written) => written.whole.clone(),
            None => self.origin.location(),
        }
    }

    /// Where the object is declared: its document, or the one that it was rendered from.
    pub fn declared(&self) -> Origin {
        match &self.written {
            Some(written) => {
                let Location { path, line, column } = written.whole.clone();
                Origin { path, line, column, document: self.origin.document }
            }
            None => self.origin.clone(),
        }
    }

    /// Where the innermost field on the way along `path` is written that is written at all; `None`
    /// where no text is known for it.
    pub fn written_value(&self, path: &[PathPart<'_>]) -> Option<Location> {
        self.written.as_ref()?.around(&self.object.0, path, End::Value)
    }

    /// The same for the key of the field.
    pub fn written_key(&self, path: &[PathPart<'_>]) -> Option<Location> {
        self.written.as_ref()?.around(&self.object.0, path, End::Key)
    }

    /// Where this very field is written.
    pub(super) fn written_at(&self, path: &[PathPart<'_>]) -> Option<Location> {
        self.written.as_ref()?.of(&self.object.0, path, End::Key)
    }
}

impl WrittenObject {
    fn around(&self, object: &Map, path: &[PathPart<'_>], end: End) -> Option<Location> {
        (1..=path.len()).rev().find_map(|length| {
            // A field around it is meant as a whole.
            let end = if length == path.len() { end } else { End::Key };
            self.of(object, &path[..length], end)
        })
    }

    /// Where this very field is written: first where its value is, then wherever it is.
    fn of(&self, object: &Map, path: &[PathPart<'_>], end: End) -> Option<Location> {
        let value = at(object, path)?;
        let found = self.parts.iter().filter_map(|part| part.find(object, path, end));
        let found: Vec<(Location, Option<&Value>)> = found.collect();
        let is_same = |(_, written): &&(Location, Option<&Value>)| match (written, value) {
            (None, _) => true,
            (Some(Value::Object(_)), Value::Object(_)) => true,
            (Some(Value::Array(_)), Value::Array(_)) => true,
            (Some(written), value) => *written == value,
        };
        let best = found.iter().find(is_same).or(found.first());
        best.map(|(place, _)| place.clone())
    }
}

impl WrittenPart {
    /// Where it has the field, and the value that it has there.
    fn find(
        &self,
        object: &Map,
        path: &[PathPart<'_>],
        end: End,
    ) -> Option<(Location, Option<&Value>)> {
        match self {
            Self::Document { path: file, fields, positions, within } => {
                let (path, value) = counterpart(object, &fields.0, path)?;
                let (line, column) = match end {
                    End::Key => positions.of(&path),
                    End::Value => positions.of_value(&path),
                }?;
                let (lines, columns) = *within;
                let (line, column) = (line + lines, column + columns);
                Some((Location { path: file.clone(), line, column }, Some(value)))
            }
            Self::Entry { field, value, place } => {
                let own: Vec<PathPart<'_>> = path.get(..field.len())?.to_vec();
                let is_own = |(part, own): (&String, &PathPart<'_>)| match own {
                    PathPart::Key(key) => part == key,
                    // JSON patches call what is behind the last element so.
                    PathPart::Index(index) => part == "-" || *part == index.to_string(),
                };
                if field.is_empty() || !field.iter().zip(&own).all(is_own) {
                    return None;
                }
                let set = value.as_ref().is_none_or(|value| at(object, &own) == Some(value));
                set.then(|| (place.clone(), None))
            }
        }
    }
}

/// The value at a path.
fn at<'a>(object: &'a Map, path: &[PathPart<'_>]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    let PathPart::Key(key) = first else { return None };
    rest.iter().try_fold(object.get(key)?, |value, part| match part {
        PathPart::Key(key) => value.get(*key),
        PathPart::Index(index) => value.as_array()?.get(*index),
    })
}

/// The path in `written` that leads to what `path` leads to in `object`, and the value there.
fn counterpart<'p, 'w>(
    object: &Map,
    written: &'w Map,
    path: &[PathPart<'p>],
) -> Option<(Vec<PathPart<'p>>, &'w Value)> {
    let (first, rest) = path.split_first()?;
    let PathPart::Key(key) = first else { return None };
    let (mut theirs, mut ours) = (object.get(key)?, written.get(key)?);
    let mut found = vec![*first];
    for part in rest {
        match part {
            PathPart::Key(key) => {
                (theirs, ours) = (theirs.get(*key)?, ours.get(*key)?);
                found.push(*part);
            }
            PathPart::Index(index) => {
                let (their, our) = (theirs.as_array()?, ours.as_array()?);
                let index = element(their, our, *index)?;
                (theirs, ours) = (their.get(index.0)?, our.get(index.1)?);
                found.push(PathPart::Index(index.1));
            }
        }
    }
    Some((found, ours))
}

/// The keys that tell the elements of a list apart.
const NAMES: [&str; 8] =
    ["name", "key", "containerPort", "port", "mountPath", "devicePath", "topologyKey", "ip"];

/// The place of an element in both lists: the same element, or the one of the same name, or the one
/// in its place where the lists are equally long.
fn element(theirs: &[Value], ours: &[Value], index: usize) -> Option<(usize, usize)> {
    let wanted = theirs.get(index)?;
    let is_there = |at: usize| ours.get(at).is_some_and(|own| own == wanted);
    if is_there(index) {
        return Some((index, index));
    }
    let same = || ours.iter().position(|own| own == wanted);
    let name = NAMES.iter().find_map(|name| Some((*name, wanted.get(*name)?)));
    let named = || match name {
        Some((name, value)) => ours.iter().position(|own| own.get(name) == Some(value)),
        None => (wanted.is_object() && theirs.len() == ours.len()).then_some(index),
    };
    let in_its_place = || (!wanted.is_object() && theirs.len() == ours.len()).then_some(index);
    Some((index, same().or_else(named).or_else(in_its_place)?))
}
