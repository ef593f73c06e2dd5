//! The predicted result of applying an object to the live one, as far as that is known without the
//! server: no defaults, no admission, no conversion.
//!
//! Follows server-side apply (KEP-555): maps are merged field by field; a list is merged by the
//! keys or values that identify its elements in `managedFields`, else it is replaced; what only we
//! owned is removed where we no longer send it.

use super::managers::{self, FieldsV1, Manager, is_leaf};
use super::owners::{element, is_same_key};
use crate::core::json::Value;
use crate::core::object::Object;

/// The predicted result on `live`.
pub fn foresee(send: &Object, live: &Object) -> Object {
    let (ours, others): (Vec<_>, Vec<_>) = managers::of(live).partition(Manager::is_ours);
    let owners = Owners {
        ours: ours.iter().map(|manager| manager.fields).collect(),
        others: others.iter().map(|manager| manager.fields).collect(),
    };
    map(&owners, &send.0, &live.0).into()
}

/// The owned parts of a value, ours and others'.
struct Owners<'a> {
    ours: Vec<&'a FieldsV1>,
    others: Vec<&'a FieldsV1>,
}

impl<'a> Owners<'a> {
    fn below(&self, key: &str) -> Self {
        let below = |nodes: &[&'a FieldsV1]| {
            nodes.iter().filter_map(|node| node.get(key)?.as_object()).collect()
        };
        Self { ours: below(&self.ours), others: below(&self.others) }
    }

    /// Whether we alone own the value, or something in it.
    fn are_we(&self) -> bool {
        !self.ours.is_empty() && self.others.is_empty()
    }

    fn nodes(&self) -> impl Iterator<Item = &'a FieldsV1> {
        self.ours.iter().chain(&self.others).copied()
    }

    /// Whether the value has one owner as a whole.
    fn is_whole(&self) -> bool {
        let mut nodes = self.nodes().peekable();
        nodes.peek().is_some() && nodes.all(is_leaf)
    }
}

fn map(owners: &Owners<'_>, send: &FieldsV1, live: &FieldsV1) -> FieldsV1 {
    let mut merged = FieldsV1::new();
    for (key, value) in live {
        let below = owners.below(&format!("f:{key}"));
        match send.get(key) {
            None if below.are_we() => {}
            None if below.ours.is_empty() || below.is_whole() => {
                merged.insert(key.clone(), value.clone());
            }
            None => drop(merged.insert(key.clone(), without(&below, value))),
            Some(sent) => drop(merged.insert(key.clone(), self::value(&below, sent, value))),
        }
    }
    for (key, value) in send {
        if !live.contains_key(key) && !value.is_null() {
            merged.insert(key.clone(), value.clone());
        }
    }
    merged
}

fn value(owners: &Owners<'_>, send: &Value, live: &Value) -> Value {
    match (send, live) {
        (Value::Object(send), Value::Object(live)) if send.is_empty() || !owners.is_whole() => {
            map(owners, send, live).into()
        }
        (Value::Array(send), Value::Array(live)) => list(owners, send, live),
        _ => send.clone(),
    }
}

/// A value that stays for others, without what is ours alone.
fn without(owners: &Owners<'_>, live: &Value) -> Value {
    match live {
        Value::Object(live) => map(owners, &FieldsV1::new(), live).into(),
        Value::Array(live) => list(owners, &[], live),
        _ => live.clone(),
    }
}

/// Ours come in our order, with what only others have behind them.
fn list(owners: &Owners<'_>, send: &[Value], live: &[Value]) -> Value {
    let mut keys = owners.nodes().flat_map(|node| node.keys());
    let Some(key) = keys.find(|key| key.starts_with("k:") || key.starts_with("v:")) else {
        return send.to_vec().into();
    };
    let names: Vec<String> = match key.strip_prefix("k:") {
        Some(keys) => {
            let keys: FieldsV1 = serde_json::from_str(keys).unwrap_or_default();
            keys.into_iter().map(|(name, _)| name.into()).collect()
        }
        None => Vec::new(),
    };
    let is_same = |a: &Value, b: &Value| match names.as_slice() {
        [] => a == b,
        names => names.iter().all(|name| is_same_key(name, a, b)),
    };
    let node = |item: &Value| {
        let key = owners.nodes().find_map(|node| element(node, item)).map(|(key, _)| key);
        key.map(|key| owners.below(key))
    };
    let mut merged = Vec::new();
    for item in send {
        match live.iter().find(|live| is_same(item, live)) {
            Some(live) => {
                let none = Owners { ours: Vec::new(), others: Vec::new() };
                merged.push(value(&node(live).unwrap_or(none), item, live));
            }
            None => merged.push(item.clone()),
        }
    }
    let others = live.iter().filter(|live| !send.iter().any(|item| is_same(item, live)));
    merged.extend(others.filter(|live| !node(live).is_some_and(|node| node.are_we())).cloned());
    merged.into()
}

#[cfg(test)]
mod tests {
    use crate::core::json::json;

    use super::*;

    fn object(value: Value) -> Object {
        Object::from(value.as_object().cloned().unwrap())
    }

    #[test]
    fn prediction_merges_sent_fields_and_removes_dropped_ones() {
        let live = object(json!({
            "metadata": { "managedFields": [
                { "manager": "trueup", "operation": "Apply", "fieldsV1": { "f:spec": {
                    "f:replicas": {}, "f:paused": {}, "f:selector": {},
                    "f:labels": { "f:ours": {} }, "f:containers": {
                        "k:{\"name\":\"main\"}": { ".": {}, "f:name": {}, "f:image": {} },
                        "k:{\"name\":\"old\"}": { ".": {}, "f:name": {} } } } } },
                { "manager": "injector", "operation": "Update", "fieldsV1": { "f:spec": {
                    "f:labels": { "f:theirs": {} }, "f:containers": {
                        "k:{\"name\":\"side\"}": { ".": {}, "f:name": {} } } } } },
            ] },
            "spec": { "replicas": 1, "paused": true, "defaulted": "x",
                "selector": { "a": "b", "c": "d" },
                "labels": { "ours": "1", "theirs": "2" },
                "containers": [
                    { "name": "old" }, { "name": "main", "image": "1", "pull": "Always" },
                    { "name": "side" },
                ] },
        }));
        let send = object(json!({ "spec": {
            "replicas": 2, "selector": { "a": "b" }, "containers": [
                { "name": "main", "image": "2" }, { "name": "new" }] } }));
        let spec = &foresee(&send, &live).0["spec"];
        assert_eq!(
            *spec,
            json!({ "replicas": 2, "defaulted": "x", "selector": { "a": "b" },
                "labels": { "theirs": "2" },
                "containers": [
                    { "name": "main", "image": "2", "pull": "Always" }, { "name": "new" },
                    { "name": "side" },
                ] })
        );
    }
}
