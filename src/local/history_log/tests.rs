use std::collections::BTreeMap;

use jiff::Timestamp;

use super::*;
use crate::core::history::{
    Cause, Phases, RanBy, RecordedCluster, RecordedCommit, RunOutcome, record_id,
};
use crate::core::inventory::Inventory;

pub(crate) fn record(number: u32) -> RunRecord {
    let started = Timestamp::from_second(i64::from(number) * 60).unwrap();
    RunRecord {
        id: record_id(started, number),
        target: "prod".to_owned(),
        inventory: Inventory { name: "trueup-prod".to_owned(), namespace: "shop".to_owned() },
        repository: "f".repeat(40),
        cluster: RecordedCluster::default(),
        commit: RecordedCommit {
            id: "a".repeat(40),
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
        outcome: RunOutcome::Healthy,
        changed: 1,
        reason: None,
        health: None,
        rollback: None,
        requests: 0,
    }
}

/// A log with so many records.
fn log(folder: &Path, records: u32) -> HistoryLog {
    let log = HistoryLog::new(folder.join("history"));
    (1..=records).for_each(|number| log.append(&record(number)).unwrap());
    log
}

fn problems(log: &HistoryLog) -> Vec<(usize, LogProblem)> {
    log.verify().unwrap().faults.iter().map(|fault| (fault.line, fault.problem)).collect()
}

fn edit(log: &HistoryLog, with: impl Fn(String) -> String) {
    let path = log.segment(1);
    fs::write(&path, with(fs::read_to_string(&path).unwrap())).unwrap();
}

#[test]
fn records_are_read_back_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let log = log(folder.path(), 3);
    assert_eq!(log.records().unwrap(), [record(1), record(2), record(3)]);
    let check = log.verify().unwrap();
    assert_eq!(check, LogCheck { lines: 3, ..LogCheck::default() });
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(log.folder()), 0o700);
        for name in [HEAD, LOCK, "runs-000001.jsonl"] {
            assert_eq!(mode(&log.folder().join(name)), 0o600, "{name}");
        }
    }
    let none = HistoryLog::new(folder.path().join("none"));
    assert_eq!((none.records().unwrap(), none.verify().unwrap()), (vec![], LogCheck::default()));
    assert!(!none.folder().exists(), "to read makes nothing");
}

#[test]
fn lines_that_are_gone_or_altered_show() {
    for (edited, expected) in [
        (1_usize, vec![(2, LogProblem::Missing(1))]),
        (0, vec![(1, LogProblem::Missing(1))]),
        (3, vec![(4, LogProblem::Ends)]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let log = log(folder.path(), 4);
        edit(&log, |text| {
            let lines = text.lines().enumerate().filter(|(at, _)| *at != edited);
            lines.map(|(_, line)| format!("{line}\n")).collect()
        });
        assert_eq!(problems(&log), expected);
    }
    let folder = tempfile::tempdir().unwrap();
    let log = log(folder.path(), 3);
    edit(&log, |text| text.replacen("healthy", "failed!", 1));
    // An unknown outcome makes no record, and another word changes the digest.
    assert_eq!(problems(&log), [(1, LogProblem::Unreadable), (2, LogProblem::Altered)]);
    edit(&log, |_| String::new());
    assert_eq!(problems(&log), [(1, LogProblem::Ends)]);
    fs::remove_file(log.folder().join(HEAD)).unwrap();
    log.append(&record(9)).unwrap();
    fs::remove_file(log.folder().join(HEAD)).unwrap();
    assert_eq!(problems(&log), [(2, LogProblem::Ends)], "without its head");
}

#[test]
fn a_log_without_its_lock_file_is_read_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let log = log(folder.path(), 3);
    fs::remove_file(log.folder().join(LOCK)).unwrap();
    assert_eq!(log.records().unwrap().len(), 3);
    edit(&log, |text| text.lines().take(2).map(|line| format!("{line}\n")).collect());
    assert_eq!(problems(&log), [(3, LogProblem::Ends)]);
    fs::remove_file(log.segment(1)).unwrap();
    assert_eq!(problems(&log), [(1, LogProblem::Ends)]);
    fs::remove_file(log.folder().join(HEAD)).unwrap();
    assert_eq!(log.verify().unwrap(), LogCheck::default(), "there is no log");
}

#[test]
fn a_line_that_was_cut_off_is_ended_and_shows() {
    let folder = tempfile::tempdir().unwrap();
    let log = log(folder.path(), 2);
    // As of a run that was killed while it wrote.
    edit(&log, |text| format!("{text}{{\"line\":3,\"prev"));
    assert_eq!(problems(&log), [(3, LogProblem::Unreadable)]);
    log.append(&record(4)).unwrap();
    log.append(&record(5)).unwrap();
    assert_eq!(problems(&log), [(3, LogProblem::Unreadable)]);
    assert_eq!(log.records().unwrap(), [record(1), record(2), record(4), record(5)]);
}

#[test]
fn a_line_whose_head_was_not_written_counts() {
    let folder = tempfile::tempdir().unwrap();
    let log = log(folder.path(), 2);
    let head = fs::read(log.folder().join(HEAD)).unwrap();
    log.append(&record(3)).unwrap();
    fs::write(log.folder().join(HEAD), head).unwrap();
    assert_eq!(problems(&log), []);
    log.append(&record(4)).unwrap();
    assert_eq!(problems(&log), []);
    assert_eq!(log.records().unwrap().len(), 4);
}

#[test]
fn oldest_files_are_dropped_and_the_chain_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let bounds = LogBounds { bytes: 1500, files: 3 };
    let log = HistoryLog { folder: folder.path().join("history"), bounds };
    (1..=40).for_each(|number| log.append(&record(number)).unwrap());
    let check = log.verify().unwrap();
    assert_eq!(check.faults, []);
    assert!(check.dropped > 0 && check.lines as u64 + check.dropped == 40, "{check:?}");
    let head = log.head().unwrap().unwrap();
    assert_eq!(log.segments(&head).unwrap().len(), 3);
    assert_eq!(log.records().unwrap().last(), Some(&record(40)));
    let first = log.segment(head.first);
    let text = fs::read_to_string(&first).unwrap();
    let lines = text.lines().skip(1).map(|line| format!("{line}\n")).collect::<String>();
    fs::write(&first, lines).unwrap();
    assert!(!log.verify().unwrap().faults.is_empty());
}

#[test]
fn many_writers_make_one_chain() {
    let folder = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let log = HistoryLog::new(folder.path().join("history"));
            scope.spawn(move || {
                (0..10).for_each(|at| log.append(&record(writer * 10 + at)).unwrap());
            });
        }
    });
    let log = HistoryLog::new(folder.path().join("history"));
    assert_eq!(log.verify().unwrap(), LogCheck { lines: 40, ..LogCheck::default() });
    assert_eq!(log.records().unwrap().len(), 40);
}

#[cfg(unix)]
#[test]
fn links_are_refused_and_what_they_lead_to_stays() {
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other");
    fs::write(&other, "mine\n").unwrap();
    let log = log(folder.path(), 1);
    fs::remove_file(log.segment(1)).unwrap();
    std::os::unix::fs::symlink(&other, log.segment(1)).unwrap();
    assert!(log.append(&record(2)).is_err());
    assert!(log.records().is_err());
    assert_eq!(fs::read_to_string(&other).unwrap(), "mine\n");
    let linked = folder.path().join("linked");
    std::os::unix::fs::symlink(log.folder(), &linked).unwrap();
    assert!(HistoryLog::new(linked).append(&record(2)).is_err());
}
