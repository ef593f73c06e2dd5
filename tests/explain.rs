//! `trueup explain`: the fields of a kind, without a cluster; the same as `kubectl explain` with one.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::support::command::{Cmd, Output};
use crate::support::eventually::eventually;
use crate::support::sandbox;

const DEFINITION: &str = "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Widget, plural: widgets, singular: widget, shortNames: [wdg]}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          description: A widget, as the shop sells it.
          required: [spec]
          properties:
            metadata: {type: object, properties: {name: {type: string, maxLength: 40}}}
            spec:
              type: object
              required: [size]
              x-kubernetes-validations:
                - {rule: self.size < 10 || self.big, message: only big ones are large}
              properties:
                size: {type: integer, format: int32, minimum: 1, description: How large it is.}
                big: {type: boolean, default: false}
                colour: {type: string, enum: [red, blue], pattern: '^[a-z]+$'}
                port: {x-kubernetes-int-or-string: true}
                labels: {type: object, additionalProperties: {type: string}}
                parts:
                  type: array
                  x-kubernetes-list-type: map
                  x-kubernetes-list-map-keys: [name]
                  items: {type: object, required: [name], properties: {name: {type: string}}}
";

/// Runs trueup in a folder that has neither a kubeconfig nor a repository above it.
fn run(folder: &tempfile::TempDir, args: &[&str]) -> Output {
    let path = folder.path();
    Cmd::trueup().dir(path).env("HOME", path).args(["explain"]).args(args).run()
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn commit(folder: &tempfile::TempDir) {
    for args in [
        &["init", "--quiet", "--initial-branch", "main"][..],
        &["add", "--all"],
        &["commit", "--quiet", "--message", "Manifests"],
    ] {
        let _ = Cmd::new("git").args(args).dir(folder.path()).run().exits(0);
    }
}

#[test]
fn kinds_and_fields_of_kubernetes_need_no_repository() {
    let empty = folder(&[]);
    run(&empty, &["deploy.spec"]).shows("explain/fields").exits(0);
    run(&empty, &["pods.spec.containers.ports.protocol"]).shows("explain/field").exits(0);
    let recursive = ["deployments.apps.spec.strategy", "--recursive"];
    run(&empty, &recursive).shows("explain/recursive").exits(0);
    run(&empty, &["hpa.spec", "--api-version", "autoscaling/v1"]).shows("explain/version").exits(0);
    run(&empty, &["pods.metadata.creationTimestamp"]).shows("explain/time").exits(0);
    for kind in ["pod", "pod.spec", "pod.spec.containers", "hpa", "svc.spec", "node.status"] {
        for line in run(&empty, &[kind]).exits(0).stdout.lines() {
            // A link stays whole, so that it can be followed.
            let link = line.trim_start().starts_with("https://");
            assert!(link || line.chars().count() <= 80, "{line}");
        }
    }
}

#[test]
fn what_is_not_there_is_told_with_what_is() {
    let empty = folder(&[]);
    for (name, args) in [
        ("unknown-kind", &["deplyoment"][..]),
        ("unknown-field", &["deploy.spec.replica"]),
        ("no-fields", &["deploy.spec.replicas.x"]),
        ("ambiguous", &["events"]),
        ("removed", &["pdb", "--api-version", "policy/v1beta1"]),
        ("removed-kind", &["podsecuritypolicies"]),
        ("other-group", &["services.example.com"]),
        ("other-version", &["deploy", "--api-version", "apps/v7"]),
        ("unknown-release", &["deploy", "--kubernetes-version", "1.5"]),
    ] {
        let output = run(&empty, args);
        assert_eq!(output.stdout, "");
        output.shows(&format!("explain/{name}")).exits(2);
    }
    for choice in ["v1/Event", "events.k8s.io/v1/Event", "events.events.k8s.io"] {
        let _ = run(&empty, &[choice]).exits(0);
    }
}

#[test]
fn a_definition_of_the_checkout_is_explained() {
    let checkout = folder(&[("crds/widget.yaml", DEFINITION)]);
    let before = run(&checkout, &["widget"]).exits(2);
    assert!(before.stderr.contains("unknown kind"), "{before}");
    commit(&checkout);
    run(&checkout, &["widget.spec"]).shows("explain/custom").exits(0);
    for name in ["Widget", "widgets", "wdg", "widgets.example.com", "example.com/v1/Widget"] {
        let field = format!("{name}.spec.colour");
        let output = run(&checkout, &[&field]).exits(0);
        assert!(output.stdout.contains("ENUM:     red, blue\n"), "{output}");
    }
    run(&checkout, &["wdg.spec.size", "-o", "json"]).shows("explain/json").exits(0);
    let output = run(&checkout, &["widget.metadata.namespace"]).exits(0);
    assert!(output.stdout.contains("Namespace defines the space"), "{output}");
    // Its definition bounds the name; the rest is what every object has.
    run(&checkout, &["widget.metadata.name"]).shows("explain/custom-name").exits(0);

    // Only what is committed counts, as for check.
    fs::write(checkout.path().join("crds/widget.yaml"), "other: 1\n").unwrap();
    let _ = run(&checkout, &["widget"]).exits(0);
}

#[test]
fn a_kind_of_kubernetes_comes_before_one_of_the_checkout() {
    let own = DEFINITION.replace("Widget", "Service").replace("widget", "service");
    let checkout = folder(&[("crd.yaml", &own)]);
    commit(&checkout);
    let output = run(&checkout, &["service"]).exits(0);
    assert!(output.stdout.contains("VERSION:  v1\n"), "{output}");
    let output = run(&checkout, &["services.example.com"]).exits(0);
    assert!(output.stdout.contains("VERSION:  example.com/v1\n"), "{output}");
}

#[test]
fn a_folder_with_schemas_is_explained() {
    let schema = r##"{"type": "object", "properties": {"spec": {"$ref": "#/definitions/spec"}},
        "definitions": {"spec": {"type": "object", "description": "The wish.", "properties": {
            "next": {"$ref": "#/definitions/spec"}, "size": {"type": ["integer", "null"]}}}}}"##;
    let catalogue = folder(&[
        ("example.com/gadget_v1.json", schema),
        ("example.com/broken_v1.json", "{"),
        ("widgets.yaml", DEFINITION),
    ]);
    let (empty, path) = (folder(&[]), catalogue.path().to_str().unwrap());
    let output = run(&empty, &["gadgets.spec", "--recursive", "--schemas", path]).exits(0);
    assert!(output.stdout.contains("FIELDS:\n  next <spec>\n  size <integer>\n"), "{output}");
    assert!(output.stdout.contains("  The wish.\n"), "{output}");
    let output = run(&empty, &["wdg.spec.size", "--schemas", path]).exits(0);
    assert!(output.stdout.contains("LIMITS:   minimum 1\n"), "{output}");
    let output = run(&empty, &["gadgte", "--schemas", path]).exits(2);
    assert!(output.stderr.contains("did you mean gadget?"), "{output}");
    let output = run(&empty, &["broken", "--schemas", path]).exits(2);
    assert!(output.stderr.contains("example.com/broken_v1.json"), "{output}");
}

/// Fields that `kubectl explain` is asked about, too.
const FIELDS: [&str; 21] = [
    "pods",
    "pods.spec",
    "pods.spec.containers",
    "pods.spec.containers.ports",
    "pods.spec.containers.resources.limits",
    "pods.spec.nodeSelector",
    "pods.spec.volumes.emptyDir",
    "pods.metadata",
    "pods.metadata.labels",
    "pods.metadata.creationTimestamp",
    "deployments.spec.strategy",
    "deployments.spec.strategy.rollingUpdate.maxSurge",
    "deployments.spec.template.spec.initContainers.livenessProbe",
    "services.spec.ports",
    "ingresses.spec.rules.http.paths",
    "horizontalpodautoscalers.spec.metrics",
    "configmaps.data",
    "secrets.type",
    "cronjobs.spec.concurrencyPolicy",
    "networkpolicies.spec.ingress",
    "customresourcedefinitions.spec.versions",
];

#[test]
fn descriptions_are_those_of_kubectl_explain() {
    let cluster = sandbox::bare();
    let empty = folder(&[]);
    for field in FIELDS {
        let args = [field, "--kubernetes-version", "1.36", "-o", "json"];
        let ours: Value = serde_json::from_str(&run(&empty, &args).exits(0).stdout).unwrap();
        let theirs = cluster.kubectl(["explain", field]).exits(0).stdout;
        let (head, _) = theirs.split_once("\nFIELDS:\n").unwrap_or((&theirs, ""));
        let (head, description) = head.split_once("DESCRIPTION:\n").unwrap();
        if let Some((_, rest)) = head.split_once("FIELD: ") {
            let text = |key: &str| ours["field"][key].as_str().unwrap().to_owned();
            let known = format!("{} <{}>", text("name"), text("type"));
            assert_eq!(rest.lines().next().unwrap().trim(), known, "{field}");
        }
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let ours_text = words(ours["field"]["description"].as_str().unwrap());
        // The API server appends the values of an enumeration; here they have a line of their own.
        let (description, values) =
            description.split_once("Possible enum values:").unwrap_or((description, ""));
        assert_eq!(ours_text, words(description), "{field}");
        for value in ours["field"]["enum"].as_array().unwrap() {
            assert!(values.is_empty() || values.contains(&value.to_string()), "{field} {value}");
        }
    }
}

/// The fields below `FIELDS:` of a recursive page, each with its way, its type and whether it is required.
fn fields(page: &str) -> BTreeMap<String, String> {
    let (_, fields) = page.split_once("FIELDS:\n").unwrap();
    let mut way: Vec<String> = Vec::new();
    let mut found = BTreeMap::new();
    for line in fields.lines() {
        let Some((name, rest)) = line.trim_start().split_once([' ', '\t']) else { continue };
        let Some((kind, rest)) = rest.split_once('>').filter(|(kind, _)| kind.starts_with('<'))
        else {
            continue;
        };
        way.truncate((line.len() - line.trim_start().len()) / 2 - 1);
        way.push(name.to_owned());
        let required = if rest.starts_with(" -required-") { " -required-" } else { "" };
        found.insert(way.join("."), format!("{kind}>{required}"));
    }
    found
}

#[test]
fn types_and_required_fields_are_those_of_kubectl_explain() {
    // Where another group has widgets, kubectl takes this one's name for a field of theirs.
    let cluster = sandbox::own();
    let definition = DEFINITION.replace("example.com", "explain.example.com");
    cluster.create("default", &definition);
    let widget = "widgets.explain.example.com";
    eventually("the definition is served", || {
        cluster.kubectl(["explain", widget]).stdout.contains("sells it")
    });
    let checkout = folder(&[("crds/widget.yaml", &definition)]);
    commit(&checkout);
    let mut count = 0;
    for kind in [
        "pods",
        "cronjobs.batch",
        "customresourcedefinitions.apiextensions.k8s.io",
        "horizontalpodautoscalers.autoscaling",
        "ingresses.networking.k8s.io",
        "leases.coordination.k8s.io",
        "persistentvolumes",
        "poddisruptionbudgets.policy",
        "resourceclaims.resource.k8s.io",
        "secrets",
        "services",
        "validatingadmissionpolicies.admissionregistration.k8s.io",
        widget,
    ] {
        let args = [kind, "--kubernetes-version", "1.36", "--recursive"];
        let ours = fields(&run(&checkout, &args).exits(0).stdout);
        let theirs = cluster.kubectl(["explain", kind, "--recursive"]).exits(0).stdout;
        let mut theirs = fields(&theirs);
        if kind == widget {
            // kubectl has no word for it in a custom resource, though it has in Kubernetes' own kinds.
            let word = theirs.insert("spec.port".to_owned(), "<IntOrString>".to_owned());
            assert_eq!(word.as_deref(), Some("<Object>"));
        }
        assert_eq!(ours, theirs, "{kind}");
        count += ours.len();
    }
    assert!(count > 2500, "{count} fields");
}
