//! PersistentVolumes and StorageClasses.
//!
//! Source of the rules: `ValidatePersistentVolumeSpec` in Kubernetes'
//! `pkg/apis/core/validation/validation.go`, and `pkg/apis/storage/validation`.

use super::faults::{Faults, get, list, map, maps, of, text};
use super::{claims, names, quantities, scheduling, volumes};
use crate::core::json::Value;

/// The sources that a PersistentVolume may have.
const SOURCES: [&str; 22] = [
    "hostPath",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "glusterfs",
    "flocker",
    "nfs",
    "rbd",
    "quobyte",
    "cephfs",
    "iscsi",
    "cinder",
    "fc",
    "flexVolume",
    "azureFile",
    "vsphereVolume",
    "photonPersistentDisk",
    "portworxVolume",
    "azureDisk",
    "scaleIO",
    "local",
    "storageos",
    "csi",
];

/// A PersistentVolume.
pub(super) fn volume<'v>(faults: &mut Faults<'v>, spec: Option<&'v Value>) {
    let Some(around) = spec else { return };
    let Some(spec) = around.as_object() else { return };
    claims::modes(faults, spec);
    match map(spec, "capacity") {
        None => faults.missing(spec, "capacity", ""),
        Some(capacity) => {
            if of(capacity, "storage").is_none() {
                faults.missing(capacity, "storage", "");
            }
            for (name, value) in capacity {
                if name != "storage" {
                    faults.key(capacity, name, "be storage");
                }
                quantities::positive(faults, Some(value));
            }
        }
    }
    if SOURCES.iter().all(|source| of(spec, source).is_none()) {
        faults.says(around, "must have a source, such as csi, nfs or hostPath");
    }
    faults.at_most_one_of(spec, &SOURCES);
    if let Some(csi) = map(spec, "csi") {
        volumes::driver(faults, csi);
    }
    if let Some(host) = map(spec, "hostPath") {
        volumes::no_steps_back(faults, host, "path");
        if let Some(value) = host.get("path").filter(|path| **path == "") {
            faults.says(value, "must not be empty");
        }
        let is_root = text(host, "path")
            .is_some_and(|path| path.split('/').all(|part| ["", "."].contains(&part)));
        if let Some(value) = spec.get("persistentVolumeReclaimPolicy")
            && is_root
            && *value == "Recycle"
        {
            faults.says(value, "must not be Recycle for the root of a node");
        }
    }
    if let Some(value) = map(spec, "nfs").and_then(|share| share.get("path"))
        && value.as_str().is_some_and(|path| !path.starts_with('/'))
    {
        faults.must(value, "be an absolute path");
    }
    if let Some(required) = map(spec, "nodeAffinity").and_then(|it| map(it, "required")) {
        scheduling::terms(faults, required);
    }
    faults.name_if_any(spec, "storageClassName", names::subdomain);
    if of(spec, "local").is_some() && get(spec.get("nodeAffinity"), "required").is_none() {
        faults.missing(spec, "nodeAffinity", ": a local volume needs it");
    }
}

/// A StorageClass.
pub(super) fn class(faults: &mut Faults<'_>) {
    let root = faults.root();
    if let Some(value) = root.get("provisioner")
        && let Some(wanted) = value.as_str().and_then(names::annotation)
    {
        faults.must(value, wanted);
    }
    for label in maps(root, "allowedTopologies").flat_map(|it| maps(it, "matchLabelExpressions")) {
        faults.name(label.get("key"), names::qualified);
        if list(label, "values").is_empty() {
            faults.missing(label, "values", ": one at least is needed");
        }
    }
    if text(root, "reclaimPolicy") == Some("Recycle") {
        faults.must(root.get("reclaimPolicy").unwrap_or(&Value::Null), "be Delete or Retain");
    }
}
