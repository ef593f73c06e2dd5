//! Which values are worth a search outside of their Secret.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::object::Object;

/// Words that Secrets hold and that give nothing away; sorted.
const COMMON: &[&str] = &[
    "admin",
    "administrator",
    "changeme",
    "database",
    "default",
    "development",
    "disabled",
    "enabled",
    "example",
    "false",
    "guest",
    "http",
    "https",
    "localhost",
    "mysql",
    "none",
    "null",
    "password",
    "postgres",
    "postgresql",
    "production",
    "redis",
    "root",
    "secret",
    "service",
    "staging",
    "test",
    "token",
    "true",
    "user",
    "username",
];

/// What the output shows anyway.
pub(super) struct Public<'a> {
    names: BTreeSet<&'a str>,
    fields: BTreeSet<&'a str>,
}

impl<'a> Public<'a> {
    /// What `objects` show.
    pub(super) fn of(objects: &[&'a Object]) -> Self {
        let mut public = Self { names: BTreeSet::new(), fields: BTreeSet::new() };
        for object in objects {
            let namespace = object.namespace().unwrap_or_default();
            public.names.extend([object.kind(), object.name(), namespace]);
            public.fields_of(&object.0);
        }
        public
    }

    fn fields_of(&mut self, map: &'a Map<String, Value>) {
        for (key, value) in map {
            if key.chars().all(|c| c.is_ascii_alphabetic()) {
                self.fields.insert(key);
            }
            match value {
                Value::Object(map) => self.fields_of(map),
                Value::Array(items) => {
                    items.iter().filter_map(Value::as_object).for_each(|map| self.fields_of(map));
                }
                _ => {}
            }
        }
    }

    /// The rule that the parent module's documentation gives.
    pub(super) fn is_worth_a_search(&self, value: &str) -> bool {
        let is_small_number = value.len() <= 5 && value.chars().all(|c| c.is_ascii_digit());
        value.chars().count() >= 4
            && !is_small_number
            && COMMON.binary_search(&value.to_ascii_lowercase().as_str()).is_err()
            && !"‹secret ‹hidden›".contains(value) // or masks would be masked again
            && !self.names.iter().any(|name| name.contains(value))
            && !self.fields.contains(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_common_words_are_sorted() {
        assert!(COMMON.is_sorted());
    }
}
