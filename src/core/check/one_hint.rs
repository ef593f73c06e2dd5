//! One finding and one remedy for a value that looks like another one. The reader warns of it before
//! the field's type is known; the schema knows which of the two it has to be.

use std::collections::BTreeMap;

use super::{CheckRule, Finding};
use crate::core::problem::Location;
use crate::core::remedy::Remedy;

/// The word of a schema on a value that looks like another one.
#[derive(Debug)]
pub(super) enum Look {
    /// Its type is wrong, which is an error of its own.
    Wrong,
    /// Its type is right; how to write it, where there is a way.
    Right(Option<String>),
}

/// Leaves out the reader's warnings about values that are errors anyway, and gives the others the
/// remedy for their field's type.
pub(super) fn settle(findings: &mut Vec<Finding>, looks: Vec<(Location, Look)>) {
    if looks.is_empty() {
        return;
    }
    let looks: BTreeMap<Location, Look> = looks.into_iter().collect();
    findings.retain_mut(|finding| {
        if finding.rule != CheckRule::Surprise || finding.object.is_some() {
            return true;
        }
        match looks.get(&finding.place) {
            None => true,
            Some(Look::Wrong) => false,
            Some(Look::Right(remedy)) => {
                finding.hint = remedy.clone().map(Remedy::Text);
                true
            }
        }
    });
}
