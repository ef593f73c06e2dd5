//! How one change keeps another from being tried: in words, and whether that leaves anything to be
//! tried at all.

use super::deletion::ends_home;
use crate::core::plan::graph::DependencyKind;
use crate::core::plan::queue::{Blocker, ChangeEnd, Queue};
use crate::core::plan::{Action, Change, DependencyEnd, OrderedChanges, Plan, ReasonKind};
use crate::core::report::Outcome;

/// How a change ended, for those that wait for it.
pub(super) fn how_it_ended(outcome: &Outcome) -> ChangeEnd {
    match outcome {
        Outcome::Done => ChangeEnd::Succeeded,
        Outcome::Terminating => ChangeEnd::Terminating,
        Outcome::Differs(_) => ChangeEnd::Differs,
        Outcome::Failed(_) | Outcome::Skipped(_) | Outcome::Postponed(_) => ChangeEnd::Badly,
    }
}

/// The meaning of an object without a write for those that wait for it.
pub(super) fn how_it_stays(change: &Change) -> ChangeEnd {
    match change.action() {
        Action::Refuse => ChangeEnd::Badly,
        _ if change.is_terminating() => ChangeEnd::Terminating,
        _ => ChangeEnd::Succeeded,
    }
}

/// Whether anything of a plan can be tried, the first of it at least: not where all that is to be
/// done waits for what is refused, or for objects that are terminating. The record's own namespace
/// is `home`, and goes only after all else went well.
pub(in crate::app) fn can_begin(plan: &Plan, home: &str) -> bool {
    let is_home = |change: &Change| ends_home(change.action(), &change.key, home);
    let begins = |half: &OrderedChanges| {
        let mut queue = Queue::new(&half.graph);
        while let Some((at, blocker)) = queue.take() {
            let change = &half.changes[at];
            match (change.is_work() && !is_home(change), blocker) {
                (false, _) if is_home(change) => queue.ended(at, ChangeEnd::Succeeded, None),
                (false, _) => queue.ended(at, how_it_stays(change), None),
                (true, None) => return true,
                (true, Some(_)) => queue.ended(at, ChangeEnd::Badly, blocker),
            }
        }
        false
    };
    let mut work = plan.changes().filter(|change| change.is_work()).peekable();
    let is_home_alone = work.peek().is_some() && work.all(is_home);
    is_home_alone || begins(&plan.desired) || begins(&plan.undesired)
}

/// Why something is not tried that waited for `cause`, whose health is known where it is not ready.
pub(super) fn why(
    cause: &Change,
    blocker: Blocker,
    is_deletion: bool,
    health: Option<String>,
) -> ReasonKind {
    let Blocker { object: _, why, end } = blocker;
    let fate = match (end, cause.action()) {
        (ChangeEnd::Terminating, _) => DependencyEnd::Terminating,
        (ChangeEnd::Unready, _) => DependencyEnd::Unready,
        (ChangeEnd::Differs, _) => DependencyEnd::Differs,
        (_, Action::Refuse) => DependencyEnd::Refused,
        _ => DependencyEnd::Failed,
    };
    let (object, is_by_wave) = (cause.key.clone(), why == DependencyKind::Wave);
    ReasonKind::Dependency { object, fate, is_by_wave, is_deletion, health }
}
