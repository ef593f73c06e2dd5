//! A push that a forge tells begins a round; one that is not proven, or of something else, does not.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use aws_lc_rs::hmac;

use crate::support::eventually::eventually;
use crate::support::http::GitServer;
use crate::support::own_file;
use crate::support::repo::Repo;
use crate::support::sandbox;
use crate::support::watching::Watching;

const SECRET: &str = "a secret for the webhooks of tests";
const OTHER: &str = "another secret of that length";

fn signature(secret: &str, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    hmac::sign(&key, body.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Sends a push as GitHub does, and gives the status code.
fn push(address: &str, body: &str, secret: &str) -> u16 {
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!(
        "POST / HTTP/1.1\r\nHost: {address}\r\nX-GitHub-Event: push\r\nX-Hub-Signature-256: sha256={}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        signature(secret, body),
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_push_that_is_proven_begins_a_round_and_a_flood_of_them_few() {
    let repo = Repo::new("pushes", sandbox::bare());
    repo.write_config("one", "1").commit("First");
    let server = GitServer::http(repo.outside());
    let url = server.url("pushes/.git");
    let checkout = repo.outside().join("checkout");
    let place = checkout.to_str().unwrap();
    repo.run(&["-C", place, "pull", "--url", &url, "--branch", "main"]).exits(0);
    let secret = repo.outside().join("secret");
    own_file::write(&secret, format!("{SECRET}\n"));
    let watch = ["-C", place, "watch", "--interval", "1h", "--webhook", "0"];
    let watch = [&watch[..], &["--webhook-secret-file", secret.to_str().unwrap()]].concat();
    let watching = Watching::running(&repo, repo.trueup(&watch));
    watching.says("1 changed");
    let said = watching.said();
    let heard = said.iter().find_map(|line| line.split_once("pushes at http://"));
    let address = heard.expect("it says where").1.trim_end_matches('/');
    let body = |url: &str, name: &str| {
        format!(r#"{{"ref": "{name}", "repository": {{"clone_url": "{url}"}}}}"#)
    };
    let ours = body(&url, "refs/heads/main");

    repo.write_config("one", "2").commit("Second");
    assert_eq!(push(address, &ours, SECRET), 202);
    eventually("the commit is there", || repo.value("one") == "2");

    let polls = || server.seen().iter().filter(|request| request.method == "GET").count();
    repo.write_config("one", "3").commit("Third");
    let before = polls();
    assert_eq!(push(address, &ours, OTHER), 401);
    assert_eq!(push(address, &body(&url, "refs/heads/other"), SECRET), 202);
    let other = body("http://other.example/pushes/.git", "refs/heads/main");
    assert_eq!(push(address, &other, SECRET), 202);
    assert_eq!(push(address, "{}", SECRET), 400);
    repo.delete_config_map("one");
    eventually("a round for the touch has ended", || repo.value("one") == "2");
    assert_eq!(polls(), before, "none of them asked the remote");

    // Its file is read each time.
    own_file::write(&secret, b"a secret that is \xff no text");
    assert_eq!(push(address, &ours, SECRET), 503);
    own_file::write(&secret, OTHER);
    assert_eq!(push(address, &ours, SECRET), 401);
    for _ in 0..60 {
        assert_eq!(push(address, &ours, OTHER), 202);
    }
    eventually("the third commit is there", || repo.value("one") == "3");
    repo.run(&["-C", place, "sync"]).exits(0);
    let rounds = polls() - before;
    assert!((1..=15).contains(&rounds), "{rounds} rounds for 60 pushes");
    let refused = format!(
        "a push is refused: cannot use the webhook's secret: {} is not one line of text",
        secret.display()
    );
    assert_eq!(watching.times(&refused), 1, "{:#?}", watching.said());
    assert_eq!(watching.stop(), Some(0));
}

#[test]
fn without_a_secret_no_push_is_heard() {
    let repo = Repo::new("pushes-secret", sandbox::bare());
    repo.write_config("one", "1").commit("First");
    let none = repo.run(&["watch", "--no-pull", "--webhook", "0"]).exits(2);
    assert!(none.stderr.contains("--webhook needs a secret"), "{none}");
    let short = repo.trueup(&["watch", "--no-pull", "--webhook", "0"]);
    let short = short.env("TRUEUP_WEBHOOK_SECRET", "short").run().exits(2);
    assert!(short.stderr.contains("shorter than 16 characters"), "{short}");
    repo.write("in-the-checkout", SECRET);
    let outside = repo.outside().join("secret");
    own_file::write(&outside, b"a secret that is \xff no text");
    let outside = outside.to_str().unwrap();
    for (file, why) in [
        ("in-the-checkout", "in-the-checkout is in the checkout, which must not choose"),
        (outside, "secret is not one line of text"),
        ("/not/there", "cannot read /not/there"),
    ] {
        let args = ["watch", "--no-pull", "--webhook", "0", "--webhook-secret-file", file];
        let wrong = repo.run(&args).exits(2);
        assert!(wrong.stderr.contains("cannot use the webhook's secret"), "{wrong}");
        assert!(wrong.stderr.contains(why), "{wrong}");
    }
    assert!(!repo.config_maps().contains(&"one".to_owned()), "nothing was done");
}
