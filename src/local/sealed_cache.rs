//! Answers kept on this machine by everything that went into them, so that equal input is not worked
//! on again: the output of programs that render, and of runs that need no cluster.
//!
//! An answer may hold whatever the manifests hold, so each is sealed (ChaCha20-Poly1305) with a key
//! that is made of what went into it: who has the checkout can open it, and could have made it as
//! well; who has only the cache can't. What can't be opened with that key, for whatever reason, is
//! as good as not there. So is a file that another user owns.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use sha2::{Digest, Sha256};

use super::own_file::is_own;

/// The keys of the hashes for an answer's name and for its encryption, so that neither tells of the
/// other.
const NAME: &[u8] = b"trueup: name of an answer\0";
const KEY: &[u8] = b"trueup: key of an answer\0";
/// The beginning of the name of what is no answer, or none yet, and is removed with its run.
pub const AT_WORK: &str = "copy-";
/// A file or folder at work that is older than this was left behind by a run that was killed.
const LEFT_BEHIND: Duration = Duration::from_secs(60 * 60);
/// A file that is longer is no answer of ours.
const LARGEST: u64 = 128 << 20;

/// How much a folder keeps: what was used last.
#[derive(Clone, Copy, Debug)]
pub struct CacheBounds {
    /// The most answers.
    pub answers: usize,
    /// The bytes of all of them together.
    pub bytes: u64,
}

/// A folder with answers.
pub struct SealedCache {
    folder: PathBuf,
    bounds: CacheBounds,
}

/// Collects everything that goes into an answer.
#[derive(Clone, Default)]
pub struct AnswerKey(Sha256);

impl AnswerKey {
    /// Adds a part.
    pub fn add(&mut self, part: &[u8]) {
        self.0.update(part.len().to_le_bytes());
        self.0.update(part);
    }

    /// Ends the collection.
    pub fn seal(self) -> Seal {
        let parts = self.0.finalize();
        let made = |with: &[u8]| Sha256::new().chain_update(with).chain_update(parts).finalize();
        let name = made(NAME).iter().map(|byte| format!("{byte:02x}")).collect();
        Seal { name, key: made(KEY).into() }
    }
}

/// Under which name an answer is kept, and what opens it.
pub struct Seal {
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
        let mut sealed = Vec::with_capacity(NONCE_LEN + answer.len() + CHACHA20_POLY1305.tag_len());
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(answer);
        let name = Aad::from(self.name.as_bytes());
        let nonce = Nonce::assume_unique_for_key(nonce);
        let text = &mut sealed[NONCE_LEN..];
        let tag = self.key()?.seal_in_place_separate_tag(nonce, name, text).ok()?;
        sealed.extend_from_slice(tag.as_ref());
        Some(sealed)
    }

    /// The answer; `None` where the file is not what was closed with this.
    fn open(&self, mut file: Vec<u8>) -> Option<Vec<u8>> {
        let (nonce, sealed) = file.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let name = Aad::from(self.name.as_bytes());
        let length = self.key()?.open_in_place(nonce, name, sealed).ok()?.len();
        file.copy_within(NONCE_LEN..NONCE_LEN + length, 0);
        file.truncate(length);
        Some(file)
    }
}

impl SealedCache {
    /// The cache in `folder`, which is made if need be.
    ///
    /// # Errors
    ///
    /// When it can't be made.
    pub fn open(folder: &Path, bounds: CacheBounds) -> io::Result<Self> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)?;
        Ok(Self { folder: folder.canonicalize()?, bounds })
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
        key: AnswerKey,
        make: impl FnOnce() -> Result<Vec<u8>, E>,
    ) -> Result<Vec<u8>, E> {
        let seal = key.seal();
        if let Some(answer) = self.recall(&seal) {
            return Ok(answer);
        }
        let answer = make()?;
        self.keep(&seal, &answer);
        Ok(answer)
    }

    /// The answer that is kept.
    pub fn recall(&self, seal: &Seal) -> Option<Vec<u8>> {
        let path = self.folder.join(&seal.name);
        let answer = seal.open(read(&path).ok()?)?;
        let file = File::options().append(true).open(&path);
        let _ = file.and_then(|file| file.set_modified(SystemTime::now()));
        Some(answer)
    }

    /// Keeps an answer, if that can be done and there is room for it.
    pub fn keep(&self, seal: &Seal, answer: &[u8]) {
        let length = u64::try_from(answer.len()).unwrap_or(u64::MAX);
        if length > self.bounds.bytes.min(LARGEST / 2) {
            return;
        }
        let sealed = seal.close(answer);
        let path = self.folder.join(&seal.name);
        if sealed.is_some_and(|sealed| self.write(&path, &sealed).is_ok()) {
            self.sweep(&path);
        }
    }

    /// Into place only when whole.
    fn write(&self, path: &Path, answer: &[u8]) -> io::Result<()> {
        let mut file = tempfile::Builder::new().prefix(AT_WORK).tempfile_in(&self.folder)?;
        file.write_all(answer)?;
        file.persist(path)?;
        Ok(())
    }

    /// Removes the least recently used answers, and what was left behind. The one at `newest` was kept a
    /// moment ago, which the clock of files may be too coarse to tell.
    fn sweep(&self, newest: &Path) {
        let mut answers = Vec::new();
        for entry in self.folder.read_dir().into_iter().flatten().flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            let Ok(modified) = metadata.modified() else { continue };
            if !entry.file_name().to_string_lossy().starts_with(AT_WORK) {
                let path = entry.path();
                answers.push((path == newest, modified, metadata.len(), path));
            } else if modified.elapsed().is_ok_and(|age| age > LEFT_BEHIND) {
                let _ = fs::remove_dir_all(entry.path()).or_else(|_| fs::remove_file(entry.path()));
            }
        }
        answers.sort();
        let mut bytes = 0_u64;
        for (at, (_, _, length, path)) in answers.iter().rev().enumerate() {
            bytes = bytes.saturating_add(*length);
            if at >= self.bounds.answers || bytes > self.bounds.bytes {
                let _ = fs::remove_file(path);
            }
        }
    }
}

/// Reads an answer that is this user's own.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut options = File::options();
    options.read(true);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        // A link leads elsewhere, and a pipe must not be waited for.
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, flags.bits() as i32);
    }
    let file = options.open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.len() > LARGEST || !is_own(&metadata) {
        return Err(io::Error::other("not a file of this user"));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default() + 1);
    file.take(LARGEST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FEW: CacheBounds = CacheBounds { answers: 20, bytes: 1 << 20 };

    fn cache(folder: &Path) -> SealedCache {
        SealedCache::open(folder, FEW).unwrap()
    }

    fn key(parts: &[&str]) -> AnswerKey {
        let mut key = AnswerKey::default();
        parts.iter().for_each(|part| key.add(part.as_bytes()));
        key
    }

    #[test]
    fn cache_key_covers_every_input() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(folder.path());
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
        let cache = cache(folder.path());
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
        let cache = cache(folder.path());
        assert_eq!(cache.get(key(&["a"]), || Err("no")), Err("no"));
        assert_eq!(cache.get(key(&["a"]), || Ok::<_, ()>(b"yes".to_vec())), Ok(b"yes".to_vec()));
    }

    #[test]
    fn least_recently_used_cache_entry_is_evicted() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(folder.path());
        let first = folder.path().join(key(&["first"]).seal().name);
        fs::write(&first, "old").unwrap();
        let old = fs::File::options().append(true).open(&first).unwrap();
        old.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        for at in 0..FEW.answers {
            let _ = cache.get(key(&[&at.to_string()]), || Ok::<_, ()>(Vec::new()));
        }
        assert!(!first.exists());
        assert_eq!(folder.path().read_dir().unwrap().count(), FEW.answers);
    }

    #[test]
    fn large_answers_are_evicted_or_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(folder.path());
        let keep = |name: &str, bytes: usize| cache.keep(&key(&[name]).seal(), &vec![0; bytes]);
        keep("too large", (1 << 20) + 1);
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
        let has = |name: &str| cache.recall(&key(&[name]).seal()).is_some();
        keep("old", 600 << 10);
        assert!(has("old"));
        keep("new", 600 << 10);
        assert!(has("new") && !has("old"), "both are more than there is room for");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_and_a_file_of_another_user_are_no_answers() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(folder.path());
        let seal = key(&["a"]).seal();
        cache.keep(&seal, b"mine");
        let path = folder.path().join(&seal.name);
        assert_eq!(cache.recall(&seal).as_deref(), Some(&b"mine"[..]));
        // Only root can give a file away; its content stays what this seal opens.
        if std::os::unix::fs::chown(&path, Some(1), None).is_ok() {
            assert_eq!(cache.recall(&seal), None);
            std::os::unix::fs::chown(&path, Some(0), None).unwrap();
            assert!(cache.recall(&seal).is_some());
        }
        let elsewhere = folder.path().join("elsewhere");
        fs::rename(&path, &elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
        assert_eq!(cache.recall(&seal), None);
    }

    #[test]
    fn an_answer_that_is_written_by_many_is_whole_at_any_time() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(folder.path());
        let answer = vec![7; 100 << 10];
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        let seal = key(&["a"]).seal();
                        cache.keep(&seal, &answer);
                        assert_eq!(cache.recall(&seal).as_deref(), Some(&answer[..]));
                    }
                });
            }
        });
        assert_eq!(folder.path().read_dir().unwrap().count(), 1);
    }
}
