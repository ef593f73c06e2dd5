use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::core::inventory::Inventory;
use crate::core::json::json;
use crate::core::object::Object;

/// A record of a commit, `minutes` after the epoch.
fn record(minutes: i64, commit: &str, outcome: RunOutcome, changed: usize) -> RunRecord {
    let started = Timestamp::from_second(minutes * 60).unwrap();
    RunRecord {
        id: record_id(started, u32::try_from(minutes).unwrap()),
        target: "prod".to_owned(),
        inventory: Inventory { name: "trueup-prod".to_owned(), namespace: "shop".to_owned() },
        repository: "f".repeat(40),
        cluster: RecordedCluster::default(),
        commit: RecordedCommit {
            id: commit.repeat(40),
            named: "main".to_owned(),
            subject: "Third replica for web".to_owned(),
            author: "Ann".to_owned(),
            time: started,
            dirty: false,
            signer: None,
            verdict: None,
        },
        before: None,
        cause: Cause::Deployment,
        by: RanBy::default(),
        started,
        ended: started,
        phases: Phases::default(),
        plan: "0".repeat(64),
        counts: BTreeMap::new(),
        objects: Vec::new(),
        more_objects: 0,
        images: Vec::new(),
        more_images: 0,
        outcome,
        changed,
        reason: None,
        health: None,
        rollback: None,
        requests: 0,
    }
}

fn sized(record: &RunRecord, bytes: usize) -> Summary {
    Summary { bytes, ..Summary::of(record) }
}

#[test]
fn a_record_survives_the_way_to_the_cluster_and_back() {
    let record = record(7, "a", RunOutcome::Healthy, 3);
    assert_eq!(record.id, "19700101T000700.000Z-000007");
    let body = stored_body(&record);
    assert_eq!(stored_record(&body), Some(record.clone()));
    assert_eq!(stored_record(&body[..body.len() / 2]), None);
    let summary = sized(&record, body.len());
    let huge = sized(&record, usize::MAX);
    let history = json!({ "metadata": {
        "annotations": {
            summary_annotation(&record.id): serde_json::to_string(&summary).unwrap(),
            "history.trueup.dev/huge": serde_json::to_string(&huge).unwrap(),
            "history.trueup.dev/broken": "{",
            "other": "x",
        },
        "managedFields": [
            { "fieldsV1": { "f:binaryData": { ".": {}, "f:alone": {}, "f:huge": {} } } },
            { "fieldsV1": { "f:binaryData": { format!("f:{}", record.id): {} } } },
        ],
    } });
    let history = Object::from(history.as_object().cloned().unwrap());
    assert_eq!(stored_summaries(&history), [summary]);
    let strays: Vec<String> = stored_strays(&history).into_iter().collect();
    assert_eq!(strays, ["alone", "broken", "huge"]);
}

#[test]
fn any_number_of_bytes_is_counted() {
    let sized = |minutes| sized(&record(minutes, "a", RunOutcome::Healthy, 1), usize::MAX);
    let kept = [sized(1), sized(2)];
    assert_eq!(bytes_of(&kept), usize::MAX);
    assert_eq!(records_to_drop(&kept), [kept[0].id.clone()].into());
}

#[test]
fn repeated_failures_go_before_older_deployments() {
    let mut kept: Vec<Summary> =
        (0..100).map(|at| sized(&record(at, "a", RunOutcome::Healthy, 1), 1000)).collect();
    kept.extend((100..201).map(|at| sized(&record(at, "b", RunOutcome::Failed, 0), 1000)));
    let dropped = records_to_drop(&kept);
    assert_eq!(dropped.into_iter().collect::<Vec<_>>(), [kept[101].id.clone()]);
}

#[test]
fn bytes_are_bounded_too_and_the_newest_stays() {
    let kept: Vec<Summary> =
        (0..3).map(|at| sized(&record(at, "a", RunOutcome::Healthy, 1), BYTES)).collect();
    let dropped = records_to_drop(&kept);
    assert_eq!(dropped.len(), 2);
    assert!(!dropped.contains(&kept[2].id));
}

fn log(records: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for at in 0..records {
        let record = record(i64::try_from(at).unwrap(), "a", RunOutcome::Healthy, 1);
        let line = LogLine::after(lines.last().map(String::as_str), at as u64 + 1, record);
        lines.push(line.text());
    }
    lines
}

/// How many lines the log of the tests has.
const HEAD: u64 = 5;

fn problems(lines: &[String], head: Option<&str>) -> Vec<(usize, LogProblem)> {
    let count = head.map_or(0, |_| HEAD);
    let head = head.map(|head| (count, head));
    let lines = lines.iter().map(String::as_str);
    verify_log(lines, LogEnds { head, ..LogEnds::default() })
        .into_iter()
        .map(|fault| (fault.at, fault.problem))
        .collect()
}

#[test]
fn tampering_with_a_log_shows() {
    let lines = log(5);
    let head = line_digest(&lines[4]);
    assert_eq!(problems(&lines, Some(&head)), []);
    let mut altered = lines.clone();
    altered[1] = altered[1].replace("healthy", "failed");
    assert_eq!(problems(&altered, Some(&head)), [(3, LogProblem::Altered)]);
    let mut missing = lines.clone();
    missing.drain(1..3);
    assert_eq!(problems(&missing, Some(&head)), [(2, LogProblem::Missing(2))]);
    let mut first = lines.clone();
    first.remove(0);
    assert_eq!(problems(&first, Some(&head)), [(1, LogProblem::Missing(1))]);
    assert_eq!(problems(&lines[..4], Some(&head)), [(5, LogProblem::Ends)]);
    let mut cut = lines.clone();
    cut[4].truncate(20);
    assert_eq!(problems(&cut, Some(&head)), [(5, LogProblem::Unreadable), (6, LogProblem::Ends)]);
    let mut swapped = lines;
    swapped.swap(1, 2);
    assert!(!problems(&swapped, Some(&head)).is_empty());
    assert_eq!(problems(&[], None), []);
}

#[test]
fn a_log_whose_oldest_lines_were_dropped_is_whole() {
    let lines = log(7);
    let head = (5, &*line_digest(&lines[4]));
    let previous = line_digest(&lines[1]);
    let ends = LogEnds { dropped: 2, previous: &previous, head: Some(head) };
    let verify = |lines: &[String], ends| verify_log(lines.iter().map(String::as_str), ends);
    assert_eq!(verify(&lines[2..], ends), [], "two lines more than were noted");
    let missing = LogFault { at: 1, problem: LogProblem::Missing(1) };
    assert_eq!(verify(&lines[3..], ends), [missing]);
    let ends = LogEnds { previous: "other", ..ends };
    let altered = LogFault { at: 1, problem: LogProblem::Altered };
    assert_eq!(verify(&lines[2..], ends), [altered]);
    let ends_early = LogFault { at: 1, problem: LogProblem::Ends };
    assert_eq!(verify(&[], ends), [ends_early]);
    let nothing = LogEnds { dropped: 7, previous: "x", head: Some((7, "x")) };
    assert_eq!(verify(&[], nothing), []);
}

proptest! {
    #[test]
    fn any_changed_byte_shows(line in 0_usize..5, at in 0_usize..200, byte in b'!'..b'~') {
        let mut lines = log(5);
        let head = line_digest(&lines[4]);
        let mut bytes = lines[line].clone().into_bytes();
        let at = at % bytes.len();
        prop_assume!(bytes[at] != byte);
        bytes[at] = byte;
        lines[line] = String::from_utf8(bytes).unwrap();
        prop_assert!(!problems(&lines, Some(&head)).is_empty());
    }

    #[test]
    fn what_stays_is_within_the_bounds(sizes in prop::collection::vec(1_usize..9000, 0..300)) {
        let kept: Vec<Summary> = sizes.iter().enumerate().map(|(at, size)| {
            let outcome = if size % 3 == 0 { RunOutcome::Failed } else { RunOutcome::Healthy };
            sized(&record(i64::try_from(at).unwrap(), "a", outcome, size % 2), *size)
        }).collect();
        let dropped = records_to_drop(&kept);
        let left = || kept.iter().filter(|it| !dropped.contains(&it.id));
        prop_assert!(left().count() <= COUNT);
        prop_assert!(left().map(|it| it.bytes).sum::<usize>() <= BYTES);
        prop_assert!(kept.last().is_none_or(|newest| !dropped.contains(&newest.id)));
        if kept.len() <= COUNT && sizes.iter().sum::<usize>() <= BYTES {
            prop_assert!(dropped.is_empty());
        }
    }
}
