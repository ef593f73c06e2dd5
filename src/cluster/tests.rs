//! Faults that a real API server does not produce on demand: what is tried again, what is not, and
//! what is not known after them.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use http::{Request, Response};
use kube::client::Body;

use super::client::RenewableClient;
use super::*;
use crate::core::inventory::{Inventory, Record};
use crate::core::json::{Value, json};
use crate::core::kinds::catalog::{Catalog, Lookup, Served};
use crate::core::object::{GroupKind, Object};
use crate::local::cancel::{Cancellation, Interrupt};
use crate::local::state_store::StateStore;

/// A server that gives these answers, one after the other, and says how often it was asked.
fn server(answers: Vec<(u16, Option<&'static str>, Value)>) -> Cluster {
    let answers = Arc::new(Mutex::new(VecDeque::from(answers)));
    let service = tower::service_fn(move |_: Request<Body>| {
        let (status, after, body) =
            answers.lock().unwrap().pop_front().expect("one request too many");
        let mut answer = Response::builder().status(status);
        if let Some(after) = after {
            answer = answer.header("Retry-After", after);
        }
        let answer = answer.body(Body::from(serde_json::to_vec(&body).unwrap())).unwrap();
        async move { Ok::<_, Infallible>(answer) }
    });
    over(kube::Client::new(service, "default"))
}

/// A cluster of which nothing is known yet.
pub(super) fn over(client: kube::Client) -> Cluster {
    let connection = Connection {
        authorities: None,
        client: RenewableClient::fixed(client),
        name: "test".to_owned(),
        url: "http://test".to_owned(),
        namespace: "default".to_owned(),
        concurrency: 4,
        requests: AtomicUsize::new(0),
        tally: RequestTally::default(),
        timeout: None,
        token_ends: None,
        limits: ResponseLimits::default(),
        memory: StateStore::default(),
        parents: parents::SeenParents::default(),
        outage: Mutex::default(),
        delays: Mutex::default(),
    };
    Cluster {
        connection: Arc::new(connection),
        patience: None,
        counted: Arc::default(),
        fence: None,
    }
}

/// The same cluster, of whose answers as much is taken in as these limits allow.
pub(super) fn limited(cluster: Cluster, limits: ResponseLimits) -> Cluster {
    let connection = Arc::into_inner(cluster.connection).unwrap();
    Cluster {
        connection: Arc::new(Connection { limits, ..connection }),
        patience: None,
        counted: Arc::default(),
        fence: None,
    }
}

fn status(code: u16, reason: &str, message: &str) -> (u16, Option<&'static str>, Value) {
    (code, None, json!({ "kind": "Status", "code": code, "reason": reason, "message": message }))
}

fn busy() -> (u16, Option<&'static str>, Value) {
    let (code, _, body) = status(429, "TooManyRequests", "too many requests");
    (code, Some("0"), body)
}

/// A record of members of these kinds.
fn record<const N: usize>(kinds: [GroupKind; N]) -> Record {
    Record {
        kinds: kinds.into(),
        namespaces: ["default".to_owned()].into(),
        target: None,
        repository: String::new(),
        paths: [".".to_owned()].into(),
        revision: None,
        tracked: None,
        is_unverified: false,
        past: crate::core::inventory::ReleaseHistory::default(),
        finished: crate::core::inventory::Finished::default(),
        holding: crate::core::modes::Holding::default(),
    }
}

fn namespace() -> (u16, Option<&'static str>, Value) {
    (200, None, json!({ "metadata": { "name": "kube-system", "uid": "3f2a9c" } }))
}

#[tokio::test]
async fn busy_server_is_retried() {
    let cluster = server(vec![busy(), busy(), namespace()]);
    assert_eq!(cluster.uid().await, Ok(Some("3f2a9c".to_owned())));
    assert_eq!(cluster.requests(), 3);
}

#[tokio::test]
async fn a_server_that_stays_busy_is_an_error() {
    let cluster = server(vec![busy(), busy(), busy(), busy()]);
    let error = cluster.uid().await.unwrap_err();
    assert_eq!(error.to_string(), "too many requests");
    assert!(!error.is_verdict(), "it says nothing about the object");
    assert_eq!(cluster.requests(), 4);
}

/// Patience for a minute.
fn patience() -> RetryPolicy {
    RetryPolicy::of(std::time::Duration::from_secs(60), &Cancellation::default())
}

#[tokio::test]
async fn patient_client_retries_until_the_server_answers() {
    let mut answers = vec![busy(); 9];
    answers.push(namespace());
    let cluster = server(answers);
    let cluster = cluster.patient(patience());
    assert_eq!(cluster.uid().await, Ok(Some("3f2a9c".to_owned())));
    assert_eq!(cluster.requests(), 10);
}

#[tokio::test]
async fn retry_after_beyond_the_timeout_is_not_waited_for() {
    let (code, _, body) = busy();
    let later = vec![(code, Some("3600"), body)];
    for patient in [None, Some(patience())] {
        let cluster = server(later.clone());
        let cluster = patient.map_or(cluster.clone(), |patience| cluster.patient(patience));
        assert_eq!(cluster.uid().await.unwrap_err().to_string(), "too many requests");
        assert_eq!(cluster.requests(), 1);
    }
    let cluster = server(vec![busy()]);
    let interrupt = Interrupt::default();
    let patience = RetryPolicy { cancel: Cancellation::with(&interrupt), ..patience() };
    interrupt.request();
    let cluster = cluster.patient(patience);
    assert!(cluster.uid().await.is_err(), "a cancelled client does not retry");
}

#[tokio::test]
async fn doubtful_fault_has_a_retry_limit() {
    let odd = || status(500, "InternalError", "something odd");
    let cluster = server((0..6).map(|_| odd()).collect());
    let cluster = cluster.patient(patience());
    assert_eq!(cluster.uid().await.unwrap_err().to_string(), "something odd");
    assert_eq!(cluster.requests(), 6);
}

#[tokio::test]
async fn an_internal_error_after_an_outage_is_waited_out() {
    let soon = |(code, _, body)| (code, Some("0"), body);
    let full =
        || soon(status(500, "InternalError", "failed to allocate a serviceIP: range is full"));
    let down = soon(status(503, "ServiceUnavailable", "apiserver is shutting down"));
    // As `kubectl proxy` says it.
    let refused = (500, Some("0"), json!("dial tcp 127.0.0.1:1: connect: connection refused"));
    for outage in [down, refused] {
        let mut answers = vec![outage];
        answers.extend((0..8).map(|_| full()));
        answers.push(namespace());
        let cluster = server(answers);
        let cluster = cluster.patient(patience());
        assert_eq!(cluster.uid().await, Ok(Some("3f2a9c".to_owned())));
        assert_eq!(cluster.requests(), 10);
    }
}

#[test]
fn an_aggregated_server_that_does_not_answer_is_no_outage_of_the_api_server() {
    for (code, message, is_outage) in [
        (503, "apiserver is shutting down", true),
        (502, "502 Bad Gateway: no upstream", true),
        (503, "503 Service Unavailable: error trying to reach service: EOF", false),
        (503, "503 Service Unavailable: service unavailable", false),
        (500, "500 Internal Server Error: connect: connection refused", true),
        (500, "failed calling webhook \"w\": connect: connection refused", false),
    ] {
        let (message, reason, causes) = (message.to_owned(), String::new(), Vec::new());
        let error = ApiError::Status { code, reason, message, causes };
        assert_eq!(error.is_outage(), is_outage, "{error}");
    }
}

/// The answer of a server that has no handler for the path.
fn unserved() -> (u16, Option<&'static str>, Value) {
    (404, Some("0"), json!("404 page not found"))
}

#[tokio::test]
async fn a_kind_that_is_not_served_after_an_outage_is_waited_for() {
    let (code, _, body) = status(503, "ServiceUnavailable", "apiserver is shutting down");
    let mut answers = vec![(code, Some("0"), body)];
    answers.extend((0..8).map(|_| unserved()));
    answers.push(namespace());
    let cluster = server(answers).patient(patience());
    assert_eq!(cluster.uid().await, Ok(Some("3f2a9c".to_owned())));
    assert_eq!(cluster.requests(), 10);
    let cluster = server(vec![unserved()]).patient(patience());
    assert!(cluster.uid().await.unwrap_err().is_unserved(), "without an outage it is an answer");
}

#[tokio::test]
async fn an_object_is_gone_only_where_its_kind_is_served_or_has_no_definition() {
    let definition = json!({
        "metadata": { "name": "widgets.example.com" },
        "spec": {
            "group": "example.com", "names": { "kind": "Widget", "plural": "widgets" },
            "scope": "Namespaced", "versions": [{ "name": "v1", "served": true }],
        },
    });
    let listed = |items: &[&Value]| {
        (200, None, json!({ "metadata": { "resourceVersion": "1" }, "items": items }))
    };
    let served = Served {
        group_kind: GroupKind::new("example.com", "Widget"),
        version: "v1".to_owned(),
        plural: "widgets".to_owned(),
        namespaced: true,
        verbs: Vec::new(),
    };
    let widget = json!({ "metadata": { "name": "a", "namespace": "shop", "uid": "1" } });
    let widget = Object::from(widget.as_object().cloned().unwrap());
    let gone = status(404, "NotFound", "widgets.example.com \"a\" not found");
    for (answers, is_gone) in [
        (vec![gone], true),
        (vec![unserved(), listed(&[])], true),
        (vec![unserved(), listed(&[&definition])], false),
        (vec![unserved(), status(403, "Forbidden", "no")], true),
        (vec![unserved(), status(400, "BadRequest", "no")], false),
    ] {
        let (cluster, said) = (server(answers.clone()), format!("{answers:?}"));
        let deleted = cluster.delete(&served, &widget, Cascade::Background, &|_| true).await;
        assert_eq!(deleted == Ok(DeleteOutcome::Deleted), is_gone, "{said}");
        // The same of members of a kind that is not in discovery.
        if let [_, answer] = answers.as_slice() {
            let inventory = Inventory { name: "trueup-shop".into(), namespace: "shop".into() };
            let record = record([served.group_kind.clone()]);
            let cluster = server(vec![answer.clone()]);
            let members = cluster.members(&inventory, &record, &Catalog::default()).await;
            assert_eq!(members.unlisted.is_empty(), is_gone, "{said}");
        }
    }
}

#[tokio::test]
async fn rejected_request_is_not_retried() {
    let mistyped = "failed to create typed patch object (shop/db; /v1, Kind=Secret): .data.k: expected string, got 1";
    for (code, reason, message) in
        [(403, "Forbidden", "no"), (422, "Invalid", "no"), (500, "InternalError", mistyped)]
    {
        let cluster = server(vec![status(code, reason, message)]);
        let inventory =
            Inventory { name: "trueup-shop".to_owned(), namespace: "default".to_owned() };
        let error = cluster.parent(&inventory).await.unwrap_err();
        assert!(error.is_verdict(), "{error}");
        assert_eq!(cluster.requests(), 1, "{error}");
    }
}

#[tokio::test]
async fn answer_that_is_not_a_kubernetes_api_is_an_error() {
    let html = (200, None, Value::String("welcome".to_owned()));
    let cluster = server(vec![html.clone(), html]);
    let error = cluster.discover().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the answer to GET /api does not come from a Kubernetes API server: it is not a discovery document"
    );
    assert!(error.hint().unwrap().text().unwrap().contains("a proxy before it"));
}

/// A group whose server is down is there in discovery, marked stale and without its kinds.
#[tokio::test]
async fn the_members_of_a_stale_group_are_unknown_and_not_gone() {
    let groups = json!({ "items": [{
        "metadata": { "name": "metrics.k8s.io" },
        "versions": [{ "version": "v1", "freshness": "Stale" }],
    }]});
    let service = tower::service_fn(move |request: Request<Body>| {
        let (status, body) = match request.uri().path() {
            "/apis" => (200, groups.clone()),
            "/api" => (200, json!({ "items": [] })),
            // Of the kind that is gone.
            "/apis/apiextensions.k8s.io/v1/customresourcedefinitions" => {
                (200, json!({ "metadata": { "resourceVersion": "1" }, "items": [] }))
            }
            _ => (404, json!({ "reason": "NotFound", "message": "not found" })),
        };
        let body = Body::from(serde_json::to_vec(&body).unwrap());
        async move { Ok::<_, Infallible>(Response::builder().status(status).body(body).unwrap()) }
    });
    let cluster = over(kube::Client::new(service, "default"));
    let catalog = cluster.discover().await.unwrap();
    let record =
        record([GroupKind::new("metrics.k8s.io", "Meter"), GroupKind::new("gone.io", "Gone")]);
    let inventory = Inventory { name: "trueup-shop".to_owned(), namespace: "default".to_owned() };
    let desired = crate::core::desired::Desired::default();
    let question = ObserveOptions {
        assessor: &crate::core::health::HealthAssessor::default(),
        desired: &desired,
        catalog: &catalog,
        inventory: &inventory,
        record: Some(&record),
        verify: false,
        whole: false,
    };
    let members = cluster.members(&inventory, &record, &catalog).await;
    let observed = cluster.observe(&question, members).await;
    let unlisted: Vec<String> =
        observed.unlisted.iter().map(|kind| kind.kind.to_string()).collect();
    assert_eq!(unlisted, ["Meter.metrics.k8s.io"], "a kind without a definition has no objects");
}

/// A server that answers discovery without the kind Widget until it was asked so often, and has the kind's
/// definition throughout. Of its group it serves Gadgets all the time.
fn starting(asked: usize) -> Cluster {
    let left = Arc::new(AtomicUsize::new(asked));
    let (has_failed, busy) = (AtomicUsize::new(0), "apiserver is shutting down");
    let service = tower::service_fn(move |request: Request<Body>| {
        let kind = |name: &str| {
            json!({
                "resource": name.to_lowercase(), "scope": "Namespaced", "verbs": ["list"],
                "responseKind": { "group": "example.com", "version": "v1", "kind": name },
            })
        };
        let (status, body) = match request.uri().path() {
            "/api/v1/namespaces/kube-system" if has_failed.fetch_add(1, Ordering::Relaxed) == 0 => {
                (503, json!({ "reason": "ServiceUnavailable", "message": busy }))
            }
            "/api/v1/namespaces/kube-system" => (200, namespace().2),
            "/apis" => {
                let is_ready = left.load(Ordering::Relaxed) == 0;
                left.fetch_sub(usize::from(!is_ready), Ordering::Relaxed);
                let kinds = [Some("Gadget"), is_ready.then_some("Widget")].into_iter().flatten();
                let kinds: Vec<Value> = kinds.map(kind).collect();
                (
                    200,
                    json!({ "items": [{
                        "metadata": { "name": "example.com" },
                        "versions": [{ "version": "v1", "freshness": "Current", "resources": kinds }],
                    }]}),
                )
            }
            "/apis/apiextensions.k8s.io/v1/customresourcedefinitions" => {
                let definition = json!({
                    "metadata": { "name": "widgets.example.com" },
                    "spec": {
                        "group": "example.com", "names": { "kind": "Widget", "plural": "widgets" },
                        "scope": "Namespaced", "versions": [{ "name": "v1", "served": true }],
                    },
                    "status": { "conditions": [{ "type": "Established", "status": "True" }] },
                });
                (200, json!({ "metadata": { "resourceVersion": "1" }, "items": [definition] }))
            }
            _ => (200, json!({ "metadata": { "resourceVersion": "1" }, "items": [] })),
        };
        let body = Body::from(serde_json::to_vec(&body).unwrap());
        let answer = Response::builder().status(status).header("Retry-After", "0").body(body);
        async move { Ok::<_, Infallible>(answer.unwrap()) }
    });
    over(kube::Client::new(service, "default"))
}

#[tokio::test]
async fn a_kind_with_a_definition_is_looked_for_in_discovery_again_after_an_outage() {
    let record = record([GroupKind::new("example.com", "Widget")]);
    let inventory = Inventory { name: "trueup-shop".into(), namespace: "shop".into() };
    for has_outage in [false, true] {
        let cluster = starting(2).patient(patience());
        if has_outage {
            cluster.uid().await.unwrap();
        }
        let members = cluster.members(&inventory, &record, &Catalog::default()).await;
        assert_eq!(members.unlisted.is_empty(), has_outage, "without one it may never come");
    }
}

/// Objects of a kind that an aggregated server has no more would otherwise hold pruning up after an outage.
#[tokio::test]
async fn a_kind_without_definition_is_gone_where_others_of_its_group_are_served() {
    let cluster = starting(0);
    cluster.uid().await.unwrap();
    let catalog = cluster.discover().await.unwrap();
    let inventory = Inventory { name: "trueup-shop".into(), namespace: "shop".into() };
    for (group, is_gone) in [("example.com", true), ("example.org", false)] {
        let record = record([GroupKind::new(group, "Gizmo")]);
        let members = cluster.members(&inventory, &record, &catalog).await;
        assert_eq!(members.unlisted.is_empty(), is_gone, "{group}");
    }
}

/// Discovery lists a group some time after its APIService is there.
#[tokio::test]
async fn api_service_missing_from_discovery_is_asked_directly() {
    let service = |status: &str| {
        let service = json!({
            "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
            "metadata": { "name": "v1.metrics.k8s.io" },
            "spec": { "group": "metrics.k8s.io", "version": "v1", "service": { "name": "meter" } },
            "status": { "conditions": [{
                "type": "Available", "status": status, "reason": "Endpoints", "message": "none",
            }]},
        });
        (200, None, service)
    };
    let nothing = || (200, None, json!({ "items": [] }));
    let missing = status(404, "NotFound", "no such APIService");
    for (answer, silence) in [
        (service("False"), Some("APIService v1.metrics.k8s.io says Endpoints: none")),
        (service("True"), None),
        (missing, None),
    ] {
        let cluster = server(vec![nothing(), nothing(), answer]);
        let mut catalog = cluster.discover().await.unwrap();
        let declared = Object::from(service("True").2.as_object().cloned().unwrap());
        catalog.define([&declared]);
        cluster.notice(&mut catalog).await;
        let kind = GroupKind::new("metrics.k8s.io", "Meter");
        let Lookup::Promised(promised) = catalog.lookup(&kind, "v1") else { panic!("{catalog:?}") };
        assert_eq!(promised.silence, silence);
    }
}

/// Webhooks of this sort can no longer be made, but those that were are still about.
#[test]
fn webhook_with_side_effects_rules_out_a_dry_run() {
    let status = |code: u16, message: &str| ApiError::Status {
        code,
        reason: "BadRequest".to_owned(),
        message: message.to_owned(),
        causes: Vec::new(),
    };
    let refused = "admission webhook \"guard.example.com\" does not support dry run";
    assert_eq!(status(400, refused).no_dry_run().as_deref(), Some(refused));
    let away = "Internal error occurred: failed calling webhook \"guard\": refused\nmore";
    let first = away.lines().next().unwrap();
    assert_eq!(status(500, away).no_dry_run().as_deref(), Some(first));
    assert_eq!(status(403, "no").no_dry_run(), None);
    assert_eq!(status(422, "does not support dry run").no_dry_run(), None);
}
