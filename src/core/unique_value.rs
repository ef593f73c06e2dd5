//! Values of which a cluster has each only once: the ports that Services open on every node, the
//! addresses of Services, and which PriorityClass is the default. An object can't have one before
//! the object that holds it has given it up.
//!
//! Data and rules only: who holds a value is [`crate::cluster`]'s to find out, and in which order it
//! changes hands [`crate::core::plan`]'s to decide.

use std::fmt;

use crate::core::json::{Value, json};
use crate::core::object::{GroupKind, Object, ObjectKey};

/// How API servers end what they say where an object wants what another one holds.
const TAKEN: [&str; 3] = [
    "provided port is already allocated",
    "provided IP is already allocated",
    "Only one default can exist",
];

/// The space in which a value is unique.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Space {
    /// The ports of the nodes, whatever they are for.
    NodePort,
    /// The addresses of Services.
    Address,
    /// Being the default of its kind.
    Default,
}

/// A value of which the cluster has one, and the field that has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UniqueValue {
    /// The space of the value.
    pub space: Space,
    /// The field, such as `spec.ports[0].nodePort`.
    pub field: String,
    /// The value.
    pub value: String,
}

impl UniqueValue {
    fn new(space: Space, field: impl Into<String>, value: impl fmt::Display) -> Self {
        Self { space, field: field.into(), value: value.to_string() }
    }

    /// Whether both want the same, in whichever field.
    pub fn is_same(&self, other: &Self) -> bool {
        (self.space, &self.value) == (other.space, &other.value)
    }

    /// Whether one of these is the same.
    pub fn is_among(&self, values: &[Self]) -> bool {
        values.iter().any(|value| self.is_same(value))
    }
}

impl fmt::Display for UniqueValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.field, self.value)
    }
}

/// Whether a kind has such values.
pub fn has_any(kind: &GroupKind) -> bool {
    is_service(kind) || is_priority_class(kind)
}

/// Whether this is what an API server says of a value that another object holds.
pub fn is_taken(message: &str) -> bool {
    TAKEN.iter().any(|ending| message.trim_end().ends_with(ending))
}

/// Every such value that an object has.
pub fn of(key: &ObjectKey, object: &Object) -> Vec<UniqueValue> {
    let kind = key.group_kind();
    if is_priority_class(&kind) {
        let is_default = object.0.get("globalDefault") == Some(&true.into());
        let value = UniqueValue::new(Space::Default, "globalDefault", true);
        return is_default.then_some(value).into_iter().collect();
    }
    let Some(spec) = object.0.get("spec").filter(|_| is_service(&kind)) else { return Vec::new() };
    let mut found = Vec::new();
    let mut port = |field: String, value: &Value| {
        let number = value.as_u64().filter(|number| *number > 0);
        found.extend(number.map(|number| UniqueValue::new(Space::NodePort, field, number)));
    };
    for (at, entry) in spec["ports"].as_array().into_iter().flatten().enumerate() {
        port(format!("spec.ports[{at}].nodePort"), &entry["nodePort"]);
    }
    port("spec.healthCheckNodePort".to_owned(), &spec["healthCheckNodePort"]);
    let several = spec["clusterIPs"].as_array().into_iter().flatten().enumerate();
    let several = several.map(|(at, value)| (format!("spec.clusterIPs[{at}]"), value));
    for (field, value) in
        [("spec.clusterIP".to_owned(), &spec["clusterIP"])].into_iter().chain(several)
    {
        let address = value.as_str().filter(|text| !text.is_empty() && *text != "None");
        let address = address.map(|text| UniqueValue::new(Space::Address, field, text));
        found.extend(
            address.filter(|address| !address.is_among(&found)).into_iter().collect::<Vec<_>>(),
        );
    }
    found
}

/// The object without some of its values, so that the server chooses others or does without.
pub fn without(key: &ObjectKey, object: &Object, taken: &[UniqueValue]) -> Object {
    let mut free = object.clone();
    if is_priority_class(&key.group_kind()) {
        free.fields_mut().remove("globalDefault");
        return free;
    }
    let Some(Value::Object(spec)) = free.fields_mut().get_mut("spec") else { return free };
    let is_taken = |space, value: &Value| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        taken.iter().any(|it| it.space == space && it.value == text)
    };
    if let Some(Value::Array(ports)) = spec.get_mut("ports") {
        for port in ports.iter_mut().filter_map(Value::as_object_mut) {
            port.retain(|name, value| name != "nodePort" || !is_taken(Space::NodePort, value));
        }
    }
    spec.retain(|name, value| name != "healthCheckNodePort" || !is_taken(Space::NodePort, value));
    if taken.iter().any(|it| it.space == Space::Address) {
        spec.retain(|name, _| !matches!(name.as_str(), "clusterIP" | "clusterIPs"));
    }
    free
}

/// The server's answer to an object [`without`] some of its values, with the values that the object
/// declares.
pub fn with(key: &ObjectKey, mut merged: Object, declared: &Object) -> Object {
    if is_priority_class(&key.group_kind()) {
        merged.fields_mut().insert("globalDefault".to_owned(), true.into());
        return merged;
    }
    let wanted = declared.0.get("spec").cloned().unwrap_or_default();
    let Some(Value::Object(spec)) = merged.fields_mut().get_mut("spec") else { return merged };
    let which = |port: &Value| {
        let protocol = port["protocol"].as_str().unwrap_or("TCP").to_owned();
        (port["port"].clone(), protocol)
    };
    if let Some(Value::Array(ports)) = spec.get_mut("ports") {
        for port in ports {
            let mut all = wanted["ports"].as_array().into_iter().flatten();
            let declared = all.find(|it| which(it) == which(port));
            if let Some(number) = declared.and_then(|it| it.get("nodePort")) {
                port["nodePort"] = number.clone();
            }
        }
    }
    if let Some(number) = wanted.get("healthCheckNodePort") {
        spec.insert("healthCheckNodePort".to_owned(), number.clone());
    }
    let several = wanted.get("clusterIPs").cloned();
    let address = wanted.get("clusterIP").cloned().or_else(|| several.as_ref()?.get(0).cloned());
    if let Some(address) = address {
        spec.insert("clusterIPs".to_owned(), several.unwrap_or_else(|| json!([address])));
        spec.insert("clusterIP".to_owned(), address);
    }
    merged
}

fn is_service(kind: &GroupKind) -> bool {
    (kind.group.as_str(), kind.kind.as_str()) == ("", "Service")
}

fn is_priority_class(kind: &GroupKind) -> bool {
    (kind.group.as_str(), kind.kind.as_str()) == ("scheduling.k8s.io", "PriorityClass")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(spec: Value) -> (ObjectKey, Object) {
        let object = json!({ "apiVersion": "v1", "kind": "Service", "metadata": { "name": "a" }, "spec": spec });
        let object = Object::from(object.as_object().cloned().unwrap_or_default());
        (object.key(), object)
    }

    #[test]
    fn every_value_is_found_taken_out_and_put_back() {
        let (key, whole) = service(json!({
            "clusterIP": "10.96.0.9", "clusterIPs": ["10.96.0.9"], "healthCheckNodePort": 30999,
            "ports": [{ "port": 80, "nodePort": 30080 }, { "port": 81 }],
        }));
        let values = of(&key, &whole);
        let words: Vec<String> = values.iter().map(ToString::to_string).collect();
        let expected = [
            "spec.ports[0].nodePort 30080",
            "spec.healthCheckNodePort 30999",
            "spec.clusterIP 10.96.0.9",
        ];
        assert_eq!(words, expected);
        let free = without(&key, &whole, &values);
        assert_eq!(of(&key, &free), []);
        assert_eq!(with(&key, free, &whole), whole);
        let port = &values[..1];
        assert_eq!(of(&key, &without(&key, &whole, port)), values[1..]);
    }

    #[test]
    fn server_chosen_port_is_not_a_unique_value() {
        let (key, headless) =
            service(json!({ "clusterIP": "None", "ports": [{ "port": 80, "nodePort": 0 }] }));
        assert_eq!(of(&key, &headless), []);
    }

    /// Answers of a real API server.
    #[test]
    fn taken_value_is_recognised_by_the_server_message() {
        for message in [
            "spec.ports[0].nodePort: Invalid value: 30451: provided port is already allocated",
            "Internal error occurred: failed to allocate requested HealthCheck NodePort 30999: provided port is already allocated",
            "failed to allocate IP 10.96.0.9: provided IP is already allocated",
            "priorityclasses.scheduling.k8s.io \"two\" is forbidden: PriorityClass one is already marked as default. Only one default can exist",
        ] {
            assert!(is_taken(message), "{message}");
        }
        assert!(!is_taken("the provided IP (10.0.0.77) is not in the valid range"));
    }
}
