//! Commits that would have the API server of `--sandbox` call somebody: by the URL of a webhook of
//! admission or of conversion, or through a Service, which may stand for any host.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::support::command::{Cmd, Output};
use crate::support::objects::config;

/// Somebody on this machine who counts who calls.
struct Called {
    port: u16,
    times: Arc<AtomicUsize>,
}

impl Called {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let times = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&times);
        thread::spawn(move || {
            for _ in listener.incoming().flatten() {
                counted.fetch_add(1, Ordering::Relaxed);
            }
        });
        Self { port, times }
    }

    fn times(&self) -> usize {
        self.times.load(Ordering::Relaxed)
    }
}

/// A repository whose objects name whoever listens at `port`, in every way there is.
fn repo(port: u16) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("https://127.0.0.1:{port}/call");
    let webhook = |kind: &str| {
        format!(
            "apiVersion: admissionregistration.k8s.io/v1\nkind: {kind}\nmetadata: {{name: call}}\nwebhooks:\n\
             - name: call.hostile.example\n  admissionReviewVersions: [v1]\n  sideEffects: None\n  failurePolicy: Ignore\n  \
             clientConfig: {{url: '{url}'}}\n  \
             rules: [{{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}}]\n"
        )
    };
    let service = format!(
        "apiVersion: v1\nkind: Service\nmetadata: {{name: call}}\nspec: {{type: ExternalName, externalName: localhost, ports: [{{port: {port}}}]}}\n"
    );
    let aggregated = format!(
        "apiVersion: apiregistration.k8s.io/v1\nkind: APIService\nmetadata: {{name: v1.call.example}}\n\
         spec: {{group: call.example, version: v1, groupPriorityMinimum: 10, versionPriority: 10, insecureSkipTLSVerify: true, \
         service: {{namespace: default, name: call, port: {port}}}}}\n"
    );
    let version = |name: &str, storage: bool| {
        format!(
            "{{name: {name}, served: true, storage: {storage}, schema: {{openAPIV3Schema: {{type: object}}}}}}"
        )
    };
    let definition = format!(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: things.hostile.example}}\n\
         spec:\n  group: hostile.example\n  scope: Namespaced\n  names: {{plural: things, kind: Thing}}\n  \
         conversion: {{strategy: Webhook, webhook: {{conversionReviewVersions: [v1], clientConfig: {{url: '{url}'}}}}}}\n  \
         versions: [{}, {}]\n",
        version("v1", true),
        version("v2", false)
    );
    let late = "metadata:\n  annotations: {trueup.dev/wave: '1'}\n";
    for (path, content) in [
        ("called/validating.yaml", webhook("ValidatingWebhookConfiguration")),
        ("called/mutating.yaml", webhook("MutatingWebhookConfiguration")),
        ("served/service.yaml", service),
        ("served/aggregated.yaml", aggregated),
        ("called/definition.yaml", definition),
        // They come when everything above is there.
        ("called/late.yaml", config("late", "1").replace("metadata:\n", late)),
        ("served/late.yaml", config("late", "1").replace("metadata:\n", late)),
        (
            "called/thing.yaml",
            format!("apiVersion: hostile.example/v2\nkind: Thing\n{late}  name: thing\n"),
        ),
    ] {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    let git = |args: &[&str]| drop(Cmd::new("git").args(args).dir(folder.path()).run().exits(0));
    git(&["init", "--quiet", "--initial-branch", "main"]);
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "--message", "Call me"]);
    folder
}

fn trueup(folder: &tempfile::TempDir, args: &[&str]) -> Output {
    Cmd::trueup().dir(folder.path()).args(args).run()
}

#[test]
fn api_server_of_a_sandbox_run_calls_no_webhook() {
    let called = Called::new();
    let repo = repo(called.port);
    let apply = trueup(&repo, &["apply", "--sandbox", "called"]).exits(1);
    assert!(apply.stdout.contains("the API server of --sandbox does not call webhooks"), "{apply}");
    let late = "ConfigMap                       default/late            created";
    assert!(apply.stdout.contains(late), "{apply}");
    trueup(&repo, &["apply", "--sandbox", "served"]).exits(1);
    trueup(&repo, &["diff", "--sandbox"]).exits(1);
    trueup(&repo, &["check", "--sandbox"]);
    assert_eq!(called.times(), 0);
}

/// What the test above sees is not for lack of anybody who would call.
#[test]
fn api_server_of_an_interactive_sandbox_calls_webhooks() {
    let called = Called::new();
    let repo = repo(called.port);
    let script = format!(
        "for part in called served; do {} apply --yes --timeout 5s $part; done",
        env!("CARGO_BIN_EXE_trueup")
    );
    trueup(&repo, &["sandbox", "--", "sh", "-c", &script]);
    assert!(called.times() > 0);
}
