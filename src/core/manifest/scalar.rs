//! A text and its tag → the type that kubectl gives it: YAML 1.1 as goyaml.v2 understands it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::events::ScalarText;
use super::number;

/// A text that has its type.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Typed<'a> {
    Null,
    Bool(bool),
    Int(i64),
    /// An integer above [`i64::MAX`].
    Big(u64),
    Float(f64),
    Text(std::borrow::Cow<'a, str>),
}

/// A value does not fit its tag; holds what it was to be.
#[derive(Debug, PartialEq)]
pub(super) struct TagMismatch(pub(super) &'static str);

const PREFIX: &str = "tag:yaml.org,2002:";

/// The typed value; without a tag and with quotes it is text.
pub(super) fn typed(scalar: &ScalarText) -> Result<Typed<'_>, TagMismatch> {
    let text = scalar.text.as_str();
    let Some(tag) = &scalar.tag else {
        return Ok(if scalar.plain { plain(text) } else { as_text(text) });
    };
    match (tag.strip_prefix(PREFIX), plain(text)) {
        (Some("null"), Typed::Null) => Ok(Typed::Null),
        (Some("null"), _) => Err(TagMismatch("null")),
        (Some("bool"), value @ Typed::Bool(_)) => Ok(value),
        (Some("bool"), _) => Err(TagMismatch("a boolean")),
        (Some("int"), value @ (Typed::Int(_) | Typed::Big(_))) => Ok(value),
        (Some("int"), _) => Err(TagMismatch("an integer")),
        (Some("float"), value @ Typed::Float(_)) => Ok(value),
        (Some("float"), Typed::Int(value)) => Ok(Typed::Float(value as f64)),
        (Some("float"), _) => Err(TagMismatch("a number")),
        (Some("timestamp"), _) if is_time(text) => Ok(as_text(text)),
        (Some("timestamp"), _) => Err(TagMismatch("a time")),
        (Some("binary"), _) => binary(text),
        _ if tag.is_empty() => Ok(plain(text)),
        _ => Ok(as_text(text)),
    }
}

/// Whether a plain number or boolean is written in another way than JSON writes it.
pub(super) fn is_own_way(text: &str, typed: &Typed) -> bool {
    match typed {
        Typed::Null | Typed::Text(_) => false,
        Typed::Bool(value) => text != if *value { "true" } else { "false" },
        Typed::Int(value) => text != value.to_string(),
        Typed::Big(_) => true,
        Typed::Float(value) => number::wire(*value).is_some_and(|value| value != text),
    }
}

/// Whether this key of a map puts another map's keys into it.
pub(super) fn is_merge(scalar: &ScalarText) -> bool {
    let tag = scalar.tag.as_deref();
    scalar.text == "<<"
        && (tag.is_none() && scalar.plain
            || tag.and_then(|t| t.strip_prefix(PREFIX)) == Some("merge"))
}

fn as_text(text: &str) -> Typed<'_> {
    Typed::Text(text.into())
}

fn plain(text: &str) -> Typed<'_> {
    let Some(&first) = text.as_bytes().first() else { return Typed::Null };
    match first {
        b'0'..=b'9' | b'+' | b'-' | b'.' => number(text).unwrap_or_else(|| as_text(text)),
        b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~' => match text {
            "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" | "true" | "True" | "TRUE" => {
                Typed::Bool(true)
            }
            "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" | "false" | "False"
            | "FALSE" => Typed::Bool(false),
            "~" | "null" | "Null" | "NULL" => Typed::Null,
            _ => as_text(text),
        },
        _ => as_text(text),
    }
}

fn number(text: &str) -> Option<Typed<'static>> {
    match text {
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => {
            return Some(Typed::Float(f64::INFINITY));
        }
        "-.inf" | "-.Inf" | "-.INF" => return Some(Typed::Float(f64::NEG_INFINITY)),
        ".nan" | ".NaN" | ".NAN" => return Some(Typed::Float(f64::NAN)),
        _ => {}
    }
    if text.starts_with('.') && !underscores_between_digits(text) {
        return None;
    }
    let digits: std::borrow::Cow<str> =
        if text.contains('_') { text.replace('_', "").into() } else { text.into() };
    integer(&digits)
        .or_else(|| float(&digits).map(Typed::Float))
        // Go's parser is given what follows `0b`, and takes a sign there.
        .or_else(|| i64::from_str_radix(digits.strip_prefix("0b")?, 2).ok().map(Typed::Int))
}

/// Go's rule for what begins with a dot.
fn underscores_between_digits(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().enumerate().all(|(at, &byte)| {
        let is_digit =
            |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
        byte != b'_' || is_digit(at.checked_sub(1)) && is_digit(Some(at + 1))
    })
}

fn integer(text: &str) -> Option<Typed<'static>> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (base, digits) = match unsigned.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &unsigned[2..]),
        [b'0', b'o' | b'O', ..] => (8, &unsigned[2..]),
        [b'0', b'b' | b'B', ..] => (2, &unsigned[2..]),
        [b'0', _, ..] => (8, &unsigned[1..]),
        _ => (10, unsigned),
    };
    if !digits.starts_with(|first: char| first.is_ascii_alphanumeric()) {
        return None;
    }
    let value = u64::from_str_radix(digits, base).ok()?;
    if text.starts_with('-') {
        return 0_i64.checked_sub_unsigned(value).map(Typed::Int);
    }
    match i64::try_from(value) {
        Ok(value) => Some(Typed::Int(value)),
        Err(_) => (!text.starts_with('+')).then_some(Typed::Big(value)),
    }
}

/// Digits with a sign, a dot and an exponent at most; what overflows is text.
fn float(text: &str) -> Option<f64> {
    let is_written = |byte: u8| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-');
    let value: f64 = if text.bytes().all(is_written) { text.parse().ok()? } else { return None };
    value.is_finite().then_some(value)
}

fn binary(text: &str) -> Result<Typed<'_>, TagMismatch> {
    let text: String = text.chars().filter(|char| !matches!(char, '\n' | '\r')).collect();
    let bytes = STANDARD.decode(text).map_err(|_| TagMismatch("base64"))?;
    Ok(Typed::Text(String::from_utf8_lossy(&bytes).into_owned().into()))
}

/// Whether it is a date, with or without a time, as goyaml.v2's four forms have it.
fn is_time(text: &str) -> bool {
    let Some((date, time)) = text
        .split_once(['T', 't'])
        .map(|(date, time)| (date, Some((time, true))))
        .or_else(|| text.split_once(' ').map(|(date, time)| (date, Some((time, false)))))
        .or(Some((text, None)))
    else {
        return false;
    };
    is_date(date) && time.is_none_or(|(time, zoned)| is_clock(time, zoned))
}

fn is_date(date: &str) -> bool {
    let parts: Vec<&str> = date.split('-').collect();
    let [year, month, day] = parts[..] else { return false };
    let (Some(month), Some(day)) = (small(month), small(day)) else { return false };
    year.len() == 4
        && year.bytes().all(|byte| byte.is_ascii_digit())
        && jiff::civil::Date::new(year.parse().unwrap_or(0), month, day).is_ok()
}

fn is_clock(time: &str, zoned: bool) -> bool {
    let (time, zone) = match time.find(['Z', '+', '-']) {
        Some(at) if zoned => time.split_at(at),
        None if !zoned => (time, "Z"),
        _ => return false,
    };
    let parts: Vec<&str> = time.split(':').collect();
    let [hour, minute, second] = parts[..] else { return false };
    let (second, fraction) = second.split_once('.').unwrap_or((second, "0"));
    let zone_is_good = zone == "Z"
        || zone[1..].split_once(':').is_some_and(|(hours, minutes)| {
            hours.len() == 2
                && minutes.len() == 2
                && small(hours).is_some_and(|hours| hours <= 24)
                && small(minutes).is_some_and(|minutes| minutes < 60)
        });
    zone_is_good
        && small(hour).is_some_and(|hour| hour < 24)
        && small(minute).is_some_and(|minute| minute < 60)
        && small(second).is_some_and(|second| second < 60)
        && !fraction.is_empty()
        && fraction.bytes().all(|byte| byte.is_ascii_digit())
}

/// One or two digits.
fn small(text: &str) -> Option<i8> {
    let good = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if good { text.parse().ok() } else { None }
}
