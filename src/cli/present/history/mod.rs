//! The answers of `trueup history`: rounds as lines, and tables of what ran, of images, of an object and of
//! figures. Renders what it is given and asks nothing.

mod answers;
mod data;
mod document;
mod lines;
pub mod log_check;
pub mod patch;
mod table;
mod words;

#[cfg(test)]
mod tests;

use std::io::{self, Write};
use std::time::Duration;

use clap::ValueEnum;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Glyphs;
use super::text::cost;
#[cfg(test)]
pub(super) use document::HistoryDocument;
pub(super) use words::took;

use crate::core::history::{DeploymentsByTarget, ImageSpan, KnownRun, ObjectChange, RanAt, Window};

/// How the history is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum HistoryFormat {
    /// For people
    Text,
    /// One JSON document, with the keys of `trueup help json`
    Json,
    /// A table for a page or a comment
    Markdown,
    /// A table for other programs, with a header
    Csv,
}

/// The answer to a question.
#[derive(Clone, Debug)]
pub enum Answer<'a> {
    /// Rounds, the newest first.
    Runs(Vec<&'a KnownRun>),
    /// The commits that ran at a time.
    At {
        /// The time.
        time: Timestamp,
        /// The commit of each target.
        ran: Vec<RanAt<'a>>,
    },
    /// When the versions of an image came and went.
    Images {
        /// The image that was asked for.
        name: &'a str,
        /// Its versions, the newest first.
        spans: Vec<ImageSpan<'a>>,
        /// How many rounds may have changed more images than is known.
        silent: usize,
    },
    /// When an object changed.
    Object {
        /// The object that was asked for.
        name: &'a str,
        /// Its changes, the newest first.
        changes: Vec<ObjectChange<'a>>,
        /// How many rounds may have changed more objects than is known.
        silent: usize,
    },
    /// DORA's figures.
    Stats {
        /// The window.
        window: Window,
        /// The deployments in it.
        deployments: DeploymentsByTarget<'a>,
    },
}

/// Where the answer is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistorySource {
    /// The context of a cluster; `None` for this machine's log.
    pub context: Option<String>,
    /// How many records it has of the targets in question.
    pub records: usize,
    /// Why it could not be read.
    pub error: Option<String>,
}

/// Everything that is shown.
#[derive(Clone, Debug)]
pub struct HistoryView<'a> {
    /// The answer.
    pub answer: Answer<'a>,
    /// How many rounds are known.
    pub known: usize,
    /// Whether several targets are asked about, so that each line names its own.
    pub names_target: bool,
    /// Whether they are on several clusters.
    pub names_context: bool,
    /// Where it is from.
    pub sources: Vec<HistorySource>,
    /// The time zone of the times that people read.
    pub zone: TimeZone,
    /// How many requests were made.
    pub requests: usize,
    /// How long it took.
    pub elapsed: Duration,
}

/// Writes the differences of a round below its lines.
pub type Below<'a> = dyn FnMut(&mut dyn Write, &KnownRun, Glyphs) -> io::Result<()> + 'a;

/// Writes an answer; as text, `below` follows each round.
///
/// # Errors
///
/// When `out` does not take it.
pub fn write(
    out: &mut dyn Write,
    view: &HistoryView<'_>,
    format: HistoryFormat,
    glyphs: Glyphs,
    below: &mut Below<'_>,
) -> io::Result<()> {
    match format {
        HistoryFormat::Json => document::write(out, view),
        HistoryFormat::Csv => out.write_all(data::table(view).csv().as_bytes()),
        HistoryFormat::Markdown => out.write_all(answers::markdown(view).as_bytes()),
        HistoryFormat::Text => {
            lines::write(out, view, glyphs, below)?;
            writeln!(out, "{}", closing(view).join(glyphs.dot()))
        }
    }
}

/// `3 of 40 rounds · 2 requests · 0.1 s`.
fn closing(view: &HistoryView<'_>) -> Vec<String> {
    let rounds = |count: usize| format!("{count} round{}", if count == 1 { "" } else { "s" });
    let counted = match &view.answer {
        Answer::Runs(runs) if runs.len() < view.known => {
            format!("{} of {}", runs.len(), rounds(view.known))
        }
        _ => rounds(view.known),
    };
    let [requests, seconds] = cost(view.requests, view.elapsed);
    vec![counted, requests, seconds]
}
