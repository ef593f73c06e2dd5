//! What becomes of an object whose fields others have otherwise: it is refused, or it says which of
//! them are left to whom. What is forced is told as any other change, except for what says that an
//! object stays: that is taken from others for the operator's own word only.

use super::decide::Decision;
use super::{Action, Confidence, Reason, keeping};
use crate::desired::Desired;
use crate::inventory::PART_OF;
use crate::manifest::Manifest;
use crate::object::{Object, ObjectKey};
use crate::ownership::conflict::{Conflict, OnConflict, conflicts};
use crate::ownership::takeover::hand_over;
use crate::precedence;
use crate::problem::Cause;

/// Refuses what is not to be forced, and says what is left to others.
pub(super) fn settle(
    decision: &mut Decision,
    (key, manifest): (&ObjectKey, &Manifest),
    (desired, send): (&Desired, &Object),
    live: Option<&Object>,
) {
    if decision.action == Action::Refuse {
        return;
    }
    let Some(live) = live else { return };
    match desired.on_conflict(manifest) {
        OnConflict::Force => {
            let takes_all = precedence::takes_what_protects(desired.on_conflict);
            if takes_all || !keeping::is_loosened(live, send) {
                return;
            }
            let mut found = of_others(send, live);
            found.retain(|conflict| keeping::is_about(&conflict.path));
            if !found.is_empty() {
                let hint = "it says that the object stays: say --on-conflict force to take it from there all the same, or take it out of the manifest";
                let reason = reason(&found, manifest, ("it is set by", Some(hint)));
                refuse(decision, reason, Some(live));
            }
        }
        OnConflict::Fail => {
            let found = of_others(send, live);
            if !found.is_empty() {
                let hint = match OnConflict::said(&manifest.object) {
                    Ok(Some(OnConflict::Fail)) => {
                        "take the annotation trueup.dev/on-conflict out of the manifest, or let it say yield to leave it"
                    }
                    _ => "say --on-conflict force to take it from there, or yield to leave it",
                };
                let reason = reason(&found, manifest, ("it is set by", Some(hint)));
                refuse(decision, reason, Some(live));
            }
        }
        OnConflict::Yield => {
            let left = desired.left(key, manifest, live);
            if !left.is_empty() {
                decision.reason = Some(reason(&left, manifest, ("it is left to", None)));
            }
        }
    }
}

/// The conflicts with others than those from whom an object is taken over.
fn of_others(send: &Object, live: &Object) -> Vec<Conflict> {
    // On a member even kubectl's client-side apply is another manager.
    let is_member = live.label(PART_OF) == send.label(PART_OF);
    let handed_over = hand_over(live, send).filter(|_| !is_member);
    conflicts(send, handed_over.as_ref().unwrap_or(live))
}

fn refuse(decision: &mut Decision, reason: Reason, live: Option<&Object>) {
    *decision = Decision {
        action: Action::Refuse,
        live: live.cloned(),
        merged: None,
        confidence: Confidence::Server,
        reason: Some(reason),
    };
}

fn reason(
    conflicts: &[Conflict],
    manifest: &Manifest,
    (verb, hint): (&str, Option<&str>),
) -> Reason {
    let said = |conflict: &Conflict| format!("{verb} {}", conflict.managers.join(", "));
    let causes = conflicts.iter().map(|conflict| Cause {
        field: conflict.field(),
        message: said(conflict),
        place: None,
    });
    let causes: Vec<Cause> = causes.collect();
    let message = causes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    Reason { message, hint: hint.map(str::to_owned), causes: manifest.located(causes) }
}
