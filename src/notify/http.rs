//! Requests over HTTP to one address. A redirect is not followed: the next host must not get what this
//! one was to get. An answer is read up to a bound.

use std::io::Read as _;
use std::net::IpAddr;
use std::time::Duration;

use reqwest::Url;
use reqwest::blocking::{Client, RequestBuilder, Response};
use reqwest::header::{HeaderValue, RETRY_AFTER};

use super::error::DeliveryError;
use crate::core::json::Value;

/// The most bytes that are read of an answer.
const LARGEST: u64 = 4 << 20;

/// A client.
#[derive(Debug)]
pub(super) struct Http {
    client: Client,
    timeout: Duration,
}

impl Http {
    /// A client whose requests to the host of `url` take no longer than `timeout` each. This machine is never
    /// behind a proxy: what is sent without TLS must not leave it.
    ///
    /// # Errors
    ///
    /// When TLS can't be set up.
    pub(super) fn new(url: &Url, timeout: Duration) -> Result<Self, DeliveryError> {
        let builder = Client::builder()
            .user_agent(concat!("trueup/", env!("CARGO_PKG_VERSION")))
            .referer(false)
            .redirect(reqwest::redirect::Policy::none())
            .timeout(timeout);
        let builder = if is_here(url) { builder.no_proxy() } else { builder };
        let client = builder.build();
        let client = client.map_err(|error| DeliveryError::new(causes(&error.without_url())))?;
        Ok(Self { client, timeout })
    }

    pub(super) fn post(&self, url: Url) -> RequestBuilder {
        self.client.post(url)
    }

    pub(super) fn put(&self, url: Url) -> RequestBuilder {
        self.client.put(url)
    }

    pub(super) fn patch(&self, url: Url) -> RequestBuilder {
        self.client.patch(url)
    }

    pub(super) fn get(&self, url: Url) -> RequestBuilder {
        self.client.get(url)
    }

    /// Sends a request, whose answer has to be a success.
    ///
    /// # Errors
    ///
    /// When there is no answer, or another one.
    pub(super) fn send(
        &self,
        url: &Url,
        request: RequestBuilder,
    ) -> Result<Response, DeliveryError> {
        let host = host(url);
        let response = request.send().map_err(|error| {
            let text = match error.is_timeout() {
                true => format!("no answer from {host} within {} s", self.timeout.as_secs_f64()),
                false => format!("cannot reach {host}: {}", causes(&error.without_url())),
            };
            DeliveryError::new(text)
        })?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        Err(DeliveryError::status(&host, status.as_u16(), after))
    }

    /// The same, with an answer in JSON.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub(super) fn json(&self, url: &Url, request: RequestBuilder) -> Result<Value, DeliveryError> {
        let response = self.send(url, request)?;
        let mut bytes = Vec::new();
        let read = response.take(LARGEST).read_to_end(&mut bytes);
        let wrong = || DeliveryError::new(format!("{} does not answer with JSON", host(url)));
        read.map_err(|_| wrong())?;
        serde_json::from_slice(&bytes).map_err(|_| wrong())
    }
}

/// Reads an address. Without TLS, it may lead to this machine, or where nothing secret is sent.
///
/// # Errors
///
/// When it is not an address, or not one that may be used.
pub(super) fn url(text: &str, has_secret: bool) -> Result<Url, DeliveryError> {
    let wrong = |why: &str| DeliveryError::new(format!("the url {why}"));
    let url = Url::parse(text).map_err(|_| wrong("is not one"))?;
    match url.scheme() {
        "https" => {}
        "http" if !has_secret || is_here(&url) => {}
        "http" => return Err(wrong("has to begin with https://, since it or a token is secret")),
        _ => return Err(wrong("has to begin with https://")),
    }
    match url.username().is_empty() && url.password().is_none() {
        true => Ok(url),
        false => Err(wrong("must not have a user or a password in it")),
    }
}

/// An address below another one.
///
/// # Errors
///
/// When there is none.
pub(super) fn below(base: &Url, path: &[&str]) -> Result<Url, DeliveryError> {
    let mut url = base.clone();
    url.set_query(None);
    match url.path_segments_mut() {
        Ok(mut segments) => drop(segments.pop_if_empty().extend(path)),
        Err(()) => return Err(DeliveryError::new("the url has no path")),
    }
    Ok(url)
}

/// The host and the port, as messages name them.
pub(super) fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// The header of a bearer token, which logs do not show.
///
/// # Errors
///
/// When a header can't hold the token.
pub(super) fn secret_header(text: &str) -> Result<HeaderValue, DeliveryError> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| DeliveryError::new("the token has a character that a header can't hold"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn is_here(url: &Url) -> bool {
    is_loopback(url.host_str().unwrap_or_default())
}

/// Whether a host is this machine.
pub(super) fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// An error with its causes.
fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_sent_by_tls_or_to_this_machine() {
        for good in
            ["https://a.example/x", "http://localhost:1/", "http://127.0.0.1/", "http://[::1]:2"]
        {
            assert!(url(good, true).is_ok(), "{good}");
        }
        for bad in [
            "http://a.example/",
            "http://localhost.example/",
            "ftp://a.example/",
            "a.example",
            "https://user@a.example/",
            "https://user:hunter2-canary@a.example/",
        ] {
            let error = url(bad, true).unwrap_err().to_string();
            assert!(!error.contains("example") && !error.contains("hunter2"), "{error}");
        }
        assert!(url("http://alertmanager.monitoring:9093", false).is_ok());
    }

    #[test]
    fn paths_are_added_as_they_are_meant() {
        let base = Url::parse("https://a.example/base/?x=y").unwrap();
        let url = below(&base, &["projects", "shop/deploy", "a b"]).unwrap();
        assert_eq!(url.as_str(), "https://a.example/base/projects/shop%2Fdeploy/a%20b");
        assert_eq!(host(&url), "a.example");
    }
}
