//! A row for each moment: whether windows are closed, and until when.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::*;

fn windows(yaml: &str) -> Vec<Window> {
    serde_yaml::from_str(yaml).unwrap()
}

fn kinds(names: &[&str]) -> BTreeSet<GroupKind> {
    names.iter().map(|name| GroupKind::parse(name)).collect()
}

/// Until when the windows are closed for a change of these kinds; `open` where they are not.
fn until(yaml: &str, names: &[&str], now: &str) -> String {
    let now: Timestamp = now.parse().unwrap();
    match closed(&windows(yaml), Some(&kinds(names)), false, now) {
        None => "open".to_owned(),
        Some(Closed { until: None, .. }) => "never".to_owned(),
        Some(Closed { until: Some(until), .. }) => until.to_string(),
    }
}

const OFFICE: &str = "[{allow: 'Mon-Fri 09:00-17:00', zone: Europe/Berlin}]";
const NIGHT: &str = "[{deny: 'Mon-Fri 22:00-06:00', zone: Europe/Berlin}]";
const FREEZE: &str = "[{deny: '2026-12-20..2027-01-02', zone: Europe/Berlin}]";
const BOTH: &str =
    "[{allow: 'Mon-Fri 09:00-17:00'}, {allow: 'Sat 10:00-12:00'}, {deny: 'Fri 12:00-24:00'}]";
const STATEFUL: &str = "[{deny: ['08:00-12:00', '13:00-18:00'], kinds: [StatefulSet]}]";
const NEITHER: &str = "[{allow: 'Mon'}, {allow: 'Sat', kinds: [StatefulSet.apps]}]";

#[test]
fn windows_open_and_close() {
    // 2026-03-02 is a Monday; Berlin is an hour ahead of UTC, and two in summer.
    for (yaml, names, now, expected) in [
        ("[]", &["Job.batch"][..], "2026-03-02T00:00:00Z", "open"),
        (OFFICE, &["Job.batch"], "2026-03-02T07:59:59Z", "2026-03-02T08:00:00Z"),
        (OFFICE, &["Job.batch"], "2026-03-02T08:00:00Z", "open"),
        (OFFICE, &["Job.batch"], "2026-03-02T15:59:59Z", "open"),
        (OFFICE, &["Job.batch"], "2026-03-02T16:00:00Z", "2026-03-03T08:00:00Z"),
        (OFFICE, &["Job.batch"], "2026-03-06T16:00:00Z", "2026-03-09T08:00:00Z"),
        (OFFICE, &[], "2026-03-02T07:59:59Z", "open"),
        // Across midnight: the night from Friday to Saturday is one of Friday.
        (NIGHT, &["Job.batch"], "2026-03-06T20:59:59Z", "open"),
        (NIGHT, &["Job.batch"], "2026-03-06T21:00:00Z", "2026-03-07T05:00:00Z"),
        (NIGHT, &["Job.batch"], "2026-03-07T04:59:59Z", "2026-03-07T05:00:00Z"),
        (NIGHT, &["Job.batch"], "2026-03-07T22:00:00Z", "open"),
        (NIGHT, &["Job.batch"], "2026-03-09T02:00:00Z", "open"),
        (FREEZE, &["Job.batch"], "2026-12-19T22:59:59Z", "open"),
        (FREEZE, &["Job.batch"], "2026-12-19T23:00:00Z", "2027-01-02T23:00:00Z"),
        (FREEZE, &["Job.batch"], "2028-01-01T00:00:00Z", "open"),
        // Any of several that allow, and none that denies.
        (BOTH, &["Job.batch"], "2026-03-06T11:00:00Z", "open"),
        (BOTH, &["Job.batch"], "2026-03-06T12:00:00Z", "2026-03-07T10:00:00Z"),
        (BOTH, &["Job.batch"], "2026-03-07T11:00:00Z", "open"),
        (BOTH, &["Job.batch"], "2026-03-07T12:00:00Z", "2026-03-09T09:00:00Z"),
        // Of some kinds.
        (STATEFUL, &["Job.batch"], "2026-03-02T09:00:00Z", "open"),
        (
            STATEFUL,
            &["Job.batch", "StatefulSet.apps"],
            "2026-03-02T09:00:00Z",
            "2026-03-02T12:00:00Z",
        ),
        (STATEFUL, &["StatefulSet.apps"], "2026-03-02T12:30:00Z", "open"),
        (STATEFUL, &["StatefulSet.apps"], "2026-03-02T13:00:00Z", "2026-03-02T18:00:00Z"),
        (NEITHER, &["Job.batch"], "2026-03-02T09:00:00Z", "open"),
        (NEITHER, &["StatefulSet.apps"], "2026-03-02T09:00:00Z", "never"),
        (NEITHER, &["StatefulSet.kruise.io"], "2026-03-02T09:00:00Z", "open"),
        ("[{deny: '00:00-24:00'}]", &["Job.batch"], "2026-03-02T09:00:00Z", "never"),
        ("[{allow: '2020-01-01'}]", &["Job.batch"], "2026-03-02T09:00:00Z", "never"),
    ] {
        assert_eq!(until(yaml, names, now), expected, "{yaml} {names:?} {now}");
    }
}

#[test]
fn clocks_that_are_changed_never_let_more_through() {
    // In Berlin 2026-03-29 02:00 is 03:00, and 2026-10-25 03:00 is 02:00 again.
    let zone = "zone: Europe/Berlin";
    let deny = format!("[{{deny: '01:30-02:30', {zone}}}]");
    let skipped = format!("[{{deny: '02:15-02:45', {zone}}}]");
    let from_gap = format!("[{{deny: '02:30-04:00', {zone}}}]");
    let allow_gap = format!("[{{allow: '02:30-04:00', {zone}}}]");
    let deny_late = format!("[{{deny: '02:30-04:00', {zone}}}]");
    let allow = format!("[{{allow: '01:30-02:30', {zone}}}]");
    let allow_late = format!("[{{allow: '02:30-04:00', {zone}}}]");
    for (yaml, now, expected) in [
        // The gap is from 01:00 UTC on: 02:30 is when the clocks are put forward.
        (&deny, "2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z"),
        (&deny, "2026-03-29T01:00:00Z", "open"),
        (&skipped, "2026-03-29T00:59:59Z", "open"),
        (&skipped, "2026-03-29T01:00:00Z", "open"),
        (&from_gap, "2026-03-29T00:59:59Z", "open"),
        (&from_gap, "2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z"),
        (&allow_gap, "2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z"),
        (&allow_gap, "2026-03-29T02:00:00Z", "2026-03-30T00:30:00Z"),
        // 02:30 is there twice, at 00:30 and at 01:30 UTC: a deny lasts from the first to the second.
        (&deny, "2026-10-24T23:30:00Z", "2026-10-25T01:30:00Z"),
        (&deny, "2026-10-25T00:45:00Z", "2026-10-25T01:30:00Z"),
        (&deny, "2026-10-25T01:30:00Z", "open"),
        (&deny_late, "2026-10-25T00:29:59Z", "open"),
        (&deny_late, "2026-10-25T00:30:00Z", "2026-10-25T03:00:00Z"),
        // An allow ends with the first, and begins with the second.
        (&allow, "2026-10-25T00:29:59Z", "open"),
        (&allow, "2026-10-25T00:30:00Z", "2026-10-26T00:30:00Z"),
        (&allow_late, "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"),
        (&allow_late, "2026-10-25T01:30:00Z", "open"),
    ] {
        assert_eq!(until(yaml, &["Job.batch"], now), expected, "{yaml} {now}");
    }
}

#[test]
fn drift_waits_only_where_a_window_says_so() {
    let now: Timestamp = "2026-03-02T09:00:00Z".parse().unwrap();
    let job = kinds(&["Job.batch"]);
    let held =
        |yaml: &str, is_drift: bool| closed(&windows(yaml), Some(&job), is_drift, now).is_some();
    let deny = "[{deny: '08:00-18:00'}]";
    let hold = "[{deny: '08:00-18:00', drift: hold}]";
    assert_eq!([held(deny, false), held(deny, true)], [true, false]);
    assert_eq!([held(hold, false), held(hold, true)], [true, true]);
    // Of unknown kinds only a window about all kinds counts.
    let unknown = |yaml: &str| closed(&windows(yaml), None, false, now).map(|closed| closed.by);
    assert_eq!(unknown(deny).as_deref(), Some("deny 08:00-18:00, UTC"));
    assert_eq!(unknown(STATEFUL), None);
    let by =
        closed(&windows(STATEFUL), Some(&kinds(&["StatefulSet.apps"])), false, now).unwrap().by;
    assert_eq!(by, "deny 08:00-12:00, 13:00-18:00, UTC, of StatefulSet");
}

#[test]
fn spans_are_read_as_people_write_them() {
    for text in [
        "Mon-Fri 09:00-17:00",
        "sat,SUN",
        "Fri-Mon",
        "Mon,Wed-Fri 00:00-24:00",
        "22:00-06:00",
        "2026-12-24",
        "2026-12-20..2027-01-02 Mon-Fri 08:00-12:00",
    ] {
        assert_eq!(Span::read(text).map(|span| span.to_string()).as_deref(), Ok(text));
    }
    for text in [
        "",
        "Monday",
        "9-17",
        "9:00-17:00",
        "09:00-25:00",
        "09:60-17:00",
        "09:00-09:00",
        "24:00-06:00",
        "09:00-17:00 Mon",
        "Mon-",
        "Mon 09:00",
        "2027-01-02..2026-12-20",
        "2026-13-01",
        "* * * * *",
        "+9:00-17:00",
    ] {
        let wrong = Span::read(text).unwrap_err();
        assert!(
            wrong.starts_with(&format!("invalid span {text:?}: expected \"Mon-Fri")),
            "{wrong}"
        );
    }
}

#[test]
fn windows_that_cannot_be_meant_are_errors() {
    let wrong = |yaml: &str| first_fault(&windows(yaml)).unwrap();
    let (deny, missing) = ("{deny: 'Mon'}", "a key is missing: allow or deny");
    assert_eq!(wrong(&format!("[{deny}, {{}}]")), (1, missing.to_owned()));
    assert_eq!(wrong("[{allow: []}]"), (0, missing.to_owned()));
    assert!(wrong("[{allow: 'Mon', deny: 'Tue'}]").1.starts_with("allow and deny exclude"));
    assert!(wrong("[{allow: 'Mon', kinds: ['']}]").1.starts_with("kinds: a name"));
    let many = format!("[{}]", vec![deny; SPANS + 1].join(","));
    assert!(wrong(&many).1.starts_with("there are 51 spans"));
    assert_eq!(first_fault(&windows(&format!("[{deny}]"))), None);
    for yaml in [
        "{allow: 'Mon', zone: Berlin}",
        "{allow: 'Mon', zone: ''}",
        "{allow: 9}",
        "{allow: 'Mon', drift: ignore}",
        "{allow: 'Mon', kind: Job}",
    ] {
        assert!(serde_yaml::from_str::<Window>(yaml).is_err(), "{yaml}");
    }
    assert_eq!(Zone::read("europe/berlin").unwrap().to_string(), "Europe/Berlin");
}
