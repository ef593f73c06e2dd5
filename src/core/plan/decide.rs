//! What to do with a desired object, by what was seen of it. Its turn is left to others.

use super::{Action, Allowed, Confidence, Lack, Reason, ReasonKind};

use super::replace::{self, Fixed};
use crate::core::compare::is_noop;
use crate::core::inventory::Inventory;
use crate::core::managed_fields::claims::{self, Claim};
use crate::core::managed_fields::foresight::foresee;
use crate::core::managed_fields::takeover::hand_over;
use crate::core::manifest::Manifest;
use crate::core::object::{Object, ObjectKey};
use crate::core::observed::{Observation, Preview};
use crate::core::problem::Refusal;
use crate::core::remedy::Remedy;

/// What is decided.
pub(super) struct Decision {
    pub(super) action: Action,
    /// What is live, unless it stays as it is: there may be thousands of those, and none is copied.
    pub(super) live: Option<Object>,
    pub(super) merged: Option<Object>,
    pub(super) confidence: Confidence,
    pub(super) reason: Option<Reason>,
}

/// Decides about one object.
pub(super) fn decide(
    (key, manifest): (&ObjectKey, &Manifest),
    send: &Object,
    observation: Option<&Observation>,
    (inventory, allowed): (&Inventory, &Allowed),
) -> Decision {
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
    let claim = live.and_then(|live| claims::of(live, &inventory.id()));
    if let Some(claim) = claim.filter(|_| !allowed.adopt) {
        let kind = match claim {
            Claim::ApplySet(id) => {
                let target = allowed.siblings.get(&id).cloned();
                ReasonKind::OtherApplySet { id, target }
            }
            Claim::Other(owner) => ReasonKind::OtherOwner { owner },
        };
        return refuse(live, Reason::with_remedy(kind, Remedy::Adopt));
    }
    if let Some(live) = live.filter(|live| live.is_going())
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
    let locally = |lack: Lack, decision: Decision| Decision {
        confidence: Confidence::Local(lack),
        ..decision
    };
    let foreseen = |live: &Object, lack: Lack| {
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
            locally(Lack::Prerequisite(prerequisite.clone()), decided(Action::Create, None))
        }
        (None, Some(Preview::Unasked(why))) => {
            locally(Lack::DryRun(why.clone()), decided(Action::Create, None))
        }
        (Some(live), Some(Preview::Unasked(why))) => foreseen(live, Lack::DryRun(why.clone())),
        (Some(live), Some(Preview::Deferred(prerequisite))) => {
            foreseen(live, Lack::Prerequisite(prerequisite.clone()))
        }
        (_, Some(Preview::Refused(refusal))) => {
            let Refusal { message, hint, causes, may_pass: _ } = refusal.clone();
            let (kind, causes) =
                (ReasonKind::RefusedByServer { message }, manifest.located(causes));
            refuse(live, Reason { remedy: hint, causes, ..kind.into() })
        }
        (Some(live), Some(Preview::Immutable { refusal, anew })) => {
            let fixed = Fixed { key, manifest, live, refusal, anew };
            replace::decide(&fixed, send, (inventory, allowed))
        }
        (_, Some(Preview::Same | Preview::Left) | None)
        | (None, Some(Preview::Immutable { .. })) => refuse(live, ReasonKind::NotAsked.into()),
    }
}
