//! The credentials that change while trueup runs: what gives them, until when each is of use, and
//! those that were given already. How an exec plugin is run is [`exec_plugin`]'s, and how an identity
//! provider is asked [`oidc`]'s.

use std::fmt;
use std::sync::{Arc, PoisonError};

use kube::config::ExecConfig;
use tokio::sync::Mutex;

use super::credential::{Credential, Key, NoCredential};
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
