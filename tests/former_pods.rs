//! What pods of a former template use outlives them: it is deleted once the rollout is over where
//! apply waits, and by a later run where it does not.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::support::between::Between;
use crate::support::objects::{WEB, config};
use crate::support::repo::Repo;
use crate::support::sandbox;

/// How long a new pod has to be ready before an old one goes.
const ROLLOUT: u64 = 12;

/// A Deployment whose pods use a ConfigMap and an account of such names.
fn web(config: &str, account: &str) -> String {
    let pods = format!(
        "      serviceAccountName: {account}\n      containers:\n      - name: main\n        envFrom: [{{configMapRef: {{name: {config}}}}}]\n"
    );
    WEB.replace("  replicas: 2\n", &format!("  replicas: 1\n  minReadySeconds: {ROLLOUT}\n"))
        .replace("      containers:\n      - name: main\n", &pods)
}

fn account(name: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ServiceAccount\nmetadata: {{name: {name}}}\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {{name: {name}}}\nroleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}}\nsubjects: [{{kind: ServiceAccount, name: {name}}}]\n"
    )
}

/// Declares the Deployment with a ConfigMap and an account, each in place of the former ones.
fn declare<'r>(repo: &'r Repo<'r>, name: &str) -> &'r Repo<'r> {
    repo.write("web.yaml", web(&format!("web-config-{name}"), &format!("web-{name}")));
    repo.write("config.yaml", config(&format!("web-config-{name}"), name));
    repo.write("account.yaml", account(&format!("web-{name}"))).commit(name)
}

/// The ConfigMaps, accounts and bindings of the Deployment.
fn there(repo: &Repo<'_>) -> Vec<String> {
    repo.members("configmap,serviceaccount,rolebinding")
}

fn of(name: &str) -> Vec<String> {
    vec![
        format!("configmap/web-config-{name}"),
        format!("serviceaccount/web-{name}"),
        format!("rolebinding.rbac.authorization.k8s.io/web-{name}"),
    ]
}

#[test]
fn config_of_former_pods_is_pruned_after_the_rollout() {
    let plane = sandbox::with_controllers();
    let repo = Repo::new("former-pods", plane);
    declare(&repo, "a").run(&["apply", "--wait"]).exits(0);
    // Where nobody waits, a later run deletes it.
    let begin = Instant::now();
    let first = declare(&repo, "b").run(&["apply"]).exits(0);
    assert!(first.stdout.contains("ConfigMap       former-pods/web-config-a  left for the next run\n    pods of Deployment web may still use it"), "{first}");
    assert_eq!(first.stdout.matches("left for the next run").count(), 3, "{first}");
    let again = repo.run(&["apply"]).exits(0);
    if begin.elapsed() < Duration::from_secs(ROLLOUT) {
        assert_eq!(again.stdout.matches("left for the next run").count(), 3, "{again}");
        assert_eq!(there(&repo).len(), 6);
    }
    repo.run(&["diff"]).exits(1);
    repo.kubectl(&["rollout", "status", "deployment/web", "--timeout=2m"]).exits(0);
    repo.run(&["apply"]).exits(0);
    assert_eq!(there(&repo), of("b"));
    repo.run(&["diff"]).exits(0);

    // With --wait it is deleted in the same run, and not before the rollout is over.
    let rollouts = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&rollouts);
    let between = Between::start(plane, move |request| {
        if request.starts_with("DELETE ") && request.contains("/configmaps/web-config-b") {
            let counts = "{.status.updatedReplicas}/{.status.availableReplicas}/{.status.replicas}";
            let how = format!("jsonpath={counts}");
            let rollout = ["get", "deployment", "web", "-n", "former-pods", "-o", &how];
            seen.lock().unwrap().push(plane.kubectl(rollout).exits(0).stdout);
        }
    });
    let apply = declare(&repo, "c").trueup(&["apply", "--wait"]);
    apply.env("KUBECONFIG", between.kubeconfig()).run().exits(0);
    assert_eq!(*rollouts.lock().unwrap(), ["1/1/1"]);
    assert_eq!(there(&repo), of("c"));
    repo.run(&["diff"]).exits(0);

    // What is not waited for, holds nothing; nor does it hold what its pods don't use.
    let plain = web("web-config-d", "web-c")
        .replace("name: web\nspec", "name: web\n  annotations: {trueup.dev/wait: 'false'}\nspec");
    repo.write("web.yaml", plain).write("config.yaml", config("web-config-d", "d"));
    repo.commit("d").run(&["apply"]).exits(0);
    let there = there(&repo);
    assert!(there.contains(&"configmap/web-config-d".to_owned()), "{there:?}");
    assert!(!there.contains(&"configmap/web-config-c".to_owned()), "{there:?}");
}

#[test]
fn unreferenced_config_is_pruned_at_once() {
    let repo = Repo::new("former-others", sandbox::bare());
    repo.write("web.yaml", WEB).write_config("old", "1").commit("First");
    repo.run(&["apply"]).exits(0);
    repo.write("web.yaml", WEB.replace("1.4.0", "1.4.1")).remove("old.yaml").commit("Second");
    repo.run(&["apply"]).exits(0);
    assert_eq!(repo.members("configmap"), Vec::<String>::new());
}
