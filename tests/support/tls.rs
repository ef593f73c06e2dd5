//! A server's side of TLS, with a certificate for `localhost` of an authority that no client trusts yet, or
//! with one that a test makes up.

use std::sync::Arc;

use rcgen::{CertificateParams, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

/// A client's certificate and its key, as PEM.
pub struct Client {
    pub certificate: String,
    pub key: String,
}

/// A server's settings, and its authority's certificate as PEM.
pub fn localhost() -> (Arc<ServerConfig>, String) {
    let authority = Identity::authority("An authority of this test");
    (of_localhost(&authority).server(None), authority.pem())
}

/// A certificate for `localhost`, and its authority's as PEM.
pub fn localhost_identity() -> (Identity, String) {
    let authority = Identity::authority("An authority of this test");
    (of_localhost(&authority), authority.pem())
}

/// The same for a server that lets in who shows a certificate, and such a one.
pub fn localhost_with_client() -> (Arc<ServerConfig>, String, Client) {
    let authority = Identity::authority("An authority of this test");
    let tls = of_localhost(&authority).server(Some(&authority));
    let client = Identity::new(named("client", &["client"], false), Some(&authority));
    let client = Client { certificate: client.pem(), key: client.key_pem() };
    (tls, authority.pem(), client)
}

fn of_localhost(authority: &Identity) -> Identity {
    Identity::new(named("localhost", &["localhost"], false), Some(authority))
}

/// A certificate with its key, which may sign others.
pub struct Identity {
    pub certificate: rcgen::Certificate,
    pub params: CertificateParams,
    key: KeyPair,
}

impl Identity {
    /// What these parameters say, signed by another, else by itself.
    pub fn new(params: CertificateParams, issuer: Option<&Self>) -> Self {
        Self::with_key(params, issuer, KeyPair::generate().unwrap())
    }

    /// The same with this key.
    pub fn with_key(params: CertificateParams, issuer: Option<&Self>, key: KeyPair) -> Self {
        let certificate = match issuer {
            Some(issuer) => {
                let by = Issuer::from_params(&issuer.params, &issuer.key);
                params.signed_by(&key, &by).unwrap()
            }
            None => params.self_signed(&key).unwrap(),
        };
        Self { certificate, params, key }
    }

    /// An authority of this name.
    pub fn authority(name: &str) -> Self {
        Self::new(named(name, &[], true), None)
    }

    pub fn der(&self) -> CertificateDer<'static> {
        self.certificate.der().clone()
    }

    pub fn pem(&self) -> String {
        self.certificate.pem()
    }

    pub fn key_pem(&self) -> String {
        self.key.serialize_pem()
    }

    fn key_der(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::try_from(self.key.serialize_der()).unwrap()
    }

    /// The settings of a server that has it. With an authority, clients need a certificate of that.
    pub fn server(&self, clients: Option<&Self>) -> Arc<ServerConfig> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap();
        let builder = match clients {
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(authority.der()).unwrap();
                let roots = Arc::new(roots);
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider);
                builder.with_client_cert_verifier(verifier.build().unwrap())
            }
            None => builder.with_no_client_auth(),
        };
        Arc::new(builder.with_single_cert(vec![self.der()], self.key_der()).unwrap())
    }
}

/// The parameters of a certificate with this common name and these other names.
pub fn named(name: &str, names: &[&str], is_authority: bool) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    if is_authority {
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    }
    params
}
