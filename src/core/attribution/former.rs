//! Drift that a new commit meets: where an object was not as the former commit declares it, besides
//! what the new one changes.
//!
//! A field that the former commit declared was ours once that was applied. Where another manager owns
//! it now, or it is gone, it was changed since. Values are not compared, as the API server may write
//! them in another form.

use super::{FieldHistory, attributions, handover};
use crate::core::annotations::Mode;
use crate::core::compare::{PathStep, Side, resolve};
use crate::core::diff::Delta;
use crate::core::json::Value;
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

impl FormerDrift {
    /// Whether any of it is as before again, and not as the new commit has it.
    pub fn is_put_back(&self) -> bool {
        match self {
            Self::Gone => true,
            Self::Fields(fields) => fields.iter().any(|field| field.is_restored),
        }
    }
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
        let former =
            declared(former, &field.steps).filter(|value| was_changed && !value.is_null())?;
        Some(DriftedField {
            path: field.path.clone(),
            before: field.before.clone(),
            after: field.after.clone(),
            is_restored: Some(former) == declared(send, &field.steps),
        })
    });
    let drifted: Vec<DriftedField> = drifted.collect();
    (!drifted.is_empty()).then_some(FormerDrift::Fields(drifted))
}

/// The value that an object declares for a field.
fn declared<'v>(object: &'v Object, steps: &[PathStep]) -> Option<&'v Value> {
    handover::value(&object.0, &resolve(object, steps, Side::After)?)
}

#[cfg(test)]
mod tests {
    use crate::core::json::{Value, json};

    use super::*;
    use crate::core::plan::Effect;
    use crate::core::redact::Redactor;

    fn object(data: &Value, owners: &[(&str, &[&str])]) -> Object {
        let entry = |(manager, fields): &(&str, &[&str])| {
            let fields = fields.iter().map(|name| (format!("f:{name}"), json!({})));
            let fields: crate::core::json::Map = fields.collect();
            json!({ "manager": manager, "operation": "Apply", "fieldsV1": { "f:data": fields } })
        };
        let entries: Vec<Value> = owners.iter().map(entry).collect();
        let object = json!({ "apiVersion": "v1", "kind": "ConfigMap", "data": data,
            "metadata": { "name": "a", "managedFields": entries } });
        Object::from(object.as_object().cloned().unwrap())
    }

    fn manifest(data: &Value) -> Object {
        let object = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "a" }, "data": data });
        Object::from(object.as_object().cloned().unwrap())
    }

    fn change(live: Option<Object>, new: &Value) -> Change {
        let action = if live.is_some() { Action::Update } else { Action::Create };
        let names: Vec<&str> = new.as_object().unwrap().keys().map(|key| key.as_str()).collect();
        let merged = object(new, &[("trueup", &names)]);
        let mut effect = Effect::of(action, live, Some(merged));
        effect.write_mut().send = manifest(new);
        let key = manifest(new).key();
        Change { key, version: "v1".to_owned(), origin: None, effect, reason: None }
    }

    fn drift(live: Option<Object>, former: &Value, new: &Value) -> Option<FormerDrift> {
        let change = change(live, new);
        former_drift(&change, &Delta::new(&change, &Redactor::default()), &manifest(former))
    }

    #[test]
    fn drift_is_told_from_the_changes_of_the_new_commit() {
        let field = |path: &str, before: Option<&str>, after: &str, is_restored| DriftedField {
            path: path.to_owned(),
            before: before.map(Value::from),
            after: Some(after.into()),
            is_restored,
        };
        let live = |data: Value, owners: &[(&str, &[&str])]| Some(object(&data, owners));
        let ours: (&str, &[&str]) = ("trueup", &["x"]);
        let hand: (&str, &[&str]) = ("hand", &["key"]);
        let former = json!({ "key": "1", "x": "1" });
        for (name, live, new, expected) in [
            (
                "put back beside a change",
                live(json!({ "key": "hand", "x": "1" }), &[ours, hand]),
                json!({ "key": "1", "x": "2" }),
                Some(vec![field("data.key", Some("hand"), "1", true)]),
            ),
            (
                "changed by both",
                live(json!({ "key": "hand", "x": "1" }), &[ours, hand]),
                json!({ "key": "2", "x": "1" }),
                Some(vec![field("data.key", Some("hand"), "2", false)]),
            ),
            (
                "removed by hand",
                live(json!({ "x": "1" }), &[ours]),
                json!({ "key": "1", "x": "2" }),
                Some(vec![field("data.key", None, "1", true)]),
            ),
            (
                "the commit alone",
                live(json!({ "key": "1", "x": "1" }), &[("trueup", &["key", "x"])]),
                json!({ "key": "2", "x": "1" }),
                None,
            ),
            (
                "a field that the former commit left to others",
                live(
                    json!({ "key": "1", "x": "1", "new": "hand" }),
                    &[("trueup", &["key", "x"]), ("hand", &["new"])],
                ),
                json!({ "key": "1", "x": "1", "new": "2" }),
                None,
            ),
        ] {
            assert_eq!(drift(live, &former, &new), expected.map(FormerDrift::Fields), "{name}");
        }
        assert_eq!(drift(None, &former, &json!({ "x": "2" })), Some(FormerDrift::Gone));
    }

    #[test]
    fn an_object_that_was_ignored_has_no_drift() {
        let former = json!({ "apiVersion": "v1", "kind": "ConfigMap", "data": { "key": "1" },
            "metadata": { "name": "a", "annotations": { "trueup.dev/mode": "ignore" } } });
        let former = Object::from(former.as_object().cloned().unwrap());
        let change = change(None, &json!({ "key": "1" }));
        let delta = Delta::new(&change, &Redactor::default());
        assert_eq!(former_drift(&change, &delta, &former), None);
    }
}
