//! Whether a field has one owner as a whole, or one for each of its parts, as server-side apply
//! sees it (KEP-555, "Merge strategy").

use super::{JsonType, Others, Schema, SchemaLookup, Schemas};
use crate::core::object::Object;

impl Schemas {
    /// Whether the field at a path of `FieldsV1` keys, such as `["f:spec", "f:selector"]`, is owned
    /// as a whole; `None` where the schema does not say.
    pub fn is_atomic(&self, object: &Object, path: &[&str]) -> Option<bool> {
        let mut schema = match self.find(object) {
            SchemaLookup::Release(schema) | SchemaLookup::Custom(schema) => schema,
            SchemaLookup::Unspecified | SchemaLookup::OtherVersions(_) | SchemaLookup::Nowhere => {
                return None;
            }
        };
        for key in path {
            schema = self.below(self.resolve(schema)?, key)?;
        }
        let meant = self.resolve(schema)?;
        let either = |get: fn(&Schema) -> Option<&String>| get(schema).or_else(|| get(meant));
        match meant.kind? {
            JsonType::Object => match either(|schema| schema.map_type.as_ref()) {
                Some(kind) => Some(kind == "atomic"),
                // Of a map without fields of its own the server thinks what it likes.
                None if meant.properties.is_empty() && meant.additional_properties.is_none() => {
                    None
                }
                None => Some(false),
            },
            JsonType::Array => {
                let kind = either(|schema| schema.list_type.as_ref());
                Some(kind.is_none_or(|kind| kind == "atomic"))
            }
            JsonType::String | JsonType::Integer | JsonType::Number | JsonType::Boolean => {
                Some(true)
            }
        }
    }

    /// The schema itself, or the one that it refers to.
    fn resolve<'a>(&'a self, schema: &'a Schema) -> Option<&'a Schema> {
        match &schema.reference {
            Some(name) => self.named(name),
            None => Some(schema),
        }
    }

    /// The schema of one of its parts.
    fn below<'a>(&'a self, schema: &'a Schema, key: &str) -> Option<&'a Schema> {
        let Some(field) = key.strip_prefix("f:") else { return schema.items.as_deref() };
        match (schema.properties.get(field), &schema.additional_properties) {
            (Some(schema), _) => Some(schema),
            (None, Some(Others::Like(schema))) => Some(schema),
            (None, Some(Others::Allowed(_)) | None) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::core::json::json;

    use super::*;

    #[test]
    fn atomic_fields_come_from_the_release_schema() {
        let schemas = Schemas::of("1.36").unwrap();
        let says = |api_version: &str, kind: &str, path: &str| {
            let object = json!({ "apiVersion": api_version, "kind": kind });
            let path: Vec<&str> = path.split(' ').collect();
            schemas.is_atomic(&Object::from(object.as_object().cloned().unwrap()), &path)
        };
        let pod = "f:spec f:template f:spec";
        for (path, atomic) in [
            ("f:spec f:selector".to_owned(), Some(true)),
            ("f:spec f:strategy".to_owned(), Some(false)),
            ("f:metadata f:labels".to_owned(), Some(false)),
            (format!("{pod} f:nodeSelector"), Some(true)),
            (format!("{pod} f:tolerations"), Some(true)),
            (format!("{pod} f:containers"), Some(false)),
            (format!("{pod} f:containers k:{{\"name\":\"a\"}} f:args"), Some(true)),
            (format!("{pod} f:containers k:{{\"name\":\"a\"}} f:resources f:limits"), Some(false)),
            ("f:spec f:nothing".to_owned(), None),
        ] {
            assert_eq!(says("apps/v1", "Deployment", &path), atomic, "{path}");
        }
        assert_eq!(says("v1", "Service", "f:spec f:selector"), Some(true));
        assert_eq!(says("example.com/v1", "Thing", "f:spec"), None);
    }

    #[test]
    fn atomic_fields_of_custom_resources_come_from_their_definition() {
        let mut schemas = Schemas::of("1.36").unwrap();
        let fields = json!({
            "plain": { "type": "array", "items": { "type": "string" } },
            "byKey": { "type": "array", "x-kubernetes-list-type": "map",
                "items": { "type": "object", "properties": { "whole": { "type": "object",
                    "x-kubernetes-map-type": "atomic",
                    "additionalProperties": { "type": "string" } } } } },
        });
        let definition = json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "spec": { "group": "example.com", "names": { "kind": "Thing" }, "versions": [
                { "name": "v1", "served": true, "schema": { "openAPIV3Schema": {
                    "type": "object", "properties": fields } } }] },
        });
        schemas.define(&Object::from(definition.as_object().cloned().unwrap()));
        let thing = json!({ "apiVersion": "example.com/v1", "kind": "Thing" });
        let thing = Object::from(thing.as_object().cloned().unwrap());
        assert_eq!(schemas.is_atomic(&thing, &["f:plain"]), Some(true));
        assert_eq!(schemas.is_atomic(&thing, &["f:byKey"]), Some(false));
        assert_eq!(schemas.is_atomic(&thing, &["f:byKey", "k:{\"a\":1}", "f:whole"]), Some(true));
    }
}
