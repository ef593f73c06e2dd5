//! The private copy of the files that a program may read, and an empty home for it. Only regular
//! files are in it, so that nothing in it leads elsewhere.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What the copy's folder begins with; one that was left behind is known by it.
pub(super) const PREFIX: &str = "copy-";

/// A copy of some files; it is removed with this.
pub struct Workplace {
    folder: tempfile::TempDir,
}

impl Workplace {
    /// Writes the files into a new folder within `within`.
    ///
    /// # Errors
    ///
    /// When they can't be written.
    pub fn new<'a>(
        within: &Path,
        files: impl Iterator<Item = (&'a String, &'a Vec<u8>)>,
    ) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(within)?;
        let workplace = Self { folder };
        fs::create_dir(workplace.home())?;
        let tree = workplace.tree();
        fs::create_dir(&tree)?;
        let mut made = BTreeMap::new();
        for (path, content) in files {
            let path = tree.join(path);
            if let Some(parent) = path.parent()
                && made.insert(parent.to_owned(), ()).is_none()
            {
                fs::create_dir_all(parent)?;
            }
            fs::write(path, content)?;
        }
        Ok(workplace)
    }

    /// The copy of the checkout's root.
    pub fn tree(&self) -> PathBuf {
        self.folder.path().join("tree")
    }

    /// A folder for the program's own files.
    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// A text of the program's, with the checkout's paths as the checkout has them.
    pub fn without_copy(&self, said: &str) -> String {
        let tree = self.tree().display().to_string();
        said.replace(&format!("{tree}/"), "").replace(&tree, ".")
    }
}
