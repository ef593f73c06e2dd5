//! Objects left to prune of kinds that the user may not list: those that the last applied commit
//! declared are asked for by name.
//!
//! It is as much as can be known without a list. What an incomplete run made of a commit that was
//! never fully applied can't be named any more.

use std::collections::BTreeSet;

use futures::stream::{self, StreamExt as _};

use super::{Target, declare};
use crate::cluster::Cluster;
use crate::core::desired::Desired;
use crate::core::inventory::{PART_OF, Record};
use crate::core::kinds::catalog::{Catalog, Lookup, Served};
use crate::core::object::{GroupKind, ObjectKey};
use crate::core::observed::{Observation, Observed};
use crate::core::source::snapshot::Revision;
use crate::git::Checkout;

/// The inputs of the search.
pub(super) struct FormerRelease<'a> {
    pub(super) target: &'a Target,
    pub(super) checkout: &'a Checkout,
    pub(super) catalog: &'a Catalog,
    /// The content of the inventory's parent.
    pub(super) before: Option<&'a Record>,
    /// The commit to apply now.
    pub(super) now: (&'a Revision, &'a Desired),
}

impl FormerRelease<'_> {
    /// Adds to what was observed the members that the former commit declared and this one does not,
    /// of kinds that may not be listed.
    pub(super) async fn find_members(self, observed: &mut Observed, cluster: &Cluster) {
        let kinds = observed.unlisted.iter().filter(|kind| kind.is_forbidden);
        let kinds: BTreeSet<GroupKind> = kinds.map(|kind| kind.kind.clone()).collect();
        if kinds.is_empty() {
            return;
        }
        let id = self.target.inventory.id();
        let gone = self.no_longer_declared(&kinds).await;
        let looks = gone.iter().map(|(key, served)| async move {
            (key, cluster.get(served, key.namespace.as_deref(), &key.name).await)
        });
        let mut looks = stream::iter(looks).buffer_unordered(cluster.concurrency());
        while let Some((key, found)) = looks.next().await {
            let observation = match found {
                Ok(Some(live)) if live.label(PART_OF) == Some(id.as_str()) => {
                    Observation::Seen { live: Some(live), preview: None }
                }
                Ok(_) => continue,
                Err(error) => Observation::Unknown(error.to_string()),
            };
            observed.objects.insert(key.clone(), observation);
        }
    }

    /// Which objects of these kinds the former commit declared and this one does not; none where
    /// that is no longer known.
    async fn no_longer_declared(&self, kinds: &BTreeSet<GroupKind>) -> Vec<(ObjectKey, Served)> {
        let Self { target, checkout, catalog, before, now: (revision, desired) } = *self;
        let Some(former) = before.and_then(|before| target.recorded(before)) else {
            return Vec::new();
        };
        if former.rev.as_ref() == Some(&revision.commit) && !revision.dirty {
            return Vec::new();
        }
        // A commit that is gone, or was never made, says nothing.
        let Ok(declared) = declare(&former, checkout).await else { return Vec::new() };
        let former = Desired::new(declared.manifests, catalog, &target.namespace);
        let gone = former.objects.into_iter().filter(|(key, _)| {
            kinds.contains(&key.group_kind()) && !desired.objects.contains_key(key)
        });
        let gone = gone.filter_map(|(key, manifest)| {
            match catalog.lookup(&key.group_kind(), manifest.object.version()) {
                Lookup::Served(served) => Some((key, served.clone())),
                _ => {
                    let served = catalog.preferred(&key.group_kind())?.clone();
                    Some((key, served))
                }
            }
        });
        gone.collect()
    }
}
