//! Objects → the order in which they are carried out, and what is wrong with what they say of it.

use std::collections::BTreeMap;

use super::edges::{Direction, Edges, OrderedObject, edges};
use super::graph::{Dependency, DependencyKind, Graph};
use super::order::rank;
use super::order_switches::{self, OrderSwitches};
use super::unique_values::AllTaken;
use super::{Reason, ReasonKind, order_switches::DEPENDS_ON};
use crate::core::annotations::{self, AnnotationFault};
use crate::core::desired::Desired;
use crate::core::kinds::catalog::is_namespace;
use crate::core::manifest::Manifest;
use crate::core::object::{Object, ObjectKey};
use crate::core::problem::{Cause, Problem};

/// In which order objects are made, and which of them can't have a turn.
pub(super) struct CreationOrder<'a> {
    /// Every desired object.
    pub(super) order: Vec<&'a ObjectKey>,
    /// The dependencies, by place in that order.
    pub(super) graph: Graph,
    /// The wave of each, in that order.
    pub(super) waves: Vec<i64>,
    /// Objects whose turn is unknown, and why.
    pub(super) refused: BTreeMap<&'a ObjectKey, Reason>,
    /// References that don't count.
    pub(super) warnings: Vec<Problem>,
}

/// The order in which everything desired is made.
/// Those that want what others hold come after these.
pub(super) fn making<'a>(desired: &'a Desired, taken: &AllTaken) -> CreationOrder<'a> {
    let declared: Vec<(&ObjectKey, &Manifest)> = desired.objects.iter().collect();
    let things: Vec<OrderedObject<'_>> = declared
        .iter()
        .map(|(key, manifest)| OrderedObject { key, object: Some(&manifest.object) })
        .collect();
    let mut refused = BTreeMap::new();
    let mut said = Vec::new();
    for (key, manifest) in &declared {
        let mut turn = OrderSwitches::of(&manifest.object).unwrap_or_else(|fault| {
            refused.insert(*key, why(manifest, fault));
            OrderSwitches::default()
        });
        turn.depends_on.retain(|on| {
            let is_there = desired.objects.contains_key(on);
            if !is_there {
                let fault = order_switches::stranger(on, desired.objects.keys());
                refused.entry(*key).or_insert_with(|| why(manifest, fault));
            }
            is_there
        });
        said.push(turn);
    }
    let Edges { mut graph, ahead, waves } = edges(&things, &said, Direction::Make);
    let there: BTreeMap<&ObjectKey, usize> =
        declared.iter().enumerate().map(|(at, (key, _))| (*key, at)).collect();
    for (at, (key, _)) in declared.iter().enumerate() {
        for on in desired.after.get(*key).into_iter().flatten() {
            there.get(on).into_iter().for_each(|on| graph.wait(at, *on, DependencyKind::Kind));
        }
    }
    for (at, on) in takings(&declared, taken) {
        graph.wait(at, on, DependencyKind::Value);
    }
    let uncut = graph.clone();
    for (way, all) in graph.cut_firm_cycles() {
        let (declared, said, waves, graph) = (&declared, &said, &waves, &uncut);
        let circle = CycleContext { declared, said, waves, graph, taken };
        let reason = circle.reason(&way);
        for at in all {
            refused.entry(declared[at].0).or_insert_with(|| reason.clone());
        }
    }
    let mut warnings = Vec::new();
    for (at, on) in ahead {
        let (key, manifest) = declared[at];
        let later = format!("is in a later wave, {} after {}", waves[on], waves[at]);
        warnings.push(uncounted(key, manifest, declared[on].0, &later));
    }
    for (at, on) in graph.cut_reference_cycles() {
        let (key, manifest) = declared[at];
        warnings.push(uncounted(key, manifest, declared[on].0, "needs it, too, in a circle"));
    }
    graph.cut_weak_cycles();
    let places = graph.order(|at| (waves[at], rank(things[at].key)));
    CreationOrder {
        order: places.iter().map(|at| declared[*at].0).collect(),
        graph: graph.arranged(&places),
        waves: places.iter().map(|at| waves[*at]).collect(),
        refused,
        warnings,
    }
}

/// Values that pass from one declared object to another.
fn takings(declared: &[(&ObjectKey, &Manifest)], taken: &AllTaken) -> Vec<(usize, usize)> {
    if taken.is_empty() {
        return Vec::new();
    }
    let place: BTreeMap<&ObjectKey, usize> =
        declared.iter().enumerate().map(|(at, (key, _))| (*key, at)).collect();
    let pairs = taken.iter().flat_map(|(key, all)| all.iter().map(move |it| (key, &it.holder)));
    pairs.filter_map(|(key, holder)| Some((*place.get(key)?, *place.get(holder)?))).collect()
}

/// Whether an object says anything of its turn.
pub fn says_turn(object: &Object) -> bool {
    !matches!(OrderSwitches::of(object), Ok(said) if said == OrderSwitches::default())
}

/// Desired objects whose turn is unknown, and what is odd about the order.
pub fn turns(desired: &Desired) -> (BTreeMap<ObjectKey, Reason>, Vec<Problem>) {
    let CreationOrder { order: _, graph: _, waves: _, refused, warnings } =
        making(desired, &AllTaken::new());
    let refused = refused.into_iter().map(|(key, reason)| (key.clone(), reason));
    (refused.collect(), warnings)
}

/// The order in which live objects are deleted, and by place in it what waits for what, and the
/// waves. What their annotations say counts as far as it can be understood.
pub(super) fn deleting(live: &[(&ObjectKey, Option<&Object>)]) -> (Vec<usize>, Graph, Vec<i64>) {
    let things: Vec<OrderedObject<'_>> =
        live.iter().map(|(key, object)| OrderedObject { key, object: *object }).collect();
    let of =
        |thing: &OrderedObject<'_>| thing.object.and_then(|object| OrderSwitches::of(object).ok());
    let said: Vec<OrderSwitches> =
        things.iter().map(|thing| of(thing).unwrap_or_default()).collect();
    let Edges { mut graph, ahead: _, waves } = edges(&things, &said, Direction::Delete);
    graph.cut_firm_cycles();
    graph.cut_reference_cycles();
    graph.cut_weak_cycles();
    let graph = graph.reversed();
    let last_first = |at: usize| std::cmp::Reverse((waves[at], rank(things[at].key)));
    let places = graph.order(last_first);
    let graph = graph.arranged(&places);
    let waves = places.iter().map(|at| waves[*at]).collect();
    (places, graph, waves)
}

fn why(manifest: &Manifest, fault: AnnotationFault) -> Reason {
    let (causes, remedy) = (vec![fault.cause(manifest)], fault.hint.clone());
    Reason { causes, ..Reason::with_remedy(ReasonKind::InvalidOrder { fault }, remedy) }
}

/// The warning about a reference that does not count.
fn uncounted(key: &ObjectKey, manifest: &Manifest, on: &ObjectKey, why: &str) -> Problem {
    Problem {
        place: manifest.location(),
        message: format!("{key} needs {on}, which {why}: {key} does not wait for it"),
        excerpt: None,
        hint: None,
    }
}

/// The context of a dependency cycle.
struct CycleContext<'a> {
    declared: &'a [(&'a ObjectKey, &'a Manifest)],
    said: &'a [OrderSwitches],
    waves: &'a [i64],
    graph: &'a Graph,
    taken: &'a AllTaken,
}

impl CycleContext<'_> {
    /// Why the objects on this way can't have a turn: each waits for the next.
    fn reason(&self, way: &[usize]) -> Reason {
        let steps = way.iter().zip(way.iter().cycle().skip(1));
        let objects = way.iter().map(|at| self.declared[*at].0.clone()).collect();
        let kind = ReasonKind::Cycle { objects };
        let mut causes: Vec<Cause> = steps.map(|(at, on)| self.step(*at, *on)).collect();
        let place = causes.first().and_then(|cause| cause.place.clone());
        causes.insert(0, Cause { field: String::new(), message: kind.to_string(), place });
        let mut steps = way.iter().zip(way.iter().cycle().skip(1));
        let hint = match steps.all(|(at, on)| self.has(*at, *on, DependencyKind::Value)) {
            true => {
                "give one of them another value, or none, in a commit of its own, and swap in the \
                 next: until then each holds what the other is to have"
            }
            false => "remove one of these dependencies, or change a wave",
        };
        Reason { causes, ..Reason::with_remedy(kind, hint) }
    }

    /// Whether one waits for the other for this reason.
    fn has(&self, at: usize, on: usize, why: DependencyKind) -> bool {
        self.graph.needs(at).any(|need| need == Dependency { on, why })
    }

    /// Why one waits for the other, and where that is said.
    fn step(&self, at: usize, on: usize) -> Cause {
        let ((key, manifest), (other, _)) = (self.declared[at], self.declared[on]);
        let has = |why| self.has(at, on, why);
        let values = self.taken.get(key).into_iter().flatten();
        let value = values.map(|it| (&it.value, &it.holder)).find(|(_, holder)| *holder == other);
        if let Some((value, _)) = value {
            let message = format!("{key} is to have {value}, which {other} holds");
            let place = manifest.place_of(&value.field);
            return Cause { field: String::new(), message, place: Some(place) };
        }
        let (annotation, message) = if self.said[at].depends_on.contains(other) {
            (Some(DEPENDS_ON), format!("{key} depends on {other}"))
        } else if has(DependencyKind::Home) || has(DependencyKind::Place) {
            let how = if is_namespace(other) { "lives in" } else { "is defined by" };
            (None, format!("{key} {how} {other}"))
        } else {
            let (wave, before) = (self.waves[at], self.waves[on]);
            let annotation = self.said[at].wave.or(self.said[on].wave).map(|(_, name)| name);
            (annotation, format!("{key} is in wave {wave}, {other} in wave {before}"))
        };
        let place = match annotation {
            Some(annotation) => annotations::place(manifest, annotation),
            None => manifest.location(),
        };
        Cause { field: String::new(), message, place: Some(place) }
    }
}
