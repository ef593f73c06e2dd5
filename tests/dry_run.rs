//! A dry run is a promise only where the request that follows it is the same one.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::between::{Between, Recorded};
use crate::support::repo::Repo;
use crate::support::sandbox;

const SETTINGS: &str = "targets:
  all:
    paths: [manifests]
    ignore:
    - {kind: Deployment, name: scaled, paths: [/spec/replicas]}
";

fn deployment(name: &str, image: &str, more: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec:\n  replicas: 1\n  \
         selector: {{matchLabels: {{app: {name}}}}}\n  template:\n    metadata: {{labels: {{app: {name}}}}}\n    \
         spec:\n{more}      containers: [{{name: main, image: 'registry.example/{image}'}}]\n"
    )
}

fn config(name: &str, data: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {data}\n")
}

/// A body without the precondition of a write: the state that it may be written over.
fn without_precondition(body: &[u8]) -> Vec<u8> {
    let mut object: Value = serde_json::from_slice(body).unwrap();
    let metadata = object["metadata"].as_object_mut().unwrap();
    metadata.remove("uid");
    metadata.remove("resourceVersion");
    serde_json::to_vec(&object).unwrap()
}

/// The bodies of the PATCH requests, by path; those of dry runs or the others.
fn patches(requests: &[Recorded], is_dry_run: bool) -> BTreeMap<&str, Vec<&[u8]>> {
    let mut found: BTreeMap<&str, Vec<&[u8]>> = BTreeMap::new();
    for Recorded { line, body, .. } in requests {
        let Some((path, query)) = line.strip_prefix("PATCH ").and_then(|it| it.split_once('?'))
        else {
            continue;
        };
        let is_ours = query.contains("fieldManager=trueup&") && !path.contains("/trueup-");
        if is_ours && query.contains("dryRun=All") == is_dry_run {
            found.entry(path).or_default().push(body);
        }
    }
    found
}

#[test]
fn what_is_written_was_dry_run_byte_for_byte() {
    let repo = Repo::new("dry-run-bytes", sandbox::bare());
    repo.write("trueup.yaml", SETTINGS);
    let put = |name: &str, text: String| {
        repo.write(&format!("manifests/{name}.yaml"), &text);
    };
    put("plain", config("plain", "{a: '1', b: '2'}"));
    put("scaled", deployment("scaled", "web:1", ""));
    put("emptied", deployment("emptied", "web:1", "      nodeSelector: {disk: ssd}\n"));
    put("goes", config("goes", "{a: '1'}"));
    repo.commit("First");
    repo.run(&["apply", "--target", "all"]).exits(0);
    repo.kubectl(&["scale", "deployment/scaled", "--replicas=3"]).exits(0);
    let file = repo.outside().join("theirs.yaml");
    std::fs::write(&file, config("theirs", "{a: '1', b: '2'}")).unwrap();
    repo.kubectl(&["apply", "-f", file.to_str().unwrap()]).exits(0);

    put("plain", config("plain", "{a: '2'}"));
    put("scaled", deployment("scaled", "web:2", ""));
    put("emptied", deployment("emptied", "web:2", "      nodeSelector: {}\n"));
    put("theirs", config("theirs", "{a: '3'}"));
    put("comes", config("comes", "{a: \"\\u00e4 1.50\", empty: ''}"));
    repo.remove("manifests/goes.yaml").commit("Second");
    let (between, requests) = Between::recording(sandbox::bare());
    let args = ["apply", "--target", "all", "--adopt"];
    repo.trueup(&args).env("KUBECONFIG", between.kubeconfig()).run().exits(0);

    let requests = requests.lock().unwrap();
    let (asked, written) = (patches(&requests, true), patches(&requests, false));
    let paths: Vec<_> = written.keys().filter_map(|path| path.rsplit('/').next()).collect();
    assert_eq!(paths, ["comes", "plain", "theirs", "emptied", "scaled"]);
    for (path, bodies) in &written {
        for body in bodies {
            let text = String::from_utf8_lossy(body);
            let dry_runs = asked.get(path).unwrap_or_else(|| panic!("{path}: no dry run"));
            let is_same = dry_runs.contains(body)
                || dry_runs.contains(&&*without_precondition(body)) && path.ends_with("/scaled");
            assert!(is_same, "{path} was written, and not dry-run: {text}");
        }
    }
    let scaled = written.iter().find(|(path, _)| path.ends_with("/scaled")).unwrap().1;
    let scaled = String::from_utf8_lossy(scaled[0]);
    assert!(!scaled.contains("\"replicas\":1"), "the field that is ignored: {scaled}");
    repo.run(&["diff", "--target", "all"]).exits(0);
}
