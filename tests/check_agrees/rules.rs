//! Rules in CEL: `check` and an API server agree about every row of a table.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};
use trueup::core::check::{CheckRule, Level};
use trueup::core::manifest;

use crate::support::sandbox;

/// How many rules one definition has: together they may cost so much only.
const SHARE: usize = 20;

/// The schema of a row, in a word.
fn schema(row: &Value) -> Value {
    let text = json!({"type": "string", "maxLength": 64});
    let list = |items: Value| json!({"type": "array", "maxItems": 5, "items": items});
    match row["schema"].as_str() {
        Some("text") => text,
        Some("int") => json!({"type": "integer", "maximum": 9999}),
        Some("number") => json!({"type": "number"}),
        Some("list") => list(text),
        Some("ints") => list(json!({"type": "integer"})),
        Some("map") => {
            json!({"type": "object", "maxProperties": 5, "additionalProperties": text})
        }
        Some("pair") => json!({"type": "object", "properties": {"a": text, "b": text}}),
        Some(other) => panic!("{other}"),
        None => row["schema"].clone(),
    }
}

#[test]
fn rules_agree() {
    let text = fs::read_to_string(super::fixture("rules.yaml")).unwrap();
    let rows: Vec<Value> = serde_yaml::from_str(&text).unwrap();
    let (mut documents, mut expected) = (String::new(), BTreeMap::new());
    for (group, rows) in rows.chunks(SHARE).enumerate() {
        let mut properties = serde_json::Map::new();
        for (number, row) in rows.iter().enumerate() {
            let mut schema = schema(row);
            let mut rule = json!({"rule": row["rule"]});
            if row["optionalOldSelf"] == true {
                rule["optionalOldSelf"] = true.into();
            }
            schema["x-kubernetes-validations"] = json!([rule]);
            properties.insert(format!("r{number}"), schema);
        }
        let schema = json!({"type": "object", "properties": properties, "x-kubernetes-validations":
            [{"rule": "self.metadata.name.startsWith('row') && self.kind.startsWith('Rules')"}]});
        let (kind, plural) = (format!("Rules{group}"), format!("rules{group}"));
        documents += &json!({"apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": format!("{plural}.rules.test")},
            "spec": {"group": "rules.test", "scope": "Cluster",
                "names": {"kind": kind, "plural": plural},
                "versions": [{"name": "v1", "served": true, "storage": true,
                    "schema": {"openAPIV3Schema": schema}}]}})
        .to_string();
        for (number, row) in rows.iter().enumerate() {
            for (list, is_taken) in [("takes", true), ("refuses", false)] {
                for (index, value) in row[list].as_array().into_iter().flatten().enumerate() {
                    let name = format!("row{}-{list}{index}", group * SHARE + number);
                    let mut object = json!({"apiVersion": "rules.test/v1", "kind": kind,
                        "metadata": {"name": name}});
                    object[format!("r{number}")] = value.clone();
                    documents += &object.to_string();
                    let rule = row["rule"].as_str().unwrap();
                    expected.insert(name, (is_taken, format!("{rule} of {value}")));
                }
            }
        }
    }
    let reading = manifest::read("rules.json", documents.as_bytes());
    assert_eq!(reading.problems, []);
    let (findings, answers) = super::both(&reading.manifests, &[], &sandbox::own());

    let mut wrong = Vec::new();
    let definitions = answers
        .refusals
        .iter()
        .filter(|it| it.object.as_ref().unwrap().name.contains("rules.test"));
    wrong.extend(definitions.map(|refusal| format!("not compiled: {}", refusal.message)));
    let unknown = findings.iter().filter(|found| found.rule == CheckRule::NotEvaluated);
    wrong.extend(unknown.map(|found| found.message.clone()));
    for (name, (is_taken, about)) in &expected {
        let taken = answers.accepted.iter().any(|key| key.name == *name);
        let error = findings.iter().find(|found| {
            found.level == Level::Error && found.object.as_ref().is_some_and(|it| it.name == *name)
        });
        if (taken, error.is_none()) != (*is_taken, *is_taken) {
            let said = answers.refusals.iter().find(|it| it.object.as_ref().unwrap().name == *name);
            let said = said.map(|refusal| refusal.message.clone());
            let error = error.map(|error| &error.message);
            wrong.push(format!("{about}: the server {said:?}, check {error:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), expected.len(), wrong.join("\n"));
    assert!(rows.len() > 100 && expected.len() > 250, "{} {}", rows.len(), expected.len());
}
