//! The rows of all contexts as one table: each target where it belongs.

use std::collections::BTreeSet;

use super::contexts::ContextAnswer;
use crate::app::status::StatusRow;
use crate::core::status::{SyncState, TargetStatus};

/// The rows in the order of the targets' `names`, each target's in that of the contexts.
///
/// Where the contexts were listed, a target of another cluster is left out. One that was applied in some
/// context is shown only there; one that was applied in none is shown once.
pub(super) fn merged(
    answers: Vec<ContextAnswer>,
    names: &[String],
    are_listed: bool,
) -> Vec<TargetStatus> {
    let rows = answers.into_iter().flat_map(|answer| {
        let (context, server, uid) = (answer.context, answer.server, answer.cluster_uid);
        answer.rows.into_iter().filter_map(move |row| match row {
            StatusRow::Here(status) => Some(*status),
            StatusRow::Elsewhere { .. } if are_listed => None,
            StatusRow::Elsewhere { name, why } => Some(TargetStatus {
                context: context.clone(),
                server: server.clone(),
                cluster_uid: uid.clone(),
                ..TargetStatus::unknown(&name, why)
            }),
        })
    });
    let rows: Vec<TargetStatus> = rows.collect();
    in_order(rows, names, are_listed)
}

fn in_order(mut rows: Vec<TargetStatus>, names: &[String], are_listed: bool) -> Vec<TargetStatus> {
    if are_listed {
        let is_applied = |row: &&TargetStatus| row.state != SyncState::NotApplied;
        let mut known: BTreeSet<String> =
            rows.iter().filter(is_applied).map(|row| row.target.clone()).collect();
        rows.retain(|row| is_applied(&row) || known.insert(row.target.clone()));
    }
    let place = |row: &TargetStatus| {
        let place = names.iter().position(|name| *name == row.target);
        (row.state == SyncState::Removed, place.unwrap_or(names.len()))
    };
    rows.sort_by_key(place);
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(target: &str, context: &str, state: SyncState) -> TargetStatus {
        let row = TargetStatus::unknown(target, String::new());
        TargetStatus { context: context.to_owned(), state, ..row }
    }

    fn shown(rows: Vec<TargetStatus>, are_listed: bool) -> Vec<String> {
        let names = ["prod".to_owned(), "edge".to_owned(), "new".to_owned()];
        let rows = in_order(rows, &names, are_listed).into_iter();
        rows.map(|row| format!("{}@{}", row.target, row.context)).collect()
    }

    #[test]
    fn target_is_shown_where_it_was_applied_or_else_once() {
        let rows = || {
            vec![
                row("new", "eu", SyncState::NotApplied),
                row("edge", "eu", SyncState::InSync),
                row("old", "eu", SyncState::Removed),
                row("prod", "eu", SyncState::NotApplied),
                row("prod", "us", SyncState::InSync),
                row("edge", "us", SyncState::Drifted),
                row("new", "us", SyncState::NotApplied),
            ]
        };
        let listed = ["prod@us", "edge@eu", "edge@us", "new@eu", "old@eu"];
        assert_eq!(shown(rows(), true), listed);
        assert_eq!(shown(rows(), false).len(), 7);
    }
}
