//! One half of a plan: changes, and when each of them has its turn.

use std::collections::BTreeSet;

use super::Change;
use super::graph::Graph;
use super::unique_values::deleted_first;
use crate::core::object::ObjectKey;

/// Changes, and which of them wait for which.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OrderedChanges {
    /// The changes, in an order in which each comes after all that it waits for.
    pub changes: Vec<Change>,
    /// The dependencies, by place among the changes.
    pub graph: Graph,
    /// The wave of each change.
    pub waves: Vec<i64>,
    /// The changes, by their places, of the later part.
    pub later: BTreeSet<usize>,
}

/// A part of a half. What is desired comes before what is not, except for objects that are to have
/// what another one holds until it is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangePart {
    /// All that waits for no deletion, and then the deletions that others wait for, or all of them.
    First,
    /// Changes that wait for deletions, and then the other deletions.
    Later,
}

impl ChangePart {
    /// Both, in the order in which they are carried out.
    pub const ALL: [Self; 2] = [Self::First, Self::Later];
}

/// When a change has its turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeTurn<'a> {
    /// Its wave.
    pub wave: i64,
    /// The objects that it waits for by themselves, apart from earlier waves and kinds that commonly
    /// come before it: those of the same half, and those that are deleted so that it can be made.
    pub needs: Vec<&'a ObjectKey>,
}

impl OrderedChanges {
    pub(super) fn new(changes: Vec<Change>, graph: Graph, waves: Vec<i64>) -> Self {
        debug_assert!((0..changes.len()).all(|at| graph.is_object(at)));
        Self { changes, graph, waves, later: BTreeSet::new() }
    }

    /// Whether a change belongs to this part.
    pub fn is_of(&self, part: ChangePart, at: usize) -> bool {
        self.later.contains(&at) == (part == ChangePart::Later)
    }

    /// The changes of a part.
    pub fn part(&self, part: ChangePart) -> impl Iterator<Item = &Change> {
        let all = self.changes.iter().enumerate();
        all.filter(move |(at, _)| self.is_of(part, *at)).map(|(_, change)| change)
    }

    /// The changes of a part with their turns.
    pub(super) fn turns(
        &self,
        part: ChangePart,
    ) -> impl Iterator<Item = (&Change, ChangeTurn<'_>)> {
        let all = self.changes.iter().enumerate();
        all.filter(move |(at, _)| self.is_of(part, *at)).map(|(at, change)| {
            let mut needs: Vec<usize> = self.graph.needs(at).map(|need| need.on).collect();
            needs.retain(|on| self.graph.is_object(*on));
            needs.dedup();
            let needs = needs.into_iter().map(|on| &self.changes[on].key);
            let needs = needs.chain(deleted_first(change)).collect();
            (change, ChangeTurn { wave: self.waves.get(at).copied().unwrap_or_default(), needs })
        })
    }
}
