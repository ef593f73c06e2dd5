//! Reads and writes the inventory's parent object, and reads the cluster's own identity.

use std::collections::BTreeMap;

use futures::stream::{self, StreamExt as _};
use http::Method;

use super::api_request::{ApiRequest, object};
use super::observe::{AT_ONCE, typed};
use super::path::one;
use super::{ApiError, Cascade, Cluster};
use crate::core::inventory::{ID, Inventory, Record};
use crate::core::json::json;
use crate::core::kinds::catalog::Served;
use crate::core::managed_fields::FIELD_MANAGER;
use crate::core::object::{GroupKind, Object};
use crate::core::policy::OnConflict;

impl Cluster {
    /// The inventory's parent; `None` when there is none yet.
    ///
    /// # Errors
    ///
    /// When it can't be read.
    pub async fn parent(&self, inventory: &Inventory) -> Result<Option<Object>, ApiError> {
        let parent = self.get(&config_maps(), Some(&inventory.namespace), &inventory.name).await?;
        parent.iter().for_each(|parent| self.connection.parents.note(parent));
        Ok(parent)
    }

    /// The parents of several inventories, by the inventories' ids, with one LIST for each namespace and
    /// [`AT_ONCE`] of them. One that is not among them may be there all the same, such as where they can't be
    /// listed, or one has lost its label.
    pub async fn parents(&self, inventories: &[&Inventory]) -> BTreeMap<String, Object> {
        let mut ids: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for inventory in inventories {
            ids.entry(&inventory.namespace).or_default().push(inventory.id());
        }
        let served = &config_maps();
        let lists = ids.into_iter().flat_map(|(namespace, ids)| {
            let chunks: Vec<String> = ids.chunks(AT_ONCE).map(|ids| ids.join(",")).collect();
            chunks.into_iter().map(move |ids| async move {
                self.list(served, Some(namespace), &format!("{ID} in ({ids})")).await
            })
        });
        let lists = stream::iter(lists).buffer_unordered(self.connection.concurrency);
        let lists = lists.collect::<Vec<_>>().await;
        let found = lists.into_iter().flatten().flat_map(|list| list.items);
        // A copy may have the label, too: the parent is the one by its name.
        let parents = found.map(|item| typed(&item, "v1", "ConfigMap")).filter_map(|parent| {
            let is_its = |it: &&&Inventory| {
                it.name == parent.name() && parent.namespace() == Some(&it.namespace)
            };
            self.connection.parents.note(&parent);
            Some((inventories.iter().find(is_its)?.id(), parent))
        });
        parents.collect()
    }

    /// Every inventory's parent that the user may list: of the whole cluster, else of one namespace.
    /// They are as of a moment ago. None where they can't be listed.
    pub async fn all_parents(&self, home: &str) -> Vec<Object> {
        let served = &config_maps();
        let list = match self.list_remembered(served, None, ID).await {
            Err(error) if error.is_forbidden() => {
                self.list_remembered(served, Some(home), ID).await
            }
            list => list,
        };
        let items = list.map(|list| list.items).unwrap_or_default();
        let slim = |mut parent: Object| {
            // Most of its bytes, in which nothing is said of the inventory.
            parent.metadata_mut().remove("managedFields");
            parent
        };
        items.iter().map(|item| typed(item, "v1", "ConfigMap")).map(slim).collect()
    }

    /// Deletes the parent of an inventory without members, as long as it is still that.
    ///
    /// # Errors
    ///
    /// When the API server refuses, or does not answer.
    pub async fn remove_parent(&self, inventory: &Inventory) -> Result<(), ApiError> {
        let served = &config_maps();
        let Some(parent) = self.parent(inventory).await? else { return Ok(()) };
        let is_meant =
            |now: &Object| inventory.read(now).is_ok_and(|record| record.kinds.is_empty());
        if inventory.read(&parent).is_ok() {
            self.delete(served, &parent, Cascade::Background, &is_meant).await?;
        }
        Ok(())
    }

    /// Writes what the inventory's parent says.
    ///
    /// # Errors
    ///
    /// When the API server refuses.
    pub async fn record(&self, inventory: &Inventory, record: &Record) -> Result<(), ApiError> {
        let parent = inventory.parent(record);
        let written = self.patch(&config_maps(), &parent, false, OnConflict::Force).await?;
        self.connection.parents.note(&object(written.body));
        Ok(())
    }

    /// Sets an annotation of an inventory's parent, or removes it, as long as it is still the object that
    /// was seen. Writing the record leaves it alone.
    ///
    /// # Errors
    ///
    /// When the API server refuses.
    pub async fn annotate_parent(
        &self,
        parent: &Object,
        name: &str,
        value: Option<&str>,
    ) -> Result<(), ApiError> {
        let patch = json!({ "metadata": { "uid": parent.uid(), "annotations": { name: value } } });
        let at = one(&config_maps(), parent.namespace(), parent.name());
        let path = format!("{at}?fieldManager={FIELD_MANAGER}");
        let body = Some(("application/merge-patch+json", patch.to_string().into_bytes()));
        let call = ApiRequest { method: Method::PATCH, path, body, accept: None, known: None };
        self.call(call).await.map(|_| ())
    }

    /// Whether there is a namespace `name`; yes where the user may not ask.
    ///
    /// # Errors
    ///
    /// When the API server does not answer.
    pub async fn has_namespace(&self, name: &str) -> Result<bool, ApiError> {
        match self.get(&namespaces(), None, name).await {
            Ok(namespace) => Ok(namespace.is_some()),
            Err(error) if error.is_forbidden() => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// The cluster's identity: the uid of its kube-system namespace, the nearest thing to one that
    /// Kubernetes has. `None` where the user may not see it.
    ///
    /// # Errors
    ///
    /// When the API server does not answer.
    pub async fn uid(&self) -> Result<Option<String>, ApiError> {
        match self.get(&namespaces(), None, "kube-system").await {
            Ok(namespace) => Ok(namespace.and_then(|namespace| namespace.uid().map(str::to_owned))),
            Err(error) if error.is_forbidden() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn namespaces() -> Served {
    Served {
        group_kind: GroupKind::new("", "Namespace"),
        plural: "namespaces".to_owned(),
        namespaced: false,
        ..config_maps()
    }
}

pub(super) fn config_maps() -> Served {
    Served {
        group_kind: GroupKind::new("", "ConfigMap"),
        version: "v1".to_owned(),
        plural: "configmaps".to_owned(),
        namespaced: true,
        verbs: Vec::new(),
    }
}
