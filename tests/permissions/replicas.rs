//! The role of a group of replicas: an account with it joins and leaves, and misses each of its rights.

use super::{Granted, Right, missing};
use crate::support::eventually::eventually;
use crate::support::objects::config;
use crate::support::repo::Repo;
use crate::support::sandbox;
use crate::support::watching::Watching;

const LEASES: &str = "permissions-leases";

/// Joins the group as the account.
fn join(granted: &Granted) -> Watching {
    let repo = &granted.repo;
    let watch = ["watch", "--all-targets", "--no-pull", "--no-wait", "--interval", "0.5"];
    let group = ["--replica-group", "shop", "--lease-namespace", LEASES];
    let watch = repo.trueup(&[&watch[..], &group].concat());
    Watching::running(repo, watch.env("KUBECONFIG", repo.outside().join("robot")))
}

/// The Leases of the group.
fn leases(granted: &Granted) -> usize {
    let path = format!("/apis/coordination.k8s.io/v1/namespaces/{LEASES}/leases");
    let listed = granted.repo.plane().api().get(&path).unwrap();
    listed["items"].as_array().unwrap().len()
}

#[test]
fn an_account_with_the_printed_rights_joins_a_group_and_misses_each_of_them() {
    let plane = sandbox::bare();
    plane.create_namespace(LEASES);
    let repo = Repo::new("permissions-replicas", plane);
    repo.write("trueup.yaml", "targets: {prod: {paths: [prod]}}\n");
    repo.write("prod/a.yaml", config("a", "1")).commit("First");
    let granted = Granted::new(repo, &["--replica-group", "shop", "--lease-namespace", LEASES]);
    let is_of_group =
        |right: &&Right| granted.items[right.role]["metadata"]["name"] == "trueup-replicas-shop";
    let rights = granted.rights();
    let rights: Vec<Right> = rights.iter().filter(is_of_group).cloned().collect();
    let verbs: Vec<&str> = rights.iter().map(|right| right.verb.as_str()).collect();
    assert_eq!(verbs, ["create", "delete", "get", "list", "update"]);

    let watching = join(&granted);
    watching.says("1 of 1 target are ours, 1 replica");
    eventually("it is applied", || granted.repo.value("a") == "1");
    assert_eq!(watching.stop(), Some(0));
    assert_eq!(leases(&granted), 0, "it is given back");

    for right in &rights {
        let early = ["create", "list"].contains(&right.verb.as_str());
        if early {
            granted.grant(right, false);
        }
        let watching = join(&granted);
        if !early {
            watching.says("1 of 1 target are ours");
            granted.grant(right, false);
        }
        match right.verb.as_str() {
            "delete" => {
                assert_eq!(watching.stop(), Some(0));
                assert_eq!(leases(&granted), 1, "nothing misses {right:?}");
                granted.grant(right, true);
                continue;
            }
            // It is asked for where the Lease is not as it was.
            "get" => {
                let path = format!("/apis/coordination.k8s.io/v1/namespaces/{LEASES}/leases");
                plane.api().send(http::Method::DELETE, &path, "", None).unwrap();
            }
            _ => {}
        }
        watching.says(&missing(right));
        granted.grant(right, true);
        watching.says("1 of 1 target are ours");
        assert_eq!(watching.stop(), Some(0));
    }
}
