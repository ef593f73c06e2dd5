//! The annotations of a live object about its deletion: trueup's own and those of the tools that
//! mean the same.

use super::approved;
use super::context::PlanContext;
use crate::core::annotations::{AnnotationFault, MODE, Mode, PRUNE, Treatment, fault_of};
use crate::core::object::Object;

/// The other tools' words for it: annotation and value. Flux takes a label, too.
const KEEP: [(&str, &str); 4] = [
    ("kustomize.toolkit.fluxcd.io/prune", "disabled"),
    ("client.lifecycle.config.k8s.io/deletion", "detach"),
    ("cli-utils.sigs.k8s.io/on-remove", "keep"),
    ("helm.sh/resource-policy", "keep"),
];
/// Argo CD's words for it, among others.
const SYNC_OPTIONS: &str = "argocd.argoproj.io/sync-options";

/// The annotation about an object's deletion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum DeletionSwitch {
    /// It is never deleted, says this annotation: it is abandoned.
    Keep(String),
    /// Its deletion has to be allowed, says this annotation.
    Confirm(String),
    /// It is unknown what it says.
    Unclear(AnnotationFault),
}

/// A live object's switch about its deletion; `None` where it has none, or its kind is allowed.
pub(super) fn switch_of(live: &Object, allowed: &PlanContext) -> Option<DeletionSwitch> {
    let is_kept = |name: &str, value: &str| {
        let values = [live.annotation(name), live.label(name)];
        values.into_iter().flatten().any(|said| said.eq_ignore_ascii_case(value))
    };
    let own = [(PRUNE, "false")];
    if let Some((name, value)) = own.iter().chain(&KEEP).find(|(name, value)| is_kept(name, value))
    {
        return Some(DeletionSwitch::Keep(format!("{name}: {value}")));
    }
    if let Some(Treatment { mode: Mode::Ignore, said }) = Mode::treatment_of(live) {
        return Some(DeletionSwitch::Keep(said));
    }
    if let Some(fault) = [PRUNE, MODE].into_iter().find_map(|name| fault_of(live, name)) {
        return Some(DeletionSwitch::Unclear(fault));
    }
    let options = live.annotation(SYNC_OPTIONS).unwrap_or_default();
    let has = |wanted: [&str; 2]| options.split(',').map(str::trim).find(|it| wanted.contains(it));
    if let Some(option) = has(["Prune=false", "Delete=false"]) {
        return Some(DeletionSwitch::Keep(format!("{SYNC_OPTIONS}: {option}")));
    }
    let option = has(["Prune=confirm", "Delete=confirm"])?;
    let is_allowed =
        allowed.allows_deletion_of(live.kind()) || approved::is_approved(live, allowed.now);
    (!is_allowed).then(|| DeletionSwitch::Confirm(format!("{SYNC_OPTIONS}: {option}")))
}

/// Whether `live` is better kept from being deleted than `send` says.
pub(super) fn is_loosened(live: &Object, send: &Object) -> bool {
    let strictness = |object: &Object| match switch_of(object, &PlanContext::default()) {
        None => 0,
        Some(DeletionSwitch::Confirm(_)) => 1,
        Some(DeletionSwitch::Keep(_)) => 2,
        Some(DeletionSwitch::Unclear(_)) => 3,
    };
    strictness(send) < strictness(live)
}

/// Whether the field at `path` says something of its object's deletion.
pub(super) fn is_about(path: &[String]) -> bool {
    let [metadata, field, name] = path else { return false };
    let names = KEEP.iter().map(|(name, _)| *name);
    let names = names.chain([PRUNE, MODE, SYNC_OPTIONS]).chain(Mode::OTHERS);
    metadata == "metadata"
        && matches!(field.as_str(), "annotations" | "labels")
        && names.into_iter().any(|known| known == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(annotations: crate::core::json::Value) -> Object {
        let object = crate::core::json::json!({
            "kind": "ConfigMap", "metadata": { "name": "a", "annotations": annotations },
        });
        Object::from(object.as_object().cloned().unwrap_or_default())
    }

    #[test]
    fn prune_annotations_of_every_tool_count() {
        for (name, value, expected) in [
            ("trueup.dev/prune", "false", Some(true)),
            ("trueup.dev/prune", "true", None),
            ("trueup.dev/prune", "no", Some(false)),
            ("trueup.dev/mode", "create-only", None),
            ("trueup.dev/mode", "ignore", Some(true)),
            ("trueup.dev/mode", "ignored", Some(false)),
            ("kustomize.toolkit.fluxcd.io/ssa", "Ignore", Some(true)),
            ("kustomize.toolkit.fluxcd.io/prune", "Disabled", Some(true)),
            ("client.lifecycle.config.k8s.io/deletion", "detach", Some(true)),
            ("cli-utils.sigs.k8s.io/on-remove", "keep", Some(true)),
            ("helm.sh/resource-policy", "keep", Some(true)),
            ("argocd.argoproj.io/sync-options", "SkipDryRun=true, Prune=false", Some(true)),
            ("argocd.argoproj.io/sync-options", "Delete=false", Some(true)),
            ("argocd.argoproj.io/sync-options", "Prune=confirm", Some(false)),
            ("argocd.argoproj.io/sync-options", "Delete=confirm", Some(false)),
            ("argocd.argoproj.io/sync-options", "PruneLast=true", None),
        ] {
            let live = object(crate::core::json::json!({ name: value }));
            let found = switch_of(&live, &PlanContext::default());
            let is_kept = found.as_ref().map(|said| matches!(said, DeletionSwitch::Keep(_)));
            assert_eq!(is_kept, expected, "{name}: {value}");
        }
        let live = object(crate::core::json::json!({ SYNC_OPTIONS: "Prune=confirm" }));
        let mut allowed = PlanContext::default();
        allowed.policy.operator.allow_delete.insert("ConfigMap".to_owned());
        assert_eq!(switch_of(&live, &allowed), None);
    }
}
