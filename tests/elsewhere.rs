//! A kind that only another target of trueup.yaml defines: its objects name the target to apply
//! first, on a real API server.

use crate::support::objects::{Definition, config};
use crate::support::repo::Repo;
use crate::support::sandbox;

/// The targets of most cases: one with an object, one with the definition of its kind.
const TARGETS: &str = "targets:\n  staging: {paths: [staging]}\n  shared: {paths: [crds]}\n";

fn flavours(group: &str) -> String {
    Definition::new(group, "Flavour").schema("{type: object}").to_string()
}

/// A checkout whose target staging has an object of the kind Flavour of a group.
fn repo(name: &str, targets: &str, group: &str) -> Repo<'static> {
    let repo = Repo::new(name, sandbox::bare());
    repo.write("trueup.yaml", targets).write("staging/config.yaml", config("a", "1"));
    let flavour = format!("apiVersion: {group}/v1\nkind: Flavour\nmetadata:\n  name: sweet\n");
    repo.write("staging/flavour.yaml", flavour);
    repo
}

/// No target is named: the message is that of a kind that nothing defines.
#[track_caller]
fn names_no_target(repo: &Repo<'_>, args: &[&str]) {
    let diff = repo.run(args).exits(1);
    let said = format!("{}{}", diff.stdout, diff.stderr);
    assert!(said.contains("the cluster has no kind Flavour in "), "{diff}");
    // Other tests define kinds of this name on the same server, which may be suggested.
    assert!(!said.contains("does not define it"), "{diff}");
    assert!(!said.contains("(target "), "{diff}");
}

#[test]
fn target_that_defines_the_kind_is_named() {
    let group = "named.elsewhere.example.com";
    let repo = repo("elsewhere-named", TARGETS, group);
    // The second document of its file.
    let both = format!("{}---\n{}", config("b", "1"), flavours(group));
    repo.write("crds/flavours.yaml", both).commit("Flavours");
    repo.run(&["diff", "--target", "staging"]).shows("diff/defined-elsewhere").exits(1);
    let apply = ["apply", "--yes", "--target", "staging"];
    repo.run(&apply).shows("apply/defined-elsewhere").exits(1);

    repo.run(&["apply", "--yes", "--target", "shared"]).exits(0);
    repo.run(&apply).exits(0);
    repo.run(&["diff", "--target", "staging"]).exits(0);
}

#[test]
fn all_targets_that_define_the_kind_are_named() {
    let group = "two.elsewhere.example.com";
    let targets = format!("{TARGETS}  base: {{paths: [base]}}\n");
    let repo = repo("elsewhere-two", &targets, group);
    repo.write("crds/flavours.yaml", flavours(group)).write("base/all.yaml", flavours(group));
    repo.commit("Flavours");
    let diff = repo.run(&["diff", "--target", "staging"]).exits(1);
    let said = format!("{}{}", diff.stdout, diff.stderr);
    for expected in [
        "base/all.yaml (target base) and crds/flavours.yaml (target shared) do",
        "apply one of them first: trueup apply --target base",
    ] {
        assert!(said.contains(expected), "{diff}");
    }
}

#[test]
fn unreadable_and_other_definitions_are_passed_over() {
    let group = "passed.elsewhere.example.com";
    let repo = repo("elsewhere-passed", TARGETS, group);
    let diff = ["diff", "--target", "staging"];
    repo.commit("The path of shared is not there");
    names_no_target(&repo, &diff);
    repo.write("crds/flavours.yaml", "kind: [").commit("Not YAML");
    names_no_target(&repo, &diff);
    repo.write("crds/flavours.yaml", flavours("far.elsewhere.example.com")).commit("Other group");
    names_no_target(&repo, &diff);
    let next = Definition::new(group, "Flavour").version("v2", true, "{type: object}");
    repo.write("crds/flavours.yaml", next.to_string()).commit("Other version");
    names_no_target(&repo, &diff);
}

#[test]
fn without_targets_none_is_named() {
    let group = "none.elsewhere.example.com";
    let repo = repo("elsewhere-none", TARGETS, group);
    repo.remove("trueup.yaml").write("crds/flavours.yaml", flavours(group)).commit("No targets");
    names_no_target(&repo, &["diff", "staging"]);
}
