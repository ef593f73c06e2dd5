//! Looks for members that the inventory's record does not cover, before the record is widened over
//! them: they are of a record that is gone, and may be another repository's.
//!
//! The record is wider than what there is at any time, so this costs one LIST for each kind that the
//! record does not name yet, once.

use std::collections::{BTreeMap, BTreeSet};

use futures::stream::{self, StreamExt as _};

use super::HeldBytes;
use super::ObserveOptions;
use super::members::Listed;
use crate::cluster::Cluster;
use crate::core::annotations::Mode;
use crate::core::kinds::catalog::{Lookup, is_namespace};
use crate::core::managed_fields;
use crate::core::object::{GroupKind, Object, ObjectKey};
use crate::core::observed::{Observation, Observed, Unrecorded};

/// The result of the search.
#[derive(Default)]
pub struct UnrecordedMembers {
    unrecorded: Unrecorded,
    /// Kinds that could not be listed, and why.
    unknown: BTreeMap<GroupKind, String>,
}

impl UnrecordedMembers {
    /// Adds it to what was observed. Kinds that could not be listed are unknown, so that they are
    /// refused.
    pub fn join(self, observed: &mut Observed) {
        let Self { mut unrecorded, unknown } = self;
        for (key, observation) in &mut observed.objects {
            if let Some(why) = unknown.get(&key.group_kind()) {
                *observation = Observation::Unknown(why.clone());
            }
        }
        // One object may be served as several kinds.
        let live = observed.objects.values().filter_map(Observation::live);
        let known: BTreeSet<&str> = live.filter_map(Object::uid).collect();
        let is_recorded = |key: &ObjectKey, live: &Object| {
            !observed.objects.contains_key(key) && live.uid().is_some_and(|uid| known.contains(uid))
        };
        unrecorded.objects.retain(|key, live| !is_recorded(key, live));
        observed.unrecorded = unrecorded;
    }
}

impl Cluster {
    /// Looks for members of the kinds and in the namespaces that the commit adds to the record.
    /// Of the kinds that were listed `by_namespace` others may be there than in the namespaces that the
    /// record names.
    pub async fn unrecorded(
        &self,
        question: &ObserveOptions<'_>,
        by_namespace: &BTreeSet<GroupKind>,
    ) -> UnrecordedMembers {
        let ObserveOptions { desired, catalog, inventory, record, .. } = question;
        let mut added = BTreeMap::new();
        let objects = desired.objects.iter();
        for (key, manifest) in objects.filter(|(_, manifest)| !Mode::ignores(&manifest.object)) {
            let kind = key.group_kind();
            let is_known = record.is_some_and(|record| record.kinds.contains(&kind));
            // A kind that the commit itself brings has no objects yet.
            if let Lookup::Served(served) = catalog.lookup(&kind, manifest.object.version())
                && !is_known
                && served.can_be_listed()
            {
                added.insert(kind, served);
            }
        }
        let home = || [inventory.namespace.clone()];
        let recorded = record.map_or_else(|| home().into(), |record| record.namespaces.clone());
        let wanted = desired.namespaces();
        let new: BTreeSet<String> = wanted.difference(&recorded).cloned().collect();
        let all: BTreeSet<String> = wanted.union(&recorded).cloned().collect();

        let held = &HeldBytes::default();
        let by_kind = added.values().map(|served| (*served, &all, true));
        let in_new = by_namespace.iter().filter_map(|kind| catalog.preferred(kind));
        let in_new = in_new.filter(|_| !new.is_empty()).map(|served| (served, &new, false));
        let lists = by_kind.chain(in_new).map(|(served, namespaces, is_added)| async move {
            let list = match is_added {
                true => self.list_kind(held, served, inventory, namespaces).await,
                false => self.list_in(held, served, inventory, namespaces).await,
            };
            (served, is_added, list)
        });
        let mut lists = stream::iter(lists).buffer_unordered(self.connection.concurrency);
        let mut strange = UnrecordedMembers::default();
        strange.unrecorded.is_gone = record.is_none();
        while let Some((served, is_added, list)) = lists.next().await {
            match list {
                Ok(list) => strange.note(&list, question, is_added),
                // A kind that the user may not list is not pruned either, except by name.
                Err(error) if error.is_forbidden() => {}
                Err(error) => {
                    let why = self.why_not(served, &error).await;
                    strange.unknown.insert(served.group_kind.clone(), why);
                }
            }
        }
        strange
    }
}

impl UnrecordedMembers {
    /// Notes what trueup itself once put there, of one list.
    fn note(&mut self, list: &Listed, question: &ObserveOptions<'_>, is_added: bool) {
        let id = question.inventory.id();
        for item in &list.items {
            let live = list.object(item);
            let key = live.key();
            // The record's own namespace is made before the record: there is nowhere else to write.
            let is_home = is_namespace(&key) && key.name == question.inventory.namespace;
            if is_home || live.is_terminating() || !managed_fields::is_ours(&live, &id) {
                continue;
            }
            let new = key.namespace.clone().filter(|_| !is_added);
            match new {
                Some(namespace) => self.unrecorded.namespaces.extend([namespace]),
                None => self.unrecorded.kinds.extend([list.kind.clone()]),
            }
            self.unrecorded.objects.insert(key, live);
        }
    }
}
