//! Annotations about an object's treatment that are invalid or not the object's to set: a plan
//! would refuse it.

use super::{CheckRule, Finding, Level};
use crate::core::annotations::faults;
use crate::core::inventory::reserved;
use crate::core::manifest::Manifest;
use crate::core::object::ObjectKey;

/// Switches that there are not, and values that mean nothing.
pub(super) fn wrong(key: &ObjectKey, manifest: &Manifest) -> Vec<Finding> {
    let finding = |fault: crate::core::annotations::AnnotationFault| {
        let cause = fault.cause(manifest);
        let is_rendered = manifest.positions.is_empty();
        let message = if is_rendered { format!("{key}: {cause}") } else { cause.to_string() };
        Finding {
            level: Level::Error,
            rule: CheckRule::Annotation,
            place: crate::core::annotations::place(manifest, &fault.annotation),
            object: Some(key.clone()),
            field: Some("metadata.annotations".to_owned()),
            message,
            hint: Some(fault.hint),
            missing: None,
        }
    };
    let reserved = reserved::problem(manifest).map(|problem| Finding {
        object: Some(key.clone()),
        ..Finding::from_problem(&problem, Level::Error, CheckRule::Reserved)
    });
    reserved.into_iter().chain(faults(&manifest.object).into_iter().map(finding)).collect()
}
