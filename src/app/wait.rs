//! Waits until what a plan made is healthy, or until it is clear that it will not be.
//!
//! An object that was ready when it was read and was not written since costs nothing. Of the rest
//! each kind is listed once, and what is not ready then is watched. What is ready is
//! [`crate::core::health`]'s to say, what is looked up of what is not ready is
//! [`crate::cluster`]'s.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::stream::{self, FuturesUnordered, StreamExt as _};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::Survey;
use crate::cluster::{Cluster, FollowedKind, News};
use crate::core::annotations::{self, WAIT};
use crate::core::health::evidence::PodProblem;
use crate::core::health::{
    Health, HealthAssessor, HealthState, HealthSummary, ObjectHealth, WaitEnd,
};
use crate::core::inventory::{Inventory, PART_OF, is_short_lived};
use crate::core::kinds::catalog::Served;
use crate::core::object::{GroupKind, Object, ObjectKey};
use crate::core::plan::{Action, Change};
use crate::core::report::{Outcome, Report};
use crate::local::cancel::Cancellation;

/// How long something has to have failed before waiting ends: a controller may still mend it, such
/// as one that retries.
const GRACE: Duration = Duration::from_secs(5);
/// How often the pods of objects that are still not ready are read.
const LOOK_CLOSER: Duration = Duration::from_secs(10);
/// After how many of these looks in a row pods that are stuck count as a failure.
const STUCK_LOOKS: usize = 2;
/// How much may have become known and not been taken in yet; then a watch waits.
const NEWS: usize = 256;
/// How many objects are examined at once.
const FEW: usize = 4;
/// How often events say how things are where no news comes: a person sees that time passes.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// How long news is gathered before events say it: each tells of all objects that are not ready.
const GATHER: Duration = Duration::from_millis(50);

/// How to wait.
pub struct WaitOptions<'a> {
    /// The record of what this target put there.
    pub inventory: &'a Inventory,
    /// For how long.
    pub timeout: Duration,
    /// Says when to stop.
    pub cancel: &'a Cancellation,
    /// Hears how things are, again and again while something is waited for.
    pub events: &'a mut (dyn FnMut(&HealthSummary) + Send),
}

/// Waits until every desired object is ready, something has failed and stayed so, or the time is
/// up. `None` where carrying out the plan failed or was interrupted, and there is nothing to prove.
pub async fn wait(
    survey: &Survey,
    cluster: &Cluster,
    report: &Report,
    waiting: WaitOptions<'_>,
) -> Option<HealthSummary> {
    if report.unfinished() > 0 || report.interrupted {
        return None;
    }
    let mut tracker = Tracker::new(survey, report);
    let followed = tracker.followed(survey, &report.kinds, waiting.inventory);
    if !followed.is_empty() {
        tracker.wait(cluster, &followed, waiting).await;
    }
    let mut proof = tracker.proof;
    if matches!(proof.ended, WaitEnd::Failed | WaitEnd::Timeout) {
        for standing in proof.others.iter_mut().take(FEW) {
            if let Some(served) = serves(&followed, &standing.key) {
                standing.details =
                    cluster.diagnose(served, &standing.key, &survey.found.catalog).await;
            }
        }
    }
    Some(proof)
}

/// Waits until one object is ready, as [`wait`] does for all; gives how it is if it did not get so.
pub(super) async fn wait_for_one(
    survey: &Survey,
    kinds: &[Served],
    cluster: &Cluster,
    change: &Change,
    waiting: WaitOptions<'_>,
) -> Option<Health> {
    if is_exempt(survey, change) || is_ready_once_applied(survey, change) {
        return None;
    }
    let mut tracker = Tracker::of(survey, [change.key.clone()].into_iter());
    let followed = tracker.followed(survey, kinds, waiting.inventory);
    tracker.wait(cluster, &followed, waiting).await;
    tracker.proof.others.into_iter().next().map(|standing| standing.health)
}

/// Waits until some objects are ready, as [`wait`] does for all; gives those that did not get so.
/// Beside the kinds that are known, these are `new`.
pub(super) async fn wait_for_some(
    survey: &Survey,
    cluster: &Cluster,
    new: &[Served],
    keys: &BTreeSet<ObjectKey>,
    waiting: WaitOptions<'_>,
) -> BTreeSet<ObjectKey> {
    let mut tracker = Tracker::of(survey, keys.iter().cloned());
    let followed = tracker.followed(survey, new, waiting.inventory);
    tracker.wait(cluster, &followed, waiting).await;
    tracker.open.into_keys().collect()
}

/// How things were when they were looked at, and what has failed by then; sends no request. What is
/// not ready may be so the next moment, as after every scaling, and is not reported.
pub fn standing(survey: &Survey, report: &Report) -> Option<HealthSummary> {
    if report.unfinished() > 0 || report.interrupted {
        return None;
    }
    let mut proof = Tracker::new(survey, report).so_far();
    proof.others.retain(|it| it.health.state == HealthState::Failed);
    Some(proof)
}

/// Keeps account of who is ready.
struct Tracker<'a> {
    survey: &'a Survey,
    assessor: HealthAssessor,
    begin: Instant,
    /// Those that are waited for and not ready as far as is known: how they are, since when.
    open: BTreeMap<ObjectKey, (Health, Instant)>,
    /// The pods' trouble, and in how many looks in a row they would not go on by themselves.
    pods: BTreeMap<ObjectKey, (String, usize)>,
    proof: HealthSummary,
}

impl<'a> Tracker<'a> {
    /// Sorts the plan's objects: which are ready, which have to be looked at, which are not waited
    /// for.
    fn new(survey: &'a Survey, report: &Report) -> Self {
        let begin = Instant::now();
        let done: BTreeSet<&ObjectKey> = report
            .steps
            .iter()
            .filter(|step| step.outcome == Outcome::Done)
            .map(|step| &step.key)
            .collect();
        let (mut open, mut proof) = (BTreeMap::new(), HealthSummary::default());
        let desired = survey.decided.plan.changes().filter(|change| change.origin.is_some());
        for change in desired {
            let key = &change.key;
            let unready = survey.found.unready.get(key);
            if change.action() == Action::Refuse || is_exempt(survey, change) {
                proof.unasked += 1;
            } else if let Some(health) = unready {
                open.insert(key.clone(), (health.clone(), begin));
            } else if done.contains(key) && !is_ready_once_applied(survey, change) {
                let health = Health::progressing("it was applied a moment ago");
                open.insert(key.clone(), (health, begin));
            } else {
                proof.ready += 1;
            }
        }
        if open.is_empty() {
            proof.ended = WaitEnd::Ready;
        }
        let (assessor, pods) = (survey.found.assessor.clone(), BTreeMap::new());
        Self { survey, assessor, begin, open, pods, proof }
    }

    /// Waits for nothing but these objects.
    fn of(survey: &'a Survey, keys: impl Iterator<Item = ObjectKey>) -> Self {
        let begin = Instant::now();
        let health = Health::progressing("it was applied a moment ago");
        let open = keys.map(|key| (key, (health.clone(), begin))).collect();
        let (assessor, pods, proof) =
            (survey.found.assessor.clone(), BTreeMap::new(), HealthSummary::default());
        Self { survey, assessor, begin, open, pods, proof }
    }

    /// The objects to look at, kind by kind; `new` are those that became known since.
    fn followed(
        &self,
        survey: &Survey,
        new: &[Served],
        inventory: &Inventory,
    ) -> Vec<FollowedKind> {
        let mut kinds: BTreeMap<(GroupKind, &str), Vec<ObjectKey>> = BTreeMap::new();
        for change in
            survey.decided.plan.changes().filter(|change| self.open.contains_key(&change.key))
        {
            let kind = (change.key.group_kind(), change.version.as_str());
            kinds.entry(kind).or_default().push(change.key.clone());
        }
        let selector = format!("{PART_OF}={}", inventory.id());
        let followed = kinds.into_iter().filter_map(|((kind, version), keys)| {
            let new = new.iter().find(|it| it.group_kind == kind && it.version == version);
            let served = new.cloned().or_else(|| survey.found.catalog.endpoint(&kind, version))?;
            Some(FollowedKind { served, keys, selector: selector.clone() })
        });
        followed.collect()
    }

    async fn wait(
        &mut self,
        cluster: &Cluster,
        followed: &[FollowedKind],
        waiting: WaitOptions<'_>,
    ) {
        let WaitOptions { inventory: _, timeout, cancel, events } = waiting;
        let end = self.begin + timeout;
        let looks = followed.iter().map(|it| async move { (it, cluster.scopes_of(it).await) });
        let mut looks = stream::iter(looks).buffer_unordered(cluster.concurrency());
        let mut seen = Vec::with_capacity(followed.len());
        // Lets the objects of one kind go before all of the next are there.
        while let Some((followed, mut scopes)) = looks.next().await {
            let news = || scopes.iter().flat_map(|scope| &scope.news);
            self.learn_classes(cluster, news().flat_map(News::objects)).await;
            let news = scopes.iter_mut().flat_map(|scope| std::mem::take(&mut scope.news));
            news.for_each(|news| self.hear(news));
            seen.push((followed, scopes));
        }

        let (tell, mut hear) = mpsc::channel(NEWS);
        let mut watches = FuturesUnordered::new();
        for (followed, scopes) in seen {
            if followed.keys.iter().any(|key| self.open.contains_key(key)) {
                let tell = &tell;
                watches
                    .extend(scopes.into_iter().map(|scope| cluster.follow(followed, scope, tell)));
            }
        }
        let mut closer = FuturesUnordered::new();
        let mut next_look = self.begin + LOOK_CLOSER;
        let mut next_event = self.begin;
        self.proof.ended = loop {
            if self.open.is_empty() {
                break WaitEnd::Ready;
            }
            if cancel.is_interrupted() {
                break WaitEnd::Interrupted;
            }
            if cancel.newer().is_some() {
                break WaitEnd::Superseded;
            }
            let now = Instant::now();
            if self.fails_at().is_some_and(|at| now >= at) {
                break WaitEnd::Failed;
            }
            if now >= end {
                break WaitEnd::Timeout;
            }
            if now >= next_event {
                events(&self.so_far());
                next_event = Instant::now() + HEARTBEAT;
            }
            if now >= next_look && closer.is_empty() {
                next_look = now + LOOK_CLOSER;
                let keys = self.open.keys().filter(|key| has_pods(key)).take(FEW).cloned();
                closer.extend(keys.filter_map(|key| {
                    let (served, catalog) = (serves(followed, &key)?, &self.survey.found.catalog);
                    Some(async move {
                        let troubles = cluster.troubles(served, &key, catalog).await;
                        (key, troubles.unwrap_or_default())
                    })
                }));
            }
            let look = closer.is_empty().then_some(next_look);
            let wake = [Some(next_event), Some(end), look, self.fails_at()];
            let wake = wake.into_iter().flatten().min().unwrap_or(end);
            tokio::select! {
                biased;
                () = cancel.cancelled() => {}
                Some(news) = hear.recv() => {
                    self.hear(news);
                    while let Ok(news) = hear.try_recv() {
                        self.hear(news);
                    }
                    next_event = next_event.min(Instant::now() + GATHER);
                }
                Some((key, troubles)) = closer.next() => {
                    self.fetch_logs(key, &troubles);
                    next_event = now;
                }
                Some(()) = watches.next() => {}
                () = tokio::time::sleep_until(wake) => {}
            }
        };
        self.proof = HealthSummary { ended: self.proof.ended, ..self.so_far() };
    }

    /// Takes in what became known.
    fn hear(&mut self, news: News) {
        self.assessor.reset_cost();
        match news {
            News::Seen(object) => self.see(&object),
            News::Gone(key) => self.miss(&key),
            News::Note(note) if self.proof.notes.contains(&note) => {}
            News::Note(note) => self.proof.notes.push(note),
            News::Listed { kind, namespace, objects } => {
                let there: BTreeSet<ObjectKey> = objects.iter().map(Object::key).collect();
                let is_here = |key: &&ObjectKey| {
                    key.group_kind() == kind
                        && (namespace.is_none() || key.namespace == namespace)
                        && !there.contains(*key)
                };
                let missing: Vec<ObjectKey> = self.open.keys().filter(is_here).cloned().collect();
                missing.iter().for_each(|key| self.miss(key));
                objects.iter().for_each(|object| self.see(object));
            }
        }
    }

    fn see(&mut self, object: &Object) {
        let key = object.key();
        let health = match object.is_terminating() && is_short_lived(&key, object) {
            true => {
                // While its TTL takes it away it still says how it ended.
                let mut ended = object.clone();
                ended.metadata_mut().remove("deletionTimestamp");
                self.assessor.health(&ended)
            }
            false => self.assessor.health(object),
        };
        self.note(key, health);
    }

    /// An object is not there. A Job that finished may clean itself up (Flux, `JobsWithTTL`).
    fn miss(&mut self, key: &ObjectKey) {
        let manifest = self.survey.found.desired.objects.get(key);
        let cleans_up = manifest.is_some_and(|it| is_short_lived(key, &it.object));
        let failed =
            self.open.get(key).is_some_and(|(health, _)| health.state == HealthState::Failed);
        match (cleans_up, failed) {
            (true, true) => {}
            (true, false) => self.note(key.clone(), Health::ready()),
            (false, _) => self.note(key.clone(), Health::failed("it was deleted meanwhile")),
        }
    }

    /// Takes in what is wrong with an object's pods. What does not go on by itself is a failure if
    /// it stays so: a Deployment would say that only after ten minutes.
    fn fetch_logs(&mut self, key: ObjectKey, troubles: &[PodProblem]) {
        let before = self.pods.get(&key).map_or(0, |(_, looks)| *looks);
        // The worst comes first.
        let looks = match troubles.first() {
            Some(worst) => {
                let looks = if worst.is_stuck() { before + 1 } else { 0 };
                self.pods.insert(key.clone(), (worst.headline(), looks));
                looks
            }
            None => {
                self.pods.remove(&key);
                0
            }
        };
        match self.open.get(&key) {
            Some(_) if before >= STUCK_LOOKS && looks == 0 => {
                self.note(key, Health::progressing("its pods go on"));
            }
            Some((health, _)) if looks >= STUCK_LOOKS => self.note(key, health.clone()),
            _ => {}
        }
    }

    fn note(&mut self, key: ObjectKey, health: Health) {
        let Some((before, since)) = self.open.get_mut(&key) else { return };
        let health = match self.pods.get(&key) {
            Some((_, looks)) if *looks >= STUCK_LOOKS && !health.is_ready() => {
                Health::failed("its pods do not start")
            }
            _ => health,
        };
        if health.is_ready() {
            self.open.remove(&key);
            self.proof.ready += 1;
            return;
        }
        if before.state != health.state {
            *since = Instant::now();
        }
        *before = health;
    }

    /// When waiting ends because something has failed and does not recover.
    fn fails_at(&self) -> Option<Instant> {
        let failed = self.open.values().filter(|(health, _)| health.state == HealthState::Failed);
        failed.map(|(_, since)| *since + GRACE).min()
    }

    /// How things are now, the failed first.
    fn so_far(&self) -> HealthSummary {
        let mut others: Vec<ObjectHealth> = self
            .open
            .iter()
            .map(|(key, (health, since))| ObjectHealth {
                key: key.clone(),
                health: health.clone(),
                after: since.duration_since(self.begin),
                details: self.pods.get(key).map(|(why, _)| why.clone()).into_iter().collect(),
            })
            .collect();
        others.sort_by_key(|it| std::cmp::Reverse(it.health.state));
        HealthSummary { others, elapsed: self.begin.elapsed(), ..self.proof.clone() }
    }

    /// Finds out which volumes are bound late, where a claim waits for one.
    async fn learn_classes(&mut self, cluster: &Cluster, mut seen: impl Iterator<Item = &Object>) {
        let is_claim = |object: &Object| object.kind() == "PersistentVolumeClaim";
        let waits = |object: &Object| is_claim(object) && !self.assessor.health(object).is_ready();
        let class = GroupKind::new("storage.k8s.io", "StorageClass");
        if seen.any(waits)
            && let Some(served) = self.survey.found.catalog.preferred(&class)
        {
            match cluster.late_binding(served).await {
                Ok(classes) => self.assessor.late_binding = classes,
                Err(error) => self.hear(News::Note(format!(
                    "StorageClasses can't be listed, so it is unknown which claims wait for a pod: \
                     {error}"
                ))),
            }
        }
    }
}

/// Where an object is served.
fn serves<'a>(followed: &'a [FollowedKind], key: &ObjectKey) -> Option<&'a Served> {
    followed.iter().find(|it| it.keys.contains(key)).map(|it| &it.served)
}

/// Whether an object makes pods.
fn has_pods(key: &ObjectKey) -> bool {
    let kinds = ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"];
    ["apps", "batch"].contains(&key.group.as_str()) && kinds.contains(&key.kind.as_str())
}

/// Whether an annotation says not to wait for it, in git or in the cluster, or not to make it
/// trueup's.
pub(super) fn is_exempt(survey: &Survey, change: &Change) -> bool {
    let declared = survey.found.desired.objects.get(&change.key).map(|manifest| &manifest.object);
    let says_no = |object: &Object| annotations::flag(object, WAIT) == Some(false);
    let becomes_ours = |object: &Object| change.ends_in(object.label(PART_OF));
    declared.is_some_and(|object| says_no(object) || !becomes_ours(object))
        || change.live().is_some_and(says_no)
}

/// Whether an object is ready as soon as it has been applied.
fn is_ready_once_applied(survey: &Survey, change: &Change) -> bool {
    survey.found.assessor.is_ready_once_applied(&change.key, change.becomes())
}
