//! The history of an inventory in the cluster: appends records, and reads them back.
//!
//! How they lie there is said in [`crate::core::history`]. To append is one request: a patch whose keys are
//! the records' ids, so that one that is sent twice does no harm. What it answers is the object's metadata,
//! from which the next one knows what to drop. [`read`] reads back.

mod read;

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde::{Deserialize, Serialize};

use super::api_request::{ApiRequest, object};
use super::path::{collection, one};
use super::record::config_maps;
use super::{ApiError, Cluster};
use crate::core::history::{
    BYTES, COUNT, HISTORY_OF, RunOutcome, RunRecord, Summary, bytes_of, history_name,
    records_to_drop, stored_body, stored_strays, stored_summaries, summary_annotation,
};
use crate::core::inventory::Inventory;
use crate::core::json::{Map, Value, json};
use crate::core::object::Object;

/// Asks for an object's metadata alone.
const METADATA: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
/// How many records more than [`COUNT`] are left to the next append before a request of its own drops
/// them: a machine without a memory does not know what to drop.
const SLACK: usize = 32;

/// Records to append to the history of an inventory.
#[derive(Clone, Copy)]
pub struct Append<'a> {
    /// The inventory.
    pub inventory: &'a Inventory,
    /// The records; one that is there already is written over.
    pub records: &'a [RunRecord],
    /// Whether there was no inventory before, so that there is most likely no history yet.
    pub is_new: bool,
}

/// Why records were not appended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    /// The API server refuses, or does not answer.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The object by the history's name is another one.
    #[error("ConfigMap {namespace}/{name} exists and is not the history of this inventory")]
    Foreign {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
}

impl HistoryError {
    /// Whether the user lacks the right.
    pub fn is_forbidden(&self) -> bool {
        matches!(self, Self::Api(error) if error.is_forbidden())
    }
}

/// The state of a history by the last answer about it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Known {
    uid: String,
    /// Its summaries, each with its id.
    summaries: Vec<(String, Summary)>,
    /// The ids of what is no record.
    #[serde(default)]
    strays: BTreeSet<String>,
}

impl Known {
    /// Of a history's metadata; `None` where it is not that of the inventory.
    fn of(history: &Object, inventory: &Inventory) -> Option<Self> {
        history.label(HISTORY_OF).filter(|id| **id == inventory.id())?;
        let summaries = stored_summaries(history).into_iter();
        let summaries = summaries.map(|summary| (summary.id.clone(), summary)).collect();
        let strays = stored_strays(history);
        Some(Self { uid: history.uid()?.to_owned(), summaries, strays })
    }

    fn summaries(&self) -> Vec<Summary> {
        let summaries = self.summaries.iter();
        summaries.map(|(id, summary)| Summary { id: id.clone(), ..summary.clone() }).collect()
    }

    /// The ids of the records to drop once others are `added`.
    fn to_drop(&self, added: &[Stored]) -> BTreeSet<String> {
        let mut all: BTreeMap<String, Summary> =
            self.summaries().into_iter().map(|summary| (summary.id.clone(), summary)).collect();
        all.extend(added.iter().map(|it| (it.summary.id.clone(), it.summary.clone())));
        let mut dropped = records_to_drop(&all.into_values().collect::<Vec<_>>());
        dropped.extend(self.strays.iter().cloned());
        // One that was not there yet and is dropped at once would be a null of nothing.
        dropped.retain(|id| added.iter().all(|it| it.summary.id != *id));
        dropped
    }

    /// Whether so many are too many to wait for the next append.
    fn is_beyond_bounds(&self) -> bool {
        let bytes = bytes_of(self.summaries.iter().map(|(_, summary)| summary));
        self.summaries.len() + self.strays.len() >= COUNT + SLACK || bytes > BYTES + BYTES / 4
    }
}

/// A record as it is written.
struct Stored {
    summary: Summary,
    annotation: String,
    body: String,
}

impl Stored {
    fn of(record: &RunRecord) -> Self {
        let body = stored_body(record);
        let summary = Summary { bytes: body.len(), ..Summary::of(record) };
        // The JSON of plain data does not fail.
        let annotation = serde_json::to_string(&summary).unwrap_or_default();
        Self { summary, annotation, body: STANDARD.encode(body) }
    }
}

impl Cluster {
    /// Appends records to an inventory's history, and drops the oldest where they are too many. Gives what
    /// it has now, the oldest first.
    ///
    /// # Errors
    ///
    /// When the API server refuses, or does not answer; when the object by that name is another one.
    pub async fn append_history(&self, append: Append<'_>) -> Result<Vec<Summary>, HistoryError> {
        let inventory = append.inventory;
        let stored: Vec<Stored> = append.records.iter().map(Stored::of).collect();
        let mut known = self.add(append, &stored).await?;
        if known.is_beyond_bounds() {
            known = self.merge(inventory, &known, &[]).await?;
        }
        self.connection
            .memory
            .keep(&self.history_memory(inventory), &serde_json::to_vec(&known).unwrap_or_default());
        Ok(known.summaries())
    }

    async fn add(&self, append: Append<'_>, stored: &[Stored]) -> Result<Known, HistoryError> {
        let inventory = append.inventory;
        if append.is_new {
            match self.create(inventory, stored).await {
                Err(HistoryError::Api(error)) if error.is_conflict() => {}
                done => return done,
            }
        }
        let done = match &self.known(inventory) {
            Some(known) => self.merge(inventory, known, stored).await,
            None => self.insert(inventory, stored).await,
        };
        let error = match done {
            Err(HistoryError::Api(error)) => error,
            done => return done,
        };
        match &error {
            error if error.is_not_found() && !append.is_new => self.create(inventory, stored).await,
            // Another object, or one that is not as it was known.
            error if error.is_conflict() || error.is_invalid() => {
                match self.metadata_of(inventory).await? {
                    None => self.create(inventory, stored).await,
                    Some(known) => self.merge(inventory, &known, stored).await,
                }
            }
            _ => Err(error.into()),
        }
    }

    /// The first records of an inventory.
    async fn create(
        &self,
        inventory: &Inventory,
        stored: &[Stored],
    ) -> Result<Known, HistoryError> {
        let annotations: Map = stored.iter().map(annotation).collect();
        let bodies: Map = stored.iter().map(body).collect();
        let history = json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": history_name(inventory),
                "namespace": inventory.namespace,
                "labels": { HISTORY_OF: inventory.id() },
                "annotations": annotations,
            },
            "binaryData": bodies,
        });
        let path = collection(&config_maps(), Some(&inventory.namespace));
        self.write(inventory, Write { method: Method::POST, path, form: JSON, body: history }).await
    }

    /// Adds records to a history of which nothing is known but its name. It is patched only if its label
    /// says that it is one.
    async fn insert(
        &self,
        inventory: &Inventory,
        stored: &[Stored],
    ) -> Result<Known, HistoryError> {
        let pointer = |field: &str, key: &str| format!("{field}/{}", key.replace('/', "~1"));
        let test = json!({
            "op": "test",
            "path": pointer("/metadata/labels", HISTORY_OF),
            "value": inventory.id(),
        });
        let add = |field: &str, (key, value): (String, Value)| json!({ "op": "add", "path": pointer(field, &key), "value": value });
        let annotations = stored.iter().map(|it| add("/metadata/annotations", annotation(it)));
        let bodies = stored.iter().map(|it| add("/binaryData", body(it)));
        let patch = [test].into_iter().chain(annotations).chain(bodies).collect();
        let form = "application/json-patch+json";
        self.write(inventory, Write::patch(inventory, form, Value::Array(patch))).await
    }

    /// Adds records to the very history that is known, and drops what is too much.
    async fn merge(
        &self,
        inventory: &Inventory,
        known: &Known,
        stored: &[Stored],
    ) -> Result<Known, HistoryError> {
        let dropped = known.to_drop(stored);
        let none = |key: String| (key, Value::Null);
        let annotations = dropped.iter().map(|id| none(summary_annotation(id)));
        let annotations: Map = annotations.chain(stored.iter().map(annotation)).collect();
        let bodies = dropped.iter().cloned().map(none);
        let bodies: Map = bodies.chain(stored.iter().map(body)).collect();
        let patch = json!({
            "metadata": { "uid": known.uid, "annotations": annotations },
            "binaryData": bodies,
        });
        let form = "application/merge-patch+json";
        self.write(inventory, Write::patch(inventory, form, patch)).await
    }

    async fn write(&self, inventory: &Inventory, write: Write) -> Result<Known, HistoryError> {
        let Write { method, path, form, body } = write;
        let body = Some((form, body.to_string().into_bytes()));
        let call = ApiRequest { method, path, body, accept: Some(METADATA), known: None };
        let history = object(self.call(call).await?.body);
        Known::of(&history, inventory).ok_or_else(|| foreign(inventory))
    }

    /// The state of a history now; `None` where there is none.
    async fn metadata_of(&self, inventory: &Inventory) -> Result<Option<Known>, HistoryError> {
        let path = one(&config_maps(), Some(&inventory.namespace), &history_name(inventory));
        let call = ApiRequest { accept: Some(METADATA), ..ApiRequest::get(path) };
        match self.call(call).await {
            Err(error) if error.is_not_found() => Ok(None),
            answer => {
                let known = Known::of(&object(answer?.body), inventory);
                known.map(Some).ok_or_else(|| foreign(inventory))
            }
        }
    }

    /// The last round that is known on this machine, from the last answer about an inventory's history.
    pub fn last_known(&self, inventory: &Inventory) -> Option<Summary> {
        self.known(inventory)?.summaries().pop()
    }

    /// The commit that was refused last as far as this machine knows, if no other one was since.
    pub fn last_refused(&self, inventory: &Inventory) -> Option<String> {
        let known = self.known(inventory)?.summaries();
        let mut refused = known.into_iter().filter(|it| it.outcome == RunOutcome::Refused);
        refused.next_back().map(|summary| summary.commit)
    }

    /// Deletes an inventory's history, as that is gone.
    ///
    /// # Errors
    ///
    /// When the API server refuses, or does not answer; when the object by that name is another one.
    pub async fn remove_history(&self, inventory: &Inventory) -> Result<(), HistoryError> {
        let uid = match self.known(inventory) {
            Some(known) => Some(known.uid),
            None => self.metadata_of(inventory).await?.map(|known| known.uid),
        };
        let Some(uid) = uid else { return Ok(()) };
        let options = json!({
            "apiVersion": "v1", "kind": "DeleteOptions", "preconditions": { "uid": uid },
        });
        let path = one(&config_maps(), Some(&inventory.namespace), &history_name(inventory));
        let body = Some((JSON, options.to_string().into_bytes()));
        let call =
            ApiRequest { method: Method::DELETE, path, body, accept: Some(METADATA), known: None };
        match self.call(call).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_not_found() => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn known(&self, inventory: &Inventory) -> Option<Known> {
        let known = self.connection.memory.recall(&self.history_memory(inventory))?;
        serde_json::from_slice(&known).ok()
    }

    fn history_memory(&self, inventory: &Inventory) -> String {
        self.memory_name(&["history", &inventory.id()])
    }
}

/// The media type of an object.
const JSON: &str = "application/json";

/// A request that writes a history.
struct Write {
    method: Method,
    path: String,
    form: &'static str,
    body: Value,
}

impl Write {
    fn patch(inventory: &Inventory, form: &'static str, body: Value) -> Self {
        let path = one(&config_maps(), Some(&inventory.namespace), &history_name(inventory));
        Self { method: Method::PATCH, path, form, body }
    }
}

fn annotation(stored: &Stored) -> (String, Value) {
    (summary_annotation(&stored.summary.id), stored.annotation.as_str().into())
}

fn body(stored: &Stored) -> (String, Value) {
    (stored.summary.id.clone(), stored.body.as_str().into())
}

fn foreign(inventory: &Inventory) -> HistoryError {
    let (namespace, name) = (inventory.namespace.clone(), history_name(inventory));
    HistoryError::Foreign { namespace, name }
}
