//! The outbox of a target, between the rounds that fill it and the couriers that empty it.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::sender::Sender;
use crate::core::notify::{Rules, Sink};
use crate::local::outbox_store::OutboxStore;

/// The sinks of a target, and the way to them.
pub struct NotifierOptions {
    /// The outbox of the target.
    pub store: OutboxStore,
    /// The sinks.
    pub sinks: Vec<Sink>,
    /// When a lasting state makes a message.
    pub rules: Rules,
    /// Sends the messages.
    pub sender: Sender,
}

/// The outbox of a target, which rounds fill and couriers empty.
pub(super) struct Shared {
    pub(super) options: NotifierOptions,
    state: Mutex<State>,
    pub(super) changed: Condvar,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) is_closing: bool,
    /// Whether it was said that the outbox can't be written.
    pub(super) is_stuck: bool,
    /// How many sinks may have something to take.
    pub(super) running: usize,
    /// Warnings for people.
    pub(super) warnings: Vec<String>,
}

impl Shared {
    /// An outbox whose sinks may all have something to take.
    pub(super) fn new(options: NotifierOptions) -> Self {
        let state = Mutex::new(State { running: options.sinks.len(), ..State::default() });
        Self { options, state, changed: Condvar::new() }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The outbox can't be used; said once until it can.
    pub(super) fn stuck(&self, error: &std::io::Error) {
        let mut state = self.lock();
        if !std::mem::replace(&mut state.is_stuck, true) {
            state.warnings.push(format!("cannot keep notifications: {error}"));
        }
    }

    pub(super) fn warn(&self, text: String) {
        self.lock().warnings.push(text);
    }

    pub(super) fn is_closing(&self) -> bool {
        self.lock().is_closing
    }

    /// A sink has nothing to take any more, or is not waited for.
    pub(super) fn ended(&self) {
        self.lock().running -= 1;
        self.changed.notify_all();
    }
}
