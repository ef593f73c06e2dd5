//! The objects of the targets, one line of which is a number that commits and strangers change.

use http::Method;
use serde_json::{Value, json};

/// The kinds, by the name that files have, with their group and version and their name in URLs.
pub const KINDS: [Kind; 10] = [
    Kind { name: "configmap", root: "api/v1", plural: "configmaps" },
    Kind { name: "secret", root: "api/v1", plural: "secrets" },
    Kind { name: "service", root: "api/v1", plural: "services" },
    Kind { name: "serviceaccount", root: "api/v1", plural: "serviceaccounts" },
    Kind { name: "limitrange", root: "api/v1", plural: "limitranges" },
    Kind { name: "role", root: "apis/rbac.authorization.k8s.io/v1", plural: "roles" },
    Kind { name: "rolebinding", root: "apis/rbac.authorization.k8s.io/v1", plural: "rolebindings" },
    Kind { name: "networkpolicy", root: "apis/networking.k8s.io/v1", plural: "networkpolicies" },
    Kind { name: "deployment", root: "apis/apps/v1", plural: "deployments" },
    Kind { name: "cronjob", root: "apis/batch/v1", plural: "cronjobs" },
];

/// A kind of objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kind {
    pub name: &'static str,
    root: &'static str,
    plural: &'static str,
}

impl Kind {
    /// The path of its objects in a namespace.
    pub fn path(&self, namespace: &str) -> String {
        format!("/{}/namespaces/{namespace}/{}", self.root, self.plural)
    }
}

/// An object by its kind and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id {
    pub kind: Kind,
    pub name: String,
}

impl Id {
    /// How messages name it.
    pub fn shown(&self, namespace: &str) -> String {
        let kind = match self.kind.name {
            "configmap" => "ConfigMap",
            "secret" => "Secret",
            "service" => "Service",
            "serviceaccount" => "ServiceAccount",
            "limitrange" => "LimitRange",
            "role" => "Role",
            "rolebinding" => "RoleBinding",
            "networkpolicy" => "NetworkPolicy",
            "deployment" => "Deployment",
            _ => "CronJob",
        };
        format!("{kind} {namespace}/{}", self.name)
    }

    /// Its path at the API server.
    pub fn path(&self, namespace: &str) -> String {
        format!("{}/{}", self.kind.path(namespace), self.name)
    }

    /// Its manifest, with this number. Without controllers no Deployment gets ready.
    pub fn manifest(&self, number: usize) -> String {
        let (group, kind) = match self.kind.root.split_once('/') {
            Some(("apis", group)) => (group, self.shown("")),
            _ => ("v1", self.shown("")),
        };
        let kind = kind.split(' ').next().unwrap_or_default().to_owned();
        let mut object = json!({
            "apiVersion": group, "kind": kind, "metadata": { "name": self.name },
        });
        if self.kind.name == "deployment" {
            object["metadata"]["annotations"]["trueup.dev/wait"] = "false".into();
        }
        merge(&mut object, &self.constant());
        merge(&mut object, &self.numbered(number));
        serde_yaml::to_string(&object).unwrap()
    }

    /// The fields with the number.
    fn numbered(&self, number: usize) -> Value {
        let text = format!("v{number}");
        match self.kind.name {
            "configmap" => json!({ "data": { "key": text } }),
            "secret" => {
                use base64::Engine as _;
                let key = base64::engine::general_purpose::STANDARD.encode(text);
                json!({ "data": { "key": key } })
            }
            "service" => json!({ "spec": { "selector": { "app": text } } }),
            "serviceaccount" => json!({ "metadata": { "annotations": { "value": text } } }),
            "limitrange" => {
                let max = json!({ "memory": format!("{}Mi", number % 90_000 + 1) });
                json!({ "spec": { "limits": [{ "type": "Pod", "max": max }] } })
            }
            "role" => json!({ "rules": [{
                "apiGroups": [""], "resources": ["pods"], "verbs": ["get"], "resourceNames": [text],
            }] }),
            "rolebinding" => json!({ "subjects": [{
                "kind": "ServiceAccount", "name": text, "namespace": "default",
            }] }),
            "networkpolicy" => {
                json!({ "spec": { "podSelector": { "matchLabels": { "app": text } } } })
            }
            "deployment" => json!({ "spec": { "replicas": number % 90_000 } }),
            _ => json!({ "spec": { "schedule": schedule(number) } }),
        }
    }

    /// The other fields.
    fn constant(&self) -> Value {
        let pod = json!({
            "metadata": { "labels": { "app": self.name } },
            "spec": { "restartPolicy": "Always", "containers": [
                { "name": "main", "image": "registry.example/web:1.4.0" },
            ] },
        });
        match self.kind.name {
            "secret" => json!({ "type": "Opaque" }),
            "service" => json!({ "spec": {
                "clusterIP": "None", "ports": [{ "name": "http", "port": 80, "protocol": "TCP" }],
            } }),
            "rolebinding" => json!({ "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "any",
            } }),
            "networkpolicy" => json!({ "spec": { "policyTypes": ["Ingress"] } }),
            "deployment" => json!({ "spec": {
                "selector": { "matchLabels": { "app": self.name } }, "template": pod,
            } }),
            "cronjob" => {
                let mut pod = pod;
                pod["spec"]["restartPolicy"] = "Never".into();
                json!({ "spec": { "suspend": true, "jobTemplate": { "spec": { "template": pod } } } })
            }
            _ => json!({}),
        }
    }

    /// The request with which a stranger changes the number.
    pub fn drift(&self, namespace: &str, number: usize) -> Drift {
        let path = format!("{}?fieldManager=stranger", self.path(namespace));
        Drift { method: Method::PATCH, path, body: Some(self.numbered(number)) }
    }

    /// The one with which a stranger deletes it.
    pub fn deletion(&self, namespace: &str) -> Drift {
        Drift { method: Method::DELETE, path: self.path(namespace), body: None }
    }
}

/// A schedule that no other number up to 40,000 has.
fn schedule(number: usize) -> String {
    format!("{} {} {} * *", number % 60, number / 60 % 24, number / 1440 % 28 + 1)
}

/// A change by a stranger.
pub struct Drift {
    pub method: Method,
    pub path: String,
    pub body: Option<Value>,
}

/// Merges maps, and takes the second value of anything else.
fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from.clone(),
    }
}
