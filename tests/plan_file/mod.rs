//! A plan that is approved in a file is carried out as it was approved, or not at all.

mod races;
mod shown;

use std::fs;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::support::command::{Cmd, Output};
use crate::support::objects::WEB;
use crate::support::repo::Repo;
use crate::support::sandbox;

fn file(repo: &Repo<'_>) -> PathBuf {
    repo.outside().join("plan.json")
}

/// Approves what diff shows.
#[track_caller]
fn approve(repo: &Repo<'_>, options: &[&str]) -> Output {
    let out = file(repo);
    repo.run(&[&["diff", "--out", out.to_str().unwrap()][..], options].concat()).exits(1)
}

/// Applies what was approved.
#[track_caller]
fn apply(repo: &Repo<'_>, options: &[&str]) -> Output {
    let plan = file(repo);
    repo.run(&[&["apply", "--plan", plan.to_str().unwrap()][..], options].concat())
}

/// Holds that nothing is applied, and says what is printed.
#[track_caller]
fn refused(repo: &Repo<'_>) -> String {
    let before = repo.writes();
    let output = apply(repo, &[]).exits(1);
    assert_eq!(repo.writes(), before, "\n{output}");
    assert!(output.stdout.contains("nothing was written"), "{output}");
    output.stdout
}

#[track_caller]
fn has(text: &str, lines: &[&str]) {
    for line in lines {
        assert!(text.contains(line), "{line:?} is missing from\n{text}");
    }
}

/// A repository whose first commit is applied, and whose second scales `web`, changes `flags`,
/// drops `old` and adds `new`.
fn two_commits<'p>(name: &str, plane: &'p sandbox::Plane) -> Repo<'p> {
    let repo = Repo::new(name, plane);
    repo.write("web.yaml", WEB).write_config("flags", "on").write_config("old", "1");
    repo.write_config("kept", "1").commit("The shop").run(&["apply"]).exits(0);
    repo.write("web.yaml", WEB.replace("replicas: 2", "replicas: 3")).remove("old.yaml");
    repo.write_config("flags", "off").write_config("new", "1").commit("More of it");
    repo
}

#[test]
fn approved_plan_is_applied_despite_unrelated_changes() {
    let repo = two_commits("plan-file-exact", sandbox::with_controllers());
    let diff = approve(&repo, &[]);
    has(&diff.stdout, &["1 to create, 2 to update, 1 to delete"]);
    let approved = repo.git(&["rev-parse", "HEAD"]).stdout;
    repo.write_config("later", "1").commit("Not approved yet");

    // Others write what the plan says nothing of, into every object of it.
    let status = r#"{"status":{"conditions":[{"type":"Mine","status":"True"}]}}"#;
    let patch = ["patch", "deployment", "web", "--subresource", "status", "-p", status];
    repo.kubectl(&patch).exits(0);
    for object in ["deployment/web", "configmap/flags", "configmap/old", "configmap/kept"] {
        repo.kubectl(&["annotate", object, "example.com/seen=yes"]).exits(0);
    }
    let applied = apply(&repo, &[]).exits(0);
    has(&applied.stdout, &["is at ", "5 objects, 4 changed"]);
    let get = |object: &str, path: &str| repo.kubectl(&["get", object, "-o", path]).stdout;
    assert_eq!(get("deployment/web", "jsonpath={.spec.replicas}"), "3");
    assert_eq!(get("configmap/flags", "jsonpath={.data.key}"), "off");
    assert_eq!(
        repo.members("configmap"),
        ["configmap/flags", "configmap/kept", "configmap/new"],
        "the approved commit, not the tip"
    );
    let revision = r"jsonpath={.metadata.annotations.trueup\.dev/revision}";
    assert_eq!(get(&format!("configmap/{}", repo.parent()), revision), approved.trim());

    // Once more: it is done already.
    let before = repo.writes();
    let again = apply(&repo, &[]).exits(0);
    has(&again.stdout, &["nothing to do"]);
    assert_eq!(repo.writes(), before);
}

#[test]
fn approved_plan_is_refused_when_its_objects_changed() {
    let repo = two_commits("plan-file-moved", sandbox::bare());
    approve(&repo, &[]);
    let fresh = fs::read(file(&repo)).unwrap();

    // A field that the plan changes has another value.
    repo.kubectl(&["scale", "deployment", "web", "--replicas", "7"]).exits(0);
    let said = refused(&repo);
    has(&said, &["-   replicas: 7", "+   replicas: 3", "1 object moved since the plan was made"]);
    has(&said, &["! Deployment plan-file-moved/web differs in other fields or values than were"]);
    assert!(!said.contains("flags"), "it did not move\n{said}");
    repo.kubectl(&["scale", "deployment", "web", "--replicas", "2"]).exits(0);

    // Another field that the commit declares, though the plan did not change it.
    let image = "main=registry.example/web:1.4.1";
    repo.kubectl(&["set", "image", "deployment/web", image]).exits(0);
    has(&refused(&repo), &["-         image: registry.example/web:1.4.1"]);
    let image = "main=registry.example/web:1.4.0";
    repo.kubectl(&["set", "image", "deployment/web", image]).exits(0);

    // An object that was in sync.
    let edit = |name: &str, value: &str| {
        let patch = format!(r#"{{"data":{{"key":"{value}"}}}}"#);
        repo.kubectl(&["patch", "configmap", name, "-p", &patch]).exits(0);
    };
    edit("kept", "2");
    has(&refused(&repo), &["! ConfigMap plan-file-moved/kept was in sync, and is to update now"]);
    edit("kept", "1");

    // One that was to be made is there, one that was to be deleted is changed, and one that was to
    // be changed is made anew.
    let make = |name: &str, value: &str| {
        let literal = format!("--from-literal=key={value}");
        repo.kubectl(&["create", "configmap", name, &literal]).exits(0);
    };
    make("new", "mine");
    edit("old", "2");
    let label = format!("applyset.kubernetes.io/part-of={}", repo.applyset());
    repo.delete_config_map("flags");
    make("flags", "on");
    repo.kubectl(&["label", "configmap", "flags", &label]).exits(0);
    let said = refused(&repo);
    has(&said, &["4 objects moved", "/new was not there, and has been created since"]);
    has(&said, &["/old changed since its deletion was approved"]);
    has(
        &said,
        &["/flags was deleted and recreated", "- v1 ConfigMap plan-file-moved/old · delete"],
    );

    let json = apply(&repo, &["-o", "json"]).exits(1);
    let json: Value = serde_json::from_str(&json.stdout).unwrap();
    let moved = json["moved"].as_array().unwrap();
    assert_eq!(moved.len(), 4, "{moved:?}");
    assert_eq!(
        (&moved[2]["object"]["name"], &moved[2]["approved"]),
        (&"new".into(), &"create".into())
    );
    assert!(json.get("desired_moved").is_none());
    let names = apply(&repo, &["-o", "name"]).exits(1).stdout;
    assert_eq!(names.lines().count(), 4, "{names}");
    apply(&repo, &["--exit-zero"]).exits(0);

    // The new difference is approved, over the old file, and carried out.
    approve(&repo, &[]);
    assert_ne!(fs::read(file(&repo)).unwrap(), fresh);
    apply(&repo, &[]).exits(0);
    repo.run(&["diff"]).exits(0);
}

#[test]
fn approved_plan_accepts_an_already_deleted_object() {
    let repo = two_commits("plan-file-gone", sandbox::bare());
    approve(&repo, &[]);
    repo.delete_config_map("old");
    let applied = apply(&repo, &[]).exits(0);
    has(&applied.stdout, &["3 changed"]);
}

#[test]
fn a_plan_is_for_one_cluster_and_one_repository() {
    let repo = two_commits("plan-file-elsewhere", sandbox::bare());
    approve(&repo, &[]);
    let plan = file(&repo);
    let plan = plan.to_str().unwrap();

    let other = sandbox::with_controllers();
    let there = repo.trueup(&["apply", "--plan", plan]).env("KUBECONFIG", &other.kubeconfig);
    let there = there.run().exits(2);
    has(&there.stderr, &["the plan is for the cluster trueup-sandbox (", "but this is"]);

    let stranger = Repo::new("plan-file-stranger", sandbox::bare());
    stranger.write_config("one", "1").commit("Another beginning");
    let there = stranger.trueup(&["apply", "--plan", plan]).env_remove("TRUEUP_NAMESPACE").run();
    has(&there.exits(2).stderr, &["the plan is for the repository whose first commit is"]);

    // A clone from before the commit.
    let clone = repo.outside().join("clone");
    let clone = clone.to_str().unwrap();
    repo.git(&["branch", "before", "HEAD~1"]);
    repo.git(&[
        "clone",
        "--quiet",
        "--single-branch",
        "--branch",
        "before",
        "--no-local",
        ".",
        clone,
    ]);
    let there = repo.run(&["-C", clone, "apply", "--plan", plan]).exits(2);
    has(&there.stderr, &["of the plan is not in this checkout", "do this: fetch it: trueup pull"]);

    // What contradicts the plan, and what only repeats it.
    let there = repo.run(&["apply", "--plan", plan, "-n", "default"]).exits(2);
    has(&there.stderr, &["the plan is for namespace plan-file-elsewhere, not default"]);
    for option in [&["--rev", "HEAD"][..], &["."], &["--worktree"], &["--allow-empty"]] {
        let both = repo.run(&[&["apply", "--plan", plan][..], option].concat()).exits(2);
        has(&both.stderr, &["cannot be used with"]);
    }
    repo.run(&["apply", "--plan", plan, "-n", "plan-file-elsewhere"]).exits(0);
}

#[test]
fn a_file_that_is_not_as_trueup_wrote_it_is_refused() {
    let repo = two_commits("plan-file-broken", sandbox::bare());
    let missing = apply(&repo, &[]).exits(2);
    has(&missing.stderr, &["cannot read the plan file", "make it first: trueup diff --out "]);
    approve(&repo, &[]);
    let text = fs::read_to_string(file(&repo)).unwrap();
    let version = text.replace("\"version\": 1", "\"version\": 2");
    let other = text.replace("\"trueup\": \"", "\"trueup\": \"9");
    let before = repo.writes();
    for (broken, says) in [
        (&text[..text.len() / 2], "it is not JSON, or it is truncated"),
        ("", "it is not JSON, or it is truncated"),
        ("apiVersion: v1\n", "it is not JSON"),
        ("[]", "it is JSON, but not a trueup plan"),
        ("{\"kind\": \"Plan\"}", "it is JSON, but not a trueup plan"),
        (version.as_str(), "it has version 2; this trueup reads version 1"),
        (other.as_str(), "made it, and this is"),
        (&text.replace("\"delete\"", "\"keep\""), "it was changed since trueup wrote it"),
        (&text.replace("plan-file-broken", "default"), "it was changed since trueup wrote it"),
        (&text.replace("\"desired\"", "\"desird\""), "unknown field `desird`"),
    ] {
        assert_ne!(broken, text);
        fs::write(file(&repo), broken).unwrap();
        let output = apply(&repo, &[]).exits(2);
        has(&output.stderr, &[says, "do this: make a new one: trueup diff --out "]);
    }
    assert_eq!(repo.writes(), before);
    let folder = repo.outside().to_str().unwrap();
    let pipe = repo.outside().join("pipe");
    Cmd::new("mkfifo").args([&pipe]).run().exits(0);
    for cannot in [folder, "/no/such/folder/plan.json", pipe.to_str().unwrap()] {
        let output = repo.run(&["diff", "--out", cannot]).exits(2);
        has(&output.stderr, &["cannot write the plan file"]);
    }
    fs::write(file(&repo), text).unwrap();
    apply(&repo, &[]).exits(0);
}

#[test]
fn approved_plan_has_the_permissions_of_its_diff() {
    let repo = Repo::new("plan-file-guard", sandbox::bare());
    let claim = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\nspec:
  accessModes: [ReadWriteOnce]\n  resources: {requests: {storage: 1Gi}}\n";
    repo.write("data.yaml", claim).write_config("flags", "on").commit("With data");
    repo.run(&["apply"]).exits(0);
    repo.remove("data.yaml").write_config("flags", "off").commit("Without");

    approve(&repo, &[]);
    let kept = apply(&repo, &[]).exits(1);
    has(&kept.stdout, &["use --allow-delete PersistentVolumeClaim", "1 refused, 1 done"]);
    repo.kubectl(&["get", "pvc", "data"]).exits(0);

    approve(&repo, &["--allow-delete", "PersistentVolumeClaim"]);
    let gone = apply(&repo, &[]).exits(0);
    has(&gone.stdout, &["PersistentVolumeClaim"]);
    // The bare sandbox has no controller that takes the claim's finalizer off.
    let claim =
        repo.kubectl(&["get", "pvc", "data", "-o", "jsonpath={.metadata.deletionTimestamp}"]);
    assert!(claim.status != Some(0) || !claim.stdout.is_empty(), "{claim}");
}

#[test]
fn no_value_of_any_object_is_in_the_file() {
    let repo = Repo::new("plan-file-secrets", sandbox::bare());
    let canary = |n: usize| {
        use std::hash::{BuildHasher as _, RandomState};
        format!("canary{:016x}", RandomState::new().hash_one(n))
    };
    let [live, text, data, plain] = [0, 1, 2, 3].map(canary);
    let secret = |text: &str| {
        let data = STANDARD.encode(&data);
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: db}}\nstringData: {{text: {text}}}\ndata: {{data: {data}}}\n"
        )
    };
    repo.write("db.yaml", secret(&live)).write_config("plain", &plain).commit("First");
    repo.run(&["apply"]).exits(0);
    repo.write("db.yaml", secret(&text)).write_config("leak", &format!("db://user:{text}@db"));
    repo.write_config("plain", "other").commit("Second");
    approve(&repo, &[]);
    let bytes = fs::read_to_string(file(&repo)).unwrap();
    for canary in [&live, &text, &data, &plain] {
        for spelling in [canary.clone(), STANDARD.encode(canary)] {
            assert!(!bytes.contains(&spelling), "a value is in the plan file\n{bytes}");
        }
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(file(&repo)).unwrap().permissions().mode() & 0o777, 0o600);
    }

    // Another value of the Secret counts all the same.
    let patch = format!(r#"{{"stringData":{{"text":"{plain}"}}}}"#);
    repo.kubectl(&["patch", "secret", "db", "-p", &patch]).exits(0);
    let said = refused(&repo);
    has(&said, &["! Secret plan-file-secrets/db differs in"]);
    assert!([&live, &text, &data, &plain].iter().all(|canary| !said.contains(*canary)), "{said}");
    approve(&repo, &[]);
    apply(&repo, &[]).exits(0);
    let value = repo.kubectl(&["get", "secret", "db", "-o", "jsonpath={.data.text}"]).stdout;
    assert_eq!(value, STANDARD.encode(&text));
}

#[test]
fn a_target_of_the_configuration_is_carried_out_from_anywhere() {
    let repo = Repo::new("plan-file-target", sandbox::bare());
    repo.write("trueup.yaml", "targets:\n  one: {paths: [one]}\n  two: {paths: [two]}\n");
    repo.write("one/a.yaml", crate::support::objects::config("a", "1")).commit("Targets");
    approve(&repo, &["--target", "one"]);
    let first = fs::read(file(&repo)).unwrap();
    approve(&repo, &["--target", "one"]);
    assert_eq!(fs::read(file(&repo)).unwrap(), first, "the same plan makes the same file");
    // The tip has no such target any more.
    repo.write("trueup.yaml", "targets:\n  two: {paths: [two]}\n").commit("One is gone");
    let other = apply(&repo, &["--target", "two"]).exits(2);
    has(&other.stderr, &["the plan is for target one, not two"]);
    has(&apply(&repo, &[]).exits(0).stdout, &["one is at "]);
    let parent = repo.kubectl(&["get", "configmap", "trueup-one"]);
    assert_eq!(parent.status, Some(0), "{parent}");
}

#[test]
fn a_plan_of_what_needs_each_other_and_one_of_nothing() {
    let repo = Repo::new("plan-file-born", sandbox::bare());
    let born = include_str!("../../fixtures/born-together.yaml").replace("born", "born-planned");
    repo.write("all.yaml", born).commit("All at once");
    has(&approve(&repo, &[]).stdout, &["4 to create"]);
    has(&apply(&repo, &[]).exits(0).stdout, &["4 changed"]);

    let out = file(&repo);
    repo.run(&["diff", "--out", out.to_str().unwrap()]).exits(0);
    has(&apply(&repo, &[]).exits(0).stdout, &["nothing to do"]);
    let delete = ["-n", "born-planned-together", "delete", "configmap", "settings"];
    repo.kubectl(&delete).exits(0);
    let said = refused(&repo);
    has(&said, &["! ConfigMap born-planned-together/settings was in sync, and is to create now"]);
}

#[test]
fn plan_file_needs_the_cluster_uid() {
    let repo = Repo::new("plan-file-nobody", sandbox::bare());
    repo.write_config("one", "1").commit("First");
    let role = ["create", "role", "edit", "--verb", "*", "--resource", "configmaps"];
    repo.kubectl(&role).exits(0);
    let binding = ["create", "rolebinding", "edit", "--role", "edit", "--user", "editor"];
    repo.kubectl(&binding).exits(0);
    let out = file(&repo);
    let diff = repo.run(&["diff", "--as", "editor", "--out", out.to_str().unwrap()]).exits(2);
    has(&diff.stderr, &["kube-system", "do this: plan files need the right to get Namespace"]);
    assert!(!out.exists());
}
