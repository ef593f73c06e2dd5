//! Files that people keep beside manifests are told, and are no reason to keep objects; broken
//! manifests are.

use serde_json::Value;

use crate::support::repo::Repo;
use crate::support::sandbox;

fn config(name: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{a: b}}\n")
}

/// A repository with two objects that are applied, and other files beside them.
fn repository(name: &str) -> Repo<'static> {
    let repo = Repo::new(name, sandbox::bare());
    repo.write("apps/keep.yaml", config("keep")).write("apps/gone.yaml", config("gone"));
    repo.write("apps/other.yaml", config("other"));
    repo.write("apps/values.yaml", "image: {tag: '1'}\nreplicaCount: 1\n");
    repo.write("apps/dash/a.json", "{\"panels\": [], \"schemaVersion\": 39}\n");
    repo.write("apps/dash/b.json", "{\n\t\"panels\": [],\n\t\"schemaVersion\": 39\n}\n");
    repo.write("docker-compose.yml", "services:\n  web: {image: nginx}\n");
    repo.write("package.json", "{\"name\": \"a\", \"scripts\": {}}\n");
    repo.write(".github/workflows/ci.yaml", "on: [push]\njobs: {}\n");
    repo.write("list.json", "[1, 2]\n");
    repo.commit("First");
    repo
}

fn names(repo: &Repo<'_>) -> Vec<String> {
    let names = repo.config_maps().into_iter();
    names.filter(|name| !name.starts_with("trueup-") && name != "kube-root-ca.crt").collect()
}

#[test]
fn other_files_are_told_and_block_no_pruning() {
    let repo = repository("other-files");
    repo.run(&["check"]).exits(0).shows("check/other-files");
    let json = repo.run(&["check", "-o", "json"]).exits(0);
    let json: Value = serde_json::from_str(&json.stdout).unwrap();
    let findings = json["findings"].as_array().unwrap();
    let rules: Vec<&Value> = findings.iter().map(|finding| &finding["rule"]).collect();
    assert_eq!(rules, ["not-a-manifest"; 3], "{json:#}");
    let render = repo.run(&["render"]).exits(0);
    assert!(render.stderr.contains("apps/values.yaml:1:1"), "{render}");

    let apply = repo.run(&["apply", "--yes"]).exits(0);
    assert!(apply.stderr.contains("add the line `/apps/values.yaml` to .trueupignore"), "{apply}");
    assert_eq!(names(&repo), ["gone", "keep", "other"]);
    repo.remove("apps/gone.yaml").commit("One less");
    repo.run(&["apply", "--yes"]).exits(0);
    assert_eq!(names(&repo), ["keep", "other"]);

    // The lines that are offered are all that is needed.
    let strict = repo.run(&["diff", "--strict"]).exits(2);
    assert!(strict.to_string().contains("apps/values.yaml:1:1"), "{strict}");
    let findings = findings.iter().map(|finding| finding["hint"].as_str().unwrap());
    let lines: Vec<&str> = findings.flat_map(|hint| hint.split('`').skip(1).step_by(2)).collect();
    assert_eq!(lines.len(), 6, "{lines:?}");
    repo.write(".trueupignore", lines.join("\n")).commit("Left out");
    repo.run(&["check", "-W"]).exits(0);
    repo.run(&["diff", "--strict"]).exits(0);
}

#[test]
fn a_broken_manifest_still_blocks_pruning() {
    let repo = repository("other-broken");
    repo.run(&["apply", "--yes"]).exits(0);
    repo.remove("apps/gone.yaml");
    for (broken, is_named) in [
        (config("keep").replace("apiVersion", "apiVerison").replace("kind", "knid"), true),
        (config("keep").replace("apiVersion: v1\n", ""), true),
        (config("keep").replace("kind: ConfigMap\n", ""), true),
        (config("keep").replace("apiVersion: v1\nkind: ConfigMap\n", ""), true),
        ("data: {a: b}\n".to_owned(), true),
        (format!("web:\n{}", indented(&config("keep"))), true),
        (config("keep").replace("metadata: {", "metadata: name: {"), false),
    ] {
        repo.write("apps/keep.yaml", &broken).commit("Broken");
        let check = repo.run(&["check"]).exits(1);
        assert!(check.stdout.contains("apps/keep.yaml:"), "{broken}{check}");
        let line = "if it is not a manifest, add the line `/apps/keep.yaml` to .trueupignore";
        assert_eq!(check.stdout.contains(line), is_named, "{broken}{check}");
        repo.run(&["apply", "--yes"]).exits(1);
        assert_eq!(names(&repo), ["gone", "keep", "other"], "{broken}");
    }
    repo.write("apps/keep.yaml", config("keep")).commit("Mended");
    repo.run(&["apply", "--yes"]).exits(0);
    assert_eq!(names(&repo), ["keep", "other"]);
}

/// The paths of the target may lead to the wrong folder.
#[test]
fn a_commit_without_a_single_manifest_deletes_nothing() {
    let repo = repository("other-alone");
    repo.run(&["apply", "--yes"]).exits(0);
    for file in ["keep", "gone", "other"] {
        repo.remove(&format!("apps/{file}.yaml"));
    }
    repo.commit("Values alone");
    let apply = repo.run(&["apply", "--yes"]).exits(2);
    assert!(apply.stderr.contains("none of the manifests can be used"), "{apply}");
    assert_eq!(names(&repo), ["gone", "keep", "other"]);
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}
