//! Which Kubernetes a chart sees: the cluster's, that of the schemas, or that of `trueup.yaml`, and
//! never the one that Helm was built with.

use serde_json::Value;

use crate::support::command::Output;
use crate::support::repo::Repo;
use crate::support::{renderers, sandbox};

/// A chart that declares what it sees, and a target without a chart.
fn repo(name: &str) -> Repo<'static> {
    let repo = Repo::new(name, sandbox::bare());
    repo.write("chart/Chart.yaml", "apiVersion: v2\nname: seen\nversion: 1.0.0\n");
    repo.write(
        "chart/templates/seen.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: seen}\ndata: {version: \"{{ .Capabilities.KubeVersion.Version }}\"}\n",
    );
    repo.write("overlay/kustomization.yaml", "configMapGenerator: [{name: a, literals: [b=c]}]\n");
    repo.write(
        "trueup.yaml",
        "targets:\n  own:\n    paths: [chart]\n    render: {helm: {kube-version: 1.31.2}}\n",
    );
    repo.commit("A chart");
    repo
}

fn run(repo: &Repo, helm: &str, args: &[&str]) -> Output {
    repo.trueup(args).env("PATH", renderers::path(helm)).run()
}

#[track_caller]
fn json(output: &Output) -> Value {
    serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}\n{output}"))
}

#[test]
fn without_a_cluster_a_chart_sees_the_release_of_the_schemas() {
    let repo = repo("chart-version-offline");
    for helm in ["helm3", "helm4"] {
        let seen = run(&repo, helm, &["render", "chart", "--verbose"]).exits(0);
        assert!(seen.stdout.contains("version: v1.36.0\n"), "{helm}\n{seen}");
        assert!(seen.stderr.contains("charts for Kubernetes 1.36.0\n"), "{helm}\n{seen}");
        let seen = run(&repo, helm, &["render", "chart", "--kubernetes-version=v1.36.4"]).exits(0);
        assert!(seen.stdout.contains("version: v1.36.4\n"), "{helm}\n{seen}");
        let own = run(&repo, helm, &["render", "--target=own"]).exits(0);
        assert!(own.stdout.contains("version: v1.31.2\n"), "{helm}\n{own}");
    }
    let check = run(&repo, "helm4", &["check", "chart"]).exits(0);
    assert!(check.stdout.contains(" schemas · charts for Kubernetes 1.36.0 · "), "{check}");
    let check = json(&run(&repo, "helm4", &["check", "--target=own", "-o", "json"]).exits(0));
    assert_eq!((&check["kubernetes"], &check["charts_for"]), (&"1.36".into(), &"1.31.2".into()));
    let check = json(&run(&repo, "helm4", &["check", "overlay", "-o", "json"]).exits(0));
    assert_eq!(check.get("charts_for"), None);
    let check = run(&repo, "helm4", &["check", "chart", "--kubernetes-version=1.35.2"]).exits(0);
    let both = "Kubernetes 1.35 schemas · charts for Kubernetes 1.35.2 · ";
    assert!(check.stdout.contains(both), "{check}");
    for version in ["1.5", "1.36.x", "1.36.4.1"] {
        let version = format!("--kubernetes-version={version}");
        run(&repo, "helm4", &["render", "chart", &version]).exits(2);
    }
}

#[test]
fn with_a_cluster_a_chart_sees_its_version() {
    let repo = repo("chart-version-cluster");
    let server = repo.kubectl(&["version", "-o", "json"]).exits(0);
    let server = json(&server)["serverVersion"]["gitVersion"].as_str().unwrap().to_owned();
    let version = server.trim_start_matches('v').to_owned();
    for helm in ["helm3", "helm4"] {
        let diff = json(&run(&repo, helm, &["diff", "chart", "-o", "json"]).exits(1));
        assert_eq!(diff["charts_for"], version, "{helm}");
        let plan = run(&repo, helm, &["diff", "chart"]).exits(1);
        assert!(plan.stdout.contains(&format!("version: {server}\n")), "{helm}\n{plan}");
        assert!(plan.stdout.contains(&format!(" · charts for Kubernetes {version} · ")), "{plan}");
    }
    // Nothing is asked where trueup.yaml says it, nor where there is no chart.
    let requests = |args: &[&str]| json(&run(&repo, "helm4", args))["requests"].as_u64().unwrap();
    let own = json(&run(&repo, "helm4", &["diff", "--target=own", "-o", "json"]).exits(1));
    assert_eq!(own["charts_for"], "1.31.2");
    let asked = requests(&["diff", "chart", "-o", "json"]);
    // One of trueup.yaml asks for the records of others, too.
    assert_eq!(requests(&["diff", "--target=own", "-o", "json"]), asked - 1 + 1);
    assert_eq!(requests(&["diff", "overlay", "-o", "json"]), asked - 1);

    let applied = run(&repo, "helm3", &["apply", "chart", "--yes"]).exits(0);
    assert!(applied.stdout.contains(&format!("charts for Kubernetes {version}")), "{applied}");
    let again = run(&repo, "helm4", &["diff", "chart"]).exits(0);
    assert!(again.stdout.contains(&format!("charts for Kubernetes {version}")), "{again}");
}
