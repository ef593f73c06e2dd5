//! Aggregated discovery → [`Catalog`]: two requests, which bring nothing where nothing has changed.
//!
//! kube's own discovery type drops `freshness`, without which a group whose server is down looks
//! as if it had no kinds.

use std::collections::BTreeSet;

use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::wire::Call;
use super::{ApiError, Cluster};
use crate::catalog::{Catalog, Served};
use crate::object::GroupKind;

/// Aggregated discovery, stable since Kubernetes 1.30, and its beta.
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
     application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList";

impl Cluster {
    /// Asks the API server which kinds it serves.
    ///
    /// # Errors
    ///
    /// When it does not answer, or is older than Kubernetes 1.26.
    pub async fn discover(&self) -> Result<Catalog, ApiError> {
        let (core, named) = futures::try_join!(self.groups("/api"), self.groups("/apis"))?;
        let served = [core.served, named.served].concat();
        Ok(Catalog::new(served, core.stale.into_iter().chain(named.stale).collect()))
    }

    /// What the API server serves under `path`: what is remembered, where that still holds.
    async fn groups(&self, path: &'static str) -> Result<Groups, ApiError> {
        let name = self.memory_name(&["discovery", path]);
        let known: Option<Groups> =
            self.memory.recall(&name).and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let etag = known.as_ref().and_then(|known| known.etag.clone());
        let call = Call { accept: Some(AGGREGATED), known: etag, ..Call::get(path) };
        let answer = self.call(call).await?;
        if let (StatusCode::NOT_MODIFIED, Some(known)) = (answer.status, known) {
            return Ok(known);
        }
        let list = answer.body.get("items").and_then(Value::as_array);
        let list = list.ok_or_else(|| ApiError::Garbled {
            what: format!("GET {path}"),
            cause: "no aggregated discovery, which Kubernetes has since 1.26".to_owned(),
        })?;
        let mut groups = Groups { etag: answer.etag, ..Groups::default() };
        for group in list {
            read_group(group, &mut groups.served, &mut groups.stale);
        }
        if groups.etag.is_some() {
            self.memory.keep(&name, &serde_json::to_vec(&groups).unwrap_or_default());
        }
        Ok(groups)
    }
}

/// One answer, as it is remembered.
#[derive(Default, Serialize, Deserialize)]
struct Groups {
    /// What the server calls the answer; another one when anything in it is other, a group's
    /// freshness too.
    etag: Option<String>,
    served: Vec<Served>,
    stale: BTreeSet<String>,
}

fn read_group(group: &Value, served: &mut Vec<Served>, stale: &mut BTreeSet<String>) {
    let name = group.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
    for version in list(group, "versions") {
        if version.get("freshness").and_then(Value::as_str) == Some("Stale") {
            stale.insert(name.to_owned());
        }
        let version_name = text(version, "version");
        served.extend(list(version, "resources").iter().map(|resource| {
            Served {
                group_kind: GroupKind::new(
                    name,
                    resource
                        .pointer("/responseKind/kind")
                        .and_then(Value::as_str)
                        .unwrap_or_default(),
                ),
                version: version_name.clone(),
                plural: text(resource, "resource"),
                namespaced: text(resource, "scope") == "Namespaced",
                verbs: list(resource, "verbs")
                    .iter()
                    .filter_map(|v| v.as_str().map(str::to_owned))
                    .collect(),
            }
        }));
    }
}

fn text(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
