//! `trueup status --wait-for`: until this commit is healthy, and no longer than it can become so.

use std::fs;

use serde_json::Value;

use crate::support::command::Output;
use crate::support::objects::WEB;
use crate::support::repo::Repo;
use crate::support::sandbox;

fn commit(repo: &Repo<'_>, name: &str) -> String {
    repo.git(&["rev-parse", name]).stdout.trim().to_owned()
}

fn wait_for(repo: &Repo<'_>, rev: &str, timeout: &str) -> Output {
    repo.run(&["status", "--wait-for", rev, "--timeout", timeout, "-o", "json"])
}

/// How waiting ended, and why.
fn outcome(output: &Output) -> (String, String) {
    let document: Value = serde_json::from_str(&output.stdout).unwrap();
    let target = &document["targets"][0];
    let text = |key: &str| target[key].as_str().unwrap().to_owned();
    (text("outcome"), text("message"))
}

#[test]
fn commit_that_is_applied_meanwhile_is_waited_for() {
    let repo = Repo::new("await-healthy", sandbox::bare());
    repo.write_config("a", "1").commit("First");
    let none = wait_for(&repo, "HEAD", "1s").exits(1);
    assert_eq!(outcome(&none), ("waiting".into(), "nothing was applied yet".into()));
    repo.run(&["apply"]).exits(0);
    let text = repo.run(&["status", "--wait-for", "HEAD"]).exits(0);
    assert!(text.stdout.contains("is healthy\n"), "{text}");

    repo.write_config("a", "2").commit("Second");
    let waits = wait_for(&repo, "HEAD", "1s").exits(1);
    let runs = format!("{} runs", &commit(&repo, "HEAD~1")[..7]);
    assert_eq!(outcome(&waits), ("waiting".into(), runs));
    let mut waiting =
        repo.trueup(&["status", "--wait-for", "HEAD", "--timeout", "1m"]).into_inner();
    let mut waiting = waiting.stdout(std::process::Stdio::null()).spawn().unwrap();
    repo.run(&["apply"]).exits(0);
    assert_eq!(waiting.wait().unwrap().code(), Some(0));
    repo.run(&["status", "--wait-for", "no-such-branch"]).exits(2);
}

#[test]
fn later_commit_overtakes_an_earlier_one() {
    let repo = Repo::new("await-overtaken", sandbox::bare());
    repo.write_config("a", "1").commit("First");
    repo.run(&["apply"]).exits(0);
    repo.write_config("a", "2").commit("Second");
    repo.write_config("a", "3").commit("Third");
    repo.run(&["apply"]).exits(0);
    // It was here, and its mark of health is old.
    for rev in ["HEAD~2", "HEAD~1"] {
        let over = wait_for(&repo, rev, "1m").exits(1);
        let (code, message) = outcome(&over);
        assert_eq!(code, "overtaken", "{over}");
        assert!(message.contains(&commit(&repo, "HEAD")[..7]), "{over}");
    }
    wait_for(&repo, "HEAD", "1m").exits(0);
}

/// A Deployment of which it is soon known that its pods are not scheduled.
fn bad() -> String {
    let spec = "spec:\n      schedulerName: nobody\n      containers";
    WEB.replace("spec:\n      containers", spec)
        .replace("replicas: 2", "replicas: 3\n  progressDeadlineSeconds: 1")
}

#[test]
fn commit_that_fails_or_is_rolled_back_is_not_waited_for() {
    let repo = Repo::new("await-rollback", sandbox::with_controllers());
    repo.write("web.yaml", WEB).commit("Good");
    repo.run(&["apply", "--wait", "--timeout", "60s"]).exits(0);
    repo.write("web.yaml", bad()).commit("Bad");
    repo.run(&["apply", "--on-failure", "rollback", "--timeout", "20s"]).exits(1);
    let over = wait_for(&repo, "HEAD", "1m").exits(1);
    assert_eq!(outcome(&over).0, "rolled-back", "{over}");
    wait_for(&repo, "HEAD~1", "1m").exits(0);
    let status = repo.run(&["status"]).exits(1);
    assert!(status.stdout.contains("rolled back"), "{status}");
    assert!(status.stdout.contains("watch does not apply it again"), "{status}");

    repo.run(&["apply", "--no-wait"]).exits(0);
    let failed = wait_for(&repo, "HEAD", "1m").exits(1);
    let (code, message) = outcome(&failed);
    assert!(["unhealthy", "failed"].contains(&code.as_str()), "{failed}");
    assert!(!message.is_empty(), "{failed}");
}

#[test]
fn old_mark_does_not_hide_what_was_changed_since() {
    let repo = Repo::new("await-drift", sandbox::bare());
    repo.write_config("a", "1").commit("First");
    repo.run(&["apply"]).exits(0);
    wait_for(&repo, "HEAD", "1m").exits(0);
    repo.delete_config_map("a");
    let drifted = wait_for(&repo, "HEAD", "1s").exits(1);
    let why = "ConfigMap await-drift/a differs from it".to_owned();
    assert_eq!(outcome(&drifted), ("waiting".into(), why));
    let text = repo.run(&["status", "--wait-for", "HEAD", "--timeout", "1s"]).exits(1);
    assert!(text.stdout.contains("the time is up, and "), "{text}");
}

#[test]
fn lack_of_a_right_is_told_at_once() {
    let repo = Repo::new("await-right", sandbox::bare());
    repo.write_config("a", "1").commit("First");
    repo.run(&["apply"]).exits(0);
    let args = ["status", "--wait-for", "HEAD", "--as", "await-right-none", "-o", "json"];
    let denied = repo.run(&args).exits(2);
    let (code, message) = outcome(&denied);
    assert_eq!(code, "unknown", "{denied}");
    assert!(message.contains("forbidden"), "{denied}");
}

#[test]
fn context_that_is_not_reached_is_waited_for_to_the_end() {
    let repo = Repo::new("await-contexts", sandbox::bare());
    repo.write_config("a", "1").commit("First");
    repo.run(&["apply"]).exits(0);
    let good = fs::read_to_string(&repo.plane().kubeconfig).unwrap();
    let mut config: serde_yaml::Value = serde_yaml::from_str(&good).unwrap();
    let name = config["contexts"][0]["name"].as_str().unwrap().to_owned();
    for list in ["contexts", "clusters"] {
        let mut other = config[list][0].clone();
        other["name"] = "gone".into();
        config[list].as_sequence_mut().unwrap().push(other);
    }
    config["contexts"][1]["context"]["cluster"] = "gone".into();
    config["clusters"][1]["cluster"]["server"] = "https://127.0.0.1:1".into();
    let kubeconfig = repo.outside().join("two");
    fs::write(&kubeconfig, serde_yaml::to_string(&config).unwrap()).unwrap();
    let contexts = format!("{name}, gone");
    let args = ["status", "--wait-for", "HEAD", "--timeout", "3s", "--contexts", &contexts];
    let text = repo.trueup(&args).env("KUBECONFIG", &kubeconfig).run().exits(1);
    assert!(text.stdout.contains(&format!("await-contexts in {name}: ")), "{text}");
    assert!(text.stdout.contains("await-contexts in gone: the time is up, and "), "{text}");
    assert!(text.stdout.contains("healthy on 1 of 2"), "{text}");
}

/// What decides is the API server's answer about the objects where the inventory has no mark of health.
#[test]
fn lack_of_the_right_to_list_objects_is_told_before_the_time_is_up() {
    let repo = Repo::new("await-list-right", sandbox::bare());
    repo.write_config("a", "1");
    repo.write("secret.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n")
        .commit("First");
    repo.run(&["apply", "--no-wait"]).exits(0);
    let rules = [
        ["create", "role", "reader", "--verb=get,list", "--resource=configmaps"],
        ["create", "rolebinding", "reader", "--role=reader", "--user=await-list-reader"],
    ];
    for rule in rules {
        repo.kubectl(&rule).exits(0);
    }
    let args = ["status", "--wait-for", "HEAD", "--timeout", "5m", "-o", "json"];
    let denied = repo.trueup(&args).args(["--as", "await-list-reader"]).run().exits(2);
    let (code, message) = outcome(&denied);
    assert_eq!(code, "unknown", "{denied}");
    assert!(message.contains("Secret"), "{denied}");
}
