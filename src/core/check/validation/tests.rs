//! The findings with their place, words and hint. Which objects the server refuses is held against a
//! server, in `tests/check_agrees`.

use super::*;
use crate::core::kinds::schemas::DEFAULT;
use crate::core::manifest::read;

/// The refusals of an object, each as `line:column [rule] message; hint`.
fn refusals(yaml: &str) -> Vec<String> {
    let reading = read("a.yaml", yaml.as_bytes());
    let schemas = &Schemas::of(DEFAULT).unwrap();
    let of = |manifest: &Manifest| refused(&manifest.object.key(), manifest, schemas);
    let told = |finding: Finding| {
        let Finding { rule, place, message, hint, .. } = finding;
        let hint = hint.map(|hint| format!("; {}", hint.text().unwrap())).unwrap_or_default();
        format!("{}:{} [{}] {message}{hint}", place.line, place.column, rule.name())
    };
    reading.manifests.iter().flat_map(of).map(told).collect()
}

#[test]
fn a_fault_has_its_place_and_says_what_is_meant() {
    let found = refusals(
        "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: My_App
  labels: {a b: c, d: e f}
spec:
  replicas: -1
  selector: {matchLabels: {app: web}}
  strategy: {type: Recreate, rollingUpdate: {maxSurge: 1}}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers:
      - name: web
        resources: {requests: {cpu: 2}, limits: {cpu: 500m}}
        volumeMounts: [{name: confg, mountPath: /a}]
      volumes: [{name: config, emptyDir: {}, secret: {secretName: a}}]
",
    );
    let name = "be at most 253 lowercase letters, digits, '-' or '.', with a letter or digit at both ends of each part";
    let value =
        "be at most 63 letters, digits, '-', '_' or '.', with a letter or digit at both ends";
    let expected = [
        format!("4:9 [name] `name` must {name}, not the text \"My_App\"; write my-app"),
        format!("5:12 [name] `a b` must {value}, and may have a DNS name and '/' before them"),
        format!("5:23 [name] `d` must {value}, not the text \"e f\"; write e-f"),
        "7:13 [value] `replicas` must be at least 0, not the number -1".to_owned(),
        "8:28 [combination] `app` selects another value than the template's \"api\"".to_owned(),
        "17:46 [combination] `secret` excludes `emptyDir`".to_owned(),
        "14:9 [missing-field] `image` is missing in `containers[0]`".to_owned(),
        "16:31 [value] `name` is not a volume of the Pod: \"confg\"; write config".to_owned(),
        "15:37 [value] `cpu` is 2, more than its limit of 500m".to_owned(),
        "9:30 [combination] `rollingUpdate` excludes type Recreate".to_owned(),
    ];
    assert_eq!(found, expected);
}

#[test]
fn values_of_secrets_are_not_shown_and_names_are() {
    let found = refusals(
        "apiVersion: v1\nkind: Secret\nmetadata: {name: A}\ntype: kubernetes.io/tls\nstringData: {a b: secret}\n",
    );
    assert_eq!(found.len(), 4, "{found:#?}");
    assert!(found[0].ends_with("not the text \"A\"; write a"), "{found:#?}");
    assert!(found.iter().all(|line| !line.contains("secret")), "{found:#?}");
}

#[test]
fn kinds_that_are_not_known_have_sound_labels_and_any_name() {
    let found = refusals(
        "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: 'A:b', labels: {a: b c}}\n",
    );
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].starts_with("3:37 [name] `a` must"), "{found:#?}");
}
