//! Which element of one list is which of another: by what the API server tells the elements of a
//! list from each other by, as `managedFields` record it, or else by their names. How elements belong
//! together that nothing tells from each other is [`element_match`](super::alike)'s.

use std::collections::BTreeMap;

use super::element_match::alike;
use super::matched::Match;
use crate::core::compare::PathStep;
use crate::core::json::{Map, Value};
use crate::core::managed_fields::{managers, owners};
use crate::core::object::Object;

/// The parts of one value that all managers of both objects own, in the form `FieldsV1`.
#[derive(Clone, Default)]
pub(super) struct Nodes<'a>(Vec<&'a Map>);

impl<'a> Nodes<'a> {
    pub(super) fn new(objects: &[Option<&'a Object>]) -> Self {
        let managers = objects.iter().flatten().flat_map(|object| managers::of(object));
        Self(managers.map(|manager| manager.fields).collect())
    }

    /// The owned part of the value of a map's key.
    pub(super) fn key(&self, key: &str) -> Self {
        let name = format!("f:{key}");
        Self(self.0.iter().filter_map(|node| node.get(&name)?.as_object()).collect())
    }

    /// The owned part of a list's element. A scalar has no parts to own.
    pub(super) fn item(&self, item: &Value) -> Self {
        if !item.is_object() && !item.is_array() {
            return Self::default();
        }
        Self(self.0.iter().filter_map(|node| Some(owners::element(node, item)?.1)).collect())
    }

    /// The names of the fields that identify the elements of the list.
    fn keys(&self) -> Option<Vec<String>> {
        let keys = self.0.iter().flat_map(|node| node.keys());
        let keys = keys.filter_map(|key| key.strip_prefix("k:")).next()?;
        let keys: Map = serde_json::from_str(keys).ok()?;
        Some(keys.into_iter().map(|(name, _)| name.into()).collect())
    }

    /// Whether every element of the list is owned by its value.
    fn is_set(&self) -> bool {
        self.0.iter().flat_map(|node| node.keys()).any(|key| key.starts_with("v:"))
    }
}

/// Two lists whose elements can be matched.
pub(super) struct Pairs {
    /// The fields that identify them; none where their values do.
    names: Vec<String>,
    before: BTreeMap<String, usize>,
    after: BTreeMap<String, usize>,
    /// The keys of the elements in the order of the lists.
    pub(super) orders: [Vec<String>; 2],
}

/// How the elements of two lists belong together; `None` where that is unknown.
pub(super) fn pairs(nodes: &Nodes<'_>, before: &[Value], after: &[Value]) -> Option<Pairs> {
    let by = |names: Vec<String>| {
        let (before, old) = signatures(&names, before)?;
        let (after, new) = signatures(&names, after)?;
        Some(Pairs { names, before, after, orders: [old, new] })
    };
    let by_value = || nodes.is_set().then(|| by(Vec::new())).flatten();
    nodes.keys().and_then(by).or_else(by_value).or_else(|| by(vec!["name".to_owned()]))
}

/// The elements of both lists in the order of each, as they belong together. Between those that
/// both have, the first list's stand before the second's.
pub(super) fn matches(nodes: &Nodes<'_>, before: &[Value], after: &[Value]) -> Vec<Match> {
    match pairs(nodes, before, after) {
        Some(pairs) => renumbered(pairs.in_both_orders(), before, after),
        None => alike(before, after),
    }
}

/// The same where one that goes and one that comes in its place have one name, though what tells
/// them differs, as of a port that gets another number: for people it is the same one.
fn renumbered(matches: Vec<Match>, before: &[Value], after: &[Value]) -> Vec<Match> {
    let name = |item: &Value| item.get("name").and_then(Value::as_str).map(str::to_owned);
    let mut found = Vec::with_capacity(matches.len());
    for run in matches.chunk_by(|one, next| !one.is_both() && !next.is_both()) {
        let mut comes = run.iter().filter_map(|one| one.after).peekable();
        if run[0].is_both() {
            found.extend(run);
            continue;
        }
        for old in run.iter().filter_map(|one| one.before) {
            let named = name(&before[old]);
            let is_it = |new: usize| named.is_some() && name(&after[new]) == named;
            if !comes.clone().any(is_it) {
                found.push(Match::removed(old));
                continue;
            }
            while let Some(new) = comes.next_if(|new| !is_it(*new)) {
                found.push(Match::new(new));
            }
            found.extend(comes.next().map(|new| Match::both(old, new)));
        }
        found.extend(comes.map(Match::new));
    }
    found
}

impl Pairs {
    /// The elements of both: those of the second in its order, then those that it lacks.
    pub(super) fn places(&self) -> impl Iterator<Item = (Option<usize>, Option<usize>)> {
        let [old, new] = &self.orders;
        let gone = old.iter().filter(|key| !self.after.contains_key(*key));
        let place = |key| (self.before.get(key).copied(), self.after.get(key).copied());
        new.iter().chain(gone).map(place)
    }

    /// Whether the elements of both stand in another order.
    pub(super) fn are_reordered(&self) -> bool {
        let [old, new] = &self.orders;
        let old = old.iter().filter(|key| self.after.contains_key(*key));
        !old.eq(new.iter().filter(|key| self.before.contains_key(*key)))
    }

    /// The identity of this element.
    pub(super) fn step(&self, item: &Value) -> PathStep {
        if self.names.is_empty() {
            return PathStep::Member(item.clone());
        }
        let key = |name: &String| Some((name.clone(), item.get(name)?.clone()));
        PathStep::Keyed(self.names.iter().filter_map(key).collect())
    }

    /// The elements of both in the order of each. One whose place among the others is not the same
    /// in both stands in it twice.
    fn in_both_orders(&self) -> Vec<Match> {
        let mut matches = Vec::new();
        let [mut old, mut new] = self.orders.each_ref().map(|order| order.iter().peekable());
        let mut at = [0, 0];
        loop {
            while old.next_if(|key| !self.after.contains_key(*key)).is_some() {
                matches.push(Match::removed(at[0]));
                at[0] += 1;
            }
            while new.next_if(|key| !self.before.contains_key(*key)).is_some() {
                matches.push(Match::new(at[1]));
                at[1] += 1;
            }
            match (old.next(), new.next()) {
                (None, None) => return matches,
                (Some(old), Some(new)) if old == new => matches.push(Match::both(at[0], at[1])),
                (old, new) => {
                    matches.extend(old.map(|_| Match::removed(at[0])));
                    matches.extend(new.map(|_| Match::new(at[1])));
                }
            }
            at = [at[0] + 1, at[1] + 1];
        }
    }

    /// The field that identifies all elements, where it is one alone.
    pub(super) fn only_name(&self) -> Option<&str> {
        match self.names.as_slice() {
            [name] => Some(name),
            _ => None,
        }
    }

    /// The elements of the first list in the order of the second; what the second lacks stands
    /// behind what it stood behind.
    pub(super) fn in_the_order_of_the_second(&self, before: &[Value]) -> Vec<Value> {
        let [old, new] = &self.orders;
        let mut keys: Vec<&String> =
            new.iter().filter(|key| self.before.contains_key(*key)).collect();
        let mut at = 0;
        for key in old {
            match keys.iter().position(|other| *other == key) {
                Some(place) => at = place + 1,
                None => {
                    keys.insert(at, key);
                    at += 1;
                }
            }
        }
        keys.into_iter().filter_map(|key| Some(before[*self.before.get(key)?].clone())).collect()
    }
}

/// Where each element stands by its keys, and the keys in their order; `None` when two elements
/// have the same or one has none.
fn signatures(names: &[String], items: &[Value]) -> Option<(BTreeMap<String, usize>, Vec<String>)> {
    let (mut places, mut order) = (BTreeMap::new(), Vec::new());
    for (i, item) in items.iter().enumerate() {
        let keys: Vec<&Value> = match names {
            [] => vec![item],
            names => names.iter().map(|name| item.get(name).unwrap_or(&Value::Null)).collect(),
        };
        let is_keyed = keys.iter().any(|key| !key.is_null());
        let is_simple = keys.iter().all(|key| !key.is_object() && !key.is_array());
        let signature = match keys.as_slice() {
            [Value::String(only)] => only.clone(),
            keys => {
                Value::from(keys.iter().map(|key| (*key).clone()).collect::<Vec<_>>()).to_string()
            }
        };
        if !is_keyed || !is_simple || places.insert(signature.clone(), i).is_some() {
            return None;
        }
        order.push(signature);
    }
    Some((places, order))
}
