//! Pod and Job.

use super::conditions::{condition, is_false, is_true, reason, words};
use super::{Health, at, number, text};
use crate::core::json::Value;
use crate::core::object::Object;

/// Why a container waits that will not start by itself.
pub(crate) const STUCK: [&str; 8] = [
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "CrashLoopBackOff",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
];

/// kstatus `core.go`, `podConditions`. Stricter: a failed pod has failed (Argo CD `health_pod.go`,
/// kapp `core_v1_pod.go`), and so has one whose image can't be pulled (Argo CD). An unschedulable
/// one may still be helped, by an autoscaler say.
pub(super) fn pod(object: &Object) -> Health {
    let stuck = || {
        let waits = ["/status/initContainerStatuses", "/status/containerStatuses"]
            .into_iter()
            .filter_map(|list| at(object, list)?.as_array())
            .flatten()
            .find_map(|status| {
                let waiting = status.get("state")?.get("waiting")?;
                let reason = waiting.get("reason")?.as_str()?;
                STUCK.contains(&reason).then_some((status, reason))
            });
        let (status, reason) = waits?;
        let name = status.get("name").and_then(Value::as_str).unwrap_or_default();
        Some(Health::failed(format!("container {name}: {reason}")))
    };
    match text(object, "/status/phase").unwrap_or_default() {
        "Succeeded" => Health::ready_as("finished"),
        "Failed" => {
            let said = [text(object, "/status/message"), text(object, "/status/reason")];
            Health::failed(said.into_iter().flatten().next().unwrap_or("it failed"))
        }
        "Running" => {
            let ready = condition(object, "Ready");
            match (ready.is_some_and(is_true), stuck()) {
                (true, _) => Health::ready(),
                (false, Some(stuck)) => stuck,
                (false, None) => Health::progressing(
                    ready.map_or_else(String::new, |it| words(it, "it is not ready")),
                ),
            }
        }
        phase => {
            let scheduled = condition(object, "PodScheduled").filter(|it| is_false(it));
            match (stuck(), scheduled) {
                (Some(stuck), _) => stuck,
                (None, Some(it)) if reason(it) == "Unschedulable" => {
                    Health::progressing(format!("it can't be scheduled: {}", words(it, "")))
                }
                (None, _) if phase.is_empty() => Health::progressing("no status yet"),
                (None, _) => Health::progressing("its containers are not running yet"),
            }
        }
    }
}

/// kstatus `core.go`, `jobConditions`, where a running job is ready; Argo CD (`health_job.go`) and
/// Flux (`jobStatusReader`) wait for its end, and so do we.
pub(super) fn job(object: &Object) -> Health {
    let holds = |kind: &str| condition(object, kind).filter(|it| is_true(it));
    if let Some(failed) = holds("Failed").or_else(|| holds("FailureTarget")) {
        return Health::failed(words(failed, "it failed"));
    }
    if holds("Complete").is_some() || holds("SuccessCriteriaMet").is_some() {
        return Health::ready_as("finished");
    }
    if at(object, "/spec/suspend") == Some(&true.into()) {
        return Health::ready_as("suspended");
    }
    if text(object, "/status/startTime").is_none() {
        return Health::progressing("it has not started");
    }
    let done = number(object, "/status/succeeded").unwrap_or(0);
    let wanted = number(object, "/spec/completions").unwrap_or(1);
    let failed = match number(object, "/status/failed").unwrap_or(0) {
        0 => String::new(),
        1 => ", 1 pod failed".to_owned(),
        n => format!(", {n} pods failed"),
    };
    Health::progressing(format!("{done} of {wanted} finished{failed}"))
}
