//! Whether a commit that is waited for is there: `trueup status --wait-for`.

use crate::core::history::{RunOutcome, Summary};
use crate::core::inventory::Record;
use crate::core::source::snapshot::short;

/// A commit that is waited for on one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwaitedCommit {
    /// Full id.
    pub commit: String,
}

/// How the commit that runs stands towards the one that is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitOrder {
    /// It is an ancestor: the awaited one is still to come.
    Before,
    /// It is a descendant.
    After,
    /// Neither is an ancestor of the other.
    Apart,
    /// It is not in this checkout.
    Unknown,
}

/// How far a commit is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Awaited {
    /// It runs and was seen healthy.
    Healthy,
    /// It runs. Whether it is healthy has to be looked at.
    Running,
    /// It is not there yet, and why.
    Waiting(String),
    /// It will not come, and why.
    Over(AwaitedEnd),
}

/// Why a commit will not come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AwaitedEnd {
    /// A later one runs.
    Overtaken {
        /// Full id of the one that runs.
        by: String,
    },
    /// It was applied and failed.
    Failed {
        /// How the round ended.
        outcome: RunOutcome,
        /// The party that ran it.
        by: String,
    },
    /// It failed and was rolled back.
    RolledBack,
}

impl AwaitedEnd {
    /// Its code in JSON.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Overtaken { .. } => "overtaken",
            Self::Failed { .. } => "failed",
            Self::RolledBack => "rolled-back",
        }
    }

    /// The reason in words, of the commit `awaited`.
    pub fn words(&self, awaited: &str) -> String {
        let awaited = short(awaited);
        match self {
            Self::Overtaken { by } => format!("{awaited} was overtaken by {}", short(by)),
            Self::Failed { outcome: RunOutcome::Refused, by } => {
                format!("{awaited} was refused in the round of {by}")
            }
            Self::Failed { outcome: RunOutcome::Unhealthy, by } => {
                format!("{awaited} was applied by {by} and did not get healthy")
            }
            Self::Failed { by, .. } => format!("{awaited} failed in the round of {by}"),
            Self::RolledBack => format!("{awaited} failed and was rolled back"),
        }
    }
}

impl AwaitedCommit {
    /// How far it is, by the inventory's record and the target's history, the oldest first. `order` is that
    /// of the commit that runs.
    ///
    /// An old mark of health counts only for the commit that runs, and only where it is of this apply.
    pub fn progress(
        &self,
        record: Option<&Record>,
        history: &[Summary],
        order: CommitOrder,
    ) -> Awaited {
        let Self { commit } = self;
        let last = history.last();
        let is_last = |outcomes: &[RunOutcome]| {
            last.filter(|it| it.commit == *commit && outcomes.contains(&it.outcome))
        };
        let Some(record) = record else {
            return match is_last(&[RunOutcome::Failed, RunOutcome::Refused]) {
                Some(last) => Awaited::Over(failed(last)),
                None => Awaited::Waiting("nothing was applied yet".to_owned()),
            };
        };
        if record.past.failed.as_ref() == Some(commit) {
            return Awaited::Over(AwaitedEnd::RolledBack);
        }
        if record.revision.as_ref() == Some(commit) {
            let ends = [RunOutcome::Failed, RunOutcome::Refused, RunOutcome::Unhealthy];
            if let Some(last) = is_last(&ends)
                && is_of_this_apply(record, last)
            {
                return Awaited::Over(failed(last));
            }
            return match is_proven(record, commit) {
                true => Awaited::Healthy,
                false => Awaited::Running,
            };
        }
        if is_last(&[RunOutcome::RolledBack]).is_some() {
            return Awaited::Over(AwaitedEnd::RolledBack);
        }
        if let Some(last) = is_last(&[RunOutcome::Failed, RunOutcome::Refused]) {
            return Awaited::Over(failed(last));
        }
        let Some(runs) = &record.revision else {
            return Awaited::Waiting("the first apply is not finished".to_owned());
        };
        let is_clean = !runs.ends_with("-dirty");
        let id = runs.trim_end_matches("-dirty").to_owned();
        // It was here once, and another commit came after it.
        let was_here = history.iter().any(|it| it.commit == *commit && is_applied(it.outcome));
        match order {
            CommitOrder::After if is_clean => Awaited::Over(AwaitedEnd::Overtaken { by: id }),
            _ if was_here => Awaited::Over(AwaitedEnd::Overtaken { by: id }),
            CommitOrder::Unknown => {
                Awaited::Waiting(format!("{} runs, which is not in this checkout", short(&id)))
            }
            _ => Awaited::Waiting(format!("{} runs", short(&id))),
        }
    }
}

/// Whether a commit was made true in full.
fn is_applied(outcome: RunOutcome) -> bool {
    matches!(outcome, RunOutcome::Healthy | RunOutcome::Applied | RunOutcome::Unhealthy)
}

/// Whether the record's mark of health is of the commit that runs, and of this apply of it.
fn is_proven(record: &Record, commit: &str) -> bool {
    let past = &record.past;
    let Some(healthy) = past.healthy.as_ref().filter(|healthy| healthy.what == commit) else {
        return false;
    };
    past.applied.as_ref().is_none_or(|applied| healthy.at >= applied.at)
}

/// Whether a round ended after the commit that runs was applied, with some seconds for clocks that differ.
fn is_of_this_apply(record: &Record, round: &Summary) -> bool {
    const SKEW: i64 = 5;
    let applied = record.past.applied.as_ref().map(|applied| applied.at.as_second());
    applied.is_none_or(|applied| round.ended.as_second() + SKEW >= applied)
}

fn failed(round: &Summary) -> AwaitedEnd {
    let by = match round.host.as_str() {
        "" => round.user.clone(),
        host => format!("{} on {host}", round.user),
    };
    AwaitedEnd::Failed { outcome: round.outcome, by }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::Timestamp;

    use super::*;
    use crate::core::history::Cause;
    use crate::core::inventory::{Finished, ReleaseHistory, TimedCommit};

    const NEW: &str = "bbbbbbb";
    const OLD: &str = "aaaaaaa";

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn timed(what: &str, second: i64) -> Option<TimedCommit> {
        Some(TimedCommit { what: what.to_owned(), at: at(second) })
    }

    fn record(revision: Option<&str>, past: ReleaseHistory) -> Record {
        Record {
            kinds: BTreeSet::new(),
            namespaces: BTreeSet::new(),
            repository: "root".to_owned(),
            target: Some("prod".to_owned()),
            paths: BTreeSet::new(),
            revision: revision.map(str::to_owned),
            tracked: None,
            is_unverified: false,
            past,
            finished: Finished::default(),
            holding: crate::core::modes::Holding::default(),
        }
    }

    fn round(commit: &str, outcome: RunOutcome, ended: i64) -> Summary {
        Summary {
            id: format!("{ended}"),
            target: "prod".to_owned(),
            commit: commit.to_owned(),
            dirty: false,
            named: "main".to_owned(),
            subject: String::new(),
            author: String::new(),
            committed: at(0),
            cause: Cause::Deployment,
            outcome,
            changed: 1,
            user: "ops".to_owned(),
            host: "host".to_owned(),
            started: at(ended),
            ended: at(ended),
            restored: None,
            reason: None,
            bytes: 0,
        }
    }

    fn progress(record: Option<&Record>, history: &[Summary], order: CommitOrder) -> Awaited {
        AwaitedCommit { commit: NEW.to_owned() }.progress(record, history, order)
    }

    fn past(applied: i64, healthy: Option<TimedCommit>) -> ReleaseHistory {
        ReleaseHistory { applied: timed("ops@host", applied), healthy, ..ReleaseHistory::default() }
    }

    #[test]
    fn commit_that_runs_is_healthy_only_by_a_mark_of_this_apply() {
        for (healthy, expected) in [
            (None, Awaited::Running),
            (timed(OLD, 20), Awaited::Running),
            (timed(NEW, 20), Awaited::Healthy),
            // Of an earlier apply of the same commit.
            (timed(NEW, 5), Awaited::Running),
        ] {
            let record = record(Some(NEW), past(10, healthy));
            assert_eq!(progress(Some(&record), &[], CommitOrder::Before), expected);
        }
    }

    #[test]
    fn old_mark_of_a_commit_that_does_not_run_is_not_taken() {
        let record = record(Some(OLD), past(10, timed(NEW, 5)));
        let waits = progress(Some(&record), &[], CommitOrder::Before);
        assert_eq!(waits, Awaited::Waiting("aaaaaaa runs".to_owned()));
        let was_here = [round(NEW, RunOutcome::Healthy, 5), round(OLD, RunOutcome::Healthy, 10)];
        let over = progress(Some(&record), &was_here, CommitOrder::Before);
        assert_eq!(over, Awaited::Over(AwaitedEnd::Overtaken { by: OLD.to_owned() }));
    }

    #[test]
    fn later_commit_overtakes_it() {
        let record = |revision| record(Some(revision), past(10, None));
        let over = Awaited::Over(AwaitedEnd::Overtaken { by: "ccccccc".to_owned() });
        assert_eq!(progress(Some(&record("ccccccc")), &[], CommitOrder::After), over);
        for (revision, order, said) in [
            ("ccccccc", CommitOrder::Apart, "ccccccc runs"),
            ("ccccccc", CommitOrder::Unknown, "ccccccc runs, which is not in this checkout"),
            // The work tree on top of a later commit is no commit.
            ("ccccccc-dirty", CommitOrder::After, "ccccccc runs"),
        ] {
            let waits = progress(Some(&record(revision)), &[], order);
            assert_eq!(waits, Awaited::Waiting(said.to_owned()), "{revision} {order:?}");
        }
    }

    #[test]
    fn failure_and_rollback_end_it() {
        let failed =
            |outcome| Awaited::Over(AwaitedEnd::Failed { outcome, by: "ops on host".to_owned() });
        let runs_old = record(Some(OLD), past(10, None));
        let runs_new = record(Some(NEW), past(10, None));
        let rolled = ReleaseHistory { failed: Some(NEW.to_owned()), ..past(10, None) };
        let rolled = record(Some(OLD), rolled);
        let back = Awaited::Over(AwaitedEnd::RolledBack);
        for (record, outcome, expected) in [
            (Some(&rolled), RunOutcome::Healthy, back.clone()),
            (Some(&runs_old), RunOutcome::RolledBack, back),
            (Some(&runs_old), RunOutcome::Failed, failed(RunOutcome::Failed)),
            (Some(&runs_old), RunOutcome::Refused, failed(RunOutcome::Refused)),
            (Some(&runs_old), RunOutcome::Killed, Awaited::Waiting("aaaaaaa runs".to_owned())),
            (Some(&runs_new), RunOutcome::Unhealthy, failed(RunOutcome::Unhealthy)),
            (Some(&runs_new), RunOutcome::Applied, Awaited::Running),
            (None, RunOutcome::Failed, failed(RunOutcome::Failed)),
        ] {
            let history = [round(NEW, outcome, 12)];
            assert_eq!(progress(record, &history, CommitOrder::Before), expected, "{outcome:?}");
        }
        // The failure was before this apply of the commit.
        let history = [round(NEW, RunOutcome::Unhealthy, 1)];
        let now = progress(Some(&runs_new), &history, CommitOrder::Before);
        assert_eq!(now, Awaited::Running);
        // And before a round of another commit.
        let history = [round(NEW, RunOutcome::Failed, 1), round(OLD, RunOutcome::Healthy, 10)];
        let now = progress(Some(&runs_old), &history, CommitOrder::Before);
        assert_eq!(now, Awaited::Waiting("aaaaaaa runs".to_owned()));
        let first = progress(None, &[], CommitOrder::Unknown);
        assert_eq!(first, Awaited::Waiting("nothing was applied yet".to_owned()));
    }
}
