//! The result of applying several targets: a line for each, in their order, and one for all.

use std::io;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::all_targets::TargetFailure;
use super::annotation::Annotation;
use super::markdown::escape::words;
use super::{Glyphs, OutputFormat, PlanView, github, headings, json, markdown, names, steps, text};
use crate::core::mask::Masked;
use crate::core::report::Report;

/// How the apply of one target ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "target_end"))]
#[serde(rename_all = "kebab-case")]
pub enum AppliedEnd {
    /// It is at the commit, and healthy as far as that was waited for.
    AtCommit,
    /// It is at the commit, and did not get healthy while that was waited for.
    NotHealthy,
    /// It is not at the commit.
    NotAtCommit,
    /// It was not begun, since one that it comes after is not good.
    HeldBack,
    /// It could not be told or carried out.
    Failed,
    /// It was not begun, as a signal came before.
    NotBegun,
}

impl AppliedEnd {
    const ALL: [(Self, &'static str); 6] = [
        (Self::AtCommit, "at the commit"),
        (Self::NotHealthy, "not healthy"),
        (Self::NotAtCommit, "not at the commit"),
        (Self::HeldBack, "held back"),
        (Self::Failed, "failed"),
        (Self::NotBegun, "not begun"),
    ];
}

/// The answer about one target.
pub struct AppliedTarget {
    name: String,
    /// How it ended.
    pub end: AppliedEnd,
    held_back_by: Option<String>,
    why: Option<String>,
    /// The parts of its line.
    parts: Vec<String>,
    plan: Option<Value>,
    /// Its part of an answer as Markdown, as annotations or as names.
    part: Vec<u8>,
    failure: Option<TargetFailure>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "applied_target"))]
struct AppliedTargetDocument<'a> {
    target: &'a str,
    outcome: AppliedEnd,
    #[serde(skip_serializing_if = "Option::is_none")]
    held_back_by: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
    #[cfg_attr(test, schemars(with = "Option<super::json::document::PlanDocument<'static>>"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<&'a TargetFailure>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "applied_targets"))]
pub(super) struct AppliedTargetsDocument<'a> {
    #[cfg_attr(test, schemars(extend("enum" = [1])))]
    version: u32,
    applied: Vec<AppliedTargetDocument<'a>>,
    requests: usize,
    elapsed: f64,
}

impl AppliedTarget {
    fn new(name: &str, end: AppliedEnd) -> Self {
        Self {
            name: name.to_owned(),
            end,
            held_back_by: None,
            why: None,
            parts: Vec::new(),
            plan: None,
            part: Vec::new(),
            failure: None,
        }
    }

    /// A target whose plan was carried out, or had nothing to do.
    ///
    /// # Errors
    ///
    /// When it can't be written as JSON.
    pub fn applied(
        view: &PlanView<'_>,
        report: &Masked<Report>,
        output: OutputFormat,
    ) -> io::Result<Self> {
        let end = match report.at_commit && report.rollback.is_none() {
            true if report.is_good() => AppliedEnd::AtCommit,
            true => AppliedEnd::NotHealthy,
            false => AppliedEnd::NotAtCommit,
        };
        let mut target = Self::new(view.target.name, end);
        target.parts = steps::end_line(view, report);
        match output {
            OutputFormat::Json => target.plan = Some(json::value_of_report(view, report)?),
            OutputFormat::Markdown => target.part = markdown::report(view, report).into_bytes(),
            OutputFormat::Github => github::write_report(&mut target.part, view, report)?,
            OutputFormat::Name => target.part = names(headings(&view.plan)).into_bytes(),
            OutputFormat::Text => {}
        }
        Ok(target)
    }

    /// A target that is not carried out, and why.
    pub fn declined(name: &str, why: &str) -> Self {
        let parts = vec![format!("{name} was not applied: {why}")];
        let why = Some(why.to_owned());
        Self { parts, why, ..Self::new(name, AppliedEnd::NotAtCommit) }
    }

    /// A target that comes after one that is not good.
    pub fn held_back(name: &str, by: &str) -> Self {
        let parts = vec![format!("{name} was held back: it comes after {by}")];
        let held_back_by = Some(by.to_owned());
        Self { parts, held_back_by, ..Self::new(name, AppliedEnd::HeldBack) }
    }

    /// A target that was not begun when a signal came.
    pub fn not_begun(name: &str) -> Self {
        let parts = vec![format!("{name} was not begun")];
        Self { parts, ..Self::new(name, AppliedEnd::NotBegun) }
    }

    /// The same where its commit is not trusted: that is an answer, and no fault of the run.
    #[must_use]
    pub fn refused(self) -> Self {
        Self { end: AppliedEnd::NotAtCommit, ..self }
    }

    /// A target that could not be told or carried out.
    pub fn failed(failure: TargetFailure) -> Self {
        let name = failure.target.clone();
        let error = failure.error.lines().next().unwrap_or_default();
        let parts = vec![format!("{name} failed: {error}")];
        Self { parts, failure: Some(failure), ..Self::new(&name, AppliedEnd::Failed) }
    }
}

/// The cost of a run.
#[derive(Clone, Copy, Debug)]
pub struct RunCost {
    /// How many requests were sent.
    pub requests: usize,
    /// How long it took.
    pub elapsed: Duration,
}

/// Writes the answer of all targets.
///
/// # Errors
///
/// When `out` does not take it.
pub fn write(
    out: &mut impl io::Write,
    targets: &[AppliedTarget],
    cost: RunCost,
    output: OutputFormat,
    glyphs: Glyphs,
) -> io::Result<()> {
    let RunCost { requests, elapsed } = cost;
    match output {
        OutputFormat::Json => {
            let applied = targets.iter().map(|it| AppliedTargetDocument {
                target: &it.name,
                outcome: it.end,
                held_back_by: it.held_back_by.as_deref(),
                why: it.why.as_deref(),
                plan: it.plan.as_ref(),
                failure: it.failure.as_ref(),
            });
            let document = AppliedTargetsDocument {
                version: 1,
                applied: applied.collect(),
                requests,
                elapsed: elapsed.as_secs_f64(),
            };
            writeln!(out, "{}", json::text(&document)?)
        }
        OutputFormat::Text => {
            for target in targets {
                text::end(out, &target.parts, glyphs)?;
            }
            let mut parts = counts(targets);
            parts.extend(text::cost(requests, elapsed));
            writeln!(out)?;
            text::end(out, &parts, glyphs)
        }
        OutputFormat::Markdown => {
            writeln!(out, "{}", counts(targets).join(": "))?;
            for target in targets {
                writeln!(out)?;
                match target.part.is_empty() {
                    false => out.write_all(&target.part)?,
                    true => writeln!(out, "{}", words(&target.parts.join("; ")))?,
                }
            }
            Ok(())
        }
        OutputFormat::Github => {
            for target in targets {
                out.write_all(&target.part)?;
                if target.part.is_empty() {
                    let (title, message) =
                        (format!("target {}", target.name), target.parts.join("; "));
                    let annotation =
                        Annotation { level: "error", at: None, title: &title, message: &message };
                    let mut line = Vec::new();
                    annotation.write(&mut line)?;
                    out.write_all(&line)?;
                }
            }
            writeln!(out, "{}", counts(targets).join(" · "))
        }
        OutputFormat::Name => targets.iter().try_for_each(|target| out.write_all(&target.part)),
    }
}

/// `3 targets` and `1 at the commit, 1 failed, 1 held back`.
fn counts(targets: &[AppliedTarget]) -> Vec<String> {
    let counts = AppliedEnd::ALL
        .map(|(end, words)| (targets.iter().filter(|target| target.end == end).count(), words));
    let counts = counts.into_iter().filter(|(count, _)| *count > 0);
    let counts: Vec<_> = counts.map(|(count, words)| format!("{count} {words}")).collect();
    let (all, plural) = (targets.len(), if targets.len() == 1 { "" } else { "s" });
    vec![format!("{all} target{plural}"), counts.join(", ")]
}
