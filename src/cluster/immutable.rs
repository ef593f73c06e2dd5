//! Fields that can't change: how the API server says so, and whether it would take the object if it
//! were recreated.
//!
//! Of a custom resource its definition says which rules are about a change, whatever they say when
//! they do not hold ([`crate::core::kinds::schemas`]). It is asked for only when an object is refused. Where no rule
//! of it said so, or it can't be read, the sentence alone has to tell.
//!
//! A 422 alone says nothing: an object with a slip in it would be deleted and could not be
//! recreated. So only what is known to be said of fields that can't change counts, and the object
//! is created by dry run beside the one that is there. The server checks and admits it first, and
//! only then finds that the name is taken.

use http::Method;

use super::api_request::ApiRequest;
use super::path::collection;
use super::{ApiError, Cluster};
use crate::core::kinds::catalog::{CRD, Served};
use crate::core::kinds::schemas::{Schema, Schemas};
use crate::core::managed_fields::FIELD_MANAGER;
use crate::core::object::{GroupKind, Object, ObjectKey};
use crate::core::problem::{Cause, Refusal};

/// How messages about one field end.
const ENDINGS: [&str; 5] = [
    "field is immutable",
    "field is immutable when `immutable` is set",
    "may not change once set",
    "cannot change roleRef",
    "may not be changed in an update.",
];

/// How messages about a whole part of an object begin.
const BEGINNINGS: [&str; 2] = [
    "Forbidden: updates to statefulset spec for fields other than",
    "Forbidden: pod updates may not change fields other than",
];

/// Parts of messages about a value that an object has got and keeps, where another field is to be
/// such as it does not go with: an address of a Service.
const KEPT: [&str; 2] = ["may not be set to 'None' for ", "value as indicated by `ipFamilies["];

/// Whether the cause is that a field can't change once the object is there, by the definition's
/// `schema` where there is one.
fn is_immutability(cause: &Cause, schema: Option<&Schema>) -> bool {
    let rules = schema.map(|schema| schema.rules_behind(cause)).unwrap_or_default();
    match rules.as_slice() {
        [] => sounds_immutable(cause),
        rules => rules.iter().any(|rule| rule.is_transition()),
    }
}

/// Whether the sentence is one that the server says of fields that can't change.
fn sounds_immutable(cause: &Cause) -> bool {
    let message = cause.message.as_str();
    let first = message.lines().next().unwrap_or_default();
    if BEGINNINGS.iter().any(|beginning| first.starts_with(beginning)) {
        return true;
    }
    if ENDINGS.iter().any(|ending| message.ends_with(ending)) {
        return true;
    }
    if KEPT.iter().any(|part| first.contains(part)) {
        return true;
    }
    // `spec is immutable after creation except …`, and no value before it.
    let forbidden = first.strip_prefix("Forbidden: ");
    if forbidden.is_some_and(|said| said.contains("is immutable after creation")) {
        return true;
    }
    // A rule of a definition: its message, or the rule itself. A value comes before it.
    let said = first.rsplit_once(": ").map_or(first, |(_, said)| said);
    said.to_lowercase().contains("immutable") || first.ends_with("self == oldSelf")
}

/// The name of the CustomResourceDefinition that a kind has if it is a custom one.
pub(super) fn definition_key(served: &Served) -> ObjectKey {
    let Served { group_kind: GroupKind { group, .. }, plural, .. } = served;
    ObjectKey {
        group: CRD.0.to_owned(),
        kind: CRD.1.to_owned(),
        namespace: None,
        name: format!("{plural}.{group}"),
    }
}

impl Cluster {
    /// Whether a change is refused because a field can't change. What the server goes by is the
    /// definition that it has; that of the commit is second best.
    pub(super) async fn is_immutability(
        &self,
        served: &Served,
        error: &ApiError,
        definition: Option<&Object>,
    ) -> bool {
        if !matches!(error, ApiError::Status { code: 422, .. }) {
            return false;
        }
        let live = match Schemas::newest().is_namespaced(&served.group_kind) {
            Some(_) => None,
            None => self.definition(served).await,
        };
        let mut schemas = Schemas::default();
        if let Some(definition) = live.as_ref().or(definition) {
            schemas.define(definition);
        }
        let schema = schemas.custom(&served.group_kind, &served.version);
        error.causes().iter().any(|cause| is_immutability(cause, schema))
    }

    /// The CustomResourceDefinition of a kind as the cluster has it; `None` where it has none, or it
    /// can't be read.
    async fn definition(&self, served: &Served) -> Option<Object> {
        self.get(&Served::definitions(), None, &definition_key(served).name).await.ok().flatten()
    }

    /// Whether the object could be recreated if `live` were gone; the refusal when it could not, or
    /// when that is unknown.
    ///
    /// # Errors
    ///
    /// The refusal, where the API server would not create it or that is unknown.
    pub async fn could_be_made(
        &self,
        served: &Served,
        send: &Object,
        live: &Object,
    ) -> Result<(), Refusal> {
        let path = format!(
            "{}?fieldManager={FIELD_MANAGER}&fieldValidation=Strict&dryRun=All",
            collection(served, send.namespace())
        );
        let body = serde_json::to_vec(send).unwrap_or_default();
        let body = Some(("application/json", body));
        let call = ApiRequest { method: Method::POST, path, body, accept: None, known: None };
        let Err(error) = self.call(call).await else { return Ok(()) };
        let is_taken = matches!(&error, ApiError::Status { code: 409, reason, .. } if reason == "AlreadyExists");
        let causes = error.causes();
        let is_held = !causes.is_empty() && causes.iter().all(|cause| is_held_by(cause, live));
        if is_taken || is_held { Ok(()) } else { Err(error.refusal()) }
    }
}

/// Whether the cause is that an address or a port is taken, and it is `live` that has it.
fn is_held_by(cause: &Cause, live: &Object) -> bool {
    let spec = live.0.get("spec").map(ToString::to_string).unwrap_or_default();
    let message = cause.message.as_str();
    let value = if message.ends_with("provided port is already allocated") {
        message.strip_prefix("Invalid value: ").and_then(|rest| rest.split(':').next())
    } else if message.ends_with("provided IP is already allocated") {
        let address = message.split("failed to allocate IP ").nth(1);
        address.and_then(|rest| rest.split(": ").next())
    } else {
        None
    };
    value.is_some_and(|value| {
        [
            format!("\"nodePort\":{value},"),
            format!("\"nodePort\":{value}}}"),
            format!("\"{value}\""),
        ]
        .iter()
        .any(|text| spec.contains(text))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cause(message: &str) -> Cause {
        Cause { field: "spec".to_owned(), message: message.to_owned(), place: None }
    }

    /// Answers of a real API server.
    #[test]
    fn immutable_fields_are_recognised_by_the_server_message() {
        for message in [
            "Invalid value: {\"labels\":{\"app\":\"a\"},\"Spec\":{\"Containers\":[{\"Name\":\"c\"}]}}: field is immutable",
            "Invalid value: 5: field is immutable",
            "Invalid value: {\"matchLabels\":{\"app\":\"b\"}}: field is immutable",
            "Invalid value: \"None\": may not be set to 'None' for NodePort services",
            "Invalid value: \"None\": may not be set to 'None' for LoadBalancer services",
            "Invalid value: \"10.96.150.207\": expected an IPv6 value as indicated by `ipFamilies[0]`",
            "Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
            "Invalid value: [\"10.0.0.77\"]: may not change once set",
            "Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n@@ -10,7 +10,7 @@\n- \"StorageClassName\": \"a\",",
            "Forbidden: field is immutable when `immutable` is set",
            "Invalid value: {\"Kind\":\"Role\",\"Name\":\"y\"}: cannot change roleRef",
            "Forbidden: may not be changed in an update.",
            "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.activeDeadlineSeconds`",
            "Forbidden: spec.persistentvolumesource is immutable after creation\n@@ -2,7 +2,7 @@",
            "Invalid value: \"2\": a is immutable",
            "Invalid value: \"2\": Immutable once set",
            "Invalid value: \"object\": failed rule: self == oldSelf",
        ] {
            assert!(is_immutability(&cause(message), None), "{message}");
        }
    }

    #[test]
    fn invalid_value_is_not_taken_for_immutability() {
        for message in [
            "Required value: valid values: \"OnFailure\", \"Never\"",
            "Invalid value: {\"app\":\"a\"}: `selector` does not match template `labels`",
            "Invalid value: \"the field is immutable\": must be no more than 3 characters",
            "Unsupported value: \"immutable\": supported values: \"ClientIP\", \"None\"",
            "Invalid value: [\"10.0.0.77\"]: failed to allocate IP 10.0.0.77: the provided IP (10.0.0.77) is not in the valid range",
            "Required value",
            "expected numeric (int or float), got string",
        ] {
            assert!(!is_immutability(&cause(message), None), "{message}");
        }
    }

    #[test]
    fn value_held_by_the_object_itself_is_free_after_its_deletion() {
        let live = crate::core::json::json!({ "spec": {
            "clusterIPs": ["10.96.0.9"], "ports": [{ "nodePort": 30080 }],
        }});
        let live = Object::from(live.as_object().cloned().unwrap());
        let port = |n: u32| format!("Invalid value: {n}: provided port is already allocated");
        let address = |ip: &str| {
            format!(
                "Invalid value: [\"{ip}\"]: failed to allocate IP {ip}: provided IP is already allocated"
            )
        };
        assert!(is_held_by(&cause(&port(30080)), &live));
        assert!(!is_held_by(&cause(&port(3008)), &live));
        assert!(is_held_by(&cause(&address("10.96.0.9")), &live));
        assert!(!is_held_by(&cause(&address("10.96.0.90")), &live));
        assert!(!is_held_by(&cause("Required value"), &live));
    }
}
