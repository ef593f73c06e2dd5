//! How one change keeps another from being tried, in words.

use super::reason;
use crate::plan::graph::Why;
use crate::plan::queue::{Blocker, End};
use crate::plan::{Action, Change, Reason};
use crate::report::Outcome;

/// How a change ended, for those that wait for it.
pub(super) fn how_it_ended(outcome: &Outcome) -> End {
    match outcome {
        Outcome::Done => End::Well,
        Outcome::Going => End::Going,
        Outcome::Failed(_) | Outcome::Skipped(_) => End::Badly,
    }
}

/// What an object on which there is nothing to do means to those that wait for it.
pub(super) fn how_it_stays(change: &Change) -> End {
    match change.action {
        Action::Refuse => End::Badly,
        _ if change.is_going() => End::Going,
        _ => End::Well,
    }
}

/// Why something is not tried that waited for `cause`.
pub(super) fn why(cause: &Change, blocker: Blocker, is_deleting: bool) -> Reason {
    let Blocker { object: _, why, end } = blocker;
    let key = &cause.key;
    let fate = match (end, cause.action) {
        (End::Going, _) => "is still being deleted",
        (End::Unready, _) => "is not ready",
        (_, Action::Refuse) => "is refused",
        _ => "failed",
    };
    let text = match (is_deleting, why) {
        (false, Why::Wave) => format!("{key} of an earlier wave {fate}"),
        (false, _) => format!("needs {key}, which {fate}"),
        (true, _) if end == End::Going => format!("{key} {fate}, and may need it until it is gone"),
        (true, _) => format!("{key} may need it, whose deletion {fate}"),
    };
    reason(&text)
}
