//! Schemas of custom resources from files: JSON Schema as kubeconform and datree's CRDs-catalog name
//! and write it, and CustomResourceDefinitions.
//!
//! The files say nothing of a kind's scope, and JSON Schema lets fields pass that it does not name.
//! Anyone may have written them, so their size, depth and references have limits.

use super::{SOURCE, Schema, SchemaSource, Schemas, Version};
use crate::core::json::{self, Map, Value};
use crate::core::object::{GroupKind, Object};

/// More levels than this are not read.
const DEEPEST: usize = 100;

/// More parts than this are not read: references may make a small file a huge schema.
const MOST_PARTS: usize = 200_000;

/// The files that may have a kind's schema, relative to the folder. None for names that no kind has,
/// which could lead out of it.
pub fn candidates(kind: &GroupKind, version: &str) -> Vec<String> {
    if catalogue_path(kind, version).is_none() {
        return Vec::new();
    }
    let GroupKind { group, kind } = kind;
    let first = group.split('.').next().unwrap_or_default();
    let mut names = Vec::new();
    for kind in [kind.to_lowercase(), kind.clone()] {
        for name in [
            format!("{group}/{kind}_{version}.json"),
            format!("{kind}-{group}-{version}.json"),
            format!("{kind}-{first}-{version}.json"),
        ] {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

/// The file of a kind's schema in datree's layout, relative to the folder. `None` for names that no kind
/// has, which could lead out of it.
pub fn catalogue_path(kind: &GroupKind, version: &str) -> Option<String> {
    let is_plain = |name: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
        !name.is_empty() && name.chars().all(plain) && !name.starts_with('.')
    };
    let GroupKind { group, kind } = kind;
    let is_kind = is_plain(group) && is_plain(kind) && is_plain(version);
    is_kind.then(|| format!("{group}/{}_{version}.json", kind.to_lowercase()))
}

impl Schemas {
    /// Whether the kind is known in this version.
    pub fn has(&self, kind: &GroupKind, version: &str) -> bool {
        let versions = self.kinds.get(kind);
        versions.is_some_and(|versions| versions.iter().any(|it| it.version == version))
    }

    /// Whether nothing is known of the kind, in any version.
    pub fn is_unknown(&self, kind: &GroupKind) -> bool {
        !self.kinds.contains_key(kind)
    }

    /// Adds the schema of a kind in one version from JSON Schema.
    ///
    /// # Errors
    ///
    /// When the text is not a schema, or exceeds a limit.
    pub fn add_json(&mut self, kind: &GroupKind, version: &str, text: &[u8]) -> Result<(), String> {
        let root: Value = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        if !root.is_object() {
            return Err("it is not a JSON Schema: its root is not an object".to_owned());
        }
        let mut reader = Reader { root: &root, parts: 0, following: Vec::new() };
        let schema = reader.structural(&root, 0, false)?;
        let schema: Schema = json::from_value(schema).map_err(|error| error.to_string())?;
        let namespaced = match root[SOURCE]["scope"].as_str() {
            Some("Namespaced") => Some(true),
            Some("Cluster") => Some(false),
            _ => None,
        };
        self.custom.push(schema);
        let source = SchemaSource::Custom(Some(self.custom.len() - 1));
        let version = Version { version: version.to_owned(), namespaced, source };
        self.kinds.entry(kind.clone()).or_default().push(version);
        Ok(())
    }

    /// Adds the kinds that a definition defines, unless they are known.
    pub fn define_unknown(&mut self, object: &Object) {
        let spec = &object.0.get("spec").unwrap_or(&Value::Null);
        if let (Some(group), Some(kind)) = (spec["group"].as_str(), spec["names"]["kind"].as_str())
            && !self.kinds.contains_key(&GroupKind::new(group, kind))
        {
            self.define(object);
        }
    }
}

/// The translation of JSON Schema to the structural schemas of definitions.
struct Reader<'a> {
    root: &'a Value,
    parts: usize,
    /// The references that led here.
    following: Vec<&'a str>,
}

impl<'a> Reader<'a> {
    /// A schema. One that only says more of a value (`anyOf`) decides nothing about other fields.
    fn structural(
        &mut self,
        from: &'a Value,
        depth: usize,
        says_more: bool,
    ) -> Result<Value, String> {
        self.parts += 1;
        if depth > DEEPEST {
            return Err(format!("it has more than {DEEPEST} levels"));
        }
        if self.parts > MOST_PARTS {
            return Err(format!("it has more than {MOST_PARTS} parts"));
        }
        let Some(map) = from.as_object() else { return Ok(from.clone()) };
        if let Some(name) = map.get("$ref").and_then(Value::as_str) {
            return self.referred(name, depth, says_more);
        }
        let mut to = Map::new();
        for (key, value) in map {
            let value = match (key.as_str(), value) {
                ("properties", Value::Object(fields)) => {
                    let mut below = Map::new();
                    for (name, field) in fields {
                        below.insert(name.clone(), self.structural(field, depth + 1, false)?);
                    }
                    below.into()
                }
                ("items" | "additionalProperties", Value::Object(_)) => {
                    self.structural(value, depth + 1, false)?
                }
                ("not", Value::Object(_)) => self.structural(value, depth + 1, true)?,
                ("allOf" | "anyOf" | "oneOf", Value::Array(list)) => {
                    let list = list.iter().map(|it| self.structural(it, depth + 1, true));
                    Value::Array(list.collect::<Result<_, _>>()?)
                }
                ("additionalProperties" | "$schema" | "description" | "title", _) => continue,
                _ => value.clone(),
            };
            to.insert(key.clone(), value);
        }
        one_type(&mut to);
        int_or_text(&mut to);
        exclusive(&mut to);
        let is_map = map.contains_key("properties") || to.get("type") == Some(&"object".into());
        let is_open =
            !matches!(map.get("additionalProperties"), Some(Value::Bool(false) | Value::Object(_)));
        if is_map && is_open && !says_more {
            to.insert("x-kubernetes-preserve-unknown-fields".to_owned(), true.into());
        }
        Ok(to.into())
    }

    fn referred(&mut self, name: &'a str, depth: usize, says_more: bool) -> Result<Value, String> {
        if self.following.contains(&name) {
            return Err(format!("its $ref {name:?} leads back to itself"));
        }
        let pointer = name.strip_prefix('#').unwrap_or("-");
        let root = self.root;
        let target = root.pointer(pointer).ok_or_else(|| {
            format!("its $ref {name:?} leads nowhere: only references within the file are followed")
        })?;
        self.following.push(name);
        let schema = self.structural(target, depth + 1, says_more);
        self.following.pop();
        schema
    }
}

/// A list of types with `null` is one type that may be null; any other list says too much for one.
fn one_type(schema: &mut Map) {
    let Some(Value::Array(types)) = schema.get("type") else { return };
    let others: Vec<Value> = types.iter().filter(|kind| **kind != "null").cloned().collect();
    if others.len() < types.len() {
        schema.insert("nullable".to_owned(), true.into());
    }
    match <[Value; 1]>::try_from(others) {
        Ok([kind]) => schema.insert("type".to_owned(), kind),
        Err(_) => schema.remove("type"),
    };
}

/// The converters write an integer or text as a choice of both.
fn int_or_text(schema: &mut Map) {
    let choice = |list: &Value| {
        let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
        let says = |kind: &str| list.iter().any(|it| it["type"] == kind);
        list.len() == 2 && says("string") && says("integer")
    };
    let is_format = schema.get("format") == Some(&"int-or-string".into());
    let chosen = ["oneOf", "anyOf"].into_iter().find(|key| schema.get(key).is_some_and(choice));
    if is_format || chosen.is_some() {
        for key in ["type", "format"].into_iter().chain(chosen) {
            schema.remove(key);
        }
        schema.insert("x-kubernetes-int-or-string".to_owned(), true.into());
    }
}

/// Newer drafts have the number itself where OpenAPI has a switch.
fn exclusive(schema: &mut Map) {
    for (switch, limit) in [("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")] {
        if let Some(number) = schema.get(switch).filter(|value| value.is_number()).cloned() {
            schema.insert(limit.to_owned(), number);
            schema.insert(switch.to_owned(), true.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::json::json;
    use crate::core::kinds::schemas::SchemaLookup;

    fn added(schema: &Value) -> Result<Schemas, String> {
        let mut schemas = Schemas::default();
        let kind = GroupKind::new("example.com", "Thing");
        schemas.add_json(&kind, "v1", schema.to_string().as_bytes()).map(|()| schemas)
    }

    fn error(schema: &Value) -> String {
        added(schema).err().unwrap()
    }

    #[test]
    fn both_layouts_are_looked_for_and_none_leads_out() {
        let kind = GroupKind::new("cert-manager.io", "Issuer");
        let names = candidates(&kind, "v1");
        for name in [
            "cert-manager.io/issuer_v1.json",
            "cert-manager.io/Issuer_v1.json",
            "issuer-cert-manager.io-v1.json",
            "issuer-cert-manager-v1.json",
        ] {
            assert!(names.iter().any(|other| other == name), "{name}: {names:?}");
        }
        for (group, kind, version) in [
            ("../..", "Issuer", "v1"),
            ("a.example", "../x", "v1"),
            ("a.example", "X", "v1/../../y"),
            ("/etc", "X", "v1"),
            ("", "X", "v1"),
        ] {
            let kind = GroupKind::new(group, kind);
            assert_eq!(candidates(&kind, version), Vec::<String>::new());
        }
    }

    #[test]
    fn json_schema_becomes_a_structural_one() {
        let schemas = added(&json!({
            "definitions": { "Size": { "type": "integer" } },
            "type": "object",
            "properties": { "spec": {
                "type": "object", "additionalProperties": false, "properties": {
                    "size": { "$ref": "#/definitions/Size" },
                    "port": { "oneOf": [{ "type": "string" }, { "type": "integer" }] },
                    "note": { "type": ["string", "null"] },
                    "open": { "type": "object" },
                    "least": { "type": "number", "exclusiveMinimum": 3 },
            } } },
        }));
        let schemas = schemas.unwrap();
        let thing = json!({ "apiVersion": "example.com/v1", "kind": "Thing" });
        let thing = Object::from(thing.as_object().cloned().unwrap());
        let SchemaLookup::Custom(schema) = schemas.find(&thing) else { panic!("not found") };
        assert!(schema.keeps_unknown);
        let spec = &schema.properties["spec"];
        assert!(!spec.keeps_unknown);
        assert_eq!(spec.properties["size"].kind, Some(super::super::JsonType::Integer));
        assert!(spec.properties["port"].int_or_string);
        assert!(spec.properties["note"].nullable);
        assert!(spec.properties["open"].keeps_unknown);
        let least = &spec.properties["least"];
        assert!(least.exclusive_minimum && least.minimum == Some(3.0));
        assert_eq!(schemas.is_namespaced(&thing.group_kind()), None);
    }

    #[test]
    fn hostile_schemas_are_errors() {
        let cycle = json!({ "properties": { "a": { "$ref": "#" } } });
        assert_eq!(error(&cycle), "its $ref \"#\" leads back to itself");
        let away = json!({ "$ref": "https://example.com/a.json" });
        assert!(error(&away).contains("leads nowhere"), "{}", error(&away));
        assert_eq!(error(&json!([])), "it is not a JSON Schema: its root is not an object");
        assert!(error(&json!({ "type": "thing" })).contains("unknown variant"));
        let mut deep = json!({ "type": "string" });
        for _ in 0..60 {
            deep = json!({ "items": deep });
        }
        assert!(added(&deep).is_ok());
        for _ in 0..60 {
            deep = json!({ "items": deep });
        }
        assert_eq!(error(&deep), "it has more than 100 levels");
        // Each name stands for ten of the one before.
        let mut names = Map::new();
        names.insert("n0".to_owned(), json!({ "type": "string" }));
        for n in 1..10 {
            let below = json!({ "$ref": format!("#/definitions/n{}", n - 1) });
            names.insert(format!("n{n}"), json!({ "allOf": vec![below; 10] }));
        }
        let wide = json!({ "definitions": names, "$ref": "#/definitions/n9" });
        assert_eq!(error(&wide), "it has more than 200000 parts");
    }
}
