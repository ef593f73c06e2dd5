//! A server that sends a pull on to another one gets nothing for it: no credentials reach a server
//! that they were not given for. git is asked the same beside it.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine;

use crate::support::command::{Cmd, Output};
use crate::support::git::{Upstream, assert_clean_at, git, pull};
use crate::support::http::GitServer;

/// The credentials that are given for the first server.
const OURS: &str = "bob:s3cret";

fn basic(account: &str) -> String {
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(account))
}

/// Both servers' authorities, in one file.
fn authorities(upstream: &Upstream, servers: &[&GitServer]) -> PathBuf {
    let file = upstream.folder().join("authorities.pem");
    let pem: String = servers.iter().map(|server| server.authority()).collect();
    fs::write(&file, pem).unwrap();
    file
}

/// `url` with the credentials in it.
fn with_credentials(url: &str) -> String {
    url.replacen("://", &format!("://{OURS}@"), 1)
}

fn clone(place: &Path, url: &str, authorities: &Path, env: &[(&str, &str)]) -> Output {
    let command = pull(place)
        .args(["--url", url])
        .env("GIT_SSL_CAINFO", authorities)
        .env("GIT_TERMINAL_PROMPT", "0");
    env.iter().fold(command, |command, (name, value)| command.env(name, value)).run()
}

/// The same with git.
fn git_clone(place: &Path, url: &str) -> Output {
    Cmd::new("git")
        .args(["clone", "--quiet", url])
        .args([place])
        // The authorities have one name, by which its TLS library finds but the first.
        .env("GIT_SSL_NO_VERIFY", "true")
        .env("GIT_TERMINAL_PROMPT", "0")
        .run()
}

/// What came with the requests to a server.
fn authorizations(server: &GitServer) -> Vec<Option<String>> {
    server.seen().iter().map(|seen| seen.header("authorization").map(str::to_owned)).collect()
}

#[test]
fn credentials_are_not_sent_to_another_port_on_redirect() {
    let upstream = Upstream::new();
    let back = GitServer::https(upstream.folder(), Some("bob:other"));
    let to = back.url("shop.git");
    let front = GitServer::https_redirecting(upstream.folder(), None, ("/shop.git".into(), to));
    let file = authorities(&upstream, &[&front, &back]);
    let url = with_credentials(&front.url("shop.git"));
    let place = upstream.folder().join("place");

    let output = clone(&place, &url, &file, &[]).exits(2);

    assert!(!back.seen().is_empty(), "the redirect is followed\n{output}");
    assert!(authorizations(&back).iter().all(Option::is_none), "{:?}", authorizations(&back));
    assert!(!output.stderr.contains("s3cret"), "\n{output}");
    assert!(!place.exists());
    // And so does git.
    let before = back.seen().len();
    let output = git_clone(&upstream.folder().join("by-git"), &url);
    assert_ne!(output.status, Some(0), "\n{output}");
    assert!(back.seen().len() > before, "git follows as well\n{output}");
    assert!(authorizations(&back).iter().all(Option::is_none), "{:?}", authorizations(&back));
}

#[test]
fn referer_is_not_sent_on_redirect() {
    let upstream = Upstream::new();
    let back = GitServer::https(upstream.folder(), None);
    let to = back.url("shop.git");
    let front = GitServer::https_redirecting(
        upstream.folder(),
        None,
        ("/token-in-the-path/shop.git".into(), to),
    );
    let file = authorities(&upstream, &[&front, &back]);
    let place = upstream.folder().join("place");

    clone(&place, &front.url("token-in-the-path/shop.git"), &file, &[]).exits(0);

    assert_clean_at(&place, &upstream.tip());
    for seen in back.seen() {
        let headers = format!("{:?}", seen.headers);
        assert!(!headers.contains("token-in-the-path"), "{headers}");
    }
}

#[test]
fn redirect_to_another_server_uses_its_own_configured_credentials() {
    let upstream = Upstream::new();
    let back = GitServer::https(upstream.folder(), Some("alice:hers"));
    let to = back.url("shop.git");
    let front = GitServer::https_redirecting(upstream.folder(), None, ("/shop.git".into(), to));
    let file = authorities(&upstream, &[&front, &back]);
    let key = format!("credential.{}.helper", back.url("").trim_end_matches('/'));
    let helper = "!f() { echo username=alice; echo password=hers; }; f";
    let env = [
        ("GIT_CONFIG_COUNT", "1"),
        ("GIT_CONFIG_KEY_0", key.as_str()),
        ("GIT_CONFIG_VALUE_0", helper),
    ];
    let place = upstream.folder().join("place");

    clone(&place, &with_credentials(&front.url("shop.git")), &file, &env).exits(0);

    assert_clean_at(&place, &upstream.tip());
    let given: Vec<String> = authorizations(&back).into_iter().flatten().collect();
    assert!(!given.is_empty() && given.iter().all(|given| *given == basic("alice:hers")));
}

#[test]
fn credentials_are_sent_on_redirect_within_the_same_server() {
    let upstream = Upstream::new();
    let server = GitServer::https_redirecting(
        upstream.folder(),
        Some(OURS),
        ("/old.git".into(), "/shop.git".into()),
    );
    let file = authorities(&upstream, &[&server]);
    let place = upstream.folder().join("place");

    clone(&place, &with_credentials(&server.url("old.git")), &file, &[]).exits(0);

    assert_clean_at(&place, &upstream.tip());
    let stored = fs::read_to_string(place.join(".git/config")).unwrap();
    assert!(!stored.contains("s3cret"), "{stored}");
}

#[test]
fn pull_does_not_send_credentials_to_another_server_on_redirect() {
    let upstream = Upstream::new();
    let checkout = upstream.clone("checkout");
    let back = GitServer::https(upstream.folder(), Some("bob:other"));
    let to = back.url("shop.git");
    let front = GitServer::https_redirecting(upstream.folder(), None, ("/shop.git".into(), to));
    let file = authorities(&upstream, &[&front, &back]);
    git(&checkout, ["remote", "set-url", "origin", &front.url("shop.git")]);

    let output = clone(&checkout, &with_credentials(&front.url("shop.git")), &file, &[]).exits(2);

    assert!(!back.seen().is_empty(), "\n{output}");
    assert!(authorizations(&back).iter().all(Option::is_none), "{:?}", authorizations(&back));
}

#[test]
fn headers_that_are_configured_for_one_server_stay_there() {
    let upstream = Upstream::new();
    let back = GitServer::https(upstream.folder(), None);
    let to = back.url("shop.git");
    let front = GitServer::https_redirecting(upstream.folder(), None, ("/shop.git".into(), to));
    let file = authorities(&upstream, &[&front, &back]);
    let scoped = format!("http.{}.extraHeader", front.url("").trim_end_matches('/'));
    for key in ["http.extraHeader", scoped.as_str()] {
        let env = [
            ("GIT_CONFIG_COUNT", "1"),
            ("GIT_CONFIG_KEY_0", key),
            ("GIT_CONFIG_VALUE_0", "Authorization: Bearer s3cret"),
        ];
        let place = upstream.folder().join("place");
        let output = clone(&place, &front.url("shop.git"), &file, &env);
        assert!(authorizations(&back).iter().all(Option::is_none), "\n{output}");
        assert!(!output.stderr.contains("s3cret"), "\n{output}");
    }
    assert!(authorizations(&front).iter().flatten().count() > 0, "the header is sent where it may");
}

#[test]
fn redirect_from_https_to_http_is_refused() {
    let upstream = Upstream::new();
    let plain = GitServer::http(upstream.folder());
    let to = plain.url("shop.git");
    let front = GitServer::https_redirecting(upstream.folder(), None, ("/shop.git".into(), to));
    let file = authorities(&upstream, &[&front]);

    for url in [front.url("shop.git"), with_credentials(&front.url("shop.git"))] {
        let output = clone(&upstream.folder().join("place"), &url, &file, &[]).exits(2);
        assert_eq!(plain.requests(), 0, "\n{output}");
    }
}

#[test]
fn only_the_first_request_may_be_redirected() {
    let upstream = Upstream::new();
    let back = GitServer::http(upstream.folder());
    let to = back.url("shop.git");
    let front = GitServer::http_redirecting_posts(upstream.folder(), ("/shop.git".into(), to));

    let place = upstream.folder().join("place");
    let output = clone(&place, &front.url("shop.git"), Path::new("/dev/null"), &[]);

    assert_eq!(output.status, Some(2), "\n{output}");
    assert_eq!(back.requests(), 0, "\n{output}");
    assert!(!place.exists());
}
