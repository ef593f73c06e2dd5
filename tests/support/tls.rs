//! A server's side of TLS, with a certificate for `localhost` of an authority that nobody knows, or
//! with one that a test makes up.

use std::io::{self, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use rcgen::{CertificateParams, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use super::between::Heard;

/// A server's settings, and its authority's certificate as PEM.
pub fn localhost() -> (Arc<ServerConfig>, String) {
    let ca_key = rcgen::KeyPair::generate().unwrap();
    let mut ca = rcgen::CertificateParams::new(Vec::new()).unwrap();
    ca.distinguished_name.push(rcgen::DnType::CommonName, "An authority of this test");
    ca.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let ca_pem = ca.self_signed(&ca_key).unwrap().pem();
    let issuer = rcgen::Issuer::new(ca, ca_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from(certificate.der().to_vec())], key)
        .unwrap();
    (Arc::new(tls), ca_pem)
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

/// A server whose TLS ends here: what is asked of it goes to another one, without TLS.
pub struct Front {
    pub url: String,
    connections: Arc<AtomicUsize>,
}

impl Front {
    /// Begins to serve. Without a server behind it every request is left without an answer.
    pub fn start(tls: Arc<ServerConfig>, behind: Option<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                counted.fetch_add(1, Ordering::Relaxed);
                let (tls, behind) = (Arc::clone(&tls), behind.clone());
                // A handshake that fails is what most of the tests want.
                thread::spawn(move || serve(stream, tls, behind.as_deref()));
            }
        });
        Self { url, connections }
    }

    /// How many connections were made to it.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

fn serve(stream: TcpStream, tls: Arc<ServerConfig>, behind: Option<&str>) -> io::Result<()> {
    let connection = ServerConnection::new(tls).map_err(io::Error::other)?;
    let mut stream = BufReader::new(StreamOwned::new(connection, stream));
    let heard = match Heard::read(&mut stream) {
        Ok(heard) => heard,
        Err(error) => {
            // The alert is on its way: a connection that is closed at once may lose it.
            let _ = io::copy(&mut stream.get_mut().sock, &mut io::sink());
            return Err(error);
        }
    };
    let (Some(heard), Some(behind)) = (heard, behind) else { return Ok(()) };
    io::copy(&mut heard.forward(behind)?, stream.get_mut())?;
    stream.get_mut().conn.send_close_notify();
    stream.get_mut().flush()
}
