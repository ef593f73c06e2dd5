//! The end of a container's log, where that says why a pod does not get ready.

use crate::support::kubelet::Kubelet;
use crate::support::repo::Repo;
use crate::support::sandbox;

/// A repository with a pod that crashes on the node `NAME-node`.
fn crashing(name: &str) -> Repo<'static> {
    let repo = Repo::new(name, sandbox::bare());
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData: {password: correct-horse-battery}\n";
    let pod = format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: job}}\nspec:\n  nodeName: {name}-node\n  containers: [{{name: main, image: registry.example/job:1}}]\n"
    );
    repo.write("db.yaml", secret).write("job.yaml", pod).commit("First");
    repo.run(&["apply"]).exits(0);
    let status = r#"{"status":{"conditions":[{"type":"Ready","status":"False"}],"containerStatuses":[{"name":"main","image":"a","imageID":"","ready":false,"restartCount":3,"state":{"waiting":{"reason":"CrashLoopBackOff"}},"lastState":{"terminated":{"exitCode":2,"reason":"Error"}}}]}}"#;
    let patch = ["patch", "pod", "job", "--subresource=status", "--type=merge", "-p", status];
    repo.kubectl(&patch).exits(0);
    repo
}

#[test]
fn a_container_that_crashes_shows_how_its_log_ends_and_no_secret_of_it() {
    let mut log: Vec<String> = (0..300).map(|line| format!("line {line}")).collect();
    log.push("connecting with correct-horse-battery".to_owned());
    log.push("\u{1b}[31mpanic: no route\u{1b}[0m".to_owned());
    let kubelet = Kubelet::start(sandbox::bare(), "logs-node", Some(log));
    let repo = crashing("logs");
    for form in ["text", "json"] {
        let output = repo.run(&["apply", "--wait", "--timeout", "1s", "-o", form]).exits(1);
        let text = output.to_string();
        assert!(text.contains("CrashLoopBackOff, exit code 2, 3 restarts"), "{output}");
        assert!(text.contains("  log: connecting with ‹secret 1›"), "{output}");
        assert!(text.contains("  log: panic: no route"), "{output}");
        assert!(!text.contains("horse") && !text.contains("[31m"), "{output}");
        assert_eq!(text.matches("log: line ").count(), 6, "only the end\n{output}");
    }
    let asked = kubelet.asked();
    let asked = asked.last().unwrap();
    assert!(asked.starts_with("GET /containerLogs/logs/job/main?"), "{asked}");
    assert!(asked.contains("previous=true"), "{asked}");
}

#[test]
fn a_node_that_does_not_answer_does_not_hold_up_the_answer() {
    let _kubelet = Kubelet::start(sandbox::bare(), "logs-silent-node", None);
    let repo = crashing("logs-silent");
    let output = repo.run(&["apply", "--wait", "--timeout", "1s"]).exits(1);
    let why = "its log can't be read: the pod's node does not answer";
    assert!(output.stdout.contains(why), "{output}");
    assert!(output.stdout.contains("exit code 2"), "{output}");
}
