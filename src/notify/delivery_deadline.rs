//! Until when a run that ends waits for its last messages.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Until when a run that ends waits for its last messages. Clones share it.
#[derive(Clone, Debug)]
pub struct DeliveryDeadline(Arc<Mutex<Instant>>);

impl DeliveryDeadline {
    /// One that is so far away.
    pub fn after(time: Duration) -> Self {
        Self(Arc::new(Mutex::new(Instant::now() + time)))
    }

    /// Is so far away now, unless it is nearer.
    pub fn bring_forward(&self, time: Duration) {
        let mut end = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *end = (*end).min(Instant::now() + time);
    }

    /// How far away it is.
    pub fn left(&self) -> Duration {
        let end = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        end.saturating_duration_since(Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_brought_forward_and_never_put_off() {
        let (minute, hour) = (Duration::from_secs(60), Duration::from_secs(3600));
        let deadline = DeliveryDeadline::after(hour);
        deadline.clone().bring_forward(minute);
        assert!(deadline.left() <= minute);
        deadline.bring_forward(hour);
        assert!(deadline.left() <= minute);
        deadline.bring_forward(Duration::ZERO);
        assert_eq!(deadline.left(), Duration::ZERO);
    }
}
