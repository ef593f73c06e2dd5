//! Drift that the round of a new commit put back, besides what the commit changes.

use std::collections::{BTreeMap, BTreeSet};

use crate::app::{Survey, Target, declare};
use crate::core::attribution::{FormerDrift, former_drift};
use crate::core::desired::Desired;
use crate::core::diff::Delta;
use crate::core::field_rules::{Pointer, fields_of};
use crate::core::json::Value;
use crate::core::object::{Object, ObjectKey};
use crate::core::report::{Outcome, Report};
use crate::git::Checkout;

/// The objects that a round changed, and that were not as the last applied commit declares them.
/// None where it applied that commit again: then all that it changed is drift. Costs no request, and
/// the former commit is read where something was changed alone. One that is no longer here says
/// nothing. `settings` gives the target as a commit has it.
pub(super) async fn drift_of_former(
    checkout: &Checkout,
    settings: impl FnOnce(&str) -> Option<Target>,
    survey: &Survey,
    report: &Report,
) -> BTreeMap<ObjectKey, FormerDrift> {
    let none = BTreeMap::new;
    let before = survey.found.before.as_ref().and_then(|before| before.revision.clone());
    let before = before.filter(|before| *before != survey.found.revision.commit);
    let Some(before) = before.filter(|_| report.done() > 0) else { return none() };
    // Its settings say which fields it left alone.
    let Some(former) = settings(&before) else { return none() };
    let Ok(declared) = declare(&former, checkout).await else { return none() };
    let declared = Desired::new(declared.manifests, &survey.found.catalog, &former.namespace);
    let is_done = |outcome: &Outcome| matches!(outcome, Outcome::Done | Outcome::Terminating);
    let done = report.steps.iter().filter(|step| is_done(&step.outcome));
    let done: BTreeSet<&ObjectKey> = done.map(|step| &step.key).collect();
    let changes = survey.decided.plan.changes().filter(|change| done.contains(&change.key));
    let drift = changes.filter_map(|change| {
        let manifest = declared.objects.get(&change.key)?;
        let ignored = fields_of(&former.ignore, &change.key);
        let former = without(&manifest.object, &ignored);
        let delta = Delta::new(change, survey.redactor());
        Some((change.key.clone(), former_drift(change, &delta, &former)?))
    });
    drift.collect()
}

/// The object without a value in the fields that are left alone.
fn without(object: &Object, fields: &[&Pointer]) -> Object {
    let mut map = (*object.0).clone();
    for field in fields {
        let places: Vec<Pointer> =
            field.within(&map).into_iter().map(std::borrow::Cow::into_owned).collect();
        for place in places {
            if let Some(value) = place.value_mut(&mut map) {
                *value = Value::Null;
            }
        }
    }
    Object::from(map)
}
