//! A server's side of TLS, with a certificate for `localhost` of an authority that nobody knows.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;

/// A client's certificate and its key, as PEM.
pub struct Client {
    pub certificate: String,
    pub key: String,
}

/// A server's settings, and its authority's certificate as PEM.
pub fn localhost() -> (Arc<ServerConfig>, String) {
    let authority = Authority::new();
    let tls = authority.server(None);
    (tls, authority.pem)
}

/// The same for a server that lets in who shows a certificate, and such a one.
pub fn localhost_with_client() -> (Arc<ServerConfig>, String, Client) {
    let authority = Authority::new();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(authority.der.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    let tls = authority.server(Some(verifier.build().unwrap()));
    let (certificate, key) = authority.sign("client");
    let client = Client { certificate: certificate.pem(), key: key.serialize_pem() };
    (tls, authority.pem, client)
}

struct Authority {
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
    der: CertificateDer<'static>,
    pem: String,
}

impl Authority {
    fn new() -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(rcgen::DnType::CommonName, "An authority of this test");
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        let (der, pem) = (certificate.der().clone(), certificate.pem());
        Self { issuer: rcgen::Issuer::new(params, key), der, pem }
    }

    fn sign(&self, name: &str) -> (rcgen::Certificate, rcgen::KeyPair) {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }

    fn server(&self, clients: Option<Arc<dyn ClientCertVerifier>>) -> Arc<ServerConfig> {
        let (certificate, key) = self.sign("localhost");
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap();
        let builder = match clients {
            Some(verifier) => builder.with_client_cert_verifier(verifier),
            None => builder.with_no_client_auth(),
        };
        Arc::new(builder.with_single_cert(vec![certificate.der().clone()], key).unwrap())
    }
}
