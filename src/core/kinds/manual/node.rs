//! A place in a schema, and the schema that says the rest of it.

use super::Manual;
use crate::core::json::Value;

/// References are followed this far.
const FARTHEST: usize = 32;

/// A place in a schema.
#[derive(Clone, Copy)]
pub(super) struct Node<'a> {
    manual: &'a Manual,
    /// The document that its `#/…` references lead into; of a type of the release, the type.
    root: &'a Value,
    /// As it is written here.
    pub(super) here: &'a Value,
    /// The schema that this refers to.
    pub(super) meant: &'a Value,
    /// The last reference that led to it.
    pub(super) reference: Option<&'a str>,
}

impl<'a> Node<'a> {
    pub(super) fn new(manual: &'a Manual, root: &'a Value, here: &'a Value) -> Self {
        let (mut meant, mut root, mut reference) = (here, root, None);
        for _ in 0..FARTHEST {
            if let Some(name) = meant["$ref"].as_str() {
                let target = match name.strip_prefix('#') {
                    Some(pointer) => root.pointer(pointer),
                    None => manual.types.get(name).map(|of| of.read()),
                };
                let Some(target) = target else { break };
                if !name.starts_with('#') {
                    root = target;
                }
                (meant, reference) = (target, Some(name));
            } else if let Some(only) = only(meant) {
                meant = only;
            } else {
                break;
            }
        }
        Self { manual, root, here, meant, reference }
    }

    fn at(self, here: &'a Value) -> Self {
        Self::new(self.manual, self.root, here)
    }

    /// The element of a list or a map; itself where it is neither.
    pub(super) fn element(self) -> Self {
        let mut node = self;
        for _ in 0..FARTHEST {
            let below = ["items", "additionalProperties"].into_iter().map(|key| &node.meant[key]);
            match below.into_iter().find(|it| it.is_object()) {
                Some(below) if node.meant["properties"].is_null() => node = node.at(below),
                _ => break,
            }
        }
        node
    }

    /// The schemas that say which fields it has: what stands here, what it refers to, and what it must
    /// also be. The first that has a field counts.
    fn schemas(self) -> impl Iterator<Item = &'a Value> {
        let also = self.meant["allOf"].as_array().into_iter().flatten();
        let here = (!std::ptr::eq(self.here, self.meant)).then_some(self.here);
        let also = also.map(move |it| self.at(it).meant);
        here.into_iter().chain([self.meant]).chain(also)
    }

    /// Its fields by name.
    pub(super) fn fields(self) -> Vec<(&'a str, Self)> {
        let fields = self.schemas().filter_map(|it| it["properties"].as_object());
        let fields = fields.flat_map(|fields| fields.iter());
        let mut fields: Vec<(&str, Self)> =
            fields.map(|(name, below)| (name.as_str(), self.at(below))).collect();
        fields.sort_by_key(|(name, _)| *name);
        fields.dedup_by_key(|(name, _)| *name);
        fields
    }

    pub(super) fn requires(self, field: &str) -> bool {
        self.schemas()
            .filter_map(|it| it["required"].as_array())
            .any(|names| names.iter().any(|name| *name == field))
    }

    /// A property of it, where it is written or where that leads.
    pub(super) fn get(self, key: &str) -> Option<&'a Value> {
        [self.here, self.meant].into_iter().map(|it| &it[key]).find(|value| !value.is_null())
    }

    pub(super) fn text(self, key: &str) -> Option<&'a str> {
        self.get(key).and_then(Value::as_str)
    }

    /// Its type in a word, as `kubectl explain` has it, but that a custom resource's number or text is
    /// `IntOrString` too.
    pub(super) fn type_word(self) -> String {
        self.word(self.here)
    }

    fn word(self, schema: &'a Value) -> String {
        if schema["items"].is_object() {
            return format!("[]{}", self.word(&schema["items"]));
        }
        if schema["additionalProperties"].is_object() {
            return format!("map[string]{}", self.word(&schema["additionalProperties"]));
        }
        if let Some(name) = schema["$ref"].as_str() {
            // A type such as Time is a plain value, and goes by what is written in a manifest.
            return match self.at(schema).meant["type"].as_str() {
                Some(plain @ ("string" | "integer" | "number" | "boolean")) => plain.to_owned(),
                _ => name.rsplit(['.', '/']).next().unwrap_or(name).to_owned(),
            };
        }
        if let Some(only) = only(schema) {
            return self.word(only);
        }
        if schema["x-kubernetes-int-or-string"] == true || schema["format"] == "int-or-string" {
            return "IntOrString".to_owned();
        }
        let kind = match &schema["type"] {
            Value::Array(kinds) => {
                kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null")
            }
            kind => kind.as_str(),
        };
        match kind {
            Some("object") | None => "Object".to_owned(),
            Some(kind) => kind.to_owned(),
        }
    }
}

/// The one schema that stands for all of this one.
fn only(schema: &Value) -> Option<&Value> {
    match schema["allOf"].as_array().map(Vec::as_slice) {
        Some([only]) if schema["properties"].is_null() => Some(only),
        _ => None,
    }
}
