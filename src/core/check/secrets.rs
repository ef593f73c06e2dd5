//! Keys that a Secret has twice: stringData overrides data without a word.

use super::validate::KeyOrValue;
use super::{CheckRule, Finding};
use crate::core::json::Value;
use crate::core::manifest::{Manifest, PathPart};
use crate::core::object::ObjectKey;

/// A warning for every key of a Secret that is both in data and in stringData.
pub(super) fn twice(key: &ObjectKey, manifest: &Manifest) -> Vec<Finding> {
    if (key.group.as_str(), key.kind.as_str()) != ("", "Secret") {
        return Vec::new();
    }
    let map = |field: &str| manifest.object.0.get(field).and_then(Value::as_object);
    let (Some(data), Some(texts)) = (map("data"), map("stringData")) else { return Vec::new() };
    let both = texts.keys().filter(|name| data.contains_key(name));
    both.map(|name| {
        let path = [PathPart::Key("stringData"), PathPart::Key(name)];
        let message = format!("`{name}` is also in data; the value in stringData counts");
        let hint = Some("delete one of them".into());
        Finding {
            hint,
            ..Finding::about(
                key,
                manifest,
                &path[..],
                KeyOrValue::Key,
                CheckRule::SecretKey,
                message,
            )
        }
    })
    .collect()
}
