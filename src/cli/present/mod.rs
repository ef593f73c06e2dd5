//! Plans as text, as JSON, as Markdown, as annotations and as names: everything that a person or a
//! script reads of them.
//!
//! Renders what it is given and decides nothing. What a change changes is [`crate::core::diff`]'s;
//! streams, width and colour are [`super::ui`]'s. It is given only what may be shown: a
//! [`MaskedPlan`], a [`Masked`] report, [`MaskedProblem`]s.

pub mod all_applied;
pub mod all_targets;
mod annotation;
mod brief;
pub mod check;
mod emphasis;
mod excerpt;
pub mod explain;
mod explanation;
mod github;
pub mod glyphs;
mod handovers;
mod hint;
pub mod history;
pub mod html;
mod hunks;
pub(in crate::cli) mod ink;
pub mod json;
mod markdown;
mod moved;
pub mod objects;
pub mod plan_file;
pub mod pull;
pub mod rbac;
pub mod repeats;
pub mod round;
pub mod schemas;
pub mod status;
pub mod steps;
mod story;
pub mod text;
pub mod trust;
mod undeclared;
pub mod verified;
mod view;
pub mod waiting;
mod wrap;

use std::io::{self, Write};
use std::time::Duration;

use clap::ValueEnum;
use jiff::Timestamp;

pub use glyphs::Glyphs;
pub use view::{RevisionView, TargetView};

use crate::app::Explained;
use crate::cli::remedy;
use crate::core::approval::ApprovalDifference;
use crate::core::diff::{Delta, FieldOrder};
use crate::core::inventory::Siblings;
use crate::core::mask::Masked;
use crate::core::masked_plan::{ChangeHeading, MaskedChange, MaskedPlan};
use crate::core::moves::RemovedTarget;
use crate::core::object::ObjectKey;
use crate::core::plan::{Action, Reason};
use crate::core::redact::MaskedProblem;
use crate::core::report::Report;

/// How an answer is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// For people
    Text,
    /// One JSON document, with the keys of `trueup help json`
    Json,
    /// For a comment on a pull request
    Markdown,
    /// Annotations of a GitHub workflow
    Github,
    /// A line for each object that is not kept: the action, and arguments for kubectl
    Name,
}

/// Writes a plan.
///
/// # Errors
///
/// When `out` does not take it.
pub fn plan(
    out: &mut impl Write,
    view: &PlanView<'_>,
    format: OutputFormat,
    glyphs: Glyphs,
) -> io::Result<()> {
    match format {
        OutputFormat::Text => text::write(out, view, glyphs),
        OutputFormat::Json => json::write(out, view, None),
        OutputFormat::Markdown => out.write_all(markdown::plan(view).as_bytes()),
        OutputFormat::Github => github::write(out, view),
        OutputFormat::Name => out.write_all(names(headings(&view.plan)).as_bytes()),
    }
}

/// Writes what a plan says beside its differences: what is refused or left and why, what could not
/// be read, and the line that every run ends with.
///
/// # Errors
///
/// When `out` does not take it.
pub fn beside(out: &mut impl Write, view: &PlanView<'_>, glyphs: Glyphs) -> io::Result<()> {
    text::write_beside(out, view, glyphs)
}

/// Writes what carrying out a plan came to; as text, what is left to say after its steps.
///
/// # Errors
///
/// When `out` does not take it.
pub fn report(
    out: &mut impl Write,
    view: &PlanView<'_>,
    report: &Masked<Report>,
    format: OutputFormat,
    glyphs: Glyphs,
) -> io::Result<()> {
    match format {
        OutputFormat::Text => steps::write_end(out, view, report, glyphs),
        OutputFormat::Json => json::write(out, view, Some(report)),
        OutputFormat::Markdown => out.write_all(markdown::report(view, report).as_bytes()),
        OutputFormat::Github => github::write_report(out, view, report),
        OutputFormat::Name => out.write_all(names(headings(&view.plan)).as_bytes()),
    }
}

/// Writes what is left alone and what is not healthy, for people.
///
/// # Errors
///
/// When `out` does not take it.
pub fn unhealthy(
    out: &mut impl Write,
    view: &PlanView<'_>,
    report: &Masked<Report>,
    glyphs: Glyphs,
) -> io::Result<()> {
    steps::write_unhealthy(out, view, report, glyphs)
}

/// Writes that an approved plan does not hold any more: what moved, and the new difference.
///
/// # Errors
///
/// When `out` does not take it.
pub fn moved(
    out: &mut impl Write,
    view: &PlanView<'_>,
    difference: &ApprovalDifference,
    format: OutputFormat,
    glyphs: Glyphs,
) -> io::Result<()> {
    match format {
        OutputFormat::Text => moved::write(out, view, difference, glyphs),
        OutputFormat::Json => json::write_moved(out, view, difference),
        OutputFormat::Markdown => {
            out.write_all(markdown::moved(&moved::only(view, difference), difference).as_bytes())
        }
        OutputFormat::Github => {
            github::write_moved(out, &moved::only(view, difference), difference)
        }
        OutputFormat::Name => {
            out.write_all(names(headings(&moved::only(view, difference).plan)).as_bytes())
        }
    }
}

/// Writes what is wrong with the manifests, where nothing else came of them.
///
/// # Errors
///
/// When `out` does not take it.
pub fn problems(
    out: &mut impl Write,
    problems: &[MaskedProblem],
    glyphs: Glyphs,
) -> io::Result<()> {
    folded_problems(problems).iter().try_for_each(|problem| repeated(out, problem, glyphs))
}

/// Writes a problem, and where else it is.
fn repeated(
    out: &mut impl Write,
    problem: &repeats::Repeated<'_, MaskedProblem>,
    glyphs: Glyphs,
) -> io::Result<()> {
    excerpt::write(out, problem.first, glyphs)?;
    match problem.more(problem_place, glyphs.gap()) {
        Some(more) => writeln!(out, "  {}", glyphs.broken("  ", &more)),
        None => Ok(()),
    }
}

/// Problems, with those folded that say the same of several places.
pub fn folded_problems(problems: &[MaskedProblem]) -> Vec<repeats::Repeated<'_, MaskedProblem>> {
    repeats::folded(problems, |problem| (problem.message(), problem.hint()))
}

/// The place of a problem, in words.
pub fn problem_place(problem: &MaskedProblem) -> String {
    problem.place().to_string()
}

/// The part of a closing line that says which Kubernetes charts were shown.
pub fn charts_for(version: &str) -> String {
    format!("charts for Kubernetes {version}")
}

/// Everything that is shown of a plan.
#[derive(Clone, Debug)]
pub struct PlanView<'a> {
    /// The plan.
    pub plan: MaskedPlan<'a>,
    /// Problems of the manifests.
    pub problems: Vec<MaskedProblem>,
    /// Why its changes are as they are.
    pub explained: &'a Explained,
    /// The time, as of which others are told.
    pub now: Timestamp,
    /// The target.
    pub target: TargetView<'a>,
    /// The commit that it makes true.
    pub revision: RevisionView<'a>,
    /// How many requests were made.
    pub requests: usize,
    /// How long it took.
    pub elapsed: Duration,
    /// The SHA-256 of the plan file that it was written to or approved in.
    pub plan_sha256: Option<&'a str>,
    /// The Kubernetes version that charts were rendered for; `None` where there was none.
    pub charts_for: Option<&'a str>,
    /// Targets of the repository that are gone from `trueup.yaml`, and whose inventories are still there.
    pub removed: &'a [RemovedTarget],
    /// The inventories of the other targets of `trueup.yaml`.
    pub siblings: &'a Siblings,
    /// Whether the target itself is gone from `trueup.yaml`, and is taken down.
    pub is_removal: bool,
}

impl PlanView<'_> {
    /// The difference of a change, in the order of its file.
    pub fn delta(&self, change: MaskedChange<'_>) -> Delta {
        let delta = change.delta(self.order(change));
        let adopted_from = delta.adopted_from.map(|owner| self.target_of(&owner).unwrap_or(owner));
        Delta { adopted_from, ..delta }
    }

    /// The target whose inventory an owner is, where it is one of this repository.
    fn target_of(&self, owner: &str) -> Option<String> {
        let id = owner.strip_prefix("ApplySet ")?;
        let removed = || self.removed.iter().find(|removed| removed.inventory.id() == id);
        let known = self.siblings.get(id).map(str::to_owned);
        let target = known.or_else(|| removed().map(|removed| removed.name.clone()))?;
        Some(format!("target {target}"))
    }

    /// The same with the objects' texts as they are, for other programs.
    pub fn plain_delta(&self, change: MaskedChange<'_>) -> Delta {
        change.plain_delta(self.order(change))
    }

    fn order(&self, change: MaskedChange<'_>) -> &FieldOrder {
        self.explained.orders.get(change.key()).unwrap_or(FieldOrder::none())
    }
}

/// The changes that are shown one by one: all but objects that simply stay as they are.
fn printed_changes<'a>(plan: &MaskedPlan<'a>) -> impl Iterator<Item = MaskedChange<'a>> {
    plan.changes().filter(|change| is_shown(*change))
}

/// Whether there is nothing to tell: all that could be seen is as it should be, and all could.
fn is_in_sync(view: &PlanView<'_>) -> bool {
    printed_changes(&view.plan).next().is_none()
        && view.plan.unlisted() == 0
        && view.problems.is_empty()
}

/// Whether a change is shown: it does more than simply leave the object as it is.
fn is_shown(change: MaskedChange<'_>) -> bool {
    change.action() != Action::Keep || change.has_reason()
}

/// The identity of each change of a plan.
fn headings<'a>(plan: &MaskedPlan<'a>) -> impl Iterator<Item = ChangeHeading<'a>> {
    plan.changes().map(MaskedChange::heading)
}

/// Why something is as it is, line by line: what the server says of fields with the place of each,
/// or else the message.
fn because(reason: &Reason) -> Vec<String> {
    let mut lines = Vec::new();
    for cause in &reason.causes {
        let place = cause.place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
        lines.extend(format!("{place}{cause}").lines().map(str::to_owned));
    }
    if lines.is_empty() {
        lines.extend(reason.to_string().lines().map(str::to_owned));
    }
    lines
}

/// The hint of a reason.
fn hint_of(reason: &Reason) -> Option<String> {
    reason.remedy.as_ref().map(remedy::words)
}

/// `1 to create`, `2 to update`: what there is any of.
fn to_do(count: impl Fn(Action) -> usize) -> Vec<String> {
    let counts = [
        (Action::Create, "to create"),
        (Action::Update, "to update"),
        (Action::Replace, "to replace"),
        (Action::Delete, "to delete"),
        (Action::Abandon, "to abandon"),
    ];
    let counts = counts.map(|(action, words)| (count(action), words));
    let counts = counts.into_iter().filter(|(count, _)| *count > 0);
    counts.map(|(count, words)| format!("{count} {words}")).collect()
}

/// The name of a plan file: `plan sha256 3f2a…`.
pub fn plan_file_line(sha256: &str) -> String {
    format!("plan sha256 {sha256}")
}

/// The same with what is refused.
fn counted(count: impl Fn(Action) -> usize) -> Vec<String> {
    let refused = count(Action::Refuse);
    let refused = (refused > 0).then(|| format!("{refused} refused"));
    to_do(count).into_iter().chain(refused).collect()
}

/// The question before a plan is carried out: `Apply staging at 1b821a1 to trueup-sandbox: 2 to update,
/// 1 to delete?`
pub fn question(view: &PlanView<'_>) -> String {
    format!("Apply {}?", part_of_question(view))
}

/// The same of one of several targets: `staging at 1b821a1 to trueup-sandbox: 2 to update`.
pub fn part_of_question(view: &PlanView<'_>) -> String {
    let counts = match to_do(|action| view.plan.count(action)).join(", ") {
        counts if counts.is_empty() => "nothing".to_owned(),
        counts => counts,
    };
    let (target, revision) = (&view.target, &view.revision);
    let cluster = match target.cluster_id {
        "" => target.cluster_words().into_owned(),
        id => format!("{} (cluster {id})", target.cluster_words()),
    };
    let edited = if revision.dirty { " with uncommitted changes" } else { "" };
    format!("{} at {}{edited} to {cluster}: {counts}", target.name, revision.shown())
}

/// The output of `-o name`: one line for every object that is not kept, in the order of carrying
/// out.
///
/// The first word is the action, the rest are arguments that kubectl takes:
///
/// ```text
/// create namespace/shop
/// update deployment.apps/web -n shop
/// ```
///
/// so that `trueup diff -o name | sed -n 's/^update //p' | xargs -L1 kubectl get` works.
pub fn names<'a>(changes: impl Iterator<Item = ChangeHeading<'a>>) -> String {
    let mut lines = String::new();
    for change in changes.filter(|change| change.action != Action::Keep) {
        let ObjectKey { group, kind, namespace, name } = change.key;
        let mut kind = kind.to_lowercase();
        if !group.is_empty() {
            kind = format!("{kind}.{group}");
        }
        let namespace = namespace.as_ref().map(|n| format!(" -n {n}")).unwrap_or_default();
        let line = format!("{} {kind}/{name}{namespace}", change.action.name());
        lines.push_str(&Glyphs { utf8: true, width: None }.inert(&line));
        lines.push('\n');
    }
    lines
}

#[cfg(test)]
mod tests;
