//! Pods and their templates.
//!
//! Source of the rules: `ValidatePodSpec` and `ValidatePodTemplateSpec` in Kubernetes'
//! `pkg/apis/core/validation/validation.go`.

use super::faults::{Faults, get, list, map, maps, of, text};
use super::{
    containers, metadata, names, networks, numbers, quantities, scheduling, security, volumes,
};
use crate::core::json::{Map, Value};

const I32: i64 = i32::MAX as i64;

/// A Pod itself.
pub(super) fn pod(faults: &mut Faults<'_>) {
    let root = faults.root();
    let Some(spec) = map(root, "spec") else { return };
    self::spec(faults, spec, &[]);
    if !list(spec, "ephemeralContainers").is_empty() {
        faults.clash(spec, "ephemeralContainers", "must not be in a new Pod");
    }
    for container in maps(spec, "containers").chain(maps(spec, "initContainers")) {
        if let Some(value) = container.get("image")
            && value.as_str().is_some_and(|image| image.trim() != image && !image.is_empty())
        {
            faults.must(value, "have no space at its ends");
        }
    }
}

/// A template, and its Pod.
pub(super) fn template<'v>(faults: &mut Faults<'v>, template: Option<&'v Value>) {
    with_claims(faults, template, &[]);
}

/// The same beside claims that become volumes of the Pod.
pub(super) fn with_claims<'v>(
    faults: &mut Faults<'v>,
    template: Option<&'v Value>,
    claims: &'v [Value],
) {
    let Some(template) = template.and_then(Value::as_object) else { return };
    metadata::template(faults, template);
    let Some(spec) = map(template, "spec") else {
        return faults.missing(template, "spec", ": a Pod needs a container");
    };
    self::spec(faults, spec, claims);
    if !list(spec, "ephemeralContainers").is_empty() {
        faults.clash(spec, "ephemeralContainers", "must not be in a template");
    }
}

/// The names of its containers.
pub(super) fn container_names(spec: &Map) -> impl Iterator<Item = &str> {
    let all = maps(spec, "containers").chain(maps(spec, "initContainers"));
    all.filter_map(|container| text(container, "name"))
}

fn spec<'v>(faults: &mut Faults<'v>, spec: &'v Map, claims: &'v [Value]) {
    volumes::volumes(faults, spec);
    if let Some(value) = spec.get("containers").filter(|value| !value.is_null())
        && value.as_array().is_some_and(Vec::is_empty)
    {
        faults.says(value, "must have at least one container");
    }
    let is_hosted = spec.get("hostNetwork") == Some(&Value::Bool(true));
    for container in maps(spec, "containers") {
        containers::container(faults, container, spec, claims);
        containers::running(faults, container);
        if is_hosted {
            containers::host_network(faults, container);
        }
    }
    for container in maps(spec, "initContainers") {
        containers::container(faults, container, spec, claims);
        containers::initial(faults, container);
        if let Some(value) = container.get("name")
            && maps(spec, "containers").any(|other| other.get("name") == Some(value))
        {
            faults.repeated(value);
        }
    }
    containers::host_ports(faults, spec);
    metadata::labels(faults, spec.get("nodeSelector"));
    for (field, grammar) in [
        ("serviceAccountName", names::subdomain as fn(&str) -> names::Wanted),
        ("nodeName", names::subdomain),
        ("priorityClassName", names::subdomain),
        ("runtimeClassName", names::subdomain),
        ("hostnameOverride", names::subdomain),
    ] {
        faults.name_if_any(spec, field, grammar);
    }
    // The controller of a StatefulSet writes these itself.
    if claims.is_empty() {
        faults.name_if_any(spec, "hostname", names::label);
        faults.name_if_any(spec, "subdomain", names::label);
    }
    numbers::within(faults, spec, "activeDeadlineSeconds", 1, I32);
    scheduling::pod(faults, spec);
    rights(faults, spec);
    resolver(faults, spec);
    for alias in maps(spec, "hostAliases") {
        networks::ip(faults, alias.get("ip"));
        for name in list(alias, "hostnames") {
            faults.name(Some(name), names::subdomain);
        }
    }
    for gate in maps(spec, "readinessGates") {
        faults.name(gate.get("conditionType"), names::qualified);
    }
    for claim in maps(spec, "resourceClaims") {
        let sources = ["resourceClaimName", "resourceClaimTemplateName"];
        if sources.iter().all(|source| of(claim, source).is_none()) {
            faults.missing(claim, "resourceClaimName", ", as is `resourceClaimTemplateName`");
        }
        faults.at_most_one_of(claim, &sources);
    }
    for gate in maps(spec, "schedulingGates") {
        faults.name(gate.get("name"), names::qualified);
    }
}

/// The user and the groups that it runs as.
fn rights<'v>(faults: &mut Faults<'v>, spec: &'v Map) {
    let is_true = |field| spec.get(field) == Some(&Value::Bool(true));
    if is_true("shareProcessNamespace") && is_true("hostPID") {
        faults.clash(spec, "shareProcessNamespace", "excludes `hostPID`");
    }
    for (_, amount) in map(spec, "overhead").into_iter().flatten() {
        quantities::not_negative(faults, Some(amount));
    }
    security::system(faults, spec);
    if spec.get("hostUsers") == Some(&Value::Bool(false)) {
        for field in ["hostNetwork", "hostPID", "hostIPC"] {
            if is_true(field) {
                faults.clash(spec, field, "excludes `hostUsers: false`");
            }
        }
    }
    let Some(context) = map(spec, "securityContext") else { return };
    security::sysctls(faults, context);
    for field in ["runAsUser", "runAsGroup", "fsGroup"] {
        numbers::within(faults, context, field, 0, I32);
    }
    for group in list(context, "supplementalGroups") {
        if group.as_i64().is_some_and(|group| !(0..=I32).contains(&group)) {
            faults.must(group, format!("be from 0 to {I32}"));
        }
    }
    security::profiles(faults, context);
}

/// How it finds names.
fn resolver<'v>(faults: &mut Faults<'v>, spec: &'v Map) {
    let config = map(spec, "dnsConfig");
    if text(spec, "dnsPolicy") == Some("None") {
        match config {
            None => faults.missing(spec, "dnsConfig", ": dnsPolicy is None"),
            Some(config) if list(config, "nameservers").is_empty() => {
                faults.missing(config, "nameservers", ": dnsPolicy is None");
            }
            Some(_) => {}
        }
    }
    let Some(config) = config else { return };
    for (field, most) in [("nameservers", 3), ("searches", 32)] {
        if let Some(value) = get(spec.get("dnsConfig"), field)
            && list(config, field).len() > most
        {
            faults.says(value, format!("must have at most {most} elements"));
        }
    }
    for server in list(config, "nameservers") {
        networks::ip(faults, Some(server));
    }
    for search in list(config, "searches") {
        if let Some(text) = search.as_str().filter(|text| *text != ".") {
            let name = text.strip_suffix('.').unwrap_or(text);
            if let Some(wanted) = names::subdomain_with_underscore(name) {
                faults.must(search, wanted);
            }
        }
    }
}
