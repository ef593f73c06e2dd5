//! Kinds that keep pods running.

use super::*;

/// A Deployment with all its conditions good and its counts as given.
fn deployment(rows: &[Row]) {
    let head = "{apiVersion: apps/v1, kind: Deployment, metadata: {generation: 1}, ";
    each(head, rows);
}

fn each(head: &str, rows: &[Row]) {
    for (says, rest, state, why) in rows {
        let health = HealthAssessor::default().health(&object(&format!("{head}{rest}}}")));
        assert_eq!(health, Health { state: *state, why: (*why).to_owned() }, "{says}");
    }
}

#[test]
fn deployments() {
    deployment(&[
        (
            "all pods are there",
            "spec: {replicas: 2, progressDeadlineSeconds: 600}, status: {replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2, conditions: [{type: Available, status: 'True'}, {type: Progressing, status: 'True', reason: NewReplicaSetAvailable}]}",
            READY,
            "",
        ),
        ("no status", "spec: {}", PROGRESSING, "0 of 1 updated"),
        (
            "paused is as declared",
            "spec: {paused: true}, status: {conditions: [{type: Progressing, status: Unknown, reason: DeploymentPaused}]}",
            READY,
            "paused",
        ),
        (
            "no progress in time",
            "spec: {}, status: {conditions: [{type: Progressing, status: 'False', reason: ProgressDeadlineExceeded, message: timed out}]}",
            FAILED,
            "timed out",
        ),
        (
            "no progress at all",
            "spec: {}, status: {conditions: [{type: Progressing, status: 'False', reason: ReplicaSetCreateError, message: exists}]}",
            FAILED,
            "exists",
        ),
        (
            "a quota may be widened",
            "spec: {replicas: 2}, status: {conditions: [{type: ReplicaFailure, status: 'True', reason: FailedCreate, message: exceeded quota}]}",
            PROGRESSING,
            "exceeded quota",
        ),
        (
            "new pods first",
            "spec: {replicas: 3}, status: {replicas: 3, updatedReplicas: 1}",
            PROGRESSING,
            "1 of 3 updated",
        ),
        (
            "old pods have to go",
            "spec: {replicas: 3}, status: {replicas: 4, updatedReplicas: 3, readyReplicas: 4, availableReplicas: 4}",
            PROGRESSING,
            "1 old pod still to go",
        ),
        (
            "pods have to be ready",
            "spec: {replicas: 3}, status: {replicas: 3, updatedReplicas: 3, readyReplicas: 2, availableReplicas: 2}",
            PROGRESSING,
            "2 of 3 ready",
        ),
        (
            "and stay so for minReadySeconds",
            "spec: {replicas: 3}, status: {replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 2}",
            PROGRESSING,
            "2 of 3 available",
        ),
        (
            "scaled down pods have to go",
            "spec: {replicas: 1}, status: {replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3}",
            PROGRESSING,
            "2 pods too many",
        ),
        (
            "the rollout is not over yet",
            "spec: {replicas: 1, progressDeadlineSeconds: 600}, status: {replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1, conditions: [{type: Available, status: 'True'}, {type: Progressing, status: 'True', reason: ReplicaSetUpdated}]}",
            PROGRESSING,
            "its rollout is not finished",
        ),
        (
            "without a deadline no condition says so",
            "spec: {replicas: 1, progressDeadlineSeconds: 2147483647}, status: {replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1, conditions: [{type: Available, status: 'True'}]}",
            READY,
            "",
        ),
        (
            "available is its own condition",
            "spec: {replicas: 1}, status: {replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1, conditions: [{type: Available, status: 'False', message: too few}]}",
            PROGRESSING,
            "too few",
        ),
        (
            "no pods wanted, none there",
            "spec: {replicas: 0}, status: {conditions: [{type: Available, status: 'True'}]}",
            READY,
            "",
        ),
    ]);
}

#[test]
fn stateful_sets() {
    each(
        "{apiVersion: apps/v1, kind: StatefulSet, metadata: {generation: 1}, ",
        &[
            (
                "all pods are there, of one revision",
                "spec: {replicas: 2}, status: {observedGeneration: 1, replicas: 2, readyReplicas: 2, currentRevision: a, updateRevision: a}",
                READY,
                "",
            ),
            (
                "not all are created",
                "spec: {replicas: 2}, status: {replicas: 1}",
                PROGRESSING,
                "1 of 2 created",
            ),
            (
                "not all are ready",
                "spec: {replicas: 2}, status: {replicas: 2, readyReplicas: 1}",
                PROGRESSING,
                "1 of 2 ready",
            ),
            (
                "too many",
                "spec: {replicas: 1}, status: {replicas: 2, readyReplicas: 2}",
                PROGRESSING,
                "1 pod too many",
            ),
            (
                "an update is under way",
                "spec: {replicas: 2}, status: {replicas: 2, readyReplicas: 2, updatedReplicas: 1, currentRevision: a, updateRevision: b}",
                PROGRESSING,
                "1 of 2 updated",
            ),
            (
                "with OnDelete a person decides",
                "spec: {replicas: 2, updateStrategy: {type: OnDelete}}, status: {replicas: 2, readyReplicas: 2, currentRevision: a, updateRevision: b}",
                READY,
                "",
            ),
            (
                "with a partition only the pods beyond it",
                "spec: {replicas: 3, updateStrategy: {rollingUpdate: {partition: 1}}}, status: {replicas: 3, readyReplicas: 3, updatedReplicas: 1, currentRevision: a, updateRevision: b}",
                PROGRESSING,
                "1 of 2 updated beyond the partition",
            ),
            (
                "and then it is done",
                "spec: {replicas: 3, updateStrategy: {rollingUpdate: {partition: 1}}}, status: {replicas: 3, readyReplicas: 3, updatedReplicas: 2, currentRevision: a, updateRevision: b}",
                READY,
                "updated up to its partition",
            ),
            ("no status", "spec: {replicas: 0}", PROGRESSING, "its controller has not seen it yet"),
        ],
    );
}

#[test]
fn daemon_and_replica_sets() {
    each(
        "{apiVersion: apps/v1, kind: DaemonSet, metadata: {generation: 1}, ",
        &[
            ("no status", "spec: {}", PROGRESSING, "its controller has not seen it yet"),
            (
                "no nodes, no pods",
                "status: {observedGeneration: 1, desiredNumberScheduled: 0}",
                READY,
                "",
            ),
            (
                "scheduled",
                "status: {observedGeneration: 1, desiredNumberScheduled: 3, currentNumberScheduled: 2}",
                PROGRESSING,
                "2 of 3 scheduled",
            ),
            (
                "updated",
                "status: {observedGeneration: 1, desiredNumberScheduled: 3, currentNumberScheduled: 3, updatedNumberScheduled: 1, numberReady: 3, numberAvailable: 3}",
                PROGRESSING,
                "1 of 3 updated",
            ),
            (
                "updated by hand",
                "spec: {updateStrategy: {type: OnDelete}}, status: {observedGeneration: 1, desiredNumberScheduled: 3, currentNumberScheduled: 3, updatedNumberScheduled: 1, numberReady: 3, numberAvailable: 3}",
                READY,
                "",
            ),
            (
                "ready",
                "status: {observedGeneration: 1, desiredNumberScheduled: 3, currentNumberScheduled: 3, updatedNumberScheduled: 3, numberReady: 0}",
                PROGRESSING,
                "0 of 3 ready",
            ),
            (
                "available",
                "status: {observedGeneration: 1, desiredNumberScheduled: 3, currentNumberScheduled: 3, updatedNumberScheduled: 3, numberReady: 3, numberAvailable: 2}",
                PROGRESSING,
                "2 of 3 available",
            ),
        ],
    );
    each(
        "{apiVersion: apps/v1, kind: ReplicaSet, ",
        &[
            ("no status", "spec: {}", PROGRESSING, "0 of 1 labelled"),
            (
                "all there",
                "spec: {replicas: 1}, status: {replicas: 1, fullyLabeledReplicas: 1, readyReplicas: 1, availableReplicas: 1}",
                READY,
                "",
            ),
            (
                "too many",
                "spec: {replicas: 1}, status: {replicas: 2, fullyLabeledReplicas: 2, readyReplicas: 2, availableReplicas: 2}",
                PROGRESSING,
                "1 pod too many",
            ),
            (
                "its pods are refused",
                "status: {conditions: [{type: ReplicaFailure, status: 'True', message: forbidden}]}",
                PROGRESSING,
                "forbidden",
            ),
        ],
    );
    each(
        "{apiVersion: v1, kind: ReplicationController, ",
        &[(
            "counts the same way",
            "spec: {replicas: 2}, status: {fullyLabeledReplicas: 2}",
            PROGRESSING,
            "0 of 2 ready",
        )],
    );
}
