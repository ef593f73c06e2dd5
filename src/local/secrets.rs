//! Addresses and tokens in files and in the environment, read again each time that they are used, so that a
//! new one counts at once.

use std::ffi::OsString;
use std::path::PathBuf;

use super::trusted_file::{self, TrustedFileError};
use crate::core::notify::{Address, SecretSource};

/// Reads secrets from files and the environment.
#[derive(Clone)]
pub struct Secrets {
    /// Reads a variable of the environment.
    pub variable: fn(&str) -> Option<OsString>,
    /// The folders of the checkout, which must not hold a file with a secret.
    pub checkout: Vec<PathBuf>,
}

/// Why a secret can't be read. It holds no part of one.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// Of its file.
    #[error(transparent)]
    File(#[from] TrustedFileError),
    /// It is empty, has several lines, or is not UTF-8.
    #[error("{name} is not one line of text")]
    NotALine {
        /// The file or the variable.
        name: String,
    },
}

impl SecretError {
    /// The remedy.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::File(error) => error.hint(),
            Self::NotALine { .. } => None,
        }
    }
}

impl Secrets {
    /// A secret, without the white space around it.
    ///
    /// # Errors
    ///
    /// When it is not there, is not a line, or others than this user may change it.
    pub fn read(&self, source: &SecretSource) -> Result<String, SecretError> {
        let (bytes, name) = match source {
            SecretSource::File(path) => {
                (trusted_file::read(path, &self.checkout)?, path.display().to_string())
            }
            SecretSource::Env(name) => {
                let value = (self.variable)(name).unwrap_or_default();
                (value.into_encoded_bytes(), format!("the variable {name}"))
            }
        };
        let text = String::from_utf8(bytes).unwrap_or_default().trim().to_owned();
        match text.is_empty() || text.chars().any(char::is_control) {
            true => Err(SecretError::NotALine { name }),
            false => Ok(text),
        }
    }

    /// An address.
    ///
    /// # Errors
    ///
    /// As for a secret.
    pub fn address(&self, address: &Address) -> Result<String, SecretError> {
        match address {
            Address::Plain(url) => Ok(url.clone()),
            Address::Secret(source) => self.read(source),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_one_line_of_text_and_is_read_again() {
        #[cfg(unix)]
        trusted_file::usual_umask();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let secrets = Secrets { variable: |_| None, checkout: Vec::new() };
        let source = SecretSource::File(path.clone());
        let said = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            secrets.read(&source).map_err(|error| error.to_string())
        };
        assert_eq!(said(b"s3cret\r\n").unwrap(), "s3cret");
        assert_eq!(said("s3crét".as_bytes()).unwrap(), "s3crét");
        for wrong in [&b""[..], b"\n", b"s3cret\nother", b"s3cr\xe9t", b"s3\0cret"] {
            let error = said(wrong).unwrap_err();
            assert_eq!(error, format!("{} is not one line of text", path.display()));
        }
        let error = secrets.read(&SecretSource::Env("TOKEN".to_owned())).unwrap_err();
        assert_eq!(error.to_string(), "the variable TOKEN is not one line of text");
    }
}
