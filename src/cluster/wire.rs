//! Requests and answers: counted, retried where the fault is passing, and with errors that say
//! what the server said.
//!
//! Every request that trueup sends may be sent twice: reads, server-side apply, and deletions with
//! preconditions.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::HeaderName;
use http::{Method, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Cluster, Fault, causes, limits};
use crate::object::Object;
use crate::observed::Refusal;
use crate::ownership::emptied;
use crate::problem::Cause;
use crate::unique;

/// How many characters of a server's message are shown; the longest that an API server gives in
/// earnest name a few hundred fields.
const LONGEST_MESSAGE: usize = 16_384;

/// A request before it is sent.
pub(super) struct Call {
    pub(super) method: Method,
    /// Path and query.
    pub(super) path: String,
    /// Content type and body.
    pub(super) body: Option<(&'static str, Vec<u8>)>,
    /// What to ask for instead of plain JSON.
    pub(super) accept: Option<&'static str>,
    /// The answer that is known already, by its ETag.
    pub(super) known: Option<String>,
}

impl Call {
    pub(super) fn get(path: impl Into<String>) -> Self {
        Self { method: Method::GET, path: path.into(), body: None, accept: None, known: None }
    }
}

/// An answer with a status of success.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// Null where the known answer still holds.
    pub(super) body: Value,
    pub(super) etag: Option<String>,
}

/// An object from an answer's JSON.
pub(super) fn object(body: Value) -> Object {
    match body {
        Value::Object(map) => Object(map),
        _ => Object::default(),
    }
}

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
        /// What to do about it.
        hint: String,
    },
    /// There is no credential to show.
    #[error("cannot log in to the API server at {url}: {cause}")]
    NoCredential {
        /// The server.
        url: String,
        /// Why, without what is secret.
        cause: String,
    },
    /// An answer came that has no end, or none that anybody would wait for.
    #[error("the answer to {what} is not taken in: {cause}")]
    Endless {
        /// Method and path of the request.
        what: String,
        /// Which limit it goes beyond.
        cause: String,
    },
    /// An answer came that is not the API's.
    #[error("the answer to {what} is not one of a Kubernetes API server: {cause}")]
    Garbled {
        /// Method and path of the request.
        what: String,
        /// What is wrong with it.
        cause: String,
    },
}

impl ApiError {
    /// Whether the object, or what it would live in, does not exist.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Status { code: 404, .. })
    }

    /// What a server would say of an object that is there and should not be.
    pub(super) fn exists() -> Self {
        Self::Status {
            code: 409,
            reason: "AlreadyExists".to_owned(),
            message: "it exists already".to_owned(),
            causes: Vec::new(),
        }
    }

    /// What a server would say of an object that is not the one that was seen any more.
    pub(super) fn changed() -> Self {
        Self::Status {
            code: 409,
            reason: "Conflict".to_owned(),
            message: "it changed since it was looked at".to_owned(),
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
        let is_taken = matches!(self, Self::Status { message, .. } if unique::is_taken(message));
        is_refusal && self.fault() != Fault::Passing || self.is_mistyped() || is_taken
    }

    /// Why the object can't be looked at by dry run, though it may well be applied: a webhook that
    /// refuses to be asked without consequences, or one that does not answer at the moment.
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

    /// What the server says field by field, where it names fields.
    pub fn causes(&self) -> &[Cause] {
        match self {
            Self::Status { causes, .. } => causes,
            Self::Unreachable { .. }
            | Self::Proxy { .. }
            | Self::NoCredential { .. }
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

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        if let Some(name) = self.missing_namespace() {
            return Some(format!(
                "add Namespace {name} to the commit, or run kubectl create namespace {name}"
            ));
        }
        match self {
            Self::Unreachable { .. } => {
                Some("is the cluster up, and is this the right context? (see --context)".to_owned())
            }
            Self::Proxy { hint, .. } => Some(hint.clone()),
            Self::NoCredential { .. } => None,
            Self::Status { code: 401, .. } => {
                Some("log in again: the kubeconfig's credentials are not accepted".to_owned())
            }
            Self::Status { code: 403, message, .. } => causes::hint_of_forbidden(message),
            Self::Garbled { .. } | Self::Endless { .. } => Some(
                "is the server in the kubeconfig an API server, or a proxy before it?".to_owned(),
            ),
            Self::Status { message, .. }
                if self.is_mistyped() && message.contains("expected string") =>
            {
                Some("write the value in quotes".to_owned())
            }
            Self::Status { causes, .. } if causes.iter().any(emptied::is_null) => Some(
                "Kubernetes makes null of a map when its last field goes: leave a field in it, or \
                 leave it out"
                    .to_owned(),
            ),
            Self::Status { .. } if self.may_not_call() => Some(
                "the API server of --sandbox calls no webhook; leave its configuration out, or try \
                 it with trueup sandbox -- trueup apply"
                    .to_owned(),
            ),
            Self::Status { .. } if self.is_webhooks() => Some(
                "is the webhook's own server up? Its configuration names the service".to_owned(),
            ),
            Self::Status { .. } => None,
        }
    }
}

impl Cluster {
    /// Sends a request and reads its answer.
    pub(super) async fn call(&self, call: Call) -> Result<Answer, ApiError> {
        let Raw { status, etag, bytes } = self.exchange(&call).await?;
        let is_known = call.known.is_some() && status == StatusCode::NOT_MODIFIED;
        let body = if is_known { Value::Null } else { read(&call, &bytes)? };
        Ok(Answer { status, body, etag })
    }

    /// Sends a request for something of a certain form.
    pub(super) async fn call_for<T: DeserializeOwned>(&self, call: Call) -> Result<T, ApiError> {
        let Raw { bytes, .. } = self.exchange(&call).await?;
        read(&call, &bytes)
    }

    /// Sends a request for text, such as a log; one that fails is not tried again.
    pub(super) async fn text(&self, call: Call) -> Result<String, ApiError> {
        let Raw { bytes, .. } = self.exchange_once(&call).await.map_err(|(error, _)| error)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Sends a request; passing faults are tried again.
    async fn exchange(&self, call: &Call) -> Result<Raw, ApiError> {
        let (mut tries, mut since) = (0, None);
        loop {
            tries += 1;
            match self.exchange_once(call).await {
                Ok(raw) => return Ok(raw),
                Err((error, after)) => {
                    let since = *since.get_or_insert_with(Instant::now);
                    if !self.may_try_again(&error, (tries, since), after).await {
                        return Err(error);
                    }
                }
            }
        }
    }

    /// Sends a request once. With an error comes the pause that the server asks for.
    async fn exchange_once(&self, call: &Call) -> Result<Raw, (ApiError, Option<Duration>)> {
        let answer = self.send(call).await.map_err(|error| (error, None))?;
        let (head, body) = answer.into_parts();
        let text = |name: HeaderName| head.headers.get(name)?.to_str().ok().map(str::to_owned);
        let (after, etag) = (text(http::header::RETRY_AFTER), text(http::header::ETAG));
        let after = after.and_then(|value| value.parse().ok()).map(Duration::from_secs);
        let (status, is_known) = (head.status, call.known.is_some());
        let cut = |cut| match cut {
            limits::Cut::Broken(error) => (self.unreachable(&*error), None),
            limits::Cut::Large => {
                let said = limits::said(self.limits.answer);
                (endless(call, format!("it has more than {said}")), None)
            }
            limits::Cut::Slow => (endless(call, "it comes too slowly".to_owned()), None),
        };
        if status.is_success() || (is_known && status == StatusCode::NOT_MODIFIED) {
            let bytes = self.limits.whole(body, self.limits.answer).await.map_err(cut)?;
            return Ok(Raw { status, etag, bytes });
        }
        let (bytes, _) = self.limits.beginning(body, self.limits.error).await.map_err(cut)?;
        let parsed: Option<Value> = serde_json::from_slice(&bytes).ok();
        Err((refusal(status, parsed.as_ref(), &bytes), after))
    }
}

/// An answer that nobody has looked into.
struct Raw {
    status: StatusCode,
    etag: Option<String>,
    bytes: Bytes,
}

fn read<T: DeserializeOwned>(call: &Call, bytes: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(bytes).map_err(|error| garbled(call, &error.to_string()))
}

/// The error of an answer that goes beyond a limit.
pub(super) fn endless(call: &Call, cause: String) -> ApiError {
    ApiError::Endless { what: format!("{} {}", call.method, call.path), cause }
}

pub(super) fn garbled(call: &Call, cause: &str) -> ApiError {
    let what = format!("{} {}", call.method, call.path);
    ApiError::Garbled { what, cause: cause.to_owned() }
}

/// The error that an answer without success stands for.
pub(super) fn refusal(status: StatusCode, body: Option<&Value>, bytes: &[u8]) -> ApiError {
    let text = |key: &str| body?.get(key)?.as_str().map(str::to_owned);
    let plain = || {
        let text = String::from_utf8_lossy(bytes);
        let line = text.lines().next().unwrap_or_default().trim().to_owned();
        if line.is_empty() { status.to_string() } else { format!("{status}: {line}") }
    };
    let message = text("message").filter(|message| !message.is_empty()).unwrap_or_else(plain);
    let message = shortened(causes::named(&message));
    ApiError::Status {
        code: status.as_u16(),
        reason: text("reason").unwrap_or_default(),
        causes: causes::of(&message, body.and_then(|body| body.get("details"))),
        message,
    }
}

/// A message of a server, if it is long only its beginning.
fn shortened(mut message: String) -> String {
    if let Some((end, _)) = message.char_indices().nth(LONGEST_MESSAGE) {
        let left = message.len() - end;
        message.truncate(end);
        message.push_str(&format!("… and {left} bytes more"));
    }
    message
}
