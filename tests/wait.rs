//! Waiting: what gets ready, what fails, what takes too long, and what it costs. A control plane
//! with controllers plays the good part; where its simulated nodes have no bad one, the test writes
//! the status as a kubelet would.

use std::process::Stdio;

use serde_json::Value;

use crate::support::command::{Cmd, Output};
use crate::support::eventually::eventually;
use crate::support::objects::{WEB, config, namespace};
use crate::support::repo::Repo;
use crate::support::sandbox;

/// A repository on a control plane with controllers.
fn repo(name: &str) -> Repo<'static> {
    Repo::new(name, sandbox::with_controllers())
}

/// What `apply --wait` says in JSON of the objects' health.
#[track_caller]
fn health(output: &Output) -> Value {
    let document: Value = serde_json::from_str(&output.stdout).unwrap_or_default();
    document["report"]["health"].clone()
}

/// Apply with a wait that no test should see the end of.
const APPLY: [&str; 4] = ["apply", "--wait", "--timeout", "3m"];
/// The same in JSON.
const JSON: [&str; 6] = ["apply", "--wait", "--timeout", "3m", "-o", "json"];

#[test]
fn a_deployment_gets_ready_and_after_that_waiting_costs_nothing() {
    let repo = repo("wait-good");
    repo.write("web.yaml", WEB).write_config("settings", "1").commit("First");
    let first = repo.run(&APPLY).exits(0);
    assert!(first.stdout.contains("· 2 objects, 2 changed, 2 ready ·"), "{first}");
    assert_eq!(first.stderr, "waiting up to 3m for 1 of 2 objects\n");
    let replicas = ["get", "deployment", "web", "-o", "jsonpath={.status.readyReplicas}"];
    assert_eq!(repo.kubectl(&replicas).exits(0).stdout, "2");

    let requests = |args: &[&str]| {
        let output = repo.run(args).exits(0);
        let document: Value = serde_json::from_str(&output.stdout).unwrap();
        (document["requests"].clone(), document["report"]["health"]["ready"].clone())
    };
    let (waited, ready) = requests(&JSON);
    assert_eq!((waited, ready), (requests(&["apply", "-o", "json"]).0, 2.into()));

    repo.write("web.yaml", WEB.replace("replicas: 2", "replicas: 4")).commit("Four");
    let four = repo.run(&APPLY).exits(0);
    assert!(four.stdout.contains("· 2 objects, 1 changed, 2 ready ·"), "{four}");
    assert_eq!(repo.kubectl(&replicas).exits(0).stdout, "4");
}

#[test]
fn unready_object_is_named_after_the_timeout_with_status_1() {
    let repo = repo("wait-time");
    let claim = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\nspec:\n  storageClassName: nowhere\n  accessModes: [ReadWriteOnce]\n  resources: {requests: {storage: 1Gi}}\n";
    repo.write("claim.yaml", claim).write_config("settings", "1").commit("First");
    let late = ["apply", "--wait", "--timeout", "1s", "--concurrency", "1"];
    let output = repo.run(&late);
    output.shows("apply/not-ready").exits(1);
    let again = repo.run(&["apply", "--wait", "--timeout", "1s", "-o", "json"]).exits(1);
    let health = health(&again);
    assert_eq!((&health["ended"], &health["ready"]), (&"timeout".into(), &1.into()));
    assert_eq!(health["objects"][0]["state"], "progressing");
    repo.run(&["apply", "--no-wait"]).exits(0);

    repo.write(
        "claim.yaml",
        claim.replace("{name: data}", "{name: data, annotations: {trueup.dev/wait: 'false'}}"),
    );
    let exempt = repo.commit("Nobody waits").run(&APPLY).exits(0);
    assert!(exempt.stdout.contains("1 changed, 1 ready, 1 not waited for ·"), "{exempt}");
}

#[test]
fn a_claim_that_waits_for_its_first_pod_is_ready() {
    let repo = repo("wait-late");
    let class = "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: wait-late}\nprovisioner: shop.example/none\nvolumeBindingMode: WaitForFirstConsumer\n";
    let claim = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\nspec:\n  storageClassName: wait-late\n  accessModes: [ReadWriteOnce]\n  resources: {requests: {storage: 1Gi}}\n";
    repo.write("class.yaml", class).write("claim.yaml", claim).commit("First");
    let output = repo.run(&APPLY).exits(0);
    assert!(output.stdout.contains("2 changed, 2 ready ·"), "{output}");
}

#[test]
fn a_job_that_fails_ends_the_wait_and_one_that_cleans_itself_up_has_succeeded() {
    let repo = repo("wait-job");
    let job = |name: &str, more: &str| {
        format!(
            "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: {name}}}\nspec:\n  {more}\n  template:\n    spec:\n      restartPolicy: Never\n      containers: [{{name: main, image: a}}]\n"
        )
    };
    repo.write("good.yaml", job("good", "ttlSecondsAfterFinished: 0")).commit("First");
    let good = repo.run(&APPLY).exits(0);
    assert!(good.stdout.contains("1 changed, 1 ready ·"), "{good}");

    // Its pods may never start, so its time is up.
    let bad = job("bad", "activeDeadlineSeconds: 1")
        .replace("containers:", "schedulerName: nobody\n      containers:");
    repo.remove("good.yaml").write("bad.yaml", bad).commit("Second");
    let failed = repo.run(&JSON).exits(1);
    let health = health(&failed);
    assert_eq!((&health["ended"], &health["failed"]), (&"failed".into(), &1.into()), "{failed}");
    assert_eq!(health["objects"][0]["why"], "Job was active longer than specified deadline");
}

#[test]
fn a_stateful_set_with_a_partition_is_ready_when_the_pods_beyond_it_are() {
    let repo = repo("wait-set");
    let set = |image: &str| {
        format!(
            "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {{name: db}}\nspec:\n  replicas: 3\n  serviceName: db\n  podManagementPolicy: Parallel\n  updateStrategy: {{rollingUpdate: {{partition: 2}}}}\n  selector: {{matchLabels: {{app: db}}}}\n  template:\n    metadata: {{labels: {{app: db}}}}\n    spec:\n      containers: [{{name: main, image: '{image}'}}]\n"
        )
    };
    repo.write("db.yaml", set("a:1")).commit("First");
    repo.run(&APPLY).exits(0);
    repo.write("db.yaml", set("a:2")).commit("Second");
    repo.run(&APPLY).exits(0);
    let images = ["get", "pods", "-o", "jsonpath={.items[*].spec.containers[0].image}"];
    assert_eq!(repo.kubectl(&images).exits(0).stdout, "a:1 a:1 a:2");
}

#[test]
fn terminating_object_is_waited_for_and_its_finalizers_are_named() {
    let repo = repo("wait-finalizer");
    let held =
        config("held", "1").replace("name: held", "name: held\n  finalizers: [shop.example/hold]");
    repo.write("held.yaml", &held).commit("First");
    repo.run(&APPLY).exits(0);
    repo.kubectl(&["delete", "configmap", "held", "--wait=false"]).exits(0);
    let output = repo.run(&["apply", "--wait", "--timeout", "1s"]).exits(1);
    let line = "it is deleted and waits for the finalizer shop.example/hold, which trueup set\n";
    assert!(output.stdout.contains(line), "{output}");
    let patch = [
        "patch",
        "configmap",
        "held",
        "--type=merge",
        "-p",
        "{\"metadata\":{\"finalizers\":null}}",
    ];
    repo.kubectl(&patch).exits(0);
}

#[test]
fn stuck_namespace_reports_its_remaining_content() {
    let repo = repo("wait-hang");
    let inside = "wait-hang-inside";
    let namespace = namespace(inside);
    repo.write("namespace.yaml", namespace).write_config("kept", "1").commit("First");
    repo.run(&APPLY).exits(0);
    // Somebody else's, and held by somebody who is not there.
    let held =
        config("held", "1").replace("name: held", "name: held\n  finalizers: [shop.example/hold]");
    let file = repo.outside().join("held.yaml");
    std::fs::write(&file, held).unwrap();
    repo.kubectl(&["-n", inside, "create", "-f", file.to_str().unwrap()]).exits(0);

    repo.remove("namespace.yaml").commit("No longer");
    let allowed = ["apply", "--wait", "--allow-delete", "Namespace"];
    let output = repo.run(&allowed).exits(0);
    let left = "has finalizers remaining: shop.example/hold in 1 resource instances";
    let told = format!(
        "… Namespace {inside} is still being deleted and waits for what is left in it: Some content in the namespace {left}\n"
    );
    assert!(output.stdout.contains(&told), "{output}");
    let again = repo.run(&["diff"]).exits(0);
    assert!(again.stdout.contains(left), "{again}");

    let none = r#"{"metadata": {"finalizers": null}}"#;
    let patch = ["-n", inside, "patch", "configmap", "held", "--type=merge", "-p", none];
    repo.kubectl(&patch).exits(0);
    let is_gone = || repo.kubectl(&["get", "namespace", inside]).status == Some(1);
    eventually("the namespace is gone", is_gone);
    repo.run(&allowed).exits(0);
}

#[test]
fn a_signal_ends_the_wait() {
    let repo = repo("wait-signal");
    // It is never ready, and always for the same reason.
    let rule = "health: [{kind: ConfigMap, ready: object.data.key != 'bad'}]";
    repo.write("trueup.yaml", format!("targets:\n  shop:\n    paths: [.]\n    {rule}\n"));
    repo.write_config("one", "bad").commit("First");
    let said = repo.outside().join("said");
    let mut apply = repo.trueup(&APPLY).into_inner();
    let stderr = std::fs::File::create(&said).unwrap();
    let apply = apply.stdout(Stdio::piped()).stderr(stderr).spawn().unwrap();
    eventually("it waits", || std::fs::read_to_string(&said).unwrap().contains("waiting up to"));
    Cmd::new("kill").args(["-INT", &apply.id().to_string()]).run().exits(0);
    let mut ended = Output::from(apply.wait_with_output().unwrap());
    ended.command = format!("trueup {}", APPLY.join(" "));
    ended.stderr = std::fs::read_to_string(&said).unwrap();
    ended.shows("apply/interrupted").exits(130);
}

#[test]
fn a_round_of_watch_waits_and_says_once_what_is_not_ready() {
    let repo = repo("wait-watch");
    let stuck = WEB
        .replace("spec:\n      containers", "spec:\n      schedulerName: nobody\n      containers");
    repo.write("web.yaml", WEB).commit("First");
    let good = repo.run(&["watch", "--once"]).exits(0);
    assert!(good.stdout.contains("· 1 changed, 1 ready ·"), "{good}");
    repo.write("web.yaml", stuck).commit("Second");
    let bad = repo.run(&["watch", "--once", "--wait-timeout", "1s"]).exits(1);
    assert!(bad.stdout.contains(", 1 not ready after 1s ·"), "{bad}");
    assert!(bad.stdout.contains("! Deployment wait-watch/web is not ready: "), "{bad}");
    let unasked = repo.run(&["watch", "--once", "--no-wait"]).exits(0);
    assert_eq!(unasked.stdout, "");
}

/// The Deployment's pods, which nobody schedules.
fn unscheduled() -> String {
    let unscheduled = "spec:\n      schedulerName: nobody\n      containers";
    WEB.replace("spec:\n      containers", unscheduled)
}

/// Writes the status of a container of every pod, as a kubelet would.
fn play_kubelet(repo: &Repo<'_>, status: &str) {
    let pods = ["get", "pods", "-o", "jsonpath={.items[*].metadata.name}"];
    eventually("there are pods", || {
        repo.kubectl(&pods).exits(0).stdout.split_whitespace().count() == 2
    });
    for pod in repo.kubectl(&pods).stdout.split_whitespace() {
        let not_ready = r#"[{"type":"Ready","status":"False"}]"#;
        let status =
            format!(r#"{{"status":{{"conditions":{not_ready},"containerStatuses":[{status}]}}}}"#);
        let patch = ["patch", "pod", pod, "--subresource=status", "--type=merge", "-p", &status];
        repo.kubectl(&patch).exits(0);
    }
}

#[test]
fn pods_whose_image_can_not_be_pulled_end_the_wait_early_and_say_so() {
    let repo = repo("wait-image");
    repo.write("web.yaml", unscheduled()).commit("First");
    repo.run(&["apply"]).exits(0);
    play_kubelet(
        &repo,
        r#"{"name":"main","image":"registry.example/web:1.4.0","imageID":"","ready":false,"restartCount":0,"state":{"waiting":{"reason":"ImagePullBackOff","message":"registry.example/web:1.4.0: not found"}}}"#,
    );
    let output = repo.run(&APPLY).exits(1);
    let line = "! Deployment wait-image/web failed: its pods do not start\n    pod web-";
    assert!(output.stdout.contains(line), "{output}");
    let why = " and 1 other, container main: ImagePullBackOff, image registry.example/web:1.4.0\n      registry.example/web:1.4.0: not found\n";
    assert!(output.stdout.contains(why), "{output}");
    assert!(output.stdout.contains(", but 1 failed after "), "{output}");
}

#[test]
fn pods_that_crash_show_their_exit_code_and_that_their_log_is_out_of_reach() {
    let repo = repo("wait-crash");
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData: {password: correct-horse-battery}\n";
    repo.write("web.yaml", WEB).write("db.yaml", secret).commit("First");
    repo.run(&APPLY).exits(0);
    play_kubelet(
        &repo,
        r#"{"name":"main","image":"a","imageID":"","ready":false,"restartCount":3,"state":{"waiting":{"reason":"CrashLoopBackOff"}},"lastState":{"terminated":{"exitCode":137,"reason":"OOMKilled"}}}"#,
    );
    let output = repo.run(&["apply", "--wait", "--timeout", "1s"]).exits(1);
    let why = "container main: CrashLoopBackOff, exit code 137 (OOMKilled), 3 restarts\n      its log can't be read: ";
    assert!(output.stdout.contains(why), "{output}");

    // A kubelet's message may quote what is secret.
    play_kubelet(
        &repo,
        r#"{"name":"main","image":"a","imageID":"","ready":false,"restartCount":0,"state":{"waiting":{"reason":"CreateContainerConfigError","message":"bad password correct-horse-battery"}}}"#,
    );
    for form in ["text", "json"] {
        let output = repo.run(&["apply", "--wait", "--timeout", "1s", "-o", form]).exits(1);
        let text = output.to_string();
        assert!(text.contains("CreateContainerConfigError"), "{output}");
        assert!(text.contains("bad password ‹secret 1›"), "{output}");
        assert!(!text.contains("horse"), "{output}");
    }
}

#[test]
fn scheduler_and_quota_messages_are_shown() {
    let repo = repo("wait-words");
    let nowhere = "spec:\n      nodeSelector: {disk: fast}\n      containers";
    let web = WEB.replace("spec:\n      containers", nowhere);
    repo.write("web.yaml", &web).commit("First");
    let output = repo.run(&["apply", "--wait", "--timeout", "2s"]).exits(1);
    assert!(
        output.stdout.contains(" and 1 other: Unschedulable\n      0/3 nodes are available"),
        "{output}"
    );

    let quota =
        "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: few}\nspec: {hard: {pods: 1}}\n";
    repo.run(&["apply"]).exits(0);
    repo.remove("web.yaml").write("quota.yaml", quota).commit("Second");
    repo.run(&["apply"]).exits(0);
    let used = ["get", "quota", "few", "-o", "jsonpath={.status.hard.pods}"];
    eventually("the quota holds", || repo.kubectl(&used).stdout == "1");
    repo.write("web.yaml", WEB).commit("Third");
    let output = repo.run(&["apply", "--wait", "--timeout", "3s"]).exits(1);
    let why = "! Deployment wait-words/web failed";
    assert!(!output.stdout.contains(why), "a quota may be widened\n{output}");
    assert!(output.stdout.contains("exceeded quota: few, requested: pods=1"), "{output}");
}
