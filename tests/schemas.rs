//! `trueup schemas pull`: the schemas of a cluster's custom resources, kept for `check` and `explain`.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::command::{Cmd, Output};
use crate::support::sandbox::{self, Plane};

const DEFINITION: &str = "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.shop.example, annotations: {note: canary}}
spec:
  group: shop.example
  scope: Namespaced
  names: {kind: Widget, plural: widgets, singular: widget, shortNames: [wid]}
  versions:
    - name: v1
      served: true
      storage: true
      schema: &schema
        openAPIV3Schema:
          type: object
          description: A widget, as the shop sells it.
          required: [spec]
          properties:
            spec:
              type: object
              required: [size]
              x-kubernetes-validations:
                - {rule: 'self.size < 10 || has(self.big)', message: only big ones are large}
              properties:
                size: {type: integer, minimum: 1}
                big: {type: boolean}
                colour: {type: string, enum: [red, blue]}
                port: {x-kubernetes-int-or-string: true}
                note: {type: string, nullable: true}
                share: {type: number, maximum: 1, exclusiveMaximum: true}
                labels: {type: object, additionalProperties: {type: string}}
                open: {type: object, x-kubernetes-preserve-unknown-fields: true}
                parts:
                  type: array
                  x-kubernetes-list-type: map
                  x-kubernetes-list-map-keys: [name]
                  items: {type: object, required: [name], properties: {name: {type: string}}}
    - {name: v1beta1, served: true, storage: false, schema: *schema}
    - {name: v1alpha1, served: false, storage: false, schema: *schema}
";

const GOOD: &str = "apiVersion: shop.example/v1
kind: Widget
metadata: {name: good, namespace: default, labels: {app: shop}}
spec:
  size: 3
  port: http
  note: null
  share: 0.5
  labels: {a: b}
  open: {anything: [1, {goes: true}]}
  parts: [{name: a}, {name: b}]
";

const BAD: &str = "apiVersion: shop.example/v1
kind: Widget
metadata: {name: bad, namespace: default}
spec:
  size: 12
  colour: green
  colours: red
  port: [80]
  share: 1
  labels: {a: 1}
  parts: [{name: a}, {nam: b}]
---
apiVersion: shop.example/v1beta1
kind: Widget
metadata: {name: worse, namespace: default}
spec: {size: many}
stats: {}
---
apiVersion: shop.example/v1
kind: Widget
metadata: {name: large, namespace: default}
spec: {size: 12}
";

/// Runs trueup in a folder, with the kubeconfig of a cluster.
fn run(plane: &Plane, folder: &Path, args: &[&str]) -> Output {
    let command = Cmd::trueup().dir(folder).env("HOME", folder).args(args);
    plane.command(command).run()
}

fn repository(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let init = ["init", "--quiet", "--initial-branch", "main"];
    let _ = Cmd::new("git").args(init).dir(folder.path()).run().exits(0);
    commit(folder.path());
    folder
}

fn commit(folder: &Path) {
    for args in [&["add", "--all"][..], &["commit", "--quiet", "--message", "Manifests"]] {
        let _ = Cmd::new("git").args(args).dir(folder).run().exits(0);
    }
}

/// The findings of a check as places and messages.
fn findings(output: &Output) -> Vec<String> {
    let document: Value = serde_json::from_str(&output.stdout).unwrap();
    let findings = document["findings"].as_array().unwrap().iter();
    let finding = |it: &Value| {
        let text = |key: &str| it[key].as_str().unwrap_or_default().to_owned();
        format!("{}:{}:{}: {}", text("path"), it["line"], it["column"], text("message"))
    };
    findings.map(finding).collect()
}

#[test]
fn what_a_cluster_serves_is_checked_without_it() {
    let plane = sandbox::own();
    let repo = repository(&[("good.yaml", GOOD), ("bad.yaml", BAD)]);
    let at = repo.path();
    let check = ["check", "--schemas", "schemas", "-o", "json"];
    run(&plane, at, &["schemas", "pull", "--to", "none"]).shows("schemas/none").exits(0);

    plane.create("default", DEFINITION);
    run(&plane, at, &["schemas", "pull", "--to", "schemas"]).shows("schemas/pull").exits(0);
    let text = fs::read_to_string(at.join("schemas/shop.example/widget_v1.json")).unwrap();
    assert!(!text.contains("canary"), "{text}");
    let file: Value = serde_json::from_str(&text).unwrap();
    let source = &file["x-trueup-source"];
    assert_eq!(source["definition"], "widgets.shop.example");
    assert_eq!(source["scope"], "Namespaced");
    assert!(source["server"].as_str().unwrap().starts_with("v1."), "{source}");
    assert!(!at.join("schemas/shop.example/widget_v1alpha1.json").exists());

    // The cluster accepts the good one and refuses the bad ones.
    let dry = |name: &str| {
        let file = at.join(name);
        let file = file.to_str().unwrap();
        plane.kubectl(["create", "--dry-run=server", "--validate=strict", "-f", file])
    };
    let _ = dry("good.yaml").exits(0);
    let _ = dry("bad.yaml").exits(1);
    commit(at);
    let beside = run(&plane, at, &check).exits(1);
    let other = "schemas/shop.example/";
    assert!(!findings(&beside).iter().any(|it| it.starts_with(other)), "{beside}");
    let other = "schemas/shop.example/widget_v1.json:1:1: this file and 1 more of its folder are \
        not manifests";
    let without = run(&plane, at, &["check", "-o", "json"]);
    assert!(findings(&without).iter().any(|it| it.starts_with(other)), "{without}");
    fs::write(at.join(".trueupignore"), "/schemas/\n").unwrap();
    commit(at);
    run(&plane, at, &["check", "--schemas", "schemas"]).shows("schemas/check").exits(1);

    // The definition itself leads to the same findings.
    let beside = repository(&[("good.yaml", GOOD), ("bad.yaml", BAD), ("widget.yaml", DEFINITION)]);
    let expected = run(&plane, beside.path(), &["check", "-o", "json"]).exits(1);
    let pulled = run(&plane, at, &check).exits(1);
    assert_eq!(findings(&pulled), findings(&expected));

    let explain = ["explain", "widget.spec.size", "--schemas", "schemas"];
    let explained = run(&plane, at, &explain).exits(0);
    assert!(explained.stdout.contains("LIMITS:   minimum 1\n"), "{explained}");
    let explain = ["explain", "wid.spec.size", "--schemas", "schemas"];
    assert_eq!(run(&plane, at, &explain).exits(0).stdout, explained.stdout);
}

#[test]
fn a_second_run_changes_what_the_cluster_changed() {
    let plane = sandbox::own();
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let pull = ["schemas", "pull", "--to", "schemas"];
    plane.create("default", DEFINITION);
    let _ = run(&plane, at, &pull).exits(0);
    let path = at.join("schemas/shop.example/widget_v1.json");
    let written = fs::metadata(&path).unwrap().modified().unwrap();
    run(&plane, at, &pull).shows("schemas/again").exits(0);
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), written);

    // One file is of someone else, one of an earlier definition, and one has changed.
    let own = at.join("schemas/shop.example/widget_v1beta1.json");
    fs::write(&own, "{\"type\": \"object\"}\n").unwrap();
    let text = fs::read_to_string(&path).unwrap().replace("widgets.shop", "gadgets.shop");
    fs::write(at.join("schemas/shop.example/gadget_v1.json"), text).unwrap();
    let patch = r#"{"spec": {"names": {"shortNames": ["wdg"]}}}"#;
    let edit = ["patch", "crd", "widgets.shop.example", "--type=merge", "--patch", patch];
    let _ = plane.kubectl(edit).exits(0);
    run(&plane, at, &pull).shows("schemas/changed").exits(1);
    assert_eq!(fs::read_to_string(&own).unwrap(), "{\"type\": \"object\"}\n");
    let json = run(&plane, at, &["schemas", "pull", "--to", "schemas", "-o", "json"]);
    json.shows("schemas/json").exits(1);
}

#[test]
fn a_missing_right_is_named() {
    let (plane, folder) = (sandbox::bare(), tempfile::tempdir().unwrap());
    let args = ["schemas", "pull", "--to", "schemas", "--as", "reader"];
    run(plane, folder.path(), &args).shows("schemas/forbidden").exits(2);
    assert!(!folder.path().join("schemas").exists());
    let args = ["schemas", "push", "--to", "schemas"];
    run(plane, folder.path(), &args).shows("schemas/unknown-action").exits(2);
}
