//! Take-overs that one apply can't make: what git declares excludes what the predecessor applied.

use super::{by, get, managers};
use crate::support::repo::Repo;
use crate::support::sandbox;

/// A port of one name, a source of one volume, a strategy: THEIRS of the predecessor, OURS of git.
fn shop(port: u16, volume: &str, strategy: &str) -> String {
    format!(
        "apiVersion: v1
kind: Service
metadata: {{name: NAME}}
spec:
  selector: {{app: web}}
  ports:
  - {{name: web, port: {port}, targetPort: 8080}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: NAME}}
spec:
  replicas: 0
  selector: {{matchLabels: {{app: web}}}}
{strategy}  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      volumes:
      - name: data
        {volume}
      containers:
      - {{name: main, image: registry.example/web:1}}
"
    )
}

#[test]
fn takeover_replaces_mutually_exclusive_fields_in_one_run() {
    let repo = Repo::new("takeover-refused", sandbox::bare());
    let tools: [(&str, &[&str]); 4] = [
        ("kubectl", &["apply"]),
        ("created", &["create"]),
        ("helm-4", &["apply", "--server-side", "--field-manager", "helm"]),
        ("argo", &["apply", "--field-manager", "argocd-controller"]),
    ];
    let (theirs, ours) = (
        shop(81, "emptyDir: {sizeLimit: 1Gi}", ""),
        shop(82, "configMap: {name: data}", "  strategy: {type: Recreate}\n"),
    );
    for (name, kubectl) in tools {
        by(&repo, kubectl, &theirs.replace("NAME", name));
        repo.write(&format!("{name}.yaml"), ours.replace("NAME", name));
    }
    repo.commit("All of them");
    let diff = repo.run(&["diff"]).exits(1);
    for line in ["  -     port: 81\n  +     port: 82\n", "  -           sizeLimit: 1Gi\n"] {
        assert_eq!(diff.stdout.matches(line).count(), tools.len(), "{line:?} in\n{diff}");
    }
    repo.run(&["apply", "--yes"]).exits(0);
    for (name, _) in tools {
        let (service, web) = (get(&repo, "service", name), get(&repo, "deployment", name));
        assert_eq!(service["spec"]["ports"].as_array().unwrap().len(), 1, "{service}");
        assert!(!web["spec"].to_string().contains("emptyDir"), "{web}");
        assert_eq!(
            (managers(&web), managers(&service)),
            (vec!["trueup"], vec!["trueup"]),
            "{name}"
        );
    }
    let writes = repo.writes();
    repo.run(&["diff"]).exits(0);
    repo.run(&["diff", "--verify"]).exits(0);
    repo.run(&["apply", "--yes"]).exits(0);
    assert_eq!(repo.writes(), writes, "nothing is left to do");
}

/// kapp writes a label of its own into selectors and templates.
#[test]
fn kapp_selector_labels_are_named_by_line() {
    let repo = Repo::new("takeover-kapp", sandbox::bare());
    let web = "apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 0
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
      - {name: main, image: registry.example/web:1}
";
    let label = "kapp.k14s.io/app: \"1700000000000000000\"";
    let theirs = web
        .replace(
            "      app: web\n  template",
            &format!("      app: web\n      {label}\n  template"),
        )
        .replace(
            "        app: web\n    spec",
            &format!("        app: web\n        {label}\n    spec"),
        );
    by(&repo, &["apply", "--field-manager", "kapp"], &theirs);
    repo.write("web.yaml", web).commit("Without");
    let diff = repo.run(&["diff"]).exits(1);
    for place in ["spec.selector.matchLabels", "spec.template.metadata.labels"] {
        assert!(diff.stdout.contains(&format!("{label} under {place}")), "{place} in {diff}");
    }
    repo.write("web.yaml", theirs).commit("With the two lines");
    repo.run(&["apply", "--yes"]).exits(0);
    repo.run(&["diff"]).exits(0);
}
