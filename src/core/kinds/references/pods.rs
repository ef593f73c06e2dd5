//! Where an object has its pods: their `spec`, and their labels, which a Service selects.

use std::collections::HashMap;

use crate::core::json::{Map, Value};
use crate::core::manifest::PathPart;
use crate::core::object::{Object, ObjectKey};

/// Labels that pods get from a controller or from admission, and that no template has. The names are
/// those of `k8s.io/api`: apps/v1/types.go, batch/v1/types.go and core/v1/well_known_labels.go.
const CONTROLLERS_LABELS: [&str; 12] = [
    "apps.kubernetes.io/pod-index",
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-completion-index",
    "batch.kubernetes.io/job-name",
    "controller-revision-hash",
    "controller-uid",
    "job-name",
    "pod-template-generation",
    "pod-template-hash",
    "statefulset.kubernetes.io/pod-name",
    "topology.kubernetes.io/region",
    "topology.kubernetes.io/zone",
];

/// The labels of a pod template.
type Labels<'a> = &'a Map;

/// The way to the pod template within an object; a custom resource that has one where a Deployment
/// has it counts as well. The empty way is a pod's own.
fn template(object: &Object) -> Option<(&Value, Vec<PathPart<'_>>)> {
    let way: &[&str] = match object.kind() {
        "Pod" if object.group().is_empty() => &[],
        "PodTemplate" if object.group().is_empty() => &["template"],
        "CronJob" => &["spec", "jobTemplate", "spec", "template"],
        _ => &["spec", "template"],
    };
    let (first, below) = way.split_first()?;
    let found = below.iter().try_fold(object.0.get(first)?, |value, key| value.get(key))?;
    Some((found, way.iter().copied().map(PathPart::Key).collect()))
}

/// The labels that an object's pods get; `None` for an object without pods.
fn labels(object: &Object) -> Option<Labels<'_>> {
    if object.kind() == "Pod" && object.group().is_empty() {
        return object.metadata()?.get("labels")?.as_object();
    }
    template(object)?.0.get("metadata")?.get("labels")?.as_object()
}

/// The pod templates of a set, found by each of their labels.
#[derive(Default)]
pub struct Templates<'a>(HashMap<Label<'a>, Vec<(&'a ObjectKey, Labels<'a>)>>);

/// A label's name and value, in a namespace.
type Label<'a> = (Option<&'a str>, &'a str, &'a str);

impl<'a> Templates<'a> {
    /// Takes in the pod template of an object, if it has one.
    pub fn add(&mut self, key: &'a ObjectKey, object: &'a Object) {
        self.add_labels(key, labels(object));
    }

    /// Takes in the labels of the object itself, which a controller may copy to pods that it makes.
    pub fn add_own(&mut self, key: &'a ObjectKey, object: &'a Object) {
        let labels = object.metadata().and_then(|it| it.get("labels")?.as_object());
        self.add_labels(key, labels);
    }

    fn add_labels(&mut self, key: &'a ObjectKey, labels: Option<Labels<'a>>) {
        let Some(labels) = labels else { return };
        for (name, value) in labels {
            let place = (key.namespace.as_deref(), name.as_str(), value.as_str().unwrap_or(""));
            self.0.entry(place).or_default().push((key, labels));
        }
    }

    /// The objects whose pods have all these labels, as far as templates have them. Without any such
    /// label it is none: what selects everything says nothing of anything.
    pub fn selected<'s>(
        &'s self,
        namespace: Option<&'s str>,
        labels: &'s Map,
    ) -> impl Iterator<Item = &'a ObjectKey> + 's {
        let first = of_templates(labels).next();
        let found = first
            .and_then(|(name, value)| self.0.get(&(namespace, name, value.as_str().unwrap_or(""))));
        let all =
            |of: &Labels| of_templates(labels).all(|(name, value)| of.get(name) == Some(value));
        let found = found.into_iter().flatten();
        found.filter(move |(_, of)| all(of)).map(|(key, _)| *key)
    }
}

/// The labels of a selector that templates have, without those that controllers set.
pub fn of_templates(selector: &Map) -> impl Iterator<Item = (&str, &Value)> {
    let labels = selector.iter().map(|(name, value)| (name.as_str(), value));
    labels.filter(|(name, _)| !CONTROLLERS_LABELS.contains(name))
}

/// The `spec` of an object's pods, and the way there.
pub(super) fn spec(object: &Object) -> Option<(&Value, Vec<PathPart<'_>>)> {
    let (spec, way) = match object.kind() {
        "Pod" if object.group().is_empty() => (object.0.get("spec")?, vec![PathPart::Key("spec")]),
        _ => {
            let (template, mut way) = template(object)?;
            way.push(PathPart::Key("spec"));
            (template.get("spec")?, way)
        }
    };
    spec["containers"].is_array().then_some((spec, way))
}
