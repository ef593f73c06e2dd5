//! Addresses and tokens, read again for each delivery, so that a new token counts at once.

use std::ffi::OsString;
use std::path::PathBuf;

use super::error::DeliveryError;
use crate::core::notify::{Address, SecretSource};
use crate::local::trusted_file;

/// Reads secrets from files and the environment.
pub struct Secrets {
    /// Reads a variable of the environment.
    pub variable: fn(&str) -> Option<OsString>,
    /// The folders of the checkout, which must not hold a file with a secret.
    pub checkout: Vec<PathBuf>,
}

impl Secrets {
    /// A secret, without the white space around it.
    ///
    /// # Errors
    ///
    /// When it is not there, is empty, or others than this user may change it.
    pub(super) fn read(&self, source: &SecretSource) -> Result<String, DeliveryError> {
        let (bytes, name) = match source {
            SecretSource::File(path) => {
                let bytes = trusted_file::read(path, &self.checkout);
                let failed = |error: &trusted_file::TrustedFileError| {
                    let cause = std::error::Error::source(error);
                    let cause = cause.map(|cause| format!(": {cause}")).unwrap_or_default();
                    DeliveryError::new(format!("{error}{cause}"))
                };
                (bytes.map_err(|error| failed(&error))?, path.display().to_string())
            }
            SecretSource::Env(name) => {
                let value = (self.variable)(name).unwrap_or_default();
                (value.into_encoded_bytes(), format!("the variable {name}"))
            }
        };
        let text = String::from_utf8(bytes).unwrap_or_default().trim().to_owned();
        match text.is_empty() || text.chars().any(char::is_control) {
            true => Err(DeliveryError::new(format!("{name} is not one line of text"))),
            false => Ok(text),
        }
    }

    /// An address.
    ///
    /// # Errors
    ///
    /// As for a secret.
    pub(super) fn address(&self, address: &Address) -> Result<String, DeliveryError> {
        match address {
            Address::Plain(url) => Ok(url.clone()),
            Address::Secret(source) => self.read(source),
        }
    }
}
