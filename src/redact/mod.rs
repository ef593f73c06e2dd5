//! The one redaction layer: no value of a Secret reaches a person, a log or a file.
//!
//! A [`Redactor`] knows every value of every Secret that the run has seen and puts numbered masks
//! in their place, `‹secret 1›`: equal values get equal numbers, so that a change stays visible
//! without the value. Inside a Secret every value is masked. Everywhere else (other objects, API
//! errors, problems) the values are searched for, in every spelling of [`forms`].
//!
//! Not every value is worth a search: a Secret often holds a user name or a port, and masking each
//! `admin` and `5432` of the output would leave nothing to read. Left out are values that
//!
//! - have fewer than four characters,
//! - are a number of at most five digits,
//! - are one of [`COMMON`], whatever their case,
//! - are all or a part of an object's kind, name or namespace, which every header shows anyway,
//! - are a field's name made of letters only, such as `containers`.
//!
//! [`Redactor::text_about`] masks even those where the text is about the Secret that holds them.
//! Objects' kinds, names and
//! namespaces are never masked where they identify an object.

mod forms;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use crate::object::{Object, ObjectKey};
use crate::plan::{Action, Plan};

/// Where `kubectl apply` keeps the whole object as it was last applied.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

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

/// Knows the values of Secrets, and takes them out of objects and texts.
///
/// Everything that is to be shown must have been given to it when it was made; a value that it does
/// not know is masked inside a Secret, as `‹secret›`, but can't be found anywhere else.
#[derive(Default)]
pub struct Redactor {
    /// The number of every value, by its bytes.
    numbers: BTreeMap<Vec<u8>, usize>,
    /// Finds every spelling of the values that are searched for; `None` when there are none.
    search: Option<AhoCorasick>,
    /// The number that belongs to each pattern of `search`.
    patterns: Vec<usize>,
    /// The values of each Secret that are not searched for.
    quiet: BTreeMap<ObjectKey, BTreeMap<String, usize>>,
    /// The search could not be built: every text is hidden, since nobody can say what it holds.
    blind: bool,
}

impl Redactor {
    /// A redactor for every Secret among `objects`: live, merged and desired ones.
    ///
    /// Values are numbered in the order of the objects' keys; of objects with one key, in the order
    /// given, so give what is before what will be.
    pub fn new<'a>(objects: impl IntoIterator<Item = &'a Object>) -> Self {
        let mut objects: Vec<&Object> = objects.into_iter().collect();
        objects.sort_by_cached_key(|object| object.key());
        Self::in_order(&objects)
    }

    /// A redactor for every object of `plan`; what the plan changes is numbered first, in the order
    /// in which it is shown.
    pub fn of_plan(plan: &Plan) -> Self {
        let (kept, shown): (Vec<_>, Vec<_>) =
            plan.changes().partition(|change| change.action == Action::Keep);
        let objects: Vec<&Object> = shown
            .into_iter()
            .chain(kept)
            .flat_map(|change| [&change.live, &change.merged, &change.send])
            .flatten()
            .collect();
        Self::in_order(&objects)
    }

    fn in_order(objects: &[&Object]) -> Self {
        let mut found = Found::default();
        for object in objects {
            found.of_map(&object.key(), &object.0);
        }
        let mut redactor = Self::default();
        if found.values.is_empty() {
            return redactor;
        }
        let public = Public::of(objects);
        let mut patterns: BTreeMap<String, usize> = BTreeMap::new();
        for Secret { key, bytes, written, whole } in found.values {
            let next = redactor.numbers.len() + 1;
            let number = *redactor.numbers.entry(bytes.clone()).or_insert(next);
            if whole {
                continue;
            }
            let is_searched = match std::str::from_utf8(&bytes) {
                Ok(text) => public.is_worth_a_search(text.trim()),
                Err(_) => bytes.len() >= forms::SHORTEST,
            };
            let forms = forms::forms(&bytes).into_iter().chain([written]);
            let slot =
                if is_searched { &mut patterns } else { redactor.quiet.entry(key).or_default() };
            for form in forms {
                slot.entry(form).or_insert(number);
            }
        }
        patterns.retain(|form, _| form.len() >= forms::SHORTEST);
        match AhoCorasick::new(patterns.keys()) {
            Ok(_) if patterns.is_empty() => {}
            Ok(search) => redactor.search = Some(search),
            Err(_) => redactor.blind = true,
        }
        redactor.patterns = patterns.into_values().collect();
        redactor
    }

    /// The mask of a Secret's value, given as it stands in `stringData`.
    pub fn mask(&self, value: &str) -> String {
        self.mask_of(value.as_bytes())
    }

    /// The mask of a Secret's value, given as it stands in `data`.
    pub fn mask_data(&self, value: &str) -> String {
        self.mask_of(&decode(value))
    }

    fn mask_of(&self, bytes: &[u8]) -> String {
        self.numbers.get(bytes).map_or_else(|| "‹secret›".to_owned(), |number| mask(*number))
    }

    /// A copy of `object` that can be shown.
    pub fn object(&self, object: &Object) -> Object {
        Object(self.of_map(&object.0))
    }

    /// A copy of any JSON value that can be shown.
    pub fn value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::Object(map) => Value::Object(self.of_map(map)),
            Value::Number(number) => {
                let text = number.to_string();
                if self.spans(&text).is_empty() { value.clone() } else { self.text(&text).into() }
            }
            Value::Null | Value::Bool(_) => value.clone(),
        }
    }

    fn of_map(&self, map: &Map<String, Value>) -> Map<String, Value> {
        let secret = is_secret(map);
        self.pairs(map, |key, value| match key {
            "data" | "stringData" if secret => self.values(value, key == "data"),
            "metadata" if secret => self.metadata(value),
            _ => self.value(value),
        })
    }

    /// `map` with each value made showable by `show`, and each key, too.
    fn pairs(
        &self,
        map: &Map<String, Value>,
        show: impl Fn(&str, &Value) -> Value,
    ) -> Map<String, Value> {
        let mut shown = Map::new();
        for (key, value) in map {
            let value = show(key, value);
            let mut key = self.text(key);
            while shown.contains_key(&key) {
                key.push('\''); // two keys that differ in masked text only
            }
            shown.insert(key, value);
        }
        shown
    }

    /// A Secret's `data` or `stringData` with masks for values.
    fn values(&self, values: &Value, base64: bool) -> Value {
        let Value::Object(map) = values else { return self.any(values, base64) };
        self.pairs(map, |_, value| self.any(value, base64)).into()
    }

    fn any(&self, value: &Value, base64: bool) -> Value {
        match bytes_of(value, base64) {
            Some(bytes) => self.mask_of(&bytes).into(),
            None => Value::Null,
        }
    }

    /// A Secret's metadata, in which annotations may hold the whole of a Secret once more.
    fn metadata(&self, metadata: &Value) -> Value {
        let mut shown = self.value(metadata);
        let annotations = metadata.get("annotations").and_then(Value::as_object);
        for (key, value) in annotations.into_iter().flatten() {
            let Some(text) = value.as_str().filter(|text| holds_object(key, text)) else {
                continue;
            };
            shown["annotations"][self.text(key)] = self.mask(text).into();
        }
        shown
    }

    /// `text` with a mask wherever it spells a Secret's value that is worth a search.
    pub fn text(&self, text: &str) -> String {
        self.masked(text, self.spans(text))
    }

    /// As [`text`](Self::text), for a text that is about the object `key`: if that is a Secret,
    /// all of its values are masked, even those that are not worth a search elsewhere.
    pub fn text_about(&self, key: &ObjectKey, text: &str) -> String {
        let mut spans = self.spans(text);
        for (value, number) in self.quiet.get(key).into_iter().flatten() {
            spans.extend(words(text, value).map(|range| (range, *number)));
        }
        self.masked(text, spans)
    }

    /// Every place where a known value stands, overlapping ones too.
    fn spans(&self, text: &str) -> Vec<(Range<usize>, usize)> {
        let Some(search) = &self.search else { return Vec::new() };
        let found = search.find_overlapping_iter(text);
        found.map(|found| (found.range(), self.patterns[found.pattern().as_usize()])).collect()
    }

    /// `text` with each span masked; spans that overlap become one, under the number of the
    /// longest, so that nothing of any value is left.
    fn masked(&self, text: &str, mut spans: Vec<(Range<usize>, usize)>) -> String {
        if self.blind {
            return "‹hidden›".to_owned();
        }
        spans.sort_by_key(|(range, number)| (range.start, std::cmp::Reverse(range.end), *number));
        let mut shown = String::with_capacity(text.len());
        let mut end = 0;
        let mut spans = spans.into_iter().peekable();
        while let Some((mut range, mut number)) = spans.next() {
            let mut longest = range.len();
            while let Some((next, next_number)) = spans.next_if(|(next, _)| next.start < range.end)
            {
                if next.len() > longest {
                    (longest, number) = (next.len(), next_number);
                }
                range.end = range.end.max(next.end);
            }
            shown.push_str(&text[end..range.start]);
            shown.push_str(&mask(number));
            end = range.end;
        }
        shown.push_str(&text[end..]);
        shown
    }
}

/// Says how many values it knows, and none of them.
impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Redactor({} values)", self.numbers.len())
    }
}

fn mask(number: usize) -> String {
    format!("‹secret {number}›")
}

/// Whether the map is a Secret of the core group, at the top or inside another object.
fn is_secret(map: &Map<String, Value>) -> bool {
    map.get("kind").is_some_and(|kind| kind == "Secret")
        && map
            .get("apiVersion")
            .and_then(Value::as_str)
            .is_none_or(|version| !version.contains('/'))
}

/// Whether a Secret's annotation holds a whole object, as kubectl's and others' do.
fn holds_object(key: &str, text: &str) -> bool {
    key == LAST_APPLIED
        || matches!(serde_json::from_str(text), Ok(Value::Object(map)) if map.contains_key("kind"))
}

/// The bytes that a value stands for; `None` for null.
fn bytes_of(value: &Value, base64: bool) -> Option<Vec<u8>> {
    match value {
        Value::Null => None,
        Value::String(text) if base64 => Some(decode(text)),
        Value::String(text) => Some(text.clone().into_bytes()),
        other => Some(other.to_string().into_bytes()),
    }
}

/// What the base64 text stands for; the text itself when it is not base64.
fn decode(text: &str) -> Vec<u8> {
    let dense: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD.decode(dense).unwrap_or_else(|_| text.as_bytes().to_vec())
}

/// Where `value` stands in `text` as a word of its own.
fn words<'a>(text: &'a str, value: &'a str) -> impl Iterator<Item = Range<usize>> {
    let is_part = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let places = if value.is_empty() { None } else { Some(text.match_indices(value)) };
    places.into_iter().flatten().map(move |(start, _)| start..start + value.len()).filter(
        move |range| {
            !is_part(text[..range.start].chars().next_back())
                && !is_part(text[range.end..].chars().next())
        },
    )
}

/// A value found in a Secret.
struct Secret {
    key: ObjectKey,
    bytes: Vec<u8>,
    /// As it is written there.
    written: String,
    /// It is a whole object as text: masked, while what is in it is found one by one.
    whole: bool,
}

/// The values of Secrets, in the order in which they are found.
#[derive(Default)]
struct Found {
    values: Vec<Secret>,
}

impl Found {
    fn of_map(&mut self, key: &ObjectKey, map: &Map<String, Value>) {
        if is_secret(map) {
            for (field, base64) in [("data", true), ("stringData", false)] {
                match map.get(field) {
                    Some(Value::Object(values)) => {
                        values.values().for_each(|value| self.of_value(key, value, base64));
                    }
                    Some(value) => self.of_value(key, value, base64),
                    None => {}
                }
            }
            let annotations = map.get("metadata").and_then(|metadata| metadata.get("annotations"));
            for (name, value) in annotations.and_then(Value::as_object).into_iter().flatten() {
                let Some(text) = value.as_str().filter(|text| holds_object(name, text)) else {
                    continue;
                };
                let inner = serde_json::from_str::<Map<String, Value>>(text).ok();
                if let Some(inner) = &inner {
                    self.of_map(key, inner);
                }
                let (bytes, written) = (text.as_bytes().to_vec(), text.to_owned());
                self.values.push(Secret {
                    key: key.clone(),
                    bytes,
                    written,
                    whole: inner.is_some(),
                });
            }
        }
        map.values().for_each(|value| self.inside(key, value));
    }

    /// Secrets inside other objects, such as the items of a List.
    fn inside(&mut self, key: &ObjectKey, value: &Value) {
        match value {
            Value::Object(map) => self.of_map(key, map),
            Value::Array(items) => items.iter().for_each(|item| self.inside(key, item)),
            _ => {}
        }
    }

    fn of_value(&mut self, key: &ObjectKey, value: &Value, base64: bool) {
        let Some(bytes) = bytes_of(value, base64) else { return };
        let written = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        self.values.push(Secret { key: key.clone(), bytes, written, whole: false });
        // Neither a list nor a map is valid here; an error message may quote what is in it.
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.of_value(key, item, base64)),
            Value::Object(map) => map.values().for_each(|item| self.of_value(key, item, base64)),
            _ => {}
        }
    }
}

/// What the output shows anyway.
struct Public<'a> {
    names: BTreeSet<&'a str>,
    fields: BTreeSet<&'a str>,
}

impl<'a> Public<'a> {
    fn of(objects: &[&'a Object]) -> Self {
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

    /// The rule that the module's documentation gives.
    fn is_worth_a_search(&self, value: &str) -> bool {
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
mod tests;
