//! The owners of an object's fields once it is applied, as far as that is known without the server:
//! for an object that had to be predicted.
//!
//! Follows server-side apply (KEP-555): we own what we declare and nothing else, and others lose
//! what we declare with another value.

use super::managers::{self, FieldsV1, is_leaf};
use super::owners::{element, is_same_key};
use super::{FIELD_MANAGER, SERVERS_METADATA};
use crate::core::json::{Key, Value, json};
use crate::core::object::Object;

/// `merged`, which comes of applying `send` over `before`, with the owners that it has then.
pub fn with_owners(mut merged: Object, send: &Object, before: &Object) -> Object {
    let nodes: Vec<&FieldsV1> = managers::of(before).map(|manager| manager.fields).collect();
    let mut fields = FieldsV1::new();
    for (name, value) in &*send.0 {
        let key = format!("f:{name}");
        let nodes = managers::below(&nodes, &key);
        let live = before.0.get(name);
        match (name.as_str(), value) {
            ("apiVersion" | "kind", _) => {}
            ("metadata", Value::Object(metadata)) => {
                let mut owned = metadata.clone();
                owned.retain(|name, _| !SERVERS_METADATA.contains(&name.as_str()));
                if !owned.is_empty() {
                    fields.insert(key, declared(&owned.into(), live, &nodes));
                }
            }
            _ => drop(fields.insert(key, declared(value, live, &nodes))),
        }
    }
    let mut ours = json!({ "manager": FIELD_MANAGER, "operation": "Apply",
        "apiVersion": send.api_version(), "fieldsType": "FieldsV1", "fieldsV1": fields });
    let mut entries = Vec::new();
    for entry in managers::entries(before) {
        let manager = managers::read(entry);
        if let Some(manager) = manager.filter(|manager| manager.is_ours()) {
            if let Some(time) = manager.time {
                ours["time"] = time.into();
            }
            continue;
        }
        let mut entry = entry.clone();
        if let Some(Value::Object(fields)) = entry.get_mut("fieldsV1") {
            lose(fields, &Value::from(send.clone()), &Value::from(before.clone()));
            if fields.is_empty() {
                continue;
            }
        }
        entries.push(entry);
    }
    entries.insert(0, ours);
    merged.metadata_mut().insert("managedFields".to_owned(), entries.into());
    merged
}

/// The entry for a value that is declared. Whether its elements are owned one by one is seen in the
/// entries that there are.
fn declared(value: &Value, live: Option<&Value>, nodes: &[&FieldsV1]) -> Value {
    let is_whole = !nodes.is_empty() && nodes.iter().all(|node| is_leaf(node));
    match value {
        Value::Object(map) if !is_whole => {
            let field = |(name, value): (&Key, &Value)| {
                let key = format!("f:{name}");
                let live = live.and_then(|live| live.get(name));
                let node = declared(value, live, &managers::below(nodes, &key));
                (key, node)
            };
            map.iter().map(field).collect::<FieldsV1>().into()
        }
        Value::Array(list) => {
            let mut keys = nodes.iter().flat_map(|node| node.keys());
            let Some(told) = keys.find(|key| key.starts_with("k:") || key.starts_with("v:")) else {
                return json!({});
            };
            let names: Option<FieldsV1> =
                told.strip_prefix("k:").and_then(|keys| serde_json::from_str(keys).ok());
            let Some(names) = names else {
                let value = |item: &Value| (format!("v:{item}"), json!({}));
                return list.iter().map(value).collect::<FieldsV1>().into();
            };
            let live = live.and_then(Value::as_array);
            let item = |item: &Value| {
                let is_it = |live: &&Value| names.keys().all(|name| is_same_key(name, item, live));
                let live = live.and_then(|live| live.iter().find(is_it));
                // A key that is left out has the value of the others.
                let told = names.iter().map(|(name, other)| {
                    let value = item.get(name).or_else(|| live?.get(name)).unwrap_or(other);
                    (name.clone(), value.clone())
                });
                let key = format!("k:{}", Value::Object(told.collect()));
                let mut node = declared(item, live, &managers::below(nodes, &key));
                node["."] = json!({});
                (key, node)
            };
            list.iter().map(item).collect::<FieldsV1>().into()
        }
        _ => json!({}),
    }
}

/// Takes out of what another owns of `live` what `send` gives another value.
fn lose(owned: &mut FieldsV1, send: &Value, live: &Value) {
    owned.retain(|key, below| {
        let Some(below) = below.as_object_mut().filter(|_| key != ".") else { return true };
        let (send, live) = match key.strip_prefix("f:") {
            Some(name) => (send.get(name), live.get(name)),
            None => {
                let node = FieldsV1::from_iter([(key.clone(), json!({}))]);
                let find = |list: &'_ Value| {
                    let mut items = list.as_array()?.iter();
                    items.position(|item| element(&node, item).is_some())
                };
                let at = |list| find(list).and_then(|at| list.get(at));
                (at(send), at(live))
            }
        };
        let (Some(send), Some(live)) = (send, live) else { return true };
        if is_leaf(below) {
            return send == live || send.is_object();
        }
        lose(below, send, live);
        !below.is_empty()
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> Object {
        Object::from(value.as_object().cloned().unwrap())
    }

    #[test]
    fn predicted_owners_are_trueup_or_the_yielded_to_manager() {
        let entry = |manager: &str, operation: &str, spec: Value| json!({ "manager": manager, "operation": operation, "fieldsV1": { "f:spec": spec } });
        let ports = json!({ "k:{\"port\":80,\"protocol\":\"TCP\"}": { ".": {}, "f:name": {} } });
        let before = object(json!({
            "metadata": { "managedFields": [
                entry("trueup", "Apply", json!({ "f:selector": {}, "f:gone": {} })),
                entry("edit", "Update", json!({ "f:replicas": {}, "f:ports": ports })),
                entry("scale", "Update", json!({ "f:replicas": {} })),
            ] },
            "spec": { "selector": { "a": "b" }, "gone": 1, "replicas": 5,
                "ports": [{ "port": 80, "protocol": "TCP", "name": "web" }] },
        }));
        let send = object(json!({
            "apiVersion": "v1", "kind": "X", "metadata": { "name": "x", "labels": { "a": "b" } },
            "spec": { "selector": { "a": "c" }, "replicas": 1, "ports": [{ "port": 80 }, { "port": 9 }] },
        }));
        let after = with_owners(send.clone(), &send, &before);
        let entries = &after.0["metadata"]["managedFields"];
        assert_eq!(
            entries[0]["fieldsV1"],
            json!({ "f:metadata": { "f:labels": { "f:a": {} } }, "f:spec": {
                "f:selector": {}, "f:replicas": {}, "f:ports": {
                    "k:{\"port\":80,\"protocol\":\"TCP\"}": { ".": {}, "f:port": {} },
                    "k:{\"port\":9,\"protocol\":\"TCP\"}": { ".": {}, "f:port": {} } } } })
        );
        assert_eq!(
            *entries,
            json!([entries[0], entry("edit", "Update", json!({ "f:ports": ports }))])
        );
    }
}
