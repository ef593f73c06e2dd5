//! What an object names: the things that its pods need, an Ingress's Services, a binding's role,
//! what an autoscaler scales.

use serde_json::Value;

use super::{Use, pods};
use crate::manifest::PathPart;
use crate::object::{GroupKind, Object, ObjectKey};

const RBAC: &str = "rbac.authorization.k8s.io";

/// Every name of another object.
pub(super) fn of<'v>(key: &ObjectKey, object: &'v Object) -> Vec<Use<'v>> {
    match (key.group.as_str(), key.kind.as_str()) {
        ("networking.k8s.io", "Ingress") => services(key, object),
        (RBAC, "RoleBinding" | "ClusterRoleBinding") => role(key, object).into_iter().collect(),
        ("autoscaling", "HorizontalPodAutoscaler") => scaled(key, object).into_iter().collect(),
        _ => pods::uses(key, object),
    }
}

fn services<'v>(key: &ObjectKey, object: &'v Object) -> Vec<Use<'v>> {
    let Some(spec) = object.0.get("spec") else { return Vec::new() };
    let mut found = Vec::new();
    let mut service = |backend: &'v Value, mut path: Vec<PathPart<'v>>| {
        if let Some(name) = backend["service"]["name"].as_str() {
            path.extend([PathPart::Key("service"), PathPart::Key("name")]);
            let kind = GroupKind::new("", "Service");
            let namespace = key.namespace.clone();
            found.push(Use { kind, namespace, name, key: None, path });
        }
    };
    let root = PathPart::Key("spec");
    service(&spec["defaultBackend"], vec![root, PathPart::Key("defaultBackend")]);
    for (at, rule) in spec["rules"].as_array().into_iter().flatten().enumerate() {
        for (below, path) in rule["http"]["paths"].as_array().into_iter().flatten().enumerate() {
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
    found
}

fn role<'v>(key: &ObjectKey, object: &'v Object) -> Option<Use<'v>> {
    let role = object.0.get("roleRef")?;
    let (kind, name) = (role["kind"].as_str()?, role["name"].as_str()?);
    let is_everywhere = kind == "ClusterRole"
        && (matches!(name, "admin" | "edit" | "view" | "cluster-admin")
            || name.starts_with("system:"));
    if is_everywhere || !matches!(kind, "Role" | "ClusterRole") {
        return None;
    }
    Some(Use {
        kind: GroupKind::new(RBAC, kind),
        namespace: if kind == "Role" { key.namespace.clone() } else { None },
        name,
        key: None,
        path: vec![PathPart::Key("roleRef"), PathPart::Key("name")],
    })
}

fn scaled<'v>(key: &ObjectKey, object: &'v Object) -> Option<Use<'v>> {
    let target = &object.0.get("spec")?["scaleTargetRef"];
    let group = target["apiVersion"].as_str()?.split_once('/').map_or("", |(group, _)| group);
    Some(Use {
        kind: GroupKind::new(group, target["kind"].as_str()?),
        namespace: key.namespace.clone(),
        name: target["name"].as_str()?,
        key: None,
        path: ["spec", "scaleTargetRef", "name"].map(PathPart::Key).to_vec(),
    })
}
