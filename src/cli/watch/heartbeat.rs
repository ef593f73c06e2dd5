//! Signs of life of a watch: a file that each good round replaces, and messages to systemd. Without
//! them, silence could be success or death.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::Serialize;

use super::lasting_fault::LastingFault;
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

/// The content of the status file of several targets. It is replaced only while all of them are good.
#[derive(Debug, Serialize)]
pub struct SeveralStatusDocument<'a> {
    /// Of this shape: 1.
    version: u8,
    /// The targets by name.
    targets: BTreeMap<&'a str, TargetStatusDocument<'a>>,
    /// When the last good round of any ended.
    last_good: String,
    /// The time by which another good round has ended where all is well.
    late_after: Option<String>,
}

/// One of the targets.
#[derive(Debug, Serialize)]
pub struct TargetStatusDocument<'a> {
    /// When the last good round ended.
    last_good: String,
    /// The commit that the cluster is at, its full id.
    commit: Option<&'a str>,
}

/// The times by which the targets have to show that their rounds go on.
#[derive(Debug, Default)]
pub(super) struct Deadline(Mutex<BTreeMap<String, Term>>);

/// A time, and how long after the end of a round it is.
#[derive(Clone, Copy, Debug)]
struct Term {
    silence: Duration,
    /// The pause that is a part of it.
    interval: Duration,
    at: Option<Instant>,
}

impl Deadline {
    /// From now on rounds of a target are expected, each so long after the other at most.
    fn expect(&self, target: &str, term: Term, now: Instant) {
        let term = Term { at: now.checked_add(term.silence), ..term };
        self.lock().insert(target.to_owned(), term);
    }

    /// A round of a target ended, and this pause follows.
    fn beat(&self, target: &str, pause: Option<Duration>, now: Instant) {
        if let Some(term) = self.lock().get_mut(target) {
            // Rounds that fail in a row have longer pauses.
            let longer = pause.unwrap_or_default().saturating_sub(term.interval);
            term.at = now.checked_add(term.silence.saturating_add(longer));
        }
    }

    fn forget(&self, target: &str) {
        self.lock().remove(target);
    }

    /// The longest silence of any target.
    fn silence(&self) -> Duration {
        self.lock().values().map(|term| term.silence).max().unwrap_or_default()
    }

    /// Whether none has passed. Before there is a target none is set: a commit that mends the settings
    /// may take any time.
    pub(super) fn is_met(&self, now: Instant) -> bool {
        self.lock().values().filter_map(|term| term.at).all(|at| now < at)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Term>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
    file: Option<PathBuf>,
    notifier: Notifier,
    deadline: Arc<Deadline>,
    is_several: bool,
    targets: BTreeMap<String, Life>,
    /// When the file of several targets was replaced last.
    written: Option<Instant>,
    /// Why the file can't be written.
    fault: LastingFault,
}

/// The life of one target.
#[derive(Debug, Default)]
struct Life {
    is_good: bool,
    last_good: Option<Timestamp>,
    commit: Option<String>,
}

fn time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

impl Heartbeat {
    /// Tells systemd that the service is ready, and from now on that it is alive: for as long as rounds
    /// end in time. A process that hangs says nothing.
    pub(super) fn begin(file: Option<PathBuf>, is_several: bool) -> Self {
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
        Self {
            file,
            notifier,
            deadline,
            is_several,
            targets: BTreeMap::new(),
            written: None,
            fault: LastingFault::default(),
        }
    }

    /// There are these targets, none of which is good before its first round.
    pub(super) fn expect(&mut self, targets: &BTreeSet<String>) {
        for target in targets {
            self.targets.entry(target.clone()).or_default();
        }
    }

    /// A target is known, and its rounds begin.
    pub(super) fn watches(&mut self, target: &str, silence: Duration, interval: Duration) {
        self.targets.entry(target.to_owned()).or_default();
        self.deadline.expect(target, Term { silence, interval, at: None }, Instant::now());
    }

    /// A target is gone.
    pub(super) fn forget(&mut self, target: &str) {
        self.targets.remove(target);
        self.deadline.forget(target);
    }

    /// A round of a target goes on, and says nothing of its end.
    pub(super) fn lives(&self, target: &str, pause: Duration) {
        self.deadline.beat(target, Some(pause), Instant::now());
    }

    /// A round of a target ended. Gives a warning where the file can't be written.
    pub(super) fn round(&mut self, target: &str, beat: &Beat<'_>) -> Option<String> {
        self.deadline.beat(target, beat.pause, Instant::now());
        let now = Timestamp::now();
        let life = self.targets.entry(target.to_owned()).or_default();
        let was_good = std::mem::replace(&mut life.is_good, beat.is_good);
        if let Some(commit) = beat.commit {
            life.commit = Some(commit.to_owned());
        }
        if !beat.is_good {
            if let Some(fault) = beat.fault.map(|fault| bounded(fault, 200, "…")) {
                let of = if self.is_several { format!("{target}: ") } else { String::new() };
                self.notifier.status(&format!("failing: {of}{fault}"));
            }
            return None;
        }
        life.last_good = Some(now);
        let json = match self.is_several {
            true => self.several(now, was_good)?,
            false => self.one(target, beat, now),
        };
        let file = self.file.as_ref()?;
        let written = replace_file(file, format!("{json}\n").as_bytes());
        let fault = written.err().map(|error| format!("cannot write {}: {error}", file.display()));
        self.fault.note(fault)
    }

    /// The file of the only target.
    fn one(&self, target: &str, beat: &Beat<'_>, now: Timestamp) -> String {
        let commit = self.targets.get(target).and_then(|life| life.commit.as_deref());
        let at = commit.map(|commit| format!("at {}, ", short(commit))).unwrap_or_default();
        self.notifier.status(&format!("{at}last good round {}", time(now)));
        let after = |pause: Duration| now.checked_add(pause).ok().map(time);
        let document = StatusDocument {
            version: 1,
            target,
            last_good: time(now),
            commit,
            next_due: beat.pause.and_then(after),
            late_after: beat.pause.and_then(|_| after(self.deadline.silence())),
        };
        serde_json::to_string_pretty(&document).unwrap_or_default()
    }

    /// The file of several targets, where all are good. Many that end at once make it once.
    fn several(&mut self, now: Timestamp, was_good: bool) -> Option<String> {
        let is_recent = self.written.is_some_and(|at| at.elapsed() < Duration::from_secs(1));
        if !self.targets.values().all(|life| life.is_good) || was_good && is_recent {
            return None;
        }
        self.written = Some(Instant::now());
        let count = self.targets.len();
        self.notifier.status(&format!("{count} targets, last good round {}", time(now)));
        let targets = self.targets.iter().map(|(name, life)| {
            let last_good = time(life.last_good.unwrap_or(now));
            (name.as_str(), TargetStatusDocument { last_good, commit: life.commit.as_deref() })
        });
        let late_after = now.checked_add(self.deadline.silence()).ok().map(time);
        let document = SeveralStatusDocument {
            version: 1,
            targets: targets.collect(),
            last_good: time(now),
            late_after,
        };
        serde_json::to_string_pretty(&document).ok()
    }

    /// The time by which the next rounds end.
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

    fn heart(file: Option<PathBuf>, is_several: bool) -> Heartbeat {
        let (notifier, deadline) = (Notifier::default(), Arc::default());
        let targets = BTreeMap::new();
        Heartbeat {
            file,
            notifier,
            deadline,
            is_several,
            targets,
            written: None,
            fault: LastingFault::default(),
        }
    }

    #[test]
    fn a_good_round_replaces_the_file_and_a_bad_one_leaves_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("status.json");
        let mut heart = heart(Some(path.clone()), false);
        let deadline = heart.deadline();
        assert!(deadline.is_met(Instant::now() + Duration::from_secs(100_000)), "none is set yet");
        heart.watches("shop", Duration::from_secs(100), Duration::from_secs(30));
        let read = || -> serde_json::Value {
            serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap()
        };
        let pause = Some(Duration::from_secs(30));
        let good = Beat { is_good: true, commit: Some("4f2c1a9"), pause, fault: None };
        assert_eq!(heart.round("shop", &good), None);
        let first = read();
        assert_eq!(first["commit"], "4f2c1a9");
        let times = ["last_good", "next_due", "late_after"]
            .map(|key| first[key].as_str().unwrap().parse::<Timestamp>().unwrap().as_second());
        assert_eq!([times[1] - times[0], times[2] - times[0]], [30, 100]);
        std::fs::remove_file(&path).unwrap();
        let bad = Beat { is_good: false, commit: Some("bad"), pause, fault: Some("x") };
        assert_eq!(heart.round("shop", &bad), None);
        assert!(!path.exists());
        let last = Beat { is_good: true, commit: Some("4f2c1a9"), pause: None, fault: None };
        assert_eq!(heart.round("shop", &last), None);
        assert!(read()["next_due"].is_null() && read()["late_after"].is_null());
        heart.file = Some(folder.path().join("none/status.json"));
        assert!(heart.round("shop", &good).unwrap().starts_with("cannot write "));
        let now = Instant::now();
        assert!(deadline.is_met(now) && !deadline.is_met(now + Duration::from_secs(101)));
        let failing = Beat { pause: Some(Duration::from_secs(330)), ..bad };
        heart.round("shop", &failing);
        let now = Instant::now();
        assert!(deadline.is_met(now + Duration::from_secs(399)), "its pause is longer");
        assert!(!deadline.is_met(now + Duration::from_secs(401)));
    }

    #[test]
    fn the_file_of_several_targets_is_good_only_while_all_are() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("status.json");
        let mut heart = heart(Some(path.clone()), true);
        heart.expect(&["blue", "green"].map(str::to_owned).into());
        for name in ["blue", "green"] {
            heart.watches(name, Duration::from_secs(100), Duration::from_secs(30));
        }
        let beat = |is_good| Beat { is_good, commit: Some("4f2c1a9"), pause: None, fault: None };
        heart.round("blue", &beat(true));
        assert!(!path.exists(), "green has ended no round");
        heart.round("green", &beat(true));
        let read = || -> serde_json::Value {
            serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap()
        };
        assert_eq!(read()["targets"]["green"]["commit"], "4f2c1a9");
        std::fs::remove_file(&path).unwrap();
        heart.round("blue", &beat(false));
        heart.round("green", &beat(true));
        assert!(!path.exists(), "blue is not good");
        heart.round("blue", &beat(true));
        assert!(read()["late_after"].is_string());
        let deadline = heart.deadline();
        let late = Instant::now() + Duration::from_secs(101);
        assert!(!deadline.is_met(late));
        heart.forget("blue");
        heart.forget("green");
        assert!(deadline.is_met(late), "none is expected");
    }
}
