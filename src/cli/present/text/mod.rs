//! A plan as text: what changes object by object, what is left alone and why, what is wrong.
//!
//! Marks and words carry the meaning, colour only repeats it. Our own lines fit into the terminal as
//! far as names and paths let them, messages are broken to it, and an object's text is neither
//! broken nor cut.

mod change;
mod frame;
mod lines;

use std::io::{self, Write};

use change::kept_objects;
pub(super) use change::{change, header, reason};
pub(super) use frame::{cost, filled, joined, target_line};
pub use frame::{header_line, summary_line};
pub(super) use lines::body;

use super::ink::Ink;
use super::wrap::wrapped;
use super::{Glyphs, PlanView, printed_changes, undeclared};
use crate::core::mask::Masked;
use crate::core::masked_plan::MaskedChange;
use crate::core::plan::{Action, Reason};

/// Writes the whole of it: what it is for, the changes, the problems, the closing line.
///
/// # Errors
///
/// When `out` does not take it.
pub fn write(out: &mut impl Write, view: &PlanView<'_>, glyphs: Glyphs) -> io::Result<()> {
    writeln!(out, "{}", header_line(view, glyphs))?;
    for change in printed_changes(&view.plan).filter(|change| !is_left(*change)) {
        writeln!(out)?;
        self::change(out, change, view, glyphs)?;
    }
    left(out, view, glyphs)?;
    problems(out, view, glyphs)?;
    undeclared::write(out, view, glyphs)?;
    closing(out, view, glyphs)
}

/// Writes all but the differences, where an external program shows these.
pub(super) fn write_beside(
    out: &mut impl Write,
    view: &PlanView<'_>,
    glyphs: Glyphs,
) -> io::Result<()> {
    writeln!(out, "{}", header_line(view, glyphs))?;
    ignored_lines(out, view, glyphs)?;
    undeclared::write(out, view, glyphs)?;
    closing(out, view, glyphs)
}

fn closing(out: &mut impl Write, view: &PlanView<'_>, glyphs: Glyphs) -> io::Result<()> {
    let is_beside = view.explained.undeclared.is_some();
    if printed_changes(&view.plan).next().is_some() || !view.problems.is_empty() || is_beside {
        writeln!(out)?;
    }
    let summary = summary_line(view);
    end(out, &summary, glyphs)
}

/// Writes the line that a run ends with, in as many as its parts need.
pub(super) fn end(out: &mut impl Write, parts: &[String], glyphs: Glyphs) -> io::Result<()> {
    let Some(columns) = glyphs.limit() else {
        return writeln!(out, "{}", joined(parts, glyphs));
    };
    let parts: Vec<String> = parts.iter().map(|part| glyphs.inert(part).into()).collect();
    let lines = filled(&parts, columns, glyphs.dot());
    let mut lines = lines.iter().flat_map(|line| wrapped(line, Some(columns), 0, 4));
    lines.try_for_each(|line| writeln!(out, "{line}"))
}

/// Writes what a plan leaves as it is: what is refused, what is kept for a reason, and what could
/// not be read.
///
/// # Errors
///
/// When `out` does not take it.
pub(super) fn ignored_lines(
    out: &mut impl Write,
    view: &PlanView<'_>,
    glyphs: Glyphs,
) -> io::Result<()> {
    let is_refused =
        |change: &MaskedChange<'_>| change.action() == Action::Refuse && !is_left(*change);
    for change in printed_changes(&view.plan).filter(is_refused) {
        writeln!(out)?;
        self::change(out, change, view, glyphs)?;
    }
    let is_short =
        |change: &MaskedChange<'_>| view.plan.is_short(change.key()) && !is_left(*change);
    for change in view.plan.changes().filter(is_short) {
        if let Some(reason) = change.reason() {
            writeln!(out)?;
            kept_objects(out, &reason, &[change], glyphs)?;
        }
    }
    left(out, view, glyphs)?;
    problems(out, view, glyphs)
}

/// Whether the object is left in the cluster for a reason of trueup's own, which many can share:
/// it is kept, or no longer declared and not deleted all the same.
pub(super) fn is_left(change: MaskedChange<'_>) -> bool {
    let is_undeclared = change.origin().is_none();
    change.action() == Action::Keep || (change.action() == Action::Refuse && is_undeclared)
}

/// Writes the objects that are left for a reason, those of one reason together.
fn left(out: &mut impl Write, view: &PlanView<'_>, glyphs: Glyphs) -> io::Result<()> {
    let mut left: Vec<(Masked<Reason>, Vec<MaskedChange<'_>>)> = Vec::new();
    for change in printed_changes(&view.plan).filter(|change| is_left(*change)) {
        let Some(reason) = change.reason() else { continue };
        match left.iter_mut().find(|(other, _)| *other == reason) {
            Some((_, changes)) => changes.push(change),
            None => left.push((reason, vec![change])),
        }
    }
    for (reason, changes) in left {
        writeln!(out)?;
        kept_objects(out, &reason, &changes, glyphs)?;
    }
    Ok(())
}

/// Writes what could not be read, and what follows from it.
fn problems(out: &mut impl Write, view: &PlanView<'_>, glyphs: Glyphs) -> io::Result<()> {
    for problem in &super::folded_problems(&view.problems) {
        writeln!(out)?;
        super::repeated(out, problem, glyphs)?;
    }
    let (yellow, n) = (Ink::YELLOW, view.problems.len());
    let (documents, they) = match n {
        0 => return Ok(()),
        1 => ("document", "it is"),
        _ => ("documents", "they are"),
    };
    let line = format!("{n} {documents} can't be used: nothing is pruned until {they} mended");
    writeln!(out, "{yellow}?{yellow:#} {}", wrapped(&line, glyphs.limit(), 2, 4).join("\n"))
}
