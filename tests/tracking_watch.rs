//! watch of targets that track refs, against git servers: refs that move back and refs that are gone are
//! refused once, the last good commit stays enforced, and a remote that fails is left alone.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;

use crate::support::eventually::eventually;
use crate::support::http::GitServer;
use crate::support::objects::config;
use crate::support::repo::Repo;
use crate::support::sandbox;
use crate::support::watching::Watching;

/// A repository whose target `app` tracks what `reference` says. Its branch `release` is a commit ahead
/// of `main`.
fn repository(name: &str, reference: &str) -> Repo<'static> {
    let repo = Repo::new(name, sandbox::bare());
    let targets = format!("targets:\n  app:\n    paths: [app]\n    ref: {reference}\n");
    repo.write("trueup.yaml", targets);
    write(&repo, "0");
    repo.commit("First");
    repo.git(&["switch", "--quiet", "--create", "release"]);
    release(&repo, "1");
    repo
}

fn write(repo: &Repo<'_>, value: &str) {
    repo.write("app/one.yaml", config("one", value));
}

/// One more commit, of this value.
fn release(repo: &Repo<'_>, value: &str) -> String {
    write(repo, value);
    repo.commit(&format!("Value {value}"));
    short(repo)
}

/// Rewrites the last commit to this value.
fn rewrite(repo: &Repo<'_>, value: &str) -> String {
    write(repo, value);
    repo.git(&["commit", "--quiet", "--all", "--amend", "--message", "Rewritten"]);
    short(repo)
}

fn short(repo: &Repo<'_>) -> String {
    repo.git(&["rev-parse", "--short=7", "HEAD"]).stdout.trim().to_owned()
}

/// A watch of a checkout of `main` from this URL.
fn watch(repo: &Repo<'_>, url: &str) -> (Watching, PathBuf) {
    watch_with(repo, url, &[])
}

fn watch_with(repo: &Repo<'_>, url: &str, args: &[&str]) -> (Watching, PathBuf) {
    let checkout = repo.outside().join("checkout");
    let place = checkout.to_str().unwrap();
    repo.run(&["-C", place, "pull", "--url", url, "--branch", "main"]).exits(0);
    (Watching::in_folder(repo, &checkout, args), checkout)
}

fn file_url(repo: &Repo<'_>) -> String {
    format!("file://{}", repo.path().display())
}

/// Drift is put back to `value`, and in some more rounds nothing is said of `text` that was said before.
#[track_caller]
fn is_enforced(repo: &Repo<'_>, watching: &Watching, value: &str, text: &str) {
    repo.edit(&["configmap", "one"], "s/key: \".*\"/key: \"by hand\"/").exits(0);
    let name = format!("ConfigMap {}/one", repo.namespace());
    let drift = format!("drift: {name} data.key by hand → {value}, put back");
    watching.says(&drift);
    assert_eq!(repo.value("one"), value);
    let rounds = repo.rounds();
    eventually("more rounds", || repo.rounds() > rounds + 3);
    assert_eq!(watching.times(text), 1, "{:#?}", watching.said());
    assert_eq!(repo.value("one"), value);
}

/// What the closing line counts: polls, and bytes.
fn counts(log: &str) -> (usize, usize) {
    let line = log.lines().find(|line| line.contains("  git: ")).unwrap_or_else(|| panic!("{log}"));
    let numbers = line.split("git: ").nth(1).unwrap();
    let mut numbers = numbers.split(' ').filter_map(|word| word.parse().ok());
    (numbers.next().unwrap(), numbers.next().unwrap())
}

#[test]
fn a_branch_that_was_force_pushed_is_refused_once_until_it_is_allowed() {
    let repo = repository("tracked-rewound", "release");
    let good = short(&repo);
    let (watching, checkout) = watch(&repo, &file_url(&repo));
    watching.says(&format!("at release ({good}) · 1 changed"));

    let rewritten = rewrite(&repo, "9");
    let refused = format!("branch `release` was force-pushed from {good} to {rewritten}");
    watching.says(&format!("! {refused}, which loses 1 commit"));
    is_enforced(&repo, &watching, "1", &refused);

    let place = checkout.to_str().unwrap();
    repo.run(&["-C", place, "pull", "--allow-rewind"]).exits(0);
    watching.says(&format!("at release ({rewritten}) · 1 changed"));
    watching.says(&format!("recovered @ release ({rewritten})"));
    assert_eq!(repo.value("one"), "9");
    let next = release(&repo, "10");
    watching.says(&format!("new commit release ({next}) \"Value 10\""));
    eventually("it is live", || repo.value("one") == "10");
    let log = watching.log.clone();
    assert_eq!(watching.stop(), Some(0));
    assert!(counts(&fs::read_to_string(log).unwrap()).0 > 4);
}

#[test]
fn tags_that_move_and_tags_that_are_gone_are_refused_and_a_newer_one_counts() {
    let repo = repository("tracked-tags", "{semver: \">=1 <2\", tag-prefix: app-}");
    repo.git(&["tag", "app-v1.0.0"]);
    let good = short(&repo);
    let (watching, _) = watch(&repo, &file_url(&repo));
    watching.says(&format!("at app-v1.0.0 ({good}) · 1 changed"));

    let moved = release(&repo, "2");
    repo.git(&["tag", "--force", "--annotate", "--message", "Moved", "app-v1.0.0"]);
    let refused = format!("tag app-v1.0.0 moved from {good} to {moved}");
    watching.says(&format!("! {refused}"));
    is_enforced(&repo, &watching, "1", &refused);

    let newer = release(&repo, "3");
    repo.git(&["tag", "app-v1.1.0"]);
    watching.says(&format!("new commit app-v1.1.0 ({newer})"));
    watching.says("recovered @ app-v1.1.0");
    assert_eq!(repo.value("one"), "3");

    repo.git(&["tag", "--delete", "app-v1.1.0"]);
    let gone = "has no tag app-v1.1.0 any more";
    watching.says(gone);
    is_enforced(&repo, &watching, "3", gone);
    assert_eq!(watching.stop(), Some(0));
}

#[test]
fn a_branch_that_is_gone_stays_enforced_until_it_is_back() {
    let repo = repository("tracked-gone", "release");
    let good = short(&repo);
    let (watching, _) = watch(&repo, &file_url(&repo));
    watching.says("1 changed");

    repo.git(&["switch", "--quiet", "--create", "aside"]);
    repo.git(&["branch", "--quiet", "-D", "release"]);
    watching.says("has no branch `release` any more");
    is_enforced(&repo, &watching, "1", "has no branch `release` any more");

    repo.git(&["branch", "release"]);
    watching.says(&format!("recovered @ release ({good})"));
    assert_eq!(watching.stop(), Some(0));
}

#[test]
fn a_remote_that_does_not_answer_is_told_once_and_nothing_else_stops() {
    let repo = repository("tracked-silent", "release");
    let (watching, checkout) = watch_with(&repo, &file_url(&repo), &["--pull-timeout", "5"]);
    watching.says("1 changed");

    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/shop.git", silent.local_addr().unwrap());
    let set = |url: &str| {
        repo.git(&["-C", checkout.to_str().unwrap(), "remote", "set-url", "origin", url]);
    };
    set(&url);
    watching.says("did not answer within 5 s");
    let next = release(&repo, "2");
    is_enforced(&repo, &watching, "1", "did not answer within 5 s");

    set(&file_url(&repo));
    watching.says(&format!("new commit release ({next})"));
    watching.says("recovered @");
    assert_eq!(repo.value("one"), "2");
    assert_eq!(watching.stop(), Some(0));
}

#[test]
fn a_remote_that_asks_for_a_pause_gets_it() {
    for (number, status) in ["429 Too Many Requests", "503 Service Unavailable"].iter().enumerate()
    {
        let name = format!("tracked-pause-{number}");
        let repo = repository(&name, "release");
        let server = GitServer::http(repo.outside());
        let (watching, _) = watch(&repo, &server.url(&format!("{name}/.git")));
        watching.says("1 changed");

        server.refuse(&format!("{status}\r\nRetry-After: 3600"));
        watching.says(&format!("HTTP status {status}"));
        let requests = server.requests();
        release(&repo, "2");
        is_enforced(&repo, &watching, "1", "HTTP status");
        server.recover();
        let rounds = repo.rounds();
        eventually("more rounds", || repo.rounds() > rounds + 3);
        assert_eq!(server.requests(), requests, "{status}");
        assert_eq!(repo.value("one"), "1");
        assert_eq!(watching.stop(), Some(0));
    }
}

#[test]
fn a_remote_that_fails_is_asked_less_and_less_often_and_then_followed_again() {
    let repo = repository("tracked-backoff", "release");
    let server = GitServer::http(repo.outside());
    let (watching, _) = watch(&repo, &server.url("tracked-backoff/.git"));
    watching.says("1 changed");

    // It fails in the middle of a fetch, and then from the beginning: one outage.
    server.refuse_posts("502 Bad Gateway");
    watching.says(".git: HTTP status 502 Bad Gateway (see");
    server.refuse("502 Bad Gateway");
    let (requests, rounds) = (server.requests(), repo.rounds());
    is_enforced(&repo, &watching, "1", "HTTP status 502");
    eventually("many rounds", || repo.rounds() > rounds + 15);
    let asked = server.requests() - requests;
    assert!(asked < 12, "{asked} requests in more than 15 rounds");
    assert_eq!(watching.times("HTTP status 502"), 1, "{:#?}", watching.said());

    // A refusal that names a time is waited for and no longer.
    server.refuse("503 Service Unavailable\r\nRetry-After: 1");
    watching.says("HTTP status 503");
    let next = release(&repo, "2");
    server.recover();
    watching.says(&format!("new commit release ({next})"));
    watching.says("recovered @");
    assert_eq!(repo.value("one"), "2");
    assert_eq!(watching.stop(), Some(0));
}

#[test]
fn a_ref_that_is_not_there_yet_is_waited_for() {
    let repo = repository("tracked-early", "next");
    let checkout = repo.outside().join("checkout");
    let place = checkout.to_str().unwrap();
    let pull = repo.run(&["-C", place, "pull", "--url", &file_url(&repo), "--branch", "main"]);
    assert!(pull.exits(1).stderr.contains("has no branch and no tag `next`"));
    let watching = Watching::in_folder(&repo, &checkout, &[]);
    watching.says("the checkout has no branch and no tag `next`");
    repo.git(&["branch", "next"]);
    watching.says("1 changed");
    assert_eq!(repo.value("one"), "1");
    assert_eq!(watching.times("no branch and no tag"), 1, "{:#?}", watching.said());
    assert_eq!(watching.stop(), Some(0));
}

#[test]
fn a_remote_gets_its_pause_before_there_is_a_target_too() {
    let repo = repository("tracked-begin", "release");
    let server = GitServer::http(repo.outside());
    repo.git(&["switch", "--quiet", "main"]);
    repo.write("trueup.yaml", "targets: wrong0\n").commit("Wrong");
    let checkout = repo.outside().join("checkout");
    let place = checkout.to_str().unwrap();
    let url = server.url("tracked-begin/.git");
    repo.run(&["-C", place, "pull", "--url", &url]).exits(0);
    server.refuse("503 Service Unavailable\r\nRetry-After: 3600");
    let before = server.requests();
    let watching = Watching::in_folder(&repo, &checkout, &["--target", "app"]);
    watching.says("! trueup.yaml:1:");
    watching.says("HTTP status 503");
    // Each new fault is said, which takes another look.
    for number in 1..=4 {
        let commit = |text: String| {
            fs::write(checkout.join("trueup.yaml"), text).unwrap();
            let who = ["-c", "user.name=a", "-c", "user.email=a@b"];
            repo.git(
                &[&["-C", place][..], &who, &["commit", "--quiet", "--all", "-m", "x"]].concat(),
            );
        };
        commit(format!("{}targets: wrong{number}\n", "\n".repeat(number)));
        watching.says(&format!("! trueup.yaml:{}:", number + 1));
    }
    assert_eq!(server.requests() - before, 1, "{:#?}", watching.said());
    assert_eq!(watching.times("HTTP status 503"), 1, "{:#?}", watching.said());
    assert_eq!(watching.stop(), Some(0));
}

#[test]
fn polls_are_counted_at_the_end() {
    let repo = repository("tracked-counts", "release");
    let server = GitServer::http(repo.outside());
    let checkout = repo.outside().join("checkout");
    let place = checkout.to_str().unwrap();
    let url = server.url("tracked-counts/.git");
    repo.run(&["-C", place, "pull", "--url", &url, "--branch", "main"]).exits(0);
    let gets = || server.seen().iter().filter(|request| request.method == "GET").count();
    let (before, bytes) = (gets(), server.bytes());
    let watching =
        Watching::running(&repo, repo.trueup(&["-C", place, "watch", "--interval", "1h"]));
    watching.says("1 changed");
    let log = watching.log.clone();
    assert_eq!(watching.stop(), Some(0));
    let log = fs::read_to_string(log).unwrap();
    let (polls, received) = counts(&log);
    assert_eq!((polls, gets() - before), (1, 1), "{log}");
    assert!(received > 0 && received < server.bytes() - bytes, "{log}");
}
