//! The proof, without a request, that applying an object would change nothing.
//!
//! Server-side apply (KEP-555; sigs.k8s.io/structured-merge-diff, `merge/update.go`) replaces the
//! set of fields that we own by the set that the sent object has, merges the values, and removes
//! what we owned and no longer send. So it is a no-op if the sent object has exactly the fields of
//! our entry in `managedFields` and every one of them has the value that is live.
//!
//! Which fields an object "has" depends on the schema: a list is one field, or a field an element.
//! Our entry was made by the same rules from what we sent before, so the sent object is walked
//! beside it. The rules for what is recorded are those of `typed/tofieldset.go`: every scalar, every
//! list or map that the schema calls atomic, every element of an associative list, and a map that is
//! empty.
//!
//! The answer "no" means only that there is no proof: the server has to be asked.

use std::collections::HashMap;

use super::managers::{self, Manager, is_leaf, node};
use crate::core::json::{Key, Map, Value};
use crate::core::object::Object;

/// Looks up in the schema whether the field at a path of `fieldsV1` keys is owned as a whole.
/// `None` where the schema is unknown.
pub type AtomicFields<'a> = &'a dyn Fn(&[&str]) -> Option<bool>;

/// Fields of `metadata` that are never owned (k8s.io/apimachinery,
/// `pkg/util/managedfields/internal/stripmeta.go`) and that no manifest has a reason to set.
const SERVERS_OWN: [&str; 6] =
    ["clusterName", "generation", "managedFields", "resourceVersion", "selfLink", "uid"];

/// Whether applying `send` is proven to change nothing of `live`, neither values nor ownership.
pub fn is_noop(send: &Object, live: &Object, atomic: AtomicFields<'_>) -> bool {
    let is_same_kind = live.api_version() == send.api_version() && live.kind() == send.kind();
    let (ours, others): (Vec<_>, Vec<_>) = managers::of(live).partition(Manager::is_ours);
    let [ours] = ours[..] else { return false };
    if !is_same_kind || ours.api_version != send.api_version() {
        return false;
    }
    let mut walk = NoOpWalk { others: &others, atomic, path: Vec::new() };
    // Metadata with nothing in it that can be owned leaves no trace.
    let is_bare = send.metadata().is_none_or(|metadata| owned_metadata(metadata).next().is_none());
    let mut fields = send.0.iter().filter(|(key, _)| match key.as_str() {
        "apiVersion" | "kind" => false,
        "metadata" => !is_bare,
        _ => true,
    });
    has_plain_metadata(send, live) && walk.map(ours.fields, &mut fields, &live.0)
}

/// Whether `metadata` holds nothing that only the server may set, and names the live object.
fn has_plain_metadata(send: &Object, live: &Object) -> bool {
    let Some(metadata) = send.metadata() else { return false };
    send.name() == live.name()
        && send.namespace() == live.namespace()
        && metadata.get("creationTimestamp").is_none_or(Value::is_null)
        && !SERVERS_OWN.iter().any(|field| metadata.contains_key(field))
}

/// The fields of `metadata` that a manager can own.
fn owned_metadata(metadata: &Map) -> impl Iterator<Item = (&Key, &Value)> {
    let is_identity = |key: &str| matches!(key, "name" | "namespace" | "creationTimestamp");
    metadata.iter().filter(move |(key, _)| !is_identity(key))
}

/// The walk of what we own, what we send and what is live, side by side.
struct NoOpWalk<'a> {
    others: &'a [Manager<'a>],
    atomic: AtomicFields<'a>,
    /// The keys of `fieldsV1` from the root to here.
    path: Vec<&'a str>,
}

impl<'a> NoOpWalk<'a> {
    /// A map: the same fields in both, each with nothing to change. Both come sorted by name.
    fn map<'s>(
        &mut self,
        owned: &'a Map,
        send: &mut dyn Iterator<Item = (&'s Key, &'s Value)>,
        live: &Map,
    ) -> bool {
        let mut owned = owned.iter().filter(|(key, _)| *key != ".");
        for (name, value) in send {
            let Some((key, below)) = owned.next() else { return false };
            if key.strip_prefix("f:") != Some(name) {
                return false;
            }
            let (Some(below), Some(live)) = (below.as_object(), live.get(name)) else {
                return false;
            };
            self.path.push(key);
            let is_same = match (self.path.as_slice(), value, live) {
                (["f:metadata"], Value::Object(send), Value::Object(live)) => {
                    self.map(below, &mut owned_metadata(send), live)
                }
                _ => self.value(below, value, live),
            };
            self.path.pop();
            if !is_same {
                return false;
            }
        }
        owned.next().is_none()
    }

    /// A value of any sort.
    fn value(&mut self, owned: &'a Map, send: &Value, live: &Value) -> bool {
        let kind = owned.keys().find(|key| *key != ".").map(|key| key.as_bytes()[0]);
        match (kind, send, live) {
            (None, _, _) => send == live && self.is_whole(send),
            (Some(b'f'), Value::Object(send), Value::Object(live)) => {
                self.map(owned, &mut send.iter(), live)
            }
            (Some(b'k'), Value::Array(send), Value::Array(live)) => self.keyed(owned, send, live),
            (Some(b'v'), Value::Array(send), Value::Array(live)) => set(owned, send, live),
            _ => false,
        }
    }

    /// Whether a field with nothing recorded below it is owned as a whole, so that comparing it
    /// whole says everything.
    ///
    /// The other way to have nothing below is to have been empty when we last sent it. A map that
    /// the server then filled with defaults looks the same as one that we sent full, so only the
    /// schema can tell. An empty list leaves no trace at all, so a list without a schema is taken
    /// to be atomic unless a manager owns a part of it.
    fn is_whole(&self, send: &Value) -> bool {
        match send {
            Value::Null => false,
            Value::Object(map) if !map.is_empty() => (self.atomic)(&self.path) == Some(true),
            Value::Array(list) if !list.is_empty() => match (self.atomic)(&self.path) {
                Some(atomic) => atomic,
                None => self
                    .others
                    .iter()
                    .all(|other| node(other.fields, &self.path).is_none_or(is_leaf)),
            },
            _ => true,
        }
    }

    /// An associative list: every element that we send is one that we own, and live they stand in
    /// the order in which we send them.
    fn keyed(&mut self, owned: &'a Map, send: &[Value], live: &[Value]) -> bool {
        let Some(elements) = elements(owned) else { return false };
        let mut names: Vec<&str> =
            elements.iter().flat_map(|element| element.keys.keys().map(Key::as_str)).collect();
        names.sort_unstable();
        names.dedup();
        if elements.len() != send.len() {
            return false;
        }
        // An element is found by the key fields that we sent. Those that the server filled in are
        // not recorded as ours.
        let sent: HashMap<String, &Element<'_>> = elements
            .iter()
            .map(|element| (signature(&names, |name| element.sent_key(name)), element))
            .collect();
        let mut places: HashMap<String, Option<usize>> = HashMap::new();
        for (place, item) in live.iter().enumerate() {
            let known = places.entry(signature(&names, |name| item.get(name)));
            // Two with one key are ambiguous.
            known.and_modify(|place| *place = None).or_insert(Some(place));
        }
        let mut last = None;
        let mut seen = 0;
        for item in send {
            let Some(element) = sent.get(&signature(&names, |name| item.get(name))) else {
                return false;
            };
            let place = places.get(&signature(&names, |name| element.keys.get(name)));
            let Some(place) = place.copied().flatten().filter(|place| Some(*place) > last) else {
                return false;
            };
            last = Some(place);
            seen += 1;
            self.path.push(element.key);
            let is_same = self.element(element.fields, item, &live[place]);
            self.path.pop();
            if !is_same {
                return false;
            }
        }
        seen == sent.len()
    }

    /// An element of an associative list. One with nothing but its place recorded is empty.
    fn element(&mut self, owned: &'a Map, send: &Value, live: &Value) -> bool {
        match (send, live) {
            (Value::Object(send), Value::Object(live)) => self.map(owned, &mut send.iter(), live),
            _ => false,
        }
    }
}

/// An element of an associative list that we own.
struct Element<'a> {
    /// Its key in `fieldsV1`.
    key: &'a str,
    /// The fields that identify it.
    keys: Map,
    /// Our part of it.
    fields: &'a Map,
}

impl Element<'_> {
    /// The value of one of its key fields, provided that we sent it.
    fn sent_key(&self, name: &str) -> Option<&Value> {
        let is_sent = self.fields.keys().any(|key| key.strip_prefix("f:") == Some(name));
        self.keys.get(name).filter(|_| is_sent)
    }
}

fn elements(owned: &Map) -> Option<Vec<Element<'_>>> {
    let elements = owned.iter().filter(|(key, _)| *key != ".");
    elements
        .map(|(key, fields)| {
            let keys = serde_json::from_str(key.strip_prefix("k:")?).ok()?;
            Some(Element { key, keys, fields: fields.as_object()? })
        })
        .collect()
}

/// The key fields as one text; a field that is missing differs from every value.
fn signature<'v>(names: &[&str], get: impl Fn(&str) -> Option<&'v Value>) -> String {
    let mut text = String::new();
    for name in names {
        if let Some(value) = get(name) {
            text.push_str(&value.to_string());
        }
        text.push(',');
    }
    text
}

/// A set: every value that we send is one that we own, and live they stand in the order in which
/// we send them.
fn set(owned: &Map, send: &[Value], live: &[Value]) -> bool {
    if owned.keys().filter(|key| *key != ".").count() != send.len() {
        return false;
    }
    let mut last = None;
    send.iter().all(|value| {
        let mut places = live.iter().enumerate().filter(|(_, other)| *other == value);
        let (first, second) = (places.next().map(|(place, _)| place), places.next());
        let is_next = first.is_some() && second.is_none() && first > last;
        last = first;
        is_next && owned.contains_key(&format!("v:{value}"))
    })
}

#[cfg(test)]
mod tests;
