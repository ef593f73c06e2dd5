//! Why a field differs: who made the live value what it is, and where the commit says otherwise.
//! And which fields only change hands.
//!
//! Ownership distinguishes drift from a change of the commit. As long as a field is not touched, it
//! is ours in `managedFields`; whoever changes its value takes it from us (KEP-555, "Conflicts").

use jiff::Timestamp;
use serde::Serialize;

use crate::core::compare::{Side, around, resolve};
use crate::core::diff::{Delta, FieldChange};
use crate::core::json::Value;
use crate::core::managed_fields::managers::Manager;
use crate::core::managed_fields::owners;
use crate::core::managed_fields::ownership_change::losers;
use crate::core::managed_fields::takeover::hand_over;
use crate::core::manifest::{Manifest, PathPart};
use crate::core::object::Object;
use crate::core::plan::Change;
use crate::core::problem::Location;
use crate::core::source::snapshot::Authorship;

mod former;
mod handover;
mod undeclared;

pub use former::{DriftedField, FormerDrift, former_drift};
pub use handover::{Handover, OwnerChange, handovers};
pub use undeclared::{UndeclaredField, undeclared};

/// Why one field differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribution {
    /// The field, as a [`FieldChange`] names it.
    pub path: String,
    /// Its history.
    pub story: FieldHistory,
    /// The managers that lose it: those who have it now, and no longer when it is applied.
    pub taken_from: Vec<FieldWriter>,
    /// The new value, masked; `None` where it is removed.
    pub after: Option<Value>,
    /// Where the commit declares it; `None` where it does not, or where the line is unknown.
    pub place: Option<Location>,
    /// The author of the line, in which commit.
    pub declared: Option<Authorship>,
}

/// The history of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldHistory {
    /// Another manager set it. Where the commit does not declare it, it is in the way of what it
    /// does declare.
    Drift(Vec<FieldWriter>),
    /// It is as we last made it, and the commit says otherwise now.
    Changed,
    /// The commit declares what had no owner: the server's default stands there, or nothing.
    Declared,
    /// The commit no longer declares it. It becomes what other owners say; without one, it is
    /// removed or falls back to the server's default.
    Released(Vec<FieldWriter>),
}

/// A manager that wrote a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "writer"))]
pub struct FieldWriter {
    /// The name that it wrote under, such as `kubectl-edit`.
    pub manager: String,
    /// How it wrote: `Apply` or `Update`.
    pub operation: String,
    /// The part that it wrote through, such as `scale`; empty for the object itself.
    pub subresource: String,
    /// When it last changed anything of what it owns.
    pub time: Option<Timestamp>,
}

impl FieldWriter {
    fn new(manager: &Manager<'_>) -> Self {
        Self {
            manager: manager.name.to_owned(),
            operation: manager.operation.to_owned(),
            subresource: manager.subresource.to_owned(),
            time: manager.time.and_then(|time| time.parse().ok()),
        }
    }
}

/// Why each field of `delta` differs. Nothing is said of fields that only follow from others, and
/// nothing of an object that is new.
pub fn attributions(
    change: &Change,
    delta: &Delta,
    manifest: Option<&Manifest>,
) -> Vec<Attribution> {
    let (Some(live), Some(send)) = (change.live(), change.send()) else { return Vec::new() };
    let merged = change.becomes().unwrap_or(send);
    let handed_over = hand_over(live, send);
    let states = ObjectStates { live, handed_over: handed_over.as_ref(), merged };
    let story = |field| Some((field, history_of(field, states, send)?));
    let stories = delta.fields.iter().filter_map(story);
    let attribution = |(field, story): (&FieldChange, FieldHistory)| {
        let declared = |object| resolve(object, &field.steps, Side::After);
        let path = manifest.and_then(|manifest| declared(&manifest.object));
        // An object that says nothing takes nothing.
        let taken_from =
            match (resolve(live, &field.steps, Side::Before), declared(merged), declared(send)) {
                (Some(old), Some(new), Some(_)) if !field.is_order => {
                    writers(&losers(owners::of(live, &old), merged, &new))
                }
                (_, Some(new), Some(_)) => {
                    writers(&losers(owners_around(live, merged, field), merged, &new))
                }
                // It is in the way of what is declared.
                (Some(_), None, None) => {
                    let before = handed_over.as_ref().unwrap_or(live);
                    let path = resolve(before, &field.steps, Side::Before).unwrap_or_default();
                    self::owners(before, &path).1
                }
                _ => Vec::new(),
            };
        Attribution {
            path: field.path.clone(),
            story,
            taken_from,
            after: field.after.clone(),
            place: path.and_then(|path| manifest?.place_at(&path)),
            declared: None,
        }
    };
    stories.map(attribution).collect()
}

/// The states of an object on its way.
#[derive(Clone, Copy)]
struct ObjectStates<'a> {
    live: &'a Object,
    /// Once its predecessors handed over what they own; `None` where there are none.
    handed_over: Option<&'a Object>,
    merged: &'a Object,
}

fn history_of(
    field: &FieldChange,
    states: ObjectStates<'_>,
    send: &Object,
) -> Option<FieldHistory> {
    let ObjectStates { live, handed_over, merged } = states;
    let is_declared = resolve(send, &field.steps, Side::After).is_some();
    if field.steps.is_empty() || (field.is_order && !is_declared) {
        return None;
    }
    let of = |object, side| {
        let path = resolve(object, &field.steps, side);
        path.map(|path| self::owners(object, &path)).unwrap_or_default()
    };
    let (is_ours, others) = match field.is_order {
        true => shared(&owners_around(live, merged, field)),
        false => of(live, Side::Before),
    };
    let is_left = resolve(merged, &field.steps, Side::After).is_some();
    // The fields of predecessors are ours by the time that they go.
    let is_let_go = || is_ours || handed_over.is_some_and(|live| of(live, Side::Before).0);
    Some(match (is_declared, is_ours) {
        (true, true) => FieldHistory::Changed,
        (true, false) if !others.is_empty() => FieldHistory::Drift(others),
        // The order of elements with owners of their own has no known author.
        (true, false) if field.is_order => return None,
        // An owner of the value around it left it out, unless we did.
        (true, false) if resolve(live, &field.steps, Side::Before).is_none() => {
            match shared(&owners_around(live, merged, field)) {
                (false, others) if !others.is_empty() => FieldHistory::Drift(others),
                _ => FieldHistory::Declared,
            }
        }
        (true, false) => FieldHistory::Declared,
        (false, _) if is_let_go() => FieldHistory::Released(of(merged, Side::After).1),
        // It is in the way of what is declared.
        (false, _) if !others.is_empty() && !is_left => FieldHistory::Drift(others),
        (false, _) => return None,
    })
}

/// The managers that own, as one value, what is around a missing field, and so left it out, or own
/// a list whose order it is. Where each part has an owner of its own, the API server keeps no
/// record of who took one out.
fn owners_around<'a>(live: &'a Object, merged: &Object, field: &FieldChange) -> Vec<Manager<'a>> {
    // Once the field is there, the fields of whoever declares it tell how it is owned.
    let path = resolve(merged, &field.steps, Side::After).unwrap_or_default();
    let Some(steps) = owners::steps_to_whole(merged, &path) else { return Vec::new() };
    let is_around = if field.is_order { steps == path.len() } else { steps < path.len() };
    let around = around(live, &field.steps, Side::Before);
    match around.get(..steps) {
        Some(whole) if is_around => owners::of(live, whole),
        _ => Vec::new(),
    }
}

/// Whether we own the field, and who else does.
fn owners(object: &Object, path: &[PathPart<'_>]) -> (bool, Vec<FieldWriter>) {
    shared(&owners::of(object, path))
}

/// Whether we are among the owners, and who else is.
fn shared(owners: &[Manager<'_>]) -> (bool, Vec<FieldWriter>) {
    let (ours, others): (Vec<_>, Vec<_>) = owners.iter().copied().partition(Manager::is_ours);
    (!ours.is_empty(), writers(&others))
}

/// The writers, the last one first.
fn writers(managers: &[Manager<'_>]) -> Vec<FieldWriter> {
    let mut writers: Vec<FieldWriter> = managers.iter().map(FieldWriter::new).collect();
    writers.sort_by_key(|writer| std::cmp::Reverse(writer.time));
    writers
}

#[cfg(test)]
mod tests;
