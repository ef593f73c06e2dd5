//! Mutated answers of an API server: discovery, lists, errors, watches, the parent and the Lease, and
//! what is read off the objects that they bring.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};
use tokio::runtime::Runtime;
use trueup::cluster::{Access, Cluster, FollowedKind, News, ResponseLimits};
use trueup::core::annotations;
use trueup::core::health::HealthAssessor;
use trueup::core::inventory::{Inventory, InventorySource, Record};
use trueup::core::kinds::catalog::{Catalog, Served, definition};
use trueup::core::kinds::schemas::Schemas;
use trueup::core::lease::LeaseState;
use trueup::core::managed_fields::{
    conflict, emptied, foreign_owners, managers, no_op, prediction, release, takeover,
};
use trueup::core::object::{GroupKind, Object, ObjectKey};
use trueup::local::state_store::StateStore;

use super::fuzz;
use crate::support::mutate::Mutator;

const WORDS: [&str; 16] = [
    "Deployment",
    "v1",
    "apps/v1",
    "Stale",
    "ADDED",
    "DELETED",
    "BOOKMARK",
    "ERROR",
    "True",
    "False",
    "f:spec",
    "k:{\"name\":\"main\"}",
    "k:{",
    "v:1",
    "2026-03-01T12:00:00Z",
    "9999-99-99",
];

/// A server that gives one answer to whoever asks.
struct Server {
    answer: Arc<Mutex<(u16, Vec<u8>)>>,
    cluster: Cluster,
    runtime: Runtime,
}

impl Server {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let answer: Arc<Mutex<(u16, Vec<u8>)>> = Arc::default();
        let given = Arc::clone(&answer);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, given) = (stream.unwrap(), Arc::clone(&given));
                thread::spawn(move || serve(stream, &given));
            }
        });
        let kubeconfig = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "a",
            "clusters": [{"name": "a", "cluster": {"server": url}}],
            "users": [{"name": "a", "user": {}}],
            "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
        });
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), kubeconfig.to_string()).unwrap();
        let access = Access {
            kubeconfig: Some(file.path().to_owned()),
            context: None,
            impersonate: None,
            impersonate_groups: Vec::new(),
            concurrency: 4,
            memory: StateStore::default(),
            limits: ResponseLimits::default(),
            ..Access::default()
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let cluster = runtime.block_on(Cluster::connect(&access)).unwrap();
        Self { answer, cluster, runtime }
    }

    fn answers(&self, status: u16, body: &[u8]) {
        *self.answer.lock().unwrap() = (status, body.to_vec());
    }
}

/// Answers every request on a connection.
fn serve(mut stream: TcpStream, given: &Mutex<(u16, Vec<u8>)>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            match reader.read_line(&mut line) {
                Ok(0) | Err(_) => return,
                Ok(_) if line.trim().is_empty() => break,
                Ok(_) => {}
            }
            if let Some(said) = line.to_lowercase().strip_prefix("content-length:") {
                length = said.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        let (status, body) = given.lock().unwrap().clone();
        let head = format!("HTTP/1.1 {status} Said\r\nContent-Length: {}\r\n\r\n", body.len());
        if stream.write_all(&[head.as_bytes(), &body].concat()).is_err() {
            return;
        }
    }
}

fn deployment() -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {
            "name": "web", "namespace": "shop", "uid": "7a", "resourceVersion": "12", "generation": 2,
            "labels": {"applyset.kubernetes.io/part-of": "x"},
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{\"spec\":{\"replicas\":1}}"},
            "ownerReferences": [{"kind": "A", "name": "a", "uid": "1", "controller": true}],
            "finalizers": ["a.example.com/b"], "deletionTimestamp": "2026-03-01T12:00:00Z",
            "managedFields": [
                {"manager": "trueup", "operation": "Apply", "apiVersion": "apps/v1", "time": "2026-03-01T12:00:00Z", "fieldsType": "FieldsV1",
                 "fieldsV1": {"f:spec": {"f:replicas": {}, "f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"main\"}": {".": {}, "f:image": {}, "f:args": {"v:\"a\"": {}, "i:0": {}}}}}}}}},
                {"manager": "kubectl-client-side-apply", "operation": "Update", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
            ],
        },
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}},
            "template": {"spec": {"containers": [{"name": "main", "image": "a:1", "args": ["a"], "ports": [{"containerPort": 80}]}]}}},
        "status": {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 1,
            "conditions": [{"type": "Available", "status": "True", "reason": "a", "message": "b", "lastTransitionTime": "2026-03-01T12:00:00Z"}]},
    })
}

/// Objects of other kinds that have rules of their own.
fn objects() -> Vec<Value> {
    let condition = json!([{"type": "Ready", "status": "False", "reason": "A", "message": "b"}]);
    let object = |kind: &str, version: &str, spec: Value, status: Value| json!({"apiVersion": version, "kind": kind, "metadata": {"name": "a", "namespace": "b", "generation": 1}, "spec": spec, "status": status});
    vec![
        deployment(),
        object(
            "StatefulSet",
            "apps/v1",
            json!({"replicas": 3, "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}}),
            json!({"readyReplicas": 1, "currentRevision": "a", "updateRevision": "b"}),
        ),
        object(
            "Job",
            "batch/v1",
            json!({"completions": 2}),
            json!({"active": 1, "failed": 1, "conditions": condition}),
        ),
        object(
            "Pod",
            "v1",
            json!({"containers": [{"name": "a"}]}),
            json!({"phase": "Pending", "containerStatuses": [{"name": "a", "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "restartCount": 3}], "conditions": condition}),
        ),
        object(
            "Service",
            "v1",
            json!({"type": "LoadBalancer", "ports": [{"port": 80}]}),
            json!({"loadBalancer": {"ingress": [{"ip": "a"}]}}),
        ),
        object(
            "HTTPRoute",
            "gateway.networking.k8s.io/v1",
            json!({"parentRefs": [{"name": "a"}]}),
            json!({"parents": [{"conditions": condition}]}),
        ),
        object(
            "HorizontalPodAutoscaler",
            "autoscaling/v2",
            json!({"minReplicas": 1}),
            json!({"currentReplicas": 1, "conditions": condition}),
        ),
        object(
            "CustomResourceDefinition",
            "apiextensions.k8s.io/v1",
            json!({"group": "example.com", "names": {"kind": "A", "plural": "as"}, "scope": "Namespaced", "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "array", "items": {"type": "string"}}}}}}]}),
            json!({"conditions": condition}),
        ),
        object(
            "Lease",
            "coordination.k8s.io/v1",
            json!({"holderIdentity": "a@b/1/2", "acquireTime": "2026-03-01T12:00:00.000000Z", "renewTime": "2026-03-01T12:00:00.000000Z", "leaseDurationSeconds": 15, "leaseTransitions": 1}),
            Value::Null,
        ),
    ]
}

/// Everything that is read off a live object, beside what is sent.
#[test]
#[ignore = "takes about a minute"]
fn live_objects() {
    let objects = objects();
    let whole: Vec<Object> =
        objects.iter().map(|object| serde_json::from_value(object.clone()).unwrap()).collect();
    let assessor = HealthAssessor::default();
    fuzz(
        115_000,
        |seed| Mutator::json(seed, objects, &WORDS),
        |bytes| {
            let live: Object = serde_json::from_slice(bytes).ok()?;
            let _ = (
                assessor.health(&live),
                LeaseState::of(&live),
                definition(&live),
                foreign_owners::of(&live, "x"),
            );
            let _ = (managers::of(&live).count(), annotations::on_conflict(&live));
            Schemas::default().define(&live);
            Catalog::default().define([&live]);
            for send in whole.iter().filter(|send| send.key() == live.key()) {
                let foreseen = prediction::foresee(send, &live);
                let _ = (conflict::conflicts(send, &live), takeover::hand_over(&live, send));
                let _ = (release::release(&foreseen, &live), takeover::predecessors(&live, send));
                let _ = no_op::is_noop(send, &live, &|_: &[&str]| Some(false));
                let _ = emptied::fill(send, &live, &mut live.clone());
            }
            None
        },
    );
}

fn served() -> Served {
    Served {
        group_kind: GroupKind::new("apps", "Deployment"),
        version: "v1".to_owned(),
        plural: "deployments".to_owned(),
        namespaced: true,
        verbs: vec!["list".to_owned()],
    }
}

/// Answers to each of the requests that trueup sends.
#[test]
#[ignore = "takes about a minute"]
fn answers() {
    let server = Server::start();
    let inventory = Inventory { name: "a".to_owned(), namespace: "b".to_owned() };
    let key = ObjectKey {
        group: "apps".to_owned(),
        kind: "Deployment".to_owned(),
        namespace: Some("shop".to_owned()),
        name: "web".to_owned(),
    };
    let source = InventorySource {
        repository: String::new(),
        target: None,
        paths: [].into(),
        revision: None,
        tracked: None,
    };
    let record = Record::of(source, [&key]);
    let discovery = json!({"kind": "APIGroupDiscoveryList", "items": [{"metadata": {"name": "apps"}, "versions": [{"version": "v1", "freshness": "Current", "resources": [{"resource": "deployments", "responseKind": {"group": "apps", "version": "v1", "kind": "Deployment"}, "scope": "Namespaced", "verbs": ["list", "patch"], "subresources": [{"subresource": "status"}]}]}]}]});
    let list = json!({"kind": "DeploymentList", "metadata": {"resourceVersion": "7"}, "items": [deployment()]});
    let resources = json!({"kind": "APIResourceList", "resources": [{"name": "deployments", "kind": "Deployment", "namespaced": true, "verbs": ["get"]}]});
    let refusal = json!({"kind": "Status", "code": 422, "reason": "Invalid", "message": "Deployment.apps \"web\" is invalid: spec.replicas: Invalid value: -1: no", "details": {"causes": [{"reason": "FieldValueInvalid", "field": "spec.replicas", "message": "Invalid value: -1: no"}]}});
    let values = [
        discovery,
        list,
        resources,
        refusal,
        deployment(),
        serde_json::to_value(inventory.parent(&record)).unwrap(),
    ];
    let mut turn = 0;
    fuzz(
        7_000,
        |seed| Mutator::json(seed, values.to_vec(), &WORDS),
        |bytes| {
            turn += 1;
            // A page that names a next one is answered with that very page again.
            if String::from_utf8_lossy(bytes).contains("\"continue\"") {
                return None;
            }
            server.answers([200, 200, 201, 400, 404, 409, 422][turn % 7], bytes);
            let cluster = &server.cluster;
            server.runtime.block_on(async {
                let _ = cluster.discover().await;
                let _ = (cluster.uid().await, cluster.kinds_of("apps/v1").await);
                let _ = (cluster.parent(&inventory).await, cluster.lease(&inventory).await);
                let _ = cluster.members_of(&served(), &inventory, &record).await;
            });
            None
        },
    );
}

/// A watch, as it is followed until something else is to be done.
#[test]
#[ignore = "takes about a minute"]
fn watches() {
    let server = Server::start();
    let followed = FollowedKind { served: served(), selector: String::new(), keys: Vec::new() };
    let change = |kind: &str, object: Value| json!({"type": kind, "object": object});
    let bookmark = json!({"kind": "Deployment", "metadata": {"resourceVersion": "9"}});
    let values = vec![
        change("ADDED", deployment()),
        change("MODIFIED", deployment()),
        change("DELETED", deployment()),
        change("BOOKMARK", bookmark),
        change("ERROR", json!({"kind": "Status", "code": 410, "message": "too old"})),
        change("ERROR", json!({"kind": "Status", "code": 500, "message": "no"})),
    ];
    let end = "\n{\"type\":\"ERROR\",\"object\":{\"code\":500}}\n";
    fuzz(
        15_000,
        |seed| Mutator::json(seed, values, &WORDS),
        |bytes| {
            server.answers(200, br#"{"metadata":{"resourceVersion":"7"},"items":[]}"#);
            server.runtime.block_on(async {
                let (tell, mut hear) = tokio::sync::mpsc::channel(256);
                let scope = server.cluster.scopes_of(&followed).await.pop().unwrap();
                server.answers(200, &[bytes, end.as_bytes()].concat());
                let heard = async {
                    // Each watch ends with a word about that.
                    while let Some(News::Seen(_) | News::Gone(_)) = hear.recv().await {}
                };
                tokio::select! {
                    () = server.cluster.follow(&followed, scope, &tell) => {}
                    () = heard => {}
                }
            });
            None
        },
    );
}
