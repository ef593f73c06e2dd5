//! The rights to read: diff of an account that may not write, status and history.

use serde_json::Value;

use super::{Granted, Right, claim, missing};
use crate::support::eventually::eventually;
use crate::support::objects::{WEB, config};
use crate::support::repo::Repo;
use crate::support::sandbox;

/// An account that may not write learns of each object that differs, and of no other.
#[test]
fn a_read_only_account_sees_what_is_in_sync() {
    let repo = Repo::new("permissions-read", sandbox::bare());
    repo.write("trueup.yaml", "targets: {prod: {paths: [.]}}\n").write_config("a", "1");
    repo.write_config("b", "1").commit("Two");
    repo.run(&["apply"]).exits(0);
    let args = ["rbac", "--read-only", "--service-account", "permissions-read/robot"];
    let printed = repo.run(&args).exits(0).stdout;
    assert!(!printed.contains("patch") && !printed.contains("create\""), "{printed}");
    repo.plane().create("permissions-read", &printed);
    repo.kubectl(&["create", "serviceaccount", "robot"]).exits(0);
    let user = ["--as", "system:serviceaccount:permissions-read:robot"];
    let diff = || repo.run(&[&["diff"][..], &user].concat());
    eventually("the roles count", || diff().stdout.contains("(cluster "));
    let same = diff().exits(0);
    assert!(same.stdout.contains("in sync") && same.stderr.is_empty(), "{same}");
    repo.write_config("b", "2").commit("Another value");
    let differs = diff().exits(1);
    assert!(differs.stdout.contains("cannot patch resource \"configmaps\""), "{differs}");
    assert!(differs.stdout.contains("1 refused"), "{differs}");
}

/// The records of other targets show that one is gone.
#[test]
fn the_right_to_list_records_shows_targets_that_are_gone() {
    let repo = Repo::new("permissions-gone", sandbox::bare());
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\n";
    repo.write("trueup.yaml", "targets: {prod: {paths: [prod]}, old: {paths: [old]}}\n");
    repo.write("prod/db.yaml", secret).write("old/a.yaml", config("a", "1")).commit("Both");
    repo.run(&["apply", "--target", "old"]).exits(0);
    repo.run(&["apply", "--target", "prod"]).exits(0);
    repo.remove("old/a.yaml").write("trueup.yaml", "targets: {prod: {paths: [prod]}}\n");
    repo.commit("One is gone");
    let granted = Granted::new(repo, &[]);
    let rights = granted.rights();
    let listed = |it: &&Right| it.resource == "configmaps" && it.verb == "list";
    let right = rights.iter().find(listed).unwrap();
    eventually("the roles count", || granted.is_allowed(right));
    let named = granted.run(&["diff"]).to_string();
    assert!(named.contains("apply --removed old"), "{named}");
    let said = granted.without(right, &["diff"]);
    assert!(!said.contains("old"), "nothing misses {right:?}\n{said}");
}

/// How many objects are ready, by an account's status.
fn ready(granted: &Granted) -> Value {
    let output = granted.run(&["status", "-o", "json", "--exit-zero"]);
    let document: Value = serde_json::from_str(&output.stdout).unwrap();
    document["targets"][0]["health"]["ready"].clone()
}

#[test]
fn a_read_only_account_runs_status_and_history_and_misses_each_right_of_theirs() {
    let plane = sandbox::bare();
    let class = "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: permissions-status}\nprovisioner: none\nvolumeBindingMode: WaitForFirstConsumer\n";
    plane.create("default", class);
    let repo = Repo::new("permissions-status", plane);
    repo.write("trueup.yaml", "targets: {prod: {paths: [.]}}\n").write("web.yaml", WEB);
    repo.write("disk.yaml", claim("disk", "permissions-status")).commit("Both");
    repo.run(&["apply", "--no-wait"]).exits(0);
    let granted = Granted::new(repo, &["--read-only"]);
    let rights = granted.rights();
    eventually("the roles count", || rights.iter().all(|right| granted.is_allowed(right)));
    let right = |verb: &str, resource: &str| -> Right {
        let is_it = |it: &&Right| (it.verb.as_str(), it.resource.as_str()) == (verb, resource);
        rights.iter().find(is_it).unwrap().clone()
    };

    let status = granted.good(&["status", "--images"], 1);
    assert!(status.stdout.contains("in sync"), "{status}");
    assert!(status.stdout.contains("registry.example/web:1.4.0"), "{status}");
    for args in [&["history"][..], &["history", "-o", "json"]] {
        let history = granted.good(args, 0);
        assert!(history.stdout.contains("Both"), "{history}");
    }

    let list = right("list", "configmaps");
    granted.each_is_missed(std::slice::from_ref(&list), |_| vec!["history"]);
    let status = granted.without(&list, &["status"]);
    assert!(status.contains(&missing(&list)) && status.contains("in sync"), "{status}");
    granted.each_is_missed(&[right("get", "configmaps")], |_| vec!["history", "-o", "json"]);
    granted.each_is_missed(&[right("list", "pods")], |_| vec!["status"]);
    let deployments = right("list", "deployments");
    granted.each_is_missed(std::slice::from_ref(&deployments), |_| vec!["diff"]);
    let status = granted.without(&deployments, &["status", "--images"]);
    assert!(!status.contains("registry.example/web"), "nothing misses {deployments:?}\n{status}");

    // A claim that waits for a pod is ready, where that can be known.
    assert_eq!(ready(&granted), 1);
    let classes = right("list", "storageclasses");
    granted.grant(&classes, false);
    assert_eq!(ready(&granted), 0);
    granted.grant(&classes, true);
}
