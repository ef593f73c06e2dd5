//! ResourceQuotas and LimitRanges.
//!
//! Source of the rules: `ValidateResourceQuotaSpec` and `ValidateLimitRange` in Kubernetes'
//! `pkg/apis/core/validation/validation.go`.

use super::faults::{Faults, list, map, maps, of, text};
use super::{names, quantities};
use crate::core::json::{Map, Value};

/// The resources of a quota that are measured, and have no domain in their name.
const MEASURED: [&str; 10] = [
    "cpu",
    "memory",
    "ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.storage",
    "requests.ephemeral-storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
];

/// Those that are counted.
const COUNTED: [&str; 9] = [
    "pods",
    "resourcequotas",
    "services",
    "replicationcontrollers",
    "secrets",
    "persistentvolumeclaims",
    "configmaps",
    "services.nodeports",
    "services.loadbalancers",
];

/// A ResourceQuota.
pub(super) fn quota<'v>(faults: &mut Faults<'v>, spec: Option<&'v Value>) {
    let Some(spec) = spec.and_then(Value::as_object) else { return };
    if let Some(hard) = map(spec, "hard") {
        for (name, value) in hard {
            let is_counted = COUNTED.contains(&name.as_str());
            let is_known = is_counted
                || MEASURED.contains(&name.as_str())
                || name.starts_with("hugepages-")
                || name.starts_with("requests.hugepages-");
            if names::qualified(name).is_some() || !name.contains('/') && !is_known {
                faults.key(hard, name, "be a resource that can have a quota");
            }
            quantities::not_negative(faults, Some(value));
            if is_counted || quantities::is_extended(name) {
                quantities::whole(faults, value);
            }
        }
    }
    let scopes = list(spec, "scopes");
    for (one, other) in [("BestEffort", "NotBestEffort"), ("Terminating", "NotTerminating")] {
        let has = |name: &str| scopes.iter().find(|scope| **scope == *name);
        if let (Some(_), Some(scope)) = (has(one), has(other)) {
            faults.says(scope, format!("excludes {one}"));
        }
    }
    let selected = map(spec, "scopeSelector");
    for requirement in selected.into_iter().flat_map(|selector| maps(selector, "matchExpressions"))
    {
        let count = list(requirement, "values").len();
        let scope = text(requirement, "scopeName").unwrap_or_default();
        let operator = text(requirement, "operator").unwrap_or("Exists");
        if !matches!(scope, "PriorityClass" | "VolumeAttributesClass") && operator != "Exists" {
            faults.clash(requirement, "operator", format!("must be Exists with scope {scope}"));
            continue;
        }
        match text(requirement, "operator") {
            Some("In" | "NotIn") if count == 0 => {
                faults.missing(requirement, "values", ": operator In or NotIn needs one at least");
            }
            Some("Exists" | "DoesNotExist") if count > 0 => {
                faults.clash(requirement, "values", "must be empty with this operator");
            }
            _ => {}
        }
    }
}

/// A LimitRange.
pub(super) fn limit_range<'v>(faults: &mut Faults<'v>, spec: Option<&'v Value>) {
    let Some(spec) = spec.and_then(Value::as_object) else { return };
    for (index, limit) in maps(spec, "limits").enumerate() {
        let Some(kind) = text(limit, "type") else { continue };
        if let Some(value) = limit.get("type")
            && maps(spec, "limits").take(index).any(|other| other.get("type") == Some(value))
        {
            faults.repeated(value);
        }
        let is_known = matches!(kind, "Pod" | "Container" | "PersistentVolumeClaim");
        if let Some(value) = limit.get("type").filter(|_| !kind.contains('/') && !is_known) {
            faults.must(value, "be one of Container, PersistentVolumeClaim, Pod");
        }
        self::limit(faults, limit, kind);
    }
}

fn limit<'v>(faults: &mut Faults<'v>, limit: &'v Map, kind: &str) {
    let fields = ["min", "max", "default", "defaultRequest", "maxLimitRequestRatio"];
    if kind == "Pod" {
        for field in ["default", "defaultRequest"] {
            if map(limit, field).is_some_and(|map| !map.is_empty()) {
                faults.clash(limit, field, "must not be there with type Pod");
            }
        }
    }
    if matches!(kind, "Pod" | "Container") {
        for bounds in fields.iter().filter_map(|field| map(limit, field)) {
            for name in bounds.keys().filter(|name| !quantities::is_resource(name)) {
                faults.key(bounds, name, "be a resource that a container can ask for");
            }
        }
    }
    let has_storage = ["min", "max"]
        .iter()
        .any(|field| map(limit, field).is_some_and(|it| of(it, "storage").is_some()));
    if kind == "PersistentVolumeClaim" && !has_storage {
        faults.missing(limit, "max", " or `min`, with storage in it");
    }
    for (_, ratio) in map(limit, "maxLimitRequestRatio").into_iter().flatten() {
        if quantities::amount(ratio).is_some_and(|ratio| ratio < quantities::ONE) {
            faults.must(ratio, "be at least 1");
        }
    }
    // Each of these must not be more than those after it.
    for (less, more) in [
        ("min", "max"),
        ("min", "defaultRequest"),
        ("min", "default"),
        ("defaultRequest", "default"),
        ("defaultRequest", "max"),
        ("default", "max"),
    ] {
        let (Some(least), Some(most)) = (map(limit, less), map(limit, more)) else { continue };
        for (name, value) in least {
            let bound = most.get(name.as_str()).and_then(quantities::amount);
            if let (Some(amount), Some(bound)) = (quantities::amount(value), bound)
                && amount > bound
            {
                faults.says(value, format!("of `{less}` must not be more than that of `{more}`"));
            }
        }
    }
}
