//! A repository of targets, the processes that watch them, and what they do.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use http::Method;
use serde_json::{Value, json};

use crate::support::audit_log::Request;
use crate::support::command::Cmd;
use crate::support::http::GitServer;
use crate::support::objects::{config, service};
use crate::support::own_file;
use crate::support::repo::Repo;
use crate::support::sandbox::Plane;

/// How many objects a target has, a quarter of each of four kinds.
const OBJECTS: usize = 50;
/// In how many targets at most something is changed at once.
const AT_ONCE: usize = 10;
/// Longer than rounds that were rung for are spaced.
const CALM: Duration = Duration::from_secs(10);
/// How long requests are counted, and how long before that nothing happens.
const QUIET: Duration = Duration::from_secs(60);
const SETTLES: Duration = Duration::from_secs(35);
/// How long the first apply takes at most.
const APPLIES: Duration = Duration::from_secs(900);
/// How often it is looked whether something happened.
const LOOK: Duration = Duration::from_millis(20);
const SECRET: &str = "sixteen characters";

/// How targets are watched.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// By one process.
    One,
    /// By a process each.
    Each,
}

/// Targets that are watched.
pub struct Fleet<'p> {
    repo: Repo<'p>,
    git: GitServer,
    size: usize,
    watches: Vec<(Child, u16)>,
    changes: usize,
}

/// A minute in which nothing happens.
pub struct Quiet {
    pub resident: usize,
    /// Requests of the minute.
    pub api: usize,
    pub git: usize,
}

impl<'p> Fleet<'p> {
    /// Starts to watch, and waits until all is applied.
    pub fn start(plane: &'p Plane, program: &Path, size: usize, mode: Mode) -> Self {
        let repo = Repo::new("grow", plane);
        let mut targets = "targets:\n".to_owned();
        for target in 0..size {
            targets.push_str(&format!("  t{target}: {{paths: [t{target}]}}\n"));
            (0..OBJECTS).for_each(|number| write(&repo, target, number, "1"));
        }
        repo.write("trueup.yaml", targets).commit("First");
        let git = GitServer::http(repo.outside());
        own_file::write(&repo.outside().join("secret"), SECRET);
        let mut fleet = Self { repo, git, size, watches: Vec::new(), changes: 1 };
        fleet.watches = match mode {
            Mode::One => vec![fleet.watch(program, "all", &["--all-targets".to_owned()])],
            Mode::Each => (0..size)
                .map(|number| format!("t{number}"))
                .map(|target| {
                    fleet.watch(program, &target, &["--target".to_owned(), target.clone()])
                })
                .collect(),
        };
        let last = |target| format!("t{target}-{}", OBJECTS - 2);
        let all: Vec<String> = (0..size).map(last).collect();
        let begin = Instant::now();
        let is_there = |there: &[String]| all.iter().all(|name| there.contains(name));
        while !is_there(&fleet.repo.config_maps()) {
            assert!(begin.elapsed() < APPLIES, "not all is applied");
            thread::sleep(Duration::from_secs(1));
        }
        thread::sleep(SETTLES);
        fleet
    }

    fn watch(&self, program: &Path, name: &str, args: &[String]) -> (Child, u16) {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let checkout = self.repo.outside().join(format!("checkout-{name}"));
        let run = |args: &[String]| {
            let cmd = Cmd::new(program).dir(self.repo.outside());
            let cmd = cmd.env("KUBECONFIG", &self.repo.plane().kubeconfig);
            cmd.env("TRUEUP_NAMESPACE", self.repo.namespace())
                .env("XDG_STATE_HOME", self.repo.outside().join(format!("state-{name}")))
                .args(["-C", checkout.to_str().unwrap()])
                .args(args)
        };
        run(&["pull".into(), "--url".into(), self.git.url("grow")]).run().exits(0);
        let mut all = vec!["watch".to_owned(), "--webhook".into(), format!("127.0.0.1:{free}")];
        let secret = self.repo.outside().join("secret").display().to_string();
        all.extend(["--webhook-secret-file".to_owned(), secret]);
        all.extend_from_slice(args);
        let mut command: Command = run(&all).into_inner();
        let log = fs::File::create(self.repo.outside().join(format!("log-{name}"))).unwrap();
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        (command.spawn().unwrap(), free)
    }

    /// The memory of all processes in KiB: now, and at most.
    pub fn memory(&self) -> (usize, usize) {
        let sum = |name: &str| {
            let of = |(child, _): &(Child, u16)| {
                let status = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
                let line = status.lines().find_map(|line| line.strip_prefix(name))?;
                line.split_whitespace().next()?.parse::<usize>().ok()
            };
            self.watches.iter().filter_map(of).sum()
        };
        (sum("VmRSS:"), sum("VmHWM:"))
    }

    /// A quiet minute.
    pub fn quiet(&self) -> Quiet {
        let log = &self.repo.plane().audit_log;
        let (api, git) = (log.count(), self.git.requests());
        thread::sleep(QUIET);
        let api = log.requests_after(api).iter().filter(|it| Request::is_ours(it)).count();
        Quiet { resident: self.memory().0, api, git: self.git.requests() - git }
    }

    /// How long it takes from a push to each change in the cluster.
    pub fn commits(&mut self, times: usize) -> Vec<Duration> {
        let mut took = Vec::new();
        for _ in 0..times {
            self.changes += 1;
            let value = self.changes.to_string();
            let targets = self.chosen();
            targets.iter().for_each(|target| write(&self.repo, *target, 0, &value));
            let begin = Instant::now();
            self.repo.commit("Another");
            self.push();
            took.extend(self.until(&targets, &value, begin));
            thread::sleep(CALM);
        }
        took
    }

    /// Waits until the looks that a commit makes at all targets are over.
    fn calms_down(&self) {
        let (log, begin) = (&self.repo.plane().audit_log, Instant::now());
        loop {
            let before = log.count();
            thread::sleep(CALM);
            let after = log.requests_after(before);
            if !after.iter().any(|it| Request::is_ours(it)) {
                return;
            }
            assert!(begin.elapsed() < APPLIES, "it never gets calm");
        }
    }

    /// How long it takes until changes by hand are undone, in a calm.
    pub fn drifts(&mut self, times: usize) -> Vec<Duration> {
        self.calms_down();
        let mut took = Vec::new();
        let value = self.changes.to_string();
        for _ in 0..times {
            let targets = self.chosen();
            let begin = Instant::now();
            for target in &targets {
                let path = format!("{}?fieldManager=hand", self.path(*target));
                let body = json!({ "data": { "key": "by hand" } });
                let content = "application/merge-patch+json";
                let api = self.repo.plane().api();
                api.send(Method::PATCH, &path, content, Some(&body)).unwrap();
            }
            took.extend(self.until(&targets, &value, begin));
            thread::sleep(CALM);
        }
        took
    }

    /// The targets whose first object is changed now: others each time.
    fn chosen(&self) -> Vec<usize> {
        let count = self.size.min(AT_ONCE);
        (0..count).map(|number| number * self.size / count).collect()
    }

    fn path(&self, target: usize) -> String {
        format!("/api/v1/namespaces/{}/configmaps/t{target}-0", self.repo.namespace())
    }

    fn until(&self, targets: &[usize], value: &str, begin: Instant) -> Vec<Duration> {
        let (mut left, mut took) = (targets.to_vec(), Vec::new());
        while !left.is_empty() {
            assert!(begin.elapsed() < Duration::from_secs(120), "targets {left:?} are not at it");
            left.retain(|target| {
                let live: Value = self.repo.plane().api().get(&self.path(*target)).unwrap();
                let is_there = live["data"]["key"] == *value;
                is_there.then(|| took.push(begin.elapsed()));
                !is_there
            });
            thread::sleep(LOOK);
        }
        took
    }

    /// Tells each process of a push, as GitLab does.
    fn push(&self) {
        let url = self.git.url("grow");
        let project = json!({ "git_http_url": url, "git_ssh_url": url, "web_url": url });
        let event = json!({
            "object_kind": "push", "event_name": "push", "ref": "refs/heads/main",
            "project": project, "repository": project,
        });
        let body = event.to_string();
        for (_, port) in &self.watches {
            let mut stream = TcpStream::connect(("127.0.0.1", *port)).unwrap();
            write!(
                stream,
                "POST / HTTP/1.1\r\nHost: localhost\r\nX-Gitlab-Event: Push Hook\r\n\
                 X-Gitlab-Token: {SECRET}\r\nContent-Type: application/json\r\n\
                 Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            )
            .unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
        }
    }
}

impl Drop for Fleet<'_> {
    fn drop(&mut self) {
        for (watch, _) in &mut self.watches {
            let _ = watch.kill();
            let _ = watch.wait();
        }
    }
}

fn write(repo: &Repo<'_>, target: usize, number: usize, value: &str) {
    let name = format!("t{target}-{number}");
    let text = match number % 4 {
        0 => config(&name, value),
        1 => service(&name, "clusterIP: None, ports: [{port: 80}]"),
        2 => format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}}}\nstringData: {{key: {value:?}}}\n"
        ),
        _ => format!("apiVersion: v1\nkind: ServiceAccount\nmetadata: {{name: {name}}}\n"),
    };
    repo.write(&format!("t{target}/{number}.yaml"), text);
}
