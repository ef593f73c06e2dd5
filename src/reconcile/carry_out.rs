//! Does what a plan says: widens the record, goes through the waves, and narrows the record again.
//!
//! Killed at any instant, the next run finishes the job: whatever exists is in the record before it
//! is made, and leaves the record only after it is gone.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::stream::{self, StreamExt as _};

use super::survey::api;
use super::{Error, Survey};
use crate::approval::Approval;
use crate::catalog::{Served, is_crd, is_namespace};
use crate::cluster::{ApiError, Cluster, Deleted};
use crate::inventory::{Inventory, Record};
use crate::object::{Object, ObjectKey};
use crate::observed::{Observation, Preview};
use crate::ownership;
use crate::plan::{Action, Change, Plan, Reason, Wave};
use crate::report::{Outcome, Report, Step};

/// How long a new definition may take to be established, and a new kind to be served after that.
const DEFINITION_PATIENCE: Duration = Duration::from_secs(60);
/// How long to wait for what was deleted to be gone.
const DELETION_PATIENCE: Duration = Duration::from_secs(10);
/// How often an approved change is tried over a state that moves without touching it.
const SEND_TRIES: usize = 5;
/// The pause before something that is about to be possible is tried again.
const TRY_AGAIN: Duration = Duration::from_millis(200);

/// How a plan is to be carried out.
pub struct Course<'a> {
    /// The record of what this target put there.
    pub inventory: &'a Inventory,
    /// What was approved: nothing else is written, whatever happens between the look and the write.
    pub approval: Option<&'a Approval>,
    /// Set to stop: what is in flight is finished, nothing more is begun.
    pub stop: &'a AtomicBool,
    /// Hears of each change as it ends.
    pub events: &'a mut (dyn FnMut(&Step) + Send),
}

/// Carries out the plan of `survey`.
///
/// # Errors
///
/// When the inventory's record can't be written; nothing else was then.
pub async fn carry_out<'a>(
    survey: &'a Survey,
    cluster: &'a Cluster,
    course: Course<'a>,
) -> Result<Report, Error> {
    let mut run = Run { survey, cluster, course, report: Report::default(), pending: Vec::new() };
    if survey.plan.writes() {
        run.widen().await?;
        for wave in &survey.plan.waves {
            run.wave(wave).await;
        }
        run.until_gone().await;
        run.delete_home().await;
    }
    run.narrow().await?;
    Ok(run.report)
}

/// A plan half-way.
struct Run<'a> {
    survey: &'a Survey,
    cluster: &'a Cluster,
    course: Course<'a>,
    report: Report,
    /// Deletions that wait for finalizers.
    pending: Vec<&'a Change>,
}

impl<'a> Run<'a> {
    /// Records everywhere that members may be from now on. Where the record's own namespace is
    /// part of the commit, that namespace is made first: there is nowhere else to write.
    async fn widen(&mut self) -> Result<(), Error> {
        let claim = Record::claim(self.survey.before.as_ref(), &self.survey.after);
        if self.survey.before.as_ref() == Some(&claim) {
            return Ok(());
        }
        let home = self.course.inventory.namespace.clone();
        if let Some(change) = created_namespace(&self.survey.plan, &home) {
            let outcome = self.change(change).await;
            self.note(change, outcome);
        }
        match self.cluster.record(self.course.inventory, &claim).await {
            Err(error) if error.is_not_found() => Err(Error::NoNamespace(home)),
            recorded => recorded.map_err(api("write the inventory")),
        }
    }

    /// Carries out a wave, many changes at once; the record's own namespace goes later.
    async fn wave(&mut self, wave: &'a Wave) {
        let inventory = self.course.inventory;
        let done: BTreeSet<ObjectKey> =
            self.report.steps.iter().map(|step| step.key.clone()).collect();
        let todo = wave.changes.iter().filter(|change| {
            !matches!(change.action, Action::Keep | Action::Refuse)
                && !done.contains(&change.key)
                && !ends_home(change.action, &change.key, inventory)
        });
        if wave.step.is_delete() && self.report.failed() > 0 {
            for change in todo {
                let why = "something failed, and what failed may still need it";
                self.note(change, Outcome::Skipped(reason(why)));
            }
            return;
        }
        let (survey, cluster) = (self.survey, self.cluster);
        let stop = self.course.stop;
        let worker = Worker { survey, cluster, inventory, approval: self.course.approval };
        let mut changes = stream::iter(todo)
            .map(|change| async move {
                if stop.load(Ordering::Relaxed) {
                    return (change, Outcome::Skipped(reason("interrupted")));
                }
                (change, worker.change(change).await)
            })
            .buffer_unordered(cluster.concurrency());
        while let Some((change, outcome)) = changes.next().await {
            self.note(change, outcome);
        }
    }

    async fn change(&self, change: &Change) -> Outcome {
        let Self { survey, cluster, course, .. } = self;
        let Course { inventory, approval, .. } = *course;
        Worker { survey, cluster, inventory, approval }.change(change).await
    }

    fn note(&mut self, change: &'a Change, outcome: Outcome) {
        if outcome == Outcome::Going {
            self.pending.push(change);
        }
        let step = Step { key: change.key.clone(), action: change.action, outcome };
        (self.course.events)(&step);
        self.report.steps.push(step);
    }

    /// Gives finalizers a moment to finish; what is gone after it needs no place in the record.
    async fn until_gone(&mut self) {
        let (survey, cluster) = (self.survey, self.cluster);
        let waits = self.pending.drain(..).map(|change| async move {
            let (Some(live), Some(served)) = (&change.live, endpoint(survey, change)) else {
                return (change, false);
            };
            let gone = cluster.until_gone(&served, live, DELETION_PATIENCE).await;
            (change, gone.unwrap_or(false))
        });
        let ended: Vec<_> =
            stream::iter(waits).buffer_unordered(cluster.concurrency()).collect().await;
        for (change, gone) in ended {
            if !gone {
                self.pending.push(change);
            }
        }
    }

    /// Deletes the record's own namespace, and so the record, where the plan says so: once all
    /// else is gone, or nobody would know of what is left.
    async fn delete_home(&mut self) {
        let inventory = self.course.inventory;
        let mut changes = self.survey.plan.changes();
        let home = changes.find(|change| ends_home(change.action, &change.key, inventory));
        let Some(change) = home else { return };
        let why_not = if self.report.failed() + self.report.skipped() > 0 {
            Some("something failed, and the inventory is kept in this namespace")
        } else if !self.pending.is_empty() {
            Some("others are still being deleted, and the inventory is kept in this namespace")
        } else if self.course.stop.load(Ordering::Relaxed) {
            Some("interrupted")
        } else {
            None
        };
        let outcome = match why_not {
            Some(why) => Outcome::Skipped(reason(why)),
            None => self.change(change).await,
        };
        self.note(change, outcome);
    }

    /// Records what is there now, and the commit if all of it is true. After anything went wrong
    /// the record stays as wide as it is.
    async fn narrow(&mut self) -> Result<(), Error> {
        let Self { survey, cluster, course, report, pending } = self;
        report.interrupted = course.stop.load(Ordering::Relaxed) && report.skipped() > 0;
        let clean = report.failed() == 0
            && report.skipped() == 0
            && survey.plan.count(Action::Refuse) == 0
            && survey.desired.problems.is_empty();
        if !clean {
            return Ok(());
        }
        let is_nothing = survey.before.is_none() && survey.desired.objects.is_empty();
        let went = |step: &Step| ends_home(step.action, &step.key, course.inventory);
        if is_nothing || report.steps.iter().any(went) {
            // There is no record, or it went with all else.
            report.at_commit = true;
            return Ok(());
        }
        let mut after = survey.after.clone();
        let kept = survey
            .plan
            .changes()
            .filter(|change| change.origin.is_none() && change.action == Action::Keep);
        for change in kept.chain(pending.iter().copied()) {
            after.kinds.insert(change.key.group_kind());
            after.namespaces.extend(change.key.namespace.clone());
        }
        after.namespaces.insert(course.inventory.namespace.clone());
        if survey.before.as_ref() != Some(&after) {
            let recorded = cluster.record(course.inventory, &after).await;
            recorded.map_err(api("write the inventory"))?;
        }
        report.at_commit = true;
        Ok(())
    }
}

/// What came of sending an object.
enum Sent {
    /// It is as it was sent.
    Done,
    /// It was not sent: what is there is not what was approved.
    Moved,
}

/// What one change needs.
#[derive(Clone, Copy)]
struct Worker<'a> {
    survey: &'a Survey,
    cluster: &'a Cluster,
    inventory: &'a Inventory,
    approval: Option<&'a Approval>,
}

impl Worker<'_> {
    /// Makes one change.
    async fn change(self, change: &Change) -> Outcome {
        let Some(served) = endpoint(self.survey, change) else {
            return Outcome::Failed(reason("its kind is not served"));
        };
        let done = match (change.action, &change.send, &change.live) {
            (Action::Delete, _, Some(live)) => {
                let id = self.inventory.id();
                let is_meant =
                    |now: &Object| ownership::is_ours(now, &id) && self.is_approved(change, now);
                self.cluster.delete(&served, live, &is_meant).await.map(|deleted| match deleted {
                    Deleted::Gone => Outcome::Done,
                    Deleted::Going => Outcome::Going,
                    Deleted::NotMeant => Outcome::Failed(reason(
                        "it was taken over, changed or made anew since it was looked at",
                    )),
                })
            }
            (_, Some(send), _) => self.apply(&served, change, send).await,
            (_, None, _) => return Outcome::Failed(reason("there is nothing to send")),
        };
        done.unwrap_or_else(|error| self.failed(&error, change))
    }

    /// What the server refused, and where in the files that is.
    fn failed(self, error: &ApiError, change: &Change) -> Outcome {
        let causes = error.causes().to_vec();
        let causes = match self.survey.desired.objects.get(&change.key) {
            Some(manifest) => manifest.located(causes),
            None => causes,
        };
        Outcome::Failed(Reason { message: error.to_string(), hint: error.hint(), causes })
    }

    /// Applies one object; where what it needs was made a moment ago, gives that a moment to work.
    async fn apply(
        self,
        served: &Served,
        change: &Change,
        send: &Object,
    ) -> Result<Outcome, ApiError> {
        let end = std::time::Instant::now() + DEFINITION_PATIENCE;
        loop {
            match self.send(served, change, send).await {
                Err(error)
                    if self.is_about_to_work(&error, change) && std::time::Instant::now() < end =>
                {
                    tokio::time::sleep(TRY_AGAIN).await;
                }
                Err(error) => return Err(error),
                Ok(Sent::Done) => break,
                Ok(Sent::Moved) => {
                    let why = "it moved since it was looked at, and that was not approved";
                    return Ok(Outcome::Failed(reason(why)));
                }
            }
        }
        if is_crd(&change.key) {
            let established = self
                .cluster
                .until_established(served, &change.key.name, DEFINITION_PATIENCE)
                .await?;
            return Ok(match established {
                Ok(()) => Outcome::Done,
                Err(why) => Outcome::Failed(reason(&why)),
            });
        }
        Ok(Outcome::Done)
    }

    /// Sends one object. Where a plan was approved, only over the very state that was looked at; of
    /// a state that moved, say by a controller that writes the status, it is looked whether the
    /// approved difference is still the same.
    async fn send(self, served: &Served, change: &Change, send: &Object) -> Result<Sent, ApiError> {
        let Some(approval) = self.approval else {
            return self.cluster.apply(served, send).await.map(|_| Sent::Done);
        };
        let mut seen = change.live.clone();
        for _ in 0..SEND_TRIES {
            match self.cluster.apply_over(served, send, seen.as_ref()).await {
                Err(error) if error.is_conflict() => {}
                done => return done.map(|_| Sent::Done),
            }
            let now = self.cluster.look_again(served, send).await;
            let Observation::Seen { live, preview } = now else { return Ok(Sent::Moved) };
            let merged = match preview {
                Some(Preview::Same) => return Ok(Sent::Done),
                Some(Preview::Merged(merged)) => Some(merged),
                _ => return Ok(Sent::Moved),
            };
            let action = if live.is_some() { Action::Update } else { Action::Create };
            let now = Change { action, live, merged, ..change.clone() };
            if !approval.holds(&now, self.survey.redactor()) {
                return Ok(Sent::Moved);
            }
            seen = now.live;
        }
        Ok(Sent::Moved)
    }

    /// Whether a change was approved for an object that is `now` like this, where approval counts.
    fn is_approved(self, change: &Change, now: &Object) -> bool {
        let now = || Change { live: Some(now.clone()), ..change.clone() };
        self.approval.is_none_or(|approval| approval.holds(&now(), self.survey.redactor()))
    }

    /// Whether an error is the kind that ends by itself: a kind that was established in this run
    /// and is not served everywhere yet, or a namespace so new that its service account is missing.
    fn is_about_to_work(self, error: &ApiError, change: &Change) -> bool {
        let kind = change.key.group_kind();
        let new_kind = || self.survey.catalog.is_defined(&kind);
        (error.is_not_found() && error.missing_namespace().is_none() && new_kind())
            || (error.is_forbidden()
                && error.to_string().contains("error looking up service account"))
    }
}

/// Where an object of the plan is served.
fn endpoint(survey: &Survey, change: &Change) -> Option<Served> {
    survey.catalog.endpoint(&change.key.group_kind(), &change.version)
}

/// The change that creates the namespace `name`, if the plan has it.
fn created_namespace<'a>(plan: &'a Plan, name: &str) -> Option<&'a Change> {
    plan.changes().find(|change| {
        change.action == Action::Create && is_namespace(&change.key) && change.key.name == name
    })
}

/// Whether the namespace that the record is kept in is deleted, and the record with it.
fn ends_home(action: Action, key: &ObjectKey, inventory: &Inventory) -> bool {
    action == Action::Delete && is_namespace(key) && key.name == inventory.namespace
}

fn reason(message: &str) -> Reason {
    Reason { message: message.to_owned(), hint: None, causes: Vec::new() }
}
