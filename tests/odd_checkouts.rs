//! Checkouts whose index, work tree or objects are not as they usually are. What counts is the
//! commit.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use crate::support::command::{Cmd, Output};
use crate::support::git::{Upstream, assert_clean_at, assert_refused, git, pull, raw_commit};

const CONFIG: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: v}\n";

/// An upstream with one object, and a checkout of it.
fn one() -> (Upstream, PathBuf) {
    let upstream = Upstream::empty();
    upstream.write("deploy/a.yaml", CONFIG);
    upstream.write("docs/a.txt", "text\n");
    upstream.commit("One");
    let checkout = upstream.clone("checkout");
    (upstream, checkout)
}

fn check(checkout: &PathBuf) -> Output {
    Cmd::trueup().dir(checkout).args(["check", "--no-cache", "-o", "json"]).run()
}

#[track_caller]
fn is_read(output: &Output) {
    assert_eq!(output.status, Some(0), "{output}");
    let answer: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(answer["objects"], 1, "{output}");
}

#[track_caller]
fn is_warned(output: &Output) {
    is_read(output);
    assert!(
        output.stderr.starts_with("warning: cannot tell which files have uncommitted changes"),
        "{output}"
    );
}

#[test]
fn an_index_that_cannot_be_read_is_a_warning() {
    let (upstream, checkout) = one();
    let index = checkout.join(".git/index");
    let whole = fs::read(&index).unwrap();
    for content in
        [&[][..], b"DIRC", b"nonsense, and long enough to be taken for an index", &whole[..60]]
    {
        fs::write(&index, content).unwrap();
        is_warned(&check(&checkout));
    }
    upstream.write("docs/a.txt", "another\n");
    let after = upstream.commit("Another");
    let output = pull(&checkout).run();
    assert_refused(&output, 2, &["cannot read the index", "&& git reset"]);
    let hint = "rm \"$(git rev-parse --git-path index)\" && git reset";
    Cmd::new("sh").dir(&checkout).args(["-c", hint]).run().exits(0);
    pull(&checkout).run().exits(0);
    assert_clean_at(&checkout, &after);
}

#[test]
fn sparse_index_is_read() {
    let (_upstream, checkout) = one();
    git(&checkout, ["sparse-checkout", "set", "--cone", "--sparse-index", "deploy"]);
    is_read(&check(&checkout));
}

#[test]
fn a_filter_that_is_not_there_is_a_warning() {
    let (_upstream, checkout) = one();
    git(&checkout, ["config", "filter.lfs.clean", "no-such-program -- %f"]);
    git(&checkout, ["config", "filter.lfs.process", "no-such-program"]);
    git(&checkout, ["config", "filter.lfs.required", "true"]);
    fs::write(checkout.join(".git/info/attributes"), "*.yaml filter=lfs\n").unwrap();
    fs::write(checkout.join("deploy/a.yaml"), CONFIG.replace("k: v", "k: w")).unwrap();
    is_warned(&check(&checkout));
}

/// A clone that left all blobs at its remote, which is where they are read from.
fn partial(upstream: &Upstream, more: &[&str]) -> PathBuf {
    git(upstream.bare(), ["config", "uploadpack.allowFilter", "true"]);
    git(upstream.bare(), ["config", "uploadpack.allowAnySHA1InWant", "true"]);
    let checkout = upstream.folder().join("partial");
    let url = upstream.url();
    let args = ["clone", "--quiet", "--filter=blob:none", &url, "partial"];
    git(upstream.folder(), args.iter().chain(more));
    checkout
}

#[test]
fn missing_objects_of_a_partial_clone_are_fetched() {
    let (upstream, _) = one();
    let checkout = partial(&upstream, &["--bare"]);
    is_read(&check(&checkout));
    fs::remove_dir_all(&checkout).unwrap();

    let checkout = partial(&upstream, &["--bare"]);
    let elsewhere = upstream.folder().join("elsewhere");
    fs::rename(upstream.bare(), &elsewhere).unwrap();
    let output = check(&checkout);
    assert_refused(&output, 2, &["1 file", "partial clone lacks from `origin`", "--no-filter"]);
    fs::rename(&elsewhere, upstream.bare()).unwrap();
    let hint = ["fetch", "--quiet", "--refetch", "--no-filter", "origin"];
    git(&checkout, hint);
    fs::rename(upstream.bare(), &elsewhere).unwrap();
    is_read(&check(&checkout));
}

#[test]
fn reverting_commit_is_pulled_into_a_partial_clone() {
    let (upstream, _) = one();
    upstream.write("deploy/a.yaml", &CONFIG.replace("k: v", "k: w"));
    upstream.commit("Changed");
    let checkout = partial(&upstream, &[]);
    upstream.write("deploy/a.yaml", CONFIG);
    let after = upstream.commit("Back to what it was");

    pull(&checkout).run().exits(0);

    assert_clean_at(&checkout, &after);
    assert_eq!(fs::read_to_string(checkout.join("deploy/a.yaml")).unwrap(), CONFIG);
}

#[test]
fn a_commit_without_an_address_is_a_commit() {
    let (upstream, checkout) = one();
    let tree = git(upstream.work(), ["rev-parse", "HEAD^{tree}"]);
    let who = "Nobody 1700000000 +0000";
    let content = format!("tree {tree}\nauthor {who}\ncommitter {who}\n\nConverted\n");
    let old = raw_commit(upstream.work(), &content);
    let root = git(upstream.work(), ["rev-parse", "HEAD"]);
    git(upstream.work(), ["reset", "--quiet", "--hard", &old]);
    is_read(&check(&upstream.work()));
    let merge = ["commit-tree", &tree, "-p", &root, "-p", &old, "-m", "Both"];
    let merge = git(upstream.work(), merge);
    git(upstream.work(), ["reset", "--quiet", "--hard", &merge]);
    git(upstream.work(), ["push", "--quiet", "--force", "origin", "HEAD"]);

    pull(&checkout).run().exits(0);

    assert_eq!(git(&checkout, ["rev-parse", "HEAD"]), merge);
    is_read(&check(&checkout));
    let cloned = upstream.folder().join("cloned");
    let output = pull(&cloned).args(["--url", &upstream.url()]).run().exits(0);
    assert!(output.stdout.contains("(3 commits, 2 files)"), "{output}");
}

#[test]
fn formats_that_are_not_read_are_named() {
    let (_upstream, checkout) = one();
    git(&checkout, ["config", "core.repositoryFormatVersion", "1"]);
    for (key, value, names, hint) in [
        ("refStorage", "reftable", "references stored as reftable", "git refs migrate"),
        ("ofTheFuture", "true", "the extension ofthefuture", "clone it to another folder"),
    ] {
        // git of this machine may not know the key.
        let config = checkout.join(".git/config");
        let before = fs::read_to_string(&config).unwrap();
        fs::write(&config, format!("{before}[extensions]\n\t{key} = {value}\n")).unwrap();
        for verb in ["check", "pull"] {
            let output = Cmd::trueup().dir(&checkout).args([verb]).run();
            assert_refused(&output, 2, &[names, "which trueup does not support", hint]);
        }
        fs::write(&config, before).unwrap();
    }
}

#[test]
fn a_work_tree_is_read_before_the_first_commit() {
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), ["init", "--quiet", "--initial-branch=main"]);
    let manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\n";
    fs::write(folder.path().join("one.yaml"), manifest).unwrap();
    let run = |args: &[&str]| Cmd::trueup().dir(folder.path()).args(args).run();

    let output = run(&["check", "--worktree"]).exits(0);
    assert!(output.stdout.contains("1 object"), "{output}");
    let output = run(&["render", "--worktree"]).exits(0);
    assert!(output.stdout.contains("name: one"), "{output}");
    git(folder.path(), ["add", "one.yaml"]);
    run(&["check", "--worktree"]).exits(0);
    run(&["diff", "--worktree", "--sandbox"]).exits(1);
    let output = run(&["check"]).exits(2);
    assert!(output.stderr.contains("branch `main` has no commit yet"), "{output}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_that_is_not_utf8_is_told_of_the_work_tree_too() {
    use std::os::unix::ffi::OsStrExt as _;
    let (_upstream, checkout) = one();
    let name = std::ffi::OsStr::from_bytes(b"b\xff.yaml");
    let file = checkout.join("deploy").join(name);
    fs::write(&file, CONFIG).unwrap();
    let told = |args: &[&str]| {
        let output = Cmd::trueup().dir(&checkout).args(["check", "-o", "json"]).args(args).run();
        let answer: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
        let findings = answer["findings"].as_array().unwrap().iter();
        let messages = findings.map(|finding| finding["message"].as_str().unwrap().to_owned());
        let told = messages.filter(|message| message.contains("has a path that is not UTF-8"));
        (output.status, told.count())
    };

    assert_eq!(told(&["--worktree"]), (Some(1), 1));
    assert_eq!(told(&[]), (Some(0), 0));
    git(&checkout, ["add", "--all"]);
    assert_eq!(told(&["--worktree"]), (Some(1), 1));
    git(&checkout, ["commit", "--quiet", "--message", "One more"]);
    assert_eq!([told(&["--worktree"]), told(&[])], [(Some(1), 1); 2]);
    fs::write(&file, "kind: A\n").unwrap();
    assert_eq!(told(&["--worktree"]), (Some(1), 1));
    fs::remove_file(&file).unwrap();
    assert_eq!(told(&["--worktree"]), (Some(0), 0));
}

#[test]
fn a_pointer_of_git_lfs_is_called_one() {
    let (upstream, _) = one();
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n";
    upstream.write("deploy/b.yaml", pointer);
    upstream.commit("A large file");

    let output = Cmd::trueup().dir(upstream.work()).args(["check"]).run().exits(1);

    assert!(output.stdout.contains("deploy/b.yaml:1:1"), "{output}");
    assert!(output.stdout.contains("this is a Git LFS pointer, not an object"), "{output}");
}

#[test]
fn a_pre_receive_hook_checks_what_came_in() {
    let upstream = Upstream::new();
    let hook = upstream.bare().join("hooks/pre-receive");
    let script = format!(
        "#!/bin/sh\nread old new ref\n{program} check --rev \"$new\" && {program} pull",
        program = env!("CARGO_BIN_EXE_trueup")
    );
    fs::write(&hook, script).unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    let push = |content: &str| {
        upstream.write("deploy/b.yaml", content);
        git(upstream.work(), ["add", "--all"]);
        git(upstream.work(), ["commit", "--quiet", "--message", "Pushed"]);
        Cmd::new("git").dir(upstream.work()).args(["push", "origin", "HEAD"]).run().exits(1).stderr
    };
    let refused = push("kind: [\n");
    assert!(refused.contains("deploy/b.yaml:2:1"), "{refused}");
    let manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n";
    upstream.remove("web.yaml");
    upstream.remove("envs");
    let checked = push(manifest);
    // It is read, and then it is the pull that is refused.
    assert!(checked.contains("a pre-receive hook can't update branches"), "{checked}");
}
