//! Two JSON trees → the fields in which they differ, each with its path.

use super::element_match::in_place;
use super::lists::{Nodes, pairs};
use super::matched::Match;
use super::order::{FieldOrder, MapContext};
use super::{FieldChange, Reordered};
use crate::core::compare::{PathStep, path};
use crate::core::json::{Map, Value};

/// A field on the way to the differences.
#[derive(Clone)]
pub(super) struct FieldCursor<'a> {
    steps: Vec<PathStep>,
    pub(super) place: MapContext,
    pub(super) order: &'a FieldOrder,
    pub(super) nodes: Nodes<'a>,
}

impl<'a> FieldCursor<'a> {
    pub(super) fn top(order: &'a FieldOrder, nodes: Nodes<'a>) -> Self {
        Self { steps: Vec::new(), place: MapContext::Top, order, nodes }
    }

    fn below(&self, step: PathStep) -> Self {
        let mut at = self.clone();
        at.steps.push(step);
        at
    }

    pub(super) fn key(&self, key: &str) -> Self {
        let (order, nodes) = (self.order.key(key), self.nodes.key(key));
        let place = self.place.below(key);
        Self { order, nodes, place, ..self.below(PathStep::Key(key.to_owned())) }
    }

    pub(super) fn item(&self, step: PathStep, item: &Value) -> Self {
        let (order, nodes) = (self.order.item(item), self.nodes.item(item));
        Self { order, nodes, place: MapContext::Element, ..self.below(step) }
    }
}

/// Every field in which `after` differs from `before`, in the order in which they are shown.
pub(super) fn between<'a>(
    before: &Map,
    after: &Map,
    order: &'a FieldOrder,
    nodes: Nodes<'a>,
) -> Vec<FieldChange> {
    let mut fields = Vec::new();
    let at = FieldCursor::top(order, nodes);
    maps(&at, before, after, &mut fields);
    fields
}

fn maps(at: &FieldCursor<'_>, before: &Map, after: &Map, fields: &mut Vec<FieldChange>) {
    for key in at.order.keys(at.place, &[before, after]) {
        let (before, after) = (before.get(key), after.get(key));
        if before != after {
            values(&at.key(key), before, after, fields);
        }
    }
}

fn values(
    at: &FieldCursor<'_>,
    before: Option<&Value>,
    after: Option<&Value>,
    fields: &mut Vec<FieldChange>,
) {
    match (before, after) {
        (before, after) if before == after => {}
        (Some(Value::Object(before)), Some(Value::Object(after))) => {
            maps(at, before, after, fields);
        }
        (Some(Value::Array(before)), Some(Value::Array(after))) => {
            lists(at, before, after, fields);
        }
        _ => fields.push(FieldChange {
            path: path(&at.steps),
            steps: at.steps.clone(),
            is_order: false,
            before: before.cloned(),
            after: after.cloned(),
        }),
    }
}

fn lists(at: &FieldCursor<'_>, before: &[Value], after: &[Value], fields: &mut Vec<FieldChange>) {
    let Some(pairs) = pairs(&at.nodes, before, after) else {
        for Match { before: was, after: is } in in_place(before, after) {
            let (old, new) = (was.and_then(|i| before.get(i)), is.and_then(|i| after.get(i)));
            let Some(item) = new.or(old).filter(|_| old != new) else { continue };
            values(&at.item(PathStep::Item { before: was, after: is }, item), old, new, fields);
        }
        return;
    };
    for (old, new) in pairs.places() {
        let (old, new) = (old.and_then(|i| before.get(i)), new.and_then(|i| after.get(i)));
        let Some(item) = new.or(old).filter(|_| old != new) else { continue };
        values(&at.item(pairs.step(item), item), old, new, fields);
    }
    if pairs.are_reordered() {
        let [old, new] = pairs.orders.clone();
        let name = pairs.only_name().map(|name| format!(".{name}")).unwrap_or_default();
        fields.push(FieldChange {
            path: format!("{}[*]{name}", path(&at.steps)),
            steps: at.steps.clone(),
            is_order: true,
            before: Some(old.into()),
            after: Some(new.into()),
        });
    }
}

/// `before` with the elements of its lists in the order of `after`'s, so that what only moved does
/// not differ; and the lists that this was done to.
pub(super) fn aligned(before: &Map, after: &Map, nodes: Nodes<'_>) -> (Map, Vec<Reordered>) {
    let mut aligned = before.clone();
    let mut moved = Vec::new();
    let at = FieldCursor::top(FieldOrder::none(), nodes);
    align_map(&at, &mut aligned, after, &mut moved);
    (aligned, moved)
}

fn align_map(at: &FieldCursor<'_>, before: &mut Map, after: &Map, moved: &mut Vec<Reordered>) {
    for (key, before) in before {
        if let Some(after) = after.get(key).filter(|after| *after != before) {
            align(&at.key(key), before, after, moved);
        }
    }
}

fn align(at: &FieldCursor<'_>, before: &mut Value, after: &Value, moved: &mut Vec<Reordered>) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => align_map(at, before, after, moved),
        (Value::Array(before), Value::Array(after)) => {
            let Some(pairs) = pairs(&at.nodes, before, after) else { return };
            for (old, new) in pairs.places() {
                let (Some(old), Some(new)) = (old, new) else { continue };
                let (old, new) = (&mut before[old], &after[new]);
                if old != new {
                    align(&at.item(pairs.step(new), new), old, new, moved);
                }
            }
            if pairs.are_reordered() {
                *before = pairs.in_the_order_of_the_second(before);
                let [before, after] = pairs.orders.clone();
                moved.push(Reordered { path: path(&at.steps), before, after });
            }
        }
        _ => {}
    }
}
