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
    repo.git(&["add", "--all"]);
    let author = format!("{author} <author@example.com>");
    repo.git(&["commit", "--quiet", "--author", &author, "--message", message]);
    repo.git(&["rev-parse", "--short=7", "HEAD"]).stdout.trim().to_owned()
}

#[test]
fn diff_names_the_manager_and_the_declaring_commit() {
    let repo = Repo::new("attribution", sandbox::bare());
    repo.write("web.yaml", WEB).write_config("flags", "on").write_config("kept", "on");
    let first = commit_as(&repo, "First Writer", "The shop");
    repo.run(&["apply", "--yes"]).exits(0);

    repo.kubectl(&["scale", "deployment", "web", "--replicas", "5"]).exits(0);
    let image = "main=registry.example/web:1.4.1";
    repo.kubectl(&["set", "image", "deployment/web", image]).exits(0);
    let web = WEB.replace("value: fast", "value: safe").replace("  minReadySeconds: 5\n", "");
    repo.write("web.yaml", &web).remove("flags.yaml");
    let second = commit_as(&repo, "Second Writer", "Safe mode");
    // A file that only moves is no change, and its lines keep their authors.
    repo.git(&["mv", "web.yaml", "shop.yaml"]);
    commit_as(&repo, "Mover", "Rename");

    let diff = repo.run(&["diff"]).shows("diff/drift").exits(1).stdout;
    let has = |line: &str| assert!(diff.contains(line), "{line:?} is missing from\n{diff}");
    has(&format!("      declared in {first}, First Writer, "));
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
    repo.run(&["apply", "--yes"]).exits(0);
    repo.run(&["diff"]).exits(0);
}

#[test]
fn released_field_stays_with_its_other_owner() {
    let repo = Repo::new("attribution-released", sandbox::bare());
    repo.write("web.yaml", WEB).commit("The shop");
    repo.run(&["apply", "--yes"]).exits(0);
    // Another manager says the same, so the value stays when we stop saying it.
    let other = r#"{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {"minReadySeconds": 5}}"#;
    let file = repo.outside().join("other.json");
    std::fs::write(&file, other).unwrap();
    let apply = ["apply", "--server-side", "--field-manager", "scaler", "-f"];
    repo.kubectl(&[&apply[..], &[file.to_str().unwrap()]].concat()).exits(0);
    let web = WEB.replace("  minReadySeconds: 5\n", "").replace("replicas: 2", "replicas: 3");
    repo.write("web.yaml", web).commit("Leave it to the other");
    let diff = repo.run(&["diff"]).exits(1).stdout;
    // Who applied without changing a value has no time in `managedFields`.
    let stays = "    ▲ spec.minReadySeconds: 5 is released; stays with scaler\n";
    assert!(diff.contains(stays), "{diff}");
    assert!(diff.contains("▲ spec.replicas changed in "), "{diff}");
}

#[test]
fn ownership_changes_are_listed_by_field() {
    let repo = Repo::new("attribution-hands", sandbox::bare());
    let web = WEB.replace("  minReadySeconds: 5\n", "  revisionHistoryLimit: 10\n");
    repo.write("web.yaml", &web).commit("The shop");
    repo.run(&["apply", "--yes"]).exits(0);

    // We declare what an autoscaler says already, and what is the default; and let go of what is.
    repo.kubectl(&["scale", "deployment", "web", "--replicas", "5"]).exits(0);
    let web =
        WEB.replace("replicas: 2", "replicas: 5").replace("minReadySeconds: 5", "paused: false");
    let web = web.replace("  selector:", "  progressDeadlineSeconds: 600\n  selector:");
    repo.write("web.yaml", web).commit("Five");
    let diff = repo.run(&["diff"]).exits(1).stdout;
    let has = |line: &str| assert!(diff.contains(line), "{line:?} is missing from\n{diff}");
    has("    only who owns which field changes\n");
    has("    ▲ spec.replicas: 5 is now owned by trueup, beside kubectl (scale)");
    has("    ▲ spec.progressDeadlineSeconds: 600 is now owned by trueup; had no owner\n");
    has("    ▲ spec.revisionHistoryLimit: 10 is released; the default is the same\n");

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
    assert!(markdown.contains("now owned by trueup, beside kubectl"), "{markdown}");

    // It is as the diff said, and then over.
    repo.run(&["apply", "--yes"]).exits(0);
    let owners = ["get", "deployment", "web", "--show-managed-fields", "-o", "json"];
    let live: Value = serde_json::from_str(&repo.kubectl(&owners).stdout).unwrap();
    let owners = live["metadata"]["managedFields"].as_array().unwrap().iter();
    let of_replicas: Vec<_> = owners
        .filter(|entry| entry["fieldsV1"]["f:spec"].get("f:replicas").is_some())
        .map(|entry| entry["manager"].as_str().unwrap())
        .collect();
    assert_eq!(of_replicas, ["trueup", "kubectl"]);
    repo.run(&["diff"]).exits(0);
}

/// A Service, a ServiceAccount and a workload with fields that have one owner as a whole.
const WHOLE: &str = "apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web, tier: front}
  ports:
  - port: 80
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: web}
imagePullSecrets:
- name: first
- name: second
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      nodeSelector: {disk: ssd, zone: a}
      imagePullSecrets:
      - name: registry
      containers:
      - name: main
        image: registry.example/web:1.4.0
        args: [one, two, three]
        env:
        - name: KEY
          valueFrom: {configMapKeyRef: {name: settings, key: a, optional: true}}
      tolerations:
      - {key: a, operator: Exists}
";

/// What the diff says as JSON of each field of the objects of a kind: the path, why, and who made
/// the live value what it is.
fn told(repo: &Repo<'_>, kind: &str) -> Vec<String> {
    let diff = repo.run(&["diff", "-o", "json"]).exits(1).stdout;
    let diff: Value = serde_json::from_str(&diff).unwrap();
    let changes = diff["changes"].as_array().unwrap().iter();
    let fields = changes
        .filter(|change| change["object"]["kind"] == kind)
        .flat_map(|change| change["fields"].as_array().unwrap());
    let line = |field: &Value| {
        let names = |of: &str| {
            let writers = field[of].as_array().into_iter().flatten();
            let name = |writer: &Value| {
                assert!(
                    writer["time"].as_str().is_some_and(|time| time.ends_with('Z')),
                    "{writer}"
                );
                format!("{} {}", writer["operation"], writer["manager"]).replace('"', "")
            };
            writers.map(name).collect::<Vec<_>>().join("; ")
        };
        let (why, by, from) = (field["why"].as_str(), names("writers"), names("taken_from"));
        let line = format!("{} {}", field["path"].as_str().unwrap(), why.unwrap_or("?"));
        [line, by, from].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" | ")
    };
    fields.map(line).collect()
}

/// Changes an object as somebody does by hand.
fn patch(repo: &Repo<'_>, manager: &str, object: &str, patch: &str) {
    let manager = format!("--field-manager={manager}");
    let patch = ["patch", object, &manager, "--type=merge", "-p", patch];
    repo.kubectl(&patch).exits(0);
}

#[test]
fn drift_in_an_atomic_field_names_the_manager() {
    let repo = Repo::new("attribution-whole", sandbox::bare());
    repo.write("web.yaml", WHOLE).commit("The shop");
    repo.run(&["apply", "--yes"]).exits(0);
    let hand = "Update by-hand | Update by-hand";

    // A key that goes, one that comes and one that changes.
    patch(&repo, "by-hand", "service/web", r#"{"spec": {"selector": {"tier": null}}}"#);
    assert_eq!(told(&repo, "Service"), [format!("spec.selector.tier drift | {hand}")]);
    let diff = repo.run(&["diff"]).exits(1).stdout;
    assert!(diff.contains("▲ spec.selector.tier is taken from by-hand, set "), "{diff}");
    let markdown = repo.run(&["diff", "-o", "markdown"]).exits(1).stdout;
    assert!(markdown.contains("is taken from by-hand, set on "), "{markdown}");
    let change = r#"{"spec": {"selector": {"tier": "back", "more": "x"}}}"#;
    patch(&repo, "by-hand", "service/web", change);
    assert_eq!(
        told(&repo, "Service"),
        [
            format!("spec.selector.tier drift | {hand}"),
            format!("spec.selector.more drift | {hand}")
        ]
    );

    // An element that goes, at the end and in the middle, one that comes, and another order.
    let secrets = |names: &[&str]| {
        let all: Vec<Value> =
            names.iter().map(|name| serde_json::json!({ "name": name })).collect();
        let all = serde_json::json!({ "imagePullSecrets": all });
        patch(&repo, "by-hand", "serviceaccount/web", &all.to_string());
        told(&repo, "ServiceAccount")
    };
    let second = format!("imagePullSecrets[name=second] drift | {hand}");
    let between = format!("imagePullSecrets[name=between] drift | {hand}");
    let order = format!("imagePullSecrets[*].name drift | {hand}");
    assert_eq!(secrets(&["first"]), std::slice::from_ref(&second));
    assert_eq!(secrets(&["first", "between", "second"]), std::slice::from_ref(&between));
    assert_eq!(secrets(&["first", "between"]), [second, between]);
    assert_eq!(secrets(&["second", "first"]), [order]);

    // Far down.
    let pod = |pod: &str| format!(r#"{{"spec": {{"template": {{"spec": {pod}}}}}}}"#);
    let deployment = |part: &str| {
        let manager = "--field-manager=by-hand";
        let patch = ["patch", "deployment/web", manager, "--type=strategic", "-p", &pod(part)];
        repo.kubectl(&patch).exits(0);
        told(&repo, "Deployment")
    };
    let spec = "spec.template.spec";
    let main = format!("{spec}.containers[name=main]");
    let by_hand = |fields: &[&str]| -> Vec<String> {
        fields.iter().map(|field| format!("{field} drift | {hand}")).collect()
    };
    let selector = format!("{spec}.nodeSelector.zone");
    assert_eq!(deployment(r#"{"nodeSelector": {"zone": null}}"#), by_hand(&[&selector]));
    let (one, two) = (format!("{main}.args[1]"), format!("{main}.args[2]"));
    deployment(r#"{"nodeSelector": {"zone": "a"}}"#);
    let args = r#"{"containers": [{"name": "main", "args": ["one"]}]}"#;
    assert_eq!(deployment(args), by_hand(&[&one, &two]));
    // One in the middle is one that goes, or comes, and those behind it are as they were.
    let args = r#"{"containers": [{"name": "main", "args": ["one", "x", "two", "three"]}]}"#;
    assert_eq!(deployment(args), by_hand(&[&one]));
    let args = r#"{"containers": [{"name": "main", "args": ["one", "three"]}]}"#;
    assert_eq!(deployment(args), by_hand(&[&one]));
    let args = r#"{"containers": [{"name": "main", "args": ["one", "two", "three"], "env": [
        {"name": "KEY", "valueFrom": {"configMapKeyRef": {"optional": null}}}]}]}"#;
    let optional = format!("{main}.env[name=KEY].valueFrom.configMapKeyRef.optional");
    assert_eq!(deployment(args), by_hand(&[&optional]));
    repo.run(&["apply", "--yes"]).exits(0);
    let operator = format!("{spec}.tolerations[0].key");
    let tolerations = r#"{"tolerations": [{"operator": "Exists"}]}"#;
    assert_eq!(deployment(tolerations), by_hand(&[&operator]));

    repo.run(&["apply", "--yes"]).exits(0);
    repo.run(&["diff"]).exits(0);
}

#[test]
fn commit_change_in_an_atomic_field_is_attributed_to_the_commit() {
    let repo = Repo::new("attribution-whole-git", sandbox::bare());
    repo.write("web.yaml", WHOLE).commit("The shop");
    repo.run(&["apply", "--yes"]).exits(0);
    let web = WHOLE
        .replace("selector: {app: web, tier: front}", "selector: {app: web, more: x}")
        .replace("- name: first\n", "")
        .replace("nodeSelector: {disk: ssd, zone: a}", "nodeSelector: {disk: ssd}")
        .replace("args: [one, two, three]", "args: [one, three]")
        .replace(", optional: true", "");
    repo.write("web.yaml", web).commit("Less");
    let (service, account) = (told(&repo, "Service"), told(&repo, "ServiceAccount"));
    assert_eq!(service, ["spec.selector.more declared", "spec.selector.tier released"]);
    assert_eq!(account, ["imagePullSecrets[name=first] released"]);
    let pod = "spec.template.spec";
    let main = format!("{pod}.containers[name=main]");
    let released = [
        format!("{pod}.nodeSelector.zone released"),
        format!("{main}.args[1] released"),
        format!("{main}.env[name=KEY].valueFrom.configMapKeyRef.optional released"),
    ];
    assert_eq!(told(&repo, "Deployment"), released);
    let diff = repo.run(&["diff"]).exits(1).stdout;
    assert!(diff.contains("▲ spec.selector.tier is no longer declared, and goes\n"), "{diff}");
    assert!(diff.contains("▲ spec.selector.more declared in "), "{diff}");

    // What another manager has with us is taken from it, too.
    let other = repo.outside().join("other.yaml");
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web, tier: front}}\n";
    std::fs::write(&other, service).unwrap();
    let apply = ["apply", "--server-side", "--field-manager", "other", "-f"];
    repo.kubectl(&[&apply[..], &[other.to_str().unwrap()]].concat()).exits(0);
    let diff = repo.run(&["diff"]).exits(1).stdout;
    let goes = "    ▲ spec.selector.tier is no longer declared, and goes\n      taken from other\n";
    assert!(diff.contains(goes), "{diff}");
    let comes = diff.split("▲ spec.selector.more declared in ").nth(1).unwrap();
    assert!(comes.lines().nth(1).unwrap().contains("taken from other"), "{diff}");
}

#[test]
fn applied_empty_map_does_not_own_its_keys() {
    let repo = Repo::new("attribution-empty", sandbox::bare());
    let web = WEB.replace(
        "        image: registry.example/web:1.4.0\n",
        "        image: registry.example/web:1.4.0\n        resources: {}\n",
    );
    repo.write("web.yaml", &web).commit("The shop");
    repo.run(&["apply", "--yes"]).exits(0);
    let limit = r#"{"spec": {"template": {"spec": {"containers": [
        {"name": "main", "resources": {"limits": {"cpu": "1"}}}]}}}}"#;
    let manager = "--field-manager=by-hand";
    repo.kubectl(&["patch", "deployment/web", manager, "-p", limit]).exits(0);

    let cpu = "spec.template.spec.containers[name=main].resources.limits.cpu";
    let shown = repo.run(&["diff", "--all-fields"]).exits(0).stdout;
    assert!(shown.contains(&format!("    {cpu}: 1\n      by-hand, set ")), "{shown}");
    let with =
        |cpu: &str| web.replace("resources: {}", &format!("resources: {{limits: {{cpu: {cpu}}}}}"));
    repo.write("web.yaml", with("'2'")).commit("Two");
    let hand = "Update by-hand | Update by-hand";
    assert_eq!(told(&repo, "Deployment"), [format!("{cpu} drift | {hand}")]);
    // The same value changes hands, and the map around it does not.
    repo.write("web.yaml", with("'1'")).commit("One");
    let diff = repo.run(&["diff"]).exits(1).stdout;
    assert!(diff.contains(&format!("▲ {cpu}: 1 is\n")), "{diff}");
    assert!(!diff.contains("main].resources is") && !diff.contains("fields are"), "{diff}");
}

#[test]
fn set_members_are_attributed_by_value() {
    let repo = Repo::new("attribution-set", sandbox::bare());
    let config = |finalizers: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c, finalizers: [{finalizers}]}}\n"
        )
    };
    let all = "example.com/a, example.com/b, example.com/c";
    repo.write("c.yaml", config(all)).commit("Three");
    repo.run(&["apply", "--yes"]).exits(0);
    repo.write("c.yaml", config("example.com/b, example.com/c")).commit("Two");
    assert_eq!(told(&repo, "ConfigMap"), [r#"metadata.finalizers[="example.com/a"] released"#]);
    repo.run(&["apply", "--yes"]).exits(0);
    let more =
        r#"{"metadata": {"finalizers": ["example.com/x", "example.com/b", "example.com/c"]}}"#;
    patch(&repo, "by-hand", "configmap/c", more);
    let shown = repo.run(&["diff", "--all-fields"]).exits(0).stdout;
    let line = "    metadata.finalizers[=\"example.com/x\"]: example.com/x\n      by-hand, set ";
    assert!(shown.contains(line), "{shown}");
    repo.kubectl(&["patch", "configmap/c", "-p", r#"{"metadata": {"finalizers": null}}"#]);
}

/// A definition with fields that have one owner as a whole, parts with owners of their own, and no
/// schema at all.
const WIDGETS: &str = "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.attribution.example}
spec:
  group: attribution.example
  names: {kind: Widget, plural: widgets}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              rows:
                type: array
                x-kubernetes-list-type: atomic
                items: {type: object, properties: {a: {type: integer}, b: {type: integer}}}
              map:
                type: object
                x-kubernetes-map-type: atomic
                additionalProperties: {type: string, nullable: true}
              parts:
                type: object
                additionalProperties: {type: string}
              any:
                type: object
                x-kubernetes-preserve-unknown-fields: true
              modes:
                type: array
                default: [plain]
                items: {type: string}
";

#[test]
fn custom_resource_drift_follows_its_schema() {
    let repo = Repo::new("attribution-custom", sandbox::bare());
    let widget = "apiVersion: attribution.example/v1
kind: Widget
metadata: {name: w}
spec:
  rows: [{a: 1}, {a: 2, b: 2}]
  map: {a.b/c: x, d: z}
  parts: {a: x, b: z}
  any: {map: {a: 1, b: {c: 2}}, list: [{x: 1}, {x: 2}]}
";
    repo.write("definition.yaml", WIDGETS).write("w.yaml", widget).commit("The shop");
    repo.run(&["apply", "--yes"]).exits(0);
    let changed = |spec: &str| {
        patch(&repo, "by-hand", "widgets/w", &format!(r#"{{"spec": {spec}}}"#));
        told(&repo, "Widget")
    };
    let by_hand = |field: &str| format!("{field} drift | Update by-hand | Update by-hand");
    let key = r#"spec.map["a.b/c"]"#;
    assert_eq!(changed(r#"{"map": {"a.b/c": null}}"#), [by_hand(key)]);
    let d = by_hand("spec.map.d");
    assert_eq!(changed(r#"{"map": {"d": null}}"#), [by_hand(key), d], "nothing is left in it");
    assert_eq!(
        changed(r#"{"map": {"a.b/c": "x", "d": "z"}, "rows": [{"a": 1}, {"a": 2}]}"#),
        [by_hand("spec.rows[1].b")]
    );
    assert_eq!(changed(r#"{"rows": [{"a": 1}]}"#), [by_hand("spec.rows[1]")]);
    let list = r#"{"rows": [{"a": 1}, {"a": 2, "b": 2}], "any": {"list": [{"x": 1}]}}"#;
    assert_eq!(changed(list), [by_hand("spec.any.list[1]")]);
    assert_eq!(
        changed(r#"{"any": {"list": [{"x": 1}, {"x": 2}], "map": {"b": {"c": 3}}}}"#),
        [by_hand("spec.any.map.b.c")]
    );
    // Nothing is recorded of who took a part out that had an owner of its own.
    assert_eq!(
        changed(r#"{"any": {"map": {"b": {"c": 2}}}, "parts": {"b": null}}"#),
        ["spec.parts.b declared"]
    );
    repo.run(&["apply", "--yes"]).exits(0);
    repo.run(&["diff"]).exits(0);

    // What falls back to a default does so element by element.
    repo.write("w.yaml", format!("{widget}  modes: [fast, safe]\n")).commit("Two modes");
    repo.run(&["apply", "--yes"]).exits(0);
    repo.write("w.yaml", widget).commit("No modes");
    assert_eq!(told(&repo, "Widget"), ["spec.modes[0] released", "spec.modes[1] released"]);
    let diff = repo.run(&["diff"]).exits(1).stdout;
    let falls = "▲ spec.modes[0] is\n      no longer declared, and falls back to the server's default, plain\n";
    assert!(diff.contains(falls), "{diff}");
    assert!(diff.contains("▲ spec.modes[1] is no longer declared, and goes\n"), "{diff}");
}

#[test]
fn drift_in_another_api_version_names_the_manager() {
    let repo = Repo::new("attribution-version", sandbox::bare());
    let scaler = "apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  maxReplicas: 5
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
";
    repo.write("hpa.yaml", scaler).commit("Five");
    repo.run(&["apply", "--yes"]).exits(0);
    let more = r#"{"spec": {"maxReplicas": 9}}"#;
    patch(&repo, "by-hand", "horizontalpodautoscalers.v1.autoscaling/web", more);
    let hand = "Update by-hand | Update by-hand";
    let expected = [format!("spec.maxReplicas drift | {hand}")];
    assert_eq!(told(&repo, "HorizontalPodAutoscaler"), expected);
}
