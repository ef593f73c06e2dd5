//! Precedence where several say something: the operator (by flags), the repository (by
//! `trueup.yaml`), and one object (by its annotations).
//!
//! The operator's word counts in place of the repository's. An object's word may make it stricter, and
//! never less strict. Where the operator says nothing, git chooses among what is safe: it may lower
//! how much is pruned and not raise it, and it may not stop what is running. One function a setting;
//! the table of all settings is in `docs/security.md`.

use std::collections::BTreeSet;

use crate::core::policy::{MaxPrune, OnConflict};

/// The layers of a setting for a whole target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettingLayers<T> {
    /// By the operator, for this run.
    pub operator: Option<T>,
    /// By the commit's `trueup.yaml`.
    pub repository: Option<T>,
}

impl<T> Default for SettingLayers<T> {
    fn default() -> Self {
        Self { operator: None, repository: None }
    }
}

impl<T> SettingLayers<T> {
    /// The effective value for the whole target: the operator's overrides the repository's.
    pub fn counts(self) -> Option<T> {
        self.operator.or(self.repository)
    }

    /// The same without what it holds.
    pub fn as_ref(&self) -> SettingLayers<&T> {
        SettingLayers { operator: self.operator.as_ref(), repository: self.repository.as_ref() }
    }
}

/// The resolution of conflicts for an object that says `object` of itself. Of the operator's and
/// the object's choice, the stricter counts.
pub fn on_conflict(said: SettingLayers<OnConflict>, object: Option<OnConflict>) -> OnConflict {
    match (said.operator, object) {
        (Some(operator), Some(object)) => stricter(operator, object),
        (Some(operator), None) => operator,
        (None, object) => object.or(said.repository).unwrap_or_default(),
    }
}

/// To refuse is stricter than to leave, and to leave stricter than to take.
fn stricter(a: OnConflict, b: OnConflict) -> OnConflict {
    let strictness = |mode: &OnConflict| match mode {
        OnConflict::Force => 0,
        OnConflict::Yield => 1,
        OnConflict::Fail => 2,
    };
    std::cmp::max_by_key(a, b, strictness)
}

/// Whether a commit may take a field from another manager that says that the object stays. Only for
/// the operator's own word.
pub fn takes_what_protects(said: SettingLayers<OnConflict>) -> bool {
    said.operator == Some(OnConflict::Force)
}

/// Whether an object may be deleted and recreated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replacing {
    /// Never: the object says so itself.
    Never,
    /// It is not allowed anywhere.
    Unsaid,
    /// It may, unless that stops what is running.
    Idle,
    /// It may, whatever it is doing: the operator says so.
    Always,
}

/// Whether objects of `kind` may be replaced, of which one says `object` of itself.
pub fn replacing(
    said: SettingLayers<&BTreeSet<String>>,
    kind: &str,
    object: Option<bool>,
) -> Replacing {
    let names = |kinds: Option<&BTreeSet<String>>| kinds.is_some_and(|kinds| kinds.contains(kind));
    match object {
        Some(false) => Replacing::Never,
        _ if names(said.operator) => Replacing::Always,
        Some(true) => Replacing::Idle,
        None if names(said.counts()) => Replacing::Idle,
        None => Replacing::Unsaid,
    }
}

/// How much of `members` may be pruned at once; `None` for all of them. The repository may lower what
/// is `usual`, and not raise it.
pub fn max_prune(
    said: SettingLayers<MaxPrune>,
    usual: Option<MaxPrune>,
    members: usize,
) -> Option<MaxPrune> {
    let safe = [said.repository, usual].into_iter().flatten();
    said.operator.or_else(|| safe.min_by_key(|max| max.of(members)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stricter_on_conflict_of_operator_and_object_counts() {
        use OnConflict::{Fail, Force, Yield};
        for (operator, repository, object, expected) in [
            // No layer sets it, or one does.
            (None, None, None, Force),
            (Some(Fail), None, None, Fail),
            (None, Some(Yield), None, Yield),
            (None, None, Some(Fail), Fail),
            // The operator and the object.
            (Some(Fail), None, Some(Force), Fail),
            (Some(Fail), None, Some(Yield), Fail),
            (Some(Yield), None, Some(Force), Yield),
            (Some(Yield), None, Some(Fail), Fail),
            (Some(Force), None, Some(Fail), Fail),
            (Some(Force), None, Some(Yield), Yield),
            (Some(Force), None, Some(Force), Force),
            // The operator's word is in place of the repository's.
            (Some(Force), Some(Fail), None, Force),
            (Some(Fail), Some(Force), None, Fail),
            (Some(Fail), Some(Force), Some(Force), Fail),
            // Git among itself: what an object says is meant for it.
            (None, Some(Fail), Some(Force), Force),
            (None, Some(Force), Some(Fail), Fail),
        ] {
            let said = SettingLayers { operator, repository };
            assert_eq!(on_conflict(said, object), expected, "{said:?} {object:?}");
        }
    }

    #[test]
    fn only_the_operator_overrides_protection() {
        let (force, fail) = (Some(OnConflict::Force), Some(OnConflict::Fail));
        for (operator, repository, expected) in
            [(force, None, true), (None, force, false), (fail, force, false), (None, None, false)]
        {
            assert_eq!(takes_what_protects(SettingLayers { operator, repository }), expected);
        }
    }

    #[test]
    fn repository_may_allow_replace_but_not_of_running_jobs() {
        use Replacing::{Always, Idle, Never, Unsaid};
        let kinds = |kind: &str| BTreeSet::from([kind.to_owned()]);
        let (job, other) = (kinds("Job"), kinds("Other"));
        for (operator, repository, object, expected) in [
            (None, None, None, Unsaid),
            (None, None, Some(true), Idle),
            (None, None, Some(false), Never),
            (None, Some(&job), None, Idle),
            (None, Some(&job), Some(true), Idle),
            (None, Some(&job), Some(false), Never),
            (Some(&job), None, None, Always),
            (Some(&job), None, Some(true), Always),
            (Some(&job), None, Some(false), Never),
            (Some(&other), Some(&job), None, Unsaid),
            (Some(&other), Some(&job), Some(true), Idle),
        ] {
            let said = SettingLayers { operator, repository };
            assert_eq!(replacing(said, "Job", object), expected, "{said:?} {object:?}");
        }
    }

    #[test]
    fn repository_may_lower_max_prune_but_not_raise_it() {
        use MaxPrune::{Objects, Percent};
        let half = Some(Percent(50));
        for (operator, repository, usual, expected) in [
            (None, None, None, None),
            (None, None, half, half),
            (None, Some(Percent(100)), half, half),
            (None, Some(Objects(7)), half, half),
            (None, Some(Objects(5)), half, Some(Objects(5))),
            (None, Some(Percent(0)), half, Some(Percent(0))),
            (None, Some(Percent(80)), None, Some(Percent(80))),
            (Some(Objects(12)), Some(Objects(1)), half, Some(Objects(12))),
            (Some(Objects(0)), Some(Percent(100)), half, Some(Objects(0))),
            (Some(Percent(80)), None, half, Some(Percent(80))),
        ] {
            let said = SettingLayers { operator, repository };
            assert_eq!(max_prune(said, usual, 12), expected, "{said:?} {usual:?}");
        }
    }

    #[test]
    fn operator_setting_overrides_the_repository() {
        for (operator, repository, expected) in [
            (None, None, None),
            (None, Some(1), Some(1)),
            (Some(2), None, Some(2)),
            (Some(2), Some(1), Some(2)),
        ] {
            assert_eq!(SettingLayers { operator, repository }.counts(), expected);
        }
    }
}
