//! A value against its schema, with the API server's eyes: an error here is one that the server
//! refuses as well. What only the server can decide is not reported.

use super::dialect::Dialect;
use super::limits::{self, Patterns};
use super::one_hint::Look;
use super::validation::repeated;
use super::{CheckRule, words};
use crate::core::json::{Key, Map, Value};
use crate::core::kinds::schemas::{JsonType, Others, Schema, Schemas};
use crate::core::manifest::{PathPart, Positions};
use crate::core::object::Object;
use crate::core::suggest::suggest;

/// The type of every object's metadata.
const METADATA: &str = "apis.meta.v1.ObjectMeta";

/// How many unknown and missing fields of an object are compared with the names that may be meant.
pub(super) const GUESSES: usize = 100;

/// Where in the file something is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyOrValue {
    Key,
    Value,
}

/// One thing that is wrong with an object.
#[derive(Debug)]
pub(super) struct SchemaViolation<'v> {
    pub(super) path: Vec<PathPart<'v>>,
    pub(super) at: KeyOrValue,
    pub(super) rule: CheckRule,
    pub(super) message: String,
}

/// Goes through one object.
pub(super) struct Validator<'s, 'v> {
    pub(super) schemas: &'s Schemas,
    pub(super) patterns: &'s Patterns,
    /// Where the object's fields stand, and how their values are written.
    pub(super) positions: &'v Positions,
    /// Whether no value may be quoted.
    pub(super) is_secret: bool,
    pub(super) path: Vec<PathPart<'v>>,
    pub(super) faults: Vec<SchemaViolation<'v>>,
    /// The schema's word on values that look like other ones.
    pub(super) looks: Vec<(Vec<PathPart<'v>>, Look)>,
    /// How many more names may be guessed at.
    pub(super) guesses: usize,
}

impl<'s, 'v> Validator<'s, 'v> {
    /// An object of the release.
    pub(super) fn object(&mut self, object: &'v Map, schema: &'s Schema) {
        if let Some(schema) = self.resolved(schema) {
            self.map(object, schema, Dialect::Release);
        }
    }

    /// The metadata, which every kind has.
    pub(super) fn metadata(&mut self, object: &'v Object) {
        let metadata = object.0.get("metadata");
        if let (Some(schema), Some(metadata)) = (self.schemas.named(METADATA), metadata) {
            self.path.push(PathPart::Key("metadata"));
            self.value(metadata, schema, Dialect::Release);
            self.path.pop();
        }
    }

    /// A value that is there.
    pub(super) fn value(&mut self, value: &'v Value, schema: &'s Schema, by: Dialect) {
        let Some(schema) = self.resolved(schema) else { return };
        let is_custom = matches!(by, Dialect::Custom | Dialect::Logic);
        if value.is_null() {
            if let Some(kind) = schema.kind.filter(|_| is_custom && !schema.nullable) {
                self.wrong_type(value, words::wanted(kind));
            }
            return;
        }
        if schema.int_or_string {
            if !value.is_string() && !words::is_integer(value) {
                return self.wrong_type(value, "an integer or text");
            }
        } else if let Some(kind) = schema.kind
            && !words::is(value, kind)
        {
            return self.wrong_type(value, words::wanted(kind));
        }
        match value {
            Value::Object(map) => self.map(map, schema, by),
            Value::Array(list) => self.list(list, schema, by),
            Value::Bool(_) | Value::Number(_) if by != Dialect::Logic && schema.kind.is_some() => {
                self.looks_otherwise(value);
            }
            _ => {}
        }
        for complaint in limits::complaints(value, schema, by, self.patterns) {
            let shown = self.display_value(value);
            self.fault(KeyOrValue::Value, CheckRule::Value, |name| complaint.text(name, &shown));
        }
        if is_custom {
            self.combined(value, schema);
        }
    }

    fn resolved(&self, schema: &'s Schema) -> Option<&'s Schema> {
        match &schema.reference {
            Some(name) => self.schemas.named(name),
            None => Some(schema),
        }
    }

    fn list(&mut self, list: &'v [Value], schema: &'s Schema, by: Dialect) {
        let Some(items) = &schema.items else { return };
        if matches!(by, Dialect::Release | Dialect::Custom) {
            self.repeated(list, schema);
        }
        for (index, item) in list.iter().enumerate() {
            self.path.push(PathPart::Index(index));
            self.value(item, items, by);
            self.path.pop();
        }
    }

    fn repeated(&mut self, list: &[Value], schema: &Schema) {
        for twice in repeated(list, schema) {
            let key = if self.is_secret { String::new() } else { format!(" {}", twice.key) };
            let name = words::name(&self.path);
            self.path.push(PathPart::Index(twice.index));
            self.fault(KeyOrValue::Value, CheckRule::DuplicateKey, |own| {
                format!(
                    "{own} repeats the key{key} of `{}[{}]`",
                    name.trim_matches('`'),
                    twice.first
                )
            });
            self.path.pop();
        }
    }

    fn map(&mut self, map: &'v Map, schema: &'s Schema, by: Dialect) {
        let is_resource = by == Dialect::Custom && (self.path.is_empty() || schema.is_resource);
        for (name, value) in map {
            // Every object has these; the root's are looked at by themselves.
            if is_resource && matches!(name.as_str(), "apiVersion" | "kind" | "metadata") {
                continue;
            }
            let by = match (by, &self.path[..], name.as_str()) {
                (Dialect::Release, [], "status") => Dialect::Status,
                (by, ..) => by,
            };
            self.path.push(PathPart::Key(name));
            match (schema.properties.get(name.as_str()), &schema.additional_properties) {
                (Some(below), _) => self.value(value, below, by),
                (None, Some(Others::Like(below))) => {
                    self.empty_text(value, below, by);
                    self.value(value, below, by);
                }
                (None, Some(Others::Allowed(true))) => {}
                (None, _) if refuses_unknown(schema, by) => self.unknown(name, schema),
                (None, _) => {}
            }
            self.path.pop();
        }
        if by == Dialect::Status {
            return;
        }
        for name in &schema.required {
            if map.get(name).is_none_or(|value| value.is_null() && by != Dialect::Logic) {
                self.missing(name, map, schema);
            }
        }
    }

    /// A label, say, that has no value: it gets one without a word.
    fn empty_text(&mut self, value: &Value, schema: &Schema, by: Dialect) {
        if value.is_null() && by == Dialect::Release && schema.kind == Some(JsonType::String) {
            self.fault(KeyOrValue::Value, CheckRule::Surprise, |name| {
                format!(
                    "{name} is null, which Kubernetes reads as empty text: write \"\" if you mean it"
                )
            });
        }
    }

    /// anyOf and its like, of which the API server knows more than that they do not hold, too.
    fn combined(&mut self, value: &'v Value, schema: &'s Schema) {
        for part in &schema.all_of {
            self.value(value, part, Dialect::Logic);
        }
        let holding = |this: &mut Self, parts: &'s [Schema]| {
            parts.iter().filter(|part| this.holds(value, part)).count()
        };
        if !schema.any_of.is_empty() && holding(self, &schema.any_of) == 0 {
            self.fault(KeyOrValue::Value, CheckRule::Value, |name| {
                format!("{name} must match at least one schema of its anyOf")
            });
        }
        if !schema.one_of.is_empty() {
            let count = holding(self, &schema.one_of);
            if count != 1 {
                self.fault(KeyOrValue::Value, CheckRule::Value, |name| {
                    let matched = if count == 0 { "none" } else { "several" };
                    format!(
                        "{name} must match exactly one schema of its oneOf, and matches {matched}"
                    )
                });
            }
        }
        if schema.not.as_ref().is_some_and(|not| self.holds(value, not)) {
            self.fault(KeyOrValue::Value, CheckRule::Value, |name| {
                format!("{name} must not match the schema of its not")
            });
        }
    }

    fn holds(&mut self, value: &'v Value, schema: &'s Schema) -> bool {
        let (before, looks) = (self.faults.len(), self.looks.len());
        self.value(value, schema, Dialect::Logic);
        let holds = self.faults.len() == before;
        self.faults.truncate(before);
        self.looks.truncate(looks);
        holds
    }

    /// The names that may be meant by another.
    fn guess<'n>(&mut self, name: &str, names: impl Iterator<Item = &'n str>) -> Vec<&'n str> {
        match self.guesses.checked_sub(1) {
            None => Vec::new(),
            Some(left) => {
                self.guesses = left;
                suggest(name, names)
            }
        }
    }

    fn unknown(&mut self, name: &str, schema: &Schema) {
        let near = self.guess(name, schema.properties.keys().map(String::as_str));
        let meant =
            near.first().map(|near| format!(", did you mean `{near}`?")).unwrap_or_default();
        self.fault(KeyOrValue::Key, CheckRule::UnknownField, |_| {
            format!("unknown field `{name}`{meant}")
        });
    }

    fn missing(&mut self, name: &str, map: &Map, schema: &Schema) {
        let strangers =
            map.keys().filter(|key| !schema.properties.contains_key(key.as_str())).map(Key::as_str);
        let misspelt = self.guess(name, strangers);
        if !misspelt.is_empty() && !schema.properties.is_empty() {
            return; // the unknown field that is meant says so already
        }
        let of = if self.path.is_empty() {
            "is missing".to_owned()
        } else {
            format!("is missing in {}", words::name(&self.path))
        };
        self.fault(KeyOrValue::Key, CheckRule::MissingField, |_| format!("`{name}` {of}"));
    }

    /// Notes how to write a value that has the right type, but not the look of it: text is not what
    /// the field takes.
    fn looks_otherwise(&mut self, value: &Value) {
        let written = self.positions.written(&self.path);
        let Some(written) = written.filter(|it| it.is_surprising && !self.is_secret) else {
            return;
        };
        let keeps_digits = words::keeps_digits(&written.text, value);
        let remedy = keeps_digits.then(|| format!("write `{value}`"));
        self.looks.push((self.path.clone(), Look::Right(remedy)));
    }

    fn wrong_type(&mut self, value: &Value, wanted: &str) {
        let read = words::kind_and_value(value, self.is_secret);
        let written = self.positions.written(&self.path);
        if written.is_some_and(|it| it.is_surprising) {
            self.looks.push((self.path.clone(), Look::Wrong));
        }
        let written = written.filter(|_| !self.is_secret);
        let not = match written {
            Some(it) if it.is_surprising => {
                format!("{read}, which Kubernetes reads `{}` as", it.text)
            }
            _ => read,
        };
        let is_known = !self.is_secret && !self.positions.is_empty();
        let quotes = match (value, written) {
            (Value::Number(_) | Value::Bool(_), Some(it)) if wanted.ends_with("text") => {
                format!(": write \"{}\" in quotes", it.text)
            }
            (Value::Number(_) | Value::Bool(_), None) if wanted == "text" && is_known => {
                format!(": write \"{value}\" in quotes")
            }
            (Value::Number(_) | Value::Bool(_), _) if wanted == "text" => {
                ": write it in quotes".into()
            }
            (Value::String(text), _) if words::would_be(text, wanted) => {
                ": leave the quotes out".into()
            }
            _ => String::new(),
        };
        self.fault(KeyOrValue::Value, CheckRule::WrongType, |name| {
            format!("{name} must be {wanted}, not {not}{quotes}")
        });
    }

    fn display_value(&self, value: &Value) -> String {
        words::kind_and_value(value, self.is_secret)
    }

    fn fault(&mut self, at: KeyOrValue, rule: CheckRule, message: impl FnOnce(&str) -> String) {
        let message = message(&words::name(&self.path));
        self.faults.push(SchemaViolation { path: self.path.clone(), at, rule, message });
    }
}

/// Whether a field without a schema is an error; a map without any schema takes all.
fn refuses_unknown(schema: &Schema, by: Dialect) -> bool {
    match by {
        Dialect::Release | Dialect::Status => !schema.properties.is_empty(),
        Dialect::Custom => schema.kind == Some(JsonType::Object) && !schema.keeps_unknown,
        Dialect::Logic => false,
    }
}

/// A custom resource as the API server looks at it: with defaults, and without nulls that mean
/// nothing.
pub(super) fn filled(object: &Object, schema: &Schema) -> Value {
    let mut value = Value::from(object.clone());
    fill(&mut value, schema);
    value
}

fn fill(value: &mut Value, schema: &Schema) {
    match value {
        Value::Object(map) => {
            for (name, below) in &schema.properties {
                let is_null = |value: &Value| value.is_null() && !below.nullable;
                if map.get(name).is_none_or(is_null) {
                    match &below.default {
                        Some(default) => drop(map.insert(name.clone(), default.clone())),
                        None => drop(map.remove(name)),
                    }
                }
                if let Some(value) = map.get_mut(name) {
                    fill(value, below);
                }
            }
            if let Some(Others::Like(below)) = &schema.additional_properties {
                map.retain(|_, value| !value.is_null() || below.nullable);
                map.values_mut().for_each(|value| fill(value, below));
            }
        }
        Value::Array(list) => {
            if let Some(items) = &schema.items {
                list.iter_mut().for_each(|value| fill(value, items));
            }
        }
        _ => {}
    }
}
