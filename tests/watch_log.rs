//! The lines of a watch: when they were written, how long they are, and what they tell.

use std::fs;
use std::path::Path;

use crate::support::command::Cmd;
use crate::support::eventually::eventually;
use crate::support::git::git;
use crate::support::http::GitServer;
use crate::support::repo::Repo;
use crate::support::sandbox;
use crate::support::watching::Watching;

/// A ConfigMap with one value, as a file for kubectl.
fn replaced(repo: &Repo<'_>, name: &str, value: &str) {
    let file = repo.outside().join("by-hand.yaml");
    let text = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{key: \"{value}\"}}\n"
    );
    fs::write(&file, text).unwrap();
    let apply = ["apply", "--server-side", "--force-conflicts", "--field-manager=hand", "-f"];
    repo.kubectl(&[&apply[..], &[file.to_str().unwrap()]].concat()).exits(0);
}

#[test]
fn lines_have_a_date_and_are_bounded() {
    let repo = Repo::new("watch-log-long", sandbox::bare());
    repo.write_config("one", "1").commit("First");
    repo.run(&["apply"]).exits(0);
    replaced(&repo, "one", &"x".repeat(350_000));
    let output = repo.run(&["watch", "--once"]).exits(0);
    let drift = output.stdout.lines().find(|line| line.contains("drift: ")).unwrap();
    assert!(drift.contains("one data.key xxx"), "{output}");
    assert!(drift.ends_with("more characters) → 1, put back"), "{output}");
    assert_eq!(repo.value("one"), "1");
    for line in output.stdout.lines() {
        assert!(line.chars().count() <= 300, "{line}");
        let (time, rest) = line.split_once(' ').unwrap();
        assert!(time.len() == "2026-11-30T00:20:08Z".len() && time.ends_with('Z'), "{line}");
        assert!(time.parse::<jiff::Timestamp>().is_ok(), "{line}");
        assert!(rest.starts_with("watch-log-long  "), "{line}");
    }
}

#[test]
fn drift_is_told_in_the_round_of_a_new_commit() {
    let repo = Repo::new("watch-log-drift", sandbox::bare());
    for name in ["changed", "gone", "kept", "both"] {
        repo.write_config(name, "1");
    }
    repo.commit("First");
    repo.run(&["apply"]).exits(0);
    replaced(&repo, "changed", "by hand");
    replaced(&repo, "both", "by hand");
    repo.delete_config_map("gone");
    repo.write_config("both", "2").write_config("kept", "2").write_config("new", "1");
    repo.commit("Second");
    let output = repo.run(&["watch", "--once"]).exits(0);
    let drift = |line: &str| line.split_once("drift: ").map(|(_, drift)| drift.to_owned());
    let mut drifts: Vec<String> = output.stdout.lines().filter_map(drift).collect();
    drifts.sort();
    assert_eq!(
        drifts,
        [
            "ConfigMap watch-log-drift/both data.key by hand → 2, overwritten by the commit",
            "ConfigMap watch-log-drift/changed data.key by hand → 1, put back",
            "ConfigMap watch-log-drift/gone gone, put back",
        ],
        "{output}"
    );
    assert!(output.stdout.contains("5 changed"), "{output}");
}

#[test]
fn a_commit_that_cannot_be_used_is_named_with_its_author() {
    let repo = Repo::new("watch-log-author", sandbox::bare());
    repo.write_config("one", "1").commit("First");
    repo.run(&["apply"]).exits(0);
    let ends = |output: &crate::support::command::Output| {
        let commit = repo.git(&["rev-parse", "--short=7", "HEAD"]).stdout;
        let by = format!(" · {} by Author", commit.trim());
        output.stdout.lines().any(|line| line.contains("  ! ") && line.ends_with(&by))
    };
    repo.write("bad.yaml", "a: b: c\n").commit("One bad document");
    let partly = repo.run(&["watch", "--once"]).exits(1);
    assert!(ends(&partly), "{partly}");
    repo.write("trueup.yaml", "targets:\n  all:\n    pahts: [.]\n").commit("Bad settings");
    let settings = repo.run(&["watch", "--once"]);
    assert_ne!(settings.status, Some(0), "{settings}");
    repo.remove("trueup.yaml").remove("one.yaml").commit("Nothing is left");
    let nothing = repo.run(&["watch", "--once"]).exits(2);
    assert!(ends(&nothing), "{nothing}");
}

#[test]
fn a_remote_that_wants_credentials_is_told_in_one_line() {
    let repo = Repo::new("watch-log-credentials", sandbox::bare());
    repo.write_config("one", "1").commit("First");
    let server = GitServer::https(repo.outside(), Some("bob:s3cret"));
    let authority = repo.outside().join("ca.pem");
    fs::write(&authority, server.authority()).unwrap();
    let url = server.url("watch-log-credentials/.git");
    let checkout = repo.outside().join("checkout");
    let run = |args: &[&str]| {
        let place = ["-C", checkout.to_str().unwrap()];
        let command = repo.trueup(&[&place, args].concat());
        command.env("GIT_SSL_CAINFO", &authority).env("GIT_TERMINAL_PROMPT", "0").run()
    };
    run(&["pull", "--url", &url.replace("https://", "https://bob:s3cret@")]).exits(0);
    git(&checkout, ["remote", "set-url", "origin", &url]);
    let output = run(&["watch", "--once"]).exits(2);
    let line = format!(
        "cannot fetch from {url}: the server wants credentials, and git has none for it (HTTP status 401) \
         (give git credentials for it: git config credential.helper, or an http.extraHeader)"
    );
    assert!(output.stdout.lines().any(|it| it.ends_with(&line)), "{output}");
    assert!(!output.to_string().contains("s3cret"), "{output}");
}

#[test]
fn a_file_that_cannot_be_written_is_told_each_time_that_this_begins() {
    let repo = Repo::new("watch-log-files", sandbox::bare());
    repo.write_config("one", "1").commit("First");
    let [folder, away] = ["signs", "away"].map(|name| repo.outside().join(name));
    fs::create_dir(&folder).unwrap();
    let left = folder.join(".trueup-replacing-x1y2z3");
    fs::write(&left, "half").unwrap();
    let written = std::time::SystemTime::now() - std::time::Duration::from_secs(1000);
    fs::File::options().append(true).open(&left).unwrap().set_modified(written).unwrap();
    let [status, metrics] = ["status.json", "trueup.prom"].map(|name| folder.join(name));
    let [status, metrics] = [status, metrics].map(|file| file.display().to_string());
    let files = ["--status-file", status.as_str(), "--metrics-file", metrics.as_str()];
    let watching = Watching::start(&repo, &files);
    watching.says("1 changed");
    assert!(!left.exists(), "a process that was killed left it");
    for _ in 0..2 {
        fs::rename(&folder, &away).unwrap();
        watching.says(&format!("warning: cannot write {status}: "));
        watching.says(&format!("warning: cannot write {metrics}: "));
        fs::rename(&away, &folder).unwrap();
        fs::remove_file(&metrics).unwrap();
        eventually("it is written again", || Path::new(&metrics).exists());
    }
    assert_eq!(watching.times("cannot write"), 4, "{:#?}", watching.said());
    assert_eq!(watching.stop(), Some(0));

    // A pipe is neither waited for nor replaced.
    fs::remove_file(&metrics).unwrap();
    Cmd::new("mkfifo").args([&metrics]).run().exits(0);
    let program = env!("CARGO_BIN_EXE_trueup");
    let checkout = repo.outside().join("checkout").display().to_string();
    let script =
        format!("timeout 100 {program} -C {checkout} watch --once --metrics-file {metrics}");
    let piped = repo.trueup(&[]).shell(&script).run().exits(0);
    assert!(piped.stdout.contains("it is there and not a file"), "{piped}");
}
