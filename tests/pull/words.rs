//! What the remote says to people reaches them with the error.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::thread;

use crate::support::git::{Upstream, assert_refused, git, pull, write};
use crate::support::ssh::Sshd;

/// A checkout that pulls from `url` and is one commit behind.
fn behind(upstream: &Upstream, url: &str) -> PathBuf {
    let checkout = upstream.clone("checkout");
    git(&checkout, ["remote", "set-url", "origin", url]);
    upstream.write("web.yaml", "kind: Web\nreplicas: 2\n");
    upstream.commit("Second replica");
    checkout
}

#[test]
fn over_the_side_band_before_it_breaks_off() {
    let upstream = Upstream::new();
    let checkout = behind(&upstream, &upstream.url());
    let config = upstream.folder().join("gitconfig");
    let hook = "cat > /dev/null; echo error: token 7 expired >&2; exit 1; #";
    write(&config, &format!("[uploadpack]\n\tpackObjectsHook = \"{hook}\"\n"));

    let output = pull(&checkout).env("GIT_CONFIG_GLOBAL", &config).run();

    let says = ["cannot fetch from file://", "the remote says:", "error: token 7 expired"];
    assert_refused(&output, 2, &says);
}

/// A program that answers for `git-upload-pack`.
fn answering(folder: &Path, script: &str) -> String {
    let path = folder.join("upload-pack.sh");
    write(&path, script);
    format!("sh {}", path.display())
}

#[test]
fn as_an_error_line() {
    let upstream = Upstream::new();
    let checkout = behind(&upstream, &upstream.url());
    let program = answering(upstream.folder(), "printf '001aERR the token expired\\n'");
    git(&checkout, ["config", "remote.origin.uploadpack", &program]);

    assert_refused(&pull(&checkout).run(), 2, &["cannot fetch from file://", "the token expired"]);
}

#[test]
fn on_the_stderr_of_a_folders_upload_pack() {
    let upstream = Upstream::new();
    let checkout = behind(&upstream, &upstream.url());

    let output = pull(&checkout).env("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1").run();

    assert_refused(
        &output,
        2,
        &["cannot fetch from file://", "detected dubious ownership", "safe.directory PATH"],
    );
}

#[test]
fn the_configured_upload_pack_is_run() {
    let upstream = Upstream::new();
    let checkout = behind(&upstream, &upstream.url());
    let said = upstream.folder().join("said");
    let script = format!("echo \"$@\" > {}; exec git-upload-pack \"$@\"", said.display());
    let program = answering(upstream.folder(), &script);
    git(&checkout, ["config", "remote.origin.uploadpack", &program]);

    pull(&checkout).run().exits(0);

    assert_eq!(fs::read_to_string(said).unwrap().trim(), upstream.bare().to_str().unwrap());
    // And over ssh, where the other side runs it.
    let sshd = Sshd::start();
    git(&checkout, ["remote", "set-url", "origin", &sshd.url(&upstream.bare())]);
    git(&checkout, ["config", "remote.origin.uploadpack", "/not/there/git-upload-pack"]);
    let output = pull(&checkout).env("GIT_SSH_COMMAND", sshd.command()).run();
    assert_refused(&output, 2, &["cannot fetch from ssh://", "/not/there/git-upload-pack"]);
}

#[test]
fn of_a_repository_that_is_not_there() {
    let upstream = Upstream::new();
    let sshd = Sshd::start();
    let checkout = behind(&upstream, &sshd.url(&upstream.folder().join("gone.git")));

    let output = pull(&checkout).env("GIT_SSH_COMMAND", sshd.command()).run();

    assert_refused(
        &output,
        2,
        &["cannot fetch from ssh://", "does not appear to be a git repository"],
    );
}

/// An ssh command that knows the hosts of `text`, too.
fn known_hosts(sshd: &Sshd, text: &str) -> String {
    let file = sshd.stranger().with_file_name("others");
    write(&file, text);
    format!("{} -o UserKnownHostsFile={}", sshd.command(), file.display())
}

#[test]
fn of_a_host_whose_key_is_unknown_or_another() {
    let upstream = Upstream::new();
    let sshd = Sshd::start();
    let url = sshd.url(&upstream.bare());
    let checkout = behind(&upstream, &url);
    let command = |known: &str| {
        // The first value of an option counts.
        let whole = known_hosts(&sshd, known);
        let (ssh, option) = whole.rsplit_once(" -o ").unwrap();
        ssh.replacen("ssh ", &format!("ssh -o {option} "), 1)
    };

    let output = pull(&checkout).env("GIT_SSH_COMMAND", command("")).run();
    assert_refused(&output, 2, &["Host key verification failed", "accept the server's host key"]);

    let host = url.split('@').nth(1).unwrap().split('/').next().unwrap();
    let (name, port) = host.split_once(':').unwrap();
    let other = fs::read_to_string(sshd.stranger().with_file_name("user.pub")).unwrap();
    let output =
        pull(&checkout).env("GIT_SSH_COMMAND", command(&format!("[{name}]:{port} {other}"))).run();
    assert_refused(&output, 2, &["REMOTE HOST IDENTIFICATION HAS CHANGED", "`ssh-keygen -R HOST`"]);
}

/// A web server that gives every request this answer; its port.
fn web(answer: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    port
}

#[test]
fn in_the_body_of_an_http_error() {
    let upstream = Upstream::new();
    let port = web("HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nContent-Length: 42\r\n\
         Connection: close\r\n\r\ntoken s3cret expired\x1b[2J on 2026-01-01 ok\n");
    let url = format!("http://localhost:{port}/shop.git");
    let checkout = behind(&upstream, &url);
    git(&checkout, ["config", "http.extraHeader", "Authorization: Bearer s3cret"]);

    let output = pull(&checkout).run();

    assert_refused(&output, 2, &["HTTP status 403", "the remote says: token ‹hidden› expired"]);
    assert!(!output.stderr.contains('\x1b') && !output.stderr.contains("s3cret"), "{output}");
}

#[test]
fn a_page_for_browsers_is_not_shown() {
    let upstream = Upstream::new();
    let port = web("HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\
         Connection: close\r\n\r\n<html></html>");
    let checkout = behind(&upstream, &format!("http://localhost:{port}/shop.git"));

    let output = pull(&checkout).run();

    assert_refused(&output, 2, &["HTTP status 502 Bad Gateway"]);
    assert!(!output.stderr.contains("<html>"), "{output}");
}
