//! A webhook whose server is in the same commit: where apply waits, it is not there before its
//! server is ready, or it would lock out the pods that are to answer it.

use std::sync::{Arc, Mutex};

use crate::support::between::Between;
use crate::support::command::{Cmd, Output};
use crate::support::objects::{WEB, service};
use crate::support::repo::Repo;
use crate::support::sandbox;

/// A webhook that has to be asked about every pod of its namespace, its Service, and the Deployment
/// behind that. Nobody answers, so there is no pod after it.
fn repo(name: &str, web: &str) -> Repo<'static> {
    let repo = Repo::new(name, sandbox::with_controllers());
    let webhook = format!(
        "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\nmetadata: {{name: {name}}}\nwebhooks:\n\
         - name: pods.{name}.example\n  admissionReviewVersions: [v1]\n  sideEffects: None\n  failurePolicy: Fail\n  \
         clientConfig: {{service: {{namespace: {name}, name: web}}}}\n  \
         namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: {name}}}}}\n  \
         rules: [{{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods]}}]\n"
    );
    let service = service("web", "selector: {app: web}, ports: [{port: 443}]");
    repo.write("web.yaml", web).write("service.yaml", service).write("webhook.yaml", webhook);
    repo.commit("A webhook and its server");
    repo
}

#[track_caller]
fn has(output: &Output, part: &str) {
    assert!(output.stdout.contains(part), "no {part:?} in\n{output}");
}

#[test]
fn webhook_is_applied_once_its_own_pods_are_ready() {
    let repo = repo("wait-webhook", WEB);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&seen);
    let plane = sandbox::with_controllers();
    let between = Between::start(plane, move |request| {
        let is_write = request.starts_with("PATCH") && !request.contains("dryRun=All");
        if is_write && request.contains("/validatingwebhookconfigurations/wait-webhook") {
            let ready = ["get", "deployment", "web", "-n", "wait-webhook"];
            let ready = Cmd::new(&plane.kubectl)
                .env("KUBECONFIG", &plane.kubeconfig)
                .args(ready)
                .args(["-o", "jsonpath={.status.readyReplicas}"]);
            heard.lock().unwrap().push(ready.run().stdout);
        }
    });
    let apply = repo.trueup(&["apply", "--wait", "--timeout", "3m"]);
    let applied = apply.env("KUBECONFIG", between.kubeconfig()).run().exits(0);
    has(&applied, "3 objects, 3 changed, 3 ready");
    assert_eq!(*seen.lock().unwrap(), ["2"]);
    has(&repo.run(&["apply", "--wait"]).exits(0), "nothing to do, 3 ready");
}

#[test]
fn webhook_without_a_ready_server_is_not_applied() {
    let nobody = "spec:\n      schedulerName: nobody\n      containers";
    let repo = repo("wait-webhook-bad", &WEB.replace("spec:\n      containers", nobody));
    let webhook = ["get", "validatingwebhookconfiguration", "wait-webhook-bad"];
    for _ in 0..2 {
        let output = repo.run(&["apply", "--wait", "--timeout", "1s"]).exits(1);
        has(&output, "? ValidatingWebhookConfiguration  wait-webhook-bad");
        let needs = "needs Deployment wait-webhook-bad/web, which is not ready: ";
        has(&output, &format!("not tried\n    {needs}"));
        repo.kubectl(&webhook).exits(1);
    }
    // Who does not wait has it at once.
    repo.run(&["apply", "--no-wait"]).exits(0);
    repo.kubectl(&webhook).exits(0);
}
