//! The effect of a [`Change`], as data and as two texts to compare: without noise, without secrets.
//!
//! Noise is what is never declared and changes with every write: `status`, `managedFields`,
//! `resourceVersion`, `generation` and the like. Which action is taken is [`crate::core::plan`]'s,
//! how it looks is `cli::present`'s. Everything here has been through the [`Redactor`].

mod deviation;
mod element_match;
mod embedded;
mod equality;
mod fields;
mod lists;
mod matched;
mod order;
mod side_by_side;
pub mod yaml;

pub use deviation::{Deviation, Expected, FieldDeviation};
use lists::Nodes;
pub use order::FieldOrder;
use serde::Serialize;
pub use side_by_side::Piece;
use side_by_side::Texts;

use crate::core::compare::PathStep;
use crate::core::inventory::PART_OF;
use crate::core::json::Value;
use crate::core::managed_fields::{foreign_owners, takeover};
use crate::core::object::Object;
use crate::core::plan::{Action, Change};
use crate::core::redact::Redactor;

/// Fields of `metadata` that the API server keeps for itself.
const NOISE: &[&str] =
    &["managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink"];

/// Annotations that controllers and clients count or remember with: where they stay as they are,
/// they are not worth a line.
const BOOKKEEPING: &[&str] = &[
    "deployment.kubernetes.io/revision",
    "deprecated.daemonset.template.generation",
    "kubectl.kubernetes.io/last-applied-configuration",
    "pv.kubernetes.io/bind-completed",
    "pv.kubernetes.io/bound-by-controller",
];

/// One field that changes.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "field_change"))]
pub struct FieldChange {
    /// Where, such as `spec.template.spec.containers[name=main].image` or `spec.args[0]`: an
    /// element without a key is named by the index that it gets, or had where it is removed. Keys
    /// that are not plain words are quoted: `metadata.annotations["example.com/x"]`. The order of
    /// the elements of a list with one key is the field `spec.containers[*].name`, by several
    /// `spec.ports[*]`. An element that is identified by its value is
    /// `metadata.finalizers[="example.com/a"]`.
    pub path: String,
    /// The same, step by step; of the order of a list's elements, the way to the list.
    #[serde(skip)]
    pub steps: Vec<PathStep>,
    /// Whether it is the order of a list's elements.
    #[serde(skip)]
    pub is_order: bool,
    /// The value it has, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// The value it gets, unless it goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// A list whose elements change places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reordered {
    /// Where it is, as a [`FieldChange`] names it.
    pub path: String,
    /// The keys of its elements, in the order that they have.
    pub before: Vec<String>,
    /// The same in the order that they get.
    pub after: Vec<String>,
}

impl Reordered {
    /// `the order of spec.containers changes: a, b → b, a`, without what keeps its place at both
    /// ends.
    pub fn words(&self, arrow: &str, gap: &str) -> String {
        let Self { path, before, after } = self;
        let alike = |pairs: &mut dyn Iterator<Item = (&String, &String)>| {
            pairs.take_while(|(old, new)| old == new).count()
        };
        let start = alike(&mut before.iter().zip(after));
        let end = alike(&mut before[start..].iter().rev().zip(after[start..].iter().rev()));
        let shown = |order: &[String]| {
            let (first, last) = (start > 0, end > 0);
            let moved = order[start..order.len() - end].iter().cloned();
            let parts = first.then(|| gap.to_owned()).into_iter().chain(moved);
            parts.chain(last.then(|| gap.to_owned())).collect::<Vec<_>>().join(", ")
        };
        format!("the order of {path} changes: {} {arrow} {}", shown(before), shown(after))
    }
}

/// The difference between the live object and the new one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Delta {
    /// Every field that changes, sorted as the texts are. Empty for objects that are deleted, kept
    /// or refused: nothing of them changes, or all of it goes.
    pub fields: Vec<FieldChange>,
    /// The live object as YAML; empty when there is none.
    pub before_text: String,
    /// The new object, as YAML; empty when it is deleted.
    pub after_text: String,
    /// Which lines of the one text belong to which of the other, from the first to the last.
    pub pieces: Vec<Piece>,
    /// The lists whose elements change places; the texts have them in the places that they get.
    pub reordered: Vec<Reordered>,
    /// An object that exists already becomes a member of the inventory. The label that says so
    /// stands in neither text and is not among the fields.
    pub joins: bool,
    /// The present owner of the object.
    pub adopted_from: Option<String>,
    /// Predecessors whose fields become ours with it, as they applied the object before.
    pub predecessors: Vec<String>,
    /// Only the record of who owns which field changes.
    pub only_ownership: bool,
    /// Something changes, and only in what is masked.
    pub only_masked: bool,
}

impl Delta {
    /// The difference of `change`.
    pub fn new(change: &Change, redactor: &Redactor) -> Self {
        Self::in_order(change, redactor, &FieldOrder::default())
    }

    /// The difference of `change`, in the order in which a file declares it.
    pub fn in_order(change: &Change, redactor: &Redactor, order: &FieldOrder) -> Self {
        Self::delta_of(change, redactor, order, true)
    }

    /// The same with texts that hold the objects as they are, for other programs to compare: no list
    /// is put in another order, and no JSON laid out.
    pub fn plain(change: &Change, redactor: &Redactor, order: &FieldOrder) -> Self {
        Self::delta_of(change, redactor, order, false)
    }

    fn delta_of(change: &Change, redactor: &Redactor, order: &FieldOrder, is_for_us: bool) -> Self {
        let (before, after) = match change.action() {
            Action::Create => (None, change.becomes()),
            Action::Update | Action::Replace | Action::Abandon => (change.live(), change.becomes()),
            Action::Delete | Action::Keep | Action::Refuse => return Self::default(),
        };
        let nodes = Nodes::new(&[before, after]);
        let label =
            |object: Option<&Object>| object.and_then(|o| o.label(PART_OF)).map(str::to_owned);
        let (old_label, new_label) = (label(before), label(after));
        let hides_label = new_label.is_some() || old_label.is_none();
        let clean = |object: Option<&Object>| object.map(|object| quiet(object, hides_label));
        let (raw_before, raw_after) = (clean(before), clean(after));
        let show =
            |raw: &Option<Object>| raw.as_ref().map(|raw| redactor.object(raw)).unwrap_or_default();
        let (mut before, mut after) = (show(&raw_before), show(&raw_after));

        let existed = raw_before.is_some();
        let joins = existed && new_label.is_some() && old_label != new_label;
        let only_masked = raw_before != raw_after && before == after;
        let fields = fields::between(&before.0, &after.0, order, nodes.clone());
        let (aligned, reordered) = fields::aligned(&before.0, &after.0, nodes.clone());
        if is_for_us {
            before = aligned.into();
            without_bookkeeping(&mut before, &mut after);
        }
        let texts = match is_for_us {
            true => Texts::laid_out(&before, &after, order, nodes),
            false => Texts::plain(&before, &after, order, nodes),
        };
        let (mut predecessors, mut adopted_from) = (Vec::new(), None);
        if let (Action::Update, Some(live), Some(send)) =
            (change.action(), change.live(), change.send())
        {
            let all = takeover::predecessors(live, send).into_iter();
            predecessors.extend(all.map(|manager| manager.name.to_owned()));
            adopted_from = send.label(PART_OF).and_then(|id| foreign_owners::of(live, id));
            predecessors.sort();
            predecessors.dedup();
        }
        Self {
            fields,
            before_text: texts.before,
            after_text: texts.after,
            pieces: texts.pieces,
            reordered,
            joins,
            adopted_from: adopted_from.map(|claim| redactor.text(&claim.to_string())),
            predecessors,
            only_ownership: existed && !joins && raw_before == raw_after,
            only_masked,
        }
    }
}

/// Takes out the annotations that are only noise and that stay as they are.
fn without_bookkeeping(before: &mut Object, after: &mut Object) {
    let annotations = |object: &Object| object.metadata()?.get("annotations")?.as_object().cloned();
    let (Some(old), Some(new)) = (annotations(before), annotations(after)) else { return };
    let stays = |name: &&&str| old.contains_key(name) && old.get(name) == new.get(name);
    let names: Vec<&&str> = BOOKKEEPING.iter().filter(stays).collect();
    for (object, is_only) in [(before, old.len() == names.len()), (after, new.len() == names.len())]
    {
        let Some(Value::Object(metadata)) = object.fields_mut().get_mut("metadata") else {
            continue;
        };
        match metadata.get_mut("annotations") {
            Some(_) if is_only && !names.is_empty() => drop(metadata.remove("annotations")),
            Some(Value::Object(map)) => names.iter().for_each(|name| drop(map.remove(name))),
            _ => {}
        }
    }
}

/// The two objects between which `change` makes a difference, without noise and not redacted: what
/// is live, and what it becomes. The label that makes it a member stands in them.
pub fn compared(change: &Change) -> (Option<Object>, Option<Object>) {
    let after = change.becomes();
    let clean = |object: Option<&Object>| object.map(|object| quiet(object, false));
    (clean(change.live()), clean(after))
}

/// Every field in which `after` differs from `before`, in the order in which they are written.
pub fn fields_between(before: &Object, after: &Object) -> Vec<FieldChange> {
    fields::between(&before.0, &after.0, &FieldOrder::default(), Nodes::default())
}

/// The object that a change deletes, as YAML.
pub fn gone_text(change: &Change, redactor: &Redactor) -> String {
    let live = change.live().map(|live| redactor.object(&quiet(live, true)));
    live.as_ref().map(yaml::text).unwrap_or_default()
}

/// `object` without what would only be noise.
fn quiet(object: &Object, hides_label: bool) -> Object {
    let mut object = object.clone();
    object.fields_mut().remove("status");
    let Some(Value::Object(metadata)) = object.fields_mut().get_mut("metadata") else {
        return object;
    };
    for field in NOISE {
        metadata.remove(field);
    }
    if hides_label && let Some(Value::Object(labels)) = metadata.get_mut("labels") {
        labels.remove(PART_OF);
        if labels.is_empty() {
            metadata.remove("labels");
        }
    }
    object
}

#[cfg(test)]
mod tests;
