//! Services.
//!
//! Source of the rules: `validateService` in Kubernetes' `pkg/apis/core/validation/validation.go`.

use super::faults::{Faults, integer, list, map, maps, of, text};
use super::{metadata, names, networks, numbers};
use crate::core::json::{Map, Value};

const LOAD_BALANCER: &str = "LoadBalancer";
const ONE_DAY: i64 = 86_400;

/// A Service.
pub(super) fn service(faults: &mut Faults<'_>) {
    let root = faults.root();
    let Some(spec) = map(root, "spec") else { return };
    let kind = text(spec, "type").unwrap_or("ClusterIP");
    let is_headless = text(spec, "clusterIP") == Some("None")
        || list(spec, "clusterIPs").first().is_some_and(|first| first == "None");
    match kind {
        "ExternalName" => external(faults, spec),
        "NodePort" | LOAD_BALANCER if is_headless => {
            let field = if of(spec, "clusterIP").is_some() { "clusterIP" } else { "clusterIPs" };
            faults.clash(spec, field, format!("must not be None with type {kind}"));
        }
        _ => {}
    }
    if list(spec, "ports").is_empty() && !is_headless && kind != "ExternalName" {
        faults.missing(spec, "ports", ": only a headless Service goes without them");
    }
    ports(faults, spec, kind);
    metadata::labels(faults, spec.get("selector"));
    if kind != "ExternalName" {
        addresses(faults, spec);
    }
    affinity(faults, spec);
    for value in list(spec, "externalIPs") {
        networks::ip(faults, Some(value));
        let address = value.as_str().and_then(|text| text.parse::<::core::net::IpAddr>().ok());
        if address.is_some_and(|it| it.is_loopback() || it.is_unspecified()) {
            faults.must(value, "be an address that others can reach");
        }
    }
    if let Some(value) = of(spec, "trafficDistribution")
        && !matches!(
            value.as_str(),
            Some("PreferClose" | "PreferSameZone" | "PreferSameNode") | None
        )
    {
        faults.must(value, "be one of PreferClose, PreferSameNode, PreferSameZone");
    }
    balanced(faults, spec, kind);
}

fn external<'v>(faults: &mut Faults<'v>, spec: &'v Map) {
    for field in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
        let is_there = match of(spec, field) {
            Some(Value::Array(list)) => !list.is_empty(),
            Some(value) => *value != "",
            None => false,
        };
        if is_there {
            faults.clash(spec, field, "must not be there with type ExternalName");
        }
    }
    match text(spec, "externalName") {
        None => faults.missing(spec, "externalName", ": type is ExternalName"),
        Some(name) => {
            if let Some(wanted) = names::subdomain(name.strip_suffix('.').unwrap_or(name)) {
                faults.must(spec.get("externalName").unwrap_or(&Value::Null), wanted);
            }
        }
    }
}

fn ports<'v>(faults: &mut Faults<'v>, spec: &'v Map, kind: &str) {
    let count = list(spec, "ports").len();
    for (index, port) in maps(spec, "ports").enumerate() {
        let before = || maps(spec, "ports").take(index);
        if let Some(value) = of(port, "name").filter(|name| *name != "") {
            faults.name(Some(value), names::label);
            if before().any(|other| other.get("name") == Some(value)) {
                faults.repeated(value);
            }
        } else if count > 1 {
            faults.missing(port, "name", ": several ports need names");
        }
        numbers::port(faults, port, "port");
        numbers::port_if_any(faults, port, "nodePort");
        // 0 and nothing mean the port itself.
        if !matches!(port.get("targetPort"), Some(target) if *target == "" || target.as_i64() == Some(0))
        {
            numbers::port_or_name(faults, port, "targetPort");
        }
        faults.name(of(port, "appProtocol"), names::qualified);
        let Some(node) = integer(port, "nodePort").filter(|node| *node != 0) else { continue };
        if kind == "ClusterIP" {
            faults.clash(port, "nodePort", "needs type NodePort or LoadBalancer");
        }
        let protocol = |port| text(port, "protocol").unwrap_or("TCP");
        let is_same =
            |other| integer(other, "nodePort") == Some(node) && protocol(other) == protocol(port);
        if before().any(is_same) {
            faults.repeated(port.get("nodePort").unwrap_or(&Value::Null));
        }
    }
}

fn addresses<'v>(faults: &mut Faults<'v>, spec: &'v Map) {
    let all = list(spec, "clusterIPs");
    if let Some(value) = of(spec, "clusterIP").filter(|value| *value != "" && *value != "None") {
        networks::ip(faults, Some(value));
    }
    if let (Some(first), Some(value)) = (all.first(), of(spec, "clusterIP"))
        && value != first
        && *value != ""
    {
        faults.clash(spec, "clusterIP", "must be the first of `clusterIPs`");
    }
    for (index, value) in all.iter().enumerate() {
        if *value == "None" {
            if all.len() > 1 {
                return faults.must(value, "be the only one");
            }
        } else if index > 1 {
            faults.says(value, "is one too many: there are two families of addresses");
        } else {
            networks::ip(faults, Some(value));
        }
    }
    let is_six = |value: &Value| value.as_str().map(|text| text.contains(':'));
    if let [one, other] = all
        && *one != "None"
        && is_six(one) == is_six(other)
    {
        faults.must(other, "be of the other family of addresses");
    }
    let families = list(spec, "ipFamilies");
    for (index, family) in families.iter().enumerate() {
        if families[..index].contains(family) {
            faults.repeated(family);
        }
    }
}

fn affinity<'v>(faults: &mut Faults<'v>, spec: &'v Map) {
    // Without it the server drops the settings.
    if text(spec, "sessionAffinity") != Some("ClientIP") {
        return;
    }
    let client = map(spec, "sessionAffinityConfig").and_then(|config| map(config, "clientIP"));
    if let Some(client) = client {
        numbers::within(faults, client, "timeoutSeconds", 1, ONE_DAY);
    }
}

/// The fields of Services that are reached from outside.
fn balanced<'v>(faults: &mut Faults<'v>, spec: &'v Map, kind: &str) {
    for value in list(spec, "loadBalancerSourceRanges") {
        networks::cidr(faults, value);
    }
    if kind == LOAD_BALANCER {
        faults.name(of(spec, "loadBalancerClass"), names::qualified);
    } else {
        let wanted = "needs type LoadBalancer";
        if !list(spec, "loadBalancerSourceRanges").is_empty() {
            faults.clash(spec, "loadBalancerSourceRanges", wanted);
        }
        if of(spec, "allocateLoadBalancerNodePorts").is_some() {
            faults.clash(spec, "allocateLoadBalancerNodePorts", wanted);
        }
        if of(spec, "loadBalancerClass").is_some() {
            faults.clash(spec, "loadBalancerClass", wanted);
        }
    }
    let is_outside = matches!(kind, "NodePort" | LOAD_BALANCER)
        || kind == "ClusterIP" && !list(spec, "externalIPs").is_empty();
    if text(spec, "externalTrafficPolicy").is_some() && !is_outside {
        let what = "needs type NodePort or LoadBalancer, or externalIPs";
        faults.clash(spec, "externalTrafficPolicy", what);
    }
    let is_checked = kind == LOAD_BALANCER && text(spec, "externalTrafficPolicy") == Some("Local");
    if integer(spec, "healthCheckNodePort").is_some_and(|port| port != 0) && !is_checked {
        let what = "needs type LoadBalancer and externalTrafficPolicy Local";
        faults.clash(spec, "healthCheckNodePort", what);
    }
}
