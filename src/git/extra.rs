//! What else there is to ask.

use super::{Checkout, Error};

impl Checkout {
    /// Whether part of the history was left out when the repository was cloned.
    pub fn is_shallow(&self) -> bool {
        self.local().is_shallow().unwrap_or(false)
    }

    /// One file's content as the work tree has it, or `None` if there is no such file.
    pub fn read_worktree_file(&self, path: &str) -> Result<Option<Vec<u8>>, Error> {
        if self.is_bare() {
            return Ok(None);
        }
        match std::fs::read(self.root().join(path)) {
            Ok(content) => Ok(Some(content)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::read(path.to_owned())(error)),
        }
    }
}
