//! Whose a field of a live object is.

use serde_json::{Map, Value};

use super::managers::{self, Manager, is_leaf};
use crate::manifest::PathPart;
use crate::object::Object;

/// The managers that own the field at `path` of `live`, or anything in it.
pub fn of<'a>(live: &'a Object, path: &[PathPart<'_>]) -> Vec<Manager<'a>> {
    managers::of(live).filter(|manager| owns(manager.fields, &live.0, path)).collect()
}

fn owns(fields: &Map<String, Value>, live: &Map<String, Value>, path: &[PathPart<'_>]) -> bool {
    let [PathPart::Key(key), rest @ ..] = path else { return false };
    let (Some(node), Some(value)) = (field(fields, key), live.get(*key)) else { return false };
    below(node, value, rest)
}

/// Whether a node stands for the value at `path`, or for something in it.
fn below(node: &Map<String, Value>, value: &Value, path: &[PathPart<'_>]) -> bool {
    let Some((part, rest)) = path.split_first() else { return true };
    // Owned whole, and so is every part of it.
    if is_leaf(node) {
        return true;
    }
    let next = match (part, value) {
        (PathPart::Key(key), Value::Object(map)) => field(node, key).zip(map.get(*key)),
        (PathPart::Index(index), Value::Array(list)) => {
            list.get(*index).and_then(|item| Some((element(node, item)?.1, item)))
        }
        _ => None,
    };
    next.is_some_and(|(node, value)| below(node, value, rest))
}

fn field<'a>(node: &'a Map<String, Value>, key: &str) -> Option<&'a Map<String, Value>> {
    node.get(&format!("f:{key}"))?.as_object()
}

/// The node of a list's element, which is told by its keys or by its value, and what tells it.
pub fn element<'a>(
    node: &'a Map<String, Value>,
    item: &Value,
) -> Option<(&'a str, &'a Map<String, Value>)> {
    let is_it = |key: &str| match (key.strip_prefix("k:"), key.strip_prefix("v:")) {
        (Some(keys), _) => {
            let keys: Map<String, Value> = serde_json::from_str(keys).unwrap_or_default();
            !keys.is_empty() && keys.iter().all(|(key, value)| item.get(key) == Some(value))
        }
        (None, Some(value)) => serde_json::from_str::<Value>(value).ok().as_ref() == Some(item),
        (None, None) => false,
    };
    let (key, node) = node.iter().find(|(key, _)| is_it(key))?;
    Some((key, node.as_object()?))
}

/// What the server fills in where a built-in kind's key is left out that tells elements apart.
const KEYS: [(&str, &str); 2] = [("protocol", "TCP"), ("name", "")];

/// Whether an element that is sent and a live one agree in a key that tells elements apart. One that
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
    use serde_json::json;

    use super::*;

    #[test]
    fn a_field_belongs_to_whoever_owns_it_or_the_whole_that_it_is_in() {
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
        let live = Object(live.as_object().cloned().unwrap());
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
}
