//! Volumes of Pods.
//!
//! Source of the rules: `ValidateVolumes` and what it calls in Kubernetes'
//! `pkg/apis/core/validation/validation.go`.

use super::faults::{Faults, map, maps, of, text};
use super::{claims, names, numbers, quantities};
use crate::core::json::{Map, Value};

/// The sources that a volume may have; an empty directory is the default of none.
const SOURCES: [&str; 30] = [
    "emptyDir",
    "hostPath",
    "gitRepo",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "secret",
    "nfs",
    "iscsi",
    "glusterfs",
    "flocker",
    "persistentVolumeClaim",
    "rbd",
    "cinder",
    "cephfs",
    "quobyte",
    "downwardAPI",
    "fc",
    "flexVolume",
    "configMap",
    "azureFile",
    "vsphereVolume",
    "photonPersistentDisk",
    "portworxVolume",
    "azureDisk",
    "storageos",
    "projected",
    "scaleIO",
    "csi",
    "ephemeral",
    "image",
];

/// The volumes of a Pod.
pub(super) fn volumes<'v>(faults: &mut Faults<'v>, spec: &'v Map) {
    for volume in maps(spec, "volumes") {
        faults.name(volume.get("name"), names::label);
        if faults.at_most_one_of(volume, &SOURCES) {
            source(faults, volume);
        }
    }
}

fn source<'v>(faults: &mut Faults<'v>, volume: &'v Map) {
    if let Some(secret) = map(volume, "secret") {
        if text(secret, "secretName").is_none() {
            faults.missing(secret, "secretName", "");
        }
        items(faults, secret);
    }
    if let Some(config) = map(volume, "configMap") {
        if text(config, "name").is_none() {
            faults.missing(config, "name", "");
        }
        items(faults, config);
    }
    if let Some(directory) = map(volume, "emptyDir") {
        quantities::not_negative(faults, directory.get("sizeLimit"));
    }
    if let Some(host) = map(volume, "hostPath") {
        no_steps_back(faults, host, "path");
        if host.get("path").is_some_and(|path| path == "") {
            faults.says(host.get("path").unwrap_or(&Value::Null), "must not be empty");
        }
    }
    if let Some(share) = map(volume, "nfs")
        && let Some(value) = share.get("path")
        && value.as_str().is_some_and(|path| !path.starts_with('/'))
    {
        faults.must(value, "be an absolute path");
    }
    if let Some(claim) = map(volume, "persistentVolumeClaim")
        && let Some(value) = claim.get("claimName").filter(|name| *name == "")
    {
        faults.says(value, "must not be empty");
    }
    if let Some(files) = map(volume, "downwardAPI") {
        mode(faults, files, "defaultMode");
        for file in maps(files, "items") {
            downward(faults, file);
        }
    }
    driven(faults, volume);
    if let Some(projected) = map(volume, "projected") {
        self::projected(faults, projected);
    }
    let template = map(volume, "ephemeral").map(|it| (it, map(it, "volumeClaimTemplate")));
    match template {
        Some((ephemeral, None)) => faults.missing(ephemeral, "volumeClaimTemplate", ""),
        Some((_, Some(template))) => claims::claim(faults, template.get("spec")),
        None => {}
    }
}

/// Sources of old, and those of drivers.
fn driven<'v>(faults: &mut Faults<'v>, volume: &'v Map) {
    if let Some(csi) = map(volume, "csi") {
        driver(faults, csi);
    }
    for (source, field) in
        [("azureFile", "secretName"), ("azureFile", "shareName"), ("image", "reference")]
    {
        let value = map(volume, source).and_then(|source| source.get(field));
        if let Some(value) = value.filter(|value| **value == *"") {
            faults.says(value, "must not be empty");
        }
    }
    if let Some(value) = map(volume, "iscsi").and_then(|iscsi| iscsi.get("iqn"))
        && let Some(name) = value.as_str()
        && !["iqn", "eui", "naa"].iter().any(|start| name.starts_with(start))
    {
        faults.must(value, "start with iqn, eui or naa");
    }
}

/// The name of a driver.
pub(super) fn driver<'v>(faults: &mut Faults<'v>, csi: &'v Map) {
    let Some(value) = csi.get("driver") else { return };
    let Some(name) = value.as_str() else { return };
    if name.len() > 63 {
        faults.says(value, "must have at most 63 characters");
    } else if let Some(wanted) = names::subdomain(&name.to_ascii_lowercase()) {
        faults.must(value, wanted);
    }
}

fn projected<'v>(faults: &mut Faults<'v>, projected: &'v Map) {
    mode(faults, projected, "defaultMode");
    let kinds = [
        "secret",
        "configMap",
        "downwardAPI",
        "serviceAccountToken",
        "clusterTrustBundle",
        "podCertificate",
    ];
    for source in maps(projected, "sources") {
        faults.at_most_one_of(source, &kinds);
        for kind in ["secret", "configMap"] {
            let Some(from) = map(source, kind) else { continue };
            if text(from, "name").is_none() {
                faults.missing(from, "name", "");
            }
            items(faults, from);
        }
        if let Some(files) = map(source, "downwardAPI") {
            for file in maps(files, "items") {
                downward(faults, file);
            }
        }
        if let Some(token) = map(source, "serviceAccountToken") {
            numbers::within(faults, token, "expirationSeconds", 600, 1 << 32);
            inside(faults, token, "path");
        }
    }
}

fn downward<'v>(faults: &mut Faults<'v>, file: &'v Map) {
    inside(faults, file, "path");
    mode(faults, file, "mode");
    match (of(file, "fieldRef"), of(file, "resourceFieldRef")) {
        (Some(_), Some(_)) => faults.clash(file, "resourceFieldRef", "excludes `fieldRef`"),
        (None, None) => faults.missing(file, "fieldRef", ", as is `resourceFieldRef`"),
        (None, Some(resource)) => {
            if let Some(resource) = resource.as_object()
                && text(resource, "containerName").is_none()
            {
                faults.missing(resource, "containerName", ": a file needs it");
            }
        }
        (Some(_), None) => {}
    }
}

/// Keys that become files.
fn items<'v>(faults: &mut Faults<'v>, from: &'v Map) {
    mode(faults, from, "defaultMode");
    for item in maps(from, "items") {
        inside(faults, item, "path");
        mode(faults, item, "mode");
        for field in ["key", "path"] {
            if let Some(value) = item.get(field).filter(|value| *value == "") {
                faults.says(value, "must not be empty");
            }
        }
    }
}

fn mode<'v>(faults: &mut Faults<'v>, map: &'v Map, field: &str) {
    if let Some(value) = map.get(field)
        && value.as_i64().is_some_and(|mode| !(0..=0o777).contains(&mode))
    {
        faults.must(value, "be from 0 to 511, which is 0777");
    }
}

/// A path below a directory.
pub(super) fn relative<'v>(faults: &mut Faults<'v>, map: &'v Map, field: &str) {
    if text(map, field).is_some_and(|path| path.starts_with('/')) {
        faults.must(map.get(field).unwrap_or(&Value::Null), "be a relative path");
    }
    no_steps_back(faults, map, field);
}

/// The same, without a name of the kubelet's own.
fn inside<'v>(faults: &mut Faults<'v>, map: &'v Map, field: &str) {
    relative(faults, map, field);
    let is_own =
        text(map, field).is_some_and(|path| path.starts_with("..") && !has_steps_back(path));
    if is_own {
        faults.must(map.get(field).unwrap_or(&Value::Null), "not start with '..'");
    }
}

fn has_steps_back(path: &str) -> bool {
    path.split('/').any(|part| part == "..")
}

/// A path that does not go up.
pub(super) fn no_steps_back<'v>(faults: &mut Faults<'v>, map: &'v Map, field: &str) {
    if text(map, field).is_some_and(has_steps_back) {
        faults.must(map.get(field).unwrap_or(&Value::Null), "not have '..' in it");
    }
}
