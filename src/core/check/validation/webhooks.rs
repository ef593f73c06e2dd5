//! Configurations of admission webhooks.
//!
//! Source of the rules: Kubernetes' `pkg/apis/admissionregistration/validation/validation.go`.

use super::faults::{Faults, list, map, maps, of, text};
use super::{names, numbers, selectors};
use crate::core::json::{Map, Value};

/// How many conditions there may be.
const CONDITIONS: usize = 64;

/// The kinds of the group.
pub(super) fn registration(faults: &mut Faults<'_>, kind: &str) {
    if matches!(kind, "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration") {
        for hook in maps(faults.root(), "webhooks") {
            self::hook(faults, hook);
        }
    }
    let spec = faults.root().get("spec").and_then(Value::as_object);
    match (kind, spec) {
        ("ValidatingAdmissionPolicy", Some(spec)) => policy(faults, spec),
        ("MutatingAdmissionPolicy", Some(spec)) => conditions(faults, spec),
        _ => {}
    }
}

/// A ValidatingAdmissionPolicy. Its expressions are compiled elsewhere.
fn policy<'v>(faults: &mut Faults<'v>, spec: &'v Map) {
    if ["validations", "auditAnnotations"].iter().all(|field| list(spec, field).is_empty()) {
        faults.missing(spec, "validations", ": a policy has them, or `auditAnnotations`");
    }
    match map(spec, "matchConstraints") {
        None => faults.missing(spec, "matchConstraints", ""),
        Some(constraints) => {
            if list(constraints, "resourceRules").is_empty() {
                faults.missing(constraints, "resourceRules", ": one at least is needed");
            }
            for rule in ["resourceRules", "excludeResourceRules"]
                .iter()
                .flat_map(|field| maps(constraints, field))
            {
                self::rule(faults, rule);
            }
        }
    }
    if let Some(kind) = map(spec, "paramKind") {
        for field in ["apiVersion", "kind"] {
            if text(kind, field).is_none() {
                faults.missing(kind, field, "");
            }
        }
    }
    conditions(faults, spec);
    for validation in maps(spec, "validations") {
        let is_blank = |text: &str| !text.is_empty() && text.trim().is_empty();
        for field in ["message", "messageExpression"] {
            if let Some(value) = validation.get(field)
                && value.as_str().is_some_and(is_blank)
            {
                faults.says(value, "must not be blank");
            }
        }
        if let Some(value) = validation.get("message")
            && value.as_str().is_some_and(|text| text.trim().contains(['\n', '\r']))
        {
            faults.says(value, "must be one line");
        }
        expression(faults, validation, "expression");
    }
    for variable in maps(spec, "variables") {
        expression(faults, variable, "expression");
    }
    let keys = maps(spec, "auditAnnotations");
    for (index, annotation) in keys.clone().enumerate() {
        expression(faults, annotation, "valueExpression");
        let Some(value) = annotation.get("key") else { continue };
        faults.name(Some(value), names::qualified);
        if keys.clone().take(index).any(|other| other.get("key") == Some(value)) {
            faults.repeated(value);
        }
    }
}

/// An expression that has to be there.
fn expression<'v>(faults: &mut Faults<'v>, around: &'v Map, field: &'static str) {
    if let Some(value) = around.get(field)
        && value.as_str().is_some_and(|text| text.trim().is_empty())
    {
        faults.says(value, "must not be empty");
    }
}

/// The conditions of a webhook or a policy. They have names of their own.
fn conditions<'v>(faults: &mut Faults<'v>, around: &'v Map) {
    for (index, condition) in maps(around, "matchConditions").enumerate() {
        expression(faults, condition, "expression");
        let Some(value) = condition.get("name") else { continue };
        faults.name(Some(value), names::qualified);
        let mut before = maps(around, "matchConditions").take(index);
        if *value != "" && before.any(|other| other.get("name") == Some(value)) {
            faults.repeated(value);
        }
    }
    if let Some(all) = around.get("matchConditions")
        && list(around, "matchConditions").len() > CONDITIONS
    {
        faults.says(all, format!("must have at most {CONDITIONS} elements"));
    }
}

fn hook<'v>(faults: &mut Faults<'v>, hook: &'v Map) {
    if let Some(value) = hook.get("name")
        && let Some(name) = value.as_str()
        && (names::subdomain(name).is_some() || name.split('.').count() < 3)
    {
        faults.must(value, "be a DNS name of at least three parts, such as pods.example.com");
    }
    if let Some(value) = hook.get("sideEffects")
        && value.as_str().is_some_and(|it| matches!(it, "Some" | "Unknown"))
    {
        faults.must(value, "be None or NoneOnDryRun");
    }
    numbers::within(faults, hook, "timeoutSeconds", 1, 30);
    selectors::selector(faults, hook.get("namespaceSelector"));
    selectors::selector(faults, hook.get("objectSelector"));
    if let Some(value) = hook.get("clientConfig")
        && let Some(client) = value.as_object()
    {
        self::client(faults, client, value);
    }
    if let Some(value) = hook.get("admissionReviewVersions") {
        let versions = list(hook, "admissionReviewVersions");
        let is_known = |version: &Value| *version == "v1" || *version == "v1beta1";
        if value.is_array() && !versions.iter().any(is_known) {
            faults.says(value, "must have v1 or v1beta1 in it");
        }
    }
    for rule in maps(hook, "rules") {
        self::rule(faults, rule);
    }
    conditions(faults, hook);
}

fn client<'v>(faults: &mut Faults<'v>, client: &'v Map, around: &'v Value) {
    faults.one_of(client, around, &["url", "service"]);
    if let Some(url) = client.get("url").filter(|_| of(client, "service").is_none())
        && url.as_str().is_some_and(|url| !url.starts_with("https://"))
    {
        faults.must(url, "start with https://");
    }
    if let Some(service) = map(client, "service") {
        numbers::port(faults, service, "port");
        if let Some(path) = service.get("path")
            && text(service, "path").is_some_and(|path| !path.starts_with('/'))
        {
            faults.must(path, "start with '/'");
        }
    }
}

fn rule<'v>(faults: &mut Faults<'v>, rule: &'v Map) {
    for field in ["operations", "apiGroups", "apiVersions", "resources"] {
        let values = list(rule, field);
        if values.is_empty() {
            faults.missing(rule, field, "");
        }
        // All resources may stand beside all subresources.
        let every = values.iter().find(|value| **value == "*/*");
        if let Some(every) = every.filter(|_| field == "resources" && values.len() > 1) {
            faults.says(every, "excludes all others");
        }
        let all = values.iter().find(|value| **value == "*");
        if let Some(all) = all.filter(|_| field != "resources" && values.len() > 1) {
            faults.says(all, "excludes all others");
        }
    }
}
