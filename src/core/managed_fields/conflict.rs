//! Fields that the commit declares with another value than the one that another manager gave them:
//! what is to be done about them, and which ones those are.
//!
//! Read off `managedFields`, so that a plan needs no request for it. What is written is sent so that
//! the API server refuses to take what was not seen here.

use std::collections::BTreeMap;
use std::fmt;

use super::managers::{self, FieldsV1, is_leaf};
use crate::core::json::Value;
use crate::core::object::Object;

/// A field that is declared with another value than another manager gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Where it is in what is sent: keys, and places in lists.
    pub path: Vec<String>,
    /// The managers that own it, in words: `kubectl (scale)`.
    pub managers: Vec<String>,
}

impl Conflict {
    /// The field as the API server names it: `spec.template.spec.containers[0].image`.
    pub fn field(&self) -> String {
        let mut field = String::new();
        for part in &self.path {
            match part.parse::<usize>() {
                Ok(_) if !field.is_empty() => field.push_str(&format!("[{part}]")),
                _ if part.contains(['.', '/']) => field.push_str(&format!("[{part}]")),
                _ if field.is_empty() => field.push_str(part),
                _ => field.push_str(&format!(".{part}")),
            }
        }
        field
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is set by {}", self.field(), self.managers.join(", "))
    }
}

/// The conflicts between `send` and what others own of `live`.
pub fn conflicts(send: &Object, live: &Object) -> Vec<Conflict> {
    let all: Vec<&FieldsV1> = managers::of(live).map(|manager| manager.fields).collect();
    let mut found: BTreeMap<Vec<String>, Vec<String>> = BTreeMap::new();
    for manager in managers::of(live).filter(|manager| !manager.is_ours()) {
        let mut walk = ConflictWalk { found: Vec::new(), path: Vec::new() };
        walk.map(manager.fields, &send.0, &live.0, &all);
        for path in walk.found {
            found.entry(path).or_default().push(manager.in_words());
        }
    }
    found.into_iter().map(|(path, managers)| Conflict { path, managers }).collect()
}

/// The walk through what one manager owns.
struct ConflictWalk {
    found: Vec<Vec<String>>,
    path: Vec<String>,
}

impl ConflictWalk {
    fn map(&mut self, owned: &FieldsV1, send: &FieldsV1, live: &FieldsV1, all: &[&FieldsV1]) {
        for (key, below) in owned {
            let Some(name) = key.strip_prefix("f:") else { continue };
            let (Some(below), Some(send), Some(live)) =
                (below.as_object(), send.get(name), live.get(name))
            else {
                continue;
            };
            self.path.push(name.to_owned());
            self.value(below, send, live, &nodes(all, key));
            self.path.pop();
        }
    }

    fn value(&mut self, owned: &FieldsV1, send: &Value, live: &Value, all: &[&FieldsV1]) {
        if send == live {
            return;
        }
        match (send, live) {
            // Empty when it was written, or owned whole: if any manager owns a part, it is the
            // former.
            _ if is_leaf(owned) => {
                let is_map = send.is_object() || send.is_array();
                if !is_map || all.iter().all(|node| is_leaf(node)) && !is_empty(live) {
                    self.found.push(self.path.clone());
                }
            }
            (Value::Object(send), Value::Object(live)) => self.map(owned, send, live, all),
            (Value::Array(send), Value::Array(live)) => self.list(owned, send, live, all),
            _ => self.found.push(self.path.clone()),
        }
    }

    fn list(&mut self, owned: &FieldsV1, send: &[Value], live: &[Value], all: &[&FieldsV1]) {
        for (key, below) in owned {
            let keys =
                key.strip_prefix("k:").and_then(|keys| serde_json::from_str::<FieldsV1>(keys).ok());
            let (Some(keys), Some(below)) = (keys, below.as_object()) else { continue };
            let is_it = |item: &Value| keys.iter().all(|(key, value)| item.get(key) == Some(value));
            // A key that is left out is one that the server fills in.
            let may_be = |item: &Value| {
                keys.iter().all(|(key, value)| item.get(key).is_none_or(|it| it == value))
            };
            let at = send.iter().position(is_it).or_else(|| send.iter().position(may_be));
            let (Some(at), Some(live)) = (at, live.iter().find(|item| is_it(item))) else {
                continue;
            };
            self.path.push(at.to_string());
            self.value(below, &send[at], live, &nodes(all, key));
            self.path.pop();
        }
    }
}

fn nodes<'a>(all: &[&'a FieldsV1], key: &str) -> Vec<&'a FieldsV1> {
    all.iter().filter_map(|node| node.get(key)?.as_object()).collect()
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::core::json::json;

    use super::*;

    fn object(value: Value) -> Object {
        Object::from(value.as_object().cloned().unwrap())
    }

    #[test]
    fn field_with_another_managers_value_is_a_conflict() {
        let live = object(json!({
            "metadata": { "managedFields": [
                { "manager": "trueup", "operation": "Apply", "fieldsV1": { "f:spec": {
                    "f:paused": {}, "f:labels": { "f:a": {} } } } },
                { "manager": "kubectl", "subresource": "scale", "operation": "Update",
                    "fieldsV1": { "f:spec": { "f:replicas": {}, "f:paused": {} } } },
                { "manager": "other", "operation": "Apply", "fieldsV1": { "f:spec": {
                    "f:replicas": {}, "f:args": {}, "f:labels": {}, "f:none": {}, "f:ports": {
                        "k:{\"port\":80,\"protocol\":\"TCP\"}": { ".": {}, "f:name": {} } } } } },
            ] },
            "spec": { "replicas": 5, "paused": true, "args": ["-a"], "labels": { "a": "1" },
                "none": {}, "ports": [{ "port": 80, "protocol": "TCP", "name": "theirs" }] },
        }));
        let send = object(json!({ "spec": { "replicas": 2, "paused": true, "args": ["-b"],
            "labels": { "a": "2" }, "none": { "x": "1" },
            "ports": [{ "port": 90 }, { "port": 80, "name": "ours" }] } }));
        let told: Vec<String> = conflicts(&send, &live).iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "spec.args is set by other",
                "spec.ports[1].name is set by other",
                "spec.replicas is set by kubectl (scale), other",
            ]
        );
    }
}
