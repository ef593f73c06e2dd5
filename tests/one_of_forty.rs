//! One broken file among forty: it costs itself. The others are applied, nothing is pruned, and the
//! next commit, which mends it, prunes what the broken one had left out.

use crate::support::objects::config;
use crate::support::repo::Repo;
use crate::support::sandbox;

const FILES: usize = 40;

fn name(file: usize) -> String {
    format!("setting-{file:02}")
}

/// A repository whose forty files were applied, then changed, the last of them broken, and one
/// of a folder removed, all in one commit.
fn broken(name_of: &str, broken: &str) -> Repo<'static> {
    let repo = Repo::new(name_of, sandbox::bare());
    for file in 1..=FILES {
        repo.write(&format!("envs/{}.yaml", name(file)), config(&name(file), "before"));
    }
    repo.write("envs/old.yaml", config("old", "before")).commit("Forty settings and an old one");
    repo.run(&["apply", "--yes"]).exits(0);
    for file in 1..FILES {
        repo.write(&format!("envs/{}.yaml", name(file)), config(&name(file), "after"));
    }
    repo.write(&format!("envs/{}.yaml", name(FILES)), broken).remove("envs/old.yaml");
    repo.commit("Every setting, and one by mistake");
    repo
}

/// How many settings have a value.
fn with_value(repo: &Repo<'_>, value: &str) -> usize {
    repo.list("configmap", "").iter().filter(|(_, object)| object["data"]["key"] == value).count()
}

#[test]
fn broken_file_is_skipped_until_the_next_commit() {
    let wrong =
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: setting-40\ndata: key: after\n";
    let repo = broken("forty-broken", wrong);
    let told = "! envs/setting-40.yaml:5:10: mapping values are not allowed here\n      \
                5 | data: key: after\n        |          ^\n";

    let diff = repo.run(&["diff"]).exits(1);
    assert!(diff.stdout.contains(told), "no {told:?} in\n{diff}");
    assert!(diff.stdout.contains("0 to create, 39 to update, 0 to delete"), "{diff}");
    let apply = repo.run(&["apply", "--yes"]).exits(1);
    assert!(apply.stdout.contains(told), "no {told:?} in\n{apply}");
    assert!(apply.stdout.contains("nothing is pruned until it is mended"), "{apply}");
    assert_eq!(apply.stdout.matches("  updated\n").count(), 39, "{apply}");
    assert_eq!((with_value(&repo, "after"), with_value(&repo, "before")), (39, 2));
    assert_eq!(repo.members("configmap").len(), FILES + 1);

    // The same commit again: there is nothing to do, and it is not right yet either.
    let writes = repo.writes();
    let again = repo.run(&["apply", "--yes"]).exits(1);
    assert!(again.stdout.contains(told), "no {told:?} in\n{again}");
    assert_eq!(repo.writes(), writes, "{again}");

    repo.write("envs/setting-40.yaml", config("setting-40", "after")).commit("Mended");
    let mended = repo.run(&["apply", "--yes"]).exits(0);
    for line in ["✓ ConfigMap  forty-broken/setting-40  updated\n", "/old         deleted\n"] {
        assert!(mended.stdout.contains(line), "no {line:?} in\n{mended}");
    }
    assert_eq!((with_value(&repo, "after"), with_value(&repo, "before")), (40, 0));
    assert_eq!(repo.members("configmap").len(), FILES);
    repo.run(&["diff"]).exits(0);
}

#[test]
fn file_refused_by_the_api_server_is_skipped() {
    let wrong = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: setting-40\ndata:\n  key: 3\n";
    let repo = broken("forty-refused", wrong);
    let told = "envs/setting-40.yaml:6:3: data.key: expected string, got 3";
    let apply = repo.run(&["apply", "--yes"]).exits(1);
    assert!(apply.stdout.contains(told), "no {told:?} in\n{apply}");
    assert_eq!((with_value(&repo, "after"), with_value(&repo, "before")), (39, 2));

    repo.write("envs/setting-40.yaml", config("setting-40", "after")).commit("Mended");
    repo.run(&["apply", "--yes"]).exits(0);
    assert_eq!((with_value(&repo, "after"), with_value(&repo, "before")), (40, 0));
    assert_eq!(repo.members("configmap").len(), FILES);
}
