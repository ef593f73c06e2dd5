//! The observed state of the cluster, object by object, including "could not be asked".
//!
//! The API server's answer to a dry run is part of it: only the server knows what an object would
//! become, so a plan can be pure only if that answer is observed first.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::health::Health;
use crate::core::inventory::Finished;
use crate::core::object::{GroupKind, Object, ObjectKey};
use crate::core::problem::Refusal;
use crate::core::unique_value::UniqueValue;

/// The observation of every object of desired ∪ inventory.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observed {
    /// One observation an object.
    pub objects: BTreeMap<ObjectKey, Observation>,
    /// Kinds whose objects could not be listed, and why: what they hold of the inventory is
    /// unknown, so nothing is pruned.
    pub unlisted: Vec<Unlisted>,
    /// Desired objects that are live and not ready, and why.
    pub unready: BTreeMap<ObjectKey, Health>,
    /// How many objects the inventory had before what is not finished yet was begun, where that is
    /// recorded.
    pub begun_with: Option<usize>,
    /// Jobs that were run, and are gone since.
    pub finished: Finished,
    /// Objects with the inventory's label outside its record.
    pub unrecorded: Unrecorded,
    /// Of desired objects that want values of which the cluster has each only once, and that others
    /// hold: which, and who. The preview is of the object as if they were free.
    pub taken: BTreeMap<ObjectKey, Vec<Taken>>,
}

/// A value that another object holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The value, and the field that is to have it.
    pub value: UniqueValue,
    /// The holder.
    pub holder: ObjectKey,
}

impl Observed {
    /// Takes out what is live of an object.
    pub fn take(&mut self, key: &ObjectKey) -> Option<Object> {
        match self.objects.get_mut(key) {
            Some(Observation::Seen { live, .. }) => live.take(),
            _ => None,
        }
    }

    /// Whether the kind of `key` could not be listed.
    pub fn is_unlisted(&self, key: &ObjectKey) -> bool {
        self.unlisted.iter().any(|unlisted| unlisted.kind == key.group_kind())
    }
}

/// Live objects that carry the inventory's label and trueup's own entry, of kinds or in namespaces that
/// the record does not name: of a record that is gone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Unrecorded {
    /// The objects.
    pub objects: BTreeMap<ObjectKey, Object>,
    /// Whether there is no record at all.
    pub is_gone: bool,
    /// Their kinds, where the record does not name them.
    pub kinds: BTreeSet<GroupKind>,
    /// Their namespaces, where the record does not name them and each is listed by itself.
    pub namespaces: BTreeSet<String>,
}

/// A kind that could not be listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unlisted {
    /// The kind.
    pub kind: GroupKind,
    /// Why.
    pub reason: String,
    /// Whether the user may not, which another run would not change.
    pub is_forbidden: bool,
}

/// The observation of one object.
#[derive(Clone, Debug, PartialEq)]
pub enum Observation {
    /// It was looked up.
    Seen {
        /// The object as the cluster has it; `None` when there is none.
        live: Option<Object>,
        /// The effect of applying the desired object; `None` when nothing is desired.
        preview: Option<Preview>,
    },
    /// It could not be looked up, and why.
    Unknown(String),
}

impl Observation {
    /// The object as the cluster has it, as far as that is known.
    pub fn live(&self) -> Option<&Object> {
        match self {
            Self::Seen { live, .. } => live.as_ref(),
            Self::Unknown(_) => None,
        }
    }
}

/// The API server's preview of an apply.
#[derive(Clone, Debug, PartialEq)]
pub enum Preview {
    /// Nothing.
    Same,
    /// The object would become this.
    Merged(Object),
    /// The server can't say yet, because something that the commit also brings is missing.
    Deferred(Prerequisite),
    /// The server refuses, and why.
    Refused(Refusal),
    /// The server refuses, because a field can't change once the object is there.
    Immutable {
        /// Which field, in the server's words.
        refusal: Refusal,
        /// Whether the server would accept the object if it were recreated.
        recreation: Result<(), Refusal>,
    },
    /// It was not asked: the object says itself that it stays as it is.
    Left,
    /// The server can't be asked without carrying it out, and why.
    Unasked(String),
}

/// The prerequisite before the server can say anything about an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prerequisite {
    /// Its namespace.
    Namespace(String),
    /// The definition of its kind.
    Definition(ObjectKey),
    /// The server that has its kind.
    Server {
        /// The APIService that leads to it.
        by: ObjectKey,
        /// Why the server does not answer, so that the object may be there already; `None` where
        /// there is no APIService yet.
        silence: Option<String>,
    },
    /// Others of the commit, of which at least one may give the right or the room that it lacks, or
    /// what the commit takes out and forbids it.
    Applied {
        /// Which ones are applied first.
        first: BTreeSet<ObjectKey>,
        /// Which ones are deleted first.
        gone: BTreeSet<ObjectKey>,
        /// Why the server refuses it as long as they are not.
        refusal: Refusal,
    },
}
