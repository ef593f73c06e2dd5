//! EndpointSlices and Endpoints.
//!
//! Source of the rules: Kubernetes' `pkg/apis/discovery/validation/validation.go`, and
//! `validateEndpointSubsets` in `pkg/apis/core/validation/validation.go`.

use ::core::net::IpAddr;

use super::faults::{Faults, list, map, maps, of, text};
use super::{names, networks, numbers};
use crate::core::json::{Map, Value};

const PROTOCOLS: [&str; 3] = ["SCTP", "TCP", "UDP"];

/// An EndpointSlice.
pub(super) fn slice(faults: &mut Faults<'_>) {
    let root = faults.root();
    let kind = text(root, "addressType").unwrap_or_default();
    for endpoint in maps(root, "endpoints") {
        if let Some(value) = endpoint.get("addresses")
            && value.as_array().is_some_and(Vec::is_empty)
        {
            faults.says(value, "must have at least one element");
        }
        for address in list(endpoint, "addresses") {
            match kind {
                "IPv4" | "IPv6" => self::address(faults, Some(address), Some(kind)),
                "FQDN" => faults.name(Some(address), names::subdomain),
                _ => {}
            }
        }
        faults.name(endpoint.get("hostname"), names::label);
        faults.name(endpoint.get("nodeName"), names::subdomain);
    }
    for (index, port) in maps(root, "ports").enumerate() {
        faults.name_if_any(port, "name", names::label);
        protocol(faults, port);
        faults.name(port.get("appProtocol"), names::qualified);
        let name = |port: &Map| text(port, "name").map(str::to_owned).unwrap_or_default();
        if maps(root, "ports").take(index).any(|other| name(other) == name(port)) {
            faults.clash(port, "name", "is that of another port already");
        }
    }
}

/// The Endpoints of a Service.
pub(super) fn endpoints(faults: &mut Faults<'_>) {
    for value in list(faults.root(), "subsets") {
        let Some(subset) = value.as_object() else { continue };
        let fields = ["addresses", "notReadyAddresses"];
        if fields.iter().all(|field| list(subset, field).is_empty()) {
            faults.says(value, "must have `addresses` or `notReadyAddresses`");
        }
        for endpoint in fields.iter().flat_map(|field| maps(subset, field)) {
            self::address(faults, endpoint.get("ip"), None);
            faults.name_if_any(endpoint, "hostname", names::label);
            faults.name_if_any(endpoint, "nodeName", names::subdomain);
        }
        let is_alone = list(subset, "ports").len() < 2;
        for port in maps(subset, "ports") {
            numbers::port(faults, port, "port");
            protocol(faults, port);
            faults.name_if_any(port, "name", names::label);
            if !is_alone && text(port, "name").is_none() {
                faults.missing(port, "name", ": one of several ports has it");
            }
        }
    }
}

fn protocol<'v>(faults: &mut Faults<'v>, port: &'v Map) {
    if let Some(value) = of(port, "protocol").filter(|value| **value != "")
        && value.as_str().is_some_and(|it| !PROTOCOLS.contains(&it))
    {
        faults.must(value, "be one of SCTP, TCP, UDP");
    }
}

/// An address that is not the machine's own.
fn address<'v>(faults: &mut Faults<'v>, value: Option<&'v Value>, kind: Option<&str>) {
    let Some(value) = value else { return };
    let Some(text) = value.as_str() else { return };
    let Ok(parsed) = text.parse::<IpAddr>() else {
        return networks::ip(faults, Some(value));
    };
    let is_other =
        matches!((kind, parsed), (Some("IPv4"), IpAddr::V6(_)) | (Some("IPv6"), IpAddr::V4(_)));
    if is_other {
        return faults.must(value, format!("be an {} address", kind.unwrap_or_default()));
    }
    let what = match parsed {
        it if it.is_unspecified() => "not be the unspecified address",
        it if it.is_loopback() => "not be a loopback address",
        IpAddr::V4(it) if it.is_link_local() => "not be a link-local address",
        IpAddr::V6(it) if it.is_unicast_link_local() => "not be a link-local address",
        IpAddr::V4(it) if it.octets()[..3] == [224, 0, 0] => {
            "not be a link-local multicast address"
        }
        IpAddr::V6(it) if it.segments()[0] & 0xff0f == 0xff02 => {
            "not be a link-local multicast address"
        }
        // An EndpointSlice takes the canonical form only.
        _ if networks::address(text).is_none() && kind.is_some() && parsed.to_string() != text => {
            return faults.must(value, format!("be written {parsed}"));
        }
        _ => return networks::ip(faults, Some(value)),
    };
    faults.must(value, what);
}

/// A RuntimeClass.
pub(super) fn runtime(faults: &mut Faults<'_>) {
    let root = faults.root();
    match root.get("handler") {
        Some(value) if *value == "" => faults.says(value, "must not be empty"),
        value => faults.name(value, names::label),
    }
    let scheduling = map(root, "scheduling");
    super::metadata::labels(faults, scheduling.and_then(|it| it.get("nodeSelector")));
    for toleration in scheduling.into_iter().flat_map(|it| maps(it, "tolerations")) {
        super::scheduling::toleration(faults, toleration);
    }
    let fixed = map(root, "overhead").and_then(|overhead| map(overhead, "podFixed"));
    for (_, amount) in fixed.into_iter().flatten() {
        super::quantities::not_negative(faults, Some(amount));
    }
}

/// A Lease.
pub(super) fn lease<'v>(faults: &mut Faults<'v>, spec: Option<&'v Value>) {
    let Some(spec) = spec.and_then(Value::as_object) else { return };
    numbers::positive(faults, spec, "leaseDurationSeconds");
    numbers::not_negative(faults, spec, &["leaseTransitions"]);
}

/// A Node, of which manifests have the taints at most.
pub(super) fn node<'v>(faults: &mut Faults<'v>, spec: Option<&'v Value>) {
    let Some(spec) = spec.and_then(Value::as_object) else { return };
    for (index, taint) in maps(spec, "taints").enumerate() {
        faults.name(taint.get("key"), names::qualified);
        faults.name(taint.get("value"), names::label_value);
        let effects = ["NoExecute", "NoSchedule", "PreferNoSchedule"];
        if let Some(value) = of(taint, "effect")
            && value.as_str().is_some_and(|it| !effects.contains(&it))
        {
            faults.must(value, "be one of NoExecute, NoSchedule, PreferNoSchedule");
        }
        let is_same = |other: &Map| {
            ["key", "effect"].iter().all(|field| of(other, field) == of(taint, field))
        };
        if let Some(key) = taint.get("key")
            && maps(spec, "taints").take(index).any(is_same)
        {
            faults.repeated(key);
        }
    }
}
