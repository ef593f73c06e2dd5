//! An approved plan that does not hold any more, as text: the new difference of every object that
//! moved, what happened to each, and what to do.

use std::io::{self, Write};

use super::ink::Ink;
use super::wrap::wrapped;
use super::{Glyphs, PlanView, text};
use crate::core::approval::ApprovalDifference;
use crate::core::plan::Action;

/// Writes it.
///
/// # Errors
///
/// When `out` does not take it.
pub(super) fn write(
    out: &mut impl Write,
    view: &PlanView<'_>,
    difference: &ApprovalDifference,
    glyphs: Glyphs,
) -> io::Result<()> {
    let red = Ink::RED.bold();
    let moved = only(view, difference);
    writeln!(out, "{}", text::header_line(&moved, glyphs))?;
    for change in moved.plan.changes().filter(|change| change.action() != Action::Keep) {
        writeln!(out)?;
        text::change(out, change, &moved, glyphs)?;
    }
    writeln!(out)?;
    for object in &difference.moved {
        let line = format!("{} {}", object.object, object.message());
        let lines = wrapped(&glyphs.inert(&line), glyphs.limit(), 2, 4);
        writeln!(out, "{red}!{red:#} {}", lines.join("\n"))?;
    }
    let (target, commit) = (view.target.name, view.revision.shown());
    let why = match difference.moved.len() {
        0 => "the commit declares something else than when the plan was made".to_owned(),
        1 => "1 object moved since the plan was made".to_owned(),
        n => format!("{n} objects moved since the plan was made"),
    };
    let end = [format!("{target} is NOT at {commit}: {why}"), "nothing was written".to_owned()];
    let parts = end.into_iter().chain(text::cost(view.requests, view.elapsed));
    let parts: Vec<String> = parts.map(|part| glyphs.inert(&part).into()).collect();
    writeln!(out)?;
    for line in text::filled(&parts, glyphs.columns(), glyphs.dot()) {
        writeln!(out, "{line}")?;
    }
    if difference.desired {
        writeln!(
            out,
            "    is it rendered with other versions of kustomize, helm or jsonnet here?"
        )?;
    }
    super::hint::write(out, "approve the new difference, with trueup diff --out FILE", glyphs)
}

/// The view of the objects that moved, alone.
pub(super) fn only<'a>(view: &PlanView<'a>, difference: &ApprovalDifference) -> PlanView<'a> {
    let moved = difference.moved.iter().map(|moved| moved.object.clone());
    PlanView { plan: view.plan.only(moved), ..view.clone() }
}
