//! Messages that wait: a bounded queue for each sink, beside the state that the messages came
//! from. Both are one value, so that they are stored whole or not at all: a message is neither lost nor
//! made twice where a process ends in between.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::key::key_digest;
use super::message::Message;
use super::observation::Observation;
use super::rules::Rules;
use super::sink::Sink;
use super::state::TargetState;
use super::words;

/// The most messages that wait for one sink.
pub const LIMIT: usize = 500;

/// The memory of one target's messages, and those that each sink has not taken yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Outbox {
    /// The memory of messages.
    state: TargetState,
    /// The messages that wait, by the sink's name.
    queues: BTreeMap<String, Queue>,
}

/// The messages that wait for one sink, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Queue {
    messages: VecDeque<Message>,
    /// How many were dropped since that was last put into words.
    dropped: u64,
    /// The message about those that were dropped before.
    about_dropped: Option<Message>,
}

impl Outbox {
    /// Notes what a round showed, and queues what is new for each of these sinks. What waits for a sink
    /// that is not among them is removed.
    pub fn observe(&mut self, seen: &Observation, rules: &Rules, sinks: &[Sink]) {
        let messages = self.state.advance(seen, rules);
        let mut before = std::mem::take(&mut self.queues);
        for sink in sinks {
            let mut queue = before.remove(&sink.name).unwrap_or_default();
            let wanted = messages.iter().filter(|message| sink.wants(message));
            wanted.for_each(|message| queue.push(message.clone()));
            self.queues.insert(sink.name.clone(), queue);
        }
        self.queues.retain(|_, queue| !queue.is_empty());
    }

    /// The message that a sink is to take next.
    pub fn next(&mut self, sink: &str, now: Timestamp) -> Option<Message> {
        self.queues.get_mut(sink)?.next(sink, now)
    }

    /// How many messages wait for a sink.
    pub fn waiting(&self, sink: &str) -> usize {
        self.queues.get(sink).map_or(0, Queue::len)
    }

    /// Notes that a sink has taken a message.
    pub fn taken(&mut self, sink: &str, id: &str) {
        if let Some(queue) = self.queues.get_mut(sink) {
            queue.remove(id);
        }
        self.queues.retain(|_, queue| !queue.is_empty());
    }

    /// Drops a message that a sink refuses.
    pub fn refused(&mut self, sink: &str, id: &str) {
        if let Some(queue) = self.queues.get_mut(sink) {
            let is_message = queue.messages.iter().any(|message| message.id == id);
            queue.remove(id);
            queue.dropped += u64::from(is_message);
        }
        self.queues.retain(|_, queue| !queue.is_empty());
    }
}

impl Queue {
    fn is_empty(&self) -> bool {
        self.len() == 0 && self.dropped == 0
    }

    fn len(&self) -> usize {
        self.messages.len() + usize::from(self.about_dropped.is_some())
    }

    fn push(&mut self, message: Message) {
        self.messages.push_back(message);
        while self.messages.len() > LIMIT {
            self.messages.pop_front();
            self.dropped += 1;
        }
    }

    fn next(&mut self, sink: &str, now: Timestamp) -> Option<Message> {
        if self.about_dropped.is_none() && self.dropped > 0 {
            let count = std::mem::take(&mut self.dropped);
            let id = key_digest(&["dropped", sink, &count.to_string(), &now.to_string()]);
            self.about_dropped = Some(words::dropped(id, count, now));
        }
        self.about_dropped.as_ref().or(self.messages.front()).cloned()
    }

    fn remove(&mut self, id: &str) {
        if self.about_dropped.as_ref().is_some_and(|message| message.id == id) {
            self.about_dropped = None;
        }
        self.messages.retain(|message| message.id != id);
    }
}
