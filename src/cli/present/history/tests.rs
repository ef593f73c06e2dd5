use std::collections::BTreeMap;

use unicode_width::UnicodeWidthStr as _;

use super::*;
use crate::core::history::{Cause, RunOutcome, Summary, deployments, ran_at, record_id};
use crate::core::inventory::Inventory;

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + minute * 60).unwrap()
}

fn run(target: &str, began: i64, subject: &str, outcome: RunOutcome) -> KnownRun {
    let summary = Summary {
        id: record_id(at(began), 7),
        target: target.to_owned(),
        commit: "8be01d3aa".to_owned(),
        dirty: false,
        named: "main".to_owned(),
        subject: subject.to_owned(),
        author: "Ann".to_owned(),
        committed: at(began - 5),
        cause: Cause::Deployment,
        outcome,
        changed: 3,
        user: "system:serviceaccount:ci:deployer".to_owned(),
        host: "ci-1".to_owned(),
        started: at(began),
        ended: at(began + 2),
        restored: (outcome == RunOutcome::RolledBack).then(|| "4f2c1a9bb".to_owned()),
        reason: None,
        bytes: 0,
    };
    let inventory = Inventory { name: format!("trueup-{target}"), namespace: "shop".to_owned() };
    KnownRun::in_short("ctx".to_owned(), inventory, summary)
}

fn view<'a>(answer: Answer<'a>) -> HistoryView<'a> {
    HistoryView {
        answer,
        known: 3,
        names_target: true,
        names_context: false,
        sources: Vec::new(),
        zone: TimeZone::UTC,
        requests: 2,
        elapsed: Duration::from_millis(120),
    }
}

fn written(view: &HistoryView<'_>, format: HistoryFormat, width: Option<usize>) -> String {
    let mut out = Vec::new();
    let glyphs = Glyphs { utf8: true, width };
    write(&mut out, view, format, glyphs, &mut |_, _, _| Ok(())).unwrap();
    let text = String::from_utf8(out).unwrap();
    anstream::adapter::strip_str(&text).to_string()
}

#[test]
fn rounds_are_a_line_each_and_fit() {
    let runs = [
        run(
            "prod",
            60,
            "Third replica for web, and a long end of the subject",
            RunOutcome::Healthy,
        ),
        run("staging", 30, "Short", RunOutcome::RolledBack),
        run("prod", 0, "Refused one", RunOutcome::Refused),
    ];
    let view = view(Answer::Runs(runs.iter().collect()));
    let expected = "\
✓ 2026-09-21 15:13 prod    8be01d3 Third replica for web,… · 2 min · ci:deployer
! 2026-09-21 14:43 staging 8be01d3 Short · 2 min · ci:deployer
    failed, rolled back to 4f2c1a9
! 2026-09-21 14:13 prod    8be01d3 Refused one · 2 min · ci:deployer
    refused
3 rounds · 2 requests · 0.1 s
";
    assert_eq!(written(&view, HistoryFormat::Text, Some(80)), expected);
    let markdown = written(&view, HistoryFormat::Markdown, None);
    assert!(markdown.starts_with("|  | began | target |"), "{markdown}");
    assert_eq!(markdown.lines().count(), 6);
}

#[test]
fn a_round_of_the_work_tree_is_not_shown_by_git() {
    let mut runs = [run("prod", 0, "Mine", RunOutcome::Healthy)];
    let text = |runs: &[KnownRun]| {
        let view = view(Answer::At { time: Timestamp::MAX, ran: ran_at(runs, Timestamp::MAX) });
        written(&view, HistoryFormat::Text, Some(80))
    };
    assert!(text(&runs).contains("git show 8be01d3\n"), "{}", text(&runs));
    runs[0].summary.dirty = true;
    let told = text(&runs);
    assert!(told.contains("8be01d3-dirty Mine") && told.contains("git can't show them"), "{told}");
    let told = written(&view(Answer::Runs(vec![&runs[0]])), HistoryFormat::Text, Some(80));
    assert!(told.contains("8be01d3-dirty Mine"), "{told}");
}

#[test]
fn what_a_round_put_right_is_named_by_what_it_was() {
    let mut round = run("prod", 0, "Fix", RunOutcome::Healthy);
    for (cause, changed, expected) in [
        (Cause::Drift, 3, "drift: 3 objects put back"),
        (Cause::Drift, 1, "drift: 1 object put back"),
        (Cause::Drift, 0, "nothing had to change"),
        (Cause::Cleanup, 2, "cleaned up: 2 objects"),
    ] {
        (round.summary.cause, round.summary.changed) = (cause, changed);
        assert_eq!(words::ending(&round).as_deref(), Some(expected));
    }
    round.summary.outcome = RunOutcome::Killed;
    let told = written(&view(Answer::Runs(vec![&round])), HistoryFormat::Text, Some(80));
    assert!(told.contains("Fix · ? · "), "{told}");
}

#[test]
fn a_window_of_hours_has_no_rate_of_a_day_and_long_names_fit() {
    let runs = [run(&"long-".repeat(20), 0, "Fix", RunOutcome::Healthy)];
    let window = Window { from: at(-30), until: at(30) };
    let view = view(Answer::Stats { window, deployments: deployments(&runs, window) });
    let text = written(&view, HistoryFormat::Text, Some(80));
    assert!(text.contains("(60 min)") && !text.contains("a day"), "{text}");
    assert!(text.contains("  1            7 min (1)"), "{text}");
}

#[test]
fn what_a_client_wrote_stays_in_its_place() {
    let mut hostile = run("=cmd|' /C calc'!A0", 0, "a\r\n::error::x\u{1b}[2J", RunOutcome::Failed);
    hostile.summary.commit = "é".repeat(5);
    hostile.summary.id = "no id".to_owned();
    (hostile.summary.started, hostile.summary.ended) = (Timestamp::MAX, Timestamp::MIN);
    let runs = [hostile];
    let all = Window { from: Timestamp::MIN, until: Timestamp::MAX };
    for answer in [
        Answer::Runs(runs.iter().collect()),
        Answer::At { time: Timestamp::MAX, ran: ran_at(&runs, Timestamp::MAX) },
        Answer::Stats { window: all, deployments: deployments(&runs, all) },
    ] {
        let view = view(answer);
        let text = written(&view, HistoryFormat::Text, Some(80));
        assert!(!text.contains('\u{1b}') && !text.contains('\r'), "{text:?}");
        assert!(!text.contains("\n::error"), "{text:?}");
        let csv = written(&view, HistoryFormat::Csv, None);
        let cells = csv.split(['\n', ',']).map(|cell| cell.trim_start_matches('"'));
        assert!(cells.clone().all(|cell| !cell.starts_with(['=', '@'])), "{csv}");
        let json = written(&view, HistoryFormat::Json, None);
        serde_json::from_str::<serde_json::Value>(&json).unwrap();
        written(&view, HistoryFormat::Markdown, None);
    }
}

#[test]
fn figures_name_their_definitions_and_gaps() {
    let runs = [
        run("prod", 60, "Fix", RunOutcome::Healthy),
        run("prod", 30, "Broken", RunOutcome::Failed),
        run("staging", 0, "First", RunOutcome::Failed),
    ];
    let mut runs = runs.to_vec();
    runs[1].summary.commit = "4f2c1a9bb".to_owned();
    let window = Window { from: at(-60), until: at(-60 + 30 * 24 * 60) };
    let view = view(Answer::Stats { window, deployments: deployments(&runs, window) });
    let text = written(&view, HistoryFormat::Text, Some(80));
    for part in [
        "2026-09-21 13:13 to 2026-10-21 13:13 (30 days)",
        "TARGET   DEPLOYMENTS     LEAD TIME  P90  FAILED    RESTORE     P90",
        "prod     2 (0.5 a week)  7 min (1)  -    1 (50%)   32 min (1)  -",
        "staging  1 (0.2 a week)  -          -    1 (100%)  -           -",
        "all      3 (0.7 a week)  7 min (1)  -    2 (67%)   32 min (1)  -",
        "the history begins 2026-09-21 14:13.",
        "1 failed and not healthy since.",
        "lead time: from the commit's time",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(text.lines().all(|line| line.width() <= 80), "{text}");
    let csv = written(&view, HistoryFormat::Csv, None);
    assert_eq!(csv.lines().count(), 4, "{csv}");
    let header = csv.lines().next().unwrap().split(',').count();
    assert!(csv.lines().all(|line| line.split(',').count() == header), "{csv}");
    let places: BTreeMap<&str, usize> =
        csv.lines().map(|line| (line.split(',').next().unwrap(), line.len())).collect();
    assert!(places.contains_key("") && places.contains_key("prod"));
}
