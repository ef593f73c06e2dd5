//! Which of several targets is applied next: one whose predecessors are all good. Those that come after
//! one that is not good are held back.

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

#[cfg(test)]
mod tests {
    use super::*;

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
