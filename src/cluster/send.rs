//! Sends a request with the credential of the moment, and once more with another one where the server
//! does not take that.

use std::error::Error;
use std::sync::atomic::Ordering;
use std::time::Instant;

use futures::TryFutureExt as _;
use http::{Request, Response, StatusCode};
use kube::client::Body;

use super::api_request::{ApiRequest, garbled};
use super::client::{Authenticated, NoClient};
use super::credential::NoCredential;
use super::{ApiError, Cluster, TlsFault, authentication, proxy};

impl Cluster {
    /// Sends a request, and gives the answer of which nothing is read yet, whatever its status.
    pub(super) async fn send(&self, call: &ApiRequest) -> Result<Response<Body>, ApiError> {
        let no_credential = |error| {
            let url = self.connection.url.clone();
            match error {
                NoClient::Unusable(cause) => ApiError::NoCredential { url, cause, hint: None },
                NoClient::NoCredential(NoCredential { message, hint }) => {
                    ApiError::NoCredential { url, cause: message, hint }
                }
            }
        };
        let with = self.connection.client.current().await.map_err(no_credential)?;
        let answer = self.send_with(&with, call).await?;
        if answer.status() != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        match self.connection.client.renew(&with).await.map_err(no_credential)? {
            Some(with) => self.send_with(&with, call).await,
            None => Ok(answer),
        }
    }

    async fn send_with(
        &self,
        with: &Authenticated,
        call: &ApiRequest,
    ) -> Result<Response<Body>, ApiError> {
        let request = request(call)?;
        self.pass(call)?;
        for count in [&self.connection.requests, &*self.counted] {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let begin = Instant::now();
        let silent =
            || ApiError::Silent { url: self.connection.url.clone(), time: begin.elapsed() };
        let sending = with.client.send(request).map_err(authentication::of_client);
        let answer = self.in_time(sending, self.connection.timeout).await;
        let code = match &answer {
            Some(Ok(answer)) => answer.status().as_u16(),
            None | Some(Err(_)) => 0,
        };
        self.connection.tally.add(&call.method, code);
        match answer {
            None => Err(silent()),
            Some(Err(error)) if is_timeout(&*error) => Err(silent()),
            Some(answer) => answer.map_err(|error| self.unreachable(&*error)),
        }
    }

    /// That no answer came, or no whole one.
    pub(super) fn unreachable(&self, error: &(dyn Error + 'static)) -> ApiError {
        let url = self.connection.url.clone();
        if let Some(refusal) = proxy::refusal(error) {
            let cause = authentication::cause(error);
            return ApiError::Proxy { url, cause, hint: refusal.hint() };
        }
        match TlsFault::of(error) {
            Some(fault) => ApiError::Tls { url, fault },
            None => ApiError::Unreachable { url, cause: authentication::cause(error) },
        }
    }
}

/// Whether an error is about time that is up.
fn is_timeout(error: &(dyn Error + 'static)) -> bool {
    authentication::causes(error).into_iter().any(|error| {
        let io = error.downcast_ref::<std::io::Error>();
        io.is_some_and(|error| error.kind() == std::io::ErrorKind::TimedOut)
    })
}

/// The request of a call.
fn request(call: &ApiRequest) -> Result<Request<Body>, ApiError> {
    let mut request = Request::builder().method(call.method.clone()).uri(&call.path);
    request = request.header(http::header::ACCEPT, call.accept.unwrap_or("application/json"));
    let body = match &call.body {
        Some((content_type, bytes)) => {
            request = request.header(http::header::CONTENT_TYPE, *content_type);
            bytes.clone()
        }
        None => Vec::new(),
    };
    if let Some(etag) = &call.known {
        request = request.header(http::header::IF_NONE_MATCH, etag);
    }
    let request = request.body(Body::from(body));
    request.map_err(|error| garbled(call, &error.to_string()))
}
