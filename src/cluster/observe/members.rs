//! The live side of everything that the inventory already has: one paged LIST for each kind.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::stream::{self, StreamExt as _};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::cluster::api_request::{ApiRequest, ResponseBody, endless, garbled};
use crate::cluster::definitions::{ListedDefinitions, UnservedKind};
use crate::cluster::limits::display_bytes;
use crate::cluster::path::{api_version, collection, query_escape};
use crate::cluster::{ApiError, Cluster};
use crate::core::inventory::{Inventory, PART_OF, Record};
use crate::core::kinds::catalog::{Catalog, Served};
use crate::core::object::{GroupKind, Object, ObjectKey};
use crate::core::observed::Unlisted;

/// How many objects a LIST brings at once.
pub(super) const PAGE: usize = 500;

/// How many bytes of lists are held.
#[derive(Default)]
pub(in crate::cluster) struct HeldBytes(AtomicUsize);

impl HeldBytes {
    /// Adds some, and says how many there are then.
    fn add(&self, bytes: usize) -> usize {
        self.0.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes)
    }
}

/// Why a kind can't be listed that has a definition, and is not in discovery.
const NOT_YET: &str = "the API server does not serve it yet";

/// Every live object that carries the inventory's label, not looked into yet.
#[derive(Default)]
pub struct Members {
    /// The lists by kind.
    pub(super) lists: Vec<Listed>,
    /// Kinds that could not be listed.
    pub(in crate::cluster) unlisted: Vec<Unlisted>,
}

/// The members of one kind.
pub(super) struct Listed {
    pub(super) kind: GroupKind,
    /// In which version, such as `apps/v1`.
    pub(super) api_version: String,
    pub(super) items: Vec<Box<RawValue>>,
    /// Whether it was listed namespace by namespace, as the user may not list all of them at once.
    pub(super) by_namespace: bool,
}

/// One page of a list.
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    /// How many bytes of the items are held.
    pub(super) bytes: usize,
    /// The token that asks for the next page; empty after the last.
    pub(super) next: String,
    pub(super) version: String,
}

/// One page of a list in JSON, as far as it has to be understood to ask for the next.
#[derive(Deserialize)]
struct JsonPage {
    metadata: Option<PageMetadata>,
    items: Option<Vec<Box<RawValue>>>,
}

#[derive(Default, Deserialize)]
struct PageMetadata {
    #[serde(rename = "continue")]
    token: Option<String>,
    #[serde(rename = "resourceVersion")]
    version: Option<String>,
}

fn read_json(body: &ResponseBody) -> Result<Page<Box<RawValue>>, String> {
    let page = serde_json::from_slice(&body.bytes).map_err(|error| error.to_string())?;
    let JsonPage { metadata, items } = page;
    let PageMetadata { token, version } = metadata.unwrap_or_default();
    let items = items.unwrap_or_default();
    let bytes = items.iter().map(|item| item.get().len()).sum::<usize>();
    let (next, version) = (token.unwrap_or_default(), version.unwrap_or_default());
    Ok(Page { items, bytes, next, version })
}

/// A LIST before its pages are asked for.
pub(super) struct ListRequest<'a> {
    /// Path and query.
    pub(super) path: &'a str,
    /// The media type to ask for instead of plain JSON.
    pub(super) accept: Option<&'static str>,
    /// Other lists that are held besides.
    pub(super) held: &'a HeldBytes,
    /// How many objects a page has at most.
    pub(super) page: usize,
}

/// All objects that a selector picks.
pub(in crate::cluster) struct ListedObjects<T = Box<RawValue>> {
    pub(in crate::cluster) items: Vec<T>,
    /// As of when; from there a watch goes on.
    pub(in crate::cluster) version: String,
}

impl Members {
    /// Kinds that were listed namespace by namespace.
    pub fn by_namespace(&self) -> BTreeSet<GroupKind> {
        let lists = self.lists.iter().filter(|list| list.by_namespace);
        lists.map(|list| list.kind.clone()).collect()
    }

    /// Notes kinds that could not be listed for lack of an APIService that the commit brings: their
    /// objects may well be there, on a server that is not reachable yet.
    pub fn miss(&mut self, record: &Record, catalog: &Catalog) {
        for kind in &record.kinds {
            let is_known = catalog.preferred(kind).is_some()
                || self.unlisted.iter().any(|unlisted| unlisted.kind == *kind);
            if let Some(by) = catalog.missing(&kind.group).filter(|_| !is_known) {
                let silence = catalog.silence(&kind.group);
                let reason = silence.unwrap_or_else(|| format!("its {by} is not there yet"));
                let kind = kind.clone();
                self.unlisted.push(Unlisted { kind, reason, is_forbidden: false });
            }
        }
        self.unlisted.sort_by(|a, b| a.kind.cmp(&b.kind));
    }
}

impl Listed {
    pub(super) fn new(served: &Served, items: Vec<Box<RawValue>>, by_namespace: bool) -> Self {
        let (kind, api_version) = (served.group_kind.clone(), api_version(served));
        Self { kind, api_version, items, by_namespace }
    }

    /// One of the objects.
    pub(super) fn object(&self, item: &RawValue) -> Object {
        typed(item, &self.api_version, &self.kind.kind)
    }
}

/// An item of a list. Those of built-in kinds come without their type.
pub(in crate::cluster) fn typed(item: &RawValue, api_version: &str, kind: &str) -> Object {
    let mut object: Object = serde_json::from_str(item.get()).unwrap_or_default();
    object.fields_mut().insert("apiVersion".to_owned(), api_version.into());
    object.fields_mut().insert("kind".to_owned(), kind.into());
    object
}

impl Cluster {
    /// Lists the inventory's members, kind by kind as its record says, each in the version that the
    /// server prefers.
    pub async fn members(
        &self,
        inventory: &Inventory,
        record: &Record,
        catalog: &Catalog,
    ) -> Members {
        let mut members = Members::default();
        let held = &HeldBytes::default();
        let most = self.connection.limits.questions;
        let definitions = &ListedDefinitions::default();
        let lists = record.kinds.iter().enumerate().map(|(number, kind)| async move {
            let listed = async |served: &Served| match self
                .list_kind(held, served, inventory, &record.namespaces)
                .await
            {
                Err(error) => Err((self.why_not(served, &error).await, error.is_forbidden())),
                Ok(list) => Ok(list),
            };
            let list = match catalog.preferred(kind) {
                Some(_) if number >= most => {
                    Err((format!("the inventory has more than {most} kinds"), false))
                }
                Some(served) => listed(served).await,
                None => match catalog.silence(&kind.group) {
                    Some(silence) => Err((silence, false)),
                    None => match self.unserved_kind(
                        kind,
                        definitions.of(self).await,
                        catalog.serves_group(&kind.group),
                    ) {
                        // No definition, no objects: they went with it.
                        UnservedKind::Gone => return None,
                        UnservedKind::Defined => match self.served_again(kind).await {
                            Some(served) => listed(&served).await,
                            None => Err((NOT_YET.to_owned(), false)),
                        },
                        UnservedKind::Unknown => {
                            let missing = catalog.missing(&kind.group);
                            let why = missing.map(|by| format!("its {by} is not there yet"));
                            Err((why.unwrap_or_else(|| NOT_YET.to_owned()), false))
                        }
                    },
                },
            };
            let unlisted =
                |(reason, is_forbidden)| Unlisted { kind: kind.clone(), reason, is_forbidden };
            Some(list.map_err(unlisted))
        });
        let mut lists = stream::iter(lists).buffer_unordered(self.connection.concurrency);
        while let Some(list) = lists.next().await {
            match list {
                Some(Ok(list)) => members.lists.push(list),
                Some(Err(unlisted)) => members.unlisted.push(unlisted),
                None => {}
            }
        }
        members.lists.sort_by(|a, b| a.kind.cmp(&b.kind));
        members.unlisted.sort_by(|a, b| a.kind.cmp(&b.kind));
        members
    }

    /// Which members of one kind there are.
    ///
    /// # Errors
    ///
    /// When they can't be listed.
    pub async fn members_of(
        &self,
        served: &Served,
        inventory: &Inventory,
        record: &Record,
    ) -> Result<Vec<ObjectKey>, ApiError> {
        let list =
            self.list_kind(&HeldBytes::default(), served, inventory, &record.namespaces).await?;
        Ok(list.items.iter().map(|item| list.object(item).key()).collect())
    }

    /// The members of one kind: across the cluster, or where that is forbidden namespace by
    /// namespace. Other lists are `held` besides.
    pub(super) async fn list_kind(
        &self,
        held: &HeldBytes,
        served: &Served,
        inventory: &Inventory,
        namespaces: &BTreeSet<String>,
    ) -> Result<Listed, ApiError> {
        let (selector, by_namespace) = (format!("{PART_OF}={}", inventory.id()), false);
        match self.list_beside(held, served, None, &selector).await {
            Err(error)
                if error.is_forbidden()
                    && served.namespaced
                    && namespaces.len() <= self.connection.limits.questions =>
            {
                self.list_in(held, served, inventory, namespaces).await
            }
            list => Ok(Listed::new(served, list?.items, by_namespace)),
        }
    }

    /// The members of one kind in some namespaces.
    pub(super) async fn list_in(
        &self,
        held: &HeldBytes,
        served: &Served,
        inventory: &Inventory,
        namespaces: &BTreeSet<String>,
    ) -> Result<Listed, ApiError> {
        let (selector, by_namespace) = (format!("{PART_OF}={}", inventory.id()), true);
        let mut items = Vec::new();
        for namespace in namespaces {
            items.extend(
                self.list_beside(held, served, Some(namespace.as_str()), &selector).await?.items,
            );
        }
        Ok(Listed::new(served, items, by_namespace))
    }

    /// All objects of a kind that `selector` picks, page by page.
    pub(in crate::cluster) async fn list(
        &self,
        served: &Served,
        namespace: Option<&str>,
        selector: &str,
    ) -> Result<ListedObjects, ApiError> {
        self.list_beside(&HeldBytes::default(), served, namespace, selector).await
    }

    /// The same, as the server remembers it: it may be of a moment ago, and costs the server less.
    pub(in crate::cluster) async fn list_remembered(
        &self,
        served: &Served,
        namespace: Option<&str>,
        selector: &str,
    ) -> Result<ListedObjects, ApiError> {
        let path = collection(served, namespace);
        let path = format!("{path}?labelSelector={}&resourceVersion=0", query_escape(selector));
        let held = &HeldBytes::default();
        self.json_pages(ListRequest { path: &path, accept: None, held, page: PAGE }).await
    }

    /// The same with nothing but the metadata of each.
    pub(in crate::cluster) async fn list_metadata(
        &self,
        served: &Served,
        namespace: Option<&str>,
        selector: &str,
    ) -> Result<ListedObjects, ApiError> {
        const LIST: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
        let path = collection(served, namespace);
        let path = format!("{path}?labelSelector={}", query_escape(selector));
        let held = &HeldBytes::default();
        self.json_pages(ListRequest { path: &path, accept: Some(LIST), held, page: PAGE }).await
    }

    /// The same, where other lists are held besides.
    async fn list_beside(
        &self,
        held: &HeldBytes,
        served: &Served,
        namespace: Option<&str>,
        selector: &str,
    ) -> Result<ListedObjects, ApiError> {
        let path =
            format!("{}?labelSelector={}", collection(served, namespace), query_escape(selector));
        self.json_pages(ListRequest { path: &path, accept: None, held, page: PAGE }).await
    }

    /// All objects of a list in JSON, page by page.
    pub(super) async fn json_pages(
        &self,
        list: ListRequest<'_>,
    ) -> Result<ListedObjects, ApiError> {
        self.pages(list, read_json).await
    }

    /// All objects of a list, page by page. A page that is too large is asked for again with fewer
    /// objects in it, down to one.
    pub(super) async fn pages<T>(
        &self,
        list: ListRequest<'_>,
        read: impl Fn(&ResponseBody) -> Result<Page<T>, String>,
    ) -> Result<ListedObjects<T>, ApiError> {
        let ListRequest { path: base, accept, held, page: size } = list;
        let (mut items, mut token, mut size) = (Vec::new(), String::new(), size);
        for _ in 0..self.connection.limits.pages {
            let (body, call) = loop {
                let path = match token.as_str() {
                    "" => format!("{base}&limit={size}"),
                    token => format!("{base}&limit={size}&continue={}", query_escape(token)),
                };
                let call = ApiRequest { accept, ..ApiRequest::get(path) };
                match self.call_for_body(&call).await {
                    Err(error) if error.is_endless() && size > 1 => size = size.div_ceil(8),
                    body => break (body?, call),
                }
            };
            let page = read(&body).map_err(|cause| garbled(&call, &cause))?;
            drop(body);
            if held.add(page.bytes) > self.connection.limits.lists {
                let said = display_bytes(self.connection.limits.lists);
                return Err(endless(&call, format!("all lists together have more than {said}")));
            }
            items.extend(page.items);
            if page.next.is_empty() {
                return Ok(ListedObjects { items, version: page.version });
            }
            if page.next == token {
                return Err(endless(&call, "its next page is this one again".to_owned()));
            }
            token = page.next;
        }
        let pages = self.connection.limits.pages;
        Err(endless(&ApiRequest::get(base), format!("the list has more than {pages} pages")))
    }
}
