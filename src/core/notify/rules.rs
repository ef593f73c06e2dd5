//! When a lasting state makes a message, and which sinks get it.

use std::collections::BTreeSet;
use std::time::Duration;

use super::message::{Message, Transition};
use crate::core::field_rules::is_like;

/// How long git or a cluster may be away before that makes a message.
const GRACE: Duration = Duration::from_secs(5 * 60);
/// After how many rounds one failure makes another message.
pub(super) const REMINDER: u32 = 10;

/// The rules for all sinks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// How long git or a cluster may be away before that makes a message.
    pub grace: Duration,
    /// After how many rounds the sinks want to hear again of one failure.
    pub reminders: BTreeSet<u32>,
}

impl Default for Rules {
    fn default() -> Self {
        Self { grace: GRACE, reminders: BTreeSet::from([REMINDER]) }
    }
}

impl Rules {
    /// Whether any sink wants to hear of a failure that is in its so manieth round.
    pub(super) fn reminds(&self, round: u32) -> bool {
        self.reminders.iter().any(|first| is_due(*first, round))
    }
}

/// Whether a round is the `first` one of a reminder, or that doubled any number of times.
pub(super) fn is_due(first: u32, round: u32) -> bool {
    first > 0 && round.is_multiple_of(first) && (round / first).is_power_of_two()
}

/// The messages that one sink wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SinkFilter {
    /// Patterns of the targets, with `*` and `?`; none for all.
    pub targets: Vec<String>,
    /// The transitions; none for all.
    pub transitions: BTreeSet<Transition>,
    /// After how many rounds it wants to hear again of one failure.
    pub reminder: u32,
}

impl Default for SinkFilter {
    fn default() -> Self {
        Self { targets: Vec::new(), transitions: BTreeSet::new(), reminder: REMINDER }
    }
}

impl SinkFilter {
    /// Whether the sink wants this message.
    pub fn wants(&self, message: &Message) -> bool {
        let is_target = self.is_about(&message.target);
        let is_due = message.reminder.is_none_or(|round| is_due(self.reminder, round));
        let transition = message.transition;
        is_target
            && is_due
            && (self.transitions.is_empty() || self.transitions.contains(&transition))
    }

    /// Whether the sink wants to hear of this target.
    pub fn is_about(&self, target: &str) -> bool {
        self.targets.is_empty() || self.targets.iter().any(|pattern| is_like(pattern, target))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reminders_come_after_doubling_times() {
        let due = |first| (0..=100).filter(|round| is_due(first, *round)).collect::<Vec<_>>();
        assert_eq!(due(10), [10, 20, 40, 80]);
        assert_eq!(due(3), [3, 6, 12, 24, 48, 96]);
        assert_eq!(due(0), [0u32; 0]);
        let rules = Rules { reminders: BTreeSet::from([3, 10]), ..Rules::default() };
        let all: Vec<u32> = (1..=24).filter(|round| rules.reminds(*round)).collect();
        assert_eq!(all, [3, 6, 10, 12, 20, 24]);
    }
}
