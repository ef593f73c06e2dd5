//! Waits for what another process brings about. The limit only ends a test that would hang.

use std::thread;
use std::time::{Duration, Instant};

/// Returns when it holds, and panics when it never does.
#[track_caller]
pub fn eventually(what: &str, holds: impl Fn() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(60), "never: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}
