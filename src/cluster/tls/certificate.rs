//! The fields of a certificate: its dates, names, issuer and purposes. Nothing is verified here.

use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use x509_parser::prelude::{FromDer as _, X509Certificate};
use x509_parser::x509::{X509Name, X509Version};

use crate::core::sanitize::{is_harmless, spelled};

/// How many characters of a name are shown: who holds the key chose them.
const LONGEST_NAME: usize = 100;

/// The parsed fields of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cluster) struct Certificate {
    /// From when on it is valid.
    pub(in crate::cluster) not_before: Timestamp,
    /// Until when, that second included.
    pub(in crate::cluster) not_after: Timestamp,
    /// Its subject, to be shown.
    pub(super) subject: String,
    /// Its issuer, to be shown.
    pub(super) issuer: String,
    /// The subject as it is encoded, to be compared.
    pub(super) raw_subject: Vec<u8>,
    /// The issuer as it is encoded, to be compared.
    pub(super) raw_issuer: Vec<u8>,
    /// Whether a server may show it: it says so, or says nothing of what it is for.
    pub(super) is_for_servers: bool,
    /// Whether it may sign others, by Go's `CheckSignatureFrom`.
    pub(super) may_sign: bool,
}

impl Certificate {
    /// Reads a certificate; `None` where it is none.
    pub(in crate::cluster) fn read(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let time = |seconds| Timestamp::from_second(seconds).ok();
        let is_for_servers = match certificate.extended_key_usage() {
            Ok(None) => true,
            Ok(Some(usage)) => usage.value.any || usage.value.server_auth,
            Err(_) => false,
        };
        let is_authority = match certificate.basic_constraints() {
            Ok(Some(constraints)) => constraints.value.ca,
            // Before version 3 there was no way to say so.
            Ok(None) => certificate.version() != X509Version::V3,
            Err(_) => false,
        };
        let signs = match certificate.key_usage() {
            Ok(Some(usage)) => usage.value.key_cert_sign(),
            Ok(None) => true,
            Err(_) => false,
        };
        Some(Self {
            not_before: time(certificate.validity().not_before.timestamp())?,
            not_after: time(certificate.validity().not_after.timestamp())?,
            subject: display_name(certificate.subject()),
            issuer: display_name(certificate.issuer()),
            raw_subject: certificate.subject().as_raw().to_vec(),
            raw_issuer: certificate.issuer().as_raw().to_vec(),
            is_for_servers,
            may_sign: is_authority && signs,
        })
    }

    /// The first certificate of a text in PEM, which is the holder's own.
    pub(in crate::cluster) fn first_of(pem: &[u8]) -> Option<Self> {
        let der = CertificateDer::pem_slice_iter(pem).find_map(Result::ok)?;
        Self::read(&der)
    }
}

/// A distinguished name as a person reads it: the common name, else all of it.
fn display_name(name: &X509Name<'_>) -> String {
    let common = name.iter_common_name().find_map(|it| it.as_str().ok());
    let text = common.map_or_else(|| name.to_string(), str::to_owned);
    harmless(&text)
}

/// A text that others chose, short and without what can't be shown.
pub(super) fn harmless(text: &str) -> String {
    let shown = text.chars().take(LONGEST_NAME);
    shown.map(|c| if is_harmless(c) { c.to_string() } else { spelled(c) }).collect()
}
