//! Keywords that a definition's schema may not have, and its defaults.
//!
//! Source of the rules: k8s.io/apiextensions-apiserver
//! `pkg/apis/apiextensions/validation/validation.go` and `pkg/apiserver/schema/defaulting/validation.go`.

use super::faults::{Faults, list, map, of, text};
use crate::core::cel::looks_around;
use crate::core::json::{Map, Value};

/// One level of a schema.
pub(super) fn refused<'v>(faults: &mut Faults<'v>, schema: &'v Map) {
    if of(schema, "$ref").is_some_and(|it| *it != "") {
        faults.clash(schema, "$ref", "is not supported in a CustomResourceDefinition");
    }
    if schema.get("uniqueItems") == Some(&Value::Bool(true)) {
        faults.clash(schema, "uniqueItems", "must not be true; use x-kubernetes-list-type: set");
    }
    patterns(faults, schema);
    if let Some(value) = of(schema, "default") {
        default(faults, schema, value);
    }
}

/// The pattern, and those of the schemas that hold as well.
fn patterns<'v>(faults: &mut Faults<'v>, schema: &'v Map) {
    if let Some(value) = schema.get("pattern")
        && value.as_str().is_some_and(looks_around)
    {
        faults.says(value, "must not look around or back: Go's regular expressions can't");
    }
    let listed = ["allOf", "anyOf", "oneOf"].iter().flat_map(|field| list(schema, field));
    for below in listed.chain(schema.get("not")).filter_map(Value::as_object) {
        patterns(faults, below);
    }
}

/// A default, which has to keep to its schema.
fn default<'v>(faults: &mut Faults<'v>, schema: &'v Map, value: &'v Value) {
    let is = |field: &str| schema.get(field) == Some(&Value::Bool(true));
    if value.is_null() || is("x-kubernetes-int-or-string") {
        return;
    }
    let (fits, what) = match text(schema, "type") {
        Some("string") => (value.is_string(), "text"),
        Some("boolean") => (value.is_boolean(), "true or false"),
        Some("integer") => (value.as_f64().is_some_and(|it| it.fract() == 0.0), "an integer"),
        Some("number") => (value.is_number(), "a number"),
        Some("array") => (value.is_array(), "a list"),
        Some("object") => (value.is_object(), "a map"),
        _ => return,
    };
    if !fits {
        return faults.must(value, format!("be {what}, as its schema says"));
    }
    let allowed = list(schema, "enum");
    if value.is_string() && !allowed.is_empty() && !allowed.contains(value) {
        faults.must(value, "be one of the values of its schema");
    }
    if let (Some(items), Some(elements)) = (map(schema, "items"), value.as_array()) {
        elements.iter().for_each(|element| default(faults, items, element));
    }
    let Some(fields) = value.as_object() else { return };
    let properties = map(schema, "properties");
    for required in list(schema, "required").iter().filter_map(Value::as_str) {
        if !fields.contains_key(required) && !is("x-kubernetes-embedded-resource") {
            faults.says(value, format!("must have `{required}`, which its schema requires"));
        }
    }
    let is_open = schema.contains_key("additionalProperties")
        || is("x-kubernetes-preserve-unknown-fields")
        || is("x-kubernetes-embedded-resource");
    for (name, below) in fields {
        match (properties.and_then(|it| map(it, name)), map(schema, "additionalProperties")) {
            (Some(schema), _) | (None, Some(schema)) => default(faults, schema, below),
            (None, None) if !is_open => {
                faults.clash(fields, name, "is not a field of the default's schema");
            }
            (None, None) => {}
        }
    }
}

/// The approval that a group of the Kubernetes community needs.
pub(super) fn approval<'v>(faults: &mut Faults<'v>, root: &'v Map, group: &str) {
    const NAME: &str = "api-approved.kubernetes.io";
    let is_protected = ["k8s.io", "kubernetes.io"].iter().any(|domain| {
        let rest = group.strip_suffix(domain);
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    });
    let Some(metadata) = map(root, "metadata").filter(|_| is_protected) else { return };
    let annotations = map(metadata, "annotations");
    match annotations.and_then(|annotations| of(annotations, NAME)).filter(|it| **it != "") {
        None => {
            let why = ": a group of kubernetes.io or k8s.io needs it";
            faults.missing(annotations.unwrap_or(metadata), NAME, why);
        }
        Some(value) => {
            let is_sound = |text: &str| text.contains("://") || text.starts_with("unapproved");
            if value.as_str().is_some_and(|text| !is_sound(text)) {
                faults.must(value, "be a URL, or a reason that starts with unapproved");
            }
        }
    }
}
