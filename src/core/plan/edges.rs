//! Dependencies between objects: those that they name, the namespace that they live in, and the
//! parts of a wave.

use std::collections::{BTreeMap, BTreeSet};

use super::graph::{DependencyKind, Graph};
use super::order::{WavePart, may_look_after, part};
use super::order_switches::OrderSwitches;
use crate::core::kinds::catalog::{brought_by, definition, is_api_service, is_crd, is_namespace};
use crate::core::kinds::references::{self, ReferenceKind, Templates};
use crate::core::object::{GroupKind, Object, ObjectKey};

/// An object in its turn.
#[derive(Clone, Copy)]
pub(super) struct OrderedObject<'a> {
    /// Which one.
    pub(super) key: &'a ObjectKey,
    /// The object; `None` where it could not be read.
    pub(super) object: Option<&'a Object>,
}

/// Whether objects are made or deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    /// They are made.
    Make,
    /// They are deleted: the graph is that of making them, to be reversed.
    Delete,
}

/// The result of the search.
pub(super) struct Edges {
    /// The dependencies.
    pub(super) graph: Graph,
    /// References that lead to a later wave, and so don't count.
    pub(super) ahead: Vec<(usize, usize)>,
    /// The wave of each object.
    pub(super) waves: Vec<i64>,
}

/// Finds everything that the objects wait for; `said` has what each says.
pub(super) fn edges(
    things: &[OrderedObject<'_>],
    said: &[OrderSwitches],
    direction: Direction,
) -> Edges {
    let there: IndexByKey = things.iter().enumerate().map(|(at, thing)| (thing.key, at)).collect();
    let homes = homes(things, &there, direction);
    let mut waves: Vec<i64> =
        said.iter().map(|said| said.wave.map_or(0, |(wave, _)| wave)).collect();
    for (at, home, _) in &homes {
        waves[*home] = waves[*home].min(waves[*at]);
    }
    let mut graph = Graph::loose(things.len());
    for (at, home, why) in homes {
        graph.wait(at, home, why);
    }
    for (at, said) in said.iter().enumerate() {
        for on in said.depends_on.iter().filter_map(|key| there.get(key)) {
            match *on == at {
                // Through a gate, since nothing waits for itself.
                true => {
                    let gate = graph.gate();
                    graph.wait(at, gate, DependencyKind::Said);
                    graph.wait(gate, at, DependencyKind::Said);
                }
                false => graph.wait(at, *on, DependencyKind::Said),
            }
        }
    }
    let mut ahead = Vec::new();
    for (at, on, why) in reference_edges(things, &there) {
        match (waves[on] <= waves[at], why) {
            (true, _) => graph.wait(at, on, why),
            (false, why) if why.is_found() => ahead.push((at, on)),
            (false, _) => {}
        }
    }
    ahead.sort_unstable();
    ahead.dedup();
    let mut before = None;
    let distinct: BTreeSet<i64> = waves.iter().copied().collect();
    for wave in &distinct {
        let members: Vec<usize> = (0..things.len()).filter(|at| waves[*at] == *wave).collect();
        parts(&mut graph, things, &members, direction);
        if distinct.len() > 1 {
            let gate = graph.gate();
            for at in members {
                graph.wait(gate, at, DependencyKind::Wave);
                if let Some(before) = before {
                    graph.wait(at, before, DependencyKind::Wave);
                }
            }
            if let Some(before) = before {
                graph.wait(gate, before, DependencyKind::Wave);
            }
            before = Some(gate);
        }
    }
    Edges { graph, ahead, waves }
}

/// Every object by its key.
type IndexByKey<'a> = BTreeMap<&'a ObjectKey, usize>;

/// Without what an object can't exist: its namespace, the definition of its kind, the server that
/// has its kind.
fn homes(
    things: &[OrderedObject<'_>],
    there: &IndexByKey<'_>,
    direction: Direction,
) -> Vec<(usize, usize, DependencyKind)> {
    let mut namespaces: BTreeMap<&str, usize> = BTreeMap::new();
    let mut kinds: BTreeMap<GroupKind, usize> = BTreeMap::new();
    let mut groups: BTreeMap<String, usize> = BTreeMap::new();
    for (key, at) in there {
        let object = things[*at].object;
        if is_namespace(key) {
            namespaces.insert(&key.name, *at);
        } else if is_crd(key) {
            kinds.extend(object.and_then(definition).map(|(kind, _)| (kind, *at)));
        } else if is_api_service(key) {
            groups.extend(object.and_then(brought_by).map(|group| (group, *at)));
        }
    }
    let mut homes = Vec::new();
    for (key, at) in there {
        let namespace = key.namespace.as_deref().and_then(|name| namespaces.get(name));
        // A custom resource's finalizer may live in the namespace, too.
        let is_custom = part(key) == WavePart::Custom;
        let inside = if is_custom { DependencyKind::Home } else { DependencyKind::Place };
        homes.extend(namespace.map(|home| (*at, *home, inside)));
        homes.extend(kinds.get(&key.group_kind()).map(|home| (*at, *home, DependencyKind::Home)));
        // An object to delete was read in the version that the server prefers.
        let version = things[*at].object.map(Object::version);
        let version = version.filter(|_| direction == Direction::Make);
        let of_group = groups.iter().filter(|(api_version, home)| {
            let of = api_version.split_once('/');
            of.is_some_and(|(group, brings)| {
                group == key.group && version.is_none_or(|version| version == brings)
            }) && *home != at
        });
        homes.extend(of_group.map(|(_, home)| (*at, *home, DependencyKind::Home)));
    }
    homes
}

/// The edges of references: from which object to which, and how strong.
fn reference_edges(
    things: &[OrderedObject<'_>],
    there: &IndexByKey<'_>,
) -> Vec<(usize, usize, DependencyKind)> {
    let whole = || {
        let whole = things.iter().enumerate();
        whole.filter_map(|(at, thing)| Some((at, thing.key, thing.object?)))
    };
    let mut templates = Templates::default();
    let mut makers: BTreeMap<ObjectKey, usize> = BTreeMap::new();
    for (at, key, object) in whole() {
        templates.add(key, object);
        makers.extend(references::made_by(key, object).map(|made| (made, at)));
    }
    let mut found = Vec::new();
    for (at, key, object) in whole() {
        for used in references::of(key, object) {
            let why = match used.bond {
                ReferenceKind::Apart => continue,
                ReferenceKind::Optional | ReferenceKind::Later => DependencyKind::Kind,
                ReferenceKind::Expected | ReferenceKind::Elsewhere => DependencyKind::Reference,
            };
            let on = used.object();
            let one = there.get(&on).copied().or_else(|| makers.get(&on).copied());
            found.extend(one.map(|on| (at, on, why)));
            // A server without its pods answers nothing, and would be asked all the same.
            if matches!(part(key), WavePart::Api | WavePart::Admission)
                && let Some(service) = one.and_then(|one| things[one].object)
                && let Some(selector) = service.0.get("spec").and_then(|s| s.get("selector"))
                && let Some(labels) = selector.as_object()
            {
                let pods = templates.selected(on.namespace.as_deref(), labels);
                found.extend(
                    pods.filter_map(|pods| Some((at, *there.get(pods)?, DependencyKind::Server))),
                );
            }
        }
        if (key.group.as_str(), key.kind.as_str()) == ("policy", "PodDisruptionBudget")
            && let Some(selector) = object.0.get("spec").and_then(|spec| spec.get("selector"))
            && let Some(labels) = selector.get("matchLabels").and_then(|labels| labels.as_object())
        {
            let pods = templates.selected(key.namespace.as_deref(), labels);
            found.extend(
                pods.filter_map(|pods| Some((at, *there.get(pods)?, DependencyKind::Reference))),
            );
        }
    }
    found
}

/// Lets the parts of a wave wait for each other, where nothing else speaks.
fn parts(graph: &mut Graph, things: &[OrderedObject<'_>], members: &[usize], direction: Direction) {
    let all = |wanted: &dyn Fn(&ObjectKey) -> bool| -> Vec<usize> {
        members.iter().copied().filter(|at| wanted(things[*at].key)).collect()
    };
    let of = |wanted: &'static [WavePart]| all(&move |key| wanted.contains(&part(key)));
    let custom = of(&[WavePart::Custom]);
    let looked_after = all(&may_look_after);
    let care =
        if direction == Direction::Make { DependencyKind::Kind } else { DependencyKind::Care };
    for (before, after, why) in [
        (of(&[WavePart::Ground]), of(&[WavePart::Work, WavePart::Custom]), DependencyKind::Kind),
        (looked_after, custom, care),
        (
            of(&[WavePart::Ground, WavePart::Work, WavePart::Custom]),
            of(&[WavePart::Api]),
            DependencyKind::Kind,
        ),
        (
            of(&[WavePart::Ground, WavePart::Work, WavePart::Custom, WavePart::Api]),
            of(&[WavePart::Admission]),
            DependencyKind::Kind,
        ),
    ] {
        if before.is_empty() || after.is_empty() {
            continue;
        }
        let gate = graph.gate();
        before.into_iter().for_each(|at| graph.wait(gate, at, why));
        after.into_iter().for_each(|at| graph.wait(at, gate, why));
    }
}
