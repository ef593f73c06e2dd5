//! Rules that the API server compiles or not: `check` and the server agree about every row of a list.

use std::fs;

use serde_json::json;
use trueup::core::manifest;

use super::{both, errors, fixture};
use crate::support::sandbox;

#[test]
fn expressions_compile_where_the_server_compiles_them() {
    let text = fs::read_to_string(fixture("expressions.txt")).unwrap();
    let rows: Vec<(char, &str)> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| (line.chars().next().unwrap(), line[1..].trim()))
        .collect();
    let name = |row: usize| format!("row{row}s.expressions.test");
    let documents: String =
        rows.iter().enumerate().map(|(row, (_, rule))| definition(row, rule)).collect();
    let reading = manifest::read("expressions.json", documents.as_bytes());
    assert_eq!(reading.problems, []);
    let (findings, answers) = both(&reading.manifests, &[], &sandbox::own());
    let mut wrong = Vec::new();
    for (row, (verdict, rule)) in rows.iter().enumerate() {
        let refusals = answers.refusals.iter();
        let said = refusals.clone().find(|it| it.object.as_ref().unwrap().name == name(row));
        let found = errors(&findings).find(|(key, _)| key.name == name(row));
        let is_right = match verdict {
            '=' => said.is_none() && found.is_none(),
            '!' => said.is_some() && found.is_some(),
            '?' => said.is_some() && found.is_none(),
            other => panic!("{other} {rule}"),
        };
        if !is_right {
            let said = said.map(|refusal| &refusal.message);
            let found = found.map(|(_, found)| &found.message);
            wrong.push(format!("{verdict} {rule}: the server {said:?}, check {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
    let refused = rows.iter().filter(|(verdict, _)| *verdict == '!').count();
    assert!(rows.len() > 200 && refused > 90, "{} {refused}", rows.len());
}

/// A definition with a rule about its `spec`.
fn definition(row: usize, rule: &str) -> String {
    let text = |most: usize| json!({"type": "string", "maxLength": most});
    let number = json!({"type": "integer"});
    let properties = json!({
        "s": text(10), "i": number, "n": {"type": "number"}, "b": {"type": "boolean"},
        "l": {"type": "array", "maxItems": 5, "items": text(5)},
        "ii": {"type": "array", "maxItems": 5, "items": number},
        "m": {"type": "object", "maxProperties": 3, "additionalProperties": text(4)},
        "o": {"type": "object", "properties": {"a": text(4)}},
        "is": {"x-kubernetes-int-or-string": true},
        "p": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
        "d": {"type": "string", "format": "date-time"},
        "du": {"type": "string", "format": "duration"},
        "by": {"type": "string", "format": "byte", "maxLength": 5},
    });
    let schema = json!({"type": "object", "properties": {"spec": {"type": "object",
        "properties": properties, "x-kubernetes-validations": [{"rule": rule}]}}});
    let (kind, plural) = (format!("Row{row}"), format!("row{row}s"));
    json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.expressions.test")},
        "spec": {"group": "expressions.test", "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural},
            "versions": [{"name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": schema}}]}})
    .to_string()
}
