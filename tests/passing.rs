//! Faults that pass by themselves are waited out within the time that there is, on a real API
//! server.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::between::Between;
use crate::support::faults::{Fault, Faulty, Run};
use crate::support::objects::{config, guarded, namespace, webhook, with_metadata};
use crate::support::repo::Repo;
use crate::support::sandbox;

/// The words of a text, however they are laid out.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_webhook_that_is_not_up_yet_is_waited_for() {
    let plane = sandbox::bare();
    let repo = Repo::new("passing-webhook", plane);
    repo.write_config("plain", "1").write("a.yaml", guarded("a", "1")).commit("Two");
    plane.create("passing-webhook", &webhook("passing-webhook", "sideEffects: None"));
    let sent = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&sent);
    let between = Between::start(plane, move |request| {
        let is_write = request.starts_with("PATCH") && !request.contains("dryRun");
        // More often than a fault is tried that may be a slip.
        if is_write && request.contains("/a?") && count.fetch_add(1, Ordering::SeqCst) == 5 {
            let gone = ["delete", "validatingwebhookconfiguration", "passing-webhook"];
            plane.kubectl(gone).exits(0);
        }
    });
    let apply = repo.trueup(&["apply"]).env("KUBECONFIG", between.kubeconfig()).run().exits(0);
    assert!(words(&apply.stdout).contains("passing-webhook/a created"), "{apply}");
    assert!(sent.load(Ordering::SeqCst) >= 6, "{apply}");
    let told = "waiting: the webhook guard.example.com does not answer (connection refused); giving up in 4m5";
    assert!(apply.stderr.starts_with(told), "{apply}");
    assert_eq!(apply.stderr.lines().count(), 1, "{apply}");
    repo.run(&["diff"]).exits(0);
}

#[test]
fn unavailable_server_is_reported_once() {
    let plane = sandbox::bare();
    let repo = Repo::new("passing-told", plane);
    for n in 0..8 {
        repo.write_config(&format!("o{n}"), "1");
    }
    repo.commit("Eight");
    let line = Faulty::start(plane);
    let runs: [(&[&str], Fault, &str); 3] = [
        (
            &["apply"],
            Fault::Status(503),
            "can't answer (503 service unavailable); giving up in 4m5",
        ),
        (&["watch", "--once"], Fault::Status(429), "is busy (too many requests); giving up in 4m5"),
        (&["apply", "--timeout", "20s"], Fault::ResetBefore, "does not answer ("),
    ];
    for (n, (args, fault, told)) in runs.into_iter().enumerate() {
        for at in 0..8 {
            repo.write_config(&format!("o{at}"), &format!("{n}"));
        }
        repo.commit("All of them");
        let mut count = 0;
        let Run { output, .. } = line.run(repo.trueup(args), move |seen| {
            let is_one = seen.is_write() && seen.path.ends_with("/configmaps/o7");
            count += usize::from(is_one);
            (seen.is_write() && seen.path.contains("/configmaps/o") && count < 6).then_some(fault)
        });
        let output = output.exits(0);
        let told = format!("waiting: the API server {told}");
        assert!(output.stderr.starts_with(&told), "{output}");
        assert_eq!(output.stderr.lines().count(), 1, "{output}");
    }
    // What passes at once is not worth a word.
    repo.write_config("o7", "last").commit("One of them");
    let mut count = 0;
    let Run { output, struck, .. } = line.run(repo.trueup(&["apply"]), move |seen| {
        count += usize::from(seen.is_write());
        (seen.is_write() && count < 3).then_some(Fault::Status(503))
    });
    assert_eq!((struck, output.exits(0).stderr.as_str()), (2, ""));
}

#[test]
fn unavailable_webhook_is_named_after_the_timeout() {
    let plane = sandbox::bare();
    let repo = Repo::new("passing-away", plane);
    repo.write_config("plain", "1").write("a.yaml", guarded("a", "1")).commit("Two");
    plane.create("passing-away", &webhook("passing-away", "sideEffects: None"));
    let apply = repo.run(&["apply", "--timeout", "1s"]).exits(1);
    assert!(apply.stdout.contains("passing-away/plain  created"), "{apply}");
    assert!(apply.stdout.contains("failed calling webhook"), "{apply}");
    assert!(apply.stdout.contains("is the webhook's own server up?"), "{apply}");
    plane.kubectl(["delete", "validatingwebhookconfiguration", "passing-away"]).exits(0);
    repo.run(&["apply"]).exits(0);
}

#[test]
fn terminating_namespace_is_recreated_with_its_objects() {
    let plane = sandbox::with_controllers();
    let repo = Repo::new("passing-home", plane);
    let shop = |text: String| with_metadata(&text, "namespace: passing-shop");
    let held = with_metadata(&config("held", "1"), "finalizers: [example.com/hold]");
    repo.write("shop.yaml", namespace("passing-shop"))
        .write("a.yaml", shop(config("a", "1")))
        .commit("A shop");
    repo.run(&["apply"]).exits(0);
    plane.create("passing-shop", &held);
    plane.kubectl(["delete", "namespace", "passing-shop", "--wait=false"]).exits(0);

    let diff = repo.run(&["diff"]).exits(1);
    assert!(diff.stdout.contains("terminating; will be recreated once it is gone"), "{diff}");
    assert!(diff.stdout.contains("1 to create, 0 to update, 0 to delete, 1 to replace"), "{diff}");

    let looks = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&looks);
    let between = Between::start(plane, move |request| {
        let is_watch =
            { request.starts_with("GET /api/v1/namespaces?") && request.contains("watch=1") };
        if is_watch && count.fetch_add(1, Ordering::SeqCst) == 0 {
            let none = r#"{"metadata": {"finalizers": null}}"#;
            let patch = ["patch", "configmap", "held", "-n", "passing-shop", "--type=merge", "-p"];
            plane.kubectl([&patch[..], &[none]].concat()).exits(0);
        }
    });
    let apply = repo.trueup(&["apply"]).env("KUBECONFIG", between.kubeconfig()).run().exits(0);
    assert!(words(&apply.stdout).contains("passing-shop replaced"), "{apply}");
    assert!(words(&apply.stdout).contains("passing-shop/a created"), "{apply}");
    repo.run(&["diff"]).exits(0);
    let found = plane.kubectl(["get", "configmap", "-n", "passing-shop", "-o", "name"]).exits(0);
    assert!(found.stdout.contains("configmap/a\n") && !found.stdout.contains("held"), "{found}");
}
