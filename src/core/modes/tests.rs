//! A row for each state of a target: whether it is held, and why.

use super::*;
use crate::core::json::json;
use crate::core::object::Object;

fn at(text: &str) -> Timestamp {
    format!("2026-03-01T{text}Z").parse().unwrap()
}

/// The notes of an inventory's parent that has this annotation.
fn holding(suspended: Option<&str>) -> Holding {
    let mut annotations = json!({});
    if let Some(text) = suspended {
        annotations[SUSPENDED] = text.into();
    }
    let parent = json!({ "metadata": { "annotations": annotations } });
    Holding::read(&Object::from(parent.as_object().cloned().unwrap()))
}

/// Whether a target in mode enforce is held.
fn held(holding: &Holding, passes: Passes, now: &str) -> Option<Hold> {
    let mode = TargetMode::Enforce;
    let (commit, known, now) = (Some(NEW), [Some(APPLIED), Some(HEALTHY)], at(now));
    let (windows, kinds) = (&[][..], None);
    hold(&HoldFacts { mode, windows, kinds, holding, commit, known, passes, now })
}

const NEW: &str = "4f2c1a94f2c1a94f2c1a94f2c1a94f2c1a94f2c1a";
const APPLIED: &str = "8be01d38be01d38be01d38be01d38be01d38be01d";
const HEALTHY: &str = "77ab31077ab31077ab31077ab31077ab31077ab31";

const OPEN: &str = r#"{"by":"ops@host","at":"2026-03-01T12:00:00Z","reason":"stock-taking"}"#;
const TIMED: &str = r#"{"by":"ops@host","at":"2026-03-01T12:00:00Z","until":"2026-03-01T14:00:00Z","reason":"stock-taking"}"#;

#[test]
fn suspension_holds_until_its_end() {
    for (annotation, now, expected) in [
        (None, "12:30:00", None),
        (Some(OPEN), "11:00:00", Some("suspended by ops@host until it is resumed: stock-taking")),
        (Some(OPEN), "23:59:59", Some("suspended by ops@host until it is resumed: stock-taking")),
        (
            Some(TIMED),
            "13:59:59",
            Some("suspended by ops@host until 2026-03-01T14:00:00Z: stock-taking"),
        ),
        (Some(TIMED), "14:00:00", None),
        (Some(TIMED), "14:00:01", None),
    ] {
        let found = held(&holding(annotation), Passes::default(), now);
        let words = found.map(|held| held.words());
        assert_eq!(words.as_deref(), expected, "{annotation:?} {now}");
        assert_eq!(
            held(&holding(annotation), Passes { suspended: true, ..Passes::default() }, now),
            None
        );
    }
}

#[test]
fn suspension_that_cannot_be_read_holds() {
    for annotation in [
        "",
        "true",
        "{}",
        "null",
        r#"{"by":"a","at":"soon","reason":"b"}"#,
        r#"{"by":"a","at":"2026-03-01T12:00:00Z","until":"yesterday","reason":"b"}"#,
        r#"{"by":"a","at":"2026-03-01T12:00:00Z","reason":"b","kinds":["Job"]}"#,
    ] {
        let held = held(&holding(Some(annotation)), Passes::default(), "23:00:00").unwrap();
        assert!(matches!(held.cause, HoldCause::Unreadable(_)), "{annotation}");
        assert_eq!((held.until, held.ends_soon(at("23:00:00"))), (None, false));
        let begin =
            "suspended until it is resumed: the annotation trueup.dev/suspended can't be read: ";
        assert!(held.words().starts_with(begin), "{}", held.words());
    }
    let long = held(&holding(Some(&"x".repeat(100_000))), Passes::default(), "00:00:00");
    assert!(long.unwrap().words().len() < 1000);
}

#[test]
fn end_of_a_suspension_is_told_before_it_comes() {
    for (annotation, now, expected) in [
        (OPEN, "13:59:00", false),
        (TIMED, "13:44:59", false),
        (TIMED, "13:45:00", true),
        (TIMED, "13:59:59", true),
    ] {
        let held = held(&holding(Some(annotation)), Passes::default(), now).unwrap();
        assert_eq!(held.ends_soon(at(now)), expected, "{annotation} {now}");
    }
    // Of a short one, its last quarter.
    let short = TIMED.replace("14:00", "12:20");
    let soon = |now| {
        let held = held(&holding(Some(&short)), Passes::default(), now);
        held.is_some_and(|held| held.ends_soon(at(now)))
    };
    assert_eq!([soon("12:14:59"), soon("12:15:00")], [false, true]);
}

#[test]
fn hold_is_otherwise_at_its_end_and_when_that_is_told() {
    let suspended = |annotation: &str, now: &str| {
        held(&holding(Some(annotation)), Passes::default(), now).unwrap()
    };
    let closed = |until: Option<&str>| {
        let by = "deny Fri, UTC".to_owned();
        Hold { cause: HoldCause::Closed { by, is_drift: false }, until: until.map(at) }
    };
    let detected = Hold { cause: HoldCause::Detect, until: None };
    for (hold, now, expected) in [
        (suspended(OPEN, "12:30:00"), "12:30:00", None),
        (suspended("incident", "12:30:00"), "12:30:00", None),
        (suspended(TIMED, "12:30:00"), "12:30:00", Some("13:45:00")),
        (suspended(TIMED, "13:45:00"), "13:45:00", Some("14:00:00")),
        // Its end came while it was looked at.
        (suspended(TIMED, "13:59:59"), "14:00:01", Some("14:00:00")),
        (closed(Some("22:00:00")), "21:00:00", Some("22:00:00")),
        (closed(None), "21:00:00", None),
        (detected, "21:00:00", None),
    ] {
        assert_eq!(hold.next_change(at(now)), expected.map(at), "{hold:?} at {now}");
    }
}

#[test]
fn reason_from_outside_is_one_bounded_line() {
    let suspension = Suspension {
        by: "a\nb".to_owned(),
        at: at("12:00:00"),
        until: None,
        reason: format!("c\u{1b}[2J\r\n{}", "d".repeat(100_000)),
    };
    let holding = holding(Some(&suspension.text()));
    assert_eq!(holding.suspended, Some(Ok(suspension)));
    let words = held(&holding, Passes::default(), "12:00:00").unwrap().words();
    assert!(words.starts_with("suspended by a; b until it is resumed: c\\x1b[2J; dd"), "{words}");
    assert!(words.len() < 1000 && !words.contains('\n'), "{words}");
}

#[test]
fn mode_says_what_waits() {
    let release = |commit: &str| {
        let (by, commit) = ("ops@host".to_owned(), commit.to_owned());
        let released = Some(Ok(Release { commit, by, at: at("12:00:00") }));
        Holding { released, ..Holding::default() }
    };
    let none = Holding::default;
    let unreadable = || Holding { released: Some(Err("no JSON".to_owned())), ..Holding::default() };
    let suspended = || holding(Some(OPEN));
    let both = || Holding { suspended: suspended().suspended, ..release(NEW) };
    let (plain, pass) = (Passes::default(), Passes { release: true, ..Passes::default() });
    use TargetMode::{Detect, Enforce, Hold as Held};
    for (mode, holding, commit, passes, expected, heals) in [
        (Enforce, none(), Some(NEW), plain, None, false),
        (Enforce, none(), None, plain, None, false),
        (Enforce, suspended(), Some(APPLIED), plain, Some("suspended by ops@host"), false),
        (Detect, none(), Some(APPLIED), plain, Some("in mode detect"), false),
        (Detect, release(NEW), Some(NEW), pass, Some("in mode detect"), false),
        (Detect, suspended(), Some(NEW), plain, Some("suspended by ops@host"), false),
        (Held, none(), Some(APPLIED), plain, None, false),
        (Held, none(), Some(HEALTHY), plain, None, false),
        (Held, none(), Some(NEW), plain, Some("in mode hold, and 4f2c1a9 is not released"), true),
        (Held, none(), None, plain, Some("in mode hold, and the work tree is not released"), true),
        (Held, release(APPLIED), Some(NEW), plain, Some("in mode hold, and 4f2c1a9 is not"), true),
        (Held, release(NEW), Some(NEW), plain, None, false),
        (Held, release(NEW), None, plain, Some("in mode hold, and the work tree"), true),
        (Held, both(), Some(NEW), plain, Some("suspended by ops@host"), false),
        (Held, none(), Some(NEW), pass, None, false),
        (
            Held,
            unreadable(),
            Some(NEW),
            plain,
            Some(
                "in mode hold, and 4f2c1a9 is not released; the annotation trueup.dev/released \
                can't be read: no JSON",
            ),
            true,
        ),
        (Held, unreadable(), Some(APPLIED), plain, None, false),
    ] {
        let known = [Some(APPLIED), Some(HEALTHY)];
        let now = at("13:00:00");
        let (windows, kinds, holding) = (&[][..], None, &holding);
        let facts = HoldFacts { mode, windows, kinds, holding, commit, known, passes, now };
        let found = hold(&facts);
        let words = found.as_ref().map(super::Hold::words);
        let is_so = match (&words, expected) {
            (Some(words), Some(expected)) => words.starts_with(expected),
            (None, None) => true,
            _ => false,
        };
        assert!(is_so, "{facts:?}: {words:?}");
        assert_eq!(found.is_some_and(|found| found.heals()), heals, "{facts:?}");
    }
    // A target that was never applied has nothing to go back to.
    let facts = HoldFacts {
        mode: Held,
        windows: &[],
        kinds: None,
        holding: &none(),
        commit: Some(NEW),
        known: [None, None],
        passes: plain,
        now: at("13:00:00"),
    };
    assert!(hold(&facts).is_some());
    assert!(hold(&HoldFacts { commit: None, ..facts }).is_some());
}

#[test]
fn release_that_cannot_be_read_releases_nothing() {
    for text in ["", NEW, "{}", r#"{"commit":"4f2c1a9"}"#] {
        let annotations = json!({ RELEASED: text });
        let parent = json!({ "metadata": { "annotations": annotations } });
        let holding = Holding::read(&Object::from(parent.as_object().cloned().unwrap()));
        assert!(matches!(holding.released, Some(Err(_))), "{text}");
    }
    let release = Release { commit: NEW.to_owned(), by: "a".to_owned(), at: at("12:00:00") };
    let parent = json!({ "metadata": { "annotations": { RELEASED: release.text() } } });
    let holding = Holding::read(&Object::from(parent.as_object().cloned().unwrap()));
    assert_eq!(holding.released, Some(Ok(release)));
}

#[test]
fn closed_window_holds_what_may_be_applied_else() {
    let window = |yaml: &str| vec![serde_yaml::from_str::<windows::Window>(yaml).unwrap()];
    let by_night = window("{allow: '22:00-06:00'}");
    let with_drift = window("{deny: '08:00-18:00', drift: hold}");
    let (none, plain) = (Holding::default(), Passes::default());
    let suspended = holding(Some(OPEN));
    let kinds = BTreeSet::from([GroupKind::new("apps", "StatefulSet")]);
    let facts = HoldFacts {
        mode: TargetMode::Enforce,
        windows: &by_night,
        kinds: Some(&kinds),
        holding: &none,
        commit: Some(NEW),
        known: [Some(APPLIED), Some(HEALTHY)],
        passes: plain,
        now: at("13:00:00"),
    };
    let words = |facts: &HoldFacts<'_>| hold(facts).map(|hold| (hold.words(), hold.heals()));
    let closed = "outside its windows until 2026-03-01T22:00:00Z: allow 22:00-06:00, UTC";
    assert_eq!(words(&facts), Some((closed.to_owned(), true)));
    let drift = HoldFacts { commit: Some(APPLIED), ..facts };
    assert_eq!(words(&drift), None);
    assert_eq!(words(&HoldFacts { commit: Some(HEALTHY), ..facts }), None);
    let closed = "outside its windows until 2026-03-01T18:00:00Z: deny 08:00-18:00, UTC";
    let held = HoldFacts { windows: &with_drift, ..drift };
    assert_eq!(words(&held), Some((closed.to_owned(), false)));
    assert_eq!(words(&HoldFacts { now: at("18:00:00"), ..held }), None);
    assert_eq!(words(&HoldFacts { now: at("22:00:00"), ..facts }), None);
    assert_eq!(words(&HoldFacts { passes: Passes { windows: true, ..plain }, ..facts }), None);
    // A commit that changes no object closes nothing.
    assert_eq!(words(&HoldFacts { kinds: Some(&BTreeSet::new()), ..facts }), None);
    let first = |facts: &HoldFacts<'_>| words(facts).unwrap().0;
    assert!(first(&HoldFacts { mode: TargetMode::Hold, ..facts }).contains("is not released"));
    assert!(first(&HoldFacts { holding: &suspended, ..facts }).starts_with("suspended by"));
    let released =
        HoldFacts { mode: TargetMode::Hold, passes: Passes { release: true, ..plain }, ..facts };
    assert!(first(&released).starts_with("outside its windows"));
}
