//! Canaries: values planted wherever they can stand, and looked for in everything that comes out.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::secrets::LAST_APPLIED;
use super::*;

use crate::core::json::json;

mod spellings;

fn object(value: Value) -> Object {
    Object::from(value.as_object().unwrap().clone())
}

fn base64(text: impl AsRef<[u8]>) -> String {
    STANDARD.encode(text)
}

fn secret(name: &str, data: Value) -> Object {
    object(json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": { "name": name, "namespace": "shop" }, "data": data,
    }))
}

#[test]
fn equal_values_get_equal_numbers_in_the_order_of_the_objects() {
    let first = secret("a", json!({ "x": base64("horse-battery"), "y": base64("staple-9") }));
    let mut second = secret("b", json!({ "z": base64("staple-9") }));
    second
        .fields_mut()
        .insert("stringData".to_owned(), json!({ "w": "horse-battery", "v": "another-1" }));
    let redactor = Redactor::new([&second, &first]);
    let shown = redactor.object(&second);
    assert_eq!(shown.0["data"], json!({ "z": "‹secret 2›" }));
    assert_eq!(shown.0["stringData"], json!({ "v": "‹secret 3›", "w": "‹secret 1›" }));
    let shown = redactor.object(&first);
    assert_eq!(shown.0["data"], json!({ "x": "‹secret 1›", "y": "‹secret 2›" }));
    assert_eq!(redactor.mask("horse-battery"), redactor.mask_data(&base64("horse-battery")));
}

#[test]
fn a_value_is_found_in_every_spelling() {
    let value = "p\"a<ss>\n\\wörd'&\u{1b}";
    let redactor = Redactor::new([&secret("db", json!({ "password": base64(value) }))]);
    let json = Value::from(value).to_string();
    for text in [
        value.to_owned(),
        json.clone(),
        Value::from(json).to_string(),
        format!("{value:?}"),
        r#"Invalid value: "p\"a<ss>\n\\wörd'&\x1b""#.to_owned(),
        r#"Invalid value: "p\"a<ss>\n\\w\u00f6rd'&\x1b""#.to_owned(),
        r#"{"password":"p\"a\u003css\u003e\n\\wörd'\u0026\u001b"}"#.to_owned(),
        "postgres://u:p%22a%3Css%3E%0A%5Cw%C3%B6rd%27%26%1B@db".to_owned(),
        base64(value),
        base64(format!("x{value}yz")),
        base64(format!("xy{value}z")),
        base64(format!("xyz{value}")),
    ] {
        let shown = redactor.text(&text);
        assert!(shown.contains("‹secret 1›"), "{text}: {shown}");
        let rest = shown.replace("password", "");
        assert!(!rest.contains("ss") && !rest.contains("rd"), "{text}: {shown}");
    }
}

#[test]
fn a_line_of_a_key_is_found_by_itself() {
    let body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC";
    let key = format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n");
    let redactor = Redactor::new([&secret("tls", json!({ "tls.key": base64(key) }))]);
    assert_eq!(redactor.text(&format!("line 3: {body}")), "line 3: ‹secret 1›");
    assert_eq!(redactor.text("-----BEGIN PRIVATE KEY-----"), "-----BEGIN PRIVATE KEY-----");
}

#[test]
fn short_and_common_values_are_masked_in_their_secret_only() {
    let db = secret(
        "db",
        json!({
            "user": base64("Admin\n"), "port": base64("5432"), "pin": base64("abc"),
            "host": base64("shop"), "kind": base64("namespace"),
        }),
    );
    let redactor = Redactor::new([&db]);
    let text = "Admin abc listens on 5432 in shop, namespace abcd";
    assert_eq!(redactor.text(text), text);
    assert_eq!(
        redactor.text_about(&db.key(), text),
        "‹secret 5› ‹secret 3› listens on ‹secret 4› in ‹secret 1›, ‹secret 2› abcd"
    );
    let masked = redactor.object(&db).0["data"].clone();
    assert!(masked.as_object().unwrap().values().all(|v| v.as_str().unwrap().starts_with('‹')));
}

#[test]
fn last_applied_annotation_is_masked_on_a_secret() {
    let old = base64("former-value");
    let applied = json!({ "apiVersion": "v1", "kind": "Secret", "data": { "password": old } });
    let mut db = secret("db", json!({ "password": base64("present-value") }));
    db.metadata_mut().insert(
        "annotations".to_owned(),
        json!({ LAST_APPLIED: applied.to_string(), "tool/original": applied.to_string() }),
    );
    let env = object(json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "p", "annotations": {
            LAST_APPLIED: r#"{"env":[{"name":"A","value":"former-value"}]}"#,
        } },
    }));
    let redactor = Redactor::new([&db, &env]);
    assert_eq!(
        redactor.object(&db).0["metadata"]["annotations"],
        json!({ LAST_APPLIED: "‹secret 3›", "tool/original": "‹secret 3›" })
    );
    assert_eq!(
        redactor.object(&env).annotation(LAST_APPLIED),
        Some(r#"{"env":[{"name":"A","value":"‹secret 2›"}]}"#)
    );
}

#[test]
fn a_broken_secret_keeps_its_values_too() {
    let broken =
        secret("db", json!({ "n": 12_345_678, "list": ["in-a-list"], "raw": "no base64!" }));
    let redactor = Redactor::new([&broken]);
    let shown = redactor.text("12345678 in-a-list no base64!");
    assert_eq!(shown, "‹secret 3› ‹secret 2› ‹secret 4›");
    let number = redactor.value(&json!({ "port": 12_345_678 }));
    assert_eq!(number, json!({ "port": "‹secret 3›" }));
}

#[test]
fn overlapping_values_leave_nothing_of_either() {
    let both = secret("db", json!({ "a": base64("abcdefg"), "b": base64("defghijk") }));
    let redactor = Redactor::new([&both]);
    assert_eq!(redactor.text("x abcdefghijk y"), "x ‹secret 2› y");
    assert_eq!(redactor.text("abcdefgabcdefg"), "‹secret 1›‹secret 1›");
}

#[test]
fn a_long_value_is_found_whole_and_not_by_its_beginning() {
    let certificate =
        |end: &str| format!("-----BEGIN CERTIFICATE-----\n{} {end}", "x y ".repeat(50_000));
    let (one, two) = (certificate("one"), certificate("two"));
    let redactor = Redactor::new([&secret("tls", json!({ "a": base64(&one), "b": base64(&two) }))]);
    assert_eq!(redactor.text(&format!("<{two}> <{one}>")), "<‹secret 2›> <‹secret 1›>");
    assert_eq!(redactor.text(&base64(format!("..{one}"))).split('‹').nth(1), Some("secret 1›"));
    let other = certificate("three");
    assert_eq!(redactor.text(&other), other);
}

#[test]
fn it_does_not_print_what_it_knows() {
    let redactor = Redactor::new([&secret("db", json!({ "a": base64("horse-battery") }))]);
    assert_eq!(format!("{redactor:?}"), "Redactor(1 values)");
}

/// Values that are worth a search: what the planted objects show anyway can't be among them.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9]{8,24}",
        "[ -~]{8,40}",
        "[^\u{0}-\u{1f}]{8,20}",
        "([ -~\\n\\t\"'\\\\é]){8,40}",
    ]
    .prop_filter("worth a search", |value| value.trim().len() >= 8)
}

proptest! {
    #[test]
    fn no_planted_value_comes_out(
        values in prop::collection::vec(value(), 1..4),
        around in "[ -~]{0,3}",
    ) {
        let data: Map = values.iter().enumerate()
            .map(|(i, value)| (format!("k{i}"), base64(value).into())).collect();
        let strings: Map = values.iter().enumerate()
            .map(|(i, value)| (format!("s{i}"), value.as_str().into())).collect();
        let mut db = secret("s", data.into());
        db.fields_mut().insert("stringData".to_owned(), strings.into());
        let whole = serde_json::to_string(&db).unwrap();
        db.metadata_mut().insert("annotations".to_owned(), json!({ LAST_APPLIED: whole }));
        let redactor = Redactor::new([&db]);

        let mut outputs = vec![serde_json::to_string(&redactor.object(&db)).unwrap()];
        for value in &values {
            let planted = format!("{around}{value}{around}");
            let other = object(json!({
                "apiVersion": "v1", "kind": "ConfigMap",
                "metadata": { "name": "c", "annotations": { "a/b": planted } },
                "data": { "env": planted, planted.as_str(): base64(&planted), "list": [planted] },
            }));
            let shown = redactor.object(&other);
            outputs.push(serde_json::to_string(&shown).unwrap());
            outputs.push(shown.annotation("a/b").unwrap().to_owned());
            outputs.push(redactor.text(&format!("Invalid value: {planted:?}: {planted}")));
            outputs.push(redactor.text(&json!({ "password": planted }).to_string()));
        }
        for value in &values {
            let value = value.trim();
            for output in &outputs {
                prop_assert!(!output.contains(value), "{value:?} in {output}");
                prop_assert!(!output.contains(&base64(value)), "base64 of {value:?} in {output}");
                let quoted = format!("{value:?}");
                prop_assert!(!output.contains(&quoted[1..quoted.len() - 1]), "{quoted} in {output}");
            }
        }
    }
}
