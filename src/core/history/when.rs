//! Times as people write them: a date, a date with a time of day, or how long ago.

use jiff::civil::{Date, DateTime, Time};
use jiff::{Span, Timestamp, ToSpan as _, Zoned};

/// The end of a day that a date alone stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DayEdge {
    /// Where it begins.
    Begin,
    /// Where the next one begins.
    End,
}

/// The forms that [`time`] takes, in words.
pub const FORMS: &str = "2026-10-03, 2026-10-03T14:00, \"3 days ago\", 2w, yesterday";

/// The time that `text` names, as of `now`, whose time zone is that of a text without one. `None` where
/// it names none.
pub fn time(text: &str, now: &Zoned, edge: DayEdge) -> Option<Timestamp> {
    let text = text.trim();
    let zone = now.time_zone();
    let zoned = |at: DateTime| at.to_zoned(zone.clone()).ok().map(|at| at.timestamp());
    let day = |date: Date| match edge {
        DayEdge::Begin => zoned(date.to_datetime(Time::midnight())),
        DayEdge::End => zoned(date.tomorrow().ok()?.to_datetime(Time::midnight())),
    };
    match text.to_ascii_lowercase().as_str() {
        "now" => return Some(now.timestamp()),
        "today" => return day(now.date()),
        "yesterday" => return day(now.date().yesterday().ok()?),
        _ => {}
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    // A date with a time of day is a date too, so that one is tried before.
    if text.contains(':')
        && let Ok(at) = text.parse::<DateTime>()
    {
        return zoned(at);
    }
    if text.len() <= "2026-10-03".len()
        && let Ok(date) = text.parse::<Date>()
    {
        return day(date);
    }
    now.checked_sub(ago(text)?).ok().map(|at| at.timestamp())
}

/// The span in `3 days ago`, `3.days.ago`, `2w` or `1h30m`.
fn ago(text: &str) -> Option<Span> {
    let text = text.to_ascii_lowercase();
    let text = text.strip_suffix("ago").unwrap_or(&text);
    let is_gap = |c: char| c == ' ' || c == '.' || c == '_';
    let mut rest = text.trim_matches(is_gap);
    if rest.is_empty() {
        return None;
    }
    let mut span = Span::new();
    while !rest.is_empty() {
        let (count, after) = split_where(rest, |c| !c.is_ascii_digit());
        let (unit, after) = split_where(after.trim_start_matches(is_gap), |c| !c.is_alphabetic());
        let count: i64 = count.parse().ok()?;
        let one: Span = match unit {
            "s" | "sec" | "secs" | "second" | "seconds" => 1.second(),
            "m" | "min" | "mins" | "minute" | "minutes" => 1.minute(),
            "h" | "hour" | "hours" => 1.hour(),
            "d" | "day" | "days" => 1.day(),
            "w" | "week" | "weeks" => 1.week(),
            "mo" | "month" | "months" => 1.month(),
            "y" | "year" | "years" => 1.year(),
            _ => return None,
        };
        span = add(span, one.checked_mul(count).ok()?)?;
        rest = after.trim_start_matches(is_gap);
    }
    Some(span)
}

/// Two spans together, unit by unit.
fn add(span: Span, other: Span) -> Option<Span> {
    let sum = |one: i64, other: i64| one.checked_add(other);
    let small = |one: i32, other: i32| one.checked_add(other);
    let years = span.get_years().checked_add(other.get_years())?;
    span.try_years(years)
        .and_then(|it| {
            it.try_months(small(span.get_months(), other.get_months()).unwrap_or(i32::MAX))
        })
        .and_then(|it| it.try_weeks(small(span.get_weeks(), other.get_weeks()).unwrap_or(i32::MAX)))
        .and_then(|it| it.try_days(small(span.get_days(), other.get_days()).unwrap_or(i32::MAX)))
        .and_then(|it| it.try_hours(small(span.get_hours(), other.get_hours()).unwrap_or(i32::MAX)))
        .and_then(|it| {
            it.try_minutes(sum(span.get_minutes(), other.get_minutes()).unwrap_or(i64::MAX))
        })
        .and_then(|it| {
            it.try_seconds(sum(span.get_seconds(), other.get_seconds()).unwrap_or(i64::MAX))
        })
        .ok()
}

fn split_where(text: &str, ends: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(ends).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        let now: Zoned = "2026-10-05T12:30:00[Europe/Berlin]".parse().unwrap();
        for (text, edge, expected) in [
            ("now", DayEdge::Begin, "2026-10-05T10:30:00Z"),
            ("2026-10-03", DayEdge::Begin, "2026-10-02T22:00:00Z"),
            ("2026-10-03", DayEdge::End, "2026-10-03T22:00:00Z"),
            ("today", DayEdge::Begin, "2026-10-04T22:00:00Z"),
            ("Yesterday", DayEdge::Begin, "2026-10-03T22:00:00Z"),
            ("2026-10-03T14:00", DayEdge::End, "2026-10-03T12:00:00Z"),
            ("2026-10-03 14:00:05", DayEdge::Begin, "2026-10-03T12:00:05Z"),
            ("2026-10-03T14:00:00Z", DayEdge::Begin, "2026-10-03T14:00:00Z"),
            ("2026-10-03T14:00+05:00", DayEdge::Begin, "2026-10-03T09:00:00Z"),
            ("3 days ago", DayEdge::Begin, "2026-10-02T10:30:00Z"),
            ("3.days.ago", DayEdge::End, "2026-10-02T10:30:00Z"),
            ("2w", DayEdge::Begin, "2026-09-21T10:30:00Z"),
            ("1h30m", DayEdge::Begin, "2026-10-05T09:00:00Z"),
            ("1 month 2 days ago", DayEdge::Begin, "2026-09-03T10:30:00Z"),
        ] {
            let expected: Timestamp = expected.parse().unwrap();
            assert_eq!(time(text, &now, edge), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_names_no_time_is_none() {
        let now: Zoned = "2026-10-05T12:30:00[UTC]".parse().unwrap();
        for text in [
            "",
            " ",
            "ago",
            "soon",
            "3",
            "3 parsecs",
            "-3 days",
            "2026-13-01",
            "2026-02-30",
            "99999999999999999999d",
            "9223372036854775807w",
            "99999y",
            "2026-10-03T25:00",
            "1h 2",
            "２d",
        ] {
            assert_eq!(time(text, &now, DayEdge::Begin), None, "{text:?}");
        }
    }
}
