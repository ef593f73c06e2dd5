//! Times: CEL's timestamps and durations.

use jiff::civil::Weekday;
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, Zoned};

use super::{Entry, global, method, mismatch, text, text_at};
use crate::core::cel::EvaluationError;
use crate::core::cel::moments::{duration, timestamp};
use crate::core::cel::value::ExpressionValue;

pub(super) const FUNCTIONS: &[Entry] = &[
    global("timestamp", 1, 1, |_, a| match &a[0] {
        ExpressionValue::Time(_) => Ok(a[0].clone()),
        ExpressionValue::Int(seconds) => Timestamp::from_second(*seconds)
            .map(ExpressionValue::Time)
            .map_err(|_| EvaluationError::stopped("timestamp(): out of range")),
        value => timestamp(text(value)?)
            .map(ExpressionValue::Time)
            .ok_or_else(|| EvaluationError::stopped("timestamp(): a text is not a time")),
    }),
    global("duration", 1, 1, |_, a| match &a[0] {
        ExpressionValue::Span(_) => Ok(a[0].clone()),
        value => duration(text(value)?)
            .map(ExpressionValue::Span)
            .ok_or_else(|| EvaluationError::stopped("duration(): a text is not a duration")),
    }),
    method("getFullYear", 1, 2, |_, a| part(a, |time| time.year().into())),
    method("getMonth", 1, 2, |_, a| part(a, |time| i64::from(time.month()) - 1)),
    method("getDate", 1, 2, |_, a| part(a, |time| time.day().into())),
    method("getDayOfMonth", 1, 2, |_, a| part(a, |time| i64::from(time.day()) - 1)),
    method("getDayOfYear", 1, 2, |_, a| part(a, |time| i64::from(time.day_of_year()) - 1)),
    method("getDayOfWeek", 1, 2, |_, a| {
        part(a, |time| i64::from(time.weekday().since(Weekday::Sunday)))
    }),
    method("getHours", 1, 2, |_, a| span(a, 3_600_000_000_000, |time| time.hour().into())),
    method("getMinutes", 1, 2, |_, a| span(a, 60_000_000_000, |time| time.minute().into())),
    method("getSeconds", 1, 2, |_, a| span(a, 1_000_000_000, |time| time.second().into())),
    method("getMilliseconds", 1, 2, |_, a| part(a, |time| time.millisecond().into())),
];

/// The part of a time, in UTC or a zone that is named.
fn part<'o>(
    a: &[ExpressionValue<'o>],
    part: fn(&Zoned) -> i64,
) -> Result<ExpressionValue<'o>, EvaluationError> {
    let ExpressionValue::Time(time) = &a[0] else { return Err(mismatch()) };
    let zone = match text_at(a, 1)? {
        None | Some("UTC" | "") => TimeZone::UTC,
        Some(name) => offset(name).ok_or_else(|| {
            EvaluationError::unsupported("a time zone that is not UTC or an offset such as +01:00")
        })?,
    };
    Ok(ExpressionValue::Int(part(&time.to_zoned(zone))))
}

fn offset(name: &str) -> Option<TimeZone> {
    let (sign, rest) = match name.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, name.strip_prefix('+').unwrap_or(name)),
    };
    let (hours, minutes) = rest.split_once(':')?;
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    let is_sound = (0..24).contains(&hours) && (0..60).contains(&minutes);
    let seconds = sign * (hours * 3600 + minutes * 60);
    Offset::from_seconds(seconds).ok().filter(|_| is_sound).map(TimeZone::fixed)
}

/// The length of a duration in whole units, or the part of a time.
fn span<'o>(
    a: &[ExpressionValue<'o>],
    unit: i64,
    of: fn(&Zoned) -> i64,
) -> Result<ExpressionValue<'o>, EvaluationError> {
    match &a[0] {
        ExpressionValue::Span(nanos) if a.len() == 1 => Ok(ExpressionValue::Int(nanos / unit)),
        _ => part(a, of),
    }
}
