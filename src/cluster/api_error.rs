//! Why a request failed, whether that is the last word on an object, and what to do about it.

use std::time::Duration;

use super::{RetryClass, TlsFault, causes};
use crate::core::managed_fields::emptied;
use crate::core::object::GroupKind;
use crate::core::problem::{Cause, Refusal};
use crate::core::remedy::Remedy;
use crate::core::unique_value;

/// The oldest Kubernetes that has aggregated discovery.
const OLDEST: &str = "1.26";

/// Why a request failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// The server answered, and said no.
    #[error("{message}")]
    Status {
        /// The HTTP status.
        code: u16,
        /// The machine-readable reason, such as `NotFound` or `Invalid`.
        reason: String,
        /// The server's own words; they may quote the object.
        message: String,
        /// The same field by field, where the server names fields.
        causes: Vec<Cause>,
    },
    /// No answer came.
    #[error("the API server at {url} does not answer: {cause}")]
    Unreachable {
        /// The server.
        url: String,
        /// Why, as far as the system knows.
        cause: String,
    },
    /// A proxy does not lead to the server, and would say so again.
    #[error("cannot reach the API server at {url}: {cause}")]
    Proxy {
        /// The server.
        url: String,
        /// Which proxy, and what it answers.
        cause: String,
        /// The remedy.
        hint: String,
    },
    /// There is no TLS connection.
    #[error("no TLS connection with the API server at {url}: {fault}")]
    Tls {
        /// The server.
        url: String,
        /// Why.
        fault: TlsFault,
    },
    /// No answer came in time.
    #[error("the API server at {url} has not answered within {}", span(*.time))]
    Silent {
        /// The server.
        url: String,
        /// How long it was waited for.
        time: Duration,
    },
    /// The server redirects to another one.
    #[error("the API server at {url} redirects to {to}, which does not get the credentials")]
    Redirected {
        /// The server.
        url: String,
        /// Where to, without what may be secret in that.
        to: String,
    },
    /// The server is of a version that is not supported.
    #[error("the API server at {url} runs Kubernetes {version}; trueup needs {} or newer", OLDEST)]
    TooOld {
        /// The server.
        url: String,
        /// The version that it reports.
        version: String,
    },
    /// There is no credential to show.
    #[error("cannot log in to the API server at {url}: {cause}")]
    NoCredential {
        /// The server.
        url: String,
        /// Why, without what is secret.
        cause: String,
        /// The remedy.
        hint: Option<String>,
    },
    /// This process may not write now, so nothing was sent.
    #[error("nothing is written: {why}")]
    Barred {
        /// Why.
        why: String,
    },
    /// An answer came without an end, or with one too far to wait for.
    #[error("gave up reading the answer to {what}: {cause}")]
    Endless {
        /// Method and path of the request.
        what: String,
        /// Which limit it goes beyond.
        cause: String,
    },
    /// An answer came that is not the API's.
    #[error("the answer to {what} does not come from a Kubernetes API server: {cause}")]
    Garbled {
        /// Method and path of the request.
        what: String,
        /// The fault.
        cause: String,
    },
}

impl ApiError {
    /// Whether the object or what it would live in does not exist, or its kind is not served.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Status { code: 404, .. })
    }

    /// Whether it is the kind that is not served. A handler of the kind says `NotFound` of an object; without
    /// one, the server has a page for the path and no Status (k8s.io/apiserver, `pkg/server/handler.go`). An
    /// API server that was started a moment ago says so of custom resources that are there.
    pub fn is_unserved(&self) -> bool {
        matches!(self, Self::Status { code: 404, reason, .. } if reason.is_empty())
    }

    /// That a kind which has a definition is not served.
    pub(super) fn unserved(kind: &GroupKind) -> Self {
        Self::Status {
            code: 404,
            reason: String::new(),
            message: format!("it does not serve {kind} yet"),
            causes: Vec::new(),
        }
    }

    /// Whether the object is gone, in the words of who serves its kind.
    pub fn is_gone(&self) -> bool {
        self.is_not_found() && !self.is_unserved()
    }

    /// A server's answer about an object that is there and should not be.
    pub(super) fn exists() -> Self {
        Self::Status {
            code: 409,
            reason: "AlreadyExists".to_owned(),
            message: "it already exists".to_owned(),
            causes: Vec::new(),
        }
    }

    /// A server's answer about an object that has changed since it was read.
    pub(super) fn changed() -> Self {
        Self::Status {
            code: 409,
            reason: "Conflict".to_owned(),
            message: "it changed since it was read".to_owned(),
            causes: Vec::new(),
        }
    }

    /// Whether the object is not valid, by what its kind asks for.
    pub(super) fn is_invalid(&self) -> bool {
        matches!(self, Self::Status { code: 422, .. })
    }

    /// Whether a precondition did not hold.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Status { code: 409, .. })
    }

    /// Whether it is about the way to the server, and not about what was asked for.
    pub fn is_of_connection(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::Proxy { .. }
                | Self::Tls { .. }
                | Self::Silent { .. }
                | Self::Redirected { .. }
                | Self::NoCredential { .. }
        )
    }

    /// Whether the answer went beyond a limit.
    pub(super) fn is_endless(&self) -> bool {
        matches!(self, Self::Endless { .. })
    }

    /// Whether a server behind the one that answered may be the one that does not.
    pub(super) fn is_of_gateway(&self) -> bool {
        matches!(self, Self::Status { code: 502..=504, .. })
    }

    /// Whether the user lacks the right.
    pub fn is_forbidden(&self) -> bool {
        matches!(self, Self::Status { code: 403, .. })
    }

    /// Whether the server had its say, as opposed to a fault between here and there.
    pub fn is_verdict(&self) -> bool {
        let is_refusal = matches!(self, Self::Status { code: 400..=499, .. });
        let is_taken =
            matches!(self, Self::Status { message, .. } if unique_value::is_taken(message));
        is_refusal && self.fault() != RetryClass::Passing || self.is_mistyped() || is_taken
    }

    /// Why the object has no dry run, though it may well be applied: a webhook that refuses to be
    /// asked without consequences, or one that does not answer at the moment.
    pub fn no_dry_run(&self) -> Option<String> {
        let Self::Status { code: 400 | 500, message, .. } = self else { return None };
        let refuses = message.contains("does not support dry run");
        let is_away = message.contains("failed calling webhook");
        (refuses || is_away).then(|| message.lines().next().unwrap_or_default().to_owned())
    }

    /// Whether it is a webhook that did not answer.
    pub fn is_webhooks(&self) -> bool {
        matches!(self, Self::Status { message, .. } if message.contains("failed calling webhook"))
    }

    /// The namespace that does not exist, where that is what the server says.
    pub fn missing_namespace(&self) -> Option<&str> {
        let Self::Status { code: 404, message, .. } = self else { return None };
        causes::missing_namespace(message)
    }

    /// The server's causes by field, where it names fields.
    pub fn causes(&self) -> &[Cause] {
        match self {
            Self::Status { causes, .. } => causes,
            Self::Unreachable { .. }
            | Self::Proxy { .. }
            | Self::Tls { .. }
            | Self::Silent { .. }
            | Self::Redirected { .. }
            | Self::TooOld { .. }
            | Self::NoCredential { .. }
            | Self::Barred { .. }
            | Self::Garbled { .. }
            | Self::Endless { .. } => &[],
        }
    }

    /// Whether a field has a value that does not fit its type, which server-side apply calls an
    /// internal error (k8s.io/apimachinery, `pkg/util/managedfields/internal/structuredmerge.go`).
    fn is_mistyped(&self) -> bool {
        let Self::Status { code: 500, message, .. } = self else { return false };
        causes::of_typed_patch(message).is_some() || message.starts_with(causes::UNCONVERTED)
    }

    /// Whether it is refused for lack of a right, of room or of something that it names, or by a
    /// policy, and not for what it is. A binding to a role that is not there is refused as not found.
    pub fn refusal_may_pass(&self) -> bool {
        let is_role = |message: &str| message.contains(".rbac.authorization.k8s.io");
        match self {
            Self::Status { code: 403, .. } => true,
            Self::Status { code: 404, message, .. } => is_role(message),
            Self::Status { code: 400..=499, message, .. } => causes::is_of_policy(message),
            _ => false,
        }
    }

    /// The error as a refusal, with the fields that it is about and what to do.
    pub(super) fn refusal(&self) -> Refusal {
        let may_pass = self.refusal_may_pass();
        let (message, hint, causes) = (self.to_string(), self.hint(), self.causes().to_vec());
        Refusal { message, hint, causes, may_pass }
    }

    /// The remedy.
    pub fn hint(&self) -> Option<Remedy> {
        if let Some(name) = self.missing_namespace() {
            return Some(Remedy::Text(format!(
                "add Namespace {name} to the commit, or run kubectl create namespace {name}"
            )));
        }
        match self {
            Self::Unreachable { .. } => Some(Remedy::CheckCluster),
            Self::Proxy { hint, .. } => Some(hint.as_str().into()),
            Self::Tls { fault, .. } => fault.hint().map(Remedy::Text),
            Self::Silent { .. } => Some(Remedy::CheckTimeout),
            Self::Redirected { .. } => Some(
                "if that is the API server, set it as server in the kubeconfig; else log in to \
                the proxy that redirects"
                    .into(),
            ),
            Self::TooOld { .. } => Some("upgrade the cluster, or use another one".into()),
            Self::NoCredential { hint, .. } => hint.clone().map(Remedy::Text),
            Self::Status { code: 400, message, .. } if is_of_plain_http(message) => {
                Some("write https:// in the kubeconfig's server".into())
            }
            Self::Status { code: 401, .. } => {
                Some("log in again: the kubeconfig's credentials are not accepted".into())
            }
            Self::Status { code: 403, message, .. } => causes::hint_of_forbidden(message),
            Self::Garbled { .. } | Self::Endless { .. } => {
                Some("is the server in the kubeconfig an API server, or a proxy before it?".into())
            }
            Self::Status { message, .. }
                if self.is_mistyped() && message.contains("expected string") =>
            {
                Some("write the value in quotes".into())
            }
            Self::Status { causes, .. } if causes.iter().any(emptied::is_null) => Some(
                "Kubernetes sets a map to null when its last field is removed: keep a field in \
                it, or leave the map out"
                    .into(),
            ),
            Self::Status { .. } if self.may_not_call() => Some(Remedy::SandboxWebhooks),
            Self::Status { .. } if self.is_webhooks() => {
                Some("is the webhook's own server up? Its configuration names the service".into())
            }
            Self::Status { .. } | Self::Barred { .. } => None,
        }
    }
}

/// Whether a server says that it was asked without TLS: Go's, nginx's, Envoy's and others'.
fn is_of_plain_http(message: &str) -> bool {
    message.contains("HTTP request to an HTTPS server")
        || message.contains("plain HTTP request was sent to HTTPS port")
}

/// A time in which nothing came, in whole seconds.
fn span(time: Duration) -> String {
    format!("{} s", time.as_secs().max(1))
}
