//! Health: ready, progressing or failed, read from one live object.
//!
//! The rules are those of kstatus (`cli-utils`, `pkg/kstatus/status`), made stricter where Flux,
//! Argo CD and kapp are right; each says where it is from. What is asked first of any object is
//! here, what a kind's own status says is in the parts, one file for kinds that belong together.
//! How long to wait, and for whom, is not decided here: see [`crate::app::wait()`].

mod conditions;
mod custom;
pub mod evidence;
mod network;
mod others;
mod pods;
pub mod rollout;
mod summary;
mod workloads;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

pub use crate::core::cel::{Expression, ExpressionLimits};
pub use custom::{ConditionTest, HealthRule, HealthTest};
pub use summary::{HealthSummary, ObjectHealth, WaitEnd};

use crate::core::json::Value;
use crate::core::kinds::catalog::{is_crd, is_namespace};
use crate::core::object::{Object, ObjectKey};
use conditions::{condition, is_true, words};

/// How an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum HealthState {
    /// It does what it is for.
    Ready,
    /// It does not yet, and may soon.
    Progressing,
    /// It will not without help, as far as one can see.
    Failed,
}

impl HealthState {
    /// The state's name, as in output and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Progressing => "progressing",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for HealthState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How an object is, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Health {
    /// How it is.
    pub state: HealthState,
    /// The reason that it is not ready; may be empty where it is. It can quote the object, so it is
    /// redacted before it is shown.
    pub why: String,
}

impl Health {
    /// Ready.
    pub fn ready() -> Self {
        Self { state: HealthState::Ready, why: String::new() }
    }

    /// Ready, and worth a word.
    pub fn ready_as(why: impl Into<String>) -> Self {
        Self { state: HealthState::Ready, why: why.into() }
    }

    /// Not yet ready, for lack of something.
    pub fn progressing(why: impl Into<String>) -> Self {
        Self { state: HealthState::Progressing, why: why.into() }
    }

    /// Failed.
    pub fn failed(why: impl Into<String>) -> Self {
        Self { state: HealthState::Failed, why: why.into() }
    }

    /// Whether it is ready.
    pub fn is_ready(&self) -> bool {
        self.state == HealthState::Ready
    }
}

/// Assesses the health of live objects, with all that it depends on besides the object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HealthAssessor {
    /// Rules of `trueup.yaml`; the first that is about an object counts.
    pub rules: Vec<HealthRule>,
    /// StorageClasses whose volumes are bound when the first pod uses them.
    pub late_binding: BTreeSet<String>,
    /// The cost of the rules' expressions since the look at objects began.
    pub spent: ExpressionCost,
}

/// The cost of expressions together. It is not part of an assessor's identity.
#[derive(Debug, Default)]
pub struct ExpressionCost(AtomicU64);

impl Clone for ExpressionCost {
    fn clone(&self) -> Self {
        Self(AtomicU64::new(self.0.load(Ordering::Relaxed)))
    }
}

impl PartialEq for ExpressionCost {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl HealthAssessor {
    /// Begins another look at objects, with all that its rules may cost together.
    pub fn reset_cost(&self) {
        self.spent.0.store(0, Ordering::Relaxed);
    }

    /// The health of a live object.
    ///
    /// The checks for any kind come first, in kstatus' order (`generic.go`,
    /// `checkGenericProperties`): deletion, observedGeneration, `Reconciling` and `Stalled`. Then
    /// the rule of `trueup.yaml`, the kind's own rule, and the condition `Ready`. What has none of
    /// these is ready as soon as it exists.
    pub fn health(&self, object: &Object) -> Health {
        if let Some(health) = unsettled(object) {
            return health;
        }
        let key = object.key();
        if let Some(rule) = self.rules.iter().find(|rule| rule.is_about(&key)) {
            let before = self.spent.0.load(Ordering::Relaxed);
            let mut spent = before;
            let health = rule.health(object, &mut spent);
            self.spent.0.fetch_add(spent - before, Ordering::Relaxed);
            return health;
        }
        self.of_kind(&key, object).unwrap_or_else(|| by_ready(object))
    }

    /// The health by the kind's own rule; `None` where there is none.
    fn of_kind(&self, key: &ObjectKey, object: &Object) -> Option<Health> {
        let rule = match (key.group.as_str(), key.kind.as_str()) {
            ("apps" | "extensions", "Deployment") => workloads::deployment,
            ("apps", "StatefulSet") => workloads::stateful_set,
            ("apps" | "extensions", "DaemonSet") => workloads::daemon_set,
            ("apps" | "extensions", "ReplicaSet") => workloads::replica_set,
            ("", "ReplicationController") => workloads::replica_set,
            ("batch", "Job") => pods::job,
            ("", "Pod") => pods::pod,
            ("", "PersistentVolumeClaim") => {
                return Some(others::claim(object, &self.late_binding));
            }
            ("", "PersistentVolume") => others::volume,
            ("", "Service") => network::service,
            ("networking.k8s.io" | "extensions", "Ingress") => network::ingress,
            ("gateway.networking.k8s.io", kind) => return network::gateway_api(kind, object),
            ("autoscaling", "HorizontalPodAutoscaler") => others::autoscaler,
            ("policy", "PodDisruptionBudget") => others::disruption_budget,
            ("apiextensions.k8s.io", "CustomResourceDefinition") => others::definition,
            ("apiregistration.k8s.io", "APIService") => others::api_service,
            ("", "Namespace") => others::namespace,
            _ => return None,
        };
        Some(rule(object))
    }

    /// Whether an object is ready as soon as it has been applied: it has no status, or applying waited
    /// for it already.
    pub fn is_ready_once_applied(&self, key: &ObjectKey, object: Option<&Object>) -> bool {
        let spec = || object?.0.get("spec")?.get("type")?.as_str();
        let is_plain_service = (key.group.as_str(), key.kind.as_str()) == ("", "Service")
            && spec() != Some("LoadBalancer");
        self.is_ready_at_once(key)
            || ((is_crd(key) || is_namespace(key) || is_plain_service)
                && !self.rules.iter().any(|rule| rule.is_about(key)))
    }

    /// Whether objects of this kind are ready as soon as they exist, so that they need no request.
    pub fn is_ready_at_once(&self, key: &ObjectKey) -> bool {
        let group = key.group.as_str();
        !self.rules.iter().any(|rule| rule.is_about(key))
            && match key.kind.as_str() {
                "ConfigMap" | "Secret" | "ServiceAccount" | "LimitRange" | "Endpoints"
                | "PodTemplate" => group.is_empty(),
                "Role" | "RoleBinding" | "ClusterRole" | "ClusterRoleBinding" => {
                    group == "rbac.authorization.k8s.io"
                }
                "NetworkPolicy" | "IngressClass" => group == "networking.k8s.io",
                "PriorityClass" => group == "scheduling.k8s.io",
                "StorageClass" | "CSIDriver" => group == "storage.k8s.io",
                "RuntimeClass" => group == "node.k8s.io",
                "CronJob" => group == "batch",
                "ControllerRevision" => group == "apps",
                // Their servers have health of their own, which is their Deployment's.
                "ValidatingWebhookConfiguration"
                | "MutatingWebhookConfiguration"
                | "ValidatingAdmissionPolicyBinding" => group == "admissionregistration.k8s.io",
                "EndpointSlice" => group == "discovery.k8s.io",
                _ => false,
            }
    }
}

/// The reason why an object of any kind can't be judged by its status yet.
fn unsettled(object: &Object) -> Option<Health> {
    if at(object, "/metadata/deletionTimestamp").is_some() {
        return Some(Health::progressing(others::deletion(object)));
    }
    // Old status does not count: it describes what was declared before.
    let generation = number(object, "/metadata/generation");
    let observed = number(object, "/status/observedGeneration");
    if let (Some(generation), Some(observed)) = (generation, observed)
        && observed < generation
    {
        return Some(Health::progressing("its controller has not seen the change yet"));
    }
    if let Some(stalled) = condition(object, "Stalled").filter(|it| is_true(it)) {
        return Some(Health::failed(words(stalled, "it is stalled")));
    }
    let reconciling = condition(object, "Reconciling").filter(|it| is_true(it))?;
    Some(Health::progressing(words(reconciling, "its controller is at work")))
}

/// The condition `Ready`, which many custom resources have (kstatus `generic.go`). Not being ready
/// is never a failure: only `Stalled` says that its controller has given up.
fn by_ready(object: &Object) -> Health {
    match condition(object, "Ready") {
        None => Health::ready(),
        Some(ready) if conditions::is_stale(ready, object) => {
            Health::progressing("its controller has not seen the change yet")
        }
        Some(ready) if is_true(ready) => Health::ready(),
        Some(ready) => Health::progressing(words(ready, "it is not ready")),
    }
}

/// A value by its JSON pointer.
fn at<'a>(object: &'a Object, pointer: &str) -> Option<&'a Value> {
    let mut parts = pointer.split('/').skip(1);
    let first = object.0.get(parts.next()?)?;
    parts.try_fold(first, |value, part| match value {
        Value::Array(list) => list.get(part.parse::<usize>().ok()?),
        value => value.get(part),
    })
}

/// A number by its JSON pointer.
fn number(object: &Object, pointer: &str) -> Option<i64> {
    at(object, pointer)?.as_i64()
}

/// A text by its JSON pointer.
fn text<'a>(object: &'a Object, pointer: &str) -> Option<&'a str> {
    at(object, pointer)?.as_str()
}

#[cfg(test)]
mod tests;
