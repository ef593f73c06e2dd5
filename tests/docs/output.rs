//! `docs/schema/output.json` is the shape of every `-o json`: real outputs fit it, and a key that it
//! does not have would not. It is made of the documents' types, as
//! `src/cli/present/json/schema.rs` holds.

use serde_json::{Value, json};
use trueup::core::plan::ReasonKind;

use crate::docs::code_spans;
use crate::docs::schema::{check, named};
use crate::readme::read;
use crate::support::command::{Cmd, Output};
use crate::support::objects::config;
use crate::support::repo::Repo;
use crate::support::sandbox;

/// Holds an output against the definition of its document.
#[track_caller]
fn fits(document: &str, output: &Output) -> Value {
    let schema = named("output.json");
    let value: Value = serde_json::from_str(&output.stdout).unwrap();
    let definition = &schema["definitions"][document];
    assert_eq!(check(&schema, definition, &value, ""), Ok(()), "{output}");
    assert_eq!(check(&schema, &schema, &value, ""), Ok(()), "{output}");
    value
}

#[test]
fn plans_and_reports_fit_the_schema() {
    let repo = Repo::new("schema-plans", sandbox::bare());
    for name in ["a", "b", "c"] {
        repo.write(&format!("objects/{name}.yaml"), config(name, "1"));
    }
    repo.write(
        "objects/bad.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bad}\nlables: {}\n",
    );
    repo.write("objects/worse.yaml", "kind: {\n").commit("First");
    let plan = fits("plan", &repo.run(&["diff", "-o", "json"]).exits(1));
    let changes = plan["changes"].as_array().unwrap().iter();
    let bad = changes.filter(|change| change["object"]["name"] == "bad");
    let codes: Vec<&Value> = bad.map(|change| &change["code"]).collect();
    assert_eq!(codes, [&json!("refused-by-server")], "{plan}");
    assert!(plan["problems"][0]["path"] == "objects/worse.yaml", "{plan}");
    repo.remove("objects/bad.yaml").remove("objects/worse.yaml").commit("Sound");
    let report = fits("plan", &repo.run(&["apply", "--wait", "-o", "json"]).exits(0));
    assert!(report["report"]["health"]["ready"] == 3, "{report}");

    let set = |key: &str, value: &str| {
        let patch = json!({ "data": { key: value } }).to_string();
        repo.kubectl(&["patch", "configmap", "a", "--type=merge", "-p", &patch]).exits(0);
    };
    set("key", "2");
    set("other", "3");
    repo.write("objects/b.yaml", config("b", "2")).remove("objects/c.yaml").commit("Second");
    let plan = fits("plan", &repo.run(&["diff", "--all-fields", "-o", "json"]).exits(1));
    assert!(plan["undeclared"][0]["fields"][0]["path"] == "data.other", "{plan}");
    let changes = plan["changes"].as_array().unwrap();
    let why = changes.iter().filter_map(|change| change["fields"][0]["why"].as_str());
    let why: Vec<&str> = why.collect();
    assert!(why.contains(&"drift") && why.contains(&"changed"), "{plan}");
    assert!(changes.iter().any(|change| change["removed_by"].is_object()), "{plan}");

    let file = repo.outside().join("plan.json");
    let file = file.to_str().unwrap();
    let made = fits("plan", &repo.run(&["diff", "--out", file, "-o", "json"]).exits(1));
    let stored = fits("plan_file", &repo.run(&["diff", "--plan", file, "-o", "json"]).exits(1));
    assert!(made["plan_sha256"].is_string(), "{made}");
    assert_eq!(stored["plan_sha256"], made["plan_sha256"]);
    set("key", "9");
    let moved = fits("plan", &repo.run(&["apply", "--plan", file, "-o", "json"]).exits(1));
    assert!(moved["moved"].is_array(), "{moved}");
    fits("plan", &repo.run(&["apply", "-o", "json"]).exits(0));
}

#[test]
fn findings_and_pulls_fit_the_schema() {
    let upstream = Repo::new("schema-pulls", sandbox::bare());
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, lables: {}}\n";
    upstream.write("a.yaml", text).commit("First");
    fits("check", &upstream.run(&["check", "-o", "json"]).exits(1));
    let clone = upstream.outside().join("clone");
    let pull = |args: &[&str]| Cmd::trueup().args(["-C"]).args([&clone]).args(["pull"]).args(args);
    let url = upstream.path();
    let cloned = pull(&["--url", url.to_str().unwrap(), "-o", "json"]).run().exits(0);
    assert_eq!(fits("pull", &cloned)["cloned"], true);
    upstream.write("a.yaml", "# other\n").commit("Second");
    std::fs::write(clone.join("a.yaml"), "# mine\n").unwrap();
    let refused = pull(&["-o", "json"]).run().exits(1);
    assert_eq!(fits("failure", &refused)["refused"], true);
}

#[test]
fn an_unknown_key_does_not_fit_and_every_key_is_explained() {
    let schema = named("output.json");
    let pull = json!({ "version": 1, "branch": "main", "before": null, "after": "a", "commits": 1,
        "authors": 1, "files": 1, "ahead": 0, "cloned": true, "git": { "polls": 1, "bytes": 312 } });
    assert_eq!(check(&schema, &schema, &pull, ""), Ok(()));
    for (key, value) in [("other", json!(1)), ("files", json!("1"))] {
        let mut wrong = pull.clone();
        wrong[key] = value;
        assert!(check(&schema, &schema, &wrong, "").is_err(), "{key}");
    }
    // The page says `changes[].causes`, and of its keys `field`.
    // The plan file's purpose has its own page.
    let spans = [code_spans(&read("docs/json.md")), code_spans(&read("docs/plans.md"))].concat();
    let mut explained: Vec<&str> = spans.iter().flat_map(|span| span.split(['.', '['])).collect();
    explained.sort_unstable();
    let mut keys = Vec::new();
    collect(&schema["definitions"], &mut keys);
    assert!(keys.len() > 80, "{}", keys.len());
    for key in keys {
        assert!(explained.binary_search(&key.as_str()).is_ok(), "docs/json.md lacks {key}");
    }
}

#[test]
fn every_code_of_a_reason_is_explained_and_in_the_schema() {
    let page = read("docs/json.md");
    let (_, codes) = page.split_once("\n## Codes\n").unwrap();
    let rows = codes.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
    let explained: Vec<&str> = rows.map(|(code, _)| code).collect();
    assert_eq!(explained, ReasonKind::CODES);
    let schema = named("output.json");
    let codes = schema["definitions"]["code"]["enum"].as_array().unwrap();
    let codes: Vec<&str> = codes.iter().filter_map(Value::as_str).collect();
    assert_eq!(codes, ReasonKind::CODES);
}

/// The names in every `properties` of a schema.
fn collect(schema: &Value, keys: &mut Vec<String>) {
    let properties = schema.get("properties").and_then(Value::as_object);
    keys.extend(properties.into_iter().flat_map(|map| map.keys().cloned()));
    match schema {
        Value::Object(map) => map.values().for_each(|value| collect(value, keys)),
        Value::Array(list) => list.iter().for_each(|value| collect(value, keys)),
        _ => {}
    }
}
