//! Drift that a new commit meets: where an object was not as the former commit declares it, besides
//! what the new one changes.
//!
//! A field that the former commit declared was ours once that was applied. Where another manager owns
//! it now, or it is gone, it was changed since. Values are not compared, as the API server may write
//! them in another form.

use super::{FieldHistory, attributions};
use crate::core::annotations::Mode;
use crate::core::compare::{Side, resolve};
use crate::core::diff::Delta;
use crate::core::json::Value;
use crate::core::managed_fields::owners;
use crate::core::object::Object;
use crate::core::plan::{Action, Change};

/// How an object differed from what the former commit declares.
#[derive(Clone, Debug, PartialEq)]
pub enum FormerDrift {
    /// It was gone.
    Gone,
    /// Fields of it had been changed.
    Fields(Vec<DriftedField>),
}

/// A field that was changed since the former commit was applied.
#[derive(Clone, Debug, PartialEq)]
pub struct DriftedField {
    /// The field, as a [`FieldChange`](crate::core::diff::FieldChange) names it.
    pub path: String,
    /// The value found, masked; `None` where it was gone.
    pub before: Option<Value>,
    /// The value of the new commit, masked.
    pub after: Option<Value>,
    /// Whether both commits declare the same, so that it is put back and not changed.
    pub is_restored: bool,
}

/// The drift within `change` to an object that the former commit declares as `former`. The `delta` is
/// that of the change.
pub fn former_drift(change: &Change, delta: &Delta, former: &Object) -> Option<FormerDrift> {
    if Mode::ignores(former) {
        return None;
    }
    match change.action() {
        Action::Create => return Some(FormerDrift::Gone),
        Action::Update | Action::Replace => {}
        _ => return None,
    }
    let send = change.send()?;
    let stories = attributions(change, delta, None);
    let drifted = delta.fields.iter().filter_map(|field| {
        let story = &stories.iter().find(|story| story.path == field.path)?.story;
        let was_changed = match story {
            FieldHistory::Drift(_) => true,
            FieldHistory::Declared => field.before.is_none(),
            FieldHistory::Changed | FieldHistory::Released(_) => false,
        };
        let declared = |object| {
            let path = resolve(object, &field.steps, Side::After)?;
            owners::value(object, &path)
        };
        let former = declared(former).filter(|_| was_changed)?;
        Some(DriftedField {
            path: field.path.clone(),
            before: field.before.clone(),
            after: field.after.clone(),
            is_restored: Some(former) == declared(send),
        })
    });
    let drifted: Vec<DriftedField> = drifted.collect();
    (!drifted.is_empty()).then_some(FormerDrift::Fields(drifted))
}
