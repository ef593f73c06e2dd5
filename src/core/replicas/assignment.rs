//! Which member owns which target: rendezvous hashing (Thaler and Ravishankar, 1998). Each target has a
//! score with each member, and belongs to the one with the highest. Whoever knows the same members comes to
//! the same answer, and a member that comes or goes moves no target but its own.
//!
//! Targets that one another come `after` stay together, since their order is kept within one process.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};

/// The targets of a checkout, in sets that stay together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetSet {
    /// The names, those that others come after first.
    pub names: Vec<String>,
    /// The first name of the set that each belongs to.
    sets: BTreeMap<String, String>,
}

impl TargetSet {
    /// The targets in their order, each with those that it comes after.
    pub fn new<'a>(targets: impl IntoIterator<Item = (&'a str, &'a [String])>) -> Self {
        let targets: Vec<(&str, &[String])> = targets.into_iter().collect();
        let mut sets: BTreeMap<String, String> =
            targets.iter().map(|(name, _)| ((*name).to_owned(), (*name).to_owned())).collect();
        for (name, after) in &targets {
            for before in *after {
                let (Some(one), Some(other)) = (sets.get(*name), sets.get(before)) else {
                    continue;
                };
                let (first, second) = (one.min(other).clone(), one.max(other).clone());
                sets.values_mut().filter(|set| **set == second).for_each(|set| {
                    set.clone_from(&first);
                });
            }
        }
        Self { names: targets.iter().map(|(name, _)| (*name).to_owned()).collect(), sets }
    }
}

/// The targets that belong to member `me` of some members, in their order.
pub fn owned(targets: &TargetSet, members: &BTreeSet<String>, me: &str) -> Vec<String> {
    let is_mine = |name: &&String| {
        let set = targets.sets.get(*name).unwrap_or(name);
        owner(set, members) == Some(me)
    };
    targets.names.iter().filter(is_mine).cloned().collect()
}

/// The member with the highest score; of equal ones the last by name.
fn owner<'m>(set: &str, members: &'m BTreeSet<String>) -> Option<&'m str> {
    members.iter().max_by_key(|member| score(set, member)).map(String::as_str)
}

/// A number that a set and a member always have, and that looks like any other one.
fn score(set: &str, member: &str) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update(set.len().to_le_bytes());
    digest.update(set);
    digest.update(member);
    digest.finalize().into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn targets(names: &BTreeSet<String>) -> TargetSet {
        TargetSet::new(names.iter().map(|name| (name.as_str(), &[][..])))
    }

    fn names() -> impl Strategy<Value = BTreeSet<String>> {
        proptest::collection::btree_set("[a-z]{1,8}", 0..40)
    }

    fn members() -> impl Strategy<Value = BTreeSet<String>> {
        proptest::collection::btree_set("[a-z0-9]{1,6}", 1..6)
    }

    /// The owner of each target.
    fn owners(targets: &TargetSet, members: &BTreeSet<String>) -> BTreeMap<String, String> {
        let of = |me: &String| {
            owned(targets, members, me).into_iter().map(|it| (it, me.clone())).collect::<Vec<_>>()
        };
        members.iter().flat_map(of).collect()
    }

    proptest! {
        #[test]
        fn every_target_has_exactly_one_owner(names in names(), members in members()) {
            let targets = targets(&names);
            let count: usize = members.iter().map(|me| owned(&targets, &members, me).len()).sum();
            prop_assert_eq!(count, names.len());
            prop_assert_eq!(owners(&targets, &members).len(), names.len());
        }

        #[test]
        fn a_member_that_leaves_moves_only_its_own_targets(
            names in names(), members in members(), which in any::<proptest::sample::Index>()
        ) {
            let targets = targets(&names);
            let gone = which.get(&members.iter().collect::<Vec<_>>()).to_string();
            let mut left = members.clone();
            left.remove(&gone);
            let (before, after) = (owners(&targets, &members), owners(&targets, &left));
            for (target, owner) in before.iter().filter(|(_, owner)| **owner != gone) {
                prop_assert_eq!(after.get(target), Some(owner));
            }
        }

        #[test]
        fn targets_that_come_after_each_other_stay_together(
            names in names(), members in members(), pairs in proptest::collection::vec(
                (any::<proptest::sample::Index>(), any::<proptest::sample::Index>()), 0..20)
        ) {
            prop_assume!(!names.is_empty());
            let list: Vec<&String> = names.iter().collect();
            let mut after: BTreeMap<&str, Vec<String>> =
                names.iter().map(|name| (name.as_str(), Vec::new())).collect();
            for (one, other) in &pairs {
                after.get_mut(one.get(&list).as_str()).unwrap().push(other.get(&list).to_string());
            }
            let targets = TargetSet::new(after.iter().map(|(name, it)| (*name, it.as_slice())));
            let owners = owners(&targets, &members);
            prop_assert_eq!(owners.len(), names.len());
            for (one, other) in &pairs {
                prop_assert_eq!(&owners[*one.get(&list)], &owners[*other.get(&list)]);
            }
        }
    }

    #[test]
    fn shares_are_about_equal() {
        let names: BTreeSet<String> = (0..200).map(|n| format!("target-{n}")).collect();
        let targets = targets(&names);
        for count in 2..=8_usize {
            for group in 0..20 {
                let members: BTreeSet<String> =
                    (0..count).map(|n| format!("trueup-shop-{group}-{n}")).collect();
                let most = members.iter().map(|me| owned(&targets, &members, me).len()).max();
                // Six deviations of a binomial distribution above the mean.
                let share = 200.0 / count as f64;
                let bound = share + 6.0 * (share * (1.0 - 1.0 / count as f64)).sqrt();
                assert!(most.unwrap() as f64 <= bound, "{most:?} of {count}: {bound}");
            }
        }
    }
}
