//! Kinds that lead to pods.

use super::*;

#[test]
fn services_and_ingresses() {
    check(
        &HealthAssessor::default(),
        "apiVersion: v1\nkind: Service",
        &[
            ("a cluster IP is all it needs", "spec: {type: ClusterIP}", READY, ""),
            (
                "a load balancer needs an address",
                "spec: {type: LoadBalancer}\nstatus: {loadBalancer: {}}",
                PROGRESSING,
                "the load balancer has no address yet",
            ),
            (
                "and has one",
                "spec: {type: LoadBalancer}\nstatus: {loadBalancer: {ingress: [{ip: 192.0.2.1}]}}",
                READY,
                "",
            ),
        ],
    );
    check(
        &HealthAssessor::default(),
        "apiVersion: networking.k8s.io/v1\nkind: Ingress",
        &[
            (
                "it has no server",
                "status: {loadBalancer: {}}",
                PROGRESSING,
                "no ingress controller has given it an address yet",
            ),
            (
                "it has a server",
                "status: {loadBalancer: {ingress: [{hostname: a.example}]}}",
                READY,
                "",
            ),
        ],
    );
}

#[test]
fn kinds_of_gateway_api() {
    check(
        &HealthAssessor::default(),
        "apiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass\nmetadata: {generation: 1}",
        &[
            (
                "no controller has taken it",
                "spec: {}",
                PROGRESSING,
                "condition Accepted is not set yet",
            ),
            (
                "taken",
                "status: {conditions: [{type: Accepted, status: 'True', observedGeneration: 1}]}",
                READY,
                "",
            ),
        ],
    );
    check(
        &HealthAssessor::default(),
        "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {generation: 2}",
        &[
            (
                "accepted is not programmed",
                "status: {conditions: [{type: Accepted, status: 'True'}, {type: Programmed, status: 'False', message: no address}]}",
                PROGRESSING,
                "not programmed: no address",
            ),
            (
                "an old condition is none",
                "status: {conditions: [{type: Accepted, status: 'True', observedGeneration: 1}]}",
                PROGRESSING,
                "condition Accepted is not set yet",
            ),
            (
                "both",
                "status: {conditions: [{type: Accepted, status: 'True'}, {type: Programmed, status: 'True'}]}",
                READY,
                "",
            ),
        ],
    );
    check(
        &HealthAssessor::default(),
        "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nspec: {parentRefs: [{name: a}]}",
        &[
            (
                "no parent has seen it",
                "status: {}",
                PROGRESSING,
                "its gateways have not all seen it yet",
            ),
            (
                "its backend is missing",
                "status: {parents: [{conditions: [{type: Accepted, status: 'True'}, {type: ResolvedRefs, status: 'False', reason: BackendNotFound}]}]}",
                PROGRESSING,
                "not resolvedrefs: BackendNotFound",
            ),
            (
                "accepted, with all it refers to",
                "status: {parents: [{conditions: [{type: Accepted, status: 'True'}, {type: ResolvedRefs, status: 'True'}]}]}",
                READY,
                "",
            ),
        ],
    );
}
