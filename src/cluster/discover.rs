//! Aggregated discovery → [`Catalog`]: two requests, or one that brings nothing where nothing has
//! changed.
//!
//! kube's own discovery type drops `freshness`, without which a group whose server is down looks
//! as if it had no kinds.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::api_request::{ApiRequest, garbled, object};
use super::execute::{condition, words};
use super::path::api_version;
use super::{ApiError, Cluster, WaitCondition};
use crate::core::json::Value;
use crate::core::kinds::catalog::{Catalog, Served, silence};
use crate::core::object::GroupKind;

/// Aggregated discovery, stable since Kubernetes 1.30, and its beta.
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
     application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList";

/// The path of the core group, and that of all others.
const CORE: &str = "/api";
const NAMED: &str = "/apis";

impl Cluster {
    /// Asks the API server which kinds it serves.
    ///
    /// # Errors
    ///
    /// When it does not answer, or is older than Kubernetes 1.26.
    pub async fn discover(&self) -> Result<Catalog, ApiError> {
        let (core, named) = self.all_groups().await?;
        let mut served = [core.served, named.served].concat();
        let mut silent = BTreeMap::new();
        let most = self.connection.limits.questions;
        for (number, stale) in core.stale.into_iter().chain(named.stale).enumerate() {
            let what = match number < most {
                true => self.what_of(&stale).await,
                false => Err(format!("more than {most} groups do not answer")),
            };
            match what {
                // It takes discovery a while to see that a server is back.
                Ok(kinds) => {
                    served.retain(|kind| api_version(kind) != stale);
                    served.extend(kinds);
                }
                Err(why) => drop(silent.insert(stale, why)),
            }
        }
        Ok(Catalog::new(served, silent))
    }

    /// Asks about the APIServices of the commit that discovery has not noticed yet: where one is
    /// there already and its server does not answer, its objects may be there as well.
    pub async fn notice(&self, catalog: &mut Catalog) {
        for api_version in catalog.unnoticed().into_iter().take(self.connection.limits.questions) {
            if let Some(why) = self.words_of_server(&api_version).await {
                catalog.is_silent(api_version, why);
            }
        }
    }

    /// A kind that has a definition, once discovery has it again after an outage; `None` where it does not get so.
    pub(super) async fn served_again(&self, kind: &GroupKind) -> Option<Served> {
        let (since, error) = (Instant::now(), ApiError::unserved(kind));
        let mut tries = 0;
        while self.is_recovering() {
            tries += 1;
            if !self.may_try_again(&error, tries, since, None).await {
                break;
            }
            if let Some(served) = self.discover().await.ok()?.preferred(kind) {
                return Some(served.clone());
            }
        }
        None
    }

    /// The kinds of a group's version that discovery can't speak for, or why its server does not
    /// answer.
    async fn what_of(&self, api_version: &str) -> Result<Vec<Served>, String> {
        match self.words_of_server(api_version).await {
            Some(said) => Err(said),
            None => self.kinds_of(api_version).await.map_err(|error| error.to_string()),
        }
    }

    /// The message of a group version's APIService about a server that does not answer; `None`
    /// where it has none, or may not be read.
    pub(super) async fn words_of_server(&self, api_version: &str) -> Option<String> {
        let (group, version) = api_version.split_once('/')?;
        let path = format!("/apis/apiregistration.k8s.io/v1/apiservices/{version}.{group}");
        let service = object(self.call(ApiRequest::get(path)).await.ok()?.body);
        let available = condition(&service, WaitCondition::AVAILABLE.kind)?;
        let said = words(available).filter(|_| available["status"] != "True")?;
        Some(format!("APIService {} says {said}", service.name()))
    }

    /// Why a kind can't be asked about: what its APIService says, where its server does not answer.
    pub(super) async fn why_not(&self, served: &Served, error: &ApiError) -> String {
        if !error.is_of_gateway() {
            return error.to_string();
        }
        let api_version = api_version(served);
        match self.words_of_server(&api_version).await {
            Some(said) => silence(&said),
            None => error.to_string(),
        }
    }

    /// The kinds that a group has in a version.
    ///
    /// # Errors
    ///
    /// When the server that is asked does not answer.
    pub async fn kinds_of(&self, api_version: &str) -> Result<Vec<Served>, ApiError> {
        let list = self.call(ApiRequest::get(format!("/apis/{api_version}"))).await?.body;
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let resources = list_of(&list, "resources").iter();
        // The others are parts of these, such as their status.
        let resources = resources.filter(|resource| !text(resource, "name").contains('/'));
        let kinds = resources.map(|resource| Served {
            group_kind: GroupKind::new(group, &text(resource, "kind")),
            version: version.to_owned(),
            plural: text(resource, "name"),
            namespaced: resource["namespaced"] == true,
            verbs: verbs(resource),
        });
        Ok(kinds.collect())
    }

    /// The API server's version, such as `v1.36.1`; `None` where it does not tell.
    pub async fn version(&self) -> Option<String> {
        let answer = self.call(ApiRequest::get("/version")).await.ok()?;
        Some(text(&answer.body, "gitVersion")).filter(|version| !version.is_empty())
    }

    /// That the API server has no aggregated discovery, with what it says of its version.
    async fn too_old(&self) -> ApiError {
        let unknown = || "of a version that it does not tell".to_owned();
        let version = self.version().await.unwrap_or_else(unknown);
        ApiError::TooOld { url: self.connection.url.clone(), version }
    }

    /// The core group, and the named ones. The kinds of the core group are those of the server's
    /// release: they are not asked for as long as the named groups are the same as when they were.
    async fn all_groups(&self) -> Result<(CachedDiscovery, CachedDiscovery), ApiError> {
        let known = self.known_groups(CORE);
        let (core, named) = match known {
            Some(core) if core.beside.is_some() => {
                let named = self.groups(NAMED).await?;
                if core.beside == named.etag {
                    return Ok((core, named));
                }
                (self.groups(CORE).await?, named)
            }
            _ => futures::try_join!(self.groups(CORE), self.groups(NAMED))?,
        };
        let core = CachedDiscovery { beside: named.etag.clone(), ..core };
        self.keep_groups(CORE, &core);
        Ok((core, named))
    }

    fn known_groups(&self, path: &str) -> Option<CachedDiscovery> {
        let bytes = self.connection.memory.recall(&self.memory_name(&["discovery", path]))?;
        serde_json::from_slice(&bytes).ok()
    }

    fn keep_groups(&self, path: &str, groups: &CachedDiscovery) {
        if groups.etag.is_some() {
            let bytes = serde_json::to_vec(groups).unwrap_or_default();
            self.connection.memory.keep(&self.memory_name(&["discovery", path]), &bytes);
        }
    }

    /// The groups that the API server serves under `path`: those from the cache, where that still
    /// holds.
    async fn groups(&self, path: &'static str) -> Result<CachedDiscovery, ApiError> {
        let known = self.known_groups(path);
        let etag = known.as_ref().and_then(|known| known.etag.clone());
        let call = ApiRequest { accept: Some(AGGREGATED), known: etag, ..ApiRequest::get(path) };
        let answer = match self.call(call).await {
            // Before 1.26 the API server has nothing of what is asked for.
            Err(ApiError::Status { code: 406, .. }) => return Err(self.too_old().await),
            answer => answer?,
        };
        if let (StatusCode::NOT_MODIFIED, Some(known)) = (answer.status, known) {
            return Ok(known);
        }
        let list = answer.body.get("items").and_then(Value::as_array);
        let Some(list) = list else {
            let is_plain = ["APIVersions", "APIGroupList"].contains(&&*text(&answer.body, "kind"));
            return Err(match is_plain {
                true => self.too_old().await,
                false => garbled(&ApiRequest::get(path), "it is not a discovery document"),
            });
        };
        let mut groups = CachedDiscovery { etag: answer.etag, ..CachedDiscovery::default() };
        for group in list {
            read_group(group, &mut groups.served, &mut groups.stale);
        }
        self.keep_groups(path, &groups);
        Ok(groups)
    }
}

/// One answer, as it is remembered.
#[derive(Default, Serialize, Deserialize)]
struct CachedDiscovery {
    /// The server's ETag of the answer; another one when anything in it is other, a group's
    /// freshness too.
    etag: Option<String>,
    /// Of the core group: the ETag of the named groups at that time.
    #[serde(default)]
    beside: Option<String>,
    served: Vec<Served>,
    /// Groups in versions, such as `metrics.k8s.io/v1`.
    stale: BTreeSet<String>,
}

fn read_group(group: &Value, served: &mut Vec<Served>, stale: &mut BTreeSet<String>) {
    let name = group.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
    for version in list_of(group, "versions") {
        let version_name = text(version, "version");
        if version.get("freshness").and_then(Value::as_str) == Some("Stale") {
            stale.insert(format!("{name}/{version_name}"));
        }
        served.extend(list_of(version, "resources").iter().map(|resource| Served {
            group_kind: GroupKind::new(
                name,
                resource.pointer("/responseKind/kind").and_then(Value::as_str).unwrap_or_default(),
            ),
            version: version_name.clone(),
            plural: text(resource, "resource"),
            namespaced: text(resource, "scope") == "Namespaced",
            verbs: verbs(resource),
        }));
    }
}

fn text(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn verbs(resource: &Value) -> Vec<String> {
    let verbs = list_of(resource, "verbs").iter();
    verbs.filter_map(|verb| verb.as_str().map(str::to_owned)).collect()
}

fn list_of<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
