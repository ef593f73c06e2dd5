//! In which order kinds are made, and in reverse taken away.
//!
//! What others need comes first: namespaces, definitions of kinds, classes, rights, configuration;
//! then workloads; then what points at them. Webhook configurations come last, since they can
//! refuse everything else. Unknown kinds, custom resources among them, go after all built-in ones.

use crate::catalog::{is_crd, is_namespace};
use crate::object::ObjectKey;

/// Kinds in the order in which they are made; each row is one wave. Kinds that no row names belong
/// to [`OTHERS`].
const ORDER: &[&[&str]] = &[
    &["Namespace"],
    &["CustomResourceDefinition"],
    &["PriorityClass", "StorageClass", "RuntimeClass", "IngressClass", "GatewayClass"],
    &["ClusterRole", "Role"],
    &["ResourceQuota", "LimitRange", "NetworkPolicy", "ServiceAccount"],
    &["ClusterRoleBinding", "RoleBinding"],
    &["Secret", "ConfigMap"],
    &["PersistentVolume", "PersistentVolumeClaim"],
    &["Service", "PodDisruptionBudget"],
    &["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Pod"],
    &["HorizontalPodAutoscaler", "Job", "CronJob", "Ingress"],
];

/// The wave of every kind that [`ORDER`] and [`LAST`] do not name.
const OTHERS: usize = ORDER.len();

/// Kinds that come after all others.
const LAST: &[&[&str]] = &[
    &["APIService"],
    &["MutatingWebhookConfiguration"],
    &["ValidatingWebhookConfiguration", "ValidatingAdmissionPolicyBinding"],
];

/// What a wave is for. Sorted as waves are carried out: everything is made before anything is
/// deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Make or change objects; the lower the rank, the earlier.
    Apply {
        /// Place in the order.
        rank: usize,
    },
    /// Delete objects; counted down from the last rank.
    Delete {
        /// How many ranks come after this one in the order of making.
        reverse_rank: usize,
    },
}

impl Step {
    /// The step in which `key` is made or changed.
    pub fn apply(key: &ObjectKey) -> Self {
        Self::Apply { rank: rank(key) }
    }

    /// The step in which `key` is deleted.
    pub fn delete(key: &ObjectKey) -> Self {
        Self::Delete { reverse_rank: OTHERS + LAST.len() - rank(key) }
    }

    /// Whether objects are deleted in it.
    pub fn is_delete(self) -> bool {
        matches!(self, Self::Delete { .. })
    }
}

/// The place of an object's kind in the order of making.
fn rank(key: &ObjectKey) -> usize {
    let place = |rows: &[&[&str]]| rows.iter().position(|row| row.contains(&key.kind.as_str()));
    if !is_builtin(key) {
        return OTHERS;
    }
    place(ORDER).or_else(|| place(LAST).map(|place| OTHERS + 1 + place)).unwrap_or(OTHERS)
}

/// Whether the kind can be one of Kubernetes' own, so that a custom `Service` of another group is
/// not taken for the core one.
fn is_builtin(key: &ObjectKey) -> bool {
    let group = key.group.as_str();
    is_namespace(key)
        || is_crd(key)
        || !group.contains('.')
        || group.ends_with(".k8s.io")
        || group == "gateway.networking.k8s.io"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(group: &str, kind: &str) -> (Step, Step) {
        let key = ObjectKey {
            group: group.to_owned(),
            kind: kind.to_owned(),
            namespace: None,
            name: "x".to_owned(),
        };
        (Step::apply(&key), Step::delete(&key))
    }

    #[test]
    fn what_others_need_is_made_first_and_deleted_last() {
        let order = [
            step("", "Namespace"),
            step("apiextensions.k8s.io", "CustomResourceDefinition"),
            step("rbac.authorization.k8s.io", "ClusterRole"),
            step("", "ServiceAccount"),
            step("rbac.authorization.k8s.io", "RoleBinding"),
            step("", "Secret"),
            step("", "Service"),
            step("apps", "Deployment"),
            step("networking.k8s.io", "Ingress"),
            step("monitoring.coreos.com", "Prometheus"),
            step("apiregistration.k8s.io", "APIService"),
            step("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
        ];
        assert!(order.is_sorted_by(|a, b| a.0 < b.0), "{order:?}");
        assert!(order.is_sorted_by(|a, b| a.1 > b.1), "{order:?}");
        assert!(order.iter().all(|(apply, delete)| apply < delete), "deletions come last");
    }

    #[test]
    fn a_custom_kind_with_a_core_name_is_a_custom_kind() {
        assert_eq!(step("serving.knative.dev", "Service").0, Step::Apply { rank: OTHERS });
    }
}
