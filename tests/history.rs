//! `trueup history` on a real API server: the questions, this machine's log, and what is written by others.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use trueup::cluster::{Access, Append, Cluster};
use trueup::core::history::{
    Cause, ImageChange, Phases, RanBy, RecordedCluster, RecordedCommit, RecordedObject, RunOutcome,
    RunRecord, RunRollback, history_name, record_id,
};
use trueup::core::inventory::Inventory;
use trueup::core::object::ObjectKey;
use trueup::core::plan::Action;
use trueup::local::history_log::HistoryLog;
use trueup::local::state_store::StateStore;

use crate::support::command::{Cmd, Output};
use crate::support::objects::config;
use crate::support::repo::Repo;
use crate::support::sandbox;

/// The begin of all times here.
fn at(minute: i64) -> Timestamp {
    "2026-10-01T12:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_mins(minute)
}

fn inventory(repo: &Repo<'_>, target: &str) -> Inventory {
    Inventory { name: format!("trueup-{target}"), namespace: repo.namespace().to_owned() }
}

/// A round of a commit that took a minute.
fn record(repo: &Repo<'_>, target: &str, minute: i64, outcome: RunOutcome) -> RunRecord {
    let head = repo.git(&["rev-parse", "HEAD"]).stdout.trim().to_owned();
    let root = repo.git(&["rev-list", "--max-parents=0", "HEAD"]).stdout.trim().to_owned();
    let key = ObjectKey {
        group: "apps".to_owned(),
        kind: "Deployment".to_owned(),
        namespace: Some("shop".to_owned()),
        name: "web".to_owned(),
    };
    let image = |version: i64| Some(format!("registry.example/web:{version}"));
    RunRecord {
        id: record_id(at(minute), u32::try_from(minute).unwrap()),
        target: target.to_owned(),
        inventory: inventory(repo, target),
        repository: root,
        cluster: RecordedCluster::default(),
        commit: RecordedCommit {
            id: head,
            named: "main".to_owned(),
            subject: format!("Version {minute} of web"),
            author: "Ann".to_owned(),
            time: at(minute - 10),
            dirty: false,
            signer: None,
            verdict: None,
        },
        before: None,
        cause: Cause::Deployment,
        by: RanBy {
            user: Some("ann".to_owned()),
            login: "ann".to_owned(),
            host: "build-3".to_owned(),
            version: "0.1.0".to_owned(),
            verb: "apply".to_owned(),
        },
        started: at(minute),
        ended: at(minute + 1),
        phases: Phases::default(),
        plan: "0".repeat(64),
        counts: BTreeMap::from([("update".to_owned(), 1)]),
        objects: vec![RecordedObject {
            key: key.clone(),
            action: Action::Update,
            outcome: "done".to_owned(),
            origin: Some("web.yaml:1".to_owned()),
        }],
        more_objects: 0,
        images: vec![ImageChange {
            key,
            container: "main".to_owned(),
            before: image(minute - 1),
            after: image(minute),
        }],
        more_images: 0,
        outcome,
        changed: 1,
        reason: (!outcome.is_success()).then(|| "Deployment shop/web: no such image".to_owned()),
        health: None,
        rollback: (outcome == RunOutcome::RolledBack).then(|| RunRollback {
            to: Some("4f2c1a9".repeat(6)[..40].to_owned()),
            outcome: "healthy".to_owned(),
        }),
        requests: 9,
    }
}

/// Appends records to the history of a target.
fn append(repo: &Repo<'_>, target: &str, records: &[RunRecord]) {
    let access = Access {
        kubeconfig: Some(repo.plane().kubeconfig.clone()),
        concurrency: 4,
        memory: StateStore::new(repo.outside().join("memory")),
        ..Access::default()
    };
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let cluster = Cluster::connect(&access).await.unwrap();
        let inventory = inventory(repo, target);
        cluster
            .append_history(Append { inventory: &inventory, records, is_new: true })
            .await
            .unwrap();
    });
}

/// A command with a state folder of the test's own, and that folder's log.
fn with_log(repo: &Repo<'_>, args: &[&str]) -> (Cmd, HistoryLog, PathBuf) {
    let state = repo.outside().join("state");
    let folder = state.join("trueup/history");
    let command = repo.trueup(args).env("XDG_STATE_HOME", &state).env("TZ", "UTC");
    (command, HistoryLog::new(folder.clone()), folder)
}

#[track_caller]
fn run(repo: &Repo<'_>, args: &[&str]) -> Output {
    with_log(repo, args).0.run()
}

fn json_of(output: &Output) -> Value {
    serde_json::from_str(&output.stdout).unwrap()
}

/// A repository with two targets and a history of both in the cluster.
fn two_targets(name: &str) -> Repo<'static> {
    let repo = Repo::new(name, sandbox::bare());
    repo.write(
        "trueup.yaml",
        "targets:\n  prod:\n    paths: [prod]\n  staging:\n    paths: [staging]\n",
    );
    repo.write("prod/a.yaml", crate::support::objects::config("a", "1")).commit("First");
    repo.write("prod/a.yaml", crate::support::objects::config("a", "2")).commit("Second");
    let old = |record: RunRecord| RunRecord {
        commit: RecordedCommit { id: "4f2c1a9".repeat(6)[..40].to_owned(), ..record.commit },
        ..record
    };
    let before = repo.git(&["rev-parse", "HEAD^"]).stdout.trim().to_owned();
    let last = record(&repo, "prod", 60, RunOutcome::Healthy);
    let last = RunRecord { before: Some(before), ..last };
    append(&repo, "prod", &[old(record(&repo, "prod", 10, RunOutcome::Healthy)), last]);
    append(&repo, "staging", &[record(&repo, "staging", 30, RunOutcome::RolledBack)]);
    repo
}

#[test]
fn each_question_has_an_answer() {
    let repo = two_targets("history-questions");
    run(&repo, &["history"]).shows("history/rounds").exits(0);
    run(&repo, &["history", "prod", "-p", "-n", "1"]).shows("history/patch").exits(0);
    run(&repo, &["history", "--at", "2026-10-01T12:40Z"]).shows("history/at").exits(0);
    run(&repo, &["history", "--image", "web"]).shows("history/image").exits(0);
    run(&repo, &["history", "--object", "deployment/web"]).shows("history/object").exits(0);
    for object in ["deploy/web", "deployments/shop/web", "deployments.apps/web"] {
        let told = run(&repo, &["history", "--object", object]).exits(0);
        assert!(told.stdout.contains("web.yaml:1"), "{told}");
    }
    let unknown = run(&repo, &["history", "--object", "deplyo/web"]).exits(2);
    assert!(unknown.stderr.contains("no kind \"deplyo\" is known"), "{unknown}");
    run(&repo, &["history", "--stats", "-n", "2"]).exits(2);
    let (since, until) = ("2026-09-20T00:00Z", "2026-10-20T00:00Z");
    run(&repo, &["history", "--stats", "--since", since, "--until", until])
        .shows("history/stats")
        .exits(0);
    run(&repo, &["history", "-o", "markdown"]).shows("history/markdown").exits(0);
    run(&repo, &["history", "--failed", "-o", "csv"]).shows("history/csv").exits(0);
    let json = json_of(&run(&repo, &["history", "-o", "json"]).exits(0));
    let runs = json["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 3);
    assert_eq!(runs[0]["record"]["objects"][0]["origin"], "web.yaml:1");
    // Summaries of both targets come with one list, whole records with one request each.
    assert_eq!(json["requests"], 2);
    let summaries = json_of(&run(&repo, &["history", "--stats", "-o", "json"]).exits(0));
    assert_eq!(summaries["requests"], 1);
    assert!(run(&repo, &["history"]).stdout.contains("· 1 request ·"));
}

#[test]
fn this_machines_log_answers_without_a_cluster() {
    let repo = two_targets("history-local");
    let (_, log, _) = with_log(&repo, &[]);
    let nowhere = |args: &[&str]| with_log(&repo, args).0.env("KUBECONFIG", "/nowhere");
    let neither = nowhere(&["history"]).run().exits(2);
    assert!(neither.stderr.contains("no round either"), "{neither}");
    log.append(&record(&repo, "prod", 90, RunOutcome::Failed)).unwrap();
    log.append(&record(&repo, "gone", 95, RunOutcome::Healthy)).unwrap();
    let told = nowhere(&["history"]).run().exits(0);
    assert!(told.stderr.contains("this machine's log answers"), "{told}");
    assert!(told.stdout.contains("Version 90") && told.stdout.contains("gone"), "{told}");
    assert!(told.stdout.contains("failed after 1 object: Deployment shop/web: no such image"));
    let local = run(&repo, &["history", "--local", "prod"]).exits(0);
    assert!(local.stdout.contains("1 round · 0 requests"), "{local}");
    assert_eq!(local.stderr, "");
    // Both sources together, and outside a checkout the log alone.
    let both = run(&repo, &["history", "prod"]).exits(0);
    assert!(both.stdout.contains("3 rounds"), "{both}");
    let outside = with_log(&repo, &["history"]).0.dir(repo.outside()).run().exits(0);
    assert!(outside.stderr.contains("not in a checkout"), "{outside}");
    assert!(outside.stdout.contains("2 rounds"), "{outside}");
}

#[test]
fn a_target_is_the_same_one_by_any_name() {
    let repo = two_targets("history-renamed");
    let (_, log, _) = with_log(&repo, &[]);
    log.append(&record(&repo, "prod", 60, RunOutcome::Healthy)).unwrap();
    let named = "targets:\n  live:\n    paths: [prod]\n    name: prod\n";
    repo.write("trueup.yaml", named).commit("Live");
    let rounds = json_of(&run(&repo, &["history", "-o", "json"]).exits(0))["runs"].clone();
    let rounds = rounds.as_array().unwrap();
    let names: Vec<&Value> = rounds.iter().map(|it| &it["target"]).collect();
    assert_eq!(names, ["live", "live"]);
    for args in [&["history", "live"][..], &["history", "--local", "live"]] {
        assert!(run(&repo, args).exits(0).stdout.contains("Version 60"));
    }
}

#[test]
fn a_broken_trueup_yaml_does_not_hide_the_history() {
    let repo = two_targets("history-broken");
    let (_, log, _) = with_log(&repo, &[]);
    repo.write("trueup.yaml", "targts: {}\n").commit("Slip");
    let told = run(&repo, &["history"]).exits(2);
    assert!(told.stderr.contains("targts"), "{told}");
    log.append(&record(&repo, "prod", 90, RunOutcome::Failed)).unwrap();
    for args in [&["history", "--local", "prod"][..], &["history"], &["history", "--at", "now"]] {
        let told = run(&repo, args).exits(0);
        assert!(told.stderr.contains("targts"), "{told}");
    }
    let cluster = RecordedCluster { context: "here".to_owned(), ..RecordedCluster::default() };
    let elsewhere = record(&repo, "prod", 95, RunOutcome::Healthy);
    log.append(&RunRecord { cluster, ..elsewhere }).unwrap();
    let nothing = run(&repo, &["history", "--local", "--context", "nope"]).exits(0);
    assert!(
        nothing.stderr.contains("no round in the context nope; it has some in here"),
        "{nothing}"
    );
}

#[test]
fn what_is_wrong_with_a_log_is_named() {
    let repo = two_targets("history-verify");
    let (_, log, folder) = with_log(&repo, &[]);
    let own = |minute, outcome| record(&repo, "prod", minute, outcome);
    for minute in [60, 70, 80] {
        let record = own(minute, RunOutcome::Healthy);
        let before = repo.git(&["rev-parse", "HEAD^"]).stdout.trim().to_owned();
        let before = (minute == 60).then_some(before);
        log.append(&RunRecord { before, ..record }).unwrap();
    }
    let verify = |exit: i32| run(&repo, &["history", "--verify"]).exits(exit);
    // The round at 10 and that of staging are from this machine, too, and not in its log.
    let told = verify(1);
    assert!(told.stdout.contains("3 lines · compared with 3 records"), "{told}");
    assert_eq!(told.stdout.matches("the log does not").count(), 2, "{told}");
    let local = run(&repo, &["history", "--verify", "--local"]).exits(0);
    assert!(local.stdout.contains("3 lines") && local.stdout.contains("whole"), "{local}");
    let file = folder.join("runs-000001.jsonl");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replacen("Version 70", "Version 71", 1)).unwrap();
    let told = run(&repo, &["history", "--verify", "--local"]).exits(1);
    assert!(told.stdout.contains("runs-000001.jsonl:3: the line before it was altered"), "{told}");
    let lines: Vec<&str> = text.lines().collect();
    fs::write(&file, format!("{}\n{}\n", lines[0], lines[2])).unwrap();
    let told = run(&repo, &["history", "--verify", "--local", "-o", "json"]).exits(1);
    let faults = json_of(&told)["faults"].clone();
    assert_eq!((&faults[0]["code"], &faults[0]["line"]), (&json!("missing"), &json!(2)), "{told}");
    fs::write(&file, format!("{}\n{}", lines[0], &lines[1][..50])).unwrap();
    let told = run(&repo, &["history", "--verify", "--local"]).exits(1);
    assert!(told.stdout.contains("runs-000001.jsonl:2: not a record"), "{told}");
    // A record that differs from the cluster's.
    fs::write(&file, text.replacen("Version 60", "Version 61", 1)).unwrap();
    let told = verify(1);
    assert!(told.stdout.contains("the cluster's record and the log's differ"), "{told}");
}

#[test]
fn records_of_any_client_do_no_harm() {
    let repo = two_targets("history-hostile");
    let name = history_name(&inventory(&repo, "prod"));
    let summary = json!({
        "t": "\u{1b}[2J", "c": "x\u{202e}", "r": "", "s": "\n::error::=1+1", "a": "@a",
        "ct": "-009999-01-02T01:59:59Z", "y": "deployment", "o": "failed", "n": u64::MAX, "u": "",
        "h": "", "b": "9999-12-30T22:00:00Z", "e": "0001-01-01T00:00:00Z", "z": u64::MAX,
    });
    let patch = json!({
        "metadata": { "annotations": {
            "history.trueup.dev/zzz": summary.to_string(),
            "history.trueup.dev/broken": "{",
        } },
        "binaryData": { "zzz": "H4sIAAAAAAAAAw==", "other": "AAAA" },
    });
    let patch = patch.to_string();
    repo.kubectl(&["patch", "configmap", &name, "--type=merge", "-p", &patch]).exits(0);
    let stats = ["--stats", "--since", "2020-01-01", "--until", "9999-01-01"];
    for args in [&[][..], &["--at", "2030-01-01"], &stats, &["--image", "web"], &["-p"]] {
        for form in ["text", "json", "markdown", "csv"] {
            let args = [&["history", "-o", form], args].concat();
            if args.contains(&"-p") && form != "text" {
                continue;
            }
            let told = run(&repo, &args).exits(0);
            assert!(!told.stdout.contains('\u{1b}') && !told.stdout.contains('\u{202e}'), "{told}");
            assert!(!told.stdout.lines().any(|line| line.starts_with("::")), "{told}");
        }
    }
    // The first run learns of it, and the second drops what is no record.
    for minute in [90, 91] {
        append(&repo, "prod", &[record(&repo, "prod", minute, RunOutcome::Healthy)]);
    }
    let history = repo.kubectl(&["get", "configmap", &name, "-o", "json"]).exits(0);
    let history = json_of(&history);
    for gone in ["zzz", "other"] {
        assert!(history["binaryData"].get(gone).is_none(), "{history}");
    }
    for gone in ["history.trueup.dev/zzz", "history.trueup.dev/broken"] {
        assert!(history["metadata"]["annotations"].get(gone).is_none(), "{history}");
    }
}

#[test]
fn a_target_that_is_not_known_is_an_error() {
    let repo = two_targets("history-unknown");
    let told = run(&repo, &["history", "prd"]).exits(2);
    assert!(told.stderr.contains("did you mean \"prod\"?"), "{told}");
    let told = run(&repo, &["history", "--since", "soon"]).exits(2);
    assert!(told.stderr.contains("invalid time \"soon\""), "{told}");
    run(&repo, &["history", "-n", "shop"]).exits(2);
}

#[test]
fn four_hundred_deployments_on_twenty_targets_are_answered() {
    let repo = Repo::new("history-many", sandbox::bare());
    let targets: Vec<String> = (0..20).map(|at| format!("env-{at:02}")).collect();
    let declared: String =
        targets.iter().map(|name| format!("  {name}:\n    paths: [{name}]\n")).collect();
    repo.write("trueup.yaml", format!("targets:\n{declared}")).commit("Targets");
    for (place, target) in targets.iter().enumerate() {
        let records: Vec<RunRecord> = (0..20)
            .map(|turn| {
                let minute = i64::try_from(place + turn * 60 + 10).unwrap();
                let outcome = match turn % 10 {
                    3 => RunOutcome::Failed,
                    6 => RunOutcome::RolledBack,
                    _ => RunOutcome::Healthy,
                };
                let record = record(&repo, target, minute, outcome);
                let commit = RecordedCommit { id: format!("{turn:040x}"), ..record.commit };
                RunRecord { commit, ..record }
            })
            .collect();
        append(&repo, target, &records);
    }
    let window = ["--stats", "--since", "2026-09-20", "--until", "2026-10-20"];
    for (args, requests) in [
        (&[][..], 1),
        (&["--failed"], 1),
        (&["--at", "2026-10-01T20:00"], 1),
        (&window, 1),
        (&["--image", "web"], 20),
        (&["--object", "deployment/web"], 20),
        (&["-o", "json"], 20),
        (&["-o", "csv"], 1),
    ] {
        let told = run(&repo, &[&["history"], args].concat()).exits(0);
        let last = told.stdout.lines().last().unwrap().to_owned();
        if args.first() != Some(&"-o") {
            let plural = if requests == 1 { "" } else { "s" };
            assert!(last.contains(&format!("· {requests} request{plural} ·")), "{last}");
            assert!(last.contains("400 rounds"), "{last}");
        }
    }
    let json = json_of(&run(&repo, &["history", "-o", "json"]).exits(0));
    assert_eq!(json["runs"].as_array().unwrap().len(), 400);
    assert_eq!(json["requests"], 20);
    let stats = [&["history", "-o", "json"], &window[..]].concat();
    let stats = json_of(&run(&repo, &stats).exits(0))["stats"].clone();
    let total = &stats["total"];
    assert_eq!((&total["deployments"], &total["failed"]), (&json!(400), &json!(80)));
    assert_eq!(total["lead"]["median"], 660);
    assert_eq!(stats["targets"].as_array().unwrap().len(), 20);
}

#[test]
fn many_namespaces_are_listed_at_once() {
    let repo = Repo::new("history-namespaces", sandbox::bare());
    let mut settings = "targets:\n".to_owned();
    for target in ["a", "b", "c", "d"] {
        let namespace = format!("history-namespaces-{target}");
        repo.plane().create_namespace(&namespace);
        settings.push_str(&format!("  {target}: {{paths: [{target}], namespace: {namespace}}}\n"));
        repo.write(&format!("{target}/one.yaml"), config("one", target));
    }
    repo.write("trueup.yaml", settings).commit("First");
    let run = |args: &[&str]| repo.trueup(args).env_remove("TRUEUP_NAMESPACE").run().exits(0);
    run(&["apply", "--all-targets", "--yes"]);
    let listed = run(&["history"]);
    assert!(listed.stdout.contains("4 rounds"), "{listed}");
    assert!(listed.stdout.contains(" 1 request "), "{listed}");
}
