//! Containers: their environment, ports, resources and rights.
//!
//! Source of the rules: `validateContainerCommon` and what it calls in Kubernetes'
//! `pkg/apis/core/validation/validation.go`.

use super::faults::{Faults, get, integer, list, map, maps, of, text};
use super::{mounts, names, numbers, probes, quantities, security};
use crate::core::json::{Map, Value};

/// The fields of a Pod that a variable may have.
const FIELDS: [&str; 9] = [
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];

/// The rules of every container.
pub(super) fn container<'v>(
    faults: &mut Faults<'v>,
    container: &'v Map,
    pod: &'v Map,
    claims: &'v [Value],
) {
    faults.name(container.get("name"), names::label);
    if text(container, "image").is_none()
        && container.get("image").is_none_or(|it| it.is_null() || it == "")
    {
        faults.missing(container, "image", "");
    }
    ports(faults, container);
    environment(faults, container);
    mounts::mounts(faults, container, pod, claims);
    quantities::resources(faults, container);
    rights(faults, container);
    for claim in
        list(container.get("resources").and_then(Value::as_object).unwrap_or(container), "claims")
    {
        let Some(name) = claim.as_object().and_then(|claim| of(claim, "name")) else { continue };
        if !maps(pod, "resourceClaims").any(|has| has.get("name") == Some(name)) {
            faults.says(name, "is not one of the Pod's resourceClaims");
        }
    }
    for (index, policy) in maps(container, "resizePolicy").enumerate() {
        if let Some(name) = of(policy, "resourceName")
            && maps(container, "resizePolicy")
                .take(index)
                .any(|it| it.get("resourceName") == Some(name))
        {
            faults.repeated(name);
        }
    }
    if let Some(value) = of(container, "restartPolicy")
        && !matches!(value.as_str(), Some("Always" | "Never" | "OnFailure") | None)
    {
        faults.must(value, "be one of Always, Never, OnFailure");
    }
}

/// The rules of those that run all the time.
pub(super) fn running<'v>(faults: &mut Faults<'v>, container: &'v Map) {
    probes::probes(faults, container);
}

/// The rules of those that run before.
pub(super) fn initial<'v>(faults: &mut Faults<'v>, container: &'v Map) {
    if text(container, "restartPolicy") == Some("Always") {
        return running(faults, container);
    }
    for field in ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] {
        if of(container, field).is_some() {
            faults.clash(container, field, "needs restartPolicy Always in an init container");
        }
    }
}

fn ports<'v>(faults: &mut Faults<'v>, container: &'v Map) {
    for (index, port) in maps(container, "ports").enumerate() {
        faults.name_if_any(port, "name", names::port);
        numbers::port(faults, port, "containerPort");
        numbers::port_if_any(faults, port, "hostPort");
        if let Some(value) = port.get("name").filter(|value| *value != "" && !value.is_null())
            && maps(container, "ports").take(index).any(|other| other.get("name") == Some(value))
        {
            faults.repeated(value);
        }
    }
}

/// The host's ports of a Pod on the host's network, which are its own.
pub(super) fn host_network<'v>(faults: &mut Faults<'v>, container: &'v Map) {
    for port in maps(container, "ports") {
        let host = integer(port, "hostPort").filter(|host| *host != 0);
        if host.is_some_and(|host| integer(port, "containerPort").is_some_and(|own| own != host)) {
            faults.clash(port, "hostPort", "must be the same as `containerPort` with hostNetwork");
        }
    }
}

/// Ports of the host that two containers want.
pub(super) fn host_ports<'v>(faults: &mut Faults<'v>, pod: &'v Map) {
    let ports = maps(pod, "containers").flat_map(|container| maps(container, "ports"));
    let key = |port: &'v Map| {
        let host = integer(port, "hostPort").filter(|host| *host != 0)?;
        Some((host, text(port, "protocol").unwrap_or("TCP"), text(port, "hostIP").unwrap_or("")))
    };
    for (index, port) in ports.clone().enumerate() {
        if let (Some(wanted), Some(value)) = (key(port), port.get("hostPort"))
            && ports.clone().take(index).any(|other| key(other) == Some(wanted))
        {
            faults.repeated(value);
        }
    }
}

fn environment<'v>(faults: &mut Faults<'v>, container: &'v Map) {
    for variable in maps(container, "env") {
        faults.name(variable.get("name"), names::env);
        let Some(around) = of(variable, "valueFrom") else { continue };
        let Some(from) = around.as_object() else { continue };
        let sources =
            ["fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef"];
        faults.one_of(from, around, &sources);
        if text(variable, "value").is_some() {
            faults.clash(variable, "valueFrom", "excludes `value`");
        }
        if let Some(field) = map(from, "fieldRef") {
            field_path(faults, field);
        }
        if let Some(resource) = map(from, "resourceFieldRef") {
            resource_field(faults, resource);
        }
        for (source, grammar) in [
            ("configMapKeyRef", names::data_key as fn(&str) -> names::Wanted),
            ("secretKeyRef", names::data_key),
        ] {
            if let Some(reference) = map(from, source) {
                faults.name(reference.get("key"), grammar);
                faults.name(reference.get("name"), names::subdomain);
                if reference.get("name").is_none_or(Value::is_null) {
                    faults.missing(reference, "name", "");
                }
            }
        }
    }
    for (index, source) in list(container, "envFrom").iter().enumerate() {
        let Some(from) = source.as_object() else { continue };
        faults.name_if_any(from, "prefix", names::env);
        if let Some(value) = list(container, "envFrom").get(index) {
            faults.one_of(from, value, &["configMapRef", "secretRef"]);
        }
        for source in ["configMapRef", "secretRef"] {
            let Some(reference) = map(from, source) else { continue };
            match of(reference, "name") {
                None => faults.missing(reference, "name", ""),
                name => faults.name(name, names::subdomain),
            }
        }
    }
}

/// A resource of a container that a variable or a file is given.
pub(super) fn resource_field<'v>(faults: &mut Faults<'v>, field: &'v Map) {
    let Some(value) = field.get("resource") else { return };
    let Some(name) = value.as_str() else { return };
    let measured = name.strip_prefix("limits.").or(name.strip_prefix("requests."));
    let is_known = |it: &str| {
        matches!(it, "cpu" | "memory" | "ephemeral-storage") || it.starts_with("hugepages-")
    };
    if !measured.is_some_and(is_known) {
        faults.must(value, "be limits or requests of one, such as limits.cpu");
    }
    let Some(divisor) = of(field, "divisor") else { return };
    let Some(amount) = quantities::amount(divisor).filter(|amount| *amount != 0) else { return };
    let one = quantities::ONE;
    match measured {
        Some("cpu") if amount != one && amount * 1000 != one => {
            faults.must(divisor, "be 1 or 1m");
        }
        Some("cpu") | None => {}
        Some(_) => {
            let is_power =
                |base: i128, most: u32| (0..=most).any(|power| amount == one * base.pow(power));
            if !is_power(1000, 6) && !is_power(1024, 6) {
                faults.must(divisor, "be 1 of a unit of bytes, such as 1Mi");
            }
        }
    }
}

/// A field of the Pod that a variable is given.
fn field_path<'v>(faults: &mut Faults<'v>, field: &'v Map) {
    // Of another version the server says more.
    if text(field, "apiVersion").is_some_and(|version| version != "v1") {
        return;
    }
    let Some(value) = field.get("fieldPath") else { return };
    let Some(path) = value.as_str() else { return };
    let subscript =
        path.split_once("['").and_then(|(map, rest)| Some((map, rest.strip_suffix("']")?)));
    let is_known = match subscript {
        Some(("metadata.annotations", key)) => names::annotation(key).is_none(),
        Some(("metadata.labels", key)) => names::qualified(key).is_none(),
        Some(_) => false,
        // An alias of before v1.
        None => FIELDS.contains(&path) || path == "spec.host",
    };
    if !is_known {
        faults.must(
            value,
            format!(
                "be metadata.labels['KEY'], metadata.annotations['KEY'] or one of {}",
                FIELDS.join(", ")
            ),
        );
    }
}

fn rights<'v>(faults: &mut Faults<'v>, container: &'v Map) {
    let Some(context) = map(container, "securityContext") else { return };
    for field in ["runAsUser", "runAsGroup"] {
        numbers::within(faults, context, field, 0, i64::from(i32::MAX));
    }
    security::profiles(faults, context);
    if context.get("allowPrivilegeEscalation") != Some(&Value::Bool(false)) {
        return;
    }
    if context.get("privileged") == Some(&Value::Bool(true)) {
        faults.clash(context, "allowPrivilegeEscalation", "must not be false with `privileged`");
    }
    let added = get(context.get("capabilities"), "add").and_then(Value::as_array);
    let admin = added.into_iter().flatten().any(|capability| capability == "CAP_SYS_ADMIN");
    if admin {
        faults.clash(context, "allowPrivilegeEscalation", "must not be false with CAP_SYS_ADMIN");
    }
}
