//! `format()`: cel-go's `ext/formatting.go`.

use super::{elements, made, mismatch, text, times};
use crate::core::cel::EvaluationError;
use crate::core::cel::evaluate::{Evaluation, EvaluationResult};
use crate::core::cel::value::ExpressionValue;

pub(super) fn format<'o>(
    e: &mut Evaluation<'o, '_>,
    a: &[ExpressionValue<'o>],
) -> EvaluationResult<'o> {
    let (pattern, mut values) = (text(&a[0])?, elements(&a[1])?.into_iter());
    let mut written = String::new();
    let mut letters = pattern.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            written.push(letter);
            continue;
        }
        if letters.next_if_eq(&'%').is_some() {
            written.push('%');
            continue;
        }
        let mut precision = None;
        if letters.next_if_eq(&'.').is_some() {
            let mut digits = String::new();
            while let Some(digit) = letters.next_if(char::is_ascii_digit) {
                digits.push(digit);
            }
            precision = digits.parse::<usize>().ok().filter(|digits| *digits <= 100);
            precision.ok_or_else(mismatch)?;
        }
        let clause = letters.next().ok_or_else(|| unfit("an unfinished clause"))?;
        let value = values.next().ok_or_else(|| unfit("too few arguments"))?;
        e.budget.take_text(value.size().saturating_add(40))?;
        let before = written.len();
        print(e, &mut written, clause, precision.unwrap_or(6), &value)?;
        e.budget.take_text(written.len() - before)?;
    }
    Ok(made(written))
}

fn unfit(why: &str) -> EvaluationError {
    EvaluationError::stopped(format!("format(): {why}"))
}

fn print<'o>(
    e: &mut Evaluation<'o, '_>,
    to: &mut String,
    clause: char,
    precision: usize,
    value: &ExpressionValue<'o>,
) -> Result<(), EvaluationError> {
    let whole = match value {
        ExpressionValue::Int(value) => Some(i128::from(*value)),
        ExpressionValue::Uint(value) => Some(i128::from(*value)),
        ExpressionValue::Bool(value) if clause == 'b' => Some(i128::from(*value)),
        _ => None,
    };
    let sign = if whole.is_some_and(|value| value < 0) { "-" } else { "" };
    let digits = whole.map(i128::unsigned_abs);
    #[allow(clippy::cast_precision_loss, reason = "as CEL converts")]
    let double = match (value, whole) {
        (ExpressionValue::Double(value), _) => Some(*value),
        (_, Some(value)) => Some(value as f64),
        _ => None,
    };
    let printed = match (clause, digits) {
        ('s', _) => return plain(e, to, value, 0),
        ('d', Some(digits)) => format!("{sign}{digits}"),
        ('b', Some(digits)) => format!("{sign}{digits:b}"),
        ('o', Some(digits)) => format!("{sign}{digits:o}"),
        ('x', Some(digits)) => format!("{sign}{digits:x}"),
        ('X', Some(digits)) => format!("{sign}{digits:X}"),
        ('x' | 'X', None) => {
            let bytes = match value {
                ExpressionValue::Bytes(bytes) => bytes,
                other => text(other)?.as_bytes(),
            };
            let hex = |byte: &u8| {
                if clause == 'x' { format!("{byte:02x}") } else { format!("{byte:02X}") }
            };
            bytes.iter().map(hex).collect()
        }
        ('f', _) => format!("{:.precision$}", finite(double)?),
        _ => return Err(mismatch()),
    };
    to.push_str(&printed);
    Ok(())
}

/// Infinity and what is not a number are written in a locale's words.
fn finite(value: Option<f64>) -> Result<f64, EvaluationError> {
    value.filter(|value| value.is_finite()).ok_or_else(mismatch)
}

/// A value as `%s` writes it.
fn plain<'o>(
    e: &mut Evaluation<'o, '_>,
    to: &mut String,
    value: &ExpressionValue<'o>,
    depth: usize,
) -> Result<(), EvaluationError> {
    e.budget.take_text(value.size().saturating_add(10))?;
    if depth > 60 {
        return Err(mismatch());
    }
    match value {
        ExpressionValue::Null => to.push_str("null"),
        ExpressionValue::Bool(value) => to.push_str(&value.to_string()),
        ExpressionValue::Int(value) => to.push_str(&value.to_string()),
        ExpressionValue::Uint(value) => to.push_str(&value.to_string()),
        ExpressionValue::Double(value) if value.is_finite() => {
            e.budget.take(40)?;
            to.push_str(&value.to_string());
        }
        ExpressionValue::Time(time) => to.push_str(&times::written(*time)),
        ExpressionValue::Span(nanos) => to.push_str(&times::seconds(*nanos)),
        ExpressionValue::Type(name) => to.push_str(name),
        ExpressionValue::Bytes(bytes) => {
            to.push_str(std::str::from_utf8(bytes).map_err(|_| mismatch())?);
        }
        value if value.is_list() => {
            to.push('[');
            for (index, element) in value.elements().into_iter().flatten().enumerate() {
                if index > 0 {
                    to.push_str(", ");
                }
                plain(e, to, &element, depth + 1)?;
            }
            to.push(']');
        }
        value if value.is_map() => {
            let mut entries = Vec::new();
            for key in value.elements().into_iter().flatten() {
                let (mut name, field) = (String::new(), e.field(value, &key)?);
                plain(e, &mut name, &key, depth + 1)?;
                entries.push((name, field));
            }
            entries.sort_by(|(one, _), (two, _)| one.cmp(two));
            to.push('{');
            for (index, (name, field)) in entries.iter().enumerate() {
                to.push_str(if index > 0 { ", " } else { "" });
                to.push_str(name);
                to.push_str(": ");
                plain(e, to, field, depth + 1)?;
            }
            to.push('}');
        }
        value => to.push_str(text(value)?),
    }
    Ok(())
}

/// A text in quotes.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '\u{7}' => quoted.push_str("\\a"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{b}' => quoted.push_str("\\v"),
            '\\' => quoted.push_str("\\\\"),
            '"' => quoted.push_str("\\\""),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}
