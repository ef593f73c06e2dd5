//! The entries of `metadata.managedFields`: who wrote which fields, how and when.

use super::FIELD_MANAGER;
use crate::core::json::{Map, Value};
use crate::core::object::Object;

/// The fields that a manager owns, or those below one of them: `fieldsV1` of a `managedFields` entry,
/// whose keys are `f:NAME`, `k:KEYS`, `v:VALUE` and `.`.
pub type FieldsV1 = Map;

/// One entry: the fields that a manager owns through one way of writing.
#[derive(Clone, Copy, Debug)]
pub struct Manager<'a> {
    /// The name that it wrote under, such as `kubectl-edit`.
    pub name: &'a str,
    /// How it wrote: `Apply` or `Update`.
    pub operation: &'a str,
    /// The version of the kind that the fields are named in, such as `apps/v1`.
    pub api_version: &'a str,
    /// The part that it wrote through, such as `scale`; empty for the object itself.
    pub subresource: &'a str,
    /// When it last changed what it owns, as RFC 3339 text.
    pub time: Option<&'a str>,
    /// The fields as a tree, in the form `FieldsV1` (KEP-555): `f:NAME` for a field, `k:{…}` for
    /// the element of a list by its keys, `v:…` for one by its value, and `.` for the node itself.
    pub fields: &'a FieldsV1,
}

impl Manager<'_> {
    /// Whether it is what trueup applied.
    pub fn is_ours(&self) -> bool {
        self.name == FIELD_MANAGER && self.operation == "Apply" && self.subresource.is_empty()
    }

    /// Its name for people: `kubectl (scale)`.
    pub fn in_words(&self) -> String {
        match self.subresource {
            "" => self.name.to_owned(),
            part => format!("{} ({part})", self.name),
        }
    }
}

/// The managers of `live`, in the server's order. Entries without fields are left out.
pub fn of(live: &Object) -> impl Iterator<Item = Manager<'_>> {
    entries(live).filter_map(read)
}

/// The entries as they are.
pub fn entries(live: &Object) -> impl Iterator<Item = &Value> {
    let entries = live.metadata().and_then(|metadata| metadata.get("managedFields"));
    entries.and_then(Value::as_array).into_iter().flatten()
}

/// Reads an entry; `None` where it has no fields.
pub fn read(entry: &Value) -> Option<Manager<'_>> {
    let text = |key: &str| entry.get(key).and_then(Value::as_str);
    Some(Manager {
        name: text("manager").unwrap_or_default(),
        operation: text("operation").unwrap_or_default(),
        api_version: text("apiVersion").unwrap_or_default(),
        subresource: text("subresource").unwrap_or_default(),
        time: text("time"),
        fields: entry.get("fieldsV1")?.as_object()?,
    })
}

/// The entries of each manager below `key`, of those that own anything there.
pub(super) fn below<'a>(nodes: &[&'a FieldsV1], key: &str) -> Vec<&'a FieldsV1> {
    nodes.iter().filter_map(|node| node.get(key)?.as_object()).collect()
}

/// The node of `fields` at a path of its keys, such as `["f:spec", "f:replicas"]`.
pub fn node<'a>(fields: &'a FieldsV1, path: &[&str]) -> Option<&'a Map> {
    path.iter().try_fold(fields, |node, key| node.get(key)?.as_object())
}

/// Whether a node stands for nothing below it: the field is owned whole, or is empty.
pub fn is_leaf(node: &Map) -> bool {
    node.keys().all(|key| key == ".")
}
