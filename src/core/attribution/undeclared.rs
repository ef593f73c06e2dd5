//! Fields of a declared object that another manager set and git does not declare, such as with
//! `kubectl set env`: apply leaves them, so that no difference shows them.
//!
//! Fields that a controller reports through `status` are left out, and so are those that the API
//! server fills in. That has no owner, unless an update created the element around it: then the
//! server has given another element of the object the same, without an owner.

use super::{FieldWriter, handover, writers};
use crate::core::compare::{Side, resolve};
use crate::core::json::Value;
use crate::core::managed_fields::managers::{self, Manager};
use crate::core::managed_fields::ownership_change::{has_parts, leaves, place};
use crate::core::managed_fields::{FIELD_MANAGER, has_our_entry, owners};
use crate::core::manifest::PathPart;
use crate::core::object::Object;
use crate::core::plan::Change;
use crate::core::redact::Redactor;

/// The record that kubectl keeps of what it applied; it is not a field that a person set.
const RECORD: &str = "f:kubectl.kubernetes.io/last-applied-configuration";

/// A field that another manager set and git does not declare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndeclaredField {
    /// The field, as a [`FieldChange`](crate::core::diff::FieldChange) names it.
    pub path: String,
    /// Its value, masked.
    pub value: Value,
    /// Its writers, the last one first.
    pub writers: Vec<FieldWriter>,
}

/// The fields of a declared object that others set, git does not declare and apply leaves.
pub fn undeclared(change: &Change, redactor: &Redactor) -> Vec<UndeclaredField> {
    let (Some(_), Some(live)) = (&change.origin, change.live()) else { return Vec::new() };
    let object = change.becomes().unwrap_or(live);
    if !has_our_entry(object) {
        return Vec::new(); // git declares nothing of it that is there
    }
    let theirs = managers::of(object).filter(is_others);
    let mut paths: Vec<Vec<&str>> = theirs.flat_map(|manager| leaves(manager.fields)).collect();
    paths.sort_unstable();
    paths.dedup();
    if paths.is_empty() {
        return Vec::new();
    }
    let (shown, given) = (redactor.object(object), declared_values(object));
    let field = |path: &Vec<&str>| {
        let at = place(path, &object.0)?;
        let value = handover::value(&object.0, &at)?;
        let owners = owners::of(object, &at);
        let declared = change.send().and_then(|send| {
            let steps = handover::steps(path, &at, object);
            resolve(send, &steps, Side::After).map(|_| ())
        });
        let is_given =
            matches!(at.last(), Some(PathPart::Key(name)) if given.contains(&(*name, value)));
        if declared.is_some() || is_given || owners.iter().any(Manager::is_ours) {
            return None;
        }
        let owners: Vec<Manager<'_>> = owners.into_iter().filter(is_others).collect();
        Some(UndeclaredField {
            path: crate::core::compare::path(&handover::steps(path, &at, &shown)),
            value: handover::value(&shown.0, &at)?.clone(),
            writers: writers(&owners),
        })
    };
    let is_told = |path: &&Vec<&str>| {
        let others = paths.iter().map(Vec::as_slice);
        !path.contains(&RECORD) && !has_parts(object, path) && !handover::is_only_key(path, others)
    };
    paths.iter().filter(is_told).filter_map(field).collect()
}

/// Whether it is neither trueup nor what reports a status.
fn is_others(manager: &Manager<'_>) -> bool {
    manager.name != FIELD_MANAGER
        && manager.subresource != "status"
        && !manager.fields.keys().all(|key| key == "f:status")
}

/// The names and values of the fields without an owner: the API server has set them.
fn declared_values(object: &Object) -> Vec<(&str, &Value)> {
    let mut given = Vec::new();
    for (key, value) in &*object.0 {
        if !matches!(key.as_str(), "apiVersion" | "kind" | "metadata" | "status") {
            collect(object, key, value, &mut vec![PathPart::Key(key)], &mut given);
        }
    }
    given
}

fn collect<'a>(
    object: &'a Object,
    name: &'a str,
    value: &'a Value,
    at: &mut Vec<PathPart<'a>>,
    given: &mut Vec<(&'a str, &'a Value)>,
) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                at.push(PathPart::Key(key));
                collect(object, key, value, at, given);
                at.pop();
            }
        }
        Value::Array(list) if !list.is_empty() => {
            for (index, item) in list.iter().enumerate() {
                at.push(PathPart::Index(index));
                collect(object, name, item, at, given);
                at.pop();
            }
        }
        _ if owners::of(object, at).is_empty() => given.push((name, value)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use crate::core::json::json;

    use super::*;
    use crate::core::manifest::Origin;
    use crate::core::plan::{Action, Effect};

    #[test]
    fn undeclared_fields_exclude_server_defaults() {
        let container = |more: Value| json!({ "f:containers": more });
        let live = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": { "name": "web", "labels": { "by": "hand" }, "managedFields": [
                { "manager": "trueup", "operation": "Apply", "fieldsV1": { "f:spec":
                    container(json!({ "k:{\"name\":\"main\"}": { ".": {}, "f:name": {}, "f:image": {} } })) } },
                { "manager": "kubectl-edit", "operation": "Update", "time": "2026-03-01T12:00:00Z",
                  "fieldsV1": { "f:metadata": { "f:labels": { "f:by": {} } }, "f:spec":
                    container(json!({ "k:{\"name\":\"debug\"}": { ".": {}, "f:name": {}, "f:image": {},
                        "f:policy": {} }, "k:{\"name\":\"main\"}": { "f:image": {} } })) } },
                { "manager": "kubectl-set", "operation": "Update", "fieldsV1": { "f:spec":
                    container(json!({ "k:{\"name\":\"main\"}": { "f:env": { ".": {},
                        "k:{\"name\":\"DEBUG\"}": { ".": {}, "f:name": {}, "f:value": {} } } } })) } },
                { "manager": "kubelet", "operation": "Update", "subresource": "status",
                  "fieldsV1": { "f:status": { "f:phase": {} } } },
            ] },
            "spec": { "containers": [
                { "name": "main", "image": "a", "policy": "Always", "env": [{ "name": "DEBUG", "value": "1" }] },
                { "name": "debug", "image": "b", "policy": "Always" },
            ] },
            "status": { "phase": "Running" },
        });
        let live = Object::from(live.as_object().cloned().unwrap());
        let change = Change {
            key: live.key(),
            version: "v1".to_owned(),
            origin: Some(Origin::default()),
            effect: Effect::of(Action::Keep, Some(live), None),
            reason: None,
        };
        let found = undeclared(&change, &Redactor::default());
        let told: Vec<_> = found.iter().map(|it| (it.path.as_str(), &it.value)).collect();
        assert_eq!(
            told,
            [
                ("metadata.labels.by", &json!("hand")),
                ("spec.containers[name=debug].image", &json!("b")),
                ("spec.containers[name=main].env[name=DEBUG].value", &json!("1")),
            ]
        );
        let by: Vec<&str> = found.iter().map(|it| it.writers[0].manager.as_str()).collect();
        assert_eq!(by, ["kubectl-edit", "kubectl-edit", "kubectl-set"]);
    }
}
