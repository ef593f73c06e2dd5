//! The plan for objects with a mode: those only ever created, those left alone, and those that ran
//! and are gone. An invalid mode is refused.

use super::decision::Decision;
use super::{Action, Confidence, Reason, ReasonKind, released_copy};
use crate::core::annotations::{self, Mode, Treatment};
use crate::core::inventory::{Finished, Inventory, PART_OF};
use crate::core::managed_fields;
use crate::core::manifest::Manifest;
use crate::core::object::ObjectKey;
use crate::core::observed::{Observation, Preview};
use crate::core::remedy::Remedy;

/// Decides about one object by what it says of itself; `None` where it is applied as any other,
/// also for the first time.
pub(super) fn decide(
    manifest: &Manifest,
    observation: Option<&Observation>,
    inventory: &Inventory,
) -> Option<Decision> {
    let Treatment { mode, said } = Mode::treatment_of(&manifest.object)?;
    let keep = |reason: Option<ReasonKind>| Decision {
        action: Action::Keep,
        live: None,
        merged: None,
        confidence: Confidence::Server,
        reason: reason.map(Reason::from),
    };
    let (live, preview) = match observation {
        Some(Observation::Seen { live, preview }) => (live.as_ref(), preview.as_ref()),
        _ => (None, None),
    };
    let id = inventory.id();
    match (mode, live, preview) {
        (Mode::Ignore, Some(live), _)
            if managed_fields::is_ours(live, &id) && !live.is_terminating() =>
        {
            Some(Decision {
                action: Action::Abandon,
                live: Some(live.clone()),
                merged: Some(released_copy(live)),
                ..keep(Some(ReasonKind::Unmanaged { said }))
            })
        }
        (Mode::Ignore, _, _) => Some(keep(None)),
        // An object that is there needs nothing, though it was unknown before the server was asked.
        (Mode::CreateOnly, Some(live), preview)
            if !live.is_terminating() && preview != Some(&Preview::Same) =>
        {
            let is_member = live.label(PART_OF) == Some(id.as_str());
            Some(keep(Some(ReasonKind::CreateOnly { said, is_member })))
        }
        (Mode::CreateOnly, _, _) => None,
    }
}

/// Decides about a Job that was run as it is declared, and that its TTL took away since.
pub(super) fn finished(
    key: &ObjectKey,
    manifest: &Manifest,
    observation: Option<&Observation>,
    finished: &Finished,
) -> Option<Decision> {
    let is_gone = match observation {
        // Where its very namespace is missing, all that it did may be gone, too.
        Some(Observation::Seen { live: None, preview }) => {
            !matches!(preview, Some(Preview::Deferred(_)))
        }
        _ => false,
    };
    (is_gone && finished.has(key, &manifest.object)).then(|| Decision {
        action: Action::Keep,
        live: None,
        merged: None,
        confidence: Confidence::Server,
        reason: Some(Reason::with_remedy(
            ReasonKind::FinishedJob,
            "to run it again, change it in git",
        )),
    })
}

/// Why an object is refused whose switches mean nothing.
pub(super) fn wrong(manifest: &Manifest) -> Option<Reason> {
    let faults = annotations::faults(&manifest.object);
    if faults.is_empty() {
        return None;
    }
    let remedies = faults.iter().map(|fault| fault.hint.clone()).collect();
    let causes = faults.iter().map(|fault| fault.cause(manifest)).collect();
    let kind = ReasonKind::InvalidAnnotation { faults };
    Some(Reason { causes, ..Reason::with_remedy(kind, Remedy::Each(remedies)) })
}
