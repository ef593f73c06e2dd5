//! The part of a record that a list shows. In the cluster it stands in an annotation, so that listing
//! needs no body.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::record::{Cause, RunOutcome, RunRecord};
use crate::core::source::snapshot::short;

/// The most bytes of a subject or name in a summary.
const SHORT: usize = 72;
/// The most bytes of a reason in a summary: only rounds that did not end well have one.
const REASON: usize = 160;

/// The suffix of the id of a commit whose work tree ran in its place.
const DIRTY: &str = "-dirty";

/// One round in short. Its keys are short since two hundred of them share an object's 256 KiB of
/// annotations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// The record's id.
    #[serde(skip)]
    pub id: String,
    /// The target.
    #[serde(rename = "t")]
    pub target: String,
    /// Full id of the commit.
    #[serde(rename = "c")]
    pub commit: String,
    /// Whether files of the work tree were read in its place.
    #[serde(rename = "d", default, skip_serializing_if = "std::ops::Not::not")]
    pub dirty: bool,
    /// The name that led to it.
    #[serde(rename = "r")]
    pub named: String,
    /// The first line of its message, cut.
    #[serde(rename = "s")]
    pub subject: String,
    /// Its author, cut.
    #[serde(rename = "a")]
    pub author: String,
    /// When it was committed.
    #[serde(rename = "ct")]
    pub committed: Timestamp,
    /// Why the round was run.
    #[serde(rename = "y")]
    pub cause: Cause,
    /// How it ended.
    #[serde(rename = "o")]
    pub outcome: RunOutcome,
    /// How many changes were made.
    #[serde(rename = "n")]
    pub changed: usize,
    /// By whom: the API server's user, or else the login, cut.
    #[serde(rename = "u")]
    pub user: String,
    /// On which machine, cut.
    #[serde(rename = "h")]
    pub host: String,
    /// When it began.
    #[serde(rename = "b")]
    pub started: Timestamp,
    /// When it ended.
    #[serde(rename = "e")]
    pub ended: Timestamp,
    /// Full id of the commit that was restored, where it was rolled back.
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    pub restored: Option<String>,
    /// Why it failed or was refused, cut.
    #[serde(rename = "w", default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How many bytes the record's body has, in the cluster.
    #[serde(rename = "z", default)]
    pub bytes: usize,
}

impl Summary {
    /// The summary of a record. The size of its body is not known yet.
    pub fn of(record: &RunRecord) -> Self {
        let by = &record.by;
        Self {
            id: record.id.clone(),
            target: record.target.clone(),
            commit: record.commit.id.clone(),
            dirty: record.commit.dirty,
            named: cut(&record.commit.named),
            subject: cut(&record.commit.subject),
            author: cut(&record.commit.author),
            committed: record.commit.time,
            cause: record.cause,
            outcome: record.outcome,
            changed: record.changed,
            user: cut(by.user.as_deref().unwrap_or(&by.login)),
            host: cut(&by.host),
            started: record.started,
            ended: record.ended,
            restored: record.rollback.as_ref().and_then(|it| it.to.clone()),
            reason: record.reason.as_deref().map(cut_reason),
            bytes: 0,
        }
    }

    /// The commit's id as people read it, and whether that is not all that ran.
    pub fn short(&self) -> String {
        format!("{}{}", short(&self.commit), if self.dirty { DIRTY } else { "" })
    }

    /// The user who ran it: a service account without the part that all of them have.
    pub fn who(&self) -> &str {
        self.user.strip_prefix("system:serviceaccount:").unwrap_or(&self.user)
    }

    /// Whether it did not come to its end and may have changed objects.
    pub fn is_broken_off(&self) -> bool {
        let is_broken_off = matches!(
            self.outcome,
            RunOutcome::Failed | RunOutcome::Interrupted | RunOutcome::Killed
        );
        is_broken_off && (self.changed > 0 || self.outcome == RunOutcome::Killed)
    }

    /// Whether it is another try of the same commit with the same end, without a change.
    pub(super) fn repeats(&self, before: &Self) -> bool {
        self.changed == 0 && self.commit == before.commit && self.outcome == before.outcome
    }
}

/// So much of a text as a summary holds.
fn cut(text: &str) -> String {
    cut_to(text, SHORT)
}

/// So much of a reason as a summary holds.
fn cut_reason(text: &str) -> String {
    cut_to(text, REASON)
}

fn cut_to(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let ends = text.char_indices().map(|(at, _)| at).take_while(|at| *at <= most);
    format!("{}…", &text[..ends.last().unwrap_or_default()])
}
