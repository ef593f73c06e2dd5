//! Printed output of programs, kept by everything that went into it, so that an unchanged folder is
//! not rendered again.
//!
//! The answers hold whatever the manifests hold, Secrets too, so each is sealed
//! (ChaCha20-Poly1305) with a key that is made of what went into it: who has the checkout can open
//! it, and could have rendered it as well; who has only the cache can't.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use sha2::{Digest, Sha256};

use super::private_copy;

/// How many answers are kept.
const KEPT: usize = 200;
/// A copy that is older than this was left behind by a run that was killed.
const LEFT_BEHIND: Duration = Duration::from_secs(60 * 60);

/// The keys of the hashes for an answer's name and for its encryption, so that neither tells of the
/// other.
const NAME: &[u8] = b"trueup: name of what is rendered\0";
const KEY: &[u8] = b"trueup: key of what is rendered\0";

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

    fn seal(self) -> Seal {
        let parts = self.0.finalize();
        let made = |with: &[u8]| Sha256::new().chain_update(with).chain_update(parts).finalize();
        let name = made(NAME).iter().map(|byte| format!("{byte:02x}")).collect();
        Seal { name, key: made(KEY).into() }
    }
}

/// Under which name an answer is kept, and what opens it.
struct Seal {
    name: String,
    key: [u8; 32],
}

impl Seal {
    fn key(&self) -> Option<LessSafeKey> {
        UnboundKey::new(&CHACHA20_POLY1305, &self.key).ok().map(LessSafeKey::new)
    }

    fn close(&self, answer: &[u8]) -> Option<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        // Random, since one key may close several answers: programs need not repeat themselves.
        SystemRandom::new().fill(&mut nonce).ok()?;
        let mut sealed = answer.to_vec();
        let name = Aad::from(self.name.as_bytes());
        let nonce_of_this = Nonce::assume_unique_for_key(nonce);
        self.key()?.seal_in_place_append_tag(nonce_of_this, name, &mut sealed).ok()?;
        Some([&nonce[..], &sealed].concat())
    }

    /// The answer; `None` where the file is not what was closed with this.
    fn open(&self, mut file: Vec<u8>) -> Option<Vec<u8>> {
        let (nonce, sealed) = file.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let name = Aad::from(self.name.as_bytes());
        let answer = self.key()?.open_in_place(nonce, name, sealed).ok()?;
        Some(answer.to_vec())
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
    /// The answer of `make`. An answer that can't be kept is given all the same.
    pub fn get<E>(
        &self,
        key: Key,
        make: impl FnOnce() -> Result<Vec<u8>, E>,
    ) -> Result<Vec<u8>, E> {
        let seal = key.seal();
        let path = self.folder.join(&seal.name);
        if let Some(answer) = fs::read(&path).ok().and_then(|file| seal.open(file)) {
            let file = fs::File::options().append(true).open(&path);
            let _ = file.and_then(|file| file.set_modified(SystemTime::now()));
            return Ok(answer);
        }
        let answer = make()?;
        let sealed = seal.close(&answer);
        if sealed.is_some_and(|sealed| self.keep(&path, &sealed).is_ok()) {
            self.sweep();
        }
        Ok(answer)
    }

    /// Into place only when whole.
    fn keep(&self, path: &Path, answer: &[u8]) -> io::Result<()> {
        let mut file =
            tempfile::Builder::new().prefix(private_copy::PREFIX).tempfile_in(&self.folder)?;
        file.write_all(answer)?;
        file.persist(path)?;
        Ok(())
    }

    /// Removes the least recently used answers, and what was left behind.
    fn sweep(&self) {
        let Ok(entries) = self.folder.read_dir() else { return };
        let mut answers = Vec::new();
        for entry in entries.flatten() {
            let Ok(modified) = entry.metadata().and_then(|metadata| metadata.modified()) else {
                continue;
            };
            let is_copy = entry.file_name().to_string_lossy().starts_with(private_copy::PREFIX);
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
    fn cache_key_covers_every_input() {
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
    fn cache_entry_is_encrypted_with_its_inputs() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path()).unwrap();
        let get = |answer: &str| cache.get(key(&["a"]), || Ok::<_, ()>(answer.into())).unwrap();
        let answer = "password: a long one, and once more: a long one";
        assert_eq!(get(answer), answer.as_bytes());
        let path = folder.path().join(key(&["a"]).seal().name);
        let file = fs::read(&path).unwrap();
        assert!(!String::from_utf8_lossy(&file).contains("long"));
        assert_eq!(file.len(), answer.len() + NONCE_LEN + 16);
        assert!(key(&["b"]).seal().open(file.clone()).is_none(), "another key");
        // Changed, cut, or from a time before seals: made once more.
        let mut changed = file.clone();
        *changed.last_mut().unwrap() ^= 1;
        for wrong in [changed, file[..20].to_vec(), Vec::new(), b"kind: Secret".to_vec()] {
            fs::write(&path, wrong).unwrap();
            assert_eq!(get("new"), b"new");
            assert_eq!(get("newer"), b"new");
        }
    }

    #[test]
    fn a_failure_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path()).unwrap();
        assert_eq!(cache.get(key(&["a"]), || Err("no")), Err("no"));
        assert_eq!(cache.get(key(&["a"]), || Ok::<_, ()>(b"yes".to_vec())), Ok(b"yes".to_vec()));
    }

    #[test]
    fn least_recently_used_cache_entry_is_evicted() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path()).unwrap();
        let first = folder.path().join(key(&["first"]).seal().name);
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
