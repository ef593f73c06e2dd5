//! kube's client with the credential of the moment. That of an exec plugin or an identity provider is
//! renewed when it expires or when the server no longer takes it.

use std::sync::{PoisonError, RwLock};

use kube::Client;
use kube::config::{AuthInfo, Config};
use sha2::{Digest as _, Sha256};

use super::credential::{Credential, NoCredential};
use super::credential_cache::{CredentialCache, CredentialSource};
use super::oidc::{Provider, UserEntry};
use super::proxy::Proxy;
use super::transport;
use crate::local::bounded_read;

/// The most bytes of a token's or certificate's file that a digest is made of.
const LARGEST_FILE: u64 = 1 << 20;

/// A client for one server and user, whose credential may change.
pub(super) struct RenewableClient {
    /// `None` before the first login.
    current: RwLock<Option<Authenticated>>,
    /// How to renew the credential; `None` where it stays as it is.
    renewal: Option<Renewal>,
    /// Held by who renews it: the others wait for that.
    renewing: tokio::sync::Mutex<()>,
    /// The user of the kubeconfig.
    user: AuthInfo,
}

/// A client and the credential that it shows.
#[derive(Clone)]
pub(super) struct Authenticated {
    pub(super) client: Client,
    credential: Option<Credential>,
    /// How many there were before it.
    number: usize,
}

/// Why there is no client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NoClient {
    /// The configuration can't be used; as text without what is secret.
    Unusable(String),
    /// The plugin or the identity provider gives no credential.
    NoCredential(NoCredential),
}

struct Renewal {
    /// Without a credential in it.
    config: Config,
    proxy: Option<Proxy>,
    source: CredentialSource,
    cache: CredentialCache,
}

impl RenewableClient {
    /// A client that needs no renewal.
    #[cfg(test)]
    pub(super) fn fixed(client: Client) -> Self {
        let client = Authenticated { client, credential: None, number: 0 };
        Self::with(Some(client), None, AuthInfo::default())
    }

    fn with(client: Option<Authenticated>, renewal: Option<Renewal>, user: AuthInfo) -> Self {
        let (current, renewing) = (RwLock::new(client), tokio::sync::Mutex::new(()));
        Self { current, renewal, renewing, user }
    }

    /// The client that a configuration describes, through a proxy if need be. For the first request
    /// an exec plugin is run, unless it was before, or an identity provider is asked, whose new tokens
    /// go to `origin`.
    ///
    /// # Errors
    ///
    /// When the configuration can't be used.
    pub(super) fn new(
        config: Config,
        proxy: Option<Proxy>,
        origin: Option<UserEntry>,
        cache: &CredentialCache,
    ) -> Result<Self, NoClient> {
        let user = config.auth_info.clone();
        let source = match (&user.exec, &user.auth_provider) {
            (Some(exec), _) => CredentialSource::Plugin(exec.clone()),
            (None, Some(said)) => {
                let provider = Provider::new(said, origin).map_err(NoClient::Unusable)?;
                CredentialSource::Oidc(provider)
            }
            (None, None) => {
                let client = transport::client(&config, proxy).map_err(NoClient::Unusable)?;
                let client = Authenticated { client, credential: None, number: 0 };
                return Ok(Self::with(Some(client), None, user));
            }
        };
        let renewal = Renewal { config, proxy, source, cache: cache.clone() };
        Ok(Self::with(None, Some(renewal), user))
    }

    /// The client to use now.
    ///
    /// # Errors
    ///
    /// When there is no credential, or it has expired and there is no other one.
    pub(super) async fn current(&self) -> Result<Authenticated, NoClient> {
        let Some(open) = self.open() else { return self.log_in().await };
        match open.credential.as_ref().is_some_and(Credential::is_expired) {
            true => Ok(self.renew(&open).await?.unwrap_or(open)),
            false => Ok(open),
        }
    }

    /// A digest of the user and of the credential that is shown now, which another user's differs from.
    pub(super) fn digest(&self) -> [u8; 32] {
        let user = &self.user;
        let mut digest = Sha256::new();
        // kube hands a token out in no other way.
        let mut add = |part: &[u8]| {
            digest.update(part.len().to_le_bytes());
            digest.update(part);
        };
        add(&serde_json::to_vec(user).unwrap_or_default());
        // The kubeconfig may name the file, and another login writes another credential there.
        for path in [&user.token_file, &user.client_certificate].into_iter().flatten() {
            add(&bounded_read::read_regular(path.as_ref(), LARGEST_FILE).unwrap_or_default());
        }
        if let Some(credential) = self.open().and_then(|open| open.credential) {
            add(credential.token.unwrap_or_default().as_bytes());
            credential.certificate.iter().flatten().for_each(|part| add(part.as_bytes()));
        }
        digest.finalize().into()
    }

    fn open(&self) -> Option<Authenticated> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, open: &Authenticated) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(open.clone());
    }

    /// The first client.
    async fn log_in(&self) -> Result<Authenticated, NoClient> {
        let _one = self.renewing.lock().await;
        if let Some(open) = self.open() {
            return Ok(open);
        }
        let nothing = || NoClient::Unusable("there is nothing to log in with".to_owned());
        let open = self.renewal.as_ref().ok_or_else(nothing)?.client(None).await?;
        self.set(&open);
        Ok(open)
    }

    /// Another client where the server did not take the credential of this one; `None` where there
    /// can't be another.
    ///
    /// # Errors
    ///
    /// When there is no credential.
    pub(super) async fn renew(
        &self,
        refused: &Authenticated,
    ) -> Result<Option<Authenticated>, NoClient> {
        let Some(renewal) = &self.renewal else { return Ok(None) };
        let has_expired = refused.credential.as_ref().is_some_and(Credential::is_expired);
        if !has_expired && !renewal.source.has_others() {
            return Ok(None);
        }
        let _one = self.renewing.lock().await;
        if let Some(now) = self.open().filter(|now| now.number != refused.number) {
            return Ok(Some(now));
        }
        let open = renewal.client(Some(refused)).await?;
        self.set(&open);
        Ok(Some(open))
    }
}

impl Renewal {
    async fn client(&self, refused: Option<&Authenticated>) -> Result<Authenticated, NoClient> {
        let not = refused.and_then(|refused| refused.credential.as_ref());
        let credential = self.cache.credential(&self.source, not).await;
        let credential = credential.map_err(NoClient::NoCredential)?;
        let mut config = self.config.clone();
        config.auth_info = credential.of(&config.auth_info);
        let number = refused.map_or(0, |refused| refused.number + 1);
        let client = transport::client(&config, self.proxy.clone());
        let client = client.map_err(NoClient::Unusable)?;
        Ok(Authenticated { client, credential: Some(credential), number })
    }
}
