//! Which pods a workload has, by the labels that it selects.

use std::collections::BTreeMap;

use crate::core::json::{Map, Value};
use crate::core::object::Object;

/// The pods of a cluster, by their namespaces.
#[derive(Default)]
pub struct PodsByOwner(BTreeMap<String, Vec<Object>>);

impl PodsByOwner {
    /// Takes in pods.
    pub fn new(pods: Vec<Object>) -> Self {
        let mut by_namespace: BTreeMap<String, Vec<Object>> = BTreeMap::new();
        for pod in pods {
            let namespace = pod.namespace().unwrap_or_default().to_owned();
            by_namespace.entry(namespace).or_default().push(pod);
        }
        Self(by_namespace)
    }

    /// The pods of an object: the pod itself, or those that it selects. None of an object that selects no
    /// pods, such as a CronJob, whose Jobs have them.
    pub fn of(&self, object: &Object) -> Vec<&Object> {
        let in_namespace = self.0.get(object.namespace().unwrap_or_default());
        let in_namespace = in_namespace.into_iter().flatten();
        if object.kind() == "Pod" && object.group().is_empty() {
            return in_namespace.filter(|pod| pod.name() == object.name()).collect();
        }
        let Some(selector) = object.0.get("spec").and_then(|it| it.get("selector")) else {
            return Vec::new();
        };
        let selector = match object.kind() == "ReplicationController" {
            true => Selector { labels: selector.as_object(), expressions: None },
            false => {
                let expressions = selector.get("matchExpressions").and_then(Value::as_array);
                Selector {
                    labels: selector.get("matchLabels").and_then(Value::as_object),
                    expressions: expressions.map(Vec::as_slice),
                }
            }
        };
        // A selector of everything says nothing of anything.
        match selector.is_empty() {
            true => Vec::new(),
            false => in_namespace.filter(|pod| selector.selects(pod)).collect(),
        }
    }
}

/// A label selector. Source of the rules: kubernetes/apimachinery `pkg/apis/meta/v1/helpers.go`,
/// `LabelSelectorAsSelector`.
struct Selector<'a> {
    labels: Option<&'a Map>,
    expressions: Option<&'a [Value]>,
}

impl Selector<'_> {
    fn is_empty(&self) -> bool {
        self.labels.is_none_or(Map::is_empty) && self.expressions.is_none_or(<[Value]>::is_empty)
    }

    fn selects(&self, pod: &Object) -> bool {
        let has = |(key, value): (&_, &Value)| {
            let key: &str = AsRef::<str>::as_ref(key);
            pod.label(key) == value.as_str()
        };
        self.labels.is_none_or(|labels| labels.iter().all(has))
            && self.expressions.into_iter().flatten().all(|it| is_met(it, pod))
    }
}

/// Whether a pod meets one expression. One that is not known is not met.
fn is_met(expression: &Value, pod: &Object) -> bool {
    let text = |key: &str| expression.get(key).and_then(Value::as_str);
    let (Some(key), Some(operator)) = (text("key"), text("operator")) else { return false };
    let has = pod.label(key);
    let values = expression.get("values").and_then(Value::as_array);
    let is_among = || values.into_iter().flatten().any(|value| value.as_str() == has);
    match operator {
        "Exists" => has.is_some(),
        "DoesNotExist" => has.is_none(),
        "In" => has.is_some() && is_among(),
        "NotIn" => !(has.is_some() && is_among()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(yaml: &str) -> Object {
        serde_yaml::from_str(yaml).unwrap_or_else(|error| panic!("{error} in\n{yaml}"))
    }

    fn pods() -> PodsByOwner {
        let pod = |name: &str, namespace: &str, labels: &str| {
            object(&format!(
                "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}, namespace: {namespace}, labels: {labels}}}}}"
            ))
        };
        PodsByOwner::new(vec![
            pod("a", "shop", "{app: web, tier: front}"),
            pod("b", "shop", "{app: web}"),
            pod("c", "shop", "{app: db}"),
            pod("d", "other", "{app: web}"),
        ])
    }

    #[test]
    fn pods_are_those_that_a_workload_selects() {
        for (selector, names) in [
            ("{matchLabels: {app: web}}", &["a", "b"][..]),
            ("{matchLabels: {app: web, tier: front}}", &["a"]),
            ("{matchExpressions: [{key: tier, operator: Exists}]}", &["a"]),
            ("{matchExpressions: [{key: tier, operator: DoesNotExist}]}", &["b", "c"]),
            ("{matchExpressions: [{key: app, operator: In, values: [db, x]}]}", &["c"]),
            ("{matchExpressions: [{key: app, operator: NotIn, values: [db]}]}", &["a", "b"]),
            ("{matchExpressions: [{key: app, operator: Other}]}", &[]),
            ("{}", &[]),
        ] {
            let workload = object(&format!(
                "{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: w, namespace: shop}}, spec: {{selector: {selector}}}}}"
            ));
            let pods = pods();
            let found: Vec<&str> = pods.of(&workload).into_iter().map(Object::name).collect();
            assert_eq!(found, names, "{selector}");
        }
        let own =
            object("{apiVersion: v1, kind: Pod, metadata: {name: c, namespace: shop}, spec: {}}");
        assert_eq!(pods().of(&own).len(), 1);
    }
}
