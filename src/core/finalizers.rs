//! The finalizers that hold an object that is being deleted, and the controller behind each, as a
//! person would look them up. Pure; how long they are waited for is [`crate::app`]'s.

use crate::core::json::Value;
use crate::core::managed_fields::owners;
use crate::core::manifest::PathPart;
use crate::core::object::Object;

/// Finalizers of Kubernetes' own, and what each waits for.
const KNOWN: &[(&str, &str)] = &[
    ("kubernetes.io/pvc-protection", "no pod uses it any more"),
    ("kubernetes.io/pv-protection", "no claim is bound to it any more"),
    ("foregroundDeletion", "what it owns is gone"),
    ("orphan", "its dependents are orphaned"),
    ("customresourcecleanup.apiextensions.k8s.io", "all objects of its kind are gone"),
    ("service.kubernetes.io/load-balancer-cleanup", "its load balancer is taken down"),
    ("batch.kubernetes.io/job-tracking", "its Job has counted it"),
    ("external-provisioner.volume.kubernetes.io/finalizer", "its storage is given back"),
    ("snapshot.storage.kubernetes.io/volumesnapshot-bound-protection", "it is no longer bound"),
];

/// Conditions in which the controller of Namespaces says what is left in one, the more telling
/// first (`NamespaceConditionType` in k8s.io/api).
const LEFT: &[&str] = &[
    "NamespaceDeletionContentFailure",
    "NamespaceDeletionDiscoveryFailure",
    "NamespaceDeletionGroupVersionParsingFailure",
    "NamespaceFinalizersRemaining",
    "NamespaceContentRemaining",
];

/// The holder of a terminating object; `None` where it is unknown.
///
/// Whose a finalizer is that Kubernetes does not know is what `managedFields` say: whoever added it
/// is whoever takes it off.
pub fn what_holds(live: &Object) -> Option<String> {
    if let Some(left) = left(live) {
        return Some(format!("what is left in it: {left}"));
    }
    let finalizers = live.metadata()?.get("finalizers")?.as_array()?;
    let names = finalizers.iter().enumerate().filter_map(|(at, name)| Some((at, name.as_str()?)));
    let holders: Vec<String> = names.map(|(at, name)| holder(live, at, name)).collect();
    (!holders.is_empty()).then(|| holders.join(" and "))
}

/// One finalizer in words.
fn holder(live: &Object, at: usize, name: &str) -> String {
    if let Some((_, until)) = KNOWN.iter().find(|(known, _)| *known == name) {
        return format!("the finalizer {name}, until {until}");
    }
    let path = [PathPart::Key("metadata"), PathPart::Key("finalizers"), PathPart::Index(at)];
    match owners::of(live, &path).first() {
        Some(manager) => format!("the finalizer {name}, which {} set", manager.name),
        None => format!("the finalizer {name}"),
    }
}

/// The remaining content, as a Namespace's controller reports it.
fn left(live: &Object) -> Option<&str> {
    let is_namespace = (live.api_version(), live.kind()) == ("v1", "Namespace");
    let conditions =
        live.0.get("status").filter(|_| is_namespace)?.get("conditions")?.as_array()?;
    let is_true =
        |kind: &&&str| conditions.iter().any(|it| it["type"] == ***kind && it["status"] == "True");
    let kind = LEFT.iter().find(is_true)?;
    let condition = conditions.iter().find(|it| it["type"] == **kind)?;
    condition.get("message").and_then(Value::as_str).filter(|message| !message.is_empty())
}

#[cfg(test)]
mod tests {
    use crate::core::json::json;

    use super::*;

    fn holds(object: crate::core::json::Value) -> Option<String> {
        what_holds(&Object::from(object.as_object().cloned().unwrap()))
    }

    #[test]
    fn finalizer_is_described_by_its_condition_or_manager() {
        let metadata = json!({
            "finalizers": ["kubernetes.io/pvc-protection", "shop.example/a", "shop.example/b"],
            "managedFields": [{
                "manager": "shop-controller", "operation": "Update", "apiVersion": "v1",
                "fieldsV1": { "f:metadata": { "f:finalizers": { ".": {}, "v:\"shop.example/a\"": {} } } },
            }],
        });
        let told = holds(json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata }));
        let expected = "the finalizer kubernetes.io/pvc-protection, until no pod uses it any more and \
                        the finalizer shop.example/a, which shop-controller set and \
                        the finalizer shop.example/b";
        assert_eq!(told.as_deref(), Some(expected));
        assert_eq!(holds(json!({ "metadata": { "finalizers": [] } })), None);
        assert_eq!(holds(json!({ "metadata": {} })), None);
    }

    #[test]
    fn terminating_namespace_reports_remaining_content() {
        let status = json!({ "conditions": [
            { "type": "NamespaceContentRemaining", "status": "True", "message": "1 thing" },
            { "type": "NamespaceFinalizersRemaining", "status": "True", "message": "2 finalizers" },
            { "type": "NamespaceDeletionContentFailure", "status": "False", "message": "none" },
        ] });
        let told = holds(json!({ "apiVersion": "v1", "kind": "Namespace", "status": status }));
        assert_eq!(told.as_deref(), Some("what is left in it: 2 finalizers"));
    }
}
