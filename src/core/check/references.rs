//! Names of things that are nowhere in the set: warnings, since they may be made elsewhere.
//!
//! Which fields name other objects is known to [`crate::core::kinds::references`]; here is what there is.

use std::collections::{BTreeMap, BTreeSet};

use super::validate::KeyOrValue;
use super::{CheckRule, Finding};
use crate::core::json::Key;
use crate::core::kinds::references::{self, Reference, ReferenceKind, Templates};
use crate::core::manifest::{Manifest, PathPart};
use crate::core::object::ObjectKey;
use crate::core::suggest::suggest;

/// The names in the set.
struct NamesInSet<'a> {
    /// Every object, with the keys of its data where they are known.
    names: BTreeMap<ObjectKey, Option<BTreeSet<&'a str>>>,
}

/// A warning for every name that leads nowhere.
pub(super) fn lost(named: &[(&ObjectKey, &Manifest)]) -> Vec<Finding> {
    let there = NamesInSet::new(named);
    let mut templates = Templates::default();
    named.iter().for_each(|(key, manifest)| templates.add(key, &manifest.object));
    let mut findings = Vec::new();
    for &(key, manifest) in named {
        let uses = references::of(key, &manifest.object).into_iter();
        for used in uses.filter(|used| used.bond == ReferenceKind::Expected) {
            if let Some((message, path)) = there.misses(used) {
                findings.push(warning(key, manifest, &path, message));
            }
        }
        if let Some(message) = unselected(&templates, key, manifest) {
            let path = [PathPart::Key("spec"), PathPart::Key("selector")];
            findings.push(warning(key, manifest, &path, message));
        }
    }
    findings
}

fn warning(key: &ObjectKey, manifest: &Manifest, path: &[PathPart], message: String) -> Finding {
    Finding::about(key, manifest, path, KeyOrValue::Value, CheckRule::Reference, message)
}

impl<'a> NamesInSet<'a> {
    fn new(named: &[(&ObjectKey, &'a Manifest)]) -> Self {
        let mut names = BTreeMap::new();
        for (key, manifest) in named {
            names.insert((*key).clone(), data_keys(key, manifest));
            if let Some(made) = references::made_by(key, &manifest.object) {
                names.entry(made).or_insert(None);
            }
        }
        Self { names }
    }

    /// The message where it does not exist, and its field.
    fn misses<'v>(&self, used: Reference<'v>) -> Option<(String, Vec<PathPart<'v>>)> {
        let id = used.object();
        let Reference { kind, namespace, name, key, path: mut way, bond: _ } = used;
        let path = |name: &str| match &namespace {
            Some(namespace) => format!("{namespace}/{name}"),
            None => name.to_owned(),
        };
        let Some(keys) = self.names.get(&id) else {
            let same = |key: &&ObjectKey| {
                key.kind == kind.kind && key.group == kind.group && key.namespace == namespace
            };
            let names = self.names.keys().filter(same).map(|key| key.name.as_str());
            let meant = match suggest(name, names).first() {
                Some(near) => format!(", did you mean {}?", path(near)),
                None => String::new(),
            };
            let what = format!("{} {}", kind.kind, path(name));
            return Some((format!("{what} is not in this set{meant}"), way));
        };
        let (wanted, keys) = (key?, keys.as_ref()?);
        if keys.contains(wanted) {
            return None;
        }
        let meant = suggest(wanted, keys.iter().copied());
        let meant =
            meant.first().map(|near| format!(", did you mean `{near}`?")).unwrap_or_default();
        way.pop();
        way.push(PathPart::Key("key"));
        Some((format!("{} {} has no key `{wanted}`{meant}", kind.kind, path(name)), way))
    }
}

/// The message for a Service that selects no pod template.
fn unselected(templates: &Templates, key: &ObjectKey, manifest: &Manifest) -> Option<String> {
    if (key.group.as_str(), key.kind.as_str()) != ("", "Service") {
        return None;
    }
    let selector = manifest.object.0.get("spec")?.get("selector")?.as_object()?;
    let mut selected = templates.selected(key.namespace.as_deref(), selector);
    if selector.is_empty() || selected.next().is_some() {
        return None;
    }
    let wanted: Vec<String> = selector
        .iter()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    Some(format!("no pod template of this set has the labels {}", wanted.join(",")))
}

/// The keys of a ConfigMap's or a Secret's data.
fn data_keys<'a>(key: &ObjectKey, manifest: &'a Manifest) -> Option<BTreeSet<&'a str>> {
    if !key.group.is_empty() || !matches!(key.kind.as_str(), "ConfigMap" | "Secret") {
        return None;
    }
    let fields = ["data", "binaryData", "stringData"];
    let maps = fields.iter().filter_map(|field| manifest.object.0.get(field)?.as_object());
    Some(maps.flat_map(|map| map.keys().map(Key::as_str)).collect())
}
