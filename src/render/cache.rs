//! What programs printed, kept by everything that went into it, so that an unchanged folder is not
//! rendered again.
//!
//! The answers hold whatever the manifests hold, Secrets too, as the checkout does; only their
//! owner can read them.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};

use super::workplace;

/// How many answers are kept.
const KEPT: usize = 200;
/// A copy that is older than this was left behind by a run that was killed.
const LEFT_BEHIND: Duration = Duration::from_secs(60 * 60);

/// The folder with the answers.
pub struct Cache {
    folder: PathBuf,
}

/// Collects everything that goes into an answer.
#[derive(Default)]
pub struct Key(Sha256);

impl Key {
    /// Adds a part.
    pub fn add(&mut self, part: &[u8]) {
        self.0.update(part.len().to_le_bytes());
        self.0.update(part);
    }

    fn name(self) -> String {
        self.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Cache {
    /// The cache in `folder`, which is made if need be.
    ///
    /// # Errors
    ///
    /// When it can't be made.
    pub fn open(folder: &Path) -> io::Result<Self> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)?;
        Ok(Self { folder: folder.canonicalize()? })
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The answer that is kept, else the one that `make` gives, kept from now on.
    ///
    /// # Errors
    ///
    /// What `make` says. An answer that can't be kept is given all the same.
    pub fn get<E>(
        &self,
        key: Key,
        make: impl FnOnce() -> Result<Vec<u8>, E>,
    ) -> Result<Vec<u8>, E> {
        let path = self.folder.join(key.name());
        if let Ok(answer) = fs::read(&path) {
            let file = fs::File::options().append(true).open(&path);
            let _ = file.and_then(|file| file.set_modified(SystemTime::now()));
            return Ok(answer);
        }
        let answer = make()?;
        if self.keep(&path, &answer).is_ok() {
            self.sweep();
        }
        Ok(answer)
    }

    /// Into place only when whole.
    fn keep(&self, path: &Path, answer: &[u8]) -> io::Result<()> {
        let mut file =
            tempfile::Builder::new().prefix(workplace::PREFIX).tempfile_in(&self.folder)?;
        file.write_all(answer)?;
        file.persist(path)?;
        Ok(())
    }

    /// Removes the answers that nobody asked for in the longest time, and what was left behind.
    fn sweep(&self) {
        let Ok(entries) = self.folder.read_dir() else { return };
        let mut answers = Vec::new();
        for entry in entries.flatten() {
            let Ok(modified) = entry.metadata().and_then(|metadata| metadata.modified()) else {
                continue;
            };
            let is_copy = entry.file_name().to_string_lossy().starts_with(workplace::PREFIX);
            if !is_copy {
                answers.push((modified, entry.path()));
            } else if modified.elapsed().is_ok_and(|age| age > LEFT_BEHIND) {
                let _ = fs::remove_dir_all(entry.path()).or_else(|_| fs::remove_file(entry.path()));
            }
        }
        answers.sort();
        for (_, path) in answers.iter().rev().skip(KEPT) {
            let _ = fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(parts: &[&str]) -> Key {
        let mut key = Key::default();
        parts.iter().for_each(|part| key.add(part.as_bytes()));
        key
    }

    #[test]
    fn an_answer_is_made_once_for_everything_that_goes_into_it() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path()).unwrap();
        let made = |parts: &[&str], answer: &str| {
            let answer = cache.get(key(parts), || Ok::<_, ()>(answer.into())).unwrap();
            String::from_utf8(answer).unwrap()
        };
        assert_eq!(made(&["a", "bc"], "one"), "one");
        assert_eq!(made(&["a", "bc"], "two"), "one");
        assert_eq!(made(&["ab", "c"], "two"), "two");
    }

    #[test]
    fn a_failure_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path()).unwrap();
        assert_eq!(cache.get(key(&["a"]), || Err("no")), Err("no"));
        assert_eq!(cache.get(key(&["a"]), || Ok::<_, ()>(b"yes".to_vec())), Ok(b"yes".to_vec()));
    }

    #[test]
    fn what_nobody_asked_for_in_the_longest_time_goes() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path()).unwrap();
        let first = folder.path().join(key(&["first"]).name());
        fs::write(&first, "old").unwrap();
        let old = fs::File::options().append(true).open(&first).unwrap();
        old.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        for at in 0..KEPT {
            let _ = cache.get(key(&[&at.to_string()]), || Ok::<_, ()>(Vec::new()));
        }
        assert!(!first.exists());
        assert_eq!(folder.path().read_dir().unwrap().count(), KEPT);
    }
}
