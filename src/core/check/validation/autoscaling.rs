//! HorizontalPodAutoscalers.
//!
//! Source of the rules: Kubernetes' `pkg/apis/autoscaling/validation/validation.go`.

use super::faults::{Faults, integer, map, maps, of, text};
use super::{names, numbers, quantities};
use crate::core::json::{Map, Value};

/// The types of metrics, each with the field that has the rest.
const METRICS: [(&str, &str); 5] = [
    ("Object", "object"),
    ("Pods", "pods"),
    ("Resource", "resource"),
    ("External", "external"),
    ("ContainerResource", "containerResource"),
];

/// A HorizontalPodAutoscaler.
pub(super) fn scaler<'v>(faults: &mut Faults<'v>, spec: Option<&'v Value>) {
    let Some(spec) = spec.and_then(Value::as_object) else { return };
    numbers::positive(faults, spec, "maxReplicas");
    // 0 needs a feature that is off unless it is asked for.
    numbers::not_negative(faults, spec, &["minReplicas"]);
    let least = integer(spec, "minReplicas").unwrap_or(1);
    if let Some(value) = spec.get("maxReplicas")
        && integer(spec, "maxReplicas").is_some_and(|most| most >= 1 && most < least)
    {
        faults.must(value, format!("be at least {least}, as `minReplicas` is"));
    }
    if let Some(target) = map(spec, "scaleTargetRef") {
        for field in ["kind", "name"] {
            match target.get(field) {
                Some(value) if *value == "" => faults.says(value, "must not be empty"),
                value => faults.name(value, names::segment),
            }
        }
        version(faults, target);
    }
    for metric in maps(spec, "metrics") {
        self::metric(faults, metric);
    }
    let may_be_none = |metric: &Map| matches!(text(metric, "type"), Some("Object" | "External"));
    // In v1 an annotation may have metrics.
    let is_whole =
        faults.root().get("apiVersion").is_some_and(|version| *version != "autoscaling/v1");
    if let Some(value) = spec.get("minReplicas").filter(|_| least == 0 && is_whole)
        && !maps(spec, "metrics").any(may_be_none)
    {
        faults.says(value, "must be at least 1 without a metric of type Object or External");
    }
    let behavior = map(spec, "behavior");
    for direction in ["scaleUp", "scaleDown"] {
        if let Some(rules) = behavior.and_then(|behavior| map(behavior, direction)) {
            numbers::within(faults, rules, "stabilizationWindowSeconds", 0, 3600);
            if let Some(value) = of(rules, "selectPolicy")
                && !matches!(value.as_str(), Some("Max" | "Min" | "Disabled") | None)
            {
                faults.must(value, "be one of Disabled, Max, Min");
            }
            for policy in maps(rules, "policies") {
                numbers::positive(faults, policy, "value");
                numbers::within(faults, policy, "periodSeconds", 1, 1800);
            }
        }
    }
}

/// The version of what is scaled, which has the group of everything but a ReplicationController.
fn version<'v>(faults: &mut Faults<'v>, target: &'v Map) {
    let Some(value) = of(target, "apiVersion") else {
        if text(target, "kind") != Some("ReplicationController") {
            faults.missing(target, "apiVersion", ": it says the group");
        }
        return;
    };
    let Some(version) = value.as_str() else { return };
    let group = version.split_once('/').map_or("", |(group, _)| group);
    if version.matches('/').count() > 1 {
        faults.must(value, "be a group and a version, such as apps/v1");
    } else if group.is_empty() && text(target, "kind") != Some("ReplicationController") {
        faults.must(value, "have a group, such as apps/v1");
    }
}

fn metric<'v>(faults: &mut Faults<'v>, metric: &'v Map) {
    let Some(kind) = text(metric, "type") else { return };
    let Some((_, own)) = METRICS.iter().find(|(name, _)| *name == kind) else {
        let value = metric.get("type").unwrap_or(&Value::Null);
        return faults.must(value, "be one of ContainerResource, External, Object, Pods, Resource");
    };
    for (_, field) in METRICS.iter().filter(|(_, field)| field != own) {
        if of(metric, field).is_some() {
            faults.clash(metric, field, format!("excludes type {kind}"));
        }
    }
    let Some(source) = map(metric, own) else {
        return faults.missing(metric, own, ": the type needs it");
    };
    let Some(target) = map(source, "target") else { return };
    if let Some(value) = of(target, "type")
        && !matches!(value.as_str(), Some("Utilization" | "Value" | "AverageValue") | None)
    {
        faults.must(value, "be one of AverageValue, Utilization, Value");
    }
    numbers::positive(faults, target, "averageUtilization");
    for field in ["value", "averageValue"] {
        quantities::positive(faults, target.get(field));
    }
    let has = |field| of(target, field).is_some();
    match kind {
        "Resource" | "ContainerResource" => {
            match (has("averageUtilization"), has("averageValue")) {
                (false, false) => {
                    faults.missing(target, "averageUtilization", ", as is `averageValue`");
                }
                (true, true) => {
                    faults.clash(target, "averageValue", "excludes `averageUtilization`")
                }
                _ => {}
            }
        }
        "Pods" if !has("averageValue") => faults.missing(target, "averageValue", ""),
        "Object" | "External" if !has("averageValue") && !has("value") => {
            faults.missing(target, "averageValue", ", as is `value`");
        }
        "External" if has("averageValue") && has("value") => {
            faults.clash(target, "averageValue", "excludes `value`");
        }
        _ => {}
    }
}
