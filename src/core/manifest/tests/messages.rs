//! Messages about wrong input: where, what, what to do, and nothing of a Secret.

use super::*;

use crate::core::json::json;

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
        ("  a: [b", "6:6 no `]` closes the bracket that opens here", "or a comma is missing"),
        (
            "  a: {{ .Values.b }}",
            "6:7 a map or a list can't be a key",
            "if this is a template (`{{ … }}`), render it first; text with brackets needs quotes",
        ),
        (
            "  a: 1\n b: 2",
            "7:2 a key is expected here",
            "check the indentation and the quotes: the text that begins in line 1 can't continue like this",
        ),
        ("  a: \"\\/\"", "6:8 `\\/` is not an escape that Kubernetes' YAML knows", ""),
        (
            "  a: *b",
            "6:6 no anchor `&b` precedes this alias",
            "put the text in quotes if it is meant to begin with `*`",
        ),
        (
            "  a: .nan",
            "6:6 Kubernetes does not accept infinity and NaN",
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
        ("{\"a\": \"\t\"}", "1:8 a JSON string can't contain a line break or control character"),
    ] {
        assert_eq!(problem(text).0, message, "{text}");
    }
    let text = r#"{"apiVersion":"v1","kind":"A","metadata":{"name":"a"},"v":[1.0,1e3,-0,2.5,"\ud83d\ude00\ud800\/"]}"#;
    assert_eq!(object(text)["v"], json!([1, 1000, 0, 2.5, "😀\u{fffd}/"]));
}

#[test]
fn silently_reinterpreted_yaml_is_a_warning() {
    let warning = |text: &str| {
        let mut warnings = read_text(&format!("{HEAD}{text}\n")).warnings;
        assert_eq!(warnings.len(), 1, "{text}: {warnings:?}");
        let Problem { place, message, .. } = warnings.remove(0);
        format!("{}:{} {message}", place.line, place.column)
    };
    assert_eq!(warning("v: 1\nv: 2"), "6:1 duplicate key `v`; this one counts");
    assert_eq!(warning("v: {y: 1}"), "5:5 Kubernetes reads this key as `true`");
    assert_eq!(warning("...\nw: 1"), "6:1 text after the line `...` is not read");
    assert_eq!(read_text(&format!("{HEAD}...\n# c\n\n")).warnings, []);
    for (text, message) in [
        ("on", "Kubernetes reads `on` as `true`"),
        ("No", "Kubernetes reads `No` as `false`"),
        ("0644", "Kubernetes reads `0644` as `420` (octal)"),
        ("1e3", "Kubernetes reads `1e3` as the number `1000`"),
        ("12345e7", "Kubernetes reads `12345e7` as the number `123450000000`"),
        ("1_000", "Kubernetes reads `1_000` as the number `1000`"),
        ("0b11", "Kubernetes reads `0b11` as the number `3`"),
        (
            "12345678901234567890",
            "Kubernetes does not keep all digits of the number `12345678901234567890`",
        ),
        (
            "1234567890123456789012345678901234567890",
            "Kubernetes does not keep all digits of the number `1234567890123456789012345678901234567890`",
        ),
    ] {
        assert_eq!(warning(&format!("v: {text}")), format!("5:4 {message}"));
    }
    for text in ["true", "12", "-7", "1.5", "0", "0x1F", "\"0644\"", "!!str on", "~", "a1e3"] {
        assert_eq!(read_text(&format!("{HEAD}v: {text}\n")).warnings, [], "{text}");
    }
    assert_eq!(read_text(&format!("{HEAD}v: {{defaultMode: 0644, mode: 0400}}\n")).warnings, []);
}

#[test]
fn a_tab_between_a_key_and_its_value_is_a_warning_and_one_in_a_text_is_not() {
    let text = format!(
        "{HEAD}é:\t1\nw: {{a: \t 2,\n\tb: 3}}\n# \tc\nx: \"a\tb\"\nt: |\n  a\tb\n  \tc\nz: a\tb\n"
    );
    let places: Vec<_> = read_text(&text)
        .warnings
        .into_iter()
        .map(|Problem { place, message, .. }| (place.line, place.column, message))
        .collect();
    let message = "not every YAML parser accepts the tab here".to_owned();
    assert_eq!(places, [(5, 3, message.clone()), (6, 8, message.clone()), (7, 1, message)]);
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
fn missing_value_at_end_of_file_is_placed_at_the_last_line() {
    assert_eq!(problem("apiVersion: v1\nv: [1, 2.5, ").0, "2:13 a value is expected here");
    assert_eq!(problem("apiVersion: v1\nv: [1, 2.5,\n").0, "3:1 a value is expected here");
}
