//! What this machine remembers from one run to the next, in files of its own: whatever is lost is
//! asked for again.

use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;

/// The folder with what is remembered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// `None` where nothing is remembered.
    folder: Option<PathBuf>,
}

impl Memory {
    /// The memory in `folder`, which is made with the first thing to remember.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder: Some(folder) }
    }

    /// What was remembered as `name`.
    pub fn recall(&self, name: &str) -> Option<Vec<u8>> {
        fs::read(self.folder.as_ref()?.join(name)).ok()
    }

    /// Remembers `bytes` as `name`, for this user's eyes only and whole or not at all. It does not
    /// matter if that can't be done.
    pub fn keep(&self, name: &str, bytes: &[u8]) {
        let _ = self.try_keep(name, bytes);
    }

    fn try_keep(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(bytes)?;
        file.persist(folder.join(name))?;
        Ok(())
    }
}
