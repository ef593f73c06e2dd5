//! The cluster itself goes away in the middle of a run: its store for ten seconds, its API server
//! for as long as it takes to start again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::point::Demand;
use super::world::World;
use crate::support::eventually::{eventually, eventually_none};
use crate::support::faults::{Fault, Faulty, Run, Seen};
use crate::support::sandbox::{self, Plane};

/// The process of a plane's own that runs this program: they all run in the plane's folder.
fn process(plane: &Plane, program: &str) -> PathBuf {
    let folder = plane.kubeconfig.parent().unwrap().canonicalize().unwrap();
    let found = fs::read_dir("/proc").unwrap().find_map(|entry| {
        let process = entry.unwrap().path();
        let runs_here = fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd == folder);
        let words = fs::read(process.join("cmdline")).unwrap_or_default();
        let first = words.split(|byte| *byte == 0).next().unwrap_or_default();
        (runs_here && String::from_utf8_lossy(first).contains(program)).then_some(process)
    });
    found.unwrap_or_else(|| panic!("no {program} runs in {}", folder.display()))
}

#[test]
fn etcd_outage_of_ten_seconds_is_waited_for() {
    // A world is of a plane that stays: this one goes with the test process.
    let plane: &Plane = Box::leak(Box::new(sandbox::own()));
    let world = World::new(plane);
    let etcd = process(plane, "etcd").file_name().unwrap().to_str().unwrap().parse().unwrap();
    let etcd = Pid::from_raw(etcd).unwrap();
    world.undisturbed(&["apply", "--rev", "HEAD~1"]);
    let mut count = 0;
    let Run { output, struck, .. } = world.disturbed(&["apply"], move |_| {
        count += 1;
        // Half of it is written.
        (count == 60).then(|| {
            kill_process(etcd, Signal::STOP).unwrap();
            thread::spawn(move || {
                thread::sleep(Duration::from_secs(10));
                kill_process(etcd, Signal::CONT).unwrap();
            });
            Fault::Meddled
        })
    });
    assert_eq!(struck, 1);
    let output = output.exits(0);
    assert_eq!(world.state(), world.second, "{output}");
}

/// A second API server over a plane's store, which can be killed and started again: the plane
/// itself would be deleted with its own.
struct Server {
    program: PathBuf,
    args: Vec<String>,
    folder: PathBuf,
    running: Option<Child>,
}

impl Server {
    /// One that is not started yet, and the kubeconfig that leads to it.
    fn new(plane: &Plane, folder: &Path) -> (Self, PathBuf) {
        let first = process(plane, "kube-apiserver");
        let words = fs::read_to_string(first.join("cmdline")).unwrap();
        let mut words = words.trim_end_matches('\0').split('\0').map(str::to_owned);
        let program = words.next().unwrap().into();
        let mut args: Vec<String> = words.collect();
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let free = free.local_addr().unwrap().port().to_string();
        let port = args.iter_mut().find_map(|arg| {
            let port = arg.strip_prefix("--secure-port=")?.to_owned();
            *arg = format!("--secure-port={free}");
            Some(port)
        });
        let log = folder.join("audit.log").display().to_string();
        args.push(format!("--audit-log-path={log}"));
        let kubeconfig = fs::read_to_string(&plane.kubeconfig).unwrap();
        let kubeconfig = kubeconfig.replace(&format!(":{}", port.unwrap()), &format!(":{free}"));
        let path = folder.join("kubeconfig");
        fs::write(&path, kubeconfig).unwrap();
        let folder = plane.kubeconfig.parent().unwrap().to_owned();
        (Self { program, args, folder, running: None }, path)
    }

    fn start(&mut self) {
        let mut command = Command::new(&self.program);
        command.args(&self.args).current_dir(&self.folder).env("HOME", &self.folder);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.running = Some(command.spawn().unwrap());
    }

    fn kill(&mut self) {
        if let Some(mut running) = self.running.take() {
            running.kill().unwrap();
            running.wait().unwrap();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Which requests count.
type Wanted = fn(&Seen) -> bool;

/// A second API server over a plane of its own, and a world that reaches the plane through it.
fn second_server() -> (World, Arc<Mutex<Server>>, impl Fn(), tempfile::TempDir) {
    // A world is of a plane that stays: this one goes with the test process.
    let plane: &Plane = Box::leak(Box::new(sandbox::own()));
    let mut world = World::new(plane);
    let folder = tempfile::tempdir().unwrap();
    let (mut server, kubeconfig) = Server::new(plane, folder.path());
    world.line = Faulty::on_the_way_to(&kubeconfig, plane);
    server.start();
    let until_it_answers = move || {
        let ready = ["--kubeconfig", kubeconfig.to_str().unwrap(), "get", "--raw", "/readyz"];
        eventually("the second API server answers", || plane.kubectl(ready).status == Some(0));
    };
    (world, Arc::new(Mutex::new(server)), until_it_answers, folder)
}

/// Kills the server at the `nth` request that is `wanted`, and starts it again after longer than
/// whoever is not patient would try.
fn restarting(
    server: &Arc<Mutex<Server>>,
    (wanted, nth): (Wanted, usize),
) -> impl FnMut(&Seen) -> Option<Fault> + Send + 'static {
    let (server, mut count) = (Arc::clone(server), 0);
    move |seen| {
        count += usize::from(wanted(seen));
        (wanted(seen) && count == nth).then(|| {
            count += 1;
            server.lock().unwrap().kill();
            let server = Arc::clone(&server);
            thread::spawn(move || {
                thread::sleep(Duration::from_secs(4));
                server.lock().unwrap().start();
            });
            Fault::Meddled
        })
    }
}

#[test]
fn api_server_killed_during_the_read_fails_at_most_one_run() {
    let (world, server, until_it_answers, _folder) = second_server();
    until_it_answers();
    let verdict = world.point(&["apply"], Demand::Tells, restarting(&server, (|_| true, 5)));
    assert_eq!(verdict, Ok(1));
}

#[test]
fn api_server_killed_during_writes_is_waited_for() {
    fn lock(seen: &Seen) -> bool {
        seen.path.contains("/leases")
    }
    fn record(seen: &Seen) -> bool {
        seen.is_write() && seen.path.contains("/configmaps/trueup-")
    }
    let (world, server, until_it_answers, _folder) = second_server();
    let points: [(&str, Wanted, usize); 8] = [
        ("before the lock is read", lock, 1),
        ("before the lock is taken", lock, 2),
        // The lock was given back a moment ago, so somebody else may have written.
        ("while it is looked again under the lock", Seen::is_list, 12),
        ("before the record is widened", record, 1),
        ("while it writes", Seen::is_write, 20),
        ("while it deletes", |seen| seen.method == "DELETE", 5),
        ("before the record is narrowed", record, 2),
        ("before the lock is given back", |seen| lock(seen) && seen.method == "PUT", 2),
    ];
    for (what, wanted, nth) in points {
        until_it_answers();
        world.undisturbed(&["apply", "--rev", "HEAD~1"]);
        let Run { output, struck, .. } =
            world.disturbed(&["apply"], restarting(&server, (wanted, nth)));
        assert_eq!((struck, output.status), (1, Some(0)), "{what}\n{output}");
        // The server that is asked here learns of new kinds when it does.
        eventually_none(what, || world.difference(&world.second));
        assert!(world.leaves_strangers_alone(), "{what}");
    }
}
