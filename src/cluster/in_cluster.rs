//! The cluster that a pod runs in, as client-go finds it (k8s.io/client-go, `rest/config.go`).

use std::path::Path;

use http::Uri;
use kube::config::{AuthInfo, Config};

use super::kubeconfig::authorities_of;
use crate::local::bounded_read;

/// Where a pod finds what its service account shows.
pub(super) const FOLDER: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// How many bytes a file of those may have.
const LARGEST: u64 = 1 << 20;

/// The environment of a pod.
#[derive(Default)]
pub(super) struct Environment {
    host: String,
    port: String,
    namespace: String,
}

impl Environment {
    /// Reads the environment.
    #[allow(clippy::disallowed_methods, reason = "a convention of pods")]
    pub(super) fn read() -> Self {
        let value = |name| std::env::var(name).unwrap_or_default();
        Self {
            host: value("KUBERNETES_SERVICE_HOST"),
            port: value("KUBERNETES_SERVICE_PORT"),
            namespace: value("POD_NAMESPACE"),
        }
    }

    /// The configuration of a pod whose service account is in this folder; `None` outside of one. The
    /// authorities of the system vouch for the server where the folder has none.
    pub(super) fn config(&self, folder: &Path) -> Option<Config> {
        let Self { host, port, namespace } = self;
        if host.is_empty() || port.is_empty() {
            return None;
        }
        let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        let server: Uri = format!("https://{host}:{port}").parse().ok()?;
        let token = folder.join("token");
        bounded_read::read(&token, LARGEST).ok()?;
        let mut config = Config::new(server);
        config.auth_info =
            AuthInfo { token_file: Some(token.to_str()?.to_owned()), ..AuthInfo::default() };
        let bundle = folder.join("ca.crt");
        let authorities = authorities_of(&bounded_read::read(&bundle, LARGEST).unwrap_or_default());
        if !authorities.is_empty() {
            config.root_cert = Some(authorities);
            config.root_cert_file = Some(bundle);
        }
        let of_account = bounded_read::read(&folder.join("namespace"), LARGEST).unwrap_or_default();
        let of_account = String::from_utf8_lossy(&of_account).trim().to_owned();
        let said = [namespace.clone(), of_account].into_iter().find(|name| !name.is_empty());
        if let Some(namespace) = said {
            config.default_namespace = namespace;
        }
        Some(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pods_files_are_read_as_far_as_they_are_there() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text).unwrap();
        };
        let mut pod = Environment { host: "10.0.0.1".into(), ..Environment::default() };
        assert!(pod.config(folder.path()).is_none());
        pod.port = "443".into();
        assert!(pod.config(folder.path()).is_none(), "no token");
        write("token", "secret");
        let config = pod.config(folder.path()).unwrap();
        assert_eq!(config.cluster_url.to_string(), "https://10.0.0.1:443/");
        assert_eq!(config.default_namespace, "default");
        assert!(config.root_cert.is_none() && config.root_cert_file.is_none());
        write("namespace", "shop\n");
        let key = rcgen::KeyPair::generate().unwrap();
        let authority = rcgen::CertificateParams::new(Vec::new()).unwrap().self_signed(&key);
        write("ca.crt", &authority.unwrap().pem());
        let config = pod.config(folder.path()).unwrap();
        assert_eq!(config.default_namespace, "shop");
        assert_eq!(config.root_cert.unwrap().len(), 1);
        assert_eq!(config.root_cert_file.unwrap(), folder.path().join("ca.crt"));
        pod.namespace = "other".into();
        pod.host = "fd00::1".into();
        let config = pod.config(folder.path()).unwrap();
        assert_eq!(config.default_namespace, "other");
        assert_eq!(config.cluster_url.to_string(), "https://[fd00::1]:443/");
    }
}
