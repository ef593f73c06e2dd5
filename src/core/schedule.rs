//! Which of several targets is applied next: one whose predecessors are all good. Those that come after
//! one that is not good are held back.

use std::collections::BTreeMap;

/// The course of several targets. Each is known by its place.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// The targets that each comes after.
    after: Vec<Vec<usize>>,
    states: Vec<TargetState>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TargetState {
    Waiting,
    Running,
    Good,
    Bad,
}

impl Schedule {
    /// Nothing has begun.
    pub fn new(after: Vec<Vec<usize>>) -> Self {
        let states = vec![TargetState::Waiting; after.len()];
        Self { after, states }
    }

    /// The next target to begin, which runs from now on; `None` where nothing can begin now.
    pub fn begin(&mut self) -> Option<usize> {
        let is_good = |before: &usize| self.states[*before] == TargetState::Good;
        let next = (0..self.states.len()).find(|at| {
            self.states[*at] == TargetState::Waiting && self.after[*at].iter().all(is_good)
        })?;
        self.states[next] = TargetState::Running;
        Some(next)
    }

    /// Notes how a target ended.
    pub fn end(&mut self, target: usize, is_good: bool) {
        self.states[target] = if is_good { TargetState::Good } else { TargetState::Bad };
    }

    /// The target that holds this one back: one that it comes after, and that is bad or held back
    /// itself.
    pub fn held_back_by(&self, target: usize) -> Option<usize> {
        let is_bad = |before: &usize| match self.states[*before] {
            TargetState::Bad => true,
            TargetState::Waiting => self.held_back_by(*before).is_some(),
            TargetState::Running | TargetState::Good => false,
        };
        let is_waiting = self.states[target] == TargetState::Waiting;
        self.after[target].iter().copied().find(is_bad).filter(|_| is_waiting)
    }

    /// Whether this target is one of those that `later` comes after, directly or not.
    pub fn is_before(&self, target: usize, later: usize) -> bool {
        let before = &self.after[later];
        before.contains(&target) || before.iter().any(|before| self.is_before(target, *before))
    }
}

/// How a target that is watched ended its last round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The commit that `HEAD` was at when the round began.
    pub head: String,
    /// Whether the cluster is at the target's commit, and healthy.
    pub is_good: bool,
}

/// Whether a new commit of a target may be applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gate {
    /// All that it comes after are good.
    Open,
    /// This target has not ended a round of that `HEAD` yet.
    Waits(String),
    /// This target is not good.
    Shut(String),
}

impl Gate {
    /// The gate of a target that comes `after` others, once `HEAD` is at `head`. Of the others, those
    /// count that are watched: `None` stands for one that has ended no round.
    pub fn of(
        after: &[String],
        standings: &BTreeMap<String, Option<Standing>>,
        head: &str,
    ) -> Self {
        let known = || after.iter().filter_map(|name| Some((name, standings.get(name)?)));
        let is_at = |standing: &Option<Standing>| {
            standing.as_ref().filter(|standing| standing.head == head).map(|it| it.is_good)
        };
        let shut = known().find(|(_, standing)| is_at(standing) == Some(false));
        if let Some((name, _)) = shut {
            return Self::Shut(name.clone());
        }
        let open = known().find(|(_, standing)| is_at(standing).is_none());
        open.map_or(Self::Open, |(name, _)| Self::Waits(name.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_commit_waits_for_what_it_comes_after() {
        let at = |head: &str, is_good| Some(Standing { head: head.to_owned(), is_good });
        let gate = |standings: &[(&str, Option<Standing>)]| {
            let standings = standings.iter().map(|(name, it)| ((*name).to_owned(), it.clone()));
            Gate::of(&["a".to_owned(), "b".to_owned()], &standings.collect(), "2")
        };
        assert_eq!(gate(&[]), Gate::Open, "none of them is watched");
        assert_eq!(gate(&[("a", at("2", true)), ("b", at("2", true))]), Gate::Open);
        assert_eq!(gate(&[("a", at("2", true)), ("b", None)]), Gate::Waits("b".to_owned()));
        assert_eq!(gate(&[("a", at("1", true)), ("c", None)]), Gate::Waits("a".to_owned()));
        assert_eq!(gate(&[("a", at("1", false))]), Gate::Waits("a".to_owned()), "of another head");
        assert_eq!(gate(&[("a", None), ("b", at("2", false))]), Gate::Shut("b".to_owned()));
    }

    fn all(schedule: &mut Schedule) -> Vec<usize> {
        std::iter::from_fn(|| schedule.begin()).collect()
    }

    #[test]
    fn a_target_begins_once_all_that_it_comes_after_are_good() {
        // 0 and 1 are independent, 2 comes after both, 3 after 2, 4 after 0.
        let mut schedule = Schedule::new(vec![vec![], vec![], vec![0, 1], vec![2], vec![0]]);
        assert_eq!(all(&mut schedule), [0, 1]);
        schedule.end(0, true);
        assert_eq!(all(&mut schedule), [4], "1 still runs");
        schedule.end(1, true);
        assert_eq!(all(&mut schedule), [2]);
        assert_eq!(schedule.held_back_by(3), None);
        schedule.end(2, true);
        assert_eq!(all(&mut schedule), [3]);
        assert!(schedule.is_before(0, 3) && !schedule.is_before(4, 3) && !schedule.is_before(3, 3));
    }

    #[test]
    fn a_bad_target_holds_back_all_that_come_after_it() {
        let mut schedule = Schedule::new(vec![vec![], vec![], vec![0, 1], vec![2], vec![1]]);
        all(&mut schedule);
        schedule.end(0, false);
        schedule.end(1, true);
        assert_eq!(all(&mut schedule), [4]);
        let held: Vec<_> = (0..5).map(|target| schedule.held_back_by(target)).collect();
        assert_eq!(held, [None, None, Some(0), Some(2), None]);
    }
}
