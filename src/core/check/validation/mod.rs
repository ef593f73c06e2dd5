//! Rules of the API server's own validation that no schema says.
//!
//! Each module holds the rules of some kinds, as Kubernetes 1.36 has them in `pkg/apis/*/validation`.
//! A rule here is one that the server surely refuses a new object by: what depends on the cluster,
//! on another object or on a feature gate that may be off is left out. A sound object costs no
//! allocation: a fault points at the value itself, and its path is looked for only then.

mod autoscaling;
mod claims;
mod containers;
mod cron;
mod data;
mod definitions;
mod endpoints;
mod faults;
mod ingresses;
mod jobs;
mod lists;
mod metadata;
mod mounts;
mod names;
mod networks;
mod numbers;
mod pods;
mod policies;
mod probes;
mod quantities;
mod quotas;
mod rbac;
mod scheduling;
mod schemas;
mod security;
mod selectors;
mod servers;
mod services;
mod storage;
#[cfg(test)]
mod tests;
mod volumes;
mod webhooks;
mod workloads;

use super::Finding;
use crate::core::kinds::schemas::{SchemaLookup, Schemas};
use crate::core::manifest::Manifest;
use crate::core::object::ObjectKey;

use faults::Faults;
pub(super) use lists::repeated;

/// The findings of the server's validation about an object.
pub(super) fn refused(key: &ObjectKey, manifest: &Manifest, schemas: &Schemas) -> Vec<Finding> {
    let object = &manifest.object;
    let mut faults = Faults::of(object);
    let root = faults.root();
    let found = schemas.find(object);
    let names = match found {
        SchemaLookup::Release(_) => metadata::rule(&key.group, &key.kind),
        SchemaLookup::Custom(_) | SchemaLookup::Unspecified => names::subdomain,
        SchemaLookup::OtherVersions(_) | SchemaLookup::Nowhere => names::segment,
    };
    metadata::object(&mut faults, root, names);
    if matches!(found, SchemaLookup::Release(_)) {
        let spec = root.get("spec");
        match (key.group.as_str(), key.kind.as_str()) {
            ("", kind) => core(&mut faults, kind),
            ("apps", kind) => workloads::apps(&mut faults, kind),
            ("batch", kind) => jobs::batch(&mut faults, kind, &key.name),
            ("autoscaling", "HorizontalPodAutoscaler") => autoscaling::scaler(&mut faults, spec),
            ("policy", "PodDisruptionBudget") => policies::budget(&mut faults, spec),
            ("networking.k8s.io", "Ingress") => ingresses::ingress(&mut faults),
            ("networking.k8s.io", "NetworkPolicy") => networks::policy(&mut faults, spec),
            ("networking.k8s.io", "IngressClass") => ingresses::class(&mut faults, spec),
            ("rbac.authorization.k8s.io", kind) => rbac::rbac(&mut faults, kind),
            ("scheduling.k8s.io", "PriorityClass") => policies::priority(&mut faults),
            ("storage.k8s.io", "StorageClass") => storage::class(&mut faults),
            ("admissionregistration.k8s.io", kind) => webhooks::registration(&mut faults, kind),
            ("apiextensions.k8s.io", "CustomResourceDefinition") => {
                definitions::definition(&mut faults, &key.name);
            }
            ("apiregistration.k8s.io", "APIService") => servers::service(&mut faults, &key.name),
            ("certificates.k8s.io", "CertificateSigningRequest") => {
                servers::signing(&mut faults, spec);
            }
            ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration") => {
                servers::level(&mut faults, &key.name, spec);
            }
            ("discovery.k8s.io", "EndpointSlice") => endpoints::slice(&mut faults),
            ("node.k8s.io", "RuntimeClass") => endpoints::runtime(&mut faults),
            ("coordination.k8s.io", "Lease") => endpoints::lease(&mut faults, spec),
            _ => {}
        }
        metadata::finalizers(&mut faults, &key.group, &key.kind);
    }
    faults.findings(key, manifest)
}

/// The kinds of the core group.
fn core(faults: &mut Faults<'_>, kind: &str) {
    let root = faults.root();
    let spec = root.get("spec");
    match kind {
        "Pod" => pods::pod(faults),
        "ReplicationController" => workloads::replication_controller(faults),
        "PodTemplate" => workloads::template(faults, root.get("template")),
        "Service" => services::service(faults),
        "ConfigMap" => data::config_map(faults),
        "Secret" => data::secret(faults),
        "LimitRange" => quotas::limit_range(faults, spec),
        "ResourceQuota" => quotas::quota(faults, spec),
        "PersistentVolumeClaim" => claims::claim(faults, spec),
        "Namespace" => metadata::namespace(faults),
        "Endpoints" => endpoints::endpoints(faults),
        "Node" => endpoints::node(faults, spec),
        "PersistentVolume" => storage::volume(faults, spec),
        _ => {}
    }
}
