//! The memory of the messages about one target, and the news of a round.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::key::key_digest;
use super::message::{Message, Transition};
use super::observation::{
    Commit, Culprit, Drift, Failure, Observation, Reach, RefusedCommit, RoundEnd, Step,
    SuspendedRound, WaitingNews,
};
use super::outage::{Outage, OutageNews};
use super::rules::Rules;
use super::suspension::ToldSuspension;
use super::words::{self, Facts};

/// The most keys that one failure has. Beyond that those of the last round alone are kept.
const KEYS: usize = 4096;

/// The memory of the messages about one target. It is kept from round to round, and across restarts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TargetState {
    /// How many messages there were.
    sequence: u64,
    /// The commit whose deployment was told last.
    started: Option<String>,
    /// Whether the end of that deployment is still to be told.
    is_pending: bool,
    /// The failure that lasts.
    trouble: Option<Trouble>,
    /// Since when git is away.
    git: Option<Outage>,
    /// Since when the cluster is away.
    cluster: Option<Outage>,
    /// The objects that differ and were told.
    drifted: BTreeSet<String>,
    /// The objects that the last round put back.
    put_back: BTreeSet<String>,
    /// The commit that waits and was told.
    waiting: Option<String>,
    /// The suspension that was told.
    suspension: ToldSuspension,
}

/// A failure that lasts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Trouble {
    since: Timestamp,
    /// How many rounds it lasts.
    rounds: u32,
    /// How many of them came after the last news.
    quiet: u32,
    /// The keys of all that was told of it.
    told: BTreeSet<String>,
}

impl Trouble {
    fn new(since: Timestamp) -> Self {
        Self { since, rounds: 0, quiet: 0, told: BTreeSet::new() }
    }
}

/// The keys of what is wrong in a round.
struct Wrong<'a> {
    /// The key of the refused commit.
    refused: Option<(String, &'a RefusedCommit)>,
    /// The key of the commit that was taken back.
    taken: Option<String>,
    /// The key of each culprit, in the order of the culprits.
    culprits: Vec<(String, &'a Culprit)>,
    failure: Option<&'a Failure>,
}

impl<'a> Wrong<'a> {
    fn of(end: &'a RoundEnd, started: &str, was: Option<&Trouble>) -> Self {
        let refused = end
            .refused
            .as_ref()
            .map(|refused| (key_digest(&["refused", &refused.commit.id, &refused.class]), refused));
        let failure = end.failure.as_ref();
        let taken = failure.and_then(|failure| failure.taken.as_ref());
        let taken = taken.map(|taken| key_digest(&["rolled-back", &taken.failed.id]));
        let key = |culprit: &'a Culprit| {
            let object = culprit.object.as_deref().unwrap_or_default();
            (key_digest(&["failed", started, object, &culprit.class]), culprit)
        };
        let culprits = failure.iter().flat_map(|failure| &failure.culprits).map(key);
        let lasts = |(key, _): &(String, &Culprit)| was.is_some_and(|was| was.told.contains(key));
        let culprits = culprits.chain(end.unready.iter().map(key).filter(lasts));
        Self { refused, taken, culprits: culprits.collect(), failure }
    }

    fn keys(&self) -> BTreeSet<String> {
        let refused = self.refused.iter().map(|(key, _)| key);
        let culprits = self.culprits.iter().map(|(key, _)| key);
        refused.chain(&self.taken).chain(culprits).cloned().collect()
    }

    /// Whether the commit that is applied is not good.
    fn is_failing(&self) -> bool {
        self.failure.is_some() || !self.culprits.is_empty()
    }
}

impl TargetState {
    /// Notes what a round showed, and gives the messages that are new.
    pub fn advance(&mut self, seen: &Observation, rules: &Rules) -> Vec<Message> {
        let mut told = Telling { state: self, seen, messages: Vec::new() };
        told.outages(rules);
        // It may allow what is asked as soon as it is up.
        let is_beginning = seen.cluster == Reach::Refused && told.state.cluster.is_some();
        match &seen.step {
            _ if is_beginning => {}
            Step::Unknown => {}
            Step::Nothing { culprits, refused } => {
                told.came_to_nothing(culprits, refused.as_ref(), rules);
            }
            Step::Suspended(round) => told.suspension(Some(round)),
            Step::Deploying(commit) => {
                told.suspension(None);
                told.deploying(commit);
            }
            Step::Healed { commit, drift } => told.drift(drift, Some(commit)),
            Step::Cut { commit, drift } => told.drift_of_part(drift, commit),
            Step::Kept { drift, waits } => {
                told.suspension(None);
                told.drift(drift, None);
                told.waiting(waits.as_ref());
            }
            Step::Ended(end) => {
                told.suspension(None);
                told.drift(&end.drift, end.commit.as_ref());
                told.waiting(end.waits.as_ref());
                told.ended(end, rules);
            }
        }
        told.messages
    }
}

/// An observation on its way to messages.
struct Telling<'a> {
    state: &'a mut TargetState,
    seen: &'a Observation,
    messages: Vec<Message>,
}

impl Telling<'_> {
    fn suspension(&mut self, now: Option<&SuspendedRound>) {
        let (at, cause) = (self.seen.at, now.map_or("", |round| &round.text));
        for (transition, since) in self.state.suspension.note(now, at) {
            self.tell(transition, Facts { cause, since: Some(since), ..Facts::default() });
        }
    }

    fn waiting(&mut self, now: Option<&WaitingNews>) {
        let key = now.map(|waits| waits.commit.id.clone());
        if let Some(waits) = now.filter(|_| self.state.waiting != key) {
            let (commit, cause) = (Some(&waits.commit), waits.text.as_str());
            self.tell(Transition::Waiting, Facts { commit, cause, ..Facts::default() });
        }
        self.state.waiting = key;
    }

    fn tell(&mut self, transition: Transition, facts: Facts<'_>) {
        let seen = self.seen;
        self.state.sequence += 1;
        let sequence = self.state.sequence.to_string();
        let at = seen.at.to_string();
        let id = key_digest(&[&seen.target, &sequence, transition.name(), &at]);
        self.messages.push(words::message(id, seen, transition, facts));
    }

    fn outages(&mut self, rules: &Rules) {
        let seen = self.seen;
        let git = Outage::note(&mut self.state.git, &seen.git, seen.at, rules);
        let cluster = Outage::note(&mut self.state.cluster, &seen.cluster, seen.at, rules);
        let pairs = [
            (git, Transition::GitUnreachable, Transition::GitReachable),
            (cluster, Transition::ClusterUnreachable, Transition::ClusterReachable),
        ];
        for (news, lost, back) in pairs {
            match news {
                None => {}
                Some(OutageNews::Lost(since, cause)) => {
                    self.tell(
                        lost,
                        Facts { since: Some(since), cause: &cause, ..Facts::default() },
                    );
                }
                Some(OutageNews::Back(since)) => {
                    self.tell(back, Facts { since: Some(since), ..Facts::default() });
                }
            }
        }
    }

    fn deploying(&mut self, commit: &Commit) {
        if self.state.started.as_ref() == Some(&commit.id) {
            return;
        }
        self.state.started = Some(commit.id.clone());
        self.state.is_pending = true;
        self.tell(Transition::Started, Facts { commit: Some(commit), ..Facts::default() });
    }

    fn drift(&mut self, drift: &[Drift], commit: Option<&Commit>) {
        let objects = |is_put_back: bool| -> BTreeSet<String> {
            let drift = drift.iter().filter(|drift| drift.is_put_back == is_put_back);
            drift.map(|drift| drift.object.clone()).collect()
        };
        let (drifted, put_back) = (objects(false), objects(true));
        let before = std::mem::replace(&mut self.state.drifted, drifted.clone());
        let last = std::mem::replace(&mut self.state.put_back, put_back.clone());
        // Something that changes an object in every round makes one message.
        let is_new = |object: &&String| before.contains(*object) || !last.contains(*object);
        let new: Vec<&str> = drifted.difference(&before).map(String::as_str).collect();
        let back: Vec<&str> = put_back.iter().filter(is_new).map(String::as_str).collect();
        let is_gone = |object: &&String| !drifted.contains(*object) && !put_back.contains(*object);
        let gone: Vec<&str> = before.iter().filter(is_gone).map(String::as_str).collect();
        let pairs = [
            (Transition::Drift, new),
            (Transition::DriftPutBack, back),
            (Transition::DriftGone, gone),
        ];
        for (transition, objects) in pairs.into_iter().filter(|(_, objects)| !objects.is_empty()) {
            let stays_drifted = !drifted.is_empty();
            self.tell(transition, Facts { commit, objects, stays_drifted, ..Facts::default() });
        }
    }

    /// Tells what a part of a round put back. The rest of the objects is as it was known before.
    fn drift_of_part(&mut self, drift: &[Drift], commit: &Commit) {
        let is_done = |object: &String| drift.iter().any(|drift| drift.object == *object);
        let known = |objects: &BTreeSet<String>, is_put_back| -> Vec<Drift> {
            let rest = objects.iter().filter(|object| !is_done(object));
            rest.map(|object| Drift { object: object.clone(), is_put_back }).collect()
        };
        let (drifted, put_back) =
            (known(&self.state.drifted, false), known(&self.state.put_back, true));
        self.drift(&[drift, &drifted, &put_back].concat(), Some(commit));
    }

    fn ended(&mut self, end: &RoundEnd, rules: &Rules) {
        let seen = self.seen;
        let started = self.state.started.clone().unwrap_or_default();
        let was = self.state.trouble.take();
        let wrong = Wrong::of(end, &started, was.as_ref());
        let (keys, commit) = (wrong.keys(), end.commit.as_ref());
        if keys.is_empty() {
            let is_pending = std::mem::take(&mut self.state.is_pending);
            let facts = Facts { commit, is_proven: end.is_proven, ..Facts::default() };
            if let Some(Trouble { since, rounds, .. }) = was {
                let since = Some(since);
                self.tell(Transition::Recovered, Facts { since, rounds, ..facts });
            } else if is_pending {
                self.tell(Transition::Healthy, facts);
            }
            return;
        }
        let is_pending = std::mem::take(&mut self.state.is_pending);
        let is_refused = end.refused.as_ref().map(|it| &it.commit.id) == commit.map(|it| &it.id);
        if is_pending && !wrong.is_failing() && !is_refused {
            // The refused commit is another one.
            let facts = Facts { commit, is_proven: end.is_proven, ..Facts::default() };
            self.tell(Transition::Healthy, facts);
        }
        let trouble = was.unwrap_or_else(|| Trouble::new(seen.at));
        self.troubled(end, &wrong, trouble, rules);
    }

    /// A round that could not look says what is wrong, and nothing of the rest.
    fn came_to_nothing(
        &mut self,
        culprits: &[Culprit],
        refused: Option<&RefusedCommit>,
        rules: &Rules,
    ) {
        let failure = Failure { culprits: culprits.to_vec(), taken: None };
        let failure = (!culprits.is_empty()).then_some(failure);
        let end = RoundEnd { failure, refused: refused.cloned(), ..RoundEnd::default() };
        let started = self.state.started.clone().unwrap_or_default();
        let was = self.state.trouble.take();
        let wrong = Wrong::of(&end, &started, was.as_ref());
        let trouble = was.unwrap_or_else(|| Trouble::new(self.seen.at));
        self.troubled(&end, &wrong, trouble, rules);
    }

    fn troubled(&mut self, end: &RoundEnd, wrong: &Wrong<'_>, mut trouble: Trouble, rules: &Rules) {
        let (keys, commit, seen) = (wrong.keys(), end.commit.as_ref(), self.seen);
        trouble.rounds = trouble.rounds.saturating_add(1);
        trouble.since = trouble.since.min(seen.at);
        let is_news = self.tell_wrong(wrong, commit, &trouble);
        trouble.told = match trouble.told.len() + keys.len() <= KEYS {
            true => trouble.told.union(&keys).cloned().collect(),
            false => keys,
        };
        trouble.quiet = if is_news { 1 } else { trouble.quiet.saturating_add(1) };
        if !is_news && rules.reminds(trouble.quiet) {
            self.remind(end, wrong, &trouble);
        }
        self.state.trouble = Some(trouble);
    }

    /// Tells what is wrong that was not told yet, and says whether there was anything.
    fn tell_wrong(
        &mut self,
        wrong: &Wrong<'_>,
        commit: Option<&Commit>,
        trouble: &Trouble,
    ) -> bool {
        let (count, since) = (self.messages.len(), Some(trouble.since));
        let is_new = |key: &String| !trouble.told.contains(key);
        if let Some((key, refused)) = &wrong.refused
            && is_new(key)
        {
            let (commit, cause) = (Some(&refused.commit), refused.text.as_str());
            let stays = refused.stays.as_deref();
            let facts = Facts { commit, cause, since, stays, ..Facts::default() };
            self.tell(Transition::Refused, facts);
        }
        let news = wrong.culprits.iter().filter(|(key, _)| is_new(key));
        let mut culprits: Vec<_> = news.map(|(_, culprit)| *culprit).collect();
        let taken = wrong.failure.and_then(|failure| failure.taken.as_ref());
        if let Some(taken) = taken.filter(|_| wrong.taken.as_ref().is_some_and(is_new)) {
            culprits = wrong.culprits.iter().map(|(_, culprit)| *culprit).collect();
            let (commit, stays) = (Some(&taken.failed), Some(taken.to.as_str()));
            let facts = Facts { commit, culprits, since, stays, ..Facts::default() };
            self.tell(Transition::RolledBack, facts);
        } else if !culprits.is_empty() {
            self.tell(Transition::Failed, Facts { commit, culprits, since, ..Facts::default() });
        }
        self.messages.len() > count
    }

    fn remind(&mut self, end: &RoundEnd, wrong: &Wrong<'_>, trouble: &Trouble) {
        let culprits: Vec<_> = wrong.culprits.iter().map(|(_, culprit)| *culprit).collect();
        let taken = wrong.failure.and_then(|failure| failure.taken.as_ref());
        let refused = end.refused.as_ref();
        let commit = match (taken, refused, culprits.is_empty()) {
            (Some(taken), _, _) => Some(&taken.failed),
            (None, Some(refused), true) => Some(&refused.commit),
            _ => end.commit.as_ref(),
        };
        let cause = refused.map_or("", |refused| &refused.text);
        let (rounds, since) = (trouble.rounds, Some(trouble.since));
        let stays = taken.map(|taken| taken.to.as_str());
        let facts = Facts {
            commit,
            culprits,
            cause,
            since,
            rounds,
            stays,
            quiet: trouble.quiet,
            ..Facts::default()
        };
        self.tell(Transition::StillFailing, facts);
    }
}
