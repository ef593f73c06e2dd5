//! In which order kinds are made, and in reverse taken away.
//!
//! Dependencies come first: namespaces, definitions of kinds, classes, rights, configuration; then
//! workloads; then what points at them. Webhook configurations come last, since they can refuse
//! everything else. Unknown kinds, custom resources among them, go after all built-in ones.
//!
//! The order is what counts where nothing else speaks: of all objects that wait for nothing any
//! more, the one of the lower rank goes first. Only where something else could come of it does one
//! [`Part`] wait for another, since every such wait costs time.

use crate::core::kinds::catalog::{is_crd, is_namespace};
use crate::core::object::ObjectKey;

/// Kinds in the order in which they are made; each row is a rank. Kinds that no row names belong
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
    &["Service"],
    &["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Pod"],
    &["HorizontalPodAutoscaler", "PodDisruptionBudget"],
    &["Job", "CronJob", "Ingress"],
];

/// The rank of every kind that [`ORDER`] and [`LAST`] do not name.
const OTHERS: usize = ORDER.len();

/// Kinds that come after all others.
const LAST: &[&[&str]] = &[
    &["APIService"],
    &["MutatingWebhookConfiguration"],
    &[
        "ValidatingWebhookConfiguration",
        "ValidatingAdmissionPolicyBinding",
        "MutatingAdmissionPolicyBinding",
    ],
];

/// The row of [`ORDER`] that workloads begin with.
const WORK: usize = 9;

/// Which part of a wave a kind belongs to. A part is begun once the parts that it builds on are
/// through, apart from what anything says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WavePart {
    /// Objects that others are built on: definitions, classes, rights, configuration, Services.
    Ground,
    /// Workloads, and what points at them.
    Work,
    /// Custom resources.
    Custom,
    /// Servers of further kinds.
    Api,
    /// Objects that can refuse everything else.
    Admission,
}

/// The part that a kind belongs to.
pub(super) fn part(key: &ObjectKey) -> WavePart {
    match rank(key) {
        rank if rank < WORK => WavePart::Ground,
        OTHERS if !is_builtin(key) => WavePart::Custom,
        rank if rank <= OTHERS => WavePart::Work,
        rank if rank == OTHERS + 1 => WavePart::Api,
        _ => WavePart::Admission,
    }
}

/// Whether it may be part of a controller, which looks after custom resources until they are gone:
/// workloads, their accounts and rights, the Services that they answer at.
pub(super) fn may_look_after(key: &ObjectKey) -> bool {
    let kinds = ["ServiceAccount", "Service"];
    let row = rank(key);
    row == WORK
        || matches!(key.group.as_str(), "rbac.authorization.k8s.io")
        || (key.group.is_empty() && kinds.contains(&key.kind.as_str()))
}

/// The place of an object's kind in the order of making.
pub(super) fn rank(key: &ObjectKey) -> usize {
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

    fn key(group: &str, kind: &str) -> ObjectKey {
        ObjectKey {
            group: group.to_owned(),
            kind: kind.to_owned(),
            namespace: None,
            name: "x".to_owned(),
        }
    }

    #[test]
    fn kinds_that_others_need_are_created_first() {
        let order = [
            (key("", "Namespace"), WavePart::Ground),
            (key("apiextensions.k8s.io", "CustomResourceDefinition"), WavePart::Ground),
            (key("rbac.authorization.k8s.io", "ClusterRole"), WavePart::Ground),
            (key("", "ServiceAccount"), WavePart::Ground),
            (key("rbac.authorization.k8s.io", "RoleBinding"), WavePart::Ground),
            (key("", "Secret"), WavePart::Ground),
            (key("", "Service"), WavePart::Ground),
            (key("apps", "Deployment"), WavePart::Work),
            (key("policy", "PodDisruptionBudget"), WavePart::Work),
            (key("monitoring.coreos.com", "Prometheus"), WavePart::Custom),
            (key("apiregistration.k8s.io", "APIService"), WavePart::Api),
            (
                key("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
                WavePart::Admission,
            ),
        ];
        assert!(order.is_sorted_by(|(a, _), (b, _)| rank(a) < rank(b)), "{order:?}");
        for (key, wanted) in &order {
            assert_eq!(part(key), *wanted, "{key}");
        }
        assert_eq!(part(&key("coordination.k8s.io", "Lease")), WavePart::Work);
    }

    #[test]
    fn a_custom_kind_with_a_core_name_is_a_custom_kind() {
        assert_eq!(part(&key("serving.knative.dev", "Service")), WavePart::Custom);
        assert!(!may_look_after(&key("serving.knative.dev", "Service")));
    }
}
