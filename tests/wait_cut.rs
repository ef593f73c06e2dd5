//! Waiting where watching is forbidden, cut or too far behind.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::between::Between;
use crate::support::command::Output;
use crate::support::objects::WEB;
use crate::support::repo::Repo;
use crate::support::sandbox;

const CLOSED: &str = "Content-Type: application/json\r\nConnection: close\r\n\r\n";

/// An answer of the server's.
fn status(code: u16, reason: &str) -> String {
    let body = format!(
        r#"{{"kind":"Status","apiVersion":"v1","status":"Failure","code":{code},"reason":"{reason}","message":"the {reason} one"}}"#
    );
    format!("HTTP/1.1 {code} {reason}\r\nContent-Length: {}\r\n{CLOSED}{body}", body.len())
}

/// Applies a Deployment and waits, with somebody in between who is told of every watch and list of
/// Deployments.
fn apply(
    name: &str,
    web: &str,
    answer: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
) -> Output {
    let plane = sandbox::with_controllers();
    let repo = Repo::new(name, plane);
    repo.write("web.yaml", web).commit("First");
    let between = Between::answering(plane, move |line| {
        let is_read = line.starts_with("GET ") && line.contains("labelSelector=");
        if is_read && line.contains("/deployments?") { answer(line) } else { None }
    });
    let apply = repo.trueup(&["apply", "--wait", "--timeout", "3m"]);
    apply.env("KUBECONFIG", between.kubeconfig()).run()
}

#[test]
fn where_watching_is_forbidden_the_list_is_asked_for_again() {
    let output =
        apply("cut-watch", WEB, |line| line.contains("watch=1").then(|| status(403, "Forbidden")));
    let output = output.exits(0);
    assert!(output.stdout.contains("1 changed, 1 ready ·"), "{output}");
    let note = "warning: Deployment.apps can't be watched, so it is listed: the Forbidden one\n";
    assert!(output.stderr.contains(note), "{output}");
}

#[test]
fn where_listing_is_forbidden_each_object_is_asked_for() {
    let output = apply("cut-list", WEB, |_| Some(status(403, "Forbidden"))).exits(0);
    assert!(output.stdout.contains("1 changed, 1 ready ·"), "{output}");
    let note =
        "warning: Deployment.apps can't be listed, so each is asked for: the Forbidden one\n";
    assert!(output.stderr.contains(note), "{output}");
}

#[test]
fn a_watch_that_is_cut_or_too_far_behind_goes_on() {
    let watches = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&watches);
    // Nobody runs its pods: it is ready once it is paused, and not before.
    let web = WEB.replace("spec:\n      cont", "spec:\n      schedulerName: nobody\n      cont");
    let output = apply("cut-cut", &web, move |line| {
        if !line.contains("watch=1") {
            return None;
        }
        let ok = |body: &str| Some(format!("HTTP/1.1 200 OK\r\n{CLOSED}{body}"));
        match seen.fetch_add(1, Ordering::Relaxed) {
            // In the middle of a line.
            0 => ok("{\"type\":\"MODIFIED\",\"obj"),
            1 => Some(status(410, "Expired")),
            2 => ok("{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410}}\n"),
            // No answer at all.
            3 => Some(String::new()),
            4 => {
                let pause = ["-n", "cut-cut", "rollout", "pause", "deployment", "web"];
                sandbox::with_controllers().kubectl(pause).exits(0);
                None
            }
            _ => None,
        }
    });
    let output = output.exits(0);
    assert!(output.stdout.contains("1 changed, 1 ready ·"), "{output}");
    assert_eq!(watches.load(Ordering::Relaxed), 5, "{output}");
}
