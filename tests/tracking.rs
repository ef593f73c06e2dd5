//! Targets that track a branch, a tag or a range of versions: each is read from the object database at
//! its own commit, and the work tree stays as it is.

use std::fs;

use serde_json::Value;

use crate::support::command::{Cmd, Output};
use crate::support::repo::Repo;
use crate::support::sandbox;

/// A repository whose target `app` tracks what `reference` says.
fn repository(name: &str, reference: &str) -> Repo<'static> {
    let repo = Repo::new(name, sandbox::bare());
    repo.write("trueup.yaml", targets(reference))
        .write("app/one.yaml", config("1"))
        .commit("First");
    repo
}

fn targets(reference: &str) -> String {
    format!("targets:\n  app:\n    paths: [app]\n    ref: {reference}\n")
}

fn config(value: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: one}}\ndata: {{key: '{value}'}}\n")
}

fn short(repo: &Repo<'_>, rev: &str) -> String {
    repo.git(&["rev-parse", "--short=7", rev]).stdout.trim().to_owned()
}

fn document(output: &Output) -> Value {
    serde_json::from_str(&output.stdout).unwrap()
}

#[test]
fn a_branch_is_read_and_the_work_tree_stays() {
    let repo = repository("track-branch", "release");
    repo.git(&["branch", "release"]);
    repo.write("app/one.yaml", config("2")).commit("Not released");
    repo.write("app/one.yaml", config("edited"));
    let commit = short(&repo, "release");

    let diff = repo.run(&["diff"]).exits(1);
    assert!(diff.stdout.contains(&format!("app @ release ({commit}) \"First\"")), "{diff}");
    assert!(!diff.stderr.contains("work tree"), "{diff}");
    let apply = repo.run(&["apply", "--yes"]).exits(0);
    assert!(apply.stdout.contains(&format!("app is at release ({commit})")), "{apply}");
    assert_eq!(repo.value("one"), "1");
    assert_eq!(repo.annotation("trueup-app", "trueup.dev/ref"), "release");
    assert_eq!(repo.git(&["status", "--porcelain"]).stdout, " M app/one.yaml\n");
    let json = document(&repo.run(&["diff", "-o", "json"]).exits(0));
    assert_eq!(json["revision"]["tracked"], "release");
    assert_eq!(json["revision"]["commit"], repo.git(&["rev-parse", "release"]).stdout.trim());
    assert!(repo.run(&["render"]).exits(0).stdout.contains("key: \"1\""));
    repo.run(&["check"]).exits(0);

    let rev = repo.run(&["diff", "--rev", "HEAD"]).exits(1);
    assert!(rev.stdout.contains(&format!("app @ {}", short(&repo, "HEAD"))), "{rev}");

    let refused = repo.run(&["diff", "--worktree"]).exits(2);
    assert!(refused.stderr.contains("target app tracks release, not the work tree"), "{refused}");
    assert!(repo.run(&["render", "--worktree"]).exits(0).stdout.contains("edited"));
}

#[test]
fn the_newest_tag_of_a_range_is_read() {
    let repo = repository("track-semver", "{semver: \">=1.2.0-0 <2.0.0\", tag-prefix: app-}");
    let none = repo.run(&["diff"]).exits(2);
    for message in [
        "error: target app tracks semver app->=1.2.0-0 <2.0.0",
        "because: no tag `app-*` is a version in the range >=1.2.0-0 <2.0.0",
    ] {
        assert!(none.stderr.contains(message), "{none}");
    }
    for (value, tag) in
        [("2", "app-v1.2.0"), ("3", "app-v1.10.0"), ("4", "app-v2.0.0-rc.1"), ("5", "v1.11.0")]
    {
        repo.write("app/one.yaml", config(value)).commit(tag);
        repo.git(&["tag", "--annotate", "--message", tag, tag]);
    }
    let apply = repo.run(&["apply", "--yes"]).exits(0);
    assert!(apply.stdout.contains("app is at app-v1.10.0 ("), "{apply}");
    assert!(
        apply.stderr.contains("app-v2.0.0-rc.1 is a pre-release of the first version"),
        "{apply}"
    );
    assert_eq!(repo.value("one"), "3");
    repo.git(&["tag", "app-v1.10.1", "HEAD~3"]);
    let diff = repo.run(&["diff"]).exits(1);
    assert!(diff.stdout.contains("app @ app-v1.10.1 ("), "{diff}");
}

#[test]
fn settings_are_those_of_the_tracked_commit() {
    let repo = repository("track-settings", "v1");
    repo.git(&["tag", "v1"]);
    // Of the file at HEAD, the ref alone counts.
    repo.write("trueup.yaml", "targets:\n  app: {paths: [other], ref: v1, name: x}\n")
        .commit("Other");
    let diff = repo.run(&["diff", "-o", "json"]).exits(1);
    let json = document(&diff);
    assert_eq!(json["target"]["paths"], serde_json::json!(["app"]));
    assert_eq!(json["target"]["inventory"]["name"], "trueup-app");

    repo.write(
        "trueup.yaml",
        "targets:\n  app: {paths: [app], ref: v1}\n  new: {paths: [app], ref: v1}\n",
    );
    repo.commit("New");
    let missing = repo.run(&["diff", "--target", "new"]).exits(2);
    let message = format!("trueup.yaml of v1 ({}) has no target \"new\"", short(&repo, "v1"));
    assert!(missing.stderr.contains(&message), "{missing}");
}

#[test]
fn names_that_lead_nowhere_are_told() {
    let repo = repository("track-names", "v1");
    repo.git(&["tag", "v1"]);
    repo.git(&["branch", "v1"]);
    let says = |message: &str| {
        let diff = repo.run(&["diff"]).exits(2);
        assert!(diff.stderr.contains(message), "{message}: {diff}");
    };
    says("`v1` is both a branch and a tag");
    for reference in ["refs/tags/v1", "refs/heads/v1"] {
        repo.write("trueup.yaml", targets(reference)).commit("Told apart");
        repo.run(&["diff"]).exits(1);
    }
    let commit = repo.git(&["rev-parse", "v1^{commit}"]).stdout;
    repo.write("trueup.yaml", targets(commit.trim())).commit("A commit");
    repo.run(&["diff"]).exits(1);
    for (reference, message) in [
        ("releas", "the checkout has no branch and no tag `releas`"),
        ("\">=1.2 <2\"", "trueup.yaml:4:10: targets.app.ref: \">=1.2 <2\" is a range of versions"),
        ("{semver: \">=1 <\"}", "trueup.yaml:4:19: targets.app.ref.semver: invalid range"),
        (&"1".repeat(40), "needs quotes"),
        (&"a".repeat(40), "the checkout has no commit aaaaaaa"),
    ] {
        repo.write("trueup.yaml", targets(reference)).commit("Wrong");
        says(message);
    }
}

#[test]
fn the_fetched_branch_counts_and_a_local_one_that_is_ahead_is_told() {
    let repo = repository("track-fetched", "release");
    repo.git(&["branch", "release"]);
    let clone = repo.outside().join("clone");
    let git = |args: &[&str]| Cmd::new("git").args(args).dir(&clone).run().exits(0);
    let url = repo.path().to_string_lossy().into_owned();
    Cmd::new("git").args(["clone", "--quiet", &url, "clone"]).dir(repo.outside()).run().exits(0);
    git(&["checkout", "--quiet", "release"]);
    fs::write(clone.join("app/one.yaml"), config("9")).unwrap();
    git(&["commit", "--quiet", "--all", "--message", "Mine"]);
    let diff = repo.trueup(&["diff"]).dir(&clone).run().exits(1);
    let commit = short(&repo, "release");
    assert!(diff.stdout.contains(&format!("app @ release ({commit})")), "{diff}");
    let told =
        format!("local branch release has 1 commit that origin/release lacks; {commit} is read");
    assert!(diff.stderr.contains(&told), "{diff}");
}

#[test]
fn targets_of_one_checkout_track_different_refs() {
    let repo = Repo::new("track-many", sandbox::bare());
    let file = "targets:\n  blue: {paths: [app], ref: v1}\n  green: {paths: [green], ref: next}\n  red: {paths: [red]}\n";
    repo.write("trueup.yaml", file).write("app/one.yaml", config("1"));
    for name in ["green", "red"] {
        let own = config("1").replace("name: one", &format!("name: {name}"));
        repo.write(&format!("{name}/own.yaml"), own);
    }
    repo.commit("First");
    repo.git(&["tag", "v1"]);
    repo.git(&["branch", "next"]);
    let head = short(&repo, "HEAD");
    let diff = repo.run(&["diff", "--all-targets"]).exits(1);
    for at in [format!("v1 ({head})"), format!("next ({head})"), format!("red @ {head}")] {
        assert!(diff.stdout.contains(&at), "{at}: {diff}");
    }
}

#[test]
fn a_shallow_clone_goes_on_with_an_inventory_and_does_not_begin_one() {
    let repo = Repo::new("track-shallow", sandbox::bare());
    let file = "targets:\n  app: {paths: [app]}\n";
    repo.write("trueup.yaml", file).write("app/one.yaml", config("1")).commit("First");
    let url = format!("file://{}", repo.path().display());
    let shallow = |name: &str| {
        let args = ["clone", "--quiet", "--depth", "1", &url, name];
        Cmd::new("git").args(args).dir(repo.outside()).run().exits(0);
        repo.outside().join(name)
    };
    for value in ["2", "3"] {
        repo.write("app/one.yaml", config(value)).commit("Next");
    }
    let first = repo.trueup(&["apply", "--yes"]).dir(shallow("early")).run().exits(2);
    assert!(
        first.stderr.contains("the checkout is shallow: its first commit is not here"),
        "{first}"
    );
    repo.run(&["apply", "--yes"]).exits(0);
    for value in ["4", "5", "6"] {
        repo.write("app/one.yaml", config(value)).commit("Next");
    }
    let late = shallow("late");
    repo.trueup(&["apply", "--yes"]).dir(&late).run().exits(0);
    assert_eq!(repo.value("one"), "6");
    // The identity is what it was.
    repo.run(&["diff"]).exits(0);
}

#[test]
fn a_shallow_clone_of_another_repository_does_not_take_an_inventory_of_the_same_name() {
    let repo = Repo::new("track-shallow-mine", sandbox::bare());
    let file = "targets:\n  app: {paths: [app]}\n";
    repo.write("trueup.yaml", file).write("app/one.yaml", config("1")).commit("First");
    repo.run(&["apply", "--yes"]).exits(0);

    let theirs = Repo::new("track-shallow-theirs", sandbox::bare());
    let two = config("1").replace("name: one", "name: two");
    theirs.write("trueup.yaml", file).write("app/two.yaml", two).commit("First");
    for value in ["2", "3"] {
        theirs.write("note.txt", value).commit("Next");
    }
    let url = format!("file://{}", theirs.path().display());
    let place = theirs.outside().join("clone");
    let args = ["clone", "--quiet", "--depth", "1", &url, place.to_str().unwrap()];
    Cmd::new("git").args(args).dir(theirs.outside()).run().exits(0);
    let refused = repo.trueup(&["apply", "--yes"]).dir(&place).run().exits(2);
    assert!(refused.stderr.contains("belongs to another repository"), "{refused}");
    assert!(refused.stderr.contains("this checkout is shallow"), "{refused}");
    assert_eq!(repo.value("one"), "1");
}

#[test]
fn a_shallow_clone_without_a_declared_target_is_refused() {
    let repo = Repo::new("track-shallow-paths", sandbox::bare());
    repo.write("app/one.yaml", config("1")).commit("First");
    repo.run(&["apply", "--yes"]).exits(0);
    for value in ["2", "3", "4"] {
        repo.write("app/one.yaml", config(value)).commit("Next");
    }
    let url = format!("file://{}", repo.path().display());
    let place = repo.outside().join("again").join("track-shallow-paths");
    let args = ["clone", "--quiet", "--depth", "1", &url, place.to_str().unwrap()];
    Cmd::new("git").args(args).dir(repo.outside()).run().exits(0);
    let refused = repo.trueup(&["diff"]).dir(&place).run().exits(2);
    assert!(refused.stderr.contains("this checkout is shallow"), "{refused}");
}
