//! Whether windows are closed now, and when they open.
//!
//! A window is a list of instants between which it holds. Times that the clocks show twice, or never, are
//! decided for the side of waiting: a `deny` holds until the second time, an `allow` until the first, and
//! a time that is skipped is when the clocks are put forward.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp, ToSpan as _};

use super::zone::Twice;
use super::{DriftRule, Window};
use crate::core::object::GroupKind;

/// How many days ahead an opening is looked for: more than a year.
const AHEAD: i64 = 400;
/// How many days back a span may have begun.
const BACK: i64 = 2;

/// That windows are closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// When they open; `None` where that is more than a year ahead.
    pub until: Option<Timestamp>,
    /// The window that keeps them closed, in words.
    pub by: String,
}

/// A window with the times at which it holds, in their order.
struct Timed<'a> {
    window: &'a Window,
    times: Vec<(Timestamp, Timestamp)>,
}

/// Whether the windows are closed for a change of these kinds at the time `now`; `None` where they are
/// open. Of drift that is put back, only those count that hold that, too. Unknown kinds are `None`.
pub fn closed(
    windows: &[Window],
    kinds: Option<&BTreeSet<GroupKind>>,
    is_drift: bool,
    now: Timestamp,
) -> Option<Closed> {
    let counts =
        |window: &&Window| window.is_about(kinds) && (!is_drift || window.drift == DriftRule::Hold);
    let timed: Vec<Timed<'_>> =
        windows.iter().filter(counts).map(|window| Timed::around(window, now)).collect();
    let by = closing(&timed, now)?.to_string();
    let changes =
        timed.iter().flat_map(|timed| &timed.times).flat_map(|(begin, end)| [*begin, *end]);
    let later: BTreeSet<Timestamp> = changes.filter(|change| *change > now).collect();
    // Times after the last days are not known.
    let known = now.checked_add(SignedDuration::from_hours(24 * (AHEAD - BACK)));
    let known = known.unwrap_or(Timestamp::MAX);
    let mut later = later.into_iter().take_while(|at| *at <= known);
    let until = later.find(|at| closing(&timed, *at).is_none());
    Some(Closed { until, by })
}

/// The window that is closed at a time: any that denies it, or one that allows others. Those that allow
/// are alternatives where they are about the same kinds.
fn closing<'a>(timed: &[Timed<'a>], at: Timestamp) -> Option<&'a Window> {
    let is_denied = |it: &&Timed<'_>| it.window.allow.is_empty() && it.holds(at);
    if let Some(denied) = timed.iter().find(is_denied) {
        return Some(denied.window);
    }
    let allows = || timed.iter().filter(|it| !it.window.allow.is_empty());
    let is_outside = |it: &&Timed<'_>| {
        let mut alike = allows().filter(|other| other.window.kinds == it.window.kinds);
        !alike.any(|other| other.holds(at))
    };
    allows().find(is_outside).map(|outside| outside.window)
}

impl<'a> Timed<'a> {
    /// The window with its times from a few days before `now` to more than a year after.
    fn around(window: &'a Window, now: Timestamp) -> Self {
        let is_allow = !window.allow.is_empty();
        let (first, second) = match is_allow {
            true => (Twice::Second, Twice::First),
            false => (Twice::First, Twice::Second),
        };
        let today = window.zone.civil(now).date();
        let days = (-BACK..=AHEAD).filter_map(|days| today.checked_add(days.days()).ok());
        let mut times = Vec::new();
        for day in days {
            for (begin, end) in window.spans().iter().filter_map(|span| span.on(day)) {
                let begin = window.zone.instant(begin, first);
                let end = window.zone.instant(end, second);
                times.extend(begin.zip(end).filter(|(begin, end)| begin < end));
            }
        }
        times.sort_unstable();
        let mut joined: Vec<(Timestamp, Timestamp)> = Vec::with_capacity(times.len());
        for (begin, end) in times {
            match joined.last_mut() {
                Some(last) if begin <= last.1 => last.1 = last.1.max(end),
                _ => joined.push((begin, end)),
            }
        }
        Self { window, times: joined }
    }

    fn holds(&self, at: Timestamp) -> bool {
        let later = self.times.partition_point(|(begin, _)| *begin <= at);
        later.checked_sub(1).is_some_and(|index| at < self.times[index].1)
    }
}
