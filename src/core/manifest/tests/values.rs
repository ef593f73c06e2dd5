//! Values, keys, tags and merges: kubectl's types.

use super::*;

use crate::core::json::json;

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
        assert!(
            message.starts_with("5:4 the value does not match its tag: it is not "),
            "{text}: {message}"
        );
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
