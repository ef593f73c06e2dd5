//! Classes of faults: whether the same request may succeed a moment later, or never.

use super::causes::{UNCONVERTED, of_typed_patch};
use super::{ApiError, TlsFault};
use crate::core::problem::Refusal;
use crate::core::remedy::Remedy;
use crate::core::unique_value;
use crate::local::offline::NO_WEBHOOKS;

/// How long it is worth sending the same request again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryClass {
    /// It stays, whatever is sent again.
    Lasting,
    /// It may have been a slip of the server: a few times.
    Doubtful,
    /// It passes by itself, as a server does that is busy or being restarted: as long as there is
    /// time.
    Passing,
    /// It passes when some object is in another state, such as a namespace that is on its way out.
    /// Who sent the request knows whether that is worth waiting for.
    Settling,
}

/// Parts of messages about a webhook whose server is about to be there, by whoever calls it. It is
/// not reached, has no pods yet, or its certificate is not in the configuration yet. A proxy before
/// the API server says the same of that.
pub(super) const ABOUT_TO_ANSWER: [&str; 12] = [
    "connection refused",
    "connection reset",
    "no endpoints available",
    "no route to host",
    "i/o timeout",
    "context deadline exceeded",
    "Client.Timeout exceeded",
    "TLS handshake timeout",
    "signed by unknown authority",
    "service unavailable",
    "currently unable to handle the request",
    "EOF",
];

impl ApiError {
    /// Whether the API server would have to call a webhook or another server, and may not.
    pub fn may_not_call(&self) -> bool {
        matches!(self, Self::Status { message, .. } if message.contains(NO_WEBHOOKS))
    }

    /// The server's message where the entries of others are in a version that it can't convert to.
    pub(super) fn of_other_owners(refusal: Option<Refusal>) -> Self {
        let message = refusal.map(|Refusal { message, hint, causes: _, may_pass: _ }| {
            match hint.as_ref().and_then(Remedy::text) {
                Some(hint) => format!("{message}; {hint}"),
                None => message,
            }
        });
        let message = message.unwrap_or_else(|| "its managedFields can't be written".to_owned());
        Self::Status { code: 422, reason: "Invalid".to_owned(), message, causes: Vec::new() }
    }

    /// Whether server-side apply could not convert the object to a version in which a manager's
    /// fields are named; what it says of that.
    pub(super) fn of_other_version(&self) -> Option<&str> {
        match self {
            Self::Status { code: 500, message, .. } if is_of_other_version(message) => {
                Some(message)
            }
            _ => None,
        }
    }

    /// Whether no API server answered, as while it is being restarted.
    pub(super) fn is_outage(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Silent { .. } => true,
            Self::Status { code: 502..=504, message, .. } => !is_of_aggregated_server(message),
            Self::Status { code: 500, message, .. } => is_proxys_outage(message),
            _ => false,
        }
    }

    /// The class of the fault.
    pub fn fault(&self) -> RetryClass {
        match self {
            Self::Unreachable { .. } | Self::Silent { .. } => RetryClass::Passing,
            // Such as an alert of a load balancer whose servers are just starting.
            Self::Tls { fault: TlsFault::Other(_), .. } => RetryClass::Passing,
            Self::Barred { .. }
            | Self::Garbled { .. }
            | Self::Endless { .. }
            | Self::Proxy { .. }
            | Self::Tls { .. }
            | Self::Redirected { .. }
            | Self::TooOld { .. }
            | Self::NoCredential { .. } => RetryClass::Lasting,
            Self::Status { code, reason, message, .. } => {
                fault(*code, reason, message.lines().next().unwrap_or_default())
            }
        }
    }
}

/// The class of an answer, by its status, its reason and its first line.
fn fault(code: u16, reason: &str, message: &str) -> RetryClass {
    match code {
        408 | 429 | 502..=504 => RetryClass::Passing,
        500 => internal(message),
        403 if message.contains("because it is being terminated")
            || message.contains("error looking up service account") =>
        {
            RetryClass::Settling
        }
        // The other conflicts are about fields, or about an object that is not the one.
        409 if message.starts_with("object is being deleted")
            || (reason == "Conflict" && message.contains("the object has been modified")) =>
        {
            RetryClass::Settling
        }
        _ => RetryClass::Lasting,
    }
}

/// The class of an internal error.
fn internal(message: &str) -> RetryClass {
    if message.contains(NO_WEBHOOKS) {
        return RetryClass::Lasting;
    }
    // Server-side apply calls it so when a value does not fit its field's type
    // (k8s.io/apimachinery, `pkg/util/managedfields/internal/structuredmerge.go`).
    if message.starts_with(UNCONVERTED)
        || of_typed_patch(message).is_some()
        || is_of_other_version(message)
    {
        return RetryClass::Lasting;
    }
    // A port that a Service wants for its health checks, and another one has.
    if unique_value::is_taken(message) {
        return RetryClass::Lasting;
    }
    if message.contains("etcdserver: ") {
        return RetryClass::Passing;
    }
    let is_webhook = message.contains("failed calling webhook") && is_about_to_answer(message);
    match is_webhook || is_proxys_outage(message) {
        true => RetryClass::Passing,
        false => RetryClass::Doubtful,
    }
}

/// Whether a proxy says that the server behind it does not answer. An answer that is not a Status of the API
/// server's is the proxy's own, such as `kubectl proxy`'s.
fn is_proxys_outage(message: &str) -> bool {
    message.starts_with("500 Internal Server Error: ") && is_about_to_answer(message)
}

/// Whether the API server says it of another server, which has an API group
/// (k8s.io/kube-aggregator, `pkg/apiserver/handler_proxy.go`).
fn is_of_aggregated_server(message: &str) -> bool {
    message.contains("error trying to reach service: ")
        || message == "503 Service Unavailable: service unavailable"
}

fn is_about_to_answer(message: &str) -> bool {
    ABOUT_TO_ANSWER.iter().any(|said| message.contains(said))
}

/// Whether the object can't be converted to a version that an entry of `managedFields` names: what
/// the conversion says stands alone (k8s.io/apiextensions-apiserver, `pkg/apiserver/conversion`;
/// sigs.k8s.io/structured-merge-diff, `typed/validate.go`).
fn is_of_other_version(message: &str) -> bool {
    message.starts_with("request to convert CR to an invalid group/version: ")
        || message.starts_with("errors:")
        || message.starts_with('.') && message.contains(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_has_a_retry_class() {
        let webhook = "Internal error occurred: failed calling webhook \"w.example\": failed to call webhook: Post \"https://w.shop.svc:443/x?timeout=2s\": ";
        let webhook = |why: &str| format!("{webhook}{why}");
        let rows = [
            (429, "TooManyRequests", "too many requests".to_owned(), RetryClass::Passing),
            (408, "Timeout", "request did not complete".to_owned(), RetryClass::Passing),
            (502, "", "502 Bad Gateway".to_owned(), RetryClass::Passing),
            (503, "ServiceUnavailable", "apiserver is shutting down".to_owned(), RetryClass::Passing),
            (504, "Timeout", "request did not complete in time".to_owned(), RetryClass::Passing),
            (500, "", "etcdserver: leader changed".to_owned(), RetryClass::Passing),
            (500, "", "etcdserver: request timed out".to_owned(), RetryClass::Passing),
            (500, "InternalError", "something odd".to_owned(), RetryClass::Doubtful),
            (500, "InternalError", webhook("dial tcp 10.0.0.1:443: connect: connection refused"), RetryClass::Passing),
            (500, "InternalError", webhook("no endpoints available for service \"w\""), RetryClass::Passing),
            (500, "InternalError", webhook("context deadline exceeded"), RetryClass::Passing),
            (500, "InternalError", webhook("tls: failed to verify certificate: x509: certificate signed by unknown authority"), RetryClass::Passing),
            (500, "", "500 Internal Server Error: dial tcp 10.0.0.1:6443: connect: connection refused".to_owned(), RetryClass::Passing),
            (500, "", "500 Internal Server Error: odd".to_owned(), RetryClass::Doubtful),
            (500, "InternalError", webhook("service \"w\" not found"), RetryClass::Doubtful),
            (500, "InternalError", webhook("x509: certificate is valid for a.example, not w.shop.svc"), RetryClass::Doubtful),
            (500, "", "failed to create typed patch object (shop/db; /v1, Kind=Secret): .data.k: expected string, got 1".to_owned(), RetryClass::Lasting),
            (500, "", "failed to convert new object (shop/web; apps/v1, Kind=Deployment): quantities must match".to_owned(), RetryClass::Lasting),
            (500, "InternalError", webhook("dial unix no-webhook-is-called.sock: connect: no such file or directory"), RetryClass::Lasting),
            (403, "Forbidden", "configmaps \"c\" is forbidden: unable to create new content in namespace shop because it is being terminated".to_owned(), RetryClass::Settling),
            (403, "Forbidden", "pods \"p\" is forbidden: error looking up service account shop/default: serviceaccount \"default\" not found".to_owned(), RetryClass::Settling),
            (403, "Forbidden", "configmaps \"c\" is forbidden: User \"reader\" cannot patch resource \"configmaps\"".to_owned(), RetryClass::Lasting),
            (403, "Forbidden", "pods \"p\" is forbidden: exceeded quota: q".to_owned(), RetryClass::Lasting),
            (409, "Conflict", "Operation cannot be fulfilled on configmaps \"c\": the object has been modified; please apply your changes to the latest version and try again".to_owned(), RetryClass::Settling),
            (409, "Conflict", "Apply failed with 1 conflict: conflict with \"hpa\": .spec.replicas".to_owned(), RetryClass::Lasting),
            (409, "Conflict", "Operation cannot be fulfilled on ConfigMap \"c\": the UID in the precondition (a) does not match the UID in record (b). The object might have been deleted and then recreated".to_owned(), RetryClass::Lasting),
            (409, "AlreadyExists", "object is being deleted: jobs.batch \"j\" already exists".to_owned(), RetryClass::Settling),
            (409, "AlreadyExists", "jobs.batch \"j\" already exists".to_owned(), RetryClass::Lasting),
            (400, "BadRequest", "admission webhook \"w.example\" does not support dry run".to_owned(), RetryClass::Lasting),
            (400, "BadRequest", "strict decoding error: unknown field \"spec.a\"".to_owned(), RetryClass::Lasting),
            (401, "Unauthorized", "Unauthorized".to_owned(), RetryClass::Lasting),
            (404, "NotFound", "namespaces \"shop\" not found".to_owned(), RetryClass::Lasting),
            (413, "RequestEntityTooLarge", "limit is 3145728".to_owned(), RetryClass::Lasting),
            (422, "Invalid", "spec.selector: field is immutable".to_owned(), RetryClass::Lasting),
        ];
        for (code, reason, message, expected) in rows {
            assert_eq!(fault(code, reason, &message), expected, "{code} {reason} {message}");
        }
        let away = ApiError::Unreachable {
            url: "https://shop".to_owned(),
            cause: "Connection reset by peer".to_owned(),
        };
        assert_eq!(away.fault(), RetryClass::Passing);
        let garbled = ApiError::Garbled { what: "GET /".to_owned(), cause: "html".to_owned() };
        assert_eq!(garbled.fault(), RetryClass::Lasting);
    }
}
