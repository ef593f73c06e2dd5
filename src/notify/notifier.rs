//! Takes note of what the rounds of a target show, and has the messages sent beside them.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::couriers::{Couriers, Place};
use super::delivery_deadline::DeliveryDeadline;
use super::shared::{NotifierOptions, Shared};
use crate::core::notify::Observation;

/// How often it is seen that the end is nearer than it was.
const LOOK: Duration = Duration::from_millis(100);

/// Takes note of what rounds show, and has messages sent beside them.
pub struct Notifier {
    shared: Arc<Shared>,
    places: Vec<Place>,
}

impl Notifier {
    /// Begins to send by these couriers. What an earlier process left is sent at once.
    pub fn start(options: NotifierOptions, couriers: &Couriers) -> Self {
        let shared = Arc::new(Shared::new(options));
        let places = couriers.join(&shared);
        Self { shared, places }
    }

    /// Notes what a round showed. What is new in it is on the disk when this returns.
    pub fn observe(&self, seen: &Observation) {
        let NotifierOptions { store, sinks, rules, .. } = &self.shared.options;
        match store.update(|outbox| outbox.observe(seen, rules, sinks)) {
            Ok(()) => {
                self.shared.lock().is_stuck = false;
                self.places.iter().for_each(Place::ring);
            }
            Err(error) => self.shared.stuck(&error),
        }
    }

    /// The warnings since this was asked last.
    pub fn take_warnings(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.lock().warnings)
    }

    /// Has what waits sent now: there will be nothing more.
    pub fn close(&self) {
        self.shared.lock().is_closing = true;
        self.places.iter().for_each(Place::ring);
    }

    /// Blocks until what waits is sent, where its sink takes it until `end`; the rest stays in the outbox.
    /// Gives the last warnings.
    pub fn finish(self, end: &DeliveryDeadline) -> Vec<String> {
        self.close();
        let mut state = self.shared.lock();
        while state.running > 0 {
            let left = end.left();
            if left.is_zero() {
                break;
            }
            let waited = self.shared.changed.wait_timeout(state, left.min(LOOK));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let warnings = std::mem::take(&mut state.warnings);
        drop(state);
        self.places.iter().for_each(Place::settle);
        warnings
    }
}
