//! A new version of a definition has the elements of a list or a map owned one by one that was owned
//! as a whole: what git removes then goes nevertheless.

use std::process::Stdio;
use std::sync::Mutex;
use std::sync::mpsc;

use serde_json::{Value, json};

use crate::support::between::Between;
use crate::support::objects::Definition;
use crate::support::repo::Repo;
use crate::support::sandbox;

/// A kind whose lists and map are owned as a whole, or not.
fn definition(group: &str, is_whole: bool) -> String {
    let item = json!({ "type": "object", "required": ["id"], "properties": {
        "id": { "type": "string" }, "x": { "type": "string" } } });
    let mut keyed = json!({ "type": "array", "items": item });
    let mut set = json!({ "type": "array", "items": { "type": "string" } });
    let mut map = json!({ "type": "object", "additionalProperties": { "type": "string" } });
    if is_whole {
        map["x-kubernetes-map-type"] = "atomic".into();
    } else {
        keyed["x-kubernetes-list-type"] = "map".into();
        keyed["x-kubernetes-list-map-keys"] = json!(["id"]);
        set["x-kubernetes-list-type"] = "set".into();
    }
    let spec = json!({ "type": "object", "properties": {
        "keyed": keyed, "set": set, "map": map,
        "deep": { "type": "object", "properties": { "keyed": keyed } },
        "args": { "type": "array", "items": { "type": "string" } } } });
    let schema = json!({ "type": "object", "properties": { "spec": spec } });
    Definition::new(group, "Rack").schema(&schema.to_string()).to_string()
}

fn object(group: &str, spec: &Value) -> String {
    json!({ "apiVersion": format!("{group}/v1"), "kind": "Rack", "metadata": { "name": "rack" },
        "spec": spec })
    .to_string()
}

fn live(repo: &Repo<'_>, group: &str) -> Value {
    let found = repo.kubectl(&["get", &format!("racks.{group}"), "rack", "-o", "json"]).exits(0);
    serde_json::from_str::<Value>(&found.stdout).unwrap()["spec"].clone()
}

fn keyed(ids: &[&str]) -> Value {
    ids.iter().map(|id| json!({ "id": id, "x": "1" })).collect()
}

fn full() -> Value {
    json!({ "keyed": keyed(&["a", "b"]), "set": ["a", "b"], "map": { "a": "1", "b": "2" },
        "deep": { "keyed": keyed(&["a", "b"]) }, "args": ["a", "b"] })
}

fn less() -> Value {
    json!({ "keyed": keyed(&["b"]), "set": ["a"], "map": { "a": "1" },
        "deep": { "keyed": keyed(&["a"]) }, "args": ["a"] })
}

/// A repository with the full object, and its definition outside or in it.
fn repo(name: &'static str, group: &str) -> Repo<'static> {
    let repo = Repo::new(name, sandbox::bare());
    repo.write("definition.yaml", definition(group, true));
    repo.write("rack.json", object(group, &full())).commit("Full");
    repo.run(&["apply", "--yes"]).exits(0);
    repo
}

#[track_caller]
fn is_true(repo: &Repo<'_>) {
    let writes = repo.writes();
    repo.run(&["diff", "--verify"]).exits(0);
    repo.run(&["apply", "--yes"]).exits(0);
    assert_eq!(repo.writes(), writes, "nothing is left to do");
}

/// Waits until applies go by the new definition: the server tells its schema a moment later.
fn until_served(repo: &Repo<'_>, group: &str) {
    let probe = object(group, &json!({ "set": ["x", "x"] }));
    let file = repo.outside().join("probe.json");
    std::fs::write(&file, probe).unwrap();
    let file = file.to_str().unwrap();
    let apply = ["apply", "--server-side", "--dry-run=server", "--field-manager=probe", "-f", file];
    for _ in 0..100 {
        if repo.kubectl(&apply).status != Some(0) {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("the new definition is not served");
}

#[test]
fn elements_removed_after_a_definition_change_are_deleted() {
    let group = "later.example.com";
    let repo = repo("retyped-later", group);
    repo.write("definition.yaml", definition(group, false)).commit("Definition");
    repo.run(&["apply", "--yes"]).exits(0);
    until_served(&repo, group);
    repo.write("rack.json", object(group, &less())).commit("Less");
    let diff = repo.run(&["diff"]).exits(1);
    for line in ["  -   - id: a\n", "  -     - id: b\n", "  -   - b\n", "  -     b: \"2\"\n"] {
        assert!(diff.stdout.contains(line), "{line:?} in {diff}");
    }
    let apply = repo.run(&["apply", "--yes"]).exits(0);
    assert_eq!(live(&repo, group), less(), "{apply}");
    is_true(&repo);
}

#[test]
fn elements_removed_with_the_definition_change_are_deleted() {
    let group = "same.example.com";
    let repo = repo("retyped-same", group);
    repo.write("definition.yaml", definition(group, false));
    repo.write("rack.json", object(group, &less())).commit("Both");
    repo.run(&["apply", "--yes"]).exits(0);
    until_served(&repo, group);
    repo.run(&["apply", "--yes"]).exits(0);
    assert_eq!(live(&repo, group), less());
    is_true(&repo);
}

#[test]
fn lists_emptied_after_a_definition_change_are_empty() {
    let group = "empty.example.com";
    let repo = repo("retyped-empty", group);
    repo.write("definition.yaml", definition(group, false)).commit("Definition");
    repo.run(&["apply", "--yes"]).exits(0);
    until_served(&repo, group);
    let empty = json!({ "keyed": [], "set": [], "map": {}, "deep": { "keyed": [] }, "args": [] });
    repo.write("rack.json", object(group, &empty)).commit("Empty");
    let diff = repo.run(&["diff"]).exits(1);
    assert!(diff.stdout.contains("+   keyed: []"), "{diff}");
    repo.run(&["apply", "--yes"]).exits(0);
    assert_eq!(live(&repo, group), empty);
    is_true(&repo);
}

#[test]
fn apply_killed_after_the_first_write_is_finished_by_the_next_run() {
    let group = "killed.example.com";
    let repo = repo("retyped-killed", group);
    repo.write("definition.yaml", definition(group, false)).commit("Definition");
    repo.run(&["apply", "--yes"]).exits(0);
    until_served(&repo, group);
    repo.write("rack.json", object(group, &less())).commit("Less");
    let (send, sent) = mpsc::channel();
    let (send, writes) = (Mutex::new(send), Mutex::new(0));
    let between = Between::start(sandbox::bare(), move |request| {
        let is_write = request.starts_with("PATCH /") && !request.contains("dryRun");
        if is_write && request.contains("/rack?") {
            let mut writes = writes.lock().unwrap();
            *writes += 1;
            if *writes == 2 {
                send.lock().unwrap().send(()).unwrap();
                // It never comes to the server.
                loop {
                    std::thread::park();
                }
            }
        }
    });
    let apply = repo.trueup(&["apply", "--yes"]).env("KUBECONFIG", between.kubeconfig());
    let mut apply = apply.into_inner();
    let mut apply = apply.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    sent.recv().unwrap();
    apply.kill().unwrap();
    apply.wait().unwrap();
    repo.run(&["diff"]).exits(1);
    repo.run(&["apply", "--yes"]).exits(0);
    assert_eq!(live(&repo, group), less());
    is_true(&repo);
}
