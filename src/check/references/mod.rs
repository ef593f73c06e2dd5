//! Names of things that are nowhere in the set: warnings, since they may be made elsewhere.
//!
//! `uses` finds what an object names, `pods` what a pod template names; here is what there is.

mod pods;
mod uses;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::validate::At;
use super::{Finding, Rule};
use crate::manifest::{Manifest, PathPart};
use crate::near::near;
use crate::object::{GroupKind, ObjectKey};

/// A name of another object, and where it is written.
pub(super) struct Use<'v> {
    kind: GroupKind,
    /// `None` for what lives in no namespace.
    namespace: Option<String>,
    name: &'v str,
    /// A key of its data that is wanted.
    key: Option<&'v str>,
    path: Vec<PathPart<'v>>,
}

/// What is in the set.
struct There<'a> {
    /// Every object, with the keys of its data where they are known.
    names: BTreeMap<ObjectKey, Option<BTreeSet<&'a str>>>,
}

/// A warning for every name that leads nowhere.
pub(super) fn lost(named: &[(&ObjectKey, &Manifest)]) -> Vec<Finding> {
    let there = There::new(named);
    let mut templates = pods::Templates::default();
    named.iter().for_each(|(key, manifest)| templates.add(key, &manifest.object));
    let mut findings = Vec::new();
    for &(key, manifest) in named {
        for used in uses::of(key, &manifest.object) {
            if let Some((message, path)) = there.misses(used) {
                findings.push(warning(key, manifest, &path, message));
            }
        }
        if let Some(message) = templates.unselected(key, manifest) {
            let path = [PathPart::Key("spec"), PathPart::Key("selector")];
            findings.push(warning(key, manifest, &path, message));
        }
    }
    findings
}

fn warning(key: &ObjectKey, manifest: &Manifest, path: &[PathPart], message: String) -> Finding {
    Finding::about((key, manifest), (path, At::Value), Rule::Reference, message)
}

impl<'a> There<'a> {
    fn new(named: &[(&ObjectKey, &'a Manifest)]) -> Self {
        let mut names = BTreeMap::new();
        for (key, manifest) in named {
            names.insert((*key).clone(), data_keys(key, manifest));
            if let Some(name) = secrets_made_by(key, manifest) {
                let id = named_key(&GroupKind::new("", "Secret"), &key.namespace, name);
                names.entry(id).or_insert(None);
            }
        }
        Self { names }
    }

    /// What to say if it is not there, and of which field.
    fn misses<'v>(&self, used: Use<'v>) -> Option<(String, Vec<PathPart<'v>>)> {
        let Use { kind, namespace, name, key, path: mut way } = used;
        let path = |name: &str| match &namespace {
            Some(namespace) => format!("{namespace}/{name}"),
            None => name.to_owned(),
        };
        let id = named_key(&kind, &namespace, name);
        let Some(keys) = self.names.get(&id) else {
            let same = |key: &&ObjectKey| {
                key.kind == kind.kind && key.group == kind.group && key.namespace == namespace
            };
            let names = self.names.keys().filter(same).map(|key| key.name.as_str());
            let meant = match near(name, names).first() {
                Some(near) => format!(", did you mean {}?", path(near)),
                None => String::new(),
            };
            let what = format!("{} {}", kind.kind, path(name));
            return Some((format!("{what} is nowhere in this set{meant}"), way));
        };
        let (wanted, keys) = (key?, keys.as_ref()?);
        if keys.contains(wanted) {
            return None;
        }
        let meant = near(wanted, keys.iter().copied());
        let meant =
            meant.first().map(|near| format!(", did you mean `{near}`?")).unwrap_or_default();
        way.pop();
        way.push(PathPart::Key("key"));
        Some((format!("{} {} has no key `{wanted}`{meant}", kind.kind, path(name)), way))
    }
}

fn named_key(kind: &GroupKind, namespace: &Option<String>, name: &str) -> ObjectKey {
    ObjectKey {
        group: kind.group.clone(),
        kind: kind.kind.clone(),
        namespace: namespace.clone(),
        name: name.to_owned(),
    }
}

/// The keys of a ConfigMap's or a Secret's data.
fn data_keys<'a>(key: &ObjectKey, manifest: &'a Manifest) -> Option<BTreeSet<&'a str>> {
    if !key.group.is_empty() || !matches!(key.kind.as_str(), "ConfigMap" | "Secret") {
        return None;
    }
    let fields = ["data", "binaryData", "stringData"];
    let maps = fields.iter().filter_map(|field| manifest.object.0.get(*field)?.as_object());
    Some(maps.flat_map(|map| map.keys().map(String::as_str)).collect())
}

/// The Secrets that a well-known controller makes of a custom resource.
fn secrets_made_by<'a>(key: &'a ObjectKey, manifest: &'a Manifest) -> Option<&'a str> {
    let spec = manifest.object.0.get("spec").unwrap_or(&Value::Null);
    match key.kind.as_str() {
        "SealedSecret" => Some(key.name.as_str()),
        "ExternalSecret" => Some(spec["target"]["name"].as_str().unwrap_or(&key.name)),
        "Certificate" => spec["secretName"].as_str(),
        _ => None,
    }
}
