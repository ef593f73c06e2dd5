use super::*;

fn object(spec: Value, owned: Option<Value>) -> Object {
    let mut object = json!({ "apiVersion": "v1", "kind": "A", "metadata": { "name": "a" },
        "spec": spec });
    if let Some(owned) = owned {
        object["metadata"]["managedFields"] = json!([{ "manager": "trueup", "operation": "Apply",
            "fieldsV1": { "f:spec": owned } }]);
    }
    Object::from(object.as_object().cloned().unwrap())
}

/// The deviations from the server's answer, with trueup's own fields.
#[track_caller]
fn expect([sent, said, now]: [Value; 3], owned: Value, differences: &[(&str, Deviation)]) {
    let (sent, said) = (object(sent, None), object(said, None));
    let promise = Expected { sent: &sent, before: None, said: Some(&said) };
    told(promise, &object(now, Some(owned)), differences);
}

/// The same where the server could not say anything.
#[track_caller]
fn expect_unasked([sent, now]: [Value; 2], differences: &[(&str, Deviation)]) {
    let sent = object(sent, None);
    let promise = Expected { sent: &sent, before: None, said: None };
    told(promise, &object(now, None), differences);
}

#[track_caller]
fn told(promise: Expected<'_>, answer: &Object, differences: &[(&str, Deviation)]) {
    let found = promise.differences(answer);
    let found: Vec<_> = found.iter().map(|it| (it.path(), it.deviation)).collect();
    let wanted: Vec<_> =
        differences.iter().map(|(path, deviation)| ((*path).to_owned(), *deviation)).collect();
    assert_eq!(found, wanted);
}

use Deviation::{Changed, Missing, Undeclared};

use crate::core::json::json;

#[test]
fn a_declared_field_with_another_value_or_none_differs() {
    let owned = json!({ "f:a": {}, "f:b": { "f:c": {} } });
    let sent = json!({ "a": 3, "b": { "c": "x" } });
    let said = json!({ "a": 3, "b": { "c": "x", "default": 1 } });
    let kept = json!({ "a": 3, "b": { "c": "x", "default": 2, "injected": true }, "more": 1 });
    expect([sent.clone(), said.clone(), kept], owned.clone(), &[]);
    let changed = json!({ "a": 1, "b": { "c": "y" } });
    let differences = [("spec.a", Changed), ("spec.b.c", Changed)];
    expect([sent.clone(), said.clone(), changed], owned.clone(), &differences);
    expect(
        [sent.clone(), said.clone(), json!({ "a": 3 })],
        owned.clone(),
        &[("spec.b.c", Missing)],
    );
    expect([sent, said, json!({ "a": null, "b": { "c": "x" } })], owned, &[("spec.a", Missing)]);
}

#[test]
fn server_normalised_value_is_not_a_deviation() {
    let owned = json!({ "f:cpu": {}, "f:port": {}, "f:image": {}, "f:n": {} });
    let sent = json!({ "cpu": "1000m", "port": 0, "image": "a:1", "n": 1.0 });
    let said = json!({ "cpu": "1", "port": 30001, "image": "a@1", "n": 1 });
    let other_port = json!({ "cpu": "1", "port": 30002, "image": "a@1", "n": 1 });
    expect([sent.clone(), said.clone(), other_port], owned.clone(), &[]);
    // A declared value may be live as it is declared.
    let plain = json!({ "cpu": "1", "port": 30001, "image": "a:1", "n": 1 });
    expect([sent.clone(), said.clone(), plain], owned.clone(), &[]);
    let other = json!({ "cpu": "2", "port": 30001, "image": "a@1", "n": 1 });
    expect([sent.clone(), said, other], owned.clone(), &[("spec.cpu", Changed)]);
    // A field that is dropped in a dry run is dropped when it is applied, too.
    let dropped = json!({ "cpu": "1", "n": 1 });
    expect([sent, dropped.clone(), dropped], owned, &[]);
    expect(
        [json!({ "n": 0 }), json!({ "n": 0 }), json!({ "n": 5 })],
        json!({ "f:n": {} }),
        &[("spec.n", Changed)],
    );
}

#[test]
fn list_elements_are_matched_by_the_servers_keys() {
    let owned = json!({ "f:keyed": { "k:{\"name\":\"a\"}": { ".": {}, "f:name": {}, "f:x": {} } },
        "f:set": { "v:\"a\"": {}, "v:\"b\"": {} }, "f:args": {} });
    let sent = json!({ "keyed": [{ "name": "a", "x": 1 }], "set": ["a", "b"], "args": ["1", "2"] });
    let injected = json!({ "keyed": [{ "name": "side" }, { "name": "a", "x": 1, "y": 2 }],
        "set": ["z", "b", "a"], "args": ["1", "2"] });
    expect([sent.clone(), sent.clone(), injected], owned.clone(), &[]);
    let changed = json!({ "keyed": [{ "name": "side" }, { "name": "a", "x": 2 }],
        "set": ["b"], "args": ["1", "3"] });
    expect(
        [sent.clone(), sent.clone(), changed],
        owned.clone(),
        &[("spec.args[1]", Changed), ("spec.keyed[name=a].x", Changed), ("spec.set[0]", Missing)],
    );
    let gone = json!({ "keyed": [{ "name": "side" }], "set": ["a", "b"], "args": ["1", "2", "3"] });
    expect(
        [sent.clone(), sent, gone],
        owned,
        &[("spec.args", Changed), ("spec.keyed[name=a]", Missing)],
    );
}

#[test]
fn a_map_that_is_owned_whole_has_nothing_else_in_it() {
    let sent = json!({ "m": { "a": "1" } });
    let more = json!({ "m": { "a": "1", "b": "2" } });
    let whole = json!({ "f:m": {} });
    expect([sent.clone(), sent.clone(), more.clone()], whole.clone(), &[("spec.m.b", Undeclared)]);
    expect([sent.clone(), more.clone(), more.clone()], whole, &[]);
    expect([sent.clone(), sent, more], json!({ "f:m": { "f:a": {} } }), &[]);
}

#[test]
fn a_list_that_is_emptied_is_empty() {
    let sent = json!({ "list": [] });
    let before = object(json!({ "list": ["a"] }), None);
    let said = object(json!({ "list": [] }), None);
    let sent = object(sent, None);
    let promise = Expected { sent: &sent, before: Some(&before), said: Some(&said) };
    for (list, differences) in [
        (json!(["a"]), &[("spec.list", Changed)][..]),
        (json!([]), &[]),
        (json!(["injected"]), &[]),
    ] {
        let now = object(json!({ "list": list }), Some(json!({ "f:list": {} })));
        told(promise, &now, differences);
    }
}

#[test]
fn values_are_compared_by_meaning_without_a_dry_run() {
    let sent = json!({ "cpu": "1000m", "share": 0.5, "mem": 0.1, "zero": 0, "none": {} });
    let now = json!({ "cpu": "1", "share": 0.5, "mem": "100m" });
    expect_unasked([sent.clone(), now], &[]);
    expect_unasked(
        [sent, json!({ "cpu": "2", "share": 0.5 })],
        &[("spec.cpu", Changed), ("spec.mem", Missing)],
    );
    // The keys of the elements of such a list are unknown.
    let list = json!({ "list": [{ "a": 1 }, { "b": "1000m" }] });
    let now = json!({ "list": [{ "a": 1, "x": 1 }, { "b": "1" }] });
    expect_unasked([list.clone(), now], &[]);
    let more = json!({ "list": [{ "x": 1 }, { "b": "1" }, { "a": 1 }] });
    expect_unasked([list, more], &[]);
}

#[test]
fn server_owned_fields_are_not_compared() {
    let object = |value: Value| Object::from(value.as_object().cloned().unwrap());
    let sent = object(json!({ "apiVersion": "v1", "kind": "A", "status": { "phase": "Bound" },
        "metadata": { "name": "a", "uid": "u", "resourceVersion": "1", "labels": { "a": "b" } } }));
    let answer = object(json!({ "metadata": { "name": "a", "uid": "w", "resourceVersion": "2" } }));
    let promise = Expected { sent: &sent, before: None, said: None };
    told(promise, &answer, &[("metadata.labels.a", Missing)]);
}
