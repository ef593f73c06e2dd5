//! The cost of pulls to a remote, and the pause that it asks for.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;

/// The longest pause that a remote may ask for.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// The count of the bytes that pulls took from their remote. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Traffic(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    polls: AtomicU64,
    bytes: AtomicU64,
    pause: Mutex<Option<Duration>>,
}

/// How often a remote was asked, and how much it answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "git_traffic"))]
pub struct TrafficCount {
    /// How many connections asked the remote for its refs.
    pub polls: u64,
    /// How many bytes of git's protocol came in.
    pub bytes: u64,
}

impl Traffic {
    /// The count so far.
    pub fn count(&self) -> TrafficCount {
        let Counters { polls, bytes, .. } = &*self.0;
        TrafficCount { polls: polls.load(Ordering::Relaxed), bytes: bytes.load(Ordering::Relaxed) }
    }

    /// How long the remote asked to be left alone, since this was asked last.
    pub fn take_pause(&self) -> Option<Duration> {
        self.0.pause.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(super) fn add_poll(&self) {
        self.0.polls.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn add_bytes(&self, bytes: usize) {
        self.0.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Takes note of a `Retry-After`: seconds, or the time at which to try again.
    pub(super) fn note_retry_after(&self, value: &str, now: jiff::Timestamp) {
        let seconds = value.trim().parse().map(Duration::from_secs).ok();
        let until = || {
            let at = jiff::fmt::rfc2822::parse(value.trim()).ok()?.timestamp();
            Duration::try_from(at.duration_since(now)).ok()
        };
        if let Some(pause) = seconds.or_else(until) {
            let mut noted = self.0.pause.lock().unwrap_or_else(PoisonError::into_inner);
            *noted = Some(pause.min(LONGEST));
        }
    }
}

impl fmt::Display for TrafficCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { polls, bytes } = self;
        let plural = if *polls == 1 { "" } else { "s" };
        write!(f, "git: {polls} poll{plural}, {bytes} bytes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remote_says_how_long_to_wait() {
        let now = "2026-11-29T12:00:00Z".parse().unwrap();
        for (value, seconds) in [
            ("120", Some(120)),
            (" 5 ", Some(5)),
            ("999999999", Some(24 * 3600)),
            ("Sun, 29 Nov 2026 12:01:30 GMT", Some(90)),
            ("Sun, 29 Nov 2026 11:00:00 GMT", None),
            ("soon", None),
            ("-3", None),
        ] {
            let traffic = Traffic::default();
            traffic.note_retry_after(value, now);
            assert_eq!(traffic.take_pause(), seconds.map(Duration::from_secs), "{value}");
            assert_eq!(traffic.take_pause(), None);
        }
    }
}
