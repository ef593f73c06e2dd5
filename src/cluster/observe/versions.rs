//! The versions of an inventory's members, without the objects themselves.

use futures::stream::{self, StreamExt as _};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::members::HeldBytes;
use crate::cluster::path::{collection, query_escape};
use crate::cluster::{ApiError, Cluster};
use crate::core::in_sync::MemberVersion;
use crate::core::inventory::{Inventory, PART_OF, Record};
use crate::core::kinds::catalog::{Catalog, Served};
use crate::core::object::ObjectKey;

/// Asks for the metadata of objects alone.
const METADATA: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

/// An object's metadata, as far as they are its identity and its version.
#[derive(Deserialize)]
struct Item {
    metadata: ItemMetadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ItemMetadata {
    name: String,
    namespace: Option<String>,
    uid: String,
    resource_version: String,
    deletion_timestamp: Option<String>,
}

impl Cluster {
    /// The version of every member, by one paged LIST of metadata for each kind of the record;
    /// `None` where one of the kinds can't be listed across the cluster, or an object is being
    /// deleted.
    pub async fn member_versions(
        &self,
        inventory: &Inventory,
        record: &Record,
        catalog: &Catalog,
    ) -> Option<Vec<MemberVersion>> {
        let mut served = Vec::new();
        for kind in &record.kinds {
            match catalog.preferred(kind) {
                Some(kind) => served.push(kind),
                None if catalog.silence(&kind.group).is_none() => {}
                None => return None,
            }
        }
        if served.len() > self.connection.limits.questions {
            return None;
        }
        let held = &HeldBytes::default();
        let lists = served.into_iter().map(|kind| self.versions_of(held, kind, inventory));
        let mut lists = stream::iter(lists).buffer_unordered(self.connection.concurrency);
        let mut members = Vec::new();
        while let Some(list) = lists.next().await {
            members.extend(list.ok()??);
        }
        Some(members)
    }

    async fn versions_of(
        &self,
        held: &HeldBytes,
        served: &Served,
        inventory: &Inventory,
    ) -> Result<Option<Vec<MemberVersion>>, ApiError> {
        let selector = format!("{PART_OF}={}", inventory.id());
        let base =
            format!("{}?labelSelector={}", collection(served, None), query_escape(&selector));
        let items = self.pages(held, &base, Some(METADATA)).await?.items;
        Ok(items.iter().map(|item| version(served, item)).collect())
    }
}

/// `None` where it does not stay.
fn version(served: &Served, item: &RawValue) -> Option<MemberVersion> {
    let Item { metadata } = serde_json::from_str(item.get()).ok()?;
    let ItemMetadata { name, namespace, uid, resource_version, deletion_timestamp } = metadata;
    let (group, kind) = (served.group_kind.group.clone(), served.group_kind.kind.clone());
    let key = ObjectKey { group, kind, namespace, name };
    deletion_timestamp.is_none().then_some(MemberVersion { key, uid, version: resource_version })
}
