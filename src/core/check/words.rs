//! Values and fields in words, for messages.

use crate::core::json::Value;
use crate::core::kinds::schemas::JsonType;
use crate::core::manifest::PathPart;

/// Longer text is cut in a message.
const SHOWN: usize = 60;

/// The name of a kind of value.
pub(super) fn wanted(kind: JsonType) -> &'static str {
    match kind {
        JsonType::Object => "a map",
        JsonType::Array => "a list",
        JsonType::String => "text",
        JsonType::Integer => "an integer",
        JsonType::Number => "a number",
        JsonType::Boolean => "true or false",
    }
}

/// Whether a value is of this kind.
pub(super) fn is(value: &Value, kind: JsonType) -> bool {
    match kind {
        JsonType::Object => value.is_object(),
        JsonType::Array => value.is_array(),
        JsonType::String => value.is_string(),
        JsonType::Integer => is_integer(value),
        JsonType::Number => value.is_number(),
        JsonType::Boolean => value.is_boolean(),
    }
}

/// Whether a value is a number without a fraction.
pub(super) fn is_integer(value: &Value) -> bool {
    value.as_f64().is_some_and(|number| number.fract() == 0.0)
}

/// Whether text would be what is wanted if it had no quotes.
pub(super) fn would_be(text: &str, wanted: &str) -> bool {
    match wanted {
        "an integer" => text.parse::<i64>().is_ok(),
        "a number" => text.parse::<f64>().is_ok_and(f64::is_finite),
        "true or false" => matches!(text, "true" | "false"),
        _ => false,
    }
}

/// Whether a value has all digits of the text that it is read from.
pub(super) fn keeps_digits(text: &str, value: &Value) -> bool {
    let digits = text.trim_start_matches(['+', '-', '0']);
    let is_long = digits.len() > 17 && digits.bytes().all(|byte| byte.is_ascii_digit());
    !is_long || value.to_string().trim_start_matches('-') == digits
}

/// A value: its kind, and what it is unless it has to stay hidden.
pub(super) fn kind_and_value(value: &Value, is_secret: bool) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Object(_) => "a map".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Bool(_) if is_secret => "a boolean".to_owned(),
        Value::Number(_) if is_secret => "a number".to_owned(),
        Value::String(_) if is_secret => "this text".to_owned(),
        Value::Bool(value) => format!("the boolean {value}"),
        Value::Number(value) => format!("the number {value}"),
        Value::String(text) if text.chars().count() > SHOWN => {
            format!("the text \"{}…\"", text.chars().take(SHOWN).collect::<String>())
        }
        Value::String(text) => format!("the text \"{text}\""),
    }
}

/// The end of a path, as in `containers[0]`.
pub(super) fn name(path: &[PathPart]) -> String {
    let mut name = String::new();
    for part in path {
        match part {
            PathPart::Key(key) => name = (*key).to_owned(),
            PathPart::Index(index) => name.push_str(&format!("[{index}]")),
        }
    }
    if name.is_empty() { "the object".to_owned() } else { format!("`{name}`") }
}

/// A whole path, as the API server writes it: `spec.containers[0].env`, and
/// `metadata.labels[example.com/a]`.
pub fn field(path: &[PathPart]) -> String {
    let mut field = String::new();
    for part in path {
        match part {
            PathPart::Index(index) => field.push_str(&format!("[{index}]")),
            PathPart::Key(key) if key.contains(['.', '/', '[']) => {
                field.push_str(&format!("[{key}]"));
            }
            PathPart::Key(key) => {
                let dot = if field.is_empty() { "" } else { "." };
                field.push_str(&format!("{dot}{key}"));
            }
        }
    }
    field
}
