//! DORA's four figures of a target in a window of time: how often it is deployed, how long a commit takes
//! to get there, how many deployments fail, and how long a failure lasts.
//!
//! Rounds of the same commit that follow one another are one deployment: a watch tries again. Drift,
//! removals, refusals, and rounds that were ended or killed are none. A round that ends well closes a
//! failure whatever its cause, and so does a rollback.

use jiff::Timestamp;

use super::record::{Cause, RunOutcome};
use super::summary::Summary;

/// The fewest samples that a 90th percentile is given of: of fewer it would be the largest one.
pub const P90_NEEDS: usize = 10;
/// The seconds of a day.
const DAY: f64 = 86_400.0;

/// A span of time, its end not included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its begin.
    pub from: Timestamp,
    /// Its end.
    pub until: Timestamp,
}

impl Window {
    /// Whether a time lies in it.
    pub fn has(&self, time: Timestamp) -> bool {
        (self.from..self.until).contains(&time)
    }

    /// Its length in days.
    pub fn days(&self) -> f64 {
        seconds(self.from, self.until).unwrap_or_default() as f64 / DAY
    }
}

/// The deployments of a window, counted and measured. Those of several targets can be put together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deployments {
    /// How many there were.
    pub count: usize,
    /// How many of them failed or were rolled back.
    pub failed: usize,
    /// Seconds from the commit to the end of the round that got it there, one for each that did.
    pub leads: Vec<u64>,
    /// How many are left out of these, since the commit's time is after that end.
    pub skewed: usize,
    /// Seconds from the begin of a failed deployment to the end of the next round that ended well.
    pub restores: Vec<u64>,
    /// How many failures have no such round yet.
    pub unrestored: usize,
    /// When the oldest round that is known began: before it the history says nothing.
    pub oldest: Option<Timestamp>,
}

/// The four figures.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// How many deployments there were.
    pub deployments: usize,
    /// Deployments a day, over the whole window.
    pub per_day: f64,
    /// Commit time to healthy, in seconds.
    pub lead: Spread,
    /// How many deployments failed or were rolled back.
    pub failed: usize,
    /// Their share of all; `None` where there are no deployments.
    pub failure_rate: Option<f64>,
    /// Failure to healthy, in seconds.
    pub restore: Spread,
}

/// How samples are spread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spread {
    /// How many there are.
    pub samples: usize,
    /// The median, the lower of two; `None` of none.
    pub median: Option<u64>,
    /// The 90th percentile; `None` of fewer than [`P90_NEEDS`].
    pub p90: Option<u64>,
}

impl Spread {
    fn of(samples: &[u64]) -> Self {
        let mut sorted = samples.to_vec();
        sorted.sort_unstable();
        // The nearest rank: a value that there was.
        let rank = |percent: usize| sorted.get((sorted.len() * percent).div_ceil(100).max(1) - 1);
        Self {
            samples: sorted.len(),
            median: rank(50).copied(),
            p90: rank(90).filter(|_| sorted.len() >= P90_NEEDS).copied(),
        }
    }
}

/// Successive rounds of one commit.
struct Deployment<'a> {
    first: &'a Summary,
    /// The first of its rounds that failed.
    failure: Option<&'a Summary>,
    /// The first that ended well.
    success: Option<&'a Summary>,
}

impl Deployments {
    /// The deployments of one target whose first round ended within the window. The rounds may come in
    /// any order. A failure may be restored after the window.
    pub fn of<'a>(rounds: impl IntoIterator<Item = &'a Summary>, window: Window) -> Self {
        let mut rounds: Vec<&Summary> = rounds.into_iter().collect();
        rounds.sort_by(|one, other| (ended(one), &one.id).cmp(&(ended(other), &other.id)));
        let good_ends: Vec<Timestamp> =
            rounds.iter().filter(|it| leaves_healthy(it)).map(|it| ended(it)).collect();
        let oldest = rounds.iter().map(|it| it.started).min();
        let mut found = Self { oldest, ..Self::default() };
        for deployment in deployments(rounds) {
            let Deployment { first, failure, success } = deployment;
            if !window.has(ended(first)) {
                continue;
            }
            found.count += 1;
            match success.map(|it| seconds(it.committed, ended(it))) {
                Some(Some(lead)) => found.leads.push(lead),
                Some(None) => found.skewed += 1,
                None => {}
            }
            let Some(failure) = failure else { continue };
            found.failed += 1;
            let next = good_ends.partition_point(|end| *end < ended(failure));
            match good_ends.get(next).and_then(|end| seconds(failure.started, *end)) {
                Some(restore) => found.restores.push(restore),
                None => found.unrestored += 1,
            }
        }
        found
    }

    /// Puts those of another target beside these.
    pub fn add(&mut self, other: Self) {
        let Self { count, failed, leads, skewed, restores, unrestored, oldest } = other;
        self.count += count;
        self.failed += failed;
        self.leads.extend(leads);
        self.skewed += skewed;
        self.restores.extend(restores);
        self.unrestored += unrestored;
        self.oldest = self.oldest.into_iter().chain(oldest).min();
    }

    /// The four figures of a window.
    pub fn figures(&self, window: Window) -> Figures {
        let days = window.days();
        Figures {
            deployments: self.count,
            per_day: if days > 0.0 { self.count as f64 / days } else { 0.0 },
            lead: Spread::of(&self.leads),
            failed: self.failed,
            failure_rate: (self.count > 0).then(|| self.failed as f64 / self.count as f64),
            restore: Spread::of(&self.restores),
        }
    }
}

/// The deployments among rounds that are sorted by their ends.
fn deployments(rounds: Vec<&Summary>) -> Vec<Deployment<'_>> {
    let mut found: Vec<Deployment<'_>> = Vec::new();
    for round in rounds {
        let (is_failure, is_success) = (round.outcome.is_failure(), round.outcome.is_success());
        if round.cause != Cause::Deployment || !(is_failure || is_success) {
            continue;
        }
        if found.last().is_none_or(|last| last.first.commit != round.commit) {
            found.push(Deployment { first: round, failure: None, success: None });
        }
        let Some(last) = found.last_mut() else { continue };
        last.failure = last.failure.or(is_failure.then_some(round));
        last.success = last.success.or(is_success.then_some(round));
    }
    found
}

/// Whether the target was well in the end, with this commit or with the one that was restored.
fn leaves_healthy(round: &Summary) -> bool {
    let Summary { outcome, cause, restored, .. } = round;
    let is_restored = *outcome == RunOutcome::RolledBack && restored.is_some();
    *cause != Cause::Removal && (outcome.is_success() || is_restored)
}

/// When a round ended, which is not before it began, whatever its record says.
fn ended(round: &Summary) -> Timestamp {
    round.ended.max(round.started)
}

/// The seconds between two times; `None` where the second is before the first.
fn seconds(from: Timestamp, until: Timestamp) -> Option<u64> {
    u64::try_from(until.as_second() - from.as_second()).ok()
}
