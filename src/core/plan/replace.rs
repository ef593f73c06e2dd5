//! Whether an object whose fields can't change is deleted and made anew. Only ever on request: by
//! its annotations, or for its whole kind by the user. What somebody else is deleting is made anew
//! unasked.

use super::decide::Decision;
use super::fixed_fields;
use super::guards::{self, Allowed};
use super::{Action, Confidence, Lack, Reason, selector};
use crate::core::annotations::{REPLACE, flag};
use crate::core::inventory::Inventory;
use crate::core::kinds::catalog::is_crd;
use crate::core::managed_fields;
use crate::core::managed_fields::foresight::foresee;
use crate::core::manifest::Manifest;
use crate::core::object::{Object, ObjectKey};
use crate::core::observed::Preview;
use crate::core::policy::precedence::{self, Replacing};
use crate::core::problem::{Cause, Refusal};

/// Flux's word for the same, an annotation or a label.
const FORCE: &str = "kustomize.toolkit.fluxcd.io/force";
/// Argo CD's words for the same, among others.
const SYNC_OPTIONS: &str = "argocd.argoproj.io/sync-options";

/// What is known of an object whose fields can't change.
pub(super) struct Fixed<'a> {
    pub(super) key: &'a ObjectKey,
    pub(super) manifest: &'a Manifest,
    pub(super) live: &'a Object,
    /// What can't change, in the server's words.
    pub(super) refusal: &'a Refusal,
    /// Whether the server would take it if it were made anew.
    pub(super) anew: &'a Result<(), Refusal>,
}

/// Decides whether it is replaced with `send`.
pub(super) fn decide(
    fixed: &Fixed<'_>,
    send: &Object,
    (inventory, allowed): (&Inventory, &Allowed),
) -> Decision {
    let Fixed { key, manifest, live, refusal, anew } = fixed;
    let decision = |action, reason| Decision {
        action,
        live: Some((*live).clone()),
        merged: None,
        confidence: Confidence::Server,
        reason: Some(reason),
    };
    let refuse = |refusal: &Refusal, hint: Option<String>| {
        let Refusal { message, hint: its_own, causes, may_pass: _ } = refusal.clone();
        let causes = manifest.located(fixed_fields::named(causes, send, live));
        decision(Action::Refuse, Reason { message, hint: hint.or(its_own), causes })
    };
    let may = replacing(key, &manifest.object, allowed);
    let to_keep = selector::to_keep(&manifest.object, live);
    if let Some(hint) = forbids(may, key) {
        let hint = anew.is_ok().then_some(hint);
        let ways: Vec<String> = [to_keep, hint].into_iter().flatten().collect();
        return refuse(refusal, (!ways.is_empty()).then(|| ways.join("; ")));
    }
    let fields = fields(&fixed_fields::named(refusal.causes.clone(), send, live));
    if let Err(refused) = anew {
        let message = format!(
            "{fields} can't be changed, and it can't be made anew either: {}",
            refused.message
        );
        return refuse(&Refusal { message, ..refused.clone() }, None);
    }
    if !guards::may_be_replaced(live, send) {
        let message = format!(
            "{fields} can't be changed, and it says in the cluster that it stays, or is not replaced, which would be lost"
        );
        let hint = "take that from the object by hand, or declare it in the manifest";
        return decision(Action::Refuse, Reason::with_hint(message, hint));
    }
    if let Some(mut why_not) = why_not(fixed, may, (inventory, allowed)) {
        let ways: Vec<String> = [to_keep, why_not.hint].into_iter().flatten().collect();
        why_not.hint = (!ways.is_empty()).then(|| ways.join("; or "));
        let message = format!("{fields} can't be changed, and {}", why_not.message);
        return decision(Action::Refuse, Reason { message, ..why_not });
    }
    let reason = Reason::new(format!("{fields} can't be changed: it is deleted and made anew"));
    Decision {
        merged: Some(foresee(send, live)),
        confidence: Confidence::Local(Lack::Anew),
        ..decision(Action::Replace, reason)
    }
}

/// Whether the server would take the object if it were made anew, as far as it was asked.
pub(super) fn is_possible(preview: Option<&Preview>) -> bool {
    matches!(
        preview,
        Some(
            Preview::Same
                | Preview::Merged(_)
                | Preview::Unasked(_)
                | Preview::Immutable { anew: Ok(()), .. }
        )
    )
}

/// Somebody has begun to delete what should be there: once it is gone, it is made anew.
pub(super) fn after_deletion(send: &Object, live: &Object) -> Decision {
    let mut merged = foresee(send, live);
    for field in ["deletionTimestamp", "deletionGracePeriodSeconds"] {
        merged.metadata_mut().remove(field);
    }
    Decision {
        action: Action::Replace,
        live: Some(live.clone()),
        merged: Some(merged),
        confidence: Confidence::Local(Lack::Anew),
        reason: Some(Reason::new("somebody is deleting it: once it is gone, it is made anew")),
    }
}

/// Whether the object may be replaced at all, by what the user, the repository and the object say.
fn replacing(key: &ObjectKey, declared: &Object, allowed: &Allowed) -> Replacing {
    let said = flag(declared, REPLACE).or(others_allow(declared).then_some(true));
    precedence::replacing(allowed.replace.as_ref(), &key.kind, said)
}

/// What to do so that an object may be replaced, where it may not.
fn forbids(may: Replacing, key: &ObjectKey) -> Option<String> {
    let kind = &key.kind;
    match may {
        Replacing::Never => Some(format!(
            "its annotation {REPLACE} says that it is never replaced: delete it by hand, or give it another name"
        )),
        Replacing::Unsaid => Some(format!(
            "to have it deleted and made anew, annotate it with {REPLACE}: \"true\", or say --replace {kind}"
        )),
        Replacing::Idle | Replacing::Always => None,
    }
}

/// Whether the annotations of other tools say that it may be replaced.
fn others_allow(declared: &Object) -> bool {
    let force = [declared.annotation(FORCE), declared.label(FORCE)];
    let options = declared.annotation(SYNC_OPTIONS).into_iter().flat_map(|text| text.split(','));
    force.into_iter().flatten().any(|value| value.eq_ignore_ascii_case("enabled"))
        || options.map(str::trim).any(|option| matches!(option, "Replace=true" | "Force=true"))
}

/// Why it is not replaced though it may be.
fn why_not(
    fixed: &Fixed<'_>,
    may: Replacing,
    (inventory, allowed): (&Inventory, &Allowed),
) -> Option<Reason> {
    let Fixed { key, live, .. } = fixed;
    if !managed_fields::is_ours(live, &inventory.id()) {
        return Some(Reason::with_hint(
            "trueup did not make it, so it does not delete it",
            "delete it by hand; the next run makes it anew",
        ));
    }
    if is_crd(key) && !allowed.delete.contains(&key.kind) {
        return Some(Reason::with_hint(
            "every object of its kind would go with it",
            format!("if that is meant, say --allow-delete {}", key.kind),
        ));
    }
    if let Some(reason) = guards::why_guarded(key, live, allowed) {
        return Some(reason);
    }
    (is_running(key, live) && may != Replacing::Always).then(|| {
        Reason::with_hint(
            "it is still running",
            format!("wait until it has ended, or say --replace {} to stop it", key.kind),
        )
    })
}

/// Whether it is a Job that has begun and not ended.
fn is_running(key: &ObjectKey, live: &Object) -> bool {
    if (key.group.as_str(), key.kind.as_str()) != ("batch", "Job") {
        return false;
    }
    let status = live.0.get("status");
    let has_begun = status.is_some_and(|status| status["startTime"].is_string());
    let conditions = status.and_then(|status| status["conditions"].as_array());
    let has_ended = conditions.into_iter().flatten().any(|condition| {
        matches!(condition["type"].as_str(), Some("Complete" | "Failed"))
            && condition["status"] == "True"
    });
    has_begun && !has_ended
}

/// The fields that can't change, as far as the server names them.
fn fields(causes: &[Cause]) -> String {
    let mut fields: Vec<&str> = causes.iter().map(|cause| cause.field.as_str()).collect();
    fields.retain(|field| !field.is_empty());
    fields.sort_unstable();
    fields.dedup();
    if fields.is_empty() { "a part of it".to_owned() } else { fields.join(", ") }
}
