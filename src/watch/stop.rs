//! How a watch, or an apply, is told to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

/// Tells a watch, and the plan that it is carrying out, to stop.
#[derive(Debug, Default)]
pub struct Stop {
    told: Arc<AtomicBool>,
    wake: Notify,
}

impl Stop {
    /// Stops what is running at the next safe point.
    pub fn tell(&self) {
        self.told.store(true, Ordering::Relaxed);
        self.wake.notify_waiters();
    }

    /// The flag that [`Course`](crate::reconcile::Course) and [`PullOptions`](crate::git::pull::PullOptions) look at.
    pub fn flag(&self) -> &Arc<AtomicBool> {
        &self.told
    }

    /// Whether it was told.
    pub fn is_told(&self) -> bool {
        self.told.load(Ordering::Relaxed)
    }

    /// Waits until told.
    pub async fn told(&self) {
        loop {
            let wake = self.wake.notified();
            if self.is_told() {
                return;
            }
            wake.await;
        }
    }

    /// Waits for as long as `pause`, or until told.
    pub(super) async fn sleep(&self, pause: Duration) {
        let _ = tokio::time::timeout(pause, self.told()).await;
    }
}
