//! watch while it waits: a newer commit ends the waiting, nothing is taken back for it, and it is
//! live long before the old one would have failed for good.

use std::process::{Child, Stdio};

use crate::support::eventually::eventually;
use crate::support::objects::{WEB, annotated, config};
use crate::support::repo::Repo;
use crate::support::sandbox;
use crate::support::watching::Watching;

/// A Deployment whose pods nobody schedules, which nobody calls failed for ten minutes.
fn stuck() -> String {
    WEB.replace("spec:\n      containers", "spec:\n      schedulerName: nobody\n      containers")
        .replace("replicas: 2", "replicas: 3")
}

fn commit(repo: &Repo<'_>) -> String {
    repo.git(&["rev-parse", "HEAD"]).stdout.trim().to_owned()
}

/// What the inventory's parent says, and `""` where it says nothing.
fn noted(repo: &Repo<'_>, parent: &str, name: &str) -> String {
    repo.annotation(parent, &format!("trueup.dev/{name}"))
}

/// How many replicas of the Deployment there should be.
fn replicas(repo: &Repo<'_>) -> String {
    repo.live("deployment", "web").map_or(String::new(), |web| web["spec"]["replicas"].to_string())
}

/// Pushes a bad commit and then a good one that mends it while the bad one is waited for.
fn mend(repo: &Repo<'_>, watching: &Watching, parent: &str) -> (String, String) {
    repo.write("web.yaml", stuck()).commit("Bad");
    let bad = commit(repo);
    eventually("the bad commit is there", || noted(repo, parent, "revision") == bad);
    assert_eq!(replicas(repo), "3");
    repo.write("web.yaml", WEB.replace("replicas: 2", "replicas: 1")).commit("Mended");
    let good = commit(repo);
    watching.says(&format!("… stopped waiting: {} has arrived", &good[..7]));
    eventually("the mended one is healthy", || noted(repo, parent, "healthy-revision") == good);
    assert_eq!(replicas(repo), "1");
    (bad, good)
}

#[test]
fn fixing_commit_is_pulled_while_waiting() {
    let repo = Repo::new("superseded-pull", sandbox::with_controllers());
    repo.write("web.yaml", WEB).commit("Good");
    let first = commit(&repo);
    let args = ["--on-failure", "rollback", "--wait-timeout", "10m"];
    let watching = Watching::start(&repo, &args);
    let parent = "trueup-checkout";
    eventually("it is healthy", || noted(&repo, parent, "healthy-revision") == first);
    let (bad, good) = mend(&repo, &watching, parent);
    // The cluster has the commit before the line of its round is written.
    watching.says(&format!("new commit {}", &good[..7]));
    let said = watching.said();
    assert_eq!(noted(&repo, parent, "failed-revision"), "");
    for wrong in ["rolled back", "! ", "recovered", "drift"] {
        assert_eq!(watching.times(wrong), 0, "{said:#?}");
    }
    assert_eq!(watching.times("stopped waiting"), 1, "{said:#?}");
    let begun = |commit: &str| watching.times(&format!("new commit {}", &commit[..7]));
    assert_eq!((begun(&bad), begun(&good)), (1, 1), "{said:#?}");
    assert!(said.iter().any(|line| line.contains("1 changed, 1 not ready after")), "{said:#?}");
    watching.says("1 changed, 1 ready");
    assert_eq!(watching.stop(), Some(0));
}

#[test]
fn watch_notices_a_commit_made_in_the_checkout() {
    let repo = Repo::new("superseded-local", sandbox::with_controllers());
    repo.write("web.yaml", stuck()).commit("Bad from the first");
    let bad = commit(&repo);
    let watching = Watching::in_folder(&repo, &repo.path(), &["--wait-timeout", "10m"]);
    eventually("it is there", || noted(&repo, &repo.parent(), "revision") == bad);
    repo.write("web.yaml", WEB).commit("Mended");
    watching.says("stopped waiting");
    eventually("it is healthy", || {
        noted(&repo, &repo.parent(), "healthy-revision") == commit(&repo)
    });
    assert_eq!(watching.stop(), Some(0));
}

#[test]
fn commit_with_the_same_objects_does_not_end_the_wait() {
    let repo = Repo::new("superseded-same", sandbox::with_controllers());
    repo.write("trueup.yaml", "targets:\n  superseded-same:\n    paths: [shop]\n");
    repo.write("shop/web.yaml", stuck()).commit("Bad");
    let bad = commit(&repo);
    let args = ["--target", "superseded-same", "--wait-timeout", "10m"];
    let watching = Watching::start(&repo, &args);
    eventually("it is there", || noted(&repo, &repo.parent(), "revision") == bad);
    repo.write("README.md", "Nobody's business\n").commit("Another target's");
    let other = commit(&repo);
    let head = repo.outside().join("checkout/.git/refs/heads/main");
    eventually("it is pulled", || std::fs::read_to_string(&head).unwrap().trim() == other);
    repo.write("shop/web.yaml", WEB).commit("Mended");
    let mended = commit(&repo);
    watching.says("stopped waiting");
    let said = watching.said();
    assert_eq!(
        watching.times(&format!("stopped waiting: {} has arrived", &mended[..7])),
        1,
        "{said:#?}"
    );
    let healthy = || noted(&repo, &repo.parent(), "healthy-revision") == mended;
    eventually("it is healthy", healthy);
    assert_eq!(watching.times("! "), 0, "{said:#?}");
    assert_eq!(watching.stop(), Some(0));
}

#[test]
fn new_commit_ends_the_wait_for_an_earlier_wave() {
    let repo = Repo::new("superseded-waves", sandbox::with_controllers());
    let second = |value: &str| annotated(&config("later", value), "trueup.dev/wave: '1'");
    repo.write("web.yaml", stuck()).write("later.yaml", second("1")).commit("Bad");
    let args = ["--on-failure", "rollback", "--wait-timeout", "10m"];
    let watching = Watching::in_folder(&repo, &repo.path(), &args);
    eventually("the first wave is there", || replicas(&repo) == "3");
    repo.write("web.yaml", WEB).write("later.yaml", second("2")).commit("Mended");
    watching.says("stopped waiting");
    eventually("the second wave is there", || repo.value("later") == "2");
    assert_eq!(watching.times("rolled back"), 0, "{:#?}", watching.said());
    assert_eq!(watching.stop(), Some(0));
}

#[test]
fn new_commit_ends_the_wait_for_a_foreign_lock() {
    let repo = Repo::new("superseded-lock", sandbox::bare());
    let lease = |yaml: &str| {
        let file = repo.outside().join("lease.yaml");
        std::fs::write(&file, yaml).unwrap();
        repo.kubectl(&["create", "-f", file.to_str().unwrap()]).exits(0);
    };
    lease(&format!(
        "apiVersion: coordination.k8s.io/v1\nkind: Lease\nmetadata: {{name: {}}}\nspec: {{holderIdentity: other, leaseDurationSeconds: 300}}\n",
        repo.parent()
    ));
    repo.write_config("one", "1").commit("First");
    let args = ["--lock-timeout", "10m"];
    let watching = Watching::in_folder(&repo, &repo.path(), &args);
    let looks = || {
        sandbox::bare()
            .audit_log
            .count_of(|request| request.name() == repo.parent() && request.resource() == "leases")
    };
    eventually("it looks at the lock", || looks() > 1);
    repo.write_config("one", "2").commit("Second");
    let second = commit(&repo);
    watching.says(&format!("… gave up waiting for the lock: {} has arrived", &second[..7]));
    repo.kubectl(&["delete", "lease", &repo.parent()]).exits(0);
    eventually("the second is there", || noted(&repo, &repo.parent(), "revision") == second);
    assert_eq!(watching.times("! "), 0, "{:#?}", watching.said());
    assert_eq!(watching.stop(), Some(0));
}

/// Kills `apply` while it waits for a commit that does not get ready.
fn killed(repo: &Repo<'_>) -> (String, String) {
    repo.write("web.yaml", WEB).commit("Good");
    let good = commit(repo);
    repo.run(&["apply", "--wait"]).exits(0);
    repo.write("web.yaml", stuck()).commit("Bad");
    let bad = commit(repo);
    let mut apply = repo.trueup(&["apply", "--on-failure", "rollback"]).into_inner();
    let apply = apply.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    eventually("it is there", || noted(repo, &repo.parent(), "revision") == bad);
    kill(apply);
    repo.kubectl(&["delete", "lease", &repo.parent(), "--ignore-not-found"]).exits(0);
    (good, bad)
}

fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn watch_rolls_back_after_a_killed_run() {
    let repo = Repo::new("superseded-killed", sandbox::with_controllers());
    let (good, bad) = killed(&repo);
    assert_eq!(replicas(&repo), "3");
    let args = ["--on-failure", "rollback", "--wait-timeout", "3s"];
    let watching = Watching::in_folder(&repo, &repo.path(), &args);
    watching.says(&format!(
        "! {} failed: rolled back to {}, which is healthy",
        &bad[..7],
        &good[..7]
    ));
    assert_eq!(replicas(&repo), "2");
    assert_eq!(noted(&repo, &repo.parent(), "failed-revision"), bad);
    // It was taken for that, and given back.
    let holder = ["get", "lease", &repo.parent(), "-o", "jsonpath={.spec.holderIdentity}"];
    assert_eq!(repo.kubectl(&holder).exits(0).stdout, "");
    assert_eq!(watching.stop(), Some(0));
}

#[test]
fn apply_rolls_back_after_a_killed_run() {
    let repo = Repo::new("superseded-again", sandbox::with_controllers());
    let (good, bad) = killed(&repo);
    let again = repo.run(&["apply", "--on-failure", "rollback", "--timeout", "3s"]).exits(1);
    assert!(again.stdout.contains(&format!("rolled back to {}", &good[..7])), "{again}");
    assert_eq!(replicas(&repo), "2");
    assert_eq!(noted(&repo, &repo.parent(), "failed-revision"), bad);
    repo.kubectl(&["get", "lease", &repo.parent()]).exits(0);
}

#[test]
fn unhealthy_commit_is_waited_for_once() {
    let repo = Repo::new("superseded-once", sandbox::with_controllers());
    repo.write("web.yaml", stuck()).commit("Bad");
    repo.run(&["apply", "--no-wait"]).exits(0);
    let watching = Watching::in_folder(&repo, &repo.path(), &["--wait-timeout", "1s"]);
    watching.says("! Deployment superseded-once/web is not ready");
    let watches = || {
        let applyset = repo.applyset();
        sandbox::with_controllers()
            .audit_log
            .count_of(|request| request.uri.contains("watch=1") && request.uri.contains(&applyset))
    };
    let (before, rounds) = (watches(), repo.rounds());
    assert_eq!(before, 1);
    eventually("more rounds", || repo.rounds() > rounds + 4);
    assert_eq!(watches(), before, "{:#?}", watching.said());
    assert_eq!(watching.stop(), Some(0));
}
