//! The members of several inventories of one cluster: one LIST for each kind, whole or of metadata alone,
//! whose items are told apart here by the label that says of which inventory they are.
//!
//! Where that is forbidden, whole objects are listed namespace by namespace, and metadata are left out: a list
//! of some namespaces proves nothing of the others. What can't be listed so either is left out, too.

use std::collections::{BTreeMap, BTreeSet};

use futures::stream::{self, StreamExt as _};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::members::{HeldBytes, ListRequest, Listed, Members, typed};
use super::metadata::{ObjectVersion, form_of, read_metadata};
use super::versions::AT_ONCE;
use crate::cluster::path::{api_version, collection, query_escape};
use crate::cluster::{ApiError, Cluster};
use crate::core::in_sync::MemberVersion;
use crate::core::inventory::PART_OF;
use crate::core::kinds::catalog::{Catalog, Served};
use crate::core::object::{GroupKind, Object, ObjectKey};

/// How many whole objects a page has. One that gets too large is asked for again with fewer.
const WHOLE: usize = 2_000;
/// How many metadata a page has.
const METADATA: usize = 5_000;

/// A kind of which the members of some inventories are listed.
pub struct SharedKind {
    /// Where it is served.
    pub served: Served,
    /// The ids of the inventories, with the namespaces of their records.
    pub ids: BTreeMap<String, BTreeSet<String>>,
    /// Whether the objects are needed, and not their versions alone.
    pub whole: bool,
}

/// The members of several inventories.
#[derive(Default)]
pub struct SharedMembers {
    kinds: BTreeMap<GroupKind, KindMembers>,
}

/// The members of one kind, by the inventories' ids.
#[derive(Default)]
struct KindMembers {
    api_version: String,
    /// Whether it was listed namespace by namespace.
    by_namespace: bool,
    /// Of each inventory that was asked about, where the objects were.
    objects: BTreeMap<String, Vec<Box<RawValue>>>,
    /// Of each inventory that was asked about, with `None` for a member that does not stay.
    versions: BTreeMap<String, Vec<Option<MemberVersion>>>,
}

/// The metadata of an item, as far as they are its identity.
#[derive(Deserialize)]
struct Item {
    metadata: ItemMetadata,
}

#[derive(Deserialize)]
struct ItemMetadata {
    name: String,
    namespace: Option<String>,
    uid: String,
    #[serde(rename = "resourceVersion")]
    version: String,
    #[serde(rename = "deletionTimestamp")]
    deleted_at: Option<IgnoredAny>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

impl Cluster {
    /// The members of several inventories, with one LIST for each of these kinds, or else for each namespace.
    pub async fn shared_members(&self, kinds: Vec<SharedKind>) -> SharedMembers {
        let held = &HeldBytes::default();
        let lists = kinds.into_iter().filter(|kind| !kind.ids.is_empty()).map(|kind| async move {
            let found = match kind.whole {
                true => match self.whole_of(&kind, None, held).await {
                    Err(error) if error.is_forbidden() && kind.served.namespaced => {
                        self.whole_by_namespace(&kind, held).await
                    }
                    found => found.ok(),
                },
                false => self.versions_of_kind(&kind, held).await.ok(),
            };
            (kind.served.group_kind, found)
        });
        let mut lists = stream::iter(lists).buffer_unordered(self.connection.concurrency);
        let mut shared = SharedMembers::default();
        while let Some((kind, found)) = lists.next().await {
            if let Some(found) = found {
                shared.kinds.entry(kind).or_default().join(found);
            }
        }
        shared
    }

    /// The members of the inventories whose namespaces can all be listed; `None` where there are too many.
    async fn whole_by_namespace(&self, kind: &SharedKind, held: &HeldBytes) -> Option<KindMembers> {
        let namespaces: BTreeSet<&str> = kind.ids.values().flatten().map(String::as_str).collect();
        if namespaces.len() > self.connection.limits.questions {
            return None;
        }
        let mut found = KindMembers { by_namespace: true, ..KindMembers::of(kind) };
        let lists = namespaces.into_iter().map(|namespace| async move {
            (namespace, self.whole_of(kind, Some(namespace), held).await)
        });
        let mut lists = stream::iter(lists).buffer_unordered(self.connection.concurrency);
        let mut unread = BTreeSet::new();
        while let Some((namespace, list)) = lists.next().await {
            match list {
                Ok(list) => list.objects.into_iter().for_each(|(id, objects)| {
                    found.objects.entry(id).or_default().extend(objects);
                }),
                Err(_) => {
                    unread.insert(namespace);
                }
            }
        }
        let is_read = |namespace: &String| !unread.contains(namespace.as_str());
        found.objects.retain(|id, _| kind.ids.get(id).is_some_and(|it| it.iter().all(is_read)));
        found.versions.clear();
        Some(found)
    }

    async fn whole_of(
        &self,
        kind: &SharedKind,
        namespace: Option<&str>,
        held: &HeldBytes,
    ) -> Result<KindMembers, ApiError> {
        let path = path(kind, namespace);
        let list = ListRequest { path: &path, accept: None, held, page: WHOLE };
        let mut found = KindMembers::of(kind);
        for item in self.json_pages(list).await?.items {
            let Ok(Item { metadata }) = serde_json::from_str(item.get()) else { continue };
            let id = metadata.labels.get(PART_OF).cloned().unwrap_or_default();
            let (Some(objects), Some(versions)) =
                (found.objects.get_mut(&id), found.versions.get_mut(&id))
            else {
                continue;
            };
            let ItemMetadata { name, namespace, uid, version, deleted_at, labels: _ } = metadata;
            let key = key(&kind.served, name, namespace);
            versions.push(deleted_at.is_none().then_some(MemberVersion { key, uid, version }));
            objects.push(item);
        }
        Ok(found)
    }

    async fn versions_of_kind(
        &self,
        kind: &SharedKind,
        held: &HeldBytes,
    ) -> Result<KindMembers, ApiError> {
        let path = path(kind, None);
        let accept = Some(form_of(METADATA));
        let list = ListRequest { path: &path, accept, held, page: METADATA };
        let mut found = KindMembers::of(kind);
        for item in self.pages(list, read_metadata).await?.items {
            let ObjectVersion { name, namespace, uid, version, is_terminating, part_of } = item;
            let Some(versions) = found.versions.get_mut(&part_of.unwrap_or_default()) else {
                continue;
            };
            let key = key(&kind.served, name, namespace);
            versions.push((!is_terminating).then_some(MemberVersion { key, uid, version }));
        }
        Ok(found)
    }
}

fn key(served: &Served, name: String, namespace: Option<String>) -> ObjectKey {
    let GroupKind { group, kind } = served.group_kind.clone();
    ObjectKey { group, kind, namespace, name }
}

/// Where a kind is listed. The ids of many inventories are too long for a URL: then all members are
/// listed, whoever's they are.
fn path(kind: &SharedKind, namespace: Option<&str>) -> String {
    let ids: Vec<&str> = kind.ids.keys().map(String::as_str).collect();
    let selector = match ids.len() <= AT_ONCE {
        true => format!("{PART_OF} in ({})", ids.join(",")),
        false => PART_OF.to_owned(),
    };
    format!("{}?labelSelector={}", collection(&kind.served, namespace), query_escape(&selector))
}

impl KindMembers {
    /// Nothing yet, of each inventory that is asked about.
    fn of(kind: &SharedKind) -> Self {
        let versions = kind.ids.keys().map(|id| (id.clone(), Vec::new())).collect();
        let objects = kind.ids.keys().filter(|_| kind.whole).map(|id| (id.clone(), Vec::new()));
        let objects = objects.collect();
        Self { api_version: api_version(&kind.served), by_namespace: false, objects, versions }
    }

    fn join(&mut self, other: Self) {
        let Self { api_version, by_namespace, objects, versions } = other;
        self.api_version = api_version;
        self.by_namespace |= by_namespace;
        self.objects.extend(objects);
        self.versions.extend(versions);
    }
}

impl SharedMembers {
    /// Adds what was listed later.
    pub fn join(&mut self, other: Self) {
        for (kind, found) in other.kinds {
            self.kinds.entry(kind).or_default().join(found);
        }
    }

    /// Whether the objects of a kind are here.
    pub fn has_objects(&self, id: &str, kind: &GroupKind) -> bool {
        self.kinds.get(kind).is_some_and(|it| it.objects.contains_key(id))
    }

    /// The version of every member of these kinds; `None` where a kind could not be listed, or a member
    /// does not stay.
    pub fn versions<'a>(
        &self,
        id: &str,
        kinds: impl IntoIterator<Item = &'a GroupKind>,
    ) -> Option<Vec<MemberVersion>> {
        let mut all = Vec::new();
        for kind in kinds {
            let versions = self.kinds.get(kind)?.versions.get(id)?;
            for version in versions {
                all.push(version.clone()?);
            }
        }
        Some(all)
    }

    /// The members of one kind whose objects are here.
    pub fn objects(&self, id: &str, kind: &GroupKind) -> Vec<Object> {
        let Some(found) = self.kinds.get(kind) else { return Vec::new() };
        let items = found.objects.get(id).map(Vec::as_slice).unwrap_or_default();
        items.iter().map(|item| typed(item, &found.api_version, &kind.kind)).collect()
    }

    /// How many members of one kind there are.
    pub fn count(&self, id: &str, kind: &GroupKind) -> usize {
        self.kinds.get(kind).and_then(|it| it.versions.get(id)).map_or(0, Vec::len)
    }

    /// All members of an inventory of these kinds, for a survey; `None` where any of them was not listed.
    pub fn members<'a>(
        &self,
        id: &str,
        kinds: impl IntoIterator<Item = &'a GroupKind>,
        catalog: &Catalog,
    ) -> Option<Members> {
        let mut members = Members::default();
        for kind in kinds {
            let Some(served) = catalog.preferred(kind) else {
                match catalog.silence(&kind.group) {
                    // A survey of its own says why.
                    Some(_) => return None,
                    // No definition, no objects: they went with it.
                    None => continue,
                }
            };
            let found = self.kinds.get(kind)?;
            let items = found.objects.get(id)?.clone();
            members.lists.push(Listed::new(served, items, found.by_namespace));
        }
        members.lists.sort_by(|a, b| a.kind.cmp(&b.kind));
        Some(members)
    }
}
