//! That the lines which go and come are those of the fields and elements that differ.

use proptest::prelude::*;

use super::*;
use crate::cli::present::tests::{change, object};
use crate::core::json::{Value, json};
use crate::core::plan::Action;
use crate::core::redact::Redactor;

/// The difference between two specs of one object, of which these fields are owned.
fn delta(before: Value, after: Value, owned: &Value) -> Delta {
    let web = |spec: Value| {
        object(json!({
            "apiVersion": "example.com/v1", "kind": "Web", "spec": spec,
            "metadata": { "name": "web", "managedFields": [
                { "manager": "m", "operation": "Apply", "fieldsV1": { "f:spec": owned } }] },
        }))
    };
    let update = change(Action::Update, Some(web(before)), Some(web(after)));
    Delta::new(&update, &Redactor::default())
}

/// The lines that go and come.
fn marked(delta: &Delta) -> Vec<String> {
    let marked = of(delta).into_iter().filter_map(|line| match line {
        Line::Removed(text) => Some(format!("-{text}")),
        Line::Added(text) => Some(format!("+{text}")),
        Line::Gap | Line::Above(_) | Line::Equal(_) => None,
    });
    marked.collect()
}

#[track_caller]
fn expect(before: Value, after: Value, lines: &[&str]) {
    let delta = delta(before, after, &json!({}));
    assert_eq!(marked(&delta), lines, "{}\n{}", delta.before_text, delta.after_text);
    check_applies(&delta);
}

/// Holds the operations against the texts: applied to the one they make the other.
#[track_caller]
fn check_applies(delta: &Delta) {
    let (was, is) = (split(&delta.before_text), split(&delta.after_text));
    let (mut made, mut old, mut new) = (Vec::<&str>::new(), 0, 0);
    for op in ops(delta, &was, &is) {
        assert_eq!((op.old_range().start, op.new_range().start), (old, new));
        (old, new) = (op.old_range().end, op.new_range().end);
        match op {
            DiffOp::Equal { .. } => made.extend(&was[op.old_range()]),
            _ => made.extend(&is[op.new_range()]),
        }
    }
    assert_eq!((old, new), (was.len(), is.len()));
    assert_eq!(made, is);
}

fn container(name: &str) -> Value {
    json!({ "name": name, "image": "web:1", "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File" })
}

#[test]
fn list_element_is_removed_and_added_with_its_own_lines() {
    let with = |names: &[&str]| {
        let containers: Vec<Value> = names.iter().map(|name| container(name)).collect();
        json!({ "containers": containers })
    };
    let of = |mark: &str, name: &str| {
        [
            format!("{mark}  - name: {name}"),
            format!("{mark}    image: web:1"),
            format!("{mark}    terminationMessagePath: /dev/termination-log"),
            format!("{mark}    terminationMessagePolicy: File"),
        ]
    };
    for (all, some, names) in [
        (&["a", "b"][..], &["a"][..], &["b"][..]),
        (&["a", "b"], &["b"], &["a"]),
        (&["a", "b", "c"], &["a", "c"], &["b"]),
        (&["a", "b", "c", "d"], &["b"], &["a", "c", "d"]),
    ] {
        for (mark, before, after) in [("-", all, some), ("+", some, all)] {
            let delta = delta(with(before), with(after), &json!({}));
            let expected: Vec<String> = names.iter().flat_map(|name| of(mark, name)).collect();
            assert_eq!(marked(&delta), expected);
            check_applies(&delta);
        }
    }
    // One that is replaced goes as a whole, though most of its lines are its neighbour's.
    let delta = delta(with(&["a", "b"]), with(&["a", "c"]), &json!({}));
    assert_eq!(marked(&delta), [of("-", "b"), of("+", "c")].concat());
}

#[test]
fn elements_without_a_key_are_matched_by_content() {
    // Equal ones stay, and one that changes in part shows that part.
    let toleration =
        |key: &str, effect: &str| json!({ "effect": effect, "key": key, "operator": "Exists" });
    let tolerations = |all: &[Value]| json!({ "tolerations": all });
    let (a, b, c) = (toleration("a", "x"), toleration("b", "x"), toleration("c", "x"));
    expect(
        tolerations(&[a.clone(), b.clone(), c.clone()]),
        tolerations(&[a.clone(), b.clone()]),
        &["-  - effect: x", "-    key: c", "-    operator: Exists"],
    );
    expect(
        tolerations(&[a.clone(), b.clone(), c.clone()]),
        tolerations(&[b.clone(), toleration("c", "z")]),
        &[
            "-  - effect: x",
            "-    key: a",
            "-    operator: Exists",
            "-  - effect: x",
            "+  - effect: z",
        ],
    );
    // The same body twice.
    expect(
        tolerations(&[a.clone(), a.clone(), b.clone()]),
        tolerations(&[a.clone(), b]),
        &["-  - effect: x", "-    key: a", "-    operator: Exists"],
    );
    expect(
        json!({ "args": ["-a", "-b", "-c"] }),
        json!({ "args": ["-a", "-x", "-y", "-c"] }),
        &["-  - -b", "+  - -x", "+  - -y"],
    );
    expect(
        json!({ "args": ["sh", "-c", "one\ntwo\nthree\n"] }),
        json!({ "args": ["sh", "-e", "-c", "one\n2\nthree\n"] }),
        &["+  - -e", "-    two", "+    2"],
    );
    expect(
        json!({ "rows": [[1, 2], [3, 4], [5, 6]] }),
        json!({ "rows": [[1, 2], [3, 5]] }),
        &["-    - 4", "+    - 5", "-  -", "-    - 5", "-    - 6"],
    );
    expect(
        json!({ "args": ["-a"] }),
        json!({ "args": [] }),
        &["-  args:", "-  - -a", "+  args: []"],
    );
}

#[test]
fn map_keys_are_removed_and_added_with_their_values() {
    let probe = |port: u16| json!({ "failureThreshold": 3, "httpGet": { "port": port } });
    expect(
        json!({ "liveness": probe(80), "readiness": probe(80), "startup": probe(80) }),
        json!({ "liveness": probe(80), "readiness": probe(81) }),
        &[
            "-      port: 80",
            "+      port: 81",
            "-  startup:",
            "-    failureThreshold: 3",
            "-    httpGet:",
            "-      port: 80",
        ],
    );
    expect(
        json!({ "emptyDir": { "medium": "Memory" } }),
        json!({ "hostPath": { "medium": "Memory" } }),
        &["-  emptyDir:", "-    medium: Memory", "+  hostPath:", "+    medium: Memory"],
    );
    // The dash moves to the next key.
    expect(
        json!({ "rules": [{ "a": 1, "b": 2, "c": 3 }] }),
        json!({ "rules": [{ "b": 2, "c": 3 }] }),
        &["-  - a: 1", "-    b: 2", "+  - b: 2"],
    );
}

#[test]
fn element_with_the_same_name_and_another_key_is_matched() {
    let owned = json!({ "f:ports": { "k:{\"port\":80}": { ".": {} } } });
    let ports = |all: &[(&str, u16)]| {
        let ports = all.iter().map(|(name, port)| json!({ "name": name, "port": port, "to": 1 }));
        json!({ "ports": ports.collect::<Vec<_>>() })
    };
    let marked = |before: &[(&str, u16)], after: &[(&str, u16)]| {
        let delta = delta(ports(before), ports(after), &owned);
        check_applies(&delta);
        marked(&delta)
    };
    assert_eq!(
        marked(&[("web", 83), ("x", 1)], &[("web", 80), ("x", 1)]),
        ["-    port: 83", "+    port: 80"]
    );
    let come = ["+  - name: new", "+    port: 9", "+    to: 1"];
    assert_eq!(
        marked(&[("a", 1), ("web", 83)], &[("a", 1), ("new", 9), ("web", 80)]),
        [&come[..], &["-    port: 83", "+    port: 80"]].concat()
    );
    assert_eq!(
        marked(&[("web", 83), ("gone", 2)], &[("web", 80)]),
        ["-    port: 83", "+    port: 80", "-  - name: gone", "-    port: 2", "-    to: 1"]
    );
}

#[test]
fn members_of_a_set_are_matched_by_their_values() {
    let owned = json!({ "f:set": { "v:\"a\"": {}, "v:\"b\"": {}, "v:\"c\"": {} } });
    let delta = delta(json!({ "set": ["a", "b", "c"] }), json!({ "set": ["b", "c"] }), &owned);
    assert_eq!(marked(&delta), ["-  - a"]);
    let paths: Vec<&str> = delta.fields.iter().map(|field| field.path.as_str()).collect();
    assert_eq!(paths, ["spec.set[=\"a\"]"]);
}

#[test]
fn embedded_json_is_formatted_beside_the_old_value() {
    let env = |all: &[(&str, &str)]| {
        let env = all.iter().map(|(name, value)| json!({ "name": name, "value": value }));
        json!({ "env": env.collect::<Vec<_>>() })
    };
    let (a, b) = (("A", r#"{"a":1}"#), ("B", r#"{"b":1}"#));
    expect(env(&[("X", "1"), a, b]), env(&[a, b]), &["-  - name: X", "-    value: \"1\""]);
    expect(
        env(&[("X", "1"), a, b]),
        env(&[a, ("B", r#"{"b":2}"#)]),
        &["-  - name: X", "-    value: \"1\"", "-        \"b\": 1", "+        \"b\": 2"],
    );
}

/// An element of a list, with a list of its own.
#[derive(Clone, Debug, PartialEq)]
struct Element {
    image: u8,
    env: Vec<(u8, u8)>,
}

impl Element {
    fn json(&self, name: u8) -> Value {
        let mut json = json!({ "name": format!("c{name}"), "image": format!("i{}", self.image) });
        if !self.env.is_empty() {
            json["env"] = self.env.iter().map(|(name, value)| variable(*name, *value)).collect();
        }
        json
    }

    fn lines(&self, name: u8) -> Vec<String> {
        let mut lines = vec![format!("  - name: c{name}")];
        if !self.env.is_empty() {
            lines.push("    env:".to_owned());
        }
        lines.extend(self.env.iter().flat_map(|(name, value)| variable_lines(*name, *value)));
        lines.push(format!("    image: i{}", self.image));
        lines
    }

    /// The lines that this one has and the other has not.
    fn lines_beside(&self, other: &Self) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.env.is_empty() && other.env.is_empty() {
            lines.push("    env:".to_owned());
        }
        for (name, value) in &self.env {
            match other.env.iter().find(|(other, _)| other == name) {
                Some((_, same)) if same == value => {}
                Some(_) => lines.push(format!("      value: v{value}")),
                None => lines.extend(variable_lines(*name, *value)),
            }
        }
        if self.image != other.image {
            lines.push(format!("    image: i{}", self.image));
        }
        lines
    }
}

fn variable(name: u8, value: u8) -> Value {
    json!({ "name": format!("E{name}"), "value": format!("v{value}") })
}

fn variable_lines(name: u8, value: u8) -> [String; 2] {
    [format!("    - name: E{name}"), format!("      value: v{value}")]
}

fn spec(elements: &[(u8, Element)]) -> Value {
    let containers = elements.iter().map(|(name, element)| element.json(*name));
    json!({ "after": 1, "containers": containers.collect::<Vec<_>>(), "next": 2 })
}

/// The lines of the elements of one list that the other has not.
fn lines_beside(elements: &[(u8, Element)], others: &[(u8, Element)]) -> Vec<String> {
    let lines = elements.iter().flat_map(|(name, element)| {
        match others.iter().find(|(other, _)| other == name) {
            Some((_, other)) => element.lines_beside(other),
            None => element.lines(*name),
        }
    });
    lines.collect()
}

/// Elements in one order, told by their places among all that there may be. Few different values
/// make neighbours that are alike.
fn elements() -> impl Strategy<Value = Vec<(u8, Element)>> {
    let env = prop::collection::btree_map(0..4_u8, 0..2_u8, 0..4);
    let element =
        (0..2_u8, env).prop_map(|(image, env)| Element { image, env: env.into_iter().collect() });
    prop::collection::btree_map(0..6_u8, element, 1..6).prop_map(|all| all.into_iter().collect())
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        (0..3_u8).prop_map(Value::from),
        "[ab\n]{0,4}".prop_map(Value::from),
        "\\{\"a\":[0-3]\\}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map("[a-c]|name", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn marked_lines_are_those_that_differ(before in elements(), after in elements()) {
        let delta = delta(spec(&before), spec(&after), &json!({}));
        check_applies(&delta);
        let marked = marked(&delta);
        let with = |mark: char| -> Vec<&str> {
            marked.iter().filter_map(|line| line.strip_prefix(mark)).collect()
        };
        prop_assert_eq!(with('-'), lines_beside(&before, &after));
        prop_assert_eq!(with('+'), lines_beside(&after, &before));
    }

    #[test]
    fn applying_the_lines_makes_the_new_text(before in any_json(), after in any_json()) {
        let is_same = before == after;
        let delta = delta(json!({ "x": before }), json!({ "x": after }), &json!({}));
        check_applies(&delta);
        prop_assert_eq!(marked(&delta).is_empty() && delta.reordered.is_empty(), is_same);
    }
}
