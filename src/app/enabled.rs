//! Objects that the server refuses now and may take once others of the same commit are applied.
//! Examples are a binding to a Role that is not there yet, and an object over a quota that the
//! commit widens. Another is a Pod that a label of its namespace or a policy's parameter forbids.
//! `kubectl apply` sends them one after the other and gets through; a dry run of each beside all
//! others that are not applied does not. An object that forbids it and is no longer declared is
//! deleted before it.

use std::collections::{BTreeMap, BTreeSet};

use crate::cluster::{is_of_limit, is_of_policy};
use crate::core::desired::Desired;
use crate::core::json::Value;
use crate::core::kinds::catalog::is_namespace;
use crate::core::object::{Object, ObjectKey};
use crate::core::observed::{Observation, Observed, Prerequisite, Preview};
use crate::core::problem::Refusal;

/// Kinds that decide what else the server takes, by their group.
const DECIDING: [(&str, &[&str]); 5] = [
    ("rbac.authorization.k8s.io", &["Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"]),
    ("", &["Namespace", "ResourceQuota", "LimitRange", "ServiceAccount"]),
    (
        "admissionregistration.k8s.io",
        &[
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding",
            "MutatingAdmissionPolicy",
            "MutatingAdmissionPolicyBinding",
            "ValidatingWebhookConfiguration",
            "MutatingWebhookConfiguration",
        ],
    ),
    ("scheduling.k8s.io", &["PriorityClass"]),
    ("node.k8s.io", &["RuntimeClass"]),
];

/// Puts off what is refused for lack of a right or of room until all of the commit that may give it
/// is applied, and notes what each waits for.
pub(super) fn put_off(desired: &mut Desired, observed: &mut Observed) {
    let mut refused: BTreeMap<ObjectKey, Refusal> = BTreeMap::new();
    let mut changing: BTreeSet<ObjectKey> = BTreeSet::new();
    let parameters = parameters(desired);
    for (key, observation) in &observed.objects {
        let Observation::Seen { preview: Some(preview), .. } = observation else { continue };
        match preview {
            Preview::Refused(refusal) if refusal.may_pass => {
                refused.insert(key.clone(), refusal.clone());
            }
            Preview::Merged(_) | Preview::Deferred(_) | Preview::Unasked(_)
                if decides(key) || parameters.contains(key) =>
            {
                changing.insert(key.clone());
            }
            _ => {}
        }
    }
    let forbidding: BTreeMap<ObjectKey, BTreeSet<ObjectKey>> = refused
        .iter()
        .map(|(key, refusal)| (key.clone(), forbidding(key, &refusal.message, desired, observed)))
        .collect();
    // An object that is put off may itself decide about others.
    loop {
        let mut more = Vec::new();
        for (key, refusal) in &refused {
            let first: BTreeSet<ObjectKey> = changing
                .iter()
                .filter(|on| may_help(on, &refusal.message) && reaches(on, key))
                .cloned()
                .collect();
            if !first.is_empty() || !forbidding[key].is_empty() {
                more.push((key.clone(), first, refusal.clone()));
            }
        }
        if more.is_empty() {
            return;
        }
        for (key, first, refusal) in more {
            refused.remove(&key);
            if decides(&key) {
                changing.insert(key.clone());
            }
            if let Some(Observation::Seen { preview, .. }) = observed.objects.get_mut(&key) {
                let gone = forbidding[&key].clone();
                let applied = Prerequisite::Applied { first: first.clone(), gone, refusal };
                *preview = Some(Preview::Deferred(applied));
            }
            desired.after.insert(key, first);
        }
    }
}

fn decides(key: &ObjectKey) -> bool {
    let (group, kind) = (key.group.as_str(), key.kind.as_str());
    DECIDING.iter().any(|(of, kinds)| *of == group && kinds.contains(&kind))
}

/// Whether the answer may be another one once `on` is applied. What a policy denies, neither a right
/// nor room changes.
fn may_help(on: &ObjectKey, refusal: &str) -> bool {
    let is_right_or_room = || {
        on.group == "rbac.authorization.k8s.io"
            || on.group.is_empty() && ["ResourceQuota", "LimitRange"].contains(&on.kind.as_str())
    };
    !is_of_policy(refusal) || !is_right_or_room()
}

/// Whether what `on` decides can be about the object: it is of no namespace, or of the same. Of an
/// account only a Pod needs that it is there (the `ServiceAccount` admission plugin).
fn reaches(on: &ObjectKey, key: &ObjectKey) -> bool {
    on != key
        && (on.kind != "ServiceAccount" || key.kind == "Pod")
        && match &on.namespace {
            _ if is_namespace(on) => key.namespace.as_ref() == Some(&on.name),
            None => true,
            namespace => *namespace == key.namespace,
        }
}

/// Objects that the server names where it refuses an object, and that the commit no longer
/// declares.
fn forbidding(
    key: &ObjectKey,
    refusal: &str,
    desired: &Desired,
    observed: &Observed,
) -> BTreeSet<ObjectKey> {
    let undesired = observed.objects.iter().filter(|(it, _)| !desired.objects.contains_key(it));
    let live = undesired.filter_map(|(it, observation)| Some((it, observation.live()?)));
    let forbids = live.filter(|(it, live)| reaches(it, key) && is_named(it, live, refusal));
    forbids.map(|(it, _)| it.clone()).collect()
}

/// Whether the server refuses something because of this object: it names quotas, policies and
/// webhooks, but no LimitRange (k8s.io/apiserver, `pkg/admission/plugin/resourcequota`).
fn is_named(key: &ObjectKey, live: &Object, refusal: &str) -> bool {
    let name = &key.name;
    match (key.group.as_str(), key.kind.as_str()) {
        ("", "ResourceQuota") => {
            let is_it = |word: &str| {
                let rest = refusal.split_once(&format!("{word} quota: {name}"));
                rest.is_some_and(|(_, rest)| !rest.starts_with(is_of_name))
            };
            is_it("exceeded") || is_it("failed")
        }
        ("", "LimitRange") => is_of_limit(refusal),
        ("admissionregistration.k8s.io", kind) => {
            let of_webhooks = || {
                let hooks = live.0.get("webhooks").and_then(Value::as_array).into_iter().flatten();
                let mut names = hooks.filter_map(|hook| hook.get("name")?.as_str());
                names.any(|name| refusal.contains(&format!("admission webhook \"{name}\"")))
            };
            is_of_policy(refusal)
                && match kind.ends_with("WebhookConfiguration") {
                    true => of_webhooks(),
                    false => refusal.contains(&format!(" '{name}'")),
                }
        }
        _ => false,
    }
}

/// Whether a character can be a part of an object's name.
fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-.".contains(c)
}

/// The kinds of parameters of admission policies' bindings, as far as the commit declares them.
fn parameters(desired: &Desired) -> BTreeSet<ObjectKey> {
    let of_binding = |object: &Object| {
        let bindings = ["ValidatingAdmissionPolicyBinding", "MutatingAdmissionPolicyBinding"];
        let is_binding = bindings.contains(&object.kind());
        let reference = object.0.get("spec").and_then(|spec| spec.get("paramRef"))?;
        let text = |key: &str| reference.get(key).and_then(|value| value.as_str());
        let (name, namespace) = (text("name").map(str::to_owned), text("namespace"));
        is_binding.then(|| (name, namespace.map(str::to_owned)))
    };
    let bindings = desired.objects.values().filter_map(|manifest| of_binding(&manifest.object));
    let bindings: Vec<(Option<String>, Option<String>)> = bindings.collect();
    // Of which kind they are, the policy says, which may not be in the commit.
    let is_named = |key: &&ObjectKey| {
        bindings.iter().any(|(name, namespace)| {
            name.as_ref().is_none_or(|name| *name == key.name)
                && namespace.as_ref().is_none_or(|it| key.namespace.as_ref() == Some(it))
        })
    };
    desired.objects.keys().filter(is_named).cloned().collect()
}
