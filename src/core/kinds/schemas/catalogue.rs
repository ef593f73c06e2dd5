//! The schemas of a cluster's definitions as the files of a catalogue, for `trueup schemas pull`.
//!
//! A file says what the definition says, in JSON Schema: there, fields pass that a schema does not
//! name, so each map of the definition that drops them is closed. `x-trueup-source` says where it is from.
//! The cluster may be anyone's, so no name of it leads out of the folder.

use std::collections::BTreeMap;

use super::folder::catalogue_path;
use crate::core::json::{Map, Value, json};
use crate::core::object::{GroupKind, Object};

/// The key with the origin of a file. A file without it was not written by trueup.
pub const SOURCE: &str = "x-trueup-source";

/// The schemas of a cluster.
#[derive(Debug, Default)]
pub struct PulledSchemas {
    /// The files, in the order of their paths.
    pub files: Vec<SchemaFile>,
    /// The versions without a file.
    pub left_out: Vec<LeftOut>,
}

/// The schema of a kind in one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaFile {
    /// Its path in the catalogue, such as `example.com/widget_v1.json`.
    pub path: String,
    /// The name of the CustomResourceDefinition.
    pub definition: String,
    /// Such as `example.com/v1`.
    pub api_version: String,
    /// The kind.
    pub kind: String,
    /// The file's text.
    pub text: String,
}

/// A version that the cluster serves and that has no file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The name of the CustomResourceDefinition.
    pub definition: String,
    /// The version.
    pub version: String,
    /// Why.
    pub why: WhyLeftOut,
}

/// Why a version has no file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WhyLeftOut {
    /// Its definition has no schema.
    NoSchema,
    /// Its name could lead out of the folder.
    Name(String),
    /// Another definition has the same file, as case does not count there.
    SameFile(String),
}

impl WhyLeftOut {
    /// Whether the definition is at fault, and not only silent.
    pub fn is_refusal(&self) -> bool {
        !matches!(self, Self::NoSchema)
    }
}

/// The files for a cluster's definitions; `server` is the version of its API server.
pub fn pulled(definitions: &[Object], server: Option<&str>) -> PulledSchemas {
    let mut definitions: Vec<&Object> = definitions.iter().collect();
    definitions.sort_by_key(|definition| definition.name());
    let mut files: BTreeMap<String, SchemaFile> = BTreeMap::new();
    let mut left_out = Vec::new();
    for definition in definitions {
        let spec = definition.0.get("spec").unwrap_or(&Value::Null);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let kind = GroupKind::new(&text(&spec["group"]), &text(&spec["names"]["kind"]));
        for version in spec["versions"].as_array().into_iter().flatten() {
            if version["served"] != true {
                continue;
            }
            let name = text(&version["name"]);
            let why = match file(definition, &kind, version, server) {
                Err(why) => why,
                Ok(file) => match files.get(&file.path) {
                    Some(other) => WhyLeftOut::SameFile(other.definition.clone()),
                    None => {
                        files.insert(file.path.clone(), file);
                        continue;
                    }
                },
            };
            let definition = definition.name().to_owned();
            left_out.push(LeftOut { definition, version: name, why });
        }
    }
    PulledSchemas { files: files.into_values().collect(), left_out }
}

/// The file of one version.
fn file(
    definition: &Object,
    kind: &GroupKind,
    version: &Value,
    server: Option<&str>,
) -> Result<SchemaFile, WhyLeftOut> {
    let name = version["name"].as_str().unwrap_or_default();
    let path = catalogue_path(kind, name)
        .ok_or_else(|| WhyLeftOut::Name(format!("{}/{name}/{}", kind.group, kind.kind)))?;
    let schema = &version["schema"]["openAPIV3Schema"];
    let spec = definition.0.get("spec").unwrap_or(&Value::Null);
    // A definition of old may keep whatever it does not name.
    let is_open = spec["preserveUnknownFields"] == true;
    let mut schema = published(schema, is_open);
    let Some(root) = schema.as_object_mut().filter(|map| !map.is_empty()) else {
        return Err(WhyLeftOut::NoSchema);
    };
    resource(root);
    let GroupKind { group, kind } = kind;
    let generation = definition.metadata().and_then(|it| it.get("generation")).cloned();
    root.insert("$schema", "http://json-schema.org/draft-07/schema#".into());
    root.insert(
        "x-kubernetes-group-version-kind",
        json!([{ "group": group, "version": name, "kind": kind }]),
    );
    let mut source = Map::new();
    source.insert("definition", definition.name().into());
    source.insert("generation", generation.unwrap_or_default());
    source.insert("scope", spec["scope"].clone());
    source.insert("names", names(&spec["names"]));
    source.insert("server", server.map_or(Value::Null, Into::into));
    root.insert(SOURCE, source.into());
    let text = serde_json::to_string_pretty(&schema).unwrap_or_default() + "\n";
    Ok(SchemaFile {
        path,
        definition: definition.name().to_owned(),
        api_version: format!("{group}/{name}"),
        kind: kind.clone(),
        text,
    })
}

/// The names that people call a kind by, besides the kind.
fn names(from: &Value) -> Value {
    let mut names = Map::new();
    for key in ["plural", "singular"] {
        if from[key].is_string() {
            names.insert(key, from[key].clone());
        }
    }
    let short = from["shortNames"].as_array().into_iter().flatten();
    let short: Vec<Value> = short.filter(|name| name.is_string()).cloned().collect();
    if !short.is_empty() {
        names.insert("shortNames", short.into());
    }
    names.into()
}

/// A schema of a definition as JSON Schema. One that `is_open` lets other fields pass, as one that only
/// says more of a value does.
fn published(from: &Value, is_open: bool) -> Value {
    let Some(map) = from.as_object() else { return from.clone() };
    let mut to = Map::new();
    for (key, value) in map {
        let value = match (key.as_str(), value) {
            ("properties", Value::Object(fields)) => {
                let mut below = Map::new();
                for (name, field) in fields {
                    below.insert(name.clone(), published(field, is_open));
                }
                below.into()
            }
            ("items" | "additionalProperties", Value::Object(_)) => published(value, is_open),
            ("not", Value::Object(_)) => published(value, true),
            ("allOf" | "anyOf" | "oneOf", Value::Array(list)) => {
                Value::Array(list.iter().map(|it| published(it, true)).collect())
            }
            _ => value.clone(),
        };
        to.insert(key.clone(), value);
    }
    nullable(&mut to);
    exclusive(&mut to);
    int_or_text(&mut to);
    let is_map = map.get("type") == Some(&"object".into());
    let keeps = map.get("x-kubernetes-preserve-unknown-fields") == Some(&true.into());
    if is_map && !keeps && !is_open {
        to.entry("additionalProperties").or_insert(false.into());
    }
    if map.get("x-kubernetes-embedded-resource") == Some(&true.into()) {
        resource(&mut to);
    }
    to.into()
}

/// Adds the fields that every object has. Its metadata is the API server's, whatever the definition says
/// of the name.
fn resource(schema: &mut Map) {
    let fields = schema.entry("properties").or_insert(Map::new().into());
    let Some(fields) = fields.as_object_mut() else { return };
    for (name, kind) in [("apiVersion", "string"), ("kind", "string"), ("metadata", "object")] {
        fields.entry(name).or_insert_with(|| json!({ "type": kind }));
    }
    if let Some(metadata) = fields.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("additionalProperties");
    }
}

/// JSON Schema has null as one of a value's types.
fn nullable(schema: &mut Map) {
    if schema.get("nullable") == Some(&true.into())
        && let Some(kind) = schema.get_mut("type").filter(|kind| kind.is_string())
    {
        *kind = Value::Array(vec![kind.take(), "null".into()]);
    }
}

/// JSON Schema has the number itself where a definition has a switch beside the limit.
fn exclusive(schema: &mut Map) {
    for (switch, limit) in [("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")] {
        if let Some(Value::Bool(is_exclusive)) = schema.get(switch) {
            let is_exclusive = *is_exclusive;
            schema.remove(switch);
            if is_exclusive && let Some(number) = schema.remove(limit) {
                schema.insert(switch, number);
            }
        }
    }
}

/// JSON Schema has no word for a number or text.
fn int_or_text(schema: &mut Map) {
    let says_which = |key| schema.contains_key(key);
    if schema.get("x-kubernetes-int-or-string") == Some(&true.into())
        && !["anyOf", "allOf", "oneOf"].into_iter().any(says_which)
    {
        schema.insert("anyOf", json!([{ "type": "integer" }, { "type": "string" }]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::kinds::schemas::{JsonType, Others, SchemaLookup, Schemas};

    fn definition(group: &str, kind: &str, versions: Value) -> Object {
        let definition = json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": { "name": format!("{}s.{group}", kind.to_lowercase()), "generation": 3,
                "annotations": { "token": "canary" } },
            "spec": { "group": group, "scope": "Namespaced",
                "names": { "kind": kind, "plural": "widgets", "shortNames": ["wi"], "other": 1 } },
        });
        let mut definition = Object::from(definition.as_object().cloned().unwrap());
        let spec = definition.fields_mut().get_mut("spec").unwrap();
        spec.as_object_mut().unwrap().insert("versions", versions);
        definition
    }

    fn version(name: &str, schema: Value) -> Value {
        let mut schemas = Map::new();
        schemas.insert("openAPIV3Schema", schema);
        let mut version = Map::new();
        version.insert("name", name.into());
        version.insert("served", true.into());
        version.insert("schema", schemas.into());
        version.into()
    }

    fn widget(schema: Value) -> SchemaFile {
        let versions = Value::Array(vec![version("v1", schema)]);
        let pulled = pulled(&[definition("example.com", "Widget", versions)], Some("v1.36.1"));
        assert_eq!(pulled.left_out, []);
        pulled.files.into_iter().next().unwrap()
    }

    #[test]
    fn a_file_says_where_it_is_from_and_nothing_else_of_the_definition() {
        let file = widget(json!({ "type": "object" }));
        assert_eq!(file.path, "example.com/widget_v1.json");
        let root: Value = serde_json::from_str(&file.text).unwrap();
        assert_eq!(
            root[SOURCE],
            json!({ "definition": "widgets.example.com", "generation": 3, "scope": "Namespaced",
                "names": { "plural": "widgets", "shortNames": ["wi"] }, "server": "v1.36.1" })
        );
        assert!(!file.text.contains("canary") && file.text.ends_with("}\n"));
    }

    #[test]
    fn maps_are_closed_where_the_server_drops_other_fields() {
        let file = widget(json!({ "type": "object", "properties": {
            "metadata": { "type": "object", "properties": { "name": { "type": "string" } } },
            "spec": { "type": "object", "properties": {
                "labels": { "type": "object", "additionalProperties": { "type": "string" } },
                "open": { "type": "object", "x-kubernetes-preserve-unknown-fields": true },
                "none": { "type": "object" },
                "pod": { "type": "object", "x-kubernetes-embedded-resource": true },
            }, "anyOf": [{ "type": "object", "required": ["labels"] }] },
        } }));
        let root: Value = serde_json::from_str(&file.text).unwrap();
        let closed = |pointer: &str| root.pointer(pointer).unwrap()["additionalProperties"].clone();
        assert_eq!(closed(""), false);
        assert_eq!(root["properties"]["kind"], json!({ "type": "string" }));
        assert_eq!(closed("/properties/metadata"), Value::Null);
        assert_eq!(closed("/properties/spec"), false);
        assert_eq!(closed("/properties/spec/properties/labels"), json!({ "type": "string" }));
        assert_eq!(closed("/properties/spec/properties/open"), Value::Null);
        assert_eq!(closed("/properties/spec/properties/none"), false);
        assert_eq!(closed("/properties/spec/properties/pod"), false);
        assert_eq!(closed("/properties/spec/properties/pod/properties/metadata"), Value::Null);
        assert_eq!(closed("/properties/spec/anyOf/0"), Value::Null);
    }

    #[test]
    fn a_file_is_read_as_its_definition_is() {
        let file = widget(json!({ "type": "object", "properties": { "spec": { "type": "object",
            "x-kubernetes-validations": [{ "rule": "self.size < 3" }],
            "properties": {
                "size": { "type": "number", "minimum": 1, "exclusiveMinimum": true },
                "least": { "type": "number", "minimum": 1, "exclusiveMinimum": false },
                "port": { "x-kubernetes-int-or-string": true },
                "note": { "type": "string", "nullable": true },
                "tags": { "type": "object", "additionalProperties": { "type": "string" } },
        } } } }));
        let root: Value = serde_json::from_str(&file.text).unwrap();
        let fields = &root["properties"]["spec"]["properties"];
        assert_eq!(fields["size"], json!({ "type": "number", "exclusiveMinimum": 1 }));
        assert_eq!(fields["least"], json!({ "type": "number", "minimum": 1 }));
        assert_eq!(fields["note"]["type"], json!(["string", "null"]));
        let mut schemas = Schemas::default();
        let kind = GroupKind::new("example.com", "Widget");
        schemas.add_json(&kind, "v1", file.text.as_bytes()).unwrap();
        assert_eq!(schemas.is_namespaced(&kind), Some(true));
        let widget = json!({ "apiVersion": "example.com/v1", "kind": "Widget" });
        let widget = Object::from(widget.as_object().cloned().unwrap());
        let SchemaLookup::Custom(schema) = schemas.find(&widget) else { panic!("not found") };
        let spec = &schema.properties["spec"];
        assert!(!schema.keeps_unknown && !spec.keeps_unknown);
        assert_eq!(spec.validations.len(), 1);
        let size = &spec.properties["size"];
        assert!(size.exclusive_minimum && size.minimum == Some(1.0));
        assert!(!spec.properties["least"].exclusive_minimum);
        assert!(spec.properties["port"].int_or_string);
        let note = &spec.properties["note"];
        assert!(note.nullable && note.kind == Some(JsonType::String));
        assert!(matches!(spec.properties["tags"].additional_properties, Some(Others::Like(_))));
    }

    #[test]
    fn what_has_no_file_is_named() {
        let schema = || json!({ "type": "object" });
        let silent = Value::Array(vec![
            version("v1", schema()),
            version("v2", Value::Null),
            json!({ "name": "v0", "served": false }),
        ]);
        let one = || Value::Array(vec![version("v1", json!({ "type": "object" }))]);
        let pulled = pulled(
            &[
                definition("../../etc", "Thing", one()),
                definition("a.example", "../thing", one()),
                definition("a.example", "Same", one()),
                definition("example.com", "Widget", silent),
            ],
            None,
        );
        let paths: Vec<&str> = pulled.files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["a.example/same_v1.json", "example.com/widget_v1.json"]);
        let name = |name: &str| WhyLeftOut::Name(name.to_owned());
        let why: Vec<&WhyLeftOut> = pulled.left_out.iter().map(|it| &it.why).collect();
        let expected =
            [&name("a.example/v1/../thing"), &name("../../etc/v1/Thing"), &WhyLeftOut::NoSchema];
        assert_eq!(why, expected);
        assert_eq!(pulled.left_out[2].version, "v2");
    }

    #[test]
    fn two_kinds_do_not_share_a_file() {
        let one = || Value::Array(vec![version("v1", json!({ "type": "object" }))]);
        let first = definition("a.example", "Thing", one());
        let mut other = definition("a.example", "THING", one());
        let metadata = other.fields_mut().get_mut("metadata").unwrap();
        metadata.as_object_mut().unwrap().insert("name", "zthings.a.example".into());
        let both = pulled(&[other, first], None);
        assert_eq!(both.files[0].definition, "things.a.example");
        assert_eq!(both.left_out[0].why, WhyLeftOut::SameFile("things.a.example".to_owned()));
        assert!(both.left_out[0].why.is_refusal() && !WhyLeftOut::NoSchema.is_refusal());
    }
}
