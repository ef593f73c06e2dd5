//! Plain text that becomes something else than its author may have meant: YAML 1.1, which
//! Kubernetes reads, and YAML 1.2 don't agree on it.

use super::number;
use super::scalar::Typed;

use crate::core::json::Value;

/// The warning about a plain text with a surprising value, and its remedy.
pub(super) fn of(text: &str, typed: &Typed, in_mode: bool) -> Option<(String, String)> {
    let message = match typed {
        Typed::Bool(value) if !matches!(text.as_bytes()[0], b't' | b'T' | b'f' | b'F') => {
            let hint = format!("write `{value}`, or `\"{text}\"` if you mean text");
            return Some((format!("Kubernetes reads `{text}` as `{value}`"), hint));
        }
        Typed::Int(value) if is_octal(text) => {
            (!in_mode).then(|| format!("Kubernetes reads `{text}` as `{value}` (octal)"))
        }
        Typed::Int(value) if text.contains('_') || text.contains("0b") => {
            Some(format!("Kubernetes reads `{text}` as the number `{value}`"))
        }
        Typed::Float(value) if text.contains(['e', 'E', '_']) && !text.contains('.') => {
            let value = number::wire(*value).unwrap_or(Value::Null);
            Some(format!("Kubernetes reads `{text}` as the number `{value}`"))
        }
        // So many digits are an id, or a digest without letters.
        Typed::Big(_) | Typed::Float(_) if is_long(text) => {
            Some(format!("Kubernetes does not keep all digits of the number `{text}`"))
        }
        _ => None,
    }?;
    Some((message, format!("write `\"{text}\"` if you mean text")))
}

/// More digits than an integer of Kubernetes has.
fn is_long(text: &str) -> bool {
    let digits = text.trim_start_matches(['+', '-']);
    digits.len() > 17 && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Digits after a zero; `0o17` says itself what it is.
fn is_octal(text: &str) -> bool {
    let digits = text.trim_start_matches(['+', '-']);
    digits.len() > 1 && digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit())
}
