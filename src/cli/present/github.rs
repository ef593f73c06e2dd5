//! A plan as annotations of a GitHub workflow: each change and each problem at its line.

use std::io::{self, Write};

use super::annotation::{Annotation, FileLocation};
use super::{Glyphs, PlanView, brief, printed_changes, steps, text};
use crate::core::approval::ApprovalDifference;
use crate::core::mask::Masked;
use crate::core::masked_plan::MaskedChange;
use crate::core::plan::{Action, Reason};
use crate::core::redact::MaskedProblem;
use crate::core::report::{Outcome, Report};

/// GitHub takes UTF-8.
const GLYPHS: Glyphs = Glyphs { utf8: true, width: None };

/// Writes a plan, and the line that every run ends with.
///
/// # Errors
///
/// When `out` does not take it.
pub(super) fn write(out: &mut impl Write, view: &PlanView<'_>) -> io::Result<()> {
    printed_changes(&view.plan).try_for_each(|change| annotation(out, change, view))?;
    view.problems.iter().try_for_each(|problem| self::problem(out, problem))?;
    writeln!(out, "{}", text::joined(&text::summary_line(view), GLYPHS))
}

/// Writes what carrying out a plan left to do, and the line that every apply ends with.
///
/// # Errors
///
/// When `out` does not take it.
pub(super) fn write_report(
    out: &mut impl Write,
    view: &PlanView<'_>,
    report: &Masked<Report>,
) -> io::Result<()> {
    let is_left =
        |change: &MaskedChange<'_>| matches!(change.action(), Action::Keep | Action::Refuse);
    printed_changes(&view.plan)
        .filter(is_left)
        .try_for_each(|change| annotation(out, change, view))?;
    for step in &report.steps {
        let (level, word, reason) = match &step.outcome {
            Outcome::Failed(reason) => ("error", "failed", reason),
            Outcome::Differs(reason) => ("error", "not as planned", reason),
            Outcome::Skipped(reason) => ("warning", "not tried", reason),
            Outcome::Postponed(reason) => ("notice", "left for the next run", reason),
            Outcome::Done | Outcome::Terminating => continue,
        };
        let mut changes = view.plan.changes();
        let origin =
            changes.find(|change| *change.key() == step.key).and_then(MaskedChange::origin);
        let at = place_of(reason).or(origin.map(FileLocation::from));
        let lines = brief::reasons(reason);
        let title = format!("{word}: {} {}", step.action.name(), step.key);
        write_one(out, level, at, &title, &lines)?;
    }
    view.problems.iter().try_for_each(|problem| self::problem(out, problem))?;
    writeln!(out, "{}", text::joined(&steps::end_line(view, report), GLYPHS))
}

/// Writes that an approved plan does not hold any more: what moved, and what there is to do now.
///
/// # Errors
///
/// When `out` does not take it.
pub(super) fn write_moved(
    out: &mut impl Write,
    view: &PlanView<'_>,
    difference: &ApprovalDifference,
) -> io::Result<()> {
    for object in &difference.moved {
        let message = [object.message().to_string()];
        write_one(out, "error", None, &object.object.to_string(), &message)?;
    }
    write(out, view)
}

fn annotation(
    out: &mut impl Write,
    change: MaskedChange<'_>,
    view: &PlanView<'_>,
) -> io::Result<()> {
    let level = if change.action() == Action::Refuse { "error" } else { "warning" };
    let origin = change.origin().map(FileLocation::from);
    let reason = change.reason();
    let at = reason.as_deref().and_then(place_of).or(origin);
    let delta = view.delta(change);
    let mut lines = brief::parts(change, &delta);
    if lines.is_empty() {
        lines.push(match change.action() {
            Action::Create => "it does not exist yet".to_owned(),
            Action::Delete => "it is no longer declared".to_owned(),
            _ => "it differs".to_owned(),
        });
    }
    write_one(out, level, at, &format!("{} {}", change.action().name(), change.key()), &lines)
}

fn problem(out: &mut impl Write, problem: &MaskedProblem) -> io::Result<()> {
    let mut lines = vec![problem.message().to_owned()];
    lines.extend(problem.hint().map(|hint| format!("do this: {hint}")));
    write_one(out, "error", Some(problem.place().into()), "", &lines)
}

/// Where the first field is that the server names.
fn place_of(reason: &Reason) -> Option<FileLocation<'_>> {
    reason.causes.iter().find_map(|cause| cause.place.as_ref()).map(FileLocation::from)
}

fn write_one(
    out: &mut impl Write,
    level: &'static str,
    at: Option<FileLocation<'_>>,
    title: &str,
    lines: &[String],
) -> io::Result<()> {
    Annotation { level, at, title, message: &lines.join("\n") }.write(out)
}
