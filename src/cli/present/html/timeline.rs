//! The rounds of a window of time, counted in equal parts of it, so that a chart of ten thousand rounds is
//! as large as one of ten.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use super::words::{counted, day, minute, outcome};
use crate::core::history::{Cause, RunOutcome, Summary, Window};

/// The seconds of a day.
const DAY: i64 = 86_400;

/// The windows that a page can have: days, parts, and days between two labels. The last has a label for
/// each month.
const WINDOWS: [(i64, usize, i64); 4] = [(7, 28, 1), (28, 28, 7), (91, 91, 14), (364, 52, 0)];

/// A window of time that ends when the page is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scale {
    pub(super) window: Window,
    days: i64,
    parts: usize,
    labels: i64,
}

/// The rounds of one part of the window.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Part<'a> {
    /// Deployments that ended well.
    pub(super) deployed: usize,
    /// Rounds that failed, those that were rolled back included.
    pub(super) failed: usize,
    /// Those that were rolled back.
    pub(super) rolled_back: usize,
    /// Drift that was put back, and rounds that were refused or ended early.
    pub(super) other: usize,
    /// The only round, where there was one alone.
    only: Option<&'a Summary>,
}

impl Scale {
    /// The smallest window that has all rounds, or else the longest.
    pub(super) fn of(oldest: Option<Timestamp>, made: Timestamp) -> Self {
        let age = oldest.map_or(0, |oldest| made.as_second() - oldest.as_second());
        let fits = WINDOWS.into_iter().find(|(days, ..)| age < days * DAY);
        let (days, parts, labels) = fits.unwrap_or(WINDOWS[WINDOWS.len() - 1]);
        // The end is not part of a window, and a round that has just ended is.
        let until = made.saturating_add(SignedDuration::from_secs(1)).unwrap_or(made);
        let from = until.saturating_sub(SignedDuration::from_secs(days * DAY)).unwrap_or(until);
        Self { window: Window { from, until }, days, parts, labels }
    }

    /// The window in words.
    pub(super) fn words(&self) -> String {
        match self.days {
            364 => "the last 52 weeks".to_owned(),
            days => format!("the last {days} days"),
        }
    }

    /// Counts rounds. Those outside the window are left out.
    pub(super) fn parts<'a>(&self, rounds: impl IntoIterator<Item = &'a Summary>) -> Vec<Part<'a>> {
        let mut parts = vec![Part::default(); self.parts];
        for round in rounds {
            let place = self.place(round.started);
            if !(0.0..100.0).contains(&place) {
                continue;
            }
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "below parts"
            )]
            let index = (place / 100.0 * self.parts as f64) as usize;
            if let Some(part) = parts.get_mut(index) {
                part.add(round);
            }
        }
        parts
    }

    /// How far a time is in the window, in per cent.
    fn place(&self, time: Timestamp) -> f64 {
        let Window { from, until } = self.window;
        let seconds = |to: Timestamp| (to.as_second() - from.as_second()) as f64;
        seconds(time) / seconds(until).max(1.0) * 100.0
    }

    /// The labels of the time axis, with their places in per cent.
    pub(super) fn labels(&self) -> Vec<(f64, String)> {
        let Window { from, until } = self.window;
        let first = from.to_zoned(TimeZone::UTC).date();
        let days = (1..=self.days).filter_map(|n| Some((n, first.checked_add(n.days()).ok()?)));
        let is_labelled = |n: i64, day: i8| match self.labels {
            0 => day == 1,
            step => (n - 1) % step == 0,
        };
        let days = days.filter(|(n, date)| is_labelled(*n, date.day()));
        let labels = days.filter_map(|(_, date)| {
            let time = date.to_zoned(TimeZone::UTC).ok()?.timestamp();
            let label = match self.labels {
                0 => date.strftime("%b").to_string(),
                _ => day(time),
            };
            (time < until).then(|| (self.place(time), label))
        });
        labels.collect()
    }

    /// Where a part begins and how wide it is, in per cent.
    pub(super) fn place_of_part(&self, index: usize) -> (f64, f64) {
        let width = 100.0 / self.parts as f64;
        (index as f64 * width, width)
    }

    /// The rounds of a part, in words.
    pub(super) fn part_words(&self, index: usize, part: &Part<'_>) -> String {
        if let Some(round) = part.only {
            let Summary { target, subject, .. } = round;
            let (time, ended, commit) =
                (minute(round.started), outcome(round).words, round.short());
            return format!("{time}: {target} {ended}, {commit} {subject}");
        }
        let length = self.days * DAY / i64::try_from(self.parts).unwrap_or(1);
        let at = |n: usize| {
            let seconds = length * i64::try_from(n).unwrap_or_default();
            let time = self.window.from.saturating_add(SignedDuration::from_secs(seconds));
            time.unwrap_or(self.window.until)
        };
        let days = match (day(at(index)), day(at(index + 1))) {
            (from, until) if from == until || length <= DAY => from,
            (from, until) => format!("{from} to {until}"),
        };
        format!("{days}: {}", part.words())
    }
}

impl<'a> Part<'a> {
    fn add(&mut self, round: &'a Summary) {
        self.only = (self.count() == 0).then_some(round);
        let is_deployment = round.cause == Cause::Deployment;
        match round.outcome {
            RunOutcome::Healthy | RunOutcome::Applied if is_deployment => self.deployed += 1,
            RunOutcome::Unhealthy | RunOutcome::Failed => self.failed += 1,
            RunOutcome::RolledBack => {
                self.failed += 1;
                self.rolled_back += 1;
            }
            _ => self.other += 1,
        }
    }

    /// How many rounds.
    pub(super) fn count(&self) -> usize {
        self.deployed + self.failed + self.other
    }

    /// The rounds in words.
    pub(super) fn words(&self) -> String {
        let Self { deployed, failed, rolled_back, other, .. } = *self;
        let counts = [
            (deployed, "deployed"),
            (failed - rolled_back, "failed"),
            (rolled_back, "rolled back"),
        ];
        let counts = counts.into_iter().filter(|(count, _)| *count > 0);
        let mut words: Vec<String> = counts.map(|(n, word)| format!("{n} {word}")).collect();
        words.extend((other > 0).then(|| counted(other, "other round")));
        match words.is_empty() {
            true => "nothing".to_owned(),
            false => words.join(", "),
        }
    }

    /// All parts as one.
    pub(super) fn sum(parts: &[Self]) -> Self {
        let add = |sum: Self, part: &Self| Self {
            deployed: sum.deployed + part.deployed,
            failed: sum.failed + part.failed,
            rolled_back: sum.rolled_back + part.rolled_back,
            other: sum.other + part.other,
            only: None,
        };
        parts.iter().fold(Self::default(), add)
    }
}
