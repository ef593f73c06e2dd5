//! A target that can't be read, among several of a check: a finding where `trueup.yaml` declares it, so
//! that the findings of the others are there all the same.

use super::exit::Failure;
use crate::app::{self, Target};
use crate::config;
use crate::core::check::{CheckRule, Finding, Level};
use crate::core::problem::Location;

/// The finding in place of a target's own.
///
/// # Errors
///
/// When the failure is not about the target.
pub(super) fn finding(name: &str, target: &Target, failure: Failure) -> Result<Finding, Failure> {
    let Some(error) = failure.error.downcast_ref::<app::Error>() else {
        let error = failure.error.context(format!("cannot check target {name}"));
        return Err(Failure { error, ..failure });
    };
    let place = match error {
        app::Error::Ignore(problem) => problem.place.clone(),
        app::Error::NoDeclaredPath { at, .. } => in_config(at.line, at.column),
        // The first of its paths is the nearest to its name.
        _ => {
            let first = target.paths_at.values().map(|at| (at.line, at.column)).min();
            let (line, column) = first.unwrap_or((1, 1));
            in_config(line, column)
        }
    };
    let causes: Vec<String> = failure.error.chain().map(ToString::to_string).collect();
    let causes = causes.join(": ");
    // An error that names its place does so at its front.
    let cause = causes.strip_prefix(&format!("{place}: ")).unwrap_or(&causes);
    let message = match error {
        app::Error::NoDeclaredPath { .. } => cause.to_owned(),
        _ => format!("cannot check target {name}: {cause}"),
    };
    let hint = (!failure.hints.is_empty()).then(|| failure.hints.join("; ").into());
    Ok(Finding {
        level: Level::Error,
        rule: CheckRule::Unreadable,
        place,
        object: None,
        field: None,
        message,
        hint,
        missing: None,
    })
}

fn in_config(line: usize, column: usize) -> Location {
    Location { path: config::FILE.to_owned(), line, column }
}
