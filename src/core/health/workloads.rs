//! Workloads: Deployment, StatefulSet, DaemonSet, ReplicaSet.

use super::conditions::{condition, is_false, is_true, reason, words};
use super::{Health, number, text};
use crate::core::object::Object;

/// kstatus `core.go`, `deploymentConditions`. Stricter: `Progressing=False` for any reason is a
/// failure (kapp `apps_v1_deployment.go`), and what `ReplicaFailure` says, such as an exceeded
/// quota, is what is waited for. A paused one is as it was declared (Argo CD `health_deployment.go`
/// calls it suspended).
pub(super) fn deployment(object: &Object) -> Health {
    if object.0.get("spec").and_then(|spec| spec.get("paused")) == Some(&true.into()) {
        return Health::ready_as("paused");
    }
    let progressing = condition(object, "Progressing");
    if let Some(stopped) = progressing.filter(|it| is_false(it)) {
        return Health::failed(words(stopped, "it does not progress"));
    }
    if let Some(failure) = condition(object, "ReplicaFailure").filter(|it| is_true(it)) {
        return Health::progressing(words(failure, "its pods can't be created"));
    }
    let wanted = number(object, "/spec/replicas").unwrap_or(1);
    let count = |name: &str| number(object, &format!("/status/{name}")).unwrap_or(0);
    let (all, updated) = (count("replicas"), count("updatedReplicas"));
    let (available, ready) = (count("availableReplicas"), count("readyReplicas"));
    if updated < wanted {
        return Health::progressing(format!("{updated} of {wanted} updated"));
    }
    if all > updated {
        let old = all - updated;
        let s = if old == 1 { "" } else { "s" };
        return Health::progressing(format!("{old} old pod{s} still to go"));
    }
    if ready < wanted {
        return Health::progressing(format!("{ready} of {wanted} ready"));
    }
    if available < wanted {
        return Health::progressing(format!("{available} of {wanted} available"));
    }
    if all > wanted {
        return too_many(all - wanted);
    }
    // Without a deadline that condition is never written.
    let deadline = number(object, "/spec/progressDeadlineSeconds");
    let has_deadline = deadline.is_some_and(|seconds| seconds != i64::from(i32::MAX));
    let is_rolled_out =
        progressing.is_some_and(|it| is_true(it) && reason(it) == "NewReplicaSetAvailable");
    if has_deadline && !is_rolled_out {
        return Health::progressing("its rollout is not finished");
    }
    match condition(object, "Available") {
        Some(available) if is_true(available) => Health::ready(),
        Some(available) => Health::progressing(words(available, "it is not available")),
        None => Health::progressing("it is not available"),
    }
}

/// kstatus `core.go`, `stsConditions`: with a partition only the pods from there on are updated,
/// and with `OnDelete` a person decides when.
pub(super) fn stateful_set(object: &Object) -> Health {
    let wanted = number(object, "/spec/replicas").unwrap_or(1);
    let count = |name: &str| number(object, &format!("/status/{name}")).unwrap_or(0);
    let (all, ready) = (count("replicas"), count("readyReplicas"));
    if all < wanted {
        return Health::progressing(format!("{all} of {wanted} created"));
    }
    if ready < wanted {
        return Health::progressing(format!("{ready} of {wanted} ready"));
    }
    if all > wanted {
        return too_many(all - wanted);
    }
    if text(object, "/spec/updateStrategy/type") == Some("OnDelete") {
        return Health::ready();
    }
    let partition = number(object, "/spec/updateStrategy/rollingUpdate/partition").unwrap_or(0);
    if partition > 0 {
        let (updated, due) = (count("updatedReplicas"), (wanted - partition).max(0));
        return match updated < due {
            true => Health::progressing(format!("{updated} of {due} updated beyond the partition")),
            false => Health::ready_as("updated up to its partition"),
        };
    }
    let revision = |name: &str| text(object, &format!("/status/{name}")).unwrap_or_default();
    if revision("currentRevision") != revision("updateRevision") {
        let updated = count("updatedReplicas");
        return Health::progressing(format!("{updated} of {wanted} updated"));
    }
    if number(object, "/status/observedGeneration").is_none() {
        return Health::progressing("its controller has not seen it yet");
    }
    Health::ready()
}

/// kstatus `core.go`, `daemonsetConditions`. With `OnDelete` a person decides when pods are updated
/// (Argo CD `health_daemonset.go`).
pub(super) fn daemon_set(object: &Object) -> Health {
    let status = |name: &str| number(object, &format!("/status/{name}"));
    let (Some(_), Some(wanted)) = (status("observedGeneration"), status("desiredNumberScheduled"))
    else {
        return Health::progressing("its controller has not seen it yet");
    };
    let is_by_hand = text(object, "/spec/updateStrategy/type") == Some("OnDelete");
    let counts = [
        ("currentNumberScheduled", "scheduled"),
        ("updatedNumberScheduled", "updated"),
        ("numberReady", "ready"),
        ("numberAvailable", "available"),
    ];
    for (name, word) in counts {
        let count = status(name).unwrap_or(0);
        if count < wanted && !(is_by_hand && word == "updated") {
            return Health::progressing(format!("{count} of {wanted} {word}"));
        }
    }
    Health::ready()
}

/// kstatus `core.go`, `replicasetConditions`; ReplicationControllers count the same way.
pub(super) fn replica_set(object: &Object) -> Health {
    if let Some(failure) = condition(object, "ReplicaFailure").filter(|it| is_true(it)) {
        return Health::progressing(words(failure, "its pods can't be created"));
    }
    let wanted = number(object, "/spec/replicas").unwrap_or(1);
    let count = |name: &str| number(object, &format!("/status/{name}")).unwrap_or(0);
    let counts = [
        ("fullyLabeledReplicas", "labelled"),
        ("readyReplicas", "ready"),
        ("availableReplicas", "available"),
    ];
    for (name, word) in counts {
        if count(name) < wanted {
            return Health::progressing(format!("{} of {wanted} {word}", count(name)));
        }
    }
    match count("replicas") - wanted {
        surplus @ 1.. => too_many(surplus),
        _ => Health::ready(),
    }
}

fn too_many(surplus: i64) -> Health {
    let s = if surplus == 1 { "" } else { "s" };
    Health::progressing(format!("{surplus} pod{s} too many"))
}
