//! Sinks that are down, refuse, or lead elsewhere: what is told of them, and what arrives afterwards.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;
use trueup::core::notify::{Address, Commit, Rules, Sink, SinkKind, Step};
use trueup::local::outbox_store::OutboxStore;
use trueup::notify::{Couriers, DeliveryDeadline, Notifier, NotifierOptions};

use super::{CANARY, MINUTE, secret_url, seen, sender, sink, story, token};
use crate::support::eventually::eventually;
use crate::support::receiver::{Receiver, ok};

fn webhook(url: &str) -> Sink {
    let url = Address::Plain(url.to_owned());
    sink(SinkKind::Webhook { url, secret: Some(token()), token: Some(token()) })
}

fn notifier(folder: &std::path::Path, sinks: Vec<Sink>) -> Notifier {
    let store = OutboxStore::new(folder.to_owned());
    let options = NotifierOptions { store, sinks, rules: Rules::default(), sender: sender() };
    Notifier::start(options, &Couriers::default())
}

/// Tells so many messages, from this number on.
fn tell(notifier: &Notifier, numbers: std::ops::Range<i64>) {
    for number in numbers {
        let commit = Commit { id: format!("{number:040}"), ..Commit::default() };
        notifier.observe(&seen(number, Step::Deploying(commit)));
    }
}

/// The numbers that arrived, in their order.
fn numbers(receiver: &Receiver) -> Vec<i64> {
    let number = |body: Value| body["commit"]["id"].as_str()?.parse().ok();
    receiver.seen().iter().filter_map(|it| number(it.json())).collect()
}

#[test]
fn a_redirect_is_not_followed() {
    let other = Receiver::start();
    let to = other.url("/x");
    let receiver = Receiver::answering(move |_| {
        (format!("307 Temporary Redirect\r\nLocation: {to}"), String::new())
    });
    let error = sender().send(&webhook(&receiver.url("/")), &story()[0]).unwrap_err();
    assert!(error.to_string().ends_with(" answers with HTTP status 307"), "{error}");
    assert_eq!(other.seen().len(), 0);
}

#[test]
fn no_error_holds_an_address_a_token_or_an_answer() {
    let answers = |status: &'static str| {
        Receiver::answering(move |request| {
            let token = request.header("authorization").unwrap_or_default();
            (status.to_owned(), format!("{token} {}", request.path))
        })
    };
    for status in ["500 hunter2-canary-9f31", "400 Bad Request", "429 Slow\r\nRetry-After: 7"] {
        let receiver = answers(status);
        for kind in [
            SinkKind::Slack(secret_url(&receiver.url(""))),
            SinkKind::Teams(secret_url(&receiver.url(""))),
            SinkKind::Discord(secret_url(&receiver.url(""))),
            webhook(&receiver.url("/")).kind,
            SinkKind::Matrix {
                url: Address::Plain(receiver.url("")),
                room: "!r:m".to_owned(),
                token: token(),
            },
            SinkKind::Alertmanager { url: Address::Plain(receiver.url("")), token: Some(token()) },
        ] {
            let error = sender().send(&sink(kind), &story()[1]).unwrap_err();
            assert!(!format!("{error} {error:?}").contains(CANARY), "{error:?}");
            assert_eq!(error.is_refusal, status.starts_with("400"));
            let pause = status.starts_with("429").then_some(Duration::from_secs(7));
            assert_eq!(error.retry_after, pause);
        }
    }
    // Nothing listens there.
    let closed = secret_url("http://127.0.0.1:1/");
    let error = sender().send(&sink(SinkKind::Slack(closed)), &story()[0]).unwrap_err();
    assert!(error.to_string().starts_with("cannot reach 127.0.0.1:1: "), "{error}");
    assert!(!format!("{error:?}").contains(CANARY), "{error:?}");
}

#[test]
fn nothing_is_lost_or_doubled_while_a_sink_is_down() {
    let folder = tempfile::tempdir().unwrap();
    let is_down = Arc::new(AtomicUsize::new(1));
    let down = Arc::clone(&is_down);
    let receiver = Receiver::answering(move |_| match down.load(Ordering::SeqCst) {
        0 => ok(&Value::Null),
        _ => ("503 Service Unavailable".to_owned(), String::new()),
    });
    let up = Receiver::start();
    let slow = webhook(&receiver.url("/"));
    let other = Sink { name: "other".to_owned(), ..webhook(&up.url("/")) };
    let first = notifier(folder.path(), vec![slow.clone(), other.clone()]);
    tell(&first, 0..20);
    eventually("the other sink has all", || numbers(&up).len() == 20);
    let warnings = first.finish(&DeliveryDeadline::after(MINUTE));
    let [warning] = warnings.as_slice() else { panic!("{warnings:?}") };
    assert!(warning.starts_with("notifications of ops wait: 127.0.0.1:"), "{warning}");
    assert!(!warning.contains(CANARY), "{warning}");

    // Another process, and the sink is there again.
    let refused = receiver.seen().len();
    is_down.store(0, Ordering::SeqCst);
    let second = notifier(folder.path(), vec![slow, other]);
    tell(&second, 20..25);
    eventually("all of them arrived", || receiver.seen().len() >= refused + 25);
    second.finish(&DeliveryDeadline::after(MINUTE));
    let arrived: Vec<i64> = numbers(&receiver).split_off(refused);
    assert_eq!(arrived, (0..25).collect::<Vec<_>>());
    assert_eq!(numbers(&up), (0..25).collect::<Vec<_>>());
}

#[test]
fn targets_share_the_thread_of_a_sink_and_all_are_heard() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::start();
    let couriers = Couriers::default();
    let targets: Vec<Notifier> = (0..20)
        .map(|target| {
            let store = OutboxStore::new(folder.path().join(target.to_string()));
            let (sinks, rules) = (vec![webhook(&receiver.url("/"))], Rules::default());
            let options = NotifierOptions { store, sinks, rules, sender: sender() };
            Notifier::start(options, &couriers)
        })
        .collect();
    assert_eq!(couriers.threads(), 1);
    for (number, target) in (0..).zip(&targets) {
        tell(target, number..number + 1);
        tell(target, number + 100..number + 101);
    }
    let end = DeliveryDeadline::after(MINUTE);
    targets.into_iter().for_each(|target| assert_eq!(target.finish(&end), [""; 0]));
    let mut arrived = numbers(&receiver);
    arrived.sort_unstable();
    assert_eq!(arrived, (0..20).chain(100..120).collect::<Vec<_>>());
    eventually("it ends with the last target", || couriers.threads() == 0);
}

#[test]
fn an_outbox_that_cannot_be_used_holds_up_no_other_target() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::start();
    let couriers = Couriers::default();
    std::fs::write(folder.path().join("broken"), "not a folder").unwrap();
    // Another process is about to send, and takes its time.
    let turn = OutboxStore::new(folder.path().join("taken")).turn("ops").unwrap();
    assert!(turn.is_some());
    let [broken, taken, good] = ["broken", "taken", "good"].map(|target| {
        let store = OutboxStore::new(folder.path().join(target));
        let (sinks, rules) = (vec![webhook(&receiver.url("/"))], Rules::default());
        let options = NotifierOptions { store, sinks, rules, sender: sender() };
        Notifier::start(options, &couriers)
    });
    tell(&broken, 0..1);
    tell(&taken, 10..13);
    tell(&good, 20..23);
    eventually("those of the good target", || numbers(&receiver) == [20, 21, 22]);
    let warnings = broken.take_warnings();
    let [warning] = warnings.as_slice() else { panic!("{warnings:?}") };
    assert!(warning.starts_with("cannot keep notifications: "), "{warning}");
    drop(turn);
    eventually("the turn is free", || numbers(&receiver) == [20, 21, 22, 10, 11, 12]);
    let end = DeliveryDeadline::after(MINUTE);
    for target in [broken, taken, good] {
        assert_eq!(target.finish(&end), [""; 0]);
    }
    assert!(!end.left().is_zero(), "none is waited for in vain");
}

#[test]
fn a_pause_that_a_sink_asks_for_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let times = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&times);
    let receiver = Receiver::answering(move |_| {
        let mut times = noted.lock().unwrap();
        times.push(Instant::now());
        match times.len() {
            1 => ("429 Too Many Requests\r\nRetry-After: 4".to_owned(), String::new()),
            _ => ok(&Value::Null),
        }
    });
    let notifier = notifier(folder.path(), vec![webhook(&receiver.url("/"))]);
    tell(&notifier, 0..1);
    eventually("it came again", || times.lock().unwrap().len() == 2);
    let times = times.lock().unwrap().clone();
    assert!(times[1] - times[0] >= Duration::from_secs(4));
}

#[test]
fn a_message_that_a_sink_refuses_does_not_hold_up_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::answering(|request| {
        let is_first = request.json()["commit"]["id"] == format!("{:040}", 0);
        match is_first {
            true => ("400 Bad Request".to_owned(), String::new()),
            false => ok(&Value::Null),
        }
    });
    let notifier = notifier(folder.path(), vec![webhook(&receiver.url("/"))]);
    tell(&notifier, 0..3);
    eventually("the last one arrived", || numbers(&receiver).ends_with(&[1, 2]));
    let about: Vec<String> = receiver
        .seen()
        .iter()
        .map(|it| it.json())
        .filter(|body| body["transition"] == "dropped")
        .map(|body| body["title"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(about, ["trueup: 1 older message was dropped, as this receiver did not take them"]);
}
