//! A field that another manager set otherwise: taken, refused or left, and in each case the next
//! plan has nothing to do, or says the same.

use serde_json::{Value, json};

use super::{by, get};
use crate::support::objects::WEB;
use crate::support::repo::Repo;
use crate::support::sandbox;

/// A repository whose Deployment somebody scaled, and gave another image and a label.
fn repo(name: &str, settings: &str, annotation: &str) -> Repo<'static> {
    let repo = Repo::new(name, sandbox::bare());
    let web = WEB.replace("  name: web\n", "  name: web\n  labels: {tier: front}\n");
    repo.write("all/web.yaml", &web).commit("First");
    repo.run(&["apply", "--yes", "--name", name]).exits(0);
    repo.kubectl(&["scale", "deployment", "web", "--replicas", "5"]).exits(0);
    let image = "main=registry.example/web:1.4.1";
    repo.kubectl(&["set", "image", "deployment/web", image]).exits(0);
    repo.kubectl(&["label", "deployment", "web", "--overwrite", "tier=back"]).exits(0);
    let annotated = web.replace("  labels:", &format!("{annotation}  labels:"));
    repo.write("all/web.yaml", annotated).write("trueup.yaml", settings).commit("Second");
    repo
}

/// The three values that are disputed.
fn values(repo: &Repo<'_>) -> Value {
    let web = get(repo, "deployment", "web");
    let image = &web["spec"]["template"]["spec"]["containers"][0]["image"];
    json!([web["spec"]["replicas"], image, web["metadata"]["labels"]["tier"]])
}

const OURS: &str = r#"[2,"registry.example/web:1.4.0","front"]"#;
const THEIRS: &str = r#"[5,"registry.example/web:1.4.1","back"]"#;

#[test]
fn on_conflict_fail_names_the_manager_and_force_takes() {
    let repo = repo("conflict-fail", "", "");
    let options = ["--name", "conflict-fail", "--on-conflict", "fail"];
    let writes = repo.writes();
    let diff = repo.run(&[&["diff"], &options[..]].concat()).exits(1);
    for line in [
        "! apps/v1 Deployment conflict-fail/web · refuse · all/web.yaml:1\n",
        "    all/web.yaml:5:12: metadata.labels.tier: it is set by kubectl-label\n",
        "    all/web.yaml:7:3: spec.replicas: it is set by kubectl (scale)\n",
        "    all/web.yaml:14:9: spec.template.spec.containers[0].image: it is set by kubectl-set\n",
    ] {
        assert!(diff.stdout.contains(line), "{line:?} is missing\n{diff}");
    }
    repo.run(&[&["apply", "--yes"], &options[..]].concat()).exits(1);
    assert_eq!((values(&repo).to_string().as_str(), repo.writes()), (THEIRS, writes));

    let force = ["apply", "--yes", "--name", "conflict-fail"];
    repo.run(&force).exits(0);
    assert_eq!(values(&repo).to_string(), OURS);
    // There is no conflict any more.
    let writes = repo.writes();
    repo.run(&[&["diff"], &options[..]].concat()).exits(0);
    repo.run(&[&["apply", "--yes"], &options[..]].concat()).exits(0);
    assert_eq!(repo.writes(), writes);
}

#[test]
fn on_conflict_yield_leaves_fields_and_names_the_manager() {
    let settings = "targets: {conflict-yield: {paths: [all], on-conflict: yield}}\n";
    let repo = repo("conflict-yield", settings, "");
    let moved = ["diff", "--moved"];
    let diff = repo.run(&moved).exits(0);
    for line in [
        "= apps/v1 Deployment conflict-yield/web · keep · all/web.yaml:1\n",
        "    all/web.yaml:5:12: metadata.labels.tier: it is left to kubectl-label\n",
        "    all/web.yaml:7:3: spec.replicas: it is left to kubectl (scale)\n",
    ] {
        assert!(diff.stdout.contains(line), "{line:?} is missing\n{diff}");
    }
    // What is nobody else's is applied.
    let web = WEB.replace("  replicas: 2\n", "  replicas: 3\n  minReadySeconds: 5\n");
    repo.write("all/web.yaml", web).commit("More");
    let diff = repo.run(&moved).exits(1);
    assert!(diff.stdout.contains("  +   minReadySeconds: 5\n"), "{diff}");
    assert!(diff.stdout.contains("spec.replicas: it is left to kubectl (scale)\n"), "{diff}");
    repo.run(&["apply", "--yes", "--moved"]).exits(0);
    let web = get(&repo, "deployment", "web");
    assert_eq!((&web["spec"]["replicas"], &web["spec"]["minReadySeconds"]), (&json!(5), &json!(5)));

    let writes = repo.writes();
    repo.run(&["diff", "--verify"]).exits(0);
    repo.run(&["diff"]).exits(0);
    repo.run(&["apply", "--yes"]).exits(0);
    assert_eq!(repo.writes(), writes);
    // The flag counts before the file.
    repo.run(&["apply", "--yes", "--on-conflict", "force"]).exits(0);
    assert_eq!(get(&repo, "deployment", "web")["spec"]["replicas"], 3);
}

#[test]
fn object_annotation_sets_on_conflict() {
    let says = |mode: &str| format!("  annotations: {{trueup.dev/on-conflict: {mode}}}\n");
    let repo = repo("conflict-object", "", &says("fail"));
    let name = ["--name", "conflict-object"];
    let diff = repo.run(&[&["diff"], &name[..]].concat()).exits(1);
    assert!(diff.stdout.contains("spec.replicas: it is set by kubectl (scale)\n"), "{diff}");

    let web = WEB.replace("  name: web\n", &format!("  name: web\n{}", says("yields")));
    repo.write("all/web.yaml", web).commit("A slip");
    let diff = repo.run(&[&["diff"], &name[..]].concat()).exits(1);
    let told = "trueup.dev/on-conflict: invalid value \"yields\"";
    assert!(diff.stdout.contains(told), "{diff}");
    assert!(diff.stdout.contains("do this: it can be force, fail, yield\n"), "{diff}");

    let web = WEB.replace("  name: web\n", &format!("  name: web\n{}", says("'yield'")));
    repo.write("all/web.yaml", web).commit("Left");
    repo.run(&[&["apply", "--yes"], &name[..]].concat()).exits(0);
    assert_eq!(get(&repo, "deployment", "web")["spec"]["replicas"], 5);
    repo.run(&[&["diff"], &name[..]].concat()).exits(0);
}

#[test]
fn taken_over_manager_is_not_a_conflict() {
    let repo = Repo::new("conflict-takeover", sandbox::bare());
    by(&repo, &["apply"], &super::MORE.replace("NAME", "web"));
    let less = super::LESS.replace("NAME", "web").replace("kept: a", "kept: c");
    repo.write("web.yaml", less).commit("Less");
    repo.run(&["apply", "--yes", "--on-conflict", "fail"]).exits(0);
    assert_eq!(get(&repo, "configmap", "web")["data"], json!({ "kept": "c" }));
    repo.run(&["diff", "--on-conflict", "yield"]).exits(0);
}
