//! How often a request is sent again, and after what pause. What a fault is good for is said in
//! [`faults`](super::faults).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::{ApiError, Cluster, Fault};
use crate::jitter::jittered;

/// How often a request is sent before a fault counts as lasting, whatever time there is.
const TRIES: u32 = 4;
/// The first pause between tries; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// No pause is longer, unless the server asks for it.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// By how much a pause may be shorter or longer, so that many requests do not come back at once.
const JITTER: f64 = 0.2;
/// How often a pause looks whether it should end.
const LOOK: Duration = Duration::from_millis(100);

/// How long passing faults are waited out.
#[derive(Clone, Debug)]
pub struct Patience {
    /// Until when.
    pub until: Instant,
    /// Set when nothing is to be waited for any more.
    pub stop: Arc<AtomicBool>,
}

impl Patience {
    /// Whether there is time left for a pause.
    pub fn allows(&self, pause: Duration) -> bool {
        !self.stop.load(Ordering::Relaxed) && Instant::now() + pause < self.until
    }

    /// Waits, unless it is told to stop; says whether there is any sense in another try.
    pub async fn rest(&self, pause: Duration) -> bool {
        let end = Instant::now() + pause;
        while !self.stop.load(Ordering::Relaxed) {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            tokio::time::sleep(left.min(LOOK)).await;
        }
        false
    }
}

impl Cluster {
    /// Waits passing faults out from now on; with `None` only for a moment, as long as nothing is
    /// written that has to be finished.
    pub fn be_patient(&self, patience: Option<Patience>) {
        if let Ok(mut now) = self.patience.lock() {
            *now = patience;
        }
    }

    /// Waits before the next try, if there is to be one. The server may have asked for a pause.
    pub(super) async fn may_try_again(
        &self,
        error: &ApiError,
        (tries, asked): (u32, Option<Duration>),
    ) -> bool {
        let patience = self.patience.lock().ok().and_then(|patience| patience.clone());
        let is_worth_it = match error.fault() {
            Fault::Lasting | Fault::Settling => false,
            Fault::Doubtful => tries < TRIES,
            Fault::Passing => tries < TRIES || patience.is_some(),
        };
        if !is_worth_it {
            return false;
        }
        let pause = asked.unwrap_or_else(|| jittered(pause(tries), JITTER));
        match patience {
            Some(patience) => patience.allows(pause) && patience.rest(pause).await,
            None if pause > LONGEST_PAUSE => false,
            None => {
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
    fn pauses_grow_and_end_at_the_longest() {
        let pauses: Vec<u128> = (1..9).map(|tries| pause(tries).as_millis()).collect();
        assert_eq!(pauses, [200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
        assert_eq!(pause(u32::MAX), LONGEST_PAUSE);
    }
}
