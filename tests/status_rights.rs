//! `trueup status` for a user who may not read all of it: unknown is neither absent nor changed.

use std::fs;

use serde_json::{Value, json};

use crate::support::objects::config;
use crate::support::repo::Repo;
use crate::support::sandbox;

/// Lets `user` do this with ConfigMaps of the repository's namespace, and nothing else.
fn allow(repo: &Repo<'_>, user: &str, verbs: &[&str]) {
    let api = "rbac.authorization.k8s.io";
    let list = json!({"apiVersion": "v1", "kind": "List", "items": [
        {
            "apiVersion": format!("{api}/v1"), "kind": "Role", "metadata": {"name": user},
            "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": verbs}],
        },
        {
            "apiVersion": format!("{api}/v1"), "kind": "RoleBinding", "metadata": {"name": user},
            "roleRef": {"apiGroup": api, "kind": "Role", "name": user},
            "subjects": [{"apiGroup": api, "kind": "User", "name": user}],
        },
    ]});
    repo.plane().create(repo.namespace(), &list.to_string());
}

#[test]
fn what_may_not_be_read_is_unknown() {
    let repo = Repo::new("status-rights", sandbox::bare());
    repo.write("trueup.yaml", "targets: {prod: {paths: [prod]}}\n");
    let account = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: app}\n";
    repo.write("prod/config.yaml", config("app", "1")).write("prod/account.yaml", account);
    repo.commit("First");
    repo.run(&["apply"]).exits(0);
    let page = repo.outside().join("page.html");
    let status = |user: &str| {
        let html = page.to_str().unwrap();
        let output = repo.run(&["status", "--as", user, "-o", "json", "--html", html]).exits(2);
        let document: Value = serde_json::from_str(&output.stdout).unwrap();
        let page = fs::read_to_string(&page).unwrap();
        assert!(page.contains("<h1>1 of 1 target needs attention</h1>"), "{page}");
        document["targets"][0].clone()
    };
    // Whether there is an inventory is not known.
    let target = status("status-rights-none");
    assert_eq!(target["state"], "unknown", "{target}");
    let message = target["message"].as_str().unwrap();
    assert!(message.starts_with("the inventory can't be read: "), "{target}");
    // It is known, and the objects are not. Without the right to list, it is read by its name.
    for (user, verbs) in
        [("status-rights-list", &["get", "list"][..]), ("status-rights-get", &["get"][..])]
    {
        allow(&repo, user, verbs);
        let target = status(user);
        assert_eq!(
            (&target["state"], &target["drift"]),
            (&"unknown".into(), &json!([])),
            "{user}: {target}"
        );
        assert_eq!(target["runs"]["subject"], "First", "{target}");
        let message = target["message"].as_str().unwrap();
        assert!(message.contains("can't be listed: "), "{target}");
    }
}
