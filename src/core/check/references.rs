//! Names of things that are nowhere in the set: warnings, since they may be made elsewhere.
//!
//! Which fields name other objects is known to [`crate::core::kinds::references`]; here is what there is.
//! A Service that selects pods of an operator is left alone: no template has the operator's labels.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::sync::OnceLock;

use super::validate::KeyOrValue;
use super::{CheckRule, Finding};
use crate::core::json::Key;
use crate::core::kinds::references::{self, Reference, ReferenceKind, Templates};
use crate::core::manifest::{Manifest, PathPart};
use crate::core::object::ObjectKey;
use crate::core::parallel::in_parallel;
use crate::core::suggest::suggest;

/// Domains of groups of many projects: a label with such a prefix belongs to no operator.
const SHARED_DOMAINS: [&str; 4] = ["k8s.io", "kubernetes.io", "app.kubernetes.io", "x-k8s.io"];

/// The names in the set.
struct NamesInSet<'a> {
    /// Every object, with its manifest unless something else makes it.
    names: HashMap<Cow<'a, ObjectKey>, Option<&'a Manifest>>,
    /// The objects that controllers may make claims of.
    claim_makers: Vec<(&'a ObjectKey, &'a Manifest)>,
    /// The names of each kind in each namespace, by a key without a name, once one is missing.
    by_kind: OnceLock<HashMap<ObjectKey, Vec<String>>>,
}

/// A name that leads nowhere.
struct Missed<'v> {
    message: String,
    /// Its field.
    path: Vec<PathPart<'v>>,
    /// The object, unless that is there and lacks a key.
    object: Option<ObjectKey>,
}

/// The names that may be meant by those that are missing: many objects may miss the same one.
type Guesses = HashMap<ObjectKey, Option<String>>;

/// The objects that there are with a set: its own, and those that others make of them.
pub(super) fn there(named: &[(&ObjectKey, &Manifest)]) -> Vec<ObjectKey> {
    NamesInSet::new(named).names.into_keys().map(Cow::into_owned).collect()
}

/// A warning for every name that leads nowhere.
pub(super) fn lost(named: &[(&ObjectKey, &Manifest)]) -> Vec<Finding> {
    let there = NamesInSet::new(named);
    let mut templates = Templates::default();
    named.iter().for_each(|(key, manifest)| templates.add(key, &manifest.object));
    let groups = custom_groups(named);
    // Kubernetes' own groups end so, and their controllers copy no labels.
    let is_custom = |group: &str| groups.contains(group) && !group.ends_with(".k8s.io");
    let custom = named.iter().filter(|(key, _)| is_custom(&key.group));
    custom.for_each(|(key, manifest)| templates.add_own(key, &manifest.object));
    let lost_of = |guesses: &mut Guesses, &(key, manifest): &(&ObjectKey, &Manifest)| {
        let mut findings = Vec::new();
        let uses = references::of(key, &manifest.object).into_iter();
        let is_missed = |used: &Reference<'_>| {
            matches!(used.bond, ReferenceKind::Expected | ReferenceKind::Later)
        };
        for used in uses.filter(is_missed) {
            if let Some(Missed { message, path, object }) = there.misses(used, guesses) {
                let warning = warning(key, manifest, &path, message);
                findings.push(Finding { missing: object.map(Box::new), ..warning });
            }
        }
        if let Some(message) = unselected(&templates, &groups, key, manifest) {
            let path = [PathPart::Key("spec"), PathPart::Key("selector")];
            findings.push(warning(key, manifest, &path, message));
        }
        findings
    };
    in_parallel(named, Guesses::new, lost_of).into_iter().flatten().collect()
}

fn warning(key: &ObjectKey, manifest: &Manifest, path: &[PathPart], message: String) -> Finding {
    Finding::about(key, manifest, path, KeyOrValue::Value, CheckRule::Reference, message)
}

fn without_name(key: &ObjectKey) -> ObjectKey {
    let ObjectKey { group, kind, namespace, name: _ } = key.clone();
    ObjectKey { group, kind, namespace, name: String::new() }
}

impl<'a> NamesInSet<'a> {
    fn new(named: &[(&'a ObjectKey, &'a Manifest)]) -> Self {
        let objects = named.iter().map(|(key, manifest)| (Cow::Borrowed(*key), Some(*manifest)));
        let mut names: HashMap<_, _> = objects.collect();
        let made = named.iter().filter_map(|(key, it)| references::made_by(key, &it.object));
        let issued = named.iter().flat_map(|(key, it)| references::issued(key, &it.object));
        for made in made.chain(issued) {
            names.entry(Cow::Owned(made)).or_insert(None);
        }
        let may_make =
            |key: &ObjectKey| matches!(key.kind.as_str(), "StatefulSet" | "Pod" | "DataVolume");
        let claim_makers = named.iter().filter(|(key, _)| may_make(key)).copied().collect();
        Self { names, claim_makers, by_kind: OnceLock::new() }
    }

    /// Whether it is a claim that a controller makes of an object in the set.
    fn is_made_claim(&self, id: &ObjectKey) -> bool {
        let is_claim = id.group.is_empty() && id.kind == "PersistentVolumeClaim";
        is_claim
            && self.claim_makers.iter().any(|(key, manifest)| {
                key.namespace == id.namespace
                    && references::makes_claim(key, &manifest.object, &id.name)
            })
    }

    /// The name that is most like that of an object that is not there.
    fn guess(&self, missing: &ObjectKey) -> Option<String> {
        let by_kind = self.by_kind.get_or_init(|| {
            let mut by_kind: HashMap<ObjectKey, Vec<String>> = HashMap::new();
            for key in self.names.keys() {
                by_kind.entry(without_name(key)).or_default().push(key.name.clone());
            }
            by_kind
        });
        let names = by_kind.get(&without_name(missing))?.iter().map(String::as_str);
        suggest(&missing.name, names).first().map(|near| (*near).to_owned())
    }

    /// The name, where it leads nowhere.
    fn misses<'v>(&self, used: Reference<'v>, guesses: &mut Guesses) -> Option<Missed<'v>> {
        let id = used.object();
        let Reference { kind, namespace, name, key, path: mut way, bond: _ } = used;
        let path = |name: &str| match &namespace {
            Some(namespace) => format!("{namespace}/{name}"),
            None => name.to_owned(),
        };
        let Some(manifest) = self.names.get(&id) else {
            if self.is_made_claim(&id) {
                return None;
            }
            let meant = match guesses.entry(id.clone()).or_insert_with_key(|id| self.guess(id)) {
                Some(near) => format!(", did you mean {}?", path(near)),
                None => String::new(),
            };
            let what = format!("{} {}", kind.kind, path(name));
            let message = format!("{what} is not in this set{meant}");
            return Some(Missed { message, path: way, object: Some(id) });
        };
        let (wanted, keys) = (key?, data_keys(&id, (*manifest)?)?);
        if keys.contains(wanted) {
            return None;
        }
        let meant = suggest(wanted, keys.iter().copied());
        let meant =
            meant.first().map(|near| format!(", did you mean `{near}`?")).unwrap_or_default();
        way.pop();
        way.push(PathPart::Key("key"));
        let message = format!("{} {} has no key `{wanted}`{meant}", kind.kind, path(name));
        Some(Missed { message, path: way, object: None })
    }
}

/// The message for a Service that selects no pod template.
fn unselected(
    templates: &Templates,
    groups: &BTreeSet<&str>,
    key: &ObjectKey,
    manifest: &Manifest,
) -> Option<String> {
    if (key.group.as_str(), key.kind.as_str()) != ("", "Service") {
        return None;
    }
    let selector = manifest.object.0.get("spec")?.get("selector")?.as_object()?;
    // Without a definition, a custom resource that names no namespace is in an unknown one.
    let places = [key.namespace.as_deref(), None].into_iter();
    let mut selected = places.flat_map(|namespace| templates.selected(namespace, selector));
    let wanted: Vec<String> = references::of_templates(selector)
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    let is_operators = |label: &str| groups.iter().any(|group| is_label_of(group, label));
    if wanted.is_empty()
        || selected.next().is_some()
        || selector.keys().map(Key::as_str).any(is_operators)
    {
        return None;
    }
    Some(format!("no pod template of this set has the labels {}", wanted.join(",")))
}

/// The API groups of the custom resources of a set: controllers of theirs may make pods.
fn custom_groups<'a>(named: &[(&'a ObjectKey, &Manifest)]) -> BTreeSet<&'a str> {
    let groups = named.iter().map(|(key, _)| key.group.as_str());
    groups.filter(|group| group.contains('.')).collect()
}

/// Whether a label may be one that the controllers of an API group set: its prefix is the group, or a
/// domain above or below it, as that of `cnpg.io/cluster` is for `postgresql.cnpg.io`. It may also
/// stand beside the group in a domain that is more than an owner's, such as `k8s.elastic.co`.
fn is_label_of(group: &str, label: &str) -> bool {
    let Some((domain, _)) = label.split_once('/') else { return false };
    let is_below =
        |one: &str, other: &str| one.strip_suffix(other).is_some_and(|rest| rest.ends_with('.'));
    let is_shared = SHARED_DOMAINS.contains(&domain) || !domain.contains('.');
    let is_beside = || {
        let around = group.split_once('.').map_or("", |(_, around)| around);
        around.matches('.').count() > 1 && is_below(domain, around)
    };
    domain == group
        || is_below(domain, group)
        || !is_shared && (is_below(group, domain) || is_beside())
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
