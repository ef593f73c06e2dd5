//! Whether the object that server-side apply gives is the one that is there.

use crate::core::json::{Key, Map, Value};
use crate::core::object::Object;

/// Fields of `metadata` that do not show whether a write would be one.
const COUNTERS: &[&str] = &["resourceVersion", "generation", "managedFields"];

/// Whether applying would write nothing: `merged` is what the server says would be, `live` what is.
///
/// Compares the whole objects, who owns which field included, except for what moves with a write
/// and not by itself: when each manager wrote last, and so the order of their entries,
/// `resourceVersion` and `generation`.
pub fn is_noop(live: &Object, merged: &Object) -> bool {
    without(&live.0, &["metadata"]).eq(without(&merged.0, &["metadata"]))
        && match (live.metadata(), merged.metadata()) {
            (Some(live), Some(merged)) => {
                without(live, COUNTERS).eq(without(merged, COUNTERS))
                    && have_same_owners(live.get("managedFields"), merged.get("managedFields"))
            }
            _ => live.0.get("metadata") == merged.0.get("metadata"),
        }
}

/// The map's entries, in the order of their keys, but for `left_out`.
fn without<'a>(map: &'a Map, left_out: &'a [&str]) -> impl Iterator<Item = (&'a Key, &'a Value)> {
    map.iter().filter(move |(key, _)| !left_out.contains(&key.as_str()))
}

fn have_same_owners(live: Option<&Value>, merged: Option<&Value>) -> bool {
    let (Some(Value::Array(live)), Some(Value::Array(merged))) = (live, merged) else {
        return live == merged;
    };
    // The server puts the entries in the order of their times (k8s.io/apimachinery,
    // `pkg/util/managedfields/internal/managedfields.go`, `sortEncodedManagedFields`), so that with
    // the time the order moves, too.
    let is_same = |live: &Value, merged: &Value| match (live, merged) {
        (Value::Object(live), Value::Object(merged)) => {
            without(live, &["time"]).eq(without(merged, &["time"]))
        }
        _ => live == merged,
    };
    let mut rest: Vec<&Value> = merged.iter().collect();
    live.len() == merged.len()
        && live.iter().all(|entry| {
            let at = rest.iter().position(|other| is_same(entry, other));
            at.map(|at| rest.swap_remove(at)).is_some()
        })
}
