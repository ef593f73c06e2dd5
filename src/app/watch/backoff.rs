//! Leaves a remote alone that fails: each failure doubles the pause before it is asked again, and a
//! remote that says how long it wants to be left alone is obeyed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::git::pull::PullError;
use crate::local::jitter::jittered;

/// The longest pause by doubling.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// The same between rounds: the fault may be gone, and meanwhile no drift is put back.
const LONGEST_ROUND: Duration = Duration::from_secs(5 * 60);
/// By how much a pause may be shorter or longer, so that many watchers do not come back at once.
const JITTER: f64 = 0.2;

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
