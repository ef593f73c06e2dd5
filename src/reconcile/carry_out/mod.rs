//! Does what a plan says: widens the record, goes through the waves, and narrows the record again.
//! What one change takes is [`worker`]'s, how deletions end [`departure`]'s.
//!
//! Killed at any instant, the next run finishes the job: whatever exists is in the record before it
//! is made, and leaves the record only after it is gone.

mod departure;
mod worker;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::stream::{self, StreamExt as _};

use self::departure::ends_home;
use self::worker::Worker;
use super::survey::api;
use super::{Error, Survey};
use crate::approval::Approval;
use crate::catalog::is_namespace;
use crate::cluster::Cluster;
use crate::inventory::{Inventory, Record};
use crate::object::ObjectKey;
use crate::plan::{Action, Change, Plan, Reason, Wave};
use crate::report::{Outcome, Report, Step};

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

/// The change that creates the namespace `name`, if the plan has it.
fn created_namespace<'a>(plan: &'a Plan, name: &str) -> Option<&'a Change> {
    plan.changes().find(|change| {
        change.action == Action::Create && is_namespace(&change.key) && change.key.name == name
    })
}

fn reason(message: &str) -> Reason {
    Reason { message: message.to_owned(), hint: None, causes: Vec::new() }
}
