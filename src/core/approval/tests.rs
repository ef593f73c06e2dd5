use super::*;
use crate::core::json::{Value, json};
use crate::core::object::Object;
use crate::core::plan::Effect;
use crate::core::policy::Permissions;

fn purpose() -> Purpose {
    Purpose {
        target: "prod".to_owned(),
        declared: true,
        paths: vec!["envs/prod".to_owned()],
        namespace: "shop".to_owned(),
        inventory: Inventory { name: "trueup-prod".to_owned(), namespace: "shop".to_owned() },
        cluster: ApprovedCluster { name: "shop".to_owned(), uid: "c".to_owned() },
        commit: "8be01d3aa0c8b6c9b4e4a6d4b1a5c4c1a9e0f7d2".to_owned(),
        repository: "4f2c1a9aa0c8b6c9b4e4a6d4b1a5c4c1a9e0f7d2".to_owned(),
        permissions: Permissions::default(),
    }
}

fn object(value: Value) -> Object {
    Object::from(value.as_object().cloned().unwrap())
}

fn change(action: Action, live: Value, merged: Value) -> Change {
    let some = |value: Value| (!value.is_null()).then(|| object(value));
    let (live, merged) = (some(live), some(merged));
    let one = live.as_ref().or(merged.as_ref()).unwrap();
    let (key, version) = (one.key(), one.version().to_owned());
    let mut effect = Effect::of(action, live, merged);
    if let Effect::Update { write, .. } = &mut effect {
        write.send = Object::default(); // what is sent stays, whatever becomes of it
    }
    Change { key, version, origin: None, effect, reason: None }
}

/// Holds the approval of `before` against `after`.
fn moved(before: Vec<Change>, after: Vec<Change>) -> Vec<(String, MoveReason)> {
    let desired = Desired::default();
    let (before, after) = (Plan::loose(before), Plan::loose(after));
    let found = |plan, redactor| ApprovalInput { plan, desired: &desired, unlisted: &[], redactor };
    let redactor = Redactor::of_plan(&before, []);
    let approval = Approval::new(purpose(), found(&before, &redactor));
    let text = approval.to_text().unwrap();
    let approval = Approval::from_text(text.as_bytes()).unwrap();
    let redactor = Redactor::of_plan(&after, []);
    let difference = approval.difference(found(&after, &redactor));
    assert!(!difference.desired);
    let moved = difference.moved.into_iter();
    moved.map(|moved| (moved.object.name.clone(), moved.why)).collect()
}

fn service(version: &str, spec: Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service", "spec": spec,
        "metadata": { "name": "web", "uid": "u", "resourceVersion": version },
    })
}

#[test]
fn defaulted_field_may_differ_from_the_approved_one() {
    let update = |version: &str, port: u32| {
        let before = json!({ "type": "ClusterIP", "ports": [{ "port": 80 }] });
        let after = json!({ "type": "NodePort", "ports": [{ "port": 80, "nodePort": port }] });
        vec![change(Action::Update, service(version, before), service(version, after))]
    };
    assert_eq!(moved(update("1", 30001), update("2", 30002)), []);
}

#[test]
fn approval_compares_the_result_of_an_update() {
    let update = |kind: &str| {
        let before = json!({ "type": "ClusterIP" });
        vec![change(Action::Update, service("1", before), service("1", json!({ "type": kind })))]
    };
    assert_eq!(moved(update("NodePort"), update("NodePort")), []);
    let moved = moved(update("NodePort"), update("LoadBalancer"));
    assert_eq!(moved, [("web".to_owned(), MoveReason::Becomes)]);
}

#[test]
fn masked_object_counts_as_moved_when_its_resource_version_changes() {
    let secret = |version: &str, value: &str| {
        json!({
            "apiVersion": "v1", "kind": "Secret", "data": { "pin": value },
            "metadata": { "name": "db", "uid": "u", "resourceVersion": version },
        })
    };
    let update = |version: &str, value: &str| {
        vec![change(Action::Update, secret(version, value), secret(version, "bmV3"))]
    };
    assert_eq!(moved(update("1", "b2xk"), update("1", "b2xk")), []);
    let state = [("db".to_owned(), MoveReason::State)];
    assert_eq!(moved(update("1", "b2xk"), update("2", "bW9y")), state);
    let texts = ["b2xk", "bW9y"].map(|value| {
        let plan = Plan::loose(update("1", value));
        let redactor = Redactor::of_plan(&plan, []);
        let desired = Desired::default();
        let found =
            ApprovalInput { plan: &plan, desired: &desired, unlisted: &[], redactor: &redactor };
        Approval::new(purpose(), found).to_text().unwrap()
    });
    assert_eq!(texts[0], texts[1], "no digest is made of a value, which could be guessed");
}

#[test]
fn approved_deletion_may_be_done_already_but_not_unknown() {
    let live = || service("1", json!({ "type": "ClusterIP" }));
    let delete = || vec![change(Action::Delete, live(), Value::Null)];
    let keep = |live: Value| vec![change(Action::Keep, live.clone(), live)];
    assert_eq!(moved(delete(), vec![]), [], "it is gone");
    let mut going = live();
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
    assert_eq!(moved(delete(), keep(going)), [], "it is going");
    assert_eq!(moved(delete(), keep(live())), [("web".to_owned(), MoveReason::Action)]);
    let create = vec![change(Action::Create, Value::Null, live())];
    assert_eq!(moved(create, keep(live())), [], "it is as it was to be made");

    let plan = Plan::loose(delete());
    let (desired, redactor) = (Desired::default(), Redactor::default());
    let mut found =
        ApprovalInput { plan: &plan, desired: &desired, unlisted: &[], redactor: &redactor };
    let approval = Approval::new(purpose(), found);
    let kind = plan.changes().next().unwrap().key.group_kind();
    let unlisted = [Unlisted { kind, reason: "forbidden".to_owned(), is_forbidden: true }];
    let empty = Plan::default();
    (found.plan, found.unlisted) = (&empty, &unlisted);
    let moved = approval.difference(found).moved;
    assert_eq!(moved.iter().map(|moved| moved.why).collect::<Vec<_>>(), [MoveReason::Unknown]);
}

#[test]
fn declared_objects_are_part_of_the_approval() {
    let declared = |replicas: u32| {
        let text = format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\nspec: {{replicas: {replicas}}}\n"
        );
        let manifests = crate::core::manifest::read("web.yaml", text.as_bytes()).manifests;
        let objects = manifests.into_iter().map(|manifest| (manifest.object.key(), manifest));
        Desired { objects: objects.collect(), ..Desired::default() }
    };
    let (plan, redactor) = (Plan::default(), Redactor::default());
    let differs = |before: &Desired, after: &Desired| {
        let found =
            |desired| ApprovalInput { plan: &plan, desired, unlisted: &[], redactor: &redactor };
        Approval::new(purpose(), found(before)).difference(found(after)).desired
    };
    assert!(!differs(&declared(2), &declared(2)));
    assert!(differs(&declared(2), &declared(3)));
}
