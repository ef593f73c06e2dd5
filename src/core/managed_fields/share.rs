//! How much of a field is ours: what has to be sent so that it stays as it is.

use super::managers::{self, FieldsV1, is_leaf};
use super::owners::{element, steps_to_whole};
use crate::core::json::{Map, Value};
use crate::core::manifest::PathPart;
use crate::core::object::Object;

/// How much of a field is ours.
#[derive(Clone, Debug, PartialEq)]
pub enum OwnedShare {
    /// Nothing of it, or only what others own as well: it stays without us.
    None,
    /// Our exclusive part of it, with its live value.
    Ours(Value),
    /// It is a part of what is owned whole, such as an element of a list without keys: its live
    /// value.
    Part(Value),
}

/// How much of the field at `path` of `live` is ours.
pub fn share(live: &Object, path: &[PathPart<'_>]) -> OwnedShare {
    let whole = Value::from(live.clone());
    let found = path.iter().try_fold(&whole, |value, part| match part {
        PathPart::Key(key) => value.get(key),
        PathPart::Index(index) => value.get(index),
    });
    let Some(value) = found else { return OwnedShare::None };
    if managers::entries(live).next().is_none() {
        // The first apply records whose it was, and we take that over.
        return OwnedShare::Ours(value.clone());
    }
    if steps_to_whole(live, path).is_some_and(|steps| steps < path.len()) {
        return OwnedShare::Part(value.clone());
    }
    let (mut ours, mut others) = (Vec::new(), Vec::new());
    for manager in managers::of(live) {
        let nodes = if manager.is_ours() { &mut ours } else { &mut others };
        nodes.extend(node_at(manager.fields, &whole, path));
    }
    let alone = ours.first().and_then(|ours| alone(ours, &others, value));
    alone.map_or(OwnedShare::None, OwnedShare::Ours)
}

/// The owned part of the value itself at `path`.
fn node_at<'a>(node: &'a FieldsV1, value: &Value, path: &[PathPart<'_>]) -> Option<&'a FieldsV1> {
    let Some((part, rest)) = path.split_first() else { return Some(node) };
    let (node, value) = match (part, value) {
        (PathPart::Key(key), Value::Object(map)) => {
            below(node, &format!("f:{key}")).zip(map.get(key))
        }
        (PathPart::Index(index), Value::Array(list)) => list
            .get(*index)
            .and_then(|item| element(node, item).map(|(_, node)| node).zip(Some(item))),
        _ => None,
    }?;
    node_at(node, value, rest)
}

/// The part of `live` that only we own; `None` when there is nothing.
fn alone(ours: &FieldsV1, others: &[&FieldsV1], live: &Value) -> Option<Value> {
    if is_leaf(ours) {
        return others.is_empty().then(|| live.clone());
    }
    // Others with nothing below own that it is there, and none of the parts.
    match live {
        Value::Object(map) => {
            let mut part = Map::new();
            for (key, value) in map {
                let name = format!("f:{key}");
                let Some(node) = below(ours, &name) else { continue };
                let others: Vec<&FieldsV1> =
                    others.iter().filter_map(|node| below(node, &name)).collect();
                if let Some(value) = alone(node, &others, value) {
                    part.insert(key.clone(), value);
                }
            }
            (!part.is_empty()).then(|| part.into())
        }
        Value::Array(list) => {
            let item = |item: &Value| {
                let (key, node) = element(ours, item)?;
                let others: Vec<&FieldsV1> =
                    others.iter().filter_map(|node| Some(element(node, item)?.1)).collect();
                let mut part = alone(node, &others, item)?;
                // An element is sent with its keys.
                let keys = key.strip_prefix("k:").and_then(|keys| serde_json::from_str(keys).ok());
                if let (Value::Object(part), Some(Value::Object(keys))) = (&mut part, keys) {
                    part.extend(keys);
                }
                Some(part)
            };
            let items: Vec<Value> = list.iter().filter_map(item).collect();
            (!items.is_empty()).then(|| items.into())
        }
        _ => None,
    }
}

fn below<'a>(node: &'a FieldsV1, key: &str) -> Option<&'a FieldsV1> {
    node.get(key)?.as_object()
}

#[cfg(test)]
mod tests {
    use crate::core::json::json;

    use super::*;

    #[test]
    fn writing_an_empty_map_is_not_a_share_of_its_keys() {
        let entry = |manager: &str, spec: Value| json!({ "manager": manager, "operation": "Apply", "fieldsV1": { "f:spec": spec } });
        let live = json!({
            "metadata": { "managedFields": [
                entry("trueup", json!({ "f:labels": { "f:a": {} }, "f:resources": {} })),
                entry("other", json!({ "f:labels": {}, "f:resources": { "f:cpu": {} } })),
            ] },
            "spec": { "labels": { "a": "1" }, "resources": { "cpu": 1 } },
        });
        let live = Object::from(live.as_object().cloned().unwrap());
        let share = |path: &[&str]| {
            let path: Vec<_> = ["spec"].iter().chain(path).map(|key| PathPart::Key(key)).collect();
            share(&live, &path)
        };
        assert_eq!(share(&["labels"]), OwnedShare::Ours(json!({ "a": "1" })));
        assert_eq!(share(&["labels", "a"]), OwnedShare::Ours(json!("1")));
        assert_eq!(share(&["resources", "cpu"]), OwnedShare::None, "it is the other's alone");
        assert_eq!(share(&["resources"]), OwnedShare::None);
    }

    #[test]
    fn exclusively_owned_fields_are_ours() {
        let live = json!({
            "metadata": { "managedFields": [
                { "manager": "trueup", "operation": "Apply", "fieldsV1": { "f:spec": {
                    "f:replicas": {}, "f:both": {}, "f:args": {}, "f:labels": {
                        "f:a": {}, "f:b": {} }, "f:ports": {
                        "k:{\"port\":80}": { ".": {}, "f:port": {}, "f:name": {} },
                        "k:{\"port\":90}": { ".": {}, "f:port": {} } } } } },
                { "manager": "other", "operation": "Update", "fieldsV1": { "f:spec": {
                    "f:paused": {}, "f:both": {}, "f:labels": { "f:b": {} }, "f:ports": {
                        "k:{\"port\":80}": { "f:port": {} },
                        "k:{\"port\":90}": { ".": {}, "f:port": {} } } } } },
            ] },
            "spec": { "replicas": 1, "both": 2, "paused": true, "defaulted": "x",
                "args": ["-a", "-b"], "labels": { "a": "1", "b": "2", "c": "3" },
                "ports": [{ "port": 90 }, { "port": 80, "name": "x", "protocol": "TCP" }] },
        });
        let live = Object::from(live.as_object().cloned().unwrap());
        let (key, at) = (PathPart::Key, PathPart::Index);
        let share = |path: &[PathPart<'_>]| share(&live, &[&[key("spec")], path].concat());
        assert_eq!(share(&[key("replicas")]), OwnedShare::Ours(json!(1)));
        for field in ["both", "paused", "defaulted", "missing"] {
            assert_eq!(share(&[key(field)]), OwnedShare::None, "{field}");
        }
        assert_eq!(share(&[key("labels")]), OwnedShare::Ours(json!({ "a": "1" })));
        assert_eq!(share(&[key("labels"), key("b")]), OwnedShare::None);
        assert_eq!(share(&[key("args"), at(1)]), OwnedShare::Part(json!("-b")));
        let ports = json!([{ "port": 80, "name": "x" }]);
        assert_eq!(share(&[key("ports")]), OwnedShare::Ours(ports));
        assert_eq!(share(&[key("ports"), at(1), key("name")]), OwnedShare::Ours(json!("x")));
        assert_eq!(share(&[key("ports"), at(0)]), OwnedShare::None);
    }
}
