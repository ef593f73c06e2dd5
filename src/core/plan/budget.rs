//! How much of an inventory one run may delete.

use super::{Action, Change, Reason, ReasonKind};
use crate::core::object::Object;
use crate::core::policy::MaxPrune;
use crate::core::policy::precedence::{self, SettingLayers};
use crate::core::remedy::Remedy;

/// With fewer objects than this, any share of an inventory may be deleted by default.
const ENOUGH: usize = 10;
/// How much of it may be deleted by default.
const USUAL: MaxPrune = MaxPrune::Percent(50);

/// Of how many objects a share counts, in an inventory that has so many `members` now. What an
/// unfinished change has made already does not count: otherwise its second run could delete what the
/// first one refused to.
pub(super) fn base(members: usize, begun_with: Option<usize>) -> usize {
    begun_with.filter(|count| *count >= ENOUGH).map_or(members, |count| count.min(members))
}

/// How many objects the inventory has before the plan is carried out, where a later run has to know:
/// the plan adds some, and does not delete all that may have to go.
pub(super) fn begins_with(
    members: usize,
    desired: &[Change],
    gone: &[Change],
    is_member: impl Fn(&&Object) -> bool,
) -> Option<usize> {
    let is_added =
        |change: &Change| change.is_work() && !change.live().is_some_and(|it| is_member(&it));
    let adds = desired.iter().any(is_added);
    let spares = gone.iter().any(|change| change.action() != Action::Delete);
    (members >= ENOUGH && adds && spares).then_some(members)
}

/// Refuses every deletion where there are more of them than `said`, or than is usual in an
/// inventory of so many `members`. With `everything` allowed, only what is said counts.
pub(super) fn keep_within(
    changes: &mut [Change],
    said: SettingLayers<MaxPrune>,
    everything: bool,
    members: usize,
) {
    let usual = (members >= ENOUGH && !everything).then_some(USUAL);
    let Some(max) = precedence::max_prune(said, usual, members) else { return };
    let deletions = |changes: &[Change]| {
        changes.iter().filter(|change| change.action() == Action::Delete).count()
    };
    let count = deletions(changes);
    if count <= max.of(members) {
        return;
    }
    let kind = ReasonKind::OverMaxPrune { count, members, max };
    let reason = Reason::with_remedy(kind, Remedy::MaxPrune { count });
    for change in changes.iter_mut().filter(|change| change.action() == Action::Delete) {
        change.refuse(reason.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prune_limit_ignores_objects_of_an_unfinished_run() {
        for (members, begun_with, expected) in
            [(12, None, 12), (24, Some(12), 12), (8, Some(12), 8), (50, Some(3), 50)]
        {
            assert_eq!(base(members, begun_with), expected, "{members} {begun_with:?}");
        }
    }

    #[test]
    fn a_budget_is_a_number_or_a_share() {
        for (text, members, expected) in
            [("12", 3, 12), ("0", 3, 0), ("50%", 11, 5), ("100%", 7, 7), ("0%", 7, 0)]
        {
            let max: MaxPrune = text.parse().unwrap();
            assert_eq!((max.of(members), max.to_string()), (expected, text.to_owned()));
        }
        for text in ["", "%", "-1", "101%", "half", "1.5", "5 %"] {
            assert!(text.parse::<MaxPrune>().is_err(), "{text}");
        }
    }
}
