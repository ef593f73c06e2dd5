//! Asks an identity provider for new tokens: its discovery document says where, and the refresh token
//! is what they are given for (RFC 6749, sections 2.3.1, 5 and 6). How a request is sent is
//! [`exchange`]'s.

use http::{HeaderValue, StatusCode, Uri};
use serde::Deserialize;

use super::exchange::{PATIENCE, ProviderRequest, next, send, unreachable, url};
use super::oauth::{TokenResponse, basic, escaped};
use super::refusal::{self, TokenRefusal};
use super::{Provider, usable_until};
use crate::cluster::credential::NoCredential;

/// How often the discovery document may be somewhere else, as for Go's client.
const REDIRECTS: usize = 10;

/// Tokens from an identity provider.
pub(super) struct IssuedTokens {
    pub(super) id_token: String,
    /// Where it gives another one.
    pub(super) refresh_token: Option<String>,
}

/// Why there are no new tokens.
pub(super) enum RefreshError {
    /// The refresh token is of no use, or of none any more.
    Grant(NoCredential),
    Other(NoCredential),
}

impl From<NoCredential> for RefreshError {
    fn from(error: NoCredential) -> Self {
        Self::Other(error)
    }
}

impl From<RefreshError> for NoCredential {
    fn from(failed: RefreshError) -> Self {
        match failed {
            RefreshError::Grant(error) | RefreshError::Other(error) => error,
        }
    }
}

/// Asks for new tokens.
///
/// # Errors
///
/// When the identity provider can't be reached, or gives none.
pub(super) async fn tokens(
    provider: &Provider,
    refresh_token: &str,
) -> Result<IssuedTokens, RefreshError> {
    match tokio::time::timeout(PATIENCE, request_tokens(provider, refresh_token)).await {
        Ok(answer) => answer,
        Err(_) => {
            let why = format!("does not answer in {} s", PATIENCE.as_secs());
            Err(unreachable(provider, &why).into())
        }
    }
}

async fn request_tokens(
    provider: &Provider,
    refresh_token: &str,
) -> Result<IssuedTokens, RefreshError> {
    let endpoint = token_endpoint(provider).await?;
    let secret = provider.client_secret.as_deref();
    // Some take the secret in a header alone and some in the body alone; a client without one has
    // nothing to put into a header.
    let in_header: &[bool] = if secret.is_some() { &[true, false] } else { &[false] };
    let mut refusals = Vec::new();
    for &in_header in in_header {
        let request = token_request(provider, refresh_token, in_header);
        let (status, bytes) = send(provider, &endpoint, request).await?.parts();
        if status.is_redirection() {
            let why = format!(
                "can't be used: its token endpoint redirects (HTTP status {}), which is not followed",
                status.as_u16()
            );
            return Err(unreachable(provider, &why).into());
        }
        let answer: TokenResponse = serde_json::from_slice(&bytes).unwrap_or_default();
        let has_error = answer.error.as_ref().is_some_and(|error| !error.is_empty());
        if !status.is_success() || has_error {
            refusals.push(TokenRefusal { status, answer });
            continue;
        }
        return Ok(tokens_of(provider, refresh_token, answer)?);
    }
    // That the refresh token is of no use says more than that one of the two ways is not taken.
    let at = refusals.iter().rposition(TokenRefusal::is_grant);
    let at = at.unwrap_or(refusals.len().saturating_sub(1));
    let refusal = refusals.swap_remove(at);
    let error = refusal.error(provider, refresh_token);
    Err(if refusal.is_grant() { RefreshError::Grant(error) } else { RefreshError::Other(error) })
}

/// The tokens of an answer.
fn tokens_of(
    provider: &Provider,
    old: &str,
    answer: TokenResponse,
) -> Result<IssuedTokens, NoCredential> {
    let full = |text: Option<String>| text.filter(|text| !text.is_empty());
    if full(answer.access_token).is_none() {
        return Err(unreachable(provider, "answers without an access_token"));
    }
    let Some(id_token) = full(answer.id_token) else {
        let message = format!("{} refreshed the session, but gave no id_token", provider.shown());
        let hint = "log in again with the scope openid; some identity providers give an id_token at \
                    the login alone, so use an exec plugin such as kubelogin (kubectl oidc-login)";
        return Err(NoCredential { message, hint: Some(hint.to_owned()) });
    };
    if let Err(why) = usable_until(&id_token) {
        let why = why.replacen("has", "gave", 1);
        return Err(NoCredential { message: format!("{} {why}", provider.shown()), hint: None });
    }
    let refresh_token = full(answer.refresh_token).filter(|token| token != old);
    Ok(IssuedTokens { id_token, refresh_token })
}

/// Where the identity provider says that tokens are to be had.
async fn token_endpoint(provider: &Provider) -> Result<Uri, NoCredential> {
    #[derive(Deserialize)]
    struct Discovery {
        token_endpoint: Option<String>,
    }
    let failed = |why: &str| unreachable(provider, why);
    let issuer = &provider.issuer;
    let issuer = issuer.strip_suffix('/').unwrap_or(issuer);
    let document = format!("{issuer}/.well-known/openid-configuration");
    let mut at = url(&document).ok_or_else(|| {
        let message = format!("the idp-issuer-url of {} is not a URL", provider.shown());
        NoCredential { message, hint: None }
    })?;
    let is_tls = at.scheme_str() == Some("https");
    let is_safe = |next: &Uri| !is_tls || next.scheme_str() == Some("https");
    let mut answer = send(provider, &at, ProviderRequest::Document).await?;
    for _ in 0..REDIRECTS {
        let Some(location) = answer.location.take() else { break };
        let next = next(&at, &location).filter(is_safe);
        at =
            next.ok_or_else(|| failed("redirects to where its discovery document can't be read"))?;
        answer = send(provider, &at, ProviderRequest::Document).await?;
    }
    if answer.location.is_some() {
        return Err(failed(&format!("redirects more than {REDIRECTS} times")));
    }
    let (status, bytes) = answer.parts();
    if status != StatusCode::OK {
        let hint = refusal::is_passing(status).then(|| refusal::LATER.to_owned());
        let why = format!("has no discovery document: HTTP status {status}");
        return Err(NoCredential { hint, ..failed(&why) });
    }
    let found: Result<Discovery, _> = serde_json::from_slice(&bytes);
    let found = found.map_err(|_| failed("has a discovery document that is not JSON"))?;
    let found = found.token_endpoint.filter(|endpoint| !endpoint.is_empty());
    let found = found.ok_or_else(|| failed("has a discovery document without token_endpoint"))?;
    let found = url(&found).ok_or_else(|| failed("has a token_endpoint that is not a URL"))?;
    // The refresh token is not sent in the clear.
    match is_safe(&found) {
        true => Ok(found),
        false => Err(failed("has a token_endpoint without TLS")),
    }
}

fn token_request(provider: &Provider, refresh_token: &str, in_header: bool) -> ProviderRequest {
    let Provider { client_id, client_secret, .. } = provider;
    let secret = client_secret.as_deref().unwrap_or_default();
    let mut fields = vec![("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
    if !in_header {
        fields.push(("client_id", client_id));
        if !secret.is_empty() {
            fields.push(("client_secret", secret));
        }
    }
    let fields = fields.iter().map(|(name, value)| format!("{name}={}", escaped(value)));
    let form = fields.collect::<Vec<_>>().join("&");
    let authorization = in_header.then(|| {
        let value = HeaderValue::try_from(format!("Basic {}", basic(client_id, secret))).ok();
        value.map(|mut value| {
            value.set_sensitive(true);
            value
        })
    });
    ProviderRequest::Tokens { form, authorization: authorization.flatten() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_escaped_as_in_a_form() {
        assert_eq!(escaped("aZ0-_.~"), "aZ0-_.~");
        assert_eq!(escaped("a b+c&d=é/"), "a+b%2Bc%26d%3D%C3%A9%2F");
    }
}
