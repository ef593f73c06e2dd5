//! Fields that are declared and missing in the server's answer: it took the object and left them
//! out, without a word. It does so with fields that another one rules out, such as the `nodePort`
//! of a Service of type `ClusterIP` (`dropTypeDependentFields` in
//! kubernetes/pkg/registry/core/service). It also does so with fields whose feature gate is off
//! (`DropDisabledFields` of each kind's strategy).
//!
//! Only what is missing counts: a value that the server writes otherwise is there.

use super::{PathStep, path};
use crate::core::json::{Key, Map, Value};
use crate::core::object::Object;

/// Fields of `metadata` that are the server's, or that say which object it is.
pub(crate) const METADATA: [&str; 8] = [
    "name",
    "namespace",
    "generateName",
    "creationTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "uid",
];
/// Fields that identify elements in lists of the built-in kinds, the more specific first.
const KEYS: [&[&str]; 10] = [
    &["name"],
    &["containerPort", "protocol"],
    &["port", "protocol"],
    &["mountPath"],
    &["devicePath"],
    &["ip"],
    &["key"],
    &["type"],
    &["topologyKey", "whenUnsatisfiable"],
    &["conditionType"],
];

/// The fields of `sent` that `answer` lacks, in the order of the object, such as
/// `spec.ports[0].nodePort`. What stands for nothing, such as an empty map, an empty text or `false`,
/// may be missing.
pub fn dropped(sent: &Object, answer: &Object) -> Vec<String> {
    let mut search = DroppedSearch { path: Vec::new(), found: Vec::new() };
    for (key, value) in &*sent.0 {
        match (key.as_str(), value, answer.0.get(key)) {
            // The status is written at an address of its own.
            ("apiVersion" | "kind" | "status", ..) => {}
            ("metadata", Value::Object(sent), Some(Value::Object(answer))) => {
                let sent = sent.iter().filter(|(key, _)| !METADATA.contains(&key.as_str()));
                search.below(PathStep::Key(key.to_string()), |search| search.map(sent, answer));
            }
            (_, value, answer) => {
                search.below(PathStep::Key(key.to_string()), |search| search.value(value, answer));
            }
        }
    }
    search.found
}

struct DroppedSearch {
    path: Vec<PathStep>,
    found: Vec<String>,
}

impl DroppedSearch {
    fn below(&mut self, step: PathStep, look: impl FnOnce(&mut Self)) {
        self.path.push(step);
        look(self);
        self.path.pop();
    }

    fn map<'a>(&mut self, sent: impl Iterator<Item = (&'a Key, &'a Value)>, answer: &Map) {
        for (key, value) in sent {
            self.below(PathStep::Key(key.to_string()), |search| {
                search.value(value, answer.get(key))
            });
        }
    }

    fn value(&mut self, sent: &Value, answer: Option<&Value>) {
        match (sent, answer) {
            (sent, _) if is_nothing(sent) => {}
            (_, None | Some(Value::Null)) => self.found.push(path(&self.path)),
            (Value::Object(sent), Some(Value::Object(answer))) => self.map(sent.iter(), answer),
            (Value::Array(sent), Some(Value::Array(answer))) => self.list(sent, answer),
            _ => {}
        }
    }

    fn list(&mut self, sent: &[Value], answer: &[Value]) {
        for (at, item) in sent.iter().enumerate() {
            match counterpart(at, item, answer) {
                Some(other) => {
                    self.below(PathStep::item(at), |search| search.value(item, Some(other)));
                }
                None if answer.len() == sent.len() => {
                    let other = answer.get(at);
                    self.below(PathStep::item(at), |search| search.value(item, other));
                }
                None if answer.len() < sent.len() => {
                    self.below(PathStep::item(at), |search| search.value(item, None));
                }
                // Others have elements in it, too, and this one can't be distinguished from theirs.
                None => {}
            }
        }
    }
}

/// The element of `answer` that is `item`, which stands at a place of its own list.
fn counterpart<'a>(at: usize, item: &Value, answer: &'a [Value]) -> Option<&'a Value> {
    if answer.get(at) == Some(item) {
        return answer.get(at);
    }
    let Value::Object(fields) = item else { return answer.iter().find(|other| *other == item) };
    let keys = KEYS.iter().find(|keys| fields.get(keys[0]).is_some_and(is_scalar))?;
    let is_same = |other: &&Value| {
        keys.iter().all(|key| fields.get(key).is_none_or(|value| other.get(key) == Some(value)))
    };
    answer.iter().find(is_same)
}

fn is_scalar(value: &Value) -> bool {
    !value.is_object() && !value.is_array()
}

/// Whether Go leaves the value out, or says by it what nothing says as well (`omitempty`).
pub(crate) fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) => false,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.iter().all(is_nothing),
        Value::Object(map) => map.values().all(is_nothing),
    }
}

#[cfg(test)]
mod tests {
    use crate::core::json::json;

    use super::*;

    #[track_caller]
    fn expect(sent: Value, answer: Value, missing: &[&str]) {
        let object = |spec: Value| {
            let object = json!({ "kind": "A", "metadata": { "name": "a" }, "spec": spec });
            Object::from(object.as_object().cloned().unwrap())
        };
        assert_eq!(dropped(&object(sent), &object(answer)), missing);
    }

    #[test]
    fn dropped_fields_are_found() {
        expect(json!({ "a": 1, "b": "x" }), json!({ "a": 1 }), &["spec.b"]);
        expect(json!({ "a": { "b": { "c": 1 } } }), json!({ "a": { "b": {} } }), &["spec.a.b.c"]);
        expect(json!({ "a": { "b": 1 } }), json!({}), &["spec.a"]);
        expect(json!({ "a": { "b": 1 } }), json!({ "a": null }), &["spec.a"]);
        expect(json!({ "a": { "x/y": 1 } }), json!({ "a": {} }), &["spec.a[\"x/y\"]"]);
        let ports = json!({ "ports": [{ "port": 80, "nodePort": 30001 }, { "port": 81 }] });
        let answer = json!({ "ports": [
            { "port": 81, "protocol": "TCP" }, { "port": 80, "protocol": "TCP" },
        ]});
        expect(ports, answer, &["spec.ports[0].nodePort"]);
        expect(json!({ "list": ["a", "b"] }), json!({ "list": ["b"] }), &["spec.list[0]"]);
        expect(json!({ "list": [{ "name": "a" }] }), json!({ "list": [] }), &["spec.list[0]"]);
    }

    #[test]
    fn equivalent_and_empty_values_are_not_dropped() {
        expect(json!({ "cpu": "1000m" }), json!({ "cpu": "1" }), &[]);
        expect(json!({ "a": null, "b": {}, "c": [], "d": "", "e": false, "f": 0 }), json!({}), &[]);
        expect(json!({ "a": { "b": [{}] } }), json!({}), &[]);
        expect(json!({ "list": ["1000m"] }), json!({ "list": ["1"] }), &[]);
        // Others have elements in a list of theirs and ours.
        let answer = json!({ "list": [{ "name": "x" }, { "name": "a", "b": 1 }, { "name": "y" }] });
        expect(json!({ "list": [{ "name": "a", "b": 1 }] }), answer, &[]);
        let answer = json!({ "list": ["x", "a"] });
        expect(json!({ "list": ["a"] }), answer, &[]);
        expect(
            json!({ "env": [{ "name": "A", "value": "" }] }),
            json!({ "env": [{ "name": "A" }] }),
            &[],
        );
    }

    #[test]
    fn server_owned_fields_are_not_compared() {
        let object = |value: Value| Object::from(value.as_object().cloned().unwrap());
        let sent = object(json!({
            "apiVersion": "v1", "kind": "A", "status": { "phase": "Bound" },
            "metadata": { "name": "a", "uid": "u", "generation": 3, "labels": { "a": "b" } },
        }));
        let answer = object(json!({ "metadata": { "name": "a" } }));
        assert_eq!(dropped(&sent, &answer), ["metadata.labels"]);
    }
}
