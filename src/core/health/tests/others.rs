//! Storage, scaling, kinds and namespaces.

use super::*;

#[test]
fn claims_and_volumes() {
    let assessor = HealthAssessor {
        late_binding: BTreeSet::from(["late".to_owned()]),
        ..HealthAssessor::default()
    };
    check(
        &assessor,
        "apiVersion: v1\nkind: PersistentVolumeClaim",
        &[
            ("bound", "status: {phase: Bound}", READY, ""),
            ("lost", "status: {phase: Lost}", FAILED, "its volume is lost"),
            (
                "pending",
                "spec: {storageClassName: now}\nstatus: {phase: Pending}",
                PROGRESSING,
                "no volume is bound to it yet",
            ),
            (
                "pending until a pod uses it",
                "spec: {storageClassName: late}\nstatus: {phase: Pending}",
                READY,
                "bound when a pod uses it",
            ),
            (
                "and now one does",
                "metadata: {annotations: {volume.kubernetes.io/selected-node: node-1}}\nspec: {storageClassName: late}\nstatus: {phase: Pending}",
                PROGRESSING,
                "no volume is bound to it yet",
            ),
        ],
    );
    check(
        &assessor,
        "apiVersion: v1\nkind: PersistentVolume",
        &[
            ("it is there", "status: {phase: Available}", READY, ""),
            (
                "it can't be used again",
                "status: {phase: Failed, message: no plugin}",
                FAILED,
                "no plugin",
            ),
        ],
    );
}

#[test]
fn autoscalers_and_disruption_budgets() {
    check(
        &HealthAssessor::default(),
        "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler",
        &[
            ("no status", "spec: {}", PROGRESSING, "its controller has not seen it yet"),
            (
                "it scales",
                "status: {conditions: [{type: AbleToScale, status: 'True'}, {type: ScalingActive, status: 'True'}]}",
                READY,
                "",
            ),
            (
                "its target is not there",
                "status: {conditions: [{type: AbleToScale, status: 'False', reason: FailedGetScale, message: not found}]}",
                FAILED,
                "not found",
            ),
            (
                "it backs off",
                "status: {conditions: [{type: AbleToScale, status: 'False', reason: BackoffBoth}]}",
                PROGRESSING,
                "BackoffBoth",
            ),
            (
                "metrics of new pods take a while",
                "status: {conditions: [{type: AbleToScale, status: 'True'}, {type: ScalingActive, status: 'False', reason: FailedGetResourceMetric, message: no metrics}]}",
                PROGRESSING,
                "no metrics",
            ),
            (
                "its target is at 0",
                "status: {conditions: [{type: AbleToScale, status: 'True'}, {type: ScalingActive, status: 'False', reason: ScalingDisabled}]}",
                READY,
                "its target is scaled to 0",
            ),
        ],
    );
    check(
        &HealthAssessor::default(),
        "apiVersion: policy/v1\nkind: PodDisruptionBudget",
        &[
            ("no status", "spec: {}", PROGRESSING, "its controller has not seen it yet"),
            (
                "no disruption is allowed just now",
                "status: {observedGeneration: 1, conditions: [{type: DisruptionAllowed, status: 'False', reason: InsufficientPods}]}",
                READY,
                "",
            ),
            (
                "it can't be evaluated",
                "status: {observedGeneration: 1, conditions: [{type: DisruptionAllowed, status: 'False', reason: SyncFailed, message: no controllers}]}",
                PROGRESSING,
                "no controllers",
            ),
        ],
    );
}

#[test]
fn kinds_and_namespaces() {
    check(
        &HealthAssessor::default(),
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition",
        &[
            ("no status", "spec: {}", PROGRESSING, "it is not established yet"),
            (
                "its names are taken",
                "status: {conditions: [{type: NamesAccepted, status: 'False', message: taken}, {type: Established, status: 'True'}]}",
                FAILED,
                "taken",
            ),
            (
                "it is being installed",
                "status: {conditions: [{type: Established, status: 'False', reason: Installing}]}",
                PROGRESSING,
                "it is not established yet",
            ),
            (
                "it will not be",
                "status: {conditions: [{type: Established, status: 'False', reason: NotAccepted}]}",
                FAILED,
                "NotAccepted",
            ),
            (
                "established",
                "status: {conditions: [{type: Established, status: 'True'}]}",
                READY,
                "",
            ),
        ],
    );
    check(
        &HealthAssessor::default(),
        "apiVersion: apiregistration.k8s.io/v1\nkind: APIService",
        &[
            ("no status", "spec: {}", PROGRESSING, "no status yet"),
            (
                "its server is away",
                "status: {conditions: [{type: Available, status: 'False', message: no endpoints}]}",
                PROGRESSING,
                "no endpoints",
            ),
            ("available", "status: {conditions: [{type: Available, status: 'True'}]}", READY, ""),
        ],
    );
    check(
        &HealthAssessor::default(),
        "apiVersion: v1\nkind: Namespace",
        &[
            ("it is there", "status: {phase: Active}", READY, ""),
            (
                "it is going, and something holds it",
                "metadata: {deletionTimestamp: now}\nstatus: {phase: Terminating, conditions: [{type: NamespaceFinalizersRemaining, status: 'True', message: 'shop.example/a in 1 resource instances'}]}",
                PROGRESSING,
                "it is being deleted and waits for what is left in it: shop.example/a in 1 resource instances",
            ),
        ],
    );
}
