//! Reads histories: the summaries of several at once, or all of one.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::stream::{self, StreamExt as _};

use super::Known;
use crate::cluster::observe::{AT_ONCE, typed};
use crate::cluster::record::config_maps;
use crate::cluster::{ApiError, Cluster};
use crate::core::history::{HISTORY_OF, RunRecord, Summary, history_name, stored_record};
use crate::core::inventory::Inventory;
use crate::core::json::{Map, Value};

impl Cluster {
    /// The summaries of several inventories' histories by the inventories' ids, the oldest first, with one
    /// LIST of metadata for each namespace and [`AT_ONCE`] of them. What can't be listed is left out.
    ///
    /// # Errors
    ///
    /// When none of the lists can be had.
    pub async fn summaries(
        &self,
        inventories: &[&Inventory],
    ) -> Result<BTreeMap<String, Vec<Summary>>, ApiError> {
        let mut ids: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for inventory in inventories {
            ids.entry(&inventory.namespace).or_default().push(inventory.id());
        }
        let served = &config_maps();
        let lists = ids.into_iter().flat_map(|(namespace, ids)| {
            let chunks: Vec<String> = ids.chunks(AT_ONCE).map(|ids| ids.join(",")).collect();
            chunks.into_iter().map(move |ids| async move {
                let selector = format!("{HISTORY_OF} in ({ids})");
                self.list_metadata(served, Some(namespace), &selector).await
            })
        });
        let lists = stream::iter(lists).buffer_unordered(self.connection.concurrency);
        let (mut found, mut failed, mut is_any) = (BTreeMap::new(), None, false);
        for list in lists.collect::<Vec<_>>().await {
            let items = match list {
                Ok(list) => list.items,
                Err(error) => {
                    failed = Some(error);
                    continue;
                }
            };
            is_any = true;
            for history in items.iter().map(|item| typed(item, "v1", "ConfigMap")) {
                // A copy may have the label, too: the history is the one by its name.
                let is_its = |it: &&&Inventory| {
                    history_name(it) == history.name() && history.namespace() == Some(&it.namespace)
                };
                let Some(inventory) = inventories.iter().find(is_its) else { continue };
                if let Some(known) = Known::of(&history, inventory) {
                    found.insert(inventory.id(), known.summaries());
                }
            }
        }
        match failed {
            Some(error) if !is_any => Err(error),
            _ => Ok(found),
        }
    }

    /// The records of an inventory's history, the oldest first. What is not one is left out.
    ///
    /// # Errors
    ///
    /// When it can't be read.
    pub async fn history(&self, inventory: &Inventory) -> Result<Vec<RunRecord>, ApiError> {
        let name = history_name(inventory);
        let history = self.get(&config_maps(), Some(&inventory.namespace), &name).await?;
        let id = inventory.id();
        let history = history.filter(|it| it.label(HISTORY_OF) == Some(id.as_str()));
        let bodies = history.as_ref().and_then(|it| it.0.get("binaryData")?.as_object());
        let bodies = bodies.into_iter().flat_map(Map::values).filter_map(Value::as_str);
        let bodies = bodies.filter_map(|body| STANDARD.decode(body).ok());
        let mut records: Vec<RunRecord> = bodies.filter_map(|body| stored_record(&body)).collect();
        records.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(records)
    }
}
