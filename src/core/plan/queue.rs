//! Which object is next: one is ready as soon as all that it waits for has ended, and of those that
//! are ready the first in the order of the list goes first.

use std::collections::BTreeSet;

use super::graph::{DependencyKind, Graph};

/// How an object ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeEnd {
    /// As it should.
    Succeeded,
    /// Its deletion is taken and not through.
    Terminating,
    /// It is as declared, and was not ready in time.
    Unready,
    /// It was taken, and is not as it was to be.
    Differs,
    /// It failed or was refused, or was not tried.
    Badly,
}

/// Why an object should not be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blocker {
    /// The object that is to blame, which may be several steps away.
    pub object: usize,
    /// Why the object itself waited for it.
    pub why: DependencyKind,
    /// How the one to blame ended.
    pub end: ChangeEnd,
}

/// The object that everything began with, and how it ended.
type RootCause = (usize, ChangeEnd);

/// A graph under way.
pub struct Queue<'g> {
    graph: &'g Graph,
    after: Graph,
    /// How many things each node still waits for.
    open: Vec<usize>,
    ready: BTreeSet<usize>,
    /// How each node ended, and who is to blame for it.
    ends: Vec<Option<(ChangeEnd, RootCause)>>,
}

impl<'g> Queue<'g> {
    /// Nothing has begun.
    pub fn new(graph: &'g Graph) -> Self {
        let open: Vec<usize> = (0..graph.len()).map(|node| graph.needs(node).count()).collect();
        let ready = (0..graph.len()).filter(|node| open[*node] == 0).collect();
        Self { graph, after: graph.reversed(), open, ready, ends: vec![None; graph.len()] }
    }

    /// Takes the next object that waits for nothing any more, and says why it should not be tried
    /// if that is so. `None` when all others wait for something that was taken and has not ended.
    pub fn take(&mut self) -> Option<(usize, Option<Blocker>)> {
        loop {
            // Gates have the highest numbers, and nothing is done there.
            let gate = self.ready.last().copied().filter(|node| !self.graph.is_object(*node));
            let Some(gate) = gate else { break };
            self.ready.remove(&gate);
            let blocker = self.blocker(gate);
            self.ended(gate, ChangeEnd::Succeeded, blocker);
        }
        let node = self.ready.pop_first()?;
        Some((node, self.blocker(node)))
    }

    /// Notes how an object ended; one that was not tried is blamed on its blocker.
    pub fn ended(&mut self, object: usize, end: ChangeEnd, blocker: Option<Blocker>) {
        let end = match blocker {
            Some(blocker) => (ChangeEnd::Badly, (blocker.object, blocker.end)),
            None => (end, (object, end)),
        };
        self.ends[object] = Some(end);
        for after in self.after.needs(object) {
            self.open[after.on] -= 1;
            if self.open[after.on] == 0 {
                self.ready.insert(after.on);
            }
        }
    }

    /// Whether anything waits for the object to be there, or gone, in full, of what `counts`.
    pub fn is_awaited(&self, object: usize, counts: impl Fn(usize) -> bool) -> bool {
        self.after.needs(object).any(|after| {
            after.why.is_thorough() && (!self.graph.is_object(after.on) || counts(after.on))
        })
    }

    /// Whether anything that `counts` comes after the object by a wave, as a dependency, or because
    /// the object is the server behind it, so that being there is not enough.
    pub fn has_to_be_ready(&self, object: usize, counts: impl Fn(usize) -> bool) -> bool {
        let mut nodes = vec![object];
        while let Some(node) = nodes.pop() {
            for after in self.after.needs(node) {
                match (after.why, self.graph.is_object(after.on)) {
                    (why, true) if why.is_about_readiness() && counts(after.on) => return true,
                    (DependencyKind::Wave, false) => nodes.push(after.on),
                    _ => {}
                }
            }
        }
        false
    }

    /// The first thing that a node waited for and that did not end as the node needs it.
    fn blocker(&self, node: usize) -> Option<Blocker> {
        self.graph.needs(node).find_map(|need| {
            let (how, (object, end)) = self.ends[need.on]?;
            let holds = match how {
                ChangeEnd::Succeeded => false,
                ChangeEnd::Badly | ChangeEnd::Differs => need.why != DependencyKind::Kind,
                ChangeEnd::Unready => {
                    need.why.is_about_readiness() || need.why == DependencyKind::Home
                }
                ChangeEnd::Terminating => need.why.is_thorough(),
            };
            holds.then_some(Blocker { object, why: need.why, end })
        })
    }
}
