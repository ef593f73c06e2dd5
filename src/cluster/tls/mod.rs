//! TLS with the API server: what is trusted, and what is said where there is no connection.

mod certificate;
mod fault;
mod verifier;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use kube::client::ConfigExt as _;
use kube::config::Config;
use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;

use certificate::Certificate;
pub(super) use fault::time;
pub use fault::{TlsFault, UnknownAuthority};
use verifier::Verifier;

use super::authentication;

/// The settings of TLS that a kubeconfig asks for.
///
/// # Errors
///
/// When its certificates or keys can't be used; as text without what is secret.
pub(super) fn settings(config: &Config) -> Result<ClientConfig, String> {
    if let Some(of_client) = of_client(config)
        && of_client.not_after < Timestamp::now()
    {
        let (at, now) = (fault::time(of_client.not_after), fault::time(Timestamp::now()));
        return Err(format!(
            "the client certificate expired on {at}, and it is {now} here: get the kubeconfig again"
        ));
    }
    let Some(authorities) = config.root_cert.clone().filter(|_| !config.accept_invalid_certs)
    else {
        return made(config);
    };
    // The verifier of kube's making is replaced, so it is given nothing to stumble over.
    let mut bare = config.clone();
    (bare.root_cert, bare.root_cert_file) = (Some(Vec::new()), None);
    let mut tls = made(&bare)?;
    let authorities = authorities.into_iter().map(CertificateDer::from).collect();
    let verifier = Verifier::new(authorities, config.root_cert_file.clone())
        .ok_or("its certificate-authority has no certificate that can be read")?;
    tls.dangerous().set_certificate_verifier(Arc::new(verifier));
    Ok(tls)
}

/// The client's certificate, where there is one and it can be read.
fn of_client(config: &Config) -> Option<Certificate> {
    let pem =
        match (&config.auth_info.client_certificate_data, &config.auth_info.client_certificate) {
            (Some(data), _) if data.starts_with("-----BEGIN ") => data.clone().into_bytes(),
            (Some(data), _) => STANDARD.decode(data.trim()).ok()?,
            (None, Some(file)) => std::fs::read(file).ok()?,
            (None, None) => return None,
        };
    Certificate::first_of(&pem)
}

fn made(config: &Config) -> Result<ClientConfig, String> {
    config.rustls_client_config().map_err(|error| match TlsFault::of(&error) {
        Some(TlsFault::KeysDiffer) => TlsFault::KeysDiffer.to_string(),
        _ => authentication::cause(&error),
    })
}
