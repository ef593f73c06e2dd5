//! Carries out a plan: widens the record, goes through the graph, and narrows the record again.
//! [`worker`] carries out one change, and [`answer`] checks whether it came out as planned.
//! [`deletion`] ends deletions, [`still_used`] holds back what is deleted only once a rollout is
//! over, and [`blocked`] tells how one change keeps another from being tried. [`record`] keeps the
//! record meanwhile.
//!
//! Killed at any instant, the next run finishes the job: whatever exists is in the record before it
//! is made, and leaves the record only after it is gone.

mod answer;
mod blocked;
mod deletion;
mod make_change;
mod record;
mod recreate;
mod servers;
mod still_used;
mod worker;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt as _};

pub(super) use self::blocked::can_begin;
use self::blocked::{how_it_ended, how_it_stays};
use self::deletion::ends_home;
use self::worker::{Servers, Worker};
use super::{Error, Lock, Survey};
use crate::cluster::{Cascade, Cluster, RetryPolicy};
use crate::core::approval::Approval;
use crate::core::inventory::Inventory;
use crate::core::object::ObjectKey;
use crate::core::plan::queue::{Blocker, ChangeEnd, Queue};
use crate::core::plan::{
    Action, Change, ChangePart, Confidence, DependencyEnd, NoPreview, OrderedChanges, PruneBlocker,
    Reason, ReasonKind, deleted_first,
};
use crate::core::report::{ChangeOutcome, Outcome, Report};
use crate::local::cancel::Cancellation;

/// How long transient faults are retried by default.
pub const TIMEOUT: Duration = Duration::from_secs(300);

/// How a plan is to be carried out.
pub struct ApplyOptions<'a> {
    /// The record of what this target put there.
    pub inventory: &'a Inventory,
    /// The inventory's lock: nothing is written once it is lost.
    pub lock: &'a Lock<'a>,
    /// The approved plan: nothing else is written, whatever changes between the look and the write.
    pub approval: Option<&'a Approval>,
    /// For how long an object is waited for until it is ready that others come after by a wave or a
    /// dependency, or that is the server behind them; `None` not to wait.
    pub wait: Option<Duration>,
    /// Says when to stop: what is in flight is finished, nothing more is begun or waited for.
    pub cancel: &'a Cancellation,
    /// How long what passes by itself is waited for, all in all: a server that is busy, a webhook
    /// that is not up yet, an object that is not gone yet.
    pub timeout: Duration,
    /// How objects are deleted that own others.
    pub cascade: Cascade,
    /// Hears of each change as it ends.
    pub events: &'a mut (dyn FnMut(&ChangeOutcome) + Send),
}

/// Carries out the plan of `survey`.
///
/// # Errors
///
/// When the inventory's record can't be written; nothing else was then.
pub async fn apply(
    survey: &Survey,
    cluster: &Cluster,
    course: ApplyOptions<'_>,
) -> Result<Report, Error> {
    let ApplyOptions { inventory, lock, approval, wait, cancel, timeout, cascade, events } = course;
    let patience = RetryPolicy::of(timeout, cancel);
    let cluster = cluster.patient(patience.clone());
    let events = &mut *events;
    let course = ApplyOptions { inventory, lock, approval, wait, cancel, timeout, cascade, events };
    let run = ApplyRun {
        survey,
        cluster: &cluster,
        course,
        patience,
        report: Report::default(),
        pending: Vec::new(),
        stuck: Vec::new(),
        left: BTreeMap::new(),
        unready: BTreeMap::new(),
        servers: Arc::default(),
    };
    run.through().await
}

/// A plan half-way.
struct ApplyRun<'a> {
    survey: &'a Survey,
    cluster: &'a Cluster,
    course: ApplyOptions<'a>,
    patience: RetryPolicy,
    report: Report,
    /// Deletions that wait for finalizers.
    pending: Vec<&'a Change>,
    /// Deletions that were waited for, for others that had to come after them.
    stuck: Vec<&'a Change>,
    /// Deletions that are left for the next run, and why.
    left: BTreeMap<ObjectKey, Reason>,
    /// Objects that did not get ready before others, and what each waits for.
    unready: BTreeMap<ObjectKey, String>,
    /// Servers that come up in this run, and what they have.
    servers: Arc<Servers>,
}

impl<'a> ApplyRun<'a> {
    /// The story.
    async fn through(mut self) -> Result<Report, Error> {
        let plan = &self.survey.decided.plan;
        if plan.writes() {
            if can_begin(plan, &self.course.inventory.namespace) {
                self.widen().await?;
            }
            for part in ChangePart::ALL {
                self.apply_changes(&plan.desired, part).await;
                match self.why_spare() {
                    None => {
                        self.left = self.still_used(&plan.undesired, part).await;
                        self.apply_changes(&plan.undesired, part).await;
                    }
                    Some(why) => self.spare(&plan.undesired, part, why),
                }
            }
            self.until_gone().await;
            self.delete_home().await;
        }
        self.report.kinds = self.servers.kinds();
        self.narrow().await?;
        Ok(self.report)
    }

    /// Carries out a part of a half of the plan, many changes at once: each as soon as all that it
    /// waits for has ended. One that failed costs what needs it, and nothing else.
    async fn apply_changes(&mut self, half: &'a OrderedChanges, part: ChangePart) {
        let mut done: BTreeMap<ObjectKey, Outcome> = BTreeMap::new();
        done.extend(self.report.steps.iter().map(|step| (step.key.clone(), step.outcome.clone())));
        let (survey, cluster, inventory) = (self.survey, self.cluster, self.course.inventory);
        let approval = self.course.approval;
        let passing = self.patience.clone();
        let cascade = self.course.cascade;
        let servers = Arc::clone(&self.servers);
        let (patience, servers) = (&passing, &*servers);
        let worker = Worker { survey, cluster, inventory, approval, patience, cascade, servers };
        let (timeout, cancel) = (self.course.wait, self.course.cancel);
        let counts = |at: usize| half.changes[at].is_work();
        let is_first =
            |queue: &Queue<'_>, at| timeout.is_some() && queue.has_to_be_ready(at, counts);
        let mut queue = Queue::new(&half.graph);
        let mut flying = FuturesUnordered::new();
        loop {
            while flying.len() < cluster.concurrency() {
                let Some((at, blocker)) = queue.take() else { break };
                let change = &half.changes[at];
                if ends_home(change.action(), &change.key, &inventory.namespace) {
                    queue.ended(at, ChangeEnd::Succeeded, None); // it has its own time
                } else if !half.is_of(part, at) {
                    queue.ended(at, self.how_it_is(change, &done), None);
                } else if !(change.is_work()
                    || is_first(&queue, at) && self.is_unready(change)
                    || servers::is_waited_for(&survey.decided.plan, change))
                {
                    queue.ended(at, how_it_stays(change), None);
                } else if let Some(outcome) = done.get(&change.key) {
                    queue.ended(at, how_it_ended(outcome), None);
                } else if let Some(why) = self.why_not(half, change, blocker) {
                    queue.ended(at, ChangeEnd::Badly, blocker);
                    let outcome = self.skip_reason(half, blocker).map(Outcome::Postponed);
                    if change.is_work() {
                        self.note(change, outcome.unwrap_or(Outcome::Skipped(why)));
                    }
                } else if let Some(why) = self.left.get(&change.key) {
                    let outcome = Outcome::Postponed(why.clone());
                    queue.ended(at, ChangeEnd::Terminating, None);
                    self.note(change, outcome);
                } else {
                    let is_awaited =
                        queue.is_awaited(at, counts) || self.is_deleted_for_another(change);
                    let ready = is_first(&queue, at).then_some(timeout).flatten();
                    flying.push(async move {
                        let outcome = match change.is_work() {
                            true => worker.change(change, is_awaited).await,
                            false => Outcome::Done,
                        };
                        let unready = match (&outcome, ready) {
                            _ if servers::is_waited_for(&survey.decided.plan, change) => {
                                worker.until_available(change).await
                            }
                            (Outcome::Done, Some(timeout)) if change.action() != Action::Delete => {
                                worker.until_ready(change, timeout, cancel).await
                            }
                            _ => None,
                        };
                        (at, is_awaited, outcome, unready)
                    });
                }
            }
            let Some((at, is_awaited, outcome, unready)) = flying.next().await else { break };
            let end = if unready.is_some() { ChangeEnd::Unready } else { how_it_ended(&outcome) };
            queue.ended(at, end, None);
            self.unready.extend(unready.map(|health| (half.changes[at].key.clone(), health.why)));
            if !half.changes[at].is_work() {
                continue;
            }
            if outcome == Outcome::Terminating {
                let waiting = if is_awaited { &mut self.stuck } else { &mut self.pending };
                waiting.push(&half.changes[at]);
            }
            self.note(&half.changes[at], outcome);
        }
    }

    /// Why a change is not tried, if so.
    fn why_not(
        &self,
        half: &'a OrderedChanges,
        change: &Change,
        blocker: Option<Blocker>,
    ) -> Option<Reason> {
        if self.course.cancel.is_interrupted() {
            return Some(ReasonKind::Interrupted.into());
        }
        if let Some(to) = self.course.lock.lost() {
            return Some(ReasonKind::LockLost { to: Some(to) }.into());
        }
        let is_deleting = std::ptr::eq(half, &self.survey.decided.plan.undesired);
        let Some(blocker) = blocker else { return self.why_not_free(change) };
        let cause = &half.changes[blocker.object];
        let health = self.unready.get(&cause.key).cloned();
        Some(blocked::why(cause, blocker, is_deleting, health).into())
    }

    /// Why a deletion is left for the next run, where it is because another one is.
    fn skip_reason(&self, half: &OrderedChanges, blocker: Option<Blocker>) -> Option<Reason> {
        let key = &half.changes[blocker?.object].key;
        let is_ended = self.course.cancel.is_interrupted() || self.course.lock.lost().is_some();
        let is_left = self.left.contains_key(key) && !is_ended;
        is_left.then(|| ReasonKind::AfterPostponed { object: key.clone() }.into())
    }

    /// Why an object can't have what another one held, where that one is not gone.
    fn why_not_free(&self, change: &Change) -> Option<Reason> {
        deleted_first(change).find_map(|holder| {
            let step = self.report.steps.iter().find(|step| step.key == *holder);
            let fate = match step.map(|step| &step.outcome) {
                Some(Outcome::Done) => return None,
                Some(Outcome::Terminating) => DependencyEnd::Terminating,
                Some(Outcome::Failed(_)) => DependencyEnd::Undeletable,
                Some(Outcome::Differs(_)) => DependencyEnd::Differs,
                Some(Outcome::Skipped(_) | Outcome::Postponed(_)) | None => {
                    DependencyEnd::NotDeleted
                }
            };
            let holder = holder.clone();
            let kind = match change.confidence() {
                Confidence::Local(NoPreview::Value(_)) => ReasonKind::ValueHeld { holder, fate },
                _ => ReasonKind::ForbiddenBy { object: holder, fate },
            };
            Some(kind.into())
        })
    }

    /// Whether another object is to have what this one holds.
    fn is_deleted_for_another(&self, change: &Change) -> bool {
        let mut made = self.survey.decided.plan.desired.changes.iter().flat_map(deleted_first);
        change.action() == Action::Delete && made.any(|holder| *holder == change.key)
    }

    /// How a change is that has its time in another part of the plan: what is to be done yet holds
    /// nothing up.
    fn how_it_is(&self, change: &Change, done: &BTreeMap<ObjectKey, Outcome>) -> ChangeEnd {
        match done.get(&change.key) {
            _ if self.unready.contains_key(&change.key) => ChangeEnd::Unready,
            Some(outcome) => how_it_ended(outcome),
            None if change.is_work() => ChangeEnd::Succeeded,
            None => how_it_stays(change),
        }
    }

    /// Whether an object that stays as it is was not ready at the last look.
    fn is_unready(&self, change: &Change) -> bool {
        change.action() == Action::Keep && self.survey.found.unready.contains_key(&change.key)
    }

    async fn change(&self, change: &Change) -> Outcome {
        let Self { survey, cluster, course, patience, servers, .. } = self;
        let ApplyOptions { inventory, approval, cascade, .. } = *course;
        Worker { survey, cluster, inventory, approval, patience, cascade, servers }
            .change(change, true)
            .await
    }

    /// Why nothing may be deleted, if so: deletions come after all else went well.
    fn why_spare(&self) -> Option<PruneBlocker> {
        let is_due = |step: &ChangeOutcome| {
            step.action != Action::Delete && matches!(step.outcome, Outcome::Skipped(_))
        };
        match (self.report.failed() + self.report.differing(), self.unready.is_empty()) {
            // A change that is not tried for another reason says that reason itself.
            (0, true)
                if !self.course.cancel.is_interrupted()
                    && self.course.lock.lost().is_none()
                    && self.report.steps.iter().any(is_due) =>
            {
                Some(PruneBlocker::Skipped)
            }
            (0, true) => None,
            (0, false) => Some(PruneBlocker::Unready),
            _ if self.report.failed() == 0 => Some(PruneBlocker::Differs),
            _ => Some(PruneBlocker::Failed),
        }
    }

    /// Deletes nothing.
    fn spare(&mut self, half: &'a OrderedChanges, part: ChangePart, shortfall: PruneBlocker) {
        let home = &self.course.inventory.namespace;
        let is_due = |(at, change): &(usize, &Change)| {
            let ends_home = ends_home(change.action(), &change.key, home);
            half.is_of(part, *at) && change.is_work() && !ends_home
        };
        for (_, change) in half.changes.iter().enumerate().filter(is_due) {
            self.note(change, Outcome::Skipped(ReasonKind::NothingDeleted { shortfall }.into()));
        }
    }

    fn note(&mut self, change: &'a Change, outcome: Outcome) {
        let step = ChangeOutcome { key: change.key.clone(), action: change.action(), outcome };
        (self.course.events)(&step);
        self.report.steps.push(step);
    }
}
