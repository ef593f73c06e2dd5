//! One canary in every spelling at every place, and random values in random spellings of spellings.

use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::*;
use crate::core::problem::Location;
use crate::core::problem::Problem;

/// A way to write a text.
type Spelling = (&'static str, fn(&str) -> String);

/// Ways that may be put one inside the other.
const SPELLINGS: &[Spelling] = &[
    ("base64", |text| STANDARD.encode(text)),
    ("base64 without padding", |text| STANDARD_NO_PAD.encode(text)),
    ("base64 of URLs", |text| URL_SAFE_NO_PAD.encode(text)),
    ("hex", |text| each_byte(text, |byte| format!("{byte:02x}"))),
    ("upper hex", |text| each_byte(text, |byte| format!("{byte:02X}"))),
    ("percent", |text| percent(text, false)),
    ("lower percent, everything", |text| each_byte(text, |byte| format!("%{byte:02x}"))),
    ("form", |text| percent(text, true)),
    ("JSON", json_string),
    ("JSON of Go", |text| {
        json_string(text).replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
    }),
    ("JSON of units", |text| {
        text.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect::<String>()
    }),
    ("Rust", |text| {
        let quoted = format!("{text:?}");
        quoted[1..quoted.len() - 1].to_owned()
    }),
    ("YAML's single quotes", |text| text.replace('\'', "''")),
    ("named entities", |text| {
        let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        text.replace('"', "&quot;").replace('\'', "&apos;").replace('/', "&sol;")
    }),
    ("decimal entities", |text| text.chars().map(|c| format!("&#{};", u32::from(c))).collect()),
    ("hex entities", |text| text.chars().map(|c| format!("&#x{:x};", u32::from(c))).collect()),
    ("wrapped", |text| wrapped(text, 7)),
    ("indented", |text| wrapped(text, 64)),
];

fn each_byte(text: &str, write: fn(u8) -> String) -> String {
    text.bytes().map(write).collect()
}

fn json_string(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

fn percent(text: &str, is_form: bool) -> String {
    text.bytes()
        .map(|byte| match byte {
            b' ' if is_form => "+".to_owned(),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

fn wrapped(text: &str, width: usize) -> String {
    let chars: Vec<char> = text.chars().collect();
    let lines: Vec<String> = chars.chunks(width).map(|line| line.iter().collect()).collect();
    lines.join("\n      ")
}

/// Shows a text in every way there is.
fn shown(redactor: &Redactor, text: &str) -> Vec<String> {
    let config = object(json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": { "name": "c", "annotations": { "a": text } },
        "data": { "field": text, text: "key", "list": [[text]] },
    }));
    let config = redactor.object(&config).0;
    let data = config["data"].as_object().unwrap();
    let problem = redactor.problem(&Problem {
        place: Location { path: "a.yaml".to_owned(), line: 1, column: 1 },
        message: text.to_owned(),
        excerpt: Some(text.to_owned()),
        hint: Some(text.to_owned()),
    });
    let mut all = vec![
        config["metadata"]["annotations"]["a"].as_str().unwrap().to_owned(),
        data["field"].as_str().unwrap().to_owned(),
        data["list"][0][0].as_str().unwrap().to_owned(),
        data.iter().find(|(_, value)| *value == "key").unwrap().0.to_string(),
        redactor.text(text),
        redactor.text_about(&object(json!({ "kind": "X", "metadata": {} })).key(), text),
        problem.message().to_owned(),
    ];
    all.extend(problem.excerpt().into_iter().chain(problem.hint()).map(str::to_owned));
    all
}

#[test]
fn every_spelling_is_masked_wherever_it_stands() {
    // Without a part that could be found by itself.
    let values =
        ["hX7!", "it's <b>&\"c\" / d", "pä§§ wörd+é", "correct horse battery", "a\\nb%41&lt;''"];
    for value in values {
        let redactor = Redactor::new([&secret("db", json!({ "k": base64(value) }))]);
        for (name, spell) in SPELLINGS {
            let spelled = spell(value);
            for shown in shown(&redactor, &format!("is {spelled} bad")) {
                assert_eq!(shown, "is ‹secret 1› bad", "{name} of {value}: {spelled}");
            }
            for (around, (before, after)) in
                [("", ""), ("user:", ""), ("u", "v"), ("ab", "."), ("abc", ":x")].iter().enumerate()
            {
                let spelled = spell(&format!("{before}{value}{after}"));
                let shown = redactor.text(&format!("Basic {spelled}"));
                assert!(shown.contains("‹secret 1›"), "{around}, {name} of {value}: {spelled}");
            }
            let twice = spell(&spell(value));
            assert_eq!(redactor.text(&twice), "‹secret 1›", "{name} twice, {value}: {twice}");
        }
    }
}

#[test]
fn parts_of_values_are_masked_wherever_they_stand() {
    let docker = json!({ "auths": { "r.io": {
        "username": "bot", "password": "dockerword", "auth": base64("bot:dockerword"),
    } } });
    let db = secret(
        "db",
        json!({
            ".dockerconfigjson": base64(docker.to_string()),
            "url": base64("postgres://app:urlword%21@postgres:5432/app?sslmode=require"),
            ".env": base64("LOG_LEVEL=debug\nexport DB_PASSWORD='env word'\n"),
            "config.json": base64(r#"{"region":"us-east-1","db":{"password":"jsonword"}}"#),
            "config.yaml": base64("level: info\nclients:\n- {name: a, apiKey: yamlword}\n"),
        }),
    );
    let redactor = Redactor::new([&db]);
    for part in ["dockerword", "urlword!", "urlword%21", "env word", "jsonword", "yamlword"] {
        for spelled in [part.to_owned(), base64(part), base64(format!("x:{part}"))] {
            let shown = redactor.text(&format!("<{spelled}>"));
            assert!(shown.contains("‹secret "), "{part}, {spelled}: {shown}");
            assert!(!shown.contains(part), "{shown}");
        }
    }
    let ordinary = "debug info us-east-1 require postgres level LOG_LEVEL bot";
    assert_eq!(redactor.text(ordinary), ordinary);
}

#[test]
fn a_key_is_found_whichever_way_it_is_wrapped() {
    let line = |n: u8| STANDARD.encode([n; 48]);
    let body: Vec<String> = (1..=9).map(|n| line(n * 27)).collect();
    let key = format!("-----BEGIN KEY-----\n{}\n-----END KEY-----\n", body.join("\n"));
    let redactor = Redactor::new([&secret("tls", json!({ "tls.key": base64(&key) }))]);
    let body = body.concat();
    for text in [
        wrapped(&body, 50),
        body.clone(),
        key.replace('\n', "\n    "),
        json_string(key.trim()),
        key.replace('\n', " "),
        wrapped(&base64(&key), 76),
    ] {
        assert_eq!(redactor.text(&text).trim(), "‹secret 1›", "{text}");
    }
}

#[test]
fn truncated_quotes_of_a_value_are_masked() {
    let redactor = Redactor::new([&secret("db", json!({ "k": base64("horse-battery") }))]);
    for (text, expected) in [
        ("cannot unmarshal !!str `horse-b...` into int", "`‹secret 1›...`"),
        ("got \"horse-batt…\"", "\"‹secret 1›…\""),
        ("no \"aG9yc2UtYmF0…\"", "no \"‹secret 1›…\""),
        ("no 686f7273652d6…", "no ‹secret 1›…"),
        ("no &#104;&#111;&#114;&#115;&#101;&#45;&#98;&#97;&#1…", "no ‹secret 1›…"),
        ("a long line with horse-batt…", "a long line with ‹secret 1›…"),
        ("waiting for 'horses...'", "'horses...'"),
        ("horse-b... goes on", "horse-b..."),
    ] {
        let shown = redactor.text(text);
        assert!(shown.contains(expected), "{shown}");
    }
}

#[test]
fn a_text_made_to_be_searched_for_ever_is_hidden() {
    let value = "ab".repeat(1 << 14);
    let redactor = Redactor::new([&secret("db", json!({ "k": base64(format!("{value}!")) }))]);
    assert_eq!(redactor.text(&"ab".repeat(1 << 15)), HIDDEN);
    let long = "a word and another one, ".repeat(1 << 12);
    assert_eq!(redactor.text(&long), long);
}

#[test]
fn all_texts_share_what_they_may_take() {
    let secret = secret("db", json!({ "k": base64(format!("{}!", "ab".repeat(1 << 12))) }));
    let text = "ab".repeat(1 << 11);
    let budget = SearchBudget::default();
    let cost = {
        let (all, redactor) = (budget.left(), Redactor { budget, ..Redactor::new([&secret]) });
        assert_eq!(redactor.text(&text), text);
        all - redactor.budget.left()
    };
    assert!(cost > 0);
    let redactor = Redactor { budget: SearchBudget::of(2 * cost), ..Redactor::new([&secret]) };
    let shown = [(); 3].map(|()| redactor.text(&text));
    assert_eq!(shown, [text.as_str(), &text, HIDDEN]);
    // A text that needs no more than its own search is searched as before.
    assert_eq!(redactor.text("a word"), "a word");
}

#[test]
fn truncated_text_is_searched_in_linear_time() {
    let data =
        json!({ "a": base64(format!("{}!", "ab".repeat(100))), "b": base64("horse-battery") });
    let redactor = Redactor { budget: SearchBudget::of(0), ..Redactor::new([&secret("db", data)]) };
    for text in ["…".repeat(500), "…horse".repeat(300), "x '...".repeat(500)] {
        assert_eq!(redactor.text(&text), text);
    }
    let shown = redactor.text(&format!("x '{}horse-batt...", "abc".repeat(500)));
    assert!(shown.ends_with("‹secret 2›..."), "{shown}");
    let redactor = Redactor { budget: SearchBudget::of(1 << 10), ..redactor };
    assert_eq!(redactor.text(&format!("x '{}...", "ab".repeat(5000))), HIDDEN);
}

#[test]
fn values_that_begin_alike_cost_no_look_at_each() {
    let value = |at: usize| format!("one and the same beginning {at:04}");
    let data: Map = (0..1000).map(|at| (format!("k{at}"), base64(value(at)).into())).collect();
    let redactor = Redactor::new([&secret("db", data.into())]);
    let redactor = Redactor { budget: SearchBudget::of(0), ..redactor };
    let text = "one and the same beginning of it, ".repeat(100);
    assert_eq!(redactor.text(&text), text);
    let shown = redactor.text(&format!("{text}{}", value(500)));
    assert_eq!(shown, format!("{text}{}", redactor.mask(&value(500))));
}

proptest! {
    #[test]
    fn no_spelling_of_spellings_gives_a_value_away(
        value in "[!-~é]([ -~é]{6,28})[!-~é]",
        chosen in prop::collection::vec(0..SPELLINGS.len(), 1..4),
    ) {
        let redactor = Redactor::new([&secret("db", json!({ "k": base64(&value) }))]);
        let spelled = chosen.iter().fold(value.clone(), |text, at| SPELLINGS[*at].1(&text));
        let names: Vec<&str> = chosen.iter().map(|at| SPELLINGS[*at].0).collect();
        let shown = without_numbers(&redactor.text(&format!("is {spelled} bad")));
        prop_assert_eq!(shown, "is ‹secret› bad", "{:?} of {}: {}", names, value, spelled);
    }
}
