//! The plan for an object with conflicts: it is refused, or the fields that are left to others are
//! named. Forced fields are shown as any other change. The exception is a field that says that an
//! object stays: that is taken from others only where the operator says so.

use std::borrow::Cow;

use super::decide::Subject;
use super::decision::Decision;
use super::{Action, Confidence, Reason, ReasonKind, deletion_switches};
use crate::core::annotations;
use crate::core::desired::Desired;
use crate::core::inventory::PART_OF;
use crate::core::managed_fields::conflict::{Conflict, conflicts};
use crate::core::managed_fields::leftovers::{Leftover, leftovers};
use crate::core::managed_fields::takeover::hand_over;
use crate::core::object::Object;
use crate::core::policy::{OnConflict, precedence};
use crate::core::problem::Cause;
use crate::core::remedy::Remedy;

/// Refuses what is not to be forced, and says what is left to others.
pub(super) fn settle(decision: &mut Decision, subject: Subject<'_>, desired: &Desired) {
    let Subject { key, manifest, send, .. } = subject;
    if decision.action == Action::Refuse {
        return;
    }
    let Some(live) = subject.live() else { return };
    match desired.on_conflict(manifest) {
        OnConflict::Force => {
            let takes_all = precedence::takes_what_protects(desired.on_conflict);
            if takes_all || !deletion_switches::is_loosened(live, send) {
                return;
            }
            let mut found = of_others(send, live);
            found.retain(|conflict| deletion_switches::is_about(&conflict.path));
            if !found.is_empty() {
                let found = causes(&found, "it is set by");
                let kind = ReasonKind::ProtectedByOther;
                let reason = Reason::with_remedy(kind, Remedy::ForceProtection);
                let causes = manifest.located(found);
                refuse(decision, Reason { causes, ..reason }, Some(live));
            }
        }
        OnConflict::Fail => {
            let mut found = causes(&of_others(send, live), "it is set by");
            found.extend(in_the_way(decision, send, live));
            if !found.is_empty() {
                let remedy = match annotations::on_conflict(&manifest.object) {
                    Ok(Some(OnConflict::Fail)) => {
                        "take the annotation trueup.dev/on-conflict out of the manifest, or let it say yield to leave it".into()
                    }
                    _ => Remedy::ForceOrYield,
                };
                let causes = manifest.located(found);
                let reason = Reason::with_remedy(ReasonKind::Conflict, remedy);
                refuse(decision, Reason { causes, ..reason }, Some(live));
            }
        }
        OnConflict::Yield => {
            let left = desired.left(key, manifest, live);
            if !left.is_empty() {
                let causes = manifest.located(causes(&left, "it is left to"));
                decision.reason = Some(Reason { causes, ..ReasonKind::LeftToOthers.into() });
            }
        }
    }
}

/// The conflicts with others than those from whom an object is taken over.
fn of_others(send: &Object, live: &Object) -> Vec<Conflict> {
    conflicts(send, &handed_over(send, live))
}

/// The fields that others set and that are removed, since they exclude declared ones.
fn in_the_way(decision: &Decision, send: &Object, live: &Object) -> Vec<Cause> {
    let Some(merged) = &decision.merged else { return Vec::new() };
    let mut removed = leftovers(send, &handed_over(send, live));
    removed.retain(|it| !it.managers.is_empty() && !it.remains(live, merged));
    let cause = |it: Leftover| Cause {
        field: it.field(),
        message: format!("it is set by {}, and in the way", it.managers.join(", ")),
        place: None,
    };
    removed.into_iter().map(cause).collect()
}

/// `live` once those have handed over from whom it is taken over.
fn handed_over<'a>(send: &Object, live: &'a Object) -> Cow<'a, Object> {
    // On a member even kubectl's client-side apply is another manager.
    let is_member = live.label(PART_OF) == send.label(PART_OF);
    let handed_over = hand_over(live, send).filter(|_| !is_member);
    handed_over.map_or(Cow::Borrowed(live), Cow::Owned)
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

fn causes(conflicts: &[Conflict], verb: &str) -> Vec<Cause> {
    let cause = |conflict: &Conflict| Cause {
        field: conflict.field(),
        message: format!("{verb} {}", conflict.managers.join(", ")),
        place: None,
    };
    conflicts.iter().map(cause).collect()
}
