//! Decides about a desired object by its observation. Its turn is left to others.

use super::{Action, Confidence, NoPreview, PlanContext, Reason, ReasonKind};

use super::decision::Decision;
use super::replace::{self, ImmutableObject};
use crate::core::compare::is_noop;
use crate::core::inventory::Inventory;
use crate::core::managed_fields::foreign_owners::{self, ForeignOwner};
use crate::core::managed_fields::prediction::foresee;
use crate::core::managed_fields::takeover::hand_over;
use crate::core::manifest::Manifest;
use crate::core::object::{Object, ObjectKey};
use crate::core::observed::{Observation, Preview};
use crate::core::problem::Refusal;
use crate::core::remedy::Remedy;

/// One desired object.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject<'a> {
    pub(super) key: &'a ObjectKey,
    /// As it is declared.
    pub(super) manifest: &'a Manifest,
    /// As it is sent.
    pub(super) send: &'a Object,
    /// As the cluster has it, and what it would become; `None` where it was not looked up.
    pub(super) observation: Option<&'a Observation>,
}

impl Subject<'_> {
    /// The object as the cluster has it.
    pub(super) fn live(&self) -> Option<&Object> {
        self.observation.and_then(Observation::live)
    }
}

/// Decides about one object.
pub(super) fn decide(
    subject: Subject<'_>,
    inventory: &Inventory,
    allowed: &PlanContext,
) -> Decision {
    let Subject { key, manifest, send, observation } = subject;
    let refuse = |live: Option<&Object>, reason: Reason| Decision {
        action: Action::Refuse,
        live: live.cloned(),
        merged: None,
        confidence: Confidence::Server,
        reason: Some(reason),
    };
    let (live, preview) = match observation {
        Some(Observation::Seen { live, preview }) => (live.as_ref(), preview.as_ref()),
        Some(Observation::Unknown(why)) => {
            return refuse(None, ReasonKind::Unknown { message: why.clone() }.into());
        }
        None => return refuse(None, ReasonKind::NotLookedUp.into()),
    };
    if *key == inventory.key() {
        let reason = Reason::with_remedy(ReasonKind::IsInventory, Remedy::OtherInventory);
        return refuse(live, reason);
    }
    let claim = live.and_then(|live| foreign_owners::of(live, &inventory.id()));
    let is_given_up = |claim: &ForeignOwner| match claim {
        ForeignOwner::ApplySet(id) => allowed.handovers.get(key) == Some(id),
        ForeignOwner::Other(_) => false,
    };
    let claim = claim.filter(|claim| !is_given_up(claim));
    if let Some(claim) = claim.filter(|_| !allowed.policy.operator.adopt) {
        let kind = match claim {
            ForeignOwner::ApplySet(id) => {
                let target = allowed.siblings.get(&id).map(str::to_owned);
                ReasonKind::OtherApplySet { id, target }
            }
            ForeignOwner::Other(owner) => ReasonKind::OtherOwner { owner },
        };
        return refuse(live, Reason::with_remedy(kind, Remedy::Adopt));
    }
    if let Some(live) = live.filter(|live| live.is_terminating())
        && replace::is_possible(preview)
    {
        return replace::after_deletion(send, live);
    }
    if let (Some(_), Some(Preview::Same)) = (live, preview) {
        return Decision {
            action: Action::Keep,
            live: None,
            merged: None,
            confidence: Confidence::Server,
            reason: None,
        };
    }
    let decided = |action, merged: Option<&Object>| Decision {
        action,
        live: live.cloned(),
        merged: merged.cloned(),
        confidence: Confidence::Server,
        reason: None,
    };
    let locally = |lack: NoPreview, decision: Decision| Decision {
        confidence: Confidence::Local(lack),
        ..decision
    };
    let foreseen = |live: &Object, lack: NoPreview| {
        let handed_over = hand_over(live, send);
        let foreseen = foresee(send, handed_over.as_ref().unwrap_or(live));
        let action = if foreseen == *live { Action::Keep } else { Action::Update };
        locally(lack, decided(action, Some(&foreseen)))
    };
    match (live, preview) {
        (Some(live), Some(Preview::Merged(merged))) if is_noop(live, merged) => {
            decided(Action::Keep, Some(merged))
        }
        (Some(_), Some(Preview::Merged(merged))) => decided(Action::Update, Some(merged)),
        (None, Some(Preview::Merged(merged))) => decided(Action::Create, Some(merged)),
        (None, Some(Preview::Deferred(prerequisite))) => {
            locally(NoPreview::Prerequisite(prerequisite.clone()), decided(Action::Create, None))
        }
        (None, Some(Preview::Unasked(why))) => {
            locally(NoPreview::DryRun(why.clone()), decided(Action::Create, None))
        }
        (Some(live), Some(Preview::Unasked(why))) => foreseen(live, NoPreview::DryRun(why.clone())),
        (Some(live), Some(Preview::Deferred(prerequisite))) => {
            foreseen(live, NoPreview::Prerequisite(prerequisite.clone()))
        }
        (_, Some(Preview::Refused(refusal))) => {
            let Refusal { message, hint, causes, may_pass: _ } = refusal.clone();
            let (kind, causes) =
                (ReasonKind::RefusedByServer { message }, manifest.located(causes));
            refuse(live, Reason { remedy: hint, causes, ..kind.into() })
        }
        (Some(live), Some(Preview::Immutable { refusal, recreation })) => {
            let fixed = ImmutableObject { key, manifest, live, refusal, recreation };
            replace::decide(&fixed, send, inventory, allowed)
        }
        (_, Some(Preview::Same | Preview::Left) | None)
        | (None, Some(Preview::Immutable { .. })) => refuse(live, ReasonKind::NotAsked.into()),
    }
}
