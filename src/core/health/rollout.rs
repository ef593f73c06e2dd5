//! Whether pods of a former template may still run.

use super::{number, text};
use crate::core::object::Object;

/// Whether a workload may still have pods of a template that it had before: its controller has not
/// seen the new one yet, or not all pods are of it. The state of its pods does not matter
/// otherwise: a rollout that failed leaves old pods running, and a scaling none.
pub fn has_former_pods(object: &Object) -> bool {
    let count = |name: &str| number(object, &format!("/status/{name}")).unwrap_or(0);
    if object.group() != "apps" && object.kind() != "ReplicationController" {
        return false;
    }
    // Without a status there never were any.
    let Some(observed) = number(object, "/status/observedGeneration") else { return false };
    if observed < number(object, "/metadata/generation").unwrap_or(0) {
        return true;
    }
    match object.kind() {
        "Deployment" => count("replicas") > count("updatedReplicas"),
        "DaemonSet" => count("currentNumberScheduled") > count("updatedNumberScheduled"),
        "StatefulSet" => {
            let revision = |name: &str| text(object, &format!("/status/{name}"));
            count("replicas") > 0
                && revision("updateRevision").is_some()
                && revision("currentRevision") != revision("updateRevision")
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::core::json::{Value, json};

    use super::*;

    fn of(kind: &str, status: Value) -> bool {
        let object = json!({
            "apiVersion": "apps/v1", "kind": kind, "metadata": { "generation": 2 }, "status": status,
        });
        has_former_pods(&Object::from(object.as_object().cloned().unwrap_or_default()))
    }

    #[test]
    fn old_pods_are_known_by_the_status() {
        let seen = |more: Value| {
            let mut status = json!({ "observedGeneration": 2 });
            let more = more.as_object().cloned().unwrap_or_default();
            status.as_object_mut().unwrap().extend(more);
            status
        };
        for (kind, status, expected) in [
            ("Deployment", json!({}), false),
            (
                "Deployment",
                json!({ "observedGeneration": 1, "replicas": 1, "updatedReplicas": 1 }),
                true,
            ),
            ("Deployment", seen(json!({ "replicas": 3, "updatedReplicas": 1 })), true),
            (
                "Deployment",
                seen(json!({ "replicas": 3, "updatedReplicas": 3, "readyReplicas": 0 })),
                false,
            ),
            ("Deployment", seen(json!({})), false),
            (
                "DaemonSet",
                seen(json!({ "currentNumberScheduled": 2, "updatedNumberScheduled": 1 })),
                true,
            ),
            (
                "DaemonSet",
                seen(json!({ "currentNumberScheduled": 2, "updatedNumberScheduled": 2 })),
                false,
            ),
            (
                "StatefulSet",
                seen(json!({ "replicas": 2, "currentRevision": "a", "updateRevision": "b" })),
                true,
            ),
            (
                "StatefulSet",
                seen(json!({ "replicas": 2, "currentRevision": "b", "updateRevision": "b" })),
                false,
            ),
            (
                "StatefulSet",
                seen(json!({ "replicas": 0, "currentRevision": "a", "updateRevision": "b" })),
                false,
            ),
        ] {
            assert_eq!(of(kind, status.clone()), expected, "{kind} {status}");
        }
    }
}
