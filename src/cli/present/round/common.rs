//! The lines that the logs of several targets have in common: a fault of all of them is one line.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

/// How many faults of commits are remembered that were told.
const MOST_TOLD: usize = 64;

/// The state that the logs of several targets share. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Common(Arc<Mutex<Shared>>);

#[derive(Debug, Default)]
struct Shared {
    /// The faults, and the targets that have each.
    faults: BTreeMap<String, BTreeSet<String>>,
    /// The targets of which it was said that they are gone.
    gone: BTreeSet<String>,
    /// The faults of commits that were told, the newest last.
    told: VecDeque<ToldFault>,
}

#[derive(Debug)]
struct ToldFault {
    target: String,
    fault: String,
    commit: String,
}

impl Common {
    /// Notes the faults that a target has now, and gives those that others had before.
    pub(super) fn note(&self, target: &str, now: BTreeSet<String>) -> BTreeSet<String> {
        let Shared { faults, .. } = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let others = |fault: &String| {
            faults.get(fault).is_some_and(|targets| targets.iter().any(|it| it != target))
        };
        let known = now.iter().filter(|fault| others(fault)).cloned().collect();
        faults.retain(|fault, targets| {
            if !now.contains(fault) {
                targets.remove(target);
            }
            !targets.is_empty()
        });
        for fault in now {
            faults.entry(fault).or_default().insert(target.to_owned());
        }
        known
    }

    /// Whether a target is to tell this fault of a commit: not where another one did, though it may have
    /// recovered since. A round that is late may still be about a commit that others have left.
    pub(super) fn tells(&self, target: &str, fault: &str, commit: &str) -> bool {
        let Shared { told, .. } = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_same = |it: &&ToldFault| it.fault == fault && it.commit == commit;
        if let Some(known) = told.iter().find(is_same) {
            return known.target == target;
        }
        if told.len() == MOST_TOLD {
            told.pop_front();
        }
        let [target, fault, commit] = [target, fault, commit].map(str::to_owned);
        told.push_back(ToldFault { target, fault, commit });
        true
    }

    /// Notes that a target is gone; whether that was not said yet.
    pub fn gone(&self, target: &str) -> bool {
        let mut shared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for targets in shared.faults.values_mut() {
            targets.remove(target);
        }
        shared.faults.retain(|_, targets| !targets.is_empty());
        shared.gone.insert(target.to_owned())
    }

    /// Notes that a target is there.
    pub fn back(&self, target: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).gone.remove(target);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_new_until_a_target_has_it_and_again_once_none_has() {
        let common = Common::default();
        let note = |target: &str, faults: &[&str]| {
            common.note(target, faults.iter().map(|it| (*it).to_owned()).collect()).len()
        };
        assert_eq!([note("a", &["x"]), note("b", &["x", "y"]), note("a", &["x"])], [0, 1, 1]);
        assert_eq!([note("a", &[]), note("c", &["x"])], [0, 1], "b has it still");
        assert!(common.gone("b") && !common.gone("b"));
        assert_eq!([note("c", &[]), note("a", &["x"])], [0, 0]);
        common.back("b");
        assert!(common.gone("b"));
    }

    #[test]
    fn a_fault_of_a_commit_is_told_by_one_target_alone() {
        let common = Common::default();
        assert!(common.tells("a", "x", "1") && !common.tells("b", "x", "1"));
        assert!(common.tells("a", "x", "1"), "it may come back");
        assert!(common.tells("b", "x", "2") && common.tells("b", "y", "1"));
        for number in 0..MOST_TOLD {
            common.tells("a", "x", &number.to_string());
        }
        assert!(common.0.lock().unwrap().told.len() == MOST_TOLD);
    }
}
