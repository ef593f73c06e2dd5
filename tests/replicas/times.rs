//! How long a take-over takes, in numbers: `docs/benchmarks.md` has them.

#![allow(clippy::print_stdout, reason = "tables for people")]

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use super::group::{Replica, repository, settled};
use super::oracle::no_two_writers;
use super::{applied, is_at_rest, spoil};
use crate::support::eventually::eventually;
use crate::support::random::Random;
use crate::support::relay::Relay;
use crate::support::sandbox;

/// How often each way to lose a replica is tried.
const RUNS: usize = 5;
const TARGETS: usize = 12;
const WAYS: [&str; 5] = ["kill -9", "SIGSTOP", "cut off", "SIGTERM", "rolling update"];

#[test]
#[ignore = "takes a quarter of an hour: run it with -- --ignored --nocapture"]
fn of_each_way_to_lose_a_replica() {
    let repo = repository("replicas-times", sandbox::bare(), TARGETS);
    let stays = Replica::start(&repo, "stays", &[]);
    settled(&[&stays], 1);
    eventually("all are applied", || applied(&repo, TARGETS));
    let mut times: BTreeMap<&str, Vec<Duration>> = BTreeMap::new();
    let mut random = Random::new(7);
    for (way, run) in WAYS.iter().flat_map(|way| (0..RUNS).map(move |run| (*way, run))) {
        let relay = Relay::start(sandbox::bare());
        let user = format!("{}-{run}", way.replace(' ', ""));
        let lost = Replica::by(&repo, &user, &relay.kubeconfig(), &[]);
        settled(&[&stays, &lost], 2);
        // At any time between two renewals and two looks.
        thread::sleep(Duration::from_millis(random.below(4_000) as u64));
        let next = (way == "rolling update").then(|| {
            let next = Replica::start(&repo, &format!("next-{run}"), &[]);
            settled(&[&stays, &lost, &next], 3);
            next
        });
        eventually("no round is under way", || is_at_rest(&repo));
        let begin = Instant::now();
        let mut left = None;
        match way {
            "kill -9" => lost.kill(),
            "SIGSTOP" => {
                lost.signal("-STOP");
                left = Some(lost);
            }
            "cut off" => {
                relay.cut(true);
                left = Some(lost);
            }
            _ => assert_eq!(lost.stop(), Some(0)),
        }
        spoil(&repo, TARGETS);
        eventually("all are put back", || applied(&repo, TARGETS));
        times.entry(way).or_default().push(begin.elapsed());
        match &left {
            Some(left) if way == "SIGSTOP" => left.signal("-CONT"),
            _ => relay.cut(false),
        }
        left.into_iter().chain(next).for_each(|it| assert_eq!(it.stop(), Some(0)));
        settled(&[&stays], 1);
    }
    no_two_writers(&repo);
    println!("| a replica is lost by | median | worst |\n|---|---|---|");
    for way in WAYS {
        let mut times = times.remove(way).unwrap();
        times.sort();
        let [median, worst] = [times[RUNS / 2], times[RUNS - 1]].map(|it| it.as_secs_f64());
        println!("| {way} | {median:.1} s | {worst:.1} s |");
    }
}

#[test]
#[ignore = "takes two minutes: run it with -- --ignored --nocapture"]
fn requests_of_a_quiet_replica() {
    let repo = repository("replicas-quiet", sandbox::bare(), TARGETS);
    let [one, two] = ["one", "two"].map(|user| Replica::start(&repo, user, &[]));
    settled(&[&one, &two], 2);
    eventually("all are applied", || applied(&repo, TARGETS));
    thread::sleep(Duration::from_secs(20));
    let count = |user: &str| -> [usize; 2] {
        let requests = repo.plane().audit_log.successes(repo.namespace());
        let its = || requests.iter().filter(|it| it.impersonated() == user);
        [its().filter(|it| it.resource() == "leases").count(), its().count()]
    };
    let before = [&one, &two].map(|it| count(&it.user));
    thread::sleep(Duration::from_secs(60));
    for (replica, [leases, all]) in [&one, &two].into_iter().zip(before) {
        let [leases_now, all_now] = count(&replica.user);
        let (leases, all) = (leases_now - leases, all_now - all);
        println!("{}: {leases} about Leases, {all} in all", replica.user);
    }
}
