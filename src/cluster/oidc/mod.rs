//! The auth-provider `oidc` of a kubeconfig, as client-go has it (k8s.io/client-go,
//! `plugin/pkg/client/auth/oidc/oidc.go`): its id-token is shown to the cluster, and refreshed at
//! the identity provider once it expires. This page decides; [`refresh`] asks the identity
//! provider, and [`write_back`] puts new tokens into the kubeconfig that the old ones came from.
//! [`token_lock`] keeps runs at the same time from asking for the same.

mod edit;
mod exchange;
mod oauth;
mod refresh;
mod refusal;
mod token_lock;
mod write_back;

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use kube::config::AuthProviderConfig;

use self::refresh::RefreshError;
use self::token_lock::TokenLock;
use super::credential::{Credential, Key, NoCredential};
use super::kubeconfig::{authorities_of, data_or_file};
use super::tls;
use crate::core::credentials::url_without_credentials;
use crate::core::json::{Value, json};
use crate::core::sanitize::{is_harmless, spelled};

/// How long before its end a token is no longer used: the clocks of machines differ.
const EXPIRY_DELTA: SignedDuration = SignedDuration::from_secs(10);

/// How many characters of what an identity provider says are shown.
const LONGEST_TEXT: usize = 300;

/// The remedy where a refresh token is missing.
const USE_KUBELOGIN: &str = "log in again, such as with kubelogin (kubectl oidc-login), an exec plugin \
                             that logs in by itself once it has to";

/// Where a kubeconfig has a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct UserEntry {
    /// The file.
    pub(super) file: PathBuf,
    /// The user's name in it.
    pub(super) user: String,
}

/// The identity provider of a kubeconfig.
pub(super) struct Provider {
    /// The identity provider's URL.
    issuer: String,
    client_id: String,
    client_secret: Option<String>,
    id_token: Option<String>,
    refresh_token: Option<String>,
    /// The certificates that vouch for the identity provider; `None` for those of the system.
    authorities: Option<Vec<Vec<u8>>>,
    /// Where new tokens go.
    origin: Option<UserEntry>,
}

/// A credential, and what is worth a warning about it.
pub(super) struct RenewedCredential {
    pub(super) credential: Credential,
    pub(super) warning: Option<String>,
}

/// How to get a token.
#[derive(PartialEq, Eq)]
enum Decision {
    /// The token that there is.
    Use(Credential),
    /// The one that the identity provider gives for this refresh token.
    Refresh(String),
}

impl Provider {
    /// Reads what the kubeconfig says.
    ///
    /// # Errors
    ///
    /// When something of it is missing or can't be read; as text without what is secret.
    pub(super) fn new(
        said: &AuthProviderConfig,
        origin: Option<UserEntry>,
    ) -> Result<Self, String> {
        let text = |key: &str| said.config.get(key).filter(|text| !text.is_empty()).cloned();
        let needed = |key: &str| {
            text(key).ok_or_else(|| format!("the user's auth-provider oidc has no {key}"))
        };
        let (issuer, client_id) = (needed("idp-issuer-url")?, needed("client-id")?);
        let what = "idp-certificate-authority";
        // As in other base64 of a kubeconfig, line breaks are none of it.
        let data = text("idp-certificate-authority-data");
        let data = data.map(|data| data.replace(['\r', '\n'], ""));
        let file = text(what);
        let authorities = match data.is_some() || file.is_some() {
            true => {
                let bundle = data_or_file(data.as_deref(), file.as_deref(), what)?;
                let authorities = authorities_of(&bundle);
                if authorities.is_empty() {
                    return Err(format!("the user's {what} has no certificate in it (as PEM)"));
                }
                Some(authorities)
            }
            false => None,
        };
        Ok(Self {
            issuer,
            client_id,
            client_secret: text("client-secret"),
            id_token: text("id-token"),
            refresh_token: text("refresh-token"),
            authorities,
            origin,
        })
    }

    /// Whether the identity provider may give another token.
    pub(super) fn can_refresh(&self) -> bool {
        self.refresh_token.is_some()
    }

    /// Its identity among sources.
    pub(super) fn key(&self) -> Key {
        let Self { issuer, client_id, client_secret, id_token, refresh_token, .. } = self;
        let origin = self.origin.as_ref();
        let origin = origin.map(|it| [it.file.to_string_lossy().into_owned(), it.user.clone()]);
        let source = json!(["oidc", origin, issuer, client_id, client_secret]).to_string();
        Key { source, tokens: json!([id_token, refresh_token]).to_string() }
    }

    /// The credential to show now. One that was shown `before` has expired or is refused.
    ///
    /// # Errors
    ///
    /// When the token has expired and there is no other one to have.
    pub(super) async fn credential(
        &self,
        before: Option<&Credential>,
    ) -> Result<RenewedCredential, NoCredential> {
        let mut refresh_token = match self.decide(before, Timestamp::now())? {
            Decision::Use(credential) => {
                return Ok(RenewedCredential { credential, warning: None });
            }
            Decision::Refresh(token) => token,
        };
        // Until the new tokens are written, so that others find them.
        let _turn = TokenLock::take(self.origin.as_ref()).await;
        match self.found(before) {
            Some(Decision::Use(credential)) => {
                return Ok(RenewedCredential { credential, warning: None });
            }
            Some(Decision::Refresh(token)) => refresh_token = token,
            None => {}
        }
        let tokens = match refresh::tokens(self, &refresh_token).await {
            // It may have been of use to another program just before, such as kubectl.
            Err(RefreshError::Grant(error)) => match self.found(before) {
                Some(Decision::Use(credential)) => {
                    return Ok(RenewedCredential { credential, warning: None });
                }
                Some(Decision::Refresh(token)) if token != refresh_token => {
                    refresh_token = token;
                    refresh::tokens(self, &refresh_token).await?
                }
                _ => return Err(error),
            },
            answer => answer?,
        };
        let warning = write_back::write_tokens(self.origin.as_ref(), &tokens);
        let is_new = |end: &Timestamp| *end > Timestamp::now();
        // One that comes expired is used as long as the server takes it, so that clocks which differ
        // do not refresh it before every request.
        let expires = usable_until(&tokens.id_token).ok().flatten().filter(is_new);
        let credential = Credential {
            token: Some(tokens.id_token),
            certificate: None,
            expires,
            refresh_token: tokens.refresh_token.or(Some(refresh_token)),
        };
        Ok(RenewedCredential { credential, warning })
    }

    /// The decision about the kubeconfig's present content, where that has changed.
    fn found(&self, before: Option<&Credential>) -> Option<Decision> {
        self.newer(token_lock::present(self.origin.as_ref()), before, Timestamp::now())
    }

    /// The same, for an id-token and a refresh-token that were found.
    fn newer(
        &self,
        [id_token, refresh_token]: [Option<String>; 2],
        before: Option<&Credential>,
        now: Timestamp,
    ) -> Option<Decision> {
        let shown = before.and_then(|before| before.token.as_ref());
        let id_token =
            id_token.filter(|it| Some(it) != self.id_token.as_ref() && Some(it) != shown);
        let end = id_token.as_deref().and_then(|it| usable_until(it).ok().flatten());
        if let (Some(token), Some(end)) = (id_token, end.filter(|end| *end > now)) {
            let refresh_token = refresh_token.or_else(|| self.refresh_token.clone());
            let (token, expires) = (Some(token), Some(end));
            return Some(Decision::Use(Credential {
                token,
                certificate: None,
                expires,
                refresh_token,
            }));
        }
        // One that could not be written is newer than what the file had at the beginning.
        let refresh_token = refresh_token.filter(|it| Some(it) != self.refresh_token.as_ref())?;
        Some(Decision::Refresh(refresh_token))
    }

    fn decide(
        &self,
        before: Option<&Credential>,
        now: Timestamp,
    ) -> Result<Decision, NoCredential> {
        let known = match &self.id_token {
            Some(token) => Some((token, usable_until(token).map_err(|why| no_token(&why))?)),
            None => None,
        };
        if before.is_none()
            && let Some((token, Some(end))) = known
            && end > now
        {
            return Ok(Decision::Use(Credential {
                token: Some(token.clone()),
                certificate: None,
                expires: Some(end),
                refresh_token: self.refresh_token.clone(),
            }));
        }
        let newest = before.and_then(|before| before.refresh_token.clone());
        if let Some(token) = newest.or_else(|| self.refresh_token.clone()) {
            return Ok(Decision::Refresh(token));
        }
        let end = before.and_then(|before| before.expires);
        let end = end.or(known.and_then(|known| known.1)).map(|end| end + EXPIRY_DELTA);
        Err(no_token(&match (end, &self.id_token) {
            (Some(end), _) if end > now => {
                format!("has an id-token that ends on {}, and no refresh-token", tls::time(end))
            }
            (Some(end), _) => {
                format!("has an id-token that expired on {}, and no refresh-token", tls::time(end))
            }
            (None, Some(_)) => {
                "has an id-token that does not say when it expires, and no refresh-token".to_owned()
            }
            (None, None) => "has no id-token and no refresh-token".to_owned(),
        }))
    }

    /// The identity provider as it may be shown.
    fn shown(&self) -> String {
        let url = url_without_credentials(&self.issuer);
        let end = url.find(['?', '#']).unwrap_or(url.len());
        format!("the identity provider {}", harmless(&url[..end]))
    }
}

/// A text that others chose, short and without what can't be shown.
fn harmless(text: &str) -> String {
    let shown = text.chars().take(LONGEST_TEXT);
    shown.map(|c| if is_harmless(c) { c.to_string() } else { spelled(c) }).collect()
}

fn no_token(why: &str) -> NoCredential {
    let message = format!("the user's auth-provider oidc {why}");
    NoCredential { message, hint: Some(USE_KUBELOGIN.to_owned()) }
}

/// Until when an id-token is used; `None` where it does not say when it expires. Its signature is the
/// server's to verify.
///
/// # Errors
///
/// When it is none; as the end of a sentence about who has it.
fn usable_until(token: &str) -> Result<Option<Timestamp>, String> {
    let none = || "has an id-token that is not a JSON Web Token".to_owned();
    let parts: Vec<&str> = token.split('.').collect();
    let [_, claims, _] = parts.as_slice() else { return Err(none()) };
    if token.chars().any(char::is_control) {
        return Err("has an id-token with line breaks or other control characters in it".into());
    }
    let claims = URL_SAFE_NO_PAD.decode(claims).map_err(|_| none())?;
    let claims: Value = serde_json::from_slice(&claims).map_err(|_| none())?;
    let Some(claims) = claims.as_object() else { return Err(none()) };
    let Some(end) = claims.get("exp") else { return Ok(None) };
    let number = end.as_i64().or_else(|| end.as_f64().map(|seconds| seconds as i64));
    // client-go takes a number in quotes for one, too.
    let number = number.or_else(|| end.as_str()?.parse().ok());
    let end = number.and_then(|seconds| Timestamp::from_second(seconds).ok());
    let end = end.ok_or("has an id-token whose exp is not a time")?;
    Ok(Some(end.checked_sub(EXPIRY_DELTA).unwrap_or(Timestamp::MIN)))
}

#[cfg(test)]
mod tests;
