//! The memory of this machine from one run to the next, in files of its own: whatever is lost is
//! asked for again.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// How many things are remembered.
const KEPT: usize = 1000;

/// The folder with what is remembered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateStore {
    /// `None` where nothing is remembered.
    folder: Option<PathBuf>,
}

impl StateStore {
    /// The memory in `folder`, which is made with the first thing to remember.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder: Some(folder) }
    }

    /// The value that was kept as `name`.
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
        forget_the_oldest(folder)
    }
}

/// Leaves what was written last; what else there is belongs to clusters that are gone, most likely.
fn forget_the_oldest(folder: &Path) -> io::Result<()> {
    let entries = folder.read_dir()?.flatten();
    let mut written: Vec<(SystemTime, PathBuf)> = entries
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    if written.len() > KEPT {
        written.sort();
        for (_, path) in written.iter().rev().skip(KEPT) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_is_readable_by_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let memory = StateStore::new(folder.path().join("a/b"));
        assert_eq!(memory.recall("one"), None);
        memory.keep("one", b"first");
        memory.keep("one", b"second");
        assert_eq!(memory.recall("one").as_deref(), Some(&b"second"[..]));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode =
                |path: &str| folder.path().join(path).metadata().unwrap().permissions().mode();
            assert_eq!((mode("a/b") & 0o777, mode("a/b/one") & 0o777), (0o700, 0o600));
        }
        StateStore::default().keep("one", b"nowhere");
        assert_eq!(StateStore::default().recall("one"), None);
    }

    #[test]
    fn oldest_state_is_evicted() {
        let folder = tempfile::tempdir().unwrap();
        let memory = StateStore::new(folder.path().to_owned());
        for number in 0..KEPT + 5 {
            memory.keep(&number.to_string(), b"x");
        }
        assert_eq!(folder.path().read_dir().unwrap().count(), KEPT);
        assert!(memory.recall(&(KEPT + 4).to_string()).is_some());
    }
}
