//! What renderers of one kind make differently of the same input: a warning names it.

use crate::support::command::Output;
use crate::support::renderers;
use crate::support::repo::Repo;
use crate::support::sandbox;

fn run(repo: &Repo, helm: &str, args: &[&str]) -> Output {
    repo.trueup(args).env("PATH", renderers::path(helm)).run()
}

#[test]
fn a_null_for_a_default_of_a_dependency_is_told() {
    let repo = Repo::new("chart-null", sandbox::bare());
    repo.write("c/Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\n");
    repo.write("c/values.yaml", "db:\n  size: null\n");
    repo.write("c/charts/db/Chart.yaml", "apiVersion: v2\nname: db\nversion: 1.0.0\n");
    repo.write("c/charts/db/values.yaml", "size: 3\n");
    repo.write(
        "c/charts/db/templates/a.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: db}\ndata: {size: \"{{ .Values.size }}\"}\n",
    );
    repo.write("null.yaml", "db: {size: null}\n");
    repo.write(
        "trueup.yaml",
        "targets:\n  own:\n    paths: [c]\n    render: {helm: {values: [null.yaml]}}\n",
    );
    repo.commit("A null");
    let told = "c/values.yaml:2:9  warning  the null of `db.size` takes a default of a dependency away in Helm 3, and does not in Helm 4";
    for helm in ["helm3", "helm4"] {
        let check = run(&repo, helm, &["check", "c"]).exits(0);
        assert!(check.stdout.starts_with(told), "{helm}\n{check}");
        let diff = run(&repo, helm, &["diff", "c"]).exits(1);
        assert!(diff.stderr.contains("the null of `db.size`"), "{helm}\n{diff}");
    }
    let made = |helm: &str, args: &[&str]| run(&repo, helm, args).exits(0).stdout;
    assert_ne!(made("helm3", &["render", "c"]), made("helm4", &["render", "c"]));
    let own = ["render", "--target=own"];
    assert_eq!(made("helm3", &own), made("helm4", &own));
    let check = run(&repo, "helm4", &["check", "--target=own"]).exits(0);
    assert!(check.stdout.starts_with("0 errors, 0 warnings"), "{check}");
}

#[test]
fn what_the_jsonnets_read_differently_is_told() {
    let repo = Repo::new("jsonnets", sandbox::bare());
    repo.write(
        "a.jsonnet",
        "local v = std.parseYaml(importstr 'v.yaml');\nlocal name = 'Zoë';\n[{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' },\n   data: { on: std.base64('' + v.flag), name: std.base64(name) } }]\n",
    );
    repo.write(".trueupignore", "v.yaml\n").write("v.yaml", "flag: on\n").commit("Jsonnet");
    let check = run(&repo, "helm4", &["check"]).exits(0);
    for told in [
        "v.yaml:1:7  warning  std.parseYaml of go-jsonnet, C++ jsonnet and jrsonnet differ on `on`; write `\"on\"` for a text",
        "a.jsonnet:4:16  warning  go-jsonnet, C++ jsonnet and jrsonnet differ on std.base64 of text beyond ASCII",
    ] {
        assert!(check.stdout.contains(told), "no {told:?} in\n{check}");
    }
    repo.write("v.yaml", "flag: true\n");
    repo.write("a.jsonnet", "local v = std.parseYaml(importstr 'v.yaml');\n[{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' },\n   data: { on: std.base64('' + v.flag) } }]\n");
    repo.commit("The same to all");
    let check = run(&repo, "helm4", &["check"]).exits(0);
    assert!(check.stdout.starts_with("0 errors, 0 warnings"), "{check}");
}
