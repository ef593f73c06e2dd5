//! A credential for the server, and the error where there is none.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use kube::config::AuthInfo;

/// The identity of a source.
#[derive(PartialEq, Eq)]
pub(super) struct Key {
    pub(super) source: String,
    /// The tokens that the kubeconfig has: after another login those count.
    pub(super) tokens: String,
}

/// A credential for the server.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Credential {
    pub(super) token: Option<String>,
    /// A certificate and its key, as PEM.
    pub(super) certificate: Option<[String; 2]>,
    pub(super) expires: Option<Timestamp>,
    /// The refresh token for the next id-token.
    pub(super) refresh_token: Option<String>,
}

impl Credential {
    /// Whether it is of no use any more.
    pub(super) fn is_expired(&self) -> bool {
        self.expires.is_some_and(|end| end <= Timestamp::now())
    }

    /// The user with this credential, and without what gave it.
    pub(super) fn of(&self, user: &AuthInfo) -> AuthInfo {
        let mut user = user.clone();
        (user.exec, user.auth_provider) = (None, None);
        if let Some(token) = &self.token {
            user.token = Some(token.clone().into());
        }
        if let Some([certificate, key]) = &self.certificate {
            user.client_certificate_data = Some(STANDARD.encode(certificate));
            user.client_key_data = Some(STANDARD.encode(key).into());
        }
        user
    }
}

/// Why there is no credential to show.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct NoCredential {
    /// Which plugin or identity provider, and what it did; without what is secret.
    pub(super) message: String,
    /// The remedy.
    pub(super) hint: Option<String>,
}
