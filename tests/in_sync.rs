//! A target that was in sync is not read again until something moves; whatever moves is seen.

use serde_json::{Value, json};

use crate::support::between::{Between, Recorded};
use crate::support::command::Output;
use crate::support::eventually::eventually;
use crate::support::random::Random;
use crate::support::repo::Repo;
use crate::support::sandbox;
use crate::support::watching::Watching;

const DEPLOYMENT: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 0
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: main, image: 'registry.example/web:1'}]}
";
const SECRET: &str = "apiVersion: v1
kind: Secret
metadata: {name: db}
stringData: {password: canary-of-in-sync}
";

/// A repository that is applied, and known to be in sync once `diff` has run.
fn applied(name: &str) -> Repo<'static> {
    let repo = Repo::new(name, sandbox::bare());
    repo.write("db.yaml", SECRET).write("web.yaml", DEPLOYMENT);
    for name in ["a", "b", "c", "d"] {
        repo.write_config(name, "1");
    }
    repo.commit("First");
    repo.run(&["apply"]).exits(0);
    repo
}

/// Runs trueup, and says whether it asked for metadata alone.
fn asked(repo: &Repo<'_>, args: &[&str]) -> (Output, Vec<Recorded>) {
    let (between, requests) = Between::recording(sandbox::bare());
    // Another way to the server is another server to what is kept: it has to be known first.
    let kubeconfig = between.kubeconfig();
    for _ in 0..2 {
        drop(repo.trueup(&["diff"]).env("KUBECONFIG", &kubeconfig).run());
    }
    requests.lock().unwrap().clear();
    let output = repo.trueup(args).env("KUBECONFIG", &kubeconfig).run();
    let requests = std::mem::take(&mut *requests.lock().unwrap());
    (output, requests)
}

/// How many LISTs of members there are, of metadata or of whole objects.
fn lists(requests: &[Recorded], is_of_metadata: bool) -> usize {
    let is_list = |it: &&Recorded| it.line.contains("labelSelector=applyset");
    let is_such = |it: &&Recorded| {
        let accept = it.accept.as_deref().unwrap_or_default();
        accept.contains("PartialObjectMetadataList") == is_of_metadata
    };
    requests.iter().filter(is_list).filter(is_such).count()
}

#[test]
fn what_is_in_sync_is_not_read_again() {
    let repo = applied("in-sync-once");
    let (diff, requests) = asked(&repo, &["diff"]);
    let diff = diff.exits(0);
    assert!(diff.stdout.contains("in sync") && diff.stdout.contains("6 objects"), "{diff}");
    assert_eq!((lists(&requests, true), lists(&requests, false)), (3, 0), "one for each kind");

    let (apply, requests) = asked(&repo, &["apply"]);
    let apply = apply.exits(0);
    assert!(apply.stdout.contains("6 objects, nothing to do"), "{apply}");
    assert_eq!((lists(&requests, true), lists(&requests, false)), (3, 0));

    let (json, _) = asked(&repo, &["diff", "-o", "json"]);
    let json: Value = serde_json::from_str(&json.exits(0).stdout).unwrap();
    assert_eq!(json["summary"]["keep"], 6);
    assert_eq!((&json["changes"], &json["problems"]), (&json!([]), &json!([])));

    // Who wants more than that gets it.
    for args in [&["diff", "--verify"][..], &["diff", "--all-fields"], &["diff", "--worktree"]] {
        let (output, requests) = asked(&repo, args);
        output.exits(0);
        assert_eq!(lists(&requests, true), 0, "{args:?}");
        assert_eq!(lists(&requests, false), 3, "{args:?}");
    }
    repo.write_config("a", "2").commit("Second");
    let (output, requests) = asked(&repo, &["diff"]);
    output.exits(1);
    assert_eq!((lists(&requests, true), lists(&requests, false)), (0, 3), "another commit");
}

#[test]
fn secrets_in_a_commit_message_stay_masked() {
    let repo = applied("in-sync-secret");
    repo.git(&["commit", "--allow-empty", "-m", "Set canary-of-in-sync"]);
    repo.run(&["apply"]).exits(0);
    for _ in 0..3 {
        let json = repo.run(&["diff", "-o", "json"]).exits(0);
        assert!(!json.stdout.contains("canary-of-in-sync"), "{json}");
        assert!(json.stdout.contains("Set ‹secret 1›"), "{json}");
    }
}

/// The answer without what is different each time.
fn answer(output: &Output) -> Value {
    let mut json: Value =
        serde_json::from_str(&output.stdout).unwrap_or_else(|_| panic!("{output}"));
    for key in ["requests", "elapsed"] {
        json.as_object_mut().unwrap().remove(key);
    }
    json
}

/// With and without what is kept, one answer: after any change by others, also of managedFields
/// alone.
#[test]
fn with_what_is_kept_the_answer_is_the_same() {
    let repo = applied("in-sync-random");
    let mut random = Random::new(15);
    let (mut differs, mut hits) = (0, 0);
    for round in 0..40 {
        let object = format!("configmap/{}", random.one_of(&["a", "b", "c", "d"]));
        let value = random.below(3).to_string();
        let patch = |patch: Value| {
            repo.kubectl(&["patch", &object, "--type=merge", "-p", &patch.to_string()]);
        };
        match random.below(10) {
            0 => patch(json!({ "data": { "key": value } })),
            1 => patch(json!({ "data": { "more": value } })),
            2 => patch(json!({ "metadata": { "labels": { "more": value } } })),
            3 => patch(json!({ "metadata": { "managedFields": [{}] } })),
            4 => patch(
                json!({ "metadata": { "labels": { "applyset.kubernetes.io/part-of": null } } }),
            ),
            5 => drop(repo.kubectl(&["delete", &object])),
            6 => drop(repo.kubectl(&["scale", "deployment/web", &format!("--replicas={value}")])),
            7 => {
                let label = format!("applyset.kubernetes.io/part-of={}", repo.applyset());
                let name = format!("configmap/stray-{round}");
                repo.kubectl(&["create", "configmap", &name["configmap/".len()..]]).exits(0);
                repo.kubectl(&["label", &name, &label]).exits(0);
            }
            8 => drop(repo.run(&["apply", "--yes", "--max-prune", "100%"])),
            _ => {}
        }
        let elsewhere = tempfile::tempdir().unwrap();
        let args = ["diff", "-o", "json"];
        let fresh = repo.trueup(&args).env("XDG_CACHE_HOME", elsewhere.path()).run();
        for _ in 0..2 {
            let kept = repo.run(&args);
            assert_eq!(kept.status, fresh.status, "round {round}: {kept}\n{fresh}");
            assert_eq!(answer(&kept), answer(&fresh), "round {round}");
        }
        differs += usize::from(fresh.status == Some(1));
        hits += usize::from(fresh.status == Some(0));
    }
    assert!(differs > 5 && hits > 5, "{differs} and {hits}");
}

#[test]
fn quiet_rounds_of_a_watch_read_no_objects_and_miss_nothing() {
    let repo = Repo::new("in-sync-watch", sandbox::bare());
    repo.write("db.yaml", SECRET).write_config("a", "1").write_config("b", "1");
    repo.commit("First");
    let (between, requests) = Between::recording(sandbox::bare());
    let command = repo.trueup(&["watch", "--interval", "0.2", "--no-watch-api"]);
    let watching = Watching::running(&repo, command.env("KUBECONFIG", between.kubeconfig()));
    let idles = || {
        requests.lock().unwrap().clear();
        eventually("quiet rounds", || lists(&requests.lock().unwrap(), true) > 6);
    };
    watching.says("3 changed");
    idles();
    let whole = lists(&requests.lock().unwrap(), false);
    assert!(whole <= 6, "{whole} lists of whole objects beside at least 6 of metadata");

    let other = r#"{"data":{"key":"9"}}"#;
    repo.kubectl(&["patch", "configmap", "a", "--type=merge", "-p", other]).exits(0);
    watching.says("drift: ConfigMap in-sync-watch/a data.key 9 → 1, put back");
    assert_eq!(repo.value("a"), "1");
    idles();
    repo.delete_config_map("b");
    watching.says("drift: ConfigMap in-sync-watch/b gone, put back");
    idles();
    repo.write_config("a", "2").remove("b.yaml").commit("Second");
    eventually("the commit is applied", || repo.value("a") == "2");
    eventually("b is pruned", || repo.config_map("b").is_none());
    idles();
    assert_eq!(watching.times("drift"), 2, "{:#?}", watching.said());
    assert_eq!(watching.stop(), Some(0));
}

#[test]
fn a_target_whose_objects_move_all_the_time_is_not_asked_about_twice() {
    let repo = applied("in-sync-moving");
    let (between, requests) = Between::recording(sandbox::bare());
    let run = || {
        requests.lock().unwrap().clear();
        repo.trueup(&["diff"]).env("KUBECONFIG", between.kubeconfig()).run().exits(0);
        lists(&requests.lock().unwrap(), true)
    };
    assert_eq!(run(), 0, "nothing is known yet");
    let mut asked = Vec::new();
    for round in 0..5 {
        let note = format!("example.com/round={round}");
        repo.kubectl(&["annotate", "configmap/a", "--overwrite", &note]).exits(0);
        asked.push(run());
    }
    assert_eq!(asked, [3, 0, 0, 0, 0], "one run in vain is enough");
    assert_eq!((run(), run()), (0, 3), "two looks saw the same");
}
