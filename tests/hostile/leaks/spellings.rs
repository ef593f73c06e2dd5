//! One value of a Secret in every spelling, where a real API server quotes it, and in fields of
//! other objects: nothing that is printed gives it away.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::support::canaries::Canaries;
use crate::support::command::Output;
use crate::support::repo::Repo;
use crate::support::sandbox;

fn each(text: &str, write: fn(u8) -> String) -> String {
    text.bytes().map(write).collect()
}

fn json(text: &str) -> String {
    Value::from(text).to_string()
}

fn wrapped(text: &str, indent: &str) -> String {
    let lines: Vec<String> =
        text.as_bytes().chunks(20).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    lines.join(&format!("\n{indent}"))
}

/// The value in every spelling.
fn spellings(value: &str) -> Vec<(&'static str, String)> {
    vec![
        ("plain", value.to_owned()),
        ("base64", STANDARD.encode(value)),
        ("base64 twice", STANDARD.encode(STANDARD.encode(value))),
        ("basic auth", STANDARD.encode(format!("u:{value}"))),
        ("basic auth, one further", STANDARD.encode(format!("us:{value}"))),
        ("basic auth, two further", STANDARD.encode(format!("use:{value}"))),
        ("base64 of URLs", URL_SAFE_NO_PAD.encode(value)),
        ("base64, wrapped", wrapped(&STANDARD.encode(value), "")),
        ("base64, indented", wrapped(&STANDARD.encode(value), "      ")),
        ("wrapped", wrapped(value, "    ")),
        ("hex", each(value, |byte| format!("{byte:02x}"))),
        ("upper hex", each(value, |byte| format!("{byte:02X}"))),
        ("percent", each(value, |byte| format!("%{byte:02X}"))),
        ("lower percent", each(value, |byte| format!("%{byte:02x}"))),
        ("form", value.replace('&', "%26").replace('\'', "%27").replace(' ', "+")),
        ("JSON", json(value)),
        ("JSON inside JSON", json(&json(&json(value)))),
        ("units", value.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect()),
        ("Go", format!("{value:?}")),
        ("YAML", format!("'{}'", value.replace('\'', "''"))),
        ("named", value.replace('&', "&amp;").replace('\'', "&apos;").replace('"', "&quot;")),
        ("decimal", value.chars().map(|c| format!("&#{};", u32::from(c))).collect()),
        ("hexadecimal", value.chars().map(|c| format!("&#x{:X};", u32::from(c))).collect()),
    ]
}

/// Asserts that no piece of any spelling that says something was printed.
#[track_caller]
fn assert_unseen(canaries: &Canaries, spellings: &[(&str, String)], output: &Output) {
    canaries.assert_unseen(output);
    let said = output.to_string();
    for (name, spelled) in spellings {
        for line in spelled.lines().map(|line| line.trim().as_bytes()) {
            for piece in line.windows(16) {
                let piece = String::from_utf8_lossy(piece);
                assert!(!said.contains(&*piece), "{name}: {piece} of {spelled}\n{output}");
            }
        }
    }
}

#[test]
fn no_spelling_of_a_secret_is_printed_wherever_it_stands() {
    let repo = Repo::new("leaks-spellings", sandbox::bare());
    let canaries = Canaries::new(1);
    let value = format!("{} & 'é' \"q\"", canaries.0[0]);
    let spellings = spellings(&value);
    let mut yaml = format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: db}}\nstringData: {{key: {}}}\n",
        json(&value)
    );
    for (at, (_, spelled)) in spellings.iter().enumerate() {
        let spelled = json(spelled);
        let _ = write!(
            yaml,
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: field-{at}\n  annotations: {{a: {spelled}}}\ndata: {{b: {spelled}}}\n"
        );
    }
    repo.write("all.yaml", &yaml).commit("Fields");
    let see = |args: &[&str]| {
        let output = repo.run(args);
        assert_unseen(&canaries, &spellings, &output);
        output
    };
    let forms = ["text", "json", "markdown", "github", "name"];
    for form in forms {
        see(&["diff", "-o", form]).exits(1);
    }
    let shown = see(&["render"]).exits(0);
    let masked = shown.stdout.matches("‹secret 1›").count();
    assert!(masked > 2 * spellings.len(), "{shown}");
    see(&["apply", "--yes", "-o", "json"]).exits(0);

    // The server quotes what it refuses.
    for (at, (_, spelled)) in spellings.iter().enumerate() {
        let spelled = json(spelled);
        let _ = write!(
            yaml,
            "---\napiVersion: v1\nkind: Service\nmetadata:\n  name: refused-{at}\n  labels: {{a: {spelled}}}\nspec:\n  type: {spelled}\n  ports: [{{port: 80, name: {spelled}}}]\n"
        );
    }
    repo.write("all.yaml", &yaml).commit("Refused");
    for form in forms {
        see(&["diff", "-o", form]).exits(1);
        see(&["apply", "--yes", "-o", form]).exits(1);
    }
    let refused = see(&["diff"]).exits(1);
    assert!(refused.to_string().contains("Invalid value: "), "{refused}");
    for form in ["text", "json", "github", "sarif"] {
        see(&["check", "-o", form]).exits(1);
    }
    see(&["watch", "--once", "--no-pull", "--no-wait"]).exits(1);
}
