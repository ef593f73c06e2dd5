//! The frame of a plan's changes: the target above them, the counts and the cost below.

use std::time::Duration;

use unicode_width::UnicodeWidthStr as _;

use crate::cli::present::{Glyphs, PlanView, charts_for, is_in_sync};
use crate::core::plan::Action;

/// The header of a plan: target, cluster, paths and commit, and whether nothing is to be done.
pub fn header_line(view: &PlanView<'_>, glyphs: Glyphs) -> String {
    target_line(view, is_in_sync(view), glyphs)
}

/// The same without looking at the plan.
pub(in crate::cli::present) fn target_line(
    view: &PlanView<'_>,
    in_sync: bool,
    glyphs: Glyphs,
) -> String {
    let (target, revision) = (&view.target, &view.revision);
    let inert = |text: &str| glyphs.inert(text).into_owned();
    let mut parts = vec![target.name.to_owned()];
    match (&*target.cluster_words(), target.cluster_id) {
        ("", _) => {}
        (cluster, "") => parts.push(cluster.to_owned()),
        (cluster, id) => parts.push(format!("{cluster} (cluster {id})")),
    }
    let at = match target.paths {
        [] => revision.shown(),
        paths => format!("{} @ {}", paths.join(" "), revision.shown()),
    };
    parts.push(at);
    if revision.dirty {
        parts.push("with uncommitted changes".to_owned());
    }
    if in_sync {
        parts.push("in sync".to_owned());
    }
    let parts: Vec<String> = parts.iter().map(|part| inert(part)).collect();
    let mut line = filled(&parts, glyphs.columns(), glyphs.dot()).join("\n");
    if !in_sync && !revision.summary.is_empty() {
        let summary = format!(" \"{}\"", inert(&revision.summary));
        let last = line.lines().last().unwrap_or_default();
        let fits = last.width() + summary.width() <= glyphs.columns();
        line.push_str(if fits { "" } else { "\n   " });
        line.push_str(&summary);
    }
    line
}

/// The parts with `dot` between them, on as many lines as they need.
pub(in crate::cli::present) fn filled(parts: &[String], columns: usize, dot: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in parts {
        match lines.last_mut() {
            None => lines.push(part.clone()),
            Some(line) if line.width() + dot.width() + part.width() <= columns => {
                line.push_str(dot);
                line.push_str(part);
            }
            Some(_) => lines.push(format!("    {part}")),
        }
    }
    lines
}

/// The parts of the line that every run ends with.
///
/// `412 objects · 3 to create, 1 to update, 0 to delete · 61 requests · 0.4 s`; what is to be
/// replaced, abandoned or refused is given only when there is any, and no counts when there is nothing to do.
pub fn summary_line(view: &PlanView<'_>) -> Vec<String> {
    let plan = &view.plan;
    let plural = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let mut parts = vec![plural(plan.object_count(), "object")];
    if !plan.is_noop() {
        let count = |action| plan.count(action);
        let mut counts = format!(
            "{} to create, {} to update, {} to delete",
            count(Action::Create),
            count(Action::Update),
            count(Action::Delete)
        );
        let others = [
            (Action::Replace, "to replace"),
            (Action::Abandon, "to abandon"),
            (Action::Refuse, "refused"),
        ];
        for (action, words) in others {
            if count(action) > 0 {
                counts.push_str(&format!(", {} {words}", count(action)));
            }
        }
        parts.push(counts);
    }
    parts.extend(view.charts_for.map(charts_for));
    parts.extend(cost(view.requests, view.elapsed));
    parts
}

/// The cost of a run: `61 requests` and `0.4 s`.
pub(in crate::cli::present) fn cost(requests: usize, elapsed: Duration) -> [String; 2] {
    let plural = if requests == 1 { "" } else { "s" };
    [format!("{requests} request{plural}"), seconds(elapsed)]
}

/// `0.09 s`, `0.4 s`, `11.8 s`.
fn seconds(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs_f64();
    if seconds < 0.095 { format!("{seconds:.2} s") } else { format!("{seconds:.1} s") }
}

/// The parts on one line, with the dots that the terminal can show and nothing that harms it.
pub(in crate::cli::present) fn joined(parts: &[String], glyphs: Glyphs) -> String {
    let parts: Vec<_> = parts.iter().map(|part| glyphs.inert(part)).collect();
    parts.join(glyphs.dot())
}
