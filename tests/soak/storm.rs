//! What goes on around the watch, at random: commits, strangers, faults, signals and kills.

use std::collections::BTreeMap;
use std::fs;
use std::process::Child;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::events::Trouble;
use super::objects::{Id, KINDS};
use super::story::Story;
use super::vitals::Vitals;
use super::world::World;
use crate::support::api::Api;
use crate::support::random::Random;

/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(700);
/// The part of the time in which the watch is killed, in percent.
const KILLED: u32 = 45;

/// A target, as its authors see it.
pub(super) struct Model {
    pub(super) name: String,
    /// When it may be changed again.
    pub(super) free: Instant,
    /// The file that is to be mended, and since when it is bad.
    pub(super) bad: Option<(String, Instant)>,
    /// The objects that were added, with the files of others left alone.
    pub(super) added: Vec<Id>,
}

/// A storm under way.
pub struct Storm<'w, 'p> {
    pub(super) world: &'w World<'p>,
    pub api: Api,
    pub(super) random: Random,
    pub story: Story,
    pub watch: Child,
    pub vitals: Vec<Vitals>,
    /// How often each event came.
    pub events: BTreeMap<String, usize>,
    pub(super) models: Vec<Model>,
    pub(super) trouble: Option<(Trouble, Instant, Instant)>,
    /// The commit that the remote lost for a while.
    pub(super) lost: Option<String>,
    pub(super) sinks: [Option<Instant>; 2],
    pub(super) syncs: Vec<Child>,
    pub(super) last: usize,
}

impl<'w, 'p> Storm<'w, 'p> {
    /// One that has not begun, over a watch that has applied the first commit.
    pub fn new(world: &'w World<'p>, watch: Child, seed: u64) -> Self {
        let now = Instant::now();
        let model = |name| Model { name, free: now, bad: None, added: Vec::new() };
        let first = world.repo.git(&["rev-parse", "HEAD"]).stdout.trim().to_owned();
        Self {
            world,
            api: Api::new(world.repo.plane()),
            random: Random::new(seed),
            story: Story { order: vec![first], ..Story::default() },
            watch,
            vitals: Vec::new(),
            events: BTreeMap::new(),
            models: world.targets().into_iter().map(model).collect(),
            trouble: None,
            lost: None,
            sinks: [None; 2],
            syncs: Vec::new(),
            last: 0,
        }
    }

    /// Lets it blow for so long, and leaves everything sound.
    pub fn blow(&mut self, time: Duration) {
        let begin = Instant::now();
        while begin.elapsed() < time {
            self.look();
            let is_early = begin.elapsed() < time * KILLED / 100;
            match self.random.below(100) {
                0..=34 => self.commit(),
                35..=69 => self.drift(),
                70..=75 => self.trouble(),
                76..=79 => self.sink(),
                80..=81 => self.signal("-HUP"),
                82..=83 => self.signal("-USR1"),
                84..=85 => self.sync(),
                86..=87 => self.token(),
                88 => self.clock(),
                89..=90 => self.cut(),
                91 if is_early => self.kill(),
                _ => {}
            }
            thread::sleep(PAUSE);
        }
        self.heal();
    }

    /// Ends all that goes on.
    fn heal(&mut self) {
        if let Some((trouble, begin, _)) = self.trouble.take() {
            self.end(trouble, begin);
        }
        for sink in 0..self.sinks.len() {
            self.sinks[sink] = None;
            self.world.sinks[sink + 1].is_down.store(false, Ordering::SeqCst);
        }
        if World::jumps() {
            self.world.set_clock(0);
        }
        for at in 0..self.models.len() {
            if self.models[at].bad.is_some() {
                self.mend(at);
            }
        }
    }

    /// Looks how far the watch is, and ends what is due.
    pub fn look(&mut self) {
        let pid = self.watch.id();
        if self.vitals.last().is_none_or(|last| last.at.elapsed() > Duration::from_secs(2)) {
            self.vitals.extend(Vitals::of(pid));
        }
        let ended = self.watch.try_wait().unwrap();
        assert!(ended.is_none(), "the watch ended with {ended:?}");
        self.syncs.retain_mut(|sync| sync.try_wait().is_ok_and(|status| status.is_none()));
        if let Some((trouble, begin, _)) =
            self.trouble.filter(|(.., until)| *until < Instant::now())
        {
            self.trouble = None;
            self.end(trouble, begin);
        }
        for sink in 0..self.sinks.len() {
            if self.sinks[sink].is_some_and(|until| until < Instant::now()) {
                self.sinks[sink] = None;
                self.world.sinks[sink + 1].is_down.store(false, Ordering::SeqCst);
            }
        }
        self.look_at_cluster();
    }

    fn look_at_cluster(&mut self) {
        let namespace = self.world.repo.namespace();
        if self.story.commits.iter().any(|commit| commit.live.is_none()) {
            let path = KINDS[0].path(namespace);
            let list = self.api.get(&path).unwrap();
            let value = |target: &str| {
                let name = format!("{target}-0");
                let items = list["items"].as_array().unwrap().iter();
                let mut items = items.filter(|it| it["metadata"]["name"] == *name);
                items
                    .next()
                    .and_then(|it| it["data"]["key"].as_str())
                    .unwrap_or_default()
                    .to_owned()
            };
            let now = Instant::now();
            for commit in self.story.commits.iter_mut().filter(|commit| commit.live.is_none()) {
                if value(&commit.target) == format!("v{}", commit.number) {
                    commit.live = Some(now);
                }
            }
        }
        for at in 0..self.story.drifts.len() {
            let drift = &self.story.drifts[at];
            if drift.put_back.is_some() {
                continue;
            }
            let live = self.api.get(&drift.object.path(namespace));
            let is_back = match drift.number {
                None => live.is_ok_and(|it| it["metadata"]["deletionTimestamp"].is_null()),
                Some(number) => live.is_ok_and(|it| !drift.object.has(&it, number)),
            };
            if is_back {
                self.story.drifts[at].put_back = Some(Instant::now());
            }
        }
    }

    pub(super) fn count(&mut self, event: &str) {
        *self.events.entry(event.to_owned()).or_default() += 1;
    }

    pub(super) fn next_number(&mut self) -> usize {
        self.last += 1;
        self.last
    }

    /// The lines that the watch said so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.world.outside("log")).unwrap_or_default()
    }
}

impl Drop for Storm<'_, '_> {
    fn drop(&mut self) {
        // One that a failed test leaves running.
        let _ = self.watch.kill();
        let _ = self.watch.wait();
    }
}

impl Id {
    /// Whether a live object has this number.
    fn has(&self, live: &Value, number: usize) -> bool {
        let drift = self.drift("", number).body.unwrap_or_default();
        includes(live, &drift)
    }
}

/// Whether a value has all that another one has.
fn includes(live: &Value, part: &Value) -> bool {
    match (live, part) {
        (Value::Object(live), Value::Object(part)) => {
            part.iter().all(|(key, value)| live.get(key).is_some_and(|it| includes(it, value)))
        }
        (Value::Array(live), Value::Array(part)) => {
            live.len() == part.len() && live.iter().zip(part).all(|(it, value)| includes(it, value))
        }
        (live, part) => live == part,
    }
}
