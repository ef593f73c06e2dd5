//! An observation of one target in a round, as far as messages are about it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// An observation of one target at one time. All of its texts can be shown: nothing in them is secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// The target's name.
    pub target: String,
    /// When.
    pub at: Timestamp,
    /// Whether the remote of the repository answered.
    pub git: Reach,
    /// Whether the API server did.
    pub cluster: Reach,
    /// How far the round is.
    pub step: Step,
}

/// How far a round is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// It is about to write objects of a commit that the inventory does not name yet.
    Deploying(Commit),
    /// It waits for health, and drift was put back meanwhile. How it ends is not known.
    Healed {
        /// The commit that is applied.
        commit: Commit,
        /// The objects that differed.
        drift: Vec<Drift>,
    },
    /// It was cut short, or left something for the next one, which is no fault. So it tells of drift alone.
    Cut {
        /// The commit that it was about.
        commit: Commit,
        /// The objects that it put back before it ended.
        drift: Vec<Drift>,
    },
    /// It ended, and did less than usual, as the target is held. So it does not say whether what failed
    /// before would fail still.
    Kept {
        /// The objects that differ.
        drift: Vec<Drift>,
        /// The commit that waits.
        waits: Option<WaitingNews>,
    },
    /// It ended, and what it says of the target is known.
    Ended(Box<RoundEnd>),
    /// It ended, and wrote nothing, as the target is suspended.
    Suspended(SuspendedRound),
    /// It came to nothing, for reasons that last. So it says nothing of drift, and of what holds the target.
    Nothing {
        /// All that failed.
        culprits: Vec<Culprit>,
        /// The commit that is not applied, where there is one.
        refused: Option<RefusedCommit>,
    },
    /// It ended, and says nothing of the target: it could not look.
    Unknown,
}

/// The result of a round that ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoundEnd {
    /// The commit that the target is at, or was to be at.
    pub commit: Option<Commit>,
    /// Whether everything was seen to be healthy; not where a round does not wait.
    pub is_proven: bool,
    /// The failure, where there is one.
    pub failure: Option<Failure>,
    /// Objects that are not ready, of a round that did not wait for them. They belong to a failure that
    /// lasts, and begin none: an object may be on its way.
    pub unready: Vec<Culprit>,
    /// The commit that is not applied, where there is one.
    pub refused: Option<RefusedCommit>,
    /// The objects that differed although their commit was applied.
    pub drift: Vec<Drift>,
    /// The commit that waits, as the target is held.
    pub waits: Option<WaitingNews>,
}

/// A round of a target that is suspended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SuspendedRound {
    /// The suspension, as opposed to any other one.
    pub key: String,
    /// By whom, until when and why, for people.
    pub text: String,
    /// Whether it ends soon.
    pub ends_soon: bool,
}

/// A commit that waits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WaitingNews {
    /// The commit.
    pub commit: Commit,
    /// Why, for people.
    pub text: String,
}

/// A commit, as people are told of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// Its full id.
    pub id: String,
    /// The first line of its message.
    pub subject: String,
    /// Its author.
    pub author: String,
}

/// Whether something on the other end of a wire answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// The round did not ask.
    #[default]
    NotAsked,
    /// It did.
    Reached,
    /// It did, and does not allow what is asked. A server that has just begun may say so, as it does not know
    /// the roles yet.
    Refused,
    /// It did not, and why.
    Lost(String),
}

/// A failure of a commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failure {
    /// All that failed, the likely cause first.
    pub culprits: Vec<Culprit>,
    /// The commit that was taken back, where one was.
    pub taken: Option<Taken>,
}

/// A commit that was taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The commit that failed.
    pub failed: Commit,
    /// The full id of the commit that is kept true in its place.
    pub to: String,
}

/// One thing that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Culprit {
    /// The object; `None` where the failure is of the whole target.
    pub object: Option<String>,
    /// The class of the error, which is the same as long as the cause is.
    pub class: String,
    /// The error, for people. It may have times and counts in it.
    pub text: String,
}

/// A commit that is not applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedCommit {
    /// The commit.
    pub commit: Commit,
    /// The class of the reason.
    pub class: String,
    /// The reason, for people.
    pub text: String,
    /// The full id of the commit that stays applied, where one does.
    pub stays: Option<String>,
}

/// An object that differed although its commit was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drift {
    /// The object.
    pub object: String,
    /// Whether the round put it back.
    pub is_put_back: bool,
}
