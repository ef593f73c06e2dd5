//! The answers of all contexts put together, with the rounds that only this machine knows.

use std::collections::BTreeSet;
use std::time::Instant;

use jiff::Timestamp;

use super::contexts::{ContextAnswer, Question};
use super::merge;
use crate::cli::machine_file;
use crate::cli::present::status::{ContextView, StatusView};
use crate::core::history::{RunRecord, Summary};
use crate::core::status::TargetStatus;
use crate::git::Checkout;

/// The answers of all contexts.
pub(super) struct Found {
    pub(super) rows: Vec<TargetStatus>,
    pub(super) contexts: Vec<ContextView>,
    fetched: Option<Timestamp>,
    requests: usize,
}

impl Found {
    /// Puts the answers together, and adds the rounds that only this machine knows: for a page all of them.
    pub(super) fn of(answers: Vec<ContextAnswer>, question: &Question<'_>, is_page: bool) -> Self {
        let contexts = answers.iter().map(ContextAnswer::view).collect();
        let requests = answers.iter().map(|answer| answer.requests).sum();
        let mut rows = merge::merged(answers, &question.names, question.are_listed);
        add_rounds_of_machine(&mut rows, question.checkout, is_page);
        Self { rows, contexts, fetched: question.checkout.last_fetch(), requests }
    }

    pub(super) fn view(&self, has_images: bool, begin: Instant) -> StatusView<'_> {
        let Self { rows, contexts, fetched, requests } = self;
        StatusView {
            rows,
            contexts,
            fetched: *fetched,
            now: Timestamp::now(),
            has_images,
            requests: *requests,
            elapsed: begin.elapsed(),
        }
    }
}

/// Adds the rounds that this machine's own log has: where the cluster has none, and `always` those that are
/// gone from the cluster, as for a page.
fn add_rounds_of_machine(rows: &mut [TargetStatus], checkout: &Checkout, always: bool) {
    let is_wanted = |row: &TargetStatus| always || row.last.is_none() && row.runs.is_some();
    if !rows.iter().any(is_wanted) {
        return;
    }
    let records = machine_file::history_log().and_then(|log| log.records().ok());
    let Some(records) = records else { return };
    let repository = checkout.root_of_head().map(|root| root.0);
    for row in rows.iter_mut().filter(|row| is_wanted(row)) {
        let known: BTreeSet<&str> = row.history.iter().map(|round| round.id.as_str()).collect();
        let own = records.iter().filter(|record| {
            is_round_of(record, row, repository.as_deref()) && !known.contains(record.id.as_str())
        });
        let own: Vec<Summary> = own.map(Summary::of).collect();
        row.history.extend(own);
        row.history.sort_by(|one, other| (one.started, &one.id).cmp(&(other.started, &other.id)));
        row.last = row.history.last().cloned();
    }
}

/// Whether a round of the log is of this target. The log has those of all repositories, whose targets may
/// have the same name, and before the first apply even the same inventory.
fn is_round_of(record: &RunRecord, row: &TargetStatus, repository: Option<&str>) -> bool {
    let is_there = match (&record.cluster.uid, &row.cluster_uid) {
        (Some(then), Some(now)) => then == now,
        _ => record.cluster.context == row.context,
    };
    let is_named = match &row.inventory {
        Some(inventory) => record.inventory == *inventory,
        None => record.target == row.target,
    };
    // A shallow clone may know its first commit by another id than the inventory has.
    let is_ours = row.runs.is_some() && row.inventory.is_some()
        || repository.is_none_or(|id| record.repository == id);
    is_there && is_named && is_ours
}
