//! Requests to an identity provider, over connections as they lead to clusters: with the environment's
//! proxies, and with authorities of the identity provider's own.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, LOCATION, USER_AGENT};
use http::{HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use kube::client::Body;
use kube::config::Config;
use reqwest::Url;

use super::Provider;
use crate::cluster::credential::NoCredential;
use crate::cluster::{TlsFault, authentication, proxy, transport};

/// How long a refresh may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// How many bytes an answer may have.
const LARGEST: usize = 1 << 20;

/// A request to an identity provider.
pub(super) enum ProviderRequest {
    Document,
    /// Tokens, by a form and perhaps an Authorization.
    Tokens {
        form: String,
        authorization: Option<HeaderValue>,
    },
}

/// Its response.
pub(super) struct ProviderResponse {
    pub(super) status: StatusCode,
    /// Where it is instead.
    pub(super) location: Option<String>,
    pub(super) bytes: Bytes,
}

impl ProviderResponse {
    /// Its status and its body.
    pub(super) fn parts(self) -> (StatusCode, Bytes) {
        (self.status, self.bytes)
    }
}

/// Sends a request and reads its answer, whatever its status.
///
/// # Errors
///
/// When no answer comes, or no whole one.
pub(super) async fn send(
    provider: &Provider,
    url: &Uri,
    asked: ProviderRequest,
) -> Result<ProviderResponse, NoCredential> {
    let request = match asked {
        ProviderRequest::Document => Request::builder().body(Body::empty()),
        ProviderRequest::Tokens { form, authorization } => {
            let mut request = Request::builder().method(Method::POST);
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
            if let Some(authorization) = authorization {
                request = request.header(AUTHORIZATION, authorization);
            }
            request.body(Body::from(form.into_bytes()))
        }
    };
    let mut request = request.map_err(|_| unreachable(provider, "can't be asked"))?;
    let path = url.path_and_query().map_or("/", |path| path.as_str());
    *request.uri_mut() = Uri::try_from(path).map_err(|_| unreachable(provider, "has no path"))?;
    request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
    let server = Uri::builder().scheme(url.scheme_str().unwrap_or("https"));
    let server = server.authority(url.authority().map_or("", |it| it.as_str()));
    let server = server.path_and_query("/").build();
    let server = server.map_err(|_| unreachable(provider, "has no address"))?;
    let client = client(provider, server).map_err(|why| {
        let message = format!("cannot refresh the id-token at {}: {why}", provider.shown());
        NoCredential { message, hint: None }
    })?;
    let answer = client.send(request).await;
    let answer = answer.map_err(|error| lost(provider, &*authentication::of_client(error)))?;
    let (head, body) = answer.into_parts();
    let location = head.headers.get(LOCATION).filter(|_| head.status.is_redirection());
    let location = location.and_then(|it| it.to_str().ok()).map(str::to_owned);
    let body = body.map_err(authentication::of_client);
    let bytes = Limited::new(body, LARGEST).collect().await;
    let bytes = bytes.map_err(|error| match error.is::<LengthLimitError>() {
        true => unreachable(provider, "can't be used: its answer is too large (more than 1 MiB)"),
        false => lost(provider, &*error),
    })?;
    Ok(ProviderResponse { status: head.status, location, bytes: bytes.to_bytes() })
}

/// A client for a server of the identity provider's.
fn client(provider: &Provider, server: Uri) -> Result<kube::Client, String> {
    let proxy = proxy::choose(None, &server, &proxy::ProxyEnvironment::read())?;
    let mut config = Config::new(server);
    config.root_cert = provider.authorities.clone();
    config.read_timeout = Some(PATIENCE);
    config.default_retry = false;
    let agent = HeaderValue::from_static(concat!("trueup/", env!("CARGO_PKG_VERSION")));
    config.headers.push((USER_AGENT, agent));
    transport::client(&config, proxy)
}

/// The error of a request that got no whole answer.
fn lost(provider: &Provider, error: &(dyn std::error::Error + 'static)) -> NoCredential {
    let Some(fault) = TlsFault::of(error) else {
        let cause = authentication::cause(error);
        let hint = proxy::refusal(error).map(|refusal| refusal.hint());
        let why = format!("can't be reached: {cause}");
        return NoCredential { hint, ..unreachable(provider, &why) };
    };
    let hint = match &fault {
        TlsFault::UnknownAuthority { .. } => Some(
            "put the authority of the identity provider into idp-certificate-authority-data of the \
             kubeconfig's auth-provider"
                .to_owned(),
        ),
        TlsFault::Expired { .. } | TlsFault::NotYetValid { .. } => fault.hint(),
        _ => None,
    };
    NoCredential { hint, ..unreachable(provider, &format!("can't be reached by TLS: {fault}")) }
}

/// That the identity provider is of no use, and why.
pub(super) fn unreachable(provider: &Provider, why: &str) -> NoCredential {
    let message = format!("cannot refresh the id-token: {} {why}", provider.shown());
    NoCredential { message, hint: None }
}

/// A URL of HTTP; `None` where the text is none.
pub(super) fn url(text: &str) -> Option<Uri> {
    let url: Uri = text.parse().ok()?;
    let is_http = matches!(url.scheme_str(), Some("http" | "https"));
    (is_http && url.host().is_some_and(|host| !host.is_empty())).then_some(url)
}

/// Where a redirection leads to, which may be said in relation to where it is.
pub(super) fn next(from: &Uri, location: &str) -> Option<Uri> {
    if location.is_empty() {
        return None;
    }
    let mut next = Url::parse(&from.to_string()).ok()?.join(location).ok()?;
    next.set_fragment(None);
    url(next.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirection_leads_to_the_same_server_or_another() {
        let from = url("https://a:1/b/c?d").unwrap();
        let next = |location: &str| next(&from, location).map(|url| url.to_string());
        for (location, expected) in [
            ("/c?d", "https://a:1/c?d"),
            ("https://e/f", "https://e/f"),
            ("e", "https://a:1/b/e"),
            ("../e?f#g", "https://a:1/e?f"),
            ("?e", "https://a:1/b/c?e"),
            ("//e/f", "https://e/f"),
            ("//e:2", "https://e:2/"),
            ("http://e", "http://e/"),
        ] {
            assert_eq!(next(location).as_deref(), Some(expected), "{location}");
        }
        for location in ["", "ftp://e/f", "https://", "https://a b", "//"] {
            assert_eq!(next(location), None, "{location}");
        }
    }
}
