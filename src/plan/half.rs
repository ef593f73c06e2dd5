//! One half of a plan: changes, and when each of them has its turn.

use super::Change;
use super::graph::Graph;
use crate::object::ObjectKey;

/// Changes, and which of them wait for which.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Half {
    /// The changes, in an order in which each comes after all that it waits for.
    pub changes: Vec<Change>,
    /// What waits for what, by place among the changes.
    pub graph: Graph,
    /// The wave of each change.
    pub waves: Vec<i64>,
}

/// When a change has its turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn<'a> {
    /// Its wave.
    pub wave: i64,
    /// The objects of the same half that it waits for by themselves, apart from earlier waves and
    /// kinds that commonly come before it.
    pub needs: Vec<&'a ObjectKey>,
}

impl Half {
    pub(super) fn new(changes: Vec<Change>, graph: Graph, waves: Vec<i64>) -> Self {
        debug_assert!((0..changes.len()).all(|at| graph.is_object(at)));
        Self { changes, graph, waves }
    }

    /// The changes with their turns.
    pub(super) fn turns(&self) -> impl Iterator<Item = (&Change, Turn<'_>)> {
        self.changes.iter().enumerate().map(|(at, change)| {
            let mut needs: Vec<usize> = self.graph.needs(at).map(|need| need.on).collect();
            needs.retain(|on| self.graph.is_object(*on));
            needs.dedup();
            let needs = needs.into_iter().map(|on| &self.changes[on].key).collect();
            (change, Turn { wave: self.waves.get(at).copied().unwrap_or_default(), needs })
        })
    }
}
