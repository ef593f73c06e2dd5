//! What the operator says is overruled by nothing in git: of the two, the stricter counts. The table
//! of all pairs is that of `docs/security.md`; those that decide about a write are tried here.

use serde_json::Value;

use super::words;
use crate::support::objects::{WEB, config};
use crate::support::repo::Repo;
use crate::support::sandbox;

/// A repository whose Deployment somebody scaled, and which says of it `annotation`.
fn scaled(name: &str, annotation: &str) -> Repo<'static> {
    let repo = Repo::new(name, sandbox::bare());
    repo.write("web.yaml", WEB).commit("First").run(&["apply"]).exits(0);
    repo.kubectl(&["scale", "deployment", "web", "--replicas", "5"]).exits(0);
    let annotated = format!("metadata:\n  annotations: {{{annotation}}}\n");
    let web = WEB.replacen("metadata:\n", &annotated, 1);
    repo.write("web.yaml", web).commit("Second");
    repo
}

fn replicas(repo: &Repo<'_>) -> String {
    let path = ["get", "deployment", "web", "-o", "jsonpath={.spec.replicas}"];
    repo.kubectl(&path).exits(0).stdout
}

#[test]
fn stricter_on_conflict_of_flag_and_annotation_counts() {
    for (name, annotation, flag, exit, replica_count, says) in [
        ("force-fail", "force", "fail", 1, "5", "use --on-conflict force"),
        ("yield-fail", "yield", "fail", 1, "5", "use --on-conflict force"),
        ("force-yield", "force", "yield", 0, "5", ""),
        ("fail-force", "fail", "force", 1, "5", "take the annotation trueup.dev/on-conflict"),
        ("yield-force", "yield", "force", 0, "5", ""),
        ("force-force", "force", "force", 0, "2", ""),
    ] {
        let repo =
            scaled(&format!("guards-{name}"), &format!("trueup.dev/on-conflict: '{annotation}'"));
        let file = repo.outside().join("plan.json");
        let file = file.to_str().unwrap();
        let diff = repo.run(&["diff", "--on-conflict", flag, "--out", file]).exits(1);
        assert!(words(&diff.stdout).contains(says), "{name}\n{diff}");
        // A plan that was made with the flag is carried out with it.
        repo.run(&["apply", "--plan", file]).exits(exit);
        assert_eq!(replicas(&repo), replica_count, "{name}, planned");
        repo.run(&["apply", "--on-conflict", flag]).exits(exit);
        assert_eq!(replicas(&repo), replica_count, "{name}");
    }
}

#[test]
fn object_annotation_decides_on_conflict_by_default() {
    let repo = scaled("guards-silent", "trueup.dev/on-conflict: force");
    let name = repo.namespace();
    let settings = format!("targets: {{{name}: {{paths: [.], on-conflict: fail}}}}\n");
    repo.write("trueup.yaml", settings).write(".trueupignore", "trueup.yaml\n").commit("Settings");
    repo.run(&["apply"]).exits(0);
    assert_eq!(replicas(&repo), "2");
}

#[test]
fn commit_cannot_raise_max_prune() {
    let repo = Repo::new("guards-budget", sandbox::bare());
    let name = repo.namespace().to_owned();
    let says = |max: &str| {
        let settings = format!("targets: {{{name}: {{paths: [objects], max-prune: {max}}}}}\n");
        repo.write("trueup.yaml", settings);
    };
    says("100%");
    for n in 0..12 {
        repo.write(&format!("objects/c{n}.yaml"), config(&format!("c{n}"), "1"));
    }
    repo.commit("Twelve").run(&["apply"]).exits(0);
    for n in 0..7 {
        repo.remove(&format!("objects/c{n}.yaml"));
    }
    repo.commit("Five");
    let refused = repo.run(&["apply"]).exits(1);
    let why = "would delete 7 of 12 objects; the limit is 50%";
    assert!(words(&refused.stdout).contains(why), "{refused}");
    assert!(words(&refused.stdout).contains("use --max-prune 7"), "{refused}");
    assert_eq!(repo.members("configmap").len(), 12);
    // It may lower it, and the operator's word counts in its place.
    says("1");
    repo.commit("Less");
    let refused = repo.run(&["apply"]).exits(1);
    assert!(words(&refused.stdout).contains("the limit is 1"), "{refused}");
    repo.run(&["apply", "--max-prune", "7"]).exits(0);
    assert_eq!(repo.members("configmap").len(), 5);
}

#[test]
fn running_job_is_replaced_only_with_the_operators_flag() {
    let repo = Repo::new("guards-running", sandbox::bare());
    let name = repo.namespace();
    let job = |image: &str| {
        format!(
            "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: migrate}}\nspec:\n  template:\n    spec: {{restartPolicy: Never, containers: [{{name: main, image: {image}}}]}}\n"
        )
    };
    let settings = format!("targets: {{{name}: {{paths: [objects], replace: [Job]}}}}\n");
    repo.write("trueup.yaml", settings).write("objects/job.yaml", job("a:1")).commit("A job");
    repo.run(&["apply"]).exits(0);
    let begun = r#"{"status": {"active": 1, "startTime": "2026-01-01T00:00:00Z"}}"#;
    let patch = ["patch", "job", "migrate", "--subresource=status", "--type=merge", "-p", begun];
    repo.kubectl(&patch).exits(0);
    repo.write("objects/job.yaml", job("a:2")).commit("Another");
    let refused = repo.run(&["apply"]).exits(1);
    assert!(words(&refused.stdout).contains("use --replace Job to stop it"), "{refused}");
    repo.run(&["apply", "--replace", "Job"]).exits(0);
}

/// What a person said on the live object is not taken back by a commit unasked.
#[test]
fn commit_cannot_remove_a_prune_annotation() {
    for (name, theirs, git) in [
        ("prune", ("trueup.dev/prune", "false"), ("trueup.dev/prune", "true")),
        ("helm", ("helm.sh/resource-policy", "keep"), ("helm.sh/resource-policy", "delete")),
        (
            "argo",
            ("argocd.argoproj.io/sync-options", "Prune=confirm"),
            ("argocd.argoproj.io/sync-options", "Prune=true"),
        ),
    ] {
        let repo = Repo::new(&format!("guards-stays-{name}"), sandbox::bare());
        repo.write_config("a", "1").write_config("b", "1").commit("Two");
        repo.run(&["apply"]).exits(0);
        let annotation = format!("{}={}", theirs.0, theirs.1);
        repo.kubectl(&["annotate", "configmap", "a", &annotation]).exits(0);
        let said = format!("metadata:\n  annotations: {{{}: '{}'}}\n", git.0, git.1);
        let yaml = config("a", "2").replacen("metadata:\n", &said, 1);
        repo.write("a.yaml", yaml).commit("Otherwise");
        let refused = repo.run(&["apply"]).exits(1);
        let told = words(&refused.stdout);
        assert!(told.contains("it is set by kubectl-annotate"), "{refused}");
        assert!(told.contains("use --on-conflict force"), "{refused}");
        let live = repo.kubectl(&["get", "configmap", "a", "-o", "json"]).exits(0).stdout;
        let live: Value = serde_json::from_str(&live).unwrap();
        assert_eq!(live["metadata"]["annotations"][theirs.0], theirs.1);
        repo.run(&["apply", "--on-conflict", "force"]).exits(0);
    }
}
