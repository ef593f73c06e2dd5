//! A commit, its objects, and an API server that means ill: what diff, apply and watch print.

use serde_json::{Value, json};

use super::{
    assert_inert, assert_only_annotations, assert_told, hostile, hostile_name, storable, yaml,
};
use crate::support::between::Between;
use crate::support::repo::Repo;
use crate::support::sandbox;

const FORMS: [&str; 5] = ["text", "json", "markdown", "github", "name"];

/// A ConfigMap whose keys and texts are hostile as far as a server takes them.
fn config(name: &str, text: &str) -> String {
    let data = json!({ "text": text, "one-line": storable(" ") });
    yaml(json!({
        "apiVersion": "v1", "kind": "ConfigMap", "data": data,
        "metadata": { "name": name, "annotations": { "trueup.example/a": text } },
    }))
}

/// Runs a verb in every form; `told` says in which ones the text stands.
#[track_caller]
fn in_every_form(repo: &Repo<'_>, kubeconfig: Option<&Between>, args: &[&str], told: &[&str]) {
    for form in FORMS {
        for color in ["always", "never"] {
            let cmd = repo.trueup(args).args(["-o", form, "--color", color]);
            let cmd = match kubeconfig {
                Some(between) => cmd.env("KUBECONFIG", between.kubeconfig()),
                None => cmd,
            };
            let output = match form {
                "github" => assert_only_annotations(cmd),
                _ => assert_inert(cmd),
            };
            if form == "json" && !output.stdout.is_empty() {
                let _: Value = serde_json::from_slice(&output.stdout).unwrap();
            }
            if told.contains(&form) {
                assert_told(&output);
            }
        }
    }
}

#[test]
fn commit_and_object_texts_are_escaped() {
    let repo = Repo::new("terminal-objects", sandbox::bare());
    let file = format!("{}.yaml", hostile_name());
    repo.write(&file, config("one", &storable("\n")));
    let author = format!("--author={} <a@example.com>", hostile(" "));
    let commit = |message: &str| {
        repo.git(&["add", "--all"]);
        repo.git(&["commit", "--quiet", &author, "--message", message]);
    };
    commit(&hostile(" "));
    in_every_form(&repo, None, &["diff"], &["text", "json", "markdown", "github"]);
    let all = ["text", "json", "github", "markdown"];
    let applied = assert_inert(repo.trueup(&["apply", "--color", "always"]));
    assert_eq!(applied.status.code(), Some(0));
    // Others have written meanwhile.
    let data = json!({ "text": storable("\n") + "\ndrift", "one-line": storable(" ") + "drift" });
    let patch = json!({ "data": data }).to_string();
    let manager = "--field-manager=C4NARY";
    repo.kubectl(&["patch", "configmap", "one", "-p", &patch, manager]).exits(0);
    let watch = ["watch", "--once", "--no-pull", "--color", "always"];
    assert_told(&assert_inert(repo.trueup(&watch)));
    repo.write(&file, config("one", &format!("{}\nmore\n", storable("\n"))));
    repo.write("missing.yaml", "a: [\u{202e}C4NARY\n::notice::C4NARY\n");
    commit(&hostile(" "));
    repo.kubectl(&["patch", "configmap", "one", "-p", &patch, manager]).exits(0);
    repo.write(&file, config("one", "not committed"));
    in_every_form(&repo, None, &["diff"], &all);
    in_every_form(&repo, None, &["apply"], &["text", "json"]);
    // Nothing of it is in the way of a program that shows the differences.
    let diff = repo.trueup(&["diff"]).env("KUBECTL_EXTERNAL_DIFF", "ls -R");
    assert_inert(diff);
}

#[test]
fn api_server_messages_are_escaped() {
    let repo = Repo::new("terminal-message", sandbox::bare());
    let body = json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 422, "reason": "Invalid",
        "message": format!("admission webhook denied the request: {}", hostile("\n")),
        "details": {
            "name": hostile("\n"), "kind": hostile("\n"),
            "causes": [{ "reason": hostile("\n"), "message": hostile("\n"), "field": "data" }],
        },
    });
    let body = body.to_string();
    let answer = format!(
        "HTTP/1.1 422 Unprocessable Entity\r\nContent-Type: application/json\r\n\
         Warning: 299 - \"C4NARY\u{85}\"\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let between = Between::answering(sandbox::bare(), move |line| {
        line.starts_with("PATCH").then(|| answer.clone())
    });
    repo.write_config("one", "1").commit("One");
    let told = ["text", "json", "markdown", "github"];
    in_every_form(&repo, Some(&between), &["diff"], &told);
    in_every_form(&repo, Some(&between), &["apply"], &["text", "json"]);
    let watch = repo.trueup(&["watch", "--once", "--no-pull", "--color", "always"]);
    assert_told(&assert_inert(watch.env("KUBECONFIG", between.kubeconfig())));
}

#[test]
fn proxy_error_pages_are_escaped() {
    let repo = Repo::new("terminal-proxy", sandbox::bare());
    repo.write_config("one", "1").commit("One");
    for (status, kind) in [("502 Bad Gateway", "text/html"), ("403 Forbidden", "text/plain")] {
        let body = format!("<html><title>{}</title>\n{}", hostile("\n"), hostile("\n"));
        let answer = format!(
            "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            body.len()
        );
        let between = Between::answering(sandbox::bare(), move |_| Some(answer.clone()));
        for form in FORMS {
            let cmd = repo.trueup(&["diff", "-o", form, "--color", "always"]);
            let output = assert_inert(cmd.env("KUBECONFIG", between.kubeconfig()));
            assert_eq!(output.status.code(), Some(2));
        }
    }
}
