//! An approved plan that does not hold any more, as text: the new difference of every object that
//! moved, what happened to each, and what to do.

use std::io::{self, Write};

use super::ink::Ink;
use super::wrap::wrapped;
use super::{Glyphs, PlanView, text};
use crate::core::approval::ApprovalDifference;
use crate::core::plan::{Action, Change, Plan};

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
    let plan = only(view.plan, difference);
    let moved = PlanView { plan: &plan, ..*view };
    writeln!(out, "{}", text::header_line(&moved, glyphs))?;
    for change in plan.changes().filter(|change| change.action() != Action::Keep) {
        writeln!(out)?;
        text::change(out, change, &moved, glyphs)?;
    }
    writeln!(out)?;
    for object in &difference.moved {
        let line = format!("{} {}", object.object, object.message());
        let lines = wrapped(&glyphs.inert(&line), glyphs.limit(), 2, 4);
        writeln!(out, "{red}!{red:#} {}", lines.join("\n"))?;
    }
    let (target, commit) = (view.target.name, view.revision.short());
    let why = match difference.moved.len() {
        0 => "the commit declares something else than when the plan was made".to_owned(),
        1 => "1 object moved since the plan was made".to_owned(),
        n => format!("{n} objects moved since the plan was made"),
    };
    let end = [
        format!("{target} is NOT at {commit}: {why}"),
        "nothing was written".to_owned(),
        text::cost(view.requests, view.elapsed),
    ];
    let end = text::filled(&end.map(|part| glyphs.inert(&part).into()), glyphs.columns());
    writeln!(out)?;
    for line in end.lines() {
        writeln!(out, "{}", text::with_dots(line, glyphs))?;
    }
    if difference.desired {
        writeln!(
            out,
            "    is it rendered with other versions of kustomize, helm or jsonnet here?"
        )?;
    }
    text::hint(out, "approve the new difference, with trueup diff --out FILE", glyphs)
}

/// The changes of the objects that moved, alone.
pub(super) fn only(plan: &Plan, difference: &ApprovalDifference) -> Plan {
    let moved = |change: &&Change| difference.moved.iter().any(|moved| moved.object == change.key);
    Plan::loose(plan.changes().filter(moved).cloned().collect())
}
