//! The threads that send: one for each sink, however many targets have messages for it. A slow or broken
//! sink delays no other, and none delays a round.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::error::DeliveryError;
use super::shared::{NotifierOptions, Shared};
use crate::core::notify::Message;
use crate::local::jitter::jittered;

/// The pause after the first failure of a sink; it doubles.
const FIRST: Duration = Duration::from_secs(1);
/// The longest pause by doubling.
const LONGEST: Duration = Duration::from_secs(300);
/// By how much a pause may be shorter or longer.
const JITTER: f64 = 0.2;
/// How often all outboxes are looked at without a word from this process: another one may have filled them.
const LOOK: Duration = Duration::from_secs(30);
/// How long a target is passed over while another process sends its messages.
const TAKEN: Duration = Duration::from_secs(1);
/// How often a message is sent that its sink refuses.
const REFUSALS: u32 = 3;

/// The threads of all sinks. Clones share them.
#[derive(Clone, Default)]
pub struct Couriers(Arc<Mutex<BTreeMap<String, Arc<Line>>>>);

/// The outboxes of the targets that have messages for one sink.
#[derive(Default)]
pub(super) struct Line {
    state: Mutex<LineState>,
    changed: Condvar,
}

#[derive(Default)]
struct LineState {
    has_thread: bool,
    joined: u64,
    members: BTreeMap<u64, Member>,
    /// The members that may have something to send.
    due: BTreeSet<u64>,
    /// The members that are passed over for a while, so that they hold up no other.
    resting: BTreeMap<u64, Rest>,
}

/// The time for which a member is passed over.
#[derive(Clone, Copy)]
struct Rest {
    until: Instant,
    /// Whether its outbox can't be used. It is not waited for at the end.
    is_fault: bool,
}

/// A target's outbox, as far as it is for the sink.
#[derive(Clone)]
struct Member {
    shared: Arc<Shared>,
    /// The sink among those of the target.
    sink: usize,
}

/// The place of a target in a line.
pub(super) struct Place {
    line: Arc<Line>,
    number: u64,
}

impl Couriers {
    /// How many threads there are.
    pub fn threads(&self) -> usize {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.values().filter(|line| line.lock().has_thread).count()
    }

    /// Sends what is in a target's outbox from now on. What an earlier process left is sent at once.
    pub(super) fn join(&self, shared: &Arc<Shared>) -> Vec<Place> {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let places = shared.options.sinks.iter().enumerate().map(|(sink, named)| {
            let line = Arc::clone(lines.entry(named.name.clone()).or_default());
            let number = line.join(Member { shared: Arc::clone(shared), sink });
            Place { line, number }
        });
        places.collect()
    }
}

impl Place {
    /// Has the outbox looked at: whatever was wrong with it, it was just written.
    pub(super) fn ring(&self) {
        let mut state = self.line.lock();
        state.due.insert(self.number);
        if state.resting.get(&self.number).is_some_and(|rest| rest.is_fault) {
            state.resting.remove(&self.number);
        }
        drop(state);
        self.line.changed.notify_all();
    }
}

impl Line {
    fn lock(&self) -> MutexGuard<'_, LineState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn join(self: &Arc<Self>, member: Member) -> u64 {
        let mut state = self.lock();
        state.joined += 1;
        let number = state.joined;
        state.members.insert(number, member);
        state.due.insert(number);
        if !std::mem::replace(&mut state.has_thread, true) {
            let line = Arc::clone(self);
            thread::spawn(move || {
                let end = Ending(&line);
                Courier::default().run(&line);
                drop(end);
            });
        }
        drop(state);
        self.changed.notify_all();
        number
    }
}

impl LineState {
    /// The next that may have something to send, each in its turn.
    fn next(&mut self, last: u64) -> Option<(u64, Member)> {
        let is_awake = |number: &&u64| !self.resting.contains_key(number);
        let later = self.due.range(last + 1..).find(is_awake).copied();
        let number = later.or_else(|| self.due.iter().find(is_awake).copied())?;
        self.due.remove(&number);
        match self.members.get(&number) {
            Some(member) => Some((number, member.clone())),
            None => self.next(number),
        }
    }

    /// Lets go of one, or of all that are closing.
    fn leave(&mut self, is_leaving: impl Fn(u64, &Member) -> bool) {
        self.members.retain(|number, member| {
            let leaves = is_leaving(*number, member);
            if leaves {
                member.shared.ended();
            }
            !leaves
        });
    }
}

/// Ends the line of a thread, however that ends.
struct Ending<'a>(&'a Line);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.has_thread = false;
        state.leave(|_, _| true);
    }
}

/// Sends the messages of one sink.
#[derive(Default)]
struct Courier {
    /// How often in a row the sink took nothing.
    failures: u32,
    /// The message that it refused last, and how often.
    refused: (String, u32),
    /// Whether it was said that the sink takes nothing.
    is_down: bool,
}

/// The result of one look at a queue.
enum Turn {
    /// A message was sent.
    Sent,
    /// There was none.
    Empty,
    /// Another process sends them.
    Taken,
    /// One was not taken.
    Failed(Box<Message>, DeliveryError),
}

impl Courier {
    /// Sends until no target is left.
    fn run(&mut self, line: &Line) {
        let (mut last, mut pause) = (0, None);
        while let Some((number, member)) = Self::wait(line, last, pause) {
            last = number;
            pause = None;
            let (mut is_done, mut rest) = (false, None);
            match self.turn(&member) {
                Ok(Turn::Sent) => {
                    self.failures = 0;
                    self.is_up(&member);
                }
                Ok(Turn::Empty) => is_done = true,
                Ok(Turn::Taken) => {
                    rest = Some(Rest { until: Instant::now() + TAKEN, is_fault: false });
                }
                Ok(Turn::Failed(message, error)) => {
                    pause =
                        self.failed(&member, message, &error).map(|pause| Instant::now() + pause);
                }
                // That is not the sink's fault.
                Err(error) => {
                    member.shared.stuck(&error);
                    rest = Some(Rest { until: Instant::now() + LONGEST, is_fault: true });
                }
            }
            let mut state = line.lock();
            state.resting.extend(rest.map(|rest| (number, rest)));
            if !is_done {
                state.due.insert(number);
            } else if member.shared.is_closing() && !state.due.contains(&number) {
                state.leave(|left, _| left == number);
            }
        }
    }

    /// The next target that may have something to send, once the `pause` is over; `None` where none is
    /// left.
    fn wait(line: &Line, last: u64, pause: Option<Instant>) -> Option<(u64, Member)> {
        let look = Instant::now() + LOOK;
        let mut state = line.lock();
        loop {
            let now = Instant::now();
            let pausing = pause.filter(|end| *end > now);
            state.resting.retain(|_, rest| rest.until > now);
            // At the end, neither a sink that fails nor an outbox that can't be used is waited for.
            let resting = state.resting.clone();
            state.leave(|number, member| {
                let is_stuck = resting.get(&number).is_some_and(|rest| rest.is_fault);
                (pausing.is_some() || is_stuck) && member.shared.is_closing()
            });
            if state.members.is_empty() {
                return None;
            }
            if pausing.is_none() {
                if now >= look {
                    state.due = state.members.keys().copied().collect();
                }
                if let Some(next) = state.next(last) {
                    return Some(next);
                }
            }
            let rests = state.resting.values().map(|rest| rest.until);
            let next = rests.chain((now < look).then_some(look)).min();
            let left = pausing.or(next).map_or(LOOK, |end| end.saturating_duration_since(now));
            state =
                line.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Sends the next message. One process does so at a time.
    fn turn(&self, member: &Member) -> std::io::Result<Turn> {
        let NotifierOptions { store, sender, sinks, .. } = &member.shared.options;
        let sink = &sinks[member.sink];
        let Some(_turn) = store.turn(&sink.name)? else { return Ok(Turn::Taken) };
        let next = store.update(|outbox| outbox.next(&sink.name, Timestamp::now()))?;
        let Some(message) = next else { return Ok(Turn::Empty) };
        Ok(match sender.send(sink, &message) {
            Ok(()) => {
                store.update(|outbox| outbox.taken(&sink.name, &message.id))?;
                Turn::Sent
            }
            Err(error) => Turn::Failed(Box::new(message), error),
        })
    }

    /// Notes that a message was not taken, and gives the pause until the next one is sent.
    fn failed(
        &mut self,
        member: &Member,
        message: Box<Message>,
        error: &DeliveryError,
    ) -> Option<Duration> {
        self.says_down(member, error);
        if error.is_refusal {
            let count = if self.refused.0 == message.id { self.refused.1 + 1 } else { 1 };
            self.refused = (message.id, count);
            if count >= REFUSALS && member.give_up(&self.refused.0) {
                return None;
            }
        }
        let pause = jittered(doubled(self.failures), JITTER);
        self.failures = self.failures.saturating_add(1);
        Some(pause.max(error.retry_after.unwrap_or_default()))
    }

    /// Says once that the sink takes nothing.
    fn says_down(&mut self, member: &Member, error: &DeliveryError) {
        if !std::mem::replace(&mut self.is_down, true) {
            member.warn(format!("notifications of {} wait: {error}", member.name()));
        }
    }

    fn is_up(&mut self, member: &Member) {
        if std::mem::take(&mut self.is_down) {
            member.warn(format!("notifications of {} arrive again", member.name()));
        }
    }
}

impl Member {
    fn name(&self) -> &str {
        &self.shared.options.sinks[self.sink].name
    }

    fn warn(&self, text: String) {
        self.shared.warn(text);
    }

    /// Drops a message that the sink refuses.
    fn give_up(&self, id: &str) -> bool {
        self.shared.options.store.update(|outbox| outbox.refused(self.name(), id)).is_ok()
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
