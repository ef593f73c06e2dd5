//! Arguments, `trueup.yaml`, a kubeconfig, and a repository's branch: what each error repeats.

use std::fs;
use std::path::Path;

use super::{assert_inert, assert_told, hostile, yaml};
use crate::support::command::Cmd;
use crate::support::git::{Upstream, git};

/// A command in `folder` that reaches no cluster.
fn trueup(folder: &Path, args: &[&str]) -> Cmd {
    let cmd = Cmd::trueup().dir(folder).env("KUBECONFIG", "/dev/null").args(args);
    cmd.args(["--color", "always"])
}

#[test]
fn trueup_yaml_texts_are_escaped_in_errors() {
    let text = yaml(hostile("\n"));
    let target = |rest: &str| format!("targets:\n  {text}:\n    path: apps\n{rest}");
    for (yaml, args) in [
        // An unknown key, at the top and in a target; a wrong type; no YAML at all.
        (format!("{text}: 1\n"), &["check"][..]),
        (target(&format!("    {text}: 1\n")), &["check"]),
        (format!("targets: {text}\n"), &["check"]),
        (format!("targets:\n  {text}: [\n"), &["check"]),
        (format!("targets:\n  prod:\n    timeout: {text}\n"), &["check"]),
        (format!("targets:\n  prod:\n    cascade: {text}\n"), &["check"]),
        // Keys of targets, where one has to be chosen and where there is another.
        (format!("targets:\n  {text}: {{}}\n  b: {{}}\n"), &["check"]),
        (target(""), &["check", "--target", "nope"]),
        // A path that is not there, a pattern, a rule.
        (format!("targets:\n  prod:\n    path: {text}\n"), &["check"]),
        (format!("targets:\n  prod:\n    paths: [{text}]\n"), &["render"]),
        (target(&format!("    ignore: [{{paths: [{text}]}}]\n")), &["check"]),
        (target(&format!("    redact: [{{kinds: [{text}], paths: [{text}]}}]\n")), &["render"]),
        (target(&format!("    health: [{{kind: {text}, ready: {text}}}]\n")), &["check"]),
        (
            target(&format!("    render: {{helm: [{{chart: {text}, values: [{text}]}}]}}\n")),
            &["render"],
        ),
        (target(&format!("    render: {{jsonnet: [{{path: {text}}}]}}\n")), &["check"]),
    ] {
        let upstream = Upstream::empty();
        upstream.write("trueup.yaml", &yaml);
        upstream.write("apps/one.yaml", "kind: One\n");
        upstream.commit("One");
        let output = assert_inert(trueup(&upstream.work(), args));
        assert!(!output.status.success(), "{yaml}\n{}", String::from_utf8_lossy(&output.stdout));
    }
}

#[test]
fn arguments_are_escaped_in_errors() {
    let upstream = Upstream::new();
    let text = hostile("\n");
    let long = format!("--{text}");
    for args in [
        &[text.as_str()][..],
        &["diff", &long],
        &["diff", "--output", &text],
        &["watch", "--interval", &text],
        &["check", "--rev", &text],
        &["check", &text],
        &["check", "--target", &text],
        &["check", "--kubernetes-version", &text],
        &["-C", &text, "check"],
        &["diff", "--kubeconfig", &text],
        &["apply", "--plan", &text],
        &["pull", "--url", &text],
        &["pull", "--branch", &text],
        &["completions", &text],
    ] {
        let cmd = Cmd::trueup().dir(upstream.work()).env("KUBECONFIG", "/dev/null").args(args);
        let output = assert_inert(cmd.env("CLICOLOR_FORCE", "1").env_remove("NO_COLOR"));
        assert!(!output.status.success(), "{args:?}");
        assert_told(&output);
    }
    let cmd = trueup(&upstream.work(), &["diff"]).env("TRUEUP_CONCURRENCY", &text);
    assert_told(&assert_inert(cmd));
}

#[test]
fn kubeconfig_texts_are_escaped_in_errors() {
    let upstream = Upstream::new();
    let text = yaml(hostile("\n"));
    let config = |server: &str, current: &str| {
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: {current}\n\
             clusters: [{{name: {text}, cluster: {{server: {server}}}}}]\n\
             users: [{{name: {text}, user: {{}}}}]\n\
             contexts: [{{name: {text}, context: {{cluster: {text}, user: {text}}}}}]\n"
        )
    };
    let refusing = "'http://127.0.0.1:9'";
    for (config, args) in [
        (config(refusing, "nope"), &["diff"][..]),
        (config(refusing, "''"), &["diff"]),
        (config(refusing, "''"), &["apply", "--context", "nope"]),
        (config(&text, &text), &["diff"]),
        (format!("{text}: [\n"), &["diff"]),
    ] {
        let file = upstream.folder().join("kubeconfig");
        fs::write(&file, config).unwrap();
        let output = assert_inert(trueup(&upstream.work(), args).env("KUBECONFIG", &file));
        assert!(!output.status.success());
    }
}

#[test]
fn branch_and_file_names_are_escaped() {
    let upstream = Upstream::new();
    let branch = "C4NARY\u{202e}\u{200b}branch";
    git(upstream.work(), ["checkout", "--quiet", "-b", branch]);
    upstream.commit("On a branch");
    for form in ["text", "json"] {
        let checkout = upstream.folder().join(format!("{form}\u{1b}[31m"));
        let checkout = checkout.to_str().unwrap();
        let pull = ["-C", checkout, "pull", "--branch", branch, "-o", form];
        let url = upstream.url();
        let clone = [&pull[..], &["--url", &url]].concat();
        assert_told(&assert_inert(trueup(upstream.folder(), &clone)));
        // Local work in the way.
        let file = format!("{}\n::notice::C4NARY", "C4NARY\u{1b}[31m");
        fs::write(Path::new(checkout).join(&file), "mine\n").unwrap();
        upstream.write(&file, form);
        upstream.commit("In the way");
        let refused = assert_inert(trueup(upstream.folder(), &pull));
        assert_eq!(refused.status.code(), Some(1));
        assert_told(&refused);
    }
}
