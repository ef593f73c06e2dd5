//! TLS with API servers as there are: each fault has its words, is met once, and what kubectl trusts
//! is trusted here.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rcgen::date_time_ymd;

use crate::support::between::{Between, Door};
use crate::support::command::{Cmd, Output};
use crate::support::front::Front;
use crate::support::repo::Repo;
use crate::support::sandbox;
use crate::support::tls::{Identity, named};

/// A kubeconfig for a server with an authority, and a user.
fn kubeconfig(repo: &Repo<'_>, server: &str, authority: &str, user: &str) -> String {
    let file = repo.outside().join("tls-kubeconfig");
    let authority = match authority {
        "" => String::new(),
        pem => format!(", certificate-authority-data: {}", STANDARD.encode(pem)),
    };
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: here\n\
         clusters: [{{name: here, cluster: {{server: '{server}'{authority}}}}}]\n\
         users: [{{name: me, user: {{{user}}}}}]\n\
         contexts: [{{name: here, context: {{cluster: here, user: me}}}}]\n"
    );
    fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

/// What a diff says through this kubeconfig, on stderr.
#[track_caller]
fn said(repo: &Repo<'_>, kubeconfig: &str) -> String {
    let Output { stderr, .. } = repo.run(&["diff", "--kubeconfig", kubeconfig]).exits(2);
    stderr
}

const HERE: &str = "127.0.0.1";

#[test]
fn each_tls_fault_has_its_message_and_is_not_retried() {
    let repo = Repo::new("tls-faults", sandbox::bare());
    repo.write_config("one", "1").commit("First");
    let (ours, other) = (Identity::authority("kubernetes"), Identity::authority("Another"));
    let again = Identity::authority("kubernetes");
    let leaf = |names: &[&str], by: &Identity| Identity::new(named("api", names, false), Some(by));
    let dated = |from, to| {
        let mut params = named("api", &[HERE], false);
        (params.not_before, params.not_after) =
            (date_time_ymd(from, 1, 2), date_time_ymd(to, 1, 2));
        Identity::new(params, Some(&ours))
    };
    let mut clients_only = named("api", &[HERE], false);
    clients_only.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    let rows = [
        (
            leaf(&[HERE], &other),
            "its certificate is signed by an authority that the kubeconfig does not have (Another)",
            "was the cluster recreated, or does a proxy stand before it? Get its kubeconfig again, or put the authority into certificate-authority",
        ),
        (
            leaf(&[HERE], &again),
            "its certificate is signed by an authority that the kubeconfig does not have (it has another kubernetes)",
            "was the cluster recreated? Then get its kubeconfig again",
        ),
        (
            dated(2019, 2020),
            "its certificate expired on 2020-01-02 00:00 UTC",
            "renew the server's certificate; or is this machine's clock wrong? It is ",
        ),
        (
            dated(2999, 3000),
            "its certificate is not valid before 2999-01-02 00:00 UTC",
            "renew the server's certificate; or is this machine's clock wrong? It is ",
        ),
        (
            leaf(&["kubernetes", "*.shop.example", "10.96.0.1"], &ours),
            "its certificate is not for 127.0.0.1, but for kubernetes, *.shop.example, 10.96.0.1",
            "use one of these names in the kubeconfig's server, or set there tls-server-name: \
            kubernetes",
        ),
        (
            leaf(&[], &ours),
            "its certificate is not for 127.0.0.1, and for no name at all",
            "the server needs a certificate that names it",
        ),
        (
            Identity::new(named("api", &[HERE], true), Some(&ours)),
            "its certificate is one of an authority (CA:TRUE), and not of a server",
            "put this very certificate into certificate-authority, or give the server one without CA:TRUE",
        ),
        (
            Identity::new(clients_only, Some(&ours)),
            "its certificate is not for servers: it has other purposes",
            "give the server a certificate for serverAuth",
        ),
    ];
    for (identity, cause, hint) in rows {
        let front = Front::start(identity.server(None), None);
        let told = said(&repo, &kubeconfig(&repo, &front.url, &ours.pem(), "token: a"));
        let url = &front.url;
        let expected = format!(
            "error: cannot reach the cluster\n  because: no TLS connection with the \
             API server at {url}/: {cause}\n  do this: {hint}"
        );
        assert!(told.starts_with(&expected), "{told}\n{expected}");
        // Four questions are asked at once, and none a second time.
        assert!(front.connections() <= 4, "{} connections\n{told}", front.connections());
    }
}

#[test]
fn the_other_protocol_is_named() {
    let repo = Repo::new("tls-protocol", sandbox::bare());
    repo.write_config("one", "1").commit("First");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            counted.fetch_add(1, Ordering::Relaxed);
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
        }
    });
    let told = said(&repo, &kubeconfig(&repo, &format!("https://{address}"), "", "token: a"));
    assert!(told.contains("it answers, but not by TLS"), "{told}");
    assert!(
        told.contains("For a server without TLS, use http:// in the kubeconfig's server"),
        "{told}"
    );
    assert!(count.load(Ordering::Relaxed) <= 4, "{told}");

    // The API server itself, without TLS.
    let plane = sandbox::bare();
    let view = ["config", "view", "-o", "jsonpath={.clusters[0].cluster.server}"];
    let server = plane.kubectl(view).exits(0).stdout.replace("https://", "http://");
    let told = said(&repo, &kubeconfig(&repo, &server, "", "token: a"));
    assert!(told.contains("Client sent an HTTP request to an HTTPS server"), "{told}");
    assert!(told.contains("do this: write https:// in the kubeconfig's server"), "{told}");
}

#[test]
fn a_client_certificate_that_is_refused() {
    let repo = Repo::new("tls-clients", sandbox::bare());
    repo.write_config("one", "1").commit("First");
    let (ours, other) = (Identity::authority("kubernetes"), Identity::authority("Another"));
    let server = Identity::new(named("api", &[HERE], false), Some(&ours)).server(Some(&ours));
    let front = Front::start(server, None);
    let user = |identity: &Identity, key: &Identity| {
        format!(
            "client-certificate-data: {}, client-key-data: {}",
            STANDARD.encode(identity.pem()),
            STANDARD.encode(key.key_pem())
        )
    };
    let me = Identity::new(named("me", &[], false), Some(&other));
    for (user, why) in [
        ("token: a".to_owned(), "it asks for one, and there is none"),
        (user(&me, &me), "it does not know the authority that signed it"),
    ] {
        let told = said(&repo, &kubeconfig(&repo, &front.url, &ours.pem(), &user));
        let cause = format!("it refuses the kubeconfig's client certificate: {why}");
        assert!(told.contains(&cause), "{told}");
        assert!(
            told.contains("get the kubeconfig again, or renew its client certificate"),
            "{told}"
        );
    }
    let told = said(&repo, &kubeconfig(&repo, &front.url, &ours.pem(), &user(&me, &ours)));
    assert!(
        told.contains("the client certificate and the client key do not belong together"),
        "{told}"
    );
    let connections = front.connections();

    // One that has expired is shown to no server.
    let mut old = named("me", &[], false);
    (old.not_before, old.not_after) = (date_time_ymd(2019, 1, 2), date_time_ymd(2020, 1, 2));
    let old = Identity::new(old, Some(&ours));
    let told = said(&repo, &kubeconfig(&repo, &front.url, &ours.pem(), &user(&old, &old)));
    assert!(told.contains("the client certificate expired on 2020-01-02 00:00 UTC"), "{told}");
    assert_eq!(front.connections(), connections, "{told}");
}

#[test]
fn certificates_trusted_by_kubectl_are_trusted() {
    let repo = Repo::new("tls-trusted", sandbox::bare());
    repo.write_config("one", "1").commit("First");
    let plane = sandbox::bare();
    let door = Door::open(plane);
    let (ours, other) = (Identity::authority("kubernetes"), Identity::authority("Another"));
    let itself = Identity::new(named("api", &[HERE], true), None);
    let leaf = Identity::new(named("api", &[HERE], false), Some(&ours));
    let p521 = || rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P521_SHA512).unwrap();
    let p521_authority = Identity::with_key(named("kubernetes", &[], true), None, p521());
    let of_p521 = Identity::with_key(named("api", &[HERE], false), Some(&p521_authority), p521());
    let bad = "-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n";
    let rows = [
        ("one that is its own authority", &itself, itself.pem(), true),
        ("the very certificate in the bundle", &leaf, other.pem() + &leaf.pem(), true),
        ("P-521", &of_p521, p521_authority.pem(), true),
        ("a bundle with one bad entry", &leaf, format!("{bad}{}", ours.pem()), true),
        ("another that is its own authority", &itself, other.pem(), false),
        ("a bundle with nothing but a bad entry", &leaf, bad.to_owned(), false),
    ];
    for (what, identity, bundle, is_taken) in rows {
        let front = Front::start(identity.server(None), Some(door.server.clone()));
        let kubeconfig = kubeconfig(&repo, &front.url, &bundle, "token: a");
        let here = repo.run(&["diff", "--kubeconfig", &kubeconfig]);
        let there = Cmd::new(&plane.kubectl)
            .args(["get", "--raw", "/version", "--kubeconfig", &kubeconfig])
            .run();
        assert_eq!(here.status, Some(if is_taken { 1 } else { 2 }), "{what}\n{here}");
        assert_eq!(there.status, Some(if is_taken { 0 } else { 1 }), "{what}\n{there}");
    }
}

#[test]
fn answers_of_a_starting_or_wrong_server_are_explained() {
    let repo = Repo::new("tls-answers", sandbox::bare());
    repo.write_config("one", "1").commit("First");
    let answering = |answer: fn(&str) -> Option<String>| {
        let between = Between::answering(sandbox::bare(), answer);
        said(&repo, between.kubeconfig().to_str().unwrap())
    };
    // Kubernetes 1.25 answers so.
    let told = answering(|line| match line.split(' ').nth(1)? {
        "/version" => {
            let version = r#"{"major":"1","minor":"25","gitVersion":"v1.25.16"}"#;
            Some(answer("200 OK", "", version))
        }
        "/api" | "/apis" => {
            let only = "only the following media types are accepted: application/json";
            Some(answer("406 Not Acceptable", "", only))
        }
        _ => None,
    });
    assert!(told.contains("runs Kubernetes v1.25.16; trueup needs 1.26 or newer"), "{told}");
    assert!(told.contains("do this: upgrade the cluster"), "{told}");
    // One that does not heed what it is asked for.
    let told = answering(|line| match line.split(' ').nth(1)? {
        "/version" => Some(answer("200 OK", "", r#"{"gitVersion":"v1.20.0"}"#)),
        "/api" => Some(answer("200 OK", "", r#"{"kind":"APIVersions","versions":["v1"]}"#)),
        _ => None,
    });
    assert!(told.contains("runs Kubernetes v1.20.0; trueup needs 1.26 or newer"), "{told}");
    // A login page before it. What the query holds may be a token.
    let told = answering(|_| {
        let to = "Location: https://bob:hunter2@login.example/start?state=hunter3#a\r\n";
        Some(answer("302 Found", to, ""))
    });
    assert!(told.contains("redirects to https://"), "{told}");
    assert!(told.contains("login.example/start, which does not get the credentials"), "{told}");
    assert!(!told.contains("hunter"), "{told}");
}

/// An answer over the wire.
fn answer(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Type: application/json\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    )
}

#[test]
fn a_server_that_does_not_answer_is_not_waited_for_again_and_again() {
    let repo = Repo::new("tls-silent", sandbox::bare());
    repo.write_config("one", "1").commit("First");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    thread::spawn(move || {
        let mut kept = Vec::new();
        for stream in listener.incoming().flatten() {
            counted.fetch_add(1, Ordering::Relaxed);
            kept.push(stream);
        }
    });
    let kubeconfig = kubeconfig(&repo, &url, "", "token: a");
    let args = ["diff", "--kubeconfig", &kubeconfig, "--request-timeout", "5s"];
    let told = repo.run(&args).exits(2).stderr;
    assert!(told.contains("waiting: the API server has not answered yet; giving up in "), "{told}");
    assert!(told.contains("has not answered within 5 s"), "{told}");
    assert!(told.contains("--request-timeout sets the time limit"), "{told}");
    assert!(count.load(Ordering::Relaxed) <= 4, "{told}");
    let wrong = ["diff", "--kubeconfig", &kubeconfig, "--request-timeout", "soon"];
    assert!(repo.run(&wrong).exits(2).stderr.contains("expected 90s"));
}

#[test]
fn expired_token_is_reported_with_its_date() {
    let plane = sandbox::bare();
    let repo = Repo::new("tls-token", plane);
    repo.write_config("one", "1").commit("First");
    let view = |path: &str| plane.kubectl(["config", "view", "--raw", "-o", path]).exits(0).stdout;
    let server = view("jsonpath={.clusters[0].cluster.server}");
    let authority = view("jsonpath={.clusters[0].cluster.certificate-authority-data}");
    let authority = String::from_utf8(STANDARD.decode(authority).unwrap()).unwrap();
    let claims = URL_SAFE_NO_PAD.encode(r#"{"iss":"a","exp":1577923200}"#);
    let token = format!("token: e30.{claims}.c2ln");
    let told = said(&repo, &kubeconfig(&repo, &server, &authority, &token));
    assert!(
        told.contains("the token expired on 2020-01-02 00:00 UTC\n  do this: get another one"),
        "{told}"
    );
    assert!(!told.contains(&claims), "{told}");
    let told = said(&repo, &kubeconfig(&repo, &server, &authority, "token: abc"));
    assert!(told.contains("log in again"), "{told}");
}
