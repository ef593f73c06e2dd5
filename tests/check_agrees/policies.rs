//! Admission policies: `check` and an API server agree about every row of a table.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use trueup::core::check::{CheckRule, Finding, Level, Set, check};
use trueup::core::kinds::schemas::{DEFAULT, Schemas};
use trueup::core::manifest;
use trueup::core::redact::Inputs;

use crate::support::sandbox::{self, Plane};

/// How long a policy may take until it counts.
const PATIENCE: Duration = Duration::from_secs(60);
const GROUP: &str = "/apis/admissionregistration.k8s.io/v1";

#[test]
fn policies_agree() {
    let text = fs::read_to_string(super::fixture("policies.yaml")).unwrap();
    let rows: Vec<Value> = serde_yaml::from_str(&text).unwrap();
    let plane = sandbox::own();
    let mut wrong = Vec::new();
    let all: Vec<Vec<Value>> = rows.iter().enumerate().map(|(at, row)| policy(at, row)).collect();
    for objects in &all {
        for object in objects {
            if let Err(why) = plane.api().create(&collection(object), object) {
                assert!(why.contains("already exists"), "{why}: {object}");
            }
        }
    }
    let (mut asked, begin) = (0, Instant::now());
    for (at, (row, before)) in rows.iter().zip(&all).enumerate() {
        for (list, is_taken) in [("refuses", false), ("takes", true)] {
            for (index, short) in row[list].as_array().into_iter().flatten().enumerate() {
                let object = object(short, &format!("row{at}-{list}{index}"), at);
                let about = format!("{}: {short}", row["validations"]);
                let mut said = ask(&plane, &object);
                // A policy counts a moment after it was created.
                while !is_taken && said.is_ok() && begin.elapsed() < PATIENCE {
                    thread::sleep(Duration::from_millis(200));
                    said = ask(&plane, &object);
                }
                let found = found(before, &object);
                let level = |wanted| {
                    let mut policies = found.iter().filter(|it| it.rule == CheckRule::Policy);
                    policies.any(|it| it.level == wanted)
                };
                let unknown = found.iter().any(|it| it.rule == CheckRule::NotEvaluated);
                if said.is_ok() != is_taken || level(Level::Error) == is_taken || unknown {
                    wrong.push(format!("{about}: the server {said:?}, check {found:#?}"));
                }
                let has_warning = level(Level::Warning);
                let is_bad = short["spec"]["replicas"] == 5;
                assert_eq!(has_warning, row["warns"] == true && is_bad, "{about}");
                asked += 1;
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {asked}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(asked > 45, "{asked}");
}

/// The policy of a row with its binding, and what there is before.
fn policy(at: usize, row: &Value) -> Vec<Value> {
    let name = format!("row{at}");
    let rules = |groups: &str, resource: &str| {
        json!({"apiGroups": [groups], "apiVersions": ["v1"], "operations": ["*"],
            "resources": [resource]})
    };
    let mut spec = json!({"matchConstraints": {"resourceRules":
        [rules("", "*"), rules("apps", "deployments")]}});
    for key in ["validations", "variables", "matchConditions", "failurePolicy", "paramKind"] {
        if !row[key].is_null() {
            spec[key] = row[key].clone();
        }
    }
    for (key, value) in row["matchConstraints"].as_object().into_iter().flatten() {
        spec["matchConstraints"][key] = value.clone();
    }
    spec["matchConstraints"]["objectSelector"] = json!({"matchLabels": {"row": name}});
    let mut bound = json!({"policyName": name, "validationActions": ["Deny"]});
    for (key, value) in row["binding"].as_object().into_iter().flatten() {
        bound[key] = value.clone();
    }
    let of = |kind: &str, spec: Value| {
        json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind,
            "metadata": {"name": name}, "spec": spec})
    };
    let mut objects = row["before"].as_array().cloned().unwrap_or_default();
    objects.push(of("ValidatingAdmissionPolicy", spec));
    objects.push(of("ValidatingAdmissionPolicyBinding", bound));
    objects
}

/// The object that a row has in short.
fn object(short: &Value, name: &str, row: usize) -> Value {
    let mut object = short.clone();
    let row = json!(format!("row{row}"));
    object["apiVersion"] = json!("v1");
    object["metadata"]["name"] = json!(name);
    object["metadata"]["namespace"] = json!("default");
    object["metadata"]["labels"]["row"] = row;
    if short["kind"] == "Deployment" {
        let labels = json!({"app": "a"});
        let image = short["image"].as_str().unwrap_or("a");
        let mut container = json!({"name": "a", "image": image});
        let fields = object.as_object_mut().unwrap();
        fields.remove("image");
        for field in ["resources", "securityContext"] {
            if let Some(value) = fields.remove(field) {
                container[field] = value;
            }
        }
        object["apiVersion"] = json!("apps/v1");
        object["spec"]["selector"] = json!({"matchLabels": labels});
        object["spec"]["template"] =
            json!({"metadata": {"labels": labels}, "spec": {"containers": [container]}});
    }
    object
}

fn collection(object: &Value) -> String {
    match object["kind"].as_str().unwrap() {
        "ValidatingAdmissionPolicy" => format!("{GROUP}/validatingadmissionpolicies"),
        "ValidatingAdmissionPolicyBinding" => format!("{GROUP}/validatingadmissionpolicybindings"),
        "Namespace" => "/api/v1/namespaces".to_owned(),
        "Deployment" => "/apis/apps/v1/namespaces/default/deployments".to_owned(),
        kind => format!("/api/v1/namespaces/default/{}s", kind.to_lowercase()),
    }
}

fn ask(plane: &Plane, object: &Value) -> Result<(), String> {
    let path = format!("{}?dryRun=All", collection(object));
    plane.api().create(&path, object).map(drop)
}

/// What check finds in the object beside its policy.
fn found(before: &[Value], object: &Value) -> Vec<Finding> {
    let documents: String = before.iter().chain([object]).map(ToString::to_string).collect();
    let reading = manifest::read("policies.json", documents.as_bytes());
    let set = Set {
        manifests: &reading.manifests,
        problems: &reading.problems,
        unreferenced: &[],
        others: &[],
        warnings: &[],
        namespace: super::NAMESPACE,
        ignore: &[],
        redact: &[],
        inputs: &Inputs::default(),
    };
    let mut found = check(set, Schemas::of(DEFAULT).unwrap());
    found.retain(|it| it.level == Level::Error || it.rule != CheckRule::Reference);
    found
}
