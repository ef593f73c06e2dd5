//! References of an object to others: the things that its pods need, an Ingress's Services, a
//! binding's role and accounts, an autoscaler's target, the Service behind a webhook.

use super::{Reference, ReferenceKind, pods};
use crate::core::json::Value;
use crate::core::manifest::PathPart;
use crate::core::object::{GroupKind, Object, ObjectKey};

const RBAC: &str = "rbac.authorization.k8s.io";
const ADMISSION: &str = "admissionregistration.k8s.io";
const STORAGE: &str = "storage.k8s.io";

/// Every name of another object.
pub fn of<'v>(key: &ObjectKey, object: &'v Object) -> Vec<Reference<'v>> {
    let root = Root { key, object };
    match (key.group.as_str(), key.kind.as_str()) {
        ("networking.k8s.io", "Ingress") => root.ingress(),
        (RBAC, "RoleBinding" | "ClusterRoleBinding") => root.binding(),
        ("autoscaling", "HorizontalPodAutoscaler") => root.scaled().into_iter().collect(),
        ("apiregistration.k8s.io", "APIService") => {
            root.service(&["spec", "service"]).into_iter().collect()
        }
        (ADMISSION, "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration") => {
            root.webhooks()
        }
        (ADMISSION, "ValidatingAdmissionPolicyBinding") => {
            root.policy("ValidatingAdmissionPolicy").into_iter().collect()
        }
        (ADMISSION, "MutatingAdmissionPolicyBinding") => {
            root.policy("MutatingAdmissionPolicy").into_iter().collect()
        }
        ("", "PersistentVolumeClaim") => root.claim(),
        ("", "ServiceAccount") => root.account(),
        ("apps", "StatefulSet") => {
            let mut found = pods::uses(key, object);
            let service = GroupKind::new("", "Service");
            found.extend(root.elsewhere(service, key.namespace.clone(), &["spec", "serviceName"]));
            found
        }
        _ => pods::uses(key, object),
    }
}

/// The Secret that a well-known controller makes of a custom resource.
pub fn made_by<'a>(key: &'a ObjectKey, object: &'a Object) -> Option<ObjectKey> {
    let spec = object.0.get("spec").unwrap_or(&Value::Null);
    let name = match key.kind.as_str() {
        "SealedSecret" => Some(key.name.as_str()),
        "ExternalSecret" => Some(spec["target"]["name"].as_str().unwrap_or(&key.name)),
        "Certificate" => spec["secretName"].as_str(),
        _ => None,
    };
    name.map(|name| ObjectKey {
        group: String::new(),
        kind: "Secret".to_owned(),
        namespace: key.namespace.clone(),
        name: name.to_owned(),
    })
}

/// An object that is looked into.
#[derive(Clone, Copy)]
struct Root<'k, 'v> {
    key: &'k ObjectKey,
    object: &'v Object,
}

/// The value at a path of keys.
fn at<'v>(object: &'v Object, path: &[&str]) -> Option<&'v Value> {
    let (first, below) = path.split_first()?;
    below.iter().try_fold(object.0.get(first)?, |value, key| value.get(key))
}

fn keys<'v>(path: &[&'static str]) -> Vec<PathPart<'v>> {
    path.iter().copied().map(PathPart::Key).collect()
}

impl<'v> Root<'_, 'v> {
    /// The name at `path`, of an object that is often created by others.
    fn elsewhere(
        self,
        kind: GroupKind,
        namespace: Option<String>,
        path: &[&'static str],
    ) -> Option<Reference<'v>> {
        let name = at(self.object, path)?.as_str().filter(|name| !name.is_empty())?;
        Some(Reference {
            kind,
            namespace,
            name,
            key: None,
            path: keys(path),
            bond: ReferenceKind::Elsewhere,
        })
    }

    fn ingress(self) -> Vec<Reference<'v>> {
        let Some(spec) = self.object.0.get("spec") else { return Vec::new() };
        let namespace = || self.key.namespace.clone();
        let mut found = Vec::new();
        let mut service = |backend: &'v Value, mut path: Vec<PathPart<'v>>| {
            if let Some(name) = backend["service"]["name"].as_str() {
                path.extend([PathPart::Key("service"), PathPart::Key("name")]);
                let kind = GroupKind::new("", "Service");
                let bond = ReferenceKind::Expected;
                found.push(Reference { kind, namespace: namespace(), name, key: None, path, bond });
            }
        };
        let root = PathPart::Key("spec");
        service(&spec["defaultBackend"], vec![root, PathPart::Key("defaultBackend")]);
        for (at, rule) in spec["rules"].as_array().into_iter().flatten().enumerate() {
            for (below, path) in rule["http"]["paths"].as_array().into_iter().flatten().enumerate()
            {
                let way = vec![
                    root,
                    PathPart::Key("rules"),
                    PathPart::Index(at),
                    PathPart::Key("http"),
                    PathPart::Key("paths"),
                    PathPart::Index(below),
                    PathPart::Key("backend"),
                ];
                service(&path["backend"], way);
            }
        }
        let class = GroupKind::new("networking.k8s.io", "IngressClass");
        found.extend(self.elsewhere(class, None, &["spec", "ingressClassName"]));
        for (at, tls) in spec["tls"].as_array().into_iter().flatten().enumerate() {
            if let Some(name) = tls["secretName"].as_str() {
                let mut path = vec![root, PathPart::Key("tls"), PathPart::Index(at)];
                path.push(PathPart::Key("secretName"));
                let (kind, bond) = (GroupKind::new("", "Secret"), ReferenceKind::Optional);
                found.push(Reference { kind, namespace: namespace(), name, key: None, path, bond });
            }
        }
        found
    }

    fn binding(self) -> Vec<Reference<'v>> {
        let mut found: Vec<Reference<'v>> = self.role().into_iter().collect();
        let subjects = self.object.0.get("subjects").and_then(Value::as_array);
        for (at, subject) in subjects.into_iter().flatten().enumerate() {
            let (Some("ServiceAccount"), Some(name)) =
                (subject["kind"].as_str(), subject["name"].as_str())
            else {
                continue;
            };
            let namespace = subject["namespace"].as_str().map(str::to_owned);
            found.push(Reference {
                kind: GroupKind::new("", "ServiceAccount"),
                namespace: namespace.or_else(|| self.key.namespace.clone()),
                name,
                key: None,
                path: vec![PathPart::Key("subjects"), PathPart::Index(at), PathPart::Key("name")],
                bond: ReferenceKind::Elsewhere,
            });
        }
        found
    }

    fn role(self) -> Option<Reference<'v>> {
        let role = self.object.0.get("roleRef")?;
        let (kind, name) = (role["kind"].as_str()?, role["name"].as_str()?);
        let is_everywhere = kind == "ClusterRole"
            && (matches!(name, "admin" | "edit" | "view" | "cluster-admin")
                || name.starts_with("system:"));
        if is_everywhere || !matches!(kind, "Role" | "ClusterRole") {
            return None;
        }
        Some(Reference {
            kind: GroupKind::new(RBAC, kind),
            namespace: if kind == "Role" { self.key.namespace.clone() } else { None },
            name,
            key: None,
            path: keys(&["roleRef", "name"]),
            bond: ReferenceKind::Expected,
        })
    }

    fn scaled(self) -> Option<Reference<'v>> {
        let target = at(self.object, &["spec", "scaleTargetRef"])?;
        let group = target["apiVersion"].as_str()?.split_once('/').map_or("", |(group, _)| group);
        Some(Reference {
            kind: GroupKind::new(group, target["kind"].as_str()?),
            namespace: self.key.namespace.clone(),
            name: target["name"].as_str()?,
            key: None,
            path: keys(&["spec", "scaleTargetRef", "name"]),
            bond: ReferenceKind::Expected,
        })
    }

    /// The Service that is named below `path`, with its namespace beside it.
    fn service(self, path: &[&'static str]) -> Option<Reference<'v>> {
        behind(at(self.object, path)?, keys(path))
    }

    fn webhooks(self) -> Vec<Reference<'v>> {
        let webhooks = self.object.0.get("webhooks").and_then(Value::as_array);
        let webhooks = webhooks.into_iter().flatten().enumerate();
        let found = webhooks.filter_map(|(at, webhook)| {
            let mut path = vec![PathPart::Key("webhooks"), PathPart::Index(at)];
            path.extend([PathPart::Key("clientConfig"), PathPart::Key("service")]);
            behind(webhook.get("clientConfig")?.get("service")?, path)
        });
        found.collect()
    }

    fn policy(self, kind: &str) -> Option<Reference<'v>> {
        self.elsewhere(GroupKind::new(ADMISSION, kind), None, &["spec", "policyName"])
    }

    fn claim(self) -> Vec<Reference<'v>> {
        let class = GroupKind::new(STORAGE, "StorageClass");
        let volume = GroupKind::new("", "PersistentVolume");
        let class = self.elsewhere(class, None, &["spec", "storageClassName"]);
        class.into_iter().chain(self.elsewhere(volume, None, &["spec", "volumeName"])).collect()
    }

    fn account(self) -> Vec<Reference<'v>> {
        let secrets = self.object.0.get("imagePullSecrets").and_then(Value::as_array);
        let secrets = secrets.into_iter().flatten().enumerate();
        let found = secrets.filter_map(|(at, secret)| {
            let path =
                vec![PathPart::Key("imagePullSecrets"), PathPart::Index(at), PathPart::Key("name")];
            Some(Reference {
                kind: GroupKind::new("", "Secret"),
                namespace: self.key.namespace.clone(),
                name: secret["name"].as_str()?,
                key: None,
                path,
                bond: ReferenceKind::Elsewhere,
            })
        });
        found.collect()
    }
}

/// The Service that `reference` names, with its namespace beside it.
fn behind<'v>(reference: &'v Value, mut path: Vec<PathPart<'v>>) -> Option<Reference<'v>> {
    path.push(PathPart::Key("name"));
    Some(Reference {
        kind: GroupKind::new("", "Service"),
        namespace: Some(reference["namespace"].as_str()?.to_owned()),
        name: reference["name"].as_str()?,
        key: None,
        path,
        bond: ReferenceKind::Elsewhere,
    })
}
