//! Values whose text is not what they are: those that SOPS encrypted are never applied, and those
//! that Flux would substitute are checked as far as they are known.

use crate::support::objects::config;
use crate::support::repo::Repo;
use crate::support::{renderers, sandbox};

/// A value as SOPS leaves it.
fn encrypted(of: &str) -> String {
    format!("ENC[AES256_GCM,data:dGVzdA==,iv:aXY=,tag:dGFn,type:{of}]")
}

/// A document as SOPS leaves it.
fn sops(manifest: &str) -> String {
    let mac = encrypted("str");
    let age = "{recipient: age1x, enc: x}";
    format!(
        "{manifest}sops:\n  age: [{age}]\n  lastmodified: '2026-01-01T00:00:00Z'\n  mac: {mac}\n  encrypted_regex: ^(data|stringData)$\n  version: 3.9.0\n"
    )
}

fn secret(field: &str) -> String {
    let value = encrypted("str");
    sops(&format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: db}}\n{field}: {{password: '{value}'}}\n"
    ))
}

#[test]
fn an_encrypted_secret_is_checked_and_never_applied() {
    let repo = Repo::new("sops", sandbox::bare());
    repo.write("a.yaml", config("open", "yes"));
    repo.write("db.yaml", secret("data")).commit("An encrypted Secret");
    let check = repo.trueup(&["check"]).run().exits(0);
    let warning = "db.yaml:5:1  warning  SOPS encrypted this object, so it is checked by its shape; diff and apply refuse it; trueup does not decrypt\n0 errors, 1 warning · ";
    assert!(check.stdout.starts_with(warning), "{check}");

    let refused = "Secret db is encrypted with SOPS: trueup does not decrypt";
    for field in ["data", "stringData"] {
        repo.write("db.yaml", secret(field)).commit(field);
        let diff = repo.trueup(&["diff"]).run().exits(1);
        assert!(diff.stdout.contains(refused), "{diff}");
        assert!(!diff.stdout.contains("ENC["), "{diff}");
        let apply = repo.trueup(&["apply", "--yes"]).run().exits(1);
        assert!(format!("{apply}").contains(refused), "{apply}");
    }
    repo.kubectl(&["get", "configmap", "open"]).exits(0);
    repo.kubectl(&["get", "secret", "db"]).exits(1);

    let wrong = secret("data").replace("password: 'ENC", "password: ['ENC").replace("]'}", "]']}");
    repo.write("db.yaml", wrong.replace("\ndata:", "\nimutable: true\ndata:")).commit("Wrong");
    let check = repo.trueup(&["check"]).run().exits(1);
    for error in ["unknown field `imutable`, did you mean `immutable`?", "`password` must be text"]
    {
        assert!(check.stdout.contains(error), "{check}");
    }
}

#[test]
fn a_secret_that_is_made_of_ciphertext_is_not_applied_either() {
    let repo = Repo::new("sops-generated", sandbox::bare());
    repo.write("k/kustomization.yaml", "resources: [a.yaml]\nsecretGenerator:\n- {name: db, envs: [db.env], options: {disableNameSuffixHash: true}}\n- {name: file, files: [db.json], options: {disableNameSuffixHash: true}}\n");
    repo.write("k/a.yaml", config("open", "yes"));
    repo.write("k/db.env", format!("user=me\npassword={}\n", encrypted("str")));
    let file =
        format!("{{\"a\": \"{}\", \"sops\": {{\"lastmodified\": \"x\"}}}}", encrypted("str"));
    repo.write("k/db.json", file).commit("Secrets of encrypted files");
    let run = |args: &[&str]| renderers::with(repo.trueup(args)).run();
    let check = run(&["check"]).exits(0);
    assert!(
        check.stdout.contains("`password` is encrypted with SOPS; diff and apply refuse it"),
        "{check}"
    );
    let apply = run(&["apply", "--yes"]).exits(1);
    for refused in ["`password` of Secret db is encrypted with SOPS", "`db.json` of Secret file is"]
    {
        assert!(format!("{apply}").contains(refused), "no {refused:?} in\n{apply}");
    }
    repo.kubectl(&["get", "configmap", "open"]).exits(0);
    for name in ["db", "file"] {
        repo.kubectl(&["get", "secret", name]).exits(1);
    }
}

#[test]
fn variables_of_flux_are_no_errors() {
    let repo = Repo::new("variables", sandbox::bare());
    let web = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: ${REPLICAS:=2}\n  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    spec:\n      containers:\n      - name: web\n        image: web:${TAG}\n        ports:\n        - containerPort: ${PORT}\n";
    let script = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: run}\ndata:\n  run.sh: |\n    cd ${HOME}\n";
    repo.write("web.yaml", web).write("run.yaml", script).commit("Variables");
    let check = repo.trueup(&["check"]).run().exits(0);
    let warning =
        "web.yaml:5:13  warning  holds variables, such as this one, that Flux would substitute";
    assert!(check.stdout.starts_with(warning), "{check}");
    assert!(check.stdout.contains("\n0 errors, 1 warning · "), "{check}");
    repo.write("web.yaml", web.replace(":=2", ":=two")).commit("A wrong default");
    let check = repo.trueup(&["check"]).run().exits(1);
    assert!(
        check.stdout.contains(
            "web.yaml:5:13  error    `replicas` must be an integer, not the text \"two\""
        ),
        "{check}"
    );
    repo.write(
        "web.yaml",
        web.replace(
            "name: web}\nspec",
            "name: web, annotations: {kustomize.toolkit.fluxcd.io/substitute: disabled}}\nspec",
        ),
    );
    repo.commit("Not substituted");
    let check = repo.trueup(&["check"]).run().exits(1);
    assert!(check.stdout.contains("\n2 errors, 0 warnings · "), "{check}");
}
