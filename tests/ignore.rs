//! `ignore:` in `trueup.yaml`: fields that are left as they are in the cluster.

use serde_json::Value;

use crate::support::repo::Repo;
use crate::support::sandbox;

const WEB: &str = "apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  annotations: {example.com/note: declared}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: side
        image: registry.example/side:1
      - name: main
        image: registry.example/web:1.4.0
        resources: {limits: {cpu: 100m}}
";

const RULES: &str = "targets:
  all:
    paths: [web]
    ignore:
    - kind: Deployment
      name: w*
      paths:
      - /spec/replicas
      - /spec/template/spec/containers/[name=main]/resources
      - /metadata/annotations/example.com~1note
";

/// A repository whose Deployment somebody else scales.
fn repo(name: &str) -> Repo<'static> {
    let repo = Repo::new(name, sandbox::bare());
    repo.write("trueup.yaml", RULES).write("web/web.yaml", WEB).commit("First");
    repo
}

fn web(repo: &Repo<'_>) -> Value {
    let web = repo.kubectl(&["get", "deployment", "web", "-o", "json", "--show-managed-fields"]);
    serde_json::from_str(&web.exits(0).stdout).unwrap()
}

/// Whether trueup owns the number of replicas.
fn is_ours(web: &Value) -> bool {
    let managers = web["metadata"]["managedFields"].as_array().unwrap();
    let ours = managers.iter().find(|manager| manager["manager"] == "trueup").unwrap();
    ours["fieldsV1"]["f:spec"].get("f:replicas").is_some()
}

#[test]
fn ignored_field_changed_by_others_is_neither_shown_nor_reverted() {
    let repo = repo("ignore");
    let diff = repo.run(&["diff"]).exits(1);
    assert!(diff.stdout.contains("  +   replicas: 2\n"), "made as it is declared\n{diff}");
    assert_eq!(diff.stderr, "");
    repo.run(&["apply", "--yes"]).exits(0);
    let made = web(&repo);
    assert_eq!((made["spec"]["replicas"].clone(), is_ours(&made)), (2.into(), true));
    repo.run(&["diff"]).exits(0);

    repo.kubectl(&["scale", "deployment", "web", "--replicas", "5"]).exits(0);
    let note = "example.com/note=theirs";
    repo.kubectl(&["annotate", "deployment", "web", "--overwrite", note]).exits(0);
    let limits = ["set", "resources", "deployment/web", "-c", "main", "--limits=cpu=300m"];
    repo.kubectl(&limits).exits(0);
    for args in [
        &["diff"][..],
        &["diff", "--verify"],
        &["apply", "--yes"],
        &["watch", "--once", "--no-wait"],
    ] {
        let writes = repo.writes();
        let run = repo.run(args).exits(0);
        assert_eq!(repo.writes(), writes, "nothing is written\n{run}");
    }

    // The rest is applied, and these stay.
    let web_2 = WEB.replace("web:1.4.0", "web:1.5.0").replace("replicas: 2", "replicas: 3");
    repo.write("web/web.yaml", web_2).commit("A new image");
    let diff = repo.run(&["diff"]).exits(1);
    assert!(diff.stdout.contains("+         image: registry.example/web:1.5.0"), "{diff}");
    let lines = diff.stdout.lines();
    let changed = lines.filter(|line| line.starts_with("  + ") || line.starts_with("  - "));
    assert!(changed.into_iter().all(|line| line.contains("image:")), "{diff}");
    repo.run(&["apply", "--yes"]).exits(0);
    let applied = web(&repo);
    let main = &applied["spec"]["template"]["spec"]["containers"][1];
    assert_eq!(main["image"], "registry.example/web:1.5.0");
    assert_eq!(main["resources"]["limits"]["cpu"], "300m");
    assert_eq!((applied["spec"]["replicas"].clone(), is_ours(&applied)), (5.into(), false));
    assert_eq!(applied["metadata"]["annotations"]["example.com/note"], "theirs");
    repo.run(&["diff"]).exits(0);
}

#[test]
fn ignored_field_stays_after_its_removal_from_git() {
    let repo = repo("ignore-ours");
    repo.run(&["apply", "--yes"]).exits(0);
    // Handed over to an autoscaler that has not scaled yet: without a rule it would fall to 1.
    let less = WEB.replace("  replicas: 2\n", "").replace("example.com/note: declared", "");
    repo.write("web/web.yaml", less).commit("The autoscaler's");
    repo.run(&["diff"]).exits(0);
    repo.run(&["apply", "--yes"]).exits(0);
    let kept = web(&repo);
    assert_eq!((kept["spec"]["replicas"].clone(), is_ours(&kept)), (2.into(), true));
    assert_eq!(kept["metadata"]["annotations"]["example.com/note"], "declared");
    // Once it scales, the field is its own.
    repo.kubectl(&["scale", "deployment", "web", "--replicas", "4"]).exits(0);
    repo.run(&["apply", "--yes"]).exits(0);
    let scaled = web(&repo);
    assert_eq!((scaled["spec"]["replicas"].clone(), is_ours(&scaled)), (4.into(), false));
    // Without the rule it is trueup's again.
    repo.write("trueup.yaml", "targets: {all: {paths: [web]}}\n");
    repo.write("web/web.yaml", WEB).commit("No rule");
    repo.run(&["apply", "--yes"]).exits(0);
    assert_eq!(web(&repo)["spec"]["replicas"], 2);
}

#[test]
fn an_object_that_others_made_is_taken_over_without_what_is_ignored() {
    let repo = repo("ignore-adopts");
    let theirs = WEB.replace("replicas: 2", "replicas: 7");
    std::fs::write(repo.outside().join("theirs.yaml"), theirs).unwrap();
    let file = repo.outside().join("theirs.yaml");
    repo.kubectl(&["create", "-f", file.to_str().unwrap()]).exits(0);
    repo.run(&["apply", "--yes"]).exits(0);
    let adopted = web(&repo);
    // What its maker declared is taken over, and stays all the same.
    assert_eq!((adopted["spec"]["replicas"].clone(), is_ours(&adopted)), (7.into(), true));
    let writes = repo.writes();
    repo.run(&["apply", "--yes"]).exits(0);
    assert_eq!(repo.writes(), writes);
}

#[test]
fn unused_ignore_rule_is_a_warning_and_an_invalid_one_an_error() {
    let repo = repo("ignore-slips");
    let rules = RULES.replace("name: w*", "name: x*");
    repo.write("trueup.yaml", rules).commit("A slip");
    let diff = repo.run(&["diff"]).exits(1);
    let warning = "warning: trueup.yaml:5:7: this rule does not match any object of the target\n";
    assert_eq!(diff.stderr, warning, "{diff}");
    repo.write("trueup.yaml", RULES.replace("/spec/replicas", "/spec/replica"));
    let diff = repo.run(&["diff", "--worktree"]).exits(1);
    let warning = "trueup.yaml:5:7: no object that this rule matches has /spec/replica\n";
    assert!(diff.stderr.contains(warning), "{diff}");
    for (right, wrong, error) in [
        ("- /spec/replicas", "- spec/replicas", "error: trueup.yaml:8:9: "),
        ("example.com~1note", "example~com", "error: trueup.yaml:10:9: "),
        ("- /spec/replicas", "- /metadata/name", "error: trueup.yaml:8:9: "),
        ("name: w*", "nam: w*", "error: trueup.yaml:6:7: "),
    ] {
        repo.write("trueup.yaml", RULES.replace(right, wrong));
        let diff = repo.run(&["diff", "--worktree"]).exits(2);
        assert!(diff.stderr.contains(error), "{wrong}\n{diff}");
    }
}

#[test]
fn a_star_stands_for_every_element_and_every_key() {
    let repo = Repo::new("ignore-star", sandbox::bare());
    let rules = "targets:
  all:
    paths: [web]
    ignore:
    - kind: Deployment
      paths: [/spec/template/spec/containers/*/image]
    redact:
    - kind: ConfigMap
      paths: [/data/*]
";
    let settings = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: plain-one, b: plain-two}\n";
    repo.write("trueup.yaml", rules).write("web/web.yaml", WEB);
    repo.write("web/settings.yaml", settings).commit("First");
    repo.run(&["apply"]).exits(0);

    let images = ["main=registry.example/web:9", "side=registry.example/side:9"];
    repo.kubectl(&[&["set", "image", "deployment/web"][..], &images].concat()).exits(0);
    repo.run(&["diff"]).exits(0);
    // A container that is new comes as it is declared; the others keep theirs.
    let more = WEB.replace(
        "      - name: main\n",
        "      - name: new\n        image: registry.example/new:1\n      - name: main\n",
    );
    let _ =
        repo.write("web/web.yaml", more).write("web/settings.yaml", settings.replace("two", "2"));
    repo.commit("Second");
    let diff = repo.run(&["diff"]).exits(1).stdout;
    assert!(
        diff.contains("\n  +       - name: new\n  +         image: registry.example/new:1\n"),
        "{diff}"
    );
    assert!(!diff.contains("web:1.4.0") && !diff.contains("plain-"), "{diff}");
    assert!(diff.contains("  +   b: ‹secret "), "{diff}");
    repo.run(&["apply"]).exits(0);
    let images = ["get", "deployment", "web", "-o", "jsonpath={..image}"];
    assert_eq!(
        repo.kubectl(&images).stdout,
        "registry.example/side:9 registry.example/new:1 registry.example/web:9"
    );
    repo.run(&["diff"]).exits(0);
}

#[test]
fn ignored_key_stays_in_a_map_shared_with_another_manager() {
    let repo = Repo::new("ignore-map", sandbox::bare());
    let note = "  annotations: {example.com/note: declared}\n";
    repo.write("trueup.yaml", "targets: {all: {paths: [web]}}\n");
    repo.write("web/web.yaml", WEB.replace(note, "")).commit("First");
    repo.run(&["apply", "--yes"]).exits(0);
    let theirs = ["annotate", "deployment", "web", "example.com/note=theirs"];
    repo.kubectl(&theirs).exits(0);
    repo.write("web/web.yaml", WEB).commit("Declare it");
    repo.run(&["apply", "--yes"]).exits(0);
    let entry = |web: &Value| {
        let managers = web["metadata"]["managedFields"].as_array().unwrap().clone();
        managers.into_iter().find(|manager| manager["manager"] == "kubectl-annotate")
    };
    let left = entry(&web(&repo)).unwrap();
    assert_eq!(left["fieldsV1"]["f:metadata"]["f:annotations"], serde_json::json!({}));

    let rules = RULES.replace("/metadata/annotations/example.com~1note", "/metadata/annotations");
    let more = WEB.replace("replicas: 2", "replicas: 3").replace("web:1.4.0", "web:1.5.0");
    repo.write("trueup.yaml", rules).write("web/web.yaml", more).commit("Leave them");
    repo.run(&["apply", "--yes"]).exits(0);
    let applied = web(&repo);
    assert_eq!(applied["metadata"]["annotations"]["example.com/note"], "declared");
    let image = &applied["spec"]["template"]["spec"]["containers"][1]["image"];
    assert_eq!(image, "registry.example/web:1.5.0");
    repo.run(&["diff"]).exits(0);
}
