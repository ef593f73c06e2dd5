//! Fields that a controller of the API server's own fills in, by the definition of the field. Declared
//! or not, the value is the controller's: to send another one is to fight for it in every round.

use std::sync::LazyLock;

use super::Pointer;
use crate::core::object::Object;

/// A Deployment's annotation with the number of its newest ReplicaSet.
const REVISION: &str = "deployment.kubernetes.io/revision";

/// A field that is left to a controller.
#[derive(Debug)]
pub struct Controlled {
    /// The field.
    pub field: Pointer,
    /// Which controller fills it, and from what.
    pub by: &'static str,
    /// Whether the field of this object is the controller's.
    is_theirs: fn(&Object) -> bool,
}

static CONTROLLED: LazyLock<[Controlled; 2]> = LazyLock::new(|| {
    [
        // "The control plane overwrites any values that you manually specify in the rules field of an
        // aggregate ClusterRole": Using RBAC Authorization, Aggregated ClusterRoles.
        Controlled {
            field: "/rules".to_owned().into(),
            by: "the ClusterRole aggregation controller fills it from the aggregationRule",
            is_theirs: |object| {
                is(object, "rbac.authorization.k8s.io", "ClusterRole")
                    && object.0.get("aggregationRule").is_some_and(|rule| !rule.is_null())
            },
        },
        // SetNewReplicaSetAnnotations in kubernetes/pkg/controller/deployment/util: the number of the
        // newest ReplicaSet. It comes into git with what `kubectl get -o yaml` prints.
        Controlled {
            field: format!("/metadata/annotations/{}", REVISION.replace('/', "~1")).into(),
            by: "the Deployment controller counts in it",
            // Only where it is declared: else there is nothing to leave alone, and much to look up.
            is_theirs: |object| {
                is(object, "apps", "Deployment") && object.annotation(REVISION).is_some()
            },
        },
    ]
});

/// The fields of an object of this kind that controllers fill in, whether it declares them or not.
pub fn controlled(object: &Object) -> impl Iterator<Item = &'static Controlled> {
    CONTROLLED.iter().filter(|it| (it.is_theirs)(object))
}

/// The same, as far as the object declares them.
pub fn declared_in_vain(object: &Object) -> impl Iterator<Item = &'static Controlled> {
    controlled(object).filter(|it| it.field.value(&object.0).is_some())
}

fn is(object: &Object, group: &str, kind: &str) -> bool {
    object.kind() == kind && object.group() == group
}
