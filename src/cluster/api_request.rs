//! Requests and answers: counted, retried where the fault is passing, and with errors that say
//! what the server said. What the errors mean is [`ApiError`]'s.
//!
//! Every request that trueup sends may be sent twice: reads, server-side apply, and deletions with
//! preconditions.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::HeaderName;
use http::{Method, StatusCode};
use jiff::Timestamp;
use serde::de::DeserializeOwned;

use super::{ApiError, Cluster, causes, limits, tls};
use crate::core::credentials::without_credentials;
use crate::core::json::Value;
use crate::core::object::Object;

/// How many characters of a server's message are shown; the longest that an API server gives in
/// earnest name a few hundred fields.
const LONGEST_MESSAGE: usize = 16_384;

/// A request before it is sent.
pub(super) struct ApiRequest {
    pub(super) method: Method,
    /// Path and query.
    pub(super) path: String,
    /// Content type and body.
    pub(super) body: Option<(&'static str, Vec<u8>)>,
    /// The media type to ask for instead of plain JSON.
    pub(super) accept: Option<&'static str>,
    /// The answer that is known already, by its ETag.
    pub(super) known: Option<String>,
}

impl ApiRequest {
    pub(super) fn get(path: impl Into<String>) -> Self {
        Self { method: Method::GET, path: path.into(), body: None, accept: None, known: None }
    }
}

/// An answer with a status of success.
pub(super) struct ApiResponse {
    pub(super) status: StatusCode,
    /// Null where the known answer still holds.
    pub(super) body: Value,
    pub(super) etag: Option<String>,
}

/// The body of an answer, not parsed, and its form.
pub(super) struct ResponseBody {
    content_type: Option<String>,
    pub(super) bytes: Bytes,
}

impl ResponseBody {
    /// Whether the server chose protobuf.
    pub(super) fn is_protobuf(&self) -> bool {
        let form = self.content_type.as_deref().unwrap_or_default();
        form.starts_with("application/vnd.kubernetes.protobuf")
    }

    #[cfg(test)]
    pub(super) fn new(content_type: &str, bytes: &[u8]) -> Self {
        let content_type = Some(content_type.to_owned());
        Self { content_type, bytes: Bytes::copy_from_slice(bytes) }
    }
}

/// An object from an answer's JSON.
pub(super) fn object(body: Value) -> Object {
    match body {
        Value::Object(map) => map.into(),
        _ => Object::default(),
    }
}

impl Cluster {
    /// Sends a request and reads its answer.
    pub(super) async fn call(&self, call: ApiRequest) -> Result<ApiResponse, ApiError> {
        let Raw { status, etag, content_type: _, bytes } = self.exchange(&call).await?;
        let is_known = call.known.is_some() && status == StatusCode::NOT_MODIFIED;
        let body = if is_known { Value::Null } else { read(&call, &bytes)? };
        Ok(ApiResponse { status, body, etag })
    }

    /// Sends a request whose answer comes in one of several forms.
    pub(super) async fn call_for_body(&self, call: &ApiRequest) -> Result<ResponseBody, ApiError> {
        let Raw { content_type, bytes, .. } = self.exchange(call).await?;
        Ok(ResponseBody { content_type, bytes })
    }

    /// Sends a request for text, such as a log; one that fails is not tried again.
    pub(super) async fn text(&self, call: ApiRequest) -> Result<String, ApiError> {
        let Raw { bytes, .. } = self.exchange_once(&call).await.map_err(|(error, _)| error)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Sends a request; passing faults are tried again.
    async fn exchange(&self, call: &ApiRequest) -> Result<Raw, ApiError> {
        let (mut tries, mut since) = (0, None);
        loop {
            tries += 1;
            match self.exchange_once(call).await {
                Ok(raw) => return Ok(raw),
                Err((error, after)) => {
                    let since = *since.get_or_insert_with(Instant::now);
                    if !self.may_try_again(&error, tries, since, after).await {
                        return Err(error);
                    }
                }
            }
        }
    }

    /// Sends a request once. With an error comes the pause that the server asks for.
    async fn exchange_once(&self, call: &ApiRequest) -> Result<Raw, (ApiError, Option<Duration>)> {
        let answer = self.send(call).await.map_err(|error| (error, None))?;
        let (head, body) = answer.into_parts();
        let text = |name: HeaderName| head.headers.get(name)?.to_str().ok().map(str::to_owned);
        let (after, etag) = (text(http::header::RETRY_AFTER), text(http::header::ETAG));
        let after = after.and_then(|value| value.parse().ok()).map(Duration::from_secs);
        let (status, is_known) = (head.status, call.known.is_some());
        let cut = |cut| match cut {
            limits::ResponseError::Broken(error) => (self.unreachable(&*error), None),
            limits::ResponseError::Large => {
                let said = limits::display_bytes(self.connection.limits.answer);
                (endless(call, format!("it has more than {said}")), None)
            }
            limits::ResponseError::Slow => (endless(call, "it comes too slowly".to_owned()), None),
        };
        if status.is_success() || (is_known && status == StatusCode::NOT_MODIFIED) {
            let bytes = self
                .connection
                .limits
                .whole(body, self.connection.limits.answer)
                .await
                .map_err(cut)?;
            let content_type = text(http::header::CONTENT_TYPE);
            return Ok(Raw { status, etag, content_type, bytes });
        }
        if status.is_redirection() {
            let to = text(http::header::LOCATION).unwrap_or_else(|| "somewhere else".to_owned());
            let (url, to) = (self.connection.url.clone(), where_to(&to));
            return Err((ApiError::Redirected { url, to }, None));
        }
        let (bytes, _) = self
            .connection
            .limits
            .beginning(body, self.connection.limits.error)
            .await
            .map_err(cut)?;
        let parsed: Option<Value> = serde_json::from_slice(&bytes).ok();
        if status == StatusCode::UNAUTHORIZED
            && let Some(at) = self.connection.token_ends.filter(|at| *at < Timestamp::now())
        {
            let cause = format!("the token expired on {}", tls::time(at));
            let (url, hint) = (self.connection.url.clone(), Some("get another one".to_owned()));
            return Err((ApiError::NoCredential { url, cause, hint }, None));
        }
        Err((refusal(status, parsed.as_ref(), &bytes), after))
    }
}

/// An answer that was not parsed.
struct Raw {
    status: StatusCode,
    etag: Option<String>,
    content_type: Option<String>,
    bytes: Bytes,
}

fn read<T: DeserializeOwned>(call: &ApiRequest, bytes: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(bytes).map_err(|error| garbled(call, &error.to_string()))
}

/// The error of an answer that goes beyond a limit.
pub(super) fn endless(call: &ApiRequest, cause: String) -> ApiError {
    ApiError::Endless { what: format!("{} {}", call.method, call.path), cause }
}

pub(super) fn garbled(call: &ApiRequest, cause: &str) -> ApiError {
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
    let message = shortened(causes::field_of_message(&message));
    ApiError::Status {
        code: status.as_u16(),
        reason: text("reason").unwrap_or_default(),
        causes: causes::of(&message, body.and_then(|body| body.get("details"))),
        message,
    }
}

/// Where a server redirects to: without a password, and without the query, which may hold a token.
fn where_to(location: &str) -> String {
    let end = location.find(['?', '#']).unwrap_or(location.len());
    without_credentials(&location[..end])
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
