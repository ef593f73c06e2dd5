//! Owners that a live object names: the marks of an ApplySet, Helm, Flux, Argo CD and kapp on their
//! objects.

use std::fmt;

use super::managers;
use crate::core::inventory::PART_OF;
use crate::core::object::Object;

/// The claimed owner of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ForeignOwner {
    /// A member of an ApplySet, by its id.
    ApplySet(String),
    /// Part of something that another tool looks after, in words: `Helm release shop/web`.
    Other(String),
}

impl fmt::Display for ForeignOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ApplySet(id) => write!(f, "ApplySet {id}"),
            Self::Other(owner) => f.write_str(owner),
        }
    }
}

/// The other owner of `live`, which is not a member of the set `id`.
pub fn of(live: &Object, id: &str) -> Option<ForeignOwner> {
    match live.label(PART_OF) {
        Some(set) if set == id => None,
        Some(set) => Some(ForeignOwner::ApplySet(set.to_owned())),
        None => {
            let other = helm(live).or_else(|| flux(live));
            other.or_else(|| argo(live)).or_else(|| kapp(live)).map(ForeignOwner::Other)
        }
    }
}

/// Helm itself asks for both: many charts set the label, rendered by whatever tool.
fn helm(live: &Object) -> Option<String> {
    let release = live.annotation("meta.helm.sh/release-name")?;
    let namespace = live.annotation("meta.helm.sh/release-namespace").or(live.namespace());
    let is_helms = live.label("app.kubernetes.io/managed-by") == Some("Helm");
    is_helms.then(|| format!("Helm release {}", path(namespace, release)))
}

fn flux(live: &Object) -> Option<String> {
    let kinds = [
        (
            "Kustomization",
            "kustomize.toolkit.fluxcd.io/name",
            "kustomize.toolkit.fluxcd.io/namespace",
        ),
        ("HelmRelease", "helm.toolkit.fluxcd.io/name", "helm.toolkit.fluxcd.io/namespace"),
    ];
    kinds.into_iter().find_map(|(kind, name, namespace)| {
        let path = path(live.label(namespace), live.label(name)?);
        Some(format!("Flux {kind} {path}"))
    })
}

/// The annotation `APP:GROUP/KIND:NAMESPACE/NAME` counts where it names the object itself: a copy
/// is unclaimed. The label that Argo CD may use instead is one that many charts set, so it counts
/// where Argo CD wrote the object.
fn argo(live: &Object) -> Option<String> {
    let tracked = live.annotation("argocd.argoproj.io/tracking-id").and_then(|id| {
        let (app, object) = id.split_once(':')?;
        let (kind, name) = object.split_once(':')?;
        let is_it = kind == format!("{}/{}", live.group(), live.kind())
            && name.rsplit('/').next() == Some(live.name())
            && live
                .namespace()
                .is_none_or(|namespace| name == format!("{namespace}/{}", live.name()));
        is_it.then_some(app)
    });
    let is_argos = || managers::of(live).any(|manager| manager.name.starts_with("argocd"));
    let labelled = live
        .label("argocd.argoproj.io/instance")
        .or_else(|| live.label("app.kubernetes.io/instance").filter(|_| is_argos()));
    tracked.or(labelled).map(|app| format!("Argo CD application {app}"))
}

fn kapp(live: &Object) -> Option<String> {
    live.label("kapp.k14s.io/app").map(|app| format!("kapp application {app}"))
}

fn path(namespace: Option<&str>, name: &str) -> String {
    namespace.map_or_else(|| name.to_owned(), |namespace| format!("{namespace}/{name}"))
}

#[cfg(test)]
mod tests {
    use crate::core::json::{Value, json};

    use super::*;

    fn claim(labels: Value, annotations: Value, manager: &str) -> String {
        let live = json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {
            "name": "web", "namespace": "shop", "labels": labels, "annotations": annotations,
            "managedFields": [{ "manager": manager, "operation": "Update", "fieldsV1": {} }] } });
        let live = Object::from(live.as_object().cloned().unwrap());
        of(&live, "ours").map_or_else(String::new, |claim| claim.to_string())
    }

    #[test]
    fn objects_of_other_tools_are_recognised() {
        let helm =
            json!({ "meta.helm.sh/release-name": "web", "meta.helm.sh/release-namespace": "a" });
        let argo = |id: &str| json!({ "argocd.argoproj.io/tracking-id": id });
        let managed = json!({ "app.kubernetes.io/managed-by": "Helm" });
        let instance = json!({ "app.kubernetes.io/instance": "web" });
        for (labels, annotations, manager, expected) in [
            (json!({ PART_OF: "ours" }), helm.clone(), "", ""),
            (json!({ PART_OF: "theirs" }), json!({}), "", "ApplySet theirs"),
            (managed.clone(), helm.clone(), "", "Helm release a/web"),
            (managed, json!({}), "helm", ""),
            (json!({}), helm, "helm", ""),
            (
                json!({ "kustomize.toolkit.fluxcd.io/name": "x",
                    "kustomize.toolkit.fluxcd.io/namespace": "flux-system" }),
                json!({}),
                "",
                "Flux Kustomization flux-system/x",
            ),
            (json!({ "helm.toolkit.fluxcd.io/name": "x" }), json!({}), "", "Flux HelmRelease x"),
            (json!({}), argo("app:apps/Deployment:shop/web"), "", "Argo CD application app"),
            (json!({}), argo("app:apps/Deployment:shop/other"), "", ""),
            (json!({}), argo("app:apps/Deployment:far/web"), "", ""),
            (instance.clone(), json!({}), "kubectl", ""),
            (instance, json!({}), "argocd-controller", "Argo CD application web"),
            (json!({ "kapp.k14s.io/app": "17" }), json!({}), "", "kapp application 17"),
        ] {
            assert_eq!(claim(labels, annotations, manager), expected);
        }
    }
}
