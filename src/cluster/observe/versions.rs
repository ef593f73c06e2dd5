//! The versions of an inventory's members, without the objects themselves.

use futures::stream::{self, StreamExt as _};

use super::members::{HeldBytes, ListRequest};
use super::metadata::{METADATA, ObjectVersion, read_metadata};
use crate::cluster::path::{collection, query_escape};
use crate::cluster::{ApiError, Cluster};
use crate::core::in_sync::MemberVersion;
use crate::core::inventory::{Inventory, PART_OF};
use crate::core::kinds::catalog::Served;
use crate::core::object::ObjectKey;

impl Cluster {
    /// The version of every member, by one paged LIST of metadata for each of these kinds; `None`
    /// where one of them can't be listed across the cluster, or an object is being deleted.
    pub async fn member_versions(
        &self,
        inventory: &Inventory,
        kinds: &[Served],
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

    /// The metadata of all objects of a list, page by page.
    pub(in crate::cluster) async fn metadata(
        &self,
        path: &str,
        held: &HeldBytes,
    ) -> Result<Vec<ObjectVersion>, ApiError> {
        let list = ListRequest { path, accept: Some(METADATA), held };
        Ok(self.pages(list, read_metadata).await?.items)
    }

    async fn versions_of(
        &self,
        held: &HeldBytes,
        served: &Served,
        inventory: &Inventory,
    ) -> Result<Option<Vec<MemberVersion>>, ApiError> {
        let selector = format!("{PART_OF}={}", inventory.id());
        let path =
            format!("{}?labelSelector={}", collection(served, None), query_escape(&selector));
        let objects = self.metadata(&path, held).await?;
        Ok(objects.into_iter().map(|item| version(served, item)).collect())
    }
}

/// `None` where it does not stay.
fn version(served: &Served, object: ObjectVersion) -> Option<MemberVersion> {
    let ObjectVersion { name, namespace, uid, version, is_terminating } = object;
    let (group, kind) = (served.group_kind.group.clone(), served.group_kind.kind.clone());
    let key = ObjectKey { group, kind, namespace, name };
    (!is_terminating).then_some(MemberVersion { key, uid, version })
}
