//! The few requests that a sandbox makes of its own API server, over TLS that trusts the sandbox's
//! authority and nothing else.

use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::Error;
use super::identity::{Identity, IssuedCertificate};

use crate::core::json::Value;

/// A client of the sandbox's API server.
#[derive(Clone)]
pub(super) struct Api {
    client: reqwest::Client,
    address: String,
}

impl Api {
    /// A client that is this user.
    pub(super) fn new(
        address: &str,
        identity: &Identity,
        user: &IssuedCertificate,
    ) -> Result<Self, Error> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(identity.authority().der().clone())?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(user.key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_client_auth_cert(vec![user.certificate.der().clone()], key)?;
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .no_proxy() // loopback is never behind one
            .timeout(Duration::from_secs(10))
            .build()?;
        Ok(Self { client, address: address.to_owned() })
    }

    /// Whether the path is there and well. A server that does not answer yet is not.
    pub(super) async fn is_ready(&self, path: &str) -> bool {
        let answer = self.client.get(format!("{}{path}", self.address)).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    /// An object or a list, once it is there.
    pub(super) async fn get(&self, path: &str) -> Option<Value> {
        let answer = self.client.get(format!("{}{path}", self.address)).send().await.ok()?;
        serde_json::from_slice(&answer.error_for_status().ok()?.bytes().await.ok()?).ok()
    }

    /// Creates an object.
    pub(super) async fn create(&self, path: &str, object: &Value) -> Result<(), Error> {
        let request = self
            .client
            .post(format!("{}{path}", self.address))
            .header("content-type", "application/json")
            .body(object.to_string());
        let status = request.send().await?.status();
        if status.is_success() {
            return Ok(());
        }
        Err(Error::Refused { request: format!("POST {path}"), status: status.as_u16() })
    }
}
