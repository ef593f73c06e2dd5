//! How long a watch may be silent before it counts as hung.

use std::time::Duration;

/// How long anything else than waiting may take in a round.
const WORK: Duration = Duration::from_secs(300);

/// The longest time from the end of a round to that of the next, where all is well: the pause, a pull,
/// and the rollout waited for, once more after a rollback, with as much for passing faults.
pub fn longest_silence(interval: Duration, timeout: Duration, pull_timeout: Duration) -> Duration {
    // The pause may be longer by a tenth.
    interval
        .saturating_add(interval / 10)
        .saturating_add(timeout.saturating_mul(3))
        .saturating_add(pull_timeout)
        .saturating_add(WORK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_has_room_for_a_rollout_and_its_rollback() {
        let seconds = Duration::from_secs;
        assert_eq!(longest_silence(seconds(30), seconds(300), seconds(60)), seconds(1293));
        assert_eq!(longest_silence(seconds(0), seconds(0), seconds(0)), WORK);
        assert_eq!(longest_silence(Duration::MAX, Duration::MAX, seconds(60)), Duration::MAX);
    }
}
