//! Notifications: each sink against a receiver, and a watch that tells.

#[cfg(unix)]
mod alertmanager;
mod chats;
mod forge;
#[cfg(unix)]
mod gitea;
mod grouped;
#[cfg(unix)]
mod mail;
mod outages;
#[cfg(unix)]
mod watching;

use std::ffi::OsString;
use std::time::Duration;

use jiff::Timestamp;
use trueup::core::notify::{
    Commit, Culprit, Failure, Message, Observation, Reach, RoundEnd, Rules, SecretSource, Sink,
    SinkFilter, SinkKind, Step, TargetState, Template,
};
use trueup::local::secrets::Secrets;
use trueup::notify::Sender;

/// How long a test that ends waits for the last messages.
const MINUTE: Duration = Duration::from_secs(60);
/// Found in no output and in no request but where it belongs.
const CANARY: &str = "hunter2-canary-9f31";

/// A value of the environment, for tests: the one of a name that begins with `URL_` is an address.
fn variable(name: &str) -> Option<OsString> {
    match name.strip_prefix("URL_") {
        Some(port) => Some(format!("http://127.0.0.1:{port}/services/{CANARY}").into()),
        None => Some(CANARY.into()),
    }
}

fn sender() -> Sender {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    Sender::new(Secrets { variable, checkout: Vec::new() })
}

/// Where the token is.
fn token() -> SecretSource {
    SecretSource::Env("TOKEN".to_owned())
}

/// Where the address of a receiver is, whose path is secret.
fn secret_url(url: &str) -> SecretSource {
    let port = url.rsplit_once(':').unwrap().1;
    SecretSource::Env(format!("URL_{}", port.split('/').next().unwrap()))
}

fn sink(kind: SinkKind) -> Sink {
    Sink {
        name: "ops".to_owned(),
        filter: SinkFilter::default(),
        template: Template::default(),
        timeout: Duration::from_secs(30),
        group_wait: Duration::ZERO,
        kind,
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn commit(digit: &str) -> Commit {
    Commit {
        id: digit.repeat(40),
        subject: "Raise <!channel> @everyone *web* `x` [a](http://b)".to_owned(),
        author: "Ada Lovelace".to_owned(),
    }
}

fn seen(seconds: i64, step: Step) -> Observation {
    let (git, cluster) = (Reach::Reached, Reach::Reached);
    Observation { target: "prod".to_owned(), at: at(seconds), git, cluster, step }
}

/// The messages of a deployment that fails, and is mended.
fn story() -> Vec<Message> {
    let web = Culprit {
        object: Some("Deployment shop/web".to_owned()),
        class: "health".to_owned(),
        text: "0 of 3 ready".to_owned(),
    };
    let end = |culprits: Vec<Culprit>| RoundEnd {
        commit: Some(commit("b")),
        is_proven: true,
        failure: (!culprits.is_empty()).then_some(Failure { culprits, taken: None }),
        ..RoundEnd::default()
    };
    let (mut state, rules) = (TargetState::default(), Rules::default());
    let rounds = [
        seen(0, Step::Deploying(commit("b"))),
        seen(60, Step::Ended(Box::new(end(vec![web])))),
        seen(120, Step::Ended(Box::new(end(Vec::new())))),
    ];
    rounds.iter().flat_map(|round| state.advance(round, &rules)).collect()
}
