//! Which objects of an inventory were touched, as far as their metadata tell.
//!
//! A change of the status alone is none: a Deployment's status changes with each of its pods. Kinds whose
//! status is part of the object, and those without a generation, change whenever their version does.
//!
//! Data only; [`crate::app::watch`] feeds it from watches of metadata.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::core::json::Value;
use crate::core::managed_fields::managers::entries;
use crate::core::object::Object;

/// The state of an object, as far as its metadata tell it, in a few bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectMark {
    /// The object's uid.
    uid: String,
    /// The inventory that its label names.
    inventory: Option<String>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct State {
    /// All but the status.
    content: Summary,
    /// The managers of the status.
    status: Summary,
    version: Summary,
    has_generation: bool,
}

type Summary = [u8; 12];

impl ObjectMark {
    /// The mark of an object, whose label `label` names its inventory; `None` where it has no uid.
    pub fn of(object: &Object, label: &str) -> Option<Self> {
        let metadata = object.metadata()?;
        let of_status =
            |entry: &&Value| entry.get("subresource").and_then(Value::as_str) == Some("status");
        let (status, others): (Vec<_>, Vec<_>) = entries(object).partition(of_status);
        let named = ["generation", "labels", "annotations", "finalizers", "ownerReferences"];
        let named = named.map(|key| metadata.get(key));
        let content = summary(&(named, metadata.get("deletionTimestamp"), others));
        let has_generation = metadata.get("generation").is_some();
        let state = State {
            content,
            status: summary(&status),
            version: summary(&object.resource_version()),
            has_generation,
        };
        let inventory = object.label(label).map(str::to_owned);
        Some(Self { uid: object.uid()?.to_owned(), inventory, state })
    }
}

impl State {
    /// Whether more than the status changed. Two changes by one manager in one second leave the same
    /// entries: without a generation, only the version tells them apart.
    fn is_touched(self, before: Self) -> bool {
        let is_other = self.version != before.version && self.status == before.status;
        self.content != before.content || !self.has_generation && is_other
    }
}

fn summary(value: &impl Serialize) -> Summary {
    let digest = Sha256::digest(serde_json::to_vec(value).unwrap_or_default());
    let mut summary = Summary::default();
    let length = summary.len();
    summary.copy_from_slice(&digest[..length]);
    summary
}

/// The objects of some inventories as they were seen last.
#[derive(Debug, Default)]
pub struct TouchedBook {
    inventories: BTreeSet<String>,
    seen: BTreeMap<String, (String, State)>,
}

impl TouchedBook {
    /// Takes in all objects of these inventories. Gives those that had been listed before and were touched
    /// since.
    pub fn listed(
        &mut self,
        inventories: &BTreeSet<String>,
        marks: Vec<ObjectMark>,
    ) -> BTreeSet<String> {
        let known = std::mem::replace(&mut self.inventories, inventories.clone());
        let mut before = std::mem::take(&mut self.seen);
        let mut touched = BTreeSet::new();
        for mark in marks {
            let last = before.remove(&mark.uid);
            let now = self.put(mark);
            touched.extend(Self::changed(last, now));
        }
        touched.extend(before.into_values().map(|(inventory, _)| inventory));
        touched.retain(|inventory| known.contains(inventory) && inventories.contains(inventory));
        touched
    }

    /// Takes in an object that was made or changed. Gives the inventories that it touches.
    pub fn seen(&mut self, mark: ObjectMark) -> BTreeSet<String> {
        let last = self.seen.remove(&mark.uid);
        let now = self.put(mark);
        Self::changed(last, now).into_iter().collect()
    }

    /// Takes in that an object is gone, or carries the label no longer. Gives the inventories that it
    /// touches.
    pub fn gone(&mut self, mark: &ObjectMark) -> BTreeSet<String> {
        let known = self.seen.remove(&mark.uid).map(|(inventory, _)| inventory);
        let said = mark.inventory.clone().filter(|inventory| self.inventories.contains(inventory));
        known.into_iter().chain(said).collect()
    }

    fn put(&mut self, mark: ObjectMark) -> Option<(String, State)> {
        let ObjectMark { uid, inventory, state } = mark;
        let inventory = inventory.filter(|inventory| self.inventories.contains(inventory))?;
        self.seen.insert(uid, (inventory.clone(), state));
        Some((inventory, state))
    }

    fn changed(last: Option<(String, State)>, now: Option<(String, State)>) -> Vec<String> {
        match (last, now) {
            (Some((last, before)), Some((now, state))) if last == now => {
                if state.is_touched(before) { vec![now] } else { Vec::new() }
            }
            (last, now) => last.into_iter().chain(now).map(|(inventory, _)| inventory).collect(),
        }
    }
}

#[cfg(test)]
mod tests;
