//! How often a request is sent again, and after what pause. What a fault is good for is said in
//! [`retry_class`](super::faults).

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use super::{ApiError, Cluster, DelayEnd, RetryClass};
use crate::local::cancel::Cancellation;
use crate::local::jitter::jittered;

/// How often a request is sent before a fault counts as lasting, whatever time there is.
const TRIES: u32 = 4;
/// How often one is that may be a slip, where there is time: an API server that was started a moment
/// ago knows of no service address that is free, for some seconds.
const PATIENT_TRIES: u32 = 6;
/// How long after an outage an internal error is taken for a server's that is still starting. Its
/// allocator of service addresses says "range is full" until its caches are filled, which takes longer
/// than the tries above where the machine is busy (k8s.io/kubernetes,
/// `pkg/registry/core/service/ipallocator/cidrallocator.go`). Custom resources are not served until it has
/// read their definitions.
const RECOVERY: Duration = Duration::from_secs(60);
/// The first pause between tries; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// No pause is longer, unless the server asks for it.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// By how much a pause may be shorter or longer, so that many requests do not come back at once.
const JITTER: f64 = 0.2;

/// How long passing faults are waited out.
#[derive(Clone, Debug)]
pub struct RetryPolicy {
    /// Until when.
    pub until: Instant,
    /// Says when nothing is to be waited for any more.
    pub cancel: Cancellation,
}

impl RetryPolicy {
    /// Patience for as long as `time` from now on.
    pub fn of(time: Duration, cancel: &Cancellation) -> Self {
        Self { until: Instant::now() + time, cancel: cancel.clone() }
    }

    /// Whether it ends for lack of time, and not because it was cancelled.
    pub fn is_over(&self) -> bool {
        !self.cancel.is_cancelled()
    }

    /// Whether there is time left for a pause.
    pub fn allows(&self, pause: Duration) -> bool {
        !self.cancel.is_cancelled() && Instant::now() + pause < self.until
    }

    /// Waits, unless it is cancelled meanwhile; says whether another try makes sense.
    pub async fn rest(&self, pause: Duration) -> bool {
        tokio::time::timeout(pause, self.cancel.cancelled()).await.is_err()
    }
}

impl Cluster {
    /// The same cluster, of which passing faults are waited out until a deadline: for what has to be
    /// finished once it has begun. Else requests are tried a few times.
    pub fn patient(&self, patience: RetryPolicy) -> Self {
        Self { patience: Some(patience), ..self.clone() }
    }

    /// Whether the server was out of reach a moment ago.
    pub(super) fn is_recovering(&self) -> bool {
        let outage = *self.connection.outage.lock().unwrap_or_else(PoisonError::into_inner);
        outage.is_some_and(|last| last.elapsed() < RECOVERY)
    }

    /// Waits before the next try, if there is to be one, after so many that fail since then. The
    /// server may have asked for a pause.
    pub(super) async fn may_try_again(
        &self,
        error: &ApiError,
        tries: u32,
        since: Instant,
        asked: Option<Duration>,
    ) -> bool {
        let fault = match error.fault() {
            RetryClass::Doubtful if self.is_recovering() => RetryClass::Passing,
            _ if error.is_unserved() && self.is_recovering() => RetryClass::Passing,
            fault => fault,
        };
        if !matches!(fault, RetryClass::Passing | RetryClass::Doubtful) {
            return false;
        }
        if error.is_outage() {
            *self.connection.outage.lock().unwrap_or_else(PoisonError::into_inner) =
                Some(Instant::now());
        }
        let pause = asked.unwrap_or_else(|| jittered(pause(tries), JITTER));
        let patience = self.patience.clone().map(|patience| match error.is_webhooks() {
            // A newer commit may do without the webhook; of the server itself it needs as much.
            true => patience,
            false => RetryPolicy { cancel: patience.cancel.for_signals(), ..patience },
        });
        // A request that used up its time limit is not worth the same time thrice more.
        let is_few = tries < TRIES && !matches!(error, ApiError::Silent { .. });
        match patience {
            Some(patience) if patience.cancel.is_cancelled() => false,
            Some(patience)
                if patience.allows(pause)
                    && (tries < PATIENT_TRIES || fault == RetryClass::Passing) =>
            {
                let left = patience.until.saturating_duration_since(Instant::now());
                let next = match fault {
                    RetryClass::Passing => DelayEnd::GivesUp(left),
                    _ => DelayEnd::Again(pause),
                };
                self.report(error, since, pause, next);
                patience.rest(pause).await
            }
            // Too little time, or none left, is not a reason to fail for a slip.
            _ if !is_few || pause > LONGEST_PAUSE => false,
            _ => {
                self.report(error, since, pause, DelayEnd::Again(pause));
                tokio::time::sleep(pause).await;
                true
            }
        }
    }
}

/// The pause after so many tries.
fn pause(tries: u32) -> Duration {
    let doubled = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(tries.saturating_sub(1)));
    doubled.min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_grows_to_its_maximum() {
        let pauses: Vec<u128> = (1..9).map(|tries| pause(tries).as_millis()).collect();
        assert_eq!(pauses, [200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
        assert_eq!(pause(u32::MAX), LONGEST_PAUSE);
    }
}
