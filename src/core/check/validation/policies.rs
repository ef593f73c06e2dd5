//! PodDisruptionBudgets and PriorityClasses.
//!
//! Source of the rules: Kubernetes' `pkg/apis/policy/validation/validation.go` and
//! `pkg/apis/scheduling/validation/validation.go`.

use super::faults::{Faults, integer, map, of, text};
use super::{numbers, selectors};
use crate::core::json::Value;

/// The highest priority that is not the system's own.
const HIGHEST: i64 = 1_000_000_000;

/// A PodDisruptionBudget.
pub(super) fn budget<'v>(faults: &mut Faults<'v>, spec: Option<&'v Value>) {
    let Some(spec) = spec.and_then(Value::as_object) else { return };
    if of(spec, "minAvailable").is_some() && of(spec, "maxUnavailable").is_some() {
        faults.clash(spec, "maxUnavailable", "excludes `minAvailable`");
    }
    for field in ["minAvailable", "maxUnavailable"] {
        numbers::number_or_percent(faults, spec, field, true);
    }
    selectors::selector(faults, spec.get("selector"));
}

/// A PriorityClass.
pub(super) fn priority(faults: &mut Faults<'_>) {
    let root = faults.root();
    let Some(metadata) = map(root, "metadata") else { return };
    match text(metadata, "name") {
        Some("system-node-critical" | "system-cluster-critical") => {}
        Some(name) if name.starts_with("system-") => {
            let value = metadata.get("name").unwrap_or(&Value::Null);
            faults.must(value, "not start with system-");
        }
        _ => {
            if let Some(value) =
                root.get("value").filter(|_| integer(root, "value") > Some(HIGHEST))
            {
                faults.must(value, format!("be at most {HIGHEST}"));
            }
        }
    }
}
