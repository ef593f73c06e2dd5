//! How soon a bell that others can ring may begin a round: at once after a calm, and less and less often
//! where it does not stop ringing.

use std::time::{Duration, Instant};

/// The least time from the beginning of one such round to the next.
const LEAST: Duration = Duration::from_secs(2);
/// How many rounds may follow each other like that.
const FREE: u32 = 3;
/// The most time.
const MOST: Duration = Duration::from_secs(60);

/// The rounds of one target that a bell began.
#[derive(Debug, Default)]
pub(super) struct Pace {
    last: Option<Instant>,
    /// How many followed each other.
    streak: u32,
    /// Whether the last one was not counted, as it only followed what was written before.
    is_spared: bool,
}

impl Pace {
    /// How long a round that is rung for now has to wait.
    pub(super) fn wait(&self, now: Instant) -> Duration {
        let Some(last) = self.last else { return Duration::ZERO };
        self.gap().saturating_sub(now.saturating_duration_since(last))
    }

    /// A round begins that was rung for. One that only follows what the last round wrote counts for
    /// nothing. Of rounds that all write, each second one counts: others undo them.
    pub(super) fn begin(&mut self, now: Instant, follows_writes: bool) {
        let is_calm = self.last.is_none_or(|last| now.duration_since(last) > self.gap() * 4);
        self.is_spared = !is_calm && follows_writes && !self.is_spared;
        self.streak = match (is_calm, self.is_spared) {
            (true, _) => 0,
            (false, true) => self.streak,
            (false, false) => self.streak.saturating_add(1),
        };
        self.last = Some(now);
    }

    fn gap(&self) -> Duration {
        let doublings = self.streak.saturating_sub(FREE).min(5);
        LEAST.saturating_mul(1 << doublings).min(MOST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many rounds a bell begins in so many seconds that rings each second.
    fn rounds(seconds: u64, follows_writes: impl Fn(usize) -> bool) -> usize {
        let begin = Instant::now();
        let (mut pace, mut rounds) = (Pace::default(), 0);
        for second in 0..seconds {
            let now = begin + Duration::from_secs(second);
            if pace.wait(now).is_zero() {
                pace.begin(now, follows_writes(rounds));
                rounds += 1;
            }
        }
        rounds
    }

    #[test]
    fn a_bell_that_does_not_stop_begins_ever_fewer_rounds() {
        assert_eq!(rounds(8, |_| false), 4);
        let hot = rounds(3600, |_| false);
        assert!((60..=70).contains(&hot), "{hot}");
        let fight = rounds(3600, |round| round % 2 == 1);
        assert!(
            (hot..=80).contains(&fight),
            "each second round hears what the first wrote: {fight}"
        );
        let undone = rounds(3600, |_| true);
        assert!((hot..=80).contains(&undone), "each round writes, and others undo it: {undone}");
    }

    #[test]
    fn after_a_calm_a_round_begins_at_once() {
        let (begin, mut pace) = (Instant::now(), Pace::default());
        let at = |seconds| begin + Duration::from_secs(seconds);
        for second in 0..1000 {
            if pace.wait(at(second)).is_zero() {
                pace.begin(at(second), false);
            }
        }
        assert!(pace.wait(at(1000)) > LEAST);
        assert!(pace.wait(at(1100)).is_zero());
        pace.begin(at(1300), false);
        assert_eq!(pace.wait(at(1300)), LEAST);
        assert_eq!(pace.wait(at(1301)), Duration::from_secs(1));
    }
}
