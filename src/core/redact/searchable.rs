//! Which values are worth a search outside of their Secret.

use std::collections::{BTreeSet, HashSet};

use aho_corasick::AhoCorasick;

use crate::core::json::{Map, Value};
use crate::core::object::Object;

/// The longest name that an object, its kind or its namespace can have, in bytes: a DNS subdomain.
const LONGEST_NAME: usize = 253;

/// Words that Secrets hold and that give nothing away; sorted.
const COMMON: &[&str] = &[
    "admin",
    "administrator",
    "changeme",
    "database",
    "debug",
    "default",
    "development",
    "disable",
    "disabled",
    "enable",
    "enabled",
    "error",
    "example",
    "false",
    "guest",
    "http",
    "https",
    "ifnotpresent",
    "info",
    "json",
    "localhost",
    "mysql",
    "none",
    "null",
    "password",
    "postgres",
    "postgresql",
    "prefer",
    "production",
    "redis",
    "require",
    "required",
    "root",
    "secret",
    "service",
    "staging",
    "test",
    "text",
    "token",
    "true",
    "user",
    "username",
    "verify",
    "warning",
];

/// Which of `values` are worth a search in what is shown of `objects` and where `others` are names,
/// too, by the rule that the parent module's documentation gives. `None` where that can't be found
/// out.
///
/// The objects may be many and their names and fields more, so those are walked once, and only for
/// values that could be among them.
pub(super) fn worth_a_search<'v>(
    values: impl Iterator<Item = &'v str>,
    objects: &[&Object],
    others: &BTreeSet<String>,
) -> Option<BTreeSet<&'v str>> {
    let mut worth: BTreeSet<&str> = values.filter(|value| is_distinctive(value)).collect();
    let fields: HashSet<&str> = worth.iter().copied().filter(|value| is_word(value)).collect();
    if !fields.is_empty() {
        objects.iter().for_each(|object| without_fields(&mut worth, &fields, &object.0));
    }
    let names: Vec<&str> = worth.iter().copied().filter(|v| v.len() <= LONGEST_NAME).collect();
    if names.is_empty() {
        return Some(worth);
    }
    let search = AhoCorasick::new(&names).ok()?;
    let shown: HashSet<&str> = objects.iter().flat_map(|object| names_of(object)).collect();
    let shown = shown.into_iter().chain(others.iter().map(String::as_str));
    for found in shown.flat_map(|name| search.find_overlapping_iter(name)) {
        worth.remove(names[found.pattern().as_usize()]);
    }
    Some(worth)
}

/// The names that every header shows of an object.
fn names_of(object: &Object) -> [&str; 3] {
    [object.kind(), object.name(), object.namespace().unwrap_or_default()]
}

/// Takes out of `worth` those of `words` that are names of fields.
fn without_fields<'v>(worth: &mut BTreeSet<&'v str>, words: &HashSet<&'v str>, map: &Map) {
    for (key, value) in map {
        if let Some(word) = words.get(key.as_str()) {
            worth.remove(word);
        }
        match value {
            Value::Object(map) => without_fields(worth, words, map),
            Value::Array(items) => {
                let maps = items.iter().filter_map(Value::as_object);
                maps.for_each(|map| without_fields(worth, words, map));
            }
            _ => {}
        }
    }
}

/// Whether a value says anything by itself.
fn is_distinctive(value: &str) -> bool {
    let is_small_number = value.len() <= 5 && value.chars().all(|c| c.is_ascii_digit());
    value.chars().count() >= 4
        && !is_small_number
        && COMMON.binary_search(&value.to_ascii_lowercase().as_str()).is_err()
        && !"‹secret ‹hidden›".contains(value) // or masks would be masked again
}

/// Whether it could be the name of a field.
fn is_word(value: &str) -> bool {
    value.chars().all(|c| c.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_common_words_are_sorted() {
        assert!(COMMON.is_sorted());
    }
}
