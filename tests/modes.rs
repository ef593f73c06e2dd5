//! Objects that are only ever made, objects that are left alone, and annotations that mean nothing,
//! on a real API server.

use serde_json::{Value, json};

use crate::support::between::Between;
use crate::support::objects;
use crate::support::objects::{config, with_metadata};
use crate::support::repo::Repo;
use crate::support::sandbox;

fn annotated(name: &str, annotation: &str) -> String {
    objects::annotated(&config(name, "1"), annotation)
}

const ONCE: &str = "trueup.dev/mode: create-only";
const IGNORE: &str = "trueup.dev/mode: ignore";

fn live(repo: &Repo<'_>, name: &str) -> Value {
    repo.config_map(name).unwrap()
}

fn patched(repo: &Repo<'_>, name: &str, data: Value) {
    let patch = json!({ "data": data }).to_string();
    repo.kubectl(&["patch", "configmap", name, "--type=merge", "-p", &patch]).exits(0);
}

/// Runs trueup, and returns with what it printed which ConfigMaps it asked about by their names.
fn asked(repo: &Repo<'_>, args: &[&str], status: i32) -> (String, Vec<String>) {
    let (plane, before) = (sandbox::bare(), sandbox::bare().audit_log.count());
    let output = repo.run(args).exits(status);
    let requests = plane.audit_log.requests_after(before).into_iter().filter_map(|request| {
        let is_here = request.namespace() == repo.namespace();
        let is_one = request.resource() == "configmaps" && !request.name().is_empty();
        let is_record = request.name() == repo.parent() || request.is_of_record();
        let is_it = is_here && is_one && !is_record;
        is_it.then(|| request.name().to_owned())
    });
    (output.stdout, requests.collect())
}

#[test]
fn create_only_object_is_never_updated_and_costs_no_request() {
    let repo = Repo::new("modes-once", sandbox::bare());
    repo.write("a.yaml", annotated("a", ONCE)).write("b.yaml", annotated("b", ONCE));
    let flux = annotated("c", "kustomize.toolkit.fluxcd.io/ssa: IfNotPresent");
    repo.write("c.yaml", flux).write_config("stays", "1").commit("Four");
    repo.run(&["apply"]).exits(0);
    assert_eq!(repo.members("configmap").len(), 4);
    let silent = repo.run(&["diff"]).exits(0);
    assert!(silent.stdout.contains("in sync"), "{silent}");

    // It drifts, and git says otherwise, too.
    patched(&repo, "a", json!({ "key": "theirs", "more": "x" }));
    for name in ["b", "c"] {
        let text = std::fs::read_to_string(repo.path().join(format!("{name}.yaml"))).unwrap();
        repo.write(&format!("{name}.yaml"), text.replace("\"1\"", "\"2\""));
    }
    repo.commit("Another value");
    let writes = repo.writes();
    let (diff, names) = asked(&repo, &["diff"], 0);
    assert!(diff.contains("kept as it is, as trueup.dev/mode: create-only says"), "{diff}");
    assert_eq!(names, [""; 0]);
    let (_, names) = asked(&repo, &["diff", "--verify"], 0);
    assert_eq!(names, ["stays"]);
    let diff: Value = serde_json::from_str(&asked(&repo, &["diff", "-o", "json"], 0).0).unwrap();
    let told = |name: &str| {
        let changes = diff["changes"].as_array().into_iter().flatten();
        let mut of_name = changes.filter(|change| change["object"]["name"] == name);
        of_name.next().map(|change| (change["action"].clone(), change["reason"].clone()))
    };
    let flux = "kept as it is, as kustomize.toolkit.fluxcd.io/ssa: IfNotPresent says";
    assert_eq!(told("c"), Some((json!("keep"), json!(flux))), "{diff:#}");
    // The commit is another one, which the inventory notes; nothing else is written, ever.
    let (_, names) = asked(&repo, &["apply"], 0);
    assert_eq!(names, [""; 0]);
    let changed = repo.writes();
    assert!(changed > writes);
    let again = repo.run(&["apply"]).exits(0);
    assert!(again.stdout.contains("nothing to do"), "{again}");
    assert_eq!(repo.writes(), changed, "{again}");
    assert_eq!(live(&repo, "a")["data"], json!({ "key": "theirs", "more": "x" }));
    assert_eq!(live(&repo, "b")["data"]["key"], "1");

    // Deleted by hand it is made again, as git says now; undeclared it goes.
    repo.delete_config_map("b");
    let made = repo.run(&["apply"]).exits(0);
    assert!(made.stdout.contains("✓ ConfigMap  modes-once/b  created"), "{made}");
    assert_eq!(live(&repo, "b")["data"]["key"], "2");
    repo.remove("c.yaml").commit("Without c");
    let gone = repo.run(&["apply"]).exits(0);
    assert!(gone.stdout.contains("✓ ConfigMap  modes-once/c  deleted"), "{gone}");

    // Without the annotation it is an object like any other.
    repo.write("a.yaml", config("a", "1")).commit("Again true to git");
    repo.run(&["apply"]).exits(0);
    assert_eq!(live(&repo, "a")["data"], json!({ "key": "1", "more": "x" }));
    repo.write("a.yaml", annotated("a", ONCE).replace("\"1\"", "\"3\"")).commit("Or not");
    repo.run(&["apply"]).exits(0);
    assert_eq!(live(&repo, "a")["data"]["key"], "1");
    assert_eq!(live(&repo, "a")["metadata"]["annotations"], Value::Null);
}

#[test]
fn create_only_leaves_an_existing_object_to_its_owner() {
    let repo = Repo::new("modes-theirs", sandbox::bare());
    let create = ["create", "configmap", "theirs", "--from-literal=key=theirs"];
    repo.kubectl(&create).exits(0);
    repo.kubectl(&["create", "configmap", "helms", "--from-literal=key=theirs"]).exits(0);
    let label = ["label", "configmap", "helms", "app.kubernetes.io/managed-by=Helm"];
    repo.kubectl(&label).exits(0);
    let release = ["annotate", "configmap", "helms", "meta.helm.sh/release-name=web"];
    repo.kubectl(&release).exits(0);
    repo.write("theirs.yaml", annotated("theirs", ONCE));
    repo.write("helms.yaml", annotated("helms", ONCE)).write_config("ours", "1").commit("Three");
    let before = [live(&repo, "theirs"), live(&repo, "helms")];
    for args in [&["apply"][..], &["apply", "--adopt", "--wait"]] {
        let apply = repo.run(args).exits(0);
        let left = "it existed before: left unchanged, as trueup.dev/mode: create-only says";
        assert!(apply.stdout.contains(left), "{apply}");
        assert_eq!([live(&repo, "theirs"), live(&repo, "helms")], before);
    }
    assert_eq!(repo.members("configmap"), ["configmap/ours"]);
    repo.remove("theirs.yaml").remove("helms.yaml").commit("One");
    repo.run(&["apply"]).exits(0);
    assert_eq!([live(&repo, "theirs"), live(&repo, "helms")], before);
}

#[test]
fn create_only_object_is_waited_for() {
    let repo = Repo::new("modes-wait", sandbox::bare());
    repo.write(
        "trueup.yaml",
        "targets:\n  modes-wait:\n    paths: [objects]\n    health:\n    - kind: ConfigMap\n      \
         ready: object.data.key == 'done'\n",
    );
    let create = ["create", "configmap", "theirs", "--from-literal=key=never"];
    repo.kubectl(&create).exits(0);
    repo.write("objects/theirs.yaml", annotated("theirs", ONCE));
    repo.write("objects/ours.yaml", annotated("ours", ONCE)).commit("Two");
    let apply = ["apply", "--wait", "--timeout", "1s"];
    for _ in 0..2 {
        let late = repo.run(&apply).exits(1);
        assert!(late.stdout.contains("ConfigMap modes-wait/ours"), "{late}");
        assert!(!late.stdout.contains("modes-wait/theirs is not ready"), "{late}");
    }
    patched(&repo, "ours", json!({ "key": "done" }));
    repo.run(&apply).exits(0);
}

#[test]
fn ignored_object_is_neither_created_updated_nor_deleted() {
    let repo = Repo::new("modes-ignore", sandbox::bare());
    repo.write_config("member", "1").write_config("stays", "1").commit("Two");
    repo.run(&["apply"]).exits(0);
    patched(&repo, "member", json!({ "more": "theirs" }));

    repo.write("member.yaml", annotated("member", IGNORE).replace("\"1\"", "\"2\""));
    repo.write("none.yaml", annotated("none", IGNORE));
    let flux = annotated("flux", "kustomize.toolkit.fluxcd.io/reconcile: disabled");
    repo.write("flux.yaml", flux);
    repo.write(
        "kind.yaml",
        "apiVersion: nobody.example/v1\nkind: Unknown\nmetadata:\n  name: x\n  annotations: {trueup.dev/mode: ignore}\n",
    );
    repo.commit("Left alone");
    let diff = repo.run(&["diff"]).exits(1);
    assert!(diff.stdout.contains("0 to create, 0 to update, 0 to delete, 1 to abandon"), "{diff}");
    let why = "no longer managed by trueup, as trueup.dev/mode: ignore says";
    assert!(diff.stdout.contains(why), "{diff}");
    let apply = repo.run(&["apply", "--wait"]).exits(0);
    assert!(apply.stdout.contains("1 changed, 1 ready, 3 not waited for"), "{apply}");
    assert_eq!(repo.members("configmap"), ["configmap/stays"]);
    let member = live(&repo, "member");
    assert_eq!(member["data"], json!({ "key": "1", "more": "theirs" }), "{member}");
    assert_eq!(member["metadata"]["labels"], Value::Null, "{member}");
    assert!(!member["metadata"]["managedFields"].to_string().contains("trueup"), "{member}");

    let writes = repo.writes();
    let (again, names) = asked(&repo, &["apply"], 0);
    assert!(again.contains("nothing to do"), "{again}");
    assert_eq!((repo.writes(), names), (writes, Vec::new()), "{again}");
    let silent = repo.run(&["diff"]).exits(0);
    assert!(silent.stdout.contains("in sync"), "{silent}");
    for name in ["none", "flux"] {
        assert!(repo.config_map(name).is_none());
    }
    for name in ["member", "none", "flux", "kind"] {
        repo.remove(&format!("{name}.yaml"));
    }
    repo.commit("Not declared either");
    repo.run(&["apply"]).exits(0);
    assert_eq!(live(&repo, "member"), member);
}

#[test]
fn invalid_annotation_value_refuses_its_object() {
    let repo = Repo::new("modes-wrong", sandbox::bare());
    repo.write_config("old", "1").commit("Before");
    repo.run(&["apply"]).exits(0);
    let wrong = [
        ("mode", "mode: create", "invalid value \"create\"", "create-only, ignore"),
        ("conflict", "on-conflict: ask", "invalid value \"ask\"", "force, fail, yield"),
        ("prune", "prune: 'no'", "\"no\" is neither true nor false", "\"true\" or \"false\""),
        ("replace", "replace: yes please", "\"yes please\" is neither true nor false", "\"true\""),
        ("wait", "wait: 5m", "\"5m\" is neither true nor false", "\"true\" or \"false\""),
        ("wave", "wave: '1.5'", "invalid wave \"1.5\": must be an integer", "a whole number"),
        (
            "name",
            "prunes: 'false'",
            "trueup has no such annotation",
            "did you mean trueup.dev/prune?",
        ),
    ];
    for (name, annotation, ..) in wrong {
        let text = annotated(name, &format!("trueup.dev/{annotation}"));
        repo.write(&format!("{name}.yaml"), text);
    }
    repo.remove("old.yaml").write_config("sound", "1").commit("Slips");
    let check = repo.run(&["check", "-o", "json"]).exits(1);
    let check: Value = serde_json::from_str(&check.stdout).unwrap();
    let diff = repo.run(&["diff", "-o", "json"]).exits(1);
    let diff: Value = serde_json::from_str(&diff.stdout).unwrap();
    assert_eq!(check["errors"], wrong.len(), "{check:#}");
    for (name, annotation, message, hint) in wrong {
        let key = annotation.split(':').next().unwrap();
        let message = format!("trueup.dev/{key}: {message}");
        let findings = check["findings"].as_array().unwrap();
        let found = findings.iter().find(|it| it["path"] == format!("{name}.yaml")).unwrap();
        assert_eq!((&found["rule"], &found["message"]), (&json!("annotation"), &json!(message)));
        assert!(found["hint"].as_str().unwrap().contains(hint), "{found:#}");
        let changes = diff["changes"].as_array().unwrap();
        let change = changes.iter().find(|it| it["object"]["name"] == name).unwrap();
        assert_eq!((&change["action"], &change["hint"]), (&json!("refuse"), &found["hint"]));
        let cause = &change["causes"][0];
        assert_eq!(cause["message"], message, "{change:#}");
        let place =
            json!({ "path": found["path"], "line": found["line"], "column": found["column"] });
        assert_eq!((&cause["place"], &place["line"]), (&place, &json!(4)), "{change:#}");
    }
    let apply = repo.run(&["apply"]).exits(1);
    assert!(apply.stdout.contains("7 refused, 1 done"), "{apply}");
    assert_eq!(repo.members("configmap"), ["configmap/old", "configmap/sound"]);

    // What is live says it as unclearly: nobody knows whether it stays.
    for (name, ..) in wrong {
        repo.remove(&format!("{name}.yaml"));
    }
    repo.kubectl(&["annotate", "configmap", "old", "trueup.dev/prune=no"]).exits(0);
    repo.commit("Mended");
    let apply = repo.run(&["apply"]).exits(1);
    let why = "unknown whether it stays: trueup.dev/prune: \"no\" is neither true nor false";
    assert!(apply.stdout.contains(why), "{apply}");
    repo.kubectl(&["annotate", "--overwrite", "configmap", "old", "trueup.dev/prune=true"]);
    repo.run(&["apply"]).exits(0);
    assert_eq!(repo.members("configmap"), ["configmap/sound"]);
}

#[test]
fn create_only_does_not_take_a_concurrently_created_object() {
    let repo = Repo::new("modes-race", sandbox::bare());
    repo.write("a.yaml", annotated("a", ONCE)).write_config("b", "1").commit("Two");
    // Somebody is quicker, after it was looked and before anything is written.
    let between = Between::start(sandbox::bare(), |line| {
        if line.starts_with("PATCH ") && line.contains("/configmaps/trueup-modes-race?") {
            let make =
                ["create", "configmap", "a", "-n", "modes-race", "--from-literal=key=theirs"];
            sandbox::bare().kubectl(make);
        }
    });
    let apply = repo.trueup(&["apply"]).env("KUBECONFIG", between.kubeconfig()).run().exits(1);
    assert!(apply.stdout.contains("! ConfigMap  modes-race/a  failed"), "{apply}");
    assert!(apply.stdout.contains("it already exists"), "{apply}");
    assert_eq!(live(&repo, "a")["data"]["key"], "theirs");
    let again = repo.run(&["apply"]).exits(0);
    assert!(again.stdout.contains("it existed before: left unchanged"), "{again}");
}

#[test]
fn object_in_a_missing_ignored_namespace_is_refused() {
    let repo = Repo::new("modes-home", sandbox::bare());
    repo.write(
        "home.yaml",
        "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: modes-nowhere\n  annotations: {trueup.dev/mode: ignore}\n",
    );
    let inside = with_metadata(&config("a", "1"), "namespace: modes-nowhere");
    repo.write("a.yaml", inside).commit("Nobody makes its namespace");
    let diff = repo.run(&["diff"]).exits(1);
    assert!(diff.stdout.contains("ConfigMap modes-nowhere/a · refuse"), "{diff}");
    assert!(diff.stdout.contains("    a.yaml:4:"), "{diff}");
}
