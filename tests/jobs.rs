//! A Job whose TTL takes it away runs once for each declaration, however often the cluster is made
//! true.

use crate::support::eventually::eventually;
use crate::support::repo::Repo;
use crate::support::sandbox;

const ERRAND: &str = "apiVersion: batch/v1
kind: Job
metadata: {name: errand}
spec:
  ttlSecondsAfterFinished: 0
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers: [{name: c, image: 'registry.example/errand:1', command: ['true']}]
";

/// How often the Job was sent to be made.
fn runs(repo: &Repo<'_>) -> usize {
    sandbox::with_controllers().audit_log.count_of(|request| {
        request.verb == "patch"
            && request.resource() == "jobs"
            && request.namespace() == repo.namespace()
            && request.is_ours()
            && !request.is_dry_run()
    })
}

fn until_gone(repo: &Repo<'_>) {
    let get = ["get", "job", "errand", "--ignore-not-found", "-o", "name"];
    eventually("the Job is gone", || repo.kubectl(&get).stdout.is_empty());
}

#[test]
fn a_job_with_a_ttl_runs_once_until_git_changes_it() {
    let repo = Repo::new("jobs-once", sandbox::with_controllers());
    let after = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: after\n  annotations: {config.kubernetes.io/depends-on: batch/namespaces/jobs-once/Job/errand}\n";
    repo.write("j.yaml", ERRAND).write("after.yaml", after).commit("First");
    for _ in 0..3 {
        repo.run(&["watch", "--once"]).exits(0);
        until_gone(&repo);
    }
    assert_eq!(runs(&repo), 1);
    let diff = repo.run(&["diff"]).exits(0);
    assert!(diff.stdout.contains("it finished, and its TTL removed it"), "{diff}");
    assert!(diff.stdout.contains("to run it again, change it in git"), "{diff}");
    let writes = repo.writes();
    repo.run(&["apply", "--wait"]).exits(0);
    assert_eq!(repo.writes(), writes);

    // What depends on it goes on.
    repo.delete_config_map("after");
    repo.run(&["apply", "--wait"]).exits(0);
    assert!(repo.config_map("after").is_some());
    assert_eq!(runs(&repo), 1);

    repo.write("j.yaml", ERRAND.replace("errand:1", "errand:2")).commit("Another errand");
    for _ in 0..2 {
        repo.run(&["apply", "--wait"]).exits(0);
        until_gone(&repo);
    }
    assert_eq!(runs(&repo), 2);

    let finished = || repo.annotation(&repo.parent(), "trueup.dev/finished-jobs");
    assert!(finished().starts_with("{\"jobs-once/errand\":\""), "{}", finished());
    repo.remove("j.yaml").remove("after.yaml").write_config("other", "1");
    repo.commit("No errand").run(&["apply"]).exits(0);
    assert_eq!(finished(), "");
}

/// What fails beside it does not make it run again.
#[test]
fn a_job_runs_once_where_something_else_fails_each_time() {
    let repo = Repo::new("jobs-beside", sandbox::with_controllers());
    let bad =
        "apiVersion: v1\nkind: Service\nmetadata: {name: bad}\nspec: {ports: [{port: 99999}]}\n";
    repo.write("j.yaml", ERRAND).write("bad.yaml", bad).commit("First");
    for _ in 0..3 {
        repo.run(&["watch", "--once"]).exits(1);
        until_gone(&repo);
    }
    assert_eq!(runs(&repo), 1);
}

/// One that failed is not done: what comes after it would go on without it.
#[test]
fn a_job_that_failed_and_is_gone_runs_again() {
    let repo = Repo::new("jobs-failed", sandbox::with_controllers());
    // Its pods never start, so its time is up.
    let late = "restartPolicy: Never\n      schedulerName: nowhere";
    let bad = ERRAND.replace("restartPolicy: Never", late);
    let bad = bad.replace("backoffLimit: 0", "backoffLimit: 0\n  activeDeadlineSeconds: 1");
    repo.write("j.yaml", bad).commit("First");
    for times in 1..3 {
        let failed = repo.run(&["apply", "--wait"]).exits(1);
        assert!(failed.stdout.contains("Job jobs-failed/errand failed"), "{failed}");
        until_gone(&repo);
        assert_eq!(runs(&repo), times);
    }
}
