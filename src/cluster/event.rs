//! Events on an inventory's parent, so that `kubectl describe` and dashboards show how rounds ended.
//!
//! They are of the core group: `kubectl describe` reads those, and a role for Events mostly names that
//! group. Of events.k8s.io they can be read as well, since the API server keeps them only once.

use http::Method;
use jiff::{SignedDuration, Timestamp};

use super::api_request::ApiRequest;
use super::path::collection;
use super::{ApiError, Cluster};
use crate::core::inventory::Inventory;
use crate::core::json::json;
use crate::core::kinds::catalog::Served;
use crate::core::object::GroupKind;

/// The most bytes of a message (k8s.io/kubernetes, `pkg/apis/core/validation/events.go`).
const MESSAGE: usize = 1024;
/// The most bytes of an inventory's name in that of an Event, which ends with the record's id.
const NAME: usize = 200;
/// How long it is remembered that Events may not be made.
const FORBIDDEN: SignedDuration = SignedDuration::from_hours(24);
/// The component that they are from.
const COMPONENT: &str = "trueup";

/// The end of a round, as an Event says it.
#[derive(Clone, Copy, Debug)]
pub struct RoundEvent<'a> {
    /// The inventory.
    pub inventory: &'a Inventory,
    /// The record's id.
    pub id: &'a str,
    /// Whether it is as it should be.
    pub is_normal: bool,
    /// One word in camel case.
    pub reason: &'a str,
    /// The text. A longer one is cut.
    pub message: &'a str,
    /// When.
    pub at: Timestamp,
}

impl Cluster {
    /// Makes an Event of a round, unless it was forbidden lately. One that is there already is the same.
    ///
    /// # Errors
    ///
    /// When the API server refuses, or does not answer.
    pub async fn announce(&self, event: RoundEvent<'_>) -> Result<(), ApiError> {
        let RoundEvent { inventory, id, is_normal, reason, message, at } = event;
        let memory = self.memory_name(&["events", &inventory.namespace, &self.credential_digest()]);
        let kept = self.connection.memory.recall(&memory);
        let kept = kept.and_then(|text| String::from_utf8(text).ok()?.parse::<Timestamp>().ok());
        if kept.is_some_and(|since| at.duration_since(since).abs() < FORBIDDEN) {
            return Ok(());
        }
        let name: String = inventory.name.chars().take(NAME).collect();
        let name = format!("{}.{}", name.trim_end_matches(['.', '-']), id.to_lowercase());
        let time = format!("{at:.0}");
        let body = json!({
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": { "name": name, "namespace": inventory.namespace },
            "involvedObject": {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "namespace": inventory.namespace,
                "name": inventory.name,
                "uid": self.parent_uid(inventory).await,
            },
            "type": if is_normal { "Normal" } else { "Warning" },
            "reason": reason,
            "message": shortened(message),
            "source": { "component": COMPONENT },
            "reportingComponent": COMPONENT,
            "firstTimestamp": time,
            "lastTimestamp": time,
            "count": 1,
        });
        let call = ApiRequest {
            method: Method::POST,
            path: collection(&events(), Some(&inventory.namespace)),
            body: Some(("application/json", body.to_string().into_bytes())),
            accept: None,
            known: None,
        };
        match self.call(call).await {
            Err(error) if error.is_conflict() => Ok(()),
            Err(error) => {
                if error.is_forbidden() {
                    self.connection.memory.keep(&memory, at.to_string().as_bytes());
                }
                Err(error)
            }
            Ok(_) => Ok(()),
        }
    }

    /// The uid of an inventory's parent, by which `kubectl describe` finds its Events.
    async fn parent_uid(&self, inventory: &Inventory) -> Option<String> {
        if let Some(uid) = self.connection.parents.uid(&inventory.id()) {
            return Some(uid);
        }
        let parent = self.parent(inventory).await.ok()??;
        parent.uid().map(str::to_owned)
    }
}

/// A message, if it is long only its beginning.
fn shortened(message: &str) -> String {
    if message.len() <= MESSAGE {
        return message.to_owned();
    }
    let ends = message.char_indices().map(|(at, _)| at);
    let end = ends.take_while(|at| *at <= MESSAGE - '…'.len_utf8()).last().unwrap_or_default();
    format!("{}…", &message[..end])
}

fn events() -> Served {
    Served {
        group_kind: GroupKind::new("", "Event"),
        version: "v1".to_owned(),
        plural: "events".to_owned(),
        namespaced: true,
        verbs: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_message_is_cut_between_characters() {
        let long = "ä".repeat(MESSAGE);
        let cut = shortened(&long);
        assert!(cut.len() <= MESSAGE && cut.len() > MESSAGE - 4 && cut.ends_with("ä…"));
        assert_eq!(shortened("short"), "short");
    }
}
