//! Times: CEL's timestamps and durations, and the texts that stand for them.

use jiff::civil::Weekday;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp, Zoned};

use super::{Entry, global, method, mismatch, text, text_at};
use crate::core::cel::EvaluationError;
use crate::core::cel::node::Binary;
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

/// The time of a text by RFC 3339.
pub fn timestamp(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let is_plain = bytes.len() >= 20 && bytes[4] == b'-' && bytes[10].eq_ignore_ascii_case(&b'T');
    text.parse().ok().filter(|_| is_plain)
}

/// The start of a day, in UTC.
pub fn date(text: &str) -> Option<Timestamp> {
    let date: jiff::civil::Date = text.parse().ok().filter(|_| text.len() == 10)?;
    date.to_zoned(TimeZone::UTC).ok().map(|time| time.timestamp())
}

/// The nanoseconds of a duration as Go writes it.
pub fn duration(text: &str) -> Option<i64> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    let mut total: i128 = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(end);
        let end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        let unit: i128 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return None,
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
            return None;
        }
        let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        let mut part = whole.checked_mul(unit)?;
        let mut below = unit;
        for digit in fraction.bytes() {
            below /= 10;
            part = part.checked_add(i128::from(digit - b'0') * below)?;
        }
        total = total.checked_add(part)?;
        rest = after;
    }
    i64::try_from(total * sign).ok()
}

/// A time as CEL writes it.
pub fn written(time: Timestamp) -> String {
    time.to_string()
}

/// A duration in seconds, as CEL writes it.
pub fn seconds(nanos: i64) -> String {
    let (sign, nanos) = (if nanos < 0 { "-" } else { "" }, nanos.unsigned_abs());
    let (whole, fraction) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    match fraction {
        0 => format!("{sign}{whole}s"),
        _ => format!("{sign}{whole}.{}s", format!("{fraction:09}").trim_end_matches('0')),
    }
}

/// The sum or the difference of times and durations; `None` of other values.
pub fn sum<'o>(
    operator: Binary,
    left: &ExpressionValue<'o>,
    right: &ExpressionValue<'o>,
) -> Option<Result<ExpressionValue<'o>, &'static str>> {
    let moved = |time: &Timestamp, nanos: Option<i64>| {
        let time = nanos.and_then(|nanos| time.checked_add(SignedDuration::from_nanos(nanos)).ok());
        time.map(ExpressionValue::Time).ok_or("Overflow of a time")
    };
    let long =
        |nanos: Option<i64>| nanos.map(ExpressionValue::Span).ok_or("Overflow of a duration");
    match (operator, left, right) {
        (Binary::Add, ExpressionValue::Time(time), ExpressionValue::Span(nanos))
        | (Binary::Add, ExpressionValue::Span(nanos), ExpressionValue::Time(time)) => {
            Some(moved(time, Some(*nanos)))
        }
        (Binary::Subtract, ExpressionValue::Time(time), ExpressionValue::Span(nanos)) => {
            Some(moved(time, nanos.checked_neg()))
        }
        (Binary::Subtract, ExpressionValue::Time(one), ExpressionValue::Time(two)) => {
            let nanos = one.as_nanosecond().checked_sub(two.as_nanosecond());
            Some(long(nanos.and_then(|nanos| i64::try_from(nanos).ok())))
        }
        (Binary::Add, ExpressionValue::Span(one), ExpressionValue::Span(two)) => {
            Some(long(one.checked_add(*two)))
        }
        (Binary::Subtract, ExpressionValue::Span(one), ExpressionValue::Span(two)) => {
            Some(long(one.checked_sub(*two)))
        }
        _ => None,
    }
}
