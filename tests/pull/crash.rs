//! Pulls that are killed, and pulls at the same time.

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::git::{Upstream, assert_clean_at, git, pull};

const FILES: usize = 60;

/// How often a pull is killed, each time a little later.
const KILLS: u32 = 12;

/// Makes round `round` of the upstream: files change, come, go, and turn into folders and back.
fn next_round(upstream: &Upstream, round: u32) -> String {
    for file in 0..FILES {
        upstream.write(&format!("apps/{file}/web.yaml"), &format!("round: {round}\n"));
        let (one, other) = (format!("kinds/{file}"), format!("kinds/{file}/inner.yaml"));
        let (gone, come) = if round.is_multiple_of(2) { (&other, &one) } else { (&one, &other) };
        let gone = upstream.work().join(gone);
        if gone.is_file() {
            fs::remove_file(&gone).unwrap();
            let _ = fs::remove_dir(upstream.work().join(&one));
        }
        upstream.write(come, &format!("round: {round}\n"));
    }
    upstream.commit(&format!("Round {round}"))
}

fn start(checkout: &Path, args: &[&str]) -> Child {
    let mut command = pull(checkout).args(args).into_inner();
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// How long a pull takes when nobody kills it.
fn usual_time(checkout: &Path, args: &[&str]) -> Duration {
    let start = Instant::now();
    pull(checkout).args(args).run().exits(0);
    start.elapsed()
}

/// What in a git directory says how far a pull is.
const SIGNS: [&str; 4] = ["trueup.lock", "trueup-staging", "index.lock", "trueup-unfinished"];

/// Starts a pull and kills it a moment after it came to some point, another one for each `kill`.
fn kill_one(checkout: &Path, kill: u32) {
    let sign = checkout.join(".git").join(SIGNS[kill as usize % SIGNS.len()]);
    let mut child = start(checkout, &[]);
    while !sign.exists() && child.try_wait().unwrap().is_none() {
        thread::yield_now();
    }
    thread::sleep(Duration::from_micros(700) * (kill / 4));
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Pulls, and gives an account of what the killed pull left if that does not work.
#[track_caller]
fn finish(checkout: &Path, tip: &str, kill: u32) {
    let left = |name: &&str| checkout.join(".git").join(name).exists();
    let left: Vec<_> = SIGNS.into_iter().filter(left).collect();
    let output = pull(checkout).run();
    assert_eq!(output.status, Some(0), "kill {kill} left {left:?}\n{output}");
    assert_clean_at(checkout, tip);
}

#[test]
fn a_killed_pull_is_finished_by_the_next() {
    let upstream = Upstream::new();
    next_round(&upstream, 1);
    let checkout = upstream.clone("checkout");
    for kill in 0..KILLS {
        let tip = next_round(&upstream, kill);
        kill_one(&checkout, kill);
        finish(&checkout, &tip, kill);
    }
}

#[test]
fn a_killed_pull_is_finished_though_the_upstream_moved_on() {
    let upstream = Upstream::new();
    next_round(&upstream, 1);
    let checkout = upstream.clone("checkout");
    for kill in 0..KILLS {
        next_round(&upstream, 2 * kill);
        kill_one(&checkout, kill);
        let tip = next_round(&upstream, 2 * kill + 1);
        finish(&checkout, &tip, kill);
    }
}

#[test]
fn journal_distinguishes_an_interrupted_update_from_local_changes() {
    let upstream = Upstream::new();
    let checkout = upstream.clone("checkout");
    upstream.write("web.yaml", "replicas: 2\n");
    let half = upstream.commit("Half of it came");
    git(&checkout, ["fetch", "--quiet"]);
    upstream.write("web.yaml", "replicas: 3\n");
    let tip = upstream.commit("The upstream moved on");
    fs::write(checkout.join("web.yaml"), "replicas: 2\n").unwrap();

    let refused = pull(&checkout).run().exits(1);
    assert!(refused.stderr.contains("`web.yaml` (changed)"), "{refused}");

    let journal = checkout.join(".git/trueup-unfinished");
    fs::write(journal, format!("{half} refs/heads/main\n")).unwrap();
    let done = pull(&checkout).run().exits(0);
    assert!(done.stdout.contains("(2 commits, 1 file)"), "{done}");
    assert_clean_at(&checkout, &tip);
}

#[test]
fn killed_clone_is_restarted_by_the_next_pull() {
    let upstream = Upstream::new();
    let tip = next_round(&upstream, 0);
    let args = ["--url", &upstream.url()];
    let usual = usual_time(&upstream.folder().join("first"), &args);
    for kill in 0..KILLS {
        let checkout = upstream.folder().join(format!("checkout-{kill}"));
        if kill % 2 == 0 {
            fs::create_dir(&checkout).unwrap();
        }
        let mut child = start(&checkout, &args);
        thread::sleep(usual * kill / KILLS);
        child.kill().unwrap();
        child.wait().unwrap();
        if kill % 2 == 1 && checkout.exists() {
            assert_clean_at(&checkout, &tip);
        }

        pull(&checkout).args(args).run().exits(0);

        assert_clean_at(&checkout, &tip);
        let hidden = upstream.folder().join(format!(".checkout-{kill}.trueup-clone"));
        assert!(!hidden.exists());
    }
}

#[test]
fn clone_killed_during_its_final_move_is_resumed() {
    let upstream = Upstream::new();
    let args = ["--url", &upstream.url()];
    let checkout = upstream.folder().join("checkout");
    let scratch = checkout.join(".trueup-clone");
    pull(&scratch.join("repository")).args(args).run().exits(0);
    fs::write(scratch.join("whole"), "").unwrap();
    fs::rename(scratch.join("repository/web.yaml"), checkout.join("web.yaml")).unwrap();

    pull(&checkout).args(args).run().exits(0);

    assert_clean_at(&checkout, &upstream.tip());
    // And one that was killed after that, before it cleared up.
    fs::create_dir(&scratch).unwrap();
    fs::write(scratch.join("whole"), "").unwrap();
    fs::create_dir(scratch.join("repository")).unwrap();
    let beside = upstream.folder().join(".checkout.trueup-clone");
    fs::create_dir(&beside).unwrap();
    pull(&checkout).args(args).run().exits(0);
    assert_clean_at(&checkout, &upstream.tip());
    assert!(!beside.exists());
}

#[test]
fn stale_locks_of_a_killed_pull_are_removed() {
    let upstream = Upstream::new();
    let checkout = upstream.clone("checkout");
    let git_dir = checkout.join(".git");
    upstream.write("web.yaml", "kind: Web\nreplicas: 2\n");
    let tip = upstream.commit("Second replica");
    // As a pull leaves them that dies while it moves the branch.
    fs::write(git_dir.join("trueup.lock"), "pulling\n").unwrap();
    fs::write(git_dir.join("index.lock"), "locked by trueup pull\n").unwrap();
    fs::write(git_dir.join("HEAD.lock"), "").unwrap();
    fs::write(git_dir.join("refs/heads/main.lock"), "").unwrap();
    fs::create_dir_all(git_dir.join("trueup-staging/files")).unwrap();
    fs::write(git_dir.join("trueup-staging/files/web.yaml"), "half").unwrap();

    pull(&checkout).run().exits(0);

    assert_clean_at(&checkout, &tip);
    upstream.write("web.yaml", "kind: Web\nreplicas: 3\n");
    upstream.commit("Third replica");
    fs::write(git_dir.join("HEAD.lock"), "").unwrap();
    pull(&checkout).run().exits(2);
    assert!(git_dir.join("HEAD.lock").exists(), "no pull died, so it is not ours to remove");
}

#[test]
fn pulls_at_the_same_time_wait_for_each_other() {
    let upstream = Upstream::new();
    next_round(&upstream, 0);
    let checkout = upstream.clone("checkout");
    let tip = next_round(&upstream, 1);

    let children: Vec<_> = (0..5).map(|_| start(&checkout, &[])).collect();

    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    assert_clean_at(&checkout, &tip);
    let log = git(&checkout, ["reflog", "show", "--format=%gs", "HEAD"]);
    assert_eq!(log.matches("Fast-forward").count(), 1, "{log}");
}

#[test]
fn clones_at_the_same_time_make_one_checkout() {
    let upstream = Upstream::new();
    let tip = next_round(&upstream, 0);
    let checkout = upstream.folder().join("checkout");
    let url = upstream.url();

    let children: Vec<_> = (0..5).map(|_| start(&checkout, &["--url", &url])).collect();

    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    assert_clean_at(&checkout, &tip);
}

#[test]
fn a_signal_ends_a_pull_that_waits() {
    let upstream = Upstream::new();
    let checkout = upstream.clone("checkout");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/shop.git", listener.local_addr().unwrap());
    git(&checkout, ["remote", "set-url", "origin", &url]);
    let mut child = start(&checkout, &[]);
    let _connection = listener.accept().unwrap();

    let kill = crate::support::command::Cmd::new("kill").args(["-TERM", &child.id().to_string()]);
    kill.run().exits(0);

    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_clean_at(&checkout, &upstream.tip());
}
