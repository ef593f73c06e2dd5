//! Kubeconfig → [`Cluster`]: which file, which context, which user, and what a person is told when
//! one of them is not there.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use http::HeaderValue;
use http::header::USER_AGENT;
use kube::config::{Config, KubeConfigOptions, KubeconfigError};

use super::client::RenewableClient;
use super::{Cluster, CredentialCache, Limits, authentication, kubeconfig};
use crate::credentials::without_credentials;
use crate::memory::Memory;

/// How long to wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long to wait for the next bytes of an answer.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// How to reach the cluster.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// The kubeconfig file; `None` for `KUBECONFIG`, `~/.kube/config` and in-cluster, in this order.
    pub kubeconfig: Option<PathBuf>,
    /// The context; `None` for the kubeconfig's current one.
    pub context: Option<String>,
    /// The user to act as.
    pub impersonate: Option<String>,
    /// The groups to act as a member of.
    pub impersonate_groups: Vec<String>,
    /// How many requests may be in flight at once.
    pub concurrency: usize,
    /// What was learnt of clusters in earlier runs.
    pub memory: Memory,
    /// How long to wait for the API server to answer a request; `None` for a minute, zero for ever.
    pub request_timeout: Option<Duration>,
    /// How much of the server's answers is taken in.
    pub limits: Limits,
    /// The credentials that exec plugins gave.
    pub credentials: CredentialCache,
}

/// Why there is no way to reach a cluster.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Neither a kubeconfig nor a pod's service account.
    #[error("no kubeconfig was found")]
    NoKubeconfig,
    /// The kubeconfig can't be read.
    #[error("cannot read the kubeconfig {path}: {reason}")]
    Unreadable {
        /// The file, or where it was looked for.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The kubeconfig has no context of that name.
    #[error("the kubeconfig has no context {name:?}")]
    UnknownContext {
        /// The name asked for.
        name: String,
        /// The names that it has.
        known: Vec<String>,
    },
    /// The file that KUBECONFIG names is not there.
    #[error("the kubeconfig {path}, which KUBECONFIG names, is not there")]
    NotThere {
        /// Its path.
        path: String,
    },
    /// There is no kubeconfig that could have the context.
    #[error("no kubeconfig was found, so there is no context {name:?}")]
    ContextOfNone {
        /// The name asked for.
        name: String,
    },
    /// The kubeconfig names no current context.
    #[error("the kubeconfig has no current context")]
    NoContext {
        /// The names that it has.
        known: Vec<String>,
    },
    /// The context can't be used.
    #[error("cannot use the kubeconfig: {reason}")]
    Unusable {
        /// Why.
        reason: String,
    },
}

impl ConnectError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoKubeconfig | Self::ContextOfNone { .. } => Some(
                "set KUBECONFIG or say --kubeconfig FILE; or try it on a throwaway cluster with --sandbox"
                    .to_owned(),
            ),
            Self::NotThere { .. } => Some(
                "correct KUBECONFIG, or say --kubeconfig FILE; or try it on a throwaway cluster with --sandbox"
                    .to_owned(),
            ),
            Self::UnknownContext { known, .. } | Self::NoContext { known } if known.is_empty() => {
                Some("the kubeconfig has no contexts at all; is it the right file?".to_owned())
            }
            Self::UnknownContext { known, .. } | Self::NoContext { known } => {
                Some(format!("say --context with one of: {}", known.join(", ")))
            }
            Self::Unreadable { .. } | Self::Unusable { .. } => None,
        }
    }
}

impl Cluster {
    /// Prepares the connection; nothing is sent yet. An exec plugin is run, unless `access` has what
    /// it gave.
    ///
    /// # Errors
    ///
    /// When there is no kubeconfig, or it can't be used.
    pub async fn connect(access: &Access) -> Result<Self, ConnectError> {
        let (mut config, name) = load(access).await?;
        let timeout = match access.request_timeout {
            Some(Duration::ZERO) => None,
            timeout => Some(timeout.unwrap_or(READ_TIMEOUT)),
        };
        config.connect_timeout =
            Some(timeout.map_or(CONNECT_TIMEOUT, |it| it.min(CONNECT_TIMEOUT)));
        // A watch may be silent for longer than an answer takes.
        config.read_timeout = timeout.map(|it| it.max(READ_TIMEOUT));
        config.reset_reader_on_write = true;
        // Its policy waits up to a quarter of an hour; ours is in `wire`.
        config.default_retry = false;
        // What the server's audit log shows.
        let agent = HeaderValue::from_static(concat!("trueup/", env!("CARGO_PKG_VERSION")));
        config.headers.push((USER_AGENT, agent));
        if access.impersonate.is_some() {
            config.auth_info.impersonate.clone_from(&access.impersonate);
        }
        if !access.impersonate_groups.is_empty() {
            config.auth_info.impersonate_groups = Some(access.impersonate_groups.clone());
        }
        let namespace = config.default_namespace.clone();
        let url = without_credentials(&config.cluster_url.to_string());
        let token_ends = authentication::ends(&config.auth_info);
        let client = RenewableClient::new(config, &access.credentials).await.map_err(unusable)?;
        let (concurrency, requests) = (access.concurrency.max(1), AtomicUsize::new(0));
        Ok(Self {
            client,
            name,
            url,
            namespace,
            concurrency,
            requests,
            timeout,
            token_ends,
            limits: access.limits,
            memory: access.memory.clone(),
            patience: Mutex::new(None),
            delays: Mutex::default(),
        })
    }
}

/// The configuration and the name of what it leads to.
async fn load(access: &Access) -> Result<(Config, String), ConnectError> {
    let listed = kubeconfig::listed();
    let kubeconfig = match kubeconfig::read(access.kubeconfig.as_deref(), &listed) {
        Ok(kubeconfig) => kubeconfig,
        Err(error) if access.kubeconfig.is_none() && is_missing(&error) => {
            if let Some(asked) = asked_for(access, &error, !listed.is_empty()) {
                return Err(asked);
            }
            let config = Config::incluster().map_err(|_| ConnectError::NoKubeconfig)?;
            return Ok((config, "in-cluster".to_owned()));
        }
        Err(error) => return Err(unreadable(access, &error)),
    };
    let known: Vec<String> = kubeconfig.contexts.iter().map(|named| named.name.clone()).collect();
    let asked = access.context.clone().filter(|name| !name.is_empty());
    let current = kubeconfig.current_context.clone().filter(|name| !name.is_empty());
    let name = match asked.or(current) {
        Some(name) if known.contains(&name) => name,
        Some(name) => return Err(ConnectError::UnknownContext { name, known }),
        None => return Err(ConnectError::NoContext { known }),
    };
    let options = KubeConfigOptions { context: Some(name.clone()), ..KubeConfigOptions::default() };
    let config = Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .map_err(|error| unusable(authentication::cause(&error)))?;
    Ok((config, name))
}

fn is_missing(error: &KubeconfigError) -> bool {
    match error {
        KubeconfigError::FindPath => true,
        KubeconfigError::ReadConfig(error, _) => error.kind() == std::io::ErrorKind::NotFound,
        _ => false,
    }
}

/// What was asked for and is not there. Only where nothing was may a pod's own cluster be meant:
/// anywhere else it would be written to a cluster that was not chosen.
fn asked_for(access: &Access, error: &KubeconfigError, is_named: bool) -> Option<ConnectError> {
    match (error, &access.context) {
        (KubeconfigError::ReadConfig(_, path), _) if is_named => {
            Some(ConnectError::NotThere { path: path.display().to_string() })
        }
        (_, Some(context)) if !context.is_empty() => {
            Some(ConnectError::ContextOfNone { name: context.clone() })
        }
        _ => None,
    }
}

fn unreadable(access: &Access, error: &KubeconfigError) -> ConnectError {
    let path = match (error, &access.kubeconfig) {
        (KubeconfigError::ReadConfig(_, path), _) | (_, Some(path)) => path.display().to_string(),
        _ => "named by KUBECONFIG".to_owned(),
    };
    ConnectError::Unreadable { path, reason: authentication::misread(error) }
}

fn unusable(reason: String) -> ConnectError {
    ConnectError::Unusable { reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pods_own_cluster_is_meant_only_where_nothing_was_asked_for() {
        let gone = || std::io::Error::from(std::io::ErrorKind::NotFound);
        let missing = |path: &str| KubeconfigError::ReadConfig(gone(), path.into());
        let told = |context: Option<&str>, error: &KubeconfigError, is_named| {
            let access = Access { context: context.map(str::to_owned), ..Access::default() };
            asked_for(&access, error, is_named).map(|error| error.to_string())
        };
        let usual = missing("/home/a/.kube/config");
        for nothing in [None, Some("")] {
            assert_eq!(told(nothing, &usual, false), None);
            assert_eq!(told(nothing, &KubeconfigError::FindPath, false), None);
        }
        let no_context = "no kubeconfig was found, so there is no context \"prod\"";
        assert_eq!(told(Some("prod"), &usual, false).unwrap(), no_context);
        assert_eq!(told(Some("prod"), &KubeconfigError::FindPath, false).unwrap(), no_context);
        for context in [None, Some("prod")] {
            assert_eq!(
                told(context, &usual, true).unwrap(),
                "the kubeconfig /home/a/.kube/config, which KUBECONFIG names, is not there"
            );
        }
    }
}
