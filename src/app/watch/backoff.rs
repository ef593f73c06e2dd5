//! Pauses: each failure of a remote doubles the one before it is asked again, and a remote that says how long
//! it wants to be left alone is obeyed. The same between rounds, which no moment is slept through that is
//! known to matter.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::git::pull::PullError;
use crate::local::jitter::jittered;

/// The longest pause by doubling.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// The same between rounds: the fault may be gone, and meanwhile no drift is put back.
const LONGEST_ROUND: Duration = Duration::from_secs(5 * 60);
/// By how much a pause may be shorter or longer, so that many watchers do not come back at once.
const JITTER: f64 = 0.2;

/// The part of the interval in which watchers begin their rounds that all know when to begin.
const SPREAD: f64 = 0.1;
/// The longest such time.
const LONGEST_SPREAD: Duration = Duration::from_secs(10);

/// The failures of a remote.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
    /// When it may be asked again, and why it is left alone.
    waiting: Option<(Instant, Arc<PullError>)>,
}

impl Backoff {
    /// Why the remote is left alone, where it is.
    pub(super) fn waiting(&self, now: Instant) -> Option<PullError> {
        let (until, error) = self.waiting.as_ref()?;
        (now < *until).then(|| PullError::Again(Arc::clone(error)))
    }

    /// The remote may be asked now. Another failure counts with those before.
    pub(super) fn end_pause(&mut self) {
        self.waiting = None;
    }

    /// The remote answered.
    pub(super) fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// The remote failed; it may have asked for a pause. Gives the error back.
    pub(super) fn failed(
        &mut self,
        error: PullError,
        interval: Duration,
        asked: Option<Duration>,
        now: Instant,
    ) -> PullError {
        if !error.is_of_remote() {
            return error;
        }
        let error = match error {
            PullError::Again(error) => error,
            error => Arc::new(error),
        };
        let pause = jittered(doubled(interval, self.failures, LONGEST), JITTER);
        self.failures = self.failures.saturating_add(1);
        self.waiting = Some((now + pause.max(asked.unwrap_or_default()), Arc::clone(&error)));
        PullError::Again(error)
    }
}

/// The pause after a round, of which so many in a row failed.
pub(super) fn pause_between_rounds(interval: Duration, failures: u32) -> Duration {
    doubled(interval, failures, LONGEST_ROUND)
}

/// The pause that ends at the latest soon after `next`, when the target is held otherwise than now. All
/// watchers know of that moment, so that each waits a little longer by a part of the interval.
pub(super) fn pause_until(
    pause: Duration,
    next: Option<Timestamp>,
    now: Timestamp,
    interval: Duration,
) -> Duration {
    let Some(next) = next else { return pause };
    let left = Duration::try_from(next.duration_since(now)).unwrap_or_default();
    let spread = interval.mul_f64(SPREAD).min(LONGEST_SPREAD);
    pause.min(left + jittered(spread / 2, 1.0))
}

/// The pause after so many failures before this one.
fn doubled(interval: Duration, failures: u32, longest: Duration) -> Duration {
    let factor = 1u32.checked_shl(failures.min(16)).unwrap_or(u32::MAX);
    interval.saturating_mul(factor).min(longest.max(interval))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error() -> PullError {
        PullError::TimedOut { url: "ssh://git.example/x".to_owned(), after: Duration::from_secs(1) }
    }

    #[test]
    fn pauses_double_up_to_a_limit() {
        let seconds = |failures| doubled(Duration::from_secs(30), failures, LONGEST).as_secs();
        assert_eq!([0, 1, 2, 3, 4, 5, 60].map(seconds), [30, 60, 120, 240, 480, 900, 900]);
        assert_eq!(doubled(Duration::from_secs(3600), 3, LONGEST), Duration::from_secs(3600));
        let rounds = |failures| pause_between_rounds(Duration::from_secs(30), failures).as_secs();
        assert_eq!([0, 1, 2, 3, 4, 60].map(rounds), [30, 60, 120, 240, 300, 300]);
    }

    #[test]
    fn a_pause_ends_soon_after_the_target_is_held_otherwise() {
        let at = |text: &str| format!("2026-03-01T{text}Z").parse::<Timestamp>().unwrap();
        for (pause, next, interval, expected) in [
            (1800, None, 1800, 1800..=1800),
            (1800, Some("22:40:00"), 1800, 1800..=1800),
            (1800, Some("22:20:00"), 1800, 1200..=1210),
            (1800, Some("22:00:00"), 1800, 0..=10),
            (30, Some("22:00:20"), 30, 20..=23),
            (1800, Some("21:59:59"), 1800, 0..=10),
        ] {
            let (pause, interval) = (Duration::from_secs(pause), Duration::from_secs(interval));
            let pauses = (0..100)
                .map(|_| pause_until(pause, next.map(at), at("22:00:00"), interval).as_secs_f64());
            let pauses: Vec<f64> = pauses.collect();
            let (least, most) = (f64::from(*expected.start()), f64::from(*expected.end()));
            let is_so = |pause: &f64| (least..=most).contains(pause);
            assert!(pauses.iter().all(is_so), "{next:?} {expected:?} {pauses:?}");
            let is_spread = pauses.iter().any(|pause| (pause - pauses[0]).abs() > 1e-3);
            assert_eq!(is_spread, least < most, "{next:?} {pauses:?}");
        }
    }

    #[test]
    fn a_remote_that_asks_for_a_pause_gets_it() {
        let (mut backoff, now) = (Backoff::default(), Instant::now());
        let asked = Some(Duration::from_secs(600));
        let failed = backoff.failed(error(), Duration::from_secs(30), asked, now);
        let text = error().to_string();
        assert_eq!(failed.to_string(), text);
        let after = |seconds| backoff.waiting(now + Duration::from_secs(seconds));
        assert_eq!(after(599).map(|error| error.to_string()), Some(text));
        assert!(after(601).is_none());
        backoff.succeeded();
        assert!(backoff.waiting(now).is_none());
    }

    #[test]
    fn a_fault_of_here_is_no_reason_to_leave_the_remote_alone() {
        let (mut backoff, now) = (Backoff::default(), Instant::now());
        let error = PullError::Unmerged { path: "web.yaml".to_owned() };
        backoff.failed(error, Duration::from_secs(30), None, now);
        assert!(backoff.waiting(now).is_none());
    }
}
