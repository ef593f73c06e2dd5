//! The reader as its callers see it: what kubectl makes of a text, what is wrong where, and that
//! nothing hostile costs more than a message.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const HEAD: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n";

fn read_text(text: &str) -> Reading {
    read("a.yaml", text.as_bytes())
}

/// The one object of a text.
fn object(text: &str) -> Value {
    let reading = read_text(text);
    assert_eq!(reading.problems, [], "{text:?}");
    assert_eq!(reading.manifests.len(), 1, "{text:?}");
    Value::Object(reading.manifests[0].object.0.clone())
}

/// The field `v` of an object that ends in `v: {text}`.
fn v(text: &str) -> Value {
    object(&format!("{HEAD}v: {text}\n"))["v"].clone()
}

/// The one problem of a text: `line:column message`, its hint, its excerpt.
fn problem(text: &str) -> (String, Option<String>, Option<String>) {
    let mut problems = read_text(text).problems;
    assert_eq!(problems.len(), 1, "{text:?}: {problems:?}");
    let Problem { place, message, excerpt, hint } = problems.remove(0);
    (format!("{}:{} {message}", place.line, place.column), hint, excerpt)
}

#[test]
fn a_plain_value_has_kubectls_type() {
    for (text, value) in [
        ("0644", json!(420)),
        ("0o17", json!(15)),
        ("0899", json!(899)),
        ("0xfF", json!(255)),
        ("-0b101", json!(-5)),
        ("0b-1", json!(-1)),
        ("+12", json!(12)),
        ("1_000", json!(1000)),
        ("-9223372036854775808", json!(i64::MIN)),
        ("9223372036854775807", json!(i64::MAX)),
        ("9223372036854775808", json!(9_223_372_036_854_776_000_u64)),
        ("18446744073709551615", json!(18_446_744_073_709_551_615.0)),
        ("2.0", json!(2)),
        ("3.", json!(3)),
        (".5", json!(0.5)),
        (".5_0", json!(0.5)),
        (".5__0", json!(".5__0")),
        ("1e3", json!(1000)),
        ("0e7", json!(0)),
        ("1e999", json!("1e999")),
        ("0x1p4", json!("0x1p4")),
        ("12:30", json!("12:30")),
        ("2026-11-21", json!("2026-11-21")),
        ("1.2.3", json!("1.2.3")),
        ("_1", json!("_1")),
        ("--1", json!("--1")),
        ("++1_0", json!("++1_0")),
        ("+-.5", json!("+-.5")),
        ("-.5e-1", json!(-0.05)),
        ("Yes", json!(true)),
        ("oFF", json!("oFF")),
        ("n", json!(false)),
        ("~", json!(null)),
        ("NULL", json!(null)),
        ("nULL", json!("nULL")),
        ("'on'", json!("on")),
        ("\"1\"", json!("1")),
        ("|\n  1", json!("1\n")),
        ("inf", json!("inf")),
        ("<<", json!("<<")),
        ("[a:, {b:}, !x c, \"d\":e]", json!(["a:", {"b:": null}, "c", {"d": "e"}])),
        ("[a !b, c]", json!(["a !b", "c"])),
        ("{a: !x? b}", json!({"a": "b"})),
        ("a\u{feff}b", json!("a\u{feff}b")),
    ] {
        assert_eq!(v(text), value, "{text}");
    }
}

#[test]
fn a_tag_is_obeyed_when_it_is_yamls_own_and_dropped_when_not() {
    for (text, value) in [
        ("!!str 12", json!("12")),
        ("!!int \"12\"", json!(12)),
        ("!!float 3", json!(3)),
        ("!!bool \"yes\"", json!(true)),
        ("!!binary aGk=", json!("hi")),
        ("!!timestamp 2026-11-21 10:11:12.5", json!("2026-11-21 10:11:12.5")),
        ("! 12", json!("12")),
        ("!mine 12", json!("12")),
        ("!mine", json!("")),
        ("&x !!str", json!("")),
        ("!<tag:yaml.org,2002:int> 012", json!(10)),
    ] {
        assert_eq!(v(text), value, "{text}");
    }
    for text in ["!!int 1.5", "!!null a", "!!bool 1", "!!float a", "!!timestamp a", "!!binary a"] {
        let (message, ..) = problem(&format!("{HEAD}v: {text}\n"));
        assert!(message.starts_with("5:4 its tag says that it is "), "{text}: {message}");
    }
}

#[test]
fn a_key_becomes_text_as_in_kubectl() {
    for (text, value) in [
        ("{y: 1, no: 2, 3: 4}", json!({"true": 1, "false": 2, "3": 4})),
        ("{1.5: a, 1e3: b, 1e6: c}", json!({"1.5": "a", "1000": "b", "1e+06": "c"})),
        ("{.inf: a, 0x10: b}", json!({".inf": "a", "16": "b"})),
        ("{a: 1, a: 2}", json!({"a": 2})),
        ("{? a}", json!({"a": null})),
    ] {
        assert_eq!(v(text), value, "{text}");
    }
    for text in ["{~: 1}", "{{a: b}: 1}", "{[a]: 1}", "{18446744073709551615: 1}"] {
        let (message, ..) = problem(&format!("{HEAD}v: {text}\n"));
        assert!(message.starts_with("5:5 "), "{text}: {message}");
    }
}

#[test]
fn a_merge_key_overrides_what_stands_above_it() {
    let base = format!("{HEAD}b: &b {{x: 1, z: 2}}\nc: &c {{x: 3}}\n");
    for (text, value) in [
        ("{<<: *b, x: 9}", json!({"x": 9, "z": 2})),
        ("{x: 9, <<: *b}", json!({"x": 1, "z": 2})),
        ("{<<: [*b, *c]}", json!({"x": 1, "z": 2})),
        ("{<<: *b, <<: *c}", json!({"x": 3, "z": 2})),
        ("{\"<<\": *c}", json!({"<<": {"x": 3}})),
    ] {
        assert_eq!(object(&format!("{base}v: {text}\n"))["v"], value, "{text}");
    }
    let warnings = read_text(&format!("{base}v: {{x: 9, <<: *b}}\n")).warnings;
    assert_eq!(warnings[0].message, "`<<` overrides the keys that stand above it");
    assert_eq!((warnings[0].place.line, warnings[0].place.column), (7, 11));
    let (message, ..) = problem(&format!("{base}v: {{<<: 3}}\n"));
    assert_eq!(message, "7:9 `<<` needs a map, or a list of maps");
}

#[test]
fn documents_are_parted_as_kubectl_parts_them() {
    let names = |text: &str| -> Vec<String> {
        let reading = read_text(text);
        assert_eq!(reading.problems, [], "{text:?}");
        let origin =
            |m: &Manifest| format!("{}@{}#{}", m.object.name(), m.origin.line, m.origin.document);
        reading.manifests.iter().map(origin).collect()
    };
    let b = HEAD.replace("name: a", "name: b");
    for text in
        ["", "\n", "# c\n", "---\n", "---\n---\n", "null\n", "~", "--- # c\n...\n", "\u{feff}"]
    {
        assert!(names(text).is_empty(), "{text:?}");
    }
    assert_eq!(names(&format!("{HEAD}---\n{b}")), ["a@1#1", "b@6#2"]);
    assert_eq!(
        names(&format!("# c\n---\n\n--- # c\n# d\n{HEAD}---\t\n{b}---")),
        ["a@6#1", "b@11#2"]
    );
    assert_eq!(names(&format!("{HEAD}---\r\n{b}").replace('\n', "\r\n")), ["a@1#1", "b@6#2"]);
    assert_eq!(names(&format!("\u{feff}---\n{HEAD}")), ["a@2#1"]);
    let json = r#"{"apiVersion":"v1","kind":"A","metadata":{"name":"a"}}"#;
    assert_eq!(names(&format!(" \n{json}{json}\n null\n{json}")), ["a@2#1", "a@2#2", "a@4#3"]);
}

#[test]
fn utf_16_is_read_and_other_encodings_are_refused() {
    let utf16: Vec<u8> =
        format!("\u{feff}{HEAD}---\n{HEAD}").encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert_eq!(read("a.yaml", &utf16).manifests.len(), 2);
    let odd = &utf16[..utf16.len() - 1];
    assert_eq!(read("a.yaml", odd).problems[0].message, "this is not UTF-16 text");

    let latin1 = [HEAD.as_bytes(), b"---\nv: caf\xe9\n---\n", HEAD.as_bytes()].concat();
    let reading = read("a.yaml", &latin1);
    assert_eq!(reading.manifests.len(), 2);
    assert_eq!(reading.problems[0].message, "this is not UTF-8 text");
    assert_eq!((reading.problems[0].place.line, reading.problems[0].place.column), (6, 7));
    assert_eq!(reading.problems[0].excerpt, None);

    let nul = problem(&format!("{HEAD}v: a\0b\n"));
    assert_eq!(nul.0, "5:5 the control character U+0000 can't stand in YAML");
}

#[test]
fn a_wrong_document_costs_only_itself() {
    let reading = read_text(&format!("{HEAD}---\nv: [\n---\n{HEAD}"));
    assert_eq!(reading.manifests.iter().map(|m| m.origin.document).collect::<Vec<_>>(), [1, 3]);
    assert_eq!(reading.problems.len(), 1);
    // What a separator with something behind it touches may be half a document.
    let reading = read_text(&format!("{HEAD}v: |\n-----BEGIN KEY-----\nx\n---\n{HEAD}"));
    assert_eq!(reading.manifests.iter().map(|m| m.origin.line).collect::<Vec<_>>(), [9]);
    assert_eq!(reading.problems[0].place.line, 6);
}

#[test]
fn wrong_syntax_says_where_and_what_to_do() {
    for (text, message, hint) in [
        (
            "  a: b: c",
            "6:7 mapping values are not allowed here",
            "put `b:` on its own line, or the whole value in quotes if it is text",
        ),
        (
            "  a: \"b\": c",
            "6:9 mapping values are not allowed here",
            "put the value in quotes if it is text",
        ),
        (
            "  a: b\n   c: d",
            "7:5 mapping values are not allowed here",
            "the line above has a value already: check the indentation",
        ),
        ("  a: 1\n  b:2\n  c: 3", "7:3 this line has no `key: value`", "put a space after `b:`"),
        ("\ta: 1", "6:1 a tab can't indent in YAML", "indent with spaces"),
        ("  a: @b", "6:6 a value can't begin with `@`", "write it in quotes"),
        (
            "  a: \"b\n",
            "6:6 the quote that opens here is never closed",
            "close it, and indent the lines of a text that has several",
        ),
        ("  a: [b", "6:6 no `]` closes what opens here", "or a comma is missing"),
        (
            "  a: {{ .Values.b }}",
            "6:7 a map or a list can't be a key",
            "if this is a template (`{{ … }}`), render it first; text with brackets needs quotes",
        ),
        (
            "  a: 1\n b: 2",
            "7:2 a key is expected here",
            "check the indentation and the quotes: what began in line 1 does not go on so",
        ),
        ("  a: \"\\/\"", "6:8 `\\/` is not an escape that Kubernetes' YAML knows", ""),
        (
            "  a: *b",
            "6:6 no anchor `&b` stands before this",
            "put the text in quotes if it is meant to begin with `*`",
        ),
        (
            "  a: .nan",
            "6:6 infinity and NaN are no numbers for Kubernetes",
            "write it in quotes if it is text",
        ),
        ("  a: &x [*x]", "6:10 `*x` contains itself", ""),
    ] {
        let (found, found_hint, _) = problem(&format!("{HEAD}v:\n{text}\n"));
        assert_eq!(
            (found.as_str(), found_hint.unwrap_or_default().as_str()),
            (message, hint),
            "{text}"
        );
    }
}

#[test]
fn json_says_where_it_is_wrong() {
    for (text, message) in [
        ("{\n  \"a\": 1,\n}", "3:1 a key in double quotes is expected here"),
        ("{\"a\" 1}", "1:6 a `:` is expected here"),
        ("{\"é\": tru}", "1:7 a JSON value is expected here"),
        ("{\"a\": [1 2]}", "1:10 a `,` or a `]` is expected here"),
        ("{\"a\": \"b", "1:7 the quote that opens here is never closed"),
        ("{\"a\": 1e999}", "1:7 this number is too big"),
        ("{\"a\": 01}", "1:8 a `,` or a `}` is expected here"),
        ("{\"a\": \"\\x\"}", "1:8 this is not an escape that JSON knows"),
        ("{\"a\": \"\t\"}", "1:8 a line break or control character can't stand in a text"),
    ] {
        assert_eq!(problem(text).0, message, "{text}");
    }
    let text = r#"{"apiVersion":"v1","kind":"A","metadata":{"name":"a"},"v":[1.0,1e3,-0,2.5,"\ud83d\ude00\ud800\/"]}"#;
    assert_eq!(object(text)["v"], json!([1, 1000, 0, 2.5, "😀\u{fffd}/"]));
    let reading = read_text(&format!("{text}\n---\n"));
    assert_eq!((reading.manifests.len(), reading.problems.len()), (1, 1));
}

#[test]
fn an_object_needs_its_identity() {
    for (text, message) in [
        ("kind: A\nmetadata: {name: a}", "1:1 apiVersion is missing"),
        ("# c\n\napiVersion: v1\nmetadata: {name: a}", "3:1 kind is missing"),
        ("apiVersion: 1\nkind: A\nmetadata: {name: a}", "1:1 apiVersion must be text"),
        (
            "apiVersion: a/b/v1\nkind: A\nmetadata: {name: a}",
            "1:1 apiVersion has more than one `/`",
        ),
        ("apiVersion: v1\nkind: 5\nmetadata: {name: a}", "2:1 kind must be text"),
        ("apiVersion: v1\nkind: A", "1:1 metadata.name is missing"),
        ("apiVersion: v1\nkind: A\nmetadata: a", "3:1 metadata must be a map"),
        ("apiVersion: v1\nkind: A\nmetadata:\n  labels: {}", "3:1 metadata.name is missing"),
        ("apiVersion: v1\nkind: A\nmetadata:\n  name: 12", "4:3 metadata.name must be text"),
        (
            "apiVersion: v1\nkind: A\nmetadata: {name: a, namespace: on}",
            "3:21 metadata.namespace must be text",
        ),
        (
            "apiVersion: v1\nkind: A\nmetadata:\n  generateName: a-",
            "4:3 metadata.generateName makes a new object of every apply",
        ),
        ("- a", "1:1 this is a list, not an object"),
        ("a", "1:1 this is a text, not an object"),
    ] {
        assert_eq!(problem(text).0, message, "{text}");
    }
}

#[test]
fn a_list_is_its_items() {
    let list = "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: A\n  metadata: {name: a}\n\
                - apiVersion: v1\n  kind: B\n  metadata: {name: 1}\n-\n  apiVersion: v1\n  kind: C\n  metadata: {name: c}\n- 3\n";
    let reading = read_text(list);
    let found: Vec<_> = reading
        .manifests
        .iter()
        .map(|m| (m.object.kind(), m.origin.line, m.origin.column))
        .collect();
    assert_eq!(found, [("A", 4, 3), ("C", 11, 3)]);
    let c = &reading.manifests[1];
    assert_eq!(c.positions.of_field("metadata.name"), Some((13, 14)));
    let problems: Vec<_> =
        reading.problems.iter().map(|p| (p.place.line, p.message.as_str())).collect();
    assert_eq!(
        problems,
        [(9, "metadata.name must be text"), (14, "this is a number, not an object")]
    );

    let typed =
        read_text("apiVersion: apps/v1\nkind: DeploymentList\nitems: [{metadata: {name: a}}]\n");
    assert_eq!(typed.manifests[0].object.key().to_string(), "Deployment a");
    assert_eq!(typed.manifests[0].object.api_version(), "apps/v1");
    assert_eq!(read_text("apiVersion: v1\nkind: List\nitems: []\n"), Reading::default());
    let nested = "apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: List, items: []}]\n";
    assert_eq!(problem(nested).0, "3:9 a list can't hold a list");
    assert_eq!(
        problem("apiVersion: v1\nkind: List\nitems: a\n").0,
        "3:1 items must be a list of objects"
    );
}

#[test]
fn a_field_is_found_in_the_file() {
    let text = "# c\n---\napiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  annotations: {x.y/z: é, \"w\": 1}\nspec:\n  containers:\n  - name: b\n    image: c\n  - image: d\n    ports: [{containerPort: 1}]\n";
    let positions = &read_text(text).manifests[0].positions.clone();
    for (field, line, column) in [
        ("spec.containers[0].image", 11, 5),
        ("spec.containers[1].image", 12, 5),
        ("spec.containers[1]", 12, 5),
        ("spec.containers[1].ports[0].containerPort", 13, 14),
        ("spec.containers[1].ports[0].hostPort", 13, 13),
        ("metadata.annotations[x.y/z]", 7, 17),
        ("metadata.annotations[w]", 7, 27),
        ("status.phase", 3, 1),
        ("", 3, 1),
    ] {
        assert_eq!(positions.of_field(field), Some((line, column)), "{field}");
    }
    let path = ["spec".into(), "containers".into(), 0.into(), "image".into()];
    assert_eq!(positions.of(&path), Some((11, 5)));
    assert_eq!(positions.of_value(&path), Some((11, 12)));
    assert_eq!(positions.of(&["spec".into(), "nothing".into()]), None);
    assert_eq!(Positions::default().of_field("spec"), None);
    let json = "{\"apiVersion\": \"v1\", \"kind\": \"A\",\n  \"metadata\": {\"name\":\n  \"a\"}}";
    let positions = &read_text(json).manifests[0].positions.clone();
    assert_eq!(positions.of_field("metadata.name"), Some((2, 16)));
    assert_eq!(positions.of_value(&["metadata".into(), "name".into()]), Some((3, 3)));
}

#[test]
fn no_excerpt_of_a_secret() {
    let canary = "aHVudGVyMg";
    for text in [
        format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: a}}\ndata:\n  p: {canary}: x\n"),
        format!("apiVersion: v1\nkind: Secret\ndata: {{p: *{canary}}}\n"),
        format!(
            "apiVersion: v1\nkind: Secret\ndata: {{a: [b]}}\n{canary}\n---\n{canary}:b\nc: d\n"
        ),
        format!("apiVersion: v1\nkind:Secret\ndata:\n  p: \"{canary}\n"),
        format!("kind: List\nitems:\n- kind:\n    Secret\n  data: [{canary}\n"),
        format!("{{\"kind\": \"Secret\", \"data\": {{\"p\": \"{canary}\" \"q\"}}}}"),
        format!("{{\"kind\": \"\\u0053ecret\", \"data\": {{\"p\": \"{canary}\" \"q\"}}}}"),
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: 1}}\nstringData: {{p: {canary}}}\n"
        ),
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: a}}\nstringData:\n  p: |\n---\n{canary}\n"
        ),
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: a}}\nstringData:\n  p: |\n---{canary}\n"
        ),
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: a}}\ndata: {{p: !!binary \"{canary}-\"}}\n"
        ),
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: a}}\ndata: {{p: !!int \"{canary}\"}}\n"
        ),
    ] {
        let reading = read_text(&text);
        assert!(!reading.problems.is_empty(), "{text}");
        let told = format!("{:?}{:?}", reading.problems, reading.warnings);
        assert!(!told.contains(canary), "{told}");
    }
    let (_, _, excerpt) = problem("apiVersion: v1\nkind: ConfigMap\ndata: a: b\n");
    assert_eq!(excerpt.as_deref(), Some("data: a: b"));
}

#[test]
fn what_is_read_without_a_word_is_a_warning() {
    let warning = |text: &str| {
        let mut warnings = read_text(&format!("{HEAD}{text}\n")).warnings;
        assert_eq!(warnings.len(), 1, "{text}: {warnings:?}");
        let Problem { place, message, .. } = warnings.remove(0);
        format!("{}:{} {message}", place.line, place.column)
    };
    assert_eq!(warning("v: 1\nv: 2"), "6:1 `v` is here twice; this one counts");
    assert_eq!(warning("v: {y: 1}"), "5:5 this key is `true` for Kubernetes");
    assert_eq!(warning("...\nw: 1"), "6:1 what comes after the line `...` is not read");
    assert_eq!(read_text(&format!("{HEAD}...\n# c\n\n")).warnings, []);
}

#[test]
fn hostile_input_costs_a_message() {
    let mut bomb = HEAD.to_owned();
    bomb.push_str("a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
    for level in 1..=9 {
        let below = format!("*a{0},", level - 1).repeat(9);
        writeln!(bomb, "a{level}: &a{level} [{below}]").unwrap();
    }
    assert!(problem(&bomb).0.ends_with("the document consists of aliases for the most part"));

    let long = format!("{HEAD}a: &a {}\nv: [{}]\n", "x".repeat(1 << 20), "*a,".repeat(90));
    assert!(problem(&long).0.ends_with("the document is over 64 MiB"));

    let at_limit = |depth: usize| format!("{HEAD}v: {}{}\n", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(read_text(&at_limit(999)).manifests.len(), 1);
    let (message, ..) = problem(&at_limit(1000));
    assert_eq!(message, "5:1003 lists and maps are more than 1000 deep here");
    let through_aliases = format!(
        "{HEAD}a: &a {}{}\nv: {}*a{}\n",
        "[".repeat(600),
        "]".repeat(600),
        "[".repeat(600),
        "]".repeat(600)
    );
    assert!(problem(&through_aliases).0.ends_with("more than 1000 deep here"));
    let wide = format!("{HEAD}v: {}{}", "[".repeat(999), "a,".repeat(300_000));
    assert!(problem(&wide).0.ends_with("more than 1000 deep here"));
    let blocks = format!("{HEAD}v:\n{}a\n", "- ".repeat(100_000));
    assert!(problem(&blocks).0.ends_with("more than 1000 deep here"));
    let json = format!("{{\"a\":{}", "[".repeat(100_000));
    assert!(problem(&json).0.ends_with("more than 1000 deep here"));

    let big = |bytes: usize| format!("{HEAD}v: {}\n", "x".repeat(bytes));
    assert_eq!(read_text(&big(1_500_000)).manifests.len(), 1);
    assert!(problem(&big(2_000_000)).0.contains("the object is over 1.5 MiB as JSON"));
    let json = format!(
        "{{\"apiVersion\":\"v1\",\"kind\":\"A\",\"metadata\":{{\"name\":\"a\"}},\"v\":\"{}\"}}",
        "x".repeat(2_000_000)
    );
    assert!(problem(&json).0.contains("the object is over 1.5 MiB as JSON"));

    let many = format!("{HEAD}---\n").repeat(limits::DOCUMENTS + 2);
    let reading = read_text(&many);
    assert_eq!((reading.manifests.len(), reading.problems.len()), (limits::DOCUMENTS, 1));
    let huge = vec![b'\n'; limits::FILE + 1];
    assert_eq!(read("a.yaml", &huge).problems[0].message, "the file is over 64 MiB");
}

/// Every file of `fixtures/yaml` with what kubectl makes of it beside it.
#[test]
fn fixtures_are_read_as_kubectl_reads_them() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/yaml");
    let mut found = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            let expected = std::fs::read_to_string(path.with_extension("expected.json")).unwrap();
            let reading = read("a.yaml", &std::fs::read(&path).unwrap());
            assert_eq!(reading.problems, [], "{}", path.display());
            let objects: Vec<_> =
                reading.manifests.into_iter().map(|m| Value::Object(m.object.0)).collect();
            let expected: Vec<Value> = serde_json::from_str(&expected).unwrap();
            assert_eq!(objects, expected, "{}", path.display());
            found += 1;
        }
    }
    assert!(found > 0);
}

#[allow(clippy::disallowed_methods, reason = "a test that is given more to do by its caller")]
fn corpus() -> Option<PathBuf> {
    std::env::var_os("TRUEUP_CORPUS").map(PathBuf::from)
}

/// With `TRUEUP_CORPUS`: the recorded answers of kubectl beside the corpus.
#[test]
fn recorded_answers_of_kubectl_are_ours() {
    use base64::Engine;
    let Some(corpus) = corpus() else { return };
    let text = std::fs::read_to_string(corpus.join("../yaml/kubectl-answers.json")).unwrap();
    let answers: Vec<Value> = serde_json::from_str(&text).unwrap();
    for answer in &answers {
        let input = answer["input_base64"].as_str().unwrap();
        let bytes = base64::engine::general_purpose::STANDARD.decode(input).unwrap();
        let reading = read("a.yaml", &bytes);
        let Some(expected) = answer["kubectl"].get("ok").and_then(Value::as_array) else {
            assert!(!reading.problems.is_empty(), "{}", answer["name"]);
            continue;
        };
        assert_eq!(reading.problems, [], "{}", answer["name"]);
        let objects: Vec<_> =
            reading.manifests.into_iter().map(|m| Value::Object(m.object.0)).collect();
        let expected: Vec<_> = expected.iter().map(unmarked).collect();
        assert_eq!(objects, expected, "{}", answer["name"]);
    }
    assert!(answers.len() > 100);
}

/// The recorded form of floats (`"F:1.5"`) undone.
fn unmarked(value: &Value) -> Value {
    match value {
        Value::String(text) => match text.strip_prefix("F:") {
            Some(float) => json!(float.parse::<f64>().unwrap()),
            None => value.clone(),
        },
        Value::Array(list) => list.iter().map(unmarked).collect(),
        Value::Object(map) => {
            map.iter().map(|(key, value)| (key.clone(), unmarked(value))).collect()
        }
        _ => value.clone(),
    }
}

const PARTS: [&str; 44] = [
    "a",
    "b: ",
    "- ",
    "? ",
    ": ",
    ":",
    ",",
    "[",
    "]",
    "{",
    "}",
    "\n",
    "\n  ",
    "\n    ",
    "\t",
    " ",
    "&a ",
    "*a ",
    "<<: ",
    "!!str",
    "!x ",
    "!",
    ",",
    "'",
    "\"",
    "\\",
    "\\u00",
    "|\n",
    ">-\n",
    "|2",
    "# c",
    "---",
    "---\n",
    "...\n",
    "%YAML 1.1\n",
    "\r",
    "\r\n",
    "\u{feff}",
    "\u{2028}",
    "é",
    "0x",
    "1e3",
    "@",
    "\0",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_end_the_run(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        read("a.yaml", &bytes);
    }

    #[test]
    fn no_syntax_ends_the_run(parts in prop::collection::vec(prop::sample::select(&PARTS[..]), 0..60)) {
        read("a.yaml", parts.concat().as_bytes());
        read("a.yaml", format!("{{{}", parts.concat()).as_bytes());
    }

    /// Wherever a part is put into a good file, each place that is told is in the file.
    #[test]
    fn a_place_is_in_the_file(at in 0..200_usize, part in prop::sample::select(&PARTS[..])) {
        let mut text = format!("{HEAD}v:\n- a: [b, \"c\"]\n  d: |\n    é\n- {{e: f}}\n---\n{HEAD}w: 'x'\n");
        let at = (0..=at.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap();
        text.insert_str(at, part);
        let reading = read_text(&text);
        let lines: Vec<_> = text.split('\n').collect();
        for place in reading.problems.iter().chain(&reading.warnings).map(|problem| &problem.place) {
            let line = lines.get(place.line - 1).map(|line| line.chars().count());
            prop_assert!(line.is_some_and(|length| place.column <= length + 2), "{place} in {text:?}");
        }
    }
}
