//! Each transition makes one message.

mod oracle;
mod queues;
mod told;

use jiff::Timestamp;

use super::*;

const START: i64 = 1_800_000_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(START + seconds).expect("it is in range")
}

fn commit(name: &str) -> Commit {
    let id = name.repeat(40).chars().take(40).collect();
    Commit { id, subject: format!("Change {name}"), author: "Ada Lovelace".to_owned() }
}

fn culprit(object: &str, class: &str, text: &str) -> Culprit {
    Culprit { object: Some(object.to_owned()), class: class.to_owned(), text: text.to_owned() }
}

fn seen(seconds: i64, step: Step) -> Observation {
    let (git, cluster) = (Reach::Reached, Reach::Reached);
    Observation { target: "prod".to_owned(), at: at(seconds), git, cluster, step }
}

fn ended(seconds: i64, end: RoundEnd) -> Observation {
    seen(seconds, Step::Ended(Box::new(end)))
}

/// The end of a round that found or made everything true.
fn good(name: &str) -> RoundEnd {
    RoundEnd { commit: Some(commit(name)), is_proven: true, ..RoundEnd::default() }
}

fn failed(name: &str, culprits: &[Culprit]) -> RoundEnd {
    let failure = Some(Failure { culprits: culprits.to_vec(), taken: None });
    RoundEnd { failure, is_proven: false, ..good(name) }
}
