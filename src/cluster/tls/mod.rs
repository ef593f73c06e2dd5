//! TLS with the API server: what is trusted, and what is said where there is no connection.

mod any_certificate;
mod certificate;
mod fault;
mod verifier;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use kube::config::{AuthInfo, Config};
use rustls::ClientConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls_platform_verifier::BuilderVerifierExt as _;
use secrecy::ExposeSecret as _;

use any_certificate::AnyCertificate;
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
    let settings = ClientConfig::builder();
    let settings = match &config.root_cert {
        _ if config.accept_invalid_certs => {
            settings.dangerous().with_custom_certificate_verifier(Arc::new(AnyCertificate))
        }
        Some(authorities) => {
            let authorities = authorities.iter().cloned().map(CertificateDer::from).collect();
            let verifier = Verifier::new(authorities, config.root_cert_file.clone())
                .ok_or("its certificate-authority has no certificate that can be read")?;
            settings.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
        }
        None => settings.with_platform_verifier().map_err(|error| unusable(&error))?,
    };
    match identity(&config.auth_info)? {
        Some((chain, key)) => {
            settings.with_client_auth_cert(chain, key).map_err(|error| unusable(&error))
        }
        None => Ok(settings.with_no_client_auth()),
    }
}

/// The certificates and the key that the client shows. They are data by now, not files.
fn identity(user: &AuthInfo) -> Result<Option<ClientIdentity>, String> {
    let (Some(chain), Some(key)) = (&user.client_certificate_data, &user.client_key_data) else {
        return Ok(None);
    };
    let decoded = |data: &str, what| {
        STANDARD.decode(data.trim()).map_err(|_| format!("the {what} is not base64"))
    };
    let chain = decoded(chain, "client certificate")?;
    let key = decoded(key.expose_secret(), "client key")?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&chain).collect();
    let chain = chain.map_err(|error| format!("the client certificate is not PEM: {error}"))?;
    if chain.is_empty() {
        return Err("the client certificate has no certificate in it (as PEM)".to_owned());
    }
    let key = PrivateKeyDer::from_pem_slice(&key).map_err(
        |_| "the client key has no private key in it (as PEM, by PKCS #8, PKCS #1 or SEC 1)",
    )?;
    Ok(Some((chain, key)))
}

/// Certificates, and the key of the first one.
type ClientIdentity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn unusable(error: &rustls::Error) -> String {
    match TlsFault::of(error) {
        Some(TlsFault::KeysDiffer) => TlsFault::KeysDiffer.to_string(),
        _ => authentication::cause(error),
    }
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
