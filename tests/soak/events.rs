//! What happens in a storm, one thing at a time.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::objects::{Id, KINDS};
use super::storm::{Model, Storm};
use super::story::{Change, Commit, Drift};
use super::world::World;
use crate::support::command::Cmd;
use crate::support::faults::Fault;
use crate::support::random::Random;

/// How long a target is left alone after most commits, so that their end is seen.
const ALONE: Duration = Duration::from_secs(32);
/// How long an object is left alone once it was put back.
const OBJECT_ALONE: Duration = Duration::from_secs(30);
/// How long a bad commit stays.
const BAD: Duration = Duration::from_secs(32);

/// What goes wrong for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    GitDown,
    GitSlow,
    GitRefuses,
    GitRewound,
    ApiDown,
    ApiFaulty,
    ApiRestarts,
}

const TROUBLES: [Trouble; 7] = [
    Trouble::GitDown,
    Trouble::GitSlow,
    Trouble::GitRefuses,
    Trouble::GitRewound,
    Trouble::ApiDown,
    Trouble::ApiFaulty,
    Trouble::ApiRestarts,
];

impl Storm<'_, '_> {
    /// Changes one target, or a few.
    pub(super) fn commit(&mut self) {
        if self.lost.is_some() {
            return;
        }
        let now = Instant::now();
        if let Some(at) = (0..self.models.len()).find(|at| {
            self.models[*at].bad.as_ref().is_some_and(|(_, since)| since.elapsed() > BAD)
        }) {
            return self.mend(at);
        }
        let hurry = self.random.below(12) == 0;
        let can = |model: &Model| model.bad.is_none() && (hurry || model.free <= now);
        let free: Vec<usize> = (0..self.models.len()).filter(|at| can(&self.models[*at])).collect();
        if free.is_empty() {
            return;
        }
        let change = match self.random.below(12) {
            0 => Change::Broken,
            1 => Change::Rejected,
            _ => Change::Good,
        };
        let several = if self.random.below(6) == 0 && change == Change::Good { 3 } else { 1 };
        let mut chosen: Vec<usize> = (0..several).map(|_| *self.random.one_of(&free)).collect();
        chosen.sort_unstable();
        chosen.dedup();
        let commits: Vec<(usize, usize)> =
            chosen.into_iter().map(|at| (at, self.change(at, change))).collect();
        self.push(change, &commits);
    }

    /// Writes a change of a target, and gives its number.
    pub(super) fn change(&mut self, at: usize, change: Change) -> usize {
        let number = self.next_number();
        let target = self.models[at].name.clone();
        let marker = Id { kind: KINDS[0], name: format!("{target}-0") };
        self.world.write(&target, &marker, number);
        match change {
            Change::Good => self.good(at, number),
            Change::Broken => self.bad(at, "broken.yaml", "a: b: c\n"),
            Change::Rejected => {
                let id = Id { kind: KINDS[2], name: format!("{target}-rejected") };
                let text = id.manifest(number).replace("port: 80", "port: 70000");
                self.bad(at, "rejected.yaml", &text);
            }
        }
        number
    }

    /// Changes, adds and deletes objects. Strangers touch others.
    pub(super) fn good(&mut self, at: usize, number: usize) {
        let target = self.models[at].name.clone();
        for _ in 0..self.random.below(6) {
            let id = Id {
                kind: *self.random.one_of(&KINDS),
                name: format!("{target}-{}", 1 + self.random.below(4)),
            };
            self.world.write(&target, &id, number);
        }
        match self.random.below(4) {
            0 => {
                let id = Id {
                    kind: *self.random.one_of(&KINDS),
                    name: format!("{target}-added-{number}"),
                };
                self.world.write(&target, &id, number);
                self.models[at].added.push(id);
                self.count("objects added");
            }
            1 if !self.models[at].added.is_empty() => {
                let id = self.models[at].added.remove(0);
                self.world.repo.remove(&World::file(&target, &id));
                self.count("objects deleted");
            }
            _ => {}
        }
    }

    pub(super) fn bad(&mut self, at: usize, file: &str, text: &str) {
        let path = format!("{}/{file}", self.models[at].name);
        self.world.repo.write(&path, text);
        self.models[at].bad = Some((path, Instant::now()));
    }

    pub(super) fn mend(&mut self, at: usize) {
        let Some((path, _)) = self.models[at].bad.take() else { return };
        self.world.repo.remove(&path);
        let number = self.change(at, Change::Good);
        self.push(Change::Good, &[(at, number)]);
    }

    pub(super) fn push(&mut self, change: Change, targets: &[(usize, usize)]) {
        self.count(match change {
            Change::Good => "good commits",
            Change::Broken => "commits with a broken file",
            Change::Rejected => "commits with a rejected object",
        });
        let repo = &self.world.repo;
        let id = {
            repo.commit(&format!("Change {}", targets[0].1));
            repo.git(&["rev-parse", "HEAD"]).stdout.trim().to_owned()
        };
        self.story.order.push(id.clone());
        let at = Instant::now();
        for (model, number) in targets {
            let (target, number) = (self.models[*model].name.clone(), *number);
            self.models[*model].free = at + ALONE;
            self.story.commits.push(Commit {
                id: id.clone(),
                target,
                change,
                number,
                at,
                live: None,
            });
        }
    }

    /// Changes or deletes an object of which commits say always the same.
    pub(super) fn drift(&mut self) {
        let model = self.random.below(self.models.len());
        let target = self.models[model].name.clone();
        let id = Id {
            kind: *self.random.one_of(&KINDS),
            name: format!("{target}-{}", 5 + self.random.below(5)),
        };
        let is_busy = |it: &Drift| {
            it.object == id && it.put_back.is_none_or(|at| at.elapsed() < OBJECT_ALONE)
        };
        if self.story.drifts.iter().any(is_busy) {
            return;
        }
        let number = (self.random.below(4) > 0).then(|| self.next_number());
        let namespace = self.world.repo.namespace();
        let drift = number.map_or_else(|| id.deletion(namespace), |it| id.drift(namespace, it));
        let at = Instant::now();
        let content = "application/merge-patch+json";
        // It may be missing, as it was deleted and is not made again yet.
        if self.api.send(drift.method, &drift.path, content, drift.body.as_ref()).is_ok() {
            let what = if number.is_some() {
                "objects changed by hand"
            } else {
                "objects deleted by hand"
            };
            self.count(what);
            self.story.drifts.push(Drift { target, object: id, number, at, put_back: None });
        }
    }

    /// Begins a trouble, where there is none.
    pub(super) fn trouble(&mut self) {
        if self.trouble.is_some() {
            return;
        }
        let trouble = *self.random.one_of(&TROUBLES);
        let begin = Instant::now();
        let time = Duration::from_secs(3 + self.random.below(18) as u64);
        let world = self.world;
        match trouble {
            Trouble::GitDown => world.git_gate.lead(None),
            Trouble::GitSlow => world.git_gate.slow(Duration::from_millis(800)),
            Trouble::GitRefuses => {
                let codes = [
                    "500 Internal Server Error",
                    "503 Service Unavailable\r\nRetry-After: 3",
                    "429 Too Many Requests\r\nRetry-After: 2",
                ];
                let answer = self.random.one_of::<&str>(&codes);
                world.git.refuse(answer);
            }
            Trouble::GitRewound => {
                let tip = self.story.order.last().cloned();
                if self.story.order.len() < 2 {
                    return;
                }
                self.lost = tip;
                world.repo.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
            }
            Trouble::ApiDown => world.api_gate.lead(None),
            Trouble::ApiFaulty => {
                let mut random = Random::new(self.random.below(usize::MAX) as u64);
                let faults = [
                    Fault::Status(429),
                    Fault::Status(500),
                    Fault::Status(503),
                    Fault::ResetBefore,
                    Fault::ResetAfter,
                    Fault::Truncated,
                    Fault::Garbled,
                    Fault::Delay,
                ];
                world
                    .faulty
                    .disturb(move |_| (random.below(3) == 0).then(|| *random.one_of(&faults)));
                world.open_faulty_api();
            }
            Trouble::ApiRestarts => world.server.lock().unwrap().kill(),
        }
        self.count(&format!("{trouble:?}"));
        self.trouble = Some((trouble, begin, begin + time));
    }

    pub(super) fn end(&mut self, trouble: Trouble, begin: Instant) {
        let world = self.world;
        match trouble {
            Trouble::GitDown | Trouble::GitSlow | Trouble::GitRefuses => world.open_git(),
            Trouble::GitRewound => {
                let tip = self.lost.take().unwrap();
                world.repo.git(&["reset", "--quiet", "--hard", &tip]);
            }
            Trouble::ApiDown | Trouble::ApiFaulty => world.open_api(),
            Trouble::ApiRestarts => world.server.lock().unwrap().start(),
        }
        let span = (begin, Instant::now());
        match trouble {
            Trouble::GitDown | Trouble::GitSlow | Trouble::GitRefuses => {
                self.story.git_outages.push(span);
            }
            Trouble::GitRewound => self.story.rewinds.push(span),
            _ => self.story.api_faults.push(span),
        }
    }

    pub(super) fn sink(&mut self) {
        let sink = self.random.below(self.sinks.len());
        if self.sinks[sink].is_none() {
            let time = Duration::from_secs(3 + self.random.below(20) as u64);
            self.world.sinks[sink + 1].is_down.store(true, Ordering::SeqCst);
            self.sinks[sink] = Some(Instant::now() + time);
            self.count("sinks down");
        }
    }

    pub(super) fn signal(&mut self, signal: &str) {
        Cmd::new("kill").args([signal, &self.watch.id().to_string()]).run().exits(0);
        self.count(&format!("SIG{}", &signal[1..]));
    }

    pub(super) fn sync(&mut self) {
        let at = self.random.below(self.models.len());
        let target = self.models[at].name.clone();
        let mut command = self.world.trueup(&["sync", &target, "--timeout", "20s"]).into_inner();
        let nowhere = std::process::Stdio::null;
        self.syncs.extend(command.stdout(nowhere()).stderr(nowhere()).spawn());
        self.count("trueup sync");
    }

    pub(super) fn token(&mut self) {
        self.world.rotate(&self.api);
        self.count("tokens expired");
    }

    pub(super) fn clock(&mut self) {
        if World::jumps() {
            let ahead = self.random.below(4) * self.random.below(3600);
            self.world.set_clock(i64::try_from(ahead).unwrap());
            self.count("clock jumps");
        }
    }

    pub(super) fn cut(&mut self) {
        self.world.api_gate.cut();
        let now = Instant::now();
        self.story.api_faults.push((now, now));
        self.count("connections cut");
    }

    /// Kills the watch, and starts it again.
    pub(super) fn kill(&mut self) {
        self.watch.kill().unwrap();
        self.watch.wait().unwrap();
        self.story.kills.push(Instant::now());
        self.watch = self.world.watch();
        self.vitals.clear();
        self.count("kill -9");
    }
}
