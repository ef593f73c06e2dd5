//! A Kubernetes object and its identity, as plain data.
//!
//! Knows the fields that every object has (apiVersion, kind, metadata) and nothing of any kind in
//! particular; where an object came from is [`crate::core::manifest`]'s, what the cluster calls its kind
//! is [`crate::core::kinds::catalog`]'s.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::core::json::{Map, Value};

/// The identity of an object: group, kind, namespace and name. The version is not part of it, since
/// the API server serves one object under every version of its group.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "key"))]
pub struct ObjectKey {
    /// API group, empty for the core group.
    pub group: String,
    /// Kind, such as `Deployment`.
    pub kind: String,
    /// Namespace, unless it is cluster-scoped.
    pub namespace: Option<String>,
    /// Name, unique within group, kind and namespace.
    pub name: String,
}

impl ObjectKey {
    /// `shop/web`, or `web` for a cluster-scoped object.
    pub fn path(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("{namespace}/{}", self.name),
            None => self.name.clone(),
        }
    }

    /// The kind with its group, which distinguishes kinds.
    pub fn group_kind(&self) -> GroupKind {
        GroupKind { group: self.group.clone(), kind: self.kind.clone() }
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.path())
    }
}

/// A kind and the API group it belongs to.
///
/// Displayed as an ApplySet's annotation writes it: `Deployment.apps`, and `ConfigMap` for the core
/// group.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct GroupKind {
    /// API group, empty for the core group.
    pub group: String,
    /// Kind, such as `Deployment`.
    pub kind: String,
}

impl GroupKind {
    /// The kind `kind` of API group `group`.
    pub fn new(group: &str, kind: &str) -> Self {
        Self { group: group.to_owned(), kind: kind.to_owned() }
    }

    /// Reads the form that [`Display`](fmt::Display) writes.
    pub fn parse(text: &str) -> Self {
        match text.split_once('.') {
            Some((kind, group)) => Self::new(group, kind),
            None => Self::new("", text),
        }
    }
}

impl fmt::Display for GroupKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.group.as_str() {
            "" => f.write_str(&self.kind),
            group => write!(f, "{}.{group}", self.kind),
        }
    }
}

/// An object as JSON, with accessors for the fields that every object has.
///
/// Keys are sorted, so equal objects are equal text. A copy shares the fields until one of the two is
/// changed: what is declared, sent and expected is mostly the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Object(pub Arc<Map>);

impl From<Map> for Object {
    fn from(fields: Map) -> Self {
        Self(Arc::new(fields))
    }
}

impl From<Object> for Map {
    fn from(object: Object) -> Self {
        Arc::unwrap_or_clone(object.0)
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Self::Object(object.into())
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.as_ref().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Map::deserialize(deserializer).map(Self::from)
    }
}

impl Object {
    /// The group and version, such as `apps/v1`; empty when missing.
    pub fn api_version(&self) -> &str {
        self.0.get("apiVersion").and_then(Value::as_str).unwrap_or_default()
    }

    /// The kind; empty when missing.
    pub fn kind(&self) -> &str {
        self.0.get("kind").and_then(Value::as_str).unwrap_or_default()
    }

    /// The API group: `apps` of `apps/v1`, empty for `v1`.
    pub fn group(&self) -> &str {
        self.api_version().split_once('/').map_or("", |(group, _)| group)
    }

    /// The API version: `v1` of `apps/v1`.
    pub fn version(&self) -> &str {
        self.api_version().split_once('/').map_or(self.api_version(), |(_, version)| version)
    }

    /// `metadata.name`; empty when missing.
    pub fn name(&self) -> &str {
        self.metadata_str("name").unwrap_or_default()
    }

    /// `metadata.namespace`.
    pub fn namespace(&self) -> Option<&str> {
        self.metadata_str("namespace").filter(|namespace| !namespace.is_empty())
    }

    /// `metadata.uid`, which the API server gives and never uses twice.
    pub fn uid(&self) -> Option<&str> {
        self.metadata_str("uid")
    }

    /// `metadata.resourceVersion`, which changes with every write.
    pub fn resource_version(&self) -> Option<&str> {
        self.metadata_str("resourceVersion")
    }

    /// Whether it is terminating.
    pub fn is_terminating(&self) -> bool {
        self.metadata().is_some_and(|metadata| metadata.contains_key("deletionTimestamp"))
    }

    /// One label's value.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.metadata()?.get("labels")?.get(key)?.as_str()
    }

    /// One annotation's value.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.metadata()?.get("annotations")?.get(key)?.as_str()
    }

    /// The `metadata` map.
    pub fn metadata(&self) -> Option<&Map> {
        self.0.get("metadata")?.as_object()
    }

    /// The fields, to change them.
    pub fn fields_mut(&mut self) -> &mut Map {
        Arc::make_mut(&mut self.0)
    }

    /// The `metadata` map, made if it is missing or not a map.
    pub fn metadata_mut(&mut self) -> &mut Map {
        map_at(self.fields_mut(), "metadata")
    }

    /// Sets one label.
    pub fn set_label(&mut self, key: &str, value: &str) {
        map_at(self.metadata_mut(), "labels").insert(key.to_owned(), value.into());
    }

    /// The kind with its group.
    pub fn group_kind(&self) -> GroupKind {
        GroupKind::new(self.group(), self.kind())
    }

    /// The object's identity, with the namespace as it stands in `metadata`.
    pub fn key(&self) -> ObjectKey {
        ObjectKey {
            group: self.group().to_owned(),
            kind: self.kind().to_owned(),
            namespace: self.namespace().map(str::to_owned),
            name: self.name().to_owned(),
        }
    }

    fn metadata_str(&self, key: &str) -> Option<&str> {
        self.metadata()?.get(key)?.as_str()
    }
}

/// The map at `key`, made if it is missing or not a map.
fn map_at<'a>(parent: &'a mut Map, key: &str) -> &'a mut Map {
    let slot = parent.entry(key).or_insert_with(|| Value::Object(Map::new()));
    if !slot.is_object() {
        *slot = Value::Object(Map::new());
    }
    match slot {
        Value::Object(map) => map,
        _ => unreachable!("made a map just above"),
    }
}
