//! Objects whose fields can't change are deleted and made anew, on request and never otherwise, on
//! a real API server.

use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::support::between::Between;
use crate::support::command::Cmd;
use crate::support::eventually::eventually;
use crate::support::objects::{WEB, annotated, with_metadata};
use crate::support::repo::Repo;
use crate::support::sandbox;

/// A Job without a spec's end.
const JOB: &str = "apiVersion: batch/v1
kind: Job
metadata:
  name: migrate
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: main
        image: registry.example/migrate:1
";

fn allowed(yaml: &str) -> String {
    annotated(yaml, "trueup.dev/replace: \"true\"")
}

fn uid(repo: &Repo<'_>, object: &str) -> String {
    repo.kubectl(&["get", object, "-o", "jsonpath={.metadata.uid}"]).exits(0).stdout
}

/// Every kind with its change: kind, the manifest, what is replaced in it by what, and the field
/// that can't change.
const FIXED: [(&str, &str, &str, &str, &str); 11] = [
    ("Job", JOB, "migrate:1", "migrate:2", "spec.template"),
    ("Deployment", WEB, "app: web", "app: www", "spec.selector"),
    (
        "StatefulSet",
        "apiVersion: apps/v1\nkind: StatefulSet\nmetadata:\n  name: db\nspec:\n  serviceName: db\n  \
         selector: {matchLabels: {app: db}}\n  template:\n    metadata: {labels: {app: db}}\n    \
         spec: {containers: [{name: main, image: 'db:1'}]}\n  volumeClaimTemplates:\n  \
         - metadata: {name: data}\n    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n",
        "1Gi",
        "2Gi",
        "spec.volumeClaimTemplates[0].spec.resources.requests.storage",
    ),
    (
        "Service",
        "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\nspec:\n  type: NodePort\n  \
         ports: [{port: 80, nodePort: 30081}]\n  clusterIP: 10.96.0.81\n",
        "10.96.0.81",
        "10.96.0.82",
        "spec.clusterIPs[0]",
    ),
    (
        "Service",
        "apiVersion: v1\nkind: Service\nmetadata:\n  name: node\nspec:\n  ports: [{port: 80}]\n  \
         clusterIP: None\n",
        "clusterIP: None",
        "type: NodePort",
        "spec.clusterIPs[0]",
    ),
    (
        "Service",
        "apiVersion: v1\nkind: Service\nmetadata:\n  name: balanced\nspec:\n  ports: [{port: 80}]\n  \
         clusterIP: None\n",
        "clusterIP: None",
        "type: LoadBalancer",
        "spec.clusterIPs[0]",
    ),
    (
        "ConfigMap",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: fixed\nimmutable: true\ndata: {key: a}\n",
        "key: a",
        "key: b",
        "data",
    ),
    (
        "Secret",
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: typed\ntype: example.com/a\nstringData: {key: horse-staple}\n",
        "example.com/a",
        "example.com/b",
        "type",
    ),
    (
        "RoleBinding",
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata:\n  name: readers\n\
         roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}\n\
         subjects: [{kind: User, name: reader}]\n",
        "name: view",
        "name: edit",
        "roleRef",
    ),
    (
        "PriorityClass",
        "apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata:\n  name: replace-fixed\nvalue: 5\n",
        "value: 5",
        "value: 6",
        "value",
    ),
    (
        "Pod",
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: bare\nspec:\n  containers: [{name: main, image: 'x:1', args: [a]}]\n",
        "args: [a]",
        "args: [b]",
        "spec.containers[0].args[0]",
    ),
];

#[test]
fn immutable_change_is_refused_and_replaced_on_request() {
    let repo = Repo::new("replace-fixed", sandbox::bare());
    for (at, (_, yaml, ..)) in FIXED.iter().enumerate() {
        repo.write(&format!("{at}.yaml"), yaml);
    }
    repo.commit("All of them").run(&["apply"]).exits(0);
    for (at, (_, yaml, before, after, _)) in FIXED.iter().enumerate() {
        repo.write(&format!("{at}.yaml"), yaml.replace(before, after));
    }
    repo.commit("Each in a field that can't change");

    let writes = repo.writes();
    let refused = repo.run(&["apply"]).shows("apply/immutable-fields").exits(1);
    assert_eq!(repo.writes(), writes, "{refused}");

    let diff = repo.run(&["diff", "-o", "json", "--replace", "Job"]).exits(1).stdout;
    let diff: Value = serde_json::from_str(&diff).unwrap();
    assert_eq!(diff["summary"]["replace"], 1);
    assert_eq!(diff["summary"]["refuse"], 10);

    let kinds: Vec<&str> = FIXED.iter().flat_map(|(kind, ..)| ["--replace", kind]).collect();
    let diff = repo.run(&[&["diff"][..], &kinds].concat()).exits(1);
    assert!(diff.stdout.contains("11 to replace"), "{diff}");
    assert!(!diff.to_string().contains("horse-staple"), "{diff}");
    let shown = diff.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for (_, _, _, _, field) in FIXED {
        let why = format!("{field} can't be changed: it is deleted and recreated");
        assert!(shown.contains(&why), "no {why:?} in\n{diff}");
    }
    assert!(diff.stdout.contains("image: registry.example/migrate:2"), "{diff}");
    let (old, id) = (uid(&repo, "job/migrate"), uid(&repo, "pod/bare"));
    let applied = repo.run(&[&["apply"][..], &kinds].concat()).exits(0);
    assert_eq!(applied.stdout.matches("  replaced\n").count(), 11, "{applied}");
    assert_ne!(uid(&repo, "job/migrate"), old);
    assert_ne!(uid(&repo, "pod/bare"), id);
    let writes = repo.writes();
    let again = repo.run(&["apply"]).exits(0);
    assert!(again.stdout.contains("nothing to do"), "{again}");
    assert_eq!(repo.writes(), writes, "{again}");
}

#[test]
fn replace_annotations_of_any_tool_allow_and_ours_forbids() {
    let repo = Repo::new("replace-said", sandbox::bare());
    for (annotation, value, options, action) in [
        ("trueup.dev/replace", "true", &[][..], "replace"),
        ("kustomize.toolkit.fluxcd.io/force", "enabled", &[], "replace"),
        ("argocd.argoproj.io/sync-options", "Prune=true, Replace=true", &[], "replace"),
        ("argocd.argoproj.io/sync-options", "Force=true", &[], "replace"),
        ("argocd.argoproj.io/sync-options", "Replace=false", &[], "refuse"),
        ("trueup.dev/replace", "false", &["--replace", "Job"], "refuse"),
        ("trueup.dev/prune", "true", &["--replace", "Deployment"], "refuse"),
    ] {
        repo.write("job.yaml", JOB).commit("As it was").run(&["apply", "--replace", "Job"]);
        let yaml = JOB.replace("migrate:1", "migrate:2").replacen(
            "metadata:\n",
            &format!("metadata:\n  annotations: {{{annotation}: \"{value}\"}}\n"),
            1,
        );
        repo.write("job.yaml", yaml).commit("Another image");
        let diff = repo.run(&[&["diff", "-o", "json"][..], options].concat()).exits(1);
        let json: Value = serde_json::from_str(&diff.stdout).unwrap();
        assert_eq!(json["changes"][0]["action"], action, "{annotation}: {value}\n{diff}");
    }
}

#[test]
fn object_that_cannot_be_recreated_is_not_replaced() {
    let repo = Repo::new("replace-impossible", sandbox::bare());
    repo.write("job.yaml", allowed(JOB)).commit("A job").run(&["apply"]).exits(0);
    let before = uid(&repo, "job/migrate");
    let wrong = allowed(JOB).replace("migrate:1", "migrate:2").replace("Never", "Always");
    repo.write("job.yaml", wrong).commit("A slip of the pen");
    let apply = repo.run(&["apply", "--replace", "Job"]).exits(1);
    let shown = apply.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(shown.contains("1 refused"), "{apply}");
    assert!(shown.contains("job.yaml:9:7: spec.template.spec.restartPolicy: Required"), "{apply}");
    assert_eq!(uid(&repo, "job/migrate"), before);
}

#[test]
fn foreign_objects_and_data_are_not_replaced() {
    let repo = Repo::new("replace-guarded", sandbox::bare());
    sandbox::bare().create("replace-guarded", JOB);
    let claim = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata:\n  name: data\nspec:\n  \
                 accessModes: [ReadWriteOnce]\n  storageClassName: a\n  resources: {requests: {storage: 1Gi}}\n";
    repo.write("claim.yaml", claim).commit("A claim").run(&["apply"]).exits(0);
    repo.write("claim.yaml", claim.replace("Name: a", "Name: b"));
    repo.write("job.yaml", allowed(&JOB.replace("migrate:1", "migrate:2"))).commit("Both");
    let options = ["diff", "--replace", "PersistentVolumeClaim"];
    let diff = repo.run(&options).exits(1);
    let shown = diff.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(shown.contains("2 refused"), "{diff}");
    assert!(shown.contains("can't be changed, and trueup did not make it"), "{diff}");
    assert!(shown.contains("use --allow-delete PersistentVolumeClaim"), "{diff}");
    let options = [&options[..], &["--allow-delete", "PersistentVolumeClaim"]].concat();
    let diff = repo.run(&options).exits(1);
    assert!(diff.stdout.contains("1 to replace, 1 refused"), "{diff}");
}

#[test]
fn a_job_that_is_still_running_is_replaced_only_for_its_kind() {
    let repo = Repo::new("replace-running", sandbox::bare());
    repo.write("job.yaml", allowed(JOB)).commit("A job").run(&["apply"]).exits(0);
    let begun = r#"{"status": {"active": 1, "startTime": "2026-01-01T00:00:00Z"}}"#;
    let patch = ["patch", "job", "migrate", "--subresource=status", "--type=merge", "-p", begun];
    repo.kubectl(&patch).exits(0);
    repo.write("job.yaml", allowed(JOB).replace("migrate:1", "migrate:2")).commit("Two");
    repo.run(&["apply"]).shows("apply/job-still-running").exits(1);
    repo.run(&["apply", "--replace", "Job"]).exits(0);
    repo.run(&["diff"]).exits(0);
}

#[test]
fn a_finished_job_runs_again_in_its_new_form() {
    let repo = Repo::new("replace-finished", sandbox::with_controllers());
    repo.write("job.yaml", allowed(JOB)).commit("A job").run(&["apply"]).exits(0);
    let has_ended = || {
        let conditions = ["get", "job/migrate", "-o", "jsonpath={.status.conditions[*].type}"];
        repo.kubectl(&conditions).exits(0).stdout.contains("Complete")
    };
    eventually("the job ends", has_ended);
    repo.run(&["diff"]).exits(0);
    let before = uid(&repo, "job/migrate");
    repo.write("job.yaml", allowed(JOB).replace("migrate:1", "migrate:2")).commit("Two");
    let applied = repo.run(&["apply"]).exits(0);
    assert!(applied.stdout.contains("replace-finished/migrate  replaced"), "{applied}");
    assert_ne!(uid(&repo, "job/migrate"), before);
    eventually("the new job ends", has_ended);
    let image = "jsonpath={.spec.template.spec.containers[0].image}";
    let image = repo.kubectl(&["get", "job/migrate", "-o", image]).exits(0).stdout;
    assert_eq!(image, "registry.example/migrate:2");
}

#[test]
fn a_run_that_is_killed_while_the_object_is_gone_is_finished_by_the_next() {
    let repo = Repo::new("replace-killed", sandbox::bare());
    repo.write("job.yaml", allowed(JOB)).commit("A job").run(&["apply"]).exits(0);
    repo.write("job.yaml", allowed(JOB).replace("migrate:1", "migrate:2")).commit("Two");
    let pid = Arc::new(AtomicU32::new(0));
    let trueup = Arc::clone(&pid);
    let between = Between::start(sandbox::bare(), move |request| {
        let is_write = request.starts_with("PATCH") && !request.contains("dryRun");
        if is_write && request.contains("/jobs/migrate") {
            let pid = trueup.load(Ordering::SeqCst).to_string();
            Cmd::new("kill").args(["-9", pid.as_str()]).run().exits(0);
            // The process is gone, and so is what it sent.
            panic!("the request is lost, as the test wants it");
        }
    });
    let apply = repo.trueup(&["apply"]).env("KUBECONFIG", between.kubeconfig());
    let mut apply = apply.into_inner().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    pid.store(apply.id(), Ordering::SeqCst);
    assert!(!apply.wait().unwrap().success());
    let gone = repo.kubectl(&["get", "job/migrate"]).exits(1);
    assert!(gone.stderr.contains("not found"), "{gone}");

    let next = repo.run(&["apply"]).exits(0);
    assert!(next.stdout.contains("replace-killed/migrate  created"), "{next}");
    assert_eq!(repo.members("job"), ["job.batch/migrate"]);
    repo.run(&["diff"]).exits(0);
}

#[test]
fn replace_waits_for_finalizers() {
    let repo = Arc::new(Repo::new("replace-held", sandbox::bare()));
    let held = with_metadata(&allowed(JOB), "finalizers: [example.com/hold]");
    repo.write("job.yaml", &held).commit("A job").run(&["apply"]).exits(0);
    let before = uid(&repo, "job/migrate");
    repo.write("job.yaml", held.replace("migrate:1", "migrate:2")).commit("Two");
    let order = Arc::new(Mutex::new(Vec::new()));
    let (seen, theirs) = (Arc::clone(&order), Arc::clone(&repo));
    let between = Between::start(sandbox::bare(), move |request| {
        if !request.contains("/jobs/migrate") || request.contains("dryRun") {
            return;
        }
        let verb = request.split(' ').next().unwrap().to_owned();
        let mut seen = seen.lock().unwrap();
        if verb == "GET" && seen.last().is_some_and(|last| last == "DELETE") {
            let none = r#"{"metadata": {"finalizers": null}}"#;
            let patch = ["patch", "job", "migrate", "--type=merge", "-p", none];
            theirs.kubectl(&patch).exits(0);
        }
        seen.push(verb);
    });
    let apply = repo.trueup(&["apply"]).env("KUBECONFIG", between.kubeconfig()).run().exits(0);
    assert!(apply.stdout.contains("replaced"), "{apply}");
    let order = order.lock().unwrap();
    let writes: Vec<&str> =
        order.iter().map(String::as_str).skip_while(|verb| *verb == "GET").collect();
    assert_eq!((writes[0], writes[writes.len() - 1]), ("DELETE", "PATCH"), "{order:?}");
    assert_ne!(uid(&repo, "job/migrate"), before);
    let none = r#"{"metadata": {"finalizers": null}}"#;
    repo.run(&["diff"]).exits(0);
    repo.kubectl(&["patch", "job", "migrate", "--type=merge", "-p", none]).exits(0);
}

#[test]
fn approved_plan_carries_out_its_replacements() {
    let repo = Repo::new("replace-approved", sandbox::bare());
    repo.write("job.yaml", JOB).commit("A job").run(&["apply"]).exits(0);
    let before = uid(&repo, "job/migrate");
    repo.write("job.yaml", JOB.replace("migrate:1", "migrate:2")).commit("Two");
    let file = repo.outside().join("plan.json");
    let file = file.to_str().unwrap();
    let diff = repo.run(&["diff", "--out", file, "--replace", "Job"]).exits(1);
    assert!(diff.stdout.contains("1 to replace"), "{diff}");
    let applied = repo.run(&["apply", "--plan", file]).exits(0);
    assert!(applied.stdout.contains("replaced"), "{applied}");
    assert_ne!(uid(&repo, "job/migrate"), before);
    let usage = repo.run(&["apply", "--plan", file, "--replace", "Job"]).exits(2);
    assert!(usage.stderr.contains("cannot be used with"), "{usage}");
}
