//! A repository with several targets as a whole: check reads all of them, their definitions count for
//! each other, and changes of whatever is read are told.

use serde_json::{Value, json};

use crate::check::Checkout;
use crate::support::command::{Cmd, Output};
use crate::support::repo::Repo;
use crate::support::{renderers, sandbox};

const TARGETS: &str = "targets:
  blue:
    namespace: blue
    paths: [envs/blue]
  green:
    namespace: green
    paths: [envs/green]
    render: plain
";
const WRONG: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndatta: {}\n";
const SOUND: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n";

fn definition(name: &str) -> String {
    let (plural, kind) = (format!("{name}s"), name);
    format!(
        "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: {plural}.whole.example.com}}
spec:
  group: whole.example.com
  scope: Namespaced
  names: {{plural: {plural}, singular: {name}, kind: {kind}}}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {{openAPIV3Schema: {{type: object, properties: {{spec: {{type: object, properties: {{size: {{type: integer}}}}}}}}}}}}
"
    )
}

fn custom(kind: &str, name: &str, size: &str) -> String {
    format!(
        "apiVersion: whole.example.com/v1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec: {{size: {size}}}\n"
    )
}

/// Runs trueup with the renderers, where there is no kubeconfig.
fn run(checkout: &Checkout, args: &[&str]) -> Output {
    let command = Cmd::trueup().dir(checkout.path()).env("HOME", checkout.path()).args(args);
    renderers::with(command).run()
}

fn json_of(output: &Output) -> Value {
    serde_json::from_str(&output.stdout).unwrap()
}

#[test]
fn repeated_findings_are_one_for_people_and_all_for_machines() {
    let files: Vec<(String, String)> = ["a", "b", "c", "d", "e", "f", "g", "h"]
        .iter()
        .map(|name| (format!("{name}.yaml"), custom("gadget", name, "1")))
        .collect();
    let files: Vec<(&str, &str)> =
        files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let checkout = Checkout::new(&files);
    checkout.write("z.yaml", WRONG);
    checkout.commit();
    checkout.run(&["check"]).shows("check/repeated").exits(1);
    let json = json_of(&checkout.run(&["check", "-o", "json"]).exits(1));
    assert_eq!(json["findings"].as_array().unwrap().len(), 9);
    assert_eq!((&json["errors"], &json["warnings"]), (&json!(1), &json!(8)));
    let github = checkout.run(&["check", "-o", "github"]).exits(1);
    assert_eq!(github.stdout.matches("::warning").count(), 8, "{github}");
    let sarif = json_of(&checkout.run(&["check", "-o", "sarif"]).exits(1));
    assert_eq!(sarif["runs"][0]["results"].as_array().unwrap().len(), 9);
}

#[test]
fn check_reads_every_target_with_its_own_settings() {
    let checkout = Checkout::new(&[
        ("trueup.yaml", TARGETS),
        ("base/kustomization.yaml", "resources: [web.yaml]\n"),
        ("base/web.yaml", WRONG),
        ("envs/blue/kustomization.yaml", "resources: [../../base]\n"),
        ("envs/green/kustomization.yaml", WRONG),
        ("envs/green/web.yaml", SOUND),
    ]);
    let all = run(&checkout, &["check"]).shows("check/several-targets").exits(1);
    let summary = |output: &Output| output.stdout.lines().last().unwrap().to_owned();
    assert!(summary(&all).contains("2 targets"), "{all}");
    for args in [&["check", "."][..], &["-C", "envs", "check"], &["-C", "envs", "check", ".."]] {
        let same = run(&checkout, args).exits(1);
        assert_eq!(same.stdout.lines().count(), all.stdout.lines().count(), "{same}");
        assert!(same.stdout.contains(" · 2 targets · "), "{same}");
    }
    let json = json_of(&run(&checkout, &["check", "-o", "json"]).exits(1));
    assert_eq!(json["targets"], json!(["blue", "green"]));
    let found: Vec<(&Value, &Value)> = json["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| (&finding["object"]["namespace"], &finding["targets"]))
        .collect();
    assert!(found.contains(&(&json!("blue"), &json!(["blue"]))), "{json}");
    assert!(found.contains(&(&json!("green"), &json!(["green"]))), "{json}");
    let green = run(&checkout, &["check", "--target", "green"]).exits(1);
    assert!(!green.stdout.contains("targets"), "{green}");
    assert!(!green.stdout.contains("envs/blue"), "{green}");
    let green = json_of(&run(&checkout, &["check", "--target", "green", "-o", "json"]).exits(1));
    assert_eq!(green["targets"], json!(["green"]));
}

#[test]
fn finding_that_several_targets_share_is_there_once() {
    let checkout = Checkout::new(&[
        ("trueup.yaml", "targets: {blue: {paths: [a]}, green: {paths: [a, b]}}\n"),
        ("a/web.yaml", WRONG),
        ("b/app.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: app}\n"),
    ]);
    let json = json_of(&checkout.run(&["check", "-o", "json"]).exits(1));
    assert_eq!(json["findings"].as_array().unwrap().len(), 1, "{json}");
    assert_eq!(json["findings"][0]["targets"], json!(["blue", "green"]));
    assert_eq!(json["errors"], 1);
}

#[test]
fn target_that_cannot_be_read_is_a_finding_beside_those_of_the_others() {
    let targets = "targets:\n  blue: {paths: [a]}\n  green: {paths: [gone]}\n  red: {paths: [b]}\n";
    let checkout =
        Checkout::new(&[("trueup.yaml", targets), ("a/web.yaml", SOUND), ("b/web.yaml", WRONG)]);
    checkout.run(&["check"]).shows("check/unreadable-target").exits(2);
    checkout.run(&["check", "--exit-zero"]).exits(2);
    let json = json_of(&checkout.run(&["check", "-o", "json"]).exits(2));
    assert_eq!((&json["errors"], &json["objects"]), (&json!(2), &json!(2)));
    let about = &json["findings"][1];
    assert_eq!(
        (&about["path"], &about["line"], &about["column"], &about["rule"], &about["targets"]),
        (&json!("trueup.yaml"), &json!(3), &json!(19), &json!("unreadable"), &json!(["green"]))
    );
    // Where it is the one that was asked for, there is nothing else to show.
    let alone = checkout.run(&["check", "--target", "green"]).exits(2);
    assert!(alone.stdout.is_empty(), "{alone}");
    assert!(alone.stderr.contains("trueup.yaml:3:19: green's path gone is not in"), "{alone}");
    // An ignore file is named by its own place, and no target is left.
    checkout.write(".trueupignore", "[z-a]\n");
    checkout.commit();
    let json = json_of(&checkout.run(&["check", "-o", "json"]).exits(2));
    assert_eq!(json["findings"].as_array().unwrap().len(), 3, "{json}");
    assert_eq!(
        (&json["objects"], &json["findings"][0]["path"]),
        (&json!(0), &json!(".trueupignore"))
    );
    assert!(json["commit"].as_str().is_some_and(|commit| commit.len() == 40), "{json}");
}

#[test]
fn definition_of_another_target_counts_in_check() {
    let targets = "targets:
  apps: {paths: [apps]}
  infra: {paths: [infra]}
  more: {paths: [more]}
";
    let checkout = Checkout::new(&[
        ("trueup.yaml", targets),
        ("apps/a.yaml", &custom("gizmo", "a", "large")),
        ("apps/b.yaml", &custom("gadget", "b", "1")),
        ("apps/c.yaml", &custom("unknown", "c", "1")),
        ("infra/crd.yaml", &definition("gizmo")),
        ("more/kustomization.yaml", "resources: [part/crd.yaml]\n"),
        ("more/part/crd.yaml", &definition("gadget")),
    ]);
    for args in [&["check", "--target", "apps"][..], &["check"], &["check", "apps"]] {
        let output = run(&checkout, args).exits(1);
        assert!(output.stdout.contains("apps/a.yaml:4:14  error"), "{output}");
        assert_eq!(output.stdout.matches("no schema for").count(), 1, "{output}");
        assert!(output.stdout.contains("no schema for whole.example.com/v1/unknown"), "{output}");
    }
    // What the other target says then is not what it said before.
    checkout.write("infra/crd.yaml", &definition("gizmo").replace("type: integer", "type: string"));
    checkout.commit();
    run(&checkout, &["check", "--target", "apps"]).exits(0);
}

#[test]
fn object_of_another_target_is_not_missing() {
    let targets = "targets:
  apps: {paths: [apps], namespace: shop}
  infra: {paths: [infra]}
  more: {paths: [more], namespace: shop}
";
    let pod = |name: &str, config: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec:\n  serviceAccountName: {config}\n  containers: [{{name: a, image: 'a:1', envFrom: [{{configMapRef: {{name: {config}}}}}]}}]\n"
        )
    };
    let object =
        |kind: &str, head: &str| format!("apiVersion: v1\nkind: {kind}\nmetadata: {head}\n");
    let checkout = Checkout::new(&[
        ("trueup.yaml", targets),
        ("apps/web.yaml", &pod("web", "web")),
        ("infra/web.yaml", &object("ServiceAccount", "{name: web, namespace: shop}")),
        ("more/kustomization.yaml", "resources: [part/web.yaml]\n"),
        ("more/part/web.yaml", &object("ConfigMap", "{name: web}")),
    ]);
    // Known from before or not, each target alone or all of them.
    for args in [
        &["check", "--target", "apps"][..],
        &["check"],
        &["check", "apps", "-n", "shop"],
        &["check", "--target", "apps"],
        &["check"],
        &["check", "--no-cache"],
    ] {
        let output = run(&checkout, args).exits(0);
        assert!(!output.stdout.contains("is not in this set"), "{args:?}: {output}");
    }
    // What the other target has decides, and not what it had.
    checkout.write("infra/web.yaml", &object("ServiceAccount", "{name: web, namespace: other}"));
    checkout.commit();
    for args in [&["check", "--target", "apps"][..], &["check"], &["check", "--target", "apps"]] {
        let output = run(&checkout, args).exits(0);
        assert_eq!(output.stdout.matches("is not in this set").count(), 1, "{args:?}: {output}");
        assert!(output.stdout.contains("ServiceAccount shop/web is not in this set"), "{output}");
    }
    // Targets that declare the same object are for several clusters.
    checkout.write("infra/web.yaml", &object("ServiceAccount", "{name: web, namespace: shop}"));
    checkout.write(
        "infra/pod.yaml",
        &pod("web", "web").replace("{name: web}\nspec", "{name: web, namespace: shop}\nspec"),
    );
    checkout.commit();
    let output = run(&checkout, &["check"]).exits(0);
    assert!(
        output.stdout.contains("apps/web.yaml:5:23  warning  ServiceAccount shop/web"),
        "{output}"
    );
}

#[test]
fn apply_names_the_target_whose_kustomization_defines_the_kind() {
    let repo = Repo::new("whole-elsewhere", sandbox::bare());
    repo.write("trueup.yaml", "targets: {apps: {paths: [apps]}, infra: {paths: [infra]}}\n");
    repo.write("apps/a.yaml", custom("doohickey", "a", "1"));
    repo.write("infra/kustomization.yaml", "resources: [part/crd.yaml]\n");
    repo.write("infra/part/crd.yaml", definition("doohickey")).commit("First");
    for verb in ["diff", "apply"] {
        let output = renderers::with(repo.trueup(&[verb, "--target", "apps"])).run().exits(2);
        let said = format!("{}{}", output.stdout, output.stderr);
        assert!(said.contains("(target infra) does"), "{output}");
        assert!(said.contains("apply that first: trueup apply --target infra"), "{output}");
    }
    assert_eq!(repo.writes(), 0);
}

#[test]
fn uncommitted_changes_of_everything_that_is_read_are_told() {
    let repo = Repo::new("whole-uncommitted", sandbox::bare());
    repo.write("trueup.yaml", "targets: {prod: {paths: [envs/prod]}}\n");
    repo.write("base/kustomization.yaml", "resources: [web.yaml]\n");
    repo.write("base/web.yaml", SOUND).write("base/other.yaml", SOUND);
    repo.write("envs/prod/kustomization.yaml", "resources: [../../base]\n").commit("First");
    let run = |args: &[&str]| renderers::with(repo.trueup(args)).run();
    run(&["apply"]).exits(0);
    let quiet = run(&["diff"]).exits(0);
    assert!(!quiet.stderr.contains("not committed"), "{quiet}");
    // No kustomization refers to it.
    repo.write("base/other.yaml", "{}\n");
    let quiet = run(&["diff"]).exits(0);
    assert!(!quiet.stderr.contains("not committed"), "{quiet}");
    for (path, text) in [
        ("base/web.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {a: b}\n"),
        ("base/kustomization.yaml", "resources: [web.yaml, other.yaml]\n"),
        (".trueupignore", "nothing\n"),
        ("trueup.yaml", "targets: {prod: {paths: [base]}}\n"),
    ] {
        repo.write(path, text);
        for args in [&["diff"][..], &["diff", "--all-targets"], &["check"], &["apply"]] {
            let output = run(args).exits(0);
            let told = format!("{path} changed in the work tree and not committed");
            assert!(output.stderr.contains(&told), "{path}: {output}");
        }
        repo.git(&["stash", "--quiet", "--include-untracked"]);
    }
}

#[test]
fn target_that_is_in_sync_warns_of_settings_that_are_not_committed() {
    let repo = Repo::new("whole-in-sync", sandbox::bare());
    repo.write("trueup.yaml", "targets: {prod: {paths: [envs/prod]}}\n");
    repo.write("envs/prod/web.yaml", SOUND).commit("First");
    repo.run(&["apply"]).exits(0);
    repo.run(&["diff"]).exits(0);
    repo.write(".trueupignore", "web.yaml\n");
    for args in [&["diff"][..], &["diff", "--all-targets"]] {
        let output = repo.run(args).exits(0);
        assert!(output.stderr.contains(".trueupignore changed in the work tree"), "{output}");
    }
}
