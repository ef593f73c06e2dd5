//! What is wrong with an object that kustomize builds is told with the file and line that it comes
//! from, and what is built stays the same.

use serde_json::Value;

use crate::support::command::{Cmd, Output};
use crate::support::repo::Repo;
use crate::support::{renderers, sandbox};

/// A base, a component and an overlay, with a fault in each text that an object is made of.
const FILES: [(&str, &str); 7] = [
    (
        "base/kustomization.yaml",
        "resources: [api.yaml]\nconfigMapGenerator:\n- {name: settings, literals: [a=b]}\n",
    ),
    (
        "base/api.yaml",
        "\
# The API.
apiVersion: v1
kind: Service
metadata:
  name: api
spec:
  prots: [{port: 80}]
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: api
spec:
  replicas: \"3\"
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers:
      - name: web
        image: nginx
        imagePullPolice: Never
      - name: side
        image: busybox
",
    ),
    (
        "parts/tls/kustomization.yaml",
        "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [tls.yaml]\n",
    ),
    ("parts/tls/tls.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: tls}\ntyp: Opaque\n"),
    (
        "envs/prod/kustomization.yaml",
        "\
resources: [../../base]
components: [../../parts/tls]
namePrefix: prod-
configMapGenerator:
- name: own
  literals: [x=y]
  options: {labels: {a: no spaces}}
patches:
- path: side.yaml
- target: {kind: Deployment, name: api}
  patch: |-
    - op: add
      path: /spec/paused
      value: maybe
- patch: |
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: api}
    spec:
      minReadySeconds: soon
",
    ),
    (
        "envs/prod/side.yaml",
        "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  template:
    spec:
      containers:
      - name: side
        comand: [sleep]
",
    ),
    ("trueup.yaml", "targets:\n  prod: {paths: [envs/prod]}\n"),
];

fn repository<'a>(name: &str, files: &[(&str, &str)]) -> Repo<'a> {
    let repo = Repo::new(name, sandbox::bare());
    for (path, text) in files {
        repo.write(path, text);
    }
    repo.commit("An overlay");
    repo
}

fn run(repo: &Repo<'_>, args: &[&str]) -> Output {
    renderers::with(repo.trueup(args)).run()
}

#[test]
fn findings_point_at_the_file_that_they_come_from() {
    let repo = repository("origins", &FILES);
    run(&repo, &["check"]).exits(1).shows("check/origins");
    let github = run(&repo, &["check", "-o", "github"]).exits(1);
    for place in
        ["file=base/api.yaml,line=7,col=3", "file=envs/prod/kustomization.yaml,line=12,col=7"]
    {
        assert!(github.stdout.contains(place), "{github}");
    }

    // What the server says of the same objects is told with the same places.
    let diff = run(&repo, &["diff", "-o", "json"]).exits(1);
    let diff: Value = serde_json::from_str(&diff.stdout).unwrap();
    let mut places: Vec<String> = Vec::new();
    for change in diff["changes"].as_array().unwrap() {
        let causes = change["causes"].as_array().into_iter().flatten();
        places.extend(causes.map(|cause| {
            let place = &cause["place"];
            format!("{}:{}", place["path"].as_str().unwrap(), place["line"])
        }));
    }
    places.sort();
    places.dedup();
    assert_eq!(
        places,
        [
            "base/api.yaml:14",
            "base/api.yaml:22",
            "base/api.yaml:7",
            "envs/prod/kustomization.yaml:12",
            "envs/prod/kustomization.yaml:20",
            "envs/prod/kustomization.yaml:5",
            "envs/prod/side.yaml:9",
            "parts/tls/tls.yaml:4",
        ],
        "{diff:#}"
    );
    let apply = run(&repo, &["apply", "--yes"]).exits(1);
    assert!(apply.to_string().contains("base/api.yaml:7:3: spec.prots"), "{apply}");
    let apply = run(&repo, &["apply", "--yes", "-o", "github"]).exits(1);
    assert!(apply.to_string().contains("file=base/api.yaml,line=7,col=3"), "{apply}");
}

/// A kustomization in which nothing has to do with annotations: one build is enough.
const BLIND: &str = "\
resources: [map.yaml]
namespace: shop
namePrefix: a-
nameSuffix: -z
commonLabels: {a: b}
configMapGenerator: [{name: made, literals: [a=b]}]
secretGenerator: [{name: secret, literals: [a=b]}]
patches:
- patch: '{apiVersion: v1, kind: ConfigMap, metadata: {name: map}, data: {b: c}}'
- target: {kind: ConfigMap, name: item}
  patch: |-
    - {op: add, path: /data, value: {d: e}}
";

const MAPS: &str = "\
apiVersion: v1
kind: ConfigMap
metadata: {name: map}
data: {a: b}
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: item, labels: {x: z}}}
";

/// A kustomization with annotations that a note would have kustomize spell in another way.
const SPELLED: &str = "\
resources: [web.yaml]
components: [../part]
namespace: shop
namePrefix: a-
nameSuffix: -z
commonLabels: {a: b}
commonAnnotations: {note: 'n'}
labels: [{pairs: {c: d}, includeTemplates: true}]
images: [{name: nginx, newTag: '1.10'}]
replicas: [{name: web, count: 3}]
configMapGenerator:
- {name: made, literals: [a=b], options: {annotations: {switch: 'off'}}}
- {name: plain, literals: [a=b]}
secretGenerator: [{name: secret, literals: [a=b]}]
generatorOptions: {annotations: {generated: 'yes'}}
patches:
- patch: '{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {paused: true}}'
- target: {kind: Deployment}
  patch: |-
    - {op: add, path: /spec/minReadySeconds, value: 3}
";

const PLAIN: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  annotations: {n: 1, b: true, z: '1', o: 0o7, f: 1e3, d: 2020-01-01, nul: null, x: , text: \"a\\nb\"}
spec: {template: {spec: {containers: [{name: web, image: nginx}]}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: hollow, annotations: {}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: null-annotations, annotations: }
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: item}}
";

const PART: &str = "\
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
configMapGenerator:
- {name: plain, behavior: merge, literals: [c=d]}
";

/// Whatever looks at annotations would see the one that names the origin, if it were there.
#[test]
fn what_is_built_is_what_kustomize_builds() {
    let web = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  annotations: {config.kubernetes.io/origin: mine, z: '1'}
spec: {template: {metadata: {labels: {a: b}}}}
";
    let bare = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bare}\n";
    let copied = "\
resources: [web.yaml, bare.yaml]
replacements:
- source: {kind: Deployment, name: web, fieldPath: metadata.annotations}
  targets:
  - select: {kind: Deployment, name: web}
    fieldPaths: [spec.template.metadata.annotations]
    options: {create: true}
";
    let files = [
        ("copied/kustomization.yaml", copied),
        ("blind/kustomization.yaml", BLIND),
        ("blind/map.yaml", MAPS),
        ("spelled/kustomization.yaml", SPELLED),
        ("spelled/web.yaml", PLAIN),
        ("part/kustomization.yaml", PART),
        ("own/kustomization.yaml", "resources: [../copied]\nbuildMetadata: [originAnnotations]\n"),
        ("label/kustomization.yaml", "resources: [../copied]\nbuildMetadata: [managedByLabel]\n"),
        ("empty/kustomization.yaml", "resources: [web.yaml]\ncommonAnnotations: {}\n"),
        ("copied/web.yaml", web),
        ("empty/web.yaml", web),
        ("copied/bare.yaml", bare),
        (
            "moved/kustomization.yaml",
            "resources: [../bare]\npatches:\n- target: {kind: ConfigMap}\n  patch: |-\n    - {op: copy, from: /metadata/annotations, path: /data}\n",
        ),
        ("bare/kustomization.yaml", "resources: [bare.yaml]\n"),
        ("bare/bare.yaml", bare),
    ];
    let repo = repository("origins-built", &files);
    let objects = |text: &str| -> Vec<Value> {
        let manifests = trueup::core::manifest::read("", text.as_bytes()).manifests;
        manifests.iter().map(|it| serde_json::to_value(&it.object).unwrap()).collect()
    };
    for folder in ["spelled", "copied", "own", "label", "empty", "blind", "moved"] {
        let kustomize = Cmd::new(renderers::folder().join("kustomize").to_str().unwrap());
        let kustomize = kustomize.args(["build", folder]).dir(repo.path()).run().exits(0);
        let rendered = run(&repo, &["render", "--show-secrets", folder]).exits(0);
        assert_eq!(objects(&rendered.stdout), objects(&kustomize.stdout), "{folder}");
        assert_eq!(rendered.stdout.contains("bare.yaml"), folder == "own");
    }
}
