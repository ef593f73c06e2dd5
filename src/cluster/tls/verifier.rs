//! Whether the certificate that a server presents is trusted: by the authorities of the kubeconfig,
//! as client-go decides it.
//!
//! rustls' own verifier asks for a chain from an authority to a server, and takes no certificate of
//! an authority for that of a server. client-go (Go's `crypto/x509`) also takes a server whose very
//! certificate is in the kubeconfig: what `openssl req -x509` makes is its own authority, and some
//! put the server's certificate where that of its authority belongs.
//!
//! That is as strong: whoever wrote the kubeconfig named these bytes as trusted, so the server has
//! to show the same bytes, and still has to sign the handshake with the key in them. Its dates, its
//! names and what it may be used for are checked as in any other certificate. No name, no key and
//! no hash that is alike is enough. Such a certificate makes no other one trusted, unless it is
//! that of an authority.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, DigitallySignedStruct, Error, ExtendedKeyPurpose, OtherError, RootCertStore,
    SignatureScheme,
};

use super::certificate::Certificate;
use super::fault::{self, UnknownAuthority};

/// How often the authorities are read again that a pod has in a file: they may be replaced while it
/// runs.
const READ_AGAIN: Duration = Duration::from_secs(60);

/// Trusts what the authorities of a kubeconfig signed, and what is one of them.
#[derive(Debug)]
pub(super) struct Verifier {
    authorities: RwLock<(Arc<Authorities>, Instant)>,
    /// The file to read them from again, where they have one.
    file: Option<PathBuf>,
}

/// The authorities of a kubeconfig.
#[derive(Debug)]
struct Authorities {
    certificates: Vec<CertificateDer<'static>>,
    /// Verifies what they signed; `None` where none of them may sign.
    chains: Option<Arc<WebPkiServerVerifier>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Authorities {
    /// Those of these certificates that can be used; `None` where none can. One that can't does not
    /// cost the others, as in Go's `AppendCertsFromPEM`.
    fn new(certificates: Vec<CertificateDer<'static>>) -> Option<Self> {
        let is_usable =
            |it: &CertificateDer<'static>| RootCertStore::empty().add(it.clone()).is_ok();
        let certificates: Vec<_> = certificates.into_iter().filter(is_usable).collect();
        let mut roots = RootCertStore::empty();
        for certificate in &certificates {
            // A server's own certificate is not an authority for other servers; rustls would take
            // it for one.
            if Certificate::read(certificate).is_none_or(|it| it.may_sign) {
                roots.add(certificate.clone()).ok()?;
            }
        }
        let algorithms = CryptoProvider::get_default()?.signature_verification_algorithms;
        let chains = WebPkiServerVerifier::builder(Arc::new(roots)).build().ok();
        (!certificates.is_empty()).then_some(Self { certificates, chains, algorithms })
    }

    fn verify(&self, shown: &PresentedChain<'_>, now: UnixTime) -> Result<(), Error> {
        if self.certificates.iter().any(|it| it.as_ref() == shown.certificate.as_ref()) {
            return verify_itself(shown, now);
        }
        let PresentedChain { certificate, between, name } = *shown;
        let verified = match &self.chains {
            Some(chains) => chains.verify_server_cert(certificate, between, name, &[], now),
            None => Err(CertificateError::UnknownIssuer.into()),
        };
        verified.map(drop).map_err(|error| self.explained(error, shown))
    }

    /// The error with the authority's name where that is not known.
    fn explained(&self, error: Error, shown: &PresentedChain<'_>) -> Error {
        let Some(certificate) = Certificate::read(shown.certificate) else { return error };
        let is_unknown = match &error {
            Error::InvalidCertificate(
                CertificateError::UnknownIssuer | CertificateError::BadSignature,
            ) => true,
            // Of one that is its own authority it matters that this is not known.
            Error::InvalidCertificate(error) => {
                fault::is_of_authority(error) && certificate.raw_issuer == certificate.raw_subject
            }
            _ => false,
        };
        if !is_unknown {
            return error;
        }
        let between: Vec<_> = shown.between.iter().filter_map(|it| Certificate::read(it)).collect();
        let mut top = &certificate;
        // No chain is longer than what there is of it, so one that goes in a circle ends as well.
        for _ in &between {
            match between.iter().find(|it| it.raw_subject == top.raw_issuer && *it != top) {
                Some(next) => top = next,
                None => break,
            }
        }
        let known: Vec<_> =
            self.certificates.iter().filter_map(|it| Certificate::read(it)).collect();
        let has_namesake = known.iter().any(|it| it.raw_subject == top.raw_issuer);
        let unknown = UnknownAuthority { issuer: top.issuer.clone(), has_namesake };
        CertificateError::Other(OtherError(Arc::new(unknown))).into()
    }
}

/// A server's certificates, and its expected name.
struct PresentedChain<'a> {
    certificate: &'a CertificateDer<'a>,
    between: &'a [CertificateDer<'a>],
    name: &'a ServerName<'a>,
}

/// Verifies a certificate that is itself among the trusted ones.
fn verify_itself(shown: &PresentedChain<'_>, now: UnixTime) -> Result<(), Error> {
    // This refuses critical extensions that are not known.
    let parsed = ParsedCertificate::try_from(shown.certificate)?;
    let read = Certificate::read(shown.certificate).ok_or(CertificateError::BadEncoding)?;
    let seconds = |time: jiff::Timestamp| {
        UnixTime::since_unix_epoch(Duration::from_secs(time.as_second().try_into().unwrap_or(0)))
    };
    let (not_before, not_after) = (seconds(read.not_before), seconds(read.not_after));
    if now < not_before {
        return Err(CertificateError::NotValidYetContext { time: now, not_before }.into());
    }
    if now > not_after {
        return Err(CertificateError::ExpiredContext { time: now, not_after }.into());
    }
    if !read.is_for_servers {
        let required = ExtendedKeyPurpose::ServerAuth;
        return Err(CertificateError::InvalidPurposeContext { required, presented: vec![] }.into());
    }
    verify_server_name(&parsed, shown.name)
}

impl Verifier {
    /// A verifier for these authorities; `None` where none of them can be used.
    pub(super) fn new(
        certificates: Vec<CertificateDer<'static>>,
        file: Option<PathBuf>,
    ) -> Option<Self> {
        let authorities = Arc::new(Authorities::new(certificates)?);
        Some(Self { authorities: RwLock::new((authorities, Instant::now())), file })
    }

    fn current(&self) -> Arc<Authorities> {
        let now = self.authorities.read().unwrap_or_else(PoisonError::into_inner);
        let Some(file) = self.file.as_ref().filter(|_| now.1.elapsed() >= READ_AGAIN) else {
            return now.0.clone();
        };
        drop(now);
        let read = || Authorities::new(certificates(&std::fs::read(file).ok()?));
        // Where they can't be read they stay what they were.
        let read = read();
        let mut now = self.authorities.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(read) = read {
            now.0 = Arc::new(read);
        }
        now.1 = Instant::now();
        now.0.clone()
    }
}

/// The certificates of a text in PEM that can be read.
fn certificates(pem: &[u8]) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem).filter_map(Result::ok).collect()
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.current().verify(&PresentedChain { certificate, between, name }, now)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.current().algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.current().algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.current().algorithms.supported_schemes()
    }
}

#[cfg(test)]
#[path = "verifier_tests.rs"]
mod tests;
