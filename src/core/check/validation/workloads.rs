//! Deployments, ReplicaSets, StatefulSets, DaemonSets and ReplicationControllers.
//!
//! Source of the rules: Kubernetes' `pkg/apis/apps/validation/validation.go`, and of
//! ReplicationControllers `pkg/apis/core/validation/validation.go`.

use super::faults::{Faults, get, integer, list, map, maps, of, text};
use super::{claims, metadata, names, numbers, pods, selectors};
use crate::core::json::{Map, Value};

/// The kinds of the group.
pub(super) fn apps(faults: &mut Faults<'_>, kind: &str) {
    let root = faults.root();
    let Some(spec) = map(root, "spec") else { return };
    match kind {
        "Deployment" => deployment(faults, spec),
        "ReplicaSet" => {
            numbers::not_negative(faults, spec, &["replicas", "minReadySeconds"]);
            selectors::controls(faults, spec);
            running(faults, spec);
        }
        "DaemonSet" => daemon_set(faults, spec),
        "StatefulSet" => stateful_set(faults, spec),
        _ => {}
    }
}

/// A template by itself.
pub(super) fn template<'v>(faults: &mut Faults<'v>, template: Option<&'v Value>) {
    pods::template(faults, template);
}

/// The template of what always runs.
fn running<'v>(faults: &mut Faults<'v>, spec: &'v Map) {
    pods::with_claims(faults, spec.get("template"), list(spec, "volumeClaimTemplates"));
    let Some(pod) = map(spec, "template").and_then(|template| map(template, "spec")) else {
        return;
    };
    if text(pod, "restartPolicy").is_some_and(|policy| policy != "Always") {
        faults.must(pod.get("restartPolicy").unwrap_or(&Value::Null), "be Always here");
    }
    if of(pod, "activeDeadlineSeconds").is_some() {
        faults.clash(pod, "activeDeadlineSeconds", "is for Jobs and Pods alone");
    }
}

fn deployment<'v>(faults: &mut Faults<'v>, spec: &'v Map) {
    let fields = ["replicas", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"];
    numbers::not_negative(faults, spec, &fields);
    let ready = integer(spec, "minReadySeconds").unwrap_or(0);
    // Ten minutes are the default.
    let deadline = integer(spec, "progressDeadlineSeconds").unwrap_or(600);
    if deadline <= ready {
        let what = format!("must be less than progressDeadlineSeconds, which is {deadline}");
        let field = if of(spec, "minReadySeconds").is_some() {
            "minReadySeconds"
        } else {
            "progressDeadlineSeconds"
        };
        let what = if field == "minReadySeconds" { what } else { "must be at least 1".to_owned() };
        faults.clash(spec, field, what);
    }
    selectors::controls(faults, spec);
    running(faults, spec);
    let Some(strategy) = map(spec, "strategy") else { return };
    let Some(rolling) = map(strategy, "rollingUpdate") else { return };
    if text(strategy, "type") == Some("Recreate") {
        return faults.clash(strategy, "rollingUpdate", "excludes type Recreate");
    }
    numbers::number_or_percent(faults, rolling, "maxUnavailable", true);
    numbers::number_or_percent(faults, rolling, "maxSurge", false);
    let is_zero = |field| of(rolling, field).is_some_and(numbers::is_zero);
    if is_zero("maxUnavailable") && is_zero("maxSurge") {
        faults.clash(rolling, "maxUnavailable", "must not be 0 where maxSurge is 0");
    }
}

fn daemon_set<'v>(faults: &mut Faults<'v>, spec: &'v Map) {
    numbers::not_negative(faults, spec, &["minReadySeconds", "revisionHistoryLimit"]);
    selectors::controls(faults, spec);
    running(faults, spec);
    let strategy = map(spec, "updateStrategy");
    let Some(strategy) = strategy.filter(|it| text(it, "type") != Some("OnDelete")) else { return };
    let Some(rolling) = map(strategy, "rollingUpdate") else { return };
    numbers::number_or_percent(faults, rolling, "maxUnavailable", true);
    numbers::number_or_percent(faults, rolling, "maxSurge", true);
    let is_zero = |field| of(rolling, field).is_none_or(numbers::is_zero);
    // The default of maxUnavailable is 1, that of maxSurge is 0.
    let unavailable = of(rolling, "maxUnavailable").is_some_and(numbers::is_zero);
    match (unavailable, is_zero("maxSurge")) {
        (true, true) => {
            faults.clash(rolling, "maxUnavailable", "must not be 0 where maxSurge is 0")
        }
        (false, false) => {
            faults.clash(rolling, "maxSurge", "must be 0 unless maxUnavailable is 0");
        }
        _ => {}
    }
}

fn stateful_set<'v>(faults: &mut Faults<'v>, spec: &'v Map) {
    let fields = ["replicas", "minReadySeconds", "revisionHistoryLimit"];
    numbers::not_negative(faults, spec, &fields[..2]);
    if let Some(ordinals) = map(spec, "ordinals") {
        numbers::not_negative(faults, ordinals, &["start"]);
    }
    faults.name_if_any(spec, "serviceName", names::label);
    selectors::controls(faults, spec);
    running(faults, spec);
    let kept = map(spec, "persistentVolumeClaimRetentionPolicy");
    for value in ["whenDeleted", "whenScaled"].iter().filter_map(|field| kept?.get(field)) {
        if !matches!(value.as_str(), Some("Retain" | "Delete" | "") | None) {
            faults.must(value, "be one of Delete, Retain");
        }
    }
    for claim in maps(spec, "volumeClaimTemplates") {
        faults.name(get(claim.get("metadata"), "name"), names::label);
        claims::claim(faults, claim.get("spec"));
    }
    let Some(strategy) = map(spec, "updateStrategy") else { return };
    let Some(rolling) = map(strategy, "rollingUpdate") else { return };
    if text(strategy, "type") == Some("OnDelete") {
        return faults.clash(strategy, "rollingUpdate", "excludes type OnDelete");
    }
    numbers::not_negative(faults, rolling, &["partition"]);
}

/// A ReplicationController, whose selector is its template's labels where it has none.
pub(super) fn replication_controller(faults: &mut Faults<'_>) {
    let root = faults.root();
    let Some(spec) = map(root, "spec") else { return };
    numbers::not_negative(faults, spec, &["replicas", "minReadySeconds"]);
    if of(spec, "template").is_none() {
        return faults.missing(spec, "template", "");
    }
    running(faults, spec);
    let template = map(spec, "template").and_then(|template| map(template, "metadata"));
    let labels = template.and_then(|metadata| map(metadata, "labels"));
    let Some(selector) = map(spec, "selector").filter(|selector| !selector.is_empty()) else {
        if labels.is_none_or(Map::is_empty) {
            faults.missing(spec, "selector", ", and the template has no labels");
        }
        return;
    };
    metadata::labels(faults, spec.get("selector"));
    for (key, wanted) in selector {
        let has = labels.and_then(|labels| labels.get(key.as_str()));
        if has.and_then(Value::as_str) != Some(wanted.as_str().unwrap_or_default()) {
            faults.clash(selector, key, "does not select the template's labels");
        }
    }
}
