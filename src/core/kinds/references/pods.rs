//! A pod's needs and its labels: the ConfigMaps, Secrets and ServiceAccounts that a pod template
//! names, and the labels that a Service selects.

use std::collections::HashMap;

use super::{Reference, ReferenceKind};
use crate::core::json::{Map, Value};
use crate::core::manifest::PathPart;
use crate::core::object::{GroupKind, Object, ObjectKey};

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
        let Some(labels) = labels(object) else { return };
        for (name, value) in labels {
            let place = (key.namespace.as_deref(), name.as_str(), value.as_str().unwrap_or(""));
            self.0.entry(place).or_default().push((key, labels));
        }
    }

    /// The objects whose pods have all these labels. Without any label it is none: what selects
    /// everything says nothing of anything.
    pub fn selected<'s>(
        &'s self,
        namespace: Option<&'s str>,
        labels: &'s Map,
    ) -> impl Iterator<Item = &'a ObjectKey> + 's {
        let first = labels.iter().next();
        let found = first.and_then(|(name, value)| {
            self.0.get(&(namespace, name.as_str(), value.as_str().unwrap_or("")))
        });
        let all = |of: &Labels| labels.iter().all(|(name, value)| of.get(name) == Some(value));
        let found = found.into_iter().flatten();
        found.filter(move |(_, of)| all(of)).map(|(key, _)| *key)
    }
}

/// Everything that an object's pods name.
pub(super) fn uses<'v>(key: &ObjectKey, object: &'v Object) -> Vec<Reference<'v>> {
    let spec = match object.kind() {
        "Pod" if object.group().is_empty() => {
            object.0.get("spec").map(|spec| (spec, vec![PathPart::Key("spec")]))
        }
        _ => template(object).and_then(|(template, mut way)| {
            way.push(PathPart::Key("spec"));
            Some((template.get("spec")?, way))
        }),
    };
    let Some((spec, way)) = spec.filter(|(spec, _)| spec["containers"].is_array()) else {
        return Vec::new();
    };
    let mut finder = Finder { namespace: key.namespace.clone(), way, found: Vec::new() };
    finder.containers(spec);
    finder.volumes(spec);
    finder.each(spec, "imagePullSecrets", |finder, secret| {
        finder.resources_named("", "Secret", secret, "name", ReferenceKind::Expected);
    });
    if spec["serviceAccountName"] != "default" {
        finder.resources_named(
            "",
            "ServiceAccount",
            spec,
            "serviceAccountName",
            ReferenceKind::Expected,
        );
    }
    finder.classes(spec);
    finder.found
}

struct Finder<'v> {
    namespace: Option<String>,
    way: Vec<PathPart<'v>>,
    found: Vec<Reference<'v>>,
}

impl<'v> Finder<'v> {
    fn containers(&mut self, spec: &'v Value) {
        for kind in ["initContainers", "containers", "ephemeralContainers"] {
            self.each(spec, kind, |finder, container| {
                finder.each(container, "env", |finder, variable| {
                    finder.below(variable, "valueFrom", |finder, from| {
                        finder.source(from, "configMapKeyRef", "ConfigMap", "name");
                        finder.source(from, "secretKeyRef", "Secret", "name");
                    });
                });
                finder.each(container, "envFrom", |finder, from| {
                    finder.source(from, "configMapRef", "ConfigMap", "name");
                    finder.source(from, "secretRef", "Secret", "name");
                });
            });
        }
    }

    fn volumes(&mut self, spec: &'v Value) {
        self.each(spec, "volumes", |finder, volume| {
            finder.source(volume, "configMap", "ConfigMap", "name");
            finder.source(volume, "secret", "Secret", "secretName");
            finder.below(volume, "persistentVolumeClaim", |finder, claim| {
                finder.resources_named(
                    "",
                    "PersistentVolumeClaim",
                    claim,
                    "claimName",
                    ReferenceKind::Elsewhere,
                );
            });
            finder.below(volume, "projected", |finder, projected| {
                finder.each(projected, "sources", |finder, source| {
                    finder.source(source, "configMap", "ConfigMap", "name");
                    finder.source(source, "secret", "Secret", "name");
                });
            });
        });
    }

    fn each(&mut self, value: &'v Value, list: &'static str, with: impl Fn(&mut Self, &'v Value)) {
        for (index, item) in value[list].as_array().into_iter().flatten().enumerate() {
            self.way.extend([PathPart::Key(list), PathPart::Index(index)]);
            with(self, item);
            self.way.truncate(self.way.len() - 2);
        }
    }

    fn below(&mut self, value: &'v Value, key: &'static str, with: impl Fn(&mut Self, &'v Value)) {
        if let Some(below) = value.get(key) {
            self.way.push(PathPart::Key(key));
            with(self, below);
            self.way.pop();
        }
    }

    /// Classes, which often exist before anything else.
    fn classes(&mut self, spec: &'v Value) {
        self.resources_named(
            "scheduling.k8s.io",
            "PriorityClass",
            spec,
            "priorityClassName",
            ReferenceKind::Elsewhere,
        );
        self.resources_named(
            "node.k8s.io",
            "RuntimeClass",
            spec,
            "runtimeClassName",
            ReferenceKind::Elsewhere,
        );
    }

    /// A ConfigMap or Secret, which may be missing if the object says so.
    fn source(&mut self, from: &'v Value, field: &'static str, kind: &str, name: &'static str) {
        self.below(from, field, |finder, source| {
            let is_optional = source["optional"] == true;
            let bond = if is_optional { ReferenceKind::Optional } else { ReferenceKind::Expected };
            finder.resources_named("", kind, source, name, bond);
        });
    }

    fn resources_named(
        &mut self,
        group: &str,
        kind: &str,
        from: &'v Value,
        field: &'static str,
        bond: ReferenceKind,
    ) {
        let Some(name) = from[field].as_str().filter(|name| !name.is_empty()) else { return };
        if kind == "ConfigMap" && name == "kube-root-ca.crt" {
            return; // every namespace gets it
        }
        let mut path = self.way.clone();
        path.push(PathPart::Key(field));
        self.found.push(Reference {
            kind: GroupKind::new(group, kind),
            namespace: if kind.ends_with("Class") { None } else { self.namespace.clone() },
            name,
            key: from["key"].as_str(),
            path,
            bond,
        });
    }
}
