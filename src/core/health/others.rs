//! Storage, scaling, and what makes kinds and names: PersistentVolumeClaim, PersistentVolume,
//! HorizontalPodAutoscaler, PodDisruptionBudget, CustomResourceDefinition, APIService, Namespace.

use std::collections::BTreeSet;

use super::conditions::{condition, is_false, is_true, reason, words};
use super::{Health, number, text};
use crate::core::finalizers::what_holds;
use crate::core::object::Object;

/// Where the scheduler says that a claim is about to be bound for a pod.
const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";

/// kstatus `core.go`, `pvcConditions`. Stricter: a claim that lost its volume has failed (Argo CD
/// `health_pvc.go`). Milder: one that waits for its first consumer is as ready as it can be, where
/// kstatus waits for ever.
pub(super) fn claim(object: &Object, late_binding: &BTreeSet<String>) -> Health {
    match text(object, "/status/phase") {
        Some("Bound") => Health::ready(),
        Some("Lost") => Health::failed("its volume is lost"),
        _ => {
            let class = text(object, "/spec/storageClassName").unwrap_or_default();
            if late_binding.contains(class) && object.annotation(SELECTED_NODE).is_none() {
                return Health::ready_as("bound when a pod uses it");
            }
            Health::progressing("no volume is bound to it yet")
        }
    }
}

/// A volume that can't be reclaimed has failed; any other is there.
pub(super) fn volume(object: &Object) -> Health {
    match text(object, "/status/phase") {
        Some("Failed") => {
            Health::failed(text(object, "/status/message").unwrap_or("it can't be reclaimed"))
        }
        _ => Health::ready(),
    }
}

/// Argo CD `health_hpa.go`: it works once it can scale and knows its metrics; without a way to its
/// target or to its metrics it does not. Metrics of new pods take a while, so that is not a
/// failure.
pub(super) fn autoscaler(object: &Object) -> Health {
    let said = |kind: &str| condition(object, kind);
    if let Some(it) = said("AbleToScale").filter(|it| is_false(it)) {
        return match reason(it) {
            "FailedGetScale" | "FailedUpdateScale" => Health::failed(words(it, "it can't scale")),
            _ => Health::progressing(words(it, "it can't scale yet")),
        };
    }
    match said("ScalingActive") {
        Some(it) if is_false(it) && reason(it) == "ScalingDisabled" => {
            Health::ready_as("its target is scaled to 0")
        }
        Some(it) if is_false(it) => Health::progressing(words(it, "it has no metrics yet")),
        _ if said("AbleToScale").is_some_and(is_true) => Health::ready(),
        _ => Health::progressing("its controller has not seen it yet"),
    }
}

/// kstatus `core.go`, `pdbConditions`: whether pods may be evicted just now is not its health.
/// Stricter: one whose controller can't compute it says so.
pub(super) fn disruption_budget(object: &Object) -> Health {
    if number(object, "/status/observedGeneration").is_none() {
        return Health::progressing("its controller has not seen it yet");
    }
    match condition(object, "DisruptionAllowed") {
        Some(it) if is_false(it) && reason(it) == "SyncFailed" => {
            Health::progressing(words(it, "its controller can't compute it"))
        }
        _ => Health::ready(),
    }
}

/// kstatus `core.go`, `crdConditions`: names that are taken stay taken, and a definition that is not
/// established for another reason than being installed will not be.
pub(super) fn definition(object: &Object) -> Health {
    if let Some(taken) = condition(object, "NamesAccepted").filter(|it| is_false(it)) {
        return Health::failed(words(taken, "its names are taken"));
    }
    match condition(object, "Established") {
        Some(it) if is_true(it) => Health::ready(),
        Some(it) if is_false(it) && reason(it) != "Installing" => {
            Health::failed(words(it, "it can't be established"))
        }
        _ => Health::progressing("it is not established yet"),
    }
}

/// Argo CD `health_apiservice.go`: its server may still be coming up, so not being available is not
/// a failure.
pub(super) fn api_service(object: &Object) -> Health {
    match condition(object, "Available") {
        Some(it) if is_true(it) => Health::ready(),
        Some(it) => Health::progressing(words(it, "its server does not answer")),
        None => Health::progressing("no status yet"),
    }
}

/// A namespace that is going takes everything with it (Argo CD calls it progressing).
pub(super) fn namespace(object: &Object) -> Health {
    match text(object, "/status/phase") {
        Some("Terminating") => Health::progressing(deletion(object)),
        _ => Health::ready(),
    }
}

/// The holder of a terminating object. kapp prints finalizers, too.
pub(super) fn deletion(object: &Object) -> String {
    match what_holds(object) {
        None => "it is being deleted".to_owned(),
        Some(holder) => format!("it is being deleted and waits for {holder}"),
    }
}
