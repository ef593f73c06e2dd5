//! `format()`: cel-go's `ext/formatting.go`.

use super::{elements, made, mismatch, text};
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
        print(&mut written, clause, precision.unwrap_or(6), &value)?;
        e.budget.take_text(written.len() - before)?;
    }
    Ok(made(written))
}

fn unfit(why: &str) -> EvaluationError {
    EvaluationError::stopped(format!("format(): {why}"))
}

fn print(
    to: &mut String,
    clause: char,
    precision: usize,
    value: &ExpressionValue<'_>,
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
        ('s', _) => return plain(to, value),
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
        ('f', _) => format!("{:.precision$}", small(double)?),
        _ => return Err(mismatch()),
    };
    to.push_str(&printed);
    Ok(())
}

/// From a thousand on, digits are written in groups.
fn small(value: Option<f64>) -> Result<f64, EvaluationError> {
    value.filter(|value| value.abs() < 999.0).ok_or_else(mismatch)
}

/// A value as `%s` writes it. Numbers with a fraction and what has parts are written in the server's
/// own way.
fn plain(to: &mut String, value: &ExpressionValue<'_>) -> Result<(), EvaluationError> {
    match value {
        ExpressionValue::Bool(value) => to.push_str(&value.to_string()),
        ExpressionValue::Int(value) => to.push_str(&value.to_string()),
        ExpressionValue::Uint(value) => to.push_str(&value.to_string()),
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
