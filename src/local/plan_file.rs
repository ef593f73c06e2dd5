//! The plan file: an [`Approval`] on this machine's disk.
//!
//! It is written whole or not at all, for this user's eyes only, and holds no value of any object.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::core::approval::Approval;
use crate::core::approval::document::DocumentError;
use crate::local::bounded_read;

/// No plan is this large: each object of it takes a few hundred bytes.
const LARGEST: u64 = 64 << 20;

/// Why a plan file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum PlanFileError {
    /// It can't be read.
    #[error("cannot read the plan file {}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It can't be written.
    #[error("cannot write the plan file {}", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is there, and is not a plan.
    #[error("cannot use the plan file {}", .path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: DocumentError,
    },
}

impl PlanFileError {
    /// The remedy.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Read { path, source } if source.kind() == io::ErrorKind::NotFound => {
                format!("make it first: trueup diff --out {}", path.display())
            }
            Self::Read { .. } | Self::Write { .. } => return None,
            Self::Unusable { path, .. } => {
                format!("make a new one: trueup diff --out {}", path.display())
            }
        };
        Some(hint)
    }
}

/// A plan file's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The approval.
    pub approval: Approval,
    /// The SHA-256 of the file's bytes, in hexadecimal, as `sha256sum` prints it.
    pub sha256: String,
}

/// Reads the approval in the file at `path`.
///
/// # Errors
///
/// When there is none, or it is not as trueup wrote it.
pub fn read(path: &Path) -> Result<Stored, PlanFileError> {
    let failed = |source| PlanFileError::Read { path: path.to_owned(), source };
    let text = bounded_read::read(path, LARGEST).map_err(failed)?;
    let approval = Approval::from_text(&text)
        .map_err(|source| PlanFileError::Unusable { path: path.to_owned(), source })?;
    Ok(Stored { approval, sha256: sha256(&text) })
}

/// Writes an approval into the file at `path`, in place of the one that is there, and returns the
/// SHA-256 of what it wrote.
///
/// # Errors
///
/// When it can't be written; then the file is as it was.
pub fn write(path: &Path, approval: &Approval) -> Result<String, PlanFileError> {
    try_write(path, approval)
        .map_err(|source| PlanFileError::Write { path: path.to_owned(), source })
}

fn sha256(text: &[u8]) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn try_write(path: &Path, approval: &Approval) -> io::Result<String> {
    // A link's target is replaced, not the link; and never a folder, a pipe or a device.
    let real = match fs::canonicalize(path) {
        Ok(real) if real.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
        Ok(real) if !real.is_file() => return Err(io::Error::other("it is not a regular file")),
        Ok(real) => real,
        Err(_) => path.to_owned(),
    };
    let path = real.as_path();
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // A temporary file is its owner's alone, and stays so under its new name.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    let text = approval.to_text()?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(sha256(text.as_bytes()))
}
