//! Who changed what and which commit says otherwise, as lines under a change.

use std::io::{self, Write};

use anstyle::Style;
use jiff::Timestamp;
use unicode_width::UnicodeWidthStr as _;

use super::text::WIDTH;
use super::{Glyphs, PlanView};
use crate::attribution::{Attribution, Story, Writer};
use crate::object::ObjectKey;
use crate::plan::Change;
use crate::problem::Place;
use crate::snapshot::{Authorship, short};

/// What stands before such a line, its mark with it.
const INDENT: usize = 6;
/// How many groups of fields are told of one object.
const MOST: usize = 8;

/// Writes why a change is as it is, as far as it is known.
///
/// # Errors
///
/// When `out` does not take it.
pub(super) fn write(
    out: &mut impl Write,
    change: &Change,
    view: &PlanView<'_>,
    glyphs: Glyphs,
) -> io::Result<()> {
    let dim = Style::new().dimmed();
    let mut line = |line: &str| writeln!(out, "    {dim}{}{dim:#}", glyphs.inert(line));
    if let Some(removal) = view.explained.removed.get(&change.key) {
        line(&format!("removed by {}", authorship(removal, view.now)))?;
    }
    let groups = groups(&change.key, view);
    for group in groups.iter().take(MOST) {
        let mut mark = if glyphs.utf8 { "▲" } else { "^" };
        for told in told(group, view.now) {
            line(&format!("{mark} {told}"))?;
            mark = " ";
        }
    }
    match groups.len().saturating_sub(MOST) {
        0 => Ok(()),
        more => line(&format!("  and {more} more")),
    }
}

/// The fields of an object that have one story.
fn groups<'a>(key: &ObjectKey, view: &PlanView<'a>) -> Vec<Vec<&'a Attribution>> {
    let mut groups: Vec<Vec<&Attribution>> = Vec::new();
    for field in view.explained.fields.get(key).into_iter().flatten() {
        let is_alike = |group: &&mut Vec<&Attribution>| {
            (&group[0].story, &group[0].declared) == (&field.story, &field.declared)
        };
        match groups.iter_mut().find(is_alike) {
            Some(group) => group.push(field),
            None => groups.push(vec![field]),
        }
    }
    groups
}

/// One story, line by line.
fn told(group: &[&Attribution], now: Timestamp) -> Vec<String> {
    let Attribution { path, story, place, declared } = group[0];
    let (what, is) = match group.len() - 1 {
        0 => (path.clone(), "is"),
        1 => (format!("{path} and 1 more field"), "are"),
        more => (format!("{path} and {more} more fields"), "are"),
    };
    let declared = says(declared.as_ref(), place.as_ref(), now);
    let commit = |verb: &str| declared.map(|declared| format!("{verb} {declared}"));
    match story {
        Story::Drift(writers) => {
            let mut lines = fitted(format!("{what} {is}"), names(writers, now));
            lines.extend(commit("declared"));
            lines
        }
        Story::Changed => fitted(what, commit("changed").unwrap_or_else(|| "changed".to_owned())),
        Story::Declared => {
            fitted(what, commit("declared").unwrap_or_else(|| "declared".to_owned()))
        }
        Story::Released(writers) => {
            let left = match writers.as_slice() {
                [] => "what is left is the server's default".to_owned(),
                writers => format!("what is left is {}", names(writers, now)),
            };
            vec![format!("{what} {is} no longer declared"), left]
        }
    }
}

/// On one line where it fits.
fn fitted(what: String, then: String) -> Vec<String> {
    let line = format!("{what} {then}");
    if line.width() + INDENT <= WIDTH { vec![line] } else { vec![what, then] }
}

/// `in 4f2c1a9, AUTHOR, 3 days ago · web.yaml:14`.
fn says(declared: Option<&Authorship>, place: Option<&Place>, now: Timestamp) -> Option<String> {
    let place = place.map(|place| format!("{}:{}", place.path, place.line));
    let written = declared.map(|declared| format!("in {}", authorship(declared, now)));
    match (written, place) {
        (Some(written), Some(place)) => Some(format!("{written}, {place}")),
        (None, Some(place)) => Some(format!("at {place}")),
        (written, None) => written,
    }
}

/// `4f2c1a9, AUTHOR, 3 days ago`.
fn authorship(by: &Authorship, now: Timestamp) -> String {
    format!("{}, {}, {}", short(&by.commit), by.author, ago(by.time, now))
}

/// `kubectl-scale's (scale), 12 min ago` and others.
fn names(writers: &[Writer], now: Timestamp) -> String {
    let name = |writer: &Writer| {
        let through = match writer.subresource.as_str() {
            "" => String::new(),
            part => format!(" ({part})"),
        };
        let time = writer.time.map(|time| format!(" {}", ago(time, now))).unwrap_or_default();
        format!("{}{through}{time}", writer.manager)
    };
    format!("set by {}", writers.iter().map(name).collect::<Vec<_>>().join(", "))
}

/// How long ago something was, as people say it: `12 min ago`.
pub(super) fn ago(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second().saturating_sub(then.as_second());
    let days = seconds / 86_400;
    match (seconds, days) {
        (..=4, _) => "just now".to_owned(),
        (5..=59, _) => format!("{seconds} s ago"),
        (60..=3599, _) => format!("{} min ago", seconds / 60),
        (3600..=86_399, _) => format!("{} h ago", seconds / 3600),
        (_, 1) => "1 day ago".to_owned(),
        (_, ..=60) => format!("{days} days ago"),
        _ => format!("on {}", then.strftime("%Y-%m-%d")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_told_as_people_say_it() {
        let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        for (seconds, words) in [
            (-3, "just now"),
            (2, "just now"),
            (59, "59 s ago"),
            (125, "2 min ago"),
            (7300, "2 h ago"),
            (86_400, "1 day ago"),
            (3 * 86_400 + 5, "3 days ago"),
            (100 * 86_400, "on 2026-08-13"),
        ] {
            let then = Timestamp::from_second(now.as_second() - seconds).unwrap();
            assert_eq!(ago(then, now), words);
        }
    }
}
