//! Probes and hooks of containers.
//!
//! Source of the rules: `validateProbe`, `validateHandler` and `validateLifecycle` in Kubernetes'
//! `pkg/apis/core/validation/validation.go`.

use super::faults::{Faults, integer, list, map, maps, of};
use super::numbers;
use crate::core::json::{Map, Value};

/// The probes and hooks of a container.
pub(super) fn probes<'v>(faults: &mut Faults<'v>, container: &'v Map) {
    for name in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let Some(around) = of(container, name) else { continue };
        let Some(probe) = around.as_object() else { continue };
        handler(faults, probe, around, &["exec", "httpGet", "tcpSocket", "grpc"]);
        let fields = [
            "initialDelaySeconds",
            "timeoutSeconds",
            "periodSeconds",
            "successThreshold",
            "failureThreshold",
        ];
        numbers::not_negative(faults, probe, &fields);
        if name == "readinessProbe" {
            if of(probe, "terminationGracePeriodSeconds").is_some() {
                let what = "must not be in a readinessProbe";
                faults.clash(probe, "terminationGracePeriodSeconds", what);
            }
            continue;
        }
        numbers::positive(faults, probe, "terminationGracePeriodSeconds");
        // 0 is as good as nothing, and nothing is 1.
        let succeeds = integer(probe, "successThreshold").filter(|count| *count > 1);
        if let Some(value) = probe.get("successThreshold").filter(|_| succeeds.is_some()) {
            faults.must(value, "be 1 unless it is a readinessProbe's");
        }
    }
    let Some(lifecycle) = map(container, "lifecycle") else { return };
    for hook in ["postStart", "preStop"] {
        if let Some(around) = of(lifecycle, hook)
            && let Some(fields) = around.as_object()
        {
            handler(faults, fields, around, &["exec", "httpGet", "tcpSocket", "sleep"]);
        }
    }
}

fn handler<'v>(
    faults: &mut Faults<'v>,
    probe: &'v Map,
    around: &'v Value,
    handlers: &[&'static str],
) {
    faults.one_of(probe, around, handlers);
    if let Some(exec) = map(probe, "exec")
        && list(exec, "command").is_empty()
    {
        faults.missing(exec, "command", "");
    }
    if let Some(get) = map(probe, "httpGet") {
        numbers::port_or_name(faults, get, "port");
        for header in maps(get, "httpHeaders") {
            if let Some(value) = header.get("name")
                && value.as_str().is_some_and(|name| !is_header(name))
            {
                faults.must(value, "be letters, digits or '-'");
            }
        }
    }
    if let Some(socket) = map(probe, "tcpSocket") {
        numbers::port_or_name(faults, socket, "port");
    }
    if let Some(sleep) = map(probe, "sleep") {
        numbers::not_negative(faults, sleep, &["seconds"]);
    }
    if let Some(grpc) = map(probe, "grpc") {
        numbers::port(faults, grpc, "port");
    }
}

fn is_header(name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    !name.is_empty() && name.bytes().all(is_part)
}
