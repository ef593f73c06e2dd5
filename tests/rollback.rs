//! --on-failure rollback, on a control plane whose controllers make things ready or not: all of the
//! last healthy commit comes back, and watch leaves the bad one alone until there is another.

use serde_json::Value;

use crate::support::command::Output;
use crate::support::objects::{WEB, namespace};
use crate::support::repo::Repo;
use crate::support::sandbox;

/// A repository on a control plane with controllers.
fn repo(name: &str) -> Repo<'static> {
    Repo::new(name, sandbox::with_controllers())
}

/// Apply with a rollback, and a wait that is long enough to get ready.
const APPLY: [&str; 5] = ["apply", "--on-failure", "rollback", "--timeout", "20s"];
/// A round of watch with the same.
const WATCH: [&str; 6] = ["watch", "--once", "--on-failure", "rollback", "--wait-timeout", "20s"];

/// A Deployment of which it is soon known that nobody schedules its pods.
fn bad() -> String {
    let spec = "spec:\n      schedulerName: nobody\n      containers";
    WEB.replace("spec:\n      containers", spec)
        .replace("replicas: 2", "replicas: 3\n  progressDeadlineSeconds: 1")
}

/// A healthy commit, and a bad one after it that adds an object and takes one away.
fn good_and_bad(repo: &Repo<'_>) -> (String, String) {
    repo.write("web.yaml", WEB).write_config("stays", "1").write_config("goes", "1");
    repo.commit("Good");
    repo.run(&APPLY).exits(0);
    repo.write("web.yaml", bad()).write_config("stays", "2").write_config("comes", "2");
    repo.remove("goes.yaml").commit("Bad");
    (commit(repo, "HEAD~1"), commit(repo, "HEAD"))
}

fn commit(repo: &Repo<'_>, name: &str) -> String {
    repo.git(&["rev-parse", name]).stdout.trim().to_owned()
}

/// What the inventory's parent remembers.
fn past(repo: &Repo<'_>, name: &str) -> String {
    repo.annotation(&repo.parent(), &format!("trueup.dev/{name}"))
}

/// The members, the value of one, and how many replicas of the Deployment there should be.
fn state(repo: &Repo<'_>) -> String {
    let replicas = ["get", "deployment", "web", "-o", "jsonpath={.spec.replicas}"];
    let value = repo.value("stays");
    let replicas = repo.kubectl(&replicas).exits(0).stdout;
    format!("{} {value} {replicas}", repo.members("configmap,deployment").join(" "))
}

const GOOD: &str = "configmap/goes configmap/stays deployment.apps/web 1 2";

#[track_caller]
fn ends_with(output: &Output, text: &str) {
    let last = output.stdout.lines().last().unwrap_or_default();
    assert!(output.stdout.replace("\n    ", " ").contains(text), "{last}\n{output}");
}

#[test]
fn rollback_restores_the_healthy_commit_until_the_next() {
    let repo = repo("rollback-all");
    let (good, bad) = good_and_bad(&repo);
    assert_eq!(
        (past(&repo, "revision"), past(&repo, "healthy-revision")),
        (good.clone(), good.clone())
    );
    assert!(past(&repo, "applied-by").contains('@'));
    assert!(past(&repo, "applied-at").parse::<jiff::Timestamp>().is_ok());
    assert!(past(&repo, "healthy-at").parse::<jiff::Timestamp>().is_ok());
    assert_eq!(state(&repo), GOOD);

    let output = repo.run(&APPLY).exits(1);
    assert!(output.stdout.contains("! Deployment rollback-all/web failed"), "{output}");
    let (to, from) = (&good[..7], &bad[..7]);
    let end = format!(
        "rollback-all is NOT at {from}: web did not get ready; rolled back to {to}, which is healthy"
    );
    ends_with(&output, &end);
    assert_eq!(state(&repo), GOOD);
    assert_eq!(
        (past(&repo, "revision"), past(&repo, "failed-revision")),
        (good.clone(), bad.clone())
    );
    assert_eq!(past(&repo, "healthy-revision"), good);

    // Each is a watch of its own, which has only the cluster to know it from.
    let writes = repo.writes();
    for _ in 0..2 {
        let stays = repo.run(&WATCH).exits(1);
        let line = format!("! stays at {to} until there is a commit after {from}, which failed\n");
        assert!(stays.stdout.ends_with(&line), "{stays}");
        assert_eq!(stays.stdout.lines().count(), 1, "{stays}");
    }
    assert_eq!(repo.writes(), writes);
    repo.delete_config_map("goes");
    let corrected = repo.run(&WATCH).exits(1);
    assert!(
        corrected.stdout.contains("drift: ConfigMap rollback-all/goes gone, put back"),
        "{corrected}"
    );
    assert_eq!(state(&repo), GOOD);

    repo.write("web.yaml", WEB.replace("replicas: 2", "replicas: 1")).commit("Mended");
    let mended = repo.run(&WATCH).exits(0);
    assert!(mended.stdout.contains("3 ready"), "{mended}");
    assert_eq!(state(&repo), "configmap/comes configmap/stays deployment.apps/web 2 1");
    assert_eq!(past(&repo, "healthy-revision"), commit(&repo, "HEAD"));
    assert_eq!(past(&repo, "failed-revision"), "");
}

#[test]
fn watch_rolls_back_and_reports_once() {
    let repo = repo("rollback-watch");
    let (good, bad) = good_and_bad(&repo);
    let log = repo.outside().join("log");
    let watch = ["watch", "--interval", "0.2", "--on-failure", "rollback", "--wait-timeout", "20s"];
    let mut watch = repo.trueup(&watch).into_inner();
    let mut watch = watch.stdout(std::fs::File::create(&log).unwrap()).spawn().unwrap();
    let said = || std::fs::read_to_string(&log).unwrap();
    let (to, from) = (&good[..7], &bad[..7]);
    crate::support::eventually::eventually("it goes back", || said().contains("stays at"));
    let rounds = repo.rounds();
    crate::support::eventually::eventually("more rounds", || repo.rounds() > rounds + 4);
    let told = said();
    watch.kill().unwrap();
    let _ = watch.wait();
    let back = format!("! {from} failed: rolled back to {to}, which is healthy\n");
    assert_eq!(told.matches(&back).count(), 1, "{told}");
    assert_eq!(told.matches("stays at").count(), 1, "{told}");
    assert_eq!(state(&repo), GOOD);

    // By hand it may be tried again.
    let again = repo.run(&["apply", "--wait", "--timeout", "20s"]).exits(1);
    assert!(!again.stdout.contains("rolled back"), "{again}");
    assert_eq!((past(&repo, "revision"), past(&repo, "failed-revision")), (bad, String::new()));
}

#[test]
fn no_rollback_without_a_healthy_commit() {
    let repo = repo("rollback-first");
    repo.write("web.yaml", bad()).commit("Bad");
    let output = repo.run(&APPLY).exits(1);
    ends_with(&output, "web did not get ready; not rolled back: no commit was healthy before");
    assert_eq!(repo.members("deployment"), ["deployment.apps/web"]);
    assert_eq!(past(&repo, "healthy-revision"), "");
}

#[test]
fn rollback_respects_guards_and_reports_unhealthy_objects() {
    let repo = repo("rollback-guard");
    good_and_bad(&repo);
    let home = namespace("rollback-guard-more");
    repo.write("more.yaml", home).commit("Bad, and a namespace");
    let guarded = repo.run(&APPLY).exits(1);
    assert!(guarded.stdout.contains("--allow-delete Namespace"), "{guarded}");
    ends_with(&guarded, "is incomplete: 1 refused");
    assert_eq!(past(&repo, "failed-revision"), commit(&repo, "HEAD"));

    // Nothing more fits, so nothing gets ready any more.
    let quota = ["create", "quota", "none", "--hard=pods=0"];
    repo.kubectl(&quota).exits(0);
    repo.remove("more.yaml").write_config("stays", "3").commit("Bad again");
    repo.kubectl(&["delete", "pods", "--all", "--force", "--grace-period=0"]).exits(0);
    let args = ["apply", "--on-failure", "rollback", "--timeout", "8s", "-o", "json"];
    let unhealthy = repo.run(&[&args[..], &["--allow-delete", "Namespace"]].concat()).exits(1);
    let document: Value = serde_json::from_str(&unhealthy.stdout).unwrap();
    let rollback = &document["report"]["rollback"];
    assert_eq!(rollback["code"], "unhealthy");
    let message = rollback["message"].as_str().unwrap();
    assert!(message.ends_with(", which is not healthy either"), "{unhealthy}");
    assert_eq!(rollback["to"], past(&repo, "healthy-revision").as_str());
    assert_eq!(rollback["report"]["at_commit"], true);
    assert_ne!(rollback["report"]["health"]["ended"], "ready");
}

#[test]
fn rollback_to_a_missing_commit_names_it() {
    let repo = repo("rollback-gone");
    repo.write_config("root", "1").commit("Root");
    let (good, _) = good_and_bad(&repo);
    repo.git(&["reset", "--quiet", "--soft", "HEAD~2"]);
    repo.commit("The same in another history");
    repo.git(&["reflog", "expire", "--expire=now", "--all"]);
    repo.git(&["gc", "--quiet", "--prune=now"]);
    let output = repo.run(&APPLY).exits(1);
    let end = format!(
        "not rolled back: {}, the last healthy commit, is not in this checkout",
        &good[..7]
    );
    ends_with(&output, &end);
}

#[test]
fn rolled_back_commit_is_not_applied_again_by_default() {
    let repo = repo("rollback-binds");
    let (good, bad) = good_and_bad(&repo);
    repo.run(&APPLY).exits(1);
    assert_eq!(past(&repo, "failed-revision"), bad);
    let line = format!(
        "! stays at {} until there is a commit after {}, which failed\n",
        &good[..7],
        &bad[..7]
    );

    // Neither says anything of going back, and one is on a machine of its own.
    let other = repo.outside().join("other");
    repo.git(&["clone", "--quiet", ".", other.to_str().unwrap()]);
    let once = ["watch", "--once", "--wait-timeout", "20s", "--name", repo.namespace()];
    for folder in [repo.path(), other] {
        let stays = repo.trueup(&once).dir(&folder).run().exits(1);
        assert!(stays.stdout.ends_with(&line), "{stays}");
        assert_eq!(state(&repo), GOOD, "{stays}");
    }

    // It is said before anything is waited for: the pods of the healthy commit never get ready.
    let quota = ["create", "quota", "none", "--hard=pods=0"];
    repo.kubectl(&quota).exits(0);
    repo.kubectl(&["delete", "pods", "--all", "--force", "--grace-period=0"]).exits(0);
    repo.delete_config_map("goes");
    let log = repo.outside().join("log");
    let watch = ["watch", "--interval", "0.2", "--wait-timeout", "5m"];
    let mut watch = repo.trueup(&watch).into_inner();
    let mut watch = watch.stdout(std::fs::File::create(&log).unwrap()).spawn().unwrap();
    let said = || std::fs::read_to_string(&log).unwrap();
    crate::support::eventually::eventually("it is told", || said().contains("stays at"));
    assert!(!said().contains("drift"), "{}", said());
    watch.kill().unwrap();
    let _ = watch.wait();
    repo.kubectl(&["delete", "lease", &repo.parent()]);
    repo.kubectl(&["delete", "quota", "none"]).exits(0);

    let cron = repo.run(&["apply", "--yes", "--timeout", "20s"]).exits(1);
    let why = "it failed before, and --yes does not try it again";
    assert!(cron.stdout.contains(why), "{cron}");
    let diff = repo.run(&["diff"]).exits(1);
    assert!(diff.stderr.contains("failed before and was rolled back"), "{diff}");
    assert!(state(&repo).ends_with("deployment.apps/web 1 2"), "{cron}");
    assert_eq!(past(&repo, "failed-revision"), bad);

    let named = repo.run(&["apply", "--yes", "--rev", "HEAD"]).exits(0);
    assert!(named.stderr.contains("failed before and was rolled back"), "{named}");
    assert_eq!(past(&repo, "failed-revision"), "");
}
