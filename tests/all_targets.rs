//! Several targets of one repository in one run, over one connection.

use serde_json::{Value, json};

use crate::support::between::Between;
use crate::support::repo::Repo;
use crate::support::sandbox;

/// A repository whose targets have a ConfigMap and a Secret each.
fn repository(name: &str, targets: &[&str]) -> Repo<'static> {
    let repo = Repo::new(name, sandbox::bare());
    let mut config = "targets:\n".to_owned();
    for target in targets {
        config.push_str(&format!("  {target}:\n    paths: [{target}]\n"));
        repo.write(&format!("{target}/config.yaml"), config_map(target, "1"));
        repo.write(
            &format!("{target}/secret.yaml"),
            format!(
                "apiVersion: v1\nkind: Secret\nmetadata: {{name: {target}}}\nstringData: {{key: canary-{target}}}\n"
            ),
        );
    }
    repo.write("trueup.yaml", config).commit("First");
    repo
}

fn config_map(name: &str, value: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{key: '{value}'}}\n"
    )
}

fn applied(name: &str, targets: &[&str]) -> Repo<'static> {
    let repo = repository(name, targets);
    for target in targets {
        repo.run(&["apply", "--target", target]).exits(0);
    }
    repo
}

#[test]
fn each_target_is_shown_as_alone() {
    let repo = applied("all-alone", &["blue", "green", "red"]);
    repo.run(&["diff", "--all-targets"]).exits(0).shows("diff/all-in-sync");
    repo.write("green/config.yaml", config_map("green", "9"));
    let edited = repo.run(&["diff", "--all-targets"]).exits(0);
    assert_eq!(edited.stderr.matches("green/config.yaml changed in the work tree").count(), 1);
    repo.write("green/config.yaml", config_map("green", "2")).commit("Second");
    repo.run(&["diff", "--all-targets"]).exits(1).shows("diff/all-targets");
    repo.run(&["diff", "--all-targets", "--exit-zero"]).exits(0);
    repo.run(&["diff", "--all-targets", "-o", "markdown"]).exits(1).shows("diff/all-markdown");
    let names = repo.run(&["diff", "--all-targets", "-o", "name"]).exits(1);
    assert_eq!(names.stdout.lines().count(), 1, "{names}");

    let document = |args: &[&str]| -> Value {
        let mut document = serde_json::from_str(&repo.run(args).stdout).unwrap();
        let forget = |document: &mut Value| {
            for key in ["requests", "elapsed"] {
                document.as_object_mut().unwrap().remove(key);
            }
        };
        forget(&mut document);
        if let Some(targets) = document.get_mut("targets") {
            targets.as_array_mut().unwrap().iter_mut().for_each(forget);
        }
        document
    };
    let all = document(&["diff", "--all-targets", "-o", "json"]);
    let alone =
        ["blue", "green", "red"].map(|it| document(&["diff", "--target", it, "-o", "json"]));
    assert_eq!(all, json!({ "version": 1, "targets": alone, "failures": [] }));
}

#[test]
fn target_that_cannot_be_told_does_not_hide_the_others() {
    let repo = applied("all-but-one", &["blue", "green", "red"]);
    repo.remove("green/config.yaml").remove("green/secret.yaml").commit("Second");
    repo.write("red/config.yaml", config_map("red", "2")).commit("Third");
    repo.run(&["diff", "--all-targets"]).exits(2).shows("diff/all-but-one");
    let forms = ["markdown", "github"].map(|form| {
        let told = repo.run(&["diff", "--all-targets", "-o", form]).exits(2);
        assert!(told.stdout.contains("1 in sync, 1 differs, 1 unknown"), "{told}");
        told.stdout
    });
    assert!(
        forms[0].contains("**green** cannot be told: trueup.yaml&#58;5&#58;13&#58; green"),
        "{}",
        forms[0]
    );
    assert!(forms[1].contains("::error title=cannot tell target green::"), "{}", forms[1]);
    let json = repo.run(&["diff", "--all-targets", "-o", "json"]).exits(2);
    let json: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["targets"].as_array().unwrap().len(), 2);
    assert_eq!(json["failures"][0]["target"], "green");
    assert!(
        json["failures"][0]["error"].as_str().unwrap().contains("green's path green"),
        "{json}"
    );
    assert!(!json.to_string().contains("canary"), "{json}");
}

#[test]
fn copy_of_a_record_is_no_record() {
    let repo = applied("all-copied", &["blue", "green"]);
    let mut copy = repo.config_map("trueup-green").unwrap();
    (copy["apiVersion"], copy["kind"]) = (json!("v1"), json!("ConfigMap"));
    copy["metadata"] = json!({
        "name": "zzz-copy",
        "labels": copy["metadata"]["labels"],
        "annotations": { "applyset.kubernetes.io/tooling": "other/v1" },
    });
    let file = repo.outside().join("copy.json");
    std::fs::write(&file, copy.to_string()).unwrap();
    repo.kubectl(&["create", "-f", file.to_str().unwrap()]).exits(0);
    repo.run(&["diff", "--all-targets"]).exits(0);
}

#[test]
fn what_targets_have_in_common_is_asked_for_once() {
    let names: Vec<String> = (0..12).map(|number| format!("team-{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let repo = applied("all-at-once", &names);
    let (between, requests) = Between::recording(sandbox::bare());
    let diff = || {
        let diff = repo.trueup(&["diff", "--all-targets"]).env("KUBECONFIG", between.kubeconfig());
        requests.lock().unwrap().clear();
        (diff.run().exits(0), requests.lock().unwrap().len())
    };
    let (first, all) = diff();
    assert!(first.stdout.contains("12 targets · 12 in sync"), "{first}");
    assert!(all > 24, "each is looked at in full: {all}");
    // Discovery, the cluster's identity, the records, and the two kinds; and once more discovery, where
    // another test has just added a kind. Then nothing is known of the kinds, so that the next counts.
    let (second, few) = (0..4).map(|_| diff()).min_by_key(|(_, count)| *count).unwrap();
    assert!(few <= 6, "{few}: {second}");
    assert!(second.stdout.contains(&format!("{few} requests")), "{second}");

    // What moves is seen, and the rest is not looked at again.
    repo.kubectl(&["delete", "secret", "team-7"]).exits(0);
    let moved = (0..4).map(|_| {
        requests.lock().unwrap().clear();
        let diff = repo.trueup(&["diff", "--all-targets"]).env("KUBECONFIG", between.kubeconfig());
        let diff = diff.run().exits(1);
        assert!(diff.stdout.contains("11 in sync, 1 differs"), "{diff}");
        requests.lock().unwrap().len()
    });
    let moved = moved.min().unwrap();
    assert!(moved < 13, "{moved}");
}

#[test]
fn all_targets_is_refused_where_there_are_none() {
    let repo = Repo::new("all-of-none", sandbox::bare());
    repo.write_config("a", "1").commit("First");
    let none = repo.run(&["diff", "--all-targets"]).exits(2);
    assert!(none.stderr.contains(" has no trueup.yaml\n"), "{none}");
    assert!(none.stderr.contains("error: commit "), "{none}");
    let none = repo.run(&["diff", "--all-targets", "--worktree"]).exits(2);
    assert!(none.stderr.contains("error: the work tree has no trueup.yaml\n"), "{none}");
    repo.write("trueup.yaml", "targets: {}\n").commit("Second");
    let none = repo.run(&["diff", "--all-targets"]).exits(2);
    assert!(none.stderr.contains("trueup.yaml declares no targets"), "{none}");
}

#[test]
fn command_line_says_what_to_use_in_place_of_the_target_of_the_environment() {
    let repo = repository("all-environment", &["blue", "green"]);
    let diff = |args: &[&str]| repo.trueup(args).env("TRUEUP_TARGET", "blue").run();
    let all = diff(&["diff", "--all-targets"]).exits(1);
    assert!(all.stdout.contains("2 targets"), "{all}");
    let one = diff(&["diff", "-o", "name"]).exits(1);
    assert!(one.stdout.contains("blue") && !one.stdout.contains("green"), "{one}");
    let path = diff(&["diff", "green", "-o", "name"]).exits(1);
    assert!(path.stdout.contains("green") && !path.stdout.contains("blue"), "{path}");
    let both = diff(&["diff", "--all-targets", "--target", "green"]).exits(2);
    assert!(both.stderr.contains("cannot be used with"), "{both}");
}
