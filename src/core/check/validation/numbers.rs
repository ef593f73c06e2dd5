//! Numbers and percentages within bounds.
//!
//! Source of the rules: `ValidateNonnegativeField` and its like in Kubernetes'
//! `pkg/apis/core/validation/validation.go` and `pkg/apis/apps/validation/validation.go`.

use super::faults::{Faults, of};
use super::names;
use crate::core::json::{Map, Value};

/// Fields that must not be negative.
pub(super) fn not_negative<'v>(faults: &mut Faults<'v>, map: &'v Map, fields: &[&str]) {
    for value in fields.iter().filter_map(|field| map.get(field)) {
        if value.as_i64().is_some_and(|number| number < 0) {
            faults.must(value, "be at least 0");
        }
    }
}

/// A field that must be at least 1.
pub(super) fn positive<'v>(faults: &mut Faults<'v>, map: &'v Map, field: &str) {
    if let Some(value) = map.get(field)
        && value.as_i64().is_some_and(|number| number < 1)
    {
        faults.must(value, "be at least 1");
    }
}

/// A field that must be between two numbers.
pub(super) fn within<'v>(
    faults: &mut Faults<'v>,
    map: &'v Map,
    field: &str,
    least: i64,
    most: i64,
) {
    if let Some(value) = map.get(field)
        && value.as_i64().is_some_and(|number| !(least..=most).contains(&number))
    {
        faults.must(value, format!("be from {least} to {most}"));
    }
}

/// The number of a port.
pub(super) fn port<'v>(faults: &mut Faults<'v>, map: &'v Map, field: &str) {
    within(faults, map, field, 1, 65_535);
}

/// The number of a port, where 0 is as good as none.
pub(super) fn port_if_any<'v>(faults: &mut Faults<'v>, map: &'v Map, field: &str) {
    if map.get(field).and_then(Value::as_i64) != Some(0) {
        port(faults, map, field);
    }
}

/// A port by its number or by its name.
pub(super) fn port_or_name<'v>(faults: &mut Faults<'v>, map: &'v Map, field: &str) {
    match of(map, field) {
        Some(Value::String(_)) => faults.name(map.get(field), names::port),
        Some(_) => port(faults, map, field),
        None => {}
    }
}

/// The percentage in a text such as `25%`, as the server reads it.
pub(super) fn percent(text: &str) -> Option<u64> {
    let digits = text.strip_suffix('%')?;
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(u64::MAX))
}

/// A number that is not negative, or a percentage; `is_part` for one of at most 100%.
pub(super) fn number_or_percent<'v>(
    faults: &mut Faults<'v>,
    map: &'v Map,
    field: &str,
    is_part: bool,
) {
    let Some(value) = of(map, field) else { return };
    match value {
        Value::String(text) => match percent(text) {
            None => faults.must(value, "be a percentage such as 25%, or an integer"),
            Some(percent) if is_part && percent > 100 => faults.must(value, "be at most 100%"),
            Some(_) => {}
        },
        _ => not_negative(faults, map, &[field]),
    }
}

/// Whether a number or a percentage is 0.
pub(super) fn is_zero(value: &Value) -> bool {
    value.as_i64() == Some(0) || value.as_str().and_then(percent) == Some(0)
}
