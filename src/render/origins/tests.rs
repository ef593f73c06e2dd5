use std::collections::BTreeMap;

use super::*;
use crate::core::json::json;
use crate::core::manifest::PathPart;
use crate::render::sources::SourceFormat;

/// An object `name`, as kustomize tells of it: where it is from.
fn told(object: &Value, origin: &str) -> Object {
    let mut told = Object::from(object.as_object().cloned().unwrap());
    let annotations = json!({ ORIGIN: origin });
    told.metadata_mut().insert("annotations".to_owned(), annotations);
    told
}

/// Where the parts of an object are written, of which kustomize tells the `origin`, in a build of
/// `app/prod`: the whole, and then each of the fields.
fn places(
    files: &[(&str, &str)],
    object: Value,
    origin: &str,
    fields: &[&[PathPart<'_>]],
) -> Vec<String> {
    let texts: BTreeMap<&str, &str> = files.iter().copied().collect();
    let given = files.iter().filter(|(path, _)| path.ends_with("kustomization.yaml"));
    let source = RenderSource {
        format: SourceFormat::Kustomize,
        path: "app/prod".to_owned(),
        file: "app/prod/kustomization.yaml".to_owned(),
        reads: [].into(),
        given: given.map(|(path, _)| ((*path).to_owned(), Vec::new())).collect(),
    };
    let read = |path: &str| texts.get(path).map(|text| text.as_bytes());
    let annotated = serde_json::to_vec(&told(&object, origin)).unwrap();
    let mut manifests = manifest::read("", &serde_json::to_vec(&object).unwrap()).manifests;
    manifests[0].positions = Positions::default();
    manifests[0].origin.path = source.file.clone();
    add(&source, &mut manifests, &annotated, &read);
    let written = &manifests[0];
    let place = |field: &&[PathPart<'_>]| {
        written.written_key(field).map_or_else(|| "-".to_owned(), |place| place.to_string())
    };
    [written.location().to_string()].into_iter().chain(fields.iter().map(place)).collect()
}

const BASE: &str = "\
# Two of a kind.
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  template:
    spec:
      containers:
      - name: proxy
        image: envoy
      - name: web
        image: nginx
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web-worker}
";

fn deployment(name: &str, spec: Value) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": name }, "spec": spec,
    })
}

const REPLICAS: &[PathPart<'_>] = &[PathPart::Key("spec"), PathPart::Key("replicas")];
const CONTAINERS: [PathPart<'_>; 4] = [
    PathPart::Key("spec"),
    PathPart::Key("template"),
    PathPart::Key("spec"),
    PathPart::Key("containers"),
];

fn container(index: usize, field: &str) -> Vec<PathPart<'_>> {
    [&CONTAINERS[..], &[PathPart::Index(index), PathPart::Key(field)]].concat()
}

#[test]
fn fields_are_found_in_the_document_of_the_object() {
    let files = [("app/prod/kustomization.yaml", "{}"), ("app/base/web.yaml", BASE)];
    let containers = json!([{ "name": "web", "image": "nginx" }]);
    let spec = json!({ "replicas": 2, "template": { "spec": { "containers": containers } } });
    let origin = "path: ../base/web.yaml\n";
    let found = places(
        &files,
        deployment("prod-web", spec),
        origin,
        &[REPLICAS, &container(0, "image"), &[PathPart::Key("spec"), PathPart::Key("paused")]],
    );
    assert_eq!(
        found,
        [
            "app/base/web.yaml:2:1",
            "app/base/web.yaml:6:3",
            "app/base/web.yaml:13:9",
            "app/base/web.yaml:5:1"
        ]
    );
    let worker = places(&files, deployment("prod-web-worker-2", json!({})), origin, &[]);
    assert_eq!(worker, ["app/base/web.yaml:15:1"]);
}

#[test]
fn fields_of_patches_are_found_in_the_patch() {
    let kustomization = "\
resources: [../base]
patches:
- path: more.yaml
- target: {kind: Deployment, name: web}
  patch: |-
    # One operation.
    - {op: add, path: /spec/paused, value: true}
- patch: '{kind: Deployment, metadata: {name: web}, spec: {minReadySeconds: 3}}'
- patch: |
    kind: Deployment
    metadata: {name: other}
    spec: {paused: true}
";
    let more = "kind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 5\n";
    let files = [
        ("app/prod/kustomization.yaml", kustomization),
        ("app/prod/more.yaml", more),
        ("app/base/web.yaml", BASE),
    ];
    let spec = json!({ "replicas": 5, "paused": true, "minReadySeconds": 3 });
    let field = |name| [PathPart::Key("spec"), PathPart::Key(name)];
    let found = places(
        &files,
        deployment("web", spec),
        "path: ../base/web.yaml\n",
        &[&field("replicas"), &field("paused"), &field("minReadySeconds")],
    );
    assert_eq!(
        found,
        [
            "app/base/web.yaml:2:1",
            "app/prod/more.yaml:4:3",
            "app/prod/kustomization.yaml:7:7",
            "app/prod/kustomization.yaml:8:3"
        ]
    );
}

#[test]
fn what_is_generated_is_found_at_its_generator() {
    let base = "configMapGenerator:\n- name: app\n- name: app-more\n  literals: [a=b, c=d]\n";
    let files = [("app/prod/kustomization.yaml", "{}"), ("app/base/kustomization.yaml", base)];
    let origin = "configuredIn: ../base/kustomization.yaml\nconfiguredBy:\n  apiVersion: builtin\n  kind: ConfigMapGenerator\n";
    let map = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "x-app-more-5h2" },
        "data": { "a": "b", "c": "d" },
    });
    let fields: [&[PathPart<'_>]; 1] = [&[PathPart::Key("data"), PathPart::Key("c")]];
    let found = places(&files, map, origin, &fields);
    assert_eq!(found, ["app/base/kustomization.yaml:3:3", "app/base/kustomization.yaml:4:19"]);
}

#[test]
fn an_unknown_origin_leaves_the_object_at_its_kustomization() {
    let files = [("app/prod/kustomization.yaml", "{}"), ("app/base/web.yaml", BASE)];
    for origin in [
        "path: ../base/gone.yaml\n",
        "path: ../../../etc/passwd\n",
        "path: web.yaml\nrepo: https://example.com/a\n",
        "a: b\n",
        ": {",
        "",
    ] {
        let found = places(&files, deployment("web", json!({})), origin, &[REPLICAS]);
        assert_eq!(found, ["app/prod/kustomization.yaml:1:1", "-"], "{origin:?}");
    }
    // kustomize has another object in its place.
    let source = RenderSource {
        format: SourceFormat::Kustomize,
        path: String::new(),
        file: "kustomization.yaml".to_owned(),
        reads: [].into(),
        given: [].into(),
    };
    let annotated =
        serde_json::to_vec(&told(&deployment("other", json!({})), "path: a.yaml\n")).unwrap();
    let mut manifests = manifest::read("", BASE.as_bytes()).manifests;
    add(&source, &mut manifests, &annotated, &|_| Some(BASE.as_bytes()));
    assert!(manifests.iter().all(|manifest| manifest.written.is_none()));
}

#[test]
fn what_a_kustomization_sets_is_found_in_it() {
    let kustomization = "\
resources: [../base, more]
components: [../part]
namespace: Prod
namePrefix: prod-
nameSuffix: -1
labels:
- pairs: {a: b}
replicas:
- {name: web, count: 7}
images:
- name: nginx
  newTag: '1.29'
";
    let part = "kind: Component\ncommonAnnotations: {c: d}\ncommonLabels:\n  e: f\n";
    let other = "namespace: Prod\nresources: [other.yaml]\ncommonLabels: {a: b}\n";
    let base = "resources: [web.yaml]\n";
    let files = |web: &'static str| {
        [
            ("app/base/kustomization.yaml", base),
            ("app/base/web.yaml", web),
            ("app/part/kustomization.yaml", part),
            ("app/prod/kustomization.yaml", kustomization),
            ("app/prod/more/kustomization.yaml", other),
        ]
    };
    let pod = json!({ "labels": { "a": "b" }, "annotations": { "c": "d" } });
    let containers = json!([{ "name": "web", "image": "nginx:1.29" }, { "name": "proxy", "image": "envoy:1.29" }]);
    let object = |name: &str| {
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {
                "name": name, "namespace": "Prod", "labels": { "e": "f" },
            },
            "spec": {
                "replicas": 7, "selector": { "matchLabels": { "a": "b" } },
                "template": { "metadata": pod, "spec": { "containers": containers } },
            },
        })
    };
    let path = |path: &'static str| -> Vec<PathPart<'static>> {
        path.split('.').map(PathPart::Key).collect()
    };
    let fields = [
        path("metadata.namespace"),
        path("metadata.labels.e"),
        path("spec.selector.matchLabels.a"),
        path("spec.template.metadata.annotations.c"),
        path("spec.replicas"),
        path("metadata.name"),
        container(0, "image"),
        container(1, "image"),
    ];
    let fields: Vec<&[PathPart<'_>]> = fields.iter().map(Vec::as_slice).collect();
    let origin = "path: ../base/web.yaml\n";
    let [top, of_part] = ["app/prod/kustomization.yaml", "app/part/kustomization.yaml"];
    assert_eq!(
        places(&files(BASE), object("prod-web-1"), origin, &fields),
        [
            "app/base/web.yaml:2:1".to_owned(),
            format!("{top}:3:1"),
            format!("{of_part}:4:3"),
            format!("{top}:7:11"),
            format!("{of_part}:2:21"),
            format!("{top}:9:15"),
            format!("{top}:4:1"),
            format!("{top}:12:3"),
            "app/base/web.yaml:11:9".to_owned(),
        ]
    );
    // A fault that was there before is one of where it was written.
    let web = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: We_b\n";
    let name = [PathPart::Key("metadata"), PathPart::Key("name")];
    let found = places(&files(web), object("prod-We_b-1"), origin, &[&name]);
    assert_eq!(found[1], "app/base/web.yaml:4:3");
}
