//! The proof beside objects as a server returns them. That it agrees with the server itself is
//! shown by `tests/verify.rs`.

use super::*;

use crate::core::json::{Value, json};

/// Values that no proof is spoiled by.
fn live(spec: Value, fields: Value) -> Object {
    let managed = json!([
        { "manager": "trueup", "operation": "Apply", "apiVersion": "example.com/v1",
          "fieldsType": "FieldsV1", "fieldsV1": { "f:spec": fields } },
        { "manager": "controller", "operation": "Update", "apiVersion": "example.com/v1",
          "subresource": "status", "fieldsV1": { "f:status": { "f:ready": {} } } },
    ]);
    object(json!({
        "apiVersion": "example.com/v1", "kind": "Thing",
        "metadata": { "name": "a", "uid": "u", "resourceVersion": "7", "managedFields": managed },
        "spec": spec, "status": { "ready": true },
    }))
}

fn send(spec: Value) -> Object {
    object(json!({
        "apiVersion": "example.com/v1", "kind": "Thing",
        "metadata": { "name": "a" }, "spec": spec,
    }))
}

fn object(value: Value) -> Object {
    Object::from(value.as_object().cloned().unwrap())
}

/// Whether the proof holds: what is sent, what is live, what we own.
fn holds(spec: Value, live_spec: Value, fields: Value) -> bool {
    is_noop(&send(spec), &live(live_spec, fields), &|_| None)
}

#[test]
fn the_fields_that_we_own_with_the_values_that_we_send_are_a_noop() {
    let fields = json!({ "f:replicas": {}, "f:labels": { "f:a": {} } });
    let spec = json!({ "replicas": 2, "labels": { "a": "x" } });
    assert!(holds(spec.clone(), spec.clone(), fields.clone()));
    let more = json!({ "replicas": 2, "labels": { "a": "x", "b": "theirs" }, "defaulted": true });
    assert!(holds(spec.clone(), more, fields.clone()), "other fields are other people's");
    let drifted = json!({ "replicas": 3, "labels": { "a": "x" } });
    assert!(!holds(spec.clone(), drifted, fields.clone()));
    let gone = json!({ "replicas": 2, "labels": {} });
    assert!(!holds(spec, gone, fields.clone()));
    assert!(!holds(json!({ "replicas": 2 }), json!({ "replicas": 2 }), fields), "we let go of one");
}

#[test]
fn a_field_that_we_do_not_own_yet_is_not_a_noop() {
    let spec = json!({ "replicas": 2, "paused": false });
    assert!(!holds(spec.clone(), spec, json!({ "f:replicas": {} })));
}

#[test]
fn elements_are_found_by_the_keys_that_we_sent() {
    let udp = r#"k:{"containerPort":53,"protocol":"UDP"}"#;
    let tcp = r#"k:{"containerPort":53,"protocol":"TCP"}"#;
    let fields = json!({ "f:ports": {
        tcp: { ".": {}, "f:containerPort": {} },
        udp: { ".": {}, "f:containerPort": {}, "f:protocol": {} },
    } });
    let ours =
        json!({ "ports": [{ "containerPort": 53 }, { "containerPort": 53, "protocol": "UDP" }] });
    let live = json!({ "ports": [
        { "containerPort": 53, "protocol": "TCP" },
        { "containerPort": 80, "protocol": "TCP" },
        { "containerPort": 53, "protocol": "UDP" },
    ] });
    assert!(holds(ours.clone(), live.clone(), fields.clone()));
    let turned = json!({ "ports": [ours["ports"][1], ours["ports"][0]] });
    assert!(!holds(turned, live.clone(), fields.clone()), "the order would change");
    let explicit =
        json!({ "ports": [{ "containerPort": 53, "protocol": "TCP" }, ours["ports"][1]] });
    assert!(!holds(explicit, live.clone(), fields.clone()), "we would own the protocol, too");
    let twice = json!({ "ports": [live["ports"][0], live["ports"][0], live["ports"][2]] });
    assert!(!holds(ours, twice, fields), "two with one key");
}

#[test]
fn a_set_is_compared_by_its_values() {
    let fields = json!({ "f:finalizers": { "v:\"a\"": {}, "v:\"b\"": {} } });
    let spec = json!({ "finalizers": ["a", "b"] });
    let live = json!({ "finalizers": ["a", "c", "b"] });
    assert!(holds(spec.clone(), live.clone(), fields.clone()));
    assert!(!holds(json!({ "finalizers": ["b", "a"] }), live.clone(), fields.clone()));
    assert!(!holds(json!({ "finalizers": ["a"] }), live.clone(), fields.clone()));
    assert!(!holds(spec, json!({ "finalizers": ["a"] }), fields));
}

/// A map that was sent empty and that the server filled looks as one that is owned whole.
#[test]
fn a_map_with_nothing_recorded_below_needs_the_schema() {
    let spec = json!({ "strategy": { "type": "RollingUpdate" } });
    let fields = json!({ "f:strategy": {} });
    let says = |atomic: Option<bool>| {
        is_noop(&send(spec.clone()), &live(spec.clone(), fields.clone()), &|path| {
            assert_eq!(path, ["f:spec", "f:strategy"]);
            atomic
        })
    };
    assert_eq!([says(None), says(Some(false)), says(Some(true))], [false, false, true]);
    let empty = json!({ "strategy": {} });
    assert!(holds(empty.clone(), empty.clone(), fields.clone()));
    assert!(!holds(empty, spec, fields));
}

#[test]
fn list_without_recorded_elements_is_atomic_unless_partly_owned() {
    let spec = json!({ "args": ["a", "b"] });
    let fields = json!({ "f:args": {} });
    assert!(holds(spec.clone(), spec.clone(), fields.clone()));
    assert!(!holds(spec.clone(), json!({ "args": ["b", "a"] }), fields.clone()));
    let mut shared = live(spec.clone(), fields);
    shared.metadata_mut()["managedFields"][1]["fieldsV1"] =
        json!({ "f:spec": { "f:args": { "v:\"a\"": {} } } });
    assert!(!is_noop(&send(spec), &shared, &|_| None));
}

#[test]
fn empty_and_null_values_prove_no_noop() {
    for spec in [json!({ "a": 1, "env": [] }), json!({ "a": 1, "b": null })] {
        assert!(!holds(spec.clone(), spec, json!({ "f:a": {} })));
    }
}

#[test]
fn noop_needs_our_managed_fields_entry_in_the_same_version() {
    let spec = json!({ "a": 1 });
    let ours = live(spec.clone(), json!({ "f:a": {} }));
    assert!(is_noop(&send(spec.clone()), &ours, &|_| None));
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut live = ours.clone();
        change(&mut live.metadata_mut()["managedFields"]);
        is_noop(&send(spec.clone()), &live, &|_| None)
    };
    assert!(!changed(&|managers| managers[0]["manager"] = "kubectl".into()));
    assert!(!changed(&|managers| managers[0]["operation"] = "Update".into()));
    assert!(!changed(&|managers| managers[0]["subresource"] = "status".into()));
    assert!(!changed(&|managers| managers[0]["apiVersion"] = "example.com/v2".into()));
    assert!(!changed(&|managers| managers[1] = managers[0].clone()));
    assert!(!changed(&|managers| *managers = Value::Null));
    let mut other = send(spec.clone());
    other.fields_mut()["apiVersion"] = "example.com/v2".into();
    assert!(!is_noop(&other, &ours, &|_| None));
}

#[test]
fn noop_ignores_server_owned_metadata() {
    let fields = json!({
        "f:metadata": { "f:labels": { "f:app": {} } }, "f:spec": { "f:a": {} },
    });
    let mut live = live(json!({ "a": 1 }), json!({}));
    live.metadata_mut()["managedFields"][0]["fieldsV1"] = fields;
    live.set_label("app", "web");
    let mut ours = send(json!({ "a": 1 }));
    assert!(!is_noop(&ours, &live, &|_| None), "the label would go");
    ours.set_label("app", "web");
    assert!(is_noop(&ours, &live, &|_| None));
    ours.metadata_mut().insert("creationTimestamp".to_owned(), Value::Null);
    assert!(is_noop(&ours, &live, &|_| None));
    ours.metadata_mut().insert("uid".to_owned(), "u".into());
    assert!(!is_noop(&ours, &live, &|_| None));
}
