//! What a target of trueup.yaml says of how it is applied: each key acts, and a flag counts first.

use crate::support::objects::config;
use crate::support::repo::Repo;
use crate::support::sandbox;

/// A repository with a ConfigMap, and a target of its name that says so much.
fn repo(name: &str, keys: &str) -> Repo<'static> {
    let repo = Repo::new(name, sandbox::bare());
    says(&repo, keys);
    repo.write("objects/a.yaml", config("a", "1")).commit("First");
    repo
}

fn says(repo: &Repo<'_>, keys: &str) {
    let name = repo.namespace();
    repo.write("trueup.yaml", format!("targets:\n  {name}:\n    paths: [objects]\n    {keys}\n"));
}

/// A health rule by which a ConfigMap is ready unless it says `bad`.
const HEALTH: &str = "health: [{kind: ConfigMap, ready: object.data.key != 'bad'}]";

fn annotation(repo: &Repo<'_>, name: &str, path: &str) -> String {
    repo.kubectl(&["get", "configmap", name, "-o", &format!("jsonpath={{{path}}}")]).stdout
}

#[test]
fn the_guards_of_a_target_are_its_own() {
    let repo = repo("settings-guards", "max-prune: 2");
    for name in ["b", "c", "d"] {
        repo.write(&format!("objects/{name}.yaml"), config(name, "1"));
    }
    repo.commit("Four");
    repo.run(&["apply"]).exits(0);
    for name in ["b", "c", "d"] {
        repo.remove(&format!("objects/{name}.yaml"));
    }
    repo.commit("One");
    repo.run(&["apply"]).shows("apply/limit-of-pruning").exits(1);
    repo.run(&["apply", "--max-prune", "3"]).exits(0);

    says(&repo, "replace: [ConfigMap]");
    repo.write("objects/a.yaml", format!("{}immutable: true\n", config("a", "1"))).commit("Fixed");
    repo.run(&["apply"]).exits(0);
    repo.write("objects/a.yaml", format!("{}immutable: true\n", config("a", "2"))).commit("Moved");
    let refused = repo.run(&["apply", "--replace", "Job"]).exits(1);
    assert!(refused.stdout.contains("use --replace ConfigMap"), "{refused}");
    let replaced = repo.run(&["apply"]).exits(0);
    assert!(replaced.stdout.contains("✓ ConfigMap  settings-guards/a  replaced"), "{replaced}");

    says(&repo, "cascade: orphan");
    repo.write("objects/b.yaml", config("b", "1")).commit("Two");
    repo.run(&["apply"]).exits(0);
    repo.remove("objects/b.yaml").commit("One");
    repo.run(&["apply"]).exits(0);
    assert_eq!(annotation(&repo, "b", ".metadata.finalizers[*]"), "orphan");
}

#[test]
fn target_sets_verify() {
    let repo = repo("settings-looks", "verify: true");
    repo.run(&["apply"]).exits(0);
    let asks = |args: &[&str]| {
        let before = sandbox::bare().audit_log.count();
        repo.run(args).exits(0);
        let requests = sandbox::bare().audit_log.requests_after(before);
        let asked = requests
            .iter()
            .filter(|request| request.verb == "patch" && request.namespace() == repo.namespace());
        asked.count()
    };
    assert_eq!((asks(&["diff"]), asks(&["diff", "--verify=false"])), (1, 0));

    says(&repo, "strict: true");
    repo.write("objects/broken.yaml", "kind: {\n").commit("Broken");
    let refused = repo.run(&["diff"]).exits(2);
    assert!(refused.stderr.contains("--strict=false where trueup.yaml sets `strict`"), "{refused}");
    repo.run(&["diff", "--strict=false"]).exits(1);
}

#[test]
fn target_sets_wait_and_timeout() {
    let repo = repo("settings-wait", &format!("{HEALTH}\n    wait: true\n    timeout: 1s"));
    repo.write("objects/a.yaml", config("a", "bad")).commit("Bad");
    let late = repo.run(&["apply"]).exits(1);
    assert!(late.stderr.contains("waiting up to 1s for 1 of 1 objects"), "{late}");
    let late = repo.run(&["apply", "--timeout", "2s"]).exits(1);
    assert!(late.stderr.contains("waiting up to 2s"), "{late}");
    repo.run(&["apply", "--no-wait"]).exits(0);
    repo.write("objects/b.yaml", config("b", "1")).commit("Another");
    let watched = repo.run(&["watch", "--once", "--no-pull"]);
    watched.shows("watch/not-ready").exits(1);
    // Where nothing runs, nobody waits.
    repo.run(&["apply", "--sandbox", "--namespace", "default"]).exits(0);
    says(&repo, &format!("{HEALTH}\n    wait: false"));
    repo.write("objects/c.yaml", config("c", "1")).commit("One more");
    repo.run(&["watch", "--once", "--no-pull"]).exits(0);
}

#[test]
fn target_sets_lock_timeout() {
    let repo = repo("settings-lock", "lock-timeout: 0");
    let text = format!(
        "apiVersion: coordination.k8s.io/v1\nkind: Lease\nmetadata: {{name: {}}}\nspec: {{holderIdentity: somebody, leaseDurationSeconds: 30, renewTime: '2100-01-01T00:00:00.000000Z'}}\n",
        repo.parent()
    );
    std::fs::write(repo.outside().join("lease.yaml"), text).unwrap();
    let lease = repo.outside().join("lease.yaml");
    repo.kubectl(&["create", "-f", lease.to_str().unwrap()]).exits(0);
    let at_once = repo.run(&["apply"]).exits(2);
    assert!(at_once.stderr.contains("is locked by somebody"), "{at_once}");
    assert!(!at_once.stderr.contains("waits up to"), "{at_once}");
    let later = repo.run(&["apply", "--lock-timeout", "1s"]).exits(2);
    assert!(later.stderr.contains("waits up to 1s"), "{later}");
}

#[test]
fn target_sets_on_failure() {
    let keys = format!("{HEALTH}\n    on-failure: rollback\n    timeout: 1s");
    let repo = repo("settings-failure", &keys);
    repo.run(&["apply"]).exits(0);
    repo.write("objects/a.yaml", config("a", "bad")).commit("Bad");
    repo.run(&["apply"]).shows("apply/rolled-back").exits(1);
    assert_eq!(repo.value("a"), "1");
    // What was approved is carried out, and nothing else.
    let file = repo.outside().join("plan.json");
    let file = file.to_str().unwrap();
    repo.run(&["diff", "--out", file]).exits(1);
    repo.run(&["apply", "--plan", file, "--wait"]).exits(1);
    assert_eq!(repo.value("a"), "bad");
    let stays = repo.run(&["apply", "--on-failure", "stop", "--wait"]).exits(1);
    assert!(!stays.stdout.contains("rolled back"), "{stays}");
    let back = repo.run(&["watch", "--once", "--no-pull"]).exits(1);
    assert!(back.stdout.contains("stays at"), "{back}");
}

#[test]
fn invalid_setting_is_reported_with_its_position() {
    let repo = repo("settings-wrong", "timeout: soon");
    for verb in ["diff", "apply", "check"] {
        let case = format!("wrong-input/settings-duration-{verb}");
        repo.run(&[verb]).shows(&case).exits(2);
    }
}

#[test]
fn a_target_that_gets_other_paths_keeps_its_inventory() {
    let repo = Repo::new("settings-paths", sandbox::bare());
    let settings = |paths: &str, more: &str| {
        repo.write("trueup.yaml", format!("targets:\n  prod:\n    paths: [{paths}]\n{more}"));
    };
    repo.write("a/one.yaml", config("one", "1")).write("b/two.yaml", config("two", "1"));
    settings("a", "");
    repo.commit("One folder");
    repo.run(&["apply"]).exits(0);
    let left = || repo.config_maps().join(" ");

    settings("b", "");
    repo.commit("The other one");
    let diff = repo.run(&["diff"]).exits(1);
    assert!(diff.stdout.contains("1 to create, 0 to update, 1 to delete"), "{diff}");
    repo.run(&["watch", "--once"]).exits(0);
    assert!(left().contains("two") && !left().contains("one"), "{}", left());
    let before = repo.run(&["apply", "--rev", "HEAD~1"]).exits(0);
    assert!(left().contains("one") && !left().contains("two"), "{before}");
    let plan = repo.outside().join("plan.json");
    let plan = plan.to_str().unwrap();
    repo.run(&["diff", "--out", plan]).exits(1);
    repo.run(&["apply", "--plan", plan]).exits(0);
    assert!(left().contains("two"), "{}", left());

    // Another target of the file does not get it by its name.
    settings("b", "  test:\n    paths: [a]\n    name: prod\n");
    repo.commit("A second target");
    let refused = repo.run(&["diff", "--target", "test"]);
    refused.shows("diff/inventory-of-another-target").exits(2);
    // Nor do paths without a target.
    repo.run(&["diff", "a", "--name", "prod"]).exits(2);
    repo.run(&["diff", "a", "--name", "prod", "--moved"]).exits(1);
}

#[test]
fn pruning_after_a_path_change_is_guarded() {
    let repo = Repo::new("settings-guarded", sandbox::bare());
    for n in 0..12 {
        repo.write(&format!("a/{n}.yaml"), config(&format!("o{n}"), "1"));
    }
    repo.write("b/two.yaml", config("two", "1"));
    repo.write("trueup.yaml", "targets: {prod: {paths: [a]}}\n").commit("One folder");
    repo.run(&["apply"]).exits(0);
    repo.write("trueup.yaml", "targets: {prod: {paths: [b]}}\n").commit("The other one");
    let refused = repo.run(&["apply"]).exits(1);
    assert!(refused.stdout.contains("the limit is "), "{refused}");
    let left = repo.config_maps();
    assert_eq!(left.iter().filter(|name| name.starts_with('o')).count(), 12, "{left:?}");
}
