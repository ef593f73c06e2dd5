//! Aggregated discovery → [`Catalog`]: two requests.
//!
//! kube's own discovery type drops `freshness`, without which a group whose server is down looks
//! as if it had no kinds.

use std::collections::BTreeSet;

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
        let ask =
            |path: &'static str| self.call(Call { accept: Some(AGGREGATED), ..Call::get(path) });
        let (core, named) = futures::try_join!(ask("/api"), ask("/apis"))?;
        let (mut served, mut stale) = (Vec::new(), BTreeSet::new());
        for (path, list) in [("/api", &core.body), ("/apis", &named.body)] {
            let groups =
                list.get("items").and_then(Value::as_array).ok_or_else(|| ApiError::Garbled {
                    what: format!("GET {path}"),
                    cause: "no aggregated discovery, which Kubernetes has since 1.26".to_owned(),
                })?;
            for group in groups {
                read_group(group, &mut served, &mut stale);
            }
        }
        Ok(Catalog::new(served, stale))
    }
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
