//! The difference between two commits, below the line of a round.

use std::io::{self, Write};
use std::time::Duration;

use jiff::Timestamp;

use crate::app::{CommitsDifference, Explained};
use crate::cli::present::wrap::wrapped;
use crate::cli::present::{Glyphs, PlanView, RevisionView, TargetView, text};
use crate::core::inventory::Siblings;
use crate::core::masked_plan::MaskedPlan;

/// Writes the objects that differ.
///
/// # Errors
///
/// When `out` does not take it.
pub fn write(
    mut out: &mut dyn Write,
    difference: &CommitsDifference,
    glyphs: Glyphs,
) -> io::Result<()> {
    let CommitsDifference { plan, redactor, problems } = difference;
    let explained = Explained::default();
    let siblings = Siblings::default();
    let view = PlanView {
        plan: MaskedPlan::new(plan, redactor),
        problems: Vec::new(),
        explained: &explained,
        now: Timestamp::UNIX_EPOCH,
        target: TargetView::default(),
        revision: RevisionView::default(),
        requests: 0,
        elapsed: Duration::ZERO,
        plan_sha256: None,
        charts_for: None,
        removed: &[],
        siblings: &siblings,
        is_removal: false,
    };
    writeln!(out)?;
    let mut is_any = false;
    for change in view.plan.changes() {
        is_any = true;
        text::change(&mut out, change, &view, glyphs)?;
        writeln!(out)?;
    }
    if !is_any {
        writeln!(out, "    no object differs from the commit before\n")?;
    }
    match problems {
        0 => Ok(()),
        1 => writeln!(out, "    1 document of these commits can't be read\n"),
        _ => writeln!(out, "    {problems} documents of these commits can't be read\n"),
    }
}

/// Writes why there is no difference to show.
///
/// # Errors
///
/// When `out` does not take it.
pub fn unknown(out: &mut dyn Write, why: &str, glyphs: Glyphs) -> io::Result<()> {
    let lines = wrapped(&glyphs.inert(why), glyphs.limit(), 4, 6);
    writeln!(out, "    {}\n", lines.join("\n"))
}
