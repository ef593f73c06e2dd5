//! The words of the page for a state, an outcome and a time: a mark, words beside it, and a tone that the
//! style sheet gives a colour. The words say all; mark and colour repeat it.

use jiff::{Timestamp, tz::TimeZone};

use super::markup::{Element, element};
use crate::core::history::{Cause, RunOutcome, Summary};
use crate::core::source::snapshot::short;
use crate::core::status::{HealthCounts, Held, SyncState, TargetStatus};

/// How good or bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tone {
    /// As it should be.
    Good,
    /// Nothing to tell.
    Plain,
    /// On its way, or held on purpose.
    Waiting,
    /// To be looked at.
    Unknown,
    /// Wrong.
    Bad,
}

/// A mark with words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) tone: Tone,
    pub(super) mark: &'static str,
    pub(super) words: String,
}

impl Said {
    fn new(tone: Tone, mark: &'static str, words: impl Into<String>) -> Self {
        Self { tone, mark, words: words.into() }
    }

    /// As an element.
    pub(super) fn element(&self) -> Element {
        let mark = element("span").with("aria-hidden", "true").text(self.mark);
        element("span").class(self.class()).child(mark).text(" ").text(&self.words)
    }

    fn class(&self) -> &'static str {
        match self.tone {
            Tone::Good => "said good",
            Tone::Plain => "said plain",
            Tone::Waiting => "said waiting",
            Tone::Unknown => "said unknown",
            Tone::Bad => "said bad",
        }
    }
}

/// How what runs compares with git.
pub(super) fn state(target: &TargetStatus) -> Said {
    match &target.state {
        SyncState::InSync => Said::new(Tone::Good, "✓", "in sync"),
        SyncState::Behind(None) => Said::new(Tone::Waiting, "↓", "behind git"),
        SyncState::Behind(Some(1)) => Said::new(Tone::Waiting, "↓", "1 commit behind"),
        SyncState::Behind(Some(n)) => Said::new(Tone::Waiting, "↓", format!("{n} commits behind")),
        SyncState::Drifted => {
            Said::new(Tone::Bad, "~", format!("drift: {}", objects(target.drift.len())))
        }
        SyncState::Ahead(Some(n)) => {
            Said::new(Tone::Waiting, "↑", format!("{} ahead of git", counted(*n, "commit")))
        }
        SyncState::Ahead(None) => Said::new(Tone::Waiting, "↑", "ahead of git"),
        SyncState::Diverged => Said::new(Tone::Bad, "≠", "diverged from git"),
        SyncState::NotApplied => Said::new(Tone::Plain, "○", "not applied yet"),
        SyncState::Removed => Said::new(Tone::Waiting, "−", "gone from trueup.yaml"),
        SyncState::Unknown(_) => Said::new(Tone::Unknown, "?", "unknown"),
    }
}

/// That nothing of a context could be read.
pub(super) fn unread() -> Said {
    Said::new(Tone::Unknown, "?", "not reached")
}

/// Why a target does not follow git.
pub(super) fn held(held: &Held) -> Said {
    match held {
        Held::RolledBack { failed } => {
            Said::new(Tone::Bad, "◆", format!("rolled back: {} failed", short(failed)))
        }
        Held::NotTrusted { why } => Said::new(Tone::Bad, "!", format!("not trusted: {why}")),
        Held::Pinned { at } => Said::new(Tone::Waiting, "■", format!("pinned at {at}")),
        Held::Suspended { why } => Said::new(Tone::Waiting, "‖", format!("suspended {why}")),
        Held::Waits { why, .. } => Said::new(Tone::Waiting, "‖", why.clone()),
    }
}

/// How the objects are.
pub(super) fn health(health: &HealthCounts) -> Said {
    let HealthCounts { ready, progressing, failed, .. } = *health;
    let ready_words = format!("{ready} ready");
    match (failed, progressing) {
        (0, 0) if ready == 0 => Said::new(Tone::Plain, "○", "no objects"),
        (0, 0) => Said::new(Tone::Good, "✓", ready_words),
        (0, _) => Said::new(Tone::Waiting, "…", format!("{progressing} waiting, {ready_words}")),
        (_, 0) => Said::new(Tone::Bad, "!", format!("{failed} failing, {ready_words}")),
        _ => {
            let words = format!("{failed} failing, {progressing} waiting, {ready_words}");
            Said::new(Tone::Bad, "!", words)
        }
    }
}

/// How a round ended.
pub(super) fn outcome(round: &Summary) -> Said {
    let deployed = match round.cause {
        Cause::Deployment => None,
        Cause::Drift => Some("drift put back"),
        Cause::Cleanup => Some("cleaned up"),
        Cause::Removal => Some("removed"),
    };
    match round.outcome {
        RunOutcome::Healthy => Said::new(Tone::Good, "✓", deployed.unwrap_or("healthy")),
        RunOutcome::Applied => Said::new(Tone::Good, "✓", deployed.unwrap_or("applied")),
        RunOutcome::Unhealthy => Said::new(Tone::Bad, "✕", "not healthy"),
        RunOutcome::Failed => Said::new(Tone::Bad, "✕", "failed"),
        RunOutcome::RolledBack => match round.restored.as_deref().map(short) {
            Some(to) => Said::new(Tone::Bad, "◆", format!("rolled back to {to}")),
            None => Said::new(Tone::Bad, "◆", "rolled back"),
        },
        RunOutcome::Refused => Said::new(Tone::Waiting, "○", "refused"),
        RunOutcome::Interrupted => Said::new(Tone::Waiting, "○", "interrupted"),
        RunOutcome::Killed => Said::new(Tone::Waiting, "○", "killed"),
    }
}

/// A user as the API server knows it; a service account as `namespace/name`.
pub(super) fn user(user: &str) -> String {
    match user.strip_prefix("system:serviceaccount:").and_then(|it| it.split_once(':')) {
        Some((namespace, name)) => format!("{namespace}/{name}"),
        None => user.to_owned(),
    }
}

/// `1 object`, `2 objects`.
pub(super) fn objects(count: usize) -> String {
    counted(count, "object")
}

/// A number with its noun.
pub(super) fn counted(count: usize, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        _ => format!("{count} {noun}s"),
    }
}

/// A time in UTC, to the minute.
pub(super) fn minute(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M").to_string()
}

/// The day of a time in UTC, as in `3 Nov`.
pub(super) fn day(time: Timestamp) -> String {
    let date = time.to_zoned(TimeZone::UTC).date();
    format!("{} {}", date.day(), date.strftime("%b"))
}

/// A time as an element: the day and the hour, and for programs the whole.
pub(super) fn time(time: Timestamp) -> Element {
    let whole = time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    element("time").with("datetime", &whole).text(&minute(time))
}

/// How long something has been, in the two largest units at most.
pub(super) fn age(then: Timestamp, now: Timestamp) -> String {
    span(u64::try_from(now.as_second().saturating_sub(then.as_second())).unwrap_or_default())
}

/// A span of seconds in words: `45 s`, `12 min`, `3 h 10 min`, `4 d`.
pub(super) fn span(seconds: u64) -> String {
    let two = |large: u64, unit: &str, small: u64, part: &str| match (large, small) {
        (_, 0) | (10.., _) => format!("{large} {unit}"),
        _ => format!("{large} {unit} {small} {part}"),
    };
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => two(seconds / 3600, "h", seconds % 3600 / 60, "min"),
        _ => two(seconds / 86_400, "d", seconds % 86_400 / 3600, "h"),
    }
}

/// The start of a commit's id.
pub(super) fn commit(id: &str) -> Element {
    element("code").text(short(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_two_units_at_most() {
        for (seconds, words) in [
            (0, "0 s"),
            (59, "59 s"),
            (3599, "59 min"),
            (3600, "1 h"),
            (11_400, "3 h 10 min"),
            (40_000, "11 h"),
            (90_000, "1 d 1 h"),
            (900_000, "10 d"),
        ] {
            assert_eq!(span(seconds), words);
        }
    }

    #[test]
    fn what_is_in_the_future_is_no_time_ago() {
        let now = Timestamp::from_second(1000).unwrap();
        assert_eq!(age(Timestamp::from_second(2000).unwrap(), now), "0 s");
        assert_eq!(day(now), "1 Jan");
    }
}
