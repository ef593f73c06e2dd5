//! Screens of the status.

use jiff::Timestamp;

use super::*;
use crate::core::history::{Cause, RunOutcome, Summary};
use crate::core::object::ObjectKey;
use crate::core::status::{
    GitCommit, HealthCounts, Held, ImageStatus, RunningCommit, RunningImage, UnhealthyObject,
};

const NOW: &str = "2026-11-21T12:00:00Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn ago(seconds: i64) -> Timestamp {
    Timestamp::from_second(now().as_second() - seconds).unwrap()
}

fn runs(commit: &str, seconds: i64) -> Option<RunningCommit> {
    Some(RunningCommit {
        commit: commit.repeat(10),
        is_dirty: false,
        tracked: None,
        subject: Some("Third replica for web".to_owned()),
        author: Some("Author".to_owned()),
        since: Some(ago(seconds)),
        by: Some("ops@host".to_owned()),
    })
}

fn git(commit: &str) -> Option<GitCommit> {
    Some(GitCommit {
        commit: commit.repeat(10),
        named: "main".to_owned(),
        subject: "Third replica for web".to_owned(),
        author: "Author".to_owned(),
        time: ago(9000),
    })
}

fn ready(ready: usize) -> HealthCounts {
    HealthCounts { ready, ..HealthCounts::default() }
}

fn key(kind: &str, name: &str) -> ObjectKey {
    ObjectKey {
        group: String::new(),
        kind: kind.to_owned(),
        namespace: Some("shop".to_owned()),
        name: name.to_owned(),
    }
}

fn row(target: &str, state: SyncState) -> TargetStatus {
    let row = TargetStatus::unknown(target, String::new());
    TargetStatus { context: "shop.example".to_owned(), state, ..row }
}

fn rows() -> Vec<TargetStatus> {
    let failed = Summary {
        id: "1".to_owned(),
        target: "staging".to_owned(),
        commit: "77ab310".to_owned(),
        dirty: false,
        named: "main".to_owned(),
        subject: String::new(),
        author: String::new(),
        committed: ago(900),
        cause: Cause::Deployment,
        outcome: RunOutcome::Failed,
        changed: 1,
        user: "ops".to_owned(),
        host: "ci-7\u{1b}[2J".to_owned(),
        started: ago(720),
        ended: ago(700),
        restored: None,
        reason: Some("ConfigMap shop/a: denied by policy \"no-b\"".to_owned()),
        bytes: 0,
    };
    vec![
        TargetStatus {
            runs: runs("8be0", 7200),
            git: git("8be0"),
            health: ready(412),
            next_due: Some(ago(-12)),
            ..row("prod", SyncState::InSync)
        },
        TargetStatus {
            runs: runs("1c9e", 720),
            git: git("77ab"),
            drift: vec![key("Deployment", "web"), key("ConfigMap", "a")],
            health: HealthCounts {
                ready: 57,
                progressing: 0,
                failed: 1,
                first: Some(UnhealthyObject {
                    key: key("Deployment", "web"),
                    why: "1 of 3 ready; pod web-7d9f-x2x, container main: ImagePullBackOff".into(),
                }),
            },
            last: Some(failed),
            ..row("staging", SyncState::Behind(Some(1)))
        },
        TargetStatus {
            runs: runs("4f2c", 259_200),
            git: git("4f2c"),
            health: ready(40),
            held: Some(Held::Pinned { at: "4f2c".repeat(10) }),
            ..row("edge-1", SyncState::InSync)
        },
        TargetStatus {
            runs: runs("4f2c", 259_200),
            git: git("8be0"),
            health: ready(40),
            held: Some(Held::RolledBack { failed: "8be0".repeat(10) }),
            ..row("edge-2", SyncState::Behind(Some(3)))
        },
        TargetStatus { git: git("8be0"), ..row("new", SyncState::NotApplied) },
        row("odd", SyncState::Unknown("trueup.yaml:3:5: a path is missing".to_owned())),
    ]
}

fn contexts(error: Option<&str>) -> Vec<ContextView> {
    let of = |context: &str, error: Option<&str>| ContextView {
        context: context.to_owned(),
        server: "shop.example:6443".to_owned(),
        cluster_uid: None,
        error: error.map(str::to_owned),
        requests: 9,
    };
    let mut contexts = vec![of("shop.example", None)];
    contexts.extend(error.map(|error| of("us", Some(error))));
    contexts
}

fn shown(rows: &[TargetStatus], contexts: &[ContextView], format: StatusFormat) -> String {
    let view = StatusView {
        rows,
        contexts,
        fetched: Some(ago(300)),
        now: now(),
        has_images: true,
        requests: 14,
        elapsed: Duration::from_millis(210),
    };
    let mut out = Vec::new();
    write(&mut out, &view, format, Glyphs { utf8: true, width: Some(80) }).unwrap();
    anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string()
}

#[test]
fn one_line_for_each_target_and_more_only_where_something_is_wrong() {
    let text = shown(&rows(), &contexts(None), StatusFormat::Text);
    let expected = "\
TARGET   RUNS     SINCE       GIT      STATE            HEALTH
prod     8be08be  2 h ago     8be08be  in sync          412 ready
  \"Third replica for web\" · Author · applied by ops@host
staging  1c9e1c9  12 min ago  77ab77a  1 commit behind  57 ready, 1 failed
  \"Third replica for web\" · Author · applied by ops@host
  ~ Deployment shop/web differs, and 1 more
  ! Deployment shop/web: 1 of 3 ready; pod web-7d9f-x2x, container main:
    ImagePullBackOff
  ! the last round failed: 77ab310 by ops on ci-7\\x1b[2J 11 min ago: ConfigMap
    shop/a: denied by policy \"no-b\"
edge-1   4f2c4f2  3 days ago  4f2c4f2  in sync, pinned  40 ready
  \"Third replica for web\" · Author · applied by ops@host
edge-2   4f2c4f2  3 days ago  8be08be  rolled back      40 ready
  \"Third replica for web\" · Author · applied by ops@host
  ! 8be08be failed and was rolled back; watch does not apply it again
new      -        -           8be08be  not applied      -
odd      -        -           -        unknown          -
  ? trueup.yaml:3:5: a path is missing

6 targets · 2 good, 3 not good, 1 unknown · fetched 5 min ago
    watched, next round in 12 s · 14 requests · 0.2 s
";
    assert_eq!(text, expected, "\n{text}");
}

#[test]
fn context_that_fails_is_a_row_of_its_own() {
    let rows = [rows().remove(0)];
    let contexts = contexts(Some("no answer within 10 s"));
    let text = shown(&rows, &contexts, StatusFormat::Text);
    assert!(text.contains("TARGET  CONTEXT       RUNS"), "{text}");
    assert!(text.contains("\n  ? context us: no answer within 10 s\n"), "{text}");
    assert!(text.contains("1 target · 1 good · 1 context not reached"), "{text}");
    let page = shown(&rows, &contexts, StatusFormat::Markdown);
    assert!(page.contains("- context **us** was not reached: no answer within 10 s"), "{page}");
    let json = shown(&rows, &contexts, StatusFormat::Json);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["contexts"][1]["error"], "no answer within 10 s");
}

#[test]
fn images_are_shown_with_their_digests_and_where_they_differ() {
    let digest = |c: &str| Some(format!("sha256:{}", c.repeat(64)));
    let running = |image: &str, c: &str, pods| RunningImage {
        image: image.to_owned(),
        digest: digest(c),
        pods,
    };
    let image = |container: &str, running| ImageStatus {
        key: key("Deployment", "web"),
        container: container.to_owned(),
        declared: Some("web:2".to_owned()),
        running,
    };
    let images = vec![
        image("main", vec![running("web:2", "a", 2)]),
        image("side", vec![running("web:1", "b", 1), running("web:2", "a", 1)]),
    ];
    let rows = [TargetStatus { images, ..rows().remove(0) }];
    let text = shown(&rows, &contexts(None), StatusFormat::Text);
    let expected = "  = Deployment shop/web main: web:2
      sha256:aaaaaaaaaaaa on 2 pods
  ! Deployment shop/web side: web:2
      web:1 sha256:bbbbbbbbbbbb on 1 pod
      sha256:aaaaaaaaaaaa on 1 pod
";
    assert!(text.contains(expected), "{text}");
    let page = shown(&rows, &contexts(None), StatusFormat::Markdown);
    assert_eq!(page.matches("**differs**").count(), 1, "{page}");
}

#[test]
fn json_and_markdown_say_the_same() {
    let json = shown(&rows(), &contexts(None), StatusFormat::Json);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let states: Vec<&str> = json["targets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|target| target["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["in-sync", "behind", "in-sync", "behind", "not-applied", "unknown"]);
    let staging = &json["targets"][1];
    assert_eq!((&staging["commits"], &staging["good"]), (&1.into(), &false.into()));
    assert_eq!(staging["drift"][0]["name"], "web");
    assert_eq!(staging["last"]["outcome"], "failed");
    assert_eq!(json["targets"][3]["held"]["code"], "rolled-back");
    assert_eq!(json["targets"][0]["next_due"], "2026-11-21T12:00:12Z");
    let page = shown(&rows(), &contexts(None), StatusFormat::Markdown);
    assert!(page.contains("| staging | 1c9e1c9 | 2026-11-21 11&#58;48 UTC | 77ab77a |"), "{page}");
}

#[test]
fn rows_fit_a_narrow_terminal() {
    let drift = Summary {
        cause: Cause::Drift,
        outcome: RunOutcome::Healthy,
        user: "system:serviceaccount:trueup:watch".to_owned(),
        reason: None,
        ..rows()[1].last.clone().unwrap()
    };
    let long = "a-target-with-a-name-of-its-own-that-takes-all-the-room".to_owned();
    let subject = Some("A subject that goes on and on, \u{1b}[2J, to the end of the line".into());
    let runs = runs("8be0", 7200).map(|runs| RunningCommit { subject, ..runs });
    let one = TargetStatus { target: long, runs, last: Some(drift), ..rows().remove(0) };
    let two =
        TargetStatus { context: "a-context-of-some-length.example".to_owned(), ..one.clone() };
    let text = shown(&[one, two], &contexts(Some("no answer")), StatusFormat::Text);
    let widths: Vec<usize> = text.lines().map(unicode_width::UnicodeWidthStr::width).collect();
    assert!(widths.iter().all(|width| *width <= 80), "{text}");
    let row = text.lines().nth(3).unwrap();
    assert_eq!(
        row,
        "a-target-with-a…  a-context-of-s…  8be08be  2 h ago  8be08be  in sync  412 ready"
    );
    let below = text.lines().nth(2).unwrap();
    assert!(below.contains("drift put back by trueup:wa"), "{text}");
}
