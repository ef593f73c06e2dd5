//! The Jobs of a target that were run, and may be gone since.

use std::collections::BTreeMap;

use crate::core::annotations::Mode;
use crate::core::desired::Desired;
use crate::core::health::{Health, HealthState};
use crate::core::inventory::Finished;
use crate::core::object::ObjectKey;
use crate::core::plan::{Action, Plan};

/// The Jobs that were run once the plan is carried out. One that was seen to fail is not done: it
/// is recreated once it is gone.
pub(super) fn finished(
    plan: &Plan,
    desired: &Desired,
    unready: &BTreeMap<ObjectKey, Health>,
) -> Finished {
    let mut finished = Finished::default();
    for change in plan.changes().filter(|change| change.action() != Action::Refuse) {
        let failed = |health: &Health| health.state == HealthState::Failed;
        if let Some(manifest) = desired.objects.get(&change.key)
            && !Mode::ignores(&manifest.object)
            && (change.is_work() || !unready.get(&change.key).is_some_and(failed))
        {
            finished.note(&change.key, &manifest.object);
        }
    }
    finished
}
