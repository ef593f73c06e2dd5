//! What the cluster has, and what it says that applying would do. Reads and dry runs only.
//!
//! Members come from one paged LIST per kind of the inventory's record. What is desired and not
//! among them is asked about by dry run alone, whose status says whether it would be created.

use std::collections::{BTreeMap, BTreeSet};

use futures::stream::{self, StreamExt as _};
use http::{Method, StatusCode};
use serde_json::Value;

use super::wire::{Answer, Call};
use super::{ApiError, Cluster};
use crate::catalog::{Catalog, Lookup, Served, is_namespace};
use crate::delta;
use crate::desired::Desired;
use crate::inventory::{Inventory, PART_OF, Record};
use crate::object::{GroupKind, Object, ObjectKey};
use crate::observed::{Observation, Observed, Prerequisite, Preview, Refusal, Unlisted};
use crate::ownership::FIELD_MANAGER;

/// How many objects a LIST brings at once.
const PAGE: usize = 500;
/// How often an object is looked at that changes between two looks.
const LOOKS: usize = 5;

/// What to look at.
pub struct Question<'a> {
    /// What should exist.
    pub desired: &'a Desired,
    /// Which kinds there are.
    pub catalog: &'a Catalog,
    /// Of which inventory.
    pub inventory: &'a Inventory,
    /// What the inventory's parent says; `None` before the first apply.
    pub record: Option<&'a Record>,
}

impl Cluster {
    /// Looks at every object of desired ∪ inventory.
    pub async fn observe(&self, question: &Question<'_>) -> Observed {
        let Question { desired, catalog, inventory, record } = question;
        let (mut members, unlisted) = match record {
            Some(record) => self.members(record, catalog, &inventory.id()).await,
            None => Default::default(),
        };

        let mut observed = Observed { objects: BTreeMap::new(), unlisted };
        let (namespaces, others): (Vec<_>, Vec<_>) =
            desired.objects.iter().partition(|(key, _)| is_namespace(key));
        let mut unborn = BTreeSet::new();
        for part in [namespaces, others] {
            let looks: Vec<_> = part
                .into_iter()
                .map(|(key, manifest)| (key, &manifest.object, members.remove(key)))
                .map(|(key, object, member)| {
                    let prerequisite = prerequisite(object, catalog, &unborn);
                    let served = catalog.look_up(&key.group_kind(), object.version());
                    let send = inventory.member(object);
                    async move {
                        let observation = match (prerequisite, served) {
                            (Some(prerequisite), _) => Observation::Seen {
                                live: None,
                                preview: Some(Preview::Deferred(prerequisite)),
                            },
                            (None, Lookup::Served(served)) => {
                                self.look(served, &send, member).await
                            }
                            (None, _) => Observation::Unknown("its kind is not served".to_owned()),
                        };
                        (key.clone(), observation)
                    }
                })
                .collect();
            let mut looks = stream::iter(looks).buffer_unordered(self.concurrency);
            while let Some((key, observation)) = looks.next().await {
                if is_namespace(&key) && matches!(observation, Observation::Seen { live: None, .. })
                {
                    unborn.insert(key.name.clone());
                }
                observed.objects.insert(key, observation);
            }
        }
        for (key, live) in members {
            observed.objects.insert(key, Observation::Seen { live: Some(live), preview: None });
        }
        observed
    }

    /// Looks at one desired object: live, and what a dry run makes of it.
    ///
    /// Between the two looks a controller may write the object's status, say. Then the two are not
    /// of one state, which the resourceVersion tells, and both are asked for again.
    async fn look(&self, served: &Served, send: &Object, member: Option<Object>) -> Observation {
        let mut known = member.filter(|member| member.api_version() == send.api_version());
        for _ in 0..LOOKS {
            let answer = self.patch(served, send, true).await;
            let created = matches!(&answer, Ok(answer) if answer.status == StatusCode::CREATED);
            let live = match known.take() {
                _ if created => None,
                Some(member) => Some(member),
                None => match self.get(served, send.namespace(), send.name()).await {
                    Ok(live) => live,
                    Err(error) => return Observation::Unknown(error.to_string()),
                },
            };
            let preview = match (answer.map(|answer| object(answer.body)), &live) {
                (Ok(merged), Some(live)) if delta::is_noop(live, &merged) => Preview::Same,
                (Ok(merged), Some(live))
                    if merged.resource_version() != live.resource_version() =>
                {
                    continue;
                }
                (Ok(merged), _) => Preview::Merged(merged),
                (Err(error), _) if error.is_verdict() => Preview::Refused(refused(&error)),
                (Err(error), _) => return Observation::Unknown(error.to_string()),
            };
            return Observation::Seen { live, preview: Some(preview) };
        }
        Observation::Unknown("it changes faster than it can be looked at".to_owned())
    }

    /// Every live object that carries the inventory's label, kind by kind as the record says.
    async fn members(
        &self,
        record: &Record,
        catalog: &Catalog,
        id: &str,
    ) -> (BTreeMap<ObjectKey, Object>, Vec<Unlisted>) {
        let selector = format!("{PART_OF}={id}");
        let lists: Vec<_> = record
            .kinds
            .iter()
            .map(|kind| (kind, self.list_kind(kind, record, (catalog, &selector))))
            .map(|(kind, list)| async move { (kind, list.await) })
            .collect();
        let (mut members, mut unlisted) = (BTreeMap::new(), Vec::new());
        let mut lists = stream::iter(lists).buffer_unordered(self.concurrency);
        while let Some((kind, list)) = lists.next().await {
            match list {
                Ok(objects) => {
                    members.extend(objects.into_iter().map(|object| (object.key(), object)));
                }
                Err(reason) => unlisted.push(Unlisted { what: kind.to_string(), reason }),
            }
        }
        unlisted.sort_by(|a, b| a.what.cmp(&b.what));
        (members, unlisted)
    }

    /// The members of one kind: across the cluster, or where that is forbidden namespace by
    /// namespace as the record says.
    async fn list_kind(
        &self,
        kind: &GroupKind,
        record: &Record,
        (catalog, selector): (&Catalog, &str),
    ) -> Result<Vec<Object>, String> {
        let served = match catalog.preferred(kind) {
            Some(served) => served,
            None if catalog.is_stale(&kind.group) => {
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

    /// One object; `None` when it does not exist.
    pub(super) async fn get(
        &self,
        served: &Served,
        namespace: Option<&str>,
        name: &str,
    ) -> Result<Option<Object>, ApiError> {
        match self.call(Call::get(one(served, namespace, name))).await {
            Ok(answer) => Ok(Some(object(answer.body))),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Server-side apply with ownership forced and unknown fields refused; on a dry run nothing is
    /// written.
    pub(super) async fn patch(
        &self,
        served: &Served,
        send: &Object,
        dry_run: bool,
    ) -> Result<Answer, ApiError> {
        let dry_run = if dry_run { "&dryRun=All" } else { "" };
        let path = format!(
            "{}?fieldManager={FIELD_MANAGER}&force=true&fieldValidation=Strict{dry_run}",
            one(served, send.namespace(), send.name())
        );
        let body = serde_json::to_vec(send).unwrap_or_default();
        let body = Some(("application/apply-patch+yaml", body));
        self.call(Call { method: Method::PATCH, path, body, accept: None }).await
    }
}

/// What has to exist first, of what the commit brings and the cluster lacks.
fn prerequisite(
    object: &Object,
    catalog: &Catalog,
    unborn: &BTreeSet<String>,
) -> Option<Prerequisite> {
    let kind = object.group_kind();
    if let Lookup::Defined(defined) = catalog.look_up(&kind, object.version()) {
        return Some(Prerequisite::Definition(defined.by.clone()));
    }
    let namespace = object.namespace()?;
    unborn.contains(namespace).then(|| Prerequisite::Namespace(namespace.to_owned()))
}

/// A refusal with the fields that it is about, and what to do.
fn refused(error: &ApiError) -> Refusal {
    Refusal { message: error.to_string(), hint: error.hint(), causes: error.causes().to_vec() }
}

/// `apps/v1`, or `v1` for the core group.
fn api_version(served: &Served) -> String {
    match served.group_kind.group.as_str() {
        "" => served.version.clone(),
        group => format!("{group}/{}", served.version),
    }
}

/// The path of a kind's objects.
pub(super) fn collection(served: &Served, namespace: Option<&str>) -> String {
    let root = if served.group_kind.group.is_empty() { "/api" } else { "/apis" };
    let base = format!("{root}/{}", api_version(served));
    match namespace {
        Some(namespace) => {
            format!("{base}/namespaces/{}/{}", path_escape(namespace), served.plural)
        }
        None => format!("{base}/{}", served.plural),
    }
}

/// The path of one object.
pub(super) fn one(served: &Served, namespace: Option<&str>, name: &str) -> String {
    let namespace = namespace.filter(|_| served.namespaced);
    format!("{}/{}", collection(served, namespace), path_escape(name))
}

/// An object from an answer's JSON.
pub(super) fn object(body: Value) -> Object {
    match body {
        Value::Object(map) => Object(map),
        _ => Object::default(),
    }
}

/// Escapes what may not stand in a path's segment. Names come from manifests, and some kinds allow
/// `:` and the like; a `/` or `?` must not lead elsewhere.
fn path_escape(segment: &str) -> String {
    escape(segment, b"-._~:@!$'()*,;")
}

/// Escapes what may not stand in a query's value.
fn query_escape(value: &str) -> String {
    escape(value, b"-._~")
}

fn escape(text: &str, allowed: &[u8]) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || allowed.contains(&byte) {
            escaped.push(byte.into());
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}
