//! A commit on its forge, beside a small server that keeps statuses and comments as the three APIs do.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use trueup::core::notify::{Address, Forge, ForgeApi, Message, SinkKind};

use super::{CANARY, sender, sink, story, token};
use crate::support::receiver::{Answer, Received, Receiver, ok};

/// The statuses, the oldest first, and the comments of pull request 7.
#[derive(Default)]
struct Kept {
    statuses: Vec<Value>,
    comments: Vec<Value>,
}

/// What a forge calls its things.
#[derive(Clone, Copy)]
struct Names {
    api: ForgeApi,
    /// The paths begin with it.
    repository: &'static str,
    /// Below it: statuses, pull requests, comments, and one comment.
    paths: [&'static str; 4],
    edit: &'static str,
    /// The state of a status that is read, and its name.
    state: &'static str,
    context: &'static str,
    number: &'static str,
    token: (&'static str, &'static str),
}

const FORGES: [Names; 3] = [
    Names {
        api: ForgeApi::GitHub,
        repository: "/repos/shop/deploy/",
        paths: [
            "commits/SHA/statuses",
            "commits/SHA/pulls",
            "issues/7/comments",
            "issues/comments/1",
        ],
        edit: "PATCH",
        state: "state",
        context: "context",
        number: "number",
        token: ("authorization", "Bearer "),
    },
    Names {
        api: ForgeApi::GitLab,
        repository: "/api/v4/projects/shop%2Fdeploy/",
        paths: [
            "repository/commits/SHA/statuses",
            "repository/commits/SHA/merge_requests",
            "merge_requests/7/notes",
            "merge_requests/7/notes/1",
        ],
        edit: "PUT",
        state: "status",
        context: "name",
        number: "iid",
        token: ("private-token", ""),
    },
    Names {
        api: ForgeApi::Gitea,
        repository: "/api/v1/repos/shop/deploy/",
        paths: [
            "commits/SHA/statuses",
            "commits/SHA/pull",
            "issues/7/comments",
            "issues/comments/1",
        ],
        edit: "PATCH",
        state: "status",
        context: "context",
        number: "number",
        token: ("authorization", "token "),
    },
];

impl Names {
    fn answer(self, kept: &mut Kept, request: &Received) -> Answer {
        let (name, before) = self.token;
        if request.header(name) != Some(&format!("{before}{CANARY}")) {
            return ("401 Unauthorized".to_owned(), String::new());
        }
        let path =
            request.path.split('?').next().unwrap_or_default().replace(&"b".repeat(40), "SHA");
        let Some(path) = path.strip_prefix(self.repository) else {
            return ("404 Not Found".to_owned(), String::new());
        };
        let [statuses, pulls, comments, comment] = self.paths;
        match (request.method.as_str(), path) {
            ("GET", path) if path == statuses => ok(&Value::from(kept.statuses.clone())),
            ("POST", "statuses/SHA") => {
                let body = request.json();
                let id = kept.statuses.len();
                let description = body["description"].as_str().unwrap().trim();
                let mut status = json!({ "id": id, "description": description });
                status[self.state] = body["state"].clone();
                status[self.context] = body[self.context].clone();
                kept.statuses.push(status);
                ok(&Value::Null)
            }
            ("GET", path) if path == pulls => {
                let mut pull = json!({ "title": "Raise web" });
                pull[self.number] = 7.into();
                match self.api {
                    ForgeApi::Gitea => ok(&pull),
                    _ => ok(&json!([pull])),
                }
            }
            ("GET", path) if path == comments => ok(&Value::from(kept.comments.clone())),
            ("POST", path) if path == comments => {
                let id = kept.comments.len();
                kept.comments.push(json!({ "id": id, "body": request.json()["body"] }));
                ok(&Value::Null)
            }
            (method, path) if method == self.edit && path == comment => {
                kept.comments[1]["body"] = request.json()["body"].clone();
                ok(&Value::Null)
            }
            _ => ("404 Not Found".to_owned(), String::new()),
        }
    }
}

fn send(forge: &Forge, message: &Message) {
    let sink = sink(SinkKind::Forge(forge.clone()));
    assert!(sink.wants(message));
    sender().send(&sink, message).unwrap_or_else(|error| panic!("{:?}: {error}", forge.api));
}

#[test]
fn statuses_are_set_once_and_the_comment_is_edited_in_place() {
    for names in FORGES {
        let kept = Arc::new(Mutex::new(Kept::default()));
        // Another person's comment stands first.
        kept.lock().unwrap().comments.push(json!({ "id": 0, "body": "Looks good" }));
        let answers = Arc::clone(&kept);
        let receiver =
            Receiver::answering(move |it| names.answer(&mut answers.lock().unwrap(), it));
        let forge = Forge {
            api: names.api,
            url: Address::Plain(receiver.url("")),
            repository: "shop/deploy".to_owned(),
            token: token(),
            comments: true,
        };
        let story = story();
        for message in &story {
            send(&forge, message);
        }
        let writes = || receiver.seen().iter().filter(|request| request.method != "GET").count();
        assert_eq!(
            writes(),
            6,
            "{:?}",
            receiver.seen().iter().map(Received::line).collect::<Vec<_>>()
        );
        // What is there already is not sent again.
        send(&forge, &story[2]);
        assert_eq!(writes(), 6);
        let kept = kept.lock().unwrap();
        let states: Vec<&str> =
            kept.statuses.iter().map(|it| it[names.state].as_str().unwrap()).collect();
        let failure = if names.api == ForgeApi::GitLab { "failed" } else { "failure" };
        assert_eq!(states, ["pending", failure, "success"]);
        assert!(kept.statuses.iter().all(|status| status[names.context] == "trueup/prod"));
        assert_eq!(kept.comments.len(), 2, "{:?}", kept.comments);
        let body = kept.comments[1]["body"].as_str().unwrap();
        assert!(
            body.starts_with("<!-- trueup ") && body.contains("\n✅ trueup\n```text\nprod: "),
            "{body}"
        );
        assert!(body.contains("recovered at bbbbbbb"), "{body}");
        drop(kept);
        // Nor is a status that the forge trims, where it is cut at a space.
        for _ in 0..2 {
            send(&forge, &cut_at_a_space(&story[2]));
            assert_eq!(writes(), 8);
        }
        for request in receiver.seen() {
            assert!(!String::from_utf8_lossy(&request.body).contains(CANARY));
            assert!(!request.path.contains(CANARY));
        }
    }
}

/// A message whose title has a space where that of a status ends.
pub(super) fn cut_at_a_space(message: &Message) -> Message {
    let title = format!("prod: {} recovered", "x".repeat(133));
    Message { title, ..message.clone() }
}

#[test]
fn a_commit_that_a_forge_does_not_have_is_refused() {
    for (has_repository, is_refusal) in [(true, true), (false, false)] {
        let receiver = Receiver::answering(move |request| {
            match has_repository && request.path.ends_with("/shop/deploy") {
                true => ok(&json!({})),
                false => ("404 Not Found".to_owned(), String::new()),
            }
        });
        let kind = SinkKind::Forge(Forge {
            api: ForgeApi::Gitea,
            url: Address::Plain(receiver.url("")),
            repository: "shop/deploy".to_owned(),
            token: token(),
            comments: false,
        });
        let error = sender().send(&sink(kind), &story()[0]).unwrap_err();
        assert_eq!(error.is_refusal, is_refusal, "{error}");
    }
}

#[test]
fn a_commit_without_a_pull_request_gets_a_status_alone() {
    let receiver = Receiver::answering(|request| match request.path.ends_with("/pull") {
        true => ("404 Not Found".to_owned(), String::new()),
        false => ok(&json!([])),
    });
    let forge = Forge {
        api: ForgeApi::Gitea,
        url: Address::Plain(receiver.url("/git")),
        repository: "shop/deploy".to_owned(),
        token: token(),
        comments: true,
    };
    send(&forge, &story()[0]);
    let lines: Vec<String> = receiver.seen().iter().map(Received::line).collect();
    let sha = "b".repeat(40);
    let of = |rest: &str| format!("/git/api/v1/repos/shop/deploy/{rest}");
    let expected = [
        format!("GET {}?limit=50&sort=recentupdate", of(&format!("commits/{sha}/statuses"))),
        format!("POST {}", of(&format!("statuses/{sha}"))),
        format!("GET {}", of(&format!("commits/{sha}/pull"))),
    ];
    assert_eq!(lines, expected);
}
