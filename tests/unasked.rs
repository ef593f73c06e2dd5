//! What the API server can't be asked about is shown as far as trueup itself can tell, and labelled
//! so; everything else is not the worse for it.

use serde_json::Value;

use crate::support::objects::{config, guarded, webhook};
use crate::support::repo::Repo;
use crate::support::sandbox;

fn diff(repo: &Repo<'_>) -> Value {
    serde_json::from_str(&repo.run(&["diff", "-o", "json"]).exits(1).stdout).unwrap()
}

fn change<'a>(diff: &'a Value, name: &str) -> &'a Value {
    let changes = diff["changes"].as_array().unwrap();
    changes.iter().find(|change| change["object"]["name"] == name).unwrap()
}

#[test]
fn diff_without_a_dry_run_uses_the_live_object() {
    let plane = sandbox::bare();
    let repo = Repo::new("unasked-live", plane);
    repo.write("plain.yaml", config("plain", "1")).write("a.yaml", guarded("a", "1"));
    repo.commit("Two");
    repo.run(&["apply", "--yes"]).exits(0);
    let patch = r#"{"data": {"theirs": "x"}}"#;
    repo.kubectl(&["patch", "configmap", "a", "--type=merge", "-p", patch]).exits(0);
    plane.create("unasked-live", &webhook("unasked-live", "sideEffects: None"));

    // What is proven to be the same needs no webhook.
    repo.run(&["diff"]).exits(0);
    repo.write("a.yaml", guarded("a", "2")).commit("Another value");
    let text = repo.run(&["diff"]).exits(1).stdout;
    assert!(text.contains("as far as trueup itself can tell"), "{text}");
    assert!(text.contains("guard.example.com"), "{text}");
    assert!(text.contains("  -   key: \"1\"\n  +   key: \"2\"\n      theirs: x\n"), "{text}");
    assert!(!text.contains("plain"), "{text}");
    plane.kubectl(["delete", "validatingwebhookconfiguration", "unasked-live"]).exits(0);
    repo.run(&["apply", "--yes"]).exits(0);
    let data = repo.config_map("a").unwrap()["data"].take();
    assert_eq!(data, serde_json::json!({ "key": "2", "theirs": "x" }));
    repo.run(&["diff"]).exits(0);
}

#[test]
fn unavailable_webhook_is_named_and_skips_its_own_objects() {
    let plane = sandbox::bare();
    let repo = Repo::new("unasked-away", plane);
    repo.write("plain.yaml", config("plain", "1")).write("a.yaml", guarded("a", "1"));
    repo.commit("Two");
    // Its service is not there at all, so that nobody waits for it.
    let webhook = webhook("unasked-away", "sideEffects: None").replace(
        "{url: https://127.0.0.1:9/}",
        "{service: {namespace: unasked-away, name: nobody}}",
    );
    plane.create("unasked-away", &webhook);

    let first = diff(&repo);
    assert_eq!(change(&first, "plain")["confidence"], "server");
    assert_eq!(change(&first, "a")["confidence"], "local");
    let apply = repo.run(&["apply", "--yes"]).exits(1);
    assert!(apply.stdout.contains("✓ ConfigMap  unasked-away/plain  created"), "{apply}");
    assert!(apply.stdout.contains("failed calling webhook"), "{apply}");
    assert!(apply.stdout.contains("is the webhook's own server up?"), "{apply}");
    plane.kubectl(["delete", "validatingwebhookconfiguration", "unasked-away"]).exits(0);
    repo.run(&["apply", "--yes"]).exits(0);
}

#[test]
fn a_kind_that_may_not_be_listed_is_asked_for_by_name() {
    let plane = sandbox::bare();
    let repo = Repo::new("unasked-list", plane);
    for name in ["a", "b", "c"] {
        repo.write(&format!("{name}.yaml"), config(name, "1"));
    }
    repo.commit("Three");
    repo.run(&["apply", "--yes"]).exits(0);
    // A user who may read and change every ConfigMap, and list none.
    let rights = "apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: unasked-list}
rules:
- {apiGroups: [\"\"], resources: [configmaps], verbs: [get, create, patch, update]}
- {apiGroups: [\"\"], resources: [namespaces], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: unasked-list}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: unasked-list}
subjects: [{kind: User, name: reader}]
";
    plane.create("unasked-list", rights);
    let same = repo.run(&["diff", "--as", "reader"]).exits(0);
    assert!(
        same.stderr.contains(
            "ConfigMap can't be listed, so nothing is pruned; 3 objects were asked for by name: "
        ),
        "{same}"
    );
    // Discovery 2, the parent, the identity, a LIST of the cluster and one of the namespace; then
    // each object once, which is proven to be the same.
    let is_as_few =
        [8, 9].map(|count| same.stdout.contains(&format!("3 objects · {count} requests")));
    assert!(is_as_few.contains(&true), "{same}");
    repo.write("a.yaml", config("a", "2")).remove("b.yaml").commit("Another");
    let diff = repo.run(&["diff", "--as", "reader"]).exits(1).stdout;
    assert!(diff.contains("0 to create, 1 to update, 0 to delete"), "{diff}");
    assert!(diff.contains("= v1 ConfigMap unasked-list/b · keep\n"), "{diff}");

    // What the commit before declared is asked for by its name, so it is known to be left over.
    for done in ["1 done", "0 done"] {
        let apply = repo.run(&["apply", "--as", "reader"]).exits(1);
        assert!(apply.stdout.contains("not pruned: ConfigMap could not be listed"), "{apply}");
        assert!(apply.stdout.contains("do this: let this user list ConfigMap, in"), "{apply}");
        let end = format!("1 not pruned, {done} · ");
        assert!(apply.stdout.contains(&end), "{apply}");
        repo.run(&["diff", "--as", "reader"]).exits(1);
    }
    let round = repo.run(&["watch", "--once", "--no-pull", "--as", "reader"]).exits(1);
    let why =
        "! ConfigMap unasked-list/b: not pruned: ConfigMap could not be listed (let this user";
    assert!(round.stdout.contains(why), "{round}");

    // Who has nothing to prune needs no list to be done.
    repo.delete_config_map("b");
    let apply = repo.run(&["apply", "--as", "reader"]).exits(0);
    assert!(apply.stdout.contains("nothing to do"), "{apply}");
    let same = repo.run(&["diff", "--as", "reader"]).exits(0);
    let is_as_few =
        [7, 8].map(|count| same.stdout.contains(&format!("2 objects · {count} requests")));
    assert!(is_as_few.contains(&true), "{same}");
    // Whoever may list prunes it.
    repo.remove("c.yaml").commit("One");
    repo.run(&["apply", "--as", "reader"]).exits(1);
    repo.run(&["apply"]).exits(0);
    assert_eq!(repo.members("configmap"), ["configmap/a"]);
}

#[test]
fn objects_of_a_kind_that_the_commit_brings_are_held_against_its_definition() {
    let plane = sandbox::bare();
    let repo = Repo::new("unasked-kind", plane);
    let definition = include_str!("../fixtures/every-shape/definition.yaml")
        .replace("shapes.example.com", "unasked.example.com");
    let shape = |name: &str, spec: &str| {
        format!(
            "apiVersion: unasked.example.com/v1\nkind: Shape\nmetadata:\n  name: {name}\nspec:\n  {spec}\n"
        )
    };
    let _ =
        repo.write("definition.yaml", definition).write("good.yaml", shape("good", "plain: [a]"));
    let _ =
        repo.write("bad.yaml", shape("bad", "byKey: [{id: a, value: many}]")).commit("All at once");
    let diff = repo.run(&["diff"]).exits(1).stdout;
    assert!(diff.contains("Shape unasked-kind/bad · refuse · bad.yaml:1\n"), "{diff}");
    assert!(diff.contains("    bad.yaml:6:19: spec.byKey[0].value: "), "{diff}");
    assert!(diff.contains("Shape unasked-kind/good · create"), "{diff}");
    assert!(diff.contains("2 to create, 0 to update, 0 to delete, 1 refused"), "{diff}");
    // The server is of the same opinion, once it knows the kind.
    repo.run(&["apply", "--yes"]).exits(1);
    let again = repo.run(&["diff"]).exits(1).stdout;
    assert!(again.contains("    bad.yaml:6:19: "), "{again}");
}
