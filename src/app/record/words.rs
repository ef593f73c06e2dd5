//! The words of a round's Event, and of the warnings about records that could not be written.

use std::io;
use std::path::Path;
use std::time::Duration;

use crate::cluster::{ApiError, HistoryError};
use crate::core::history::{Cause, RunOutcome, RunRecord};
use crate::core::inventory::Inventory;
use crate::core::source::snapshot::short;

/// The one word that an Event has for an outcome.
pub(super) fn reason(outcome: RunOutcome) -> &'static str {
    match outcome {
        RunOutcome::Healthy => "Healthy",
        RunOutcome::Applied => "Applied",
        RunOutcome::Unhealthy => "Unhealthy",
        RunOutcome::Failed => "Failed",
        RunOutcome::RolledBack => "RolledBack",
        RunOutcome::Refused => "Refused",
        RunOutcome::Interrupted => "Interrupted",
        RunOutcome::Killed => "Killed",
    }
}

/// `4f2c1a9 "Third replica for web": 1 to create, 2 to update, 3 made, by alice on build-3; …`
pub(super) fn message(record: &RunRecord) -> String {
    let commit = &record.commit;
    let cause = match record.cause {
        Cause::Deployment => "",
        Cause::Drift => "drift, ",
        Cause::Cleanup => "cleaning up, ",
        Cause::Removal => "removal, ",
    };
    // The quotes are ours: a subject with its own stays readable.
    let subject = commit.subject.replace(char::is_control, " ");
    let dirty = if commit.dirty { " with changes that are not committed" } else { "" };
    let counts = record.counts.iter().filter(|(_, count)| **count > 0);
    let counts: Vec<String> =
        counts.map(|(action, count)| format!("{count} to {action}")).collect();
    let counts = match counts.as_slice() {
        [] => "nothing to do".to_owned(),
        counts => format!("{}, {} done", counts.join(", "), record.changed),
    };
    let by = record.by.user.as_deref().unwrap_or(&record.by.login);
    let back = record.rollback.as_ref().and_then(|it| it.to.as_deref());
    let back = back.map(|to| format!("; back to {}", short(to))).unwrap_or_default();
    let reason = record.reason.as_deref().map(|why| format!("; {why}")).unwrap_or_default();
    format!(
        "{} ‹{subject}›{dirty}: {cause}{counts}, by {by} on {}{back}{reason}",
        short(&commit.id),
        record.by.host,
    )
}

/// That this machine's log was not written.
pub(super) fn not_logged(folder: &Path, error: &io::Error) -> String {
    format!("cannot record this run in {}: {error}", folder.display())
}

/// That the cluster's history was not written; nothing where there is no place for it yet.
pub(super) fn not_recorded(error: &HistoryError) -> Option<String> {
    match error {
        HistoryError::Api(error) if error.missing_namespace().is_some() => None,
        HistoryError::Foreign { .. } => {
            Some(format!("this run is not recorded in the cluster: {error}"))
        }
        HistoryError::Api(error) => Some(format!(
            "cannot record this run in the cluster, the next one tries again: {error}"
        )),
    }
}

/// That there is no Event.
pub(super) fn no_event(inventory: &Inventory, error: &ApiError) -> Option<String> {
    if error.missing_namespace().is_some() {
        return None;
    }
    let namespace = &inventory.namespace;
    Some(match error.is_forbidden() {
        true => format!("no right to create Events in namespace {namespace}: {error}"),
        false => format!("cannot create an Event in namespace {namespace}: {error}"),
    })
}

/// That the server took too long.
pub(super) fn too_slow(patience: Duration) -> String {
    let seconds = patience.as_secs();
    format!("cannot record this run in the cluster within {seconds} s, the next one tries again")
}
