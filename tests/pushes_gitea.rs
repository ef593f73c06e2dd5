//! Pushes that Gitea itself tells, and what a watch pulls from it then.

use std::fs;
use std::sync::{Arc, Mutex};

use serde_json::json;

use crate::support::eventually::eventually;
use crate::support::git::{assert_clean_at, assert_refused};
use crate::support::gitea::{Gitea, OWNER, gitea};
use crate::support::objects::config;
use crate::support::own_file;
use crate::support::receiver::{Receiver, ok};
use crate::support::repo::Repo;
use crate::support::sandbox;
use crate::support::watching::Watching;

const SECRET: &str = "a secret for the webhooks of tests";

/// Has Gitea tell of these events at an address, and gives the path of that in the API.
fn hook(gitea: &Gitea, name: &str, url: &str, secret: &str, events: &[&str]) -> String {
    let config = json!({ "url": url, "content_type": "json", "secret": secret });
    let hook = json!({ "type": "gitea", "config": config, "events": events, "active": true });
    format!("hooks/{}", gitea.post(name, "hooks", &hook)["id"])
}

/// One more commit of a target's object with this value.
fn commit(repo: &Repo<'_>, target: &str, value: &str) {
    repo.write(&format!("{target}/one.yaml"), config(target, value)).commit(value);
}

fn head(repo: &Repo<'_>) -> String {
    repo.git(&["rev-parse", "HEAD"]).stdout.trim().to_owned()
}

#[test]
#[ignore = "builds Gitea, which takes minutes: run it with -- --ignored gitea"]
fn a_push_to_gitea_begins_a_round() {
    let (gitea, name) = (gitea(), "gitea-pushes");
    let repo = Repo::new(name, sandbox::bare());
    let remote = gitea.create(name);
    let push = |what: &str| repo.git(&["push", "--quiet", "--force", &remote, what]);
    let targets = "targets:\n  branch: {paths: [branch], ref: release}\n\
                   \x20 tag: {paths: [tag], ref: {semver: '>=1'}}\n";
    repo.write("trueup.yaml", targets).write("tag/one.yaml", config("tag", "1"));
    commit(&repo, "branch", "1");
    repo.git(&["tag", "v1.0.0"]);
    push("HEAD:refs/heads/main");
    push("HEAD:refs/heads/release");
    push("v1.0.0");

    let token = gitea.token_of(OWNER, "read:repository");
    let place = gitea.clone(&repo, name, &token);
    assert_clean_at(&place, &head(&repo));
    let checkout = place.to_str().unwrap();
    let secret = repo.outside().join("secret");
    own_file::write(&secret, SECRET);
    let watch = ["-C", checkout, "watch", "--all-targets", "--interval", "1h", "--webhook", "0"];
    let watch = [&watch[..], &["--webhook-secret-file", secret.to_str().unwrap()]].concat();
    let watching = Watching::running(&repo, repo.trueup(&watch));
    let values = || ["branch", "tag"].map(|target| repo.value(target));
    eventually("both are applied", || values() == ["1", "1"]);
    let said = watching.said();
    let heard = said.iter().find_map(|line| line.split_once("pushes at "));
    let heard = heard.expect("it says where").1.to_owned();

    // A branch and a tag, each told once.
    let told = hook(gitea, name, &heard, SECRET, &["push"]);
    commit(&repo, "branch", "2");
    push("HEAD:refs/heads/release");
    eventually("the branch", || values() == ["2", "1"]);
    gitea.delete(name, &told);
    let told = hook(gitea, name, &heard, SECRET, &["create"]);
    commit(&repo, "tag", "2");
    repo.git(&["tag", "v1.1.0"]);
    push("v1.1.0");
    eventually("the tag", || values() == ["2", "2"]);
    gitea.delete(name, &told);

    // One that another secret signs. What lies between sees the answer.
    let answers = Arc::new(Mutex::new(Vec::new()));
    let (kept, to) = (Arc::clone(&answers), heard.clone());
    let between = Receiver::answering(move |request| {
        let client = reqwest::blocking::Client::builder().no_proxy().build().unwrap();
        let ours = request.headers.iter().filter(|(name, _)| name.starts_with("x-"));
        let passed = ours.fold(client.post(&to), |post, (name, value)| post.header(name, value));
        let answer = passed.body(request.body.clone()).send().unwrap();
        kept.lock().unwrap().push(answer.status().as_u16());
        ok(&json!(null))
    });
    let wrong = "another secret of that length";
    let told = hook(gitea, name, &between.url("/"), wrong, &["push"]);
    let polls =
        || gitea.requests(&format!("/{OWNER}/{name}.git/info/refs?service=git-upload-pack"));
    let before = polls();
    commit(&repo, "branch", "3");
    push("HEAD:refs/heads/release");
    eventually("it is refused", || *answers.lock().unwrap() == [401]);
    repo.delete_config_map("branch");
    eventually("a round for the touch has ended", || values() == ["2", "2"]);
    assert_eq!(polls(), before, "it did not ask the remote");
    gitea.delete(name, &told);

    // A branch that moves back: the last commit stays.
    hook(gitea, name, &heard, SECRET, &["push"]);
    commit(&repo, "branch", "4");
    push("HEAD:refs/heads/release");
    eventually("the branch again", || values() == ["4", "2"]);
    push("v1.1.0:refs/heads/release");
    watching.says("branch `release` was force-pushed from");
    repo.delete_config_map("branch");
    eventually("the last commit is enforced", || values() == ["4", "2"]);
    repo.run(&["-C", checkout, "pull", "--allow-rewind"]).exits(0);
    repo.run(&["-C", checkout, "sync"]).exits(0);
    assert_eq!(values(), ["2", "2"]);
    let log = fs::read_to_string(&watching.log).unwrap();
    assert_eq!(watching.stop(), Some(0));
    assert!(!log.contains(&token) && !log.contains(SECRET), "{log}");
}

#[test]
#[ignore = "builds Gitea, which takes minutes: run it with -- --ignored gitea"]
fn a_token_that_may_not_read_pulls_nothing_from_gitea() {
    let (gitea, name) = (gitea(), "gitea-pulls");
    let repo = Repo::new(name, sandbox::bare());
    let remote = gitea.create(name);
    repo.commit("First").git(&["push", "--quiet", &remote, "HEAD:refs/heads/main"]);
    let place = repo.outside().join("checkout");
    for (token, says) in [
        (gitea.token_of(OWNER, "read:issue"), "HTTP status 403"),
        ("0".repeat(40), "the server refuses the credentials of the URL (HTTP status 401)"),
    ] {
        let url = gitea.remote(name, &token);
        let refused = repo.run(&["-C", place.to_str().unwrap(), "pull", "--url", &url]);
        assert!(!refused.to_string().contains(&token), "{refused}");
        assert_refused(&refused, 2, &["cannot fetch from", says]);
    }
}
