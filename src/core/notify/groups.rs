//! Which messages of several targets are sent as one, and when. A commit of 200 targets, or an API server
//! that is away, would make as many messages, too many to read.
//!
//! The first message of a group waits for others for a while, and those that come after it wait twice as
//! long each time: the `group_wait` and `group_interval` of Alertmanager. None waits longer than a minute, or
//! than it was asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::message::{Message, Transition};

/// The longest time that a message waits by doubling.
const LONGEST: Duration = Duration::from_secs(60);
/// How long after the last message of a group another one is the first.
const FORGOTTEN: Duration = Duration::from_secs(10 * 60);

/// The messages that may be sent as one: those of one transition about one commit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GroupKey {
    transition: Transition,
    commit: Option<String>,
}

impl Message {
    /// Its group.
    pub fn group(&self) -> GroupKey {
        let commit = self.commit.as_ref().map(|commit| commit.id.clone());
        GroupKey { transition: self.transition, commit }
    }
}

/// The groups of one sink. Members are outboxes, by their numbers.
#[derive(Debug, Default)]
pub struct Groups(BTreeMap<GroupKey, Group>);

#[derive(Debug)]
struct Group {
    /// The members whose next message is of this group.
    members: BTreeSet<u64>,
    /// When it is sent, or was.
    at: Instant,
    /// How long the next message waits after this one.
    wait: Duration,
}

/// A message that is next in an outbox.
#[derive(Clone, Copy, Debug)]
pub struct WaitingMessage {
    /// The outbox.
    pub member: u64,
    /// How old the message is.
    pub age: Duration,
    /// How long the sink lets the first message of a group wait.
    pub group_wait: Duration,
}

impl Groups {
    /// Adds a message to its group, and gives the time at which the group is to be sent. No message waits
    /// for others beyond an age: those behind it in its outbox wait for it.
    pub fn join(&mut self, key: GroupKey, message: WaitingMessage, now: Instant) -> Instant {
        let WaitingMessage { member, age, group_wait } = message;
        self.0.retain(|_, group| now < group.at + FORGOTTEN);
        let first = || Group { members: BTreeSet::new(), at: now, wait: Duration::ZERO };
        let group = self.0.entry(key).or_insert_with(first);
        if group.members.is_empty() {
            group.at = (group.at + group.wait).max(now + group_wait);
        }
        group.at = group.at.min(now + LONGEST.max(group_wait).saturating_sub(age));
        group.members.insert(member);
        group.at
    }

    /// The members whose next message is of this group, as far as they were added.
    pub fn members(&self, key: &GroupKey) -> BTreeSet<u64> {
        self.0.get(key).map(|group| group.members.clone()).unwrap_or_default()
    }

    /// Notes that the messages of these members were sent or dropped. Those of others are due as before.
    pub fn sent(
        &mut self,
        key: &GroupKey,
        members: &BTreeSet<u64>,
        group_wait: Duration,
        now: Instant,
    ) {
        let Some(group) = self.0.get_mut(key) else { return };
        group.members.retain(|member| !members.contains(member));
        if group.members.is_empty() {
            group.at = now;
            group.wait = (group.wait * 2).max(group_wait * 2).min(LONGEST.max(group_wait));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAIT: Duration = Duration::from_secs(5);

    fn key(commit: &str) -> GroupKey {
        GroupKey { transition: Transition::Failed, commit: Some(commit.to_owned()) }
    }

    fn new(member: u64) -> WaitingMessage {
        WaitingMessage { member, age: Duration::ZERO, group_wait: WAIT }
    }

    #[test]
    fn later_messages_of_a_group_wait_twice_as_long_each_time() {
        let (mut groups, begin) = (Groups::default(), Instant::now());
        let (mut now, mut waits) = (begin, Vec::new());
        for member in 0..7 {
            let at = groups.join(key("a"), new(member), now);
            assert_eq!(groups.join(key("a"), new(member + 100), now + WAIT / 2), at);
            assert_eq!(groups.members(&key("a")), [member, member + 100].into());
            waits.push((at - now).as_secs());
            now = at;
            groups.sent(&key("a"), &groups.members(&key("a")), WAIT, now);
            assert!(groups.members(&key("a")).is_empty());
        }
        assert_eq!(waits, [5, 10, 20, 40, 60, 60, 60]);
        // The time is that since the last one, and never less than the first.
        assert_eq!(groups.join(key("a"), new(1), now + WAIT * 9), now + WAIT * 12);
        groups.sent(&key("a"), &[1].into(), WAIT, now + WAIT * 12);
        let late = now + LONGEST * 3;
        assert_eq!(groups.join(key("a"), new(1), late), late + WAIT);
        // Others do not wait for that, and after a while it is forgotten.
        assert_eq!(groups.join(key("b"), new(2), now), now + WAIT);
        let late = late + FORGOTTEN * 2;
        assert_eq!(groups.join(key("a"), new(3), late), late + WAIT);
        assert_eq!(groups.members(&key("a")), [3].into());
        assert_eq!(groups.0.len(), 1);
    }

    #[test]
    fn a_group_whose_messages_were_not_taken_stays_due() {
        let (mut groups, now) = (Groups::default(), Instant::now());
        let at = groups.join(key("a"), new(1), now);
        assert_eq!(groups.join(key("a"), new(1), at + WAIT), at);
        assert_eq!(groups.join(key("a"), new(2), at + WAIT * 2), at);
        groups.sent(&key("a"), &[2].into(), WAIT, at + WAIT * 2);
        assert_eq!(groups.members(&key("a")), [1].into(), "as many as fit into a message");
        assert_eq!(groups.join(key("a"), new(1), at + WAIT * 3), at);
    }

    /// A target with a message every 3 s, and then one of another group.
    #[test]
    fn no_message_waits_longer_than_a_minute() {
        let (mut groups, begin) = (Groups::default(), Instant::now());
        let seconds = Duration::from_secs;
        let mut now = begin;
        let all = (0..30).map(|number| (seconds(3 * number), "a")).chain([(seconds(92), "b")]);
        for (made, commit) in all {
            now = now.max(begin + made);
            let age = now - (begin + made);
            let at = groups.join(key(commit), WaitingMessage { age, ..new(1) }, now);
            now = now.max(at);
            assert!(now <= begin + made + LONGEST, "{:?} for {commit} of {made:?}", now - begin);
            groups.sent(&key(commit), &[1].into(), WAIT, now);
        }
    }
}
