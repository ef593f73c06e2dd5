//! Who put a live object there, read from its label and its `managedFields`.

use serde_json::Value;

use crate::inventory::PART_OF;
use crate::object::Object;

/// The field manager that trueup applies as.
pub const FIELD_MANAGER: &str = "trueup";

/// Whether `live` is a member of the set `id` that trueup itself put there: it carries the set's
/// label, and our own `Apply` entry among its managers. A copy that somebody made of a member has
/// the first without the second.
pub fn is_ours(live: &Object, id: &str) -> bool {
    live.label(PART_OF) == Some(id) && has_our_entry(live)
}

/// Whether trueup has applied `live`.
pub fn has_our_entry(live: &Object) -> bool {
    let managers = live.metadata().and_then(|metadata| metadata.get("managedFields"));
    managers.and_then(Value::as_array).into_iter().flatten().any(|entry| {
        let text = |key: &str| entry.get(key).and_then(Value::as_str);
        text("manager") == Some(FIELD_MANAGER) && text("operation") == Some("Apply")
    })
}
