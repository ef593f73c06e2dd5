//! The content of a record. Every text has been through the survey's redactor.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};

use super::{Ended, RecordedPlace};
use crate::app::trust::JudgedBy;
use crate::app::{Error, Survey};
use crate::core::history::{
    Cause, CommitHealth, ImageChange, Phases, RanBy, RecordedCluster, RecordedCommit,
    RecordedObject, RunOutcome, RunRecord, RunRollback, image_changes, record_id,
};
use crate::core::object::ObjectKey;
use crate::core::plan::{Action, Change};
use crate::core::report::{Outcome, Report, RollbackOutcome};
use crate::core::source::snapshot::Revision;
use crate::core::verification::Standing;

/// The parts of a record besides the survey.
pub(super) struct Filled<'a> {
    pub(super) place: RecordedPlace<'a>,
    /// The id of the record, where it has one already.
    pub(super) id: Option<String>,
    pub(super) by: RanBy,
    pub(super) phases: Phases,
    /// How long the round took.
    pub(super) took: Duration,
    pub(super) ended: Ended<'a>,
}

/// The record of a round.
pub(super) fn fill(survey: &Survey, filled: Filled<'_>) -> RunRecord {
    let Filled { place, id, by, phases, took, ended } = filled;
    let report = match ended {
        Ended::Report(report) => Some(report),
        Ended::Not | Ended::Error(_) => None,
    };
    let now = Timestamp::now();
    let started = SignedDuration::try_from(took).ok().and_then(|took| now.checked_sub(took).ok());
    let started = started.unwrap_or(now);
    let outcome = match ended {
        Ended::Not => RunOutcome::Killed,
        Ended::Report(report) => outcome(report),
        Ended::Error(Error::Lost(_) | Error::Superseded(_) | Error::Stopped) => {
            RunOutcome::Interrupted
        }
        Ended::Error(_) => RunOutcome::Failed,
    };
    let rollback = report.and_then(|report| report.rollback.as_ref());
    let back = rollback.and_then(|it| it.report.as_ref()).map_or(0, |report| report.done());
    let (plan, counts) = digest(survey);
    let (objects, images) = objects(survey, report);
    let record = RunRecord {
        id: id.unwrap_or_else(|| new_id(started)),
        target: place
            .target
            .declared
            .clone()
            .unwrap_or_else(|| place.target.inventory.name.clone()),
        inventory: place.target.inventory.clone(),
        repository: survey.decided.after.repository.clone(),
        cluster: cluster(place, survey.found.cluster_uid.clone()),
        commit: commit(survey),
        before: survey.found.before.as_ref().and_then(|before| before.revision.clone()),
        cause: cause(survey),
        by,
        started,
        ended: now,
        phases,
        plan,
        counts,
        objects,
        more_objects: 0,
        images,
        more_images: 0,
        outcome,
        changed: report.map_or(0, Report::done) + back,
        reason: match ended {
            Ended::Not => None,
            Ended::Report(report) => why(survey, report, outcome),
            Ended::Error(error) => Some(survey.redactor().text(&of_error(error))),
        },
        health: report.and_then(health),
        rollback: rollback
            .map(|it| RunRollback { to: it.to.clone(), outcome: it.outcome.code().to_owned() }),
        requests: place.cluster.counted(),
    };
    record.bounded()
}

/// The record of a commit that was refused before there was a plan. Nothing of it was applied.
pub(super) fn of_refused(
    place: RecordedPlace<'_>,
    by: &RanBy,
    revision: &Revision,
    reason: Option<String>,
) -> RunRecord {
    let now = Timestamp::now();
    let root = place.checkout.root_commit(revision);
    let record = RunRecord {
        id: new_id(now),
        target: place
            .target
            .declared
            .clone()
            .unwrap_or_else(|| place.target.inventory.name.clone()),
        inventory: place.target.inventory.clone(),
        repository: root.map(|root| root.0).unwrap_or_default(),
        cluster: cluster(place, None),
        commit: RecordedCommit {
            id: revision.commit.clone(),
            named: revision.tracked.clone().unwrap_or_else(|| revision.named.clone()),
            subject: revision.summary.clone(),
            author: revision.author.clone(),
            time: revision.time,
            dirty: revision.dirty,
            signer: None,
            verdict: None,
        },
        before: None,
        cause: Cause::Deployment,
        by: by.clone(),
        started: now,
        ended: now,
        phases: Phases::default(),
        plan: String::new(),
        counts: BTreeMap::new(),
        objects: Vec::new(),
        more_objects: 0,
        images: Vec::new(),
        more_images: 0,
        outcome: RunOutcome::Refused,
        changed: 0,
        reason,
        health: None,
        rollback: None,
        requests: place.cluster.counted(),
    };
    record.bounded()
}

fn new_id(started: Timestamp) -> String {
    let random = RandomState::new().hash_one(started.as_nanosecond());
    record_id(started, u32::try_from(random >> 32).unwrap_or_default())
}

fn cluster(place: RecordedPlace<'_>, uid: Option<String>) -> RecordedCluster {
    let (context, server) = (place.cluster.name().to_owned(), place.cluster.url().to_owned());
    RecordedCluster { uid, context, server }
}

fn commit(survey: &Survey) -> RecordedCommit {
    let (revision, redactor) = (&survey.found.revision, survey.redactor());
    let (signer, verdict) = match &survey.found.judged.by {
        JudgedBy::NoRule => (None, None),
        JudgedBy::Trusted(Standing::Trusted { signer, .. }) => {
            (Some(signer.clone()), Some("trusted".to_owned()))
        }
        JudgedBy::Trusted(Standing::Refused { fault, .. }) => (None, Some(fault.word().to_owned())),
        JudgedBy::Waived(_) => (None, Some("unverified".to_owned())),
    };
    let named = revision.tracked.as_ref().unwrap_or(&revision.named);
    RecordedCommit {
        id: revision.commit.clone(),
        named: redactor.text(named),
        subject: redactor.text(&revision.summary),
        author: redactor.text(&revision.author),
        time: revision.time,
        dirty: revision.dirty,
        signer,
        verdict,
    }
}

fn cause(survey: &Survey) -> Cause {
    let before = survey.found.before.as_ref().and_then(|before| before.revision.as_ref());
    match before == survey.decided.after.revision.as_ref() {
        _ if survey.found.is_removal => Cause::Removal,
        true if before.is_some() => Cause::Drift,
        _ => Cause::Deployment,
    }
}

/// How a round with a report ended.
fn outcome(report: &Report) -> RunOutcome {
    if let Some(rollback) = &report.rollback
        && matches!(rollback.outcome, RollbackOutcome::Healthy { .. })
    {
        return RunOutcome::RolledBack;
    }
    let is_cut = report.interrupted || report.lost.is_some() || report.superseded.is_some();
    match (report.at_commit, &report.proof) {
        _ if report.rollback.is_some() && !report.at_commit => RunOutcome::Failed,
        _ if is_cut && report.rollback.is_none() => RunOutcome::Interrupted,
        (true, None) => RunOutcome::Applied,
        (true, Some(proof)) if proof.is_ready() => RunOutcome::Healthy,
        (true, Some(_)) => RunOutcome::Unhealthy,
        (false, _) if report.done() + report.failed() + report.differing() == 0 => {
            RunOutcome::Refused
        }
        (false, _) => RunOutcome::Failed,
    }
}

/// A digest of the plan's actions, and how many there are of each.
fn digest(survey: &Survey) -> (String, BTreeMap<String, usize>) {
    let mut digest = Sha256::new();
    let mut counts = BTreeMap::new();
    let mut changes: Vec<(&ObjectKey, Action)> =
        work(survey).map(|change| (&change.key, change.action())).collect();
    changes.sort();
    for (key, action) in changes {
        for part in [&key.group, &key.kind, key.namespace.as_ref().unwrap_or(&key.group), &key.name]
        {
            digest.update(part.len().to_le_bytes());
            digest.update(part);
        }
        digest.update(action.name());
        *counts.entry(action.name().to_owned()).or_default() += 1;
    }
    let digest = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    (digest, counts)
}

/// The changes of a plan that do not leave an object as it is.
fn work(survey: &Survey) -> impl Iterator<Item = &Change> {
    survey.decided.plan.changes().filter(|change| change.action() != Action::Keep)
}

/// The objects of a plan with how each ended, and the images of what was changed.
fn objects(survey: &Survey, report: Option<&Report>) -> (Vec<RecordedObject>, Vec<ImageChange>) {
    let redactor = survey.redactor();
    let steps = report.map(|report| report.steps.as_slice()).unwrap_or_default();
    let steps: BTreeMap<&ObjectKey, &Outcome> =
        steps.iter().map(|step| (&step.key, &step.outcome)).collect();
    let (mut objects, mut images) = (Vec::new(), Vec::new());
    for change in work(survey) {
        let ended = steps.get(&change.key).copied();
        let outcome = match (ended, change.action()) {
            (_, Action::Refuse) => "refused",
            (Some(Outcome::Done), _) => "done",
            (Some(Outcome::Terminating), _) => "terminating",
            (Some(Outcome::Failed(_)), _) => "failed",
            (Some(Outcome::Differs(_)), _) => "differs",
            (Some(Outcome::Skipped(_)) | None, _) => "skipped",
            (Some(Outcome::Postponed(_)), _) => "postponed",
        };
        let is_made = matches!(outcome, "done" | "terminating" | "differs");
        objects.push(RecordedObject {
            key: change.key.clone(),
            action: change.action(),
            outcome: if report.is_some() { outcome } else { "unknown" }.to_owned(),
            origin: change.origin.as_ref().map(|it| format!("{}:{}", it.path, it.line)),
        });
        if is_made || report.is_none() {
            let sent = change.send().filter(|_| change.action() != Action::Refuse);
            images.extend(image_changes(&change.key, change.live(), sent));
        }
    }
    for image in &mut images {
        for text in [&mut image.before, &mut image.after].into_iter().flatten() {
            *text = redactor.text(text);
        }
    }
    (objects, images)
}

/// The one thing that a round failed or was refused for, with its place.
fn why(survey: &Survey, report: &Report, outcome: RunOutcome) -> Option<String> {
    if outcome.is_success() {
        return None;
    }
    let origin = |key: &ObjectKey| {
        let change = survey.decided.plan.changes().find(|change| change.key == *key);
        let origin = change.and_then(|change| change.origin.as_ref());
        origin.map(|it| format!("{}:{}: ", it.path, it.line)).unwrap_or_default()
    };
    let redactor = survey.redactor();
    let about = |key: &ObjectKey, why: &str| {
        // The place comes first: a long text is cut.
        format!("{}{key}: {}", origin(key), redactor.text_about(key, why))
    };
    let failed = |wanted: fn(&Outcome) -> bool| {
        let step = report.steps.iter().find(|step| wanted(&step.outcome))?;
        let reason = step.outcome.reason()?;
        Some(about(&step.key, &reason.to_string()))
    };
    let refused = || {
        let change = work(survey).find(|change| change.action() == Action::Refuse)?;
        Some(about(&change.key, &change.reason.as_ref()?.to_string()))
    };
    let unusable = || {
        let problem = survey.masked_problems().into_iter().next()?;
        Some(format!("{}: {}", problem.place(), problem.message()))
    };
    let unhealthy = || {
        let first = report.proof.as_ref()?.others.first()?;
        Some(about(&first.key, &first.health.why))
    };
    let cut = || match (&report.superseded, &report.lost) {
        (Some(newer), _) => {
            Some(format!("{newer} has arrived")).filter(|_| outcome == RunOutcome::Interrupted)
        }
        (None, Some(to)) => Some(format!("lost the lock to {to}")),
        (None, None) if report.interrupted => Some("interrupted".to_owned()),
        (None, None) => None,
    };
    let is_failed = |outcome: &Outcome| matches!(outcome, Outcome::Failed(_));
    let is_odd = |outcome: &Outcome| matches!(outcome, Outcome::Differs(_));
    let is_skipped = |outcome: &Outcome| matches!(outcome, Outcome::Skipped(_));
    failed(is_failed)
        .or_else(|| failed(is_odd))
        .or_else(cut)
        .or_else(unhealthy)
        .or_else(refused)
        .or_else(unusable)
        .or_else(|| failed(is_skipped))
}

/// How the objects were, where they were looked at.
fn health(report: &Report) -> Option<CommitHealth> {
    let proof = report.proof.as_ref()?;
    let (ready, progressing, failed) = (proof.ready, proof.progressing(), proof.failed());
    Some(CommitHealth { ready, progressing, failed })
}

/// An error as one line, with the first of the problems that it is about.
pub(super) fn of_error(error: &Error) -> String {
    use std::error::Error as _;
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    match error.problems().first() {
        Some(problem) => format!("{text}: {}: {}", problem.place(), problem.message()),
        None => text,
    }
}
