//! One pull at a time, and nothing left lying about by one that was killed.
//!
//! Two locks. A file that the kernel unlocks when its holder dies keeps pulls apart; what it holds
//! tells the next pull that the one before did not end by itself. And `index.lock`, git's own, keeps
//! git out while the index is replaced; ours says so inside, so that a stale one is known for ours.
//! [`Journal`] says how far the dead pull wanted to get.

use std::fs::{self, File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use gix::ObjectId;
use gix::refs::FullName;

use super::staging::Staging;
use super::{PullError, PullOptions};

/// The content of our `index.lock`; git's is empty or begins an index.
const MARK: &str = "locked by trueup pull\n";

/// git holds the index for a moment to refresh it, so ours waits for a moment too.
const INDEX_PATIENCE: Duration = Duration::from_secs(3);

/// git holds a ref's lock for milliseconds. One that stays for this long is a dead pull's, when
/// there was one.
const REF_PATIENCE: Duration = Duration::from_secs(1);

const TICK: Duration = Duration::from_millis(20);

/// Keeps other pulls out for as long as it lives.
pub(super) struct PullLock {
    file: File,
}

impl PullLock {
    /// Waits for its turn, and cleans up after a pull that was killed.
    pub(super) fn take(repo: &gix::Repository, options: &PullOptions) -> Result<Self, PullError> {
        let path = repo.common_dir().join("trueup.lock");
        let writing = || path.display().to_string();
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(PullError::write(writing()))?;
        wait_for(&file, repo.workdir().unwrap_or(repo.git_dir()), options)?;
        // No other pull can be running, so what is there of these was left by a killed one.
        Staging::remove(repo);
        if fs::read(index_lock(repo)).is_ok_and(|held| held == MARK.as_bytes()) {
            let _ = fs::remove_file(index_lock(repo));
        }
        let mut held = String::new();
        file.read_to_string(&mut held).map_err(PullError::write(writing()))?;
        if !held.is_empty() {
            let since = file.metadata().and_then(|metadata| metadata.modified());
            remove_ref_locks(repo, since.map_err(PullError::write(writing()))?);
        }
        file.rewind()
            .and_then(|()| file.set_len(0))
            .and_then(|()| file.write_all(b"pulling\n"))
            .map_err(PullError::write(writing()))?;
        Ok(Self { file })
    }
}

impl Drop for PullLock {
    fn drop(&mut self) {
        // Left as it is, it costs the next pull a look around and nothing else.
        let _ = self.file.set_len(0);
    }
}

/// Locks `file`, waiting no longer than the user is willing to.
pub(super) fn wait_for(file: &File, what: &Path, options: &PullOptions) -> Result<(), PullError> {
    let start = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => {
                return Err(PullError::write(format!("a lock in {}", what.display()))(error));
            }
        }
        if options.interrupt.load(Ordering::Relaxed) {
            return Err(PullError::Interrupted);
        }
        if start.elapsed() >= options.timeout {
            return Err(PullError::Busy { directory: what.to_owned() });
        }
        thread::sleep(TICK);
    }
}

/// Removes the locks of refs that the pull which began at `since` could not remove itself.
fn remove_ref_locks(repo: &gix::Repository, since: SystemTime) {
    // Clocks of file systems are coarse.
    let since = since - Duration::from_secs(1);
    let mut stale = ref_locks(repo, since);
    let start = Instant::now();
    while !stale.is_empty() && start.elapsed() < REF_PATIENCE {
        thread::sleep(TICK);
        let now = ref_locks(repo, since);
        stale.retain(|lock| now.contains(lock));
    }
    for (path, _) in stale {
        let _ = fs::remove_file(path);
    }
}

/// Locks of refs that were made after `since`, and when.
fn ref_locks(repo: &gix::Repository, since: SystemTime) -> Vec<(PathBuf, SystemTime)> {
    let mut locks = Vec::new();
    for folder in [repo.git_dir(), repo.common_dir()] {
        for name in ["HEAD.lock", "packed-refs.lock", "shallow.lock"] {
            locks.push(folder.join(name));
        }
        collect_locks(&folder.join("refs"), &mut locks);
    }
    let modified = |path: &Path| path.symlink_metadata().ok()?.modified().ok();
    let mut found: Vec<_> = locks
        .into_iter()
        .filter_map(|path| modified(&path).map(|time| (path, time)))
        .filter(|(_, time)| *time >= since)
        .collect();
    found.sort();
    found.dedup();
    found
}

fn collect_locks(folder: &Path, locks: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => collect_locks(&path, locks),
            _ if path.extension().is_some_and(|end| end == "lock") => locks.push(path),
            _ => {}
        }
    }
}

/// Where git's lock of the index is.
fn index_lock(repo: &gix::Repository) -> PathBuf {
    let mut path = repo.index_path().into_os_string();
    path.push(".lock");
    path.into()
}

/// Which commit the files of a work tree are on their way to.
///
/// Written before the first file changes and removed after the branch has moved. Without it a pull
/// that finds a newer commit upstream would take the dead pull's files for local work.
pub(super) struct Journal {
    path: PathBuf,
}

impl Journal {
    pub(super) fn of(repo: &gix::Repository) -> Self {
        Self { path: repo.git_dir().join("trueup-unfinished") }
    }

    /// The commit that a dead pull was moving `branch` to.
    pub(super) fn read(&self, branch: &FullName) -> Option<ObjectId> {
        let text = fs::read_to_string(&self.path).ok()?;
        let (commit, name) = text.trim_end().split_once(' ')?;
        let commit = ObjectId::from_hex(commit.as_bytes()).ok()?;
        (branch.as_bstr() == name).then_some(commit)
    }

    /// Notes that the files are about to become those of `commit`.
    pub(super) fn write(
        &self,
        branch: &FullName,
        commit: ObjectId,
        staging: &Staging,
    ) -> Result<(), PullError> {
        let made = staging.path().join("journal");
        fs::write(&made, format!("{commit} {}\n", branch.as_bstr()))
            .and_then(|()| fs::rename(&made, &self.path))
            .map_err(PullError::write(self.path.display().to_string()))
    }

    /// Notes that nothing is unfinished.
    pub(super) fn clear(&self) {
        // A stale one names a commit that the branch already has.
        let _ = fs::remove_file(&self.path);
    }
}

/// git's own lock of the index: while it is there, no other process changes the index.
pub(super) struct IndexLock {
    path: PathBuf,
}

impl IndexLock {
    /// Takes the lock, whole with its mark or not at all.
    pub(super) fn take(repo: &gix::Repository, staging: &Staging) -> Result<Self, PullError> {
        let path = index_lock(repo);
        let mut file =
            tempfile::NamedTempFile::new_in(staging.path()).map_err(PullError::write("a lock"))?;
        file.write_all(MARK.as_bytes()).map_err(PullError::write("a lock"))?;
        let start = Instant::now();
        loop {
            let error = match file.persist_noclobber(&path) {
                Ok(_) => return Ok(Self { path }),
                Err(error) => error,
            };
            if error.error.kind() != std::io::ErrorKind::AlreadyExists {
                return Err(PullError::write(path.display().to_string())(error.error));
            }
            if start.elapsed() >= INDEX_PATIENCE {
                return Err(PullError::IndexLocked { lock: path });
            }
            file = error.file;
            thread::sleep(TICK);
        }
    }
}

impl Drop for IndexLock {
    fn drop(&mut self) {
        // If it can't be removed the next pull says so, by its name.
        let _ = fs::remove_file(&self.path);
    }
}
