//! Fields that are left as they are, and that somebody changes at the very moment of the write: what
//! is sent is what is there then, not what was seen.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use crate::support::between::Between;
use crate::support::command::Output;
use crate::support::repo::Repo;
use crate::support::sandbox;

const WEB: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: registry.example/web:1}]}
";
const RULES: &str = "targets:
  all:
    paths: [web]
    ignore: [{kind: Deployment, paths: [/spec/replicas]}]
";

/// A repository whose Deployment trueup alone has applied, and whose next commit changes it.
fn repo(name: &str) -> Repo<'static> {
    let repo = Repo::new(name, sandbox::bare());
    repo.write("trueup.yaml", RULES).write("web/web.yaml", WEB).commit("First");
    repo.run(&["apply", "--yes"]).exits(0);
    repo
}

/// Runs trueup while somebody scales before each of its first `times` requests that are `wanted`: to
/// one more than `from`, two more and so on. Says how many requests were.
fn scaling(
    repo: &Repo<'_>,
    args: &[&str],
    (from, times, wanted): (usize, usize, fn(&str) -> bool),
) -> (Output, usize) {
    let count = Arc::new(AtomicUsize::new(0));
    let (counted, namespace) = (Arc::clone(&count), repo.namespace().to_owned());
    let between = Between::start(sandbox::bare(), move |line| {
        if wanted(line) {
            let n = counted.fetch_add(1, Ordering::SeqCst);
            if n < times {
                let replicas = format!("--replicas={}", from + n + 1);
                let scale = ["scale", "deployment", "web", "-n", &namespace, &replicas];
                sandbox::bare().kubectl(scale).exits(0);
            }
        }
    });
    let output = repo.trueup(args).env("KUBECONFIG", between.kubeconfig()).run();
    (output, count.load(Ordering::SeqCst))
}

fn is_write(line: &str) -> bool {
    line.starts_with("PATCH") && line.contains("/deployments/web") && !line.contains("dryRun")
}

fn is_deletion(line: &str) -> bool {
    line.starts_with("DELETE") && line.contains("/deployments/web")
}

/// The number of replicas, and the image.
fn web(repo: &Repo<'_>) -> (Value, Value) {
    let web = repo.kubectl(&["get", "deployment", "web", "-o", "json"]).exits(0);
    let mut web: Value = serde_json::from_str(&web.stdout).unwrap();
    let image = web["spec"]["template"]["spec"]["containers"][0]["image"].take();
    (web["spec"]["replicas"].take(), image)
}

#[test]
fn ignored_field_keeps_its_value_at_write_time() {
    let repo = repo("left-alone");
    for (from, times, image) in [(10, 1, "web:2"), (20, 3, "web:3")] {
        repo.write("web/web.yaml", WEB.replace("web:1", image)).commit(image);
        let (applied, tries) = scaling(&repo, &["apply", "--yes"], (from, times, is_write));
        applied.exits(0);
        assert_eq!(tries, times + 1, "one try for each time that somebody was faster");
        let image = format!("registry.example/{image}");
        assert_eq!(web(&repo), ((from + times).into(), image.into()));
        repo.run(&["diff"]).exits(0);
    }
    // Who is faster each time is not written over either.
    repo.write("web/web.yaml", WEB.replace("web:1", "web:4")).commit("Four");
    let (applied, tries) = scaling(&repo, &["apply", "--yes"], (30, usize::MAX, is_write));
    let applied = applied.exits(1);
    assert!(applied.stdout.contains("it changes faster than"), "{applied}");
    assert_eq!(web(&repo), ((30 + tries).into(), "registry.example/web:3".into()));
}

#[test]
fn approved_plan_keeps_the_ignored_value_at_write_time() {
    let repo = repo("left-alone-plan");
    repo.write("web/web.yaml", WEB.replace("web:1", "web:2")).commit("Two");
    let file = repo.outside().join("plan.json");
    let file = file.to_str().unwrap();
    repo.run(&["diff", "--out", file]).exits(1);
    let (applied, _) = scaling(&repo, &["apply", "--plan", file], (10, 2, is_write));
    applied.exits(0);
    assert_eq!(web(&repo), (12.into(), "registry.example/web:2".into()));
}

/// What yields leaves a field to whoever sets it, even if that is only a moment ago.
#[test]
fn yielded_field_is_left_to_its_latest_manager() {
    let repo = Repo::new("left-alone-yield", sandbox::bare());
    let yielding = WEB.replace(
        "metadata: {name: web}",
        "metadata: {name: web, annotations: {trueup.dev/on-conflict: yield}}",
    );
    repo.write("web.yaml", &yielding).commit("First").run(&["apply"]).exits(0);
    repo.write("web.yaml", yielding.replace("web:1", "web:2")).commit("Two");
    let (applied, _) = scaling(&repo, &["apply", "--yes"], (10, 1, is_write));
    applied.exits(0);
    assert_eq!(web(&repo), (11.into(), "registry.example/web:2".into()));
    repo.run(&["diff"]).exits(0);
}

/// The selector can't be changed: the Deployment is deleted and made anew, as large as it was when
/// it was deleted.
#[test]
fn recreated_object_keeps_its_last_ignored_value() {
    let repo = repo("left-alone-anew");
    for (from, times) in [(10, 1), (20, 3)] {
        let app = format!("app: web{times}");
        let _ =
            repo.write("web/web.yaml", WEB.replace("app: web", &app)).commit("Another selector");
        let args = ["apply", "--yes", "--replace", "Deployment"];
        let (applied, _) = scaling(&repo, &args, (from, times, is_deletion));
        applied.exits(0);
        assert_eq!(web(&repo), ((from + times).into(), "registry.example/web:1".into()));
    }
}
