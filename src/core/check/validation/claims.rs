//! PersistentVolumeClaims.
//!
//! Source of the rules: `ValidatePersistentVolumeClaimSpec` in Kubernetes'
//! `pkg/apis/core/validation/validation.go`.

use super::faults::{Faults, get, list, map, of};
use super::{names, quantities, selectors};
use crate::core::json::{Map, Value};

/// The ways in which a volume may be mounted.
pub(super) fn modes<'v>(faults: &mut Faults<'v>, spec: &'v Map) {
    let modes = list(spec, "accessModes");
    if modes.is_empty() {
        return faults.missing(spec, "accessModes", ": one at least is needed");
    }
    let is_alone = |mode: &&Value| **mode == "ReadWriteOncePod";
    if let Some(mode) =
        modes.iter().find(is_alone).filter(|_| !modes.iter().all(|it| is_alone(&it)))
    {
        faults.says(mode, "excludes other access modes");
    }
}

/// A claim, or the template of one.
pub(super) fn claim<'v>(faults: &mut Faults<'v>, spec: Option<&'v Value>) {
    let Some(spec) = spec.and_then(Value::as_object) else { return };
    modes(faults, spec);
    selectors::selector(faults, spec.get("selector"));
    let requests = get(spec.get("resources"), "requests").and_then(Value::as_object);
    match requests.map(|requests| (requests, of(requests, "storage"))) {
        Some((_, Some(storage))) => quantities::positive(faults, Some(storage)),
        Some((requests, None)) => faults.missing(requests, "storage", ""),
        None => {
            let around = map(spec, "resources").unwrap_or(spec);
            let field = if of(spec, "resources").is_some() { "requests" } else { "resources" };
            faults.missing(around, field, ": a claim asks for storage");
        }
    }
    for field in ["storageClassName", "volumeAttributesClassName"] {
        faults.name_if_any(spec, field, names::subdomain);
    }
}
