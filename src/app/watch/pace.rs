//! How soon a bell that others can ring may begin a round: at once after a calm, and less and less often
//! where it does not stop ringing.
//!
//! A round that puts other objects back than those before it is no reason to be slower: people change this
//! and that. Objects that are to be put back again and again are one, as others undo each write.

use std::time::{Duration, Instant};

use super::rewritten::{Rewritten, Writes};
use crate::core::object::ObjectKey;

/// The least time from the beginning of one such round to the next.
const LEAST: Duration = Duration::from_secs(2);
/// How many rounds may follow each other like that.
const FREE: u32 = 3;
/// The most time.
const MOST: Duration = Duration::from_secs(60);
/// After how many times that time there was a calm.
const CALM: u32 = 4;

/// How many looks may follow writes and count for nothing.
const LOOKS: u32 = 2;

/// The rounds of one target that a bell began.
#[derive(Debug)]
pub(super) struct Pace {
    streak: Streak,
    /// The streak before the round under way, where a bell began that.
    before: Option<Streak>,
    /// Whether that one is not counted, as it only follows what was written before.
    is_spared: bool,
    /// The writes of the round under way.
    writes: Writes,
    /// Those of the round before it.
    last_writes: Writes,
    /// How many looks followed these.
    looks: u32,
    rewritten: Rewritten,
}

/// The rounds that followed each other.
#[derive(Clone, Copy, Debug, Default)]
struct Streak {
    /// When the last one began.
    last: Option<Instant>,
    /// How many count.
    rounds: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            streak: Streak::default(),
            before: None,
            is_spared: false,
            writes: Writes::None,
            last_writes: Writes::None,
            looks: 0,
            // Whatever comes later follows a calm.
            rewritten: Rewritten::new(MOST.saturating_mul(CALM)),
        }
    }
}

impl Pace {
    /// How long a round that is rung for now has to wait.
    pub(super) fn wait(&self, now: Instant) -> Duration {
        let Some(last) = self.streak.last else { return Duration::ZERO };
        self.streak.gap().saturating_sub(now.saturating_duration_since(last))
    }

    /// A round begins that was rung for. One that only follows what the last round wrote counts for
    /// nothing. Of rounds that write to the same objects, each second one counts: others undo them.
    pub(super) fn begin(&mut self, now: Instant) {
        let Streak { last, rounds } = self.streak;
        let is_calm = last.is_none_or(|last| now.duration_since(last) > self.streak.gap() * CALM);
        let follows = match self.last_writes {
            Writes::None => false,
            Writes::New => true,
            Writes::Again => !self.is_spared,
        };
        self.is_spared = !is_calm && follows;
        let rounds = match (is_calm, self.is_spared) {
            (true, _) => 0,
            (false, true) => rounds,
            (false, false) => rounds.saturating_add(1),
        };
        self.before = Some(self.streak);
        self.streak = Streak { last: Some(now), rounds };
    }

    /// The round under way tried to write these objects. What a round writes that no bell began, as for a
    /// commit, others have not undone yet.
    pub(super) fn wrote<'a>(
        &mut self,
        now: Instant,
        mut keys: impl Iterator<Item = &'a ObjectKey>,
    ) {
        self.writes = match self.before {
            Some(_) => self.rewritten.note(now, keys),
            None if keys.next().is_some() => Writes::New,
            None => Writes::None,
        };
    }

    /// The round has ended, whoever began it. One that wrote to objects that no other one has written to of
    /// late does not count either, and the look that follows it holds up none.
    pub(super) fn end(&mut self) {
        let writes = std::mem::take(&mut self.writes);
        let last_writes = std::mem::replace(&mut self.last_writes, writes);
        let Some(before) = self.before.take() else { return };
        if writes == Writes::New {
            self.streak.rounds = self.streak.rounds.min(before.rounds);
        }
        let is_look = writes == Writes::None && last_writes == Writes::New && self.is_spared;
        self.looks = if is_look { self.looks + 1 } else { 0 };
        if is_look {
            self.streak.last = before.last;
            // It may note in the inventory that all is healthy, which rings again.
            self.last_writes = if self.looks < LOOKS { Writes::New } else { Writes::None };
        }
    }
}

impl Streak {
    fn gap(self) -> Duration {
        let doublings = self.rounds.saturating_sub(FREE).min(5);
        LEAST.saturating_mul(1 << doublings).min(MOST)
    }
}

#[cfg(test)]
mod tests {
    use super::super::rewritten::MOST_KNOWN;
    use super::*;

    fn key(number: usize) -> ObjectKey {
        let (group, kind) = (String::new(), "ConfigMap".to_owned());
        ObjectKey { group, kind, namespace: None, name: number.to_string() }
    }

    /// The seconds at which a bell begins rounds that is rung for so long each so many seconds, and by what
    /// the rounds before wrote. Each round writes as `writes` says, by its number.
    fn begun(seconds: u32, each: u32, writes: impl Fn(usize) -> Vec<usize>) -> Vec<u32> {
        let begin = Instant::now();
        let (mut pace, mut begun, mut is_rung) = (Pace::default(), Vec::new(), false);
        for second in 0..seconds {
            let now = begin + Duration::from_secs(second.into());
            is_rung |= second % each == 0;
            if is_rung && pace.wait(now).is_zero() {
                pace.begin(now);
                let keys: Vec<ObjectKey> = writes(begun.len()).into_iter().map(key).collect();
                pace.wrote(now, keys.iter());
                pace.end();
                is_rung = !keys.is_empty();
                begun.push(second);
            }
        }
        begun
    }

    #[test]
    fn a_bell_that_does_not_stop_begins_ever_fewer_rounds() {
        let nothing = |_| Vec::new();
        assert_eq!(begun(8, 1, nothing), [0, 2, 4, 6]);
        let hot = begun(3600, 1, nothing).len();
        assert!((60..=70).contains(&hot), "{hot}");
        let every_second = |round| if round % 2 == 0 { vec![0] } else { Vec::new() };
        let fight = begun(3600, 1, every_second).len();
        assert!(
            (hot..=80).contains(&fight),
            "each second round hears what the first wrote: {fight}"
        );
        let undone = begun(3600, 1, |_| vec![0]).len();
        assert!((hot..=80).contains(&undone), "each round writes, and others undo it: {undone}");
        let undone = begun(75, 1, |_| vec![0]).len();
        assert!(undone <= 15, "{undone}");
        let many = begun(3600, 1, |_| (0..50).collect()).len();
        assert!((hot..=80).contains(&many), "others undo all of it: {many}");
        let joined = begun(3600, 1, |round| vec![0, round]).len();
        assert!((hot..=80).contains(&joined), "one object of each round is fought over: {joined}");
    }

    #[test]
    fn drift_of_what_was_just_applied_is_put_back_at_once() {
        let (begin, mut pace) = (Instant::now(), Pace::default());
        let keys: Vec<ObjectKey> = (0..20).map(key).collect();
        pace.wrote(begin, keys.iter());
        pace.end();
        for (number, key) in keys.iter().enumerate() {
            let now = begin + Duration::from_secs(3 * u64::try_from(number).unwrap());
            assert!(pace.wait(now).is_zero(), "{number}: {:?}", pace.wait(now));
            pace.begin(now);
            pace.wrote(now, std::iter::once(key));
            pace.end();
        }
    }

    #[test]
    fn drift_of_other_objects_each_time_is_put_back_at_once() {
        // Each is followed by a look, which holds up none.
        let puts_back = |round| if round % 2 == 0 { vec![round] } else { Vec::new() };
        let rounds = begun(600, 3, puts_back);
        let (put_back, looks): (Vec<_>, Vec<_>) =
            rounds.chunks_exact(2).map(|pair| (pair[0], pair[1])).unzip();
        assert_eq!(put_back, (0..600).step_by(3).collect::<Vec<_>>());
        assert_eq!(looks, (2..600).step_by(3).collect::<Vec<_>>());
        // Faster than that, a round puts back all that came since the last one.
        let rounds = begun(600, 1, |round| vec![2 * round, 2 * round + 1]);
        assert_eq!(rounds, (0..600).step_by(2).collect::<Vec<_>>());
        // A second look follows each.
        let writes = |round| if round % 3 == 0 { vec![round] } else { Vec::new() };
        let rounds = begun(600, 1, writes);
        assert!(rounds.len() >= 400, "they do not get fewer: {rounds:?}");
        // The look that follows one finds another one.
        let rounds = begun(600, 2, |round| if round % 3 == 2 { Vec::new() } else { vec![round] });
        assert_eq!(rounds, (0..600).step_by(2).collect::<Vec<_>>());
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let many = |round: usize| (0..400).map(|object| round * 400 + object).collect();
        let rounds = begun(3600, 1, many);
        assert_eq!(rounds[..4], [0, 2, 4, 6]);
        assert!(rounds.len() < 300, "more than {MOST_KNOWN} count as the same: {rounds:?}");
    }

    #[test]
    fn after_a_calm_a_round_begins_at_once() {
        let (begin, mut pace) = (Instant::now(), Pace::default());
        let at = |seconds| begin + Duration::from_secs(seconds);
        for second in 0..1000 {
            if pace.wait(at(second)).is_zero() {
                pace.begin(at(second));
                pace.end();
            }
        }
        assert!(pace.wait(at(1000)) > LEAST);
        assert!(pace.wait(at(1100)).is_zero());
        pace.begin(at(1300));
        pace.end();
        assert_eq!(pace.wait(at(1300)), LEAST);
        assert_eq!(pace.wait(at(1301)), Duration::from_secs(1));
    }
}
