//! The checks for any kind, and rules of `trueup.yaml`.

use super::*;

const WIDGET: &str = "{apiVersion: shop.example/v1, kind: Widget, ";

fn widget(assessor: &HealthAssessor, rows: &[Row]) {
    for (says, rest, state, why) in rows {
        let health = assessor.health(&object(&format!("{WIDGET}{rest}}}")));
        assert_eq!(health, Health { state: *state, why: (*why).to_owned() }, "{says}");
    }
}

#[test]
fn any_kind() {
    widget(
        &HealthAssessor::default(),
        &[
            ("what has no status is ready", "metadata: {name: a}", READY, ""),
            (
                "deletion comes first",
                "metadata: {deletionTimestamp: now, generation: 2}, status: {observedGeneration: 1}",
                PROGRESSING,
                "it is being deleted",
            ),
            (
                "finalizers are named",
                "metadata: {deletionTimestamp: now, finalizers: [shop.example/a, b]}",
                PROGRESSING,
                "it is being deleted and waits for the finalizer shop.example/a and the finalizer b",
            ),
            (
                "old status does not count",
                "metadata: {generation: 2}, status: {observedGeneration: 1, conditions: [{type: Stalled, status: 'True'}]}",
                PROGRESSING,
                "its controller has not seen the change yet",
            ),
            (
                "Stalled is a failure",
                "status: {conditions: [{type: Stalled, status: 'True', message: no way}]}",
                FAILED,
                "no way",
            ),
            (
                "Reconciling is not ready, whatever Ready says",
                "status: {conditions: [{type: Ready, status: 'True'}, {type: Reconciling, status: 'True', reason: Busy}]}",
                PROGRESSING,
                "Busy",
            ),
            ("Ready is ready", "status: {conditions: [{type: Ready, status: 'True'}]}", READY, ""),
            (
                "Ready of an older generation is not",
                "metadata: {generation: 2}, status: {conditions: [{type: Ready, status: 'True', observedGeneration: 1}]}",
                PROGRESSING,
                "its controller has not seen the change yet",
            ),
            (
                "not being ready is not a failure",
                "status: {conditions: [{type: Ready, status: 'False', reason: Broken, message: ' disk full '}]}",
                PROGRESSING,
                "disk full",
            ),
            (
                "nor is not knowing",
                "status: {conditions: [{type: Ready, status: Unknown}]}",
                PROGRESSING,
                "it is not ready",
            ),
        ],
    );
}

#[test]
fn rules_of_the_configuration() {
    let rule = "{kind: Widget, group: shop.example, ready: [{condition: Synced}, {condition: Busy, status: 'False'}], failed: [{condition: Synced, status: 'False', reason: Rejected}]}";
    let assessor = HealthAssessor {
        rules: vec![serde_yaml::from_str(rule).unwrap()],
        ..HealthAssessor::default()
    };
    widget(
        &assessor,
        &[
            (
                "no condition is not ready",
                "metadata: {name: a}",
                PROGRESSING,
                "it has no condition Synced",
            ),
            (
                "all have to hold",
                "status: {conditions: [{type: Synced, status: 'True'}, {type: Busy, status: 'True', message: at work}]}",
                PROGRESSING,
                "Busy is not False: at work",
            ),
            (
                "all hold",
                "status: {conditions: [{type: Synced, status: 'True'}, {type: Busy, status: 'False'}]}",
                READY,
                "",
            ),
            (
                "any that failed",
                "status: {conditions: [{type: Synced, status: 'False', reason: Rejected, message: too big}, {type: Busy, status: 'False'}]}",
                FAILED,
                "too big",
            ),
            (
                "for this reason alone",
                "status: {conditions: [{type: Synced, status: 'False', reason: Waiting}]}",
                PROGRESSING,
                "Synced is not True: Waiting",
            ),
            (
                "the observed generation still comes first",
                "metadata: {generation: 3}, status: {observedGeneration: 2, conditions: [{type: Synced, status: 'True'}, {type: Busy, status: 'False'}]}",
                PROGRESSING,
                "its controller has not seen the change yet",
            ),
        ],
    );
    let other = object("{apiVersion: other.example/v1, kind: Widget, metadata: {name: a}}");
    assert_eq!(assessor.health(&other), Health::ready(), "a rule is about one group");
}

#[test]
fn expressions_of_the_configuration() {
    let rule = "{kind: Widget, group: shop.example, ready: 'object.status.phase == \"Done\"', failed: 'has(object.status.error)'}";
    let assessor = HealthAssessor {
        rules: vec![serde_yaml::from_str(rule).unwrap()],
        ..HealthAssessor::default()
    };
    widget(
        &assessor,
        &[
            ("it holds", "status: {phase: Done}", READY, ""),
            (
                "it does not",
                "status: {phase: Busy}",
                PROGRESSING,
                "object.status.phase == \"Done\" does not hold",
            ),
            (
                "it failed",
                "status: {phase: Done, error: 7}",
                FAILED,
                "has(object.status.error) holds",
            ),
            (
                "what can't be worked out is not ready",
                "metadata: {name: a}",
                PROGRESSING,
                "its health rule can't be evaluated: No such key: status",
            ),
            (
                "nor what is of another type",
                "status: {phase: [Done]}",
                PROGRESSING,
                "object.status.phase == \"Done\" does not hold",
            ),
        ],
    );
}

#[test]
fn objects_without_status_are_ready_at_once() {
    let key = |group: &str, kind: &str| ObjectKey {
        group: group.to_owned(),
        kind: kind.to_owned(),
        namespace: None,
        name: "a".to_owned(),
    };
    let assessor = HealthAssessor::default();
    for (group, kind) in [
        ("", "ConfigMap"),
        ("batch", "CronJob"),
        ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
    ] {
        assert!(assessor.is_ready_at_once(&key(group, kind)), "{kind}");
        let exists = object(&format!("{{apiVersion: {group}/v1, kind: {kind}}}"));
        assert_eq!(assessor.health(&exists), Health::ready(), "{kind}");
    }
    for (group, kind) in [("apps", "Deployment"), ("shop.example", "ConfigMap"), ("", "Namespace")]
    {
        assert!(!assessor.is_ready_at_once(&key(group, kind)), "{kind}");
    }
}
