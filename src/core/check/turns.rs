//! Checks the annotations about order against each other: it finds what a plan would refuse.

use std::collections::BTreeMap;

use super::{CheckRule, Finding, Level};
use crate::core::desired::Desired;
use crate::core::manifest::Manifest;
use crate::core::object::ObjectKey;
use crate::core::plan;

/// Annotations that can't be understood, dependencies that are not declared, cycles; and references
/// that don't count. `scoped` fills in the namespace of an object of an unknown kind.
pub(super) fn wrong(
    named: &[(&ObjectKey, &Manifest)],
    scoped: impl Fn(&ObjectKey) -> Option<ObjectKey>,
) -> Vec<Finding> {
    if !named.iter().any(|(_, manifest)| plan::says_turn(&manifest.object)) {
        return Vec::new();
    }
    let mut desired = Desired::default();
    for (key, manifest) in named {
        for key in scoped(key).into_iter().chain([(*key).clone()]) {
            desired.objects.insert(key, (*manifest).clone());
        }
    }
    let (refused, warnings) = plan::turns(&desired);
    // Of objects that wait for each other, one is reported.
    let mut found = BTreeMap::new();
    for (key, reason) in refused {
        let Some(cause) = reason.causes.into_iter().next() else { continue };
        let Some(place) = cause.place.clone() else { continue };
        let is_rendered =
            desired.objects.get(&key).is_some_and(|manifest| manifest.positions.is_empty());
        let message = if is_rendered { format!("{key}: {cause}") } else { cause.to_string() };
        let place_and_cause = (place.clone(), cause.message);
        found.entry(place_and_cause).or_insert_with(|| Finding {
            level: Level::Error,
            rule: CheckRule::Order,
            place,
            object: Some(key),
            field: Some("metadata.annotations".to_owned()),
            message,
            hint: reason.remedy,
            missing: None,
        });
    }
    let warnings =
        warnings.iter().map(|w| Finding::from_problem(w, Level::Warning, CheckRule::Order));
    found.into_values().chain(warnings).collect()
}
