//! Jobs and CronJobs.
//!
//! Source of the rules: Kubernetes' `pkg/apis/batch/validation/validation.go`.

use super::faults::{Faults, get, integer, list, map, maps, of, text};
use super::{cron, names, numbers, pods, selectors};
use crate::core::json::{Map, Value};

/// The kinds of the group.
pub(super) fn batch(faults: &mut Faults<'_>, kind: &str, name: &str) {
    let root = faults.root();
    let Some(spec) = map(root, "spec") else { return };
    match kind {
        "Job" => job(faults, spec, name),
        "CronJob" => cron_job(faults, spec, name),
        _ => {}
    }
}

fn cron_job<'v>(faults: &mut Faults<'v>, spec: &'v Map, name: &str) {
    cron::schedule(faults, spec);
    let fields =
        ["startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"];
    numbers::not_negative(faults, spec, &fields);
    long_name(faults, name, 52, "its Jobs get 11 more");
    let template = get(map(spec, "jobTemplate").and_then(|it| it.get("spec")), "template");
    let Some(job) = map(spec, "jobTemplate").and_then(|template| map(template, "spec")) else {
        return;
    };
    if of(job, "selector").is_some() {
        faults.clash(job, "selector", "is made by the server in a CronJob");
    }
    if job.get("manualSelector") == Some(&Value::Bool(true)) {
        faults.clash(job, "manualSelector", "must not be true in a CronJob");
    }
    job_spec(faults, job, template);
}

fn long_name(faults: &mut Faults<'_>, name: &str, most: usize, why: &str) {
    let root = faults.root();
    let value = map(root, "metadata").and_then(|metadata| metadata.get("name"));
    if let Some(value) = value.filter(|_| name.len() > most) {
        let has = name.len();
        faults.says(value, format!("must have at most {most} characters and has {has}: {why}"));
    }
}

fn job<'v>(faults: &mut Faults<'v>, spec: &'v Map, name: &str) {
    let is_manual = spec.get("manualSelector") == Some(&Value::Bool(true));
    if is_manual {
        match map(spec, "selector") {
            None => faults.missing(spec, "selector", ": manualSelector is true"),
            Some(wanted) => {
                selectors::selector(faults, spec.get("selector"));
                selectors::matches(faults, spec, wanted);
            }
        }
    } else if let Some(selector) = of(spec, "selector") {
        faults.says(selector, "is made by the server unless manualSelector is true");
    } else {
        // The name becomes the value of a label of the Pods.
        long_name(faults, name, 63, "it becomes the value of a label");
    }
    job_spec(faults, spec, spec.get("template"));
    let last = integer(spec, "completions").filter(|count| *count > 0);
    if let Some(count) = last.filter(|_| text(spec, "completionMode") == Some("Indexed"))
        && name.len() <= 63
        && let Some(wanted) = names::label(&format!("{name}-{}", count - 1))
    {
        let root = faults.root();
        if let Some(value) = map(root, "metadata").and_then(|metadata| metadata.get("name")) {
            faults.says(value, format!("with the index of a Pod must {wanted}"));
        }
    }
}

fn job_spec<'v>(faults: &mut Faults<'v>, spec: &'v Map, template: Option<&'v Value>) {
    let fields = [
        "parallelism",
        "completions",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
        "backoffLimitPerIndex",
        "maxFailedIndexes",
    ];
    numbers::not_negative(faults, spec, &fields);
    if text(spec, "completionMode") == Some("Indexed") {
        // Where both are missing, both are 1.
        if of(spec, "completions").is_none() && of(spec, "parallelism").is_some() {
            faults.missing(spec, "completions", ": completionMode is Indexed");
        }
    } else {
        for field in ["backoffLimitPerIndex", "maxFailedIndexes", "successPolicy"] {
            if of(spec, field).is_some() {
                faults.clash(spec, field, "needs completionMode Indexed");
            }
        }
    }
    if let Some(policy) = map(spec, "successPolicy")
        && list(policy, "rules").is_empty()
    {
        faults.missing(policy, "rules", ": one at least is needed");
    }
    if let Some(value) = of(spec, "managedBy")
        && value.as_str().is_some_and(|name| !name.contains('/') || name.contains(' '))
    {
        faults.must(value, "be a domain and a path, such as example.com/jobs");
    }
    if of(spec, "maxFailedIndexes").is_some() && of(spec, "backoffLimitPerIndex").is_none() {
        faults.missing(spec, "backoffLimitPerIndex", ": maxFailedIndexes needs it");
    }
    pods::template(faults, template);
    let Some(pod) = template.and_then(|it| it.as_object()).and_then(|it| map(it, "spec")) else {
        return;
    };
    match text(pod, "restartPolicy") {
        None => faults.missing(pod, "restartPolicy", ": a Job needs OnFailure or Never"),
        Some("Always") => {
            let value = pod.get("restartPolicy").unwrap_or(&Value::Null);
            faults.must(value, "be OnFailure or Never in a Job");
        }
        Some("OnFailure") if of(spec, "podFailurePolicy").is_some() => {
            faults.clash(pod, "restartPolicy", "must be Never with a podFailurePolicy");
        }
        Some(_) => {}
    }
    failure_policy(faults, spec, pod);
}

/// Codes of an end, in their order.
fn exit_codes<'v>(faults: &mut Faults<'v>, codes: &'v Map) {
    let values = list(codes, "values");
    let zero = values.iter().find(|value| value.as_i64() == Some(0));
    if let Some(zero) = zero.filter(|_| text(codes, "operator") == Some("In")) {
        faults.must(zero, "not be 0 with operator In");
    }
    if let Some(value) = codes.get("values") {
        if values.is_empty() {
            faults.says(value, "must have at least one element");
        } else if !values.is_sorted_by_key(Value::as_i64) {
            faults.says(value, "must be in ascending order");
        }
    }
}

fn failure_policy<'v>(faults: &mut Faults<'v>, spec: &'v Map, pod: &'v Map) {
    let Some(policy) = map(spec, "podFailurePolicy") else { return };
    let replaced = text(spec, "podReplacementPolicy");
    if replaced.is_some_and(|replaced| replaced != "Failed") {
        faults.clash(spec, "podReplacementPolicy", "must be Failed with a podFailurePolicy");
    }
    for rule in maps(policy, "rules") {
        let codes = map(rule, "onExitCodes");
        let conditions = !list(rule, "onPodConditions").is_empty();
        match (codes, conditions) {
            (Some(_), true) => faults.clash(rule, "onPodConditions", "excludes `onExitCodes`"),
            (None, false) => {
                faults.missing(rule, "onExitCodes", ", as is `onPodConditions`: a rule needs one");
            }
            _ => {}
        }
        if let Some(action) = rule.get("action").filter(|action| *action == "FailIndex")
            && of(spec, "backoffLimitPerIndex").is_none()
        {
            faults.says(action, "FailIndex needs backoffLimitPerIndex");
        }
        if let Some(codes) = codes {
            exit_codes(faults, codes);
        }
        if let Some(value) = codes.and_then(|codes| of(codes, "containerName"))
            && !pods::container_names(pod).any(|name| value == name)
        {
            faults.says(value, "is not the name of a container of the template");
        }
    }
}
