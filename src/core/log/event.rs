//! The events of a log, and how urgent each is.

/// How urgent a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Something is wrong.
    Error,
    /// Something will be wrong, or is less than it could be.
    Warning,
    /// Something changed.
    Notice,
    /// Anything else.
    Info,
}

/// The event that a line of a watch is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogEvent {
    /// The watch begins.
    Started,
    /// The watch has ended.
    Stopped,
    /// The cost of asking the remote.
    Traffic,
    /// A commit has come.
    NewCommit,
    /// The cluster was not as the commit says, and was put back.
    Drift,
    /// An object is no longer managed.
    Abandoned,
    /// The cluster is at the commit, after changes.
    Applied,
    /// The cluster was changed, and is not at the commit.
    NotApplied,
    /// The first round found everything as declared.
    InSync,
    /// The faults of the round before are gone.
    Recovered,
    /// A newer commit ended the round.
    Superseded,
    /// A commit failed before, and the last healthy one is kept.
    HeldBack,
    /// Something is wrong.
    Fault,
    /// Something is worth knowing.
    Warning,
}

impl LogEvent {
    /// How urgent it is.
    pub fn level(self) -> Level {
        match self {
            Self::Fault | Self::HeldBack => Level::Error,
            Self::Warning => Level::Warning,
            Self::NewCommit
            | Self::Drift
            | Self::Abandoned
            | Self::Applied
            | Self::NotApplied
            | Self::Recovered => Level::Notice,
            Self::Started | Self::Stopped | Self::Traffic | Self::InSync | Self::Superseded => {
                Level::Info
            }
        }
    }
}
