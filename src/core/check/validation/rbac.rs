//! Roles and their bindings.
//!
//! Source of the rules: Kubernetes' `pkg/apis/rbac/validation/validation.go`.

use super::faults::{Faults, list, map, maps, of, text};
use super::{names, selectors};
use crate::core::json::Map;

const GROUP: &str = "rbac.authorization.k8s.io";

/// The kinds of the group.
pub(super) fn rbac(faults: &mut Faults<'_>, kind: &str) {
    let root = faults.root();
    match kind {
        "Role" | "ClusterRole" => {
            for rule in maps(root, "rules") {
                self::rule(faults, rule, kind == "Role");
            }
            if let Some(aggregation) = map(root, "aggregationRule").filter(|_| kind != "Role") {
                let chosen = list(aggregation, "clusterRoleSelectors");
                if chosen.is_empty() {
                    faults.missing(aggregation, "clusterRoleSelectors", "");
                }
                for selector in chosen {
                    selectors::selector(faults, Some(selector));
                }
            }
        }
        "RoleBinding" | "ClusterRoleBinding" => {
            if let Some(role) = map(root, "roleRef") {
                self::role(faults, role, kind == "RoleBinding");
            }
            for subject in maps(root, "subjects") {
                self::subject(faults, subject, kind == "RoleBinding");
            }
        }
        _ => {}
    }
}

fn rule<'v>(faults: &mut Faults<'v>, rule: &'v Map, is_namespaced: bool) {
    if let Some(value) =
        rule.get("verbs").filter(|value| value.as_array().is_some_and(Vec::is_empty))
    {
        faults.says(value, "must have at least one element");
    }
    let has = |field: &str| !list(rule, field).is_empty();
    if has("nonResourceURLs") {
        if is_namespaced {
            faults.clash(rule, "nonResourceURLs", "is for ClusterRoles alone");
        }
        let others = ["apiGroups", "resources", "resourceNames"];
        if let Some(other) = others.iter().find(|field| has(field)) {
            faults.clash(rule, other, "excludes `nonResourceURLs`");
        }
        return;
    }
    for (field, why) in [
        ("apiGroups", ": write \"\" for the core group, which has no name"),
        ("resources", ": a rule is about resources or nonResourceURLs"),
    ] {
        if !has(field) {
            faults.missing(rule, field, why);
        }
    }
}

fn role<'v>(faults: &mut Faults<'v>, role: &'v Map, is_namespaced: bool) {
    // An apiGroup that is not there is filled in.
    if let Some(value) =
        role.get("apiGroup").filter(|it| **it != *GROUP && **it != *"" && !it.is_null())
    {
        faults.must(value, format!("be {GROUP}"));
    }
    if let Some(value) = of(role, "kind") {
        match value.as_str() {
            Some("ClusterRole") => {}
            Some("Role") if is_namespaced => {}
            _ if is_namespaced => faults.must(value, "be Role or ClusterRole"),
            _ => faults.must(value, "be ClusterRole"),
        }
    }
    match role.get("name") {
        Some(value) if *value == "" => faults.says(value, "must not be empty"),
        name => faults.name(name, names::segment),
    }
}

fn subject<'v>(faults: &mut Faults<'v>, subject: &'v Map, is_namespaced: bool) {
    let Some(value) = of(subject, "kind") else { return };
    if let Some(name) = subject.get("name").filter(|name| **name == *"") {
        faults.says(name, "must not be empty");
    }
    let group = text(subject, "apiGroup");
    match value.as_str() {
        Some("ServiceAccount") => {
            faults.name_if_any(subject, "name", names::subdomain);
            if let Some(value) = subject.get("apiGroup").filter(|_| group.is_some()) {
                faults.must(value, "be empty for a ServiceAccount");
            }
            if !is_namespaced && text(subject, "namespace").is_none() {
                faults.missing(subject, "namespace", ": a ServiceAccount lives in one");
            }
        }
        // An apiGroup that is not there is filled in.
        Some("User" | "Group") => {
            if let Some(value) = subject.get("apiGroup")
                && group.is_some_and(|group| group != GROUP)
            {
                faults.must(value, format!("be {GROUP}"));
            }
        }
        Some(_) => faults.must(value, "be ServiceAccount, User or Group"),
        None => {}
    }
}
