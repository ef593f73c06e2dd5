//! The uids of inventories' parents, as they come by: whoever makes an Event of one has to name it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::core::inventory::ID;
use crate::core::object::Object;

/// The parents that were seen on a connection.
#[derive(Default)]
pub(super) struct SeenParents(Mutex<BTreeMap<String, String>>);

impl SeenParents {
    /// Notes the uid of a parent.
    pub(super) fn note(&self, parent: &Object) {
        if let (Some(id), Some(uid)) = (parent.label(ID), parent.uid()) {
            let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            seen.insert(id.to_owned(), uid.to_owned());
        }
    }

    /// The uid of the parent with this id, where it was seen.
    pub(super) fn uid(&self, id: &str) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }
}
