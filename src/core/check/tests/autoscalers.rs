//! Replicas that an autoscaler changes as well.

use super::{findings, findings_beside};
use crate::core::field_rules::FieldRule;
use crate::core::json::{self, json};
use crate::core::manifest::value;

const AUTOSCALER: &str = "\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: scale}
spec: {minReplicas: 2, maxReplicas: 4, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}
";

const SCALED: &str = "\
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: scale}
spec: {maxReplicaCount: 4, scaleTargetRef: {name: web}, triggers: []}
";

fn deployment(spec: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\nspec:\n  {spec}\n  selector: {{matchLabels: {{app: web}}}}\n  template:\n    metadata: {{labels: {{app: web}}}}\n    spec: {{containers: [{{name: web, image: web}}]}}\n"
    )
}

fn told(autoscaler: &str, deployment: &str, ignore: &[FieldRule]) -> Vec<String> {
    let mut told = findings_beside(&format!("{deployment}---\n{autoscaler}"), ignore);
    told.retain(|finding| !finding.contains("no schema for"));
    told
}

const NONE: [String; 0] = [];

#[test]
fn replicas_beside_an_autoscaler_are_a_warning_with_the_rule_to_write() {
    let found = told(AUTOSCALER, &deployment("replicas: 3"), &[]);
    let says = "5:3 warning HorizontalPodAutoscaler shop/scale sets `replicas` as well: each run of \
        trueup and the autoscaler undo each other; remove it, or leave it to the autoscaler by a \
        rule of the target in trueup.yaml: ";
    assert_eq!(found.len(), 1, "{found:?}");
    let rule = found[0].strip_prefix(says).unwrap().trim_matches('`');
    let (rule, _) = value("trueup.yaml", rule.as_bytes()).unwrap().unwrap();
    let rules: Vec<FieldRule> = json::from_value(rule["ignore"].clone()).unwrap();
    assert_eq!(told(AUTOSCALER, &deployment("replicas: 3"), &rules), NONE);
    // Of another Deployment it says nothing.
    let other = deployment("replicas: 3").replace("name: web}", "name: other}");
    let scaled = AUTOSCALER.replace("name: web", "name: other");
    assert_eq!(told(&scaled, &other, &rules).len(), 1);

    let keda = told(SCALED, &deployment("replicas: 0"), &[]);
    assert!(keda[0].starts_with("5:3 warning ScaledObject scale sets `replicas`"), "{keda:?}");
}

#[test]
fn replicas_that_stay_as_they_are_are_no_warning() {
    for spec in ["minReadySeconds: 1", "replicas: null", "replicas: 0"] {
        assert_eq!(told(AUTOSCALER, &deployment(spec), &[]), NONE, "{spec}");
    }
    let fixed =
        AUTOSCALER.replace("minReplicas: 2, maxReplicas: 4", "minReplicas: 3, maxReplicas: 3");
    assert_eq!(told(&fixed, &deployment("replicas: 3"), &[]), NONE);
    assert_eq!(told(&fixed, &deployment("replicas: 2"), &[]).len(), 1);
    let create_only = deployment("replicas: 3")
        .replace("name: web}", "name: web, annotations: {trueup.dev/mode: create-only}}");
    assert!(create_only.contains("create-only"));
    assert_eq!(told(AUTOSCALER, &create_only, &[]), NONE);
    assert_eq!(findings(&deployment("replicas: 3")), NONE);
    for path in ["/spec", "/spec/replicas", "/spec/*"] {
        let rule = json!([{"kind": "Deploy*", "paths": [path]}]);
        let rules: Vec<FieldRule> = json::from_value(rule).unwrap();
        assert_eq!(told(AUTOSCALER, &deployment("replicas: 3"), &rules), NONE, "{path}");
    }
    let rule = json!([{"kind": "Deployment", "paths": ["/spec/template"]}]);
    let rules: Vec<FieldRule> = json::from_value(rule).unwrap();
    assert_eq!(told(AUTOSCALER, &deployment("replicas: 3"), &rules).len(), 1);
}
