//! A plan as Markdown for a comment on a pull request: what it comes to in one line, a table of the
//! changes, the difference of each one folded away, and what is wrong.
//!
//! It is as long as a comment may be, and says what did not fit. The same plan always gives the
//! same text: no costs, and dates in place of `3 min ago`, so that a comment can be compared and
//! be read later.

pub(super) mod escape;
mod fold;

use escape::{code, fenced, length, words};

use super::explanation;
use super::repeats::Repeated;
use super::story::TimeStyle;
use super::{Glyphs, PlanView, brief, is_in_sync, printed_changes, to_do, waiting};
use crate::core::approval::ApprovalDifference;
use crate::core::mask::Masked;
use crate::core::masked_plan::{ChangeHeading, MaskedChange, MaskedPlan};
use crate::core::plan::Action;
use crate::core::redact::MaskedProblem;
use crate::core::report::{DIFFERING, Outcome, Report};

/// The longest comment: GitHub takes 65,536 characters, and whoever posts it may add a line.
pub(super) const MOST: usize = 64_000;
/// How much of it the table may have, and what is wrong.
const MOST_OF_A_PART: usize = 16_000;
/// Left for saying what is left out.
const MARGIN: usize = 500;
/// More characters than this of one cell are cut.
const CELL: usize = 200;

/// A forge takes UTF-8.
const GLYPHS: Glyphs = Glyphs { utf8: true, width: None };

/// The plan.
pub(super) fn plan(view: &PlanView<'_>) -> String {
    let is_same = is_in_sync(view);
    let what = match is_same {
        true => format!("in sync, {}", objects(&view.plan)),
        false => counts(&view.plan, &view.problems),
    };
    let row = |change: MaskedChange<'_>| row(change, change.action().name(), view);
    let rows: Vec<String> = printed_changes(&view.plan).map(row).collect();
    comment(&format!("{}: {what}", place(view, "at")), &rows, view)
}

/// The report of an apply.
pub(super) fn report(view: &PlanView<'_>, report: &Masked<Report>) -> String {
    let verdict = match report.at_commit {
        true if report.rollback.is_none() => {
            let done = report.done();
            let changed =
                if done == 0 { "nothing to do".to_owned() } else { format!("{done} changed") };
            let health = report.proof.as_ref().map(|proof| format!(", {}", waiting::tally(proof)));
            let health = health.unwrap_or_default();
            format!("{}: {}, {changed}{health}", place(view, "is at"), objects(&view.plan))
        }
        _ => format!("{}: {}", place(view, "is **not** at"), shortfall(view, report)),
    };
    let verdict = match &report.rollback {
        Some(rollback) => format!("{verdict}; **{}**", words(&cut(&rollback.outcome.to_string()))),
        None => verdict,
    };
    let rows: Vec<String> = printed_changes(&view.plan)
        .map(|change| {
            let step = report.steps.iter().find(|step| step.key == *change.key());
            match step.map(|step| &step.outcome) {
                None => row(change, change.action().name(), view),
                Some(outcome) => {
                    let (word, reason) = match outcome {
                        Outcome::Done => return row(change, done(change.action()), view),
                        Outcome::Terminating => return row(change, "being deleted", view),
                        Outcome::Failed(reason) => ("**failed**", reason),
                        Outcome::Differs(reason) => ("**not as planned**", reason),
                        Outcome::Postponed(reason) => ("left for the next run", reason),
                        Outcome::Skipped(reason) => ("not tried", reason),
                    };
                    let why = brief::reasons(reason);
                    cells(change.heading(), word, &why.join("; "))
                }
            }
        })
        .collect();
    comment(&verdict, &rows, view)
}

/// That an approved plan does not hold any more, and what there is to do now of what moved.
pub(super) fn moved(view: &PlanView<'_>, difference: &ApprovalDifference) -> String {
    let why = match difference.desired {
        true => "the commit declares something else than when the plan was made",
        false => "what the plan was made for has moved since",
    };
    let verdict = format!(
        "{}: {why}. Nothing was written: approve the new difference, with `trueup diff --out FILE`",
        place(view, "is **not** at")
    );
    let row = |change: MaskedChange<'_>| row(change, change.action().name(), view);
    let rows: Vec<String> = printed_changes(&view.plan).map(row).collect();
    comment(&verdict, &rows, view)
}

/// A plan file: it has no values, so there is nothing to fold away.
pub(super) fn plan_file(
    view: &PlanView<'_>,
    changes: &[ChangeHeading<'_>],
    allowed: &[String],
) -> String {
    let count = |action| changes.iter().filter(|change| change.action == action).count();
    let what = match super::counted(count).join(", ") {
        counts if counts.is_empty() => "nothing to do".to_owned(),
        counts => words(&counts),
    };
    let mut text = format!("{}: {what}\n", place(view, "at"));
    if !allowed.is_empty() {
        let options: Vec<String> = allowed.iter().map(|option| code(&cut(option))).collect();
        text.push_str(&format!("\nAllowed: {}\n", options.join(", ")));
    }
    let rows: Vec<String> =
        changes.iter().map(|change| cells(*change, change.action.name(), "")).collect();
    table(&mut text, &rows);
    checksum(&mut text, view);
    text
}

/// Ties the comment to the plan file, if there is one.
fn checksum(text: &mut String, view: &PlanView<'_>) {
    if let Some(sha256) = view.plan_sha256 {
        text.push_str(&format!("\nPlan file: sha256 {}\n", code(sha256)));
    }
}

/// Puts the parts together, as far as they fit.
fn comment(verdict: &str, rows: &[String], view: &PlanView<'_>) -> String {
    let mut text = format!("{verdict}\n");
    table(&mut text, rows);
    problems(&mut text, view);
    checksum(&mut text, view);
    let (mut used, mut left_out) = (length(&text) + MARGIN, 0);
    for change in printed_changes(&view.plan) {
        let Some(fold) = fold::of(change, view) else { continue };
        let more = length(&fold) + 1;
        if used + more <= MOST {
            used += more;
            text.push('\n');
            text.push_str(&fold);
        } else {
            left_out += 1;
        }
    }
    if left_out > 0 {
        let (are, changes) = if left_out == 1 { ("is", "change") } else { ("are", "changes") };
        text.push_str(&format!(
            "\nThere {are} {left_out} more {changes} whose difference did not fit: `trueup diff` shows all.\n"
        ));
    }
    text
}

/// Adds the table, and how many rows did not fit.
fn table(text: &mut String, rows: &[String]) {
    if rows.is_empty() {
        return;
    }
    text.push_str("\n| | object | declared at | what |\n|---|---|---|---|\n");
    let fitting = fitting(rows);
    text.extend(rows[..fitting].iter().map(String::as_str));
    more(text, rows.len() - fitting, "object", "objects");
}

/// Adds what is wrong with the manifests.
fn problems(text: &mut String, view: &PlanView<'_>) {
    if view.problems.is_empty() {
        return;
    }
    let (documents, they) = match view.problems.len() {
        1 => ("document", "it is"),
        _ => ("documents", "they are"),
    };
    text.push_str(&format!(
        "\n{} {documents} can't be used: nothing is pruned until {they} mended.\n\n",
        view.problems.len()
    ));
    let folded = super::folded_problems(&view.problems);
    let items: Vec<String> = folded.iter().map(item).collect();
    let fitting = fitting(&items);
    text.extend(items[..fitting].iter().map(String::as_str));
    let left_out = folded[fitting..].iter().map(|repeated| 1 + repeated.others.len()).sum();
    more(text, left_out, "document", "documents");
}

fn item(repeated: &Repeated<'_, MaskedProblem>) -> String {
    let problem = repeated.first;
    let message = cut(problem.message());
    let mut item = format!("- {} {}", code(&problem.place().to_string()), words(&message));
    if let Some(hint) = problem.hint() {
        item.push_str(&format!(" (do this: {})", words(&cut(hint))));
    }
    if let Some(more) = repeated.more(super::problem_place, GLYPHS.gap()) {
        item.push_str(&format!(", {}", words(&cut(&more))));
    }
    item.push('\n');
    item
}

/// How many of the lines a part has room for.
fn fitting(lines: &[String]) -> usize {
    let mut sum = 0;
    lines
        .iter()
        .take_while(|line| {
            sum += length(line);
            sum <= MOST_OF_A_PART
        })
        .count()
}

fn more(text: &mut String, more: usize, one: &str, many: &str) {
    if more > 0 {
        let noun = if more == 1 { one } else { many };
        text.push_str(&format!("\nand {more} more {noun}\n"));
    }
}

/// A row of a change that is not carried out yet.
fn row(change: MaskedChange<'_>, word: &str, view: &PlanView<'_>) -> String {
    let delta = view.delta(change);
    let mut parts = brief::parts(change, &delta);
    parts.extend(explanation::removal(change, view, TimeStyle::Dates));
    cells(change.heading(), word, &parts.join("; "))
}

fn cells(change: ChangeHeading<'_>, word: &str, what: &str) -> String {
    let origin =
        change.origin.map(|origin| code(&cut(&format!("{}:{}", origin.path, origin.line))));
    let mark = GLYPHS.mark(change.action);
    let (object, what) = (code(&cut(&change.key.to_string())), words(&cut(what)));
    format!("| {} {word} | {object} | {} | {what} |\n", words(mark), origin.unwrap_or_default())
}

/// At most as long as a cell may be, and harmless.
fn cut(text: &str) -> String {
    let text = text.replace('\n', " ");
    let text = GLYPHS.inert(&text).into_owned();
    match text.char_indices().nth(CELL) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// `**prod** on shop.example (cluster 3f2a9c) at 8be01d3 "Third replica for web"`. The commit's id
/// stands by itself, so that a forge makes a link of it.
fn place(view: &PlanView<'_>, at: &str) -> String {
    let (target, revision) = (&view.target, &view.revision);
    let mut text = format!("**{}**", words(&cut(target.name)));
    match (&*target.cluster_words(), target.cluster_id) {
        ("", _) => {}
        (cluster, "") => text.push_str(&format!(" on {}", code(&cut(cluster)))),
        (cluster, id) => {
            text.push_str(&format!(" on {} (cluster {})", code(&cut(cluster)), words(&cut(id))));
        }
    }
    let commit = words(revision.short());
    text.push_str(&match revision.tracked {
        Some(name) => format!(" {at} {} ({commit})", words(&cut(name))),
        None => format!(" {at} {commit}"),
    });
    if !revision.summary.is_empty() {
        let summary = cut(&revision.summary);
        text.push_str(&format!(" “{}”", words(&summary)));
    }
    if revision.dirty {
        text.push_str(" with uncommitted changes");
    }
    text
}

fn objects(plan: &MaskedPlan<'_>) -> String {
    match plan.object_count() {
        1 => "1 object".to_owned(),
        count => format!("{count} objects"),
    }
}

/// `1 to create, 2 to update`: what there is any of.
fn counts(plan: &MaskedPlan<'_>, problems: &[MaskedProblem]) -> String {
    let unread = match problems.len() {
        0 => None,
        1 => Some("**1 document can't be used**".to_owned()),
        count => Some(format!("**{count} documents can't be used**")),
    };
    let kept = plan
        .changes()
        .filter(|c| c.action() == Action::Keep && c.has_reason() && !plan.is_short(c.key()));
    let kept = kept.count();
    let kept = (kept > 0).then(|| format!("{kept} kept though not declared"));
    let short = plan.short_count();
    let short = (short > 0).then(|| format!("**{short} with fields that the server drops**"));
    let refused = plan.count(Action::Refuse);
    let refused = (refused > 0).then(|| format!("{refused} **refused**"));
    let parts = to_do(|action| plan.count(action))
        .into_iter()
        .chain([refused, kept, short, unread].into_iter().flatten());
    parts.collect::<Vec<_>>().join(", ")
}

fn shortfall(view: &PlanView<'_>, report: &Report) -> String {
    let parts = [
        (usize::from(report.interrupted), "interrupted".to_owned()),
        (report.failed(), format!("{} failed", report.failed())),
        (report.differing(), format!("{} {DIFFERING}", report.differing())),
        (report.skipped(), format!("{} not tried", report.skipped())),
    ];
    let parts = parts.into_iter().filter(|(count, _)| *count > 0).map(|(_, words)| words);
    let done = format!("{} done", report.done());
    let left = view.plan.count(Action::Refuse);
    let left = (left > 0).then(|| format!("{left} refused"));
    let unread = view.problems.len();
    let unread = (unread > 0).then(|| format!("{unread} not usable"));
    let short = view.plan.short_count();
    let short = (short > 0).then(|| format!("{short} with fields that the server drops"));
    let held_back = view.plan.held_back().count();
    let held_back = (held_back > 0).then(|| format!("{held_back} not pruned"));
    let left = left.into_iter().chain(short).chain(held_back);
    parts.chain(left).chain(unread).chain([done]).collect::<Vec<_>>().join(", ")
}

fn done(action: Action) -> &'static str {
    match action {
        Action::Create => "created",
        Action::Delete => "deleted",
        Action::Replace => "replaced",
        Action::Abandon => "abandoned",
        Action::Update | Action::Keep | Action::Refuse => "updated",
    }
}

#[cfg(test)]
mod tests;
