//! What happens between the two writes of a take-over, and before them.

use std::process::Stdio;
use std::sync::Mutex;
use std::sync::mpsc;

use super::{LESS, MORE, by, get, managers};
use crate::support::between::Between;
use crate::support::repo::Repo;
use crate::support::sandbox;

/// A repository with less than what kubectl applied.
fn repo(name: &str) -> Repo<'static> {
    let repo = Repo::new(name, sandbox::bare());
    by(&repo, &["apply"], &MORE.replace("NAME", "web"));
    repo.write("web.yaml", LESS.replace("NAME", "web")).commit("Less");
    repo
}

/// Whether this is a write: both are patches, of who owns an object and of the object.
fn is_write(request: &str) -> bool {
    request.starts_with("PATCH /") && request.contains("/web?") && !request.contains("dryRun")
}

#[test]
fn apply_killed_after_the_first_write_is_finished_by_the_next_run() {
    let repo = repo("takeover-killed");
    let (send, sent) = mpsc::channel();
    let send = Mutex::new(send);
    let between = Between::start(sandbox::bare(), move |request| {
        if is_write(request) && request.contains("force=true") {
            send.lock().unwrap().send(()).unwrap();
            // It never comes to the server.
            loop {
                std::thread::park();
            }
        }
    });
    let apply = repo.trueup(&["apply", "--yes"]).env("KUBECONFIG", between.kubeconfig());
    let mut apply = apply.into_inner();
    let mut apply = apply.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    // The ConfigMap comes first; the Deployment waits for it.
    sent.recv().unwrap();
    apply.kill().unwrap();
    apply.wait().unwrap();
    let config = get(&repo, "configmap", "web");
    assert_eq!((managers(&config), &config["data"]["gone"]), (vec!["trueup"], &"b".into()));

    let diff = repo.run(&["diff"]).exits(1);
    assert_eq!(diff.stdout.matches("  -   gone: b\n").count(), 1, "{diff}");
    repo.run(&["apply", "--yes"]).exits(0);
    assert_eq!(get(&repo, "configmap", "web")["data"], serde_json::json!({ "kept": "a" }));
    assert!(get(&repo, "deployment", "web")["spec"].get("minReadySeconds").is_none());
    let writes = repo.writes();
    repo.run(&["apply", "--yes"]).exits(0);
    assert_eq!(repo.writes(), writes);
}

#[test]
fn takeover_retries_after_a_concurrent_change() {
    let repo = repo("takeover-race");
    let annotate = repo.kubectl_command(&["annotate", "configmap", "web", "note=mine"]);
    let annotate = Mutex::new(Some(annotate));
    let between = Between::start(sandbox::bare(), move |request| {
        if is_write(request)
            && request.contains("/configmaps/")
            && let Some(annotate) = annotate.lock().unwrap().take()
        {
            annotate.run().exits(0);
        }
    });
    let apply = repo.trueup(&["apply", "--yes"]).env("KUBECONFIG", between.kubeconfig()).run();
    apply.exits(0);
    let config = get(&repo, "configmap", "web");
    assert_eq!(config["data"], serde_json::json!({ "kept": "a" }));
    assert_eq!(config["metadata"]["annotations"], serde_json::json!({ "note": "mine" }));
    assert_eq!(managers(&config), ["trueup", "kubectl-annotate"]);
}

#[test]
fn a_plan_that_was_approved_is_carried_out_with_its_take_over() {
    let repo = repo("takeover-approved");
    let plan = repo.outside().join("plan.json");
    let plan = plan.to_str().unwrap();
    repo.run(&["diff", "--out", plan]).exits(1);
    repo.run(&["apply", "--plan", plan]).exits(0);
    assert_eq!(get(&repo, "configmap", "web")["data"], serde_json::json!({ "kept": "a" }));
    repo.run(&["diff"]).exits(0);
}
