//! Whether a target may be changed now: suspensions, modes, windows, and what ends them. A pure function of the
//! settings, of what the inventory's parent says, of the commit and of the time.
//!
//! Data and rules only; [`crate::app`] asks before it writes, and [`crate::cluster`] writes the parent's
//! annotations.

mod mode;
mod stored;
#[cfg(test)]
mod tests;
mod until;
pub mod windows;

use std::collections::BTreeSet;

use jiff::Timestamp;

pub use self::mode::TargetMode;
pub use self::stored::{Holding, Note, RELEASED, Release, SUSPENDED, Suspension};
pub use self::until::{FORMS, until};
use self::windows::{Closed, Window, closed};
use crate::core::object::GroupKind;
use crate::core::source::snapshot::short;

/// Why a target is not changed, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Why.
    pub cause: HoldCause,
    /// Until when, where that is known.
    pub until: Option<Timestamp>,
}

/// Why a target is not changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HoldCause {
    /// It is suspended.
    Suspended(Suspension),
    /// It is suspended, and the annotation that says so can't be read, for this reason.
    Unreadable(String),
    /// Its mode is `detect`.
    Detect,
    /// Its mode is `hold`, and the commit is not released.
    Unreleased {
        /// The full id of the commit; `None` for a work tree.
        commit: Option<String>,
        /// Why the annotation with the released commit can't be read, where it can't.
        unreadable: Option<String>,
    },
    /// Its windows are closed.
    Closed {
        /// The window that keeps them closed, in words.
        by: String,
        /// Whether drift waits, too.
        is_drift: bool,
    },
}

/// The holds that whoever runs a command goes past on purpose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Passes {
    /// A suspension.
    pub suspended: bool,
    /// That the commit is not released. It is released then.
    pub release: bool,
    /// Closed windows.
    pub windows: bool,
}

/// All that says whether a commit may be applied to a target.
#[derive(Clone, Copy, Debug)]
pub struct HoldFacts<'a> {
    /// The target's mode.
    pub mode: TargetMode,
    /// The windows in which it may be changed.
    pub windows: &'a [Window],
    /// The kinds of the objects that are to be changed; `None` where they are unknown.
    pub kinds: Option<&'a BTreeSet<GroupKind>>,
    /// The annotations of its inventory's parent.
    pub holding: &'a Holding,
    /// The full id of the commit; `None` for a work tree.
    pub commit: Option<&'a str>,
    /// The commits that ran there, to which a target may always go back: the last one that was applied,
    /// and the last one that was healthy.
    pub known: [Option<&'a str>; 2],
    /// The holds that do not count.
    pub passes: Passes,
    /// The time.
    pub now: Timestamp,
}

/// Whether a target is held, and why. `None` where the commit may be applied.
pub fn hold(facts: &HoldFacts<'_>) -> Option<Hold> {
    let endless = |cause| Some(Hold { cause, until: None });
    if let Some(hold) = suspension(facts.holding, facts.passes, facts.now) {
        return Some(hold);
    }
    let is_known = facts.commit.is_some() && facts.known.contains(&facts.commit);
    match facts.mode {
        TargetMode::Enforce => {}
        TargetMode::Detect => return endless(HoldCause::Detect),
        TargetMode::Hold if is_known || facts.passes.release => {}
        TargetMode::Hold => {
            if let Some(unreleased) = unreleased(facts) {
                return endless(unreleased);
            }
        }
    }
    let windows = if facts.passes.windows { &[] } else { facts.windows };
    let Closed { until, by } = closed(windows, facts.kinds, is_known, facts.now)?;
    Some(Hold { cause: HoldCause::Closed { by, is_drift: is_known }, until })
}

/// Why a commit waits for its release.
fn unreleased(facts: &HoldFacts<'_>) -> Option<HoldCause> {
    let commit = facts.commit.map(str::to_owned);
    let unreadable = match &facts.holding.released {
        Some(Ok(release)) if facts.commit == Some(&release.commit) => return None,
        // One that can't be read releases nothing.
        Some(Err(why)) => Some(why.clone()),
        _ => None,
    };
    Some(HoldCause::Unreleased { commit, unreadable })
}

/// Whether a target is suspended.
fn suspension(holding: &Holding, passes: Passes, now: Timestamp) -> Option<Hold> {
    let suspended = holding.suspended.as_ref();
    let suspended = suspended.filter(|_| !passes.suspended && holding.is_suspended(now))?;
    Some(match suspended {
        Ok(suspension) => {
            Hold { until: suspension.until, cause: HoldCause::Suspended(suspension.clone()) }
        }
        Err(why) => Hold { cause: HoldCause::Unreadable(why.clone()), until: None },
    })
}

impl Hold {
    /// Whether it is a suspension.
    pub fn is_suspension(&self) -> bool {
        matches!(self.cause, HoldCause::Suspended(_) | HoldCause::Unreadable(_))
    }

    /// Whether drift from the commit that runs is put back meanwhile.
    pub fn heals(&self) -> bool {
        matches!(
            self.cause,
            HoldCause::Unreleased { .. } | HoldCause::Closed { is_drift: false, .. }
        )
    }

    /// The reason after the target's name: `prod is suspended by ops@host until …`.
    pub fn words(&self) -> String {
        match self.is_suspension() {
            true => format!("suspended {}", self.details()),
            false => self.details(),
        }
    }

    /// The reason beside a commit that waits; `None` for a suspension, which has a line of its own.
    pub fn brief(&self) -> Option<String> {
        match &self.cause {
            HoldCause::Suspended(_) | HoldCause::Unreadable(_) => None,
            HoldCause::Detect => Some("mode detect".to_owned()),
            HoldCause::Closed { by, .. } => Some(format!("{}, {by}", self.opening())),
            HoldCause::Unreleased { unreadable: None, .. } => {
                Some("not released, in mode hold".to_owned())
            }
            HoldCause::Unreleased { unreadable: Some(why), .. } => {
                Some(format!("the annotation {RELEASED} can't be read: {why}"))
            }
        }
    }

    /// The rest of these words: `by ops@host until 2026-03-01T18:00:00Z: stock-taking`.
    pub fn details(&self) -> String {
        match &self.cause {
            HoldCause::Suspended(suspension) => suspension.words(),
            HoldCause::Unreadable(why) => {
                format!("until it is resumed: the annotation {SUSPENDED} can't be read: {why}")
            }
            HoldCause::Detect => "in mode detect".to_owned(),
            HoldCause::Closed { by, .. } => format!("outside its windows {}: {by}", self.opening()),
            HoldCause::Unreleased { commit, unreadable } => {
                let commit = commit.as_deref().map_or("the work tree", short);
                let why = unreadable
                    .as_ref()
                    .map(|why| format!("; the annotation {RELEASED} can't be read: {why}"));
                format!("in mode hold, and {commit} is not released{}", why.unwrap_or_default())
            }
        }
    }

    /// The same with its texts from outside as `mask` gives them.
    #[must_use]
    pub fn masked(mut self, mask: impl Fn(&str) -> String) -> Self {
        let texts = match &mut self.cause {
            HoldCause::Suspended(Suspension { by, reason, .. }) => vec![by, reason],
            HoldCause::Unreadable(why) => vec![why],
            HoldCause::Detect | HoldCause::Closed { .. } => Vec::new(),
            HoldCause::Unreleased { commit: _, unreadable } => unreadable.iter_mut().collect(),
        };
        texts.into_iter().for_each(|text| *text = mask(text));
        self
    }

    /// Until when windows are closed.
    fn opening(&self) -> String {
        match self.until {
            Some(until) => format!("until {until:.0}"),
            None => "for more than a year".to_owned(),
        }
    }

    /// Whether it ends so soon that people are told.
    pub fn ends_soon(&self, now: Timestamp) -> bool {
        match &self.cause {
            HoldCause::Suspended(suspension) => suspension.ends_soon(now),
            _ => false,
        }
    }

    /// When it will be otherwise next, as far as that is a matter of time: it ends, or people are told that
    /// it will.
    pub fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        let told = match &self.cause {
            HoldCause::Suspended(suspension) => suspension.told_at(),
            _ => None,
        };
        told.filter(|told| *told > now).or(self.until)
    }
}
