//! What moves between the last look and the write.

use std::sync::Mutex;

use super::{approve, file, has, two_commits};
use crate::support::between::Between;
use crate::support::command::{Cmd, Output};
use crate::support::repo::Repo;
use crate::support::sandbox;

/// Applies what was approved; `meddle` runs kubectl once for each of its requests, when trueup's
/// own request with these words reaches the server.
#[track_caller]
fn apply_beside(repo: &Repo<'_>, meddle: &[(&str, &str, &[&str])]) -> Output {
    let todo: Vec<(String, String, Cmd)> = meddle
        .iter()
        .map(|(method, name, kubectl)| {
            (format!("{method} /"), format!("/{name}?"), repo.kubectl_command(kubectl))
        })
        .collect();
    let todo = Mutex::new(todo);
    let between = Between::start(sandbox::bare(), move |request| {
        let request = request.replace(" HTTP/1.1", "?");
        if request.contains("dryRun=All") {
            return;
        }
        let is_now = |(method, name, _): &mut (String, String, Cmd)| {
            request.starts_with(method.as_str()) && request.contains(name.as_str())
        };
        // Each is done once; trueup waits for the answer meanwhile.
        for (_, _, kubectl) in todo.lock().unwrap().extract_if(.., is_now) {
            kubectl.run().exits(0);
        }
    });
    let plan = file(repo);
    let args = ["apply", "--concurrency", "1", "--plan", plan.to_str().unwrap()];
    repo.trueup(&args).env("KUBECONFIG", between.kubeconfig()).run()
}

#[test]
fn approved_plan_leaves_objects_changed_during_apply() {
    let repo = two_commits("plan-file-race", sandbox::bare());
    approve(&repo, &[]);
    let patch: &[&str] = &["patch", "configmap", "flags", "-p", r#"{"data":{"key":"mine"}}"#];
    let create: &[&str] = &["create", "configmap", "new", "--from-literal=key=mine"];
    let applied =
        apply_beside(&repo, &[("PATCH", "flags", patch), ("PATCH", "flags", create)]).exits(1);
    has(&applied.stdout, &["! ConfigMap   plan-file-race/flags  failed"]);
    has(&applied.stdout, &["it changed since the plan was made, and that was not approved"]);
    has(&applied.stdout, &["! ConfigMap   plan-file-race/new    failed"]);
    has(&applied.stdout, &["✓ Deployment  plan-file-race/web    updated", "old    not tried"]);
    let value = |name: &str| repo.value(name);
    assert_eq!([value("flags"), value("new"), value("old")], ["mine", "mine", "1"]);

    // The rest is approved and carried out, but for what moves when it is deleted.
    approve(&repo, &[]);
    let patch: &[&str] = &["patch", "configmap", "old", "-p", r#"{"data":{"key":"mine"}}"#];
    let applied = apply_beside(&repo, &[("DELETE", "old", patch)]).exits(1);
    has(&applied.stdout, &["1 failed, 2 done", "it was taken over, changed or recreated"]);
    assert_eq!([value("flags"), value("new"), value("old")], ["off", "1", "mine"]);
}

#[test]
fn approved_plan_accepts_unrelated_changes_during_apply() {
    let repo = two_commits("plan-file-noise", sandbox::bare());
    approve(&repo, &[]);
    let note = |name| ["annotate", "configmap", name, "example.com/seen=yes"];
    let (flags, old) = (note("flags"), note("old"));
    let applied = apply_beside(&repo, &[("PATCH", "flags", &flags), ("DELETE", "old", &old)]);
    has(&applied.exits(0).stdout, &["4 changed"]);
    let seen = r"jsonpath={.data.key} {.metadata.annotations.example\.com/seen}";
    assert_eq!(repo.kubectl(&["get", "configmap", "flags", "-o", seen]).stdout, "off yes");
    assert!(repo.config_map("old").is_none());
}
