//! A dependency graph of objects, and of gates that stand for many of them at once.
//!
//! It knows nothing of kinds; [`edges`](super::edges) says what waits for what and why, and
//! [`queue`](super::queue) goes through it. A graph is made once and has no cycle then: weak edges
//! that would close one are left out, and the members of a cycle of strong ones are reported.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, VecDeque};

/// Why something waits for something else, the weakest reason first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DependencyKind {
    /// Such kinds commonly come in this order; nothing is lost if it fails.
    Kind,
    /// The other may look after the object that is to go, so that its finalizers would stay for
    /// ever.
    Care,
    /// A field of it names the other.
    Reference,
    /// The other is the server behind it, which has to answer before any client is sent there.
    Server,
    /// It lives in the other, a namespace, which takes care of what is still in it when it goes.
    Place,
    /// The other gives up a value that it is to have, and that the cluster has only once.
    Value,
    /// It can't be without the other, such as its definition.
    Home,
    /// The other is in an earlier wave.
    Wave,
    /// It says by an annotation that it depends on the other.
    Said,
}

impl DependencyKind {
    /// Whether a field leads there.
    pub(super) fn is_found(self) -> bool {
        matches!(self, Self::Reference | Self::Server)
    }

    /// Whether being there is not enough: where the run waits, the other has to be ready.
    pub fn is_about_readiness(self) -> bool {
        matches!(self, Self::Server | Self::Wave | Self::Said)
    }

    /// Whether no order can leave it out.
    pub fn is_firm(self) -> bool {
        self >= Self::Place
    }

    /// Whether the other has to be there, or gone, in full.
    pub fn is_thorough(self) -> bool {
        matches!(self, Self::Care | Self::Home | Self::Wave)
    }
}

/// Something to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dependency {
    /// Which node.
    pub on: usize,
    /// Why.
    pub why: DependencyKind,
}

/// The dependency graph. The first nodes are objects, by their place in the list that the graph is
/// about; the others are gates.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    objects: usize,
    needs: Vec<BTreeSet<Dependency>>,
}

impl Graph {
    /// Objects that wait for nothing.
    pub fn loose(objects: usize) -> Self {
        Self { objects, needs: vec![BTreeSet::new(); objects] }
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.needs.len()
    }

    /// Whether there is no node.
    pub fn is_empty(&self) -> bool {
        self.needs.is_empty()
    }

    /// Whether a node is an object and no gate.
    pub fn is_object(&self, node: usize) -> bool {
        node < self.objects
    }

    /// The dependencies of a node.
    pub fn needs(&self, node: usize) -> impl Iterator<Item = Dependency> {
        self.needs.get(node).into_iter().flatten().copied()
    }

    /// A new gate.
    pub(super) fn gate(&mut self) -> usize {
        self.needs.push(BTreeSet::new());
        self.needs.len() - 1
    }

    /// Lets `node` wait for `on`; nothing waits for itself.
    pub(super) fn wait(&mut self, node: usize, on: usize, why: DependencyKind) {
        if node != on {
            self.needs[node].insert(Dependency { on, why });
        }
    }

    /// Leaves out what objects wait for where the firm reasons alone make a cycle, and returns each
    /// cycle as far as it has objects: every one waits for the next, and the last for the first.
    /// Then come all objects that are in a cycle with these.
    pub(super) fn cut_firm_cycles(&mut self) -> Vec<(Vec<usize>, Vec<usize>)> {
        let mut cycles = Vec::new();
        for part in self.knots(DependencyKind::is_firm) {
            let way = self.way_around(&part, DependencyKind::is_firm);
            let objects = |nodes: &mut dyn Iterator<Item = usize>| -> Vec<usize> {
                nodes.filter(|node| self.is_object(*node)).collect()
            };
            let way = objects(&mut way.into_iter());
            let all = objects(&mut part.iter().copied());
            for node in &all {
                self.needs[*node].retain(|need| !part.contains(&need.on));
            }
            cycles.push((way, all));
        }
        cycles
    }

    /// Leaves out references until they make no cycle any more, and returns what was left out: who
    /// does not wait for whom.
    pub(super) fn cut_reference_cycles(&mut self) -> Vec<(usize, usize)> {
        let counts = |why: DependencyKind| why >= DependencyKind::Reference;
        let mut cut = Vec::new();
        loop {
            let knots = self.knots(counts);
            if knots.is_empty() {
                return cut;
            }
            for part in knots {
                let way = self.way_around(&part, counts);
                let next = way.iter().cycle().skip(1);
                let edges = way.iter().zip(next).map(|(node, on)| (*node, *on));
                let weak = edges.filter(|(node, on)| {
                    self.needs(*node).any(|it| it.on == *on && it.why.is_found())
                });
                let Some((node, on)) = weak.max() else { continue };
                self.needs[node].retain(|need| need.on != on || !need.why.is_found());
                cut.push((node, on));
            }
        }
    }

    /// Leaves out of every gate the objects that wait for what is behind it.
    pub(super) fn cut_weak_cycles(&mut self) {
        for part in self.knots(|_| true) {
            for node in &part {
                let objects = self.objects;
                self.needs[*node].retain(|need| {
                    need.why >= DependencyKind::Reference
                        || need.on >= objects
                        || !part.contains(&need.on)
                });
            }
        }
    }

    /// The same objects, each waiting for those that waited for it.
    pub(super) fn reversed(&self) -> Self {
        let mut needs = vec![BTreeSet::new(); self.len()];
        for (node, all) in self.needs.iter().enumerate() {
            for Dependency { on, why } in all {
                needs[*on].insert(Dependency { on: node, why: *why });
            }
        }
        Self { objects: self.objects, needs }
    }

    /// The objects in an order in which each comes after all that it waits for, and otherwise the
    /// lower `priority` first. What is in a cycle is left out.
    pub(super) fn order<P: Ord>(&self, priority: impl Fn(usize) -> P) -> Vec<usize> {
        let mut open: Vec<usize> = self.needs.iter().map(BTreeSet::len).collect();
        let after = self.reversed();
        let mut gates: Vec<usize> = Vec::new();
        let mut ready = BinaryHeap::new();
        let mut order = Vec::with_capacity(self.objects);
        for node in (0..self.len()).filter(|node| open[*node] == 0) {
            match self.is_object(node) {
                true => ready.push(Reverse((priority(node), node))),
                false => gates.push(node),
            }
        }
        loop {
            // A gate is open at once: nothing is done there.
            let node = match (gates.pop(), ready.is_empty()) {
                (Some(gate), _) => gate,
                (None, false) => match ready.pop() {
                    Some(Reverse((_, node))) => {
                        order.push(node);
                        node
                    }
                    None => return order,
                },
                (None, true) => return order,
            };
            for Dependency { on: next, .. } in &after.needs[node] {
                open[*next] -= 1;
                match (open[*next], self.is_object(*next)) {
                    (0, true) => ready.push(Reverse((priority(*next), *next))),
                    (0, false) => gates.push(*next),
                    _ => {}
                }
            }
        }
    }

    /// The same graph with its objects in this order.
    pub(super) fn arranged(&self, order: &[usize]) -> Self {
        let mut place: Vec<usize> = (0..self.len()).collect();
        for (to, from) in order.iter().enumerate() {
            place[*from] = to;
        }
        let mut needs = vec![BTreeSet::new(); self.len()];
        for (node, all) in self.needs.iter().enumerate() {
            needs[place[node]] =
                all.iter().map(|need| Dependency { on: place[need.on], why: need.why }).collect();
        }
        Self { objects: self.objects, needs }
    }

    /// The sets of nodes that wait for each other in a circle, over the edges of these reasons.
    fn knots(&self, counts: impl Fn(DependencyKind) -> bool) -> Vec<BTreeSet<usize>> {
        // Kosaraju's two walks, without recursion: a chain may be as long as the set is large.
        let next = |needs: &BTreeSet<Dependency>| -> Vec<usize> {
            needs.iter().filter(|need| counts(need.why)).map(|need| need.on).collect()
        };
        let forth: Vec<Vec<usize>> = self.needs.iter().map(next).collect();
        let mut back = vec![Vec::new(); self.len()];
        for (node, all) in forth.iter().enumerate() {
            all.iter().for_each(|on| back[*on].push(node));
        }
        let mut left = Vec::with_capacity(self.len());
        let mut seen = vec![false; self.len()];
        for start in 0..self.len() {
            let mut walk = vec![(start, 0)];
            if std::mem::replace(&mut seen[start], true) {
                continue;
            }
            while let Some((node, at)) = walk.pop() {
                match forth[node].get(at) {
                    None => left.push(node),
                    Some(on) => {
                        walk.push((node, at + 1));
                        if !std::mem::replace(&mut seen[*on], true) {
                            walk.push((*on, 0));
                        }
                    }
                }
            }
        }
        let mut knots = Vec::new();
        seen.fill(false);
        for start in left.into_iter().rev() {
            let (mut part, mut walk) = (BTreeSet::new(), vec![start]);
            while let Some(node) = walk.pop() {
                if !std::mem::replace(&mut seen[node], true) {
                    part.insert(node);
                    walk.extend(&back[node]);
                }
            }
            if part.len() > 1 {
                knots.push(part);
            }
        }
        knots.sort();
        knots
    }

    /// The shortest way from the first node of a knot back to it.
    fn way_around(
        &self,
        part: &BTreeSet<usize>,
        counts: impl Fn(DependencyKind) -> bool,
    ) -> Vec<usize> {
        let Some(&first) = part.first() else { return Vec::new() };
        let mut from = vec![None; self.len()];
        let mut walk = VecDeque::from([first]);
        while let Some(node) = walk.pop_front() {
            for need in self.needs(node).filter(|need| counts(need.why)) {
                if need.on == first {
                    let back = std::iter::successors(Some(node), |at| from[*at]);
                    let mut way: Vec<usize> = back.collect();
                    way.reverse();
                    return way;
                }
                if part.contains(&need.on) && from[need.on].is_none() {
                    from[need.on] = Some(node);
                    walk.push_back(need.on);
                }
            }
        }
        part.iter().copied().collect()
    }
}
