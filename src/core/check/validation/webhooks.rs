//! Configurations of admission webhooks.
//!
//! Source of the rules: Kubernetes' `pkg/apis/admissionregistration/validation/validation.go`.

use super::faults::{Faults, list, map, maps, of, text};
use super::{names, numbers, selectors};
use crate::core::json::{Map, Value};

/// The kinds of the group.
pub(super) fn registration(faults: &mut Faults<'_>, kind: &str) {
    if matches!(kind, "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration") {
        for hook in maps(faults.root(), "webhooks") {
            self::hook(faults, hook);
        }
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
