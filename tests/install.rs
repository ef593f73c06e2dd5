//! `trueup install`: systemd, a shell, our own reader and a real API server take what it prints.

use std::fs;
use std::path::Path;

use trueup::core::manifest;

use crate::support::command::{Cmd, Output};
use crate::support::repo::Repo;
use crate::support::sandbox;

/// A repository with a target and a remote.
fn repo(name: &str) -> Repo<'static> {
    let repo = Repo::new(name, sandbox::bare());
    repo.write("trueup.yaml", "targets: {prod: {paths: [prod]}}\n");
    repo.write("prod/a.yaml", crate::support::objects::config("a", "1")).commit("First");
    let url = format!("file://{}", repo.path().display());
    repo.git(&["remote", "add", "origin", &url]);
    repo
}

#[track_caller]
fn printed(repo: &Repo<'_>, args: &[&str]) -> String {
    let output = repo.run(&[&["install", "--print"], args].concat()).exits(0);
    assert_eq!(output.stderr, "", "{output}");
    output.stdout
}

/// Writes units where their first lines say, below a folder, and gives their paths.
fn units(text: &str, folder: &Path) -> Vec<String> {
    let mut paths: Vec<String> = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("# /etc/systemd/system/") {
            paths.push(folder.join(name).display().to_string());
            fs::write(paths.last().unwrap(), "").unwrap();
        }
        let path = paths.last().expect("the first line names the file");
        fs::write(path, fs::read_to_string(path).unwrap() + line + "\n").unwrap();
    }
    paths
}

fn systemd_analyze(args: &[&str]) -> Output {
    let program = Path::new("/usr/bin/systemd-analyze");
    assert!(program.exists(), "systemd-analyze is missing: apt-get install systemd");
    Cmd::new(program).args(args).run()
}

#[test]
fn systemd_takes_the_units() {
    let repo = repo("install-systemd");
    for (form, count) in [("systemd", 1), ("systemd-timer", 2)] {
        let text = printed(&repo, &[form, "prod", "--program", env!("CARGO_BIN_EXE_trueup")]);
        let folder = tempfile::tempdir().unwrap();
        let paths = units(&text, folder.path());
        assert_eq!(paths.len(), count, "{text}");
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        let verified = systemd_analyze(&[&["verify", "--man=no"], &paths[..]].concat()).exits(0);
        // It warns of settings that it does not know.
        let about = |line: &&str| line.contains("trueup");
        let warned: Vec<&str> = verified.stderr.lines().filter(about).collect();
        assert!(warned.is_empty(), "{verified}");
        let exposed = ["security", "--offline=true", "--threshold=20", "--no-pager", paths[0]];
        systemd_analyze(&exposed).exits(0);
    }
}

#[test]
fn the_line_of_a_crontab_runs_a_round() {
    let repo = repo("install-cron");
    let program = env!("CARGO_BIN_EXE_trueup");
    let text = printed(&repo, &["cron", "prod", "--interval", "5m", "--program", program]);
    let line = text.lines().last().unwrap();
    let command = line.strip_prefix("*/5 * * * * ").unwrap().replace("\\%", "%");
    let run = || repo.trueup(&[]).shell(&command).run().exits(0);
    assert!(run().stdout.contains("at "), "the first round tells what it did");
    let silent = run();
    assert_eq!((silent.stdout.as_str(), silent.stderr.as_str()), ("", ""));
    assert_eq!(repo.value("a"), "1");
    let args = ["install", "--print", "cron", "prod", "--interval", "7m"];
    let refused = repo.run(&args).exits(2);
    assert!(refused.stderr.contains("cron can't run every 420 s"), "{refused}");
}

#[test]
fn a_server_takes_the_workloads_with_their_roles() {
    let repo = repo("install-workloads");
    for form in ["deployment", "cronjob"] {
        let text = printed(&repo, &[form, "prod", "--interval", "5m"]);
        let path = repo.outside().join(form).display().to_string();
        fs::write(&path, &text).unwrap();
        let taken = repo.kubectl(&["apply", "--dry-run=server", "-f", &path]).exits(0);
        for kind in ["serviceaccount", form.trim_end_matches("s"), "rolebinding", "clusterrole"] {
            assert!(taken.stdout.contains(kind), "{kind}: {taken}");
        }
        let checked = Repo::new(&format!("install-{form}"), sandbox::bare());
        checked.write("all.yaml", &text).commit("Installed");
        let found = checked.run(&["check", "-W"]).exits(0);
        assert!(found.stdout.starts_with("0 errors, 0 warnings"), "{found}");
    }
}

#[test]
fn every_script_of_the_workflow_is_one() {
    let repo = repo("install-github");
    let text = printed(&repo, &["github-action", "prod"]);
    let (value, _) = manifest::value("w.yaml", text.as_bytes()).unwrap().unwrap();
    let mut scripts = 0;
    for job in ["check", "apply"] {
        for step in value["jobs"][job]["steps"].as_array().unwrap() {
            assert!(step["uses"].is_null(), "an action of others: {step}");
            let script = repo.outside().join("script");
            fs::write(&script, step["run"].as_str().unwrap()).unwrap();
            Cmd::new("bash").args(["-n", script.to_str().unwrap()]).run().exits(0);
            scripts += 1;
        }
    }
    assert_eq!(scripts, 7, "{text}");
    let last = text.lines().last().unwrap();
    assert_eq!(last.trim(), "trueup apply --target prod --namespace install-github --yes --wait");
}

#[test]
fn a_checkout_without_a_remote_can_not_be_installed() {
    let repo = Repo::new("install-remote", sandbox::bare());
    repo.write_config("a", "1").commit("First");
    let output = repo.run(&["install", "--print", "systemd"]).exits(2);
    assert!(output.stderr.contains("remote"), "{output}");
}
