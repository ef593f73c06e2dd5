//! How one change keeps another from being tried: in words, and whether that leaves anything to be
//! tried at all.

use super::departure::ends_home;
use crate::core::plan::graph::Why;
use crate::core::plan::queue::{Blocker, End, Queue};
use crate::core::plan::{Action, Change, Fate, Half, Plan, ReasonKind};
use crate::core::report::Outcome;

/// How a change ended, for those that wait for it.
pub(super) fn how_it_ended(outcome: &Outcome) -> End {
    match outcome {
        Outcome::Done => End::Well,
        Outcome::Going => End::Going,
        Outcome::Differs(_) => End::Differs,
        Outcome::Failed(_) | Outcome::Skipped(_) | Outcome::Postponed(_) => End::Badly,
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

/// Whether anything of a plan can be tried, the first of it at least: not where all that is to be
/// done waits for what is refused, or for what somebody else is deleting. The record's own
/// namespace is `home`, and goes only after all else went well.
pub(in crate::app) fn can_begin(plan: &Plan, home: &str) -> bool {
    let is_home = |change: &Change| ends_home(change.action, &change.key, home);
    let begins = |half: &Half| {
        let mut queue = Queue::new(&half.graph);
        while let Some((at, blocker)) = queue.take() {
            let change = &half.changes[at];
            match (change.is_work() && !is_home(change), blocker) {
                (false, _) if is_home(change) => queue.ended(at, End::Well, None),
                (false, _) => queue.ended(at, how_it_stays(change), None),
                (true, None) => return true,
                (true, Some(_)) => queue.ended(at, End::Badly, blocker),
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
    let fate = match (end, cause.action) {
        (End::Going, _) => Fate::Going,
        (End::Unready, _) => Fate::Unready,
        (End::Differs, _) => Fate::Differs,
        (_, Action::Refuse) => Fate::Refused,
        _ => Fate::Failed,
    };
    let (object, is_by_wave) = (cause.key.clone(), why == Why::Wave);
    ReasonKind::Dependency { object, fate, is_by_wave, is_deletion, health }
}
