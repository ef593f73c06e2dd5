//! Verifies signatures with `ssh-keygen` and `gpg`, as git does, but with this machine's keys alone:
//! each program gets an empty environment, a home of its own that holds nothing else, and a minute.

mod openpgp;
mod program;
mod ssh;

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::core::verification::signed::{self, SignatureFormat, SignedObject};
use crate::core::verification::{Fault, Verdict};

/// The keys that count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignerKeys {
    /// The content of an allowed_signers file.
    pub allowed_signers: Option<Vec<u8>>,
    /// The content of a file with revoked SSH keys, or of a KRL.
    pub revoked: Option<Vec<u8>>,
    /// OpenPGP keys, as `gpg --export` writes them.
    pub openpgp: Option<Vec<u8>>,
}

/// The part of the environment that verification needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VerifierEnvironment {
    /// The search path.
    pub path: OsString,
    /// `TZ`, where it is set: times without a zone in an allowed_signers file are local.
    pub time_zone: Option<OsString>,
}

/// Verifies signatures with some keys.
pub struct SignatureVerifier {
    keys: SignerKeys,
    environment: VerifierEnvironment,
    /// The keys as files; made when the first signature is verified.
    ssh: OnceLock<ssh::SshFiles>,
    openpgp: OnceLock<openpgp::Keyring>,
}

impl SignatureVerifier {
    /// One for these keys.
    pub fn new(keys: SignerKeys, environment: VerifierEnvironment) -> Self {
        Self { keys, environment, ssh: OnceLock::new(), openpgp: OnceLock::new() }
    }

    /// The verdict about the signature of a commit or tag.
    ///
    /// # Errors
    ///
    /// When a program is missing, can't be run, or does not end.
    pub fn verify(&self, object: &SignedObject) -> Result<Verdict, VerifierError> {
        let signature = match &object.signatures[..] {
            [] => return Ok(Verdict::bad(Fault::Unsigned)),
            [one] if signed::count(one) <= 1 => one,
            _ => return Ok(Verdict::bad(Fault::Several)),
        };
        let (allowed, openpgp) = (&self.keys.allowed_signers, &self.keys.openpgp);
        let fault = match (signed::format(signature), allowed, openpgp) {
            (Some(SignatureFormat::Ssh), Some(allowed), _) => {
                let files = match self.ssh.get() {
                    Some(files) => files,
                    None => {
                        let revoked = self.keys.revoked.as_deref();
                        let files = ssh::SshFiles::new(allowed, revoked, &self.environment)?;
                        self.ssh.get_or_init(|| files)
                    }
                };
                return files.verify(object, signature);
            }
            (Some(SignatureFormat::OpenPgp), _, Some(keys)) => {
                let keyring = match self.openpgp.get() {
                    Some(keyring) => keyring,
                    None => {
                        let keyring = openpgp::Keyring::new(keys, &self.environment)?;
                        self.openpgp.get_or_init(|| keyring)
                    }
                };
                return keyring.verify(object, signature);
            }
            (Some(SignatureFormat::Ssh), None, _) => Fault::NoKeys("SSH"),
            (Some(SignatureFormat::OpenPgp), _, None) => Fault::NoKeys("OpenPGP"),
            (Some(SignatureFormat::Other(name)), ..) => Fault::Unsupported(name),
            (None, ..) => Fault::Unsupported("an unknown format"),
        };
        Ok(Verdict::bad(fault))
    }
}

/// Why a signature can't be verified here.
#[derive(Debug, thiserror::Error)]
pub enum VerifierError {
    /// A program is missing.
    #[error("{name} is not on PATH{}", .note.as_ref().map(|it| format!(": {it}")).unwrap_or_default())]
    Missing {
        /// Its name.
        name: &'static str,
        /// A program of that name that is not used.
        note: Option<String>,
    },
    /// It did not end in time.
    #[error("{name} did not end within {seconds} s")]
    Timeout {
        /// Its name.
        name: &'static str,
        /// How long it was waited for.
        seconds: u64,
    },
    /// It can't be run, or the files that it needs can't be written.
    #[error("cannot run {name}: {source}")]
    Run {
        /// Its name.
        name: &'static str,
        /// The system's error.
        source: io::Error,
    },
    /// It does not take the keys.
    #[error("gpg cannot read the OpenPGP keys: {0}")]
    Keys(String),
}

impl VerifierError {
    /// The remedy.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { name: "gpg", .. } => {
                Some("install GnuPG, or take openpgp out of the verify rule".into())
            }
            Self::Missing { .. } => Some("install OpenSSH 8.9 or later".into()),
            Self::Keys(_) => {
                Some("write the file with: gpg --export --armor KEY > signers.asc".into())
            }
            Self::Timeout { .. } | Self::Run { .. } => None,
        }
    }
}

/// A folder that only this user may enter.
fn private_folder(name: &'static str) -> Result<TempDir, VerifierError> {
    let made = tempfile::Builder::new().prefix("trueup-").tempdir();
    made.map_err(|source| VerifierError::Run { name, source })
}

/// Writes a file into such a folder.
fn write(
    folder: &TempDir,
    file: &str,
    content: &[u8],
    name: &'static str,
) -> Result<PathBuf, VerifierError> {
    let path = folder.path().join(file);
    let written = std::fs::write(&path, content);
    written.map_err(|source| VerifierError::Run { name, source }).map(|()| path)
}
