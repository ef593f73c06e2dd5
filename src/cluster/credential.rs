//! The credentials that change while trueup runs: what gives them, until when each is of use, and
//! those that were given already. How an exec plugin is run is [`exec_plugin`]'s, and how an identity
//! provider is asked [`oidc`]'s.

use std::fmt;
use std::sync::{Arc, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use kube::config::{AuthInfo, ExecConfig};
use tokio::sync::Mutex;

use super::exec_plugin;
use super::oidc::{self, Provider};

/// The credentials that plugins and identity providers gave: shared by all that connect in the same
/// way, such as the rounds of a watch.
#[derive(Clone, Default)]
pub struct CredentialCache(Arc<CacheContents>);

#[derive(Default)]
struct CacheContents {
    /// The latest of each source.
    known: Mutex<Vec<(Key, Credential)>>,
    warnings: std::sync::Mutex<Vec<String>>,
}

impl fmt::Debug for CredentialCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CredentialCache")
    }
}

/// The identity of a source.
#[derive(PartialEq, Eq)]
pub(super) struct Key {
    pub(super) source: String,
    /// The tokens that the kubeconfig has: after another login those count.
    pub(super) tokens: String,
}

/// A source of a credential.
pub(super) enum CredentialSource {
    /// An exec plugin.
    Plugin(ExecConfig),
    /// An identity provider.
    Oidc(Provider),
}

impl CredentialSource {
    /// Whether it may have another credential where the server does not take one.
    pub(super) fn has_others(&self) -> bool {
        match self {
            Self::Plugin(_) => true,
            Self::Oidc(provider) => provider.can_refresh(),
        }
    }

    fn key(&self) -> Key {
        match self {
            Self::Plugin(exec) => {
                let source = serde_json::to_string(&(exec, &exec.cluster)).unwrap_or_default();
                Key { source, tokens: String::new() }
            }
            Self::Oidc(provider) => provider.key(),
        }
    }
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

impl CredentialCache {
    /// The credential that the source gave, or gives now where that has expired or is `refused`.
    /// Other requests that want the same wait for it.
    ///
    /// # Errors
    ///
    /// When the source gives nothing.
    pub(super) async fn credential(
        &self,
        source: &CredentialSource,
        refused: Option<&Credential>,
    ) -> Result<Credential, NoCredential> {
        let whose = source.key();
        let mut known = self.0.known.lock().await;
        let found = known.iter().find(|(key, _)| *key == whose).map(|(_, found)| found);
        if let Some(found) = found.filter(|it| !it.is_expired() && Some(*it) != refused) {
            return Ok(found.clone());
        }
        let credential = match source {
            CredentialSource::Plugin(exec) => exec_plugin::ask(exec).await?,
            CredentialSource::Oidc(provider) => {
                let oidc::RenewedCredential { credential, warning } =
                    provider.credential(found.or(refused)).await?;
                if let Some(warning) = warning {
                    self.0.warnings.lock().unwrap_or_else(PoisonError::into_inner).push(warning);
                }
                credential
            }
        };
        known.retain(|(key, _)| key.source != whose.source);
        known.push((whose, credential.clone()));
        Ok(credential)
    }

    /// Warnings since the last time.
    pub fn take_warnings(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.warnings.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
