//! Inventories and locks are nobody's to declare, never pruned, and not inherited by name.

use super::words;
use crate::support::command::Output;
use crate::support::objects::{Definition, config};
use crate::support::repo::Repo;
use crate::support::sandbox;

/// A manifest that a commit may not have, and where it is told.
struct Case {
    what: &'static str,
    yaml: String,
    place: &'static str,
    says: &'static str,
}

fn metadata(kind: (&str, &str), name: &str, more: &str) -> String {
    let (version, kind) = kind;
    format!("apiVersion: {version}\nkind: {kind}\nmetadata:\n  name: {name}\n{more}")
}

fn cases() -> Vec<Case> {
    let config_map = ("v1", "ConfigMap");
    let id = "  labels:\n    applyset.kubernetes.io/id: applyset-x-v1\n";
    let tooling = "  annotations:\n    applyset.kubernetes.io/tooling: trueup/v0.1.0\n";
    let member = "  labels:\n    applyset.kubernetes.io/part-of: applyset-x-v1\n";
    let gear = ("guards.example.com/v1", "Gear");
    vec![
        Case {
            what: "a parent by its label, whatever the kind",
            yaml: metadata(("v1", "Secret"), "theirs", id),
            place: "evil.yaml:6:5",
            says: "carries the label applyset.kubernetes.io/id",
        },
        Case {
            what: "a parent of a kind that the cluster does not have",
            yaml: metadata(gear, "theirs", id),
            place: "evil.yaml:6:5",
            says: "carries the label applyset.kubernetes.io/id",
        },
        Case {
            what: "a parent by an annotation",
            yaml: metadata(config_map, "theirs", tooling),
            place: "evil.yaml:6:5",
            says: "carries the annotation applyset.kubernetes.io/tooling",
        },
        Case {
            what: "a member of another set",
            yaml: metadata(config_map, "theirs", member),
            place: "evil.yaml:6:5",
            says: "carries the label applyset.kubernetes.io/part-of",
        },
        Case {
            what: "a record by its name alone",
            yaml: metadata(config_map, "trueup-victim", "  namespace: default\n"),
            place: "evil.yaml:4:3",
            says: "names of ConfigMaps that begin with trueup- are those of inventories",
        },
        Case {
            what: "a lock",
            yaml: metadata(("coordination.k8s.io/v1", "Lease"), "trueup-victim", ""),
            place: "evil.yaml:4:3",
            says: "names of Leases that begin with trueup- are those of locks",
        },
        Case {
            what: "a lock that is to be ignored",
            yaml: metadata(
                ("coordination.k8s.io/v1", "Lease"),
                "trueup-victim",
                "  annotations: {trueup.dev/mode: ignore}\n",
            ),
            place: "evil.yaml:4:3",
            says: "names of Leases that begin with trueup- are those of locks",
        },
    ]
}

#[test]
fn a_manifest_that_is_an_inventory_or_a_lock_is_refused_in_every_verb() {
    let repo = Repo::new("guards-reserved", sandbox::bare());
    repo.write_config("sound", "1");
    for Case { what, yaml, place, says } in cases() {
        repo.write("evil.yaml", &yaml).commit(what);
        let verbs: [&[&str]; 3] = [&["check"], &["diff"], &["apply"]];
        for args in verbs {
            let output = repo.run(args).exits(1);
            let said = words(&output.stdout);
            assert!(said.contains(place), "{what}: no {place}\n{output}");
            assert!(said.contains(says), "{what}: no {says:?}\n{output}");
        }
        assert_eq!(repo.members("configmap,secret,lease"), ["configmap/sound"], "{what}");
    }
}

/// What `kubectl apply --applyset` may itself be declared with is no parent yet.
#[test]
fn a_definition_of_parents_may_be_declared() {
    let repo = Repo::new("guards-parent-type", sandbox::bare());
    let definition = Definition::new("guards.example.com", "Bundle")
        .labels("applyset.kubernetes.io/is-parent-type: \"true\"")
        .schema("{type: object}");
    repo.write("crd.yaml", definition.to_string()).commit("A kind of parents");
    repo.run(&["check"]).exits(0);
    repo.run(&["apply"]).exits(0);
}

/// Everything that the server has of an object.
fn whole(repo: &Repo<'_>, object: &str) -> String {
    repo.kubectl(&["get", object, "-o", "json", "--show-managed-fields"]).exits(0).stdout
}

/// A run of another repository on the inventory of this one.
fn on(repo: &Repo<'_>, victim: &Repo<'_>, args: &[&str]) -> Output {
    let args = [args, &["--name", victim.namespace()]].concat();
    repo.trueup(&args).env("TRUEUP_NAMESPACE", victim.namespace()).run()
}

/// The whole story: one repository's commit takes another one's record away, and a third one takes
/// the name.
#[test]
fn a_third_repository_that_takes_the_name_deletes_nothing() {
    let victim = Repo::new("guards-victim", sandbox::bare());
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: password}\nstringData: {a: b}\n";
    victim.write_config("one", "1").write_config("two", "1").write("secret.yaml", secret);
    victim.commit("Victim").run(&["apply"]).exits(0);
    let parent = format!("configmap/{}", victim.parent());
    let lock = format!("lease/{}", victim.parent());
    let before = (whole(&victim, &parent), whole(&victim, &lock));

    // The second one declares the record and the lock, and then no longer.
    let second = Repo::new("guards-second", sandbox::bare());
    let record = metadata(
        ("v1", "ConfigMap"),
        "trueup-guards-victim",
        &format!(
            "  namespace: guards-victim\n  labels: {{applyset.kubernetes.io/id: {}}}\n  annotations:\n    applyset.kubernetes.io/tooling: trueup/v0.1.0\n    applyset.kubernetes.io/contains-group-kinds: ConfigMap\n    trueup.dev/repository: 0123456789\n",
            victim.applyset()
        ),
    );
    let held = metadata(
        ("coordination.k8s.io/v1", "Lease"),
        "trueup-guards-victim",
        "  namespace: guards-victim\nspec: {holderIdentity: second, leaseDurationSeconds: 3600}\n",
    );
    second.write_config("harmless", "1").write("record.yaml", record).write("lock.yaml", held);
    second.commit("Second").run(&["apply"]).exits(1);
    second.remove("record.yaml").remove("lock.yaml").commit("No longer");
    second.run(&["apply"]).exits(0);
    assert_eq!((whole(&victim, &parent), whole(&victim, &lock)), before);
    victim.run(&["diff"]).exits(0);

    // Whoever it was: the record is gone.
    victim.kubectl(&["delete", &parent]).exits(0);
    let third = Repo::new("guards-third", sandbox::bare());
    third.write_config("three", "1").write_config("one", "taken").commit("Third");
    let writes = victim.writes();
    let verbs: [&[&str]; 4] =
        [&["diff"], &["apply"], &["apply"], &["watch", "--once", "--no-wait"]];
    for args in verbs {
        let refused = on(&third, &victim, args).exits(1);
        if args[0] != "watch" {
            let said = words(&refused.stdout);
            let why = "2 objects carry this inventory's label, but its record is gone: ConfigMap guards-victim/one, ConfigMap guards-victim/two";
            assert!(said.contains(why), "{refused}");
            assert!(said.contains("use --adopt"), "{refused}");
        }
    }
    assert_eq!(victim.writes(), writes);

    // Its own repository is not told apart from the third one, and says a word, too.
    victim.remove("two.yaml").commit("One of two");
    let refused = victim.run(&["apply"]).exits(1);
    assert!(words(&refused.stdout).contains("but its record is gone"), "{refused}");
    assert_eq!(victim.writes(), writes);
    let adopts = victim.run(&["diff", "--adopt"]).exits(1);
    assert!(adopts.stdout.contains("1 to delete"), "{adopts}");
    victim.run(&["apply", "--adopt"]).exits(0);
    assert_eq!(victim.members("configmap,secret"), ["configmap/one", "secret/password"]);
    victim.run(&["diff"]).exits(0);
}

/// A record that is there, and does not know of a kind: what carries the label is of another life.
#[test]
fn members_of_a_kind_that_the_record_does_not_name_are_not_inherited() {
    let repo = Repo::new("guards-widened", sandbox::bare());
    let secret = |name: &str| {
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}}}\nstringData: {{key: hunter2hunter2}}\n"
        )
    };
    repo.write("a.yaml", secret("a")).write("b.yaml", secret("b")).commit("Two");
    repo.run(&["apply"]).exits(0);
    repo.delete_config_map(&repo.parent());
    repo.remove("a.yaml").remove("b.yaml").write_config("c", "1").commit("Others");
    repo.run(&["apply"]).exits(0);
    repo.write("a.yaml", secret("a")).write_config("c", "2").commit("One of them again");
    for _ in 0..2 {
        let refused = repo.run(&["apply"]).exits(1);
        let why = "2 objects carry this inventory's label, but its record does not name them: Secret guards-widened/a, Secret guards-widened/b";
        assert!(words(&refused.stdout).contains(why), "{refused}");
        assert!(words(&refused.stdout).contains("1 refused"), "{refused}");
    }
    // What is of no kind that is in question is applied.
    assert_eq!(repo.value("c"), "2");
    assert_eq!(repo.members("secret"), ["secret/a", "secret/b"]);
    repo.run(&["apply", "--adopt"]).exits(0);
    assert_eq!(repo.members("secret"), ["secret/a"]);
}

#[test]
fn a_parent_is_never_pruned_whoever_lists_it() {
    let victim = Repo::new("guards-listed", sandbox::bare());
    victim.write_config("one", "1").commit("Victim").run(&["apply"]).exits(0);
    let second = Repo::new("guards-lister", sandbox::bare());
    second.write_config("other", "1").commit("Second").run(&["apply"]).exits(0);
    // As an earlier version of trueup left it: a member, and trueup's own entry among its managers.
    let part_of = format!("applyset.kubernetes.io/part-of={}", second.applyset());
    victim.kubectl(&["label", "configmap", &victim.parent(), &part_of]).exits(0);
    let apply = second.run(&["apply"]).exits(0);
    assert!(victim.config_map(&victim.parent()).is_some());
    let diff = second.run(&["diff"]).exits(0);
    let why = "kept: it is the record of an inventory, which is never pruned";
    assert!(words(&diff.stdout).contains(why), "{apply}{diff}");
    victim.run(&["diff"]).exits(0);
}

/// A manifest without any mark, of what somebody keeps an ApplySet in.
#[test]
fn a_live_parent_is_not_overwritten_by_a_manifest_that_does_not_say_so() {
    let repo = Repo::new("guards-live-parent", sandbox::bare());
    let theirs = repo.outside().join("theirs.yaml");
    std::fs::write(&theirs, config("theirs", "1")).unwrap();
    let applyset = ["apply", "--prune", "--applyset=configmap/kubectls", "-f"];
    let applyset = [&applyset[..], &[theirs.to_str().unwrap()]].concat();
    repo.kubectl_command(&applyset).env("KUBECTL_APPLYSET", "true").run().exits(0);
    let before = whole(&repo, "configmap/kubectls");
    repo.write_config("kubectls", "1").write_config("sound", "1").commit("Theirs");
    let refused = repo.run(&["apply", "--adopt"]).exits(1);
    assert!(words(&refused.stdout).contains("it is the record of an ApplySet"), "{refused}");
    assert_eq!(whole(&repo, "configmap/kubectls"), before);
    assert_eq!(repo.members("configmap"), ["configmap/sound"]);
}
