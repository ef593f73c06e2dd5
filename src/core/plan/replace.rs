//! Whether an object whose fields can't change is deleted and recreated. Only ever on request: by
//! its annotations, or for its whole kind by the user. A terminating object is recreated without a
//! request.

use super::context::PlanContext;
use super::decision::Decision;
use super::fixed_fields;
use super::guards;
use super::{Action, Confidence, NoPreview, Reason, ReasonKind, selector};
use crate::core::annotations::{REPLACE, flag};
use crate::core::inventory::Inventory;
use crate::core::kinds::catalog::is_crd;
use crate::core::managed_fields;
use crate::core::managed_fields::prediction::foresee;
use crate::core::manifest::Manifest;
use crate::core::object::{Object, ObjectKey};
use crate::core::observed::Preview;
use crate::core::policy::precedence::{self, Replacing};
use crate::core::problem::{Cause, Refusal};
use crate::core::remedy::Remedy;

/// Flux's word for the same, an annotation or a label.
const FORCE: &str = "kustomize.toolkit.fluxcd.io/force";
/// Argo CD's words for the same, among others.
const SYNC_OPTIONS: &str = "argocd.argoproj.io/sync-options";

/// An object whose fields can't change.
pub(super) struct ImmutableObject<'a> {
    pub(super) key: &'a ObjectKey,
    pub(super) manifest: &'a Manifest,
    pub(super) live: &'a Object,
    /// The server's refusal.
    pub(super) refusal: &'a Refusal,
    /// Whether the server would accept it if it were recreated.
    pub(super) recreation: &'a Result<(), Refusal>,
}

/// Decides whether it is replaced with `send`.
pub(super) fn decide(
    fixed: &ImmutableObject<'_>,
    send: &Object,
    inventory: &Inventory,
    allowed: &PlanContext,
) -> Decision {
    let ImmutableObject { key, manifest, live, refusal, recreation } = fixed;
    let decision = |action, reason| Decision {
        action,
        live: Some((*live).clone()),
        merged: None,
        confidence: Confidence::Server,
        reason: Some(reason),
    };
    let refuse = |kind: ReasonKind, refusal: &Refusal, remedy: Option<Remedy>| {
        let causes = fixed_fields::name_causes(refusal.causes.clone(), send, live);
        let (causes, remedy) = (manifest.located(causes), remedy.or(refusal.hint.clone()));
        decision(Action::Refuse, Reason { remedy, causes, ..kind.into() })
    };
    let may = replacing(key, &manifest.object, allowed);
    let to_keep = selector::to_keep(&manifest.object, live);
    if let Some(remedy) = forbids(may, key) {
        let remedy = recreation.is_ok().then_some(remedy);
        let kind = ReasonKind::Immutable { message: refusal.message.clone() };
        return refuse(kind, refusal, Remedy::ways([to_keep, remedy].into_iter().flatten()));
    }
    let fields = fields(&fixed_fields::name_causes(refusal.causes.clone(), send, live));
    if let Err(refused) = recreation {
        let message = refused.message.clone();
        return refuse(ReasonKind::NotRecreatable { fields, message }, refused, None);
    }
    if !guards::may_be_replaced(live, send) {
        let kind = ReasonKind::RecreateLosesProtection { fields };
        let remedy = "remove that field from the live object by hand, or declare it in the \
            manifest";
        return decision(Action::Refuse, Reason::with_remedy(kind, remedy));
    }
    if let Some(why_not) = why_not(fixed, may, inventory, allowed) {
        let Reason { kind, remedy, causes } = why_not;
        let remedy = Remedy::either([to_keep, remedy].into_iter().flatten());
        let kind = ReasonKind::NotRecreated { fields, why: kind };
        return decision(Action::Refuse, Reason { remedy, causes, ..kind.into() });
    }
    let reason = ReasonKind::Recreated { fields }.into();
    Decision {
        merged: Some(foresee(send, live)),
        confidence: Confidence::Local(NoPreview::Recreate),
        ..decision(Action::Replace, reason)
    }
}

/// Whether the server would accept the object if it were recreated, as far as it was asked.
pub(super) fn is_possible(preview: Option<&Preview>) -> bool {
    matches!(
        preview,
        Some(
            Preview::Same
                | Preview::Merged(_)
                | Preview::Unasked(_)
                | Preview::Immutable { recreation: Ok(()), .. }
        )
    )
}

/// A declared object is terminating: it is recreated once it is gone.
pub(super) fn after_deletion(send: &Object, live: &Object) -> Decision {
    let mut merged = foresee(send, live);
    for field in ["deletionTimestamp", "deletionGracePeriodSeconds"] {
        merged.metadata_mut().remove(field);
    }
    Decision {
        action: Action::Replace,
        live: Some(live.clone()),
        merged: Some(merged),
        confidence: Confidence::Local(NoPreview::Recreate),
        reason: Some(ReasonKind::RecreatedOnceGone.into()),
    }
}

/// Whether the object may be replaced at all, by what the user, the repository and the object say.
fn replacing(key: &ObjectKey, declared: &Object, allowed: &PlanContext) -> Replacing {
    let said = flag(declared, REPLACE).or(others_allow(declared).then_some(true));
    precedence::replacing(allowed.policy.replace(), &key.kind, said)
}

/// The remedy that allows a replace, where it is not allowed.
fn forbids(may: Replacing, key: &ObjectKey) -> Option<Remedy> {
    match may {
        Replacing::Never => Some(Remedy::Text(format!(
            "its annotation {REPLACE} forbids replacing it: delete it by hand, or give it another \
            name"
        ))),
        Replacing::Unsaid => Some(Remedy::Replace { kind: key.kind.clone() }),
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
    fixed: &ImmutableObject<'_>,
    may: Replacing,
    inventory: &Inventory,
    allowed: &PlanContext,
) -> Option<Reason> {
    let ImmutableObject { key, live, .. } = fixed;
    if !managed_fields::is_ours(live, &inventory.id()) {
        return Some(Reason::with_remedy(
            ReasonKind::NotOurs,
            "delete it by hand; the next run recreates it",
        ));
    }
    if is_crd(key) && !allowed.allows_deletion_of(&key.kind) {
        let remedy = Remedy::AllowDelete { kind: key.kind.clone() };
        return Some(Reason::with_remedy(ReasonKind::Definition, remedy));
    }
    if let Some(reason) = guards::why_guarded(key, live, allowed) {
        return Some(reason);
    }
    (is_running(key, live) && may != Replacing::Always).then(|| {
        let remedy = Remedy::WaitOrReplace { kind: key.kind.clone() };
        Reason::with_remedy(ReasonKind::Running, remedy)
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
fn fields(causes: &[Cause]) -> Vec<String> {
    let mut fields: Vec<String> = causes.iter().map(|cause| cause.field.clone()).collect();
    fields.retain(|field| !field.is_empty());
    fields.sort_unstable();
    fields.dedup();
    fields
}
