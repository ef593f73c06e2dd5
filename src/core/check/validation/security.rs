//! Profiles and settings of the kernel for Pods and containers.
//!
//! Source of the rules: `validatePodSpecSecurityContext` and what it calls in Kubernetes'
//! `pkg/apis/core/validation/validation.go`.

use super::faults::{Faults, map, maps, of, text};
use super::volumes;
use crate::core::json::{Map, Value};

/// The settings of the kernel.
pub(super) fn sysctls<'v>(faults: &mut Faults<'v>, context: &'v Map) {
    for (index, sysctl) in maps(context, "sysctls").enumerate() {
        let Some(value) = of(sysctl, "name") else { continue };
        let Some(name) = value.as_str() else { continue };
        let is_inner = |byte: u8| is_end(byte) || matches!(byte, b'-' | b'_');
        let is_part = |part: &str| {
            let bytes = part.as_bytes();
            bytes.first().is_some_and(|byte| is_end(*byte))
                && bytes.last().is_some_and(|byte| is_end(*byte))
                && bytes.iter().all(|byte| is_inner(*byte))
        };
        if name.len() > 253 || !name.split(['.', '/']).all(is_part) {
            faults.must(value, "be the name of a sysctl, such as kernel.shm_rmid_forced");
        }
        if maps(context, "sysctls").take(index).any(|other| other.get("name") == Some(value)) {
            faults.repeated(value);
        }
    }
}

fn is_end(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

/// The profiles of seccomp and AppArmor.
pub(super) fn profiles<'v>(faults: &mut Faults<'v>, context: &'v Map) {
    profile(faults, context, "seccompProfile");
    profile(faults, context, "appArmorProfile");
    if let Some(seccomp) = map(context, "seccompProfile") {
        volumes::relative(faults, seccomp, "localhostProfile");
    }
}

fn profile<'v>(faults: &mut Faults<'v>, context: &'v Map, name: &str) {
    let Some(profile) = map(context, name) else { return };
    let (is_local, has) =
        (text(profile, "type") == Some("Localhost"), of(profile, "localhostProfile"));
    match has {
        None if is_local => faults.missing(profile, "localhostProfile", ": type is Localhost"),
        Some(_) if !is_local => faults.clash(profile, "localhostProfile", "needs type Localhost"),
        _ => {}
    }
}

/// Settings of a pod that its operating system does not have
/// (`validateWindows` and `validateLinux` in `pkg/apis/core/validation/validation.go`).
pub(super) fn system<'v>(faults: &mut Faults<'v>, spec: &'v Map) {
    let Some(system) = map(spec, "os").and_then(|os| of(os, "name")) else { return };
    let lists = ["containers", "initContainers", "ephemeralContainers"];
    let contexts = lists.iter().flat_map(|list| maps(spec, list));
    let contexts = contexts.filter_map(|container| map(container, "securityContext"));
    match system.as_str() {
        Some("linux") => {
            for context in map(spec, "securityContext").into_iter().chain(contexts) {
                unavailable(faults, context, &["windowsOptions"], "linux");
            }
        }
        Some("windows") => {
            for field in ["hostPID", "hostIPC"] {
                if spec.get(field) == Some(&Value::Bool(true)) {
                    unavailable(faults, spec, &[field], "windows");
                }
            }
            unavailable(faults, spec, &["hostUsers", "shareProcessNamespace"], "windows");
            if let Some(context) = map(spec, "securityContext") {
                unavailable(faults, context, &OF_PODS, "windows");
                if maps(context, "sysctls").next().is_some() {
                    unavailable(faults, context, &["sysctls"], "windows");
                }
            }
            for context in contexts {
                unavailable(faults, context, &OF_CONTAINERS, "windows");
            }
        }
        Some(_) => faults.must(system, "be linux or windows"),
        None => {}
    }
}

/// The fields of a pod's security context that Windows does not have.
const OF_PODS: [&str; 9] = [
    "appArmorProfile",
    "fsGroup",
    "fsGroupChangePolicy",
    "runAsGroup",
    "runAsUser",
    "seLinuxOptions",
    "seccompProfile",
    "supplementalGroups",
    "supplementalGroupsPolicy",
];
/// Those of a container's.
const OF_CONTAINERS: [&str; 10] = [
    "allowPrivilegeEscalation",
    "appArmorProfile",
    "capabilities",
    "privileged",
    "procMount",
    "readOnlyRootFilesystem",
    "runAsGroup",
    "runAsUser",
    "seLinuxOptions",
    "seccompProfile",
];

fn unavailable<'v>(
    faults: &mut Faults<'v>,
    context: &'v Map,
    fields: &[&'static str],
    system: &str,
) {
    for field in fields.iter().filter(|field| of(context, field).is_some()) {
        faults.clash(context, field, format!("is not available on {system}"));
    }
}
