//! `--url`: a checkout where there was none.

use std::fs;

use crate::support::git::{Upstream, assert_clean_at, assert_refused, git, pull, write};

/// What is in a folder, hidden things too.
fn names(folder: &std::path::Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_folder_that_is_not_there_is_made() {
    let upstream = Upstream::new();
    let checkout = upstream.folder().join("deep/down/checkout");

    let output = pull(&checkout).args(["--url", &upstream.url()]).run().exits(0);

    let line = format!("main cloned @ {} (1 commit, 2 files)\n", &upstream.tip()[..7]);
    assert_eq!((output.stdout, output.stderr), (line, String::new()));
    assert_clean_at(&checkout, &upstream.tip());
    assert_eq!(names(checkout.parent().unwrap()), ["checkout"]);
    let again = pull(&checkout).args(["--url", &upstream.url()]).run().exits(0);
    assert!(again.stdout.starts_with("main is up to date"), "{again}");
    upstream.write("web.yaml", "kind: Web\nreplicas: 2\n");
    upstream.commit("Second replica");
    pull(&checkout).run().exits(0);
    assert_clean_at(&checkout, &upstream.tip());
}

#[test]
fn an_empty_folder_is_filled_and_stays_the_same_folder() {
    use std::os::unix::fs::MetadataExt;
    let upstream = Upstream::new();
    let checkout = upstream.folder().join("mount");
    fs::create_dir(&checkout).unwrap();
    let before = fs::metadata(&checkout).unwrap().ino();

    pull(&checkout).args(["--url", &upstream.url()]).run().exits(0);

    assert_eq!(fs::metadata(&checkout).unwrap().ino(), before);
    assert_clean_at(&checkout, &upstream.tip());
    assert_eq!(names(&checkout), [".git", "envs", "web.yaml"]);
}

#[test]
fn a_branch_is_chosen() {
    let upstream = Upstream::new();
    git(upstream.work(), ["switch", "--quiet", "--create", "release"]);
    upstream.write("web.yaml", "kind: Release\n");
    upstream.commit("Release");
    let checkout = upstream.folder().join("checkout");
    let clone = || pull(&checkout).args(["--url", &upstream.url(), "--branch", "release"]);

    let output = clone().run().exits(0);

    assert!(output.stdout.starts_with("release cloned @ "), "{output}");
    assert_clean_at(&checkout, &upstream.tip());
    clone().run().exits(0);
    let other = pull(&checkout).args(["--branch", "main"]).run();
    assert_refused(&other, 2, &["branch `release` is checked out, not `main`"]);
}

#[test]
fn a_branch_that_the_remote_has_not() {
    let upstream = Upstream::new();
    let checkout = upstream.folder().join("checkout");

    let output = pull(&checkout).args(["--url", &upstream.url(), "--branch", "nope"]).run();

    assert_refused(&output, 2, &["has no branch `nope`"]);
    assert_eq!(names(upstream.folder()), ["shop.git", "work"]);
}

#[test]
fn a_bare_repository_is_made_and_moved_forward() {
    let upstream = Upstream::new();
    let bare = upstream.folder().join("mirror.git");

    pull(&bare).args(["--bare", "--url", &upstream.url()]).run().exits(0);

    assert_eq!(
        git(&bare, ["rev-parse", "--is-bare-repository", "main"]).lines().next(),
        Some("true")
    );
    let before = upstream.tip();
    upstream.write("web.yaml", "kind: Web\nreplicas: 2\n");
    let after = upstream.commit("Second replica");
    let output = pull(&bare).run().exits(0);
    let line = format!("main {}..{} (1 commit, 1 file)\n", &before[..7], &after[..7]);
    assert_eq!(output.stdout, line);
    assert_eq!(git(&bare, ["rev-parse", "main"]), after);
    git(&bare, ["fsck", "--strict"]);
}

#[test]
fn a_checkout_of_something_else_is_refused() {
    let upstream = Upstream::new();
    let checkout = upstream.clone("checkout");
    let other = Upstream::new();

    let output = pull(&checkout).args(["--url", &other.url()]).run();

    assert_refused(&output, 2, &["is a checkout of file://", ", not of file://", "another folder"]);
    assert_clean_at(&checkout, &upstream.tip());
}

#[test]
fn a_folder_with_something_in_it_is_left_alone() {
    let upstream = Upstream::new();
    let folder = upstream.folder().join("full");
    write(folder.join("notes"), "mine\n");

    let output = pull(&folder).args(["--url", &upstream.url()]).run();

    assert_refused(&output, 2, &["full is neither empty nor a checkout"]);
    assert_eq!(names(&folder), ["notes"]);
}

#[test]
fn a_remote_that_is_not_there_leaves_nothing_behind() {
    let upstream = Upstream::new();
    let checkout = upstream.folder().join("checkout");
    let url = format!("{}-not", upstream.url());

    let output = pull(&checkout).args(["--url", &url]).run();

    assert_refused(&output, 2, &["cannot fetch from file://"]);
    assert_eq!(names(upstream.folder()), ["shop.git", "work"]);
}

#[test]
fn a_remote_without_commits_leaves_nothing_behind() {
    let upstream = Upstream::empty();
    let checkout = upstream.folder().join("checkout");

    let output = pull(&checkout).args(["--url", &upstream.url()]).run();

    assert_refused(&output, 2, &["has no commits yet"]);
    assert_eq!(names(upstream.folder()), ["shop.git", "work"]);
}
