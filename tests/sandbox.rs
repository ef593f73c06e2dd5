//! `trueup sandbox`, on the real programs.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::support::command::Cmd;
use crate::support::sandbox;

#[test]
fn the_command_s_status_is_passed_on_and_nothing_is_left() {
    let script = r#"kubectl get namespace default --output name
        stat --format %a "$KUBECONFIG" "$(dirname "$KUBECONFIG")"; echo "$KUBECONFIG"; exit 7"#;
    let output = Cmd::trueup().args(["sandbox", "--", "sh", "-c", script]).run().exits(7);
    let lines: Vec<&str> = output.stdout.lines().collect();
    let [namespace, file_mode, folder_mode, kubeconfig] = lines[..] else { panic!("{output}") };
    assert_eq!((namespace, file_mode, folder_mode), ("namespace/default", "600", "700"));
    assert!(!Path::new(kubeconfig).parent().unwrap().exists(), "{kubeconfig} is still there");
}

#[test]
fn the_kubeconfig_is_private() {
    let plane = sandbox::bare();
    let mode = fs::metadata(&plane.kubeconfig).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn every_request_is_in_the_audit_log() {
    let plane = sandbox::bare();
    let namespace = plane.namespace("audited");
    let requests = plane.requests();
    let creates = requests.iter().filter(|request| {
        request["verb"] == "create" && request["objectRef"]["resource"] == "namespaces"
    });
    assert!(creates.count() >= 1, "{namespace} was created unseen");
}

#[test]
fn a_deployment_rolls_out() {
    let plane = sandbox::with_controllers();
    let namespace = plane.namespace("rollout");
    let create = ["create", "deployment", "web", "--image=web", "--replicas=2"];
    let _ = plane.kubectl(create.into_iter().chain(["-n", &namespace])).exits(0);

    let status = ["rollout", "status", "deployment/web", "--timeout=60s", "-n", &namespace];
    let _ = plane.kubectl(status).exits(0);

    let ready = ["get", "deployment/web", "-o", "jsonpath={.status.readyReplicas}"];
    let ready = plane.kubectl(ready.into_iter().chain(["-n", &namespace])).exits(0);
    assert_eq!(ready.stdout, "2", "\n{ready}");
}

#[test]
fn a_job_finishes() {
    let plane = sandbox::with_controllers();
    let namespace = plane.namespace("job");
    let _ = plane.kubectl(["create", "job", "once", "--image=once", "-n", &namespace]).exits(0);

    let wait = ["wait", "job/once", "--for=condition=Complete", "--timeout=60s", "-n", &namespace];
    let _ = plane.kubectl(wait).exits(0);
}

#[test]
fn a_deleted_namespace_goes_away_with_what_is_in_it() {
    let plane = sandbox::with_controllers();
    let namespace = plane.namespace("gone");
    let _ = plane.kubectl(["create", "configmap", "inside", "-n", &namespace]).exits(0);

    let _ = plane.kubectl(["delete", "namespace", &namespace, "--timeout=60s"]).exits(0);

    let get = plane.kubectl(["get", "namespace", &namespace]).exits(1);
    assert!(get.stderr.contains("NotFound"), "\n{get}");
}

#[test]
fn an_object_whose_owner_is_gone_is_collected() {
    let plane = sandbox::with_controllers();
    let namespace = plane.namespace("owned");
    let _ = plane.kubectl(["create", "configmap", "owner", "-n", &namespace]).exits(0);
    let uid = ["get", "configmap", "owner", "-o", "jsonpath={.metadata.uid}", "-n", &namespace];
    let uid = plane.kubectl(uid).exits(0).stdout;
    plane.create(
        &namespace,
        &format!(
            "apiVersion: v1
kind: ConfigMap
metadata:
  name: owned
  ownerReferences: [{{ apiVersion: v1, kind: ConfigMap, name: owner, uid: {uid} }}]
"
        ),
    );

    let _ = plane.kubectl(["delete", "configmap", "owner", "-n", &namespace]).exits(0);

    let wait = ["wait", "configmap/owned", "--for=delete", "--timeout=60s", "-n", &namespace];
    let _ = plane.kubectl(wait).exits(0);
}
