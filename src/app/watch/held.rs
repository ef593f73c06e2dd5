//! Why a round of a target that is held writes nothing.

use jiff::Timestamp;

use crate::app::{Survey, hold_of};
use crate::core::modes::{Hold, Passes};

/// Why a round wrote nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldRound {
    /// Why, and until when.
    pub hold: Hold,
    /// Whether it ends so soon that people are told.
    pub ends_soon: bool,
    /// Whether there is anything to write.
    pub is_due: bool,
}

impl HeldRound {
    /// That of a target that was surveyed; `None` where it may be written.
    pub(super) fn of(survey: &Survey) -> Option<Self> {
        let hold = hold_of(survey, Passes::default())?;
        let ends_soon = hold.ends_soon(Timestamp::now());
        Some(Self { hold, ends_soon, is_due: survey.writes() })
    }
}
