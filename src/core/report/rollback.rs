//! The rollback from a commit that failed.

use std::fmt;

use serde::Serialize;

use super::{DIFFERING, Report};
use crate::core::mask::Masked;
use crate::core::source::snapshot::short;

/// A commit that was taken back, or was to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rollback {
    /// The id of the commit that was restored; `None` where there was none.
    pub to: Option<String>,
    /// The outcome. Displayed, it is a phrase without a final full stop.
    #[serde(flatten)]
    pub outcome: RollbackOutcome,
    /// The same in full.
    pub report: Option<Box<Masked<Report>>>,
}

/// How a rollback ended. Commits are full ids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum RollbackOutcome {
    /// There is none: no commit was ever seen healthy.
    NoHealthyCommit,
    /// There is none: the commit that failed is the one that was healthy.
    SameCommit,
    /// There is none: the healthy commit is no longer in the checkout.
    CommitMissing {
        /// The healthy commit.
        commit: String,
    },
    /// The healthy commit was restored, and is healthy.
    Healthy {
        /// The healthy commit.
        commit: String,
    },
    /// The healthy commit was restored, and is not healthy.
    Unhealthy {
        /// The healthy commit.
        commit: String,
    },
    /// The healthy commit was restored, and a newer one came before it was seen healthy.
    Superseded {
        /// The healthy commit.
        commit: String,
        /// The newer commit.
        newer: String,
    },
    /// Not everything could be restored.
    Partial {
        /// The healthy commit.
        commit: String,
        /// The objects that were not.
        shortfall: Shortfall,
    },
    /// It ended before anything was restored.
    Failed {
        /// The healthy commit.
        commit: String,
        /// The error, where it was not reported elsewhere.
        error: Option<String>,
    },
}

/// How many objects are not as a commit declares them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Shortfall {
    /// The change of how many failed.
    pub failed: usize,
    /// How many are not as planned.
    pub differing: usize,
    /// How many are refused.
    pub refused: usize,
    /// How many documents can't be used.
    pub unusable: usize,
    /// How many were not tried.
    pub skipped: usize,
}

impl RollbackOutcome {
    /// The code of every outcome.
    pub const CODES: &[&str] = &[
        "no-healthy-commit",
        "same-commit",
        "commit-missing",
        "healthy",
        "unhealthy",
        "superseded",
        "partial",
        "failed",
    ];

    /// Its code, which stays as it is while JSON's `version` does.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoHealthyCommit => "no-healthy-commit",
            Self::SameCommit => "same-commit",
            Self::CommitMissing { .. } => "commit-missing",
            Self::Healthy { .. } => "healthy",
            Self::Unhealthy { .. } => "unhealthy",
            Self::Superseded { .. } => "superseded",
            Self::Partial { .. } => "partial",
            Self::Failed { .. } => "failed",
        }
    }
}

impl fmt::Display for RollbackOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHealthyCommit => f.write_str("not rolled back: no commit was healthy before"),
            Self::SameCommit => f.write_str("not rolled back: this is the last healthy commit"),
            Self::CommitMissing { commit } => {
                let commit = short(commit);
                write!(
                    f,
                    "not rolled back: {commit}, the last healthy commit, is not in this checkout"
                )
            }
            Self::Healthy { commit } => {
                write!(f, "rolled back to {}, which is healthy", short(commit))
            }
            Self::Unhealthy { commit } => {
                write!(f, "rolled back to {}, which is not healthy either", short(commit))
            }
            Self::Superseded { commit, newer } => {
                let (commit, newer) = (short(commit), short(newer));
                write!(
                    f,
                    "rolled back to {commit}, and stopped waiting for it: {newer} has arrived"
                )
            }
            Self::Partial { commit, shortfall } => {
                write!(f, "the rollback to {} is incomplete: {shortfall}", short(commit))
            }
            Self::Failed { commit, error } => {
                write!(f, "cannot roll back to {}", short(commit))?;
                error.iter().try_for_each(|error| write!(f, ": {error}"))
            }
        }
    }
}

impl fmt::Display for Shortfall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { failed, differing, refused, unusable, skipped } = *self;
        let counts = [
            (failed, "failed"),
            (differing, DIFFERING),
            (refused, "refused"),
            (unusable, "not usable"),
            (skipped, "not tried"),
        ];
        let counts = counts.iter().filter(|(count, _)| *count > 0);
        let counts: Vec<_> = counts.map(|(count, word)| format!("{count} {word}")).collect();
        f.write_str(&counts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_is_serialised_with_its_code_and_says_what_happened() {
        let (commit, newer) = ("8be01d3aa0c8".to_owned(), "4f2c1a9bbbbb".to_owned());
        let shortfall = Shortfall { failed: 2, skipped: 1, ..Shortfall::default() };
        let error = Some("the server is gone".to_owned());
        let commit = || commit.clone();
        let all = [
            (RollbackOutcome::NoHealthyCommit, "not rolled back: no commit was healthy before"),
            (RollbackOutcome::SameCommit, "not rolled back: this is the last healthy commit"),
            (
                RollbackOutcome::CommitMissing { commit: commit() },
                "not rolled back: 8be01d3, the last healthy commit, is not in this checkout",
            ),
            (
                RollbackOutcome::Healthy { commit: commit() },
                "rolled back to 8be01d3, which is healthy",
            ),
            (
                RollbackOutcome::Unhealthy { commit: commit() },
                "rolled back to 8be01d3, which is not healthy either",
            ),
            (
                RollbackOutcome::Superseded { commit: commit(), newer },
                "rolled back to 8be01d3, and stopped waiting for it: 4f2c1a9 has arrived",
            ),
            (
                RollbackOutcome::Partial { commit: commit(), shortfall },
                "the rollback to 8be01d3 is incomplete: 2 failed, 1 not tried",
            ),
            (
                RollbackOutcome::Failed { commit: commit(), error: None },
                "cannot roll back to 8be01d3",
            ),
            (
                RollbackOutcome::Failed { commit: commit(), error },
                "cannot roll back to 8be01d3: the server is gone",
            ),
        ];
        for (outcome, words) in all {
            assert_eq!(outcome.to_string(), words);
            assert!(RollbackOutcome::CODES.contains(&outcome.code()), "{words}");
            let rollback = Rollback { to: None, outcome: outcome.clone(), report: None };
            assert_eq!(crate::core::json::to_value(rollback).unwrap()["code"], outcome.code());
        }
    }
}
