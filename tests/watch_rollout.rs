//! watch while a rollout is waited for: drift is put back, and a rollout that fails is taken back at its
//! deadline all the same.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::Value;

use crate::support::between::Between;
use crate::support::command::Cmd;
use crate::support::eventually::eventually;
use crate::support::objects::WEB;
use crate::support::repo::Repo;
use crate::support::sandbox;
use crate::support::watching::Watching;

fn by_hand(repo: &Repo<'_>, name: &str) {
    repo.edit(&["configmap", name], "s/key: \".*\"/key: \"by hand\"/").exits(0);
}

/// The inventory's parent of a watched clone.
const PARENT: &str = "trueup-checkout";

fn noted(repo: &Repo<'_>, name: &str) -> String {
    repo.annotation(PARENT, &format!("trueup.dev/{name}"))
}

#[test]
fn drift_is_put_back_while_a_rollout_is_waited_for() {
    // Without controllers no Deployment ever gets ready.
    let repo = Repo::new("rollout-drift", sandbox::bare());
    repo.write_config("one", "1").write("web.yaml", WEB).commit("First");
    let watching = Watching::start(&repo, &["--wait-timeout", "10m"]);
    let head = repo.git(&["rev-parse", "HEAD"]).stdout.trim().to_owned();
    eventually("it is applied", || noted(&repo, "revision") == head);
    for _ in 0..2 {
        by_hand(&repo, "one");
        watching.says("drift: ConfigMap rollout-drift/one data.key by hand → 1, put back");
        assert_eq!(repo.value("one"), "1");
    }
    repo.delete_config_map("one");
    watching.says("drift: ConfigMap rollout-drift/one gone, put back");
    assert_eq!(watching.times("changed"), 0, "it waits still: {:#?}", watching.said());

    // A new commit does not wait for the end either.
    repo.write_config("one", "2").commit("Second");
    watching.says("… stopped waiting");
    eventually("the new commit is applied", || repo.value("one") == "2");
    by_hand(&repo, "one");
    watching.says("drift: ConfigMap rollout-drift/one data.key by hand → 2, put back");
    assert_eq!(watching.times("! "), 0, "{:#?}", watching.said());
    assert_eq!(watching.stop(), Some(0));
}

#[test]
fn failing_rollout_is_rolled_back_at_its_deadline_though_drift_was_put_back() {
    let repo = Repo::new("rollout-back", sandbox::bare());
    repo.write_config("one", "1").commit("Good");
    let good = repo.git(&["rev-parse", "HEAD"]).stdout.trim().to_owned();
    let args = ["--on-failure", "rollback", "--wait-timeout", "20s"];
    let watching = Watching::start(&repo, &args);
    eventually("it is healthy", || noted(&repo, "healthy-revision") == good);
    repo.write_config("one", "2").write("web.yaml", WEB).commit("Bad");
    let bad = repo.git(&["rev-parse", "HEAD"]).stdout.trim().to_owned();
    eventually("it is applied", || noted(&repo, "revision") == bad);
    by_hand(&repo, "one");
    watching.says("drift: ConfigMap rollout-back/one data.key by hand → 2, put back");
    let back = format!("! {} failed: rolled back to {}", &bad[..7], &good[..7]);
    watching.says(&back);
    assert_eq!((repo.value("one").as_str(), noted(&repo, "failed-revision")), ("1", bad));
    by_hand(&repo, "one");
    watching.says("drift: ConfigMap rollout-back/one data.key by hand → 1, put back");
    assert_eq!(watching.times(&back), 1, "{:#?}", watching.said());
    assert_eq!(watching.stop(), Some(0));
}

/// A process that is paused after it has looked at its Lease may go on when another run has it.
#[test]
fn nothing_is_put_back_once_the_lock_may_be_anothers() {
    let repo = Repo::new("rollout-lock", sandbox::bare());
    repo.write_config("one", "1").write("web.yaml", WEB).commit("First");
    let (is_old, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let (old, heard) = (Arc::clone(&is_old), Arc::clone(&asked));
    let between = Between::answering(sandbox::bare(), move |line| {
        let is_asked = line.starts_with("GET ") && line.contains("/leases/trueup-rollout-lock");
        if !is_asked || !old.load(Ordering::SeqCst) {
            return None;
        }
        heard.fetch_add(1, Ordering::SeqCst);
        let plane = sandbox::bare();
        let get = ["-n", "rollout-lock", "get", "lease", "trueup-rollout-lock", "-o", "json"];
        let lease = Cmd::new(&plane.kubectl).env("KUBECONFIG", &plane.kubeconfig).args(get).run();
        let mut lease: Value = serde_json::from_str(&lease.stdout).unwrap();
        lease["spec"]["renewTime"] = "2026-01-01T00:00:00.000000Z".into();
        let text = lease.to_string();
        Some(format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\
             Content-Length: {}\r\n\r\n{text}",
            text.len()
        ))
    });
    let watch = ["watch", "--interval", "0.2", "--no-watch-api", "--wait-timeout", "10m"];
    let watch = repo.trueup(&watch).env("KUBECONFIG", between.kubeconfig());
    let watching = Watching::running(&repo, watch);
    let revision = || repo.annotation(&repo.parent(), "trueup.dev/revision");
    let head = repo.git(&["rev-parse", "HEAD"]).stdout.trim().to_owned();
    eventually("it is applied", || revision() == head);
    is_old.store(true, Ordering::SeqCst);
    by_hand(&repo, "one");
    eventually("it is looked for drift", || asked.load(Ordering::SeqCst) > 3);
    assert_eq!(repo.value("one"), "by hand");
    is_old.store(false, Ordering::SeqCst);
    watching.says("drift: ConfigMap rollout-lock/one data.key by hand → 1, put back");
    assert_eq!(watching.stop(), Some(0));
}
