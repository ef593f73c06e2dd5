//! The live side of everything that the inventory already has: one paged LIST a kind.

use std::collections::BTreeMap;

use futures::stream::{self, StreamExt as _};
use serde_json::Value;

use super::Question;
use crate::catalog::Served;
use crate::cluster::path::{api_version, collection, query_escape};
use crate::cluster::wire::{Call, object};
use crate::cluster::{ApiError, Cluster};
use crate::inventory::{PART_OF, Record};
use crate::object::{GroupKind, Object, ObjectKey};
use crate::observed::Unlisted;

/// How many objects a LIST brings at once.
const PAGE: usize = 500;

impl Cluster {
    /// Every live object that carries the inventory's label, kind by kind as the record says.
    pub(super) async fn members(
        &self,
        question: &Question<'_>,
    ) -> (BTreeMap<ObjectKey, Object>, Vec<Unlisted>) {
        let Some(record) = question.record else { return Default::default() };
        let selector = format!("{PART_OF}={}", question.inventory.id());
        let lists: Vec<_> = record
            .kinds
            .iter()
            .map(|kind| (kind, self.list_kind(kind, (question, record), &selector)))
            .map(|(kind, list)| async move { (kind, list.await) })
            .collect();
        let (mut members, mut unlisted) = (BTreeMap::new(), Vec::new());
        let mut lists = stream::iter(lists).buffer_unordered(self.concurrency);
        while let Some((kind, list)) = lists.next().await {
            match list {
                Ok(objects) => {
                    members.extend(objects.into_iter().map(|object| (object.key(), object)));
                }
                Err(reason) => unlisted.push(Unlisted { kind: kind.clone(), reason }),
            }
        }
        unlisted.sort_by(|a, b| a.kind.cmp(&b.kind));
        (members, unlisted)
    }

    /// The members of one kind: across the cluster, or where that is forbidden namespace by
    /// namespace as the record says.
    async fn list_kind(
        &self,
        kind: &GroupKind,
        (question, record): (&Question<'_>, &Record),
        selector: &str,
    ) -> Result<Vec<Object>, String> {
        let served = match question.served(kind) {
            Some(served) => served,
            None if question.catalog.is_stale(&kind.group) => {
                return Err("the server behind its API group does not answer".to_owned());
            }
            // No definition, no objects: they went with it.
            None => return Ok(Vec::new()),
        };
        match self.list(served, None, selector).await {
            Err(error) if error.is_forbidden() && served.namespaced => {
                let mut objects = Vec::new();
                for namespace in &record.namespaces {
                    let list = self.list(served, Some(namespace), selector).await;
                    objects.extend(list.map_err(|error| error.to_string())?);
                }
                Ok(objects)
            }
            list => list.map_err(|error| error.to_string()),
        }
    }

    /// All objects of a kind that `selector` picks, page by page.
    async fn list(
        &self,
        served: &Served,
        namespace: Option<&str>,
        selector: &str,
    ) -> Result<Vec<Object>, ApiError> {
        let base = format!(
            "{}?labelSelector={}&limit={PAGE}",
            collection(served, namespace),
            query_escape(selector)
        );
        let (mut objects, mut token) = (Vec::new(), String::new());
        loop {
            let path = match token.as_str() {
                "" => base.clone(),
                token => format!("{base}&continue={}", query_escape(token)),
            };
            let mut body = self.call(Call::get(path)).await?.body;
            let items = body.get_mut("items").and_then(Value::as_array_mut).map(std::mem::take);
            objects.extend(items.unwrap_or_default().into_iter().map(|item| {
                // Items of built-in kinds come without their type.
                let mut object = object(item);
                object.0.insert("apiVersion".to_owned(), api_version(served).into());
                object.0.insert("kind".to_owned(), served.group_kind.kind.clone().into());
                object
            }));
            token = body
                .pointer("/metadata/continue")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned();
            if token.is_empty() {
                return Ok(objects);
            }
        }
    }
}
