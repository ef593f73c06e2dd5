//! Live fields that git does not declare and that exclude what it does declare, of which server-side
//! apply removes none: they are removed, and the plan says whose they are.

use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use serde_json::{Value, json};

use crate::support::between::Between;
use crate::support::repo::Repo;
use crate::support::sandbox;

fn service(name: &str, port: u16) -> String {
    format!(
        "apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec:
  selector: {{app: web}}
  ports:
  - {{name: web, port: {port}, targetPort: 8080}}
"
    )
}

/// Patches an object as somebody else.
#[track_caller]
fn patch(repo: &Repo<'_>, object: &str, kind: &str, patch: &Value) {
    let (kind, patch) = (format!("--type={kind}"), patch.to_string());
    let edit = ["patch", object, "--field-manager=kubectl-edit", &kind, "-p", &patch];
    repo.kubectl(&edit).exits(0);
}

fn live(repo: &Repo<'_>, object: &str) -> Value {
    let found = repo.kubectl(&["get", object, "-o", "json", "--show-managed-fields"]).exits(0);
    serde_json::from_str(&found.stdout).unwrap()
}

/// The plan is carried out, and nothing is left to do.
#[track_caller]
fn comes_true(repo: &Repo<'_>) {
    repo.run(&["apply", "--yes"]).exits(0);
    is_true(repo);
}

#[track_caller]
fn is_true(repo: &Repo<'_>) {
    let writes = repo.writes();
    repo.run(&["diff"]).exits(0);
    repo.run(&["diff", "--verify"]).exits(0);
    repo.run(&["apply", "--yes"]).exits(0);
    assert_eq!(repo.writes(), writes, "nothing is left to do");
}

/// Changes the number of the first port of a Service, and adds another port.
fn drift(repo: &Repo<'_>, name: &str) {
    let edit = json!([
        { "op": "replace", "path": "/spec/ports/0/port", "value": 83 },
        { "op": "add", "path": "/spec/ports/-", "value": { "name": "theirs", "port": 99 } },
    ]);
    patch(repo, &format!("service/{name}"), "json", &edit);
}

fn ports(live: &Value) -> Vec<u64> {
    let ports = live["spec"]["ports"].as_array().unwrap();
    ports.iter().map(|port| port["port"].as_u64().unwrap()).collect()
}

#[test]
fn renumbered_port_is_reverted_and_an_added_one_stays() {
    let repo = Repo::new("way-port", sandbox::bare());
    repo.write("svc.yaml", service("kiosk", 80)).commit("80");
    repo.run(&["apply", "--yes"]).exits(0);
    drift(&repo, "kiosk");
    let diff = repo.run(&["diff"]).exits(1);
    assert!(diff.stdout.contains("  -     port: 83\n  +     port: 80\n"), "{diff}");
    let whose = "spec.ports[port=83,protocol=TCP] is set by kubectl-edit";
    assert!(diff.stdout.contains(whose), "{diff}");
    assert!(!diff.stdout.contains("99\n  -") && !diff.stdout.contains("port=99"), "{diff}");
    repo.run(&["apply", "--yes"]).exits(0);
    let mut found = ports(&live(&repo, "service/kiosk"));
    found.sort_unstable();
    assert_eq!(found, [80, 99]);
    is_true(&repo);

    // And as a plan that was approved; git gives the port another number meanwhile.
    let at = ports(&live(&repo, "service/kiosk")).iter().position(|port| *port == 80).unwrap();
    let path = format!("/spec/ports/{at}/port");
    let edit = json!([{ "op": "replace", "path": path, "value": 84 }]);
    patch(&repo, "service/kiosk", "json", &edit);
    repo.write("svc.yaml", service("kiosk", 8088)).commit("8088");
    let plan = repo.outside().join("plan");
    let plan = plan.to_str().unwrap();
    repo.run(&["diff", "--out", plan]).exits(1);
    repo.run(&["apply", "--plan", plan]).exits(0);
    let mut found = ports(&live(&repo, "service/kiosk"));
    found.sort_unstable();
    assert_eq!(found, [99, 8088]);
    is_true(&repo);
}

#[test]
fn watch_reverts_the_renumbered_port() {
    let repo = Repo::new("way-watch", sandbox::bare());
    repo.write("svc.yaml", service("kiosk", 80)).commit("80");
    repo.run(&["apply", "--yes"]).exits(0);
    let edit = json!([{ "op": "replace", "path": "/spec/ports/0/protocol", "value": "UDP" }]);
    patch(&repo, "service/kiosk", "json", &edit);
    let round = repo.run(&["watch", "--once"]).exits(0);
    assert!(round.stdout.contains("drift: Service way-watch/kiosk"), "{round}");
    assert_eq!(live(&repo, "service/kiosk")["spec"]["ports"][0]["protocol"], "TCP");
    is_true(&repo);
}

#[test]
fn killed_two_step_apply_is_finished_by_the_next_run() {
    let repo = Repo::new("way-killed", sandbox::bare());
    repo.write("svc.yaml", service("kiosk", 80)).commit("80");
    repo.run(&["apply", "--yes"]).exits(0);
    drift(&repo, "kiosk");
    let (send, sent) = mpsc::channel();
    let (send, applies) = (Mutex::new(send), AtomicUsize::new(0));
    let between = Between::start(sandbox::bare(), move |request| {
        let is_apply = request.starts_with("PATCH /")
            && request.contains("/kiosk?")
            && request.contains("force=true")
            && !request.contains("dryRun");
        // The first one is refused.
        if is_apply && applies.fetch_add(1, Ordering::Relaxed) == 1 {
            send.lock().unwrap().send(()).unwrap();
            // It never comes to the server.
            loop {
                std::thread::park();
            }
        }
    });
    let apply = repo.trueup(&["apply", "--yes"]).env("KUBECONFIG", between.kubeconfig());
    let mut apply = apply.into_inner();
    let mut apply = apply.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    sent.recv().unwrap();
    apply.kill().unwrap();
    apply.wait().unwrap();
    assert_eq!(ports(&live(&repo, "service/kiosk")), [83, 99]);
    let diff = repo.run(&["diff"]).exits(1);
    assert!(diff.stdout.contains("  -     port: 83\n"), "{diff}");
    comes_true(&repo);
}

#[test]
fn conflicting_leftover_is_named_with_manager_and_hint() {
    let repo = Repo::new("way-out", sandbox::bare());
    repo.write("svc.yaml", service("kiosk", 80)).commit("80");
    repo.run(&["apply", "--yes"]).exits(0);
    drift(&repo, "kiosk");
    for on_conflict in ["fail", "yield"] {
        let diff = repo.run(&["diff", "--on-conflict", on_conflict]).exits(1);
        let whose = "spec.ports[port=83,protocol=TCP]";
        for text in [whose, "set by kubectl-edit", "--on-conflict force"] {
            assert!(diff.stdout.contains(text), "{on_conflict}: {text} in {diff}");
        }
        repo.run(&["apply", "--yes", "--on-conflict", on_conflict]).exits(1);
        assert_eq!(ports(&live(&repo, "service/kiosk")), [83, 99], "{on_conflict}");
    }
    // The server's defaults are nobody's: they go all the same.
    let _ =
        repo.remove("svc.yaml").write("app.yaml", deployment(&json!({}), &json!({}))).commit("New");
    repo.run(&["apply", "--yes"]).exits(0);
    let recreate = json!({ "strategy": { "type": "Recreate" } });
    repo.write("app.yaml", deployment(&recreate, &json!({}))).commit("Recreate");
    repo.run(&["apply", "--yes", "--on-conflict", "fail"]).exits(0);
    is_true(&repo);
}

#[test]
fn ignored_leftover_stays_in_the_way() {
    let repo = Repo::new("way-ignored", sandbox::bare());
    let rule = "targets:
  all:
    paths: [.]
    ignore:
    - kind: Service
      paths: [/spec/ports/*]
";
    repo.write("svc.yaml", service("kiosk", 80)).commit("80");
    repo.run(&["apply", "--yes"]).exits(0);
    drift(&repo, "kiosk");
    repo.write("trueup.yaml", rule).commit("Ignore");
    repo.run(&["apply", "--yes"]);
    assert_eq!(ports(&live(&repo, "service/kiosk")), [83, 99]);
}

/// A Deployment with more in its spec and in its pods' spec.
fn deployment(spec: &Value, pods: &Value) -> String {
    let labels = json!({ "app": "mill" });
    let mut deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "mill" },
        "spec": { "replicas": 0, "selector": { "matchLabels": labels }, "template": {
            "metadata": { "labels": labels },
            "spec": { "containers": [{ "name": "main", "image": "registry.example/mill:1" }] } } },
    });
    merge(&mut deployment["spec"], spec);
    merge(&mut deployment["spec"]["template"]["spec"], pods);
    deployment.to_string()
}

fn merge(into: &mut Value, more: &Value) {
    for (key, value) in more.as_object().unwrap() {
        into[key] = value.clone();
    }
}

/// One object of a kind that is one of several, and becomes another of them.
struct Union {
    name: String,
    object: Value,
    becomes: Value,
    /// What somebody else adds in between.
    theirs: Option<Value>,
}

impl Union {
    /// Of the members of a union somewhere in a Deployment: every one becomes every other.
    fn pairs(
        what: &str,
        members: &[(&str, Value, Value)],
        put: &dyn Fn(&str, &Value) -> Value,
    ) -> Vec<Self> {
        let mut all = Vec::new();
        for (from, member, more) in members {
            for (to, other, _) in members.iter().filter(|(to, ..)| to != from) {
                all.push(Self {
                    name: format!("{what}-{from}-{to}").to_lowercase(),
                    object: serde_json::from_str(&deployment(&json!({}), &put(from, member)))
                        .unwrap(),
                    becomes: serde_json::from_str(&deployment(&json!({}), &put(to, other)))
                        .unwrap(),
                    theirs: Some(json!({ "spec": { "template": { "spec": put(from, more) } } })),
                });
            }
        }
        all
    }

    fn new(name: &str, object: Value, becomes: Value, theirs: Option<Value>) -> Self {
        Self { name: name.to_owned(), object, becomes, theirs }
    }

    fn named(&self, object: &Value) -> Value {
        let mut object = object.clone();
        object["metadata"]["name"] = self.name.as_str().into();
        object
    }
}

fn unions() -> Vec<Union> {
    let volumes = [
        ("emptyDir", json!({ "medium": "Memory" }), json!({ "sizeLimit": "1Gi" })),
        ("hostPath", json!({ "path": "/x" }), json!({ "type": "Directory" })),
        ("configMap", json!({ "name": "c" }), json!({ "optional": true })),
        ("secret", json!({ "secretName": "c" }), json!({ "optional": true })),
        ("persistentVolumeClaim", json!({ "claimName": "c" }), json!({ "readOnly": true })),
        ("csi", json!({ "driver": "d.example" }), json!({ "fsType": "x" })),
        ("nfs", json!({ "server": "a", "path": "/" }), json!({ "readOnly": true })),
    ];
    let handlers = [
        ("httpGet", json!({ "port": 80 }), json!({ "path": "/x" })),
        ("tcpSocket", json!({ "port": 80 }), json!({ "host": "x" })),
        ("exec", json!({ "command": ["a"] }), json!({ "command": ["b"] })),
    ];
    let grpc = ("grpc", json!({ "port": 80 }), json!({ "service": "x" }));
    let sleep = ("sleep", json!({ "seconds": 2 }), json!({ "seconds": 3 }));
    let container = |more: &Value| {
        let mut main = json!({ "name": "main", "image": "registry.example/mill:1" });
        merge(&mut main, more);
        json!({ "containers": [main] })
    };
    let volume =
        |member: &str, value: &Value| json!({ "volumes": [{ "name": "v", member: value }] });
    let probe =
        |member: &str, value: &Value| container(&json!({ "livenessProbe": { member: value } }));
    let hook = |member: &str, value: &Value| {
        container(&json!({ "lifecycle": { "preStop": { member: value } } }))
    };
    let mut all = Union::pairs("volume", &volumes, &volume);
    all.extend(Union::pairs("probe", &[&handlers[..], &[grpc]].concat(), &probe));
    all.extend(Union::pairs("hook", &[&handlers[..], &[sleep]].concat(), &hook));

    let app = |more: Value| serde_json::from_str::<Value>(&deployment(&more, &json!({}))).unwrap();
    let recreate = json!({ "strategy": { "type": "Recreate" } });
    let surge = json!({ "spec": { "strategy": { "rollingUpdate": { "maxSurge": 3 } } } });
    all.push(Union::new("recreate", app(json!({})), app(recreate.clone()), None));
    all.push(Union::new("recreate-theirs", app(json!({})), app(recreate.clone()), Some(surge)));
    all.push(Union::new("rolling", app(recreate), app(json!({})), None));
    for kind in ["StatefulSet", "DaemonSet"] {
        let set = |strategy: Option<&str>| {
            let mut set = app(json!({}));
            set["kind"] = kind.into();
            let spec = set["spec"].as_object_mut().unwrap();
            spec.remove("replicas");
            if kind == "StatefulSet" {
                spec.insert("serviceName".to_owned(), "x".into());
            }
            if let Some(strategy) = strategy {
                spec.insert("updateStrategy".to_owned(), json!({ "type": strategy }));
            }
            set
        };
        let field = if kind == "StatefulSet" { "partition" } else { "maxUnavailable" };
        let theirs = json!({ "spec": { "updateStrategy": { "rollingUpdate": { field: 3 } } } });
        let name = kind.to_lowercase();
        let (none, on_delete) = (set(None), set(Some("OnDelete")));
        all.push(Union::new(&name, none.clone(), on_delete.clone(), None));
        all.push(Union::new(
            &format!("{name}-theirs"),
            none.clone(),
            on_delete.clone(),
            Some(theirs),
        ));
        all.push(Union::new(&format!("{name}-back"), on_delete, none, None));
    }
    let cron = |policy: &str| {
        json!({ "apiVersion": "batch/v1", "kind": "CronJob", "metadata": {}, "spec": {
            "schedule": "0 0 1 1 *", "jobTemplate": { "spec": { "template": { "spec": {
                "restartPolicy": policy, "containers": [{ "name": "c", "image": "i" }] } } } } } })
    };
    let ignore =
        json!([{ "action": "Ignore", "onExitCodes": { "operator": "In", "values": [3] } }]);
    let theirs = json!({ "spec": { "jobTemplate": { "spec": { "podFailurePolicy": { "rules": ignore } } } } });
    all.push(Union::new("cron", cron("Never"), cron("OnFailure"), Some(theirs)));
    let budget = |field: &str| {
        json!({ "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {},
            "spec": { "selector": { "matchLabels": { "app": "mill" } }, field: 1 } })
    };
    let theirs = json!({ "spec": { "minAvailable": 2 } });
    all.push(Union::new("budget", budget("minAvailable"), budget("maxUnavailable"), Some(theirs)));
    let ingress = |backend: Value| {
        json!({ "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {},
            "spec": { "defaultBackend": backend } })
    };
    let by_number = ingress(json!({ "service": { "name": "a", "port": { "number": 80 } } }));
    let by_name = ingress(json!({ "service": { "name": "a", "port": { "name": "x" } } }));
    let resource =
        ingress(json!({ "resource": { "kind": "A", "name": "b", "apiGroup": "x.example" } }));
    let theirs =
        json!({ "spec": { "defaultBackend": { "service": { "port": { "number": 81 } } } } });
    all.push(Union::new("port-name", by_number.clone(), by_name, Some(theirs.clone())));
    all.push(Union::new("backend", by_number, resource, Some(theirs)));
    let conversion = |conversion: Value, group: &str| {
        json!({ "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {}, "spec": { "group": group, "scope": "Namespaced",
                "names": { "kind": "Mill", "plural": "mills" }, "conversion": conversion,
                "versions": [{ "name": "v1", "served": true, "storage": true,
                    "schema": { "openAPIV3Schema": { "type": "object" } } }] } })
    };
    let service = json!({ "name": "a", "namespace": "b" });
    let webhook = json!({ "strategy": "Webhook", "webhook": {
        "conversionReviewVersions": ["v1"], "clientConfig": { "service": service } } });
    let theirs = json!({ "spec": { "conversion": { "webhook": { "clientConfig": {
        "service": { "path": "/x" } } } } } });
    let group = "way.example.com";
    let none = conversion(json!({ "strategy": "None" }), group);
    all.push(Union::new(
        "mills.way.example.com",
        conversion(webhook.clone(), group),
        none,
        Some(theirs.clone()),
    ));
    let group = "gone.example.com";
    let mut none = conversion(json!({}), group);
    none["spec"].as_object_mut().unwrap().remove("conversion");
    all.push(Union::new("mills.gone.example.com", conversion(webhook, group), none, Some(theirs)));
    let api = |more: Value| {
        let mut api = json!({ "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
            "metadata": {}, "spec": { "group": "api.example.com", "version": "v1",
                "groupPriorityMinimum": 100, "versionPriority": 10, "service": service } });
        merge(&mut api["spec"], &more);
        api
    };
    let bundle = json!({ "spec": { "caBundle": "LS0tLS1CRUdJTiBa" } });
    let insecure = api(json!({ "insecureSkipTLSVerify": true }));
    all.push(Union::new("v1.api.example.com", api(json!({})), insecure, Some(bundle)));
    all
}

/// On a plane of its own: it makes an API and a kind that don't work.
#[test]
fn union_member_is_switched_beside_fields_of_others() {
    let plane = &sandbox::own();
    let repo = Repo::new("way-unions", plane);
    let unions = unions();
    let write = |get: &dyn Fn(&Union) -> Value, message: &str| {
        let items: Vec<Value> = unions.iter().map(get).collect();
        let list = json!({ "apiVersion": "v1", "kind": "List", "items": items });
        repo.write("all.json", list.to_string()).commit(message);
    };
    write(&|union| union.named(&union.object), "Before");
    repo.run(&["apply", "--yes"]).exits(0);
    for union in &unions {
        let Some(theirs) = &union.theirs else { continue };
        let kind = union.object["kind"].as_str().unwrap();
        let is_workload = union.object["apiVersion"] == "apps/v1";
        let how = if is_workload { "strategic" } else { "merge" };
        patch(&repo, &format!("{kind}/{}", union.name), how, theirs);
    }
    write(&|union| union.named(&union.becomes), "After");
    let diff = repo.run(&["diff"]).exits(1);
    assert!(diff.stdout.contains(", 0 to delete") && !diff.stdout.contains("refused"), "{diff}");
    let apply = repo.run(&["apply", "--yes"]).exits(0);
    assert!(apply.stdout.contains(&format!("{} objects", unions.len())), "{apply}");
    let writes = repo.writes();
    repo.run(&["diff"]).exits(0);
    repo.run(&["diff", "--verify"]).exits(0);
    repo.run(&["apply", "--yes"]).exits(0);
    assert_eq!(repo.writes(), writes, "nothing is left to do");
}
