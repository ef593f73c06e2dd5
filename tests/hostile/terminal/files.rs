//! Manifests, and the files that they are in: what check and render print of them.

use std::path::Path;

use serde_json::{Value, json};

use super::{
    assert_bytes, assert_inert, assert_only_annotations, assert_told, hostile, hostile_name, run,
    yaml,
};
use crate::support::command::Cmd;
use crate::support::git::Upstream;
use crate::support::renderers;

/// A ConfigMap with hostile keys and values, of one line and of several.
fn object() -> Value {
    let text = hostile("\n");
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": { "name": "hostile", "labels": { &text: &text }, "annotations": { "a": &text } },
        "data": {
            &text: &text,
            "one": hostile(" "),
            "script": "echo hello\n::notice::C4NARY\n  ::notice::C4NARY\n\t::notice::C4NARY\necho ##[group]C4NARY\n",
            "plain": "a\ttab\nand text: [0] ::1 ##\n",
        },
    })
}

/// Sound and unsound manifests, in files with hostile names.
fn repository() -> Upstream {
    let upstream = Upstream::empty();
    let name = hostile_name();
    let text = yaml(hostile("\n"));
    upstream.write(&format!("{name}/object.yaml"), &yaml(object()));
    for (file, yaml) in [
        (
            "unknown-field",
            format!(
                "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\n{text}: 1\nspec: {text}\n"
            ),
        ),
        (
            "kind",
            format!(
                "apiVersion: {text}\nkind: {text}\nmetadata: {{name: {text}, namespace: {text}}}\n"
            ),
        ),
        (
            "twice",
            format!(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: twice}}\ndata: {{{text}: a, {text}: b}}\n"
            ),
        ),
        ("syntax", "a: [C4NARY\u{202e}\n::notice::C4NARY\n##[group]C4NARY\n".to_owned()),
        ("control", "a: \u{1b}[31mC4NARY\n".to_owned()),
        (
            "numbers",
            format!(
                "apiVersion: v1\nkind: Service\nmetadata: {{name: x}}\nspec: {{ports: [{{port: {text}}}]}}\n"
            ),
        ),
    ] {
        upstream.write(&format!("{name}/{file}-{name}.yaml"), &yaml);
    }
    upstream.commit(&hostile("\n"));
    upstream
}

fn trueup(folder: &Path, args: &[&str]) -> Cmd {
    Cmd::trueup().dir(folder).args(args)
}

#[test]
fn a_check_is_inert_in_every_form() {
    let upstream = repository();
    upstream.write(&format!("{}/later.yaml", hostile_name()), "kind: Later\n");
    for color in ["always", "never"] {
        let args = |form| ["check", "-o", form, "--color", color];
        for form in ["text", "json", "sarif"] {
            let output = assert_inert(trueup(&upstream.work(), &args(form)));
            assert_eq!(output.status.code(), Some(1));
            assert_told(&output);
            if form != "text" {
                let _: Value = serde_json::from_slice(&output.stdout).unwrap();
            }
        }
        assert_told(&assert_only_annotations(trueup(&upstream.work(), &args("github"))));
    }
}

#[test]
fn a_text_in_sarif_makes_no_link() {
    let upstream = Upstream::empty();
    let key = "[C4NARY](https://c4nary.example)";
    let yaml =
        format!("apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\n{key:?}: 1\n");
    upstream.write("[x](y).yaml", &yaml);
    upstream.commit("A link");
    let output = assert_inert(trueup(&upstream.work(), &["check", "-o", "sarif"]));
    let log: Value = serde_json::from_slice(&output.stdout).unwrap();
    let results = log["runs"][0]["results"].as_array().unwrap();
    let texts: Vec<&str> =
        results.iter().map(|it| it["message"]["text"].as_str().unwrap()).collect();
    assert!(texts.iter().any(|text| text.contains(r"\[C4NARY\](https://")), "{texts:?}");
    for result in results {
        assert!(result["message"].get("markdown").is_none());
        let uri = &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
        assert_eq!(uri, "%5Bx%5D%28y%29.yaml");
    }
}

#[test]
fn rendered_objects_are_escaped_and_unchanged() {
    let upstream = repository();
    let mut read = Vec::new();
    for form in ["yaml", "json"] {
        let output = assert_inert(trueup(&upstream.work(), &["render", "-o", form]));
        assert_told(&output);
        let text = String::from_utf8(output.stdout).unwrap();
        let documents: Vec<Value> = match form {
            "json" => {
                serde_json::from_str::<Value>(&text).unwrap()["items"].as_array().unwrap().clone()
            }
            _ => text
                .split("---\n")
                .skip(1)
                .map(|part| serde_yaml::from_str(part).unwrap())
                .collect(),
        };
        read.push(documents);
    }
    assert_eq!(read[0], read[1]);
    assert!(read[0].contains(&object()), "{:#?}", read[0]);
    // What is ordinary stays as it was written, tabs with it.
    let output = run(trueup(&upstream.work(), &["render"]));
    assert_bytes(&output.stdout, &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("  plain: |\n    a\ttab\n    and text: [0] ::1 ##\n"), "{text}");
}

#[test]
fn chart_failure_message_is_escaped() {
    let upstream = Upstream::empty();
    upstream.write("chart/Chart.yaml", "apiVersion: v2\nname: chart\nversion: 1.0.0\n");
    let text = yaml(hostile("\n"));
    upstream.write("chart/templates/fail.yaml", &format!("{{{{ fail {text} }}}}\n"));
    upstream.commit("A chart");
    for args in [&["render"][..], &["check"], &["check", "-o", "json"], &["check", "-o", "sarif"]] {
        let cmd = renderers::with(trueup(&upstream.work(), args));
        let output = assert_inert(cmd.args(["--color", "always"]));
        assert!(!output.status.success());
        assert_told(&output);
    }
    let cmd = renderers::with(trueup(&upstream.work(), &["check", "-o", "github"]));
    assert_told(&assert_only_annotations(cmd));
}
