//! Conditions: what a controller says of an object, one sentence a type.

use super::at;
use crate::core::json::Value;
use crate::core::object::Object;

/// The condition of a type in `status.conditions`.
pub(super) fn condition<'a>(object: &'a Object, kind: &str) -> Option<&'a Value> {
    of(at(object, "/status/conditions")?, kind)
}

/// The condition of a type in a list of conditions.
pub(super) fn of<'a>(conditions: &'a Value, kind: &str) -> Option<&'a Value> {
    conditions.as_array()?.iter().find(|it| field(it, "type") == kind)
}

/// Whether its status is `True`.
pub(super) fn is_true(condition: &Value) -> bool {
    field(condition, "status") == "True"
}

/// Whether its status is `False`, and so not unknown.
pub(super) fn is_false(condition: &Value) -> bool {
    field(condition, "status") == "False"
}

/// Why it is as it is, in one word.
pub(super) fn reason(condition: &Value) -> &str {
    field(condition, "reason")
}

/// Whether it speaks of what was declared before: conditions may have an observedGeneration of
/// their own, as those of Gateway API do.
pub(super) fn is_stale(condition: &Value, object: &Object) -> bool {
    let generation = at(object, "/metadata/generation").and_then(Value::as_i64);
    let observed = condition.get("observedGeneration").and_then(Value::as_i64);
    matches!((generation, observed), (Some(now), Some(seen)) if seen < now)
}

/// The text of a condition: the message, else the reason, else `otherwise`.
pub(super) fn words(condition: &Value, otherwise: &str) -> String {
    let said = [field(condition, "message"), field(condition, "reason")];
    let said = said.into_iter().find(|text| !text.is_empty());
    said.unwrap_or(otherwise).trim().to_owned()
}

fn field<'a>(condition: &'a Value, name: &str) -> &'a str {
    condition.get(name).and_then(Value::as_str).unwrap_or_default()
}
