//! The inputs of programs that render, apart from manifests: values files, arguments, and the
//! sources of generators.

use std::collections::BTreeSet;
use std::fmt;

use super::budget::SearchBudget;
use super::budget::SearchFailed;
use super::needle::{MatchContext, Needle};
use super::search::ValueSearch;
use super::secrets::FoundSecrets;
use super::value_parts::{named_parts, parts, parts_of};
use crate::core::json::{Key, Value};
use crate::core::object::Object;

/// Values that are in no Secret and may be secret all the same.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Inputs {
    /// Values that are secret.
    pub secret: BTreeSet<String>,
    /// Values of unknown use: they are masked where a text quotes them.
    pub quoted: BTreeSet<String>,
    /// Names of fields and files, which are never masked.
    pub names: BTreeSet<String>,
}

impl Inputs {
    /// Adds a value that is secret, and its parts.
    pub fn secret(&mut self, value: &str) {
        self.secret.extend(parts(value));
        self.secret.insert(value.trim().to_owned());
    }

    /// Adds the values of a field by this name. Those whose name says that they are secret, or that
    /// look so, are.
    pub fn value(&mut self, name: &str, value: &Value) {
        self.parts_of(name, value);
        self.leaves(value);
    }

    /// Adds only those of the values of a field that are secret by their name or looks.
    pub fn parts_of(&mut self, name: &str, value: &Value) {
        self.secret.extend(parts_of(name, value));
    }

    /// Adds what is secret in a text that is not a values file.
    pub fn text(&mut self, text: &str) {
        self.secret.extend(named_parts(text));
    }

    fn leaves(&mut self, value: &Value) {
        match value {
            Value::Object(map) => {
                self.names.extend(map.keys().map(Key::to_string));
                map.values().for_each(|value| self.leaves(value));
            }
            Value::Array(items) => items.iter().for_each(|item| self.leaves(item)),
            Value::String(text) => drop(self.quoted.insert(text.clone())),
            Value::Number(number) => drop(self.quoted.insert(number.to_string())),
            Value::Bool(_) | Value::Null => {}
        }
    }

    /// Adds the values of every Secret that an object is or has in it, such as a patch.
    pub fn object(&mut self, object: &Object) {
        let mut found = FoundSecrets::default();
        found.of_map(&object.key(), &object.0);
        for secret in &found.values {
            self.secret.insert(secret.written.trim().to_owned());
            if let Some(text) = secret.text() {
                self.secret(text);
            }
        }
    }

    /// Whether there is nothing to mask.
    pub fn is_empty(&self) -> bool {
        self.secret.is_empty() && self.quoted.is_empty()
    }

    /// Those secret values that are a part of a Secret among `objects`, in whatever spelling. All of
    /// them where that can't be found out.
    pub fn in_secrets<'a>(
        &self,
        objects: impl IntoIterator<Item = &'a Object>,
    ) -> BTreeSet<String> {
        let mut found = FoundSecrets::default();
        for object in objects {
            found.of_map(&object.key(), &object.0);
        }
        let given: Vec<&String> = self.secret.iter().collect();
        let needle = |(number, value): (usize, &&String)| {
            let value = value.trim().as_bytes().to_vec();
            Needle { value, number, stands: MatchContext::Anywhere }
        };
        let search = match ValueSearch::new(given.iter().enumerate().map(needle)) {
            Ok(Some(search)) => search,
            Ok(None) => return BTreeSet::new(),
            Err(SearchFailed) => return self.secret.clone(),
        };
        let (mut there, budget) = (BTreeSet::new(), SearchBudget::default());
        for text in found.values.iter().filter_map(|secret| secret.text()) {
            match search.find(text, &budget) {
                Ok(spans) => there.extend(spans.into_iter().map(|(_, at)| given[at].clone())),
                Err(SearchFailed) => return self.secret.clone(),
            }
        }
        there
    }
}

/// Says how many there are, and none of them.
impl fmt::Debug for Inputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Inputs({} secret, {} quoted)", self.secret.len(), self.quoted.len())
    }
}
