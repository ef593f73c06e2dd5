//! What a change shows, what it hides, and that its text means the same as its object.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn object(value: Value) -> Object {
    Object(value.as_object().unwrap().clone())
}

fn update(live: Value, merged: Value) -> Change {
    let (live, merged) = (object(live), object(merged));
    Change {
        confidence: crate::plan::Confidence::Server,
        action: Action::Update,
        key: live.key(),
        version: live.version().to_owned(),
        origin: None,
        live: Some(live),
        send: None,
        merged: Some(merged),
        reason: None,
    }
}

fn delta(live: Value, merged: Value) -> Delta {
    let change = update(live, merged);
    let redactor = Redactor::new([&change.live, &change.merged].into_iter().flatten());
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
fn what_nobody_declares_is_not_shown() {
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
    let merged = Value::Object(merged.0);
    let joined = delta(live, merged.clone());
    assert_eq!((joined.fields.len(), joined.joins, joined.only_ownership), (0, true, false));
    assert_eq!(joined.before_text, joined.after_text);
    let mut create = update(merged.clone(), merged);
    (create.action, create.live) = (Action::Create, None);
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
    bare.0.remove("metadata");
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

/// The lines in which two texts differ.
fn differing(delta: &Delta) -> Vec<String> {
    let diff = similar::TextDiff::from_lines(&delta.before_text, &delta.after_text);
    let lines = diff.iter_all_changes().filter(|line| line.tag() != similar::ChangeTag::Equal);
    lines.map(|line| format!("{}{}", line.tag(), line.value().trim_end())).collect()
}

#[test]
fn elements_of_a_list_are_matched_by_what_the_server_tells_them_by() {
    let service = |ports: Value| {
        let key = |port: &Value| {
            let key = json!({ "port": port["port"], "protocol": port["protocol"] });
            (format!("k:{key}"), json!({ ".": {}, "f:port": {} }))
        };
        let owned: Map<String, Value> = ports.as_array().unwrap().iter().map(key).collect();
        json!({ "apiVersion": "v1", "kind": "Service",
            "metadata": { "name": "dns", "managedFields": [{ "manager": "m", "operation": "Apply",
                "fieldsV1": { "f:spec": { "f:ports": owned } } }] },
            "spec": { "ports": ports } })
    };
    let port = |port: u16, protocol: &str, to: u16| json!({ "port": port, "protocol": protocol, "targetPort": to });
    let live = service(json!([port(53, "UDP", 1), port(53, "TCP", 1), port(80, "TCP", 1)]));
    // One inserted is one hunk, wherever it stands.
    let inserted = service(json!([
        port(53, "UDP", 1),
        port(9, "TCP", 1),
        port(53, "TCP", 1),
        port(80, "TCP", 1)
    ]));
    let changed = delta(live.clone(), inserted);
    assert_eq!(
        lines(&changed),
        [r#"spec.ports[port=9,protocol=TCP] - {"port":9,"protocol":"TCP","targetPort":1}"#]
    );
    assert_eq!(differing(&changed), ["+  - port: 9", "+    protocol: TCP", "+    targetPort: 1"]);
    // Reordered ones differ in nothing but their order.
    let reordered = service(json!([port(53, "TCP", 1), port(80, "TCP", 1), port(53, "UDP", 2)]));
    let changed = delta(live, reordered);
    assert_eq!(
        lines(&changed),
        [
            "spec.ports[port=53,protocol=UDP].targetPort 1 2",
            r#"spec.ports[*] ["[53,\"UDP\"]","[53,\"TCP\"]","[80,\"TCP\"]"] ["[53,\"TCP\"]","[80,\"TCP\"]","[53,\"UDP\"]"]"#,
        ]
    );
    assert_eq!(differing(&changed), ["-    targetPort: 1", "+    targetPort: 2"]);
    assert_eq!(changed.reordered, ["spec.ports"]);
}

#[test]
fn a_reordered_env_is_no_difference_and_an_inserted_one_is_one() {
    let web = |names: &[&str]| {
        let env: Vec<Value> =
            names.iter().map(|name| json!({ "name": name, "value": "x" })).collect();
        json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "web" },
            "spec": { "containers": [{ "name": "main", "env": env }] } })
    };
    let reordered = delta(web(&["A", "B", "C"]), web(&["C", "A", "B"]));
    assert_eq!(reordered.before_text, reordered.after_text);
    assert_eq!(reordered.reordered, ["spec.containers[name=main].env"]);
    let change = update(web(&["A", "B"]), web(&["B", "A"]));
    let plain = Delta::plain(&change, &Redactor::default(), Order::none());
    assert_ne!(plain.before_text, plain.after_text, "another program sees what there is");
    let inserted = delta(web(&["A", "B", "C"]), web(&["A", "X", "B", "C"]));
    assert_eq!(differing(&inserted), ["+    - name: X", "+      value: x"]);
    assert_eq!((inserted.fields.len(), inserted.reordered.len()), (1, 0));
    let gone = delta(web(&["A", "B", "C"]), web(&["C", "A"]));
    assert_eq!(differing(&gone), ["-    - name: B", "-      value: x"]);
}

#[test]
fn fields_are_told_in_the_order_of_the_file() {
    let file = "kind: Deployment
apiVersion: apps/v1
metadata: {labels: {z: '1', a: '2'}, name: web}
spec:
  template:
    spec:
      volumes: []
      containers:
      - image: web:2
        name: main
      - name: side
        image: side:1
  replicas: 3
";
    let manifest = crate::manifest::read("web.yaml", file.as_bytes()).manifests.remove(0);
    let mut merged = Value::Object(manifest.object.0.clone());
    merged["metadata"]["namespace"] = "shop".into();
    merged["spec"]["paused"] = true.into();
    merged["spec"]["template"]["spec"]["containers"][1]["args"] = json!(["x"]);
    let mut live = merged.clone();
    live["spec"]["replicas"] = 5.into();
    live["spec"]["template"]["spec"]["containers"][0]["image"] = "web:1".into();
    let change = update(live, merged);
    let delta = Delta::in_order(&change, &Redactor::default(), &Order::new(&manifest));
    assert_eq!(
        delta.after_text,
        "kind: Deployment
apiVersion: apps/v1
metadata:
  labels:
    z: \"1\"
    a: \"2\"
  name: web
  namespace: shop
spec:
  template:
    spec:
      volumes: []
      containers:
      - image: web:2
        name: main
      - name: side
        image: side:1
        args:
        - x
  replicas: 3
  paused: true
"
    );
    let paths: Vec<_> = delta.fields.iter().map(|field| field.path.as_str()).collect();
    assert_eq!(paths, ["spec.template.spec.containers[name=main].image", "spec.replicas"]);
}

#[test]
fn embedded_json_is_compared_by_its_lines() {
    let config = |text: &str| {
        json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "c" },
            "data": { "config.json": text } })
    };
    let changed = delta(
        config(r#"{"level":"info","ports":[80,443],"id":12345678901234567890123}"#),
        config(r#"{"level":"debug","ports":[80,443],"id":12345678901234567890123}"#),
    );
    assert_eq!(differing(&changed), [r#"-      "level": "info","#, r#"+      "level": "debug","#]);
    assert!(
        changed.after_text.ends_with(
            "data:
  config.json: | # JSON, laid out
    {
      \"level\": \"debug\",
      \"ports\": [
        80,
        443
      ],
      \"id\": 12345678901234567890123
    }
"
        ),
        "{}",
        changed.after_text
    );
    // White space alone, or JSON on one side alone, is shown as it stands.
    for (before, after) in [(r#"{"a":1}"#, r#"{"a": 1}"#), (r#"{"a":1}"#, "a: 1")] {
        let changed = delta(config(before), config(after));
        assert_eq!(differing(&changed).len(), 2);
        assert!(!changed.after_text.contains("laid out"), "{}", changed.after_text);
    }
    assert_eq!(
        changed.fields[0].after,
        Some(r#"{"level":"debug","ports":[80,443],"id":12345678901234567890123}"#.into()),
        "as data it is what it is"
    );
    let change = update(config(r#"{"a":1}"#), config(r#"{"a":2}"#));
    let plain = Delta::plain(&change, &Redactor::default(), Order::none());
    assert!(plain.after_text.contains(r#""{\"a\":2}""#), "{}", plain.after_text);
}

#[test]
fn secrets_in_embedded_json_stay_masked() {
    let secret = object(json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "s" },
        "stringData": { "password": "correct-horse" } }));
    let config = |level: &str| {
        object(json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "c" },
            "data": { "config.json": format!(r#"{{"level":"{level}","password":"correct-horse"}}"#) } }))
    };
    let (live, merged) = (config("info"), config("debug"));
    let redactor = Redactor::new([&secret, &live, &merged]);
    let change = update(Value::Object(live.0), Value::Object(merged.0));
    let changed = Delta::new(&change, &redactor);
    for text in [&changed.before_text, &changed.after_text] {
        assert!(text.contains("\n      \"password\": \"‹secret 1›\"\n"), "{text}");
    }
}

#[test]
fn what_controllers_count_in_annotations_is_no_context() {
    let web = |replicas: u32, annotations: Value| {
        json!({ "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": { "name": "web", "annotations": annotations },
            "spec": { "replicas": replicas } })
    };
    let revision = |n: &str| json!({ "deployment.kubernetes.io/revision": n });
    let changed = delta(web(1, revision("4")), web(2, revision("4")));
    assert!(!changed.after_text.contains("annotations"), "{}", changed.after_text);
    let changed = delta(web(1, revision("4")), web(2, revision("5")));
    assert!(changed.after_text.contains("revision: \"5\""), "what differs is shown");
    let mut more = revision("4");
    more["own"] = "x".into();
    let changed = delta(web(1, more.clone()), web(2, more));
    assert!(changed.after_text.contains("  annotations:\n    own: x\n"), "{}", changed.after_text);
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
        prop_assert_eq!(Value::Object(object.0), back, "{}", text);
        prop_assert!(text.chars().all(|c| c == '\n' || c == '\t' || yaml::is_harmless(c)), "{:?}", text);
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
