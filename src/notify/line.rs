//! The outboxes of the targets that have messages for one sink, each in its turn.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::shared::Shared;
use crate::core::notify::Sink;

/// How often all outboxes are looked at without a word from this process: another one may have filled them.
const LOOK: Duration = Duration::from_secs(30);
/// How long it may take to note what was sent. Each message is a file of its own.
const NOTES: Duration = Duration::from_secs(10);

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
    /// Whether messages were sent and not all of them are noted.
    is_noting: bool,
}

/// The time for which a member is passed over.
#[derive(Clone, Copy)]
pub(super) struct Rest {
    pub(super) until: Instant,
    pub(super) reason: RestReason,
}

/// Why a member is passed over.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum RestReason {
    /// Its outbox can't be used. It is not waited for at the end.
    Fault,
    /// Another process sends its messages.
    Taken,
    /// Its message waits for those of other targets. At the end it does not.
    Gathering,
}

/// A target's outbox, as far as it is for the sink.
#[derive(Clone)]
pub(super) struct Member {
    pub(super) shared: Arc<Shared>,
    /// The sink among those of the target.
    sink: usize,
}

/// For its members.
impl Line {
    fn lock(&self) -> MutexGuard<'_, LineState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a target's outbox, which may have something to send. Gives its number.
    pub(super) fn add(&self, shared: Arc<Shared>, sink: usize) -> u64 {
        let mut state = self.lock();
        state.joined += 1;
        let number = state.joined;
        state.members.insert(number, Member { shared, sink });
        state.due.insert(number);
        drop(state);
        self.changed.notify_all();
        number
    }

    /// Has an outbox looked at: whatever was wrong with it, it was just written.
    pub(super) fn ring(&self, number: u64) {
        let mut state = self.lock();
        state.due.insert(number);
        if state.is_resting(number, RestReason::Fault) {
            state.resting.remove(&number);
        }
        drop(state);
        self.changed.notify_all();
    }

    /// Waits until what was sent is noted, though not for long: it would be sent again.
    pub(super) fn settle(&self) {
        let end = Instant::now() + NOTES;
        let mut state = self.lock();
        while state.is_noting && Instant::now() < end {
            let left = end.saturating_duration_since(Instant::now());
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Whether it has a thread.
    pub(super) fn has_thread(&self) -> bool {
        self.lock().has_thread
    }

    /// Whether the caller is to begin a thread, as there is none.
    pub(super) fn begin(&self) -> bool {
        !std::mem::replace(&mut self.lock().has_thread, true)
    }

    /// Its thread has ended with outboxes left.
    pub(super) fn end(&self) {
        let mut state = self.lock();
        (state.has_thread, state.is_noting) = (false, false);
        state.leave(|_, _| true);
    }
}

/// For its courier.
impl Line {
    /// The next target that may have something to send, once the `pause` is over; `None` where none is
    /// left, which ends the thread. It comes after the `last` one.
    pub(super) fn wait(&self, last: u64, pause: Option<Instant>) -> Option<(u64, Member)> {
        let look = Instant::now() + LOOK;
        let mut state = self.lock();
        loop {
            let now = Instant::now();
            let pausing = pause.filter(|end| *end > now);
            state.end_rests(now);
            // At the end, neither a sink that fails nor an outbox that can't be used is waited for.
            let resting = state.resting.clone();
            state.leave(|number, member| {
                let is_fault = |rest: &Rest| rest.reason == RestReason::Fault;
                let is_stuck = resting.get(&number).is_some_and(is_fault);
                (pausing.is_some() || is_stuck) && member.shared.is_closing()
            });
            if state.members.is_empty() {
                // One that comes now needs another thread.
                state.has_thread = false;
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
                self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Notes what was sent.
    pub(super) fn note(&self, all: impl FnOnce()) {
        self.lock().is_noting = true;
        all();
        self.lock().is_noting = false;
        self.changed.notify_all();
    }

    /// One of the members.
    pub(super) fn member(&self, number: u64) -> Option<Member> {
        self.lock().members.get(&number).cloned()
    }

    /// The members that may have something to send now.
    pub(super) fn awake(&self) -> BTreeSet<u64> {
        let state = self.lock();
        let is_awake = |number: &&u64| !state.resting.contains_key(number);
        state.due.iter().filter(is_awake).copied().collect()
    }

    /// Whether there are others whose messages may say the same.
    pub(super) fn has_several(&self) -> bool {
        self.lock().members.len() > 1
    }

    /// Looks at a member again, after a rest where there is one.
    pub(super) fn put_back(&self, number: u64, rest: Option<Rest>) {
        let mut state = self.lock();
        state.resting.extend(rest.map(|rest| (number, rest)));
        state.due.insert(number);
    }

    /// Looks at a member whose message was sent: there may be another one.
    pub(super) fn gathered(&self, number: u64) {
        let mut state = self.lock();
        if state.is_resting(number, RestReason::Gathering) {
            state.resting.remove(&number);
        }
        state.due.insert(number);
    }

    /// A member has nothing to send, and is let go of at its end.
    pub(super) fn has_none(&self, number: u64, member: &Member) {
        let mut state = self.lock();
        if member.shared.is_closing() && !state.due.contains(&number) {
            state.leave(|left, _| left == number);
        }
    }
}

impl Member {
    pub(super) fn sink(&self) -> &Sink {
        &self.shared.options.sinks[self.sink]
    }

    pub(super) fn name(&self) -> &str {
        &self.sink().name
    }
}

impl Rest {
    pub(super) fn of(time: Duration, reason: RestReason) -> Self {
        Self { until: Instant::now() + time, reason }
    }
}

impl LineState {
    fn is_resting(&self, number: u64, reason: RestReason) -> bool {
        self.resting.get(&number).is_some_and(|rest| rest.reason == reason)
    }

    /// Ends the rests that are over, and those of messages that have no time left to wait for others.
    fn end_rests(&mut self, now: Instant) {
        let Self { members, resting, .. } = self;
        resting.retain(|number, rest| {
            let closes = || members.get(number).is_some_and(|it| it.shared.is_closing());
            rest.until > now && !(rest.reason == RestReason::Gathering && closes())
        });
    }

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
