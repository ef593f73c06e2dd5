//! The findings of a check, line by line.

mod autoscalers;
mod references;
mod typed;

use super::*;
use crate::core::kinds::schemas::releases;
use crate::core::manifest::read;

/// The findings about a file.
pub(super) fn found(yaml: &str) -> Vec<Finding> {
    found_beside(yaml, &[])
}

/// The same, where `ignore` leaves fields alone.
fn found_beside(yaml: &str, ignore: &[field_rules::FieldRule]) -> Vec<Finding> {
    let reading = read("a.yaml", yaml.as_bytes());
    let set = Set {
        manifests: &reading.manifests,
        problems: &reading.problems,
        unreferenced: &[],
        others: &[],
        warnings: &reading.warnings,
        namespace: "shop",
        ignore,
        redact: &[],
        inputs: &Inputs::default(),
    };
    check(set, Schemas::of("1.36").unwrap())
}

/// The same, each as `line:column level message; hint`.
pub(super) fn findings(yaml: &str) -> Vec<String> {
    findings_beside(yaml, &[])
}

fn findings_beside(yaml: &str, ignore: &[field_rules::FieldRule]) -> Vec<String> {
    let told = |finding: Finding| {
        let Finding { level, place, message, hint, .. } = finding;
        let level = if level == Level::Error { "error" } else { "warning" };
        let hint = hint.map(|hint| format!("; {}", hint.text().unwrap())).unwrap_or_default();
        format!("{}:{} {level} {message}{hint}", place.line, place.column)
    };
    found_beside(yaml, ignore).into_iter().map(told).collect()
}

const DEPLOYMENT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {version: 8080}
spec:
  replicas: \"3\"
  selector: {matchLabels: {app: web}}
  strategy: {type: RolingUpdate}
  template:
    metadata: {labels: {app: web}, creationTimestamp: null}
    spec:
      containers:
      - name: web
        image: web
        imagePullpolicy: Always
        imagePullPolicy: \"\"
        ports: [{name: http}]
        resources: {limits: {cpu: 1, memory: 512MB}}
        livenessProbe: {httpGet: {port: http}}
      volumes: null
status: {nothing: 1, conditions: [{}]}
";

#[test]
fn an_object_of_the_release_is_held_against_its_schema() {
    let expected = [
        "5:21 error `version` must be text, not the number 8080: write \"8080\" in quotes",
        "7:13 error `replicas` must be an integer, not the text \"3\": leave the quotes out",
        "9:20 error `type` must be one of Recreate, RollingUpdate, not the text \"RolingUpdate\", did you mean RollingUpdate?",
        "16:9 error unknown field `imagePullpolicy`, did you mean `imagePullPolicy`?",
        "18:17 error `containerPort` is missing in `ports[0]`",
        "19:46 error `memory` must be a quantity such as 500m, 2 or 1.5Gi, not the text \"512MB\"",
        "22:10 error unknown field `nothing`",
    ];
    assert_eq!(findings(DEPLOYMENT), expected);
}

const CRD: &str = "\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: dbs.example.com}
spec:
  group: example.com
  names: {kind: Db, plural: dbs}
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
            required: [size, engine]
            properties:
              size: {type: integer, minimum: 1, maximum: 9, default: 3}
              engine: {type: string, enum: [pg, my]}
              name: {type: string, pattern: '^[a-z]+$', maxLength: 5}
              port: {x-kubernetes-int-or-string: true}
              note: {type: string, nullable: true}
              free: {type: object, x-kubernetes-preserve-unknown-fields: true}
              tags: {type: array, items: {type: string}, maxItems: 1}
              more: {type: object, additionalProperties: {type: boolean}}
              pod: {type: object, x-kubernetes-embedded-resource: true, properties: {spec: {type: object}}}
            oneOf: [{required: [name]}, {required: [port]}]
---
apiVersion: example.com/v1
kind: Db
metadata: {name: main, lables: {}}
spec:
";

#[test]
fn a_custom_resource_is_held_against_the_definition_of_the_set() {
    let spec = |spec: &str| findings(&format!("{CRD}  {{{spec}}}\n"));
    let meta = "33:24 error unknown field `lables`, did you mean `labels`?".to_owned();
    let good = "engine: pg, port: http, note: null, size: null, free: {a: 1}, more: {b: true}, pod: {apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {}}";
    assert_eq!(spec(good), [meta]);
    for (wrong, message) in [
        ("port: 1", "34:1 error `engine` is missing in `spec`"),
        (
            "engine: pgs, port: 1",
            "35:12 error `engine` must be one of pg, my, not the text \"pgs\", did you mean pg?",
        ),
        (
            "engine: pg",
            "35:3 error `spec` must match exactly one schema of its oneOf, and matches none",
        ),
        (
            "engine: pg, port: true",
            "35:22 error `port` must be an integer or text, not the boolean true",
        ),
        (
            "engine: pg, port: 1, size: 10",
            "35:31 error `size` must be at most 9, not the number 10",
        ),
        ("engine: pg, name: A", "35:22 error `name` must match ^[a-z]+$, not the text \"A\""),
        (
            "engine: pg, name: abcdef",
            "35:22 error `name` must have at most 5 characters, and has 6",
        ),
        (
            "engine: pg, port: 1, tags: [a, null]",
            "35:31 error `tags` must have at most 1 element, and has 2",
        ),
        (
            "engine: pg, port: 1, more: {a: 1}",
            "35:35 error `a` must be true or false, not the number 1",
        ),
        ("engine: pg, port: 1, sise: 1", "35:25 error unknown field `sise`, did you mean `size`?"),
        ("engine: pg, port: 1, pod: {extra: 1}", "35:31 error unknown field `extra`"),
    ] {
        let found = spec(wrong);
        assert!(found.contains(&message.to_owned()), "{wrong}: {found:#?}");
    }
}

#[test]
fn unknown_kind_is_a_warning_and_its_metadata_is_checked() {
    let widget = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: a, labels: {a: 1}}\nspec: {any: thing}\n";
    let expected = [
        "2:1 warning no schema for example.com/v1/Widget: not validated",
        "3:33 error `a` must be text, not the number 1: write \"1\" in quotes",
    ];
    assert_eq!(findings(widget), expected);
    let old =
        "apiVersion: autoscaling/v2beta2\nkind: HorizontalPodAutoscaler\nmetadata: {name: a}\n";
    let expected = "1:13 error Kubernetes 1.36 does not serve autoscaling/v2beta2/HorizontalPodAutoscaler: removed in 1.26; use autoscaling/v2/HorizontalPodAutoscaler instead";
    assert_eq!(findings(old), [expected]);
}

#[test]
fn a_label_without_a_value_is_a_warning() {
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  labels:\n    empty: \n    set: \"\"\ndata: null\n";
    let expected = "6:11 warning `empty` is null, which Kubernetes reads as empty text: write \"\" if you mean it";
    assert_eq!(findings(map), [expected]);
}

#[test]
fn findings_in_rendered_objects_name_object_and_field() {
    let text = "apiVersion: v1\nkind: Service\nmetadata: {name: web, lables: {}}\nspec: {selector: {app: web}, ports: [{port: 80}]}\n";
    let mut manifests = read("chart/templates/web.yaml", text.as_bytes()).manifests;
    for manifest in &mut manifests {
        manifest.positions = Default::default();
        (manifest.origin.line, manifest.origin.column) = (1, 1);
    }
    let set = Set {
        manifests: &manifests,
        problems: &[],
        unreferenced: &[],
        others: &[],
        warnings: &[],
        namespace: "shop",
        ignore: &[],
        redact: &[],
        inputs: &Inputs::default(),
    };
    let found = check(set, Schemas::of("1.36").unwrap());
    let said: Vec<String> = found.iter().map(|f| format!("{}: {}", f.place, f.message)).collect();
    assert_eq!(
        said,
        [
            "chart/templates/web.yaml:1:1: Service shop/web: metadata.lables: unknown field `lables`, did you mean `labels`?",
            "chart/templates/web.yaml:1:1: Service shop/web: spec.selector: no pod template of this set has the labels app=web",
        ]
    );
}

#[test]
fn duplicate_declaration_is_an_error() {
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";
    let there = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shop}\n";
    let expected = "5:1 error ConfigMap shop/a is declared twice, here and at a.yaml:1:1; delete \
        one of the two, or list its file in .trueupignore";
    assert_eq!(findings(&format!("{map}---\n{there}")), [expected]);
}

#[test]
fn a_secrets_values_are_in_no_message() {
    let secret = "\
apiVersion: v1
kind: Secret
metadata: {name: a}
data: {a: canary-1, b: aGk=}
stringData: {b: canary-2, c: 31337, d: on}
stringdata: {x: canary-3}
type: [canary-4]
";
    let found = findings(secret);
    let expected = [
        "4:11 error `a` must be base64, not this text",
        "5:14 warning `b` is also in data; the value in stringData counts; delete one of them",
        "5:30 error `c` must be text, not a number: write it in quotes",
        "5:40 error `d` must be text, not a boolean: write it in quotes",
        "6:1 error unknown field `stringdata`, did you mean `stringData`?",
        "7:7 error `type` must be text, not a list",
    ];
    assert_eq!(found, expected);
}

#[test]
fn dangling_references_are_warnings() {
    let set = "\
apiVersion: v1
kind: ConfigMap
metadata: {name: app}
data: {key: a}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: wbe}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  serviceAccountName: robot
  imagePullSecrets: [{name: pull}]
  containers:
  - name: web
    image: web
    env:
    - {name: A, valueFrom: {configMapKeyRef: {name: app, key: kye}}}
    - {name: B, valueFrom: {secretKeyRef: {name: gone, key: k, optional: true}}}
    envFrom: [{configMapRef: {name: ap}}]
  volumes:
  - {name: v, secret: {secretName: tls}}
  - {name: w, projected: {sources: [{configMap: {name: kube-root-ca.crt}}, {secret: {name: s}}]}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec:
  rules:
  - http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: wbe, port: {number: 80}}}}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: web}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: web}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: see}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec: {maxReplicas: 2, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}
";
    let expected = [
        "9:18 warning no pod template of this set has the labels app=wbe",
        "15:23 warning ServiceAccount shop/robot is not in this set",
        "16:29 warning Secret shop/pull is not in this set",
        "21:63 warning ConfigMap shop/app has no key `kye`, did you mean `key`?",
        "23:37 warning ConfigMap shop/ap is not in this set, did you mean shop/app?",
        "25:36 warning Secret shop/tls is not in this set",
        "26:92 warning Secret shop/s is not in this set",
        "33:74 warning Service shop/wbe is not in this set, did you mean shop/web?",
        "38:66 warning Role shop/web is not in this set",
        "48:86 warning Deployment shop/web is not in this set",
    ];
    assert_eq!(findings(set), expected);
}

#[test]
fn wrong_waves_and_dependency_cycles_are_errors() {
    let document = |name: &str, annotation: &str| {
        format!(
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  annotations: {{{annotation}}}\n"
        )
    };
    let on =
        |name: &str| format!("config.kubernetes.io/depends-on: /namespaces/shop/ConfigMap/{name}");
    let yaml = document("a", &on("b"))
        + &document("b", &on("a"))
        + &document("c", "trueup.dev/wave: soon")
        + &document("d", &on("c"))
        + &document("e", &on("nothing"));
    assert_eq!(
        findings(&yaml),
        [
            "6:17 error dependency cycle: ConfigMap shop/a → ConfigMap shop/b → ConfigMap shop/a; \
            remove one of these dependencies, or change a wave",
            "18:17 error trueup.dev/wave: invalid wave \"soon\": must be an integer; a wave is a whole number, such as \"-1\" or \"2\"",
            "30:17 error config.kubernetes.io/depends-on: it depends on ConfigMap shop/nothing, which the commit does not declare; declare it in the same commit, or take the dependency out",
        ]
    );
    // Of an unknown kind, the namespace may be left out as well.
    let custom = "---\napiVersion: a.example/v1\nkind: Thing\nmetadata: {name: thing}\n";
    let on = "config.kubernetes.io/depends-on: a.example/namespaces/shop/Thing/thing";
    let told = findings(&(document("a", on) + custom));
    assert_eq!(told, ["9:1 warning no schema for a.example/v1/Thing: not validated"]);
}

#[test]
fn every_type_of_a_release_can_be_read() {
    for release in releases() {
        let schemas = Schemas::of(release).unwrap();
        assert!(schemas.names().count() > 50);
        schemas.every_type(|name, json| {
            serde_json::from_str::<crate::core::kinds::schemas::Schema>(json)
                .unwrap_or_else(|error| panic!("{release} {name}: {error}"));
        });
    }
    assert!(Schemas::of("1.0").is_none());
}

#[test]
fn a_misspelt_field_is_not_missing_as_well() {
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  prots: []\n";
    let told = "5:3 error unknown field `prots`, did you mean `ports`?";
    assert_eq!(findings(service), [told]);
    let without = service.replace("prots: []", "selector: {app: web}");
    let missing =
        "4:1 error `ports` is missing in `spec`: only a headless Service goes without them";
    assert!(findings(&without).iter().any(|it| it == missing), "{:#?}", findings(&without));
}
