//! Repositories of other users: every verb asks git's question first.

use std::fs;
use std::os::unix::fs::{MetadataExt, lchown};
use std::path::{Path, PathBuf};

use crate::support::command::{Cmd, Output};
use crate::support::git::{git, pull};
use crate::support::objects::config;

/// A user that no account has.
const OTHER: u32 = 54_321;

/// A repository `shop` with one manifest in `apps`, its bare clone and a linked work tree.
struct World {
    folder: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let world = Self { folder: tempfile::tempdir().unwrap() };
        let shop = world.shop();
        fs::create_dir_all(shop.join("apps")).unwrap();
        git(&shop, ["init", "--quiet", "--initial-branch=main"]);
        fs::write(shop.join("apps/one.yaml"), config("one", "1")).unwrap();
        git(&shop, ["add", "--all"]);
        git(&shop, ["commit", "--quiet", "--message", "One"]);
        git(&shop, ["clone", "--quiet", "--bare", ".", "../bare.git"]);
        git(&shop, ["worktree", "add", "--quiet", "../linked", "HEAD"]);
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(name)
    }

    fn shop(&self) -> PathBuf {
        self.path("shop")
    }
}

/// Whether this test may give files away, as only root may.
fn is_root() -> bool {
    tempfile::tempfile().unwrap().metadata().unwrap().uid() == 0
}

/// Gives `path`, with everything below, to another user.
fn give_away(path: &Path) {
    lchown(path, Some(OTHER), Some(OTHER)).unwrap();
    if path.symlink_metadata().unwrap().is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            give_away(&entry.unwrap().path());
        }
    }
}

fn check(dir: &Path, env: &[(&str, &str)]) -> Output {
    let command = Cmd::trueup().args(["check"]).dir(dir).env_remove("SUDO_UID");
    env.iter().fold(command, |command, (name, value)| command.env(name, value)).run()
}

/// Whether git takes the repository, with the same environment.
fn git_takes(dir: &Path, env: &[(&str, &str)]) -> bool {
    let command = Cmd::new("git").args(["rev-parse", "HEAD"]).dir(dir).env_remove("SUDO_UID");
    let output = env.iter().fold(command, |command, (name, value)| command.env(name, value)).run();
    output.status == Some(0)
}

#[track_caller]
fn assert_dubious(output: &Output, root: &Path) {
    assert_eq!(output.status, Some(2), "\n{output}");
    assert_eq!(output.stdout, "", "\n{output}");
    let says = format!("detected dubious ownership in repository at '{}'", root.display());
    assert!(output.stderr.contains(&says), "\n{output}");
    let hint = format!("git config --global --add safe.directory {}", root.display());
    assert!(output.stderr.contains(&hint), "\n{output}");
}

#[test]
fn every_verb_refuses_the_repository_of_another_user() {
    let world = World::new();
    check(&world.shop(), &[]).exits(0);
    if !is_root() {
        return;
    }
    let shop = world.shop();
    give_away(&shop);
    let says = Cmd::new("git").args(["status"]).dir(&shop).env_remove("SUDO_UID").run().stderr;
    assert!(says.contains("detected dubious ownership in repository at"), "{says}");
    for args in [
        &["check"][..],
        &["render"],
        &["diff"],
        &["apply", "--yes"],
        &["watch", "--once"],
        &["status"],
        &["history"],
        &["verify"],
        &["pull"],
        &["check", "--worktree"],
        &["render", "--rev", "HEAD", "apps"],
    ] {
        let output = Cmd::trueup().dir(&shop).args(args).env_remove("SUDO_UID").run();
        if output.stderr.contains("unrecognized subcommand") {
            continue;
        }
        assert_dubious(&output, &shop);
    }
    assert_dubious(&pull(&shop).args(["--url", "file:///nowhere"]).run(), &shop);
}

#[test]
fn owner_of_the_repository_counts_wherever_it_is_found() {
    if !is_root() {
        let world = World::new();
        for dir in ["shop/apps", "bare.git", "linked"] {
            check(&world.path(dir), &[]).exits(0);
        }
        return;
    }
    for (given, from, named) in [
        // Found in a folder above, which is all that is another's.
        ("shop/.git", "shop/apps", "shop"),
        ("shop", "shop/apps", "shop"),
        ("bare.git", "bare.git", "bare.git"),
        ("bare.git", "bare.git/refs", "bare.git"),
        // The file that leads to the git directory, the directory, and the shared one.
        ("linked/.git", "linked/apps", "linked"),
        ("shop/.git/worktrees/linked", "linked", "linked"),
        ("shop/.git", "linked", "linked"),
    ] {
        let world = World::new();
        check(&world.path(from), &[]).exits(0);
        give_away(&world.path(given));
        let output = check(&world.path(from), &[]);
        assert_dubious(&output, &world.path(named));
    }
    // The work tree alone.
    let world = World::new();
    lchown(world.shop(), Some(OTHER), None).unwrap();
    assert_dubious(&check(&world.shop(), &[]), &world.shop());
}

#[test]
fn safe_directory_allows_it_where_git_does() {
    let world = World::new();
    let shop = world.shop();
    let root = shop.to_str().unwrap();
    let elsewhere = world.path("elsewhere");
    if !is_root() {
        check(&shop, &[("GIT_CONFIG_GLOBAL", "/dev/null")]).exits(0);
        return;
    }
    give_away(&shop);
    // In the repository itself it says nothing.
    let local = ["-c", "safe.directory=*", "config", "safe.directory", "*"];
    Cmd::new("git").dir(&shop).args(local).run().exits(0);
    give_away(&shop);
    let above = format!("{}/*", shop.parent().unwrap().display());
    for (values, allowed, by_git) in [
        (vec![], false, true),
        (vec!["*"], true, true),
        (vec![root], true, true),
        (vec!["/nowhere"], false, true),
        (vec![root, ""], false, true),
        (vec!["*", "", "/nowhere"], false, true),
        // Newer than the git of some machines.
        (vec![above.as_str()], true, false),
    ] {
        let mut text = String::from("[safe]\n");
        values.iter().for_each(|value| text.push_str(&format!("directory = \"{value}\"\n")));
        fs::write(&elsewhere, text).unwrap();
        let count = values.len().to_string();
        let pairs: Vec<(String, String)> = std::iter::once(("GIT_CONFIG_COUNT".to_owned(), count))
            .chain(values.iter().enumerate().flat_map(|(at, value)| {
                [
                    (format!("GIT_CONFIG_KEY_{at}"), "safe.directory".to_owned()),
                    (format!("GIT_CONFIG_VALUE_{at}"), (*value).to_owned()),
                ]
            }))
            .collect();
        let pairs: Vec<(&str, &str)> =
            pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        for env in [&[("GIT_CONFIG_GLOBAL", elsewhere.to_str().unwrap())][..], &pairs] {
            let output = check(&shop, env);
            assert_eq!(output.status == Some(0), allowed, "{env:?}\n{output}");
            if by_git {
                assert_eq!(git_takes(&shop, env), allowed, "git, {env:?}");
            }
        }
    }
    // Then all of its configuration counts, as with git: its remote is known.
    git(world.folder.path(), ["init", "--quiet", "--bare", "empty.git"]);
    let remote = format!("[remote \"origin\"]\nurl = {}\n", world.path("empty.git").display());
    let file = shop.join(".git/config");
    fs::write(&file, fs::read_to_string(&file).unwrap() + &remote).unwrap();
    lchown(&file, Some(OTHER), None).unwrap();
    let allow = [("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", "safe.directory")];
    let command = pull(&shop).env_remove("SUDO_UID").env("GIT_CONFIG_VALUE_0", &above);
    let command = allow.iter().fold(command, |command, (name, value)| command.env(name, value));
    let output = command.run().exits(2);
    assert!(output.stderr.contains("empty.git has no commits yet"), "\n{output}");
}

#[test]
fn root_may_use_the_repository_of_the_sudo_user() {
    let world = World::new();
    let shop = world.shop();
    let sudo = OTHER.to_string();
    if !is_root() {
        // Anybody else could say so of themselves.
        check(&shop, &[("SUDO_UID", &sudo)]).exits(0);
        return;
    }
    give_away(&shop);
    for (uid, allowed) in [(sudo.as_str(), true), ("54322", false), ("", false), ("x", false)] {
        let env = [("SUDO_UID", uid)];
        assert_eq!(check(&shop, &env).status == Some(0), allowed, "{uid}");
        assert_eq!(git_takes(&shop, &env), allowed, "git, {uid}");
    }
}

#[test]
fn safe_bare_repository_explicit_is_respected() {
    let world = World::new();
    let explicit = [
        ("GIT_CONFIG_COUNT", "1"),
        ("GIT_CONFIG_KEY_0", "safe.bareRepository"),
        ("GIT_CONFIG_VALUE_0", "explicit"),
    ];
    for (dir, allowed) in [("bare.git", false), ("bare.git/refs", false), ("shop/apps", true)] {
        let dir = world.path(dir);
        check(&dir, &[]).exits(0);
        let output = check(&dir, &explicit);
        assert_eq!(output.status, Some(if allowed { 0 } else { 2 }), "\n{output}");
        assert_eq!(git_takes(&dir, &explicit), allowed, "git");
        assert_eq!(output.stderr.contains("safe.bareRepository"), !allowed, "\n{output}");
    }
}
