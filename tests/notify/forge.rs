//! A commit on its forge, beside a small server that keeps statuses and comments as the three APIs do.

use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};
use trueup::core::notify::{Address, Forge, ForgeApi, Message, SinkKind, key_digest};
use trueup::notify::DeliveryError;

use super::{CANARY, sender, sink, story, token};
use crate::support::receiver::{Answer, Received, Receiver, ok};

/// The id of the token's user, and that of another one.
const OURS: i64 = 5;
const OTHERS: i64 = 9;

/// The statuses, the oldest first, and the comments of pull request 7.
#[derive(Default)]
struct Kept {
    statuses: Vec<Value>,
    comments: Vec<Value>,
    /// Whether it does not say whose a status is.
    is_discreet: bool,
}

/// What a forge calls its things.
#[derive(Clone, Copy)]
struct Names {
    api: ForgeApi,
    /// The paths begin with it.
    repository: &'static str,
    /// Below it: statuses, pull requests, comments, and one comment without its id.
    paths: [&'static str; 4],
    edit: &'static str,
    /// The state of a status that is read, and its name.
    state: &'static str,
    context: &'static str,
    number: &'static str,
    /// The user of a status, and that of a comment.
    users: [&'static str; 2],
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
            "issues/comments/",
        ],
        edit: "PATCH",
        state: "state",
        context: "context",
        number: "number",
        users: ["creator", "user"],
        token: ("authorization", "Bearer "),
    },
    Names {
        api: ForgeApi::GitLab,
        repository: "/api/v4/projects/shop%2Fdeploy/",
        paths: [
            "repository/commits/SHA/statuses",
            "repository/commits/SHA/merge_requests",
            "merge_requests/7/notes",
            "merge_requests/7/notes/",
        ],
        edit: "PUT",
        state: "status",
        context: "name",
        number: "iid",
        users: ["author", "author"],
        token: ("private-token", ""),
    },
    Names {
        api: ForgeApi::Gitea,
        repository: "/api/v1/repos/shop/deploy/",
        paths: [
            "commits/SHA/statuses",
            "commits/SHA/pull",
            "issues/7/comments",
            "issues/comments/",
        ],
        edit: "PATCH",
        state: "status",
        context: "context",
        number: "number",
        users: ["creator", "user"],
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
        if path == "/api/v4/user" && self.api == ForgeApi::GitLab {
            return ok(&json!({ "id": OURS }));
        }
        let Some(path) = path.strip_prefix(self.repository) else {
            return ("404 Not Found".to_owned(), String::new());
        };
        let [statuses, pulls, comments, comment] = self.paths;
        match (request.method.as_str(), path) {
            ("GET", path) if path == statuses => ok(&Value::from(kept.statuses.clone())),
            ("POST", "statuses/SHA") => {
                let body = request.json();
                let description = body["description"].as_str().unwrap().trim();
                let user = if kept.is_discreet { Value::Null } else { OURS.into() };
                let status = self.status(kept, body["state"].as_str().unwrap(), description, user);
                assert_eq!(status[self.context], body[self.context]);
                kept.statuses.push(status.clone());
                ok(&status)
            }
            ("GET", path) if path == pulls => {
                let mut pull = json!({ "title": "Raise web" });
                pull[self.number] = 7.into();
                match self.api {
                    ForgeApi::Gitea => ok(&pull),
                    _ => ok(&json!([pull])),
                }
            }
            ("GET", path) if path == comments => {
                let all = kept.comments.iter().cloned();
                match self.api {
                    // It has no pages of these.
                    ForgeApi::Gitea => ok(&all.collect()),
                    _ => {
                        let (page, size) = (query(request, "page"), query(request, "per_page"));
                        let mut page: Vec<Value> = all.skip((page - 1) * size).take(size).collect();
                        if self.api == ForgeApi::GitLab && page.len() == size {
                            // One that the token may not see.
                            page.remove(0);
                        }
                        ok(&page.into())
                    }
                }
            }
            ("POST", path) if path == comments => {
                let body = request.json();
                let comment = self.comment(kept, body["body"].as_str().unwrap(), OURS);
                kept.comments.push(comment);
                ok(&Value::Null)
            }
            (method, path) if method == self.edit && path.starts_with(comment) => {
                let id: usize = path[comment.len()..].parse().unwrap();
                kept.comments[id]["body"] = request.json()["body"].clone();
                ok(&Value::Null)
            }
            _ => ("404 Not Found".to_owned(), String::new()),
        }
    }

    /// A new status of a user.
    fn status(self, kept: &Kept, state: &str, description: &str, user: Value) -> Value {
        let mut status = json!({ "id": kept.statuses.len(), "description": description });
        status[self.state] = state.into();
        status[self.context] = "trueup/prod".into();
        status[self.users[0]] = json!({ "id": user });
        status
    }

    /// A new comment of a user.
    fn comment(self, kept: &Kept, body: &str, user: i64) -> Value {
        let mut comment = json!({ "id": kept.comments.len(), "body": body });
        comment[self.users[1]] = json!({ "id": user });
        comment
    }
}

/// A number of the query.
fn query(request: &Received, name: &str) -> usize {
    let pairs = request.path.split_once('?').unwrap().1.split('&');
    let value = pairs.filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name);
    value.unwrap().1.parse().unwrap()
}

/// A server as one of the forges is, and a sink for it.
struct Served {
    kept: Arc<Mutex<Kept>>,
    receiver: Receiver,
    forge: Forge,
}

impl Served {
    fn new(names: Names) -> Self {
        let kept = Arc::new(Mutex::new(Kept::default()));
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
        Self { kept, receiver, forge }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap()
    }

    /// How many requests were no GET.
    #[track_caller]
    fn assert_writes(&self, count: usize) {
        let seen = self.receiver.seen();
        let writes = seen.iter().filter(|request| request.method != "GET").count();
        assert_eq!(writes, count, "{:#?}", seen.iter().map(Received::line).collect::<Vec<_>>());
    }
}

/// A comment that anyone may write.
pub(super) fn forged() -> String {
    format!("<!-- trueup {} -->\n✅ trueup\n```text\nprod: healthy\n```\n", key_digest(&["prod"]))
}

fn try_send(forge: &Forge, message: &Message) -> Result<(), DeliveryError> {
    let sink = sink(SinkKind::Forge(forge.clone()));
    assert!(sink.wants(message));
    sender().send(&sink, message)
}

fn send(forge: &Forge, message: &Message) {
    try_send(forge, message).unwrap_or_else(|error| panic!("{:?}: {error}", forge.api));
}

#[test]
fn statuses_are_set_once_and_the_comment_is_edited_in_place() {
    for names in FORGES {
        let served = Served::new(names);
        let (forge, story) = (&served.forge, story());
        // Comments of others stand first.
        for body in ["Looks good".to_owned(), forged()] {
            let comment = names.comment(&served.kept(), &body, OTHERS);
            served.kept().comments.push(comment);
        }
        for message in &story {
            send(forge, message);
        }
        served.assert_writes(6);
        // What is there already is not sent again.
        send(forge, &story[2]);
        served.assert_writes(6);
        let kept = served.kept();
        let states: Vec<&str> =
            kept.statuses.iter().map(|it| it[names.state].as_str().unwrap()).collect();
        let failure = if names.api == ForgeApi::GitLab { "failed" } else { "failure" };
        assert_eq!(states, ["pending", failure, "success"]);
        assert!(kept.statuses.iter().all(|status| status[names.context] == "trueup/prod"));
        let bodies: Vec<&str> =
            kept.comments.iter().map(|it| it["body"].as_str().unwrap()).collect();
        let [first, second, body] = bodies[..] else { panic!("{bodies:#?}") };
        assert_eq!((first, second), ("Looks good", forged().as_str()));
        assert!(
            body.starts_with("<!-- trueup ") && body.contains("\n✅ trueup\n```text\nprod: "),
            "{body}"
        );
        assert!(body.contains("recovered at bbbbbbb"), "{body}");
        drop(kept);
        // Nor is a status that the forge trims, where it is cut at a space.
        for _ in 0..2 {
            send(forge, &cut_at_a_space(&story[2]));
            served.assert_writes(8);
        }
        for request in served.receiver.seen() {
            assert!(!String::from_utf8_lossy(&request.body).contains(CANARY));
            assert!(!request.path.contains(CANARY));
            assert!(!request.path.ends_with("/user"), "the answers say whose the token is");
        }
    }
}

#[test]
fn a_comment_is_ours_though_another_set_the_status() {
    for names in FORGES {
        let served = Served::new(names);
        let message = &story()[0];
        {
            let mut kept = served.kept();
            let status = names.status(&kept, "pending", &message.title, OTHERS.into());
            kept.statuses.push(status);
            let comment = names.comment(&kept, &forged(), OTHERS);
            kept.comments.push(comment);
        }
        // GitLab has a path for it; elsewhere the status is set once more.
        let writes = if names.api == ForgeApi::GitLab { 1 } else { 2 };
        for _ in 0..2 {
            send(&served.forge, message);
            served.assert_writes(writes);
        }
        let kept = served.kept();
        let [others, ours] = &kept.comments[..] else { panic!("{:#?}", kept.comments) };
        assert_eq!(others["body"], forged());
        assert!(ours["body"].as_str().unwrap().contains(&message.text()), "{ours}");
        assert_eq!(ours[names.users[1]]["id"], OURS);
    }
}

#[test]
fn our_comment_is_found_behind_those_of_others() {
    for names in FORGES {
        let served = Served::new(names);
        let (forge, story) = (&served.forge, story());
        let others = |count: usize| {
            for _ in 0..count {
                let comment = names.comment(&served.kept(), "Looks good", OTHERS);
                served.kept().comments.push(comment);
            }
        };
        others(120);
        send(forge, &story[0]);
        others(60);
        story.iter().for_each(|message| send(forge, message));
        let ours = |comment: &&Value| comment["body"].as_str().unwrap().starts_with("<!-- trueup");
        let count = served.kept().comments.iter().filter(ours).count();
        assert_eq!(count, 1, "{:?}", names.api);
        // Where it can't be looked for to the end, none is added.
        served.kept().comments.clear();
        others(1000);
        let is_sent = try_send(forge, &story[0]);
        match names.api {
            ForgeApi::Gitea => is_sent.unwrap(),
            _ => {
                let error = is_sent.unwrap_err();
                assert!(error.is_refusal && error.to_string().contains("more comments"), "{error}");
                assert_eq!(served.kept().comments.len(), 1000);
            }
        }
    }
}

#[test]
fn a_forge_that_does_not_say_whose_a_status_is_gets_no_comment() {
    for names in FORGES {
        let served = Served::new(names);
        served.kept().is_discreet = true;
        let error = try_send(&served.forge, &story()[0]).unwrap_err();
        assert_eq!(error.to_string(), "the forge does not say whose the token is");
        assert!(error.is_refusal);
        assert_eq!(served.kept().comments, [Value::Null; 0]);
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
