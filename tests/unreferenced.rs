//! Files that stand below a kustomization's folder and that nothing reads are told, not left out silently.

use serde_json::Value;

use crate::check::Checkout;
use crate::support::command::Cmd;
use crate::support::renderers;
use crate::support::repo::Repo;
use crate::support::sandbox;

/// A repository as people keep them for their homes: a kustomization of Flux objects at the top, and the
/// kustomizations that these lead to below it.
fn repository(name: &str) -> Repo<'static> {
    let repo = Repo::new(name, sandbox::bare());
    let config = |name: &str| {
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{a: b}}\n")
    };
    repo.write("apps/kustomization.yaml", "resources: [plain.yaml]\n");
    repo.write("apps/plain.yaml", config("plain"))
        .write("apps/forgotten.yaml", config("forgotten"));
    repo.write("apps/web/kustomization.yaml", "resources: [one.yaml, two.yaml]\n");
    repo.write("apps/web/one.yaml", config("one")).write("apps/web/two.yaml", config("two"));
    repo.commit("First");
    repo
}

#[test]
fn files_that_nothing_refers_to_are_told() {
    let repo = repository("unreferenced");
    repo.run(&["check"]).exits(0).shows("check/unreferenced");
    repo.run(&["check", "-W"]).exits(1);
    let json = repo.run(&["check", "-o", "json"]).exits(0);
    let json: Value = serde_json::from_str(&json.stdout).unwrap();
    let findings = json["findings"].as_array().unwrap();
    let rules: Vec<&Value> = findings.iter().map(|finding| &finding["rule"]).collect();
    assert_eq!(rules, ["unreferenced", "unreferenced"], "{json}");

    repo.run(&["diff"]).exits(1).shows("diff/unreferenced");
    let strict = repo.run(&["diff", "--strict"]).exits(2);
    assert!(strict.stderr.contains("apps/web/kustomization.yaml:1:1"), "{strict}");
    let apply = repo.run(&["apply"]).exits(0);
    assert!(apply.stderr.contains("does not refer to 1 file"), "{apply}");

    // Each of the remedies is one.
    let targets = "targets:\n  apps: {paths: [apps]}\n  web: {paths: [apps/web]}\n";
    repo.write("trueup.yaml", targets).commit("Two targets");
    let check = repo.run(&["check", "--target", "apps"]).exits(0);
    assert!(check.stdout.contains("forgotten.yaml") && !check.stdout.contains("web"), "{check}");
    assert!(repo.run(&["check", "--target", "web"]).exits(0).stdout.contains("2 objects"));
    repo.remove("trueup.yaml");
    repo.write("apps/kustomization.yaml", "resources: [plain.yaml, web]\n");
    repo.write(".trueupignore", "forgotten.yaml\n").commit("Second");
    let check = repo.run(&["check", "-W"]).exits(0);
    assert!(!check.to_string().contains("not applied"), "{check}");
    repo.run(&["apply", "--strict"]).exits(0);
}

#[test]
fn manifest_of_a_chart_that_helm_does_not_read_is_told() {
    let config =
        |name: &str| format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n");
    let (cm, extra) = (config("cm"), config("extra"));
    let checkout = Checkout::new(&[
        ("chart/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n"),
        ("chart/templates/cm.yaml", &cm),
        ("chart/extra/cm.yaml", &extra),
        ("chart/ci/values.yaml", "image: a\n"),
    ]);
    let run = || {
        let command = Cmd::trueup().dir(checkout.path()).env("HOME", checkout.path());
        renderers::with(command.args(["check", "-o", "json"])).run().exits(0)
    };
    let json: Value = serde_json::from_str(&run().stdout).unwrap();
    assert_eq!(json["objects"], 1, "{json}");
    let finding = &json["findings"][0];
    assert_eq!(
        (&finding["rule"], &finding["path"]),
        (&"unreferenced".into(), &"chart/Chart.yaml".into())
    );
    let message = finding["message"].as_str().unwrap();
    assert!(
        message.contains("Helm does not read 1 manifest") && message.ends_with(": extra/cm.yaml")
    );

    // Each of the remedies is one.
    checkout.write(".trueupignore", "/chart/extra/\n");
    checkout.commit();
    assert!(!run().stdout.contains("extra/cm.yaml"));
    checkout.write(".trueupignore", "");
    checkout.write("trueup.yaml", "targets: {a: {paths: [chart]}, b: {paths: [chart/extra]}}\n");
    checkout.commit();
    assert!(!run().stdout.contains("extra/cm.yaml"));
}
