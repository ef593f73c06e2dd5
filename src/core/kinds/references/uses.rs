//! An object → the names of others in it, by the [`table`](super::table).

use super::table::{
    CLAIMS, CONTAINERS, OF_CLAIMS, OF_CONTAINERS, OF_KINDS, OF_PODS, OF_VOLUMES, POD_CLAIMS, Row,
    To, VOLUMES, Way,
};
use super::{Reference, ReferenceKind, pods};
use crate::core::json::Value;
use crate::core::manifest::PathPart;
use crate::core::object::{GroupKind, Object, ObjectKey};

const RBAC: &str = "rbac.authorization.k8s.io";

/// Every name of another object.
pub fn of<'v>(key: &ObjectKey, object: &'v Object) -> Vec<Reference<'v>> {
    let mut finder = Finder { key, found: Vec::new() };
    let is_this = |group: &str, kind: &str| key.group == group && key.kind == kind;
    for (_, _, rows) in OF_KINDS.iter().filter(|(group, kind, _)| is_this(group, kind)) {
        for row in *rows {
            finder.read_root(object, row);
        }
    }
    for (_, _, way) in CLAIMS.iter().filter(|(group, kind, _)| is_this(group, kind)) {
        let Some((first, below)) = way.split_first() else { continue };
        let Some(value) = object.0.get(first) else { continue };
        finder.below(value, &mut vec![PathPart::Key(first)], below, OF_CLAIMS);
    }
    if let Some((spec, mut way)) = pods::spec(object) {
        for containers in CONTAINERS {
            finder.below(spec, &mut way, containers, OF_CONTAINERS);
        }
        finder.below(spec, &mut way, VOLUMES, OF_VOLUMES);
        finder.below(spec, &mut way, POD_CLAIMS, OF_CLAIMS);
        finder.below(spec, &mut way, &[], OF_PODS);
    }
    finder.found
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
    name.map(|name| secret(key, name))
}

/// The Secrets that a certificate manager makes because an Ingress asks for them by an annotation.
pub fn issued(key: &ObjectKey, object: &Object) -> Vec<ObjectKey> {
    const ISSUERS: [&str; 3] =
        ["cert-manager.io/", "kubernetes.io/tls-acme", "cert.gardener.cloud/"];
    if (key.group.as_str(), key.kind.as_str()) != ("networking.k8s.io", "Ingress") {
        return Vec::new();
    }
    let annotations = object.metadata().and_then(|metadata| metadata.get("annotations"));
    let annotations = annotations.and_then(Value::as_object);
    let asks = |name: &str| ISSUERS.iter().any(|issuer| name.starts_with(issuer));
    if !annotations.is_some_and(|map| map.keys().any(|name| asks(name))) {
        return Vec::new();
    }
    let tls = object.0.get("spec").and_then(|spec| spec.get("tls")).and_then(Value::as_array);
    let names = tls.into_iter().flatten().filter_map(|tls| tls["secretName"].as_str());
    names.map(|name| secret(key, name)).collect()
}

/// Whether a controller makes a claim of this name, beside an object, of a template in it: a
/// StatefulSet for each of its pods, a pod for each of its ephemeral volumes, and CDI for a
/// `DataVolume`.
pub fn makes_claim(key: &ObjectKey, object: &Object, name: &str) -> bool {
    let spec = object.0.get("spec").unwrap_or(&Value::Null);
    let list = |field: &str| spec[field].as_array().map_or(&[][..], Vec::as_slice);
    match (key.group.as_str(), key.kind.as_str()) {
        ("apps", "StatefulSet") => list("volumeClaimTemplates").iter().any(|template| {
            let template = template["metadata"]["name"].as_str().unwrap_or_default();
            let rest = name.strip_prefix(template).and_then(|rest| rest.strip_prefix('-'));
            let rest =
                rest.and_then(|rest| rest.strip_prefix(key.name.as_str())?.strip_prefix('-'));
            rest.is_some_and(|pod| !pod.is_empty() && pod.bytes().all(|b| b.is_ascii_digit()))
        }),
        ("", "Pod") => list("volumes").iter().any(|volume| {
            let own = volume["name"].as_str().unwrap_or_default();
            !volume["ephemeral"].is_null() && name == format!("{}-{own}", key.name)
        }),
        ("cdi.kubevirt.io", "DataVolume") => key.name == name,
        _ => false,
    }
}

/// The Secret of a name beside an object.
fn secret(beside: &ObjectKey, name: &str) -> ObjectKey {
    ObjectKey {
        group: String::new(),
        kind: "Secret".to_owned(),
        namespace: beside.namespace.clone(),
        name: name.to_owned(),
    }
}

struct Finder<'k, 'v> {
    key: &'k ObjectKey,
    found: Vec<Reference<'v>>,
}

impl<'v> Finder<'_, 'v> {
    fn read_root(&mut self, object: &'v Object, row: &'static Row) {
        let Some((first, below)) = row.way.split_first() else { return };
        if let Some(value) = object.0.get(first) {
            self.row(value, &mut vec![PathPart::Key(first)], below, row);
        }
    }

    /// Looks for the names of `rows` in every value that a way leads to.
    fn below(
        &mut self,
        value: &'v Value,
        path: &mut Vec<PathPart<'v>>,
        way: Way,
        rows: &'static [Row],
    ) {
        match way.split_first() {
            None => rows.iter().for_each(|row| self.row(value, path, row.way, row)),
            Some((key, rest)) => step(value, key, path, &mut |below, path| {
                self.below(below, path, rest, rows);
            }),
        }
    }

    /// Looks for the name of a row, the rest of whose way is `way`.
    fn row(&mut self, value: &'v Value, path: &mut Vec<PathPart<'v>>, way: Way, row: &'static Row) {
        match way {
            [] => {}
            [field] => self.name(value, path, field, row),
            [key, rest @ ..] => step(value, key, path, &mut |below, path| {
                self.row(below, path, rest, row);
            }),
        }
    }

    fn name(
        &mut self,
        beside: &'v Value,
        path: &[PathPart<'v>],
        field: &'static str,
        row: &'static Row,
    ) {
        let Some(name) = beside.get(field).and_then(Value::as_str) else { return };
        // The old name of the field counts where the new one has none.
        let is_old = field == "serviceAccount"
            && beside["serviceAccountName"].as_str().is_some_and(|name| !name.is_empty());
        if name.is_empty() || is_old {
            return;
        }
        let Some((kind, namespace)) = self.target(beside, row.to) else { return };
        if is_everywhere(&kind, name, row.bond) {
            return;
        }
        let bond = match row.bond {
            _ if beside["optional"] == true => ReferenceKind::Optional,
            ReferenceKind::Later if self.is_generated(name) => ReferenceKind::Apart,
            bond => bond,
        };
        let path = path.iter().copied().chain([PathPart::Key(field)]).collect();
        let key = beside["key"].as_str();
        self.found.push(Reference { kind, namespace, name, key, path, bond });
    }

    /// The kind that is named, and the namespace; `None` for what is no object, or not said.
    fn target(&self, beside: &Value, to: To) -> Option<(GroupKind, Option<String>)> {
        let own = || self.key.namespace.clone();
        let text = |field: &str| beside[field].as_str().filter(|text| !text.is_empty());
        let said = |field: &str| text(field).map(str::to_owned);
        Some(match to {
            To::Beside(group, kind) => (GroupKind::new(group, kind), own()),
            To::Cluster(group, kind) => (GroupKind::new(group, kind), None),
            To::In(group, kind, field) => (GroupKind::new(group, kind), Some(said(field)?)),
            To::Told("apiVersion") => {
                let version = text("apiVersion")?;
                let group = version.split_once('/').map_or("", |(group, _)| group);
                (GroupKind::new(group, text("kind")?), own())
            }
            To::Told(field) => {
                let group = text(field).unwrap_or_default();
                (GroupKind::new(group, text("kind")?), said("namespace").or_else(own))
            }
            To::Role => match text("kind")? {
                "Role" => (GroupKind::new(RBAC, "Role"), own()),
                "ClusterRole" => (GroupKind::new(RBAC, "ClusterRole"), None),
                _ => return None,
            },
            To::Subject if text("kind")? == "ServiceAccount" => {
                (GroupKind::new("", "ServiceAccount"), said("namespace").or_else(own))
            }
            To::Subject => return None,
        })
    }

    /// Whether the name is one that the token controller gave to an account's Secret before 1.24, or
    /// OpenShift: it comes into git with what `kubectl get -o yaml` prints.
    fn is_generated(&self, name: &str) -> bool {
        let rest = name.strip_prefix(self.key.name.as_str());
        let rest = rest.filter(|_| self.key.kind == "ServiceAccount");
        let ends = ["-token-", "-dockercfg-"];
        let end = rest.and_then(|rest| ends.iter().find_map(|end| rest.strip_prefix(end)));
        end.is_some_and(|end| end.len() == 5 && end.bytes().all(|b| b.is_ascii_alphanumeric()))
    }
}

/// Visits what a step of a way leads to: a key's value, or each element.
fn step<'v>(
    value: &'v Value,
    key: &'static str,
    path: &mut Vec<PathPart<'v>>,
    visit: &mut dyn FnMut(&'v Value, &mut Vec<PathPart<'v>>),
) {
    if key != "*" {
        let Some(below) = value.get(key) else { return };
        path.push(PathPart::Key(key));
        visit(below, path);
        path.pop();
        return;
    }
    for (at, item) in value.as_array().into_iter().flatten().enumerate() {
        path.push(PathPart::Index(at));
        visit(item, path);
        path.pop();
    }
}

/// Whether every cluster, or every namespace, has the object.
fn is_everywhere(kind: &GroupKind, name: &str, bond: ReferenceKind) -> bool {
    match kind.kind.as_str() {
        "ConfigMap" => name == "kube-root-ca.crt",
        "ServiceAccount" => name == "default" && bond == ReferenceKind::Expected,
        "ClusterRole" => {
            matches!(name, "admin" | "edit" | "view" | "cluster-admin")
                || name.starts_with("system:")
        }
        _ => false,
    }
}
