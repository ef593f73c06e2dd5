//! Drift that the round of a new commit put back, besides what the commit changes.

use std::collections::{BTreeMap, BTreeSet};

use crate::app::{Survey, Target, declare};
use crate::core::attribution::{FormerDrift, former_drift};
use crate::core::desired::Desired;
use crate::core::diff::Delta;
use crate::core::object::ObjectKey;
use crate::core::report::{Outcome, Report};
use crate::git::Checkout;

/// The objects that a round changed, and that were not as the last applied commit declares them.
/// None where it applied that commit again: then all that it changed is drift. Costs no request, and
/// the former commit is read where something was changed alone. One that is no longer here says
/// nothing.
pub(super) async fn drift_of_former(
    survey: &Survey,
    report: &Report,
    target: &Target,
    checkout: &Checkout,
) -> BTreeMap<ObjectKey, FormerDrift> {
    let none = BTreeMap::new;
    let Some(before) = &survey.found.before else { return none() };
    let Some(former) = target.recorded(before) else { return none() };
    if report.done() == 0 || former.rev.as_ref() == Some(&survey.found.revision.commit) {
        return none();
    }
    let Ok(declared) = declare(&former, checkout).await else { return none() };
    let declared = Desired::new(declared.manifests, &survey.found.catalog, &target.namespace);
    let is_done = |outcome: &Outcome| matches!(outcome, Outcome::Done | Outcome::Terminating);
    let done = report.steps.iter().filter(|step| is_done(&step.outcome));
    let done: BTreeSet<&ObjectKey> = done.map(|step| &step.key).collect();
    let changes = survey.decided.plan.changes().filter(|change| done.contains(&change.key));
    let drift = changes.filter_map(|change| {
        let former = declared.objects.get(&change.key)?;
        let delta = Delta::new(change, survey.redactor());
        Some((change.key.clone(), former_drift(change, &delta, &former.object)?))
    });
    drift.collect()
}
