//! The versions of an inventory's members, without the objects themselves.

use std::collections::BTreeMap;

use futures::stream::{self, StreamExt as _};

use super::members::{HeldBytes, ListRequest, PAGE};
use super::metadata::{ObjectVersion, form_of, read_metadata};
use crate::cluster::path::{collection, query_escape};
use crate::cluster::{ApiError, Cluster};
use crate::core::in_sync::{MemberKind, MemberVersion};
use crate::core::inventory::{Inventory, PART_OF};
use crate::core::kinds::catalog::Served;
use crate::core::object::{GroupKind, ObjectKey};

impl Cluster {
    /// The version of every member, by one paged LIST of metadata for each of these kinds; `None`
    /// where one of them can't be listed across the cluster, or an object is being deleted.
    pub async fn member_versions(
        &self,
        inventory: &Inventory,
        kinds: &[MemberKind],
    ) -> Option<Vec<MemberVersion>> {
        if kinds.len() > self.connection.limits.questions {
            return None;
        }
        let held = &HeldBytes::default();
        let lists = kinds.iter().map(|kind| self.versions_of(held, kind, inventory));
        let mut lists = stream::iter(lists).buffer_unordered(self.connection.concurrency);
        let mut members = Vec::new();
        while let Some(list) = lists.next().await {
            members.extend(list.ok()??);
        }
        Some(members)
    }

    /// The versions of every member of several inventories, by their ids, which are each of these
    /// kinds: one LIST for each kind and [`AT_ONCE`] inventories. An inventory of which they can't all
    /// be told is left out.
    pub async fn member_versions_of_all(
        &self,
        kinds: &BTreeMap<String, Vec<MemberKind>>,
    ) -> BTreeMap<String, Vec<MemberVersion>> {
        let agenda = agenda(kinds);
        if agenda.len() > self.connection.limits.questions {
            return BTreeMap::new();
        }
        let held = &HeldBytes::default();
        let lists = agenda.into_iter().map(|SharedList { served, ids, objects }| async move {
            let path = path(served, &format!("{PART_OF} in ({})", ids.join(",")));
            let list = self.metadata(&path, objects, held).await;
            (served, ids, list.ok())
        });
        let mut lists = stream::iter(lists).buffer_unordered(self.connection.concurrency);
        let mut known: BTreeMap<String, Option<Vec<MemberVersion>>> =
            kinds.keys().map(|id| (id.clone(), Some(Vec::new()))).collect();
        while let Some((served, ids, list)) = lists.next().await {
            let Some(list) = list else {
                ids.into_iter().for_each(|id| drop(known.insert(id.to_owned(), None)));
                continue;
            };
            for mut object in list {
                let id = object.part_of.take().unwrap_or_default();
                let Some(versions) = known.get_mut(&id) else { continue };
                match (versions.as_mut(), version(served, object)) {
                    (Some(versions), Some(version)) => versions.push(version),
                    _ => *versions = None,
                }
            }
        }
        known.into_iter().filter_map(|(id, versions)| Some((id, versions?))).collect()
    }

    /// The metadata of all objects of a list, page by page, of which there are about so many.
    pub(in crate::cluster) async fn metadata(
        &self,
        path: &str,
        objects: usize,
        held: &HeldBytes,
    ) -> Result<Vec<ObjectVersion>, ApiError> {
        let list = ListRequest { path, accept: Some(form_of(objects)), held, page: PAGE };
        Ok(self.pages(list, read_metadata).await?.items)
    }

    async fn versions_of(
        &self,
        held: &HeldBytes,
        kind: &MemberKind,
        inventory: &Inventory,
    ) -> Result<Option<Vec<MemberVersion>>, ApiError> {
        let MemberKind { served, objects } = kind;
        let path = path(served, &format!("{PART_OF}={}", inventory.id()));
        let objects = self.metadata(&path, *objects, held).await?;
        Ok(objects.into_iter().map(|item| version(served, item)).collect())
    }
}

/// How many inventories one LIST is about: their ids make a URL of 3 KB, of which every server and
/// proxy takes 8.
pub(in crate::cluster) const AT_ONCE: usize = 50;

/// A LIST of one kind of several inventories.
struct SharedList<'a> {
    served: &'a Served,
    ids: Vec<&'a str>,
    objects: usize,
}

/// The LISTs of all inventories, by their ids.
fn agenda(kinds: &BTreeMap<String, Vec<MemberKind>>) -> Vec<SharedList<'_>> {
    let mut lists: BTreeMap<(&GroupKind, &str), Vec<SharedList<'_>>> = BTreeMap::new();
    for (id, MemberKind { served, objects }) in
        kinds.iter().flat_map(|(id, kinds)| kinds.iter().map(move |kind| (id, kind)))
    {
        let of_kind = lists.entry((&served.group_kind, &served.version)).or_default();
        match of_kind.last_mut().filter(|list| list.ids.len() < AT_ONCE) {
            Some(list) => {
                list.ids.push(id);
                list.objects += objects;
            }
            None => of_kind.push(SharedList { served, ids: vec![id], objects: *objects }),
        }
    }
    lists.into_values().flatten().collect()
}

fn path(served: &Served, selector: &str) -> String {
    format!("{}?labelSelector={}", collection(served, None), query_escape(selector))
}

/// `None` where it does not stay.
fn version(served: &Served, object: ObjectVersion) -> Option<MemberVersion> {
    let ObjectVersion { name, namespace, uid, version, is_terminating, part_of: _ } = object;
    let (group, kind) = (served.group_kind.group.clone(), served.group_kind.kind.clone());
    let key = ObjectKey { group, kind, namespace, name };
    (!is_terminating).then_some(MemberVersion { key, uid, version })
}
