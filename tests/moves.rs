//! Targets are split, merged, renamed and removed: no object is lost or made twice, in either order of
//! applying.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use crate::support::command::Output;
use crate::support::objects::{config, namespace, with_metadata};
use crate::support::repo::Repo;
use crate::support::sandbox;

/// A repository with these targets, each with its path and the names of its ConfigMaps.
struct Targets(Repo<'static>);

impl Targets {
    fn new(name: &str, targets: &[(&str, &[&str])]) -> Self {
        let targets = Self::empty(name).declare(targets);
        for (target, _) in targets.1 {
            targets.0.apply(target).exits(0);
        }
        targets.0
    }

    fn empty(name: &str) -> Self {
        Self(Repo::new(name, sandbox::bare()))
    }

    /// Commits that there are these targets with these objects, and nothing else.
    fn declare<'t>(
        self,
        targets: &'t [(&'t str, &'t [&'t str])],
    ) -> (Self, &'t [(&'t str, &'t [&'t str])]) {
        self.commit(targets);
        (self, targets)
    }

    fn commit(&self, targets: &[(&str, &[&str])]) {
        let Self(repo) = self;
        let mut declared = "targets:\n".to_owned();
        repo.git(&["rm", "-rq", "--ignore-unmatch", "."]);
        for (target, objects) in targets {
            declared.push_str(&format!("  {target}: {{paths: [{target}]}}\n"));
            for object in *objects {
                // Its deletion would not go through unseen.
                let held = with_metadata(&config(object, "1"), "finalizers: [example.com/held]");
                repo.write(&format!("{target}/{object}.yaml"), held);
            }
        }
        // Another first commit than that of any other test.
        repo.write("note.txt", repo.namespace());
        repo.write("trueup.yaml", declared).commit("Next");
    }

    #[track_caller]
    fn apply(&self, target: &str) -> Output {
        self.0.run(&["apply", "--target", target])
    }

    /// The uid of an object and the inventory that it is part of; empty where it is being deleted.
    fn of(&self, name: &str) -> (String, String) {
        let metadata =
            &self.0.config_map(name).unwrap_or_else(|| panic!("{name} is gone"))["metadata"];
        assert!(metadata["deletionTimestamp"].is_null(), "{metadata}");
        let part_of = metadata["labels"]["applyset.kubernetes.io/part-of"].as_str();
        (metadata["uid"].as_str().unwrap().to_owned(), part_of.unwrap_or_default().to_owned())
    }

    fn id_of(&self, target: &str) -> String {
        let parent = self.0.config_map(&format!("trueup-{target}")).unwrap();
        parent["metadata"]["labels"]["applyset.kubernetes.io/id"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    fn all_in_sync(&self) {
        let diff = self.0.run(&["diff", "--all-targets"]).exits(0);
        assert!(!diff.stderr.contains("is gone from trueup.yaml"), "{diff}");
    }
}

#[test]
fn an_object_that_moves_changes_hands_in_either_order() {
    for (name, order) in [("moves-leave", ["a", "b"]), ("moves-take", ["b", "a"])] {
        let targets = Targets::new(name, &[("a", &["one", "x"]), ("b", &["two"])]);
        let before = targets.of("x");
        assert_eq!(before.1, targets.id_of("a"));
        targets.commit(&[("a", &["one"]), ("b", &["two", "x"])]);
        let first = targets.apply(order[0]).exits(0);
        if order[0] == "a" {
            assert!(first.stdout.contains("moves to target b"), "{first}");
            // As often as it is applied before the other one is.
            targets.apply("a").exits(0);
            assert_eq!(targets.of("x"), before);
        }
        let second = targets.apply(order[1]).exits(0);
        assert!(!second.stdout.contains("deleted"), "{second}");
        assert_eq!(targets.of("x"), (before.0, targets.id_of("b")), "{name}");
        targets.all_in_sync();
    }
}

#[test]
fn a_target_is_renamed_in_either_order() {
    let old: &[(&str, &[&str])] = &[("old", &["one", "two"])];
    let new: &[(&str, &[&str])] = &[("new", &["one", "two"])];
    for (name, is_new_first) in [("renamed-new", true), ("renamed-old", false)] {
        let targets = Targets::new(name, old);
        let before = ["one", "two"].map(|it| targets.of(it).0);
        targets.commit(new);
        let takes_down = || targets.0.run(&["apply", "--removed", "old", "--yes"]).exits(0);
        if is_new_first {
            let applied = targets.apply("new").exits(0);
            let said = "target old is gone from trueup.yaml, and its inventory";
            assert!(applied.stderr.contains(said), "{applied}");
            let diff = targets.0.run(&["diff"]).exits(0);
            assert!(diff.stderr.contains("trueup apply --removed old takes it down"), "{diff}");
            takes_down();
        } else {
            let down = takes_down();
            assert_eq!(down.stdout.matches("abandoned to target new").count(), 2, "{down}");
            targets.apply("new").exits(0);
        }
        assert!(targets.0.config_map("trueup-old").is_none());
        for (object, uid) in ["one", "two"].iter().zip(before) {
            assert_eq!(targets.of(object), (uid, targets.id_of("new")), "{name}");
        }
        targets.all_in_sync();
    }
}

#[test]
fn a_target_is_split_and_merged() {
    let whole: &[(&str, &[&str])] = &[("a", &["one", "two", "three"])];
    let split: &[(&str, &[&str])] = &[("a", &["one"]), ("b", &["two", "three"])];
    for (name, order) in [("split-a", ["a", "b"]), ("split-b", ["b", "a"])] {
        let targets = Targets::new(name, whole);
        let before = ["one", "two", "three"].map(|it| targets.of(it).0);
        let uids = || ["one", "two", "three"].map(|it| targets.of(it).0);
        targets.commit(split);
        for target in order {
            targets.apply(target).exits(0);
            assert_eq!(uids(), before, "{name} {target}");
        }
        assert_eq!(targets.of("three").1, targets.id_of("b"));
        targets.all_in_sync();
        // And back: what b had is a's again, whichever comes first.
        targets.commit(whole);
        if order[0] == "a" {
            targets.apply("a").exits(0);
        }
        let takes_down = || targets.0.run(&["apply", "--removed", "b", "--yes"]).exits(0);
        takes_down();
        targets.apply("a").exits(0);
        if order[0] == "b" {
            // What the other target is to take over was kept until it did.
            takes_down();
        }
        assert_eq!(uids(), before, "{name}");
        assert_eq!(targets.of("three").1, targets.id_of("a"));
        targets.all_in_sync();
    }
}

#[test]
fn an_object_waits_for_a_target_that_was_never_applied() {
    let targets = Targets::new("moves-waits", &[("a", &["one", "x"])]);
    let before = targets.of("x");
    targets.commit(&[("a", &["one"]), ("b", &["x"])]);
    for _ in 0..2 {
        let left = targets.apply("a").exits(0);
        assert!(left.stdout.contains("moves to target b"), "{left}");
        assert_eq!(targets.of("x"), before);
    }
    let diff = targets.0.run(&["diff", "--all-targets"]).exits(1);
    assert!(diff.stdout.contains("moves to target b"), "{diff}");
    // Nothing declares it any more.
    targets.commit(&[("a", &["one"])]);
    targets.apply("a");
    let left = targets.0.config_map("x").unwrap();
    assert!(left["metadata"]["deletionTimestamp"].is_string(), "{left}");
}

#[test]
fn two_targets_that_declare_one_object_do_not_take_it_from_each_other() {
    let targets = Targets::new("moves-both", &[("a", &["x"]), ("b", &["two"])]);
    targets.commit(&[("a", &["x"]), ("b", &["two", "x"])]);
    let refused = targets.apply("b").exits(1);
    assert!(refused.stdout.contains("b is NOT at"), "{refused}");
    assert_eq!(targets.of("x").1, targets.id_of("a"));
}

#[test]
fn an_object_of_a_target_of_another_cluster_is_pruned() {
    let targets = Targets::empty("moves-elsewhere");
    let both: &[(&str, &[&str])] = &[("prod", &["one", "x"]), ("staging", &["one", "x"])];
    targets.commit(both);
    targets.apply("staging").exits(0);
    targets
        .0
        .kubectl(&[
            "patch",
            "configmap",
            "x",
            "--type=json",
            "-p",
            r#"[{"op":"remove","path":"/metadata/finalizers"}]"#,
        ])
        .exits(0);
    targets.commit(&[("prod", &["one", "x"]), ("staging", &["one"])]);
    targets.apply("staging").exits(0);
    assert!(targets.0.config_map("x").is_none());
}

/// Commits these targets with a ref each, where one is given, and their objects.
fn commit_tracking(repo: &Repo<'_>, targets: &[(&str, &str, &[&str])]) {
    let mut declared = "targets:\n".to_owned();
    repo.git(&["rm", "-rq", "--ignore-unmatch", "."]);
    for (target, reference, objects) in targets {
        let tracks =
            if reference.is_empty() { String::new() } else { format!(", ref: {reference}") };
        declared.push_str(&format!("  {target}: {{paths: [{target}]{tracks}}}\n"));
        for object in *objects {
            repo.write(&format!("{target}/{object}.yaml"), config(object, "1"));
        }
    }
    repo.write("note.txt", repo.namespace());
    repo.write("trueup.yaml", declared).commit("Next");
}

#[test]
fn an_object_moves_to_a_target_that_tracks_a_ref_once_that_declares_it() {
    let targets = Targets::empty("moves-tracked");
    let repo = &targets.0;
    let before: &[(&str, &str, &[&str])] = &[("a", "", &["one", "x"]), ("b", "release", &["two"])];
    commit_tracking(repo, before);
    repo.git(&["branch", "release"]);
    repo.run(&["apply", "--all-targets", "--yes"]).exits(0);
    let uid = targets.of("x").0;
    let after: &[(&str, &str, &[&str])] = &[("a", "", &["one"]), ("b", "release", &["two", "x"])];
    commit_tracking(repo, after);
    repo.git(&["branch", "--force", "release"]);
    let left = targets.apply("a").exits(0);
    assert!(left.stdout.contains("moves to target b"), "{left}");
    targets.apply("b").exits(0);
    assert_eq!(targets.of("x"), (uid, targets.id_of("b")));
    targets.all_in_sync();

    // And back: HEAD declares it for `a` while the release still has it, so that it is of `b`.
    commit_tracking(repo, before);
    let refused = targets.apply("a").exits(1);
    assert!(refused.stdout.contains("a is NOT at"), "{refused}");
    repo.git(&["branch", "--force", "release"]);
    targets.apply("a").exits(0);
    assert_eq!(targets.of("x").1, targets.id_of("a"));
    targets.all_in_sync();
}

#[test]
fn an_object_that_an_older_release_of_another_cluster_still_has_is_pruned() {
    let targets = Targets::empty("moves-promoted");
    let repo = &targets.0;
    commit_tracking(repo, &[("prod", "v1", &["one", "x"]), ("staging", "", &["one", "x"])]);
    repo.git(&["tag", "v1"]);
    targets.apply("staging").exits(0);
    commit_tracking(repo, &[("prod", "v1", &["one"]), ("staging", "", &["one"])]);
    targets.apply("staging").exits(0);
    assert!(targets.0.config_map("x").is_none());
}

#[test]
fn a_target_that_tracked_another_line_and_is_gone_is_named() {
    let targets = Targets::empty("removed-tracked");
    let repo = &targets.0;
    commit_tracking(repo, &[("kept", "", &["one"]), ("gone", "release", &["two"])]);
    repo.git(&["checkout", "--quiet", "-b", "release"]);
    repo.write("gone/three.yaml", config("three", "1")).commit("Only released");
    repo.git(&["checkout", "--quiet", "-"]);
    repo.run(&["apply", "--all-targets", "--yes"]).exits(0);
    commit_tracking(repo, &[("kept", "", &["one"])]);
    let diff = repo.run(&["diff"]).exits(0);
    assert!(diff.stderr.contains("target gone is gone from trueup.yaml"), "{diff}");
    repo.run(&["apply", "--removed", "gone", "--yes"]).exits(0);
    assert_eq!(repo.config_maps(), ["one", "trueup-kept"]);
}

#[test]
fn a_target_that_is_gone_is_named_until_it_is_taken_down() {
    let targets = Targets::empty("removed-guarded");
    let repo = &targets.0;
    let home = "removed-guarded-home";
    repo.write("trueup.yaml", "targets:\n  kept: {paths: [kept]}\n  gone: {paths: [gone]}\n");
    repo.write("kept/one.yaml", config("one", "1")).write("gone/two.yaml", config("two", "1"));
    for number in 0..12 {
        repo.write(&format!("gone/m{number}.yaml"), config(&format!("m{number}"), "1"));
    }
    repo.write("gone/home.yaml", namespace(home)).commit("First");
    repo.run(&["apply", "--all-targets"]).exits(0);
    let declared = repo.run(&["apply", "--removed", "gone"]).exits(2);
    assert!(declared.stderr.contains("trueup.yaml still declares target gone"), "{declared}");
    repo.git(&["rm", "-rq", "gone"]);
    repo.commit("Path");
    let path = repo.run(&["diff", "--target", "gone"]).exits(2);
    assert!(path.stderr.contains("trueup.yaml:3:18: gone's path gone is not in"), "{path}");
    assert!(path.stderr.contains("trueup apply --removed gone"), "{path}");
    repo.write("trueup.yaml", "targets:\n  kept: {paths: [kept]}\n").commit("Gone");
    for args in [
        &["diff"][..],
        &["apply"],
        &["diff", "--all-targets"],
        &["apply", "--all-targets"],
        &["watch", "--once", "--no-pull"],
    ] {
        let said = repo.run(args).exits(0);
        let said = format!("{}{}", said.stdout, said.stderr);
        assert_eq!(said.matches("target gone is gone from trueup.yaml").count(), 1, "{said}");
    }
    let json = repo.run(&["diff", "-o", "json"]).exits(0);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["removed"][0]["target"], "gone", "{json}");
    assert_eq!(json["removed"][0]["inventory"]["name"], "trueup-gone", "{json}");
    let near = repo.run(&["apply", "--removed", "gome"]).exits(2);
    assert!(near.stderr.contains("did you mean \"gone\"?"), "{near}");
    let refused = repo.run(&["apply", "--removed", "gone"]).exits(1);
    assert!(refused.stdout.contains("--allow-delete Namespace"), "{refused}");
    let limited = repo.run(&[
        "apply",
        "--removed",
        "gone",
        "--allow-delete",
        "Namespace",
        "--max-prune",
        "0",
    ]);
    assert!(limited.exits(1).stdout.contains("the limit is 0"));
    // Without a limit that is given, there is none.
    repo.run(&["apply", "--removed", "gone", "--allow-delete", "Namespace"]);
    assert!(repo.config_map("two").is_none() && repo.config_map("m3").is_none());
    assert!(repo.config_map("one").is_some());
}

#[test]
fn a_killed_run_loses_nothing_that_moves() {
    let names: Vec<String> = (0..20).map(|number| format!("m{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let here: &[(&str, &[&str])] = &[("a", &names), ("b", &["two"])];
    let there: &[(&str, &[&str])] = &[("a", &["one"]), ("b", &names)];
    for (name, order) in [("moves-killed-a", ["a", "b"]), ("moves-killed-b", ["b", "a"])] {
        let targets = Targets::new(name, here);
        let uids = || names.iter().map(|it| targets.of(it).0).collect::<Vec<_>>();
        let before = uids();
        targets.commit(there);
        for target in order {
            for lines in [0, 1, 7] {
                kill_after(&targets.0, &["apply", "--target", target], lines);
                // Its lock would end by itself, after a while.
                let lease = format!("trueup-{target}");
                targets.0.kubectl(&["delete", "lease", &lease, "--ignore-not-found"]).exits(0);
                assert_eq!(uids(), before, "{name} {target} {lines}");
            }
            targets.apply(target).exits(0);
            assert_eq!(uids(), before, "{name} {target}");
        }
        assert!(names.iter().all(|it| targets.of(it).1 == targets.id_of("b")));
        targets.all_in_sync();
    }
}

/// Runs a command and kills it once it has written so many lines, unless it ends before.
fn kill_after(repo: &Repo<'_>, args: &[&str], lines: usize) {
    let mut command = repo.trueup(args).into_inner();
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let said = BufReader::new(child.stdout.take().unwrap()).lines();
    said.take(lines).for_each(drop);
    let _ = child.kill();
    child.wait().unwrap();
}
