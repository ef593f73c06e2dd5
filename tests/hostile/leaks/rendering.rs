//! What kustomize, Helm and Jsonnet say about a failure, and what they make of values that end in a
//! Secret: no value is shown, and the field that is wrong is named all the same.

use crate::support::canaries::Canaries;
use crate::support::command::Output;
use crate::support::repo::Repo;
use crate::support::{renderers, sandbox};

const CHART: &str = "apiVersion: v2\nname: web\nversion: 0.1.0\n";
const SCHEMA: &str = r#"{"type": "object", "properties": {
  "mode": {"enum": ["quiet", "loud"]},
  "database": {"type": "object", "properties": {
    "port": {"type": "integer"},
    "password": {"type": "string", "pattern": "^[A-Z]+$"},
    "users": {"type": "array", "items": {"maxLength": 3, "pattern": "^[A-Z]+$"}}}}}}"#;

/// Runs everything that shows a problem, and returns what `check` says.
#[track_caller]
fn see(repo: &Repo<'_>, canaries: &Canaries) -> Output {
    let run = |args: &[&str]| {
        let output = renderers::with(repo.trueup(args)).run();
        canaries.assert_unseen(&output);
        assert!(matches!(output.status, Some(1 | 2)), "{output}");
        output
    };
    run(&["render"]);
    for form in ["text", "json", "markdown", "github", "name"] {
        run(&["diff", "-o", form]);
    }
    for form in ["json", "github", "sarif"] {
        run(&["check", "-o", form]);
    }
    run(&["check"])
}

#[test]
fn helms_errors_name_the_field_and_not_its_value() {
    let repo = Repo::new("leaks-helm", sandbox::bare());
    let canaries = Canaries::new(4);
    let [password, user, set, nested] = canaries.0.as_slice() else { unreachable!() };
    repo.write("web/Chart.yaml", CHART).write("web/values.schema.json", SCHEMA);
    repo.write(
        "web/values.yaml",
        format!(
            "mode: chatty\ndatabase: {{password: {password}, port: fivefour, users: [{user}]}}\n"
        ),
    );
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {a: '{{ .Values.database.password }}'}\n";
    repo.write("web/templates/a.yaml", secret).commit("Values that the schema refuses");
    let said = see(&repo, &canaries).to_string();
    for named in ["/database/password", "/database/port", "/database/users/0", "pattern"] {
        assert!(said.contains(named), "{named}\n{said}");
    }
    assert!(!said.contains("fivefour"), "{said}");

    // What a template itself says, and values from elsewhere.
    repo.remove("web/values.schema.json");
    repo.write(
        "trueup.yaml",
        format!(
            "targets:\n  web:\n    paths: [web]\n    render: {{helm: {{values: [more.yaml], set: {{api.token: {set}}}}}}}\n"
        ),
    );
    repo.write("more.yaml", format!("url: postgres://app:{nested}@db/app\n"));
    for value in [".Values.database.password", ".Values.api.token", ".Values.url"] {
        for message in [
            format!("{{{{ fail (printf \"not %s\" {value}) }}}}"),
            format!("{{{{ fail (printf \"not %q\" (b64enc {value})) }}}}"),
            format!("{{{{ fail (printf \"not %x\" ({value} | toJson | toJson)) }}}}"),
        ] {
            repo.write("web/templates/b.yaml", &message).commit("A message");
            let said = see(&repo, &canaries).to_string();
            assert!(said.contains("web/templates/b.yaml") && said.contains("not "), "{said}");
            assert!(said.contains("‹secret "), "{message}\n{said}");
        }
    }
}

#[test]
fn kustomizes_errors_name_the_generator_and_not_its_value() {
    let repo = Repo::new("leaks-kustomize", sandbox::bare());
    let canaries = Canaries::new(2);
    let [literal, patch] = canaries.0.as_slice() else { unreachable!() };
    for (generators, named) in [
        (format!("literals: [{literal}]"), "invalid literal source"),
        (format!("literals: ['{literal} with spaces']"), "invalid literal source"),
        (format!("files: ['a=b={literal}']"), "key name or file path contains '='"),
        (
            format!("literal: [a={literal}]"),
            "kustomization.yaml:3:3  error    `literal` is not a field that kustomize has here",
        ),
        (format!("literals: [a={literal}, a={literal}x]"), "illegally repeats"),
        (
            format!(
                "literals: [a=b]\npatches:\n- target: {{kind: Secret}}\n  patch: |\n    - op replace\n      path: /data/password\n      value: {patch}"
            ),
            "/data/password",
        ),
        (
            format!(
                "literals: [a=b]\npatches:\n- target: {{kind: Secret}}\n  patch: |\n    - op: {literal}\n      path: /data/password\n      value: {patch}"
            ),
            "Unexpected kind",
        ),
    ] {
        let file = format!("secretGenerator:\n- name: made\n  {generators}\n");
        repo.write("kustomization.yaml", &file).commit("Broken");
        let said = see(&repo, &canaries).to_string();
        assert!(said.contains(named), "{file}\n{said}");
    }
    // Not even trueup's own look at it quotes a line.
    let file = format!("secretGenerator:\n- name: made\n  literals: [a={literal}\n  x: y\n");
    repo.write("kustomization.yaml", &file).commit("No YAML");
    let said = see(&repo, &canaries).to_string();
    assert!(said.contains("kustomization.yaml:"), "{said}");
}

#[test]
fn kustomizes_errors_do_not_quote_what_patches_put_into_a_secret() {
    let repo = Repo::new("leaks-kustomize-patches", sandbox::bare());
    // Neither its name nor its looks say that it is secret.
    let canaries = Canaries(vec!["CorrectHorseBattery".to_owned()]);
    let value = &canaries.0[0];
    let secret =
        "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData: {master: first}\n";
    repo.write("secret.yaml", secret);
    let patch = |faulty: &str| {
        format!(
            "apiVersion: v1\n    kind: Secret\n    metadata: {{name: other}}\n    stringData:\n      master: {value}\n{faulty}"
        )
    };
    let operation = format!("- op: add\n      path: /nowhere/master\n      value: {value}\n");
    for field in [
        format!("patches:\n- patch: |\n    {}", patch("")),
        format!("patches:\n- patch: |\n    {}", patch("     typo\n")),
        format!("patchesStrategicMerge:\n- |\n    {}", patch("")),
        format!("patchesStrategicMerge:\n- |\n    {}", patch("     typo\n")),
        format!("patches:\n- target: {{kind: Secret}}\n  patch: |\n    {operation}"),
        format!("patches:\n- target: {{name: db}}\n  patch: |\n    {operation}"),
        format!(
            "transformers:\n- |\n  apiVersion: builtin\n  kind: PatchTransformer\n  metadata: {{name: x}}\n  target: {{kind: Secret}}\n  patch: |\n    {operation}"
        ),
    ] {
        let file = format!("resources: [secret.yaml]\n{field}");
        repo.write("kustomization.yaml", &file).commit("A patch");
        let said = see(&repo, &canaries).to_string();
        assert!(said.contains("kustomization.yaml:"), "{file}\n{said}");
    }
    repo.write("operations.yaml", operation.replace("      ", "  "));
    let file =
        "resources: [secret.yaml]\npatches:\n- {target: {kind: Secret}, path: operations.yaml}\n";
    repo.write("kustomization.yaml", file).commit("Operations in a file");
    let said = see(&repo, &canaries).to_string();
    assert!(said.contains("/nowhere/master"), "{said}");
}

#[test]
fn jsonnet_errors_do_not_show_variables() {
    let repo = Repo::new("leaks-jsonnet", sandbox::bare());
    let canaries = Canaries::new(2);
    let [ext, own] = canaries.0.as_slice() else { unreachable!() };
    repo.write(
        "trueup.yaml",
        format!(
            "targets:\n  all:\n    paths: ['.']\n    render: {{jsonnet: {{ext: {{v: {ext}}}}}}}\n"
        ),
    );
    for program in [
        "error 'not ' + std.extVar('v')".to_owned(),
        "std.assertEqual(std.extVar('v'), 'b')".to_owned(),
        format!("local secret = {{ password: '{own}' }};\nerror 'not ' + secret.password"),
    ] {
        repo.write("a.jsonnet", &program).commit("A program");
        let said = see(&repo, &canaries).to_string();
        assert!(said.contains("a.jsonnet:") && said.contains("‹secret "), "{said}");
    }
}

#[test]
fn values_that_end_in_a_secret_are_masked_wherever_else_they_end() {
    let repo = Repo::new("leaks-values", sandbox::bare());
    let canaries = Canaries::new(3);
    let [value, set, literal] = canaries.0.as_slice() else { unreachable!() };
    repo.write("web/Chart.yaml", CHART);
    repo.write("web/values.yaml", format!("one: {value}\nhost: postgres\n"));
    repo.write(
        "web/templates/a.yaml",
        "apiVersion: v1
kind: Secret
metadata: {name: a}
stringData: {a: 'x{{ .Values.one }}-{{ .Values.two }}y at {{ .Values.host }}'}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: b}
data:
  a: 'z{{ .Values.one }}'
  b: '{{ printf \"u:%s\" .Values.two | b64enc }}'
  c: '{{ .Values.one | toJson | toJson | b64enc | b64enc }}'
  host: '{{ .Values.host }}'
",
    );
    repo.write(
        "k/kustomization.yaml",
        format!(
            "secretGenerator:\n- name: made\n  literals: ['dsn=user=a password={literal}']\nconfigMapGenerator:\n- name: seen\n  literals: [a=x{literal}y]\n"
        ),
    );
    repo.write(
        "trueup.yaml",
        format!(
            "targets:\n  all:\n    paths: [web, k]\n    render: {{kustomize: {{}}, helm: {{set: {{two: {set}}}}}}}\n"
        ),
    );
    repo.commit("Values");
    let run = |args: &[&str]| {
        let output = renderers::with(repo.trueup(args)).run();
        canaries.assert_unseen(&output);
        output
    };
    for form in ["text", "json", "markdown", "github", "name"] {
        run(&["diff", "-o", form]).exits(1);
    }
    for form in ["yaml", "json"] {
        let shown = run(&["render", "-o", form]).exits(0);
        assert!(shown.stdout.contains("postgres"), "{shown}");
    }
    run(&["apply", "--yes", "-o", "json"]).exits(0);
}
