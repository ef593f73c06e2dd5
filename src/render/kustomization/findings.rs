//! A map held against the table of its fields: which files it names, and which keys are not what
//! they should be.

use super::fields::{Field, Keys, Names, fold};
use crate::core::json::{Map, Value};
use crate::core::manifest::{PathPart, Positions};
use crate::core::problem::{Location, Problem};
use crate::core::suggest::suggest;

/// Where the map stands.
#[derive(Clone, Copy)]
pub(super) enum MapPlace<'a> {
    /// In a file of its own.
    In {
        /// The file's path.
        file: &'a str,
        /// Where each field is in it.
        positions: &'a Positions,
    },
    /// In a text at this place.
    At(&'a Location),
}

impl MapPlace<'_> {
    /// The place of a key.
    pub(super) fn key(self, path: &[PathPart<'_>]) -> Location {
        self.place(|positions| positions.of(path))
    }

    /// The place of a value.
    pub(super) fn value(self, path: &[PathPart<'_>]) -> Location {
        self.place(|positions| positions.of_value(path))
    }

    fn place(self, find: impl Fn(&Positions) -> Option<(usize, usize)>) -> Location {
        match self {
            Self::At(place) => place.clone(),
            Self::In { file, positions } => {
                let (line, column) = find(positions).unwrap_or((1, 1));
                Location { path: file.to_owned(), line, column }
            }
        }
    }
}

/// A name that stands in a field.
pub(super) struct Reference {
    /// The name as it is written.
    pub text: String,
    /// The kinds of the name.
    pub names: Names,
    /// Where it stands.
    pub place: Location,
}

/// The findings in a map.
#[derive(Default)]
pub(super) struct KustomizationFindings {
    /// The files and folders that it names.
    pub references: Vec<Reference>,
    /// Keys that are refused.
    pub problems: Vec<Problem>,
}

/// Looks through a map that may have the keys of these tables and no others.
pub(super) fn look(map: &Map, tables: &[Keys], places: MapPlace<'_>) -> KustomizationFindings {
    let mut look =
        KustomizationWalk { places, found: KustomizationFindings::default(), at: Vec::new() };
    look.map(map, tables);
    look.found
}

struct KustomizationWalk<'a, 'v> {
    places: MapPlace<'a>,
    found: KustomizationFindings,
    at: Vec<PathPart<'v>>,
}

impl<'v> KustomizationWalk<'_, 'v> {
    fn map(&mut self, map: &'v Map, tables: &[Keys]) {
        let fields = tables.iter().copied().flatten();
        for (key, value) in map {
            self.at.push(key.as_str().into());
            match fields.clone().find(|(name, _)| name == key) {
                Some((_, field)) => self.field(key, value, field),
                None => {
                    let names = fields.clone().map(|(name, _)| *name);
                    let problem = unknown(key, names, self.places.key(&self.at));
                    self.found.problems.push(problem);
                }
            }
            self.at.pop();
        }
    }

    fn field(&mut self, key: &str, value: &'v Value, field: &Field) {
        match (field, value) {
            (Field::Map(keys), Value::Object(map)) => self.map(map, &[keys]),
            (Field::List(keys), Value::Array(items)) => self.items(items, |look, item| {
                if let Value::Object(map) = item {
                    look.map(map, &[keys]);
                }
            }),
            (Field::Names(names), Value::String(text)) => self.name(text, *names),
            (Field::Names(names), Value::Array(items)) => self.items(items, |look, item| {
                if let Value::String(text) = item {
                    look.name(text, *names);
                }
            }),
            (Field::Charts, Value::Array(_) | Value::Object(_)) => {
                let place = self.places.key(&self.at);
                self.found.problems.push(charts(key, place));
            }
            // kustomize refuses a value of another kind itself, before it opens anything.
            _ => {}
        }
    }

    fn items(&mut self, items: &'v [Value], mut each: impl FnMut(&mut Self, &'v Value)) {
        for (index, item) in items.iter().enumerate() {
            self.at.push(index.into());
            each(self, item);
            self.at.pop();
        }
    }

    fn name(&mut self, text: &str, names: Names) {
        if !text.is_empty() {
            let place = self.places.value(&self.at);
            self.found.references.push(Reference { text: text.to_owned(), names, place });
        }
    }
}

/// A key that is none of `names`.
fn unknown<'n>(
    key: &str,
    names: impl Iterator<Item = &'n str> + Clone,
    place: Location,
) -> Problem {
    let same = names.clone().find(|name| fold(name) == fold(key));
    let (message, hint) = match same {
        Some(name) => {
            (format!("kustomize reads `{key}` as `{name}`"), format!("write it `{name}`"))
        }
        None => {
            let hint = match suggest(key, names).first() {
                Some(name) => format!("did you mean `{name}`?"),
                None => "correct it, or take it out".to_owned(),
            };
            (format!("`{key}` is not a field that kustomize has here"), hint)
        }
    };
    Problem { place, message, excerpt: None, hint: Some(hint) }
}

/// The problem with fields that would have kustomize run Helm.
pub(super) fn charts(what: &str, place: Location) -> Problem {
    Problem {
        place,
        message: format!(
            "`{what}` would have kustomize run Helm, and kustomize runs no other program here"
        ),
        excerpt: None,
        hint: Some(
            "put the chart into the repository, in a folder of its own that trueup renders"
                .to_owned(),
        ),
    }
}
