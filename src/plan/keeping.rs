//! What the annotations of a live object say of its deletion: trueup's own and those of the tools
//! that mean the same.

use jiff::Timestamp;

use super::guards::Allowed;
use crate::object::Object;
use crate::ownership::managers::{self, Manager};
use crate::switches::{Fault, MODE, Mode, PRUNE, Treatment, fault_of};

/// The other tools' words for it: annotation and value. Flux takes a label, too.
const KEEP: [(&str, &str); 4] = [
    ("kustomize.toolkit.fluxcd.io/prune", "disabled"),
    ("client.lifecycle.config.k8s.io/deletion", "detach"),
    ("cli-utils.sigs.k8s.io/on-remove", "keep"),
    ("helm.sh/resource-policy", "keep"),
];
/// Argo CD's words for it, among others.
const SYNC_OPTIONS: &str = "argocd.argoproj.io/sync-options";

/// Argo CD's word for a deletion that somebody has approved, and when.
pub(super) const APPROVED: &str = "argocd.argoproj.io/deletion-approved";

/// What is said of an object's deletion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// It is never deleted, says this annotation: it is nobody's from now on.
    Keep(String),
    /// Somebody has to allow it, says this annotation.
    Confirm(String),
    /// Nobody can tell what it says.
    Unclear(Fault),
}

/// What a live object says of its deletion; `None` where it says nothing, or its kind is allowed.
pub(super) fn said(live: &Object, allowed: &Allowed) -> Option<Said> {
    let is_kept = |name: &str, value: &str| {
        let values = [live.annotation(name), live.label(name)];
        values.into_iter().flatten().any(|said| said.eq_ignore_ascii_case(value))
    };
    let own = [(PRUNE, "false")];
    if let Some((name, value)) = own.iter().chain(&KEEP).find(|(name, value)| is_kept(name, value))
    {
        return Some(Said::Keep(format!("{name}: {value}")));
    }
    if let Some(Treatment { mode: Mode::Ignore, said }) = Mode::said(live) {
        return Some(Said::Keep(said));
    }
    if let Some(fault) = [PRUNE, MODE].into_iter().find_map(|name| fault_of(live, name)) {
        return Some(Said::Unclear(fault));
    }
    let options = live.annotation(SYNC_OPTIONS).unwrap_or_default();
    let has = |wanted: [&str; 2]| options.split(',').map(str::trim).find(|it| wanted.contains(it));
    if let Some(option) = has(["Prune=false", "Delete=false"]) {
        return Some(Said::Keep(format!("{SYNC_OPTIONS}: {option}")));
    }
    let option = has(["Prune=confirm", "Delete=confirm"])?;
    let is_allowed = allowed.delete.contains(live.kind()) || is_approved(live);
    (!is_allowed).then(|| Said::Confirm(format!("{SYNC_OPTIONS}: {option}")))
}

/// Whether somebody has approved that this very object is deleted, and trueup has not applied it
/// since: what was approved is what is there.
pub(super) fn is_approved(live: &Object) -> bool {
    let time = |text: &str| text.parse::<Timestamp>().ok();
    let Some(approved) = live.annotation(APPROVED).and_then(time) else { return false };
    let mut ours = managers::of(live).filter(Manager::is_ours);
    ours.all(|ours| ours.time.and_then(time).is_some_and(|applied| applied <= approved))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(annotations: serde_json::Value) -> Object {
        let object = serde_json::json!({
            "kind": "ConfigMap", "metadata": { "name": "a", "annotations": annotations },
        });
        Object(object.as_object().cloned().unwrap_or_default())
    }

    #[test]
    fn an_approval_holds_for_what_was_there_when_it_was_given() {
        for (approved, is_approved) in [
            ("2026-05-01T12:00:00Z", true),
            ("2026-05-02T12:00:00+02:00", true),
            ("2026-05-01T11:59:59Z", false),
            ("2026-05-01T13:59:59+02:00", false),
            ("true", false),
            ("", false),
        ] {
            let mut live = object(serde_json::json!({
                SYNC_OPTIONS: "Prune=confirm", APPROVED: approved
            }));
            let entry = serde_json::json!([{ "manager": "trueup", "operation": "Apply",
                "time": "2026-05-01T12:00:00Z", "fieldsV1": {} }]);
            live.metadata_mut().insert("managedFields".to_owned(), entry);
            assert_eq!(said(&live, &Allowed::default()).is_none(), is_approved, "{approved}");
        }
    }

    #[test]
    fn every_tools_word_counts() {
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
            let live = object(serde_json::json!({ name: value }));
            let found = said(&live, &Allowed::default());
            let is_kept = found.as_ref().map(|said| matches!(said, Said::Keep(_)));
            assert_eq!(is_kept, expected, "{name}: {value}");
        }
        let live = object(serde_json::json!({ SYNC_OPTIONS: "Prune=confirm" }));
        let delete = ["ConfigMap".to_owned()].into();
        assert_eq!(said(&live, &Allowed { delete, ..Allowed::default() }), None);
    }
}
