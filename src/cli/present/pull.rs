//! The result of a pull, or its error, as one line or one JSON object.

use serde::Serialize;

use super::trust::RefusedDocument;
use super::{Glyphs, json};
use crate::app::trust::Refusal;
use crate::core::source::snapshot::short;
use crate::git::pull::{Obstacle, PullError, Pulled};

/// The JSON answer's shape; it changes only together with this number.
const VERSION: u32 = 1;

/// A pull.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "pull"))]
pub(super) struct PullDocument<'a> {
    #[cfg_attr(test, schemars(extend("enum" = [1])))]
    version: u32,
    #[serde(flatten)]
    pulled: &'a Pulled,
    /// The commit that the machine's rules do not trust.
    #[serde(skip_serializing_if = "Option::is_none")]
    untrusted: Option<RefusedDocument<'a>>,
}

/// A pull that failed.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "failure"))]
pub(super) struct FailureDocument<'a> {
    #[cfg_attr(test, schemars(extend("enum" = [1])))]
    version: u32,
    /// The error.
    error: String,
    /// Its causes, the nearest first.
    causes: Vec<String>,
    /// The remedies.
    hint: Option<String>,
    /// Whether it was refused to save local work, as opposed to having failed.
    refused: bool,
    /// The paths with local work.
    obstacles: &'a [Obstacle],
}

/// The result, in one line.
pub fn line(pulled: &Pulled, glyphs: Glyphs) -> String {
    let Pulled { branch, before, after, commits, authors: _, files, ahead, cloned } = pulled;
    let branch = glyphs.inert(branch);
    let (after, files) = (short(after), counted(*files, "file"));
    let commits = counted(*commits, "commit");
    match before {
        _ if *ahead > 0 => {
            format!("{branch} is {} ahead of its upstream @ {after}", counted(*ahead, "commit"))
        }
        Some(_) if pulled.is_up_to_date() => format!("{branch} is up to date @ {after}"),
        Some(before) => format!("{branch} {}..{after} ({commits}, {files})", short(before)),
        None if *cloned => format!("{branch} cloned @ {after} ({commits}, {files})"),
        None => format!("{branch} new @ {after} ({commits}, {files})"),
    }
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// The result, as JSON: `version`, and the fields of [`Pulled`].
///
/// # Errors
///
/// When the document can't be written as JSON.
pub fn json(pulled: &Pulled, refused: Option<&Refusal>) -> serde_json::Result<String> {
    let untrusted = refused.map(RefusedDocument::of);
    json::text(&PullDocument { version: VERSION, pulled, untrusted })
}

/// Why nothing was done, as JSON.
///
/// # Errors
///
/// When the document can't be written as JSON.
pub fn failure_json(error: &PullError) -> serde_json::Result<String> {
    let sources = std::iter::successors(std::error::Error::source(error), |error| error.source());
    json::text(&FailureDocument {
        version: VERSION,
        error: error.to_string(),
        causes: sources.map(ToString::to_string).collect(),
        hint: error.hint(),
        refused: error.is_refusal(),
        obstacles: match error {
            PullError::Dirty(obstacles) => obstacles,
            _ => &[],
        },
    })
}
