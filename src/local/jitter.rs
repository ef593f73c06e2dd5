//! Pauses that differ from process to process and from one to the next, so that many who wait for
//! one server do not march in step.

use std::hash::{BuildHasher as _, RandomState};
use std::time::{Duration, Instant};

/// The pause, shorter or longer by up to `share` of it.
pub fn jittered(pause: Duration, share: f64) -> Duration {
    stretched(pause, share, chance())
}

/// The pause as `chance` has it, from 0 for the shortest to 1 for the longest.
fn stretched(pause: Duration, share: f64, chance: f64) -> Duration {
    pause.mul_f64(1.0 - share + 2.0 * share * chance.clamp(0.0, 1.0))
}

/// A number from 0 to 1.
fn chance() -> f64 {
    f64::from(random()) / f64::from(u32::MAX)
}

/// A number that is another one each time, and no secret.
pub fn random() -> u32 {
    let bits = RandomState::new().hash_one(Instant::now());
    u32::try_from(bits >> 32).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_what_it_is_give_or_take_its_share() {
        let pause = Duration::from_secs(30);
        let pauses = [0.0, 0.5, 1.0].map(|chance| stretched(pause, 0.1, chance).as_secs_f64());
        let expected = [27.0, 30.0, 33.0];
        assert!(pauses.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{pauses:?}");
        assert!((0..1000).all(|_| (0.0..=1.0).contains(&chance())));
    }
}
