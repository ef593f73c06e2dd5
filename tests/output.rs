//! What a run prints: text, JSON with its documented keys, names for kubectl; and that the requests
//! it counts are those that the API server had.

use serde_json::Value;

use crate::support::audit_log::Request;
use crate::support::command::Cmd;
use crate::support::objects::config;
use crate::support::repo::Repo;
use crate::support::sandbox;

fn json(output: &str) -> Value {
    serde_json::from_str(output).unwrap_or_else(|error| panic!("{error} in\n{output}"))
}

#[test]
fn json_agrees_with_text() {
    let repo = Repo::new("output-json", sandbox::bare());
    repo.write("envs/one.yaml", config("one", "1")).commit("First");
    let diff = json(&repo.run(&["diff", "-o", "json"]).exits(1).stdout);
    let commit = repo.git(&["rev-parse", "HEAD"]).stdout.trim().to_owned();
    assert_eq!(diff["version"], 1);
    assert_eq!(diff["revision"]["commit"], commit.as_str());
    assert_eq!(diff["revision"]["named"], "main");
    assert_eq!(diff["target"]["inventory"]["name"], "trueup-output-json");
    assert_eq!(diff["summary"]["create"], 1);
    let change = &diff["changes"][0];
    assert_eq!(change["action"], "create");
    let object = serde_json::json!({
        "group": "", "version": "v1", "kind": "ConfigMap", "namespace": "output-json", "name": "one"
    });
    assert_eq!(change["object"], object);
    assert_eq!(change["origin"], serde_json::json!({ "path": "envs/one.yaml", "line": 1 }));
    assert!(diff.get("report").is_none());

    let apply = json(&repo.run(&["apply", "-o", "json"]).exits(0).stdout);
    assert_eq!(apply["report"]["at_commit"], true);
    let step = &apply["report"]["steps"][0];
    assert_eq!((&step["outcome"], &step["object"]), (&"done".into(), &object));

    repo.write("envs/one.yaml", config("one", "2")).commit("Second");
    let diff = json(&repo.run(&["diff", "-o", "json", "--exit-zero"]).exits(0).stdout);
    let field = &diff["changes"][0]["fields"][0];
    assert_eq!((&field["path"], &field["why"]), (&"data.key".into(), &"changed".into()));
    assert_eq!((&field["before"], &field["after"]), (&"1".into(), &"2".into()));
    repo.run(&["diff", "-o", "name"]).shows("diff/names").exits(1);
    repo.run(&["diff", "-o", "json"]).shows("diff/json").exits(1);

    repo.write("bad.yaml", "a: b: c\n").commit("Third");
    let diff = json(&repo.run(&["diff", "-o", "json"]).exits(1).stdout);
    assert_eq!(diff["problems"][0]["path"], "bad.yaml");
    assert_eq!(diff["problems"][0]["line"], 1);
}

#[test]
fn a_pull_request_gets_a_comment_and_annotations() {
    let repo = Repo::new("output-comment", sandbox::bare());
    repo.write("envs/one.yaml", config("one", "1")).write_config("gone", "1").commit("First");
    let apply = repo.run(&["apply", "-o", "markdown"]).exits(0);
    let commit = repo.git(&["rev-parse", "--short=7", "HEAD"]).stdout.trim().to_owned();
    let verdict = format!("is at {commit} “First”: 2 objects, 2 changed\n");
    assert!(apply.stdout.contains(&verdict), "{apply}");
    apply.shows("apply/markdown");
    repo.run(&["diff", "-o", "markdown"]).shows("diff/markdown-in-sync").exits(0);

    repo.write("envs/one.yaml", config("one", "```")).remove("gone.yaml").commit("Second");
    let diff = repo.run(&["diff", "-o", "markdown"]).shows("diff/markdown").exits(1);
    assert_eq!(repo.run(&["diff", "-o", "markdown"]).stdout, diff.stdout, "the same once more");

    repo.run(&["diff", "-o", "github"]).shows("diff/github").exits(1);

    repo.write("bad.yaml", "a: b: c\n").commit("Third");
    repo.run(&["apply", "-o", "github"]).shows("apply/github").exits(1);
}

#[test]
fn the_requests_that_are_counted_are_those_that_the_server_had() {
    // One of its own: every request of a trueup is this test's.
    let plane = &sandbox::own();
    let repo = Repo::new("output-requests", plane);
    for n in 0..20 {
        repo.write_config(&format!("o{n}"), "1");
    }
    repo.commit("Twenty");
    let had = || plane.audit_log.count_of(Request::is_ours);
    // Another server may have had its address before, and what it served is kept.
    let cache = repo.outside().join("cache");
    let mut counts = Vec::new();
    for (verb, status) in [("diff", 1), ("apply", 0), ("diff", 0)] {
        let before = had();
        let command = repo.trueup(&[verb, "-o", "json"]).env("XDG_CACHE_HOME", &cache);
        let output = command.run().exits(status);
        let requests = json(&output.stdout)["requests"].as_u64().unwrap();
        assert_eq!(requests, (had() - before) as u64, "\n{output}");
        counts.push(requests);
    }
    // Discovery 2 the first time, and 1 then; the parent, the identity, the inventory's namespace, a LIST of the kind
    // that no record names yet, a dry run each; then also an apply each, the record twice and the
    // lock thrice, who it was, the history and an Event; then a LIST, and nothing for any object.
    assert_eq!(counts, [26, 53, 4]);
}

#[test]
fn a_sandbox_stands_in_for_a_cluster() {
    let folder = tempfile::tempdir().unwrap();
    let git = |args: &[&str]| {
        Cmd::new("git").dir(folder.path()).args(args).run().exits(0);
    };
    git(&["init", "--quiet", "--initial-branch", "main"]);
    std::fs::write(folder.path().join("all.yaml"), include_str!("../fixtures/born-together.yaml"))
        .unwrap();
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "--message", "All at once"]);
    let diff = Cmd::trueup().dir(folder.path()).args(["diff", "--sandbox"]).run().exits(1);
    assert!(diff.stdout.contains("4 to create"), "{diff}");
    let apply = Cmd::trueup().dir(folder.path()).args(["apply", "--sandbox"]).run().exits(0);
    assert!(apply.stdout.contains("✓ Voucher"), "{apply}");
    let both = ["apply", "--sandbox", "--context", "x"];
    let both = Cmd::trueup().dir(folder.path()).args(both).run().exits(2);
    assert!(both.stderr.contains("cannot be used with"), "{both}");
}

#[test]
fn uncommitted_changes_need_worktree() {
    let repo = Repo::new("output-worktree", sandbox::bare());
    repo.write_config("one", "1").commit("First");
    repo.run(&["apply"]).exits(0);
    repo.write_config("one", "2")
        .write("notes/.trueupignore", "*\n")
        .write("notes/x.yaml", "no: manifest\n");
    repo.run(&["diff"]).shows("diff/uncommitted").exits(0);
    repo.run(&["diff", "--worktree"]).shows("diff/worktree").exits(1);
    repo.run(&["apply", "--worktree"]).exits(0);
    let recorded = repo.annotation("trueup-output-worktree", "trueup.dev/revision");
    assert!(recorded.ends_with("-dirty"), "{recorded}");
}

#[cfg(unix)]
#[test]
fn on_a_terminal_apply_shows_the_plan_and_asks() {
    let repo = Repo::new("output-asks", sandbox::bare());
    repo.write_config("one", "1").commit("First");
    let ask = |answer: &str| {
        let apply = repo.trueup(&["apply"]).into_inner();
        let trueup = apply.get_program().to_str().unwrap().to_owned();
        let script = format!(
            "printf '{answer}\\n' | script --quiet --return --command '{trueup} apply' /dev/null"
        );
        repo.trueup(&[]).shell(&script).run()
    };
    let no = ask("n");
    let commit = repo.git(&["rev-parse", "--short=7", "HEAD"]).stdout;
    let question = format!("Apply output-asks at {} to trueup-sandbox", commit.trim());
    assert!(no.stdout.contains(&question) && no.stdout.contains(": 1 to create? [y/N]"), "{no}");
    assert_eq!((no.status, repo.writes()), (Some(1), 0), "\n{no}");
    let yes = ask("y");
    assert_eq!(yes.status, Some(0), "\n{yes}");
    assert_eq!(repo.members("configmap"), ["configmap/one"]);
}

#[test]
fn a_narrow_terminal_gets_narrow_messages_and_a_file_whole_lines() {
    let repo = Repo::new("output-narrow", sandbox::bare());
    repo.write("envs/one.yaml", config("one", "1")).commit("First");
    let trueup = repo.trueup(&[]).into_inner();
    let trueup = trueup.get_program().to_str().unwrap().to_owned();
    let run = format!("stty rows 24 columns 50; {trueup} diff envs; {trueup} diff elsewhere");
    let script = format!("script --quiet --return --command '{run}' /dev/null");
    let terminal = repo.trueup(&[]).shell(&script).run();
    assert_eq!(terminal.status, Some(2), "{terminal}");
    // What comes behind a progress bar takes its place.
    let seen = |line: &'_ str| line.rsplit("\u{1b}[2K").next().unwrap().trim_end().to_owned();
    let lines: Vec<String> = terminal.stdout.lines().map(seen).collect();
    for line in &lines {
        assert!(line.chars().count() <= 50, "{line:?} is wide\n{terminal}");
    }
    let hint = "only what is committed counts; commit it, or use --worktree";
    assert!(lines.iter().any(|line| line == "           it, or use --worktree"), "{terminal}");

    let file = repo.run(&["diff", "elsewhere"]).exits(2);
    assert!(file.stderr.contains(&format!("  do this: {hint}\n")), "{file}");
}
