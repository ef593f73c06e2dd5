//! Names, labels, annotations and owners, which every object has.
//!
//! Source of the rules: k8s.io/apimachinery `pkg/api/validation/objectmeta.go`; which kind has which
//! sort of name is in `pkg/apis/*/validation/validation.go` of Kubernetes.

use super::faults::{Faults, list, map, of};
use super::names::{self, Wanted};
use crate::core::json::{Map, Value};

/// How many bytes the annotations of an object may have, keys and values together.
const ANNOTATIONS: usize = 256 << 10;

/// The grammar of the names of a kind of the release.
pub(super) fn rule(group: &str, kind: &str) -> fn(&str) -> Wanted {
    match (group, kind) {
        ("", "Namespace" | "Service") | ("apps", "StatefulSet") => names::label,
        // Their own rules say more, or the server does.
        (
            "rbac.authorization.k8s.io"
            | "apiregistration.k8s.io"
            | "certificates.k8s.io"
            | "internal.apiserver.k8s.io"
            | "policy",
            _,
        )
        | ("networking.k8s.io", "IPAddress")
        | ("", "Event" | "Binding")
        | ("events.k8s.io" | "authentication.k8s.io" | "authorization.k8s.io", _) => names::segment,
        _ => names::subdomain,
    }
}

/// The metadata of an object.
pub(super) fn object<'v>(faults: &mut Faults<'v>, root: &'v Map, names: fn(&str) -> Wanted) {
    let Some(metadata) = map(root, "metadata") else { return };
    faults.name_if_any(metadata, "name", names);
    faults.name_if_any(metadata, "namespace", names::label);
    labels(faults, metadata.get("labels"));
    annotations(faults, metadata);
    for finalizer in list(metadata, "finalizers") {
        faults.name(Some(finalizer), names::qualified);
    }
    let finalizers = list(metadata, "finalizers");
    if let Some(value) = finalizers.iter().find(|it| **it == "foregroundDeletion")
        && finalizers.iter().any(|it| *it == "orphan")
    {
        faults.says(value, "excludes orphan");
    }
    owners(faults, metadata);
}

/// Finalizers without a domain, which most of Kubernetes' own kinds do not take: those that
/// `ValidateObjectMeta` of `pkg/apis/core/validation/validation.go` is asked about.
pub(super) fn finalizers(faults: &mut Faults<'_>, group: &str, kind: &str) {
    let is_strict = match group {
        "" => !matches!(kind, "Event" | "Binding"),
        "apps" | "batch" | "autoscaling" | "rbac.authorization.k8s.io" => true,
        "networking.k8s.io" => matches!(kind, "Ingress" | "IngressClass" | "NetworkPolicy"),
        "scheduling.k8s.io" => kind == "PriorityClass",
        "storage.k8s.io" => kind == "StorageClass",
        "discovery.k8s.io" => kind == "EndpointSlice",
        "certificates.k8s.io" => kind == "CertificateSigningRequest",
        "flowcontrol.apiserver.k8s.io" => kind == "PriorityLevelConfiguration",
        _ => false,
    };
    if is_strict && let Some(metadata) = map(faults.root(), "metadata") {
        qualified(faults, list(metadata, "finalizers"));
    }
}

fn qualified<'v>(faults: &mut Faults<'v>, finalizers: &'v [Value]) {
    const STANDARD: [&str; 3] = ["foregroundDeletion", "kubernetes", "orphan"];
    for value in finalizers {
        if value.as_str().is_some_and(|name| {
            !STANDARD.contains(&name) && !name.contains('/') && names::qualified(name).is_none()
        }) {
            faults.must(value, "have a domain, such as example.com/name");
        }
    }
}

/// A Namespace: its finalizers, and the labels that the admission of pods reads
/// (k8s.io/pod-security-admission, `api/helpers.go`).
pub(super) fn namespace(faults: &mut Faults<'_>) {
    const PREFIX: &str = "pod-security.kubernetes.io/";
    let root = faults.root();
    if let Some(spec) = map(root, "spec") {
        qualified(faults, list(spec, "finalizers"));
    }
    let labels = map(root, "metadata").and_then(|metadata| map(metadata, "labels"));
    for (key, value) in labels.into_iter().flatten() {
        let (Some(mode), Some(text)) = (key.as_str().strip_prefix(PREFIX), value.as_str()) else {
            continue;
        };
        match mode {
            "enforce" | "audit" | "warn"
                if !matches!(text, "privileged" | "baseline" | "restricted") =>
            {
                faults.must(value, "be one of privileged, baseline, restricted");
            }
            "enforce-version" | "audit-version" | "warn-version" => {
                let minor = text.strip_prefix("v1.").unwrap_or_default();
                let is_number = !minor.is_empty() && minor.bytes().all(|b| b.is_ascii_digit());
                if text != "latest" && (!is_number || minor.len() > 1 && minor.starts_with('0')) {
                    faults.must(value, "be latest or a release such as v1.36");
                }
            }
            _ => {}
        }
    }
}

/// The metadata of a template, which needs no name.
pub(super) fn template<'v>(faults: &mut Faults<'v>, template: &'v Map) {
    let Some(metadata) = map(template, "metadata") else { return };
    labels(faults, metadata.get("labels"));
    annotations(faults, metadata);
}

/// Keys and values of labels, or of a selector that is made of them.
pub(super) fn labels<'v>(faults: &mut Faults<'v>, labels: Option<&'v Value>) {
    let Some(labels) = labels.and_then(Value::as_object) else { return };
    for (key, value) in labels {
        if let Some(wanted) = names::qualified(key) {
            faults.key(labels, key, wanted);
        }
        faults.name(Some(value), names::label_value);
    }
}

fn annotations<'v>(faults: &mut Faults<'v>, metadata: &'v Map) {
    let Some(value) = metadata.get("annotations") else { return };
    let Some(annotations) = value.as_object() else { return };
    let mut size = 0;
    for (key, value) in annotations {
        if let Some(wanted) = names::annotation(key) {
            faults.key(annotations, key, wanted);
        }
        size += key.len() + value.as_str().map_or(0, str::len);
    }
    if size > ANNOTATIONS {
        faults.says(value, format!("must have at most 262144 bytes in all, and has {size}"));
    }
}

fn owners<'v>(faults: &mut Faults<'v>, metadata: &'v Map) {
    let mut controllers = 0;
    for owner in list(metadata, "ownerReferences") {
        let Some(fields) = owner.as_object() else { continue };
        for name in ["apiVersion", "kind", "name", "uid"] {
            if let Some(value) = of(fields, name).filter(|value| *value == "") {
                faults.says(value, "must not be empty");
            }
        }
        if fields.get("controller") == Some(&Value::Bool(true)) {
            controllers += 1;
            if controllers == 2 {
                faults.clash(fields, "controller", "is true for another owner already");
            }
        }
    }
}
