//! The simulated nodes: what they are, and (in `stages.yaml`) what becomes of the pods on them.

use crate::core::json::{Value, json};

/// The stages of nodes and pods, in kwok's own language.
pub(super) const STAGES: &str = include_str!("stages.yaml");

const NAMES: [&str; 3] = ["node-1", "node-2", "node-3"];

/// The nodes to create. kwok says that they are ready.
pub(super) fn nodes() -> impl Iterator<Item = Value> {
    NAMES.into_iter().map(|name| {
        json!({
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": name,
                "annotations": { "node.alpha.kubernetes.io/ttl": "0" },
                "labels": {
                    "kubernetes.io/arch": "amd64",
                    "kubernetes.io/hostname": name,
                    "kubernetes.io/os": "linux",
                },
            },
        })
    })
}

/// Whether every node of the list is ready, and open for pods.
pub(super) fn are_ready(list: &Value) -> bool {
    let Some(nodes) = list["items"].as_array() else { return false };
    nodes.len() == NAMES.len() && nodes.iter().all(is_ready)
}

fn is_ready(node: &Value) -> bool {
    let conditions = node["status"]["conditions"].as_array();
    let ready = conditions.is_some_and(|conditions| {
        conditions.iter().any(|it| it["type"] == "Ready" && it["status"] == "True")
    });
    ready && node["spec"]["taints"].as_array().is_none_or(Vec::is_empty)
}
