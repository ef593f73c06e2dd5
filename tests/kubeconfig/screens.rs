//! What is shown, whole, where the way to a cluster ends.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::kubeconfig;
use super::proxies::{self, Door};
use crate::support::repo::Repo;
use crate::support::sandbox;
use crate::support::tls::Identity;

/// Runs diff where a plugin may be on PATH, and holds what it shows against the screen.
#[track_caller]
fn assert_shown(repo: &Repo<'_>, kubeconfig: &str, name: &str) {
    let file = repo.outside().join("kubeconfig");
    fs::write(&file, kubeconfig).unwrap();
    let diff = repo
        .trueup(&["diff", "--kubeconfig", file.to_str().unwrap()])
        .env("PATH", format!("{}:/usr/bin:/bin", repo.outside().display()))
        .run();
    diff.shows(&format!("kubeconfig/{name}"));
}

fn exec(program: &str) -> String {
    format!(
        "    exec:\n      apiVersion: client.authentication.k8s.io/v1\n      \
         interactiveMode: IfAvailable\n      command: {program}\n      \
         installHint: get it from https://example.com/log-in"
    )
}

#[test]
fn a_login_that_fails_or_is_missing() {
    let repo = Repo::new("screens-login", sandbox::bare());
    repo.write_config("one", "1").commit("First");
    let program = repo.outside().join("log-in");
    fs::write(&program, "#!/bin/sh\necho 'The session has expired.' >&2\nexit 255\n").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let server = "server: 'https://127.0.0.1:1'";
    assert_shown(&repo, &kubeconfig(server, &exec("log-in")), "a-failing-login");
    assert_shown(&repo, &kubeconfig(server, &exec("other-log-in")), "a-missing-plugin");
}

#[test]
fn an_authority_that_is_another() {
    let repo = Repo::new("screens-authority", sandbox::bare());
    repo.write_config("one", "1").commit("First");
    let server =
        repo.kubectl(&["config", "view", "-o", "jsonpath={.clusters[0].cluster.server}"]).stdout;
    let other = STANDARD.encode(Identity::authority("another").pem());
    let cluster = format!("server: '{server}', certificate-authority-data: {other}");
    assert_shown(&repo, &kubeconfig(&cluster, "    token: a"), "a-wrong-authority");
}

#[test]
fn a_proxy_that_refuses() {
    let repo = Repo::new("screens-proxy", sandbox::bare());
    repo.write_config("one", "1").commit("First");
    let proxy = proxies::http(Door::Shut);
    let cluster = format!("server: 'https://api.example.com:6443', proxy-url: 'http://{proxy}'");
    assert_shown(&repo, &kubeconfig(&cluster, "    token: a"), "a-proxy-that-refuses");
}
