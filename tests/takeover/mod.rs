//! Objects that others applied are taken over: what git no longer says goes, and the plan says so.

mod adoption;
mod between;
mod conflicts;
mod foreseen;
mod refused;

use serde_json::Value;

use crate::support::repo::Repo;
use crate::support::sandbox;

/// What the predecessor applies: a field, an element of a list, a key and a whole part more than
/// git declares.
const MORE: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME, labels: {kept: a, gone: b}}
spec:
  minReadySeconds: 5
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      nodeSelector: {disk: ssd}
      containers:
      - name: main
        image: registry.example/web:1.4.0
        env:
        - {name: KEPT, value: a}
        - {name: GONE, value: b}
      - {name: gone, image: registry.example/side:1}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: NAME}
data: {kept: a, gone: b}
";

/// What git declares.
const LESS: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME, labels: {kept: a}}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: main
        image: registry.example/web:1.4.0
        env:
        - {name: KEPT, value: a}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: NAME}
data: {kept: a}
";

/// Applies `yaml` as somebody else.
fn by(repo: &Repo<'_>, kubectl: &[&str], yaml: &str) {
    let file = repo.outside().join("theirs.yaml");
    std::fs::write(&file, yaml).unwrap();
    repo.kubectl(&[kubectl, &["-f", file.to_str().unwrap()]].concat()).exits(0);
}

fn get(repo: &Repo<'_>, kind: &str, name: &str) -> Value {
    let live = repo.kubectl(&["get", kind, name, "-o", "json", "--show-managed-fields"]);
    serde_json::from_str(&live.exits(0).stdout).unwrap()
}

/// The managers of an object, in the server's order.
fn managers(live: &Value) -> Vec<&str> {
    let entries = live["metadata"]["managedFields"].as_array().unwrap();
    entries.iter().map(|entry| entry["manager"].as_str().unwrap()).collect()
}

#[test]
fn takeover_removes_applied_fields_not_in_git() {
    let repo = Repo::new("takeover", sandbox::bare());
    let tools: [(&str, &[&str]); 8] = [
        ("kubectl", &["apply"]),
        ("created", &["create"]),
        ("helm-3", &["create", "--field-manager", "helm"]),
        ("helm-4", &["apply", "--server-side", "--field-manager", "helm"]),
        ("flux", &["apply", "--server-side", "--field-manager", "kustomize-controller"]),
        ("argo", &["apply", "--field-manager", "argocd-controller"]),
        ("argo-server-side", &["apply", "--server-side", "--field-manager", "argocd-controller"]),
        ("forgotten", &["create"]),
    ];
    for (name, kubectl) in tools {
        by(&repo, kubectl, &MORE.replace("NAME", name));
        repo.write(&format!("{name}.yaml"), LESS.replace("NAME", name));
    }
    repo.commit("All of them");
    // An object from before anything was recorded.
    let forget = r#"[{"op": "replace", "path": "/metadata/managedFields", "value": [{}]}]"#;
    for kind in ["deployment", "configmap"] {
        repo.kubectl(&["patch", kind, "forgotten", "--type=json", "-p", forget]).exits(0);
    }
    let diff = repo.run(&["diff"]).exits(1);
    for line in [
        "  -   gone: b\n",
        "  -   minReadySeconds: 5\n",
        "  -       nodeSelector:\n",
        "  -         - name: GONE\n",
        "  -         image: registry.example/side:1\n",
    ] {
        assert_eq!(diff.stdout.matches(line).count(), tools.len(), "{line:?} in\n{diff}");
    }
    assert!(diff.stdout.contains("    takes over from kubectl-client-side-apply\n"), "{diff}");

    repo.run(&["apply", "--yes"]).exits(0);
    for (name, _) in tools {
        let config = get(&repo, "configmap", name);
        assert_eq!(config["data"], serde_json::json!({ "kept": "a" }), "{name}");
        let web = get(&repo, "deployment", name);
        let text = web["spec"].to_string() + &web["metadata"]["labels"].to_string();
        assert!(!text.contains("gone") && !text.contains("GONE"), "{name}: {text}");
        assert!(web["spec"].get("minReadySeconds").is_none(), "{name}: {text}");
        assert_eq!((managers(&web), managers(&config)), (vec!["trueup"], vec!["trueup"]), "{name}");
        let annotations = web["metadata"]["annotations"].to_string();
        assert!(!annotations.contains("last-applied"), "{name}: {annotations}");
    }
    let writes = repo.writes();
    repo.run(&["diff"]).exits(0);
    repo.run(&["diff", "--verify"]).exits(0);
    repo.run(&["apply", "--yes"]).exits(0);
    assert_eq!(repo.writes(), writes, "nothing is left to do");
}

#[test]
fn takeover_keeps_edits_and_the_restart_annotation() {
    let repo = Repo::new("takeover-edited", sandbox::bare());
    by(&repo, &["apply"], &MORE.replace("NAME", "web"));
    repo.kubectl(&["rollout", "restart", "deployment", "web"]).exits(0);
    repo.kubectl(&["annotate", "deployment", "web", "note=mine"]).exits(0);
    // Another tool may have restarted it in the name of one that applies.
    let stamp = r#"{"spec": {"template": {"metadata": {"annotations": {
        "kubectl.kubernetes.io/restartedAt": "2026-01-02T03:04:05Z"}}}}}"#;
    by(&repo, &["apply"], &MORE.replace("NAME", "other"));
    let patch = ["patch", "deployment", "other", "--field-manager", "helm", "-p", stamp];
    repo.kubectl(&patch).exits(0);
    for name in ["web", "other"] {
        repo.write(&format!("{name}.yaml"), LESS.replace("NAME", name));
    }
    repo.commit("The shop");
    let before = ["web", "other"].map(|name| get(&repo, "deployment", name));
    let diff = repo.run(&["diff"]).exits(1);
    assert!(!diff.stdout.contains("restartedAt"), "{diff}");
    repo.run(&["apply", "--yes"]).exits(0);
    for before in before {
        let after = get(&repo, "deployment", before["metadata"]["name"].as_str().unwrap());
        let stamp = |web: &Value| web["spec"]["template"]["metadata"]["annotations"].clone();
        assert_eq!(stamp(&after), stamp(&before));
        assert_eq!(
            after["metadata"]["annotations"]["note"],
            before["metadata"]["annotations"]["note"]
        );
        assert!(after["spec"].get("minReadySeconds").is_none());
    }
    let writes = repo.writes();
    repo.run(&["diff"]).exits(0);
    repo.run(&["apply", "--yes"]).exits(0);
    assert_eq!(repo.writes(), writes);
}
