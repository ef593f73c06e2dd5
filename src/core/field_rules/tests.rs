use super::*;
use crate::core::json::{Value, json};
use crate::core::object::Object;

fn object(value: Value) -> Object {
    Object::from(value.as_object().cloned().unwrap())
}

fn pointer(text: &str) -> Pointer {
    Pointer::from(text.to_owned())
}

#[test]
fn patterns_are_like_those_of_a_shell() {
    for (pattern, text, is) in [
        ("web", "web", true),
        ("web", "web-1", false),
        ("web*", "web-1", true),
        ("*-canary", "web-canary", true),
        ("*-canary", "web-canary-1", false),
        ("w*b*", "web", true),
        ("w?b", "web", true),
        ("?", "", false),
        ("*", "", true),
        ("", "", true),
        ("", "apps", false),
        ("*a*b", "xaybzab", true),
    ] {
        assert_eq!(is_like(pattern, text), is, "{pattern} {text}");
    }
}

#[test]
fn rule_matches_when_all_its_conditions_match() {
    let key = ObjectKey {
        group: "apps".to_owned(),
        kind: "Deployment".to_owned(),
        namespace: Some("shop".to_owned()),
        name: "web-1".to_owned(),
    };
    let some = |text: &str| Some(text.to_owned());
    let about = |rule: FieldRule| rule.is_about(&key);
    assert!(about(FieldRule::default()));
    assert!(about(FieldRule {
        kind: some("Deployment"),
        name: some("web-*"),
        ..FieldRule::default()
    }));
    assert!(about(FieldRule {
        group: some("apps"),
        namespace: some("sh?p"),
        ..FieldRule::default()
    }));
    assert!(!about(FieldRule { group: some(""), ..FieldRule::default() }));
    assert!(!about(FieldRule {
        kind: some("Deployment"),
        namespace: some("a"),
        ..FieldRule::default()
    }));
}

#[test]
fn a_pointer_finds_keys_elements_and_what_is_escaped() {
    let object = object(json!({
        "metadata": { "annotations": { "a/b~c": "x" } },
        "spec": { "list": [{ "name": "side" }, { "name": "main", "port": 80 }], "0": "y" },
    }));
    let (key, at) = (PathPart::Key, PathPart::Index);
    use crate::core::manifest::PathPart;
    for (text, steps) in [
        ("/metadata/annotations/a~1b~0c", vec![key("metadata"), key("annotations"), key("a/b~c")]),
        ("/spec/list/1/port", vec![key("spec"), key("list"), at(1), key("port")]),
        ("/spec/list/[name=main]/port", vec![key("spec"), key("list"), at(1), key("port")]),
        ("/spec/list/[port=80]", vec![key("spec"), key("list"), at(1)]),
        ("/spec/0", vec![key("spec"), key("0")]),
    ] {
        assert_eq!(pointer(text).find(&object.0), Some(steps), "{text}");
    }
    for text in ["/spec/list/[name=x]", "/spec/list/2", "/spec/x/y", "/spec/list/name"] {
        assert_eq!(pointer(text).find(&object.0), None, "{text}");
    }
    for text in ["", "spec", "/spec/~2", "/", "/kind", "/metadata", "/metadata/name"] {
        assert!(pointer(text).wrong().is_some(), "{text}");
    }
}

#[test]
fn ignored_fields_keep_their_live_value() {
    let live = object(json!({
        "metadata": { "name": "web", "annotations": { "ours": "1", "theirs": "2" },
            "managedFields": [
                { "manager": "trueup", "operation": "Apply", "fieldsV1": {
                    "f:metadata": { "f:annotations": { "f:ours": {} } },
                    "f:spec": { "f:replicas": {}, "f:args": {}, "f:list": {
                        "k:{\"name\":\"main\"}": { ".": {}, "f:name": {}, "f:image": {} } } } } },
                { "manager": "other", "operation": "Update", "fieldsV1": {
                    "f:metadata": { "f:annotations": { "f:theirs": {} } },
                    "f:spec": { "f:max": {} } } },
            ] },
        "spec": { "replicas": 5, "max": 9, "args": ["-a", "-live"], "default": 1,
            "list": [{ "name": "other" }, { "name": "main", "image": "live" }] },
    }));
    let declared = object(json!({
        "metadata": { "name": "web", "annotations": { "theirs": "declared" } },
        "spec": { "replicas": 2, "max": 2, "args": ["-b", "-declared"], "default": 2,
            "list": [{ "name": "main", "image": "declared" }] },
    }));
    let sent = |paths: &[&str]| {
        let paths: Vec<Pointer> = paths.iter().map(|path| pointer(path)).collect();
        Value::from(settle(&declared, &live, &paths.iter().collect::<Vec<_>>()))
    };
    let without = |change: &dyn Fn(&mut Value)| {
        let mut value = Value::from(declared.clone());
        change(&mut value);
        value
    };
    for (path, expected) in [
        // Ours alone: its live value.
        ("/spec/replicas", without(&|value| value["spec"]["replicas"] = 5.into())),
        (
            "/spec/list/[name=main]/image",
            without(&|value| {
                value["spec"]["list"][0]["image"] = "live".into();
            }),
        ),
        // Owned by others, or without an owner: without us.
        ("/spec/max", without(&|value| drop(value["spec"].as_object_mut().unwrap().remove("max")))),
        (
            "/spec/default",
            without(&|value| {
                value["spec"].as_object_mut().unwrap().remove("default");
            }),
        ),
        (
            "/metadata/annotations/theirs",
            without(&|value| {
                value["metadata"].as_object_mut().unwrap().remove("annotations");
            }),
        ),
        // No longer declared, and still ours.
        (
            "/metadata/annotations/ours",
            without(&|value| {
                value["metadata"]["annotations"]["ours"] = "1".into();
            }),
        ),
        (
            "/metadata/annotations",
            without(&|value| {
                value["metadata"]["annotations"] = json!({ "ours": "1" });
            }),
        ),
        // A part of what is owned whole.
        ("/spec/args/1", without(&|value| value["spec"]["args"][1] = "-live".into())),
        ("/spec/missing", Value::from(declared.clone())),
    ] {
        assert_eq!(sent(&[path]), expected, "{path}");
    }
}

#[test]
fn a_star_is_every_key_and_every_element() {
    let object = object(json!({
        "metadata": { "name": "web", "labels": { "a/b": "1" } },
        "data": { "x": "1", "y": { "z": "2" } },
        "spec": { "containers": [{ "name": "main", "image": "1" }, { "name": "side" }],
            "twins": [{ "name": "a" }, { "name": "a" }], "args": ["-a"] },
    }));
    let within = |text: &str| -> Vec<String> {
        let pointer = pointer(text);
        let paths = pointer.within(&object.0);
        assert!(paths.iter().all(|path| path.value(&object.0).is_some()), "{text}");
        paths.iter().map(ToString::to_string).collect()
    };
    assert_eq!(within("/data/*"), ["/data/x", "/data/y"]);
    assert_eq!(within("/data/*/z"), ["/data/y/z"]);
    assert_eq!(within("/spec/containers/*/image"), ["/spec/containers/[name=main]/image"]);
    assert_eq!(within("/spec/*/0"), ["/spec/args/0", "/spec/containers/0", "/spec/twins/0"]);
    assert_eq!(within("/spec/twins/*/name"), ["/spec/twins/0/name", "/spec/twins/1/name"]);
    assert_eq!(within("/metadata/labels/*"), ["/metadata/labels/a~1b"]);
    assert_eq!(within("/metadata/*"), ["/metadata/labels"], "never what identifies an object");
    assert_eq!(within("/*/x"), ["/data/x"]);
    assert_eq!(within("/*"), ["/data", "/spec"]);
    assert!(within("/nothing/*").is_empty());
    // Without one it is itself, wherever it leads.
    assert_eq!(pointer("/spec/x").within(&object.0)[0].to_string(), "/spec/x");
}

#[test]
fn wildcard_field_is_ignored_in_the_element_with_the_same_key() {
    let live = object(json!({
        "metadata": { "managedFields": [{ "manager": "trueup", "operation": "Apply",
            "fieldsV1": { "f:spec": { "f:list": {
                "k:{\"name\":\"a\"}": { ".": {}, "f:name": {}, "f:image": {} },
                "k:{\"name\":\"b\"}": { ".": {}, "f:name": {}, "f:image": {} } } } } }] },
        "spec": { "list": [{ "name": "b", "image": "live b" }, { "name": "a", "image": "live a" }] },
    }));
    let declared = object(json!({ "spec": { "list": [
        { "name": "a", "image": "x" }, { "name": "b", "image": "x" }, { "name": "new", "image": "x" },
    ] } }));
    let path = pointer("/spec/list/*/image");
    let sent = settle(&declared, &live, &[&path]);
    assert_eq!(
        sent.0["spec"]["list"],
        json!([
            { "name": "a", "image": "live a" }, { "name": "b", "image": "live b" },
            { "name": "new", "image": "x" },
        ]),
        "what is not there yet is made as it is declared"
    );
}
