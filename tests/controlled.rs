//! Fields that a controller of the API server fills in, whatever git says.

use crate::support::eventually::eventually;
use crate::support::repo::Repo;
use crate::support::sandbox;

const ROLES: &str = "apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: controlled-all}
aggregationRule:
  clusterRoleSelectors:
  - matchLabels: {controlled.example/part: \"yes\"}
rules: []
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: controlled-part, labels: {controlled.example/part: \"yes\"}}
rules:
- {apiGroups: [\"\"], resources: [configmaps], verbs: [get]}
";

fn resources(repo: &Repo<'_>, role: &str) -> String {
    let path = "jsonpath={.rules[*].resources[*]}";
    repo.kubectl(&["get", "clusterrole", role, "-o", path]).exits(0).stdout
}

/// How many writes the roles have had from trueup. They are in no namespace.
fn writes() -> usize {
    sandbox::with_controllers().audit_log.count_of(|request| {
        request.is_ours() && request.is_write() && request.resource() == "clusterroles"
    })
}

#[test]
fn the_rules_of_an_aggregated_role_are_left_to_its_controller() {
    let repo = Repo::new("controlled-role", sandbox::with_controllers());
    repo.write("roles.yaml", ROLES).commit("Roles").run(&["apply"]).exits(0);
    let filled = || resources(&repo, "controlled-all") == "configmaps";
    eventually("the controller has filled the rules in", filled);
    let written = writes();
    assert!(written > 0);
    for args in [&["diff"][..], &["diff", "--verify"], &["apply"], &["watch", "--once"]] {
        let output = repo.run(args).exits(0);
        assert_eq!(writes(), written, "{args:?}\n{output}");
    }
    assert_eq!(resources(&repo, "controlled-all"), "configmaps");

    // Without the field, and once what it collects is more.
    let more = ROLES.replace("rules: []\n", "").replace("[configmaps]", "[configmaps, secrets]");
    repo.write("roles.yaml", more).commit("More").run(&["apply"]).exits(0);
    let filled = || resources(&repo, "controlled-all") == "configmaps secrets";
    eventually("the controller has filled the rules in again", filled);
    let written = writes();
    repo.run(&["apply"]).exits(0);
    assert_eq!(writes(), written);

    // A role of its own from now on: what it declares counts again.
    let own = ROLES.replace(
        "aggregationRule:\n  clusterRoleSelectors:\n  - matchLabels: {controlled.example/part: \"yes\"}\nrules: []",
        "rules: [{apiGroups: [\"\"], resources: [pods], verbs: [list]}]",
    );
    repo.write("roles.yaml", own).commit("Its own").run(&["apply"]).exits(0);
    // The controller may write once more by what it saw last.
    eventually("its own rules stay", || {
        repo.run(&["apply"]).exits(0);
        resources(&repo, "controlled-all") == "pods" && repo.run(&["diff"]).status == Some(0)
    });
}

#[test]
fn committed_revision_annotation_is_left_to_its_controller() {
    let repo = Repo::new("controlled-revision", sandbox::with_controllers());
    let web = "apiVersion: apps/v1
kind: Deployment
metadata: {name: web, annotations: {deployment.kubernetes.io/revision: \"7\", note: ours}}
spec:
  replicas: 0
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: \"registry.example/web:1\"}]}
";
    repo.write("web.yaml", web).commit("Exported").run(&["apply"]).exits(0);
    let path = "jsonpath={.status.observedGeneration}";
    let get = ["get", "deployment", "web", "-o", path];
    eventually("the controller has seen it", || repo.kubectl(&get).exits(0).stdout == "1");
    repo.run(&["apply"]).exits(0);
    let writes = repo.writes();
    for args in [&["diff"][..], &["apply"]] {
        repo.run(args).exits(0);
    }
    assert_eq!(repo.writes(), writes);
    let next = web.replace("web:1", "web:2").replace("note: ours", "note: changed");
    repo.write("web.yaml", next).commit("Next").run(&["apply"]).exits(0);
    repo.run(&["diff"]).exits(0);
}

#[test]
fn check_warns_of_controlled_fields() {
    let repo = Repo::new("controlled-check", sandbox::bare());
    repo.write("roles.yaml", ROLES).commit("Roles");
    let check = repo.run(&["check"]).exits(0);
    let says = "/rules is left as it is: the ClusterRole aggregation controller fills it";
    assert!(check.stdout.contains("roles.yaml:7:1"), "{check}");
    assert_eq!(check.stdout.matches(says).count(), 1, "{check}");
}
