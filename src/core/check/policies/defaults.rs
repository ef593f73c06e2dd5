//! Objects of the release as a policy sees them: with the defaults that most objects get
//! (kubernetes/kubernetes, `pkg/apis/*/v1/defaults.go`). What else the server may fill in, no
//! expression can ask for: see [`FilledIn`](crate::core::cel::FilledIn).

use crate::core::json::{Map, Value, json};

/// Fills an object in.
pub(super) fn fill(object: &mut Value, group: &str, kind: &str) {
    match (group, kind) {
        ("", "Pod") => {
            if let Some(spec) = object_at(object, "spec") {
                pod(spec);
                set(spec, "restartPolicy", || json!("Always"));
                containers(spec, |container| {
                    let Some(resources) = container.get_mut("resources") else { return };
                    requests(resources);
                });
            }
        }
        ("", "Namespace") => {
            let name = object["metadata"]["name"].clone();
            let metadata = object_at(object, "metadata");
            if let Some(labels) = metadata.and_then(|metadata| below(metadata, "labels")) {
                set(labels, "kubernetes.io/metadata.name", || name);
            }
        }
        ("apps", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet")
        | ("", "ReplicationController") => {
            let Some(spec) = object_at(object, "spec") else { return };
            if kind != "DaemonSet" {
                set(spec, "replicas", || json!(1));
            }
            template(spec, true);
        }
        ("batch", "Job") => {
            if let Some(spec) = object_at(object, "spec") {
                template(spec, false);
            }
        }
        ("batch", "CronJob") => {
            let spec = object_at(object, "spec").and_then(|spec| below(spec, "jobTemplate"));
            if let Some(spec) = spec.and_then(|job| below(job, "spec")) {
                template(spec, false);
            }
        }
        ("", "Service") => {
            let Some(spec) = object_at(object, "spec") else { return };
            set(spec, "type", || json!("ClusterIP"));
            set(spec, "sessionAffinity", || json!("None"));
            let ports = spec.get_mut("ports").and_then(Value::as_array_mut);
            for port in ports.into_iter().flatten().filter_map(Value::as_object_mut) {
                set(port, "protocol", || json!("TCP"));
                if let Some(number) = port.get("port").cloned() {
                    set(port, "targetPort", || number);
                }
            }
        }
        _ => {}
    }
}

fn set(map: &mut Map, name: &str, value: impl FnOnce() -> Value) {
    if map.get(name).is_none_or(Value::is_null) {
        map.insert(name, value());
    }
}

fn object_at<'v>(value: &'v mut Value, name: &str) -> Option<&'v mut Map> {
    value.as_object_mut().and_then(|map| below(map, name))
}

fn below<'m>(map: &'m mut Map, name: &str) -> Option<&'m mut Map> {
    set(map, name, || Value::Object(Map::default()));
    map.get_mut(name).and_then(Value::as_object_mut)
}

fn template(spec: &mut Map, restarts: bool) {
    let Some(spec) = below(spec, "template").and_then(|template| below(template, "spec")) else {
        return;
    };
    pod(spec);
    if restarts {
        set(spec, "restartPolicy", || json!("Always"));
    }
}

fn pod(spec: &mut Map) {
    set(spec, "dnsPolicy", || json!("ClusterFirst"));
    set(spec, "securityContext", || json!({}));
    set(spec, "schedulerName", || json!("default-scheduler"));
    set(spec, "terminationGracePeriodSeconds", || json!(30));
    containers(spec, |container| {
        set(container, "resources", || json!({}));
        set(container, "terminationMessagePath", || json!("/dev/termination-log"));
        set(container, "terminationMessagePolicy", || json!("File"));
        let image = container.get("image").and_then(Value::as_str).unwrap_or_default().to_owned();
        set(container, "imagePullPolicy", || {
            let name = image.rsplit('/').next().unwrap_or_default();
            let is_latest =
                !image.contains('@') && (!name.contains(':') || name.ends_with(":latest"));
            json!(if is_latest { "Always" } else { "IfNotPresent" })
        });
        let ports = container.get_mut("ports").and_then(Value::as_array_mut);
        for port in ports.into_iter().flatten().filter_map(Value::as_object_mut) {
            set(port, "protocol", || json!("TCP"));
        }
    });
}

fn containers(spec: &mut Map, mut with: impl FnMut(&mut Map)) {
    for list in ["containers", "initContainers"] {
        let list = spec.get_mut(list).and_then(Value::as_array_mut);
        list.into_iter().flatten().filter_map(Value::as_object_mut).for_each(&mut with);
    }
}

/// A pod requests what it is limited to, where nothing is said.
fn requests(resources: &mut Value) {
    let Some(limits) = resources.get("limits").and_then(Value::as_object).cloned() else { return };
    let Some(requests) = object_at(resources, "requests") else { return };
    for (name, amount) in limits.iter() {
        set(requests, name, || amount.clone());
    }
}
