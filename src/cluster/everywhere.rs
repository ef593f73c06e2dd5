//! Lists for all inventories of a cluster at once: their parents, their histories, and the pods of their
//! objects.

use std::collections::{BTreeMap, BTreeSet};

use futures::stream::{self, StreamExt as _};
use serde_json::value::RawValue;

use super::observe::typed;
use super::record::config_maps;
use super::{ApiError, Cluster};
use crate::core::history::{HISTORY_OF, Summary, history_name, stored_summaries};
use crate::core::inventory::{ID, Inventory};
use crate::core::kinds::catalog::Served;
use crate::core::object::{GroupKind, Object};

/// The parents of some inventories, as far as they could be read.
#[derive(Default)]
pub struct ParentsRead {
    /// Those that are there; of a whole cluster, those of other inventories, too.
    pub parents: Vec<Object>,
    /// Why those of some inventories could not be read, by the inventories' ids.
    pub unread: BTreeMap<String, ApiError>,
}

impl Cluster {
    /// Every inventory's parent in the cluster as it is now; `None` where the user may not list them all.
    ///
    /// # Errors
    ///
    /// When the API server does not answer.
    pub async fn parents_everywhere(&self) -> Result<Option<Vec<Object>>, ApiError> {
        match self.list_metadata(&config_maps(), None, ID).await {
            Ok(list) => {
                Ok(Some(list.items.iter().map(|item| typed(item, "v1", "ConfigMap")).collect()))
            }
            Err(error) if error.is_forbidden() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The parents of some inventories, as far as they can be read: all at once, or else each for itself.
    ///
    /// # Errors
    ///
    /// When the API server does not answer.
    pub async fn parents_read(&self, inventories: &[&Inventory]) -> Result<ParentsRead, ApiError> {
        if let Some(parents) = self.parents_everywhere().await? {
            return Ok(ParentsRead { parents, unread: BTreeMap::new() });
        }
        let found = self.parents(inventories).await;
        // Those that no list has may be there all the same.
        let missing = inventories.iter().filter(|it| !found.contains_key(&it.id()));
        let reads = missing.map(|it| async move { (it.id(), self.parent(it).await) });
        let reads = stream::iter(reads).buffer_unordered(self.connection.concurrency);
        let reads = reads.collect::<Vec<_>>().await;
        let mut read =
            ParentsRead { parents: found.into_values().collect(), ..ParentsRead::default() };
        for (id, parent) in reads {
            match parent {
                Ok(parent) => read.parents.extend(parent),
                Err(error) => {
                    read.unread.insert(id, error);
                }
            }
        }
        Ok(read)
    }

    /// The parents of some inventories by the inventories' ids, of one by its name.
    ///
    /// # Errors
    ///
    /// When the API server does not answer.
    pub async fn parents_of(
        &self,
        inventories: &[&Inventory],
    ) -> Result<BTreeMap<String, Object>, ApiError> {
        const FEW: usize = 3;
        let mut found = BTreeMap::new();
        if inventories.len() > FEW
            && let Some(parents) = self.parents_everywhere().await?
        {
            for parent in parents {
                let is_its = |it: &&&Inventory| {
                    it.name == parent.name() && parent.namespace() == Some(&it.namespace)
                };
                if let Some(inventory) = inventories.iter().find(is_its) {
                    found.insert(inventory.id(), parent);
                }
            }
            return Ok(found);
        }
        for inventory in inventories {
            if let Some(parent) = self.parent(inventory).await? {
                found.insert(inventory.id(), parent);
            }
        }
        Ok(found)
    }

    /// The summaries of every history of some inventories by the inventories' ids, the oldest first. Where
    /// the user may not list those of the whole cluster, namespace by namespace.
    ///
    /// # Errors
    ///
    /// When none of them can be listed.
    pub async fn summaries_everywhere(
        &self,
        inventories: &[&Inventory],
    ) -> Result<BTreeMap<String, Vec<Summary>>, ApiError> {
        let list = match self.list_metadata(&config_maps(), None, HISTORY_OF).await {
            Err(error) if error.is_forbidden() => return self.summaries(inventories).await,
            list => list?,
        };
        // A copy may have the label, too: the history is the one by its name.
        let known: BTreeMap<(&str, String), String> = inventories
            .iter()
            .map(|it| ((it.namespace.as_str(), history_name(it)), it.id()))
            .collect();
        let found = list.items.iter().filter_map(|item| {
            let history = typed(item, "v1", "ConfigMap");
            let id = known.get(&(history.namespace()?, history.name().to_owned()))?;
            let is_its = history.label(HISTORY_OF) == Some(id);
            is_its.then(|| (id.clone(), stored_summaries(&history)))
        });
        Ok(found.collect())
    }

    /// The pods of some namespaces: of a few one by one, of more with one LIST across the cluster. They may
    /// be as of a moment ago.
    ///
    /// # Errors
    ///
    /// When they can't be listed.
    pub async fn pods(&self, namespaces: &BTreeSet<String>) -> Result<Vec<Object>, ApiError> {
        const FEW: usize = 3;
        let served = &pods();
        let pod = |item: &RawValue| typed(item, "v1", "Pod");
        if namespaces.len() > FEW {
            match self.list_remembered(served, None, "").await {
                Ok(list) => return Ok(list.items.iter().map(|item| pod(item)).collect()),
                Err(error) if error.is_forbidden() => {}
                Err(error) => return Err(error),
            }
        }
        let mut pods = Vec::new();
        for namespace in namespaces {
            let list = self.list_remembered(served, Some(namespace), "").await?;
            pods.extend(list.items.iter().map(|item| pod(item)));
        }
        Ok(pods)
    }
}

fn pods() -> Served {
    Served { group_kind: GroupKind::new("", "Pod"), plural: "pods".to_owned(), ..config_maps() }
}
