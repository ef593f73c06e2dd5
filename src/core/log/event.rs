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
    /// Something takes a while.
    Waiting,
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
    /// A commit is not applied yet, as the target is held.
    CommitWaits,
    /// The target is suspended, or its suspension ends soon.
    Suspended,
    /// It is suspended no longer.
    Resumed,
    /// The share of the targets that this replica watches has changed.
    Shared,
    /// Something is wrong.
    Fault,
    /// Something is worth knowing.
    Warning,
}

impl Level {
    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
            Self::Info => "info",
        }
    }

    /// The beginning of such a line for systemd's journal: syslog's number of the level (sd-daemon(3)).
    pub fn journal_prefix(self) -> &'static str {
        match self {
            Self::Error => "<3>",
            Self::Warning => "<4>",
            Self::Notice => "<5>",
            Self::Info => "<6>",
        }
    }
}

impl LogEvent {
    /// Every event.
    pub const ALL: [Self; 19] = [
        Self::Started,
        Self::Stopped,
        Self::Traffic,
        Self::Waiting,
        Self::NewCommit,
        Self::Drift,
        Self::Abandoned,
        Self::Applied,
        Self::NotApplied,
        Self::InSync,
        Self::Recovered,
        Self::Superseded,
        Self::HeldBack,
        Self::CommitWaits,
        Self::Suspended,
        Self::Resumed,
        Self::Shared,
        Self::Fault,
        Self::Warning,
    ];

    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Stopped => "stopped",
            Self::Traffic => "traffic",
            Self::Waiting => "waiting",
            Self::NewCommit => "new-commit",
            Self::Drift => "drift",
            Self::Abandoned => "abandoned",
            Self::Applied => "applied",
            Self::NotApplied => "not-applied",
            Self::InSync => "in-sync",
            Self::Recovered => "recovered",
            Self::Superseded => "superseded",
            Self::HeldBack => "held-back",
            Self::CommitWaits => "commit-waits",
            Self::Suspended => "suspended",
            Self::Resumed => "resumed",
            Self::Shared => "shared",
            Self::Fault => "fault",
            Self::Warning => "warning",
        }
    }

    /// How urgent it is.
    pub fn level(self) -> Level {
        match self {
            Self::Fault | Self::HeldBack => Level::Error,
            Self::Warning | Self::Suspended => Level::Warning,
            Self::NewCommit
            | Self::Drift
            | Self::Abandoned
            | Self::Applied
            | Self::NotApplied
            | Self::Recovered
            | Self::CommitWaits
            | Self::Resumed
            | Self::Shared => Level::Notice,
            Self::Started
            | Self::Stopped
            | Self::Traffic
            | Self::Waiting
            | Self::InSync
            | Self::Superseded => Level::Info,
        }
    }
}
