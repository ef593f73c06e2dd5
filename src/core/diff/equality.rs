//! Two values of one field that are the same though they are written otherwise, as far as that is
//! known without the server.

use crate::core::json::Value;

/// Suffixes of quantities, and the power of 2 or 10 that each stands for.
const SUFFIXES: [(&str, f64, i32); 16] = [
    ("Ki", 2.0, 10),
    ("Mi", 2.0, 20),
    ("Gi", 2.0, 30),
    ("Ti", 2.0, 40),
    ("Pi", 2.0, 50),
    ("Ei", 2.0, 60),
    ("n", 10.0, -9),
    ("u", 10.0, -6),
    ("m", 10.0, -3),
    ("k", 10.0, 3),
    ("M", 10.0, 6),
    ("G", 10.0, 9),
    ("T", 10.0, 12),
    ("P", 10.0, 15),
    ("E", 10.0, 18),
    ("", 10.0, 0),
];
/// Two quantities that are nearer to each other than this share of them are the same.
const NEAR: f64 = 1e-12;

/// Whether both are the same number, such as 1 and 1.0.
pub(super) fn are_same_number(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            one == other || !(is_whole(one) && is_whole(other)) && one.as_f64() == other.as_f64()
        }
        _ => false,
    }
}

fn is_whole(number: &crate::core::json::Number) -> bool {
    number.is_i64() || number.is_u64()
}

/// Whether both are the same quantity, such as `1000m` and `1`.
pub(super) fn are_same_quantity(one: &Value, other: &Value) -> bool {
    match (quantity(one), quantity(other)) {
        (Some(one), Some(other)) => (one - other).abs() <= NEAR * one.abs().max(other.abs()),
        _ => false,
    }
}

/// Whether `sent`, which may be base64 over several lines, stands for the same bytes as `now`.
pub(super) fn are_same_bytes(sent: &Value, now: &Value) -> bool {
    match (sent, now) {
        (Value::String(sent), Value::String(now)) => sent.replace(['\r', '\n'], "") == *now,
        _ => false,
    }
}

/// The number that a quantity stands for; `None` where it is none.
fn quantity(value: &Value) -> Option<f64> {
    let text = match value {
        Value::Number(number) => return number.as_f64(),
        Value::String(text) => text.as_str(),
        _ => return None,
    };
    if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) {
        return None;
    }
    if let Ok(number) = text.parse::<f64>() {
        return number.is_finite().then_some(number);
    }
    SUFFIXES.iter().find_map(|(suffix, base, power)| {
        let number: f64 = text.strip_suffix(suffix)?.parse().ok()?;
        Some(number * base.powi(*power))
    })
}

#[cfg(test)]
mod tests {
    use crate::core::json::json;

    use super::*;

    #[test]
    fn quantities_are_the_same_by_their_value() {
        for (one, other) in [
            (json!("1000m"), json!("1")),
            (json!(0.1), json!("100m")),
            (json!(2), json!("2")),
            (json!("0.5Gi"), json!("512Mi")),
            (json!("1e3"), json!("1k")),
            (json!("1.5"), json!("1500m")),
        ] {
            assert!(are_same_quantity(&one, &other), "{one} {other}");
        }
        for (one, other) in [
            (json!("1000m"), json!("1001m")),
            (json!("1Gi"), json!("1G")),
            (json!("inf"), json!("infinity")),
            (json!("web:1"), json!("web:1.0")),
            (json!("a"), json!("b")),
            (json!(""), json!("0")),
        ] {
            assert!(!are_same_quantity(&one, &other), "{one} {other}");
        }
    }

    #[test]
    fn base64_may_be_broken_into_lines() {
        assert!(are_same_bytes(&json!("YW\nJj\n"), &json!("YWJj")));
        assert!(!are_same_bytes(&json!("YWJj"), &json!("YWJk")));
    }

    #[test]
    fn numbers_are_the_same_however_they_are_written() {
        assert!(are_same_number(&json!(1), &json!(1.0)));
        assert!(!are_same_number(&json!(u64::MAX), &json!(u64::MAX - 1)));
        assert!(!are_same_number(&json!("1"), &json!(1)));
    }
}
