//! The consequences of a commit's health: a healthy one is noted in the inventory's parent. Where
//! one fails, the last healthy one is applied, with all prunes and guards.

use std::time::Duration;

use jiff::Timestamp;

use super::survey::api;
use super::{Error, Lock, LockOptions, Survey, Target, take};
use crate::cluster::Cluster;
use crate::core::health::{HealthState, WaitEnd};
use crate::core::inventory::{Inventory, Record};
use crate::core::lease::LeaseWatch;
use crate::core::object::ObjectKey;
use crate::core::plan::Action;
use crate::core::report::{Report, Rollback, RollbackOutcome, Shortfall};
use crate::core::source::snapshot::Revision;
use crate::git::Checkout;
use crate::local::cancel::Cancellation;

/// The record that the parent should hold now that everything was seen healthy; `None` where it
/// holds it already, or not everything was.
pub fn newly_healthy(report: &Report) -> Option<Record> {
    let proof = report.proof.as_ref().filter(|proof| proof.is_ready())?;
    let is_seen = proof.ended == WaitEnd::Ready && report.at_commit && report.lost.is_none();
    report.recorded.as_ref().filter(|_| is_seen)?.healthy(Timestamp::now())
}

/// The record without the Jobs that were seen to fail: one that its TTL took away then is not done.
fn without_failed_jobs(report: &Report) -> Option<Record> {
    let (recorded, proof) = report.recorded.as_ref().zip(report.proof.as_ref())?;
    let is_failed = |key: &ObjectKey| {
        proof.others.iter().any(|it| it.key == *key && it.health.state == HealthState::Failed)
    };
    let mut record = recorded.clone();
    record.finished.retain(|key| !is_failed(key));
    (record != *recorded && report.lost.is_none()).then_some(record)
}

/// Notes in the inventory's parent that the commit is healthy, or which Jobs failed, where that is
/// new. A run that had
/// nothing else to write takes the lock for it; while another run writes it does without, and the
/// next run will note it.
///
/// # Errors
///
/// When the parent can't be written.
pub async fn note_health(
    survey: &Survey,
    target: &Target,
    cluster: &Cluster,
    report: &mut Report,
    lock: &Lock<'_>,
) -> Result<(), Error> {
    let record = newly_healthy(report).or_else(|| without_failed_jobs(report));
    let Some(record) = record else { return Ok(()) };
    let inventory = &target.inventory;
    let write = async |cluster: &Cluster| {
        let written = cluster.record(inventory, &record).await;
        written.map_err(api("write the inventory"))
    };
    if lock.is_to_be_had() {
        let patience = LockOptions {
            timeout: Duration::ZERO,
            passing: Duration::ZERO,
            watched: &mut LeaseWatch::default(),
            tenure: None,
            cancel: &Cancellation::default(),
            events: &mut |_| {},
        };
        let Ok(lock) = take(survey, cluster, inventory, lock.who(), patience).await else {
            return Ok(());
        };
        // Others may have been here since; what they wrote must not be undone.
        let is_current = match lock.is_stale {
            true => cluster.parent(inventory).await.is_ok_and(|parent| {
                let now = parent.and_then(|parent| inventory.read(&parent).ok());
                now == report.recorded
            }),
            false => true,
        };
        let written = if is_current { write(&lock.fenced()).await } else { Ok(()) };
        lock.release().await;
        written?;
        if !is_current {
            return Ok(());
        }
    } else if lock.lost().is_none() {
        write(cluster).await?;
    } else {
        return Ok(());
    }
    report.recorded = Some(record);
    Ok(())
}

/// Whether what came of a commit is a reason to go back: something could not be changed, is not as
/// it was to be, or did not get healthy, also before others that come after it. What is refused or
/// can't be read is none, and neither is anything where a newer commit has come.
pub fn is_failure(survey: &Survey, report: &Report) -> bool {
    let unhealthy = |proof: &crate::core::health::HealthSummary| {
        matches!(proof.ended, WaitEnd::Failed | WaitEnd::Timeout) && !proof.is_ready()
    };
    let is_over = !report.interrupted && report.lost.is_none() && report.superseded.is_none();
    let is_stuck = report.skipped() > 0 && survey.is_sound();
    let went_wrong = report.failed() + report.differing() > 0;
    is_over && (went_wrong || is_stuck || report.proof.as_ref().is_some_and(unhealthy))
}

/// The commit to go back to.
///
/// # Errors
///
/// When there is none.
pub fn rollback_revision(
    failed: &Survey,
    checkout: &Checkout,
) -> Result<Revision, RollbackOutcome> {
    let past = failed.found.before.as_ref().map(|before| &before.past);
    let healthy =
        past.and_then(|past| past.healthy.as_ref()).ok_or(RollbackOutcome::NoHealthyCommit)?;
    if failed.decided.after.revision.as_ref() == Some(&healthy.what) {
        return Err(RollbackOutcome::SameCommit);
    }
    let commit = healthy.what.clone();
    let resolved = checkout.resolve(Some(&healthy.what));
    resolved.map_err(|_| RollbackOutcome::CommitMissing { commit })
}

/// Checks that the commit which failed is still the one that the inventory's parent names, or that
/// the parent was not written since the failed commit was surveyed.
///
/// # Errors
///
/// When another run has made another commit true.
pub fn check_not_overtaken(now: &Survey, failed: &Survey) -> Result<(), Error> {
    let recorded =
        |survey: &Survey| survey.found.before.as_ref().and_then(|it| it.revision.clone());
    let now = recorded(now);
    match now == recorded(failed) || now == failed.decided.after.revision {
        true => Ok(()),
        false => Err(Error::Overtaken(now)),
    }
}

/// Notes in the inventory's parent which commit failed, where the rollback from it came only part of
/// the way.
///
/// # Errors
///
/// When the parent can't be written.
pub async fn note_failure(
    back: &Survey,
    failed: &Survey,
    inventory: &Inventory,
    cluster: &Cluster,
) -> Result<(), Error> {
    let mut claim = Record::claim(back.found.before.as_ref(), &back.decided.after);
    claim.past.failed.clone_from(&failed.decided.after.revision);
    cluster.record(inventory, &claim).await.map_err(api("write the inventory"))
}

/// The report of a rollback, without what only its survey knows to be secret.
pub fn rolled_back(survey: &Survey, report: Report) -> Rollback {
    let commit = survey.found.revision.commit.clone();
    let to = Some(commit.clone());
    let outcome = match (report.at_commit, &report.superseded) {
        (true, _) if report.is_good() && report.proof.is_some() => {
            RollbackOutcome::Healthy { commit }
        }
        (true, Some(newer)) => RollbackOutcome::Superseded { commit, newer: newer.clone() },
        (true, None) => RollbackOutcome::Unhealthy { commit },
        (false, _) => {
            let shortfall = Shortfall {
                failed: report.failed(),
                differing: report.differing(),
                refused: survey.decided.plan.count(Action::Refuse),
                unusable: survey.found.desired.problems.len(),
                skipped: report.skipped(),
            };
            RollbackOutcome::Partial { commit, shortfall }
        }
    };
    let report = Some(Box::new(report.into_masked(survey.redactor())));
    Rollback { to, outcome, report }
}
