//! The texts that stand for times and durations.

use jiff::Timestamp;
use jiff::tz::TimeZone;

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
