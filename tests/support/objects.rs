//! The YAML of objects that many tests declare.

use std::fmt;

/// A Deployment as most are.
pub const WEB: &str = "apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: main
        image: registry.example/web:1.4.0
";

/// A ConfigMap with one key.
pub fn config(name: &str, value: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  key: {value:?}\n")
}

/// A Namespace.
pub fn namespace(name: &str) -> String {
    format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}\n")
}

/// A Service with this spec.
pub fn service(name: &str, spec: &str) -> String {
    format!("apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\nspec: {{{spec}}}\n")
}

/// An object with one more line of metadata. Its own stand below `metadata:`.
pub fn with_metadata(object: &str, line: &str) -> String {
    assert!(object.contains("metadata:\n"), "{object}");
    object.replacen("metadata:\n", &format!("metadata:\n  {line}\n"), 1)
}

/// An object with annotations.
pub fn annotated(object: &str, annotations: &str) -> String {
    with_metadata(object, &format!("annotations: {{{annotations}}}"))
}

/// The schema of a kind of whose fields the server knows nothing.
pub const OPEN: &str = "{type: object, x-kubernetes-preserve-unknown-fields: true}";

/// A CustomResourceDefinition of a kind in namespaces, as YAML by [`ToString`].
pub struct Definition {
    group: String,
    kind: String,
    plural: String,
    labels: String,
    versions: String,
}

impl Definition {
    /// A definition whose kind has an `s` in the plural, without a version so far.
    pub fn new(group: &str, kind: &str) -> Self {
        Self {
            group: group.to_owned(),
            kind: kind.to_owned(),
            plural: format!("{}s", kind.to_lowercase()),
            labels: String::new(),
            versions: String::new(),
        }
    }

    /// With a plural of its own.
    pub fn plural(self, plural: &str) -> Self {
        Self { plural: plural.to_owned(), ..self }
    }

    /// With labels.
    pub fn labels(self, labels: &str) -> Self {
        Self { labels: format!(", labels: {{{labels}}}"), ..self }
    }

    /// With this only version, `v1`, whose objects have this schema.
    pub fn schema(self, schema: &str) -> Self {
        self.version("v1", true, schema)
    }

    /// With one more version, which may be the one that is stored.
    pub fn version(mut self, name: &str, storage: bool, schema: &str) -> Self {
        self.versions.push_str(&format!(
            "  - {{name: {name}, served: true, storage: {storage}, schema: {{openAPIV3Schema: {schema}}}}}\n"
        ));
        self
    }
}

impl fmt::Display for Definition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { group, kind, plural, labels, versions } = self;
        write!(
            f,
            "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: {plural}.{group}{labels}}}
spec:
  group: {group}
  scope: Namespaced
  names: {{kind: {kind}, plural: {plural}, singular: {}}}
  versions:
{versions}",
            kind.to_lowercase()
        )
    }
}

/// A webhook for the ConfigMaps of a namespace that are labelled `guarded`, with the same name as the
/// namespace and some more lines. Nothing listens behind it.
pub fn webhook(namespace: &str, more: &str) -> String {
    format!(
        "apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {{name: {namespace}}}
webhooks:
- name: guard.example.com
  admissionReviewVersions: [v1]
  clientConfig: {{url: https://127.0.0.1:9/}}
  timeoutSeconds: 1
  namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: {namespace}}}}}
  objectSelector: {{matchLabels: {{guarded: \"yes\"}}}}
  rules:
  - {{apiGroups: [\"\"], apiVersions: [v1], resources: [configmaps], operations: [CREATE, UPDATE]}}
  {more}
"
    )
}

/// A ConfigMap that such a webhook is asked about.
pub fn guarded(name: &str, value: &str) -> String {
    with_metadata(&config(name, value), "labels: {guarded: \"yes\"}")
}
