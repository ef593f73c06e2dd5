//! The explanation of fields as lines: the fields, the event and its time.

use jiff::Timestamp;
use unicode_width::UnicodeWidthStr as _;

use crate::core::attribution::FieldWriter;

/// The indent of such a line, its mark included.
pub(super) const INDENT: usize = 6;

/// How times are told.
#[derive(Clone, Copy, Debug)]
pub(super) enum TimeStyle {
    /// As long as ago as they are now: `12 min ago`.
    Ago(Timestamp),
    /// By date and time, for what is read later.
    Dates,
}

impl TimeStyle {
    pub(super) fn format(self, time: Timestamp) -> String {
        match self {
            Self::Ago(now) => ago(time, now),
            Self::Dates => format!("on {}", time.strftime("%Y-%m-%d at %H:%M UTC")),
        }
    }
}

/// Why some fields of an object are as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Explanation {
    /// The fields.
    pub(super) what: String,
    /// The event; may be empty.
    pub(super) then: String,
    /// More lines.
    pub(super) also: Vec<String>,
}

impl Explanation {
    /// As lines, few where they fit.
    pub(super) fn lines(self, columns: usize) -> Vec<String> {
        let Self { what, then, also } = self;
        let line = format!("{what} {then}");
        let mut lines = match then.is_empty() {
            true => vec![what],
            false if line.width() + INDENT <= columns => vec![line],
            false => vec![what, then],
        };
        lines.extend(also);
        lines
    }
}

/// `kubectl (scale), set 12 min ago` and others.
pub(super) fn names(writers: &[FieldWriter], times: TimeStyle) -> String {
    let name = |writer: &FieldWriter| {
        let through = match writer.subresource.as_str() {
            "" => String::new(),
            part => format!(" ({part})"),
        };
        let time = writer.time.map(|time| format!(", set {}", times.format(time)));
        format!("{}{through}{}", writer.manager, time.unwrap_or_default())
    };
    writers.iter().map(name).collect::<Vec<_>>().join("; ")
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
    fn age_is_relative_then_a_date() {
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
