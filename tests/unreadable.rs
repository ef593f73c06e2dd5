//! What can no longer be read is not gone: folders that became links or submodules, or that lie
//! behind one. Their objects stay, and somebody is told.

use std::os::unix::fs::symlink;

use crate::support::command::Output;
use crate::support::objects::config;
use crate::support::repo::Repo;
use crate::support::sandbox;

const LINK: &str = "extra:1:1 is a symbolic link, which is never followed";
const SUBMODULE: &str = "extra:1:1 is a submodule, whose files are another repository's";

/// A repository of `kept` and, in the folder `extra`, `x1`, both applied.
fn repo(name: &str) -> Repo<'static> {
    let repo = Repo::new(name, sandbox::bare());
    repo.write("kept.yaml", config("kept", "1")).write("extra/x1.yaml", config("x1", "1"));
    repo.commit("Two").run(&["apply"]).exits(0);
    repo
}

/// Moves `extra` out of the target's sight.
fn moved(repo: &Repo<'_>) {
    repo.git(&["mv", "extra", ".elsewhere"]).exits(0);
}

fn linked(repo: &Repo<'_>) {
    moved(repo);
    symlink(".elsewhere", repo.path().join("extra")).unwrap();
    repo.commit("A link");
}

fn submodule(repo: &Repo<'_>) {
    moved(repo);
    let commit = repo.git(&["rev-parse", "HEAD"]).exits(0).stdout;
    let entry = format!("160000,{},extra", commit.trim());
    repo.git(&["update-index", "--add", "--cacheinfo", &entry]).exits(0);
    repo.git(&["commit", "--quiet", "-m", "A submodule"]).exits(0);
    // As a clone has it that does not go into submodules.
    std::fs::create_dir(repo.path().join("extra")).unwrap();
}

#[track_caller]
fn has(output: &Output, text: &str) {
    // `check` lays out as a list what the others say as lines.
    let said = format!("{}{}", output.stdout, output.stderr).replace(":1:1: ", ":1:1 ");
    assert!(said.replace("  error    ", " ").contains(text), "no {text}\n{output}");
}

#[test]
fn a_folder_that_becomes_a_link_or_a_submodule_keeps_its_objects() {
    for (name, says) in [("unreadable-link", LINK), ("unreadable-submodule", SUBMODULE)] {
        let repo = repo(name);
        match says {
            LINK => linked(&repo),
            _ => submodule(&repo),
        }
        for args in [&["diff"][..], &["apply"], &["apply"], &["watch", "--once"], &["check"]] {
            has(&repo.run(args).exits(1), says);
        }
        let in_tree = repo.run(&["check", "--worktree"]);
        has(&in_tree.exits(1), says);
        has(&repo.run(&["apply", "--strict"]).exits(2), says);
        assert_eq!(repo.members("configmap"), ["configmap/kept", "configmap/x1"]);

        // Who says that it declares nothing has its objects pruned.
        for pattern in ["extra", "extra/"] {
            repo.write(".trueupignore", format!("{pattern}\n")).commit("Left out");
            repo.run(&["check"]).exits(0);
        }
        repo.run(&["apply"]).exits(0);
        assert_eq!(repo.members("configmap"), ["configmap/kept"]);
    }
}

#[test]
fn a_link_in_the_work_tree_alone_is_seen_there() {
    let repo = repo("unreadable-worktree");
    std::fs::rename(repo.path().join("extra"), repo.path().join(".elsewhere")).unwrap();
    symlink(".elsewhere", repo.path().join("extra")).unwrap();
    repo.run(&["check"]).exits(0);
    has(&repo.run(&["check", "--worktree"]).exits(1), "is behind a symbolic link");
    has(&repo.run(&["diff", "--worktree"]).exits(1), "is behind a symbolic link");
    // Nothing of the index lies behind this one.
    repo.git(&["rm", "-rq", "--cached", "extra"]).exits(0);
    has(&repo.run(&["check", "--worktree"]).exits(1), LINK);
}

/// Whether links lead to a folder is looked up: to a file they are no more than another name.
#[test]
fn a_link_to_a_file_is_judged_by_its_name() {
    let repo = repo("unreadable-names");
    let link = |target: &str, name: &str| symlink(target, repo.path().join(name)).unwrap();
    link("kept.yaml", "same");
    link("extra/x1.yaml", "extra-too.txt");
    link("same", "twice");
    repo.commit("Links to files");
    for args in [&["check"][..], &["check", "-W"], &["apply"]] {
        let output = repo.run(args).exits(0);
        assert!(!format!("{output}").contains("symbolic link"), "{output}");
    }
    link("../outside", "out");
    link("nowhere", "dangling");
    link("loop", "loop");
    link("extra", "folder");
    repo.commit("Links that may lead to folders");
    for args in [&["check"][..], &["check", "-W"]] {
        let output = repo.run(args).exits(1);
        has(&output, "dangling:1:1 is a symbolic link, which is never followed");
        assert!(output.stdout.contains("and 3 more: folder:1:1, loop:1:1, out:1:1\n"), "{output}");
    }
}

/// The target's own path, and what is above it.
#[test]
fn a_path_of_the_target_behind_a_link_is_named() {
    let repo = Repo::new("unreadable-above", sandbox::bare());
    repo.write("envs/prod/a.yaml", config("a", "1")).commit("One");
    repo.run(&["apply", "envs/prod"]).exits(0);
    repo.git(&["mv", "envs", "other"]).exits(0);
    symlink("other", repo.path().join("envs")).unwrap();
    repo.commit("A link above");
    for args in
        [&["diff", "envs/prod"][..], &["apply", "envs/prod"], &["diff", "--worktree", "envs/prod"]]
    {
        has(&repo.run(args).exits(2), "`envs` is a symbolic link");
    }
    assert!(repo.config_map("a").is_some());
}

/// An ignore file says what trueup does not apply; that it goes, only git's history of it says.
#[test]
fn an_ignore_file_that_appears_deletes_nothing() {
    let repo = repo("unreadable-ignored");
    repo.write(".trueupignore", "extra/\n").commit("Ignored");
    let says = "kept: extra/x1.yaml:1:1 declares it, and .trueupignore leaves that file out";
    for args in [&["diff"][..], &["apply"], &["diff"], &["apply"], &["watch", "--once"]] {
        let output = repo.run(args).exits(0);
        if args[0] != "watch" {
            has(&output, says);
        }
        assert_eq!(repo.members("configmap"), ["configmap/kept", "configmap/x1"]);
    }
    // What is ignored is not applied either.
    repo.write("extra/x1.yaml", config("x1", "2")).commit("Changed");
    repo.run(&["apply"]).exits(0);
    let value = repo.kubectl(&["get", "configmap", "x1", "-o", "jsonpath={.data.key}"]).exits(0);
    assert_eq!(value.stdout, "1", "{value}");
    // Of more than one object in a file, the one that it declares no longer goes.
    let two = format!("{}---\n{}", config("x1", "1"), config("x2", "1"));
    repo.remove(".trueupignore").write("extra/x1.yaml", two).commit("Two");
    repo.run(&["apply"]).exits(0);
    repo.write(".trueupignore", "extra/\n");
    repo.write("extra/x1.yaml", config("x2", "1")).commit("One, ignored");
    repo.run(&["apply"]).exits(0);
    assert_eq!(repo.members("configmap"), ["configmap/kept", "configmap/x2"]);
    repo.remove("extra/x1.yaml").commit("Gone");
    repo.run(&["apply"]).exits(0);
    assert_eq!(repo.members("configmap"), ["configmap/kept"]);
}

/// A file that is ignored because it can't be read keeps nothing, and costs nothing.
#[test]
fn ignored_broken_file_does_not_block_pruning() {
    let repo = repo("unreadable-broken");
    repo.write(".trueupignore", "templates/\n").write("templates/a.yaml", "a: [");
    repo.remove("extra/x1.yaml").commit("Templates");
    let applied = repo.run(&["apply"]).exits(0);
    assert!(!applied.stdout.contains("templates"), "{applied}");
    assert_eq!(repo.members("configmap"), ["configmap/kept"]);
}
