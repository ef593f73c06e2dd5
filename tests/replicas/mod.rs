//! Several replicas of `trueup watch --all-targets`, on a real API server: each target is watched by one of
//! them, the others take over what a lost one had, and no two ever write to the same target.

mod group;
mod oracle;
mod times;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use http::Method;
use serde_json::json;

use self::group::{GROUP, LAW, Replica, repository, settled};
use self::oracle::{no_two_writers, writers};
use crate::support::between::Between;
use crate::support::command::Cmd;
use crate::support::eventually::eventually;
use crate::support::objects::config;
use crate::support::prometheus::get;
use crate::support::relay::Relay;
use crate::support::repo::Repo;
use crate::support::sandbox;

/// The members' Leases, each with what its annotation says of an expiry.
fn members(repo: &Repo<'_>) -> Vec<(String, bool)> {
    let query = format!("labelSelector=trueup.dev/replica-group={GROUP}");
    let leases = repo.list("lease", &query).into_iter();
    let is_over =
        |it: &serde_json::Value| !it["metadata"]["annotations"]["trueup.dev/expired"].is_null();
    leases.map(|(name, lease)| (name, is_over(&lease))).collect()
}

fn applied(repo: &Repo<'_>, targets: usize) -> bool {
    (0..targets).all(|n| repo.value(&format!("t{n}")) == "1")
}

/// Whether no round holds the lock of its target, so that no write is on its way.
fn is_at_rest(repo: &Repo<'_>) -> bool {
    let leases = repo.list("lease", "").into_iter();
    let mut locks = leases.filter(|(name, _)| name.contains("/trueup-t"));
    locks.all(|(_, lease)| lease["spec"]["holderIdentity"].as_str().is_none_or(str::is_empty))
}

/// Spoils every ConfigMap.
fn spoil(repo: &Repo<'_>, targets: usize) {
    for n in 0..targets {
        let path = format!("/api/v1/namespaces/{}/configmaps/t{n}", repo.namespace());
        let by_hand = json!({ "data": { "key": "by hand" } });
        let merge = "application/merge-patch+json";
        repo.plane().api().send(Method::PATCH, &path, merge, Some(&by_hand)).unwrap();
    }
}

#[test]
fn targets_are_shared_and_those_of_a_killed_replica_are_taken_over() {
    let repo = repository("replicas-kill", sandbox::bare(), 12);
    let one = Replica::start(&repo, "one", &["--listen", "0"]);
    let two = Replica::start(&repo, "two", &["--log-format", "json"]);
    eventually("both are members", || members(&repo).len() == 2);
    eventually("one knows two", || one.said().contains(" of 12 targets are ours, 2 replicas"));
    eventually("all are applied", || applied(&repo, 12));
    assert!(two.said().contains("\"event\":\"shared\""), "{}", two.said());
    let writers = writers(&repo);
    assert!(writers.values().any(|it| it.contains(&two.user)), "{writers:?}");
    let port = one.said();
    let port = port.split("http://127.0.0.1:").nth(1).unwrap();
    let port = port.split('/').next().unwrap().parse().unwrap();
    assert_eq!(get(port, "/healthz").0, 200);
    let (_, metrics) = get(port, "/metrics");
    let (owned, listed, known) = one.share().unwrap();
    for line in [
        format!("trueup_replica_members {known}"),
        "trueup_replica_is_member 1".to_owned(),
        format!("trueup_replica_owned_targets {owned}"),
        format!("trueup_replica_listed_targets {listed}"),
    ] {
        assert!(metrics.contains(&format!("\n{line}\n")), "{line}: {metrics}");
    }

    two.kill();
    spoil(&repo, 12);
    eventually("all are put back", || applied(&repo, 12));
    settled(&[&one], 1);
    assert_eq!(get(port, "/healthz").0, 200);
    no_two_writers(&repo);
    assert_eq!(one.stop(), Some(0));
    let left = members(&repo);
    assert!(left.iter().all(|(_, is_over)| *is_over) && left.len() == 1, "{left:?}");
}

/// A way to the server on which a process is stopped as it writes a ConfigMap `t0` for the first time.
fn stopping(pid: &Arc<AtomicU32>, signal: &'static str) -> Between {
    let pid = Arc::clone(pid);
    Between::start(sandbox::bare(), move |line| {
        let is_write = line.starts_with("PATCH ") && line.contains("/configmaps/t0");
        if is_write && !line.contains("dryRun") {
            let pid = pid.swap(0, Ordering::SeqCst);
            if pid > 0 {
                Cmd::new("kill").args([signal, &pid.to_string()]).run().exits(0);
            }
        }
    })
}

/// A repository with one target of many objects, of which some are written after the first.
fn one_large_target(name: &str) -> Repo<'static> {
    let repo = repository(name, sandbox::bare(), 1);
    for n in 1..40 {
        let more = config(&format!("t0-{n:02}"), "1");
        repo.write(&format!("t0/more-{n:02}.yaml"), more);
    }
    repo.commit("Large").write("README.md", "x").commit("Same");
    repo
}

fn is_whole(repo: &Repo<'_>) -> bool {
    repo.value("t0") == "1" && (1..40).all(|n| repo.value(&format!("t0-{n:02}")) == "1")
}

#[test]
fn a_lock_that_a_killed_replica_left_is_taken_at_once() {
    let repo = one_large_target("replicas-lock");
    let pid = Arc::new(AtomicU32::new(0));
    let between = stopping(&pid, "-KILL");
    let path = between.kubeconfig();
    let one = Replica::by(&repo, "one", &path, &["--concurrency", "1"]);
    pid.store(one.pid(), Ordering::SeqCst);
    eventually("it is killed with the lock", || pid.load(Ordering::SeqCst) == 0);
    let two = Replica::start(&repo, "two", &[]);
    eventually("all is written", || is_whole(&repo));
    settled(&[&two], 1);
    no_two_writers(&repo);
    drop(one);
}

#[test]
fn a_replica_that_stood_still_writes_nothing_after_others_took_over() {
    let repo = one_large_target("replicas-still");
    let pid = Arc::new(AtomicU32::new(0));
    let between = stopping(&pid, "-STOP");
    let path = between.kubeconfig();
    let one = Replica::by(&repo, "one", &path, &["--concurrency", "1"]);
    pid.store(one.pid(), Ordering::SeqCst);
    eventually("it stands still with the lock", || pid.load(Ordering::SeqCst) == 0);
    let two = Replica::start(&repo, "two", &[]);
    eventually("all is written", || is_whole(&repo));
    eventually("the target is another's", || two.share() == Some((1, 1, 1)));

    one.signal("-CONT");
    settled(&[&one, &two], 2);
    // It is a member again, under another identity.
    let over: Vec<bool> = members(&repo).into_iter().map(|(_, is_over)| is_over).collect();
    assert_eq!(over.iter().filter(|is_over| **is_over).count(), 1, "{over:?}");
    spoil(&repo, 1);
    eventually("the owner goes on", || repo.value("t0") == "1");
    no_two_writers(&repo);
    assert_eq!([one.stop(), two.stop()], [Some(0), Some(0)]);
}

#[test]
fn a_replica_that_is_cut_off_stops_and_comes_back() {
    let repo = repository("replicas-cut", sandbox::bare(), 8);
    let relay = Relay::start(sandbox::bare());
    let one = Replica::by(&repo, "one", &relay.kubeconfig(), &["--listen", "0"]);
    let two = Replica::start(&repo, "two", &[]);
    settled(&[&one, &two], 2);
    eventually("all are applied", || applied(&repo, 8));
    // What is on its way when the cable is pulled may arrive much later.
    eventually("no round is under way", || is_at_rest(&repo));

    relay.cut(true);
    spoil(&repo, 8);
    eventually("all are put back", || applied(&repo, 8));
    eventually("it says so", || one.said().contains("! no member of replica group shop, so "));
    settled(&[&two], 1);
    spoil(&repo, 8);
    eventually("the other one goes on", || applied(&repo, 8));
    eventually("no round is under way", || is_at_rest(&repo));

    relay.cut(false);
    settled(&[&one, &two], 2);
    spoil(&repo, 8);
    eventually("both go on", || applied(&repo, 8));
    no_two_writers(&repo);
    assert_eq!([one.stop(), two.stop()], [Some(0), Some(0)]);
}

#[test]
fn an_outage_of_the_server_costs_no_replica_its_place() {
    let repo = repository("replicas-outage", sandbox::bare(), 6);
    let relay = Relay::start(sandbox::bare());
    let [one, two] = ["one", "two"].map(|it| Replica::by(&repo, it, &relay.kubeconfig(), &[]));
    settled(&[&one, &two], 2);
    eventually("all are applied", || applied(&repo, 6));
    let before = members(&repo);
    relay.cut(true);
    for replica in [&one, &two] {
        eventually("it stops", || replica.said().contains("! no member of replica group"));
    }
    // Longer than a Lease lasts.
    thread::sleep(LAW);
    relay.cut(false);
    settled(&[&one, &two], 2);
    assert_eq!(members(&repo), before, "no one took another for dead without having seen it");
    spoil(&repo, 6);
    eventually("both go on", || applied(&repo, 6));
    no_two_writers(&repo);
}

#[test]
fn replicas_that_leave_and_come_move_targets_at_once() {
    let repo = repository("replicas-roll", sandbox::bare(), 8);
    let old: Vec<Replica> =
        ["a", "b"].iter().map(|user| Replica::start(&repo, user, &[])).collect();
    settled(&[&old[0], &old[1]], 2);
    eventually("all are applied", || applied(&repo, 8));
    // As a Deployment is rolled: one more comes, and an old one goes.
    let new: Vec<Replica> = old
        .into_iter()
        .zip(["c", "d"])
        .map(|(old, user)| {
            let new = Replica::start(&repo, user, &[]);
            eventually("it is known", || new.share().is_some_and(|(_, _, known)| known >= 2));
            assert_eq!(old.stop(), Some(0));
            new
        })
        .collect();
    settled(&[&new[0], &new[1]], 2);
    spoil(&repo, 8);
    eventually("all are put back", || applied(&repo, 8));
    no_two_writers(&repo);
    assert_eq!(members(&repo).len(), 2, "those that left took their Leases along");
}

#[test]
fn a_lease_that_is_deleted_by_hand_costs_a_group_of_one_nothing() {
    let repo = repository("replicas-hand", sandbox::bare(), 2);
    let one = Replica::start(&repo, "one", &[]);
    settled(&[&one], 1);
    eventually("all are applied", || applied(&repo, 2));
    let before = members(&repo);
    let label = format!("trueup.dev/replica-group={GROUP}");
    repo.kubectl(&["delete", "lease", "-l", &label]).exits(0);
    eventually("it has another one", || {
        let now = members(&repo);
        now.len() == 1 && now != before
    });
    spoil(&repo, 2);
    eventually("it goes on", || applied(&repo, 2));
    no_two_writers(&repo);
    assert_eq!(one.stop(), Some(0));
    assert_eq!(members(&repo), []);
}

#[test]
fn a_group_needs_several_targets_and_more_than_one_round() {
    let repo = repository("replicas-flags", sandbox::bare(), 1);
    for (args, said) in [
        (&["--replica-group", "shop"][..], "--all-targets"),
        (&["--replica-group", "shop", "--all-targets", "--once"], "--once"),
        (&["--replica-group", "Shop", "--all-targets"], "lower-case letters"),
        (&["--lease-namespace", "x", "--all-targets"], "--replica-group"),
    ] {
        let output = repo.run(&[&["watch"], args].concat()).exits(2);
        assert!(output.stderr.contains(said), "{output}");
    }
}
