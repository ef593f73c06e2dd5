//! An approval as the text of a plan file: JSON with a version and a checksum.
//!
//! The checksum reveals a slip of an editor or a cut-off copy. It is not a signature: who can write
//! the file can write what they like, and what they wrote is then held against the cluster all the
//! same.

use super::Approval;
use super::digest::Digest;

use crate::core::json::{self, Map, Value};

/// The version of the file's shape.
pub const VERSION: u64 = 1;

/// This trueup. Another one may see other differences in the same objects.
const TRUEUP: &str = env!("CARGO_PKG_VERSION");

/// Why a text is not an approval.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// It is not JSON, or not all of it.
    #[error("it is not JSON, or it is truncated")]
    NotJson(#[source] serde_json::Error),
    /// It is JSON, and something else.
    #[error("it is JSON, but not a trueup plan")]
    NotAPlan,
    /// It has another shape than this trueup knows.
    #[error("it has version {0}; this trueup reads version {VERSION}")]
    OtherVersion(Value),
    /// Another trueup made it.
    #[error("trueup {0} made it, and this is {TRUEUP}")]
    OtherTrueup(String),
    /// It is not as trueup wrote it.
    #[error("it was changed since trueup wrote it")]
    Edited,
    /// It lacks something or has something that is not known.
    #[error("it is not a trueup plan")]
    Unusable(#[source] serde_json::Error),
}

impl Approval {
    /// The approval as text.
    ///
    /// # Errors
    ///
    /// When it can't be written as JSON.
    pub fn to_text(&self) -> Result<String, serde_json::Error> {
        let Value::Object(mut document) = json::to_value(self)? else {
            return Ok(String::new());
        };
        document.insert("version".to_owned(), VERSION.into());
        document.insert("trueup".to_owned(), TRUEUP.into());
        let checksum = checksum(&document)?;
        document.insert("checksum".to_owned(), checksum);
        Ok(serde_json::to_string_pretty(&document)? + "\n")
    }

    /// The approval that a text is.
    ///
    /// # Errors
    ///
    /// When the text is not a plan file of this version, or its checksum is wrong.
    pub fn from_text(text: &[u8]) -> Result<Self, DocumentError> {
        let document: Value = serde_json::from_slice(text).map_err(DocumentError::NotJson)?;
        let Value::Object(mut document) = document else { return Err(DocumentError::NotAPlan) };
        let mut take = |key: &str| document.remove(key);
        let (version, trueup, said) = (take("version"), take("trueup"), take("checksum"));
        let (Some(version), Some(Value::String(trueup))) = (version, trueup) else {
            return Err(DocumentError::NotAPlan);
        };
        if version != VERSION {
            return Err(DocumentError::OtherVersion(version));
        }
        if trueup != TRUEUP {
            return Err(DocumentError::OtherTrueup(trueup));
        }
        let mut whole = document.clone();
        whole.insert("version".to_owned(), version);
        whole.insert("trueup".to_owned(), trueup.into());
        let approval = json::from_value(Value::Object(document));
        let approval: Self = approval.map_err(DocumentError::Unusable)?;
        match checksum(&whole) {
            Ok(checksum) if said.as_ref() == Some(&checksum) => Ok(approval),
            _ => Err(DocumentError::Edited),
        }
    }
}

fn checksum(document: &Map) -> Result<Value, serde_json::Error> {
    json::to_value(Digest::of(&Value::Object(document.clone())))
}
