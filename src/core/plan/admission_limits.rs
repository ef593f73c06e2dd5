//! Objects that a quota, a LimitRange or a policy forbids that the commit removes: they come after
//! that deletion, and are refused where there is none.

use super::{Action, Change, Confidence, NoPreview, Reason, ReasonKind};
use crate::core::desired::Desired;
use crate::core::object::ObjectKey;
use crate::core::observed::Prerequisite;
use crate::core::problem::Refusal;

/// Refuses what is forbidden by something that stays, and says whether there was any.
pub(super) fn settle(changes: &mut [Change], gone: &[Change], desired: &Desired) -> bool {
    let is_deleted =
        |key: &ObjectKey| gone.iter().any(|it| it.key == *key && it.action() == Action::Delete);
    let mut is_any = false;
    for change in changes {
        let Some(Confidence::Local(NoPreview::Prerequisite(Prerequisite::Applied {
            first,
            gone,
            refusal,
        }))) = change.confidence_mut()
        else {
            continue;
        };
        gone.retain(is_deleted);
        if first.is_empty() && gone.is_empty() {
            let Refusal { message, hint, causes, may_pass: _ } = refusal.clone();
            let manifest = desired.objects.get(&change.key);
            let causes = manifest.map(|it| it.located(causes)).unwrap_or_default();
            let kind = ReasonKind::RefusedByServer { message };
            change.refuse(Reason { remedy: hint, causes, ..kind.into() });
            is_any = true;
        }
    }
    is_any
}
