//! CustomResourceDefinitions.
//!
//! Source of the rules: k8s.io/apiextensions-apiserver
//! `pkg/apis/apiextensions/validation/validation.go`, and `pkg/apiserver/schema/validation.go` of
//! what makes a schema structural.

use super::faults::{Faults, get, list, map, maps, of, text};
use super::{names, schemas};
use crate::core::json::{Map, Value};

/// A CustomResourceDefinition.
pub(super) fn definition(faults: &mut Faults<'_>, name: &str) {
    let root = faults.root();
    let Some(spec) = map(root, "spec") else { return };
    if let Some(value) = spec.get("group")
        && let Some(group) = value.as_str()
        && (names::subdomain(group).is_some() || !group.contains('.'))
    {
        faults.must(value, "be a DNS name of at least two parts");
    }
    if let Some(names) = map(spec, "names") {
        self::names(faults, names);
        let plural = text(names, "plural").unwrap_or_default();
        let wanted = format!("{plural}.{}", text(spec, "group").unwrap_or_default());
        if let Some(value) = get(root.get("metadata"), "name").filter(|_| name != wanted) {
            faults.must(value, format!("be {wanted}: the plural, a dot and the group"));
        }
    }
    schemas::approval(faults, root, text(spec, "group").unwrap_or_default());
    versions(faults, spec);
    if let Some(value) = of(spec, "scope")
        && !matches!(value.as_str(), Some("Cluster" | "Namespaced") | None)
    {
        faults.must(value, "be one of Cluster, Namespaced");
    }
    if text(map(spec, "conversion").unwrap_or(root), "strategy") == Some("Webhook")
        && get(spec.get("conversion"), "webhook").is_none()
        && let Some(conversion) = map(spec, "conversion")
    {
        faults.missing(conversion, "webhook", ": strategy is Webhook");
    }
}

fn names<'v>(faults: &mut Faults<'v>, names: &'v Map) {
    for field in ["plural", "singular"] {
        faults.name_if_any(names, field, self::names::label_1035);
    }
    for field in ["shortNames", "categories"] {
        for value in list(names, field) {
            faults.name(Some(value), self::names::label_1035);
        }
    }
    for field in ["kind", "listKind"] {
        // In small letters it has to be a label.
        if let Some(value) = of(names, field)
            && let Some(text) = value.as_str()
            && let Some(wanted) = self::names::label_1035(&text.to_ascii_lowercase())
        {
            faults.must(value, wanted);
        }
    }
    if let (Some(kind), Some(list)) = (text(names, "kind"), names.get("listKind"))
        && *list == *kind
    {
        faults.says(list, "must not be the same as `kind`");
    }
}

fn versions<'v>(faults: &mut Faults<'v>, spec: &'v Map) {
    let Some(all) = spec.get("versions") else { return };
    for (index, version) in maps(spec, "versions").enumerate() {
        faults.name(version.get("name"), names::label_1035);
        if let Some(value) = version.get("name")
            && maps(spec, "versions").take(index).any(|other| other.get("name") == Some(value))
        {
            faults.repeated(value);
        }
        match get(version.get("schema"), "openAPIV3Schema") {
            None => faults.missing(version, "schema", ": every version needs one"),
            Some(schema) => {
                let is_object = schema.get("type").is_some_and(|kind| *kind == "object");
                if !is_object && let Some(value) = version.get("schema") {
                    faults.says(value, "must be of type object at its root");
                }
                structure(faults, schema);
            }
        }
    }
    let columns = maps(spec, "versions").flat_map(|it| maps(it, "additionalPrinterColumns"));
    for value in columns.filter_map(|column| of(column, "type")) {
        let types = ["boolean", "date", "integer", "number", "string"];
        if value.as_str().is_some_and(|kind| !types.contains(&kind)) {
            faults.must(value, "be one of boolean, date, integer, number, string");
        }
    }
    let is_stored = |version: &&Map| version.get("storage") == Some(&Value::Bool(true));
    let stored = maps(spec, "versions").filter(is_stored).count();
    if stored != 1 && all.is_array() {
        let what = "must have exactly one version with `storage: true`";
        faults.says(all, format!("{what}, and has {stored}"));
    }
}

/// A structural schema, in which each value has a type.
fn structure<'v>(faults: &mut Faults<'v>, schema: &'v Value) {
    let Some(fields) = schema.as_object() else { return };
    schemas::refused(faults, fields);
    let is = |field: &str| fields.get(field) == Some(&Value::Bool(true));
    let is_free = is("x-kubernetes-int-or-string") || is("x-kubernetes-preserve-unknown-fields");
    if text(fields, "type").is_none() && !is_free {
        faults.missing(fields, "type", ": a structural schema has it");
    }
    if let Some(value) = of(fields, "type") {
        let types = ["array", "boolean", "integer", "number", "object", "string"];
        if value.as_str().is_some_and(|kind| !kind.is_empty() && !types.contains(&kind)) {
            faults.must(value, "be one of array, boolean, integer, number, object, string");
        }
    }
    if text(fields, "x-kubernetes-list-type") == Some("map")
        && list(fields, "x-kubernetes-list-map-keys").is_empty()
    {
        faults.missing(fields, "x-kubernetes-list-map-keys", ": the list type is map");
    }
    let properties = map(fields, "properties").filter(|properties| !properties.is_empty());
    for (_, property) in properties.into_iter().flatten() {
        structure(faults, property);
    }
    let additional = fields.get("additionalProperties");
    if let Some(below) = additional.filter(|below| below.is_object()) {
        if properties.is_some() {
            faults.clash(fields, "additionalProperties", "excludes `properties`");
        }
        structure(faults, below);
    }
    match fields.get("items") {
        Some(items) if items.is_object() => structure(faults, items),
        None if text(fields, "type") == Some("array") => {
            faults.missing(fields, "items", ": an array has it");
        }
        _ => {}
    }
}
