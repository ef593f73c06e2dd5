//! Kubeconfig → [`Cluster`]: which file, which context, which user, and the message when one of
//! them does not exist.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::HeaderValue;
use http::header::USER_AGENT;
use kube::config::Config;
use sha2::{Digest as _, Sha256};

use super::client::{NoClient, RenewableClient};
use super::credential::NoCredential;
use super::kubeconfig::{self, KubeconfigOverrides, PipeCache, ReadError};
use super::oidc::UserEntry;
use super::parents::SeenParents;
use super::{
    Cluster, Connection, CredentialCache, RequestTally, ResponseLimits, authentication, in_cluster,
    proxy,
};
use crate::core::credentials::without_credentials;
use crate::core::remedy::Remedy;
use crate::core::right_cluster::ClusterFacts;
use crate::local::bounded_read;
use crate::local::state_store::StateStore;

/// How long to wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long to wait for the next bytes of an answer.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// The most bytes of a token's or certificate's file that a digest is made of.
const LARGEST_FILE: u64 = 1 << 20;

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
    /// Cached state of clusters from earlier runs.
    pub memory: StateStore,
    /// How long to wait for the API server to answer a request; `None` for a minute, zero for ever.
    pub request_timeout: Option<Duration>,
    /// How much of the server's answers is taken in.
    pub limits: ResponseLimits,
    /// The credentials that exec plugins and identity providers gave.
    pub credentials: CredentialCache,
    /// The kubeconfigs that came through a pipe.
    pub pipes: PipeCache,
    /// The count of the requests.
    pub tally: RequestTally,
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
        /// The fault.
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
    #[error("the kubeconfig {path}, which KUBECONFIG names, does not exist")]
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
    /// The user's exec plugin or identity provider gives no credential.
    #[error("cannot log in to the cluster")]
    NoCredential(#[source] NoCredential),
}

impl ConnectError {
    /// The remedy.
    pub fn hint(&self) -> Option<Remedy> {
        match self {
            Self::NoKubeconfig | Self::ContextOfNone { .. } => Some(Remedy::NameKubeconfig),
            Self::NotThere { .. } => Some(Remedy::CorrectKubeconfig),
            Self::UnknownContext { known, .. } | Self::NoContext { known } if known.is_empty() => {
                Some("the kubeconfig has no contexts at all; is it the right file?".into())
            }
            Self::UnknownContext { known, .. } | Self::NoContext { known } => {
                Some(Remedy::ChooseContext { known: known.clone() })
            }
            Self::NoCredential(error) => error.hint.clone().map(Remedy::Text),
            Self::Unreadable { .. } | Self::Unusable { .. } => None,
        }
    }
}

impl Cluster {
    /// Prepares the connection; nothing is sent to the cluster yet. An exec plugin is run and an
    /// identity provider asked, unless `access` has what it gave.
    ///
    /// # Errors
    ///
    /// When there is no kubeconfig, or it can't be used.
    pub async fn connect(access: &Access) -> Result<Self, ConnectError> {
        let cluster = Self::prepared(access)?;
        let logged_in = cluster.connection.client.current().await;
        let _ = logged_in.map_err(no_client)?;
        Ok(cluster)
    }

    /// The same without logging in, which the first request does.
    ///
    /// # Errors
    ///
    /// When there is no kubeconfig, or it can't be used.
    pub fn prepared(access: &Access) -> Result<Self, ConnectError> {
        let ConnectionConfig { mut config, name, proxy_url, origin } = load(access)?;
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
        // The name in the server's audit log.
        let agent = HeaderValue::from_static(concat!("trueup/", env!("CARGO_PKG_VERSION")));
        config.headers.push((USER_AGENT, agent));
        let namespace = config.default_namespace.clone();
        let authorities = config.root_cert.as_deref().map(digest);
        let url = without_credentials(&config.cluster_url.to_string());
        let token_ends = authentication::ends(&config.auth_info);
        let environment = proxy::ProxyEnvironment::read();
        let proxy = proxy::choose(proxy_url.as_deref(), &config.cluster_url, &environment);
        let proxy = proxy.map_err(unusable)?;
        let client = RenewableClient::new(config, proxy, origin, &access.credentials);
        let client = client.map_err(no_client)?;
        let (concurrency, requests) = (access.concurrency.max(1), AtomicUsize::new(0));
        let connection = Connection {
            client,
            name,
            url,
            authorities,
            namespace,
            concurrency,
            requests,
            tally: access.tally.clone(),
            timeout,
            token_ends,
            limits: ResponseLimits { silence: timeout, ..access.limits },
            memory: access.memory.clone(),
            parents: SeenParents::default(),
            outage: Mutex::new(None),
            delays: Mutex::default(),
        };
        Ok(Self {
            connection: Arc::new(connection),
            patience: None,
            counted: Arc::default(),
            fence: None,
        })
    }
}

/// A digest of the way to a cluster, as the files of the kubeconfig have it now: another one where a
/// connection would be another one.
///
/// # Errors
///
/// When there is no kubeconfig, or it can't be used.
pub fn way_digest(access: &Access) -> Result<[u8; 32], ConnectError> {
    let ConnectionConfig { config, name, proxy_url, origin: _ } = load(access)?;
    let mut way = Sha256::new();
    let mut add = |part: &[u8]| {
        way.update(part.len().to_le_bytes());
        way.update(part);
    };
    let user = &config.auth_info;
    for text in [&config.cluster_url.to_string(), &name, &config.default_namespace] {
        add(text.as_bytes());
    }
    for text in [&proxy_url, &config.tls_server_name] {
        add(text.as_deref().unwrap_or_default().as_bytes());
    }
    add(&[u8::from(config.accept_invalid_certs), u8::from(config.disable_compression)]);
    config.root_cert.iter().flatten().for_each(|authority| add(authority));
    // kube hands a token out in no other way.
    add(&serde_json::to_vec(user).unwrap_or_default());
    for path in [&user.token_file, &user.client_certificate, &user.client_key].into_iter().flatten()
    {
        add(&bounded_read::read_regular(path.as_ref(), LARGEST_FILE).unwrap_or_default());
    }
    Ok(way.finalize().into())
}

/// The cluster that a context leads to, as far as the files of the kubeconfig say it: nothing is run, and
/// nothing is sent.
pub fn context_facts(file: Option<&Path>, context: &str) -> Option<ClusterFacts> {
    let (impersonate, groups) = (None, &[][..]);
    let wanted = KubeconfigOverrides { context: Some(context), impersonate, groups };
    let found = kubeconfig::of_files(file)?.choose(&wanted).ok()?;
    Some(ClusterFacts {
        context: found.name,
        server: without_credentials(&found.server.to_string()),
        authorities: found.authorities.as_deref().map(digest),
        uid: None,
    })
}

/// A digest of the certificates of authorities, in whatever order.
fn digest(authorities: &[Vec<u8>]) -> String {
    let mut authorities: Vec<_> = authorities.iter().map(Sha256::digest).collect();
    authorities.sort();
    let mut digest = Sha256::new();
    authorities.iter().for_each(|authority| digest.update(authority));
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The way to a cluster, as far as a file or a pod describes it.
struct ConnectionConfig {
    config: Config,
    /// The context's.
    name: String,
    /// The proxy that the cluster is behind.
    proxy_url: Option<String>,
    /// Where the kubeconfig has its user.
    origin: Option<UserEntry>,
}

fn load(access: &Access) -> Result<ConnectionConfig, ConnectError> {
    let listed = kubeconfig::listed();
    let kubeconfig = match kubeconfig::read(access.kubeconfig.as_deref(), &listed, &access.pipes) {
        Ok(kubeconfig) => kubeconfig,
        Err(error) => {
            if let Some(asked) = requested_context_error(access, &error, !listed.is_empty()) {
                return Err(asked);
            }
            let pod = in_cluster::Environment::read();
            let config = pod.config(Path::new(in_cluster::FOLDER));
            let mut config = config.ok_or(ConnectError::NoKubeconfig)?;
            config.auth_info.impersonate.clone_from(&access.impersonate);
            let groups = Some(&access.impersonate_groups).filter(|groups| !groups.is_empty());
            config.auth_info.impersonate_groups = groups.cloned();
            let name = "in-cluster".to_owned();
            return Ok(ConnectionConfig { config, name, proxy_url: None, origin: None });
        }
    };
    let chosen = kubeconfig.choose(&KubeconfigOverrides {
        context: access.context.as_deref(),
        impersonate: access.impersonate.as_deref(),
        groups: &access.impersonate_groups,
    })?;
    let kubeconfig::UsableContext { name, server, namespace, authorities, cluster, user, origin } =
        chosen;
    let mut config = Config::new(server);
    config.default_namespace = namespace.unwrap_or(config.default_namespace);
    config.root_cert = authorities;
    config.accept_invalid_certs = cluster.insecure_skip_tls_verify.unwrap_or_default();
    config.disable_compression = cluster.disable_compression.unwrap_or_default();
    config.tls_server_name = cluster.tls_server_name;
    config.auth_info = user;
    Ok(ConnectionConfig { config, name, proxy_url: cluster.proxy_url, origin })
}

/// The error of a context that was asked for and is not there, or can't be read. A pod's own
/// cluster may be meant only where none was asked for: anywhere else a cluster would be written to
/// that was not chosen.
fn requested_context_error(
    access: &Access,
    error: &ReadError,
    is_named: bool,
) -> Option<ConnectError> {
    let path = match error {
        ReadError::Unreadable { path, reason } => {
            let (path, reason) = (path.display().to_string(), reason.clone());
            return Some(ConnectError::Unreadable { path, reason });
        }
        ReadError::Missing(path) => path.as_ref().map(|path| path.display().to_string()),
    };
    match (path, &access.context) {
        (Some(path), _) if access.kubeconfig.is_some() => {
            let reason = "there is no such file".to_owned();
            Some(ConnectError::Unreadable { path, reason })
        }
        (Some(path), _) if is_named => Some(ConnectError::NotThere { path }),
        (_, Some(context)) if !context.is_empty() => {
            Some(ConnectError::ContextOfNone { name: context.clone() })
        }
        _ => None,
    }
}

fn no_client(error: NoClient) -> ConnectError {
    match error {
        NoClient::Unusable(reason) => unusable(reason),
        NoClient::NoCredential(error) => ConnectError::NoCredential(error),
    }
}

fn unusable(reason: String) -> ConnectError {
    ConnectError::Unusable { reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_cluster_config_is_the_last_resort() {
        let told = |context: Option<&str>, path: Option<&str>, is_named| {
            let access = Access { context: context.map(str::to_owned), ..Access::default() };
            let error = ReadError::Missing(path.map(PathBuf::from));
            requested_context_error(&access, &error, is_named).map(|error| error.to_string())
        };
        let usual = Some("/home/a/.kube/config");
        for nothing in [None, Some("")] {
            assert_eq!(told(nothing, usual, false), None);
            assert_eq!(told(nothing, None, false), None);
        }
        let no_context = "no kubeconfig was found, so there is no context \"prod\"";
        assert_eq!(told(Some("prod"), usual, false).unwrap(), no_context);
        assert_eq!(told(Some("prod"), None, false).unwrap(), no_context);
        for context in [None, Some("prod")] {
            assert_eq!(
                told(context, usual, true).unwrap(),
                "the kubeconfig /home/a/.kube/config, which KUBECONFIG names, does not exist"
            );
        }
    }
}
