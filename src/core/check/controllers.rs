//! Fields that a controller of the API server fills in, and that are declared all the same.

use super::validate::KeyOrValue;
use super::{CheckRule, Finding, Level, places};
use crate::core::field_rules::declared_in_vain;
use crate::core::manifest::Manifest;
use crate::core::object::ObjectKey;

/// The fields of an object that are declared in vain.
pub(super) fn fields(key: &ObjectKey, manifest: &Manifest) -> Vec<Finding> {
    let object = &manifest.object;
    let finding = |it: &'static crate::core::field_rules::Controlled| {
        let path = it.field.find(&object.0).unwrap_or_default();
        Finding {
            level: Level::Warning,
            rule: CheckRule::Controlled,
            place: places::of(manifest, &path, KeyOrValue::Key),
            object: Some(key.clone()),
            field: Some(it.field.to_string()),
            message: format!("{} is left as it is: {}", it.field, it.by),
            hint: Some("remove it from the manifest".into()),
            missing: None,
        }
    };
    declared_in_vain(object).map(finding).collect()
}
