//! Digests of what an approved difference depends on.
//!
//! - Of an object that is updated: the fields in which live and what it becomes differ, as they are
//!   and as they become. Of a field that the server fills in where there was none, only that it
//!   does so: it may choose another port each time it is asked.
//! - Of an object that is made: what is sent.
//! - Of an object that is deleted: which fields trueup owns, and since when. None of them can be
//!   changed without taking it over.
//!
//! A digest of a short value can be guessed, so nothing that is masked when shown is digested. In
//! its place goes the live object's resourceVersion, which moves with every write; what it becomes
//! is said by the commit.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::Purpose;
use crate::core::desired::Desired;
use crate::core::diff;
use crate::core::json::{Map, Value, json};
use crate::core::managed_fields::managers::{self, Manager};
use crate::core::object::Object;
use crate::core::plan::{Action, Change};
use crate::core::redact::{Redactor, without_numbers};

/// A SHA-256, in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(String);

impl Digest {
    /// The digest of a value for this purpose; the same value has another for another purpose.
    fn new(purpose: &Purpose, what: &str, value: &Value) -> Self {
        Self::of(&json!([purpose, what, value]))
    }

    /// The digest of a value. Keys are sorted, so equal values have equal digests.
    pub(super) fn of(value: &Value) -> Self {
        let digest = Sha256::digest(value.to_string());
        Self(digest.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

/// The digests of one change.
#[derive(Default)]
pub(super) struct Digests {
    /// Of the live fields that it depends on.
    pub(super) live: Option<Digest>,
    /// Of what it becomes.
    pub(super) becomes: Option<Digest>,
}

/// The digest of everything that is desired, in the order of the keys.
pub(super) fn desired(purpose: &Purpose, desired: &Desired, redactor: &Redactor) -> Digest {
    let objects = desired.objects.values();
    let objects: Vec<Object> = objects.map(|manifest| masked(&manifest.object, redactor)).collect();
    Digest::new(purpose, "desired", &json!(objects))
}

/// The digests of a change.
pub(super) fn change(purpose: &Purpose, change: &Change, redactor: &Redactor) -> Digests {
    let digest = |what: &str, value: &Value| Some(Digest::new(purpose, what, value));
    let sent = || change.send().map(|send| masked(send, redactor));
    match (change.action(), change.live()) {
        (Action::Keep | Action::Refuse, _) => Digests::default(),
        (Action::Create, _) | (_, None) => {
            Digests { live: None, becomes: digest("becomes", &json!([sent()])) }
        }
        (Action::Delete, Some(live)) => {
            Digests { live: digest("live", &owned(live)), becomes: None }
        }
        (Action::Update | Action::Replace | Action::Abandon, Some(live)) => {
            let (before, after) = diff::compared(change);
            let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
            let shown = |object: &Object| masked(object, redactor);
            let fields = diff::fields_between(&shown(&before), &shown(&after));
            let is_masked = fields != diff::fields_between(&before, &after);
            let before = fields.iter().map(|field| json!([field.path, field.before])).collect();
            let after = fields.iter().map(|field| {
                let is_chosen = field.before.is_none();
                json!([field.path, field.after.as_ref().filter(|_| !is_chosen)])
            });
            let after = after.collect();
            let version = live.resource_version().filter(|_| is_masked);
            Digests {
                live: digest("live", &json!([Value::Array(before), version])),
                becomes: digest("becomes", &json!([sent(), Value::Array(after)])),
            }
        }
    }
}

/// The fields of `live` that trueup owns, and since when. These are names of fields, not values.
fn owned(live: &Object) -> Value {
    let ours = managers::of(live).filter(Manager::is_ours);
    ours.map(|ours| json!([ours.api_version, ours.time, ours.fields])).collect()
}

/// The object with masks that do not tell which value is which: what number a value has depends on
/// which others there are.
fn masked(object: &Object, redactor: &Redactor) -> Object {
    let shown = redactor.object(object);
    let fields = Map::from(shown).into_iter();
    fields.map(|(key, value)| (key, unnumbered(value))).collect::<Map>().into()
}

fn unnumbered(value: Value) -> Value {
    match value {
        Value::String(text) => without_numbers(&text).into(),
        Value::Array(items) => items.into_iter().map(unnumbered).collect(),
        Value::Object(map) => {
            Value::Object(map.into_iter().map(|(key, value)| (key, unnumbered(value))).collect())
        }
        other => other,
    }
}
