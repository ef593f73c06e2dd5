//! What happened, as the storm noted it, and whether the messages tell that: each transition once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::objects::Id;
use super::world::{Naming, World};

/// How long after something was seen the watch may need to tell it.
const TELLS: Duration = Duration::from_secs(30);
/// How long a fault has an effect after its end.
const AFTER: Duration = Duration::from_secs(75);

/// What a commit does to a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It can be applied.
    Good,
    /// A file of it can't be read.
    Broken,
    /// The API server refuses an object of it.
    Rejected,
}

/// A commit that changes a target.
#[derive(Clone, Debug)]
pub struct Commit {
    pub id: String,
    pub target: String,
    pub change: Change,
    /// The number that its first ConfigMap has by it.
    pub number: usize,
    pub at: Instant,
    /// When the cluster had it.
    pub live: Option<Instant>,
}

/// A change by a stranger.
#[derive(Clone, Debug)]
pub struct Drift {
    pub target: String,
    pub object: Id,
    /// The number that it got; `None` where it was deleted.
    pub number: Option<usize>,
    pub at: Instant,
    /// When it was as before.
    pub put_back: Option<Instant>,
}

/// A span of time.
pub type Span = (Instant, Instant);

/// All that happened.
#[derive(Default)]
pub struct Story {
    /// The ids of all commits, oldest first.
    pub order: Vec<String>,
    pub commits: Vec<Commit>,
    pub drifts: Vec<Drift>,
    pub kills: Vec<Instant>,
    /// When the API server was not itself, and when commits were lost at the remote.
    pub api_faults: Vec<Span>,
    pub rewinds: Vec<Span>,
    /// When the remote did not answer.
    pub git_outages: Vec<Span>,
}

/// A message, as a sink took it.
struct Told {
    at: Instant,
    id: String,
    target: String,
    transition: String,
    commit: String,
    objects: Vec<String>,
    title: String,
}

impl Told {
    fn of((at, body): &(Instant, Value)) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let objects = body["objects"].as_array().into_iter().flatten();
        Self {
            at: *at,
            id: text(&body["id"]),
            target: text(&body["target"]),
            transition: text(&body["transition"]),
            commit: text(&body["commit"]["id"]),
            objects: objects.map(text).collect(),
            title: text(&body["title"]),
        }
    }

    fn is(&self, transitions: &[&str]) -> bool {
        transitions.contains(&self.transition.as_str())
    }
}

const TROUBLE: [&str; 3] = ["failed", "refused", "rolled-back"];

/// The verdict about the messages.
#[derive(Default)]
pub struct Verdict {
    pub wrong: Vec<String>,
    /// How many messages there were of each transition.
    pub told: BTreeMap<String, usize>,
    /// How many facts were held against them: commits and drifts.
    pub held: [usize; 2],
}

impl Story {
    /// Holds the messages against what happened.
    pub fn judge(&self, world: &World<'_>) -> Verdict {
        let mut verdict = Verdict::default();
        let all = self.received(world, &mut verdict);
        self.chat(world, &all, &mut verdict);
        for target in world.targets() {
            let of: Vec<&Told> = all.iter().filter(|told| told.target == target).collect();
            self.pairs(&target, &of, &mut verdict);
            self.commits_of(&target, &of, &mut verdict);
            self.drifts_of(world, &target, &of, &mut verdict);
        }
        verdict
    }

    /// All that happened and all that was told, in order, with the seconds since the beginning.
    pub fn chronicle(&self, world: &World<'_>, begin: Instant) -> String {
        let mut lines: Vec<(Instant, String)> = Vec::new();
        for Commit { id, target, change, at, live, .. } in &self.commits {
            lines.push((*at, format!("{target} commit {} {change:?}", &id[..7])));
            lines.extend(live.map(|at| (at, format!("{target} live {}", &id[..7]))));
        }
        for Drift { target, object, at, put_back, .. } in &self.drifts {
            let name = object.shown(world.repo.namespace());
            lines.push((*at, format!("{target} drift {name}")));
            lines.extend(put_back.map(|at| (at, format!("{target} put back {name}"))));
        }
        let spans = [
            ("API server at fault", &self.api_faults),
            ("commits lost", &self.rewinds),
            ("git down", &self.git_outages),
        ];
        for (what, spans) in spans {
            lines.extend(spans.iter().map(|(from, _)| (*from, format!("{what}: from here"))));
            lines.extend(spans.iter().map(|(_, to)| (*to, format!("{what}: up to here"))));
        }
        lines.extend(self.kills.iter().map(|at| (*at, "killed".to_owned())));
        let taken = world.sinks[0].taken();
        lines.extend(taken.iter().map(Told::of).map(
            |Told { at, target, commit, title, .. }| {
                (at, format!("{target}     {}: {title}", commit.get(..7).unwrap_or("no commit")))
            },
        ));
        lines.sort_by_key(|(at, _)| *at);
        let shown = |(at, line): &(Instant, String)| {
            format!("{:7.1} {line}\n", at.saturating_duration_since(begin).as_secs_f64())
        };
        lines.iter().map(shown).collect()
    }

    /// The messages of the sink that was never down. The others have to have the same.
    fn received(&self, world: &World<'_>, verdict: &mut Verdict) -> Vec<Told> {
        let mut known = Vec::new();
        let mut ids: Option<BTreeSet<String>> = None;
        for (number, sink) in world.sinks.iter().enumerate() {
            let taken = sink.taken();
            let mut seen = BTreeMap::new();
            for told in taken.iter().map(Told::of) {
                let first = *seen.entry(told.id.clone()).or_insert(told.at);
                // One that was sent and not noted is sent again, by the same id.
                if first != told.at && !self.was_killed((first, told.at)) {
                    let what = format!("{} {}", told.target, told.title);
                    verdict.wrong.push(format!("sink {number} took a message twice: {what}"));
                }
                if number == 0 && first == told.at {
                    *verdict.told.entry(told.transition.clone()).or_default() += 1;
                    known.push(told);
                }
            }
            let seen: BTreeSet<String> = seen.into_keys().collect();
            let first = ids.get_or_insert_with(|| seen.clone());
            if *first != seen {
                let (missing, more) =
                    (first.difference(&seen).count(), seen.difference(first).count());
                verdict
                    .wrong
                    .push(format!("sink {number} lacks {missing} messages, and has {more} more"));
            }
        }
        known
    }

    /// A chat hears the same of each target as the others, in the same order, with several targets in a message.
    fn chat(&self, world: &World<'_>, all: &[Told], verdict: &mut Verdict) {
        let namings = world.namings();
        for target in world.targets() {
            let told = all.iter().filter(|told| told.target == target).map(|told| Naming {
                target: told.target.clone(),
                transition: told.transition.clone(),
                commit: told.commit.clone(),
            });
            let heard = namings.iter().filter(|naming| naming.target == target).cloned();
            let [mut expected, mut heard]: [Vec<Naming>; 2] = [told.collect(), heard.collect()];
            if !self.kills.is_empty() {
                // Those that were sent and not noted are sent again.
                expected.dedup();
                heard.dedup();
            }
            let pairs = expected.iter().zip(&heard);
            let same = pairs.take_while(|(one, other)| one == other).count();
            if same < expected.len().max(heard.len()) {
                let (of, in_place) = (heard.get(same), expected.get(same));
                let what = format!("heard of {of:?} in place of {in_place:?} after {same} others");
                verdict.wrong.push(format!("{target}: the chat {what}"));
            }
        }
    }

    fn was_killed(&self, (from, to): Span) -> bool {
        self.kills.iter().any(|kill| (from..=to).contains(kill))
    }

    /// Whether any of the spans has an effect in this one.
    fn overlaps(spans: &[Span], (from, to): Span) -> bool {
        spans.iter().any(|(begin, end)| *begin <= to && from <= *end + AFTER)
    }

    /// What begins also ends, and does not begin twice.
    fn pairs(&self, target: &str, told: &[&Told], verdict: &mut Verdict) {
        let ends = [
            (&TROUBLE[..], "recovered", false),
            (&["git-unreachable"], "git-reachable", true),
            (&["cluster-unreachable"], "cluster-reachable", true),
        ];
        for (begins, end, once) in ends {
            let mut is_on = false;
            for it in told {
                if it.is(begins) {
                    if is_on && once {
                        verdict.wrong.push(format!("{target}: twice without an end: {}", it.title));
                    }
                    is_on = true;
                } else if it.is(&[end]) {
                    if !is_on {
                        verdict
                            .wrong
                            .push(format!("{target}: an end without a beginning: {}", it.title));
                    }
                    is_on = false;
                }
            }
            if is_on {
                verdict.wrong.push(format!("{target}: {begins:?} was told, and {end} was not"));
            }
        }
        for it in told.iter().filter(|it| it.is(&["started", "healthy"])) {
            let same =
                |other: &&&Told| (&other.transition, &other.commit) == (&it.transition, &it.commit);
            if told.iter().filter(same).count() > 1 {
                verdict.wrong.push(format!("{target}: told twice: {}", it.title));
            }
        }
        self.alarms(target, told, verdict);
    }

    /// Nothing fails that has no reason to.
    fn alarms(&self, target: &str, told: &[&Told], verdict: &mut Verdict) {
        for it in told.iter().filter(|it| it.is(&TROUBLE)) {
            let around = (it.at, it.at);
            let is_bad = |span: &[Span]| Self::overlaps(span, around);
            let mut bad = Vec::new();
            let own: Vec<&Commit> = self.commits.iter().filter(|it| it.target == target).collect();
            for (at, commit) in own.iter().enumerate().filter(|(_, it)| it.change != Change::Good) {
                let mended = own.get(at + 1).map_or(commit.at, |next| next.live.unwrap_or(next.at));
                bad.push((commit.at, mended));
            }
            if !is_bad(&bad) && !is_bad(&self.api_faults) && !is_bad(&self.rewinds) {
                verdict.wrong.push(format!("{target}: a false alarm: {}", it.title));
            }
        }
    }

    fn commits_of(&self, target: &str, told: &[&Told], verdict: &mut Verdict) {
        let place = |id: &str| self.order.iter().position(|it| it == id);
        // A failure of the whole target names no commit: it is of the one that was told of before.
        let mut last = 0;
        let told: Vec<(usize, &Told)> = told
            .iter()
            .map(|it| {
                last = place(&it.commit).unwrap_or(last);
                (last, *it)
            })
            .collect();
        let own: Vec<&Commit> = self.commits.iter().filter(|it| it.target == target).collect();
        for (at, commit) in own.iter().enumerate() {
            let next = own.get(at + 1);
            let begin = place(&commit.id).unwrap();
            let end = next.map_or(usize::MAX, |next| place(&next.id).unwrap());
            let within = told.iter().filter(|(at, _)| (begin..end).contains(at));
            let within: Vec<&Told> = within.map(|(_, it)| *it).collect();
            let count = |names: &[&str]| within.iter().filter(|it| it.is(names)).count();
            let titles =
                || within.iter().map(|it| format!("\n    {}", it.title)).collect::<String>();
            let mut wrong = |what: &str| {
                let id = &commit.id[..7];
                verdict.wrong.push(format!(
                    "{target} {:?} {id}: {what}{}",
                    commit.change,
                    titles()
                ));
            };
            let seen = commit.live.unwrap_or(commit.at + TELLS);
            // The round is as slow at its end as it was at its beginning.
            let tells = TELLS.max(seen.duration_since(commit.at) * 2);
            let over = next.map_or(seen + tells, |next| next.at);
            if over < seen + tells || self.was_killed((commit.at, seen + tells)) {
                continue;
            }
            verdict.held[0] += 1;
            let (ends, bad) = (count(&["healthy", "recovered"]), count(&TROUBLE));
            let is_calm = ![&self.api_faults, &self.rewinds, &self.git_outages]
                .iter()
                .any(|spans| Self::overlaps(spans, (commit.at, over)));
            // A failure that was told has no other end while the API server is at fault.
            let has_time = over.checked_sub(tells).is_some_and(|from| {
                bad == 0 || !Self::overlaps(&self.api_faults, (from.max(seen), over))
            });
            match commit.change {
                Change::Good if ends == 0 && has_time => wrong("its end was not told"),
                // Drift that a round at a commit of others puts back has that commit applied, too.
                Change::Good if ends > count(&["started"]) + bad => wrong("it ended too often"),
                Change::Good if is_calm && bad > 0 => wrong("a fault was told"),
                Change::Good if is_calm && count(&["started"]) == 0 => wrong("it did not begin"),
                Change::Broken | Change::Rejected if is_calm && bad == 0 => {
                    wrong("its fault was not told");
                }
                _ => {}
            }
        }
    }

    fn drifts_of(&self, world: &World<'_>, target: &str, told: &[&Told], verdict: &mut Verdict) {
        let mut by_object: BTreeMap<&Id, Vec<&Drift>> = BTreeMap::new();
        for drift in self.drifts.iter().filter(|it| it.target == target) {
            by_object.entry(&drift.object).or_default().push(drift);
        }
        for (object, drifts) in by_object {
            let name = object.shown(world.repo.namespace());
            let names_it = |it: &&&Told| it.is(&["drift-put-back"]) && it.objects.contains(&name);
            let times: Vec<Instant> = told.iter().filter(names_it).map(|it| it.at).collect();
            if times.len() > drifts.len() {
                let count = (times.len(), drifts.len());
                verdict.wrong.push(format!(
                    "{target}: {name} was told {} times for {} drifts",
                    count.0, count.1
                ));
            }
            for drift in drifts {
                let Some(put_back) = drift.put_back else { continue };
                let until = put_back + TELLS;
                // A write whose answer was lost is none that a round knows of.
                let is_lost = |span: &Span| span.0 <= put_back && drift.at <= span.1;
                let is_lost = self.api_faults.iter().any(is_lost);
                if is_lost || self.was_killed((drift.at, until)) {
                    continue;
                }
                verdict.held[1] += 1;
                if !times.iter().any(|at| (drift.at..=until + AFTER).contains(at)) {
                    let took = put_back.duration_since(drift.at).as_secs_f64();
                    verdict.wrong.push(format!(
                        "{target}: {name} was put back after {took:.1} s, and not told"
                    ));
                }
            }
        }
    }
}
