//! How waiting for a commit ended, target by target.

use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;

use super::StatusFormat;
use crate::app::status::WaitForEnd;
use crate::cli::present::markdown::escape::words as escaped;
use crate::cli::present::text::{cost, end};
use crate::cli::present::{Glyphs, json};
use crate::core::source::snapshot::short;

/// A target that a commit was waited for on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitedTarget {
    /// Its name.
    pub target: String,
    /// The kubeconfig's context.
    pub context: String,
    /// The server's host and port.
    pub server: String,
    /// How waiting ended.
    pub end: WaitForEnd,
}

/// Everything that is shown of waiting.
pub struct WaitedView<'a> {
    /// Full id of the commit.
    pub commit: &'a str,
    /// The targets.
    pub targets: &'a [WaitedTarget],
    /// Whether waiting ended because the time was up.
    pub is_time_up: bool,
    /// How many requests were sent.
    pub requests: usize,
    /// How long it took.
    pub elapsed: Duration,
}

/// The answer of `trueup status --wait-for`.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "awaited_commit"))]
pub(in crate::cli::present) struct WaitedDocument<'a> {
    #[cfg_attr(test, schemars(extend("enum" = [1])))]
    version: u32,
    /// Full id.
    commit: &'a str,
    targets: Vec<WaitedTargetDocument<'a>>,
    requests: usize,
    elapsed: f64,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "awaited_target"))]
struct WaitedTargetDocument<'a> {
    target: &'a str,
    context: &'a str,
    server: &'a str,
    #[cfg_attr(test, schemars(with = "OutcomeCode"))]
    outcome: &'static str,
    /// The reason in words; empty where it is healthy.
    message: String,
}

/// The codes of an outcome.
#[cfg(test)]
#[derive(schemars::JsonSchema)]
#[schemars(rename = "awaited_outcome", rename_all = "kebab-case")]
#[allow(dead_code, reason = "the schema is made of it")]
enum OutcomeCode {
    Healthy,
    Overtaken,
    Failed,
    RolledBack,
    Unhealthy,
    Unknown,
    Waiting,
}

/// The code of an outcome, and its reason in words.
fn outcome(end: &WaitForEnd, commit: &str) -> Outcome {
    let (code, message) = match end {
        WaitForEnd::Healthy => ("healthy", String::new()),
        WaitForEnd::Over(over) => (over.code(), over.words(commit)),
        WaitForEnd::Unhealthy(why) => ("unhealthy", why.clone()),
        WaitForEnd::Unknown(why) => ("unknown", why.clone()),
        WaitForEnd::Waiting(why) => ("waiting", why.clone()),
    };
    Outcome { code, message }
}

struct Outcome {
    code: &'static str,
    message: String,
}

impl WaitedView<'_> {
    /// The line about one target.
    fn line(&self, of: &WaitedTarget, outcome: &Outcome) -> String {
        let (commit, message) = (short(self.commit), &outcome.message);
        let several = self.targets.iter().any(|other| other.context != of.context);
        let target = match several {
            true => format!("{} in {}", of.target, of.context),
            false => of.target.clone(),
        };
        match outcome.code {
            "healthy" => format!("{target}: {commit} is healthy"),
            "waiting" if self.is_time_up => {
                format!("{target}: the time is up, and {commit} is not healthy yet: {message}")
            }
            "waiting" => format!("{target}: {commit} is not healthy yet: {message}"),
            "unhealthy" => format!("{target}: {commit} is not healthy: {message}"),
            "unknown" => format!("{target}: cannot tell whether {commit} is healthy: {message}"),
            _ => format!("{target}: {message}"),
        }
    }
}

/// Writes how waiting ended.
///
/// # Errors
///
/// When `out` does not take it.
pub fn write(
    out: &mut impl Write,
    view: &WaitedView<'_>,
    format: StatusFormat,
    glyphs: Glyphs,
) -> io::Result<()> {
    let WaitedView { commit, targets, requests, elapsed, .. } = view;
    let outcomes = || targets.iter().map(|it| (it, outcome(&it.end, commit)));
    match format {
        StatusFormat::Text => {
            for (target, outcome) in outcomes() {
                let mark = match outcome.code {
                    "healthy" => glyphs.done(),
                    "waiting" => glyphs.gap(),
                    "unknown" => "?",
                    _ => "!",
                };
                let line = view.line(target, &outcome);
                writeln!(out, "{mark} {}", glyphs.broken("  ", &line))?;
            }
            writeln!(out)?;
            let healthy = targets.iter().filter(|it| it.end == WaitForEnd::Healthy).count();
            let mut parts = vec![format!("healthy on {healthy} of {}", targets.len())];
            parts.extend(cost(*requests, *elapsed));
            end(out, &parts, glyphs)
        }
        StatusFormat::Json => {
            let targets = outcomes().map(|(it, outcome)| WaitedTargetDocument {
                target: &it.target,
                context: &it.context,
                server: &it.server,
                outcome: outcome.code,
                message: outcome.message,
            });
            let document = WaitedDocument {
                version: 1,
                commit,
                targets: targets.collect(),
                requests: *requests,
                elapsed: elapsed.as_secs_f64(),
            };
            writeln!(out, "{}", json::text(&document)?)
        }
        StatusFormat::Markdown => {
            for (target, outcome) in outcomes() {
                writeln!(out, "- {}", escaped(&view.line(target, &outcome)))?;
            }
            Ok(())
        }
    }
}
