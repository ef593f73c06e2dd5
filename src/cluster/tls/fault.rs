//! Why there is no TLS connection with the API server, in words, and what to do about it.

use std::error::Error as StdError;

use jiff::Timestamp;
use rustls::pki_types::{ServerName, UnixTime};
use rustls::{AlertDescription, CertificateError, Error, InvalidMessage};

use super::certificate::harmless;
use crate::cluster::authentication::causes;

/// How many of a certificate's names are shown.
const FEW_NAMES: usize = 6;

/// Why there is no TLS connection with a server. None of it passes by sending once more.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlsFault {
    /// Its certificate is signed by an authority that is not trusted.
    #[error("its certificate is signed by an authority that {}{}", not_known(.authority), of_issuer(.authority))]
    UnknownAuthority {
        /// Which one; `None` where the kubeconfig names no authority, and the system's are meant.
        authority: Option<UnknownAuthority>,
    },
    /// Its certificate, or one that it is signed by, has expired.
    #[error("its certificate expired on {}", time(*.at))]
    Expired {
        /// The last second that it was valid in.
        at: Timestamp,
    },
    /// Its certificate is not valid yet.
    #[error("its certificate is not valid before {}", time(*.from))]
    NotYetValid {
        /// The first second that it is valid in.
        from: Timestamp,
    },
    /// Its certificate is for other names.
    #[error("its certificate is not for {asked}, {}", what_for(.names))]
    WrongName {
        /// The expected name.
        asked: String,
        /// The names in the certificate.
        names: Vec<String>,
    },
    /// Its certificate is that of an authority, and not the kubeconfig's own.
    #[error("its certificate is one of an authority (CA:TRUE), and not of a server")]
    Authority,
    /// Its certificate is not for servers.
    #[error("its certificate is not for servers: it has other purposes")]
    NotForServers,
    /// Its certificate is signed in a way that is not supported.
    #[error(
        "its certificate is signed in a way that is not supported, such as SHA-1 or a short key"
    )]
    Unsupported,
    /// It answers, and not by TLS.
    #[error("it answers, but not by TLS")]
    PlainHttp,
    /// It does not take the client's certificate.
    #[error("it refuses the kubeconfig's client certificate: {why}")]
    ClientRefused {
        /// The message.
        why: &'static str,
    },
    /// The client's certificate and key do not belong together.
    #[error("the client certificate and the client key do not belong together")]
    KeysDiffer,
    /// Something else.
    #[error("{0}")]
    Other(String),
}

/// An authority that is not trusted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{issuer} is not known")]
pub struct UnknownAuthority {
    /// The issuer's name.
    pub issuer: String,
    /// Whether one of that name is trusted, with another key.
    pub has_namesake: bool,
}

fn not_known(authority: &Option<UnknownAuthority>) -> &'static str {
    match authority {
        Some(_) => "the kubeconfig does not have",
        None => "this machine does not trust",
    }
}

fn of_issuer(authority: &Option<UnknownAuthority>) -> String {
    match authority {
        Some(UnknownAuthority { issuer, has_namesake: true }) => {
            format!(" (it has another {issuer})")
        }
        Some(UnknownAuthority { issuer, has_namesake: false }) => format!(" ({issuer})"),
        None => String::new(),
    }
}

fn what_for(names: &[String]) -> String {
    match names.len() {
        0 => "and for no name at all".to_owned(),
        count if count > FEW_NAMES => {
            format!("but for {} and {} more", names[..FEW_NAMES].join(", "), count - FEW_NAMES)
        }
        _ => format!("but for {}", names.join(", ")),
    }
}

/// A time, to the minute.
pub(in crate::cluster) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

impl TlsFault {
    /// The TLS fault among an error's causes; `None` where there is none.
    pub(in crate::cluster) fn of(error: &(dyn StdError + 'static)) -> Option<Self> {
        let found = causes(error).into_iter().find_map(|error| error.downcast_ref::<Error>());
        found.map(Self::of_tls)
    }

    fn of_tls(error: &Error) -> Self {
        match error {
            Error::InvalidCertificate(error) => Self::of_certificate(error),
            Error::InvalidMessage(InvalidMessage::InvalidContentType) => Self::PlainHttp,
            Error::AlertReceived(alert) => match refused_for(*alert) {
                Some(why) => Self::ClientRefused { why },
                None => Self::Other(format!("it breaks off with the alert {alert:?}")),
            },
            Error::InconsistentKeys(_) => Self::KeysDiffer,
            Error::PeerIncompatible(why) => {
                Self::Other(format!("it has no version or cipher of TLS in common: {why:?}"))
            }
            error => Self::Other(error.to_string()),
        }
    }

    fn of_certificate(error: &CertificateError) -> Self {
        match error {
            CertificateError::ExpiredContext { not_after, .. } => {
                Self::Expired { at: timestamp(*not_after) }
            }
            CertificateError::NotValidYetContext { not_before, .. } => {
                Self::NotYetValid { from: timestamp(*not_before) }
            }
            CertificateError::NotValidForNameContext { expected, presented } => {
                let names = presented.iter().filter_map(|name| name_of(name)).collect();
                Self::WrongName { asked: display_name(expected), names }
            }
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                Self::UnknownAuthority { authority: None }
            }
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
                Self::NotForServers
            }
            CertificateError::UnsupportedSignatureAlgorithmContext { .. }
            | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
                Self::Unsupported
            }
            CertificateError::Other(other) => match other.0.downcast_ref::<UnknownAuthority>() {
                Some(unknown) => Self::UnknownAuthority { authority: Some(unknown.clone()) },
                None if is_of_authority(error) => Self::Authority,
                None => Self::Other(format!("its certificate can't be used: {other}")),
            },
            CertificateError::BadEncoding => {
                Self::Other("its certificate can't be read".to_owned())
            }
            error => Self::Other(format!("its certificate can't be used: {error}")),
        }
    }

    /// The remedy.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::UnknownAuthority { authority: Some(UnknownAuthority { has_namesake, .. }) } => {
                match has_namesake {
                    true => "was the cluster recreated? Then get its kubeconfig again",
                    false => {
                        "was the cluster recreated, or does a proxy stand before it? Get its \
                         kubeconfig again, or put the authority into certificate-authority"
                    }
                }
            }
            Self::UnknownAuthority { authority: None } => {
                "name the cluster's authority in the kubeconfig: certificate-authority"
            }
            Self::Expired { .. } | Self::NotYetValid { .. } => {
                let now = time(Timestamp::now());
                return Some(format!(
                    "renew the server's certificate; or is this machine's clock wrong? It is {now} here"
                ));
            }
            Self::WrongName { names, .. } => {
                let Some(name) = names.iter().find(|name| !name.starts_with('*')) else {
                    return Some("the server needs a certificate that names it".to_owned());
                };
                return Some(format!(
                    "use one of these names in the kubeconfig's server, or set there \
                    tls-server-name: {name}"
                ));
            }
            Self::Authority => {
                "put this very certificate into certificate-authority, or give the server one \
                 without CA:TRUE"
            }
            Self::NotForServers => "give the server a certificate for serverAuth",
            Self::Unsupported => "give the server a certificate that is signed with SHA-256 or better",
            Self::PlainHttp => {
                "is this the right port? For a server without TLS, use http:// in the \
                kubeconfig's server"
            }
            Self::ClientRefused { .. } => {
                "get the kubeconfig again, or renew its client certificate"
            }
            Self::KeysDiffer => "get the kubeconfig again: it has the key of another certificate",
            Self::Other(_) => return None,
        }
        .to_owned())
    }
}

/// Whether an authority's certificate is presented as a server's: rustls hands on what webpki says.
pub(super) fn is_of_authority(error: &CertificateError) -> bool {
    matches!(error, CertificateError::Other(other) if format!("{other:?}").contains("CaUsedAsEndEntity"))
}

/// Why a server refuses a client's certificate, where an alert says that it does.
fn refused_for(alert: AlertDescription) -> Option<&'static str> {
    Some(match alert {
        AlertDescription::CertificateRequired => "it asks for one, and there is none",
        AlertDescription::UnknownCA => "it does not know the authority that signed it",
        AlertDescription::CertificateExpired => "it has expired",
        AlertDescription::CertificateRevoked => "it is revoked",
        AlertDescription::BadCertificate
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::AccessDenied => "it can't verify it",
        _ => return None,
    })
}

fn timestamp(time: UnixTime) -> Timestamp {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
}

fn display_name(name: &ServerName<'_>) -> String {
    harmless(&name.to_str())
}

/// A certificate's name, as rustls spells it: `DnsName("a.example")`, `IpAddress(10.0.0.1)`.
fn name_of(spelled: &str) -> Option<String> {
    let (kind, name) = spelled.strip_suffix(')')?.split_once('(')?;
    match kind {
        "DnsName" | "IpAddress" => Some(harmless(name.trim_matches('"'))),
        _ => None,
    }
}
