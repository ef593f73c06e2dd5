//! Mounts of containers, and whether the Pod has their volumes.
//!
//! Source of the rules: `ValidateVolumeMounts` and `ValidateVolumeDevices` in Kubernetes'
//! `pkg/apis/core/validation/validation.go`.

use super::faults::{Faults, maps, of, text};
use super::volumes;
use crate::core::json::{Map, Value};
use crate::core::suggest::suggest;

/// The volumes that a container mounts, and the devices that it has.
pub(super) fn mounts<'v>(
    faults: &mut Faults<'v>,
    container: &'v Map,
    pod: &'v Map,
    claims: &'v [Value],
) {
    for mount in maps(container, "volumeMounts") {
        there(faults, mount, pod, claims);
        for field in ["subPath", "subPathExpr"] {
            volumes::relative(faults, mount, field);
        }
        if text(mount, "subPath").is_some() && text(mount, "subPathExpr").is_some() {
            faults.clash(mount, "subPathExpr", "excludes `subPath`");
        }
        if mount.get("mountPath").is_some_and(|path| path == "") {
            faults.says(mount.get("mountPath").unwrap_or(&Value::Null), "must not be empty");
        }
        if text(mount, "mountPropagation") == Some("Bidirectional") && !is_privileged(container) {
            faults.clash(
                mount,
                "mountPropagation",
                "must not be Bidirectional without `privileged`",
            );
        }
        let is_read_only = mount.get("readOnly") == Some(&Value::Bool(true));
        if matches!(text(mount, "recursiveReadOnly"), Some("Enabled" | "IfPossible"))
            && !is_read_only
        {
            faults.clash(mount, "recursiveReadOnly", "needs `readOnly: true`");
        }
        let same = |field: &str, value: Option<&Value>| {
            value.is_some() && maps(container, "volumeDevices").any(|it| it.get(field) == value)
        };
        if same("name", mount.get("name")) {
            faults.clash(mount, "name", "is in volumeDevices already");
        }
    }
    for device in maps(container, "volumeDevices") {
        there(faults, device, pod, claims);
        let of_pod = maps(pod, "volumes").find(|volume| volume.get("name") == device.get("name"));
        let is_block = |volume: &Map| {
            of(volume, "persistentVolumeClaim").is_some() || of(volume, "ephemeral").is_some()
        };
        if of_pod.is_some_and(|volume| !is_block(volume)) {
            faults.clash(device, "name", "must be a volume of a claim: it is used as a device");
        }
    }
}

fn is_privileged(container: &Map) -> bool {
    let context = container.get("securityContext").and_then(Value::as_object);
    context.is_some_and(|it| it.get("privileged") == Some(&Value::Bool(true)))
}

/// A volume that the Pod must have.
fn there<'v>(faults: &mut Faults<'v>, mount: &'v Map, pod: &'v Map, claims: &'v [Value]) {
    let Some((value, name)) = of(mount, "name").and_then(|v| Some((v, v.as_str()?))) else {
        return;
    };
    let of_claims = claims.iter().filter_map(|claim| claim["metadata"]["name"].as_str());
    let of_pod = maps(pod, "volumes").filter_map(|volume| text(volume, "name"));
    if !of_pod.clone().chain(of_claims.clone()).any(|has| has == name) {
        faults.says(value, format!("is not a volume of the Pod: \"{name}\""));
        let meant = suggest(name, of_pod.chain(of_claims)).first().map(|it| format!("write {it}"));
        faults.hint(meant);
    }
}
