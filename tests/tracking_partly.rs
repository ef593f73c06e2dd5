//! Checkouts that have a part of the history or of the files, and targets that track refs: what is
//! missing is fetched, or else named.

use std::path::{Path, PathBuf};

use crate::support::command::{Cmd, Output};
use crate::support::objects::config;
use crate::support::repo::Repo;
use crate::support::sandbox;

/// A repository with some commits on `main`, of which `release` and the tag `app-v1.0.0` are others. The
/// target `app` tracks what `reference` says, and was applied.
fn applied(name: &str, reference: &str) -> Repo<'static> {
    let repo = Repo::new(name, sandbox::bare());
    repo.git(&["config", "uploadpack.allowFilter", "true"]);
    repo.git(&["config", "uploadpack.allowAnySHA1InWant", "true"]);
    let targets = format!("targets:\n  app:\n    paths: [app]\n    ref: {reference}\n");
    repo.write("trueup.yaml", targets);
    release(&repo, "1", "app-v1.0.0");
    repo.run(&["apply", "--yes"]).exits(0);
    for value in ["main 1", "main 2", "main 3"] {
        repo.write("app/one.yaml", config("one", value)).commit(value);
    }
    repo
}

/// A commit on `release` that has a tag; gives its short id.
fn release(repo: &Repo<'_>, value: &str, tag: &str) -> String {
    let is_new = repo.git(&["branch", "--list", "release"]).stdout.is_empty();
    let switch =
        if is_new { &["switch", "--quiet", "--create"][..] } else { &["switch", "--quiet"] };
    if is_new {
        repo.commit("Begun");
    }
    repo.git(&[switch, &["release"]].concat());
    repo.write("app/one.yaml", config("one", value)).commit(value);
    repo.git(&["tag", tag]);
    let id = repo.git(&["rev-parse", "--short=7", "HEAD"]).stdout.trim().to_owned();
    repo.git(&["switch", "--quiet", "main"]);
    id
}

/// A clone that git makes.
fn clone(repo: &Repo<'_>, args: &[&str]) -> PathBuf {
    let url = format!("file://{}", repo.path().display());
    let checkout = repo.outside().join("checkout");
    let command = Cmd::new("git").args(["clone", "--quiet"]).args(args);
    command.args([url.as_str(), checkout.to_str().unwrap()]).dir(repo.outside()).run().exits(0);
    checkout
}

fn run(repo: &Repo<'_>, checkout: &Path, args: &[&str]) -> Output {
    repo.trueup(args).dir(checkout).run()
}

/// How many objects a checkout lacks.
fn missing(checkout: &Path) -> usize {
    let args = ["rev-list", "--objects", "--all", "--missing=print"];
    let objects = Cmd::new("git").args(args).dir(checkout).run().exits(0);
    objects.stdout.lines().filter(|line| line.starts_with('?')).count()
}

#[test]
fn a_shallow_clone_gets_what_its_targets_track() {
    for (name, reference, hint) in [
        ("shallow-branch", "release", "no branch and no tag `release`"),
        ("shallow-range", "{semver: 1.x, tag-prefix: app-}", "no tag `app-*`"),
    ] {
        let repo = applied(name, reference);
        let commit = release(&repo, "2", "app-v1.1.0");
        let checkout = clone(&repo, &["--depth", "1"]);
        let before = run(&repo, &checkout, &["diff"]).exits(2);
        assert!(before.stderr.contains(hint), "{before}");
        assert!(before.stderr.contains("`trueup pull` fetches the refs"), "{before}");

        let pull = run(&repo, &checkout, &["pull"]).exits(0);
        assert!(pull.stdout.contains(&format!("new @ {commit}")), "{pull}");
        let diff = run(&repo, &checkout, &["diff"]).exits(1);
        assert!(diff.stdout.contains(&format!("({commit})")), "{diff}");
        run(&repo, &checkout, &["apply", "--yes"]).exits(0);
        assert_eq!(repo.value("one"), "2");

        let next = release(&repo, "3", "app-v1.2.0");
        repo.write("app/one.yaml", config("one", "main 4")).commit("main 4");
        let watch = run(&repo, &checkout, &["watch", "--once"]).exits(0);
        assert!(watch.stdout.contains(&format!("({next})")), "{watch}");
        assert_eq!(repo.value("one"), "3");
        // The repository is the one that it was.
        run(&repo, &repo.path(), &["diff"]).exits(0);
        Cmd::new("git").args(["fsck", "--no-dangling"]).dir(&checkout).run().exits(0);
    }
}

#[test]
fn watch_pulls_first_what_its_target_tracks() {
    let repo = applied("shallow-watch", "release");
    let commit = release(&repo, "2", "app-v1.1.0");
    let checkout = clone(&repo, &["--depth", "1"]);
    let without = run(&repo, &checkout, &["watch", "--once", "--no-pull"]).exits(2);
    assert!(without.stderr.contains("no branch and no tag `release`"), "{without}");
    let away = repo.outside().join("away");
    std::fs::rename(repo.path(), &away).unwrap();
    let alone = repo.trueup(&["watch", "--once"]).dir(&checkout).run().exits(2);
    assert!(alone.stderr.contains("cannot fetch from file://"), "{alone}");
    std::fs::rename(&away, repo.path()).unwrap();
    let watch = run(&repo, &checkout, &["watch", "--once"]).exits(0);
    assert!(watch.stdout.contains(&format!("at release ({commit})")), "{watch}");
    assert_eq!(repo.value("one"), "2");
}

#[test]
fn a_shallow_clone_of_one_tag_is_enough() {
    let repo = applied("shallow-tag", "refs/tags/app-v1.0.0");
    let checkout = clone(&repo, &["--depth", "1", "--branch", "app-v1.0.0"]);
    let diff = run(&repo, &checkout, &["diff"]).exits(0);
    assert!(diff.stdout.contains("app-v1.0.0 ("), "{diff}");
    repo.delete_config_map("one");
    run(&repo, &checkout, &["diff"]).exits(1);
    run(&repo, &checkout, &["apply", "--yes"]).exits(0);
    assert_eq!(repo.value("one"), "1");
}

#[test]
fn a_partial_clone_fetches_what_is_missing_and_names_it_where_it_can_not() {
    for (name, reference) in
        [("partial-branch", "release"), ("partial-range", "{semver: 1.x, tag-prefix: app-}")]
    {
        let repo = applied(name, reference);
        release(&repo, "2", "app-v1.1.0");
        let checkout = clone(&repo, &["--filter=blob:none"]);
        assert!(missing(&checkout) > 0);

        let away = repo.outside().join("away");
        std::fs::rename(repo.path(), &away).unwrap();
        let without = repo.trueup(&["diff"]).dir(&checkout).run().exits(2);
        assert!(
            without
                .stderr
                .contains("cannot fetch 1 file(s) that this partial clone lacks from `origin`"),
            "{without}"
        );
        std::fs::rename(&away, repo.path()).unwrap();

        run(&repo, &checkout, &["pull"]).exits(0);
        let diff = run(&repo, &checkout, &["diff"]).exits(1);
        assert!(diff.stdout.contains("key: \"2\"") || diff.stdout.contains("key: '2'"), "{diff}");
        run(&repo, &checkout, &["apply", "--yes"]).exits(0);
        assert_eq!(repo.value("one"), "2");
        assert!(missing(&checkout) > 0, "the other files stay at the remote");

        let next = release(&repo, "3", "app-v1.2.0");
        repo.write("app/one.yaml", config("one", "main 4")).commit("main 4");
        let watch = run(&repo, &checkout, &["watch", "--once"]).exits(0);
        assert!(watch.stdout.contains(&format!("({next})")), "{watch}");
        assert_eq!(repo.value("one"), "3");
        Cmd::new("git").args(["fsck", "--no-dangling"]).dir(&checkout).run().exits(0);
    }
}
