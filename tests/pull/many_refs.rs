//! A remote with many refs: what a pull costs is that of the one branch.

use std::fs;
use std::path::Path;

use crate::support::git::{Upstream, assert_clean_at, assert_refused, git, pull};
use crate::support::http::GitServer;

/// Has the remote name its first commit by this many branches more, and as many tags.
fn fill(upstream: &Upstream, count: usize) {
    let tip = upstream.tip();
    let names =
        (0..count).map(|n| format!("{tip} refs/heads/team-{n}/topic\n{tip} refs/tags/v0.{n}\n"));
    let header = "# pack-refs with: peeled fully-peeled sorted \n";
    let mut lines: Vec<String> =
        names.flat_map(|two| two.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
    lines.push(format!("{tip} refs/heads/main"));
    lines.sort_by_key(|line| line.split_once(' ').map(|(_, name)| name.to_owned()));
    fs::write(upstream.bare().join("packed-refs"), header.to_owned() + &lines.join("\n") + "\n")
        .unwrap();
}

/// Requests and bytes of a pull that finds nothing new.
fn cost(server: &GitServer, checkout: &Path) -> (usize, usize) {
    let before = (server.requests(), server.bytes());
    let output = pull(checkout).run().exits(0);
    assert!(output.stdout.contains("up to date"), "{output}");
    (server.requests() - before.0, server.bytes() - before.1)
}

#[test]
fn cost_of_an_up_to_date_pull_is_independent_of_refs() {
    let upstream = Upstream::new();
    let server = GitServer::http(upstream.folder());
    let (ours, gits) = (upstream.folder().join("ours"), upstream.clone("gits"));
    git(&gits, ["remote", "set-url", "origin", &server.url("shop.git")]);
    pull(&ours).args(["--url", &server.url("shop.git")]).run().exits(0);
    let few = (cost(&server, &ours), cost(&server, &gits));

    fill(&upstream, 500);
    git(&gits, ["fetch", "--quiet"]);

    assert_eq!((cost(&server, &ours), cost(&server, &gits)), few);
    assert_eq!(few.0.0, 2, "capabilities, and one ref");
}

#[test]
fn tracked_refs_are_asked_for_with_the_branch_and_alone() {
    let upstream = Upstream::new();
    let targets = "targets:
  plain: {paths: [.]}
  prod: {paths: [.], ref: release}
  shop: {paths: [.], ref: {semver: \">=1 <2\", tag-prefix: shop-}}
";
    upstream.write("trueup.yaml", targets);
    upstream.commit("Targets");
    for name in ["refs/heads/release", "refs/tags/shop-v1.0.0"] {
        git(upstream.work(), ["push", "--quiet", "origin", &format!("HEAD:{name}")]);
    }
    let server = GitServer::http(upstream.folder());
    let (ours, gits) = (upstream.folder().join("ours"), upstream.clone("gits"));
    git(&gits, ["remote", "set-url", "origin", &server.url("shop.git")]);
    pull(&ours).args(["--url", &server.url("shop.git")]).run().exits(0);
    let few = (cost(&server, &ours), cost(&server, &gits));

    fill(&upstream, 500);

    assert_eq!((cost(&server, &ours), cost(&server, &gits)), few);
    assert_eq!(few.0.0, 2, "capabilities, and all that is wanted");
    let before = server.bytes();
    git(&gits, ["ls-remote", "--quiet"]);
    let of_git = server.bytes() - before;
    let bytes = few.0.1;
    assert!(bytes * 10 <= of_git, "{bytes} bytes beside {of_git} of git ls-remote");
}

#[test]
fn a_clone_follows_its_branch_alone() {
    let upstream = Upstream::new();
    fill(&upstream, 20);
    for bare in [false, true] {
        let checkout = upstream.folder().join(format!("checkout-{bare}"));
        let bare = if bare { &["--bare"][..] } else { &[] };
        pull(&checkout).args(["--url", &upstream.url()]).args(bare).run().exits(0);
        let has = git(&checkout, ["for-each-ref", "--format=%(refname)"]);
        let expected = match bare.is_empty() {
            true => "refs/heads/main\nrefs/remotes/origin/HEAD\nrefs/remotes/origin/main",
            false => "refs/heads/main",
        };
        assert_eq!(has, expected);
        assert_eq!(git(&checkout, ["config", "remote.origin.tagOpt"]), "--no-tags");
        upstream.write("web.yaml", &format!("kind: Web\nbare: {}\n", bare.len()));
        let after = upstream.commit("Another");
        pull(&checkout).run().exits(0);
        // git's own fetch goes on from there.
        git(&checkout, ["fetch", "--quiet"]);
        assert_eq!(git(&checkout, ["for-each-ref", "--format=%(refname)"]), expected);
        assert_eq!(git(&checkout, ["rev-parse", "main"]), after);
        let keeps =
            fs::read_dir(git(&checkout, ["rev-parse", "--absolute-git-dir"]) + "/objects/pack");
        let names = keeps.unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        assert_eq!(names.filter(|name| name.ends_with(".keep")).count(), 0);
    }
}

#[test]
fn hint_for_another_branch_works() {
    let upstream = Upstream::new();
    git(upstream.work(), ["switch", "--quiet", "--create", "release"]);
    upstream.write("web.yaml", "kind: Release\n");
    let release = upstream.commit("Release");
    let checkout = upstream.folder().join("checkout");
    pull(&checkout).args(["--url", &upstream.url(), "--branch", "main"]).run().exits(0);

    let output = pull(&checkout).args(["--branch", "release"]).run();

    let commands = "git remote set-branches --add origin release && git fetch origin release && git switch release";
    assert_refused(&output, 2, &["branch `main` is checked out, not `release`", commands]);
    let shell = crate::support::command::Cmd::new("sh").dir(&checkout).args(["-c", commands]);
    shell.run().exits(0);
    pull(&checkout).args(["--branch", "release"]).run().exits(0);
    assert_clean_at(&checkout, &release);
}

#[test]
fn refs_of_other_branches_are_not_touched() {
    let upstream = Upstream::new();
    git(upstream.work(), ["branch", "other"]);
    git(upstream.work(), ["push", "--quiet", "origin", "other"]);
    let checkout = upstream.clone("checkout");
    let other = git(&checkout, ["rev-parse", "origin/other"]);
    upstream.write("web.yaml", "kind: Web\nreplicas: 2\n");
    let after = upstream.commit("Second replica");
    git(upstream.work(), ["push", "--quiet", "origin", "main:other"]);
    let lock = checkout.join(".git/refs/remotes/origin/other.lock");
    fs::write(&lock, "").unwrap();

    pull(&checkout).run().exits(0);

    assert_clean_at(&checkout, &after);
    assert_eq!(git(&checkout, ["rev-parse", "origin/other"]), other);
    assert!(lock.exists(), "whoever took it may be at work");
}

#[test]
fn a_ref_that_did_not_move_is_not_written() {
    let upstream = Upstream::new();
    let checkout = upstream.clone("checkout");
    git(&checkout, ["pack-refs", "--all"]);
    fs::write(checkout.join(".git/refs/remotes/origin/main.lock"), "").unwrap();

    let output = pull(&checkout).run().exits(0);

    assert!(output.stdout.starts_with("main is up to date"), "{output}");
    assert!(!checkout.join(".git/refs/remotes/origin/main").exists());
}

#[test]
fn tags_come_as_the_remote_is_configured_to_bring_them() {
    for (option, comes) in
        [(None, "v1\nv2"), (Some("--tags"), "aside\nv1\nv2"), (Some("--no-tags"), "")]
    {
        let upstream = Upstream::new();
        let checkout = upstream.clone("checkout");
        if let Some(option) = option {
            git(&checkout, ["config", "remote.origin.tagOpt", option]);
        }
        upstream.write("web.yaml", "kind: Web\nreplicas: 2\n");
        upstream.commit("Second replica");
        git(upstream.work(), ["tag", "v1", "HEAD~1"]);
        git(upstream.work(), ["tag", "--annotate", "--message", "Two", "v2"]);
        let aside = git(upstream.work(), ["commit-tree", "HEAD^{tree}", "-m", "Aside"]);
        git(upstream.work(), ["tag", "aside", &aside]);
        git(upstream.work(), ["push", "--quiet", "--tags", "origin"]);

        pull(&checkout).run().exits(0);

        assert_eq!(git(&checkout, ["tag"]), comes, "{option:?}");
        assert_clean_at(&checkout, &upstream.tip());
    }
}

#[test]
fn clone_of_a_tag_is_refused() {
    let upstream = Upstream::new();
    git(upstream.work(), ["tag", "v1"]);
    git(upstream.work(), ["push", "--quiet", "origin", "v1"]);
    let checkout = upstream.folder().join("checkout");

    let output = pull(&checkout).args(["--url", &upstream.url(), "--branch", "v1"]).run();

    assert_refused(&output, 2, &["`v1` of file://", "is a tag, not a branch", "--branch BRANCH"]);
    assert!(!checkout.exists());
}

#[test]
fn clone_with_an_unborn_remote_head_is_refused() {
    let upstream = Upstream::new();
    git(upstream.bare(), ["symbolic-ref", "HEAD", "refs/heads/trunk"]);
    let checkout = upstream.folder().join("checkout");

    let output = pull(&checkout).args(["--url", &upstream.url()]).run();

    assert_refused(&output, 2, &["`trunk`", "`main`", "--branch"]);
    pull(&checkout).args(["--url", &upstream.url(), "--branch", "main"]).run().exits(0);
    assert_clean_at(&checkout, &upstream.tip());
}
