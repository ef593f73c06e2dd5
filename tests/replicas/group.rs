//! Replicas of one watch, as in so many pods: each has its checkout, its state and its user.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use crate::support::command::Cmd;
use crate::support::eventually::eventually;
use crate::support::objects::config;
use crate::support::repo::Repo;
use crate::support::sandbox::Plane;

/// The name of every test's group: its namespace tells them apart.
pub const GROUP: &str = "shop";
/// The time in which the targets of a replica are taken over.
pub const LAW: Duration = Duration::from_secs(20);

/// A repository with so many targets of one ConfigMap each, named `t0` and so on.
pub fn repository(name: &str, plane: &'static Plane, targets: usize) -> Repo<'static> {
    let repo = Repo::new(name, plane);
    let mut settings = "targets:\n".to_owned();
    for n in 0..targets {
        repo.write(&format!("t{n}/config.yaml"), config(&format!("t{n}"), "1"));
        settings += &format!("  t{n}: {{paths: [t{n}]}}\n");
    }
    repo.write("trueup.yaml", settings).commit("First");
    repo
}

/// A running replica.
pub struct Replica {
    child: Child,
    log: PathBuf,
    /// The user that it says to be, which the audit log has.
    pub user: String,
}

impl Replica {
    /// One that reaches the server by the usual way.
    pub fn start(repo: &Repo<'_>, user: &str, args: &[&str]) -> Self {
        Self::by(repo, user, &repo.plane().kubeconfig, args)
    }

    /// One that reaches the server as a kubeconfig says.
    pub fn by(repo: &Repo<'_>, user: &str, kubeconfig: &Path, args: &[&str]) -> Self {
        let folder = repo.outside().join(user);
        let (checkout, log) = (folder.join("checkout"), folder.join("log"));
        let url = format!("file://{}", repo.path().display());
        let clone = ["-C", checkout.to_str().unwrap(), "pull", "--url", &url];
        repo.run(&clone).exits(0);
        let watch =
            ["-C", checkout.to_str().unwrap(), "watch", "--all-targets", "--interval", "0.5"];
        let place = ["--replica-group", GROUP, "--as", user, "--as-group", "system:masters"];
        let command = repo.trueup(&[&watch[..], &place, args].concat());
        let command = command.env("KUBECONFIG", kubeconfig).env("XDG_STATE_HOME", folder);
        let mut command = command.into_inner();
        command.stdout(fs::File::create(&log).unwrap()).stderr(Stdio::null());
        Self { child: command.spawn().unwrap(), log, user: user.to_owned() }
    }

    /// All that it said.
    pub fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// What it said last of its share: how many targets of how many, and of how many replicas.
    pub fn share(&self) -> Option<(usize, usize, usize)> {
        let said = self.said();
        let line = said
            .lines()
            .rfind(|line| line.contains("are ours, ") || line.contains("! no member"))?;
        let words: Vec<&str> = line.split_whitespace().collect();
        let at = words.iter().position(|word| *word == "of")?;
        let number = |at: usize| words.get(at)?.parse().ok();
        Some((number(at - 1)?, number(at + 1)?, number(words.len() - 2)?))
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal, such as `-STOP`.
    pub fn signal(&self, signal: &str) {
        Cmd::new("kill").args([signal, &self.pid().to_string()]).run().exits(0);
    }

    /// Kills it as an out-of-memory killer does.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends SIGTERM and gives the status.
    pub fn stop(mut self) -> Option<i32> {
        self.signal("-TERM");
        self.child.wait().unwrap().code()
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        // One that a failed test leaves, which may stand still.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until each replica knows so many members, and all targets have an owner.
#[track_caller]
pub fn settled(replicas: &[&Replica], members: usize) {
    eventually("each target has one owner", || {
        let shares: Vec<_> = replicas.iter().filter_map(|it| it.share()).collect();
        let is_whole = shares.iter().all(|(_, _, known)| *known == members);
        let owned: usize = shares.iter().map(|(owned, _, _)| owned).sum();
        let listed = shares.first().map(|(_, listed, _)| *listed);
        shares.len() == replicas.len() && is_whole && Some(owned) == listed
    });
}
