//! The progress of an apply, as text: a line for each change as it ends, and whether the
//! cluster is at the commit.

use std::collections::BTreeMap;
use std::io::{self, Write};

use unicode_width::UnicodeWidthStr as _;

use super::ink::Ink;
use super::{Glyphs, PlanView, text, waiting};
use crate::core::mask::Masked;
use crate::core::masked_plan::MaskedPlan;
use crate::core::object::ObjectKey;
use crate::core::plan::{Action, ReasonKind};
use crate::core::report::{ChangeOutcome, DIFFERING, Outcome, Report};

/// Kinds and paths wider than this are not padded for.
const WIDEST: usize = 40;

/// Writes steps in columns that fit a plan's changes.
pub struct Steps {
    glyphs: Glyphs,
    kind: usize,
    path: usize,
    /// The targets that take over objects which are let go.
    taken_by: BTreeMap<ObjectKey, String>,
}

impl Steps {
    /// Columns for the changes of `plan`.
    pub fn new(plan: &MaskedPlan<'_>, glyphs: Glyphs) -> Self {
        let writes =
            || plan.changes().filter(|c| !matches!(c.action(), Action::Keep | Action::Refuse));
        let widest = |widths: &mut dyn Iterator<Item = usize>| {
            widths.filter(|width| *width <= WIDEST).max().unwrap_or(0)
        };
        let kind = widest(&mut writes().map(|change| change.key().kind.width()));
        let path = widest(&mut writes().map(|change| change.key().path().width()));
        let abandoned = plan.changes().filter(|change| change.action() == Action::Abandon);
        let taken_by = abandoned.filter_map(|change| match &*change.reason()?.kind {
            ReasonKind::MovesTo { target, .. } => Some((change.key().clone(), target.clone())),
            _ => None,
        });
        Self { glyphs, kind, path, taken_by: taken_by.collect() }
    }

    /// One step, as a line; a failed one with the reason and what to do.
    ///
    /// # Errors
    ///
    /// When `out` does not take it.
    pub fn write(&self, out: &mut impl Write, step: &Masked<ChangeOutcome>) -> io::Result<()> {
        let (mark, style, word) = match (&step.outcome, step.action) {
            (Outcome::Done, Action::Create) => (self.glyphs.done(), Ink::GREEN, "created"),
            (Outcome::Done, Action::Delete) => (self.glyphs.done(), Ink::GREEN, "deleted"),
            (Outcome::Done, Action::Replace) => (self.glyphs.done(), Ink::GREEN, "replaced"),
            (Outcome::Done, Action::Abandon) => (self.glyphs.done(), Ink::GREEN, "abandoned"),
            (Outcome::Done, _) => (self.glyphs.done(), Ink::GREEN, "updated"),
            (Outcome::Terminating, _) => {
                (self.glyphs.gap(), Ink::YELLOW, "being deleted, finalizers hold it")
            }
            (Outcome::Failed(_), _) => ("!", Ink::RED, "failed"),
            (Outcome::Differs(_), _) => ("!", Ink::RED, "not as planned"),
            (Outcome::Skipped(_), _) => ("?", Ink::YELLOW, "not tried"),
            (Outcome::Postponed(_), _) => (self.glyphs.gap(), Ink::YELLOW, "left for the next run"),
        };
        let (kind, path) = (self.glyphs.inert(&step.key.kind), step.key.path());
        let path = self.glyphs.inert(&path);
        let (kind_pad, path_pad) = (pad(&kind, self.kind), pad(&path, self.path));
        let taken_by = self.taken_by.get(&step.key).filter(|_| step.outcome == Outcome::Done);
        let to = taken_by.map(|target| format!(" to target {}", self.glyphs.inert(target)));
        let to = to.unwrap_or_default();
        writeln!(out, "{style}{mark}{style:#} {kind}{kind_pad}  {path}{path_pad}  {word}{to}")?;
        if let Some(reason) = step.outcome.reason() {
            text::reason(out, reason, self.glyphs)?;
        }
        Ok(())
    }
}

/// How many deletions that are not through are told one by one.
const FEW: usize = 8;

fn pad(text: &str, width: usize) -> String {
    " ".repeat(width.saturating_sub(text.width()))
}

/// Problems and objects that are left alone, and whether the cluster is at the commit now.
///
/// # Errors
///
/// When `out` does not take it.
pub fn write_end(
    out: &mut impl Write,
    view: &PlanView<'_>,
    report: &Masked<Report>,
    glyphs: Glyphs,
) -> io::Result<()> {
    // Going back has told it already.
    let was_told = report.rollback.as_ref().is_some_and(|rollback| rollback.to.is_some());
    let mut told = Vec::new();
    if !was_told {
        write_unhealthy(&mut told, view, report, glyphs)?;
    }
    // The first lines of an answer have none above them to be apart from.
    let is_first = report.steps.is_empty();
    let lines = told.strip_prefix(b"\n").filter(|_| is_first).unwrap_or(&told);
    out.write_all(lines)?;
    if was_told || !is_first || !lines.is_empty() || !view.plan.is_noop() {
        writeln!(out)?;
    }
    text::end(out, &end_line(view, report), glyphs)
}

/// The objects that are left alone, not gone yet, or not healthy.
///
/// # Errors
///
/// When `out` does not take it.
pub(super) fn write_unhealthy(
    out: &mut impl Write,
    view: &PlanView<'_>,
    report: &Masked<Report>,
    glyphs: Glyphs,
) -> io::Result<()> {
    text::ignored_lines(out, view, glyphs)?;
    for (key, holder) in report.held.iter().take(FEW) {
        let shown = |holder| format!(" and waits for {holder}");
        let holder = holder.as_deref().map(shown).unwrap_or_default();
        let said = format!("{key} is still being deleted{holder}");
        writeln!(out, "{} {}", glyphs.gap(), glyphs.broken("  ", &glyphs.inert(&said)))?;
    }
    match report.held.len().saturating_sub(FEW) {
        0 => {}
        more => writeln!(out, "  and {more} more")?,
    }
    if let Some(proof) = &report.proof {
        waiting::write(out, proof, glyphs)?;
    }
    Ok(())
}

/// The parts of the line that every apply ends with.
pub fn end_line(view: &PlanView<'_>, report: &Masked<Report>) -> Vec<String> {
    let (target, commit) = (view.target.name, view.revision.shown());
    let objects = view.plan.object_count();
    let plural = if objects == 1 { "" } else { "s" };
    let mut parts = match report.at_commit {
        _ if report.rollback.is_some() => {
            let rollback = report.rollback.as_ref().map(|rollback| rollback.outcome.to_string());
            let rollback = rollback.unwrap_or_default();
            vec![format!("{target} is NOT at {commit}: {}; {rollback}", failure(view, report))]
        }
        true if view.is_removal && report.recorded.is_none() => {
            let changed = match report.done() {
                0 => "its inventory is gone".to_owned(),
                done => format!("{done} changed, and its inventory is gone"),
            };
            vec![format!("{target} is taken down"), changed]
        }
        true => {
            let changed = match report.done() {
                0 => "nothing to do".to_owned(),
                done => format!("{done} changed"),
            };
            let objects = format!("{objects} object{plural}, {changed}");
            match &report.proof {
                None => vec![format!("{target} is at {commit}"), objects],
                Some(proof) if proof.is_ready() => {
                    let objects = format!("{objects}, {}", waiting::tally(proof));
                    vec![format!("{target} is at {commit}"), objects]
                }
                Some(proof) => {
                    vec![format!("{target} is at {commit}, but {}", waiting::tally(proof)), objects]
                }
            }
        }
        false => {
            let health = report.proof.as_ref().map(|proof| format!(", {}", waiting::tally(proof)));
            let health = health.unwrap_or_default();
            vec![format!("{target} is NOT at {commit}: {}{health}", shortfall(view, report))]
        }
    };
    parts.extend(view.charts_for.map(super::charts_for));
    parts.extend(text::cost(view.requests, view.elapsed));
    parts
}

/// Why a commit was taken back.
fn failure(view: &PlanView<'_>, report: &Masked<Report>) -> String {
    match report.proof.as_ref().map(|proof| proof.others.as_slice()) {
        Some([one]) => format!("{} did not get ready", one.key.name),
        Some(others @ [_, ..]) => format!("{} objects did not get ready", others.len()),
        Some([]) | None => shortfall(view, report),
    }
}

/// The reasons why the cluster is not at the commit.
fn shortfall(view: &PlanView<'_>, report: &Masked<Report>) -> String {
    let refused = view.plan.count(Action::Refuse);
    let unread = view.problems.len();
    let held_back = view.plan.held_back().count();
    let short = view.plan.short_count();
    let plural = if report.unlisted == 1 { "" } else { "s" };
    let parts = [
        (report.interrupted.into(), "interrupted".to_owned()),
        (
            report.lost.is_some().into(),
            format!("lost the lock to {}", report.lost.as_deref().unwrap_or_default()),
        ),
        (report.failed(), format!("{} failed", report.failed())),
        (report.differing(), format!("{} {DIFFERING}", report.differing())),
        (refused, format!("{refused} refused")),
        (unread, format!("{unread} not usable")),
        (report.unlisted, format!("{} kind{plural} not listed", report.unlisted)),
        (short, format!("{short} with fields that the server drops")),
        (held_back, format!("{held_back} not pruned")),
        (report.skipped(), format!("{} not tried", report.skipped())),
    ];
    let parts = parts.into_iter().filter(|(count, _)| *count > 0).map(|(_, words)| words);
    let done = format!("{} done", report.done());
    parts.chain([done]).collect::<Vec<_>>().join(", ")
}
