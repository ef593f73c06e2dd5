//! A second API server over a plane's store, which a test kills and starts again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::sandbox::Plane;

/// The process of a plane's own that runs this program: they all run in the plane's folder.
pub fn process(plane: &Plane, program: &str) -> PathBuf {
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

/// A second API server over a plane's store, which can be killed and started again: the plane
/// itself would be deleted with its own.
pub struct SecondServer {
    program: PathBuf,
    args: Vec<String>,
    folder: PathBuf,
    running: Option<Child>,
}

impl SecondServer {
    /// One that is not started yet, and the kubeconfig that leads to it.
    pub fn new(plane: &Plane, folder: &Path) -> (Self, PathBuf) {
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

    /// Starts it, with the same port each time.
    pub fn start(&mut self) {
        let mut command = Command::new(&self.program);
        command.args(&self.args).current_dir(&self.folder).env("HOME", &self.folder);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.running = Some(command.spawn().unwrap());
    }

    /// Kills it.
    pub fn kill(&mut self) {
        if let Some(mut running) = self.running.take() {
            running.kill().unwrap();
            running.wait().unwrap();
        }
    }
}

impl Drop for SecondServer {
    fn drop(&mut self) {
        self.kill();
    }
}
