//! Records in the cluster: a ConfigMap beside the inventory's parent, named after it.
//!
//! A record is one annotation with its [`Summary`] and one compressed body. So a merge patch of new
//! keys appends without a read, and two writers never undo each other. A ConfigMap and no Secret, since
//! nothing in it is secret and the inventory's parent is one as well: no other permission is needed.
//! The same patch takes the oldest away, so that the object stays far below the 1 MiB that etcd takes,
//! and its annotations below 256 KiB.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use super::record::RunRecord;
use super::summary::Summary;
use crate::core::inventory::Inventory;
use crate::core::object::Object;

/// The most records that are kept for an inventory.
pub const COUNT: usize = 200;
/// The most bytes that their bodies have together, compressed.
pub const BYTES: usize = 400 << 10;
/// Label: the ApplySet id of the inventory that it is the history of.
pub const HISTORY_OF: &str = "trueup.dev/history-of";
/// The prefix of a summary's annotation; the record's id follows.
const SUMMARY: &str = "history.trueup.dev/";
/// The most bytes that a body is unpacked to: any client may have written it.
const UNPACKED: u64 = 1 << 20;

/// The name of the ConfigMap with an inventory's history.
pub fn history_name(inventory: &Inventory) -> String {
    const SUFFIX: &str = ".history";
    let name = &inventory.name;
    match name.len() + SUFFIX.len() <= 253 {
        true => format!("{name}{SUFFIX}"),
        // The id is lower-cased: two names that differ so far are told apart by the label.
        false => format!("{}{SUFFIX}", inventory.id().to_lowercase().replace('_', "-")),
    }
}

/// The annotation of a record's summary.
pub fn summary_annotation(id: &str) -> String {
    format!("{SUMMARY}{id}")
}

/// A record's body: JSON, compressed.
pub fn stored_body(record: &RunRecord) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    // Writing into memory does not fail, and neither does the JSON of plain data.
    let json = serde_json::to_vec(record).unwrap_or_default();
    let _ = packed.write_all(&json);
    packed.finish().unwrap_or_default()
}

/// The record in a body; `None` where it is not one.
pub fn stored_record(body: &[u8]) -> Option<RunRecord> {
    let mut json = Vec::new();
    GzDecoder::new(body).take(UNPACKED).read_to_end(&mut json).ok()?;
    serde_json::from_slice(&json).ok()
}

/// The summaries in the metadata of a history, the oldest first. What is not one is left out.
pub fn stored_summaries(history: &Object) -> Vec<Summary> {
    let mut summaries: Vec<Summary> = annotated(history)
        .filter_map(|(id, text)| Some(Summary { id: id.to_owned(), ..summary(text)? }))
        .collect();
    summaries.sort_by(|one, other| one.id.cmp(&other.id));
    summaries
}

/// The ids of what is no record: summaries that can't be read, and bodies without a summary. The names of
/// the bodies are in the managed fields, since metadata has no data.
pub fn stored_strays(history: &Object) -> BTreeSet<String> {
    let (mut readable, mut strays) = (BTreeSet::new(), BTreeSet::new());
    for (id, text) in annotated(history) {
        match summary(text) {
            Some(_) => readable.insert(id),
            None => strays.insert(id.to_owned()),
        };
    }
    let managers = history.0.get("metadata").and_then(|it| it.get("managedFields")?.as_array());
    for manager in managers.into_iter().flatten() {
        let bodies = manager.get("fieldsV1").and_then(|it| it.get("f:binaryData")?.as_object());
        let bodies = bodies.into_iter().flat_map(|bodies| bodies.iter());
        let ids = bodies.filter_map(|(field, _)| field.strip_prefix("f:"));
        strays.extend(ids.filter(|id| !readable.contains(id)).map(str::to_owned));
    }
    strays
}

/// The ids of the summaries of a history, each with its text.
fn annotated(history: &Object) -> impl Iterator<Item = (&str, Option<&str>)> {
    let annotations = history.0.get("metadata").and_then(|it| it.get("annotations")?.as_object());
    let annotations = annotations.into_iter().flat_map(|annotations| annotations.iter());
    annotations.filter_map(|(name, value)| Some((name.strip_prefix(SUMMARY)?, value.as_str())))
}

/// A summary; `None` where it is not one, or says that its body alone is larger than all may be.
fn summary(text: Option<&str>) -> Option<Summary> {
    let summary: Summary = serde_json::from_str(text?).ok()?;
    (summary.bytes <= BYTES).then_some(summary)
}

/// How many bytes bodies have together. Any client may have written how many.
pub fn bytes_of<'a>(summaries: impl IntoIterator<Item = &'a Summary>) -> usize {
    let bytes = summaries.into_iter().map(|summary| summary.bytes);
    bytes.fold(0, usize::saturating_add)
}

/// The ids of the records to drop, so that the others are within the bounds: first tries that repeat the
/// one before, then the oldest. The newest stays. `kept` is sorted, the oldest first.
pub fn records_to_drop(kept: &[Summary]) -> BTreeSet<String> {
    let mut left: BTreeMap<&str, &Summary> =
        kept.iter().map(|summary| (summary.id.as_str(), summary)).collect();
    let mut bytes = bytes_of(kept);
    let mut before: BTreeMap<&str, &Summary> = BTreeMap::new();
    let mut repeated = Vec::new();
    for summary in kept {
        let last = before.insert(&summary.target, summary);
        if last.is_some_and(|last| summary.repeats(last)) {
            repeated.push(summary);
        }
    }
    let newest = kept.last().map(|summary| summary.id.as_str());
    let order = repeated.into_iter().chain(kept);
    let mut dropped = BTreeSet::new();
    for summary in order.filter(|summary| Some(summary.id.as_str()) != newest) {
        if left.len() <= COUNT && bytes <= BYTES {
            break;
        }
        if left.remove(summary.id.as_str()).is_some() {
            bytes = bytes_of(left.values().copied());
            dropped.insert(summary.id.clone());
        }
    }
    dropped
}
