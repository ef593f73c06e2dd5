//! How a change is described: the order, the matching of elements, and JSON line by line.

use super::*;

use crate::core::json::Map;

/// The lines in which two texts differ.
fn differing(delta: &Delta) -> Vec<String> {
    let diff = similar::TextDiff::from_lines(&delta.before_text, &delta.after_text);
    let lines = diff.iter_all_changes().filter(|line| line.tag() != similar::ChangeTag::Equal);
    lines.map(|line| format!("{}{}", line.tag(), line.value().trim_end())).collect()
}

#[test]
fn list_elements_are_matched_by_merge_key() {
    let service = |ports: Value| {
        let key = |port: &Value| {
            let key = json!({ "port": port["port"], "protocol": port["protocol"] });
            (format!("k:{key}"), json!({ ".": {}, "f:port": {} }))
        };
        let owned: Map = ports.as_array().unwrap().iter().map(key).collect();
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
    let words: Vec<String> = changed.reordered.iter().map(|it| it.words("->", "...")).collect();
    let expected = r#"the order of spec.ports changes: [53,"UDP"], [53,"TCP"], [80,"TCP"] -> [53,"TCP"], [80,"TCP"], [53,"UDP"]"#;
    assert_eq!(words, [expected]);
}

#[test]
fn env_reordering_is_not_a_difference_and_insertion_is() {
    let web = |names: &[&str]| {
        let env: Vec<Value> =
            names.iter().map(|name| json!({ "name": name, "value": "x" })).collect();
        json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "web" },
            "spec": { "containers": [{ "name": "main", "env": env }] } })
    };
    let reordered = delta(web(&["A", "B", "C"]), web(&["C", "A", "B"]));
    assert_eq!(reordered.before_text, reordered.after_text);
    let words = |delta: &Delta| delta.reordered[0].words("->", "...");
    let env = "the order of spec.containers[name=main].env changes";
    assert_eq!(words(&reordered), format!("{env}: A, B, C -> C, A, B"));
    let swapped = delta(web(&["A", "B", "C", "D", "E"]), web(&["A", "C", "B", "D", "E"]));
    assert_eq!(words(&swapped), format!("{env}: ..., B, C, ... -> ..., C, B, ..."));
    let change = update(web(&["A", "B"]), web(&["B", "A"]));
    let plain = Delta::plain(&change, &Redactor::default(), FieldOrder::none());
    assert_ne!(plain.before_text, plain.after_text, "another program sees what there is");
    let inserted = delta(web(&["A", "B", "C"]), web(&["A", "X", "B", "C"]));
    assert_eq!(differing(&inserted), ["+    - name: X", "+      value: x"]);
    assert_eq!((inserted.fields.len(), inserted.reordered.len()), (1, 0));
    let gone = delta(web(&["A", "B", "C"]), web(&["C", "A"]));
    assert_eq!(differing(&gone), ["-    - name: B", "-      value: x"]);
}

#[test]
fn fields_are_listed_in_file_order() {
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
    let manifest = crate::core::manifest::read("web.yaml", file.as_bytes()).manifests.remove(0);
    let mut merged = Value::from(manifest.object.clone());
    merged["metadata"]["namespace"] = "shop".into();
    merged["spec"]["paused"] = true.into();
    merged["spec"]["template"]["spec"]["containers"][1]["args"] = json!(["x"]);
    let mut live = merged.clone();
    live["spec"]["replicas"] = 5.into();
    live["spec"]["template"]["spec"]["containers"][0]["image"] = "web:1".into();
    let change = update(live, merged);
    let delta = Delta::in_order(&change, &Redactor::default(), &FieldOrder::new(&manifest));
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
    let plain = Delta::plain(&change, &Redactor::default(), FieldOrder::none());
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
    let change = update(Value::from(live), Value::from(merged));
    let changed = Delta::new(&change, &redactor);
    for text in [&changed.before_text, &changed.after_text] {
        assert!(text.contains("\n      \"password\": \"‹secret 1›\"\n"), "{text}");
    }
}

#[test]
fn revision_annotation_of_a_controller_is_not_diff_context() {
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
