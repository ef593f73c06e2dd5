//! The context that is meant, with its cluster and user, and what client-go refuses of them
//! (k8s.io/client-go, `tools/clientcmd/validation.go`).

use http::Uri;
use kube::config::{AuthInfo, Cluster, ExecAuthCluster, ExecConfig};

use super::decode::NamedEntry;
use super::{Kubeconfig, credentials, pem, server};
use crate::cluster::connect::ConnectError;
use crate::cluster::oidc::UserEntry;
use crate::core::json::{self, Map, Value};

/// The extension of a cluster that configures an exec plugin.
const EXEC_EXTENSION: &str = "client.authentication.k8s.io/exec";

/// Overrides of the kubeconfig.
pub(in crate::cluster) struct KubeconfigOverrides<'a> {
    pub(in crate::cluster) context: Option<&'a str>,
    pub(in crate::cluster) impersonate: Option<&'a str>,
    pub(in crate::cluster) groups: &'a [String],
}

/// A context that can be used.
pub(in crate::cluster) struct UsableContext {
    pub(in crate::cluster) name: String,
    pub(in crate::cluster) server: Uri,
    pub(in crate::cluster) namespace: Option<String>,
    /// The certificates that vouch for the server; `None` for those of the system.
    pub(in crate::cluster) authorities: Option<Vec<Vec<u8>>>,
    pub(in crate::cluster) cluster: Cluster,
    pub(in crate::cluster) user: AuthInfo,
    /// Where the user stands; `None` where there is none of that name.
    pub(in crate::cluster) origin: Option<UserEntry>,
}

impl Kubeconfig {
    /// The context that is meant.
    ///
    /// # Errors
    ///
    /// When there is none of that name, or it can't be used.
    pub(in crate::cluster) fn choose(
        &self,
        wanted: &KubeconfigOverrides<'_>,
    ) -> Result<UsableContext, ConnectError> {
        let asked = wanted.context.filter(|name| !name.is_empty());
        let name = asked.unwrap_or(&self.current);
        let Some(context) = find(&self.contexts, name) else {
            let known = self.contexts.iter().map(|named| named.name.clone()).collect();
            return Err(match name {
                "" => ConnectError::NoContext { known },
                name => ConnectError::UnknownContext { name: name.to_owned(), known },
            });
        };
        let text = |key: &str| context.fields.get(key).and_then(Value::as_str).unwrap_or_default();
        let unusable = |reason| ConnectError::Unusable { reason };
        let cluster = find(&self.clusters, text("cluster")).ok_or_else(|| {
            unusable(match text("cluster") {
                "" => format!("the context {name:?} names no cluster"),
                other => format!("the cluster {other:?} of the context {name:?} is not in it"),
            })
        })?;
        let namespace = Some(text("namespace").to_owned()).filter(|text| !text.is_empty());
        let user = find(&self.users, text("user"));
        let origin = user
            .and_then(|user| Some(UserEntry { file: user.file.clone()?, user: user.name.clone() }));
        let user = user.map(typed_user).unwrap_or_default();
        let parts = Parts { cluster: typed_cluster(cluster), user };
        let usable = parts.usable(wanted).map_err(unusable)?;
        let Usable { server, authorities, cluster, user } = usable;
        let name = name.to_owned();
        Ok(UsableContext { name, server, namespace, authorities, cluster, user, origin })
    }
}

fn find<'a>(all: &'a [NamedEntry], name: &str) -> Option<&'a NamedEntry> {
    all.iter().find(|named| named.name == name)
}

/// The fields that say something.
fn set_fields(fields: &Map) -> Map {
    let is_said = |value: &Value| !matches!(value, Value::String(text) if text.is_empty());
    let fields = fields.iter().filter(|(_, value)| is_said(value));
    fields.map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn typed_cluster(cluster: &NamedEntry) -> Cluster {
    let mut fields = set_fields(&cluster.fields);
    if let Some(Value::Array(extensions)) = fields.get_mut("extensions") {
        extensions.retain(|it| {
            it.get("name").is_some_and(|name| name == EXEC_EXTENSION)
                && it.get("extension").is_some()
        });
    }
    // The types were held before.
    json::from_value(fields.into()).unwrap_or_default()
}

fn typed_user(user: &NamedEntry) -> AuthInfo {
    let mut fields = set_fields(&user.fields);
    fields.remove("extensions");
    if let Some(Value::Object(exec)) = fields.get_mut("exec") {
        let mode = exec.get("interactiveMode").and_then(Value::as_str).unwrap_or_default();
        // kube has no place for others; `exec_fault` speaks of them.
        if !matches!(mode, "Never" | "IfAvailable" | "Always") {
            let mode = exec.remove("interactiveMode").unwrap_or_default();
            exec.insert(UNKNOWN_MODE.to_owned(), mode);
        }
    }
    if let Some(Value::Object(provider)) = fields.get_mut("auth-provider") {
        provider.entry("name").or_insert("".into());
    }
    json::from_value(fields.into()).unwrap_or_default()
}

/// Where an interactiveMode that is none is kept.
const UNKNOWN_MODE: &str = "unknownInteractiveMode";

struct Parts {
    cluster: Cluster,
    user: AuthInfo,
}

struct Usable {
    server: Uri,
    authorities: Option<Vec<Vec<u8>>>,
    cluster: Cluster,
    user: AuthInfo,
}

impl Parts {
    fn usable(mut self, wanted: &KubeconfigOverrides<'_>) -> Result<Usable, String> {
        if let Some(name) = wanted.impersonate {
            self.user.impersonate = Some(name.to_owned());
        }
        if !wanted.groups.is_empty() {
            self.user.impersonate_groups = Some(wanted.groups.to_vec());
        }
        let Self { cluster, mut user } = self;
        let server = cluster.server.as_deref().ok_or("the cluster has no server")?;
        let server = server::uri(server)?;
        if let Some(fault) = user_fault(&user) {
            return Err(fault);
        }
        if cluster.certificate_authority.is_some() && cluster.certificate_authority_data.is_some() {
            return Err(both("cluster", "certificate-authority"));
        }
        let authorities = authorities(&cluster)?;
        if server.scheme_str() != Some("https") {
            // Credentials are not sent in the clear.
            let user = AuthInfo {
                impersonate: user.impersonate,
                impersonate_uid: user.impersonate_uid,
                impersonate_groups: user.impersonate_groups,
                impersonate_user_extra: user.impersonate_user_extra,
                ..AuthInfo::default()
            };
            return Ok(Usable { server, authorities: None, cluster, user });
        }
        let is_insecure = cluster.insecure_skip_tls_verify.unwrap_or_default();
        if is_insecure && authorities.is_some() {
            return Err(
                "the cluster has both insecure-skip-tls-verify and a certificate-authority; \
                        leave one of them out"
                    .to_owned(),
            );
        }
        user = credentials::settled(user)?;
        if let Some(exec) = user.exec.as_mut().filter(|exec| exec.provide_cluster_info) {
            exec.cluster = ExecAuthCluster::try_from(&cluster).ok();
        }
        Ok(Usable { server, authorities, cluster, user })
    }
}

/// The certificates that the kubeconfig names for the server.
fn authorities(cluster: &Cluster) -> Result<Option<Vec<Vec<u8>>>, String> {
    let data = cluster.certificate_authority_data.as_deref();
    let file = cluster.certificate_authority.as_deref();
    if data.is_none() && file.is_none() {
        return Ok(None);
    }
    let bundle = credentials::bytes(data, file, "certificate-authority")?;
    if bundle.is_empty() {
        return Ok(None);
    }
    match pem::authorities(&bundle) {
        none if none.is_empty() => {
            Err("the cluster's certificate-authority has no certificate in it (as PEM)".to_owned())
        }
        some => Ok(Some(some)),
    }
}

fn both(of: &str, key: &str) -> String {
    format!("the {of} has both {key} and {key}-data; leave one of them out")
}

/// The fault of a user.
fn user_fault(user: &AuthInfo) -> Option<String> {
    let has_name = user.username.is_some() || user.password.is_some();
    if user.token.is_some() && has_name {
        return Some("the user has both a token and a name with a password".to_owned());
    }
    if user.client_certificate.is_some() || user.client_certificate_data.is_some() {
        if user.client_certificate.is_some() && user.client_certificate_data.is_some() {
            return Some(both("user", "client-certificate"));
        }
        match (&user.client_key, &user.client_key_data) {
            (Some(_), Some(_)) => return Some(both("user", "client-key")),
            (None, None) => {
                return Some("the user has a client-certificate without key".to_owned());
            }
            _ => {}
        }
    }
    let has_more = user.impersonate_uid.is_some()
        || user.impersonate_groups.as_ref().is_some_and(|groups| !groups.is_empty())
        || user.impersonate_user_extra.as_ref().is_some_and(|extra| !extra.is_empty());
    if has_more && user.impersonate.is_none() {
        return Some(
            "as-uid, as-groups and as-user-extra ask for a name to act as (as, --as)".into(),
        );
    }
    if let Some(exec) = &user.exec {
        if user.auth_provider.is_some() {
            return Some("the user has both an exec plugin and an auth-provider".to_owned());
        }
        return exec_fault(exec);
    }
    user.auth_provider.as_ref().and_then(|provider| provider_fault(&provider.name))
}

/// The fault of an exec plugin's configuration.
fn exec_fault(exec: &ExecConfig) -> Option<String> {
    let empty = |text: &Option<String>| text.as_ref().is_none_or(String::is_empty);
    if empty(&exec.command) {
        return Some("the user's exec plugin has no command".to_owned());
    }
    if empty(&exec.api_version) {
        return Some("the user's exec plugin has no apiVersion".to_owned());
    }
    let names = exec.env.iter().flatten().map(|variable| variable.get("name"));
    if names.into_iter().any(|name| name.is_none_or(String::is_empty)) {
        return Some("the user's exec plugin has a variable in env without name".to_owned());
    }
    let version = exec.api_version.as_deref().unwrap_or_default();
    let mode = exec.other.get(UNKNOWN_MODE).and_then(|mode| mode.as_str()).unwrap_or_default();
    if !mode.is_empty() {
        return Some(format!(
            "the user's exec plugin has the invalid interactiveMode {mode:?}: must be Never, \
            IfAvailable or Always"
        ));
    }
    match version {
        "client.authentication.k8s.io/v1" if exec.interactive_mode.is_none() => Some(
            "the user's exec plugin has no interactiveMode: set it to Never, IfAvailable or Always"
                .into(),
        ),
        "client.authentication.k8s.io/v1" | "client.authentication.k8s.io/v1beta1" => None,
        other => Some(format!(
            "the user's exec plugin has the unsupported apiVersion {other:?}: must be \
            client.authentication.k8s.io/v1 or v1beta1"
        )),
    }
}

/// The fault of an auth-provider, of which client-go has only oidc left.
fn provider_fault(name: &str) -> Option<String> {
    let other = match name {
        "oidc" => return None,
        "gcp" => {
            "gke-gcloud-auth-plugin, an exec plugin (gcloud container clusters get-credentials \
                  writes the kubeconfig for it)"
        }
        "azure" => {
            "kubelogin, an exec plugin (kubelogin convert-kubeconfig writes the kubeconfig for \
                    it)"
        }
        _ => "an exec plugin",
    };
    Some(format!("the user's auth-provider {name:?} is no longer part of Kubernetes: use {other}"))
}
