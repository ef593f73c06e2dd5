//! Pulling over ssh and HTTP, from servers that work, refuse and hang.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::support::command::Cmd;
use crate::support::git::{Upstream, assert_clean_at, assert_refused, git, pull, write};
use crate::support::http::GitServer;
use crate::support::ssh::Sshd;

/// An upstream with a commit that the checkout of it, which pulls from `url`, has not.
fn one_behind(url: impl FnOnce(&Upstream) -> String) -> (Upstream, PathBuf) {
    let upstream = Upstream::new();
    let checkout = upstream.clone("checkout");
    git(&checkout, ["remote", "set-url", "origin", &url(&upstream)]);
    upstream.write("web.yaml", "kind: Web\nreplicas: 2\n");
    upstream.commit("Second replica");
    (upstream, checkout)
}

#[test]
fn over_ssh() {
    let sshd = Sshd::start();
    let (upstream, checkout) = one_behind(|upstream| sshd.url(&upstream.bare()));

    pull(&checkout).env("GIT_SSH_COMMAND", sshd.command()).run().exits(0);

    assert_clean_at(&checkout, &upstream.tip());
    upstream.write("web.yaml", "kind: Web\nreplicas: 3\n");
    upstream.commit("Third replica");
    git(&checkout, ["config", "core.sshCommand", &sshd.command()]);
    pull(&checkout).run().exits(0);
    assert_clean_at(&checkout, &upstream.tip());
}

#[test]
fn clone_over_ssh() {
    let sshd = Sshd::start();
    let upstream = Upstream::new();
    let checkout = upstream.folder().join("checkout");

    pull(&checkout)
        .args(["--url", &sshd.url(&upstream.bare())])
        .env("GIT_SSH_COMMAND", sshd.command())
        .run()
        .exits(0);

    assert_clean_at(&checkout, &upstream.tip());
}

#[test]
fn an_ssh_key_that_is_not_let_in() {
    let sshd = Sshd::start();
    let (_upstream, checkout) = one_behind(|upstream| sshd.url(&upstream.bare()));

    let command = sshd.command_with_key(&sshd.stranger());
    let output = pull(&checkout).env("GIT_SSH_COMMAND", command).run();

    assert_refused(&output, 2, &["cannot fetch from ssh://", "Permission denied", "ssh-add"]);
}

/// An executable script, the first of its name on the `PATH` that comes with it.
fn program(folder: &Path, name: &str, script: &str) -> String {
    let path = folder.join("bin").join(name);
    write(&path, &format!("#!/bin/sh\n{script}\n"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    format!("{}:/usr/local/bin:/usr/bin:/bin", folder.join("bin").display())
}

#[test]
fn default_ssh_runs_in_batch_mode_with_a_timeout() {
    let (upstream, checkout) =
        one_behind(|upstream| format!("ssh://git@host{}", upstream.bare().display()));
    let said = upstream.folder().join("said");
    let script = format!("echo \"$@\" > {}; exit 1", said.display());
    let path = program(upstream.folder(), "ssh", &script);

    let output = pull(&checkout).env("PATH", &path).args(["--timeout", "7"]).run();

    assert_refused(&output, 2, &["cannot fetch from ssh://git@host/"]);
    let said = fs::read_to_string(said).unwrap();
    for option in ["-o BatchMode=yes", "-o ConnectTimeout=7", "-o ServerAliveInterval=15"] {
        assert!(said.contains(option), "{said}");
    }
}

/// Whether the process whose id is in `file` is over.
fn is_over(file: &Path) -> bool {
    let id = fs::read_to_string(file).unwrap();
    match fs::read_to_string(format!("/proc/{}/stat", id.trim())) {
        Ok(stat) => stat.contains(") Z "),
        Err(_) => true,
    }
}

#[test]
fn an_ssh_that_hangs_is_given_up_on_and_killed() {
    let (upstream, checkout) =
        one_behind(|upstream| format!("ssh://git@host{}", upstream.bare().display()));
    let id = upstream.folder().join("id");
    let path =
        program(upstream.folder(), "ssh", &format!("echo $$ > {}; exec sleep 600", id.display()));

    let output = pull(&checkout).env("PATH", &path).args(["--timeout", "1"]).run();

    assert_refused(&output, 2, &["did not answer within 1 s", "--pull-timeout TIME"]);
    assert!(is_over(&id));
}

#[test]
fn a_server_program_that_hangs_is_given_up_on_and_killed() {
    let (upstream, checkout) = one_behind(Upstream::url);
    let id = upstream.folder().join("id");
    let script = format!("echo $$ > {}; exec sleep 600", id.display());
    let path = program(upstream.folder(), "git-upload-pack", &script);

    let output = pull(&checkout).env("PATH", &path).args(["--timeout", "1"]).run();

    assert_refused(&output, 2, &["did not answer within 1 s"]);
    assert!(is_over(&id));
    pull(&checkout).run().exits(0);
    assert_clean_at(&checkout, &upstream.tip());
}

#[test]
fn a_web_server_that_never_answers_is_given_up_on() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (_upstream, checkout) =
        one_behind(|_| format!("http://user:s3cret@127.0.0.1:{port}/shop.git"));

    let output = pull(&checkout).args(["--timeout", "1"]).run();

    assert_eq!(output.status, Some(2), "{output}");
    assert!(output.stderr.contains(&format!("http://127.0.0.1:{port}/shop.git")), "{output}");
    assert!(!output.stderr.contains("s3cret"), "{output}");
}

#[test]
fn over_http() {
    let (upstream, checkout) = {
        let upstream = Upstream::new();
        let server = GitServer::http(upstream.folder());
        let checkout = upstream.folder().join("checkout");
        let url = server.url("shop.git");
        pull(&checkout).args(["--url", &url]).run().exits(0);
        assert_clean_at(&checkout, &upstream.tip());
        upstream.write("web.yaml", "kind: Web\nreplicas: 2\n");
        upstream.commit("Second replica");
        let before = server.requests();
        pull(&checkout).args(["--url", &url]).run().exits(0);
        assert!(server.requests() > before);
        (upstream, checkout)
    };
    assert_clean_at(&checkout, &upstream.tip());
}

#[test]
fn a_password_over_plain_http_is_warned_of() {
    let upstream = Upstream::new();
    let server = GitServer::http_with_password(upstream.folder(), "bob:s3cret");
    let url = server.url("shop.git").replace("http://", "http://bob:s3cret@");
    let checkout = upstream.folder().join("checkout");

    let output = pull(&checkout).args(["--url", &url]).run().exits(0);

    assert_clean_at(&checkout, &upstream.tip());
    let warning = "the password for localhost is sent in clear text";
    assert_eq!(output.stderr.matches(warning).count(), 1, "{output}");
    assert!(!output.to_string().contains("s3cret"), "{output}");
}

#[test]
fn over_https_with_a_private_authority() {
    let upstream = Upstream::new();
    let server = GitServer::https(upstream.folder(), None);
    let checkout = upstream.clone("checkout");
    git(&checkout, ["remote", "set-url", "origin", &server.url("shop.git")]);
    upstream.write("web.yaml", "kind: Web\nreplicas: 2\n");
    upstream.commit("Second replica");

    let output = pull(&checkout).run();
    assert_refused(
        &output,
        2,
        &["cannot fetch from https://localhost", "git config http.sslCAInfo"],
    );

    let authority = upstream.folder().join("ca.pem");
    fs::write(&authority, server.authority()).unwrap();
    git(&checkout, ["config", "http.sslCAInfo", authority.to_str().unwrap()]);
    pull(&checkout).run().exits(0);
    assert_clean_at(&checkout, &upstream.tip());
}

#[test]
fn over_https_without_verification_for_this_host_alone() {
    let upstream = Upstream::new();
    let server = GitServer::https(upstream.folder(), None);
    let checkout = upstream.clone("checkout");
    git(&checkout, ["remote", "set-url", "origin", &server.url("shop.git")]);
    let elsewhere = format!("http.{}.sslVerify", server.url("other"));
    git(&checkout, ["config", &elsewhere, "false"]);
    assert_refused(&pull(&checkout).run(), 2, &["cannot fetch from https://localhost"]);

    let here = format!("http.{}.sslVerify", server.url(""));
    git(&checkout, ["config", &here, "false"]);
    pull(&checkout).run().exits(0);
}

#[test]
fn the_environment_beats_every_file() {
    let upstream = Upstream::new();
    let server = GitServer::https(upstream.folder(), None);
    let checkout = upstream.clone("checkout");
    git(&checkout, ["remote", "set-url", "origin", &server.url("shop.git")]);
    let authority = upstream.folder().join("ca.pem");
    fs::write(&authority, server.authority()).unwrap();
    let here = format!("http.{}.sslCAInfo", server.url(""));
    git(&checkout, ["config", &here, "/not/there"]);
    assert_refused(&pull(&checkout).run(), 2, &["http.sslCAInfo /not/there"]);

    pull(&checkout).env("GIT_SSL_CAINFO", &authority).run().exits(0);
}

/// A clone over HTTPS from a server that wants a password.
fn private() -> (Upstream, GitServer, PathBuf, Vec<(String, String)>) {
    let upstream = Upstream::new();
    let server = GitServer::https(upstream.folder(), Some("bob:s3cret"));
    let authority = upstream.folder().join("ca.pem");
    fs::write(&authority, server.authority()).unwrap();
    let config = upstream.folder().join("gitconfig");
    fs::write(&config, format!("[http]\n\tsslCAInfo = {}\n", authority.display())).unwrap();
    let env = vec![
        ("GIT_CONFIG_GLOBAL".to_owned(), config.display().to_string()),
        ("GIT_TERMINAL_PROMPT".to_owned(), "0".to_owned()),
    ];
    let checkout = upstream.folder().join("checkout");
    (upstream, server, checkout, env)
}

fn with_env(cmd: Cmd, env: &[(String, String)]) -> Cmd {
    env.iter().fold(cmd, |cmd, (name, value)| cmd.env(name, value))
}

/// Every file below `folder` that holds `text`.
fn files_with(folder: &Path, text: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_with(&path, text));
        } else if String::from_utf8_lossy(&fs::read(&path).unwrap()).contains(text) {
            found.push(path);
        }
    }
    found
}

#[test]
fn credentials_of_the_url_are_used_and_stored_nowhere() {
    let (upstream, server, checkout, env) = private();
    let url = server.url("shop.git").replace("https://", "https://bob:s3cret@");

    let output = with_env(pull(&checkout).args(["--url", &url]), &env).run().exits(0);

    assert!(!output.to_string().contains("s3cret"));
    assert_clean_at(&checkout, &upstream.tip());
    assert_eq!(files_with(&checkout, "s3cret"), Vec::<PathBuf>::new());
    assert_eq!(git(&checkout, ["remote", "get-url", "origin"]), server.url("shop.git"));
    upstream.write("web.yaml", "kind: Web\nreplicas: 2\n");
    upstream.commit("Second replica");
    with_env(pull(&checkout).args(["--url", &url]), &env).run().exits(0);
    assert_clean_at(&checkout, &upstream.tip());
    assert_eq!(files_with(&checkout, "s3cret"), Vec::<PathBuf>::new());
}

#[test]
fn a_wrong_password_is_refused_and_not_shown() {
    let (upstream, server, checkout, env) = private();
    let url = server.url("shop.git").replace("https://", "https://bob:hunter2@");

    let output = with_env(pull(&checkout).args(["--url", &url]), &env).run();

    assert_refused(
        &output,
        2,
        &["cannot fetch from https://localhost", "git config credential.helper"],
    );
    assert!(!output.stderr.contains("hunter2"), "{output}");
    assert!(!checkout.exists());
    assert_eq!(fs::read_dir(upstream.folder()).unwrap().count(), 4, "nothing is left");
}

#[test]
fn credentials_come_from_gits_helper_and_headers() {
    let (upstream, server, checkout, env) = private();
    let config = PathBuf::from(&env[0].1);
    let without = fs::read_to_string(&config).unwrap();
    let helper = "[credential]\n\thelper = \"!echo username=bob; echo password=s3cret; #\"\n";
    fs::write(&config, format!("{without}{helper}")).unwrap();
    let url = server.url("shop.git");

    with_env(pull(&checkout).args(["--url", &url]), &env).run().exits(0);

    // As a CI's checkout step leaves it.
    upstream.write("web.yaml", "kind: Web\nreplicas: 2\n");
    upstream.commit("Second replica");
    fs::write(&config, without).unwrap();
    let key = format!("http.{}.extraHeader", server.url(""));
    git(&checkout, ["config", &key, "Authorization: Basic Ym9iOnMzY3JldA=="]);
    with_env(pull(&checkout), &env).run().exits(0);
    assert_clean_at(&checkout, &upstream.tip());
}
