//! Lists in which no element may be there twice: server-side apply knows elements by their keys.
//!
//! Source of the rules: sigs.k8s.io/structured-merge-diff `typed/validate.go`. The keys of a
//! release's lists are told by the type of the elements.

use std::collections::HashSet;

use crate::core::json::Value;
use crate::core::kinds::schemas::Schema;

/// Lists of up to so many elements are compared in pairs.
const PAIRS: usize = 16;

/// The elements that are there before, and with which key.
pub(in super::super) fn repeated(list: &[Value], schema: &Schema) -> Vec<Repeated> {
    if list.len() < 2 {
        return Vec::new();
    }
    let keys: Keys<'_> = match schema.list_type.as_deref() {
        Some("set") => Keys::Whole,
        Some("map") => {
            // Of these the defaults are known, which the keys of a release's schema do not have.
            let of_type =
                schema.items.as_ref().and_then(|items| of_type(items.reference.as_deref()?));
            match of_type {
                Some(keys) => Keys::Known(keys),
                None if schema.list_map_keys.is_empty() => return Vec::new(),
                None => Keys::Listed(&schema.list_map_keys, schema),
            }
        }
        _ => return Vec::new(),
    };
    let found = |(index, item): (usize, &Value)| {
        let first = list[..index].iter().position(|other| keys.same(item, other))?;
        Some(Repeated { index, first, key: keys.shown(item) })
    };
    if list.len() <= PAIRS {
        return list.iter().enumerate().filter_map(found).collect();
    }
    let mut seen = HashSet::with_capacity(list.len());
    let is_new = |item: &Value| seen.insert(keys.shown(item));
    if list.iter().all(is_new) {
        return Vec::new();
    }
    list.iter().enumerate().filter_map(found).collect()
}

/// An element that is there before.
pub(in super::super) struct Repeated {
    /// Its place.
    pub(in super::super) index: usize,
    /// The place of the first.
    pub(in super::super) first: usize,
    /// The key of both.
    pub(in super::super) key: String,
}

/// The keys of a list's elements.
enum Keys<'s> {
    Whole,
    Known(&'static [&'static str]),
    Listed(&'s [String], &'s Schema),
}

/// The keys of the lists of a type of the release.
fn of_type(name: &str) -> Option<&'static [&'static str]> {
    Some(match name.rsplit('.').next()? {
        "ContainerPort" => &["containerPort", "protocol"],
        "ServicePort" => &["port", "protocol"],
        "TopologySpreadConstraint" => &["topologyKey", "whenUnsatisfiable"],
        "OwnerReference" => &["uid"],
        "HostAlias" => &["ip"],
        "VolumeDevice" => &["devicePath"],
        "VolumeMount" => &["mountPath"],
        "ValidationRule" => &["rule"],
        "Container"
        | "EnvVar"
        | "EphemeralContainer"
        | "LocalObjectReference"
        | "MatchCondition"
        | "MutatingWebhook"
        | "ObjectReference"
        | "PodResourceClaim"
        | "PodSchedulingGate"
        | "ResourceClaim"
        | "ValidatingWebhook"
        | "Variable"
        | "Volume" => &["name"],
        _ => return None,
    })
}

impl Keys<'_> {
    /// The value of a key of an element; `None` where it is not there and has no default.
    fn value<'v>(&'v self, item: &'v Value, key: &str) -> Option<&'v Value> {
        static TCP: std::sync::LazyLock<Value> =
            std::sync::LazyLock::new(|| Value::String("TCP".to_owned()));
        let own = item.as_object()?.get(key).filter(|value| !value.is_null());
        own.or_else(|| match self {
            Self::Listed(_, schema) => schema.items.as_ref()?.properties.get(key)?.default.as_ref(),
            _ => (key == "protocol").then_some(&*TCP),
        })
    }

    fn each(&self) -> Vec<&str> {
        match self {
            Self::Whole => Vec::new(),
            Self::Known(keys) => keys.to_vec(),
            Self::Listed(keys, _) => keys.iter().map(String::as_str).collect(),
        }
    }

    fn same(&self, one: &Value, other: &Value) -> bool {
        let same = |key: &str| {
            let value = self.value(one, key);
            value.is_some() && value == self.value(other, key)
        };
        match self {
            Self::Whole => one == other,
            Self::Known(keys) => keys.iter().all(|key| same(key)),
            Self::Listed(keys, _) => keys.iter().all(|key| same(key)),
        }
    }

    /// In words, as `name=a`.
    fn shown(&self, item: &Value) -> String {
        let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if matches!(self, Self::Whole) {
            return plain(item);
        }
        let part =
            |key: &str| format!("{key}={}", self.value(item, key).map(plain).unwrap_or_default());
        self.each().into_iter().map(part).collect::<Vec<_>>().join(", ")
    }
}
