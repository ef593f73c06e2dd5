//! apply: what git declares is there, what it no longer declares is gone, and nothing else is
//! touched.

use crate::support::eventually::eventually;
use crate::support::objects::{config, namespace};
use crate::support::repo::Repo;
use crate::support::sandbox;

#[test]
fn apply_converges_and_the_second_run_writes_nothing() {
    let repo = Repo::new("apply-twice", sandbox::bare());
    repo.write_config("one", "1").write_config("two", "2").commit("Two settings");

    // One after the other, so that they end in this order.
    repo.run(&["apply", "--concurrency", "1"]).shows("apply/created").exits(0);
    assert_eq!(repo.members("configmap"), ["configmap/one", "configmap/two"]);

    let writes = repo.writes();
    let second = repo.run(&["apply"]).shows("apply/nothing-to-do").exits(0);
    assert_eq!(repo.writes(), writes, "the second apply wrote something\n{second}");
    repo.run(&["diff"]).shows("diff/in-sync").exits(0);
    assert_eq!(repo.writes(), writes, "diff wrote something");
}

#[test]
fn object_removed_from_git_is_pruned_and_no_other() {
    let repo = Repo::new("apply-prune", sandbox::bare());
    repo.write_config("stays", "1").write_config("goes", "2").commit("Two settings");
    repo.run(&["apply"]).exits(0);
    repo.kubectl(&["create", "configmap", "by-hand", "--from-literal=a=b"]).exits(0);

    repo.remove("goes.yaml").commit("One setting less");
    repo.run(&["diff"]).shows("diff/pruned").exits(1);
    repo.run(&["apply"]).shows("apply/pruned").exits(0);

    let left = repo.config_maps();
    assert_eq!(left, ["by-hand", "stays", "trueup-apply-prune"]);
}

#[test]
fn a_copy_of_a_member_is_not_pruned() {
    let repo = Repo::new("apply-copy", sandbox::bare());
    repo.write_config("one", "1").commit("One setting");
    repo.run(&["apply"]).exits(0);
    let label = format!("applyset.kubernetes.io/part-of={}", repo.applyset());
    repo.kubectl(&["create", "configmap", "copy"]).exits(0);
    repo.kubectl(&["label", "configmap", "copy", &label]).exits(0);

    repo.run(&["apply"]).shows("apply/copy-of-a-member").exits(0);
    assert!(repo.config_map("copy").is_some());
}

#[test]
fn empty_repository_writes_nothing() {
    let repo = Repo::new("apply-nothing", sandbox::bare());
    repo.write("notes/readme.md", "Nothing yet\n").commit("A beginning");
    for verb in ["diff", "apply"] {
        repo.run(&[verb]).shows(&format!("{verb}/nothing-declared")).exits(0);
    }
    assert_eq!(repo.writes(), 0);
}

#[test]
fn an_empty_commit_is_refused_unless_it_is_meant() {
    let repo = Repo::new("apply-empty", sandbox::bare());
    repo.write_config("one", "1").commit("One setting");
    repo.run(&["apply"]).exits(0);
    repo.remove("one.yaml").commit("Nothing left");

    repo.run(&["apply"]).shows("apply/empty-commit").exits(1);
    assert_eq!(repo.members("configmap"), ["configmap/one"]);

    repo.run(&["apply", "--allow-empty"]).exits(0);
    assert_eq!(repo.members("configmap"), [""; 0]);
}

#[test]
fn kinds_and_namespaces_are_created_with_their_objects() {
    let plane = sandbox::bare();
    let repo = Repo::new("apply-born", plane);
    repo.write("all.yaml", include_str!("../fixtures/born-together.yaml")).commit("All at once");

    repo.run(&["diff"]).shows("diff/born-together").exits(1);
    repo.run(&["apply"]).exits(0);
    plane.kubectl(["-n", "born-together", "get", "voucher", "spring"]).exits(0);
    repo.run(&["diff"]).exits(0);

    repo.remove("all.yaml").commit("Nothing left");
    let guarded = repo.run(&["apply", "--allow-empty", "--concurrency", "1"]);
    guarded.shows("apply/namespace-guarded").exits(1);
}

#[test]
fn namespace_of_the_inventory_is_deleted_last() {
    let plane = sandbox::with_controllers();
    let repo = Repo::new("apply-home", plane);
    repo.write("home.yaml", namespace("apply-home"));
    repo.write("other.yaml", namespace("apply-home-other"));
    repo.write_config("one", "1").commit("Two namespaces, one of them the inventory's");
    repo.run(&["apply"]).exits(0);

    repo.remove("home.yaml").remove("one.yaml").commit("Another namespace is all that stays");
    let allow = ["apply", "--allow-delete", "Namespace"];
    repo.run(&allow).shows("apply/home-of-the-inventory").exits(1);

    repo.remove("other.yaml").commit("Nothing left");
    let gone = repo.run(&[&allow[..], &["--allow-empty"]].concat()).exits(0).stdout;
    let at = |line: &str| gone.rfind(line).unwrap_or_else(|| panic!("no {line:?} in\n{gone}"));
    assert!(at("  apply-home-other ") < at("  apply-home "), "{gone}");
    eventually("the namespaces are gone", || {
        let left = plane.kubectl(["get", "namespace", "-o", "name"]).exits(0).stdout;
        !left.contains("apply-home")
    });
    repo.run(&["diff"]).exits(0);
    repo.run(&["apply"]).exits(0);
}

#[test]
fn definition_with_instances_needs_allow_delete() {
    let plane = sandbox::bare();
    let repo = Repo::new("apply-definition", plane);
    let definition = include_str!("../fixtures/born-together.yaml")
        .split("---\n")
        .find(|document| document.contains("CustomResourceDefinition"))
        .unwrap()
        .replace("vouchers", "tickets")
        .replace("Voucher", "Ticket")
        .replace("voucher", "ticket");
    repo.write("definition.yaml", definition).write_config("one", "1").commit("A kind");
    repo.run(&["apply"]).exits(0);
    let ticket = repo.outside().join("ticket.yaml");
    let text =
        "apiVersion: born.example/v1\nkind: Ticket\nmetadata: {name: a}\nspec: {percent: 5}\n";
    std::fs::write(&ticket, text).unwrap();
    repo.kubectl(&["create", "-f", ticket.to_str().unwrap()]).exits(0);

    repo.remove("definition.yaml").commit("The kind goes");
    repo.run(&["apply"]).shows("apply/definition-with-instances").exits(1);
    repo.kubectl(&["get", "ticket", "a"]).exits(0);
    repo.run(&["apply", "--allow-delete", "CustomResourceDefinition"]).exits(0);
    let gone = plane.kubectl(["get", "crd", "tickets.born.example"]);
    assert_eq!(gone.status, Some(1), "{gone}");
}

#[test]
fn broken_document_is_skipped_and_stops_pruning() {
    let repo = Repo::new("apply-broken", sandbox::bare());
    repo.write_config("one", "1").write_config("goes", "2").commit("Two settings");
    repo.run(&["apply"]).exits(0);
    repo.remove("goes.yaml").write_config("two", "2").write("bad.yaml", "a: b: c\n");
    repo.commit("One of them is broken");

    repo.run(&["apply"]).shows("apply/broken-document").exits(1);
    assert_eq!(
        repo.members("configmap"),
        ["configmap/goes", "configmap/one", "configmap/two"],
        "the sound documents are applied, and nothing is pruned"
    );

    repo.remove("bad.yaml").commit("Mended");
    repo.run(&["apply"]).exits(0);
    assert_eq!(repo.members("configmap"), ["configmap/one", "configmap/two"]);
}

#[test]
fn an_inventory_of_another_repository_or_tool_is_refused() {
    let plane = sandbox::bare();
    let ours = Repo::new("apply-whose", plane);
    ours.write_config("one", "1").commit("Ours");
    ours.run(&["apply"]).exits(0);

    let other = Repo::new("apply-whose-else", plane);
    other.write_config("one", "other").commit("Theirs");
    let writes = ours.writes();
    let args = ["apply", "-n", "apply-whose", "--name", "apply-whose"];
    other.run(&args).shows("apply/inventory-of-another-repository").exits(2);
    assert_eq!(ours.writes(), writes, "nothing was written");

    other.kubectl(&["create", "configmap", "trueup-plain"]).exits(0);
    let plain = other.run(&["apply", "--name", "plain"]);
    plain.shows("apply/no-inventory").exits(2);

    // kubectl's own ApplySet, and an object that it holds.
    let theirs = other.outside().join("theirs.yaml");
    std::fs::write(&theirs, config("theirs", "1")).unwrap();
    let applyset = ["apply", "--prune", "--applyset=configmap/trueup-kubectls", "-f"];
    let applyset = [&applyset[..], &[theirs.to_str().unwrap()]].concat();
    other.kubectl_command(&applyset).env("KUBECTL_APPLYSET", "true").run().exits(0);
    let kubectls = other.run(&["apply", "--name", "kubectls"]);
    kubectls.shows("apply/inventory-of-another-tool").exits(2);
    other.write_config("theirs", "2").commit("One of theirs");
    other.run(&["apply"]).shows("apply/member-of-another-tool").exits(1);
}

#[test]
fn an_object_of_another_target_names_that_target() {
    let repo = Repo::new("apply-siblings", sandbox::bare());
    repo.write("trueup.yaml", "targets:\n  prod: {paths: [prod]}\n  staging: {paths: [staging]}\n");
    repo.write("prod/one.yaml", config("one", "1")).write("staging/one.yaml", config("one", "2"));
    repo.commit("One object, twice").run(&["apply", "--target", "staging"]).exits(0);
    let refused = repo.run(&["apply", "--target", "prod"]);
    refused.shows("apply/member-of-another-target").exits(1);
    let json = repo.run(&["diff", "--target", "prod", "-o", "json"]);
    json.shows("diff/json-refused").exits(1);
}

#[test]
fn other_paths_of_one_repository_need_moved() {
    let repo = Repo::new("apply-paths", sandbox::bare());
    repo.write("a/one.yaml", config("one", "1")).write("b/two.yaml", config("two", "2"));
    repo.commit("Two folders");
    repo.run(&["apply", "a", "--name", "same"]).exits(0);
    let refused = repo.run(&["apply", "b", "--name", "same"]);
    refused.shows("apply/inventory-of-other-paths").exits(2);
    repo.run(&["apply", "b", "--name", "same", "--moved"]).exits(0);
    assert_eq!(repo.config_maps(), ["trueup-same", "two"]);
}
