//! A `trueup watch` that runs until the test has seen enough.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use super::command::Cmd;
use super::eventually::eventually;
use super::repo::Repo;

/// A running `trueup watch`.
pub struct Watching {
    child: Child,
    pub log: PathBuf,
    /// How many lines [`says`](Self::says) has gone through.
    heard: Cell<usize>,
}

impl Watching {
    /// Watches a fresh clone of `repo`, a few times a second.
    pub fn start(repo: &Repo<'_>, args: &[&str]) -> Self {
        let checkout = repo.outside().join("checkout");
        let url = format!("file://{}", repo.path().display());
        let clone = ["-C", checkout.to_str().unwrap(), "pull", "--url", &url];
        repo.run(&clone).exits(0);
        Self::in_folder(repo, &checkout, args)
    }

    /// Watches what is in `checkout`, a few times a second, and asks the cluster in each round.
    pub fn in_folder(repo: &Repo<'_>, checkout: &Path, args: &[&str]) -> Self {
        let watch =
            ["-C", checkout.to_str().unwrap(), "watch", "--interval", "0.2", "--no-watch-api"];
        Self::running(repo, repo.trueup(&[&watch[..], args].concat()))
    }

    /// Runs a command that watches.
    pub fn running(repo: &Repo<'_>, watch: Cmd) -> Self {
        let log = repo.outside().join("log");
        let mut command = watch.into_inner();
        command.stdout(fs::File::create(&log).unwrap()).stderr(Stdio::null());
        Self { child: command.spawn().unwrap(), log, heard: Cell::new(0) }
    }

    /// What it said so far, without the times.
    pub fn said(&self) -> Vec<String> {
        let log = fs::read_to_string(&self.log).unwrap();
        log.lines().filter_map(|line| Some(line.split_once(' ')?.1.to_owned())).collect()
    }

    /// Waits for a line that holds `text`, after the line that the last call waited for: one that
    /// was said before does not count for what comes now.
    #[track_caller]
    pub fn says(&self, text: &str) {
        let from = self.heard.get();
        let found = || self.said().iter().skip(from).position(|line| line.contains(text));
        eventually(text, || found().is_some());
        self.heard.set(from + 1 + found().expect("lines are only added"));
    }

    /// How many lines hold `text`.
    pub fn times(&self, text: &str) -> usize {
        self.said().iter().filter(|line| line.contains(text)).count()
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The variables that it runs with.
    pub fn environment(&self) -> Vec<String> {
        let variables = fs::read(format!("/proc/{}/environ", self.child.id())).unwrap();
        let variables = variables.split(|byte| *byte == 0);
        variables.map(|it| String::from_utf8_lossy(it).into_owned()).collect()
    }

    /// Sends a signal, such as `-USR1`.
    pub fn signal(&self, signal: &str) {
        Cmd::new("kill").args([signal, &self.child.id().to_string()]).run().exits(0);
    }

    /// Sends SIGTERM and gives the status.
    pub fn stop(mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        Cmd::new("kill").args(["-TERM", &pid]).run().exits(0);
        self.child.wait().unwrap().code()
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        // One that a failed test leaves running.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
