//! A message about one transition.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::observation::Commit;

/// A transition of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transition {
    /// Objects differ, and were not put back.
    Drift,
    /// Objects differed, and were put back.
    DriftPutBack,
    /// Objects that differed no longer do, and this run did not put them back.
    DriftGone,
    /// A new commit is being applied.
    Started,
    /// A new commit is applied, and healthy where that was waited for.
    Healthy,
    /// A commit could not be applied, or is not healthy.
    Failed,
    /// A commit failed and was taken back.
    RolledBack,
    /// A failure lasts.
    StillFailing,
    /// There is no failure any more.
    Recovered,
    /// A commit is not applied, for its signature or for what is in it.
    Refused,
    /// The remote of the repository has not answered for a while.
    GitUnreachable,
    /// It does again.
    GitReachable,
    /// The API server has not answered for a while.
    ClusterUnreachable,
    /// It does again.
    ClusterReachable,
    /// A commit waits, as the target is held.
    Waiting,
    /// The target is suspended.
    Suspended,
    /// Its suspension ends soon.
    SuspensionEnding,
    /// It is suspended no longer.
    Resumed,
    /// Older messages of this sink were dropped.
    Dropped,
}

impl Transition {
    /// All that happens to a target, in the order of the documentation.
    pub const ALL: [Self; 18] = [
        Self::Started,
        Self::Healthy,
        Self::Failed,
        Self::RolledBack,
        Self::StillFailing,
        Self::Recovered,
        Self::Refused,
        Self::Drift,
        Self::DriftPutBack,
        Self::DriftGone,
        Self::GitUnreachable,
        Self::GitReachable,
        Self::ClusterUnreachable,
        Self::ClusterReachable,
        Self::Waiting,
        Self::Suspended,
        Self::SuspensionEnding,
        Self::Resumed,
    ];

    /// Its name, as in settings and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Drift => "drift",
            Self::DriftPutBack => "drift-put-back",
            Self::DriftGone => "drift-gone",
            Self::Started => "started",
            Self::Healthy => "healthy",
            Self::Failed => "failed",
            Self::RolledBack => "rolled-back",
            Self::StillFailing => "still-failing",
            Self::Recovered => "recovered",
            Self::Refused => "refused",
            Self::GitUnreachable => "git-unreachable",
            Self::GitReachable => "git-reachable",
            Self::ClusterUnreachable => "cluster-unreachable",
            Self::ClusterReachable => "cluster-reachable",
            Self::Waiting => "waiting",
            Self::Suspended => "suspended",
            Self::SuspensionEnding => "suspension-ending",
            Self::Resumed => "resumed",
            Self::Dropped => "dropped",
        }
    }

    /// How bad it is.
    pub fn level(self) -> Level {
        match self {
            Self::Started | Self::DriftGone | Self::Waiting | Self::Suspended | Self::Resumed => {
                Level::Info
            }
            Self::Healthy | Self::Recovered | Self::GitReachable | Self::ClusterReachable => {
                Level::Good
            }
            Self::Drift | Self::DriftPutBack | Self::SuspensionEnding | Self::Dropped => {
                Level::Warning
            }
            Self::Failed
            | Self::RolledBack
            | Self::StillFailing
            | Self::Refused
            | Self::GitUnreachable
            | Self::ClusterUnreachable => Level::Error,
        }
    }
}

/// How bad a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Neither good nor bad.
    Info,
    /// A fault is over, or did not come.
    Good,
    /// Worth a look.
    Warning,
    /// Needs help.
    Error,
}

impl Level {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Good => "good",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// A message about one transition. Nothing in it is secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// An id of its own: a sink that was told twice can see that by it.
    pub id: String,
    /// The target's name.
    pub target: String,
    /// The transition.
    pub transition: Transition,
    /// One line about it, which begins with the target's name.
    pub title: String,
    /// More about it, line by line.
    pub details: Vec<String>,
    /// The commit that it is about.
    pub commit: Option<Commit>,
    /// The objects that it is about, up to a bound.
    pub objects: Vec<String>,
    /// When it happened.
    pub at: Timestamp,
    /// When the state began that it is about, for states that last.
    pub since: Timestamp,
    /// The number of rounds that a failure lasts, of a message that says so.
    pub reminder: Option<u32>,
    /// Whether everything was seen to be healthy, of a message that says that a commit is applied.
    pub is_proven: bool,
    /// Whether other objects of the target still differ, of a message about drift.
    pub stays_drifted: bool,
}

/// Which lasting state an alert is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alert {
    /// Its name.
    pub name: &'static str,
    /// Whether it began or ended.
    pub state: AlertState,
}

/// Whether the state of an alert began or ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertState {
    /// It began, or lasts.
    Firing,
    /// It ended.
    Resolved,
}

/// The result of a commit, for a forge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitVerdict {
    /// It is being applied.
    Pending,
    /// It is applied.
    Success,
    /// It failed.
    Failure,
}

impl Message {
    /// The alert that it is about; `None` where it is about no lasting state.
    pub fn alert(&self) -> Option<Alert> {
        use AlertState::{Firing, Resolved};
        let (name, state) = match self.transition {
            Transition::Failed
            | Transition::RolledBack
            | Transition::StillFailing
            | Transition::Refused => ("TrueupFailing", Firing),
            Transition::Recovered => ("TrueupFailing", Resolved),
            Transition::Drift => ("TrueupDrift", Firing),
            Transition::DriftGone | Transition::DriftPutBack if self.stays_drifted => return None,
            Transition::DriftGone | Transition::DriftPutBack => ("TrueupDrift", Resolved),
            Transition::GitUnreachable => ("TrueupGitUnreachable", Firing),
            Transition::GitReachable => ("TrueupGitUnreachable", Resolved),
            Transition::ClusterUnreachable => ("TrueupClusterUnreachable", Firing),
            Transition::ClusterReachable => ("TrueupClusterUnreachable", Resolved),
            Transition::Started
            | Transition::Healthy
            | Transition::Waiting
            | Transition::Suspended
            | Transition::SuspensionEnding
            | Transition::Resumed
            | Transition::Dropped => return None,
        };
        Some(Alert { name, state })
    }

    /// The result of its commit; `None` where it says nothing of a commit.
    pub fn verdict(&self) -> Option<CommitVerdict> {
        self.commit.as_ref()?;
        match self.transition {
            Transition::Started => Some(CommitVerdict::Pending),
            Transition::Healthy | Transition::Recovered => Some(CommitVerdict::Success),
            Transition::Failed | Transition::RolledBack | Transition::Refused => {
                Some(CommitVerdict::Failure)
            }
            _ => None,
        }
    }

    /// The title and the details, line by line.
    pub fn text(&self) -> String {
        let details = self.details.iter().map(String::as_str);
        std::iter::once(self.title.as_str()).chain(details).collect::<Vec<_>>().join("\n")
    }
}
