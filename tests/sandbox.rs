//! `trueup sandbox`, on the real programs: what the command sees, how everything ends, and what the
//! controllers do. How the programs are found and built is in `sandbox_programs`.

use std::fs;
use std::io::{BufRead, BufReader, Lines};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::audit_log::Request;
use crate::support::command::Cmd;
use crate::support::eventually::eventually;
use crate::support::sandbox;

/// A `trueup sandbox` that runs beside the test, and the lines that it prints.
struct Running {
    trueup: Child,
    stdout: Lines<BufReader<ChildStdout>>,
}

impl Running {
    fn start(args: &[&str]) -> Self {
        let mut command = Cmd::trueup().args(["sandbox"]).args(args).into_inner();
        let mut trueup = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let stdout = BufReader::new(trueup.stdout.take().unwrap()).lines();
        Self { trueup, stdout }
    }

    #[track_caller]
    fn line(&mut self) -> String {
        self.stdout.next().expect("trueup printed too few lines").unwrap()
    }

    fn signal(&self, signal: Signal) {
        kill(self.trueup.id(), signal);
    }
}

fn kill(process: u32, signal: Signal) {
    kill_process(Pid::from_raw(process.try_into().unwrap()).unwrap(), signal).unwrap();
}

fn folder_of(kubeconfig: &str) -> PathBuf {
    let folder = Path::new(kubeconfig).parent().unwrap().to_owned();
    assert!(folder.is_dir(), "{kubeconfig} is nowhere");
    folder
}

#[test]
fn the_command_s_status_is_passed_on_and_nothing_is_left() {
    let script = r#"kubectl get namespace default --output name; echo "$KUBECONFIG"; exit 7"#;
    let output = Cmd::trueup().args(["sandbox", "--", "sh", "-c", script]).run().exits(7);
    let lines: Vec<&str> = output.stdout.lines().collect();
    let [namespace, kubeconfig] = lines[..] else { panic!("{output}") };
    assert_eq!(namespace, "namespace/default");
    assert!(!Path::new(kubeconfig).parent().unwrap().exists(), "{kubeconfig} is still there");
    assert!(output.stderr.contains("the control plane is ready after "), "\n{output}");
}

#[test]
fn a_command_killed_by_a_signal_gives_what_a_shell_gives() {
    Cmd::trueup().args(["sandbox", "--", "sh", "-c", "kill -9 $$"]).run().exits(128 + 9);
}

#[test]
fn a_command_that_is_not_there_gives_what_a_shell_gives() {
    let output = Cmd::trueup().args(["sandbox", "--", "no-such-program"]).run().exits(127);
    assert!(output.stderr.contains("error: cannot run no-such-program"), "\n{output}");
}

#[test]
fn the_folder_and_the_kubeconfig_are_private() {
    let plane = sandbox::bare();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&plane.kubeconfig), 0o600);
    assert_eq!(mode(plane.kubeconfig.parent().unwrap()), 0o700);
}

#[test]
fn sandbox_requires_authentication_and_authorization() {
    let plane = sandbox::bare();
    let address = plane.kubectl(["config", "view", "-o", "jsonpath={.clusters[0].cluster.server}"]);
    let authority = plane.kubeconfig.parent().unwrap().join("ca.crt");
    let stranger = ["--kubeconfig=/dev/null", "--token=guessed", "--server", &address.stdout];
    let request = ["--certificate-authority", authority.to_str().unwrap(), "get", "--raw", "/api"];
    let output = plane.kubectl(stranger.into_iter().chain(request)).exits(1);
    assert!(output.stderr.contains("Unauthorized"), "\n{output}");

    let output = plane.kubectl(["get", "secrets", "--as", "nobody"]).exits(1);
    assert!(output.stderr.contains("Forbidden"), "\n{output}");
}

#[test]
fn every_request_is_in_the_audit_log() {
    let plane = sandbox::bare();
    let namespace = plane.namespace("audited");
    plane.kubectl(["create", "configmap", "seen", "-n", &namespace]).exits(0);
    let is_create = |it: &Request| it.verb == "create" && it.namespace() == namespace;
    assert_eq!(plane.audit_log.count_of(is_create), 1);
}

#[test]
fn a_pod_can_be_created_where_no_controller_makes_service_accounts() {
    let plane = sandbox::bare();
    let namespace = plane.namespace("pod");
    plane.kubectl(["run", "pod", "--image=pod", "-n", &namespace]).exits(0);
}

#[test]
fn asked_to_end_it_asks_the_command_and_passes_its_status_on() {
    let script = r#"trap 'exit 3' TERM; echo "$KUBECONFIG"; while :; do sleep 0.1; done"#;
    let mut running = Running::start(&["--", "sh", "-c", script]);
    let folder = folder_of(&running.line());

    running.signal(Signal::TERM);

    assert_eq!(running.trueup.wait().unwrap().code(), Some(3));
    assert!(!folder.exists());
}

#[test]
fn without_a_command_it_says_how_to_use_it_and_stays_until_interrupted() {
    let mut running = Running::start(&[]);
    let [kubeconfig, audit_log, path] = [(); 3].map(|()| running.line());
    let kubeconfig = kubeconfig.strip_prefix("export KUBECONFIG='").unwrap();
    let folder = folder_of(kubeconfig);
    assert!(audit_log.starts_with("export TRUEUP_SANDBOX_AUDIT_LOG='"), "{audit_log}");
    assert!(path.starts_with(r#"export PATH="$PATH":'"#), "{path}");

    running.signal(Signal::INT);

    assert_eq!(running.trueup.wait().unwrap().code(), Some(0));
    assert!(!folder.exists());
}

/// The processes that work in a folder.
#[cfg(target_os = "linux")]
fn processes_in(folder: &Path) -> Vec<u32> {
    let processes = fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let path = entry.ok()?.path();
        let id = path.file_name()?.to_str()?.parse().ok()?;
        (fs::read_link(path.join("cwd")).ok()? == folder).then_some(id)
    });
    processes.collect()
}

#[cfg(target_os = "linux")]
fn is_alive(process: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    !status.is_empty() && !status.contains("State:\tZ")
}

/// The processes that a process started.
#[cfg(target_os = "linux")]
fn children(process: u32) -> Vec<u32> {
    let mut all = Vec::new();
    for thread in fs::read_dir(format!("/proc/{process}/task")).unwrap() {
        let children = fs::read_to_string(thread.unwrap().path().join("children")).unwrap();
        all.extend(children.split_whitespace().map(|id| id.parse::<u32>().unwrap()));
    }
    all
}

#[cfg(target_os = "linux")]
#[test]
fn killed_it_leaves_no_process_and_no_folder() {
    let script = r#"echo "$KUBECONFIG"; exec sleep 1000"#;
    let mut running = Running::start(&["--controllers", "--", "sh", "-c", script]);
    let folder = folder_of(&running.line());
    let programs = processes_in(&folder);
    assert_eq!(programs.len(), 5, "etcd, the server, two with controllers, and kwok");
    let keeper_and_command = children(running.trueup.id());
    assert_eq!(keeper_and_command.len(), 2);

    running.signal(Signal::KILL);
    running.trueup.wait().unwrap();

    for process in programs.into_iter().chain(keeper_and_command) {
        eventually("every process is gone", || !is_alive(process));
    }
    eventually("the folder is gone", || !folder.exists());
}

#[cfg(target_os = "linux")]
#[test]
fn even_where_its_keeper_is_killed_nothing_is_left() {
    let script = r#"echo "$KUBECONFIG"; trap 'exit 3' TERM; while :; do sleep 0.1; done"#;
    let mut running = Running::start(&["--", "sh", "-c", script]);
    let folder = folder_of(&running.line());
    let programs = processes_in(&folder);
    let etcd_s_parent = fs::read_to_string(format!("/proc/{}/stat", programs[0])).unwrap();
    let keeper = etcd_s_parent.rsplit(')').next().unwrap().split_whitespace().nth(1).unwrap();

    kill(keeper.parse().unwrap(), Signal::KILL);

    for process in programs {
        eventually("every process is gone", || !is_alive(process));
    }
    running.signal(Signal::TERM);
    assert_eq!(running.trueup.wait().unwrap().code(), Some(3));
    assert!(!folder.exists());
}

#[test]
fn a_deployment_rolls_out() {
    let plane = sandbox::with_controllers();
    let namespace = plane.namespace("rollout");
    let create = ["create", "deployment", "web", "--image=web", "--replicas=2", "-n", &namespace];
    plane.kubectl(create).exits(0);

    let status = ["rollout", "status", "deployment/web", "--timeout=60s", "-n", &namespace];
    plane.kubectl(status).exits(0);

    let ready = ["get", "deployment/web", "-o", "jsonpath={.status.readyReplicas}"];
    let ready = plane.kubectl(ready.into_iter().chain(["-n", &namespace])).exits(0);
    assert_eq!(ready.stdout, "2", "\n{ready}");
}

#[test]
fn a_job_finishes() {
    let plane = sandbox::with_controllers();
    let namespace = plane.namespace("job");
    plane.kubectl(["create", "job", "once", "--image=once", "-n", &namespace]).exits(0);

    let wait = ["wait", "job/once", "--for=condition=Complete", "--timeout=60s", "-n", &namespace];
    plane.kubectl(wait).exits(0);
}

#[test]
fn deleted_namespace_is_removed_with_its_content() {
    let plane = sandbox::with_controllers();
    let namespace = plane.namespace("gone");
    plane.kubectl(["create", "configmap", "inside", "-n", &namespace]).exits(0);

    plane.kubectl(["delete", "namespace", &namespace, "--timeout=60s"]).exits(0);

    let get = plane.kubectl(["get", "namespace", &namespace]).exits(1);
    assert!(get.stderr.contains("NotFound"), "\n{get}");
}

#[test]
fn an_object_whose_owner_is_gone_is_collected() {
    let plane = sandbox::with_controllers();
    let namespace = plane.namespace("owned");
    plane.kubectl(["create", "configmap", "owner", "-n", &namespace]).exits(0);
    let uid = ["get", "configmap", "owner", "-o", "jsonpath={.metadata.uid}", "-n", &namespace];
    let uid = plane.kubectl(uid).exits(0).stdout;
    let owned = format!(
        "apiVersion: v1
kind: ConfigMap
metadata:
  name: owned
  ownerReferences: [{{ apiVersion: v1, kind: ConfigMap, name: owner, uid: {uid} }}]
"
    );
    plane.create(&namespace, &owned);

    plane.kubectl(["delete", "configmap", "owner", "-n", &namespace]).exits(0);

    let wait = ["wait", "configmap/owned", "--for=delete", "--timeout=60s", "-n", &namespace];
    plane.kubectl(wait).exits(0);
}
