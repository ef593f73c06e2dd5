//! The result of a pull, or its error, as one line or one JSON object.

use std::collections::BTreeMap;

use serde::Serialize;

use super::trust::RefusedDocument;
use super::{Glyphs, json};
use crate::app::trust::Refusal;
use crate::core::source::snapshot::short;
use crate::git::pull::{MovedTarget, Obstacle, PullError, Pulled, TrafficCount};

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
    /// The cost of asking the remote.
    git: TrafficCount,
    /// The commit that the machine's rules do not trust.
    #[serde(skip_serializing_if = "Option::is_none")]
    untrusted: Option<RefusedDocument<'a>>,
    /// The commits that targets track and that their rules do not trust, by target.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    untrusted_targets: BTreeMap<&'a String, RefusedDocument<'a>>,
}

/// The commits of a pull that the machine's rules do not trust.
#[derive(Clone, Debug, Default)]
pub struct Untrusted {
    /// That of `HEAD`.
    pub head: Option<Refusal>,
    /// Those that targets track, by target.
    pub tracked: BTreeMap<String, Refusal>,
}

impl Untrusted {
    /// Whether all are trusted.
    pub fn is_empty(&self) -> bool {
        self.head.is_none() && self.tracked.is_empty()
    }
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

/// The result: a line for the checked-out branch, and one for every target that moved.
pub fn lines(pulled: &Pulled, glyphs: Glyphs) -> String {
    let targets = pulled.tracked.iter().map(|moved| moved_line(moved, glyphs));
    std::iter::once(line(pulled, glyphs)).chain(targets).collect::<Vec<_>>().join("\n")
}

/// `prod: main abc1234..def5678, 3 commits`, `shop: v1.4.2 → v1.5.0, 12 commits`.
pub fn moved_line(moved: &MovedTarget, glyphs: Glyphs) -> String {
    let MovedTarget { target, from, to, before, after, commits } = moved;
    let commits = match commits {
        0 => String::new(),
        count => format!(", {}", counted(*count, "commit")),
    };
    let line = match (from, before) {
        (Some(from), Some(_)) if from != to => {
            format!("{target}: {from} {} {to}{commits}", glyphs.arrow())
        }
        (_, Some(before)) => {
            format!("{target}: {to} {}..{}{commits}", short(before), short(after))
        }
        (_, None) => format!("{target}: {to} new @ {}", short(after)),
    };
    glyphs.inert(&line).into_owned()
}

/// The result for the checked-out branch, in one line.
fn line(pulled: &Pulled, glyphs: Glyphs) -> String {
    let Pulled { branch, before, after, commits, files, ahead, cloned, .. } = pulled;
    let branch = glyphs.inert(branch);
    let (after, files) = (short(after), counted(*files, "file"));
    let commits = counted(*commits, "commit");
    match before {
        _ if *ahead > 0 => {
            format!("{branch} is {} ahead of its upstream @ {after}", counted(*ahead, "commit"))
        }
        Some(_) if !pulled.has_moved() => format!("{branch} is up to date @ {after}"),
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
pub fn json(pulled: &Pulled, git: TrafficCount, refused: &Untrusted) -> serde_json::Result<String> {
    let untrusted = refused.head.as_ref().map(RefusedDocument::of);
    let of_target = |(target, refused)| (target, RefusedDocument::of(refused));
    let untrusted_targets = refused.tracked.iter().map(of_target).collect();
    json::text(&PullDocument { version: VERSION, pulled, git, untrusted, untrusted_targets })
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
