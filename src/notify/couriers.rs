//! The threads that send: one for each sink, however many targets have messages for it. A slow or broken
//! sink delays no other, and none delays a round.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::courier::Courier;
use super::line::Line;
use super::shared::Shared;

/// The threads of all sinks. Clones share them.
#[derive(Clone, Default)]
pub struct Couriers(Arc<Mutex<BTreeMap<String, Arc<Line>>>>);

/// The place of a target in a line.
pub(super) struct Place {
    line: Arc<Line>,
    number: u64,
}

impl Couriers {
    /// How many threads there are.
    pub fn threads(&self) -> usize {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.values().filter(|line| line.has_thread()).count()
    }

    /// Sends what is in a target's outbox from now on. What an earlier process left is sent at once.
    pub(super) fn join(&self, shared: &Arc<Shared>) -> Vec<Place> {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let places = shared.options.sinks.iter().enumerate().map(|(sink, named)| {
            let line = Arc::clone(lines.entry(named.name.clone()).or_default());
            let number = line.add(Arc::clone(shared), sink);
            if line.begin() {
                let line = Arc::clone(&line);
                thread::spawn(move || {
                    let end = Ending(&line);
                    Courier::new(&line).run();
                    drop(end);
                });
            }
            Place { line, number }
        });
        places.collect()
    }
}

impl Place {
    /// Has the outbox looked at.
    pub(super) fn ring(&self) {
        self.line.ring(self.number);
    }

    /// Waits until what was sent is noted.
    pub(super) fn settle(&self) {
        self.line.settle();
    }
}

/// Ends the line of a thread that panics.
struct Ending<'a>(&'a Line);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.end();
        }
    }
}
