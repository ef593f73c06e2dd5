//! `trueup status`: what runs, what git has, drift and health, on real clusters.

use std::fs;

use serde_json::Value;

use crate::support::between::Between;
use crate::support::command::Output;
use crate::support::eventually::eventually;
use crate::support::objects::{WEB, config};
use crate::support::repo::Repo;
use crate::support::sandbox;
use crate::support::watching::Watching;

/// A repository whose targets have a ConfigMap each.
fn repository(name: &str, targets: &[&str]) -> Repo<'static> {
    let repo = Repo::new(name, sandbox::bare());
    let mut settings = "targets:\n".to_owned();
    for target in targets {
        settings.push_str(&format!("  {target}:\n    paths: [{target}]\n"));
        repo.write(&format!("{target}/config.yaml"), config(target, "1"));
    }
    repo.write("trueup.yaml", settings).commit("First");
    repo
}

fn commit(repo: &Repo<'_>, name: &str) -> String {
    repo.git(&["rev-parse", name]).stdout.trim().to_owned()
}

fn document(output: &Output) -> Value {
    serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}\n{output}"))
}

/// The state of a target, and by how many commits it is off.
fn state(document: &Value, target: &str) -> String {
    let targets = document["targets"].as_array().unwrap();
    let found = targets.iter().find(|it| it["target"] == target).unwrap();
    let commits = found["commits"].as_u64().map(|by| format!(" {by}")).unwrap_or_default();
    format!("{}{commits}", found["state"].as_str().unwrap())
}

#[test]
fn each_target_is_as_git_and_the_cluster_say() {
    let repo = repository("status-each", &["blue", "green", "new", "red"]);
    for target in ["blue", "green", "red"] {
        repo.run(&["apply", "--target", target]).exits(0);
    }
    let first = commit(&repo, "HEAD");
    repo.write("other", "").commit("Second");
    repo.run(&["apply", "--target", "blue"]).exits(0);
    repo.run(&["apply", "--target", "red"]).exits(0);
    repo.delete_config_map("red");
    let writes = repo.writes();

    let json = repo.run(&["status", "-o", "json"]).exits(1);
    let json = document(&json);
    let states = ["blue", "green", "new", "red"].map(|target| state(&json, target));
    assert_eq!(states, ["in-sync", "behind 1", "not-applied", "drifted"]);
    let green = &json["targets"][1];
    assert_eq!(
        (&green["runs"]["commit"], &green["runs"]["subject"]),
        (&first.into(), &"First".into())
    );
    assert_eq!(green["git"]["subject"], "Second");
    assert_eq!((&green["drift"], &green["health"]["ready"]), (&Value::Array(vec![]), &1.into()));
    assert_eq!(json["targets"][3]["drift"][0]["name"], "red");

    let text = repo.run(&["status"]).exits(1);
    assert!(text.stdout.contains("1 commit behind"), "{text}");
    assert!(text.stdout.contains("\n  ~ ConfigMap status-each/red differs\n"), "{text}");
    assert!(text.stdout.contains("4 targets · 1 good, 3 not good"), "{text}");
    let one = repo.run(&["status", "blue"]).exits(0);
    assert!(one.stdout.contains("in sync") && !one.stdout.contains("green"), "{one}");
    let page = repo.run(&["status", "-o", "markdown", "--exit-zero"]).exits(0);
    assert!(page.stdout.contains("| blue | "), "{page}");
    repo.run(&["status", "blu"]).exits(2);
    let file = repo.outside().join("page.html");
    repo.run(&["status", "--html", file.to_str().unwrap()]).exits(1);
    let page = fs::read_to_string(&file).unwrap();
    assert!(page.contains("<h1>1 of 4 targets needs attention</h1>"), "{page}");
    for text in ["Second", "1 commit behind", "not applied yet", "ConfigMap status-each/red"] {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert_eq!(page.matches("<caption>Rounds</caption>").count(), 3, "{page}");
    repo.run(&["status", "--html", "nowhere/page.html"]).exits(2);
    let stdout = repo.run(&["status", "--html", "-"]).exits(2);
    assert!(stdout.stderr.contains("name a file"), "{stdout}");
    assert_eq!(repo.writes(), writes, "nothing is written");

    // A commit that runs and is newer than what git has here, and one beside it.
    repo.git(&["checkout", "--quiet", "-b", "older", "HEAD~1"]);
    let json = document(&repo.run(&["status", "blue", "-o", "json"]).exits(1));
    assert_eq!(state(&json, "blue"), "ahead 1");
    repo.write("beside", "").commit("Beside");
    let json = document(&repo.run(&["status", "blue", "-o", "json"]).exits(1));
    assert_eq!(state(&json, "blue"), "diverged");
}

#[test]
fn rounds_of_another_repository_are_not_shown_under_the_same_name() {
    let one = repository("status-namesake", &["namesake"]);
    one.run(&["apply"]).exits(0);
    let other = repository("status-namesake-other", &["namesake"]);
    let page = |repo: &Repo<'_>| {
        let file = repo.outside().join("page.html");
        repo.run(&["status", "--exit-zero", "--html", file.to_str().unwrap()]).exits(0);
        fs::read_to_string(&file).unwrap().matches("<caption>Rounds</caption>").count()
    };
    assert_eq!((page(&one), page(&other)), (1, 0));
}

#[test]
fn drift_of_a_target_that_is_behind_is_that_of_the_commit_that_runs() {
    let repo = repository("status-behind", &["blue"]);
    repo.run(&["apply"]).exits(0);
    repo.write("blue/config.yaml", config("blue", "2")).commit("Second");
    let json = document(&repo.run(&["status", "-o", "json"]).exits(1));
    assert_eq!(
        (state(&json, "blue"), json["targets"][0]["drift"].to_string()),
        ("behind 1".into(), "[]".into())
    );
    repo.edit(&["configmap", "blue"], "s/key: \"1\"/key: \"by hand\"/").exits(0);
    let json = document(&repo.run(&["status", "-o", "json"]).exits(1));
    assert_eq!(json["targets"][0]["drift"][0]["name"], "blue");
}

#[test]
fn target_that_is_gone_from_the_settings_is_told_and_not_held_against_the_others() {
    let repo = repository("status-removed", &["blue", "old"]);
    repo.run(&["apply", "--all-targets", "--yes"]).exits(0);
    repo.write("trueup.yaml", "targets:\n  blue: {paths: [blue]}\n").commit("Second");
    repo.run(&["apply"]).exits(0);
    let text = repo.run(&["status"]).exits(0);
    assert!(text.stdout.contains("trueup apply --removed old takes it down"), "{text}");
    let json = document(&repo.run(&["status", "-o", "json"]).exits(0));
    assert_eq!(state(&json, "old"), "removed");
}

#[test]
fn renamed_target_is_not_one_to_take_down() {
    let repo = repository("status-renamed", &["a", "b2"]);
    repo.run(&["apply", "--all-targets", "--yes"]).exits(0);
    repo.write("trueup.yaml", "targets:\n  a: {paths: [a]}\n  b3: {paths: [b2], name: b2}\n");
    repo.commit("Rename");
    // The commit that runs has it under another name.
    let json = document(&repo.run(&["status", "-o", "json"]).exits(1));
    assert_eq!(json["targets"].as_array().unwrap().len(), 2, "{json}");
    assert_eq!((state(&json, "a"), state(&json, "b3")), ("behind 1".into(), "behind 1".into()));
    let text = repo.run(&["status"]).exits(1);
    assert!(text.stdout.contains("was b2 when it was last applied"), "{text}");
    for verb in [&["diff", "--target", "a"][..], &["apply", "--target", "a"]] {
        let output = repo.run(verb).exits(0);
        assert!(!format!("{output}").contains("--removed"), "{output}");
    }
    repo.run(&["apply", "--removed", "b2", "--yes"]).exits(2);
    assert_eq!(repo.value("b2"), "1");
    repo.run(&["apply", "--target", "b3"]).exits(0);
    assert!(!repo.run(&["status"]).exits(0).stdout.contains("was b2"));
}

#[test]
fn secrets_of_what_runs_and_of_what_git_declares_are_masked() {
    let secret = |name: &str, value: &str| {
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}}}\nstringData: {{key: {value}}}\n"
        )
    };
    let repo = repository("status-masked", &["blue"]);
    let page = repo.outside().join("page.html");
    let shown = || {
        let json = repo.run(&["status", "-o", "json", "--html", page.to_str().unwrap()]);
        let all = format!("{}{json}", fs::read_to_string(&page).unwrap());
        for canary in ["running-canary", "coming-canary"] {
            assert!(!all.contains(canary), "{canary}: {all}");
        }
        document(&json)["targets"][0].clone()
    };
    repo.write("blue/secret.yaml", secret("db", "running-canary")).commit("Use running-canary");
    let author = "--author=running-canary <a@example.com>";
    repo.git(&["commit", "--quiet", "--amend", "--no-edit", author]);
    repo.git(&["checkout", "--quiet", "-b", "running-canary"]);
    // Before the first apply, once it runs, and where that is proven.
    assert_eq!(shown()["state"], "not-applied");
    repo.run(&["apply"]).exits(0);
    for _ in 0..2 {
        let target = shown();
        assert_eq!(target["state"], "in-sync", "{target}");
        assert!(target["runs"]["subject"].as_str().unwrap().starts_with("Use "), "{target}");
    }
    // A newer commit quotes a Secret that it brings.
    repo.write("blue/more.yaml", secret("more", "coming-canary")).commit("Use coming-canary");
    let target = shown();
    assert_eq!(target["state"], "behind", "{target}");
    assert!(target["git"]["subject"].as_str().unwrap().starts_with("Use "), "{target}");
}

#[test]
fn checkout_without_settings_is_one_target() {
    let repo = Repo::new("status-plain", sandbox::bare());
    repo.write_config("a", "1").commit("First");
    let json = document(&repo.run(&["status", "-o", "json"]).exits(1));
    assert_eq!(state(&json, "status-plain"), "not-applied");
    repo.run(&["apply"]).exits(0);
    repo.run(&["status"]).exits(0);
}

#[test]
fn what_is_not_healthy_is_shown_with_its_pods_and_without_a_secret() {
    let repo = Repo::new("status-health", sandbox::with_controllers());
    let secret =
        "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData: {key: absent-canary}\n";
    let spec = "spec:\n      schedulerName: absent-canary\n      containers";
    let bad = WEB
        .replace("spec:\n      containers", spec)
        .replace("replicas: 2", "replicas: 2\n  progressDeadlineSeconds: 1");
    repo.write("secret.yaml", secret).write("web.yaml", bad).commit("Bad absent-canary");
    repo.run(&["apply", "--no-wait"]).exits(0);
    eventually("the Deployment has given up", || {
        let status = repo.run(&["status", "-o", "json"]).exits(1);
        assert!(!status.stdout.contains("absent-canary"), "{status}");
        document(&status)["targets"][0]["health"]["failed"] == 1
    });
    let text = repo.run(&["status"]).exits(1);
    assert!(text.stdout.contains("1 ready, 1 failed"), "{text}");
    assert!(text.stdout.contains("  ! Deployment status-health/web: "), "{text}");
    assert!(text.stdout.contains("pod web-"), "{text}");
    let images = document(&repo.run(&["status", "--images", "-o", "json"]).exits(1));
    let image = &images["targets"][0]["images"][0];
    assert_eq!(image["name"], "web");
    assert_eq!(image["running"][0]["pods"], 2, "{images}");
    assert_eq!(image["differs"], false, "{images}");
}

#[test]
fn context_that_is_not_reached_leaves_the_others_as_they_are() {
    let repo = repository("status-contexts", &["blue", "green"]);
    repo.run(&["apply", "--target", "blue"]).exits(0);
    let good = fs::read_to_string(&repo.plane().kubeconfig).unwrap();
    let mut config: serde_yaml::Value = serde_yaml::from_str(&good).unwrap();
    let name = config["contexts"][0]["name"].as_str().unwrap().to_owned();
    let mut context = config["contexts"][0].clone();
    context["name"] = "gone".into();
    context["context"]["cluster"] = "gone".into();
    config["contexts"].as_sequence_mut().unwrap().push(context);
    let mut cluster = config["clusters"][0].clone();
    cluster["name"] = "gone".into();
    cluster["cluster"]["server"] = "https://127.0.0.1:1".into();
    config["clusters"].as_sequence_mut().unwrap().push(cluster);
    let kubeconfig = repo.outside().join("two");
    fs::write(&kubeconfig, serde_yaml::to_string(&config).unwrap()).unwrap();
    let two = format!("{name},gone");
    let status = |args: &[&str]| repo.trueup(args).env("KUBECONFIG", &kubeconfig).run();

    let json = document(&status(&["status", "--contexts", &two, "-o", "json"]).exits(2));
    assert_eq!(state(&json, "blue"), "in-sync");
    assert_eq!(json["targets"].as_array().unwrap().len(), 2, "{json}");
    assert_eq!(json["contexts"][0]["error"], Value::Null);
    assert!(json["contexts"][1]["error"].as_str().is_some_and(|it| !it.is_empty()), "{json}");
    let text = status(&["status", "--contexts", &two]).exits(2);
    assert!(text.stdout.contains("\n  ? context gone: "), "{text}");
    status(&["status", "--contexts", &name, "blue"]).exits(0);
    status(&["status", "--contexts", "gone"]).exits(2);
    // The machine's file says the same, and a context on the command line counts more.
    let machine = repo.outside().join("trueup");
    fs::create_dir(&machine).unwrap();
    fs::write(machine.join("config.yaml"), format!("contexts: [{name}, gone]\n")).unwrap();
    let by_file = |args: &[&str]| {
        let status = repo.trueup(args).env("KUBECONFIG", &kubeconfig);
        status.env("XDG_CONFIG_HOME", repo.outside()).run()
    };
    by_file(&["status", "blue"]).exits(2);
    by_file(&["status", "blue", "--context", &name]).exits(0);
}

#[test]
fn what_targets_have_in_common_is_listed_once() {
    let names: Vec<String> = (0..10).map(|number| format!("team-{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let repo = repository("status-shared", &names);
    for target in &names {
        repo.write(
            &format!("{target}/more.yaml"),
            format!(
                "apiVersion: v1\nkind: Secret\nmetadata: {{name: {target}}}\n---\n\
                 apiVersion: v1\nkind: ServiceAccount\nmetadata: {{name: {target}}}\n---\n\
                 apiVersion: v1\nkind: Service\nmetadata: {{name: {target}}}\nspec: {{ports: [{{port: 80}}]}}\n"
            ),
        );
    }
    repo.commit("Second");
    repo.run(&["apply", "--all-targets", "--yes"]).exits(0);
    let (between, requests) = Between::recording(sandbox::bare());
    let status = || {
        requests.lock().unwrap().clear();
        let status = repo.trueup(&["status"]).env("KUBECONFIG", between.kubeconfig()).run();
        (status.exits(0), requests.lock().unwrap().len())
    };
    // The first has no proof, and makes the plan of each target from the same four lists.
    let (first, all) = status();
    assert!(first.stdout.contains("10 targets · 10 good"), "{first}");
    assert!(all <= 2 * 4 + 10, "{all}: {first}");
    // Another test may add a kind meanwhile, which costs discovery once more.
    let (later, few) = (0..4).map(|_| status()).min_by_key(|(_, count)| *count).unwrap();
    assert!(few <= 4 + 6, "{few}: {later}");
    assert!(later.stdout.contains(&format!("{few} requests")), "{later}");
}

#[test]
fn watch_says_when_its_next_round_is_due() {
    let repo = repository("status-watch", &["blue"]);
    let watch = repo.trueup(&["watch", "--no-pull", "--interval", "10m"]);
    let watching = Watching::running(&repo, watch);
    watching.says("1 changed");
    eventually("the mark is there", || {
        let status = document(&repo.run(&["status", "-o", "json"]));
        status["targets"][0]["next_due"].is_string()
    });
    let text = repo.run(&["status"]).exits(0);
    assert!(text.stdout.contains("watched, next round in "), "{text}");
    watching.stop();
    let status = document(&repo.run(&["status", "-o", "json"]).exits(0));
    assert_eq!(status["targets"][0]["next_due"], Value::Null);
}

#[test]
fn typo_in_the_settings_does_not_hide_what_runs() {
    let repo = repository("status-typo", &["a", "b"]);
    repo.run(&["apply", "--target", "a"]).exits(0);
    let good = commit(&repo, "HEAD");
    for (message, settings) in
        [("Typo", "targets: [\n"), ("Another", "targets:\n  a: {pats: [a]}\n")]
    {
        repo.write("trueup.yaml", settings).commit(message);
    }
    let json = document(&repo.run(&["status", "-o", "json"]).exits(2));
    assert_eq!(["a", "b"].map(|target| state(&json, target)), ["unknown", "unknown"]);
    let a = &json["targets"][0];
    assert!(a["message"].as_str().unwrap().starts_with("trueup.yaml:2:7: "), "{a}");
    assert_eq!(a["runs"]["commit"], good.as_str());
    assert_eq!(a["git"]["commit"], commit(&repo, "HEAD").as_str());
    assert_eq!(a["health"]["ready"], 1);
    let text = repo.run(&["status", "a"]).exits(2);
    assert!(text.stdout.contains("\n  ? trueup.yaml:2:7: "), "{text}");
    // Drift from the commit that runs shows all the same.
    repo.delete_config_map("a");
    let json = document(&repo.run(&["status", "-o", "json", "a"]).exits(2));
    assert_eq!(json["targets"][0]["drift"][0]["name"], "a", "{json}");
    // A commit is waited for with settings that can be used.
    let waits = repo.run(&["status", "--wait-for", "HEAD", "a"]).exits(2);
    assert!(waits.stderr.contains("trueup.yaml:2:7"), "{waits}");
}

#[test]
fn settings_that_never_were_any_good_are_an_error() {
    let repo = Repo::new("status-no-settings", sandbox::bare());
    repo.write("trueup.yaml", "targets: [\n").commit("First");
    let refused = repo.run(&["status"]).exits(2);
    assert!(refused.stderr.contains("trueup.yaml:"), "{refused}");
    assert_eq!(refused.stdout, "");
}
