//! What a server hands out past its own checks: nothing moves to it, and nothing reads it by name.

use crate::support::command::Cmd;
use crate::support::git::{Upstream, blob, commit_tree, git, pull, tree};

/// An upstream whose next commit has a folder called `..` with a manifest in it.
fn hostile(upstream: &Upstream) -> String {
    let work = upstream.work();
    let manifest = blob(&work, "kind: Planted\n");
    let above = tree(&work, &[("100644", b"planted.yaml", &manifest)]);
    let root = tree(&work, &[("40000", b"..", &above), ("100644", b"web.yaml", &manifest)]);
    let commit = commit_tree(&work, &root, Some("HEAD"));
    git(&work, ["push", "--quiet", "origin", &format!("{commit}:refs/heads/main")]);
    commit
}

#[test]
fn a_pull_does_not_move_to_it_and_no_name_reads_it() {
    let upstream = Upstream::new();
    let checkout = upstream.clone("checkout");
    let before = upstream.tip();
    let commit = hostile(&upstream);

    // Again and again: the objects are there after the first.
    for _ in 0..2 {
        let output = pull(&checkout).run().exits(2);
        assert_eq!(output.stdout, "", "\n{output}");
        assert!(output.stderr.contains("`..` in commit"), "\n{output}");
        assert_eq!(git(&checkout, ["rev-parse", "HEAD"]), before);
        assert_eq!(git(&checkout, ["status", "--porcelain", "--ignored"]), "");
        assert!(!upstream.folder().join("planted.yaml").exists());
    }
    for name in [commit.as_str(), "origin/main", "FETCH_HEAD", "refs/remotes/origin/main"] {
        let output = Cmd::trueup().dir(&checkout).args(["render", "--rev", name]).run();
        assert_eq!(output.status, Some(2), "{name}\n{output}");
        assert_eq!(output.stdout, "", "{name}\n{output}");
    }

    // Once the branch is repaired there, the pull goes on.
    upstream.write("web.yaml", "kind: Web\nreplicas: 2\n");
    let repaired = upstream.commit("Repair");
    pull(&checkout).run().exits(0);
    assert_eq!(git(&checkout, ["rev-parse", "HEAD"]), repaired);
}

#[test]
fn a_bare_checkout_does_not_move_to_it_and_a_mirror_that_did_is_not_read() {
    for fetch in ["+refs/heads/*:refs/remotes/origin/*", "+refs/heads/*:refs/heads/*"] {
        let upstream = Upstream::new();
        git(upstream.folder(), ["clone", "--quiet", "--bare", &upstream.url(), "bare.git"]);
        let bare = upstream.folder().join("bare.git");
        git(&bare, ["config", "remote.origin.fetch", fetch]);
        let before = upstream.tip();
        let commit = hostile(&upstream);

        for _ in 0..2 {
            let output = pull(&bare).run().exits(2);
            assert!(output.stderr.contains("`..` in commit"), "\n{output}");
        }
        let mirrors = fetch.ends_with(":refs/heads/*");
        let now = git(&bare, ["rev-parse", "HEAD"]);
        assert_eq!(now, if mirrors { commit } else { before });
        let read = Cmd::trueup().dir(&bare).args(["render"]).run();
        assert!(!read.stdout.contains("Planted"), "\n{read}");
        if mirrors {
            read.exits(2);
        }
    }
}

#[test]
fn a_clone_of_it_is_not_made() {
    for kind in [&[][..], &["--bare"]] {
        let upstream = Upstream::new();
        hostile(&upstream);
        let place = upstream.folder().join("place");

        let output = pull(&place).args(["--url", &upstream.url()]).args(kind).run().exits(2);

        assert!(output.stderr.contains("`..` in commit"), "\n{output}");
        assert!(!place.exists());
        let left: Vec<_> = std::fs::read_dir(upstream.folder())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != "shop.git" && name != "work")
            .collect();
        assert!(left.is_empty(), "{left:?} is left over");
    }
}
