//! What stands between a run and a deletion, and what is kept and let go, on a real API server.

use serde_json::Value;

use crate::support::objects;
use crate::support::objects::config;
use crate::support::repo::Repo;
use crate::support::sandbox;

/// A repository of twelve ConfigMaps that are applied.
fn twelve<'p>(name: &str, plane: &'p sandbox::Plane) -> Repo<'p> {
    let repo = Repo::new(name, plane);
    for n in 0..12 {
        repo.write_config(&format!("c{n}"), "1");
    }
    repo.commit("Twelve").run(&["apply"]).exits(0);
    repo
}

#[track_caller]
fn removed(repo: &Repo<'_>, numbers: std::ops::Range<usize>) {
    for n in numbers {
        repo.remove(&format!("c{n}.yaml"));
    }
    repo.commit("Fewer");
}

/// The words of a text, however they are laid out.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn annotated(name: &str, annotation: &str) -> String {
    objects::annotated(&config(name, "1"), annotation)
}

#[test]
fn pruning_more_than_half_is_refused() {
    let repo = twelve("prune-half", sandbox::bare());
    removed(&repo, 0..7);
    let writes = repo.writes();
    let refused = repo.run(&["apply"]).shows("apply/more-than-half").exits(1);
    assert_eq!(repo.writes(), writes, "{refused}");
    repo.run(&["apply", "--max-prune", "6"]).exits(1);
    let file = repo.outside().join("plan.json");
    let file = file.to_str().unwrap();
    repo.run(&["diff", "--max-prune", "7", "--out", file]).exits(1);
    repo.run(&["apply", "--plan", file]).exits(0);
    assert_eq!(repo.members("configmap").len(), 5);

    // Of fewer than ten, any share may go, unless somebody says otherwise.
    removed(&repo, 7..11);
    repo.run(&["apply", "--max-prune", "50%"]).exits(1);
    repo.run(&["apply"]).exits(0);
    assert_eq!(repo.members("configmap"), ["configmap/c11"]);
    let usage = repo.run(&["apply", "--max-prune", "half"]);
    usage.shows("wrong-input/max-prune").exits(2);
}

/// The first run makes the new ones: then the old ones are no more than half.
#[test]
fn prune_limit_survives_a_rename_over_two_runs() {
    for (name, broken) in [("prune-renamed", false), ("prune-renamed-broken", true)] {
        let repo = twelve(name, sandbox::bare());
        for n in 0..12 {
            repo.remove(&format!("c{n}.yaml")).write_config(&format!("new-c{n}"), "1");
        }
        if broken {
            repo.write("broken.yaml", "a: [");
        }
        repo.commit("Renamed").run(&["apply"]).exits(1);
        if broken {
            repo.remove("broken.yaml").commit("Mended");
        }
        let why = "would delete 12 of 12 objects; the limit is 50%";
        for verb in ["diff", "apply", "apply"] {
            let again = repo.run(&[verb]).exits(1);
            assert!(words(&again.stdout).contains(why), "{again}");
        }
        assert_eq!(repo.members("configmap").len(), 24);
        let once = ["watch", "--once", "--no-wait"];
        repo.run(&once).exits(1);
        assert_eq!(repo.members("configmap").len(), 24);

        repo.run(&["apply", "--max-prune", "12"]).exits(0);
        assert_eq!(repo.members("configmap").len(), 12);
        let before = ["get", "configmap", &repo.parent(), "-o", "jsonpath={.metadata.annotations}"];
        let parent = repo.kubectl(&before).exits(0).stdout;
        assert!(!parent.contains("objects-before"), "{parent}");
        let writes = repo.writes();
        repo.run(&["apply"]).exits(0);
        assert_eq!(repo.writes(), writes);
    }
}

#[test]
fn empty_commit_needs_allow_empty() {
    let repo = twelve("prune-all", sandbox::bare());
    removed(&repo, 0..12);
    repo.run(&["apply"]).exits(1);
    repo.run(&["apply", "--allow-empty", "--max-prune", "90%"]).exits(1);
    repo.run(&["apply", "--allow-empty"]).exits(0);
    assert_eq!(repo.members("configmap"), [] as [&str; 0]);
}

#[test]
fn objects_annotated_against_pruning_are_abandoned() {
    let repo = Repo::new("prune-kept", sandbox::bare());
    let kept = [
        ("ours", "trueup.dev/prune: \"false\""),
        ("flux", "kustomize.toolkit.fluxcd.io/prune: disabled"),
        ("argo", "argocd.argoproj.io/sync-options: Prune=false"),
        ("cli", "client.lifecycle.config.k8s.io/deletion: detach"),
        ("helm", "helm.sh/resource-policy: keep"),
    ];
    for (name, annotation) in kept {
        repo.write(&format!("{name}.yaml"), annotated(name, annotation));
    }
    repo.write_config("gone", "1").write_config("stays", "1").commit("All of them");
    repo.run(&["apply"]).exits(0);
    let patch = r#"{"data": {"theirs": "x"}}"#;
    repo.kubectl(&["patch", "configmap", "ours", "--type=merge", "-p", patch]).exits(0);
    for (name, _) in kept {
        repo.remove(&format!("{name}.yaml"));
    }
    repo.remove("gone.yaml").commit("All but one are gone");

    repo.run(&["diff"]).shows("diff/abandoned").exits(1);
    repo.run(&["diff", "-o", "name"]).shows("diff/names-abandoned").exits(1);
    repo.run(&["diff", "-o", "markdown"]).shows("diff/markdown-abandoned").exits(1);
    let file = repo.outside().join("plan.json");
    let file = file.to_str().unwrap();
    let json = repo.run(&["diff", "-o", "json", "--out", file]).exits(1);
    let json: Value = serde_json::from_str(&json.stdout).unwrap();
    let summary = &json["summary"];
    assert_eq!([&summary["abandon"], &summary["update"]], [5, 0], "{json:#}");
    let changes = json["changes"].as_array().into_iter().flatten();
    assert_eq!(changes.filter(|change| change["action"] == "abandon").count(), 5, "{json:#}");
    let apply = repo.run(&["apply", "--plan", file]).exits(0);
    assert!(apply.stdout.contains("✓ ConfigMap  prune-kept/ours  abandoned\n"), "{apply}");
    assert_eq!(repo.members("configmap"), ["configmap/stays"]);
    for (name, _) in kept {
        let live = repo.kubectl(&["get", "configmap", name, "-o", "json", "--show-managed-fields"]);
        let live: Value = serde_json::from_str(&live.exits(0).stdout).unwrap();
        assert_eq!(live["data"]["key"], "1", "{live}");
        assert_eq!(live["metadata"]["labels"], Value::Null, "{live}");
        let managers = live["metadata"]["managedFields"].as_array().into_iter().flatten();
        let names: Vec<&str> = managers.filter_map(|entry| entry["manager"].as_str()).collect();
        assert!(!names.contains(&"trueup"), "{live}");
        assert_eq!(names.is_empty(), name != "ours", "{live}");
    }
    let writes = repo.writes();
    let again = repo.run(&["apply"]).exits(0);
    assert!(again.stdout.contains("nothing to do"), "{again}");
    assert_eq!(repo.writes(), writes, "{again}");
}

#[test]
fn prune_confirm_is_kept_until_its_kind_is_allowed() {
    let repo = Repo::new("prune-confirm", sandbox::bare());
    let asks = annotated("asks", "argocd.argoproj.io/sync-options: Prune=confirm");
    repo.write("asks.yaml", asks).write_config("stays", "1").commit("Two");
    repo.run(&["apply"]).exits(0);
    repo.remove("asks.yaml").commit("One");
    let apply = repo.run(&["apply"]).exits(0);
    let why = "kept, as argocd.argoproj.io/sync-options: Prune=confirm says";
    assert!(words(&apply.stdout).contains(why), "{apply}");
    assert_eq!(repo.members("configmap"), ["configmap/asks", "configmap/stays"]);
    repo.run(&["apply", "--allow-delete", "ConfigMap"]).exits(0);
    assert_eq!(repo.members("configmap"), ["configmap/stays"]);
}

#[test]
fn prune_confirm_is_deleted_once_approved_by_annotation() {
    let repo = Repo::new("prune-approved", sandbox::bare());
    let asks = annotated("asks", "argocd.argoproj.io/sync-options: Prune=confirm");
    let claim = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\n\
                 spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}\n";
    repo.write("asks.yaml", asks).write("data.yaml", claim).write_config("stays", "1");
    repo.commit("Three").run(&["apply"]).exits(0);
    repo.remove("asks.yaml").remove("data.yaml").commit("One");
    let approve = |object: &str, time: &str| {
        let time = format!("argocd.argoproj.io/deletion-approved={time}");
        repo.kubectl(&["annotate", "--overwrite", object, &time]).exits(0);
    };
    approve("configmap/asks", "2001-01-01T00:00:00Z");
    let apply = repo.run(&["apply"]).exits(1);
    let why = "2001-01-01T00:00:00Z is before it was last applied";
    assert!(words(&apply.stdout).contains(why), "{apply}");
    assert!(words(&apply.stdout).contains("data may be deleted with it"), "{apply}");
    assert_eq!(repo.members("configmap,persistentvolumeclaim").len(), 3);

    let now = jiff::Timestamp::now().strftime("%FT%TZ").to_string();
    approve("configmap/asks", &now);
    approve("persistentvolumeclaim/data", &now);
    let apply = repo.run(&["apply"]).exits(0);
    assert!(apply.stdout.contains("prune-approved/asks  deleted"), "{apply}");
    assert!(apply.stdout.contains("PersistentVolumeClaim  prune-approved/data"), "{apply}");
    assert_eq!(repo.members("configmap"), ["configmap/stays"]);
}

#[test]
fn cascade_sets_the_deletion_propagation() {
    let repo = Repo::new("prune-cascade", sandbox::bare());
    // Nobody collects garbage here, so what waits for that stays as it was marked.
    for (how, finalizer) in [
        ("background", None),
        ("foreground", Some("foregroundDeletion")),
        ("orphan", Some("orphan")),
    ] {
        repo.write_config(how, "1").write_config("stays", "1").commit("Two");
        repo.run(&["apply"]).exits(0);
        repo.remove(&format!("{how}.yaml")).commit("One");
        repo.run(&["apply", "--cascade", how]).exits(0);
        let marks = ["get", "configmap", how, "-o", "jsonpath={.metadata.finalizers[*]}"];
        let marks = repo.kubectl(&marks);
        match finalizer {
            Some(finalizer) => assert_eq!(marks.exits(0).stdout, finalizer),
            None => assert_eq!(marks.status, Some(1), "{marks}"),
        }
    }
}
