//! Commits whose folders hold names that lead elsewhere, which a server without fsck hands out.

use std::fs;
use std::path::Path;

use crate::support::command::Cmd;
use crate::support::git::{blob, commit_tree, git, tree};
use crate::support::objects::config;
use crate::support::repo::Repo;
use crate::support::sandbox;

/// A checkout with one manifest in `apps`, and a place for one beside it.
fn checkout() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), ["init", "--quiet", "--initial-branch=main"]);
    fs::create_dir(folder.path().join("apps")).unwrap();
    fs::write(folder.path().join("apps/good.yaml"), config("good", "1")).unwrap();
    git(folder.path(), ["add", "--all"]);
    git(folder.path(), ["commit", "--quiet", "--message", "Good"]);
    folder
}

/// A commit that has, in `apps`, a folder or a file of that name.
fn commit_with(dir: &Path, mode: &str, name: &[u8]) -> String {
    let manifest = blob(dir, &config("planted", "1"));
    let folder = tree(dir, &[("100644", b"x.yaml", &manifest)]);
    let id = if mode == "40000" { &folder } else { &manifest };
    let apps = tree(dir, &[(mode, name, id)]);
    commit_tree(dir, &tree(dir, &[("40000", b"apps", &apps)]), Some("HEAD"))
}

/// What git itself says of the tree: whether it takes it into an index.
fn git_takes(dir: &Path, commit: &str) -> bool {
    let index = dir.join(".git/index-of-test");
    let read = ["read-tree", commit];
    Cmd::new("git").dir(dir).args(read).env("GIT_INDEX_FILE", index).run().status == Some(0)
}

#[test]
fn names_that_git_refuses_are_refused_by_every_reader() {
    let folder = checkout();
    let dir = folder.path();
    let manifest = blob(dir, &config("planted", "1"));
    // The name, how it is shown, whether git on Linux refuses it as well.
    for (name, shown, by_git) in [
        ("..", "apps/..", true),
        (".", "apps/.", true),
        ("", "apps/", true),
        (".git", "apps/.git", true),
        (".GiT", "apps/.GiT", true),
        (".git. ", "apps/.git. ", true),
        (".git::$INDEX_ALLOCATION", "apps/.git::$INDEX_ALLOCATION", true),
        ("git~1", "apps/git~1", true),
        ("../../planted", "apps/../../planted", true),
        (".g\u{200c}it", "apps/.g\\u{200c}it", false),
        ("..\\planted", "apps/..\\planted", false),
        ("\u{1b}[31m\\", "apps/\\u{1b}[31m\\", false),
    ] {
        for mode in ["40000", "100644"] {
            let commit = commit_with(dir, mode, name.as_bytes());
            if by_git {
                assert!(!git_takes(dir, &commit), "git takes {name:?}");
            }
            for args in [
                &["check"][..],
                &["render"],
                &["check", "apps"],
                &["render", "apps/x.yaml"],
                &["render", "-o", "json"],
            ] {
                let output = Cmd::trueup().dir(dir).args(args).args(["--rev", &commit]).run();
                let says = format!("`{shown}` in commit {} has ", &commit[..7]);
                assert_eq!(output.status, Some(2), "{name:?} {args:?}\n{output}");
                assert_eq!(output.stdout, "", "{name:?} {args:?}\n{output}");
                assert!(output.stderr.contains(&says), "{name:?} {args:?}\n{output}");
                assert!(output.stderr.contains("git fsck"), "{name:?} {args:?}\n{output}");
            }
        }
    }
    // Other commits of the same repository are read as ever.
    Cmd::trueup().dir(dir).args(["check"]).run().exits(0);
    drop(manifest);
}

#[test]
fn folders_that_git_would_not_write_are_refused() {
    let folder = checkout();
    let dir = folder.path();
    let manifest = blob(dir, &config("planted", "1"));
    let below = tree(dir, &[("100644", b"x.yaml", &manifest)]);
    let file = ("100644", &b"a.yaml"[..], manifest.as_str());
    for (entries, says) in [
        (vec![file, file], "`a.yaml` in commit"),
        (vec![("100644", b"z.yaml", &manifest), file], "git's order"),
        (vec![file, ("40000", b"a.yaml", &below)], "is in its folder twice"),
        (vec![("20644", b"a.yaml", &manifest)], "the mode 20644"),
        (vec![("100644", b"a.yaml", &below)], "of another kind"),
        (vec![("40000", b"a", &manifest)], "of another kind"),
        (vec![("120000", b".gitmodules", &manifest)], "is a symbolic link"),
    ] {
        let commit = commit_tree(dir, &tree(dir, &entries), Some("HEAD"));
        for verb in ["check", "render"] {
            let output = Cmd::trueup().dir(dir).args([verb, "--rev", &commit]).run();
            assert_eq!(output.status, Some(2), "{says}\n{output}");
            assert!(output.stderr.contains(says), "{says}\n{output}");
        }
    }
}

#[test]
fn nothing_is_applied_or_pruned_from_such_a_commit() {
    let repo = Repo::new("tree-names", sandbox::bare());
    repo.write_config("one", "1").write_config("two", "1").commit("Two");
    repo.run(&["apply", "--yes"]).exits(0);
    let dir = repo.path();
    let manifest = blob(&dir, &config("planted", "1"));
    let above = tree(&dir, &[("100644", b"planted.yaml", &manifest)]);
    let root = tree(&dir, &[("40000", b"..", &above), ("100644", b"one.yaml", &manifest)]);
    let hostile = commit_tree(&dir, &root, Some("HEAD"));
    let members = repo.members("configmaps");

    for args in [&["diff"][..], &["apply", "--yes"], &["status"]] {
        let output = repo.trueup(args).args(["--rev", &hostile]).run();
        if args[0] != "status" {
            assert_eq!(output.status, Some(2), "\n{output}");
            assert!(output.stderr.contains("`..` in commit"), "\n{output}");
        }
    }
    // The branch is there as well.
    repo.git(&["update-ref", "refs/heads/main", &hostile]);
    for args in [&["diff"][..], &["apply", "--yes"], &["watch", "--once"]] {
        let output = repo.run(args);
        assert_eq!(output.status, Some(2), "{args:?}\n{output}");
        assert!(output.stderr.contains("`..` in commit"), "{args:?}\n{output}");
    }

    assert_eq!(repo.members("configmaps"), members);
    assert!(!repo.outside().join("planted.yaml").exists());
}
