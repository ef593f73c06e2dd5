//! Network objects: Service, Ingress and the kinds of Gateway API.

use super::conditions::{self, is_true, words};
use super::{Health, at, text};
use crate::core::json::Value;
use crate::core::object::Object;

/// Argo CD `health_service.go` and kapp `core_v1_service.go`: a load balancer is ready once it has
/// an address; kstatus is content with a cluster IP.
pub(super) fn service(object: &Object) -> Health {
    match text(object, "/spec/type") {
        Some("LoadBalancer") if !has_address(object) => {
            Health::progressing("the load balancer has no address yet")
        }
        _ => Health::ready(),
    }
}

/// Argo CD `health_ingress.go`: it is served once it has an address.
pub(super) fn ingress(object: &Object) -> Health {
    match has_address(object) {
        true => Health::ready(),
        false => Health::progressing("no ingress controller has given it an address yet"),
    }
}

/// Gateway API's own conditions (its `apis/v1`): a Gateway is accepted and programmed, a route is
/// accepted by each of its parents with every reference found. That one is not accepted may end
/// when its Gateway is, so nothing of it is a failure.
pub(super) fn gateway_api(kind: &str, object: &Object) -> Option<Health> {
    match kind {
        "GatewayClass" => Some(all(object, at(object, "/status/conditions"), &["Accepted"])),
        "Gateway" => {
            let conditions = at(object, "/status/conditions");
            Some(all(object, conditions, &["Accepted", "Programmed"]))
        }
        kind if kind.ends_with("Route") => Some(route(object)),
        _ => None,
    }
}

fn route(object: &Object) -> Health {
    let count = |pointer: &str| at(object, pointer).and_then(Value::as_array).map_or(0, Vec::len);
    let parents = at(object, "/status/parents").and_then(Value::as_array);
    let parents = parents.map_or(&[][..], Vec::as_slice);
    if parents.len() < count("/spec/parentRefs") {
        return Health::progressing("its gateways have not all seen it yet");
    }
    let states = parents
        .iter()
        .map(|parent| all(object, parent.get("conditions"), &["Accepted", "ResolvedRefs"]));
    states.into_iter().find(|health| !health.is_ready()).unwrap_or_else(Health::ready)
}

/// Whether each of these conditions is true, and speaks of what is declared now.
fn all(object: &Object, conditions: Option<&Value>, kinds: &[&str]) -> Health {
    for kind in kinds {
        let found = conditions.and_then(|list| conditions::of(list, kind));
        match found.filter(|it| !conditions::is_stale(it, object)) {
            Some(it) if is_true(it) => {}
            Some(it) => {
                let words = words(it, "its controller gives no reason");
                return Health::progressing(format!("not {}: {words}", kind.to_lowercase()));
            }
            None => return Health::progressing(format!("condition {kind} is not set yet")),
        }
    }
    Health::ready()
}

fn has_address(object: &Object) -> bool {
    let addresses = at(object, "/status/loadBalancer/ingress").and_then(Value::as_array);
    addresses.is_some_and(|list| !list.is_empty())
}
