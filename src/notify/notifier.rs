//! The threads that send: one for each sink, so that a slow or broken one delays no other, and none
//! delays a round.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::error::DeliveryError;
use super::sender::Sender;
use crate::core::notify::{Message, Observation, Rules, Sink};
use crate::local::jitter::jittered;
use crate::local::outbox_store::OutboxStore;

/// The pause after the first failure of a sink; it doubles.
const FIRST: Duration = Duration::from_secs(1);
/// The longest pause by doubling.
const LONGEST: Duration = Duration::from_secs(300);
/// By how much a pause may be shorter or longer.
const JITTER: f64 = 0.2;
/// How often the outbox is looked at without a word from this process: another one may have filled it.
const LOOK: Duration = Duration::from_secs(30);
/// How often a message is sent that its sink refuses.
const REFUSALS: u32 = 3;

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

/// Takes note of what rounds show, and sends messages beside them.
pub struct Notifier {
    shared: Arc<Shared>,
}

struct Shared {
    options: NotifierOptions,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// How many times there was something new.
    news: u64,
    is_closing: bool,
    /// Whether it was said that the outbox can't be written.
    is_stuck: bool,
    /// How many threads run.
    running: usize,
    /// Warnings for people.
    warnings: Vec<String>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn warn(&self, text: String) {
        self.lock().warnings.push(text);
    }
}

impl Notifier {
    /// Starts the threads. What an earlier process left is sent at once.
    pub fn start(options: NotifierOptions) -> Self {
        let running = options.sinks.len();
        let state = Mutex::new(State { running, ..State::default() });
        let shared = Arc::new(Shared { options, state, changed: Condvar::new() });
        for index in 0..running {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let end = Running(&shared);
                Courier { shared: &shared, sink: &shared.options.sinks[index], is_down: false }
                    .run();
                drop(end);
            });
        }
        Self { shared }
    }

    /// Notes what a round showed. What is new in it is on the disk when this returns.
    pub fn observe(&self, seen: &Observation) {
        let NotifierOptions { store, sinks, rules, .. } = &self.shared.options;
        match store.update(|outbox| outbox.observe(seen, rules, sinks)) {
            Ok(()) => {
                let mut state = self.shared.lock();
                state.news += 1;
                state.is_stuck = false;
                self.shared.changed.notify_all();
            }
            Err(error) => {
                let mut state = self.shared.lock();
                if !std::mem::replace(&mut state.is_stuck, true) {
                    state.warnings.push(format!("cannot keep notifications: {error}"));
                }
            }
        }
    }

    /// The warnings since this was asked last.
    pub fn take_warnings(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.lock().warnings)
    }

    /// Ends the threads. What waits is sent first where its sink takes it within `patience`; the rest
    /// stays in the outbox. Gives the last warnings.
    pub fn finish(self, patience: Duration) -> Vec<String> {
        let end = Instant::now() + patience;
        let mut state = self.shared.lock();
        state.is_closing = true;
        self.shared.changed.notify_all();
        while state.running > 0 {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let waited = self.shared.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        std::mem::take(&mut state.warnings)
    }
}

/// Counts a thread as running until it ends, however it ends.
struct Running<'a>(&'a Shared);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.lock().running -= 1;
        self.0.changed.notify_all();
    }
}

/// Sends the messages of one sink.
struct Courier<'a> {
    shared: &'a Shared,
    sink: &'a Sink,
    /// Whether it was said that the sink takes nothing.
    is_down: bool,
}

/// The result of one look at the queue.
enum Turn {
    /// A message was sent.
    Sent,
    /// There was none.
    Empty,
    /// One was not taken.
    Failed(Box<Message>, DeliveryError),
}

impl Courier<'_> {
    fn run(&mut self) {
        let (mut failures, mut refused) = (0, (String::new(), 0));
        loop {
            let news = self.shared.lock().news;
            let pause = match self.turn() {
                Ok(Turn::Sent) => {
                    failures = 0;
                    self.is_up();
                    continue;
                }
                Ok(Turn::Empty) => None,
                Ok(Turn::Failed(message, error)) => {
                    self.says_down(&error);
                    if error.is_refusal {
                        let count = if refused.0 == message.id { refused.1 + 1 } else { 1 };
                        refused = (message.id, count);
                        if count >= REFUSALS && self.give_up(&refused.0) {
                            continue;
                        }
                    }
                    let pause = jittered(doubled(failures), JITTER);
                    failures += 1;
                    Some(pause.max(error.retry_after.unwrap_or_default()))
                }
                Err(error) => {
                    self.says_down(&DeliveryError::new(format!("the outbox: {error}")));
                    failures += 1;
                    Some(LONGEST)
                }
            };
            if !self.rest(news, pause) {
                return;
            }
        }
    }

    /// Sends the next message. One process does so at a time.
    fn turn(&self) -> std::io::Result<Turn> {
        let NotifierOptions { store, sender, .. } = &self.shared.options;
        let name = &self.sink.name;
        let _turn = store.turn(name)?;
        let next = store.update(|outbox| outbox.next(name, Timestamp::now()))?;
        let Some(message) = next else { return Ok(Turn::Empty) };
        Ok(match sender.send(self.sink, &message) {
            Ok(()) => {
                store.update(|outbox| outbox.taken(name, &message.id))?;
                Turn::Sent
            }
            Err(error) => Turn::Failed(Box::new(message), error),
        })
    }

    /// Drops a message that the sink refuses.
    fn give_up(&self, id: &str) -> bool {
        let name = &self.sink.name;
        self.shared.options.store.update(|outbox| outbox.refused(name, id)).is_ok()
    }

    /// Waits for something to do, and for `pause` where the sink failed. Says whether to go on.
    fn rest(&self, news: u64, pause: Option<Duration>) -> bool {
        let end = Instant::now() + pause.unwrap_or(LOOK);
        let mut state = self.shared.lock();
        loop {
            let left = end.saturating_duration_since(Instant::now());
            // At the end, a sink that fails is not waited for.
            let is_over = state.is_closing && (pause.is_some() || state.news == news);
            if is_over {
                return false;
            }
            if left.is_zero() || pause.is_none() && state.news != news {
                return true;
            }
            let waited = self.shared.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Says once that the sink takes nothing.
    fn says_down(&mut self, error: &DeliveryError) {
        if !std::mem::replace(&mut self.is_down, true) {
            self.shared.warn(format!("notifications of {} wait: {error}", self.sink.name));
        }
    }

    fn is_up(&mut self) {
        if std::mem::take(&mut self.is_down) {
            self.shared.warn(format!("notifications of {} arrive again", self.sink.name));
        }
    }
}

/// The pause after so many failures before this one.
fn doubled(failures: u32) -> Duration {
    FIRST.saturating_mul(1_u32.checked_shl(failures.min(16)).unwrap_or(u32::MAX)).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_limit() {
        let seconds = [0, 1, 2, 8, 9, 99].map(|failures| doubled(failures).as_secs());
        assert_eq!(seconds, [1, 2, 4, 256, 300, 300]);
    }
}
