//! Queues: in order, bounded, and each message once for each sink that wants it.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;

use super::*;

fn sink(name: &str, filter: SinkFilter) -> Sink {
    let kind = SinkKind::Command(vec!["/bin/true".to_owned()]);
    let (template, timeout) = (Template::default(), Duration::from_secs(10));
    let group_wait = Duration::ZERO;
    Sink { name: name.to_owned(), filter, template, timeout, group_wait, kind }
}

fn again(outbox: &Outbox) -> Outbox {
    let text = serde_json::to_string(outbox).expect("it is plain data");
    serde_json::from_str(&text).expect("it was written by us")
}

/// A round in which another commit begins, which is a message each.
fn begins(number: u32) -> Observation {
    seen(i64::from(number), Step::Deploying(commit(&number.to_string())))
}

proptest! {
    /// One sink is down now and then, the process ends anywhere, and every message arrives in its order.
    /// It arrives twice only where the process ended between sending and noting that, with the same id.
    #[test]
    fn nothing_is_lost_while_a_sink_is_down(steps in prop::collection::vec(0..4_u8, 0..200)) {
        let (mut outbox, sinks, rules) = (Outbox::default(), [sink("ops", SinkFilter::default())], Rules::default());
        let (mut sent, mut arrived, mut number) = (0, Vec::<String>::new(), 0);
        for step in steps.into_iter().chain([3; 200]) {
            match step {
                0 => {
                    number += 1;
                    outbox.observe(&begins(number), &rules, &sinks);
                }
                // The sink took it, and the process ended before that was noted.
                1 => {
                    let message = outbox.next("ops", at(0));
                    sent += u32::from(message.is_some());
                    arrived.extend(message.map(|message| message.title));
                    outbox = again(&outbox);
                }
                // The sink is down.
                2 => {
                    outbox.next("ops", at(0));
                }
                _ => {
                    let Some(message) = outbox.next("ops", at(0)) else { continue };
                    sent += 1;
                    outbox.taken("ops", &message.id);
                    arrived.push(message.title);
                }
            }
        }
        arrived.dedup();
        let expected: Vec<String> = (1..=number)
            .flat_map(|number| TargetState::default().advance(&begins(number), &rules))
            .map(|message| message.title)
            .collect();
        prop_assert!(sent >= number);
        prop_assert_eq!(arrived, expected);
        prop_assert_eq!(outbox.waiting("ops"), 0);
    }
}

#[test]
fn oldest_messages_are_dropped_and_counted() {
    let (mut outbox, sinks, rules) =
        (Outbox::default(), [sink("ops", SinkFilter::default())], Rules::default());
    let count = u32::try_from(LIMIT).unwrap() + 7;
    for number in 1..=count {
        outbox.observe(&begins(number), &rules, &sinks);
    }
    assert_eq!(outbox.waiting("ops"), LIMIT);
    let first = outbox.next("ops", at(0)).unwrap();
    assert_eq!(first.transition, Transition::Dropped);
    assert!(first.title.contains("7 older messages were dropped"), "{}", first.title);
    // More are dropped before that was taken: they are counted apart, and none twice.
    outbox.observe(&begins(count + 1), &rules, &sinks);
    let mut outbox = again(&outbox);
    assert_eq!(outbox.next("ops", at(1)), Some(first.clone()));
    outbox.taken("ops", &first.id);
    let second = outbox.next("ops", at(2)).unwrap();
    assert!(second.title.contains("1 older message was dropped"), "{}", second.title);
    outbox.taken("ops", &second.id);
    let third = outbox.next("ops", at(3)).unwrap();
    assert!(third.title.starts_with("prod: deploying 9999999"), "{}", third.title);
    outbox.refused("ops", &third.id);
    let fourth = outbox.next("ops", at(4)).unwrap();
    assert!(fourth.title.contains("1 older message was dropped"), "{}", fourth.title);
}

#[test]
fn sinks_get_what_they_ask_for() {
    let (mut outbox, rules) =
        (Outbox::default(), Rules { reminders: BTreeSet::from([2, 3]), ..Rules::default() });
    let all = SinkFilter { reminder: 2, ..SinkFilter::default() };
    let bad = SinkFilter {
        transitions: BTreeSet::from([Transition::Failed, Transition::StillFailing]),
        reminder: 3,
        ..SinkFilter::default()
    };
    let other = SinkFilter { targets: vec!["test-*".to_owned()], ..SinkFilter::default() };
    let sinks = [sink("all", all), sink("bad", bad), sink("other", other)];
    let web = culprit("Deployment shop/web", "failed", "1 of 3 ready");
    for round in 0..6 {
        outbox.observe(&ended(round * 30, failed("b", std::slice::from_ref(&web))), &rules, &sinks);
    }
    outbox.observe(&ended(300, good("b")), &rules, &sinks);
    let mut taken = |sink: &str| {
        let mut names = Vec::new();
        while let Some(message) = outbox.next(sink, at(0)) {
            outbox.taken(sink, &message.id);
            names.push((message.transition, message.reminder));
        }
        names
    };
    use Transition::{Failed, Recovered, StillFailing};
    let again = |round| (StillFailing, Some(round));
    assert_eq!(taken("all"), [(Failed, None), again(2), again(4), (Recovered, None)]);
    assert_eq!(taken("bad"), [(Failed, None), again(3), again(6)]);
    assert_eq!(taken("other"), []);
    // A sink that is no longer there leaves nothing behind.
    outbox.observe(&ended(330, failed("b", &[web])), &rules, &sinks[..1]);
    outbox.observe(&ended(360, good("b")), &rules, &[]);
    assert_eq!(outbox.waiting("all"), 0);
}
