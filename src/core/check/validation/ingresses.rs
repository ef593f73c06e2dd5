//! Ingresses and their classes.
//!
//! Source of the rules: Kubernetes' `pkg/apis/networking/validation/validation.go`.

use super::faults::{Faults, get, integer, list, map, maps, of, text};
use super::{names, networks, numbers};
use crate::core::json::{Map, Value};

const CLASS: &str = "kubernetes.io/ingress.class";

/// Sequences that a path of type Exact or Prefix must not have.
const SEQUENCES: [&str; 5] = ["//", "/./", "/../", "%2f", "%2F"];

/// An Ingress.
pub(super) fn ingress(faults: &mut Faults<'_>) {
    let root = faults.root();
    let Some(value) = root.get("spec") else { return };
    let Some(spec) = value.as_object() else { return };
    if list(spec, "rules").is_empty() && of(spec, "defaultBackend").is_none() {
        faults.says(value, "must have rules or a defaultBackend");
    }
    if let Some(value) = of(spec, "defaultBackend") {
        backend(faults, value);
    }
    for rule in maps(spec, "rules") {
        self::rule(faults, rule);
    }
    for tls in maps(spec, "tls") {
        for host in list(tls, "hosts") {
            faults.name(Some(host), names::host);
        }
        faults.name_if_any(tls, "secretName", names::subdomain);
    }
    if let Some(class) = of(spec, "ingressClassName") {
        faults.name(Some(class), names::subdomain);
        let annotations = map(root, "metadata").and_then(|it| map(it, "annotations"));
        if let Some(annotations) = annotations
            && let Some(other) = of(annotations, CLASS).filter(|other| *other != class)
        {
            faults.says(other, "must be the same as `ingressClassName`");
        }
    }
}

fn rule<'v>(faults: &mut Faults<'v>, rule: &'v Map) {
    if let Some(host) = text(rule, "host") {
        let value = rule.get("host").unwrap_or(&Value::Null);
        if networks::address(host).is_none() {
            faults.must(value, "be a DNS name and no address");
        } else {
            faults.name(Some(value), names::host);
        }
    }
    let Some(http) = map(rule, "http") else { return };
    if let Some(paths) = http.get("paths")
        && paths.as_array().is_some_and(Vec::is_empty)
    {
        faults.says(paths, "must have at least one element");
    }
    for path in maps(http, "paths") {
        self::path(faults, path);
        if let Some(value) = of(path, "backend") {
            backend(faults, value);
        }
    }
}

fn path<'v>(faults: &mut Faults<'v>, path: &'v Map) {
    let is_free = text(path, "pathType") == Some("ImplementationSpecific");
    let Some(way) = text(path, "path") else {
        if !is_free && matches!(text(path, "pathType"), Some("Exact" | "Prefix")) {
            faults.missing(path, "path", ": Exact and Prefix need it");
        }
        return;
    };
    let value = path.get("path").unwrap_or(&Value::Null);
    if !way.starts_with('/') {
        return faults.must(value, "start with '/'");
    }
    if is_free {
        return;
    }
    let sequence = SEQUENCES.iter().find(|sequence| way.contains(*sequence));
    if let Some(sequence) = sequence {
        faults.must(value, format!("not have {sequence} in it"));
    } else if way.ends_with("/..") || way.ends_with("/.") {
        faults.must(value, "not end with '/.' or '/..'");
    }
}

fn backend<'v>(faults: &mut Faults<'v>, around: &'v Value) {
    let Some(backend) = around.as_object() else { return };
    faults.one_of(backend, around, &["service", "resource"]);
    let Some(service) = map(backend, "service").filter(|_| of(backend, "resource").is_none())
    else {
        return;
    };
    faults.name(service.get("name"), names::label);
    let port = get(backend.get("service"), "port").and_then(Value::as_object);
    let number = port.and_then(|port| integer(port, "number")).filter(|number| *number != 0);
    let name = port.and_then(|port| text(port, "name"));
    match (port, number, name) {
        (Some(port), Some(_), Some(_)) => faults.clash(port, "name", "excludes `number`"),
        (Some(port), Some(_), None) => numbers::port(faults, port, "number"),
        (Some(port), None, Some(_)) => faults.name(port.get("name"), names::port),
        (_, None, None) => faults.missing(service, "port", ": it needs a name or a number"),
        (None, ..) => {}
    }
}

/// An IngressClass, whose controller has a domain.
pub(super) fn class<'v>(faults: &mut Faults<'v>, spec: Option<&'v Value>) {
    let Some(value) = get(spec, "controller") else { return };
    let Some(controller) = value.as_str() else { return };
    let (domain, path) = controller.split_once('/').unwrap_or((controller, ""));
    let is_path = |byte: u8| byte.is_ascii_alphanumeric() || b"/%()+,:@!$&'*;=._~-".contains(&byte);
    if names::subdomain(domain).is_some() || path.is_empty() || !path.bytes().all(is_path) {
        faults.must(value, "be a domain and a path, such as example.com/ingress");
    }
}
