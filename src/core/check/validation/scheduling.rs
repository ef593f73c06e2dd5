//! Where a Pod may run: tolerations, affinities and spreading.
//!
//! Source of the rules: `ValidateTolerations`, `validateAffinity` and
//! `validateTopologySpreadConstraints` in Kubernetes' `pkg/apis/core/validation/validation.go`.

use super::faults::{Faults, list, map, maps, of, text};
use super::{names, numbers, selectors};
use crate::core::json::Map;

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

/// The wishes of a Pod.
pub(super) fn pod<'v>(faults: &mut Faults<'v>, spec: &'v Map) {
    for toleration in maps(spec, "tolerations") {
        self::toleration(faults, toleration);
    }
    for constraint in maps(spec, "topologySpreadConstraints") {
        spread(faults, constraint);
    }
    let Some(affinity) = map(spec, "affinity") else { return };
    if let Some(node) = map(affinity, "nodeAffinity") {
        node_affinity(faults, node);
    }
    for field in ["podAffinity", "podAntiAffinity"] {
        let Some(pods) = map(affinity, field) else { continue };
        for term in maps(pods, REQUIRED) {
            pod_term(faults, term);
        }
        for weighted in maps(pods, PREFERRED) {
            numbers::within(faults, weighted, "weight", 1, 100);
            if let Some(term) = map(weighted, "podAffinityTerm") {
                pod_term(faults, term);
            }
        }
    }
}

/// A toleration of a Pod or of a RuntimeClass.
pub(super) fn toleration<'v>(faults: &mut Faults<'v>, toleration: &'v Map) {
    faults.name_if_any(toleration, "key", names::qualified);
    let operator = text(toleration, "operator").unwrap_or("Equal");
    if text(toleration, "key").is_none() && operator != "Exists" {
        faults.missing(toleration, "key", ": only operator Exists goes without one");
    }
    if of(toleration, "tolerationSeconds").is_some()
        && text(toleration, "effect") != Some("NoExecute")
    {
        faults.clash(toleration, "tolerationSeconds", "needs effect NoExecute");
    }
    match operator {
        "Equal" => faults.name(toleration.get("value"), names::label_value),
        "Exists" if text(toleration, "value").is_some() => {
            faults.clash(toleration, "value", "must not be there with operator Exists");
        }
        _ => {}
    }
}

fn spread<'v>(faults: &mut Faults<'v>, constraint: &'v Map) {
    numbers::positive(faults, constraint, "maxSkew");
    numbers::positive(faults, constraint, "minDomains");
    if let Some(value) = constraint.get("topologyKey").filter(|key| *key == "") {
        faults.says(value, "must not be empty");
    }
    if of(constraint, "minDomains").is_some()
        && text(constraint, "whenUnsatisfiable") == Some("ScheduleAnyway")
    {
        faults.clash(constraint, "minDomains", "needs whenUnsatisfiable DoNotSchedule");
    }
    selectors::selector(faults, constraint.get("labelSelector"));
    label_keys(faults, constraint);
}

/// Keys of labels whose values come from the Pod, which need a selector.
fn label_keys<'v>(faults: &mut Faults<'v>, term: &'v Map) {
    for field in ["matchLabelKeys", "mismatchLabelKeys"] {
        let keys = list(term, field);
        for key in keys {
            faults.name(Some(key), names::qualified);
        }
        if !keys.is_empty() && of(term, "labelSelector").is_none() {
            faults.missing(term, "labelSelector", ": keys of labels need it");
        }
    }
}

fn node_affinity<'v>(faults: &mut Faults<'v>, node: &'v Map) {
    if let Some(required) = map(node, REQUIRED) {
        terms(faults, required);
    }
    for weighted in maps(node, PREFERRED) {
        numbers::within(faults, weighted, "weight", 1, 100);
        for requirement in map(weighted, "preference").into_iter().flat_map(expressions) {
            selectors::node_requirement(faults, requirement, false);
        }
    }
}

/// The terms of a selector of nodes, which must have one.
pub(super) fn terms<'v>(faults: &mut Faults<'v>, required: &'v Map) {
    if let Some(value) = required.get("nodeSelectorTerms")
        && value.as_array().is_some_and(Vec::is_empty)
    {
        faults.says(value, "must have at least one element");
    }
    for term in maps(required, "nodeSelectorTerms") {
        for requirement in expressions(term) {
            selectors::node_requirement(faults, requirement, true);
        }
        for field in maps(term, "matchFields") {
            if let Some(value) = of(field, "key").filter(|key| **key != *"metadata.name") {
                faults.must(value, "be metadata.name");
            }
        }
    }
}

fn expressions(term: &Map) -> impl Iterator<Item = &Map> {
    maps(term, "matchExpressions")
}

fn pod_term<'v>(faults: &mut Faults<'v>, term: &'v Map) {
    selectors::selector(faults, term.get("labelSelector"));
    selectors::selector(faults, term.get("namespaceSelector"));
    label_keys(faults, term);
    for namespace in list(term, "namespaces") {
        faults.name(Some(namespace), names::label);
    }
    faults.name(term.get("topologyKey"), names::qualified);
}
