//! The status of targets as text, as JSON and as Markdown.

pub(in crate::cli::present) mod document;
mod markdown;
mod text;
pub mod waited;
pub(in crate::cli::present) mod words;

use std::io::{self, Write};
use std::time::Duration;

use clap::ValueEnum;
use jiff::Timestamp;

use super::{Glyphs, json};
use crate::core::status::{StatusVerdict, SyncState, TargetStatus};

/// How the status is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StatusFormat {
    /// For people
    Text,
    /// One JSON document, with the keys of `trueup help json`
    Json,
    /// A table for a comment or a page
    Markdown,
}

/// Everything that is shown of some targets.
pub struct StatusView<'a> {
    /// The targets.
    pub rows: &'a [TargetStatus],
    /// The contexts that were looked at.
    pub contexts: &'a [ContextView],
    /// When something was last fetched, where git's files say it.
    pub fetched: Option<Timestamp>,
    /// As of when.
    pub now: Timestamp,
    /// Whether images were asked for.
    pub has_images: bool,
    /// How many requests were sent.
    pub requests: usize,
    /// How long it took.
    pub elapsed: Duration,
}

/// A context that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextView {
    /// Its name.
    pub context: String,
    /// The server's host and port; empty where it is not known.
    pub server: String,
    /// The identity of the cluster, where the user may see it.
    pub cluster_uid: Option<String>,
    /// Why nothing is known of it.
    pub error: Option<String>,
    /// How many requests were sent there.
    pub requests: usize,
}

impl StatusView<'_> {
    /// Whether rows have to say of which context they are.
    fn has_several_contexts(&self) -> bool {
        self.contexts.len() > 1
    }

    /// `3 targets` and `1 good, 1 not good, 1 unknown`.
    fn counts(&self) -> Vec<String> {
        let of = |verdict: StatusVerdict| {
            self.rows.iter().filter(|row| row.verdict() == verdict && !is_removed(row)).count()
        };
        let all = self.rows.iter().filter(|row| !is_removed(row)).count();
        let failed = self.contexts.iter().filter(|context| context.error.is_some()).count();
        let counts = [
            (of(StatusVerdict::Good), "good"),
            (of(StatusVerdict::NotGood), "not good"),
            (of(StatusVerdict::Unknown), "unknown"),
        ];
        let counts = counts.into_iter().filter(|(count, _)| *count > 0);
        let counts: Vec<String> = counts.map(|(n, what)| format!("{n} {what}")).collect();
        let mut parts = vec![format!("{all} target{}", if all == 1 { "" } else { "s" })];
        if all > 0 {
            parts.push(counts.join(", "));
        }
        if failed > 0 {
            let plural = if failed == 1 { "" } else { "s" };
            parts.push(format!("{failed} context{plural} not reached"));
        }
        parts
    }
}

fn is_removed(row: &TargetStatus) -> bool {
    row.state == SyncState::Removed
}

/// Writes the status.
///
/// # Errors
///
/// When `out` does not take it.
pub fn write(
    out: &mut impl Write,
    view: &StatusView<'_>,
    format: StatusFormat,
    glyphs: Glyphs,
) -> io::Result<()> {
    match format {
        StatusFormat::Text => text::write(out, view, glyphs),
        StatusFormat::Json => {
            writeln!(out, "{}", json::text(&document::StatusDocument::of(view))?)
        }
        StatusFormat::Markdown => out.write_all(markdown::table(view).as_bytes()),
    }
}

#[cfg(test)]
mod tests;
