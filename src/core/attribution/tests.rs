//! Stories of fields with several owners, and of fields that are no longer declared.

use super::*;
use crate::core::json::json;
use crate::core::plan::{Action, Effect};
use crate::core::redact::Redactor;

fn object(replicas: u32, more: Value, entries: &[(&str, &str, Value)]) -> Object {
    let entry = |(manager, operation, fields): &(&str, &str, Value)| json!({ "manager": manager, "operation": operation, "fieldsV1": { "f:spec": fields } });
    let entries: Vec<Value> = entries.iter().map(entry).collect();
    let mut spec = json!({ "replicas": replicas });
    spec.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
    let object = json!({ "kind": "Deployment", "metadata": { "managedFields": entries },
        "spec": spec });
    Object::from(object.as_object().cloned().unwrap())
}

fn update(live: Object, merged: Object, send: Value) -> Change {
    let key = live.key();
    let mut effect = Effect::of(Action::Update, Some(live), Some(merged));
    effect.write_mut().send = Object::from(send.as_object().cloned().unwrap());
    Change { key, version: String::new(), origin: None, effect, reason: None }
}

fn names(writers: &[FieldWriter]) -> Vec<&str> {
    writers.iter().map(|writer| writer.manager.as_str()).collect()
}

#[test]
fn a_field_that_others_own_as_well_is_taken_from_them_when_its_value_changes() {
    let (ours, theirs) = (json!({ "f:replicas": {} }), json!({ "f:replicas": {} }));
    let live = [("trueup", "Apply", ours.clone()), ("scaler", "Apply", theirs)];
    let change = update(
        object(2, json!({}), &live),
        object(3, json!({}), &live[..1]),
        json!({ "spec": { "replicas": 3 } }),
    );
    let redactor = Redactor::default();
    let stories = attributions(&change, &Delta::new(&change, &redactor), None);
    assert_eq!(stories.len(), 1);
    assert_eq!((&stories[0].story, &stories[0].after), (&FieldHistory::Changed, &Some(3.into())));
    assert_eq!(names(&stories[0].taken_from), ["scaler"]);
    assert_eq!(handovers(&change, &redactor), [], "its value does not stay");
}

#[test]
fn removed_field_is_not_attributed_to_another_owner() {
    let both = json!({ "f:replicas": {}, "f:paused": {} });
    let theirs = ("other", "Update", json!({ "f:limit": {} }));
    let change = update(
        object(
            2,
            json!({ "paused": true, "limit": 7 }),
            &[("trueup", "Apply", both), theirs.clone()],
        ),
        object(1, json!({ "limit": 7 }), &[("trueup", "Apply", json!({ "f:limit": {} })), theirs]),
        json!({ "spec": { "limit": 7 } }),
    );
    let redactor = Redactor::default();
    let stories = attributions(&change, &Delta::new(&change, &redactor), None);
    let told: Vec<_> =
        stories.iter().map(|story| (story.path.as_str(), &story.story, &story.after)).collect();
    assert_eq!(
        told,
        [
            ("spec.paused", &FieldHistory::Released(Vec::new()), &None),
            ("spec.replicas", &FieldHistory::Released(Vec::new()), &Some(1.into())),
        ]
    );
    assert!(stories.iter().all(|story| story.taken_from.is_empty()), "{stories:?}");
    let handovers = handovers(&change, &redactor);
    let [Handover { path, value, hands: OwnerChange::Shared(writers) }] = handovers.as_slice()
    else {
        panic!("{handovers:?}");
    };
    assert_eq!((path.as_str(), value, names(writers)), ("spec.limit", &7.into(), vec!["other"]));
}

#[test]
fn a_handover_is_named_by_what_the_server_tells_elements_by_and_masked() {
    let ports = json!({ "ports": [{ "port": 53, "protocol": "UDP", "note": "correct-horse" }] });
    let fields = json!({ "f:ports": {
        "k:{\"port\":53,\"protocol\":\"UDP\"}": { ".": {}, "f:port": {}, "f:note": {} } } });
    let theirs = ("other", "Update", fields.clone());
    let change = update(
        object(1, ports.clone(), std::slice::from_ref(&theirs)),
        object(1, ports, &[("trueup", "Apply", fields)]),
        json!({}),
    );
    let secret = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "s" },
        "stringData": { "a": "correct-horse" } });
    let secret = Object::from(secret.as_object().cloned().unwrap());
    let handovers = handovers(&change, &Redactor::new([&secret]));
    let [Handover { path, value, hands: OwnerChange::Taken(writers) }] = handovers.as_slice()
    else {
        panic!("{handovers:?}");
    };
    assert_eq!(path, "spec.ports[port=53,protocol=UDP].note");
    assert_eq!((value, names(writers)), (&"‹secret 1›".into(), vec!["other"]));
}
