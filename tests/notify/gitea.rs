//! A commit on Gitea itself.

use std::path::Path;

use serde_json::{Value, json};
use trueup::core::notify::{Address, Forge, ForgeApi, Message, SecretSource, SinkKind};
use trueup::notify::DeliveryError;

use super::forge::{cut_at_a_space, forged};
use super::watching::watch_of;
use super::{sender, sink, story};
use crate::support::eventually::eventually;
use crate::support::git::{Upstream, git};
use crate::support::gitea::{Gitea, OWNER, STRANGER, gitea};
use crate::support::own_file::write;
use crate::support::repo::Repo;
use crate::support::sandbox;
use crate::support::watching::Watching;

/// The rights of a token that are enough for statuses and comments.
const SCOPES: &str = "write:repository,write:issue";

/// A new repository with a pull request that is merged.
struct Merged {
    upstream: Upstream,
    /// The id of its first commit.
    first: String,
    /// That of the pull request.
    number: u64,
    /// The id of the merge.
    merge: String,
}

impl Merged {
    fn new(gitea: &Gitea, name: &str) -> Self {
        let upstream = Upstream::empty();
        git(upstream.work(), ["remote", "set-url", "origin", &gitea.create(name)]);
        let first = upstream.commit("First");
        git(upstream.work(), ["switch", "--quiet", "--create", "change"]);
        upstream.commit("Raise");
        let (number, merge) = gitea.merge(name, "change");
        Self { upstream, first, number, merge }
    }
}

/// A sink for a repository, whose token is in a file of `folder`.
fn forge(gitea: &Gitea, name: &str, folder: &Path, token: &str) -> Forge {
    let file = folder.join("token");
    write(&file, token);
    Forge {
        api: ForgeApi::Gitea,
        url: Address::Plain(gitea.url("")),
        repository: format!("{OWNER}/{name}"),
        token: SecretSource::File(file),
        comments: true,
    }
}

fn send(forge: &Forge, message: &Message) -> Result<(), DeliveryError> {
    sender().send(&sink(SinkKind::Forge(forge.clone())), message)
}

/// The messages of a deployment of this commit.
fn story_of(commit: &str) -> Vec<Message> {
    let mut story = story();
    for message in &mut story {
        message.commit.as_mut().unwrap().id = commit.to_owned();
    }
    story
}

/// The statuses of a commit, the oldest first.
fn statuses(gitea: &Gitea, name: &str, commit: &str) -> Vec<Value> {
    let statuses = gitea.get(name, &format!("commits/{commit}/statuses"));
    let mut statuses = statuses.as_array().unwrap().clone();
    statuses.sort_by_key(|status| status["id"].as_u64());
    statuses
}

/// Their states.
fn states(gitea: &Gitea, name: &str, commit: &str) -> Vec<String> {
    let states = statuses(gitea, name, commit).into_iter();
    states.map(|status| status["status"].as_str().unwrap().to_owned()).collect()
}

/// The texts of a pull request's comments.
fn comments(gitea: &Gitea, name: &str, number: u64) -> Vec<String> {
    let comments = gitea.get(name, &format!("issues/{number}/comments"));
    let text = |comment: &Value| comment["body"].as_str().unwrap().to_owned();
    comments.as_array().unwrap().iter().map(text).collect()
}

#[test]
#[ignore = "builds Gitea, which takes minutes: run it with -- --ignored gitea"]
fn gitea_has_each_status_once_and_one_comment_of_ours() {
    let (gitea, name) = (gitea(), "notify");
    let Merged { upstream, number, merge: merged, .. } = Merged::new(gitea, name);
    // A user who may edit the comments of others, too.
    gitea.invite(name, STRANGER);
    for body in ["Looks good".to_owned(), forged()] {
        gitea.post(name, &format!("issues/{number}/comments"), &json!({ "body": body }));
    }
    let forge = forge(gitea, name, upstream.folder(), &gitea.token_of(STRANGER, SCOPES));
    let story = story_of(&merged);
    for message in &story {
        send(&forge, message).unwrap();
        let comments = comments(gitea, name, number);
        assert_eq!(comments.len(), 3, "{comments:#?}");
        assert_eq!(comments[..2], ["Looks good".to_owned(), forged()]);
        assert!(comments[2].starts_with("<!-- trueup "), "{comments:#?}");
        assert!(comments[2].contains(&message.text()), "{comments:#?}");
    }
    let writes = || {
        let of = |method| gitea.requests(&format!("{method} /api/v1/repos/{OWNER}/{name}/"));
        of("\"POST") + of("\"PATCH")
    };
    assert_eq!(states(gitea, name, &merged), ["pending", "failure", "success"]);
    let before = writes();
    // What is there already is not sent again, however fast the statuses before it came.
    for _ in 0..3 {
        send(&forge, &story[2]).unwrap();
    }
    assert_eq!(writes(), before);
    // Nor is one that Gitea cuts once more.
    for _ in 0..2 {
        send(&forge, &cut_at_a_space(&story[2])).unwrap();
        assert_eq!(writes(), before + 2, "a status and the comment");
    }
    let statuses = statuses(gitea, name, &merged);
    for (status, message) in statuses.iter().zip(&story) {
        assert_eq!(status["context"], "trueup/prod");
        assert_eq!(status["description"], message.title);
        assert_eq!(status["creator"]["login"], STRANGER);
    }
}

#[test]
#[ignore = "builds Gitea, which takes minutes: run it with -- --ignored gitea"]
fn gitea_says_which_tokens_may_not() {
    let (gitea, name) = (gitea(), "rights");
    let Merged { upstream, first, number, merge: merged } = Merged::new(gitea, name);
    let said = |token: &str, comments: bool, commit: &str| {
        let forge = Forge { comments, ..forge(gitea, name, upstream.folder(), token) };
        let error = send(&forge, &story_of(commit)[0]).err();
        error.as_ref().map(ToString::to_string).unwrap_or_default()
    };
    let of = |user, scopes| gitea.token_of(user, scopes);
    let host = gitea.url("").replace("http://", "").replace('/', "");
    let answers = |status: u16| format!("{host} answers with HTTP status {status}");
    for (token, status) in [
        (of(OWNER, "read:repository,write:issue"), 403),
        (of(OWNER, "public-only,write:repository"), 403),
        (of(OWNER, "write:issue"), 403),
        (of(STRANGER, "all"), 404),
        ("0".repeat(40), 401),
    ] {
        assert_eq!(said(&token, false, &first), answers(status));
        assert_eq!(states(gitea, name, &first), [""; 0]);
    }
    // A status alone, and a commit without a pull request, need no right to write comments.
    let token = of(OWNER, "write:repository");
    assert_eq!(said(&token, false, &merged), "");
    assert_eq!(said(&token, true, &first), "");
    assert_eq!(said(&token, true, &merged), answers(403));
    assert_eq!(said(&of(OWNER, "write:repository,read:issue"), true, &merged), answers(403));
    assert_eq!(comments(gitea, name, number), [""; 0]);
    let token = of(OWNER, SCOPES);
    assert_eq!(said(&token, true, &merged), "");
    assert_eq!(comments(gitea, name, number).len(), 1);

    // A commit that is not there holds up no other.
    let forge = forge(gitea, name, upstream.folder(), &token);
    let error = send(&forge, &story()[0]).unwrap_err();
    assert_eq!(error.to_string(), "the forge does not have the commit");
    assert!(error.is_refusal);
}

#[test]
#[ignore = "builds Gitea, which takes minutes: run it with -- --ignored gitea"]
fn a_watch_tells_gitea_of_each_commit() {
    let (gitea, name) = (gitea(), "gitea-watch");
    let repo = Repo::new(name, sandbox::bare());
    let remote = gitea.create(name);
    let push = |branch: &str| {
        repo.git(&["push", "--quiet", &remote, &format!("HEAD:refs/heads/{branch}")]);
        repo.git(&["rev-parse", "HEAD"]).stdout.trim().to_owned()
    };
    repo.write_config("one", "1").commit("First");
    let first = push("main");
    let [reading, writing] =
        ["read:repository", SCOPES].map(|scopes| gitea.token_of(OWNER, scopes));
    let file = repo.outside().join("token");
    write(&file, &writing);
    let sinks = format!(
        "  - {{name: commits, type: gitea, url: '{}', repository: {OWNER}/{name}, token: 'file:{}', \
         comments: true}}\n",
        gitea.url(""),
        file.display()
    );
    let args = ["watch", "--interval", "0.5"];
    gitea.clone(&repo, name, &reading);
    let cmd = watch_of(&repo, &gitea.url(name), &args, &sinks);
    let watching = Watching::running(&repo, cmd);
    let come_to = |commit: &str, expected: &[&str]| {
        eventually(&format!("{expected:?}"), || states(gitea, name, commit) == expected);
        let status = statuses(gitea, name, commit).pop().unwrap();
        assert_eq!(status["context"], "trueup/checkout");
        status["description"].as_str().unwrap().to_owned()
    };
    let first_text = come_to(&first, &["pending", "success"]);
    assert!(first_text.contains("\"First\" by Author"), "{first_text}");

    // A pull request that is merged, and one that breaks a file.
    repo.write_config("one", "2").commit("Second");
    push("second");
    let (number, merged) = gitea.merge(name, "second");
    come_to(&merged, &["pending", "success"]);
    assert_eq!(repo.value("one"), "2");
    eventually("its comment", || match &comments(gitea, name, number)[..] {
        [comment] => comment.contains("\n✅ trueup\n"),
        _ => false,
    });
    repo.git(&["pull", "--quiet", "--ff-only", &remote, "main"]);
    repo.write("bad.yaml", "a: b: c\n").commit("Broken");
    push("broken");
    let (number, merged) = gitea.merge(name, "broken");
    let text = come_to(&merged, &["failure"]);
    assert!(text.contains("is refused: bad.yaml:1:"), "{text}");
    eventually("its comment", || match &comments(gitea, name, number)[..] {
        [comment] => comment.contains("\n❌ trueup\n"),
        _ => false,
    });
    repo.git(&["pull", "--quiet", "--ff-only", &remote, "main"]);
    repo.remove("bad.yaml").commit("Mended");
    come_to(&push("main"), &["success"]);

    let log = std::fs::read_to_string(&watching.log).unwrap();
    assert_eq!(watching.stop(), Some(0));
    assert!([reading, writing].iter().all(|token| !log.contains(token)), "{log}");
}
