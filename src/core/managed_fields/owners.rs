//! The owners of a live object's fields.

use super::managers::{self, FieldsV1, Manager, is_leaf};
use crate::core::json::{Map, Value};
use crate::core::manifest::PathPart;
use crate::core::object::Object;

/// The managers that own the field at `path` of `live`, or anything in it.
pub fn of<'a>(live: &'a Object, path: &[PathPart<'_>]) -> Vec<Manager<'a>> {
    reach(live, path).shares.into_iter().map(|share| share.manager).collect()
}

/// How many steps of the way to a field of `object` lead to what is owned as one value: to something
/// around the field, or to itself. `None` where it has no owner.
pub fn steps_to_whole(object: &Object, path: &[PathPart<'_>]) -> Option<usize> {
    let OwnedPath { shares, steps } = reach(object, path);
    let is_whole = !shares.is_empty() && shares.iter().all(|share| is_leaf(share.node));
    is_whole.then_some(steps)
}

/// The part of a value that one manager owns.
struct OwnedNode<'a> {
    manager: Manager<'a>,
    node: &'a FieldsV1,
}

/// How far the managers' fields lead on the way to a value: to it, or to what is around it and owned
/// whole.
#[derive(Default)]
struct OwnedPath<'a> {
    /// Their parts of it.
    shares: Vec<OwnedNode<'a>>,
    /// How many steps lead there.
    steps: usize,
}

/// Follows all managers' fields at once, since only all of them tell what is owned whole.
fn reach<'a>(live: &'a Object, path: &[PathPart<'_>]) -> OwnedPath<'a> {
    let [PathPart::Key(key), rest @ ..] = path else { return OwnedPath::default() };
    let Some(mut value) = live.0.get(key) else { return OwnedPath::default() };
    let share =
        |manager: Manager<'a>| Some(OwnedNode { manager, node: field(manager.fields, key)? });
    let mut shares: Vec<OwnedNode<'a>> = managers::of(live).filter_map(share).collect();
    for (i, part) in rest.iter().enumerate() {
        // No part has an owner of its own: what managers own, they own whole, and so every part.
        if shares.iter().all(|share| is_leaf(share.node)) {
            return OwnedPath { shares, steps: i + 1 };
        }
        let below = match part {
            PathPart::Key(key) => value.get(key),
            PathPart::Index(index) => value.get(index),
        };
        let Some(below) = below else { return OwnedPath::default() };
        value = below;
        // A manager with nothing below, beside others with something, owns only that the map is
        // there.
        shares.retain_mut(|share| {
            let node = match part {
                PathPart::Key(key) => field(share.node, key),
                PathPart::Index(index) => item(share.node, *index, value),
            };
            share.node = node.unwrap_or(share.node);
            node.is_some()
        });
    }
    OwnedPath { shares, steps: path.len() }
}

fn field<'a>(node: &'a FieldsV1, key: &str) -> Option<&'a FieldsV1> {
    node.get(&format!("f:{key}"))?.as_object()
}

/// The node of a list's element, by its index where it has no key.
fn item<'a>(node: &'a FieldsV1, index: usize, item: &Value) -> Option<&'a FieldsV1> {
    let by_place = || node.get(&format!("i:{index}"))?.as_object();
    element(node, item).map(|(_, node)| node).or_else(by_place)
}

/// The node of a list's element, and the keys or the value that identify it.
pub fn element<'a>(node: &'a FieldsV1, item: &Value) -> Option<(&'a str, &'a FieldsV1)> {
    let is_it = |key: &str| match (key.strip_prefix("k:"), key.strip_prefix("v:")) {
        (Some(keys), _) => {
            let keys: Map = serde_json::from_str(keys).unwrap_or_default();
            !keys.is_empty() && keys.iter().all(|(key, value)| item.get(key) == Some(value))
        }
        (None, Some(value)) => serde_json::from_str::<Value>(value).ok().as_ref() == Some(item),
        (None, None) => false,
    };
    let (key, node) = node.iter().find(|(key, _)| is_it(key))?;
    Some((key, node.as_object()?))
}

/// The server's defaults of keys that identify elements of built-in kinds.
const KEYS: [(&str, &str); 2] = [("protocol", "TCP"), ("name", "")];

/// Whether an element that is sent and a live one agree in a key that identifies elements. One that
/// is left out, and of which nothing is known, may be any.
pub fn is_same_key(name: &str, send: &Value, live: &Value) -> bool {
    let filled_in = KEYS.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
    match (send.get(name), live.get(name), filled_in) {
        (Some(send), Some(live), _) => send == live,
        (None, Some(live), Some(value)) => live == value,
        (Some(send), None, Some(value)) => send == value,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use crate::core::json::json;

    use super::*;

    #[test]
    fn field_owner_includes_the_owner_of_its_atomic_parent() {
        let live = json!({
            "metadata": { "managedFields": [
                { "manager": "trueup", "operation": "Apply", "fieldsV1": { "f:spec": {
                    "f:replicas": {}, "f:selector": {},
                    "f:ports": { "k:{\"port\":80,\"protocol\":\"TCP\"}": {
                        ".": {}, "f:port": {} } } } } },
                { "manager": "kubectl-edit", "operation": "Update", "fieldsV1": { "f:spec": {
                    "f:ports": { "k:{\"port\":80,\"protocol\":\"TCP\"}": { "f:name": {} } },
                    "f:finalizers": { "v:\"a\"": {} } } } },
            ] },
            "spec": { "replicas": 1, "selector": { "app": "web" }, "finalizers": ["b", "a"],
                "ports": [{ "port": 90 }, { "port": 80, "protocol": "TCP", "name": "x" }] },
        });
        let live = Object::from(live.as_object().cloned().unwrap());
        let whose = |path: &[PathPart<'_>]| -> Vec<&str> {
            let path = [&[PathPart::Key("spec")], path].concat();
            of(&live, &path).into_iter().map(|manager| manager.name).collect()
        };
        let (key, at) = (PathPart::Key, PathPart::Index);
        assert_eq!(whose(&[key("replicas")]), ["trueup"]);
        assert_eq!(whose(&[key("selector"), key("app")]), ["trueup"], "owned whole");
        assert_eq!(whose(&[key("ports"), at(1), key("port")]), ["trueup"]);
        assert_eq!(whose(&[key("ports"), at(1), key("name")]), ["kubectl-edit"]);
        assert_eq!(whose(&[key("ports"), at(1)]), ["trueup", "kubectl-edit"]);
        assert_eq!(whose(&[key("ports"), at(0), key("port")]), Vec::<&str>::new());
        assert_eq!(whose(&[key("finalizers"), at(1)]), ["kubectl-edit"]);
        assert_eq!(whose(&[key("finalizers"), at(0)]), Vec::<&str>::new());
        assert_eq!(whose(&[key("paused")]), Vec::<&str>::new());
    }

    #[test]
    fn owner_of_an_empty_map_does_not_own_its_keys() {
        let entry = |manager: &str, spec: Value| json!({ "manager": manager, "operation": "Update", "fieldsV1": { "f:spec": spec } });
        let live = json!({
            "metadata": { "managedFields": [
                entry("first", json!({ "f:resources": {}, "f:empty": {}, "f:selector": {} })),
                entry("edit", json!({ "f:resources": { ".": {}, "f:cpu": {} }, "f:args": {},
                    "f:rows": { "i:1": { "f:a": {} } } })),
            ] },
            "spec": { "resources": { "cpu": 1, "given": 2 }, "empty": {}, "selector": { "a": "b" },
                "args": [{ "x": {} }], "rows": [{ "a": 1 }, { "a": 2 }] },
        });
        let live = Object::from(live.as_object().cloned().unwrap());
        let names = |managers: Vec<Manager<'_>>| -> Vec<String> {
            managers.into_iter().map(|manager| manager.name.to_owned()).collect()
        };
        let whose =
            |path: &[PathPart<'_>]| names(of(&live, &[&[PathPart::Key("spec")], path].concat()));
        let whole = |path: &[PathPart<'_>]| {
            steps_to_whole(&live, &[&[PathPart::Key("spec")], path].concat())
        };
        let (key, index) = (PathPart::Key, PathPart::Index);
        assert_eq!(whose(&[key("resources"), key("cpu")]), ["edit"]);
        assert_eq!(whose(&[key("resources"), key("given")]), [""; 0]);
        assert_eq!(whose(&[key("resources")]), ["first", "edit"]);
        assert_eq!(whose(&[key("rows"), index(1), key("a")]), ["edit"]);
        assert_eq!(whose(&[key("rows"), index(0), key("a")]), [""; 0]);
        assert_eq!(whole(&[key("selector"), key("a")]), Some(2));
        assert_eq!(whole(&[key("args"), index(0), key("x")]), Some(2));
        assert_eq!(whole(&[key("args")]), Some(2), "a whole itself");
        assert_eq!(whole(&[key("resources"), key("cpu")]), Some(3), "a whole itself");
        for none in [&[key("resources")][..], &[key("resources"), key("given")], &[key("rows")]] {
            assert_eq!(whole(none), None, "{none:?}");
        }
    }
}
