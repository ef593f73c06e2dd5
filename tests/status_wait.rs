//! `trueup status --wait-for`: until this commit is healthy, and no longer than it can become so.

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
