//! Who changed what, and which commit says otherwise: the stories that a diff tells.

use serde_json::Value;

use crate::support::repo::Repo;
use crate::support::sandbox;

const WEB: &str = "apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  minReadySeconds: 5
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: main
        image: registry.example/web:1.4.0
        env:
        - {name: MODE, value: fast}
";

fn commit_as(repo: &Repo<'_>, author: &str, message: &str) -> String {
    let _ = repo.git(&["add", "--all"]);
    let author = format!("{author} <author@example.com>");
    let _ = repo.git(&["commit", "--quiet", "--author", &author, "--message", message]);
    repo.git(&["rev-parse", "--short=7", "HEAD"]).stdout.trim().to_owned()
}

#[test]
fn a_diff_says_who_changed_what_and_which_commit_says_otherwise() {
    let repo = Repo::new("attribution", sandbox::bare());
    let _ = repo.write("web.yaml", WEB).write_config("flags", "on").write_config("kept", "on");
    let first = commit_as(&repo, "First Writer", "The shop");
    let _ = repo.run(&["apply", "--yes"]).exits(0);

    let _ = repo.kubectl(&["scale", "deployment", "web", "--replicas", "5"]).exits(0);
    let image = "main=registry.example/web:1.4.1";
    let _ = repo.kubectl(&["set", "image", "deployment/web", image]).exits(0);
    let web = WEB.replace("value: fast", "value: safe").replace("  minReadySeconds: 5\n", "");
    let _ = repo.write("web.yaml", &web).remove("flags.yaml");
    let second = commit_as(&repo, "Second Writer", "Safe mode");
    // A file that only moves is no change, and its lines keep their authors.
    let _ = repo.git(&["mv", "web.yaml", "shop.yaml"]);
    let _ = commit_as(&repo, "Mover", "Rename");

    let diff = repo.run(&["diff"]).exits(1).stdout;
    let has = |line: &str| assert!(diff.contains(line), "{line:?} is missing from\n{diff}");
    has("    ▲ spec.replicas is taken from kubectl (scale)\n");
    has(&format!("      declared in {first}, First Writer, "));
    has(", shop.yaml:6\n");
    has("    ▲ spec.minReadySeconds is no longer declared, and goes\n");
    has("].image is\n      taken from kubectl-set, set ");
    has(&format!("].env[name=MODE].value\n      changed in {second}, Second Writer, "));
    has(&format!("    removed by {second}, Second Writer, "));

    let diff = repo.run(&["diff", "-o", "json"]).exits(1).stdout;
    let diff: Value = serde_json::from_str(&diff).unwrap();
    let changes = diff["changes"].as_array().unwrap();
    let of = |kind: &str| changes.iter().find(|change| change["object"]["kind"] == kind).unwrap();
    assert_eq!(of("ConfigMap")["removed_by"]["author"], "Second Writer");
    let fields = of("Deployment")["fields"].as_array().unwrap();
    let replicas = fields.iter().find(|field| field["path"] == "spec.replicas").unwrap();
    assert_eq!(replicas["why"], "drift");
    assert_eq!(replicas["writers"][0]["subresource"], "scale");
    assert_eq!(replicas["taken_from"], replicas["writers"]);
    assert_eq!(replicas["declared"]["author"], "First Writer");
    assert_eq!(
        (&replicas["declared"]["path"], &replicas["declared"]["line"]),
        (&"shop.yaml".into(), &6.into())
    );

    // Nothing of it needs a request, and without history it is left out.
    let _ = repo.run(&["apply", "--yes"]).exits(0);
    let _ = repo.run(&["diff"]).exits(0);
}

#[test]
fn what_is_let_go_falls_back_to_whoever_else_says_it() {
    let repo = Repo::new("attribution-released", sandbox::bare());
    let _ = repo.write("web.yaml", WEB).commit("The shop");
    let _ = repo.run(&["apply", "--yes"]).exits(0);
    // Another manager says the same, so the value stays when we stop saying it.
    let other = r#"{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {"minReadySeconds": 5}}"#;
    let file = repo.outside().join("other.json");
    std::fs::write(&file, other).unwrap();
    let apply = ["apply", "--server-side", "--field-manager", "scaler", "-f"];
    let _ = repo.kubectl(&[&apply[..], &[file.to_str().unwrap()]].concat()).exits(0);
    let web = WEB.replace("  minReadySeconds: 5\n", "").replace("replicas: 2", "replicas: 3");
    let _ = repo.write("web.yaml", web).commit("Leave it to the other");
    let diff = repo.run(&["diff"]).exits(1).stdout;
    // Who applied without changing a value has no time in `managedFields`.
    let stays = "    ▲ spec.minReadySeconds: 5 is no longer ours, and still that of scaler\n";
    assert!(diff.contains(stays), "{diff}");
    assert!(diff.contains("▲ spec.replicas changed in "), "{diff}");
}

#[test]
fn what_changes_hands_is_said_field_by_field() {
    let repo = Repo::new("attribution-hands", sandbox::bare());
    let web = WEB.replace("  minReadySeconds: 5\n", "  revisionHistoryLimit: 10\n");
    let _ = repo.write("web.yaml", &web).commit("The shop");
    let _ = repo.run(&["apply", "--yes"]).exits(0);

    // We declare what an autoscaler says already, and what is the default; and let go of what is.
    let _ = repo.kubectl(&["scale", "deployment", "web", "--replicas", "5"]).exits(0);
    let web =
        WEB.replace("replicas: 2", "replicas: 5").replace("minReadySeconds: 5", "paused: false");
    let web = web.replace("  selector:", "  progressDeadlineSeconds: 600\n  selector:");
    let _ = repo.write("web.yaml", web).commit("Five");
    let diff = repo.run(&["diff"]).exits(1).stdout;
    let has = |line: &str| assert!(diff.contains(line), "{line:?} is missing from\n{diff}");
    has("    only who owns which field changes\n");
    has("    ▲ spec.replicas: 5 is ours from now on, and still that of kubectl (scale)");
    has("    ▲ spec.progressDeadlineSeconds: 600 is ours from now on, and nobody's so far\n");
    has("    ▲ spec.revisionHistoryLimit: 10 is no longer ours, and the same by default\n");

    let json = repo.run(&["diff", "-o", "json"]).exits(1).stdout;
    let json: Value = serde_json::from_str(&json).unwrap();
    let handovers = json["changes"][0]["handovers"].as_array().unwrap();
    let of = |path: &str| handovers.iter().find(|one| one["path"] == path).unwrap();
    assert_eq!(
        (&of("spec.replicas")["hands"], &of("spec.replicas")["value"]),
        (&"shared".into(), &5.into())
    );
    assert_eq!(of("spec.replicas")["writers"][0]["subresource"], "scale");
    assert_eq!(of("spec.revisionHistoryLimit")["hands"], "default");
    let markdown = repo.run(&["diff", "-o", "markdown"]).exits(1).stdout;
    assert!(markdown.contains("ours from now on, and still that of kubectl"), "{markdown}");

    // It is as the diff said, and then over.
    let _ = repo.run(&["apply", "--yes"]).exits(0);
    let owners = ["get", "deployment", "web", "--show-managed-fields", "-o", "json"];
    let live: Value = serde_json::from_str(&repo.kubectl(&owners).stdout).unwrap();
    let owners = live["metadata"]["managedFields"].as_array().unwrap().iter();
    let of_replicas: Vec<_> = owners
        .filter(|entry| entry["fieldsV1"]["f:spec"].get("f:replicas").is_some())
        .map(|entry| entry["manager"].as_str().unwrap())
        .collect();
    assert_eq!(of_replicas, ["trueup", "kubectl"]);
    let _ = repo.run(&["diff"]).exits(0);
}
