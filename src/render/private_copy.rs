//! The private copy of the files that a program may read, the files that its arguments name, and an
//! empty folder for its own. Only regular files are in it, so that nothing in it leads elsewhere.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Component, Path, PathBuf};

use crate::local::sealed_cache::AT_WORK;

/// The folder beside the copy with the files that arguments name.
pub(super) const GIVEN: &str = "given";

/// A copy of some files; it is removed with this.
pub struct PrivateCopy {
    folder: tempfile::TempDir,
}

impl PrivateCopy {
    /// Writes the files into a new folder within `within`.
    ///
    /// # Errors
    ///
    /// When they can't be written, or a path has a part that is not a name.
    pub fn new<'a>(
        within: &Path,
        files: impl Iterator<Item = (&'a String, &'a Vec<u8>)>,
    ) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix(AT_WORK).tempdir_in(within)?;
        let workplace = Self { folder };
        for folder in [workplace.home(), workplace.tree(), workplace.given_files()] {
            fs::create_dir(folder)?;
        }
        let tree = workplace.tree();
        let mut made = BTreeSet::new();
        for (path, content) in files {
            let path = tree.join(plain(path)?);
            if let Some(parent) = path.parent()
                && made.insert(parent.to_owned())
            {
                fs::create_dir_all(parent)?;
            }
            write(&path, content)?;
        }
        Ok(workplace)
    }

    /// Adds a file that arguments name.
    ///
    /// # Errors
    ///
    /// When it can't be written.
    pub fn give(&self, name: &str, content: &[u8]) -> io::Result<()> {
        write(&self.given_files().join(plain(name)?), content)
    }

    /// The copy of the checkout's root.
    pub fn tree(&self) -> PathBuf {
        self.folder.path().join("tree")
    }

    /// The files that arguments name.
    pub fn given_files(&self) -> PathBuf {
        self.folder.path().join(GIVEN)
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

/// The path, if it is made of names alone: what else there is could lead out of the copy.
fn plain(path: &str) -> io::Result<&Path> {
    let is_name = |part| matches!(part, Component::Normal(_));
    let names = Path::new(path).components().filter(|part| is_name(*part)).count();
    // Components leave `.` and doubled slashes out; no tree has either.
    match names > 0 && names == path.split('/').count() && !path.contains('\0') {
        true => Ok(Path::new(path)),
        false => {
            let message = format!("{path:?} is not a path of names");
            Err(io::Error::new(io::ErrorKind::InvalidInput, message))
        }
    }
}

/// Writes a file that is not there yet, not even as a link.
fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copy(within: &Path, paths: &[&str]) -> io::Result<PrivateCopy> {
        let files: Vec<_> =
            paths.iter().map(|path| ((*path).to_owned(), b"new".to_vec())).collect();
        PrivateCopy::new(within, files.iter().map(|(path, content)| (path, content)))
    }

    #[test]
    fn the_copy_holds_what_its_paths_say_and_nothing_is_written_elsewhere() {
        let within = tempfile::tempdir().unwrap();
        let place = copy(within.path(), &["a", "b/c/d", "b/..e"]).unwrap();
        for path in ["a", "b/c/d", "b/..e"] {
            assert_eq!(fs::read(place.tree().join(path)).unwrap(), b"new");
        }
        let elsewhere = within.path().join("elsewhere");
        fs::write(&elsewhere, "old").unwrap();
        let absolute = elsewhere.to_str().unwrap();
        for path in [
            "../../elsewhere",
            "a/../../../elsewhere",
            absolute,
            "",
            ".",
            "a//b",
            "./a",
            "a/",
            "a\0b",
        ] {
            assert!(copy(within.path(), &[path]).is_err(), "{path:?}");
        }
        assert!(copy(within.path(), &["a", "a"]).is_err(), "twice");
        assert!(place.give("../tree/a", b"").is_err());
        assert_eq!(fs::read(&elsewhere).unwrap(), b"old");
        drop(place);
        let left: Vec<_> = within.path().read_dir().unwrap().flatten().collect();
        assert_eq!(left.len(), 1, "what was refused leaves no copy: {left:?}");
    }

    #[cfg(unix)]
    #[test]
    fn private_copy_does_not_write_through_a_symlink() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("target"), folder.path().join("link"));
        fs::write(&target, "old").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        assert!(write(&link, b"new").is_err());
        assert_eq!(fs::read(&target).unwrap(), b"old");
    }
}
