//! Manifests that belong to no target of trueup.yaml are told by a check of all targets, and no other.

use serde_json::{Value, json};

use crate::check::Checkout;
use crate::support::command::{Cmd, Output};
use crate::support::renderers;

const TARGETS: &str = "targets: {blue: {paths: [envs/blue]}, green: {paths: [envs/green]}}\n";
const WEB: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n";
const BINDING: &str = "apiVersion: admissionregistration.k8s.io/v1\n\
    kind: ValidatingAdmissionPolicyBinding\nmetadata: {name: a}\n\
    spec: {policyName: a, validationActions: [Deny]}\n";

/// Targets with a base, and manifests and other files that belong to none of them.
fn checkout() -> Checkout {
    Checkout::new(&[
        ("trueup.yaml", TARGETS),
        ("base/kustomization.yaml", "resources: [web.yaml]\n"),
        ("base/forgotten.yaml", WEB),
        ("base/web.yaml", WEB),
        ("envs/blue/kustomization.yaml", "resources: [../../base]\n"),
        ("envs/green/web.yaml", WEB),
        ("envs/namespace.yaml", WEB),
        ("old/app/one.yaml", WEB),
        ("old/app/kustomization.yaml", "resources: [one.yaml]\n"),
        ("old/chart/Chart.yaml", "apiVersion: v2\nname: a\nversion: 1.0.0\n"),
        ("old/chart/templates/a.yaml", WEB),
        ("old/chart/charts/b/Chart.yaml", "apiVersion: v2\nname: b\nversion: 1.0.0\n"),
        ("old/values.yaml", "image: a\n"),
        ("policies/a.yaml", BINDING),
        (".github/workflows/web.yaml", WEB),
        ("ci/settings.yaml", "kind: a\n"),
    ])
}

fn run(checkout: &Checkout, args: &[&str]) -> Output {
    let command = Cmd::trueup().dir(checkout.path()).env("HOME", checkout.path()).args(args);
    renderers::with(command).run()
}

/// The places of the warnings about manifests of no target.
fn outside(checkout: &Checkout, args: &[&str]) -> Vec<String> {
    let output = run(checkout, &[&["check", "-o", "json"], args].concat()).exits(0);
    let json: Value = serde_json::from_str(&output.stdout).unwrap();
    let findings = json["findings"].as_array().unwrap().iter();
    let found = findings.filter(|finding| finding["rule"] == "outside");
    found.map(|finding| finding["path"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn manifests_of_no_target_are_told_once_a_folder() {
    let checkout = checkout();
    let first = run(&checkout, &["check"]).shows("check/outside").exits(0);
    let findings = |output: &Output| -> Vec<String> {
        let lines = output.stdout.lines().filter(|line| line.contains("  warning  "));
        lines.map(str::to_owned).collect()
    };
    for args in
        [&["check"][..], &["check", "."], &["check", "--no-cache"], &["check", "--worktree"]]
    {
        assert_eq!(findings(&run(&checkout, args).exits(0)), findings(&first), "{args:?}");
    }
    run(&checkout, &["check", "-W"]).exits(1);
    // Whoever names a target or a path asks about nothing else.
    for args in [&["--target", "green"][..], &["envs/green"], &["policies"]] {
        assert_eq!(outside(&checkout, args), Vec::<String>::new(), "{args:?}");
    }
    assert_eq!(
        outside(&checkout, &["--policy", "policies", "--schemas", "ci"]),
        ["envs/namespace.yaml", "old/app/kustomization.yaml"]
    );
}

#[test]
fn what_is_outside_is_looked_at_again_once_it_changes() {
    let checkout = checkout();
    let told = ["envs/namespace.yaml", "old/app/kustomization.yaml", "policies/a.yaml"];
    assert_eq!(outside(&checkout, &[]), told);
    // Each of the remedies is one.
    checkout.write(".trueupignore", "/old/\n/envs/namespace.yaml\n");
    checkout.commit();
    assert_eq!(outside(&checkout, &[]), ["policies/a.yaml"]);
    checkout.write("trueup.yaml", &TARGETS.replace("[envs/green]", "[envs/green, policies]"));
    checkout.commit();
    assert_eq!(outside(&checkout, &[]), Vec::<String>::new());
    checkout.write("new/b.yaml", WEB);
    assert_eq!(outside(&checkout, &[]), Vec::<String>::new());
    assert_eq!(outside(&checkout, &["--worktree"]), ["new/b.yaml"]);
    checkout.commit();
    assert_eq!(outside(&checkout, &[]), ["new/b.yaml"]);
    checkout.write("new/b.yaml", "a: b\n");
    assert_eq!(outside(&checkout, &["--worktree"]), Vec::<String>::new());
}

#[test]
fn answer_about_many_files_is_kept_until_one_changes() {
    let checkout = Checkout::new(&[("trueup.yaml", TARGETS), ("envs/blue/web.yaml", WEB)]);
    checkout.write("envs/green/web.yaml", WEB);
    (0..150).for_each(|index| checkout.write(&format!("old/{index}.yaml"), WEB));
    checkout.commit();
    let told = |args: &[&str]| -> Vec<String> {
        let output = run(&checkout, &[&["check"], args].concat()).exits(0);
        let lines = output.stdout.lines().filter(|line| line.contains("  warning  "));
        lines.map(str::to_owned).collect()
    };
    for count in [150, 149] {
        let first = told(&["--no-cache"]);
        assert_eq!(first.len(), 1);
        assert!(first[0].contains(&format!("{count} manifests in old")), "{first:?}");
        assert_eq!([told(&[]), told(&[])], [first.clone(), first]);
        checkout.write("old/7.yaml", "a: b\n");
        checkout.commit();
    }
    // Others than those files decide, too.
    checkout.write(".trueupignore", "8.yaml\n");
    checkout.commit();
    assert!(told(&[])[0].contains("148 manifests in old"));
    checkout.write("trueup.yaml", &TARGETS.replace("[envs/blue]", "[envs/blue, old/9.yaml]"));
    checkout.commit();
    let output = run(&checkout, &["check", "-o", "json"]);
    assert!(output.stdout.contains("147 manifests in old"), "{output}");
}

#[test]
fn target_that_cannot_be_read_keeps_the_rest_from_nothing() {
    let checkout = checkout();
    let targets =
        "targets:\n  blue: {paths: [envs/blue, envs/gone]}\n  green: {paths: [envs/green]}\n";
    checkout.write("trueup.yaml", targets);
    checkout.commit();
    let output = run(&checkout, &["check", "-o", "json"]).exits(2);
    let json: Value = serde_json::from_str(&output.stdout).unwrap();
    let findings = json["findings"].as_array().unwrap().iter();
    let told = findings.filter(|finding| finding["rule"] == "outside");
    let told: Vec<&Value> = told.map(|finding| &finding["path"]).collect();
    // The base of what can be read of the target belongs to it all the same.
    assert_eq!(told, ["envs/namespace.yaml", "old/app/kustomization.yaml", "policies/a.yaml"]);
}

#[test]
fn single_target_of_trueup_yaml_has_an_outside_too() {
    let checkout = Checkout::new(&[
        ("trueup.yaml", "targets: {blue: {paths: [a]}}\n"),
        ("a/web.yaml", WEB),
        ("b/web.yaml", WEB),
    ]);
    assert_eq!(outside(&checkout, &[]), ["b/web.yaml"]);
    // That is the whole checkout, whatever the targets.
    let whole = run(&checkout, &["check", ".", "-o", "json"]);
    let whole: Value = serde_json::from_str(&whole.stdout).unwrap();
    assert_eq!(whole["findings"][0]["rule"], json!("duplicate"), "{whole}");
    checkout.write("trueup.yaml", "{}\n");
    checkout.commit();
    let none = run(&checkout, &["check", "-o", "json"]);
    assert!(!none.stdout.contains("outside"), "{none}");
}
