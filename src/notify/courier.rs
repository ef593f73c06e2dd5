//! Sends the messages of one sink, each target in its turn. What many targets have to say at once is one
//! message for a sink that people read.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::error::DeliveryError;
use super::line::{Line, Member, Rest, RestReason};
use super::shared::NotifierOptions;
use crate::core::notify::{GroupKey, Groups, Message, WaitingMessage, merged};
use crate::local::jitter::jittered;

/// The pause after the first failure of a sink; it doubles.
const FIRST: Duration = Duration::from_secs(1);
/// The longest pause by doubling.
const LONGEST: Duration = Duration::from_secs(300);
/// By how much a pause may be shorter or longer.
const JITTER: f64 = 0.2;
/// How long a target is passed over while another process sends its messages.
const TAKEN: Duration = Duration::from_secs(1);
/// How often a message is sent that its sink refuses.
const REFUSALS: u32 = 3;
/// The most messages that are sent as one. Each has a file open until it is noted.
const PARTS: usize = 100;
/// How many refused messages are remembered. With more, some are sent more often.
const REFUSED: usize = 10_000;

/// Sends the messages of one sink.
pub(super) struct Courier<'l> {
    line: &'l Line,
    groups: Groups,
    /// How often in a row the sink took nothing.
    failures: u32,
    /// How often it refused messages that still wait, by their ids.
    refused: BTreeMap<String, u32>,
    /// Whether it was said that the sink takes nothing.
    is_down: bool,
}

/// The message that is next in an outbox, with the right to send it.
struct Part {
    number: u64,
    member: Member,
    message: Message,
    _turn: File,
}

/// The result of one look at a queue.
enum Look {
    /// There is a message.
    Next(Box<Part>),
    /// There is none.
    Empty,
    /// Another process sends them.
    Taken,
}

/// The result of one turn.
enum Turn {
    /// These messages were sent as one.
    Sent(Vec<Part>),
    /// There is none.
    Empty,
    /// There is one, and its member is passed over for a while.
    Rests(Rest),
    /// These were not taken.
    Failed(Unsent),
}

/// Messages that were not taken.
struct Unsent {
    parts: Vec<Part>,
    error: DeliveryError,
}

impl<'l> Courier<'l> {
    pub(super) fn new(line: &'l Line) -> Self {
        let (groups, refused) = (Groups::default(), BTreeMap::new());
        Self { line, groups, failures: 0, refused, is_down: false }
    }

    /// Sends until no target is left.
    pub(super) fn run(&mut self) {
        let (mut last, mut pause) = (0, None);
        while let Some((number, member)) = self.line.wait(last, pause) {
            last = number;
            pause = None;
            match self.turn(number, &member) {
                Ok(Turn::Sent(parts)) => {
                    // Until all of them are noted, another process would send them again.
                    self.line.note(|| parts.iter().for_each(|part| self.note_taken(part)));
                    self.failures = 0;
                    self.is_up(&member);
                    for part in &parts {
                        self.refused.remove(&part.message.id);
                    }
                    self.end_group(&parts);
                }
                Ok(Turn::Empty) => self.line.has_none(number, &member),
                Ok(Turn::Rests(rest)) => self.line.put_back(number, Some(rest)),
                Ok(Turn::Failed(unsent)) => {
                    pause = self.failed(&member, &unsent).map(|pause| Instant::now() + pause);
                    if pause.is_none() {
                        self.end_group(&unsent.parts);
                    }
                    self.line.put_back(number, None);
                }
                Err(error) => self.fault(number, &member, &error),
            }
        }
    }

    /// Sends the next message of a member, or those of all members that have the same to say, or has it
    /// wait for them.
    fn turn(&mut self, number: u64, member: &Member) -> io::Result<Turn> {
        let part = match Part::look(number, member)? {
            Look::Next(part) => *part,
            Look::Empty => return Ok(Turn::Empty),
            Look::Taken => return Ok(Turn::Rests(Rest::of(TAKEN, RestReason::Taken))),
        };
        let (group_wait, now) = (member.sink().group_wait, Instant::now());
        if group_wait.is_zero() || !self.line.has_several() {
            return Ok(Self::send(vec![part]));
        }
        let (key, age) = (part.message.group(), part.age());
        let waiting = WaitingMessage { member: number, age, group_wait };
        let until = self.groups.join(key.clone(), waiting, now);
        if until > now && !member.shared.is_closing() {
            return Ok(Turn::Rests(Rest { until, reason: RestReason::Gathering }));
        }
        Ok(Self::send(self.gather(part, &key)))
    }

    /// The next messages of all members that belong to a group, as far as they fit into one message.
    fn gather(&self, part: Part, key: &GroupKey) -> Vec<Part> {
        let (number, sink) = (part.number, part.member.sink().clone());
        let mut parts = vec![part];
        let mut others = self.groups.members(key);
        // Nothing was looked at that was just written.
        others.extend(self.line.awake());
        for other in others.into_iter().filter(|other| *other != number) {
            if parts.len() == PARTS {
                break;
            }
            // Targets have the settings that there were when they came.
            let Some(member) = self.line.member(other).filter(|it| *it.sink() == sink) else {
                continue;
            };
            // A fault of an outbox has its warning in a turn of its own.
            if let Ok(Look::Next(part)) = Part::look(other, &member)
                && part.message.group() == *key
            {
                parts.push(*part);
            }
        }
        parts
    }

    /// Notes that these do not wait any more.
    fn end_group(&mut self, parts: &[Part]) {
        let members: BTreeSet<u64> = parts.iter().map(|part| part.number).collect();
        if let Some(first) = parts.first() {
            let (key, group_wait) = (first.message.group(), first.member.sink().group_wait);
            self.groups.sent(&key, &members, group_wait, Instant::now());
        }
    }

    /// Sends these as one.
    fn send(parts: Vec<Part>) -> Turn {
        let messages: Vec<Message> = parts.iter().map(|part| part.message.clone()).collect();
        let (Some(message), Some(first)) = (merged(&messages), parts.first()) else {
            return Turn::Empty;
        };
        let sender = &first.member.shared.options.sender;
        match sender.send(first.member.sink(), &message) {
            Ok(()) => Turn::Sent(parts),
            Err(error) => Turn::Failed(Unsent { parts, error }),
        }
    }

    /// Notes that a message was sent. Its member may have another one.
    fn note_taken(&self, part: &Part) {
        let Part { number, member, message, .. } = part;
        let store = &member.shared.options.store;
        match store.update(|outbox| outbox.taken(member.name(), &message.id)) {
            Ok(()) => self.line.gathered(*number),
            Err(error) => self.fault(*number, member, &error),
        }
    }

    /// An outbox can't be used, which is not the sink's fault.
    fn fault(&self, number: u64, member: &Member, error: &io::Error) {
        member.shared.stuck(error);
        self.line.put_back(number, Some(Rest::of(LONGEST, RestReason::Fault)));
    }

    /// Notes that messages were not taken, and gives the pause until the next one is sent.
    fn failed(&mut self, member: &Member, unsent: &Unsent) -> Option<Duration> {
        let Unsent { parts, error } = unsent;
        self.says_down(member, error);
        if error.is_refusal {
            let given_up = parts.iter().filter(|part| self.is_given_up(part)).count();
            if given_up == parts.len() {
                return None;
            }
        }
        let pause = jittered(doubled(self.failures), JITTER);
        self.failures = self.failures.saturating_add(1);
        Some(pause.max(error.retry_after.unwrap_or_default()))
    }

    /// Drops a message that the sink has refused too often, and says whether it did.
    fn is_given_up(&mut self, part: &Part) -> bool {
        let id = &part.message.id;
        if self.refused.len() >= REFUSED {
            self.refused.clear();
        }
        let count = self.refused.entry(id.clone()).or_default();
        *count += 1;
        let is_given_up = *count >= REFUSALS && part.give_up();
        if is_given_up {
            self.refused.remove(id);
        }
        is_given_up
    }

    /// Says once that the sink takes nothing.
    fn says_down(&mut self, member: &Member, error: &DeliveryError) {
        if !std::mem::replace(&mut self.is_down, true) {
            member.shared.warn(format!("notifications of {} wait: {error}", member.name()));
        }
    }

    fn is_up(&mut self, member: &Member) {
        if std::mem::take(&mut self.is_down) {
            member.shared.warn(format!("notifications of {} arrive again", member.name()));
        }
    }
}

impl Part {
    /// The next message of a member. One process sends at a time.
    fn look(number: u64, member: &Member) -> io::Result<Look> {
        let NotifierOptions { store, .. } = &member.shared.options;
        let name = member.name();
        let Some(turn) = store.turn(name)? else { return Ok(Look::Taken) };
        let next = store.update(|outbox| outbox.next(name, Timestamp::now()))?;
        let Some(message) = next else { return Ok(Look::Empty) };
        Ok(Look::Next(Box::new(Self { number, member: member.clone(), message, _turn: turn })))
    }

    /// How old the message is, by a clock that may be set back.
    fn age(&self) -> Duration {
        Duration::try_from(Timestamp::now().duration_since(self.message.at)).unwrap_or_default()
    }

    /// Drops the message, which the sink refuses.
    fn give_up(&self) -> bool {
        let store = &self.member.shared.options.store;
        store.update(|outbox| outbox.refused(self.member.name(), &self.message.id)).is_ok()
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
