//! Faults that pass by themselves are waited out within the time that there is, on a real API
//! server.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::between::Between;
use crate::support::repo::{Repo, config};
use crate::support::sandbox;

/// A webhook for the ConfigMaps of a namespace that are labelled for it. Nothing listens behind it.
fn webhook(namespace: &str) -> String {
    format!(
        "apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {{name: {namespace}}}
webhooks:
- name: guard.example.com
  admissionReviewVersions: [v1]
  sideEffects: None
  clientConfig: {{url: https://127.0.0.1:9/}}
  timeoutSeconds: 1
  namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: {namespace}}}}}
  objectSelector: {{matchLabels: {{guarded: \"yes\"}}}}
  rules:
  - {{apiGroups: [\"\"], apiVersions: [v1], resources: [configmaps], operations: [CREATE, UPDATE]}}
"
    )
}

fn guarded(value: &str) -> String {
    config("a", value).replace("metadata:\n", "metadata:\n  labels: {guarded: \"yes\"}\n")
}

/// The words of a text, however they are laid out.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_webhook_that_is_not_up_yet_is_waited_for() {
    let plane = sandbox::bare();
    let repo = Repo::new("passing-webhook", plane);
    let _ = repo.write_config("plain", "1").write("a.yaml", guarded("1")).commit("Two");
    plane.create("passing-webhook", &webhook("passing-webhook"));
    let sent = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&sent);
    let between = Between::start(plane, move |request| {
        let is_write = request.starts_with("PATCH") && !request.contains("dryRun");
        // More often than a fault is tried that may be a slip.
        if is_write && request.contains("/a?") && count.fetch_add(1, Ordering::SeqCst) == 5 {
            let gone = ["delete", "validatingwebhookconfiguration", "passing-webhook"];
            let _ = plane.kubectl(gone).exits(0);
        }
    });
    let apply = repo.trueup(&["apply"]).env("KUBECONFIG", between.kubeconfig()).run().exits(0);
    assert!(words(&apply.stdout).contains("passing-webhook/a created"), "{apply}");
    assert!(sent.load(Ordering::SeqCst) >= 6, "{apply}");
    let _ = repo.run(&["diff"]).exits(0);
}

#[test]
fn a_webhook_that_stays_away_is_named_when_the_time_is_up() {
    let plane = sandbox::bare();
    let repo = Repo::new("passing-away", plane);
    let _ = repo.write_config("plain", "1").write("a.yaml", guarded("1")).commit("Two");
    plane.create("passing-away", &webhook("passing-away"));
    let apply = repo.run(&["apply", "--timeout", "1s"]).exits(1);
    assert!(apply.stdout.contains("passing-away/plain  created"), "{apply}");
    assert!(apply.stdout.contains("failed calling webhook"), "{apply}");
    assert!(apply.stdout.contains("is the webhook's own server up?"), "{apply}");
    let _ = plane.kubectl(["delete", "validatingwebhookconfiguration", "passing-away"]).exits(0);
    let _ = repo.run(&["apply"]).exits(0);
}

#[test]
fn a_namespace_that_somebody_deletes_is_made_anew_with_all_that_is_in_it() {
    let plane = sandbox::with_controllers();
    let repo = Repo::new("passing-home", plane);
    let shop = |text: String| text.replace("metadata:\n", "metadata:\n  namespace: passing-shop\n");
    let held =
        config("held", "1").replace("metadata:\n", "metadata:\n  finalizers: [example.com/hold]\n");
    let _ = repo
        .write("shop.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: passing-shop}\n")
        .write("a.yaml", shop(config("a", "1")))
        .commit("A shop");
    let _ = repo.run(&["apply"]).exits(0);
    plane.create("passing-shop", &held);
    let _ = plane.kubectl(["delete", "namespace", "passing-shop", "--wait=false"]).exits(0);

    let diff = repo.run(&["diff"]).exits(1);
    assert!(diff.stdout.contains("somebody is deleting it"), "{diff}");
    assert!(diff.stdout.contains("1 to create, 0 to update, 0 to delete, 1 to replace"), "{diff}");

    let looks = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&looks);
    let between = Between::start(plane, move |request| {
        let is_look = request.starts_with("GET /api/v1/namespaces/passing-shop ");
        // Once while it is looked at, and then while it is waited for.
        if is_look && count.fetch_add(1, Ordering::SeqCst) == 3 {
            let none = r#"{"metadata": {"finalizers": null}}"#;
            let patch = ["patch", "configmap", "held", "-n", "passing-shop", "--type=merge", "-p"];
            let _ = plane.kubectl([&patch[..], &[none]].concat()).exits(0);
        }
    });
    let apply = repo.trueup(&["apply"]).env("KUBECONFIG", between.kubeconfig()).run().exits(0);
    assert!(words(&apply.stdout).contains("passing-shop replaced"), "{apply}");
    assert!(words(&apply.stdout).contains("passing-shop/a created"), "{apply}");
    let _ = repo.run(&["diff"]).exits(0);
    let found = plane.kubectl(["get", "configmap", "-n", "passing-shop", "-o", "name"]).exits(0);
    assert!(found.stdout.contains("configmap/a\n") && !found.stdout.contains("held"), "{found}");
}
