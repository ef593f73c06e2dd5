//! Programs that the checkout's own configuration and attributes name, beside every verb that reads it:
//! each leaves a file of its name behind when it is run, and none is there.

use std::fs;
use std::path::PathBuf;

use super::signing::{Machine, private};
use crate::support::command::Output;
use crate::support::git::{Upstream, git, pull};
use crate::support::objects::config;
use crate::support::repo::Repo;
use crate::support::sandbox;

/// The attributes that ask for the programs.
const ATTRIBUTES: &str = "\
    *.yaml filter=evil diff=evil merge=evil export-subst\n\
    *.yml filter=process diff=evil\n";

/// The settings that name them, each with a program of its own.
const SETTINGS: [&str; 22] = [
    "filter.evil.clean",
    "filter.evil.smudge",
    "filter.process.process",
    "diff.evil.textconv",
    "diff.evil.command",
    "diff.external",
    "merge.evil.driver",
    "core.fsmonitor",
    "core.pager",
    "core.editor",
    "core.alternateRefsCommand",
    "sequence.editor",
    "gpg.program",
    "gpg.ssh.program",
    "gpg.ssh.defaultKeyCommand",
    "pager.log",
    "alias.fetch",
    "alias.maintenance",
    "hook.evil.command",
    "gc.recentObjectsHook",
    "uploadpack.packObjectsHook",
    "trailer.evil.command",
];

/// The hooks of the folder that `core.hooksPath` names.
const HOOKS: [&str; 6] = [
    "post-checkout",
    "post-merge",
    "post-index-change",
    "pre-auto-gc",
    "reference-transaction",
    "fsmonitor-watchman",
];

/// Where the settings are.
#[derive(Clone, Copy)]
enum Place {
    Config,
    Worktree,
    Included,
}

/// The programs, and what they leave behind.
struct Programs {
    folder: tempfile::TempDir,
}

impl Programs {
    fn new() -> Self {
        let programs = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir(programs.folder.path().join("ran")).unwrap();
        fs::create_dir(programs.folder.path().join("hooks")).unwrap();
        programs
    }

    fn program(&self, name: &str) -> String {
        let path = self.folder.path().join(name);
        let ran = self.folder.path().join("ran").join(name.replace('/', "-"));
        fs::write(&path, format!("#!/bin/sh\ntouch '{}'\nexec cat\n", ran.display())).unwrap();
        private(&path, 0o755);
        path.display().to_string()
    }

    /// Names the programs in the checkout.
    fn set_in(&self, checkout: PathBuf, place: Place) {
        for name in HOOKS {
            self.program(&format!("hooks/{name}"));
        }
        let included = self.folder.path().join("included").display().to_string();
        let set = |key: &str, value: &str| {
            match place {
                Place::Config => git(&checkout, ["config", key, value]),
                Place::Worktree => git(&checkout, ["config", "--worktree", key, value]),
                Place::Included => git(&checkout, ["config", "--file", &included, key, value]),
            };
        };
        match place {
            Place::Config => {}
            Place::Worktree => {
                git(&checkout, ["config", "extensions.worktreeConfig", "true"]);
            }
            Place::Included => {
                git(&checkout, ["config", "include.path", &included]);
            }
        }
        set("core.hooksPath", &self.folder.path().join("hooks").display().to_string());
        set("hook.evil.event", "pre-auto-gc");
        for key in SETTINGS {
            set(key, &self.program(key));
        }
    }

    /// The programs that were run, which are forgotten.
    fn ran(&self) -> Vec<String> {
        let files = fs::read_dir(self.folder.path().join("ran")).unwrap();
        let mut names = Vec::new();
        for file in files.map(Result::unwrap) {
            fs::remove_file(file.path()).unwrap();
            names.push(file.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        names
    }

    #[track_caller]
    fn none_ran(&self, verb: &[&str], output: &Output) {
        assert_eq!(self.ran(), Vec::<String>::new(), "{verb:?}: {output}");
    }
}

/// Changes a file of each kind. Its size stays, so that only a filter can tell the change.
fn touch(checkout: PathBuf) {
    for file in ["objects/a.yaml", "objects/b.yml"] {
        let path = checkout.join(file);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace("\"1\"", "\"2\"")).unwrap();
    }
}

#[track_caller]
fn no_verb_runs_a_program(name: &str, place: Place) {
    let repo = Repo::new(name, sandbox::bare());
    let machine = Machine::beside(&repo.path());
    machine.ssh_key("dev", "ed25519");
    machine.write("allowed", format!("dev@x {}\n", machine.public("dev"))).ssh_rule("");
    repo.write("trueup.yaml", format!("targets: {{{name}: {{paths: [objects]}}}}\n"));
    repo.write(".gitattributes", ATTRIBUTES);
    repo.write("objects/a.yaml", config("a", "1")).write("objects/b.yml", config("b", "1"));
    machine.ssh_commit("dev", "First");
    let run = |verb: &[&str]| machine.on(repo.trueup(verb)).run();
    run(&["apply"]).exits(0);

    let programs = Programs::new();
    programs.set_in(repo.path(), place);
    touch(repo.path());
    // git itself runs them.
    repo.git(&["status"]);
    let by_git = programs.ran();
    for program in ["filter.evil.clean", "filter.process.process", "core.fsmonitor"] {
        assert!(by_git.iter().any(|ran| ran == program), "{program}: {by_git:?}");
    }

    let status = [
        (&["diff"][..], 0),
        (&["diff", "--all-targets"], 0),
        (&["diff", "-o", "json"], 0),
        (&["diff", "--rev", "HEAD"], 0),
        (&["apply"], 0),
        (&["apply", "--all-targets"], 0),
        (&["watch", "--once"], 0),
        (&["check"], 0),
        (&["check", "--no-cache"], 0),
        (&["render"], 0),
        (&["verify"], 0),
        // What a filter would make of the files is not known.
        (&["check", "--worktree"], 2),
        (&["render", "--worktree"], 2),
        (&["diff", "--worktree", "--unverified"], 2),
    ];
    for (verb, status) in status {
        let output = run(verb).exits(status);
        programs.none_ran(verb, &output);
    }
    let said = run(&["check"]).stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    let why = "`objects/a.yaml` has the filter `evil` of the checkout's own configuration, from \
               which trueup runs no program, as 1 more have";
    assert_eq!(said.matches(why).count(), 1, "{said}");
    assert!(!said.contains("not committed: not part of this"), "{said}");
    // A new commit changes the cluster, and the history of the file is looked through.
    let elsewhere = repo.outside().join("elsewhere");
    repo.git(&["clone", "--quiet", ".", elsewhere.to_str().unwrap()]);
    touch(elsewhere.clone());
    let key = format!("user.signingKey={}", machine.path("keys/dev.pub").display());
    let sign = ["-c", "gpg.format=ssh", "-c", &key, "commit", "--quiet", "--all", "-S"];
    git(&elsewhere, sign.iter().chain(&["-m", "Second"]));
    let commit = git(&elsewhere, ["rev-parse", "HEAD"]);
    repo.git(&["fetch", "--quiet", elsewhere.to_str().unwrap()]);
    repo.git(&["update-ref", "refs/heads/main", &commit]);
    programs.ran();
    for verb in [&["diff"][..], &["diff", "-o", "json"], &["apply", "--yes"]] {
        let output = run(verb);
        assert!(matches!(output.status, Some(0 | 1)), "{output}");
        programs.none_ran(verb, &output);
    }
    assert_eq!(
        repo.config_map(&repo.parent()).unwrap()["metadata"]["annotations"]["trueup.dev/revision"],
        commit.as_str()
    );
}

#[test]
fn none_of_the_configuration_is_run() {
    no_verb_runs_a_program("programs-config", Place::Config);
}

#[test]
fn none_of_a_work_trees_configuration_is_run() {
    no_verb_runs_a_program("programs-worktree", Place::Worktree);
}

#[test]
fn none_of_an_included_file_is_run() {
    no_verb_runs_a_program("programs-included", Place::Included);
}

#[test]
fn pull_runs_none() {
    let upstream = Upstream::empty();
    upstream.write(".gitattributes", ATTRIBUTES);
    upstream.write("objects/a.yaml", &config("a", "1"));
    upstream.write("objects/b.yml", &config("b", "1"));
    upstream.write("note.txt", "one\n");
    upstream.commit("One");
    let checkout = upstream.clone("checkout");
    let programs = Programs::new();
    programs.set_in(checkout.clone(), Place::Config);

    // A file without such a filter.
    upstream.write("note.txt", "two\n");
    upstream.commit("Two");
    let output = pull(&checkout).run().exits(0);
    programs.none_ran(&["pull"], &output);
    assert_eq!(fs::read_to_string(checkout.join("note.txt")).unwrap(), "two\n");

    // Its content in the work tree is unknown, and the old one stays.
    for file in ["objects/a.yaml", "objects/b.yml"] {
        let before = git(upstream.work(), ["rev-parse", "HEAD"]);
        upstream.write(file, &config("changed", "2"));
        upstream.commit("Three");
        let output = pull(&checkout).run().exits(2);
        programs.none_ran(&["pull"], &output);
        assert!(output.stderr.contains(&format!("`{file}` has the filter")), "{output}");
        assert!(output.stderr.contains("git config --global"), "{output}");
        git(upstream.work(), ["reset", "--quiet", "--hard", &before]);
        git(upstream.work(), ["push", "--quiet", "--force", "origin", "HEAD"]);
    }
    assert!(!fs::read_to_string(checkout.join("objects/a.yaml")).unwrap().contains("changed"));

    // One that goes is compared first.
    upstream.remove("objects/b.yml");
    upstream.commit("Four");
    let output = pull(&checkout).run().exits(2);
    programs.none_ran(&["pull"], &output);
}

#[test]
fn a_users_filter_is_run_also_where_the_checkout_has_the_same() {
    let upstream = Upstream::empty();
    upstream.write(".gitattributes", "*.yaml filter=mine\n");
    upstream.write("a.yaml", &config("a", "one"));
    upstream.commit("One");
    let checkout = upstream.clone("checkout");
    let programs = Programs::new();
    let mine = programs.program("mine");
    let home = programs.folder.path().join("gitconfig");
    git(&checkout, ["config", "--file", home.to_str().unwrap(), "filter.mine.clean", &mine]);
    git(&checkout, ["config", "filter.mine.clean", &mine]);
    touch_one(&checkout);
    let check = || {
        let check = crate::support::command::Cmd::trueup().dir(&checkout).args(["check"]);
        check.env("GIT_CONFIG_GLOBAL", &home).run().exits(0)
    };
    let output = check();
    assert_eq!(programs.ran(), ["mine"], "{output}");
    assert!(output.stderr.contains("a.yaml changed in the work tree"), "{output}");
    // Another of the same name is not run, and the user's says nothing of what the checkout's would.
    git(&checkout, ["config", "filter.mine.clean", "other"]);
    let output = check();
    assert!(output.stderr.contains("`a.yaml` has the filter `mine`"), "{output}");
}

fn touch_one(checkout: &std::path::Path) {
    let path = checkout.join("a.yaml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(path, text.replace("one", "two")).unwrap();
}

#[test]
fn a_file_that_is_as_the_index_has_it_needs_no_filter() {
    let upstream = Upstream::empty();
    upstream.write(".gitattributes", "*.yaml filter=next\n");
    upstream.write("a.yaml", &config("a", "one"));
    upstream.write("note.txt", "one\n");
    upstream.commit("One");
    let checkout = upstream.folder().join("checkout");
    git(upstream.folder(), ["clone", "--quiet", "--no-checkout", &upstream.url(), "checkout"]);
    git(&checkout, ["config", "filter.next.smudge", "tr a-z b-za"]);
    git(&checkout, ["config", "filter.next.clean", "tr b-za a-z"]);
    git(&checkout, ["checkout", "--quiet", "main"]);
    assert!(fs::read_to_string(checkout.join("a.yaml")).unwrap().contains("ljoe: CpogjhMbq"));
    let check = || {
        let check = crate::support::command::Cmd::trueup().dir(&checkout).args(["check"]);
        check.run()
    };
    let output = check();
    assert!(!output.stderr.contains("uncommitted"), "{output}");
    assert!(!output.stderr.contains("not committed"), "{output}");
    // git notes another time of a file only where the second is another.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    // As young as the index, in whole seconds: a pull does not make git doubt it.
    fs::File::options()
        .write(true)
        .open(checkout.join("a.yaml"))
        .unwrap()
        .set_modified(std::time::SystemTime::now() - std::time::Duration::from_millis(50))
        .unwrap();
    git(&checkout, ["update-index", "--refresh"]);
    upstream.write("note.txt", "two\n");
    upstream.commit("Two");
    pull(&checkout).run().exits(0);
    let output = check();
    assert!(!output.stderr.contains("uncommitted"), "{output}");
    // Another size and a deleted file are changes without any filter.
    let path = checkout.join("a.yaml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{text}# more\n")).unwrap();
    let output = check();
    assert!(output.stderr.contains("a.yaml changed in the work tree"), "{output}");
    fs::remove_file(checkout.join("a.yaml")).unwrap();
    let output = check();
    assert!(output.stderr.contains("a.yaml changed in the work tree"), "{output}");
}
