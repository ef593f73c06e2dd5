//! Signs of life of a watch: a file that each good round replaces, and messages to systemd. Without
//! them, silence could be success or death.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::Serialize;

use crate::config::service;
use crate::core::log::bounded;
use crate::core::source::snapshot::short;
use crate::local::replaced_file::replace_file;
use crate::local::service_manager::Notifier;

/// The content of the status file.
#[derive(Debug, Serialize)]
pub struct StatusDocument<'a> {
    /// Of this shape: 1.
    version: u8,
    /// The target.
    target: &'a str,
    /// When the last good round ended.
    last_good: String,
    /// The commit that the cluster is at, its full id.
    commit: Option<&'a str>,
    /// When the next round begins; null where there is none.
    next_due: Option<String>,
    /// The time by which another good round has ended where all is well; null where there is none.
    late_after: Option<String>,
}

/// The time by which the watch has to show that it goes on.
#[derive(Debug, Default)]
pub(super) struct Deadline(Mutex<Option<Term>>);

/// A time, and how long after the end of a round it is.
#[derive(Clone, Copy, Debug)]
struct Term {
    silence: Duration,
    at: Option<Instant>,
}

impl Deadline {
    /// From now on rounds are expected, each so long after the other at most.
    fn expect(&self, silence: Duration, now: Instant) {
        let term = Term { silence, at: now.checked_add(silence) };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(term);
    }

    fn beat(&self, now: Instant) {
        if let Some(term) = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            term.at = now.checked_add(term.silence);
        }
    }

    fn silence(&self) -> Duration {
        let term = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        term.map(|term| term.silence).unwrap_or_default()
    }

    /// Whether it has not passed. Before there is a target none is set: a commit that mends the settings
    /// may take any time.
    pub(super) fn is_met(&self, now: Instant) -> bool {
        let term = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        term.and_then(|term| term.at).is_none_or(|at| now < at)
    }
}

/// The end of a round, as far as a heart beats for it.
pub(super) struct Beat<'a> {
    /// Whether the cluster is at the commit.
    pub(super) is_good: bool,
    /// The commit; `None` where it is that of the last good round.
    pub(super) commit: Option<&'a str>,
    /// The pause until the next round; `None` after the last.
    pub(super) pause: Option<Duration>,
    /// The first fault, where there is a new one.
    pub(super) fault: Option<&'a str>,
}

/// The signs of life.
pub(super) struct Heartbeat {
    target: String,
    file: Option<PathBuf>,
    notifier: Notifier,
    deadline: Arc<Deadline>,
    commit: Option<String>,
}

impl Heartbeat {
    /// Tells systemd that the service is ready, and from now on that it is alive: for as long as rounds
    /// end in time. A process that hangs says nothing.
    pub(super) fn begin(file: Option<PathBuf>) -> Self {
        let service = service::manager();
        let notifier = Notifier::new(service.socket);
        let deadline: Arc<Deadline> = Arc::default();
        notifier.ready();
        if let Some(watchdog) = service.watchdog {
            let (notifier, deadline) = (notifier.clone(), Arc::clone(&deadline));
            tokio::spawn(async move {
                loop {
                    if deadline.is_met(Instant::now()) {
                        notifier.alive();
                    }
                    tokio::time::sleep(watchdog / 2).await;
                }
            });
        }
        Self { target: String::new(), file, notifier, deadline, commit: None }
    }

    /// The target is known, and its rounds begin.
    pub(super) fn watches(&mut self, target: &str, silence: Duration) {
        target.clone_into(&mut self.target);
        self.deadline.expect(silence, Instant::now());
    }

    /// A round ended. Gives a warning where the file can't be written.
    pub(super) fn round(&mut self, beat: &Beat<'_>) -> Option<String> {
        self.deadline.beat(Instant::now());
        if let Some(commit) = beat.commit {
            self.commit = Some(commit.to_owned());
        }
        let now = Timestamp::now();
        let time = |time: Timestamp| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        if !beat.is_good {
            let fault = beat.fault.map(|fault| bounded(fault, 200, "…"));
            if let Some(fault) = fault {
                self.notifier.status(&format!("failing: {fault}"));
            }
            return None;
        }
        let commit = self.commit.as_deref();
        let at = commit.map(|commit| format!("at {}, ", short(commit))).unwrap_or_default();
        self.notifier.status(&format!("{at}last good round {}", time(now)));
        let file = self.file.as_ref()?;
        let after = |pause: Duration| now.checked_add(pause).ok().map(time);
        let document = StatusDocument {
            version: 1,
            target: &self.target,
            last_good: time(now),
            commit,
            next_due: beat.pause.and_then(after),
            late_after: beat.pause.and_then(|_| after(self.deadline.silence())),
        };
        let json = serde_json::to_string_pretty(&document).unwrap_or_default();
        let written = replace_file(file, format!("{json}\n").as_bytes());
        written.err().map(|error| format!("cannot write {}: {error}", file.display()))
    }

    /// The time by which the next round ends.
    pub(super) fn deadline(&self) -> Arc<Deadline> {
        Arc::clone(&self.deadline)
    }

    /// The watch ends.
    pub(super) fn end(&self) {
        self.notifier.stopping();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_good_round_replaces_the_file_and_a_bad_one_leaves_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("status.json");
        let deadline: Arc<Deadline> = Arc::default();
        let mut heart = Heartbeat {
            target: String::new(),
            file: Some(path.clone()),
            notifier: Notifier::default(),
            deadline: Arc::clone(&deadline),
            commit: None,
        };
        assert!(deadline.is_met(Instant::now() + Duration::from_secs(100_000)), "none is set yet");
        heart.watches("shop", Duration::from_secs(100));
        let read = || -> serde_json::Value {
            serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap()
        };
        let pause = Some(Duration::from_secs(30));
        let good = Beat { is_good: true, commit: Some("4f2c1a9"), pause, fault: None };
        assert_eq!(heart.round(&good), None);
        let first = read();
        assert_eq!(first["commit"], "4f2c1a9");
        let times = ["last_good", "next_due", "late_after"]
            .map(|key| first[key].as_str().unwrap().parse::<Timestamp>().unwrap().as_second());
        assert_eq!([times[1] - times[0], times[2] - times[0]], [30, 100]);
        std::fs::remove_file(&path).unwrap();
        let bad = Beat { is_good: false, commit: Some("bad"), pause, fault: Some("x") };
        assert_eq!(heart.round(&bad), None);
        assert!(!path.exists());
        let last = Beat { is_good: true, commit: Some("4f2c1a9"), pause: None, fault: None };
        assert_eq!(heart.round(&last), None);
        assert!(read()["next_due"].is_null() && read()["late_after"].is_null());
        heart.file = Some(folder.path().join("none/status.json"));
        assert!(heart.round(&good).unwrap().starts_with("cannot write "));
        let now = Instant::now();
        assert!(deadline.is_met(now) && !deadline.is_met(now + Duration::from_secs(101)));
    }
}
