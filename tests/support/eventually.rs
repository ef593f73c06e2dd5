//! Waits for what another process brings about. The limit only ends a test that would hang.

use std::thread;
use std::time::{Duration, Instant};

/// How long it waits at most until it looks again.
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

/// Returns when it holds, and panics when it never does.
#[track_caller]
pub fn eventually(what: &str, holds: impl Fn() -> bool) {
    eventually_none(what, || (!holds()).then(String::new));
}

/// Returns when there is no difference any more, and panics with the last when there always is. To look may
/// take a program that other tests have to wait for, so it looks less often as time goes by.
#[track_caller]
pub fn eventually_none(what: &str, difference: impl Fn() -> Option<String>) {
    let started = Instant::now();
    let mut pause = Duration::from_millis(10);
    while let Some(difference) = difference() {
        assert!(started.elapsed() < Duration::from_secs(120), "never: {what}\n{difference}");
        thread::sleep(pause);
        pause = LONGEST_PAUSE.min(pause * 3 / 2);
    }
}
