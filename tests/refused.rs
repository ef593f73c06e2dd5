//! What the API server refuses, on a real one: each message names the file, the line and the column
//! of the field that it is about.

use crate::support::repo::Repo;
use crate::support::sandbox;

/// Commits `web.yaml` and asserts that diff, as text and as JSON, and apply refuse it here: each of
/// `places` is `line:column`, the field and the beginning of the server's words.
#[track_caller]
fn refuses(repo: &Repo, yaml: &str, places: &[(usize, usize, &str, &str)]) {
    repo.write("envs/web.yaml", yaml).commit("A slip of the pen");
    for verb in ["diff", "apply"] {
        let output = repo.run(&[verb]).exits(1);
        for (line, column, field, message) in places {
            let told = format!("    envs/web.yaml:{line}:{column}: {field}: {message}");
            assert!(output.stdout.contains(&told), "no {told:?} in\n{output}");
        }
    }
    let output = repo.run(&["diff", "-o", "json"]).exits(1);
    let json: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    let changes = json["changes"].as_array().unwrap();
    let refused = changes.iter().find(|change| change["action"] == "refuse").unwrap();
    let causes = refused["causes"].as_array().unwrap();
    assert_eq!(causes.len(), places.len(), "{output}");
    for (line, column, field, message) in places {
        let place = serde_json::json!({ "path": "envs/web.yaml", "line": line, "column": column });
        let is_told = causes.iter().any(|cause| {
            let words = cause["message"].as_str().unwrap();
            cause["place"] == place && cause["field"] == *field && words.starts_with(message)
        });
        assert!(is_told, "no {field} {place} in\n{output}");
    }
}

/// A Deployment whose container, from line 16 on, and whose end are the test's.
fn deployment(container: &str, end: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  selector:\n    \
         matchLabels:\n      app: web\n  template:\n    metadata:\n      labels:\n        app: web\n    \
         spec:\n      containers:\n        - name: web\n{container}{end}"
    )
}

#[test]
fn a_value_of_the_wrong_type() {
    let repo = Repo::new("refused-type", sandbox::bare());
    let ports = "          image: web:1\n          ports:\n            - name: http\n              containerPort: http\n";
    let field = r#"spec.template.spec.containers[name="web"].ports[containerPort="http",protocol="TCP"].containerPort"#;
    refuses(&repo, &deployment(ports, ""), &[(19, 15, field, "expected numeric")]);
    let end = "          image: web:1\n  replicas: three\n";
    refuses(&repo, &deployment("", end), &[(17, 3, "spec.replicas", "expected numeric")]);
    let config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata:\n  a: x\n  a.b/c: x\n  a.b: 3\n";
    refuses(&repo, config, &[(7, 3, "data.a.b", "expected string, got 3")]);
    let output = repo.run(&["watch", "--once"]).exits(1);
    let told = "ConfigMap refused-type/web: envs/web.yaml:7:3: data.a.b: expected string, got 3";
    assert!(output.to_string().contains(told), "{output}");
}

#[test]
fn an_unknown_field() {
    let repo = Repo::new("refused-field", sandbox::bare());
    // One at a time: of several the server tells one or all, as it happens.
    let unknown = "field not declared in schema";
    let field = r#"spec.template.spec.containers[name="web"].imagePullPolcy"#;
    let image = "          image: web:1\n          imagePullPolcy: Always\n";
    refuses(&repo, &deployment(image, ""), &[(17, 11, field, unknown)]);
    let end = "          image: web:1\n  replica: 3\n";
    refuses(&repo, &deployment("", end), &[(17, 3, "spec.replica", unknown)]);
}

#[test]
fn a_required_field_that_is_missing() {
    let repo = Repo::new("refused-missing", sandbox::bare());
    // The container, since it has no image; and of the second document its spec.
    let field = "spec.template.spec.containers[0].image";
    refuses(&repo, &deployment("", ""), &[(15, 11, field, "Required value")]);
    let account = "# who\n---\napiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: web\n---\n";
    let service =
        "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\nspec:\n  type: NodePort\n";
    refuses(&repo, &format!("{account}{service}"), &[(12, 1, "spec.ports", "Required value")]);
}

#[test]
fn a_field_that_cannot_change() {
    let repo = Repo::new("refused-change", sandbox::bare());
    let image = "          image: web:1\n";
    let yaml = deployment(image, "");
    repo.write("envs/web.yaml", &yaml).commit("Web");
    repo.run(&["apply"]).exits(0);
    let words = "Invalid value: {\"matchLabels\":{\"app\":\"www\"}}: field is immutable";
    refuses(&repo, &yaml.replace("app: web", "app: www"), &[(6, 3, "spec.selector", words)]);
}

#[test]
fn value_refused_by_a_definition() {
    let repo = Repo::new("refused-rules", sandbox::bare());
    repo.write("envs/definition.yaml", include_str!("../fixtures/refused/definition.yaml"));
    repo.commit("Tickets");
    repo.run(&["apply"]).exits(0);
    let ticket = |spec: &str| {
        format!(
            "kind: Ticket\nmetadata: {{name: web}}\nspec: {{{spec}}}\napiVersion: refused.example/v1\n"
        )
    };
    let pattern = "Invalid value: \"abc\": spec.code in body should match";
    refuses(&repo, &ticket("seat: 3, code: abc"), &[(3, 17, "spec.code", pattern)]);
    let rule = "Invalid value: no seat has a number above 100";
    refuses(&repo, &ticket("code: ABC, seat: 101"), &[(3, 19, "spec.seat", rule)]);
    refuses(
        &repo,
        &ticket("code: ABC, seatt: 1"),
        &[(3, 19, "spec.seatt", "field not declared in schema")],
    );
}

#[test]
fn a_refusal_of_a_secret_tells_the_place_and_not_the_value() {
    let repo = Repo::new("refused-secret", sandbox::bare());
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: web}\nstringData:\n  ok: correct-horse\n  pin: 918273645546372\n";
    refuses(&repo, secret, &[(6, 3, "stringData.pin", "expected string, got ‹secret")]);
    let slash = "apiVersion: v1\nkind: Secret\nmetadata: {name: web}\nstringData:\n  ok: correct-horse\n  a/b: hunter2hunter2\n";
    refuses(&repo, slash, &[(6, 3, "data[a/b]", "Invalid value: \"a/b\"")]);
    for args in [&["diff"][..], &["diff", "-o", "json"], &["apply"], &["watch", "--once"]] {
        let output = repo.run(args).exits(1).to_string();
        assert!(!output.contains("hunter2") && !output.contains("horse"), "{output}");
    }
}

#[test]
fn invalid_quantity_is_refused_and_not_retried() {
    let repo = Repo::new("refused-quantity", sandbox::bare());
    let limits = "          image: web:1\n          resources: {limits: {cpu: lots}}\n";
    repo.write("envs/web.yaml", deployment(limits, "")).commit("Lots");
    let output = repo.run(&["diff"]).exits(1);
    assert!(output.stdout.contains("quantities must match"), "{output}");
    // Discovery 1 or 2 (another test may have just added a kind), the parent, the cluster's identity, the inventory's namespace, a LIST of the kind
    // that no record names yet, one dry run, and the object itself.
    let is_as_few = [7, 8].map(|count| output.stdout.contains(&format!(" {count} requests ")));
    assert!(is_as_few.contains(&true), "{output}");
}
