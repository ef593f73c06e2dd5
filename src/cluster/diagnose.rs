//! Looks up why an object does not get ready, as a person would: its pods, their logs, the events.
//! A few requests an object; what can't be read is said to be so.

use std::time::Duration;

use super::api_request::{ApiRequest, object};
use super::observe::typed;
use super::path::{collection, one, query_escape};
use super::{ApiError, Cluster};
use crate::core::health::evidence::{
    FEW_TROUBLES, LOG_LINES, MoreEvidence, PodProblem, is_owned, log_lines, newest, selector,
    troubles, warnings,
};
use crate::core::kinds::catalog::{Catalog, Served};
use crate::core::object::{GroupKind, Object, ObjectKey};

/// How many bytes of a log are asked for: what is cut off is its end, which says why.
const LOG_BYTES: usize = 1 << 16;
/// How long a log may take to come: it is the pod's own node that has it.
const LOG_PATIENCE: Duration = Duration::from_secs(5);

/// An object, and what it makes its pods through.
struct WorkloadPods {
    object: Object,
    /// Of a Deployment the ReplicaSet with its newest pods.
    set: Option<Object>,
    pods: Vec<Object>,
}

impl Cluster {
    /// The troubles of an object's pods.
    ///
    /// # Errors
    ///
    /// When they can't be read.
    pub async fn troubles(
        &self,
        served: &Served,
        key: &ObjectKey,
        catalog: &Catalog,
    ) -> Result<Vec<PodProblem>, ApiError> {
        let family = self.family(served, key, catalog).await?;
        Ok(family.map(|family| troubles(&family.pods)).unwrap_or_default())
    }

    /// Why an object does not get ready, line by line. The lines may quote anything.
    pub async fn diagnose(
        &self,
        served: &Served,
        key: &ObjectKey,
        catalog: &Catalog,
    ) -> Vec<String> {
        let family = match self.family(served, key, catalog).await {
            Ok(Some(family)) => family,
            Ok(None) => return Vec::new(),
            Err(error) => return vec![format!("its pods can't be read: {error}")],
        };
        let WorkloadPods { object: root, set, pods } = &family;
        let namespace = key.namespace.as_deref();
        let mut lines = Vec::new();
        for trouble in troubles(pods).iter().take(FEW_TROUBLES) {
            lines.extend(trouble.lines());
            match trouble.next {
                MoreEvidence::Nowhere => {}
                MoreEvidence::Events => {
                    let events = self.event_lines(catalog, namespace, &trouble.uid).await;
                    lines.extend(events.iter().map(|line| format!("  {line}")));
                }
                MoreEvidence::Log { previous } => {
                    lines.extend(self.log(catalog, namespace, trouble, previous).await);
                }
            }
        }
        for about in set.iter().chain([root]).filter_map(Object::uid) {
            let events = self.event_lines(catalog, namespace, about).await;
            lines.extend(events.into_iter().map(|line| format!("event: {line}")));
        }
        lines
    }

    /// An object with its pods; `None` where it is gone.
    async fn family(
        &self,
        served: &Served,
        key: &ObjectKey,
        catalog: &Catalog,
    ) -> Result<Option<WorkloadPods>, ApiError> {
        let namespace = key.namespace.as_deref();
        let Some(object) = self.get(served, namespace, &key.name).await? else { return Ok(None) };
        let uid = object.uid().unwrap_or_default().to_owned();
        if (key.group.as_str(), key.kind.as_str()) == ("", "Pod") {
            return Ok(Some(WorkloadPods { pods: vec![object.clone()], object, set: None }));
        }
        let runs_pods = ["apps", "batch", "extensions", ""].contains(&key.group.as_str());
        let selector = selector(&object).filter(|_| runs_pods);
        let (Some(selector), Some(pods)) =
            (selector, catalog.preferred(&GroupKind::new("", "Pod")))
        else {
            return Ok(Some(WorkloadPods { object, set: None, pods: Vec::new() }));
        };
        let set = match catalog.preferred(&GroupKind::new("apps", "ReplicaSet")) {
            Some(sets) if key.kind == "Deployment" => {
                newest(&self.some(sets, namespace, &selector).await?, &uid).cloned()
            }
            _ => None,
        };
        let owner = set.as_ref().and_then(Object::uid).unwrap_or(&uid);
        let mut pods = self.some(pods, namespace, &selector).await?;
        pods.retain(|pod| is_owned(pod, owner));
        Ok(Some(WorkloadPods { object, set, pods }))
    }

    /// Objects that a selector picks.
    async fn some(
        &self,
        served: &Served,
        namespace: Option<&str>,
        selector: &str,
    ) -> Result<Vec<Object>, ApiError> {
        let picked = self.list(served, namespace, selector).await?;
        let kind = &served.group_kind.kind;
        Ok(picked.items.iter().map(|item| typed(item, "", kind)).collect())
    }

    /// The warnings about an object, or why they can't be read.
    async fn event_lines(
        &self,
        catalog: &Catalog,
        namespace: Option<&str>,
        uid: &str,
    ) -> Vec<String> {
        match self.events(catalog, namespace, uid).await {
            Ok(events) => warnings(&events),
            Err(error) => vec![format!("can't be read: {error}")],
        }
    }

    /// The events about an object.
    async fn events(
        &self,
        catalog: &Catalog,
        namespace: Option<&str>,
        uid: &str,
    ) -> Result<Vec<Object>, ApiError> {
        let Some(events) = catalog.preferred(&GroupKind::new("", "Event")) else {
            return Ok(Vec::new());
        };
        // Of what is in no namespace they are in this one.
        let namespace = Some(namespace.unwrap_or("default"));
        let about = query_escape(&format!("involvedObject.uid={uid}"));
        let path = format!("{}?limit=100&fieldSelector={about}", collection(events, namespace));
        let mut answer = self.call(ApiRequest::get(path)).await?;
        Ok(match answer.body["items"].take() {
            crate::core::json::Value::Array(items) => items.into_iter().map(object).collect(),
            _ => Vec::new(),
        })
    }

    /// The end of a container's log.
    async fn log(
        &self,
        catalog: &Catalog,
        namespace: Option<&str>,
        trouble: &PodProblem,
        previous: bool,
    ) -> Vec<String> {
        let Some(pods) = catalog.preferred(&GroupKind::new("", "Pod")) else { return Vec::new() };
        let container = trouble.container.as_deref().unwrap_or_default();
        let path = format!(
            "{}/log?container={}&previous={previous}&tailLines={LOG_LINES}&limitBytes={LOG_BYTES}",
            one(pods, namespace, &trouble.pod),
            query_escape(container),
        );
        match tokio::time::timeout(LOG_PATIENCE, self.text(ApiRequest::get(path))).await {
            // The last line may end in the middle of what has to be masked.
            Ok(Ok(log)) if log.len() >= LOG_BYTES => log_lines(&(log + "…")),
            Ok(Ok(log)) => log_lines(&log),
            Ok(Err(error)) => vec![format!("  its log can't be read: {error}")],
            Err(_) => vec!["  its log can't be read: the pod's node does not answer".to_owned()],
        }
    }
}
