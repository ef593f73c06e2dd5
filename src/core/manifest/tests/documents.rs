//! How a file comes apart into documents and objects, in which encodings.

use super::*;

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
    assert_eq!(nul.0, "5:5 the control character U+0000 is not allowed in YAML");
}

#[test]
fn invalid_document_does_not_affect_the_others() {
    let reading = read_text(&format!("{HEAD}---\nv: [\n---\n{HEAD}"));
    assert_eq!(reading.manifests.iter().map(|m| m.origin.document).collect::<Vec<_>>(), [1, 3]);
    assert_eq!(reading.problems.len(), 1);
    // Text beside a separator with something behind it may be half a document.
    let reading = read_text(&format!("{HEAD}v: |\n-----BEGIN KEY-----\nx\n---\n{HEAD}"));
    assert_eq!(reading.manifests.iter().map(|m| m.origin.line).collect::<Vec<_>>(), [9]);
    assert_eq!(reading.problems[0].place.line, 6);
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
            "4:3 metadata.generateName would create a new object with every apply",
        ),
        (
            "apiVersion: v1\nkind: A\nmetadata:\n  name: a\n  uid: 0e4f9c7a",
            "5:3 metadata.uid is set by the API server, which refuses it from others",
        ),
        (
            "apiVersion: v1\nkind: A\nmetadata:\n  name: a\n  uid: ''\n  managedFields: [{}]",
            "6:3 metadata.managedFields is set by the API server, which refuses it from others",
        ),
        (
            "apiVersion: v1\nkind: A\nmetadata: {name: a, uid: null, resourceVersion: \"7\"}",
            "3:32 metadata.resourceVersion is set by the API server, which refuses it from others",
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
    assert_eq!(c.place_of("metadata.name").to_string(), "a.yaml:13:14");
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
fn document_starting_as_json_is_json_up_to_a_separator() {
    let found = |text: &str| {
        let Reading { manifests, problems, .. } = read_text(text);
        let names: Vec<_> =
            manifests.iter().map(|m| format!("{}@{}", m.object.name(), m.origin.line)).collect();
        let problems: Vec<_> =
            problems.iter().map(|p| format!("{}:{}", p.place.line, p.message)).collect();
        (names.join(" "), problems.join(" "))
    };
    let json = r#"{"apiVersion":"v1","kind":"A","metadata":{"name":"j"}}"#;
    let flow = "{apiVersion: v1, kind: A, metadata: {name: f}}";
    for (text, names, problems) in [
        (flow.to_owned(), "", "1:a key in double quotes is expected here"),
        (format!("---\n{flow}\n---\n{HEAD}"), "f@2 a@4", ""),
        (format!("# YAML\n{flow}\n"), "f@2", ""),
        (format!("{json}\n---\n{flow}"), "j@1 f@3", ""),
        (format!("{json}\n---\na: b: c\n"), "j@1", "2:a digit is expected here"),
        (format!("{json}\n---\n"), "j@1", ""),
        (format!("{json}\n---\n{HEAD}---\n{json}"), "j@1 a@3 j@8", ""),
        (format!("{json}{json}\n---\n{HEAD}"), "j@1 j@1", "2:a digit is expected here"),
        (r#"{"apiVersion": "v1",}"#.to_owned(), "", "1:a key in double quotes is expected here"),
    ] {
        assert_eq!(found(&text), (names.to_owned(), problems.to_owned()), "{text}");
    }
    let hint = read_text(flow).problems[0].hint.clone().unwrap();
    assert!(hint.ends_with("put `---` on a line before it"), "{hint}");
}

/// As YAML, each of them would be an object, and another one than was meant.
#[test]
fn a_slip_in_json_is_not_read_as_yaml() {
    let with = |data: &str| {
        format!(
            "{{\"apiVersion\":\"v1\",\"kind\":\"A\",\"metadata\":{{\"name\":\"a\"}},\n\"data\":{{{data}}}}}"
        )
    };
    for (data, column, message) in [
        ("\"k\":\"x\ny\"", 15, "a JSON string can't contain a line break or control character"),
        (r#""k":"x\_y""#, 15, "this is not an escape that JSON knows"),
        (r#""k":"x", a":null"#, 18, "a key in double quotes is expected here"),
        (r#""k":2!"#, 14, "a `,` or a `}` is expected here"),
        (r#""k":"x","#, 17, "a key in double quotes is expected here"),
        (r#""k":'x'"#, 13, "a JSON value is expected here"),
        (r#""k":yes"#, 13, "a JSON value is expected here"),
        (r#""k":"x" # why"#, 17, "a `,` or a `}` is expected here"),
    ] {
        let alone = with(data);
        let behind = format!("{}\n{alone}", with("\"k\":\"x\""));
        for (text, line) in [(&alone, 2), (&behind, 4)] {
            let Reading { manifests, problems, .. } = read_text(text);
            assert_eq!(manifests.len(), line / 2 - 1, "{text}");
            let [problem] = &problems[..] else { panic!("{problems:?}\n{text}") };
            let place = (problem.place.line, problem.place.column);
            assert_eq!((place, problem.message.as_str()), ((line, column), message), "{text}");
        }
    }
}
