//! Plans as JSON: the keys are those that are documented.

use super::*;

#[test]
fn json_has_the_documented_keys() {
    let gone = because(
        change(Action::Keep, Some(config("gone", json!({}))), None),
        "not pruned: 1 problem in the manifests",
        Some("mend it"),
    );
    let changes = vec![
        change(Action::Update, Some(web(2, "a:1")), Some(web(3, "a:1"))),
        change(Action::Delete, Some(config("old", json!({}))), None),
        change(Action::Keep, Some(config("same", json!({}))), None),
        gone,
    ];
    let problem = Problem {
        place: Location { path: "a.yaml".to_owned(), line: 3, column: 7 },
        message: "no".to_owned(),
        excerpt: Some("x".to_owned()),
        hint: None,
    };
    let json = told(changes, &[problem], |out, view| json::write(out, view, None).unwrap());
    let value: Value = serde_json::from_str(&json).unwrap();
    let config = |name: &str| {
        json!({
            "group": "", "version": "v1", "kind": "ConfigMap", "namespace": "shop", "name": name,
        })
    };
    let expected = json!({
        "version": 1,
        "target": {
            "name": "prod", "cluster": "shop.example", "server": "shop.example:6443",
            "cluster_id": "3f2a9c",
            "paths": ["envs/prod"],
            "inventory": { "namespace": "default", "name": "trueup-prod" },
        },
        "revision": {
            "commit": "8be01d3aa0c8b6c9b4e4a6d4b1a5c4c1a9e0f7d2", "named": "main",
            "summary": "Third replica for web", "author": "A. Author", "dirty": false,
        },
        "summary": { "create": 0, "update": 1, "replace": 0, "delete": 1, "abandon": 0, "keep": 2, "refuse": 0 },
        "changes": [
            {
                "action": "update",
                "object": {
                    "group": "apps", "version": "v1", "kind": "Deployment",
                    "namespace": "shop", "name": "web",
                },
                "origin": { "path": "envs/prod/web.yaml", "line": 12 },
                "wave": 0, "confidence": "server", "joins": false, "only_ownership": false, "only_masked": false,
                "fields": [{ "path": "spec.replicas", "before": 2, "after": 3 }],
            },
            {
                "action": "delete", "object": config("old"), "origin": null,
                "wave": 0, "confidence": "server", "joins": false, "only_ownership": false, "only_masked": false, "fields": [],
            },
            {
                "action": "keep", "object": config("gone"),
                "origin": { "path": "envs/prod/web.yaml", "line": 12 },
                "code": "unknown", "reason": "not pruned: 1 problem in the manifests", "hint": "mend it",
                "wave": 0, "confidence": "server", "joins": false, "only_ownership": false, "only_masked": false, "fields": [],
            },
        ],
        "problems": [{ "path": "a.yaml", "line": 3, "column": 7, "message": "no", "hint": null }],
        "requests": 14,
        "elapsed": 0.11,
    });
    assert_eq!(value, expected);
}

#[test]
fn the_documentation_names_every_key_of_the_json() {
    let documentation = include_str!("../../../../docs/json.md");
    let code = include_str!("../json/document.rs");
    let structs = code.split("#[derive(Serialize)]").skip(1);
    let fields =
        structs.flat_map(|s| s.split('}').next().unwrap().split(",\n")).filter_map(|field| {
            let line = field.lines().last()?.trim().strip_prefix("pub(super) ")?;
            let (name, _) = line.split_once(": ")?;
            // A flattened field has no key of its own.
            (!name.contains(['#', ' ']) && !field.contains("flatten")).then_some(name)
        });
    let mut count = 0;
    for field in fields {
        count += 1;
        let named =
            ["", ".", "changes[].", "changes[].fields[].", "changes[].handovers[].", "report."]
                .iter()
                .any(|prefix| documentation.contains(&format!("`{prefix}{field}`")));
        assert!(named, "{field} is not in the table");
    }
    assert!(count > 50, "{count}");
}
