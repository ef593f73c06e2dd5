//! Kinds that run.

use super::*;

#[test]
fn pods() {
    check(
        &HealthAssessor::default(),
        "apiVersion: v1\nkind: Pod",
        &[
            ("no status", "spec: {}", PROGRESSING, "no status yet"),
            ("it finished", "status: {phase: Succeeded}", READY, "finished"),
            (
                "it failed",
                "status: {phase: Failed, reason: Evicted, message: low on disk}",
                FAILED,
                "low on disk",
            ),
            (
                "it runs",
                "status: {phase: Running, conditions: [{type: Ready, status: 'True'}]}",
                READY,
                "",
            ),
            (
                "it runs and is not ready",
                "status: {phase: Running, conditions: [{type: Ready, status: 'False', message: 'containers with unready status: [main]'}]}",
                PROGRESSING,
                "containers with unready status: [main]",
            ),
            (
                "it crashes",
                "status: {phase: Running, containerStatuses: [{name: main, state: {waiting: {reason: CrashLoopBackOff}}}]}",
                FAILED,
                "container main: CrashLoopBackOff",
            ),
            (
                "no image",
                "status: {phase: Pending, initContainerStatuses: [{name: init, state: {waiting: {reason: ImagePullBackOff}}}]}",
                FAILED,
                "container init: ImagePullBackOff",
            ),
            (
                "its containers are made",
                "status: {phase: Pending, containerStatuses: [{name: main, state: {waiting: {reason: ContainerCreating}}}]}",
                PROGRESSING,
                "its containers are not running yet",
            ),
            (
                "an autoscaler may help",
                "status: {phase: Pending, conditions: [{type: PodScheduled, status: 'False', reason: Unschedulable, message: 0/3 nodes}]}",
                PROGRESSING,
                "it can't be scheduled: 0/3 nodes",
            ),
        ],
    );
}

#[test]
fn jobs() {
    check(
        &HealthAssessor::default(),
        "apiVersion: batch/v1\nkind: Job",
        &[
            ("it has not begun", "spec: {}", PROGRESSING, "it has not started"),
            (
                "a running one is not ready",
                "status: {startTime: now}",
                PROGRESSING,
                "0 of 1 finished",
            ),
            (
                "nor is one that is tried again",
                "spec: {completions: 3}\nstatus: {startTime: now, succeeded: 1, failed: 2}",
                PROGRESSING,
                "1 of 3 finished, 2 pods failed",
            ),
            (
                "it finished",
                "status: {conditions: [{type: Complete, status: 'True'}]}",
                READY,
                "finished",
            ),
            (
                "it has enough",
                "status: {startTime: now, conditions: [{type: SuccessCriteriaMet, status: 'True'}]}",
                READY,
                "finished",
            ),
            (
                "it failed",
                "status: {conditions: [{type: Failed, status: 'True', reason: BackoffLimitExceeded, message: too often}]}",
                FAILED,
                "too often",
            ),
            (
                "it is about to fail",
                "status: {conditions: [{type: FailureTarget, status: 'True', reason: DeadlineExceeded}]}",
                FAILED,
                "DeadlineExceeded",
            ),
            ("suspended is as declared", "spec: {suspend: true}", READY, "suspended"),
        ],
    );
}
