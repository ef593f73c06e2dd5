//! Tracked refs over every transport: what pull brings, and what diff, apply and watch make of it.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::support::command::Output;
use crate::support::http::GitServer;
use crate::support::objects::config;
use crate::support::repo::Repo;
use crate::support::sandbox;
use crate::support::ssh::Sshd;

const TARGETS: &str = "targets:
  branch: {paths: [branch], ref: release}
  tag: {paths: [tag], ref: refs/tags/stable}
  range: {paths: [range], ref: {semver: \">=1 <2\", tag-prefix: shop-}}
";

/// git's own server of `git://`, for the folder of one test.
struct Daemon {
    port: u16,
    child: Child,
}

impl Daemon {
    fn start(root: &Path) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new("git")
            .args(["daemon", "--export-all", "--listen=127.0.0.1", &format!("--port={port}")])
            .arg(format!("--base-path={}", root.display()))
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut daemon = Self { port, child };
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(daemon.child.try_wait().unwrap().is_none(), "git daemon ended");
            thread::sleep(Duration::from_millis(20));
        }
        daemon
    }

    fn url(&self, name: &str) -> String {
        format!("git://127.0.0.1:{}/{name}", self.port)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A commit on `release` and on the newest tag of the range, with these values.
fn release(repo: &Repo<'_>, number: usize) -> String {
    for target in ["branch", "tag", "range"] {
        repo.write(&format!("{target}/it.yaml"), config(target, &number.to_string()));
    }
    repo.commit(&format!("Release {number}"));
    repo.git(&["branch", "--force", "release"]);
    repo.git(&["tag", &format!("shop-v1.{number}.0")]);
    repo.git(&["rev-parse", "--short=7", "HEAD"]).stdout.trim().to_owned()
}

#[test]
fn pull_diff_apply_and_watch_over_every_transport() {
    let name = "tracked-remotes";
    let repo = Repo::new(name, sandbox::bare());
    repo.write("trueup.yaml", TARGETS);
    let stable = release(&repo, 0);
    repo.git(&["tag", "stable"]);
    let (sshd, daemon) = (Sshd::start(), Daemon::start(repo.outside()));
    let http = GitServer::http(repo.outside());
    let https = GitServer::https(repo.outside(), None);
    let authority = repo.outside().join("ca.pem");
    std::fs::write(&authority, https.authority()).unwrap();
    let place = format!("{name}/.git");
    let git_dir = repo.path().join(".git");
    let urls = [
        format!("file://{}", git_dir.display()),
        git_dir.display().to_string(),
        sshd.url(&git_dir),
        http.url(&place),
        https.url(&place),
        daemon.url(&place),
    ];
    let checkout = repo.outside().join("checkout");
    let run = |args: &[&str]| -> Output {
        let command = repo.trueup(&["-C", checkout.to_str().unwrap()]).args(args);
        let command = command.env("GIT_SSH_COMMAND", sshd.command());
        command.env("GIT_SSL_CAINFO", &authority).run()
    };
    run(&["pull", "--url", &urls[0], "--branch", "main"]).exits(0);
    run(&["apply", "--target", "tag", "--yes"]).exits(0);
    for (round, url) in urls.iter().enumerate() {
        let set = ["-C", checkout.to_str().unwrap(), "remote", "set-url", "origin", url];
        repo.git(&set);
        let (first, second) = (2 * round + 1, 2 * round + 2);
        let commit = release(&repo, first);
        let pull = run(&["pull"]).exits(0);
        assert!(pull.stdout.contains(&format!("..{commit}, 1 commit")), "{url}: {pull}");
        assert!(pull.stdout.contains(&format!("→ shop-v1.{first}.0, 1 commit")), "{url}: {pull}");
        for (target, at) in [
            ("branch", format!("release ({commit})")),
            ("range", format!("shop-v1.{first}.0 ({commit})")),
        ] {
            let diff = run(&["diff", "--target", target]).exits(1);
            assert!(diff.stdout.contains(&at), "{url}: {diff}");
            let apply = run(&["apply", "--target", target, "--yes"]).exits(0);
            assert!(apply.stdout.contains(&format!("{target} is at {at}")), "{url}: {apply}");
            assert_eq!(repo.value(target), first.to_string(), "{url}");
        }
        let commit = release(&repo, second);
        for (target, at) in [
            ("branch", format!("release ({commit})")),
            ("range", format!("shop-v1.{second}.0 ({commit})")),
        ] {
            let watch = run(&["watch", "--once", "--target", target]).exits(0);
            assert!(watch.stdout.contains(&format!("new commit {at}")), "{url}: {watch}");
            assert_eq!(repo.value(target), second.to_string(), "{url}");
        }
        let stays = run(&["diff", "--target", "tag"]).exits(0);
        assert!(stays.stdout.contains(&format!("stable ({stable})")), "{url}: {stays}");
        assert_eq!(repo.value("tag"), "0", "{url}");
    }
}
