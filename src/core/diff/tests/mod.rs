//! The text of a change: it shows and hides the right fields, and means the same as its object.

use proptest::prelude::*;

use super::*;
use crate::core::compare::is_noop;
use crate::core::json::json;
use crate::core::plan::Effect;

mod told;

fn object(value: Value) -> Object {
    Object::from(value.as_object().unwrap().clone())
}

fn update(live: Value, merged: Value) -> Change {
    let (live, merged) = (object(live), object(merged));
    Change {
        key: live.key(),
        version: live.version().to_owned(),
        origin: None,
        effect: Effect::of(Action::Update, Some(live), Some(merged)),
        reason: None,
    }
}

fn delta(live: Value, merged: Value) -> Delta {
    let change = update(live, merged);
    let redactor = Redactor::new([change.live(), change.becomes()].into_iter().flatten());
    Delta::new(&change, &redactor)
}

fn lines(delta: &Delta) -> Vec<String> {
    let text = |value: &Option<Value>| value.as_ref().map_or("-".to_owned(), Value::to_string);
    let line = |f: &FieldChange| format!("{} {} {}", f.path, text(&f.before), text(&f.after));
    delta.fields.iter().map(line).collect()
}

#[test]
fn fields_are_named_by_their_path() {
    let live = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": { "name": "web", "annotations": { "a.b/c": "1" } },
        "spec": { "replicas": 2, "gone": null, "containers": [
            { "name": "main", "image": "web:1", "args": ["a", "b"] }, { "name": "side" },
        ] },
    });
    let merged = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": { "name": "web", "annotations": { "a.b/c": "2" } },
        "spec": { "replicas": 3, "containers": [
            { "name": "side", "tty": true }, { "name": "main", "image": "web:2", "args": ["a"] },
            { "name": "a.new" },
        ] },
    });
    assert_eq!(
        lines(&delta(live, merged)),
        [
            r#"metadata.annotations["a.b/c"] "1" "2""#,
            r#"spec.containers[name=side].tty - true"#,
            r#"spec.containers[name=main].args[1] "b" -"#,
            r#"spec.containers[name=main].image "web:1" "web:2""#,
            r#"spec.containers[name="a.new"] - {"name":"a.new"}"#,
            r#"spec.containers[*].name ["main","side"] ["side","main","a.new"]"#,
            r#"spec.gone null -"#,
            r#"spec.replicas 2 3"#,
        ]
    );
}

#[test]
fn elements_without_a_key_are_named_by_index() {
    let args = |args: &[&str]| json!({ "kind": "K", "spec": { "args": args } });
    let between = |before: &[&str], after: &[&str]| lines(&delta(args(before), args(after)));
    let (all, three) = (["a", "b", "c", "d"], ["a", "c", "d"]);
    assert_eq!(between(&all, &three), [r#"spec.args[1] "b" -"#]);
    assert_eq!(between(&three, &all), [r#"spec.args[1] - "b""#]);
    assert_eq!(between(&all, &["a", "x", "c", "d"]), [r#"spec.args[1] "b" "x""#]);
    assert_eq!(
        between(&all, &["b", "x", "y", "d", "z"]),
        [
            r#"spec.args[0] "a" -"#,
            r#"spec.args[1] "c" "x""#,
            r#"spec.args[2] - "y""#,
            r#"spec.args[4] - "z""#,
        ]
    );
    let rules = |rules: Value| json!({ "kind": "K", "spec": { "rules": rules } });
    let (a, b) = (json!({ "a": 1, "verbs": ["get"] }), json!({ "b": 1, "verbs": ["get"] }));
    let changed = json!({ "b": 2, "verbs": ["get"] });
    assert_eq!(
        lines(&delta(rules(json!([a, b])), rules(json!([changed])))),
        [r#"spec.rules[0] {"a":1,"verbs":["get"]} -"#, "spec.rules[0].b 1 2"]
    );
}

#[test]
fn server_metadata_and_status_are_not_shown() {
    let noisy = |n: u32| {
        json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": { "name": "c", "uid": format!("u{n}"), "resourceVersion": n.to_string(),
                "generation": n, "creationTimestamp": n, "selfLink": n,
                "managedFields": [{ "manager": format!("m{n}") }] },
            "status": { "n": n },
        })
    };
    let same = delta(noisy(1), noisy(2));
    assert_eq!(same.fields, []);
    assert_eq!(same.after_text, "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\n");
    assert_eq!((same.only_ownership, same.joins, same.only_masked), (true, false, false));
}

#[test]
fn joining_the_inventory_is_said_once() {
    let live = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "c" } });
    let mut merged = object(live.clone());
    merged.set_label(PART_OF, "applyset-x-v1");
    let merged = Value::from(merged);
    let joined = delta(live, merged.clone());
    assert_eq!((joined.fields.len(), joined.joins, joined.only_ownership), (0, true, false));
    assert_eq!(joined.before_text, joined.after_text);
    let mut create = update(merged.clone(), merged);
    create.effect = Effect::Create(create.effect.write_mut().clone());
    let created = Delta::new(&create, &Redactor::default());
    assert!(!created.joins && !created.after_text.contains("labels"), "{created:?}");
    assert_eq!(created.before_text, "");
}

#[test]
fn a_secret_changes_without_its_values() {
    let secret = |value: &str, user: &str| {
        json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "db" },
            "data": { "password": value, "user": user } })
    };
    let changed = delta(secret("b25lLW9uZQ==", "YQ=="), secret("dHdvLXR3bw==", "YQ=="));
    assert_eq!(lines(&changed), [r#"data.password "‹secret 1›" "‹secret 3›""#]);
    assert!(
        changed.after_text.ends_with("data:\n  password: ‹secret 3›\n  user: ‹secret 2›\n"),
        "{}",
        changed.after_text.split_once("data").unwrap().1
    );

    let change = update(secret("b25lLW9uZQ==", "YQ=="), secret("dHdvLXR3bw==", "YQ=="));
    let blind = Delta::new(&change, &Redactor::default());
    assert!(blind.only_masked && blind.fields.is_empty());
}

#[test]
fn a_noop_is_equal_but_for_when() {
    let at = |time: &str, version: &str, manager: &str, data: &str| {
        object(json!({
            "apiVersion": "v1", "kind": "ConfigMap", "data": { "a": data },
            "metadata": { "name": "c", "resourceVersion": version, "generation": 1,
                "managedFields": [{ "manager": manager, "time": time }] },
        }))
    };
    let live = at("10:00", "1", "trueup", "x");
    assert!(is_noop(&live, &at("11:00", "2", "trueup", "x")));
    assert!(!is_noop(&live, &at("10:00", "1", "other", "x")));
    assert!(!is_noop(&live, &at("10:00", "1", "trueup", "y")));
    let mut bare = live.clone();
    bare.metadata_mut().remove("managedFields");
    assert!(!is_noop(&live, &bare) && !is_noop(&bare, &live));
    bare.fields_mut().remove("metadata");
    assert!(!is_noop(&live, &bare) && is_noop(&bare, &bare));
}

#[test]
fn text_is_one_value_a_line_in_one_order() {
    let shown = yaml::text(&object(json!({
        "zone": "z", "kind": "K", "apiVersion": "v1", "list": [],
        "metadata": { "annotations": {}, "uid": "u", "namespace": "shop", "name": "x" },
        "data": {
            "crlf": "one\r\n  two\r\n", "file": "a: 1\n\n  b\n", "no end": "a\nb", "indented": "  a\nb\n",
            "more": "a\n\n", "escape": "\u{1b}[31mred", "bidi": "a\u{202e}b", "empty": "",
            "yes": "no", "number": "012", "version": "1.4.1", "unicode": "naïve 猫", "colon": "a: b",
            "tabbed": "a\r\n\tb",
        },
        "spec": { "containers": [{ "image": "i:1", "name": "main", "args": ["-v", "x\ny"] }], "rows": [[1, 2], [{}]] },
    })));
    let expected = r#"apiVersion: v1
kind: K
metadata:
  name: x
  namespace: shop
  annotations: {}
  uid: u
data:
  bidi: "a\u202eb"
  colon: "a: b"
  crlf: "one\r\n\
    \  two\r\n"
  empty: ""
  escape: "\x1b[31mred"
  file: |
    a: 1

      b
  indented: |2
      a
    b
  more: |+
    a

  no end: |-
    a
    b
  number: "012"
  tabbed: "a\r\n\
    \tb"
  unicode: naïve 猫
  version: "1.4.1"
  "yes": "no"
list: []
spec:
  containers:
  - name: main
    args:
    - -v
    - |-
      x
      y
    image: i:1
  rows:
  -
    - 1
    - 2
  -
    - {}
zone: z
"#;
    assert_eq!(shown, expected);
}

fn json_value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        "[ -~]{0,12}",
        "([ -~\t\r\n]|[\u{0}-\u{ff}]|\u{2028}|\u{feff}|猫){0,12}",
        "[-+.0-9eExob_:~nyNY]{1,6}",
        Just("true".to_owned()),
        "( |\t|\n|a|\r|#|- |: ){0,8}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(text.clone(), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn the_text_reads_back_as_the_object(value in json_value()) {
        let object = object(json!({ "spec": value }));
        let text = yaml::text(&object);
        let back: Value = serde_yaml::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
        prop_assert_eq!(Value::from(object), back, "{}", text);
        prop_assert!(text.chars().all(|c| c == '\n' || c == '\t' || crate::core::sanitize::is_harmless(c)), "{:?}", text);
    }

    #[test]
    fn the_fields_are_empty_only_for_equal_objects(a in json_value(), b in json_value()) {
        let wrap = |value: Value| json!({ "kind": "K", "spec": value });
        let delta = delta(wrap(a.clone()), wrap(b.clone()));
        prop_assert_eq!(delta.fields.is_empty(), a == b);
        let is_same = delta.before_text == delta.after_text && delta.reordered.is_empty();
        prop_assert_eq!(is_same, a == b);
    }
}
