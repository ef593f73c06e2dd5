//! The inventory's record while a plan is carried out: widened before the first write and narrowed
//! after the last.

use jiff::Timestamp;

use super::ApplyRun;
use super::deletion::ends_home;
use crate::app::survey::api;
use crate::app::{Error, Lock};
use crate::cluster::ApiError;
use crate::core::inventory::{Record, TimedCommit};
use crate::core::kinds::catalog::is_namespace;
use crate::core::object::ObjectKey;
use crate::core::plan::{Action, Change, Plan};
use crate::core::report::{ChangeOutcome, Outcome};

impl ApplyRun<'_> {
    /// Records everywhere that members may be from now on. Where the record's own namespace is
    /// part of the commit, that namespace is made first: there is nowhere else to write.
    pub(super) async fn widen(&mut self) -> Result<(), Error> {
        let claim = self.claim();
        if self.survey.found.before.as_ref() == Some(&claim) {
            return Ok(());
        }
        let home = self.course.inventory.namespace.clone();
        if let Some(change) = created_namespace(&self.survey.decided.plan, &home) {
            let outcome = self.change(change).await;
            self.note(change, outcome);
        }
        self.course.lock.settle(self.cluster).await?;
        self.still_locked()?;
        match self.cluster.record(self.course.inventory, &claim).await {
            Err(error) if error.is_not_found() => Err(Error::NoNamespace(home)),
            recorded => under(self.course.lock, recorded),
        }
    }

    /// The content of the record while the plan is carried out.
    fn claim(&self) -> Record {
        let mut claim =
            Record::claim(self.survey.found.before.as_ref(), &self.survey.decided.after);
        claim.past.objects = self.survey.decided.plan.begins_with.or(claim.past.objects);
        claim
    }

    /// Records which Jobs were run though not all went well: they would run again each time.
    async fn record_jobs(&self) -> Result<(), Error> {
        let Self { survey, cluster, course, report, .. } = self;
        let mut claim = self.claim();
        let made = |key: &ObjectKey| {
            let mut steps = report.steps.iter().filter(|step| step.key == *key);
            let is_done = steps.all(|step| step.outcome == Outcome::Done);
            is_done && !self.unready.contains_key(key)
        };
        let known = std::mem::replace(&mut claim.finished, survey.decided.after.finished.clone());
        let mut changes = survey.decided.plan.changes();
        let is_begun = changes.any(Change::is_work) && !report.steps.is_empty();
        claim.finished.retain(made);
        let is_there = survey.found.before.is_some() || report.done() > 0;
        if claim.finished == known || !is_there || !is_begun {
            return Ok(());
        }
        let recorded = cluster.record(course.inventory, &claim).await;
        under(course.lock, recorded)
    }

    /// Whether the lock is still ours, or who has it.
    fn still_locked(&self) -> Result<(), Error> {
        self.course.lock.lost().map_or(Ok(()), |to| Err(Error::Lost(to)))
    }

    /// Records what is there now, and the commit if all of it is true. After anything went wrong
    /// the record stays as wide as it is.
    pub(super) async fn narrow(&mut self) -> Result<(), Error> {
        let unlisted = self.still_unlisted().await;
        let Self { survey, cluster, course, report, pending, .. } = self;
        report.interrupted = course.cancel.is_interrupted() && report.skipped() > 0;
        report.lost = course.lock.lost();
        // They may hold what is to be pruned.
        report.unlisted = unlisted.iter().filter(|kind| !kind.is_forbidden).count();
        let clean = report.unfinished() + report.unlisted == 0 && survey.is_sound();
        if report.lost.is_some() {
            return Ok(());
        }
        if !clean {
            return self.record_jobs().await;
        }
        let went =
            |step: &ChangeOutcome| ends_home(step.action, &step.key, &course.inventory.namespace);
        if survey.is_nothing() || report.steps.iter().any(went) {
            // The record does not exist, or was deleted with all else.
            report.at_commit = true;
            return Ok(());
        }
        let mut after = survey.record(&unlisted);
        after.extend(pending.iter().map(|change| &change.key));
        let is_left = |step: &&ChangeOutcome| matches!(step.outcome, Outcome::Postponed(_));
        after.extend(report.steps.iter().filter(is_left).map(|step| &step.key));
        if survey.found.is_removal && after.kinds.is_empty() {
            let removed = cluster.remove_parent(course.inventory).await;
            removed.map_err(api("delete the inventory"))?;
            report.at_commit = true;
            return Ok(());
        }
        if survey.found.before.as_ref() != Some(&after) {
            if survey.found.before.as_ref().and_then(|before| before.revision.as_ref())
                != after.revision.as_ref()
            {
                let by = course.lock.who().person();
                after.past.applied = Some(TimedCommit { what: by, at: Timestamp::now() });
            }
            let recorded = cluster.record(course.inventory, &after).await;
            under(course.lock, recorded)?;
        }
        report.recorded = Some(after);
        report.at_commit = true;
        Ok(())
    }
}

/// The result of writing the record. Where the lock was lost meanwhile, that is why it failed.
fn under(lock: &Lock<'_>, recorded: Result<(), ApiError>) -> Result<(), Error> {
    recorded.map_err(|error| match lock.lost() {
        Some(to) => Error::Lost(to),
        None => api("write the inventory")(error),
    })
}

/// The change that makes the namespace `name`, if the plan has it.
fn created_namespace<'a>(plan: &'a Plan, name: &str) -> Option<&'a Change> {
    plan.changes().find(|change| {
        let is_made = matches!(change.action(), Action::Create | Action::Replace);
        is_made && is_namespace(&change.key) && change.key.name == name
    })
}
