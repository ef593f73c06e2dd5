//! Whether a person has approved on a live object that it is deleted.
//!
//! Whoever may write to the object in the cluster may approve. What git declares, what another tool
//! applies and what a controller writes is not an approval, so that no commit approves its own
//! deletions.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use crate::core::annotations::APPROVED;
use crate::core::managed_fields::managers::{self, Manager};
use crate::core::managed_fields::owners;
use crate::core::manifest::PathPart;
use crate::core::object::Object;

/// How far the clock of whoever approves may be ahead of this machine's.
const SKEW: Duration = Duration::from_secs(300);

/// Why an approval on a live object does not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum NotApproved {
    /// There is none.
    #[error("its deletion is not approved")]
    Missing,
    /// It has no time.
    #[error("{APPROVED}: {0:?} is not an RFC 3339 time")]
    NoTime(String),
    /// It is of a time that is yet to come, so that it would hold for whatever is there by then.
    #[error("{APPROVED}: {0} is in the future")]
    Future(String),
    /// trueup has applied the object since: what was approved is not what is there.
    #[error("{APPROVED}: {0} is before it was last applied")]
    Stale(String),
    /// It was not written by a known person.
    #[error("{APPROVED} does not count where {0} set it: a person does, with kubectl annotate")]
    Set(String),
}

/// Whether the deletion of `live` is approved.
pub(super) fn is_approved(live: &Object, now: Timestamp) -> bool {
    approval(live, now).is_ok()
}

/// Holds the approval of `live` against the time that it is `now`.
///
/// # Errors
///
/// When there is none, or it does not count.
pub(super) fn approval(live: &Object, now: Timestamp) -> Result<(), NotApproved> {
    let Some(text) = live.annotation(APPROVED) else { return Err(NotApproved::Missing) };
    let said = || text.to_owned();
    let Ok(approved) = text.parse::<Timestamp>() else { return Err(NotApproved::NoTime(said())) };
    let path = ["metadata", "annotations", APPROVED].map(PathPart::Key);
    let owners = owners::of(live, &path);
    match owners.iter().find(|owner| !is_a_persons(owner)) {
        Some(owner) => return Err(NotApproved::Set(owner.name.to_owned())),
        None if owners.is_empty() => return Err(NotApproved::Set("an unknown manager".to_owned())),
        None => {}
    }
    // A time so near the end of all times that no skew can be added is in the future, too.
    if now.checked_add(SKEW).map_or(true, |latest| approved > latest) {
        return Err(NotApproved::Future(said()));
    }
    let applied = |ours: Manager<'_>| ours.time.and_then(|time| time.parse::<Timestamp>().ok());
    let mut ours = managers::of(live).filter(Manager::is_ours);
    match ours.all(|ours| applied(ours).is_some_and(|applied| applied <= approved)) {
        true => Ok(()),
        false => Err(NotApproved::Stale(said())),
    }
}

/// Whether a person wrote through this manager: kubectl's names for its verbs, such as
/// `kubectl-annotate` and `kubectl-edit`. All others are what applies manifests, or controllers.
fn is_a_persons(manager: &Manager<'_>) -> bool {
    let is_kubectls = manager.name == "kubectl" || manager.name.starts_with("kubectl-");
    is_kubectls && manager.subresource.is_empty()
}

#[cfg(test)]
mod tests {
    use crate::core::json::{Value, json};

    use super::*;

    const NOON: &str = "2026-05-01T12:00:00Z";

    /// An object that trueup applied at noon, on which `managers` wrote the annotation.
    fn live(approved: &str, managers: &[(&str, &str, &str)]) -> Object {
        let mut entries = vec![json!({ "manager": "trueup", "operation": "Apply", "time": NOON,
            "fieldsV1": { "f:data": {} } })];
        let fields = json!({ "f:metadata": { "f:annotations": { format!("f:{APPROVED}"): {} } } });
        entries.extend(managers.iter().map(|(name, operation, subresource)| {
            json!({ "manager": name, "operation": operation, "subresource": subresource,
                "fieldsV1": fields })
        }));
        let object = json!({ "kind": "ConfigMap", "metadata": { "name": "a",
            "annotations": { APPROVED: approved }, "managedFields": Value::Array(entries) } });
        Object::from(object.as_object().cloned().unwrap_or_default())
    }

    fn at(time: &str) -> Timestamp {
        time.parse().unwrap()
    }

    const PERSON: &[(&str, &str, &str)] = &[("kubectl-annotate", "Update", "")];

    #[test]
    fn an_approval_holds_for_what_was_there_when_it_was_given() {
        let said = |text: &str| text.to_owned();
        for (time, expected) in [
            (NOON, Ok(())),
            ("2026-05-01T14:00:00+02:00", Ok(())),
            ("2026-05-01T12:14:59Z", Ok(())),
            ("2026-05-01T12:15:01Z", Err(NotApproved::Future(said("2026-05-01T12:15:01Z")))),
            ("9999-12-30T00:00:00Z", Err(NotApproved::Future(said("9999-12-30T00:00:00Z")))),
            ("2026-05-01T11:59:59Z", Err(NotApproved::Stale(said("2026-05-01T11:59:59Z")))),
            (
                "2026-05-01T13:59:59+02:00",
                Err(NotApproved::Stale(said("2026-05-01T13:59:59+02:00"))),
            ),
            ("true", Err(NotApproved::NoTime(said("true")))),
            ("", Err(NotApproved::NoTime(String::new()))),
        ] {
            let found = approval(&live(time, PERSON), at("2026-05-01T12:10:00Z"));
            assert_eq!(found, expected, "{time}");
        }
        assert_eq!(approval(&Object::default(), at(NOON)), Err(NotApproved::Missing));
        // Nothing is approved where the time is unknown.
        assert!(!is_approved(&live(NOON, PERSON), Timestamp::UNIX_EPOCH));
    }

    #[test]
    fn only_a_person_approves() {
        for (managers, is_approved) in [
            (&[("kubectl-annotate", "Update", "")][..], true),
            (&[("kubectl-edit", "Update", "")], true),
            (&[("kubectl-client-side-apply", "Update", "")], true),
            (&[("kubectl", "Apply", "")], true),
            (&[("kubectl-edit", "Update", ""), ("kubectl", "Apply", "")], true),
            (&[], false),
            (&[("trueup", "Apply", "")], false),
            (&[("trueup", "Update", "")], false),
            (&[("trueup", "Apply", ""), ("kubectl-annotate", "Update", "")], false),
            (&[("argocd-controller", "Apply", ""), ("kubectl-edit", "Update", "")], false),
            (&[("kustomize-controller", "Apply", "")], false),
            (&[("kube-controller-manager", "Update", "")], false),
            (&[("kubectl-edit", "Update", "status")], false),
            (&[("kubectlx", "Update", "")], false),
        ] {
            let found = approval(&live(NOON, managers), at(NOON));
            assert_eq!(found.is_ok(), is_approved, "{managers:?}: {found:?}");
        }
    }
}
