//! Several targets applied in one run: in order, gated by health, and independent ones side by side.

use std::fs;
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::eventually::eventually;
use crate::support::objects::{config, namespace};
use crate::support::repo::Repo;
use crate::support::sandbox;
use crate::support::terminal::Terminal;

/// A repository with a ConfigMap for each target, which is ready unless it says `bad`.
fn repository(name: &str, targets: &[(&str, &str, &str)]) -> Repo<'static> {
    let repo = Repo::new(name, sandbox::bare());
    let mut declared = "targets:\n".to_owned();
    for (target, keys, value) in targets {
        declared.push_str(&format!(
            "  {target}:\n    paths: [{target}]\n    timeout: 2s\n    \
            health: [{{kind: ConfigMap, ready: object.data.key != 'bad'}}]\n    {keys}\n"
        ));
        repo.write(&format!("{target}/one.yaml"), config(target, value));
    }
    repo.write("trueup.yaml", declared).commit("First");
    repo
}

fn is_there(repo: &Repo<'_>, name: &str) -> bool {
    repo.kubectl(&["get", "configmap", name, "--ignore-not-found", "-o", "name"])
        .stdout
        .contains(name)
}

fn outcomes(json: &str) -> Vec<(String, String)> {
    let json: Value = serde_json::from_str(json).unwrap();
    assert_eq!(json["version"], 1);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let applied = json["applied"].as_array().unwrap().iter();
    applied.map(|it| (text(&it["target"]), text(&it["outcome"]))).collect()
}

const CRD: &str = "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gears.apply-all.example}
spec:
  group: apply-all.example
  scope: Namespaced
  names: {kind: Gear, plural: gears, singular: gear, listKind: GearList}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
";

#[test]
fn targets_are_applied_in_order_from_nothing() {
    let repo = repository(
        "apply-all-order",
        &[
            ("app", "after: [platform]\n    namespace: apply-all-home", "1"),
            ("platform", "", "1"),
            ("zone", "", "1"),
        ],
    );
    repo.write("platform/crd.yaml", CRD).write("platform/home.yaml", namespace("apply-all-home"));
    let gear = "apiVersion: apply-all.example/v1\nkind: Gear\nmetadata: {name: one}\n";
    repo.write("app/gear.yaml", gear).commit("Second");
    let applied = repo.run(&["apply", "--all-targets"]).exits(0);
    let at = |text: &str| applied.stdout.find(text).unwrap_or_else(|| panic!("{text}: {applied}"));
    assert!(at("platform  ✓ ") < at("app  ✓ "), "{applied}");
    assert!(at("platform is at ") < at("app is at ") || at("app is at ") < at("zone is at "));
    assert!(applied.stdout.contains("3 targets · 3 at the commit · "), "{applied}");
    let again = repo.run(&["apply", "--all-targets", "--yes"]).exits(0);
    assert!(again.stdout.contains("3 at the commit"), "{again}");
    assert!(!again.stdout.contains("✓"), "{again}");
    repo.run(&["diff", "--all-targets"]).exits(0);
    // The same from nothing, in a cluster of the run's own.
    let sandbox = repo.trueup(&["apply", "--all-targets", "--sandbox"]);
    let sandbox = sandbox.env_remove("TRUEUP_NAMESPACE").run();
    assert!(sandbox.stdout.contains("3 targets · 3 at the commit"), "{sandbox}");
    sandbox.exits(0);
}

#[test]
fn a_target_that_is_not_good_holds_back_those_after_it() {
    let targets = [
        ("a-first", "", "bad"),
        ("b-second", "after: [a-first]", "1"),
        ("c-third", "after: [b-second]", "1"),
        ("d-alone", "", "1"),
    ];
    let repo = repository("apply-all-held", &targets);
    let held = repo.run(&["apply", "--all-targets", "--yes"]).exits(1);
    for line in [
        "b-second was held back: it comes after a-first",
        "c-third was held back: it comes after b-second",
        "4 targets · 1 at the commit, 1 not healthy, 2 held back · ",
    ] {
        assert!(held.stdout.contains(line), "{line}: {held}");
    }
    assert!(is_there(&repo, "a-first") && is_there(&repo, "d-alone"), "{held}");
    assert!(!is_there(&repo, "b-second") && !is_there(&repo, "c-third"), "{held}");
    let json = repo.run(&["apply", "--all-targets", "--yes", "-o", "json"]).exits(1);
    let ends: Vec<String> = outcomes(&json.stdout).into_iter().map(|(_, end)| end).collect();
    assert_eq!(ends, ["not-healthy", "held-back", "held-back", "at-commit"], "{json}");

    repo.write("a-first/one.yaml", format!("{}lables: {{}}\n", config("a-first", "1")));
    repo.commit("Refused");
    let refused = repo.run(&["apply", "--all-targets", "--yes"]).exits(1);
    assert!(refused.stdout.contains("2 held back"), "{refused}");
    // One that can't be told is status 2.
    repo.remove("a-first/one.yaml").commit("Gone");
    let failed = repo.run(&["apply", "--all-targets", "--yes"]).exits(2);
    assert!(failed.stderr.contains("cannot apply target a-first"), "{failed}");
    assert!(failed.stdout.contains("1 failed"), "{failed}");

    repo.write("a-first/one.yaml", config("a-first", "2")).commit("Good");
    repo.run(&["apply", "--all-targets", "--yes"]).exits(0);
    assert!(is_there(&repo, "c-third"));
    let markdown = repo.run(&["apply", "--all-targets", "--yes", "-o", "markdown"]).exits(0);
    assert!(markdown.stdout.starts_with("4 targets: 4 at the commit\n"), "{markdown}");
}

#[test]
fn a_slow_target_delays_no_independent_one_and_a_signal_ends_the_run() {
    let targets = [
        ("a-slow", "", "bad"),
        ("b-after", "after: [a-slow]", "1"),
        ("c-alone", "", "1"),
        ("d-alone", "after: [c-alone]", "1"),
    ];
    let repo = repository("apply-all-slow", &targets);
    let log = repo.outside().join("log");
    let args = ["apply", "--all-targets", "--yes", "--timeout", "5m"];
    let mut command = repo.trueup(&args).into_inner();
    command.stdout(fs::File::create(&log).unwrap()).stderr(Stdio::null());
    let mut child: Child = command.spawn().unwrap();
    eventually("independent targets are applied", || is_there(&repo, "d-alone"));
    assert!(child.try_wait().unwrap().is_none(), "it still waits for a-slow");
    assert!(!is_there(&repo, "b-after"));
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let said = fs::read_to_string(&log).unwrap();
    assert!(said.contains("d-alone is at "), "{said}");
    assert!(!is_there(&repo, "b-after"), "{said}");
    assert!(said.contains("b-after was "), "{said}");
}

#[test]
fn a_person_sees_all_plans_and_is_asked_once() {
    let targets = [("a-first", "", "1"), ("b-second", "after: [a-first]", "1")];
    let repo = repository("apply-all-asked", &targets);
    let command = || {
        let mut command =
            repo.trueup(&["apply", "--all-targets"]).env("TERM", "xterm").into_inner();
        command.env_remove("NO_COLOR");
        command
    };
    let mut terminal = Terminal::run(command());
    terminal.shows("[y/N]");
    terminal.types("n\n");
    let (shown, status) = terminal.ends();
    assert_eq!(status, Some(1), "{shown}");
    assert!(shown.contains("nothing was written") && !is_there(&repo, "a-first"), "{shown}");
    let mut terminal = Terminal::run(command());
    terminal.shows("[y/N]");
    terminal.types("y\n");
    let (shown, status) = terminal.ends();
    assert_eq!(status, Some(0), "{shown}");
    assert_eq!(shown.matches("[y/N]").count(), 1, "{shown}");
    assert!(is_there(&repo, "b-second"), "{shown}");
}

#[test]
fn order_that_cannot_be_is_an_error_with_its_places() {
    let repo = Repo::new("apply-all-circle", sandbox::bare());
    repo.write(
        "trueup.yaml",
        "targets:\n  a: {paths: [a], after: [b]}\n  b: {paths: [b], after: [a]}\n",
    );
    repo.commit("First");
    for verb in ["apply", "diff"] {
        let circle = repo.run(&[verb, "--all-targets"]).exits(2);
        assert!(circle.stderr.contains("a comes after b (trueup.yaml:2:27)"), "{circle}");
        assert!(circle.stderr.contains("b comes after a (trueup.yaml:3:27)"), "{circle}");
    }
}

#[test]
fn object_of_two_targets_is_told_before_the_later_one_writes_anything() {
    let targets =
        [("a-first", "", "1"), ("b-second", "", "1"), ("c-after", "after: [a-first]", "1")];
    let repo = repository("apply-all-twice", &targets);
    let declare = |name: &str| {
        for (target, _, _) in targets {
            repo.write(&format!("{target}/{name}.yaml"), config(name, target));
        }
        repo.commit(name);
    };
    declare("same");
    let diff = repo.run(&["diff", "--all-targets"]).exits(2);
    let sandbox = repo.trueup(&["apply", "--all-targets", "--sandbox"]);
    let sandbox = sandbox.env_remove("TRUEUP_NAMESPACE").run().exits(2);
    let applied = repo.run(&["apply", "--all-targets"]).exits(2);
    for (said, namespace) in
        [(&diff, repo.namespace()), (&sandbox, "default"), (&applied, repo.namespace())]
    {
        for later in ["b-second", "c-after"] {
            let twice = format!(
                "targets a-first and {later} both declare ConfigMap {namespace}/same, at \
                a-first/same.yaml:1:1 and {later}/same.yaml:1:1"
            );
            assert!(said.stderr.contains(&twice), "{twice}: {said}");
        }
        assert!(said.stderr.contains("remove it from one of these files"), "{said}");
    }
    for said in [sandbox, applied] {
        assert!(said.stdout.contains("3 targets · 1 at the commit, 2 failed"), "{said}");
    }
    assert!(is_there(&repo, "a-first") && repo.value("same") == "a-first");
    assert!(!is_there(&repo, "b-second") && !is_there(&repo, "c-after"));

    // The same where all targets are there, and a later commit declares it.
    repo.remove("b-second/same.yaml").remove("c-after/same.yaml").commit("Once");
    repo.run(&["apply", "--all-targets"]).exits(0);
    declare("late");
    let late = repo.run(&["apply", "--all-targets"]).exits(2);
    assert!(late.stdout.contains("1 at the commit, 2 failed"), "{late}");
    assert_eq!(repo.value("late"), "a-first");
}
