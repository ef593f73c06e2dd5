//! What only the commit itself makes possible: it is tried after what makes it so, in the same run.

use crate::support::eventually::eventually;
use crate::support::objects::{config, service};
use crate::support::repo::Repo;
use crate::support::sandbox;

const ROLE: &str = "apiVersion: v1
kind: ServiceAccount
metadata: {name: gardener}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: garden}
rules:
- {apiGroups: [\"\"], resources: [configmaps], verbs: [get, list]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: gardener}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: garden}
subjects: [{kind: ServiceAccount, name: gardener}]
";

/// A repository whose namespace a user administers who may do nothing else.
fn administered(name: &str) -> Repo<'static> {
    let repo = Repo::new(name, sandbox::with_controllers());
    let bind = ["create", "rolebinding", "owner", "--clusterrole=admin", "--user=owner"];
    repo.kubectl(&bind).exits(0);
    repo
}

/// A quota of Services.
fn quota(services: u8) -> String {
    format!(
        "apiVersion: v1\nkind: ResourceQuota\nmetadata: {{name: room}}\nspec: {{hard: {{services: {services:?}}}}}\n"
    )
}

/// A policy for one resource in the namespace `name`, which may take its parameter from a ConfigMap.
fn policy(name: &str, resource: &str, expression: &str, parameter: Option<&str>) -> String {
    let (kind, reference) = match parameter {
        Some(parameter) => (
            "  paramKind: {apiVersion: v1, kind: ConfigMap}\n",
            format!(
                "  paramRef: {{name: {parameter}, namespace: {name}, parameterNotFoundAction: Deny}}\n"
            ),
        ),
        None => ("", String::new()),
    };
    format!(
        "apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {{name: {name}}}
spec:
{kind}  matchConstraints:
    namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: {name}}}}}
    resourceRules:
    - {{apiGroups: [\"\"], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [{resource}]}}
  validations: [{{expression: \"{expression}\"}}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {{name: {name}}}
spec:
  policyName: {name}
  validationActions: [Deny]
{reference}"
    )
}

#[test]
fn a_role_and_its_binding_by_who_administers_the_namespace() {
    let repo = administered("enabled-role");
    repo.write("rbac.yaml", ROLE).commit("Roles");
    let diff = repo.run(&["diff", "--as", "owner"]).exits(1);
    assert!(diff.stdout.contains("tried after Role enabled-role/garden"), "{diff}");
    assert!(!diff.stdout.contains("ask for this right"), "{diff}");
    repo.run(&["apply", "--as", "owner"]).exits(0);
    repo.run(&["diff", "--as", "owner"]).exits(0);
    let writes = repo.writes();
    repo.run(&["apply", "--as", "owner"]).exits(0);
    assert_eq!(repo.writes(), writes);

    // What no object of the commit gives the right to is refused, and says what would help.
    let more = ROLE.replace(
        "verbs: [get, list]}",
        "verbs: [get, list]}\n- {apiGroups: [\"\"], resources: [nodes], verbs: [delete]}",
    );
    repo.write("rbac.yaml", more).commit("More than it has");
    let refused = repo.run(&["apply", "--as", "owner"]).exits(1);
    assert!(refused.stdout.contains("1 refused"), "{refused}");
    assert!(refused.stdout.contains("ask for this right"), "{refused}");
}

#[test]
fn saved_plan_and_watch_retry_what_the_commit_enables() {
    for (name, is_saved) in [("enabled-plan", true), ("enabled-watch", false)] {
        let repo = administered(name);
        repo.write("rbac.yaml", ROLE).commit("Roles");
        let file = repo.outside().join("plan.json");
        let file = file.to_str().unwrap();
        if is_saved {
            // A plan is for one cluster, which the uid of this namespace tells.
            let view = ["rolebinding", "enabled-owner", "--clusterrole=view", "--user=owner"];
            repo.kubectl(&[&["create", "-n", "kube-system"], &view[..]].concat());
            repo.run(&["diff", "--as", "owner", "--out", file]).exits(1);
            repo.run(&["apply", "--as", "owner", "--plan", file]).exits(0);
        } else {
            repo.run(&["watch", "--once", "--no-wait", "--as", "owner"]).exits(0);
        }
        repo.run(&["diff", "--as", "owner"]).exits(0);
    }
}

#[test]
fn a_limit_that_the_commit_widens() {
    let repo = Repo::new("enabled-limit", sandbox::with_controllers());
    let range = |cpu: &str| {
        format!(
            "apiVersion: v1\nkind: LimitRange\nmetadata: {{name: room}}\nspec: {{limits: [{{type: Container, max: {{cpu: {cpu:?}}}}}]}}\n"
        )
    };
    let pod = |name: &str, cpu: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec: {{containers: [{{name: c, image: registry.example/c:1, resources: {{limits: {{cpu: {cpu:?}}}}}}}]}}\n"
        )
    };
    let _ =
        repo.write("range.yaml", range("1")).write("a.yaml", pod("a", "1")).commit("Room for 1");
    repo.run(&["apply"]).exits(0);
    repo.write("range.yaml", range("3")).write("b.yaml", pod("b", "2")).commit("For more");
    let diff = repo.run(&["diff"]).exits(1);
    assert!(diff.stdout.contains("tried after LimitRange enabled-limit/room"), "{diff}");
    assert!(diff.stdout.contains("maximum cpu usage per Container is 1"), "{diff}");
    repo.run(&["apply"]).exits(0);
    repo.run(&["diff"]).exits(0);
    // A limit that stays as it is makes no room, and one that does not go far enough is told as well.
    let full = repo.write("c.yaml", pod("c", "4")).commit("Too much").run(&["apply"]).exits(1);
    assert!(full.stdout.contains("1 refused"), "{full}");
    repo.write("range.yaml", range("3500m")).commit("Not enough");
    let full = repo.run(&["apply"]).exits(1);
    assert!(full.stdout.contains("1 failed"), "{full}");
    assert!(full.stdout.contains("maximum cpu usage per Container is 3500m"), "{full}");
}

#[test]
fn a_label_of_the_namespace_that_allows_its_pods() {
    let name = "enabled-security";
    let repo = Repo::new(name, sandbox::with_controllers());
    let namespace = |level: &str| {
        format!(
            "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {name}\n  labels: {{pod-security.kubernetes.io/enforce: {level}}}\n"
        )
    };
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: host}\nspec:\n  hostNetwork: true\n  containers: [{name: c, image: registry.example/c:1}]\n";
    repo.write("namespace.yaml", namespace("restricted")).write("a.yaml", config("a", "1"));
    repo.commit("Restricted").run(&["apply"]).exits(0);
    repo.write("pod.yaml", pod).commit("A pod");
    let refused = repo.run(&["apply"]).exits(1);
    assert!(refused.stdout.contains("violates PodSecurity"), "{refused}");
    repo.write("namespace.yaml", namespace("privileged")).commit("And the label");
    let diff = repo.run(&["diff"]).exits(1);
    assert!(diff.stdout.contains(&format!("tried after Namespace {name}")), "{diff}");
    repo.run(&["apply"]).exits(0);
    repo.run(&["diff"]).exits(0);
}

#[test]
fn a_quota_that_the_commit_widens() {
    let repo = Repo::new("enabled-quota", sandbox::with_controllers());
    repo.write("quota.yaml", quota(1)).commit("Room for 1").run(&["apply"]).exits(0);
    // The server charges nothing before the quota's controller has seen it.
    let hard = ["get", "resourcequota", "room", "-o", "jsonpath={.status.hard.services}"];
    eventually("the quota counts", || repo.kubectl(&hard).stdout == "1");
    repo.write("a.yaml", service("a", "ports: [{port: 80}]"))
        .commit("The first")
        .run(&["apply"])
        .exits(0);
    let full = repo
        .write("b.yaml", service("b", "ports: [{port: 80}]"))
        .commit("No room")
        .run(&["apply"])
        .exits(1);
    assert!(full.stdout.contains("exceeded quota: room"), "{full}");
    repo.write("quota.yaml", quota(2)).commit("Room for 2");
    let diff = repo.run(&["diff"]).exits(1);
    assert!(diff.stdout.contains("tried after ResourceQuota enabled-quota/room"), "{diff}");
    repo.run(&["apply"]).exits(0);
    repo.run(&["diff"]).exits(0);
}

#[test]
fn a_parameter_of_a_policy_that_the_commit_changes() {
    let name = "enabled-parameter";
    let repo = Repo::new(name, sandbox::with_controllers());
    let expression = "!has(object.data) || !('size' in object.data) || int(object.data.size) <= int(params.data.most)";
    let policy = policy(name, "configmaps", expression, Some("most"));
    let map = |name: &str, key: &str, value: u8| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{{key}: '{value}'}}\n"
        )
    };
    repo.write("policy.yaml", policy).write("most.yaml", map("most", "most", 5));
    repo.write("size.yaml", map("size", "size", 3)).commit("At most 5");
    repo.run(&["apply"]).exits(0);
    repo.write("size.yaml", map("size", "size", 8)).commit("Too much");
    eventually("the policy is in force", || {
        repo.run(&["diff"]).stdout.contains("failed expression")
    });
    let refused = repo.run(&["apply"]).exits(1);
    assert!(refused.stdout.contains("1 refused"), "{refused}");
    // No right that the commit gives is of any help.
    let role = "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: reads}\nrules: []\n";
    let refused = repo.write("role.yaml", role).commit("A role").run(&["diff"]).exits(1);
    assert!(
        refused.stdout.contains("1 refused") && !refused.stdout.contains("tried after"),
        "{refused}"
    );
    repo.write("most.yaml", map("most", "most", 10)).commit("At most 10");
    let diff = repo.run(&["diff"]).exits(1);
    assert!(diff.stdout.contains("tried after ConfigMap enabled-parameter/most"), "{diff}");
    repo.run(&["apply"]).exits(0);
    repo.run(&["diff"]).exits(0);
    let writes = repo.writes();
    repo.run(&["apply"]).exits(0);
    assert_eq!(repo.writes(), writes);
}

#[test]
fn a_quota_and_a_limit_that_the_commit_takes_out() {
    let repo = Repo::new("enabled-removed", sandbox::with_controllers());
    let range = "apiVersion: v1\nkind: LimitRange\nmetadata: {name: small}\nspec: {limits: [{type: Container, max: {cpu: 1}}]}\n";
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: large}\nspec: {containers: [{name: c, image: registry.example/c:1, resources: {limits: {cpu: 2}}}]}\n";
    repo.write("quota.yaml", quota(0)).write("range.yaml", range);
    repo.write("a.yaml", config("a", "1")).commit("No room").run(&["apply"]).exits(0);
    let hard = ["get", "resourcequota", "room", "-o", "jsonpath={.status.hard.services}"];
    eventually("the quota counts", || repo.kubectl(&hard).stdout == "0");
    repo.write("pod.yaml", pod)
        .write("service.yaml", service("a", "ports: [{port: 80}]"))
        .commit("Too much");
    let full = repo.run(&["apply"]).exits(1);
    assert!(full.stdout.contains("exceeded quota: room"), "{full}");
    assert!(full.stdout.contains("maximum cpu usage per Container is 1"), "{full}");

    // What stays for another reason still forbids it.
    repo.kubectl(&["annotate", "resourcequota", "room", "trueup.dev/prune=false"]).exits(0);
    repo.remove("quota.yaml").remove("range.yaml").commit("No limits");
    let diff = repo.run(&["diff"]).exits(1);
    let is_full = diff.stdout.contains("exceeded quota: room");
    assert!(is_full && diff.stdout.contains("2 refused"), "{diff}");
    assert!(!diff.stdout.contains("ask for this right"), "{diff}");
    assert!(diff.stdout.contains("raise the quota"), "{diff}");
    repo.kubectl(&["annotate", "resourcequota", "room", "trueup.dev/prune-"]).exits(0);

    let diff = repo.run(&["diff"]).exits(1);
    for name in ["ResourceQuota enabled-removed/room", "LimitRange enabled-removed/small"] {
        let after = format!("tried once {name} is deleted; until then:");
        assert!(diff.stdout.contains(&after), "{after}\n{diff}");
    }
    let apply = repo.run(&["apply"]).exits(0);
    assert!(apply.stdout.contains("4 changed"), "{apply}");
    repo.run(&["diff"]).exits(0);
    let writes = repo.writes();
    repo.run(&["apply"]).exits(0);
    assert_eq!(repo.writes(), writes);
}

#[test]
fn a_policy_that_the_commit_takes_out() {
    let name = "enabled-policy-removed";
    let repo = Repo::new(name, sandbox::with_controllers());
    let policy = policy(name, "services", "false", None);
    repo.write("policy.yaml", policy).write("a.yaml", config("a", "1"));
    repo.commit("No Services").run(&["apply"]).exits(0);
    repo.write("service.yaml", service("a", "ports: [{port: 80}]")).commit("A Service");
    eventually("the policy is in force", || repo.run(&["diff"]).stdout.contains("denied request"));
    repo.remove("policy.yaml").commit("Services");
    let diff = repo.run(&["diff"]).exits(1);
    let binding = format!("ValidatingAdmissionPolicyBinding {name}");
    assert!(diff.stdout.contains("tried once ") && diff.stdout.contains(&binding), "{diff}");
    repo.run(&["apply"]).exits(0);
    repo.run(&["diff"]).exits(0);
}
