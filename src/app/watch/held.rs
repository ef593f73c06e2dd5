//! Why a round of a target that is held does less than usual.

use jiff::Timestamp;

use crate::app::Survey;
use crate::core::mask::Masked;
use crate::core::modes::Hold;
use crate::core::source::snapshot::Revision;

/// Why a round wrote nothing, or did not apply the newest commit.
#[derive(Clone, Debug)]
pub struct HeldRound {
    /// Why, and until when.
    pub hold: Hold,
    /// Whether it ends so soon that people are told.
    pub ends_soon: bool,
    /// When that will be otherwise, as far as time alone changes it.
    pub next_change: Option<Timestamp>,
    /// Whether there is anything to write.
    pub is_due: bool,
    /// The commit that is not applied, where there is one.
    pub waits: Option<WaitingCommit>,
    /// Whether nothing was written, not even to put drift back.
    pub is_idle: bool,
}

/// A commit that waits.
#[derive(Clone, Debug)]
pub struct WaitingCommit {
    /// The commit.
    pub revision: Revision,
    /// The first line of its message.
    pub summary: Masked<String>,
}

impl HeldRound {
    /// That of a round that writes nothing.
    pub(super) fn idle(hold: Hold, survey: &Survey, waits: Option<WaitingCommit>) -> Self {
        let now = Timestamp::now();
        let (ends_soon, next_change) = (hold.ends_soon(now), hold.next_change(now));
        Self { ends_soon, next_change, is_due: survey.writes(), waits, is_idle: true, hold }
    }
}
