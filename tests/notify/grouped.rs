//! What many targets have to say at once is one message for a sink that people read, and one of each
//! target for all others.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use trueup::core::notify::{
    Address, Observation, Reach, RoundEnd, Rules, Sink, SinkKind, Step, Template,
};
use trueup::local::outbox_store::OutboxStore;
use trueup::notify::{Couriers, DeliveryDeadline, Notifier, NotifierOptions};

use super::{MINUTE, at, commit, secret_url, sender, sink};
use crate::support::eventually::eventually;
use crate::support::receiver::{Receiver, ok};

/// Long enough that it is over in no test.
const LONG: Duration = Duration::from_secs(3000);
/// Short enough to wait for it, and long enough that all targets are in it.
const SHORT: Duration = Duration::from_secs(5);

/// A chat. Its texts are titles and details, each on a line.
fn chat(receiver: &Receiver, group_wait: Duration) -> Sink {
    Sink { group_wait, ..sink(SinkKind::Slack(secret_url(&receiver.url("")))) }
}

/// A target each, with its own outbox and the same couriers.
fn targets(folder: &Path, count: usize, sinks: &[Sink], couriers: &Couriers) -> Vec<Notifier> {
    let notifier = |number| {
        let store = OutboxStore::new(folder.join(format!("{number}")));
        let (sinks, rules) = (sinks.to_vec(), Rules::default());
        Notifier::start(NotifierOptions { store, sinks, rules, sender: sender() }, couriers)
    };
    (0..count).map(notifier).collect()
}

fn seen(number: usize, seconds: i64, step: Step) -> Observation {
    let (git, cluster) = (Reach::Reached, Reach::Reached);
    Observation { target: format!("t{number}"), at: at(seconds), git, cluster, step }
}

fn begins(targets: &[Notifier], name: &str) {
    for (number, target) in targets.iter().enumerate() {
        target.observe(&seen(number, 0, Step::Deploying(commit(name))));
    }
}

fn ends(targets: &[Notifier], name: &str) {
    let end = || RoundEnd { commit: Some(commit(name)), is_proven: true, ..RoundEnd::default() };
    for (number, target) in targets.iter().enumerate() {
        target.observe(&seen(number, 1, Step::Ended(Box::new(end()))));
    }
}

/// The texts that a chat was sent, without the sign for the level.
fn texts(receiver: &Receiver) -> Vec<String> {
    let text = |body: Value| Some(body["text"].as_str()?.split_once(' ')?.1.to_owned());
    receiver.seen().iter().filter_map(|it| text(it.json())).collect()
}

/// A receiver that refuses all messages but those about dropped ones.
fn refusing() -> Receiver {
    Receiver::answering(|request| {
        match String::from_utf8_lossy(&request.body).contains("deploying") {
            true => ("400 Bad Request".to_owned(), String::new()),
            false => ok(&Value::Null),
        }
    })
}

fn finish(targets: Vec<Notifier>) -> Vec<String> {
    let end = DeliveryDeadline::after(MINUTE);
    targets.into_iter().flat_map(|target| target.finish(&end)).collect()
}

#[test]
fn what_forty_targets_say_is_one_message_in_a_chat() {
    let folder = tempfile::tempdir().unwrap();
    let (receiver, hook) = (Receiver::start(), Receiver::start());
    let kind = SinkKind::Webhook { url: Address::Plain(hook.url("/")), secret: None, token: None };
    assert!(!kind.is_read_by_people());
    let machine = Sink { name: "machine".to_owned(), ..sink(kind) };
    let sinks = [chat(&receiver, LONG), machine];
    let all = targets(folder.path(), 40, &sinks, &Couriers::default());
    begins(&all, "b");
    eventually("the machine was told", || hook.seen().len() == 40);
    assert_eq!(texts(&receiver).len(), 0, "they wait");
    ends(&all, "b");
    assert_eq!(finish(all), [""; 0]);
    let told = texts(&receiver);
    assert_eq!(told.len(), 2, "{told:#?}");
    for (text, news) in told.iter().zip(["deploying bbbbbbb", "bbbbbbb"]) {
        let (title, names) = text.split_once('\n').unwrap();
        assert!(title.starts_with(&format!("40 targets: {news}")), "{title}");
        let names: BTreeSet<&str> = names.split(", ").collect();
        assert_eq!(names.len(), 40, "{names:?}");
    }
    assert!(told[1].contains(" is healthy\n"), "{}", told[1]);
    assert_eq!(hook.seen().len(), 80, "each by itself");
}

#[test]
fn an_outage_of_forty_targets_is_one_message_and_its_end_another() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::start();
    let all = targets(folder.path(), 40, &[chat(&receiver, LONG)], &Couriers::default());
    let reach = |seconds, cluster: &Reach| {
        for (number, target) in all.iter().enumerate() {
            // They do not look at the same time.
            let seconds = seconds + i64::try_from(number).unwrap();
            target.observe(&Observation {
                cluster: cluster.clone(),
                ..seen(number, seconds, Step::Unknown)
            });
        }
    };
    let lost = Reach::Lost("no answer in time".to_owned());
    reach(0, &lost);
    reach(400, &lost);
    reach(900, &Reach::Reached);
    finish(all);
    let told = texts(&receiver);
    let [lost, back] = told.as_slice() else { panic!("{told:#?}") };
    let expected = "40 targets: the cluster has been unreachable for 6 min: no answer in time\n";
    assert!(lost.starts_with(expected), "{lost}");
    assert!(
        back.starts_with("40 targets: the cluster is reachable again after 15 min\n"),
        "{back}"
    );
}

#[test]
fn messages_that_have_waited_long_wait_no_longer() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::start();
    let wait = Duration::from_secs(3600);
    let all = targets(folder.path(), 3, &[chat(&receiver, wait)], &Couriers::default());
    for (number, target) in all.iter().enumerate() {
        let old = Timestamp::now() - 2 * wait;
        let seen = seen(number, 0, Step::Deploying(commit("b")));
        target.observe(&Observation { at: old, ..seen });
    }
    eventually("all were told", || texts(&receiver).concat().contains("t2"));
    finish(all);
}

#[test]
fn more_targets_than_fit_into_a_message_are_in_several() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::start();
    let all = targets(folder.path(), 150, &[chat(&receiver, LONG)], &Couriers::default());
    begins(&all, "b");
    finish(all);
    let told = texts(&receiver);
    let counts: Vec<&str> =
        told.iter().filter_map(|text| text.split_once(' ')).map(|it| it.0).collect();
    assert_eq!(counts, ["100", "50"], "{told:#?}");
}

#[test]
fn targets_with_other_settings_are_not_in_the_same_message() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (Receiver::start(), Receiver::start());
    let couriers = Couriers::default();
    let before = targets(&folder.path().join("1"), 3, &[chat(&one, LONG)], &couriers);
    let after = targets(&folder.path().join("2"), 3, &[chat(&other, LONG)], &couriers);
    begins(&before, "b");
    begins(&after, "b");
    finish(before);
    finish(after);
    for receiver in [one, other] {
        let told = texts(&receiver);
        let [text] = told.as_slice() else { panic!("{told:#?}") };
        assert!(text.starts_with("3 targets: "), "{text}");
    }
}

#[test]
fn each_of_two_refused_messages_is_dropped_after_three_tries() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = refusing();
    let sinks = [chat(&receiver, Duration::ZERO)];
    let all = targets(folder.path(), 2, &sinks, &Couriers::default());
    begins(&all, "b");
    let dropped = || texts(&receiver).iter().filter(|text| text.contains(" dropped, ")).count();
    eventually("it was told of both", || dropped() == 2);
    assert_eq!(texts(&receiver).len(), 8, "three tries of each");
    finish(all);
}

#[test]
fn messages_of_one_target_keep_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::start();
    let all = targets(folder.path(), 3, &[chat(&receiver, LONG)], &Couriers::default());
    begins(&all[..1], "b");
    ends(&all[..1], "b");
    begins(&all, "c");
    assert_eq!(texts(&receiver).len(), 0);
    finish(all);
    let told = texts(&receiver);
    let of_first: Vec<&String> = told
        .iter()
        .filter(|text| text.starts_with("t0:") || text.contains("t0, ") || text.contains("\nt0"))
        .collect();
    let [begun, healthy, next] = of_first.as_slice() else { panic!("{told:#?}") };
    assert!(begun.starts_with("t0: deploying bbbbbbb"), "{begun}");
    assert!(healthy.starts_with("t0: bbbbbbb"), "{healthy}");
    assert!(next.contains("deploying ccccccc"), "{next}");
    for target in ["t1", "t2"] {
        assert_eq!(told.iter().filter(|text| text.contains(target)).count(), 1, "{told:#?}");
    }
}

#[test]
fn a_sink_that_was_down_is_told_once_of_all() {
    let folder = tempfile::tempdir().unwrap();
    let is_down = Arc::new(AtomicBool::new(true));
    let taken = Arc::new(Mutex::new(Vec::new()));
    let (down, kept) = (Arc::clone(&is_down), Arc::clone(&taken));
    let receiver = Receiver::answering(move |request| match down.load(Ordering::SeqCst) {
        true => ("503 Service Unavailable".to_owned(), String::new()),
        false => {
            kept.lock().unwrap().push(request.json()["text"].to_string());
            ok(&Value::Null)
        }
    });
    let all = targets(folder.path(), 20, &[chat(&receiver, SHORT)], &Couriers::default());
    begins(&all, "b");
    eventually("it was tried", || receiver.seen().len() >= 2);
    is_down.store(false, Ordering::SeqCst);
    eventually("it was told", || !taken.lock().unwrap().is_empty());
    assert_eq!(finish(all).len(), 2, "that it waits, and that it does no longer");

    // Another process has nothing to tell.
    let again = targets(folder.path(), 20, &[chat(&receiver, SHORT)], &Couriers::default());
    finish(again);
    let taken = taken.lock().unwrap();
    let [text] = taken.as_slice() else { panic!("{taken:#?}") };
    assert!(text.contains("20 targets: "), "{text}");
}

#[test]
fn a_sink_that_refuses_is_told_once_that_messages_were_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = refusing();
    let all = targets(folder.path(), 5, &[chat(&receiver, SHORT)], &Couriers::default());
    begins(&all, "b");
    let is_last = |text: &String| text.contains(" dropped, ");
    eventually("it was told", || texts(&receiver).iter().any(is_last));
    finish(all);
    let told = texts(&receiver);
    let news =
        "trueup: older messages of 5 targets were dropped, as this receiver did not take them";
    assert_eq!(told.last().map(String::as_str), Some(news));
    assert_eq!(told.len(), 4, "three tries: {told:#?}");
}

#[test]
fn without_a_wait_and_of_a_single_target_each_is_sent_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::start();
    let sinks = [chat(&receiver, Duration::ZERO)];
    let all = targets(folder.path(), 5, &sinks, &Couriers::default());
    begins(&all, "b");
    eventually("all were told", || texts(&receiver).len() == 5);
    finish(all);
    let one =
        targets(&folder.path().join("one"), 1, &[chat(&receiver, LONG)], &Couriers::default());
    begins(&one, "b");
    eventually("it was told", || texts(&receiver).len() == 6);
    finish(one);
}

#[test]
fn a_template_has_the_targets_of_all() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::start();
    let template = Template::read("{level} {transition} of {target} at {short}").unwrap();
    let sinks = [Sink { template, ..chat(&receiver, LONG) }];
    let all = targets(folder.path(), 3, &sinks, &Couriers::default());
    begins(&all, "b");
    finish(all);
    assert_eq!(texts(&receiver), ["info started of t0, t1, t2 at bbbbbbb"]);
}
