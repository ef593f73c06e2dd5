//! Two at once: the lock of an inventory, how it is waited for, taken over and lost, and what it
//! costs. Every test is on a real API server; nobody's clock is asked.

use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::support::between::Between;
use crate::support::command::{Cmd, Output};
use crate::support::eventually::eventually;
use crate::support::objects::namespace;
use crate::support::repo::Repo;
use crate::support::sandbox;

/// A run that stands still before it makes ConfigMap `held`, until it is let go.
struct Slow {
    child: Child,
    is_there: Arc<AtomicBool>,
    go: Arc<AtomicBool>,
    _between: Between,
}

impl Slow {
    fn start(repo: &Repo<'_>, args: &[&str]) -> Self {
        let (is_there, go) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (there, gone) = (Arc::clone(&is_there), Arc::clone(&go));
        let between = Between::start(sandbox::bare(), move |line| {
            if line.starts_with("PATCH ")
                && line.contains("/configmaps/held?")
                && !line.contains("dryRun")
            {
                there.store(true, Ordering::Relaxed);
                while !gone.load(Ordering::Relaxed) {
                    thread::sleep(Duration::from_millis(5));
                }
            }
        });
        let mut command = repo.trueup(args).env("KUBECONFIG", between.kubeconfig()).into_inner();
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let slow = Self { child: command.spawn().unwrap(), is_there, go, _between: between };
        eventually("it writes", || slow.is_there.load(Ordering::Relaxed));
        slow
    }

    fn let_go(self) -> Output {
        self.go.store(true, Ordering::Relaxed);
        self.child.wait_with_output().unwrap().into()
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.go.store(true, Ordering::Relaxed);
    }
}

/// A field of the lock.
fn lease(repo: &Repo<'_>, path: &str) -> String {
    let path = format!("jsonpath={{{path}}}");
    repo.kubectl(&["get", "lease", &repo.parent(), "-o", &path]).stdout
}

/// Makes the lock somebody else's, renewed at a time of that one's own clock.
fn hold(repo: &Repo<'_>, holder: &str, renewed: &str, seconds: u32) {
    repo.kubectl(&["delete", "lease", &repo.parent(), "--ignore-not-found"]).exits(0);
    let text = format!(
        "apiVersion: coordination.k8s.io/v1\nkind: Lease\nmetadata: {{name: {}}}\nspec: {{holderIdentity: {holder}, leaseDurationSeconds: {seconds}, renewTime: '{renewed}', acquireTime: '{renewed}'}}\n",
        repo.parent()
    );
    let file = repo.outside().join("lease.yaml");
    std::fs::write(&file, text).unwrap();
    repo.kubectl(&["create", "-f", file.to_str().unwrap()]).exits(0);
}

/// How many requests for the lock there were.
fn lock_requests(repo: &Repo<'_>) -> Vec<String> {
    let requests = sandbox::bare().audit_log.requests();
    let here = requests.iter().filter(|request| {
        request.resource() == "leases" && request.uri.contains(&format!("/{}/", repo.namespace()))
    });
    here.map(|request| request.verb.clone()).collect()
}

/// What the ConfigMaps of the inventory say.
fn values(repo: &Repo<'_>) -> String {
    let members = repo.members("configmap").into_iter();
    let names = members.map(|member| member.trim_start_matches("configmap/").to_owned());
    names.map(|name| format!("{name}={} ", repo.value(&name))).collect()
}

#[test]
fn second_run_waits_for_the_lock_and_plans_again() {
    let repo = Repo::new("lease-two", sandbox::bare());
    repo.write_config("held", "1").write_config("goes", "1").write_config("both", "1");
    repo.commit("First");
    repo.remove("goes.yaml").write_config("comes", "2").write_config("both", "2");
    repo.write_config("held", "2").commit("Second");

    let first = Slow::start(&repo, &["apply", "--rev", "HEAD~1", "--concurrency", "1"]);
    let said = repo.outside().join("said");
    let mut second = repo.trueup(&["apply"]).into_inner();
    second.stdout(Stdio::null()).stderr(std::fs::File::create(&said).unwrap());
    let mut second = second.spawn().unwrap();
    let commit = repo.git(&["rev-parse", "HEAD~1"]).stdout[..7].to_owned();
    let waits = || std::fs::read_to_string(&said).unwrap();
    eventually("the second waits", || waits().contains("waits up to 1m for "));
    assert!(
        waits().contains(&format!("(pid {}), who applies {commit}", first.child.id())),
        "{}",
        waits()
    );

    let other = Repo::new("lease-two-other", sandbox::bare());
    other.write_config("one", "1").commit("Another target");
    other.run(&["apply", "--lock-timeout", "0"]).exits(0);
    let refused = repo.run(&["apply", "--lock-timeout", "0"]).exits(2);
    assert!(
        refused.stderr.contains("error: the inventory trueup-lease-two is locked by "),
        "{refused}"
    );
    assert!(refused.stderr.contains("raise --lock-timeout"), "{refused}");
    repo.run(&["diff"]).exits(1);

    first.let_go().exits(0);
    assert_eq!(second.wait().unwrap().code(), Some(0));
    assert_eq!(values(&repo), "both=2 comes=2 held=2 ");
    assert_eq!(lease(&repo, ".spec.holderIdentity"), "", "it was given back");
}

#[test]
fn plan_without_a_possible_write_takes_no_lock() {
    let repo = Repo::new("lease-nothing", sandbox::bare());
    repo.write_config("one", "1").commit("First");
    repo.run(&["apply"]).exits(0);
    let account = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: later, annotations: {trueup.dev/wave: '1'}}\n";
    let number = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\ndata: {key: 3}\n";
    repo.write("later.yaml", account).write("one.yaml", number).commit("Second");
    let writes = repo.writes();
    for verb in [&["apply"][..], &["watch", "--once"], &["apply", "--on-failure", "rollback"]] {
        let output = repo.run(verb).exits(1);
        assert!(output.stdout.contains("expected string"), "{output}");
        assert_eq!(repo.writes(), writes, "{output}");
    }
    let apply = repo.run(&["apply"]).exits(1);
    let why = "ConfigMap lease-nothing/one of an earlier wave is refused";
    assert!(apply.stdout.contains(why), "{apply}");
    assert_eq!(repo.writes(), writes, "{apply}");

    // What does not wait for it is done, and needs the lock.
    repo.write_config("other", "1").commit("Third");
    repo.run(&["apply"]).exits(1);
    assert_eq!(values(&repo), "one=1 other=1 ");
    assert!(repo.writes() > writes);
}

#[test]
fn the_lock_costs_three_requests_where_something_is_written_and_none_elsewhere() {
    let repo = Repo::new("lease-cost", sandbox::bare());
    repo.write_config("one", "1").commit("First");
    repo.run(&["apply"]).exits(0);
    assert_eq!(lock_requests(&repo), ["get", "create", "update"]);
    repo.run(&["apply"]).exits(0);
    repo.run(&["diff"]).exits(0);
    repo.run(&["watch", "--once"]).exits(0);
    // What was there already is healthy, and that is noted once.
    let noted = ["get", "create", "update", "get", "update", "update"];
    assert_eq!(lock_requests(&repo), noted);
    let writes = repo.writes();
    for verb in [&["watch", "--once"][..], &["apply", "--wait"], &["diff"]] {
        repo.run(verb).exits(0);
    }
    assert_eq!(repo.writes(), writes);
    assert_eq!(lock_requests(&repo), noted);

    repo.write_config("two", "2").remove("one.yaml").commit("Second");
    repo.run(&["apply"]).exits(0);
    assert_eq!(lock_requests(&repo).len(), 9);
    assert_eq!(lease(&repo, ".metadata.labels"), "", "it is no member, and is never pruned");
    assert_eq!(lease(&repo, ".spec.leaseTransitions"), "3");
}

#[test]
fn a_run_that_was_killed_is_waited_for_until_its_lock_has_ended() {
    let repo = Repo::new("lease-killed", sandbox::bare());
    repo.write_config("held", "1").commit("First");
    Slow::start(&repo, &["apply"]).kill();
    let at_once = repo.run(&["apply", "--lock-timeout", "1s"]).exits(2);
    assert!(at_once.stderr.contains("waits up to 1s for "), "{at_once}");
    assert!(at_once.stderr.contains("is locked by "), "{at_once}");
    let before = lock_requests(&repo).len();
    let next = repo.run(&["apply"]).exits(0);
    assert!(next.stderr.contains("waits up to 1m for "), "{next}");
    assert_eq!(values(&repo), "held=1 ");
    let requests = &lock_requests(&repo)[before..];
    let asked = requests.iter().filter(|verb| *verb == "get").count();
    assert!(requests.contains(&"watch".to_owned()), "{requests:?}");
    assert!(asked <= 5, "half a minute is not asked away second by second: {requests:?}");
}

#[test]
fn clock_of_the_lease_holder_is_ignored() {
    let late = Repo::new("lease-late", sandbox::bare());
    let early = Repo::new("lease-early", sandbox::bare());
    let now = jiff::Timestamp::now();
    thread::scope(|scope| {
        for (repo, hours) in [(&late, -1), (&early, 1)] {
            let time = now + jiff::SignedDuration::from_hours(hours);
            scope.spawn(move || {
                repo.write_config("one", "1").commit("First");
                hold(repo, "robot", &format!("{time:.6}"), 30);
                let at_once = repo.run(&["apply", "--lock-timeout", "1s"]).exits(2);
                assert!(at_once.stderr.contains("is locked by robot\n"), "{at_once}");
                let later = repo.run(&["apply"]).exits(0);
                assert!(later.stderr.contains("waits up to 1m for robot\n"), "{later}");
                assert_eq!(values(repo), "one=1 ");
            });
        }
    });
}

#[test]
fn run_that_loses_its_lease_stops_before_the_next_write() {
    let repo = Repo::new("lease-lost", sandbox::bare());
    repo.write_config("held", "1");
    let goes = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: later, annotations: {config.kubernetes.io/depends-on: /namespaces/lease-lost/ConfigMap/held}}\n";
    repo.write("later.yaml", goes).commit("First");
    let looked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&looked);
    let between = Between::start(sandbox::bare(), move |line| {
        if line.contains("/leases") {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let is_held = line.contains("/configmaps/held?") && !line.contains("dryRun");
        if line.starts_with("PATCH ") && is_held {
            // It was taken with two requests; the renewal is refused, and it looks whose it is.
            let taken = count.load(Ordering::Relaxed);
            let steal = r#"{"spec":{"holderIdentity":"thief"}}"#;
            let lease = ["-n", "lease-lost", "patch", "lease", "trueup-lease-lost", "-p", steal];
            sandbox::bare().kubectl(lease).exits(0);
            eventually("it sees that", || count.load(Ordering::Relaxed) >= taken + 2);
            thread::sleep(Duration::from_secs(1));
        }
    });
    let apply = repo.trueup(&["apply"]).env("KUBECONFIG", between.kubeconfig()).run().exits(1);
    assert!(apply.stdout.contains("? ConfigMap  lease-lost/later  not tried"), "{apply}");
    assert!(apply.stdout.contains("the lock was lost to thief"), "{apply}");
    assert!(apply.stdout.contains("lost the lock to thief"), "{apply}");
    assert!(looked.load(Ordering::Relaxed) < 10);
    assert_eq!(values(&repo), "held=1 ");
    assert_eq!(lease(&repo, ".spec.holderIdentity"), "thief", "it is left alone");
}

/// It stands still right after a write of it has failed for now, until another run has been there.
#[test]
fn a_run_that_stood_still_does_not_repeat_a_write_once_its_lease_is_over() {
    let repo = Repo::new("lease-still", sandbox::bare());
    repo.write_config("held", "1").commit("First");
    let (pid, tries) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicUsize::new(0)));
    let (its, tried) = (Arc::clone(&pid), Arc::clone(&tries));
    let between = Between::answering(sandbox::bare(), move |line| {
        let is_write = line.starts_with("PATCH ") && line.contains("/configmaps/held?");
        if !is_write || line.contains("dryRun") {
            return None;
        }
        tried.fetch_add(1, Ordering::SeqCst);
        eventually("its process is known", || its.load(Ordering::SeqCst) > 0);
        let pid = its.load(Ordering::SeqCst).to_string();
        Cmd::new("kill").args(["-STOP", &pid]).run().exits(0);
        let head = "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0";
        Some(format!("{head}\r\n\r\n"))
    });
    let mut first = repo.trueup(&["apply"]).env("KUBECONFIG", between.kubeconfig()).into_inner();
    let first = first.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    pid.store(first.id(), Ordering::SeqCst);
    eventually("it stands still", || tries.load(Ordering::SeqCst) == 1);
    repo.write_config("held", "2").commit("Second");
    let second = repo.run(&["apply"]).exits(0);
    assert!(second.stderr.contains("waits up to 1m for "), "{second}");

    Cmd::new("kill").args(["-CONT", &first.id().to_string()]).run().exits(0);
    let first: Output = first.wait_with_output().unwrap().into();
    assert!(first.stdout.contains("nothing is written: the lock was lost to "), "{first}");
    assert_eq!(tries.load(Ordering::SeqCst), 1, "no write is sent again: {first}");
    assert_eq!(values(&repo), "held=2 ");
    first.exits(1);
}

#[test]
fn apply_without_lease_permission_warns_and_goes_on() {
    let repo = Repo::new("lease-forbidden", sandbox::bare());
    repo.write_config("one", "1").commit("First");
    let between = Between::answering(sandbox::bare(), |line| {
        let body = r#"{"kind":"Status","apiVersion":"v1","status":"Failure","message":"leases.coordination.k8s.io is forbidden","reason":"Forbidden","code":403}"#;
        line.contains("/leases").then(|| {
            format!(
                "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            )
        })
    });
    let apply = |args: &[&str]| repo.trueup(args).env("KUBECONFIG", between.kubeconfig()).run();
    apply(&["apply"]).shows("apply/no-lock").exits(0);
    repo.write_config("one", "2").commit("Second");
    let second = apply(&["watch", "--once"]).exits(0);
    assert!(second.stdout.contains("  warning: running without a lock"), "{second}");
    assert_eq!(values(&repo), "one=2 ");
}

#[test]
fn a_lock_in_a_namespace_of_the_commit_is_taken_once_that_is_there() {
    let repo = Repo::new("lease-born", sandbox::bare());
    let home = namespace("lease-born-home");
    repo.write("home.yaml", home).write_config("one", "1").commit("First");
    let apply = repo.run(&["apply", "-n", "lease-born-home"]).exits(0);
    assert!(apply.stdout.contains("2 changed"), "{apply}");
    let get = ["-n", "lease-born-home", "get", "lease", "trueup-lease-born", "-o"];
    let lease = sandbox::bare().kubectl([&get[..], &["jsonpath={.spec}"]].concat()).exits(0);
    assert!(lease.stdout.contains("\"leaseTransitions\":1"), "{lease}");
    assert!(!lease.stdout.contains("holderIdentity"), "{lease}");
}

#[test]
fn watch_skips_rounds_while_locked_and_says_so_once() {
    let repo = Repo::new("lease-watch", sandbox::bare());
    repo.write_config("one", "1").commit("First");
    // Longer than a few rounds take on a busy machine.
    hold(&repo, "robot", "2026-01-01T00:00:00.000000Z", 300);
    let log = repo.outside().join("log");
    let mut watch = repo.trueup(&["watch", "--interval", "0.2"]).into_inner();
    watch.stdout(std::fs::File::create(&log).unwrap()).stderr(Stdio::null());
    let mut watch = watch.spawn().unwrap();
    let said = || std::fs::read_to_string(&log).unwrap();
    eventually("a few rounds", || repo.rounds() > 3);
    assert_eq!(
        said().matches("! the inventory trueup-lease-watch is locked by robot").count(),
        1,
        "{}",
        said()
    );
    assert_eq!(values_by_hand(&repo), "");
    repo.kubectl(&["delete", "lease", &repo.parent()]).exits(0);
    eventually("it goes on", || said().contains("1 changed"));
    watch.kill().unwrap();
    let _ = watch.wait();
}

/// The ConfigMap `one`, where there is no inventory yet.
fn values_by_hand(repo: &Repo<'_>) -> String {
    repo.value("one")
}
