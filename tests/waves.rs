//! Waves and said dependencies where apply waits: not only there, but ready.

use std::process::Stdio;

use crate::support::command::Output;
use crate::support::eventually::eventually;
use crate::support::repo::Repo;
use crate::support::sandbox;

/// A repository in which ConfigMaps are ready when somebody says so in them; an account comes in a
/// later wave, and another depends on the ConfigMap.
fn repo(name: &str) -> Repo<'static> {
    let repo = Repo::new(name, sandbox::bare());
    repo.write(
        "trueup.yaml",
        format!(
            "targets:\n  {name}:\n    paths: [objects]\n    health:\n    - kind: ConfigMap\n      \
             ready: has(object.data.state) && object.data.state == 'done'\n"
        ),
    );
    repo.write(
        "objects/first.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: first}\ndata: {key: value}\n",
    );
    let account = |name: &str, annotation: &str| {
        format!(
            "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: {name}\n  annotations: {{{annotation}}}\n"
        )
    };
    repo.write("objects/later.yaml", account("later", "trueup.dev/wave: \"1\""));
    let on = format!("config.kubernetes.io/depends-on: /namespaces/{name}/ConfigMap/first");
    repo.write("objects/after.yaml", account("after", &on));
    repo.commit("First");
    repo
}

/// Which of the two accounts are there.
fn accounts(repo: &Repo<'_>) -> Vec<String> {
    let names = repo.kubectl(&["get", "serviceaccount", "-o", "name"]).exits(0).stdout;
    names
        .lines()
        .filter_map(|name| name.strip_prefix("serviceaccount/"))
        .map(str::to_owned)
        .collect()
}

fn say_done(repo: &Repo<'_>) {
    let patch = ["patch", "configmap", "first", "-p", "{\"data\":{\"state\":\"done\"}}"];
    repo.kubectl(&patch).exits(0);
}

#[track_caller]
fn has(output: &Output, part: &str) {
    assert!(output.stdout.contains(part), "no {part:?} in\n{output}");
}

#[test]
fn later_wave_waits_for_the_earlier_one() {
    let repo = repo("waves-late");
    let apply = ["apply", "--wait", "--timeout", "1s"];
    for changed in ["created", ""] {
        let output = repo.run(&apply).exits(1);
        has(&output, changed);
        has(&output, "ConfigMap waves-late/first of an earlier wave is not ready");
        has(&output, "needs ConfigMap waves-late/first, which is not ready");
        assert!(accounts(&repo).is_empty(), "{output}");
    }
    say_done(&repo);
    let output = repo.run(&apply).exits(0);
    has(&output, "2 changed, 3 ready");
    assert_eq!(accounts(&repo), ["after", "later"]);
}

#[test]
fn later_wave_starts_as_soon_as_the_earlier_one_is_ready() {
    let repo = repo("waves-soon");
    let mut apply = repo.trueup(&["apply", "--wait", "--timeout", "3m"]).into_inner();
    let mut apply = apply.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let is_there = || repo.config_map("first").is_some();
    eventually("the first is there", is_there);
    assert!(accounts(&repo).is_empty());
    say_done(&repo);
    assert_eq!(apply.wait().unwrap().code(), Some(0));
    assert_eq!(accounts(&repo), ["after", "later"]);
}

#[test]
fn without_waiting_the_order_alone_counts() {
    let repo = repo("waves-at-once");
    has(&repo.run(&["apply"]).exits(0), "3 changed");
    assert_eq!(accounts(&repo), ["after", "later"]);
}

#[test]
fn nothing_is_pruned_while_an_earlier_wave_is_not_ready() {
    let repo = repo("waves-prune");
    let old = "apiVersion: v1\nkind: Secret\nmetadata: {name: old}\n";
    repo.write("objects/old.yaml", old).commit("One more");
    repo.run(&["apply", "--no-wait"]).exits(0);
    // The later wave has something to do, and the Secret is no longer declared.
    let later = std::fs::read_to_string(repo.path().join("objects/later.yaml")).unwrap();
    repo.write("objects/later.yaml", later.replace("later\n", "latest\n"));
    repo.remove("objects/old.yaml").commit("One less");
    let apply = ["apply", "--wait", "--timeout", "1s"];
    let output = repo.run(&apply).exits(1);
    has(&output, "ConfigMap waves-prune/first of an earlier wave is not ready");
    has(&output, "something is not ready, and may still need it");
    repo.kubectl(&["get", "secret", "old"]).exits(0);
    repo.kubectl(&["get", "serviceaccount", "later"]).exits(0);

    say_done(&repo);
    repo.run(&apply).exits(0);
    repo.kubectl(&["get", "secret", "old"]).exits(1);
    repo.kubectl(&["get", "serviceaccount", "latest"]).exits(0);
}
