//! The outbox of one target, in a file of this machine. It is replaced whole, and it is on the disk
//! before anything is sent: a process that is killed loses no message and makes none twice.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::{bounded_read, own_file};
use crate::core::notify::Outbox;

/// The most bytes that an outbox may have: a full queue for each of many sinks.
const LARGEST: u64 = 64 << 20;

/// How long another process is waited for that has the outbox, which takes moments.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long one that took longer than that is not waited for again.
const IMPATIENCE: Duration = Duration::from_secs(60);
/// How long to wait before looking again whether it has let go.
const PAUSE: Duration = Duration::from_millis(10);

/// The folder of one outbox, which several processes may use. Clones are the same for this process.
#[derive(Clone, Debug)]
pub struct OutboxStore {
    folder: PathBuf,
    patience: Duration,
    /// Until when no other process is waited for. Whoever of this process has the outbox holds the lock.
    impatient: Arc<Mutex<Option<Instant>>>,
}

impl OutboxStore {
    /// The outbox in `folder`, which is made with the first thing to keep.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, patience: PATIENCE, impatient: Arc::default() }
    }

    /// Changes the outbox, and keeps what has changed. Others wait meanwhile, and for a while alone: a process
    /// that was stopped in the middle must not stop them, too.
    ///
    /// # Errors
    ///
    /// When it can't be read or written, or another process does not let go of it. It is unchanged then.
    pub fn update<T>(&self, change: impl FnOnce(&mut Outbox) -> T) -> io::Result<T> {
        let mut impatient = self.impatient.lock().unwrap_or_else(PoisonError::into_inner);
        let _lock = self.lock(&mut impatient)?;
        let before = self.read()?;
        let mut outbox = before.clone();
        let result = change(&mut outbox);
        if outbox != before {
            self.write(&outbox)?;
        }
        Ok(result)
    }

    /// The right to send to a sink, which one process has at a time; `None` while another one has it.
    ///
    /// # Errors
    ///
    /// When the file of the lock can't be made.
    pub fn turn(&self, sink: &str) -> io::Result<Option<File>> {
        let name: String = sink.bytes().map(|byte| format!("{byte:02x}")).collect();
        let file = self.open(&format!("turn-{name}"))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn lock(&self, impatient: &mut Option<Instant>) -> io::Result<File> {
        let (file, begun) = (self.open("lock")?, Instant::now());
        let is_impatient = impatient.is_some_and(|until| begun < until);
        let end = if is_impatient { begun } else { begun + self.patience };
        loop {
            match file.try_lock() {
                Ok(()) => {
                    *impatient = None;
                    return Ok(file);
                }
                Err(TryLockError::Error(error)) => return Err(error),
                Err(TryLockError::WouldBlock) if Instant::now() < end => thread::sleep(PAUSE),
                Err(TryLockError::WouldBlock) => {
                    if !is_impatient {
                        *impatient = Some(begun + IMPATIENCE);
                    }
                    let text =
                        format!("another process does not let go of {}", self.folder.display());
                    return Err(io::Error::new(io::ErrorKind::TimedOut, text));
                }
            }
        }
    }

    fn open(&self, name: &str) -> io::Result<File> {
        make(&self.folder)?;
        let mut options = File::options();
        options.create(true).truncate(false).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(self.folder.join(name))
    }

    fn file(&self) -> PathBuf {
        self.folder.join("outbox.json")
    }

    fn read(&self) -> io::Result<Outbox> {
        let bytes = match bounded_read::read_regular(&self.file(), LARGEST) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Outbox::default()),
            Err(error) => return Err(error),
        };
        match serde_json::from_slice(&bytes) {
            Ok(outbox) => Ok(outbox),
            Err(_) => {
                // It is of no use, and may be of use to a person.
                fs::rename(self.file(), self.folder.join("outbox.json.unreadable"))?;
                Ok(Outbox::default())
            }
        }
    }

    /// Keeps it, while this process alone may.
    fn write(&self, outbox: &Outbox) -> io::Result<()> {
        own_file::replace(&self.file(), &serde_json::to_vec(outbox)?)?;
        #[cfg(unix)]
        File::open(&self.folder)?.sync_all()?;
        Ok(())
    }
}

fn make(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::core::notify::{Commit, Observation, Reach, Rules, Step};

    fn observe(store: &OutboxStore, id: &str) {
        let commit = Commit { id: id.to_owned(), ..Commit::default() };
        let seen = Observation {
            target: "prod".to_owned(),
            at: Timestamp::UNIX_EPOCH,
            git: Reach::NotAsked,
            cluster: Reach::NotAsked,
            step: Step::Deploying(commit),
        };
        store.update(|outbox| outbox.observe(&seen, &Rules::default(), &[])).unwrap();
    }

    #[test]
    fn what_was_told_is_known_to_the_next_process() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b");
        observe(&OutboxStore::new(path.clone()), "1");
        let first = fs::read(path.join("outbox.json")).unwrap();
        observe(&OutboxStore::new(path.clone()), "1");
        assert_eq!(fs::read(path.join("outbox.json")).unwrap(), first);
        observe(&OutboxStore::new(path.clone()), "2");
        assert_ne!(fs::read(path.join("outbox.json")).unwrap(), first);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!((mode(&path), mode(&path.join("outbox.json"))), (0o700, 0o600));
            assert_eq!(mode(&path.join("lock")), 0o600);
        }
    }

    #[test]
    fn a_process_that_does_not_let_go_is_waited_for_once() {
        let folder = tempfile::tempdir().unwrap();
        let patience = Duration::from_millis(200);
        let store = OutboxStore { patience, ..OutboxStore::new(folder.path().to_owned()) };
        observe(&store, "1");
        let other = File::options().write(true).open(folder.path().join("lock")).unwrap();
        other.lock().unwrap();
        let waited = || {
            let begun = Instant::now();
            let error = store.update(|_| ()).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
            begun.elapsed()
        };
        assert!(waited() >= patience);
        let all: Duration = (0..20).map(|_| waited()).sum();
        assert!(all < patience * 10, "{all:?}");
        assert!(store.turn("ops").unwrap().is_some(), "it is another lock");
        drop(other);
        // A child of another test may have it until it runs its program.
        while store.update(|_| ()).is_err() {
            std::thread::yield_now();
        }
        observe(&store, "2");
        assert!(store.impatient.lock().unwrap().is_none());
        let turn = store.turn("ops").unwrap();
        assert!(turn.is_some() && store.turn("ops").unwrap().is_none());
        assert!(store.turn("other").unwrap().is_some());
    }

    #[test]
    fn an_unreadable_outbox_is_put_aside() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("outbox.json"), "{").unwrap();
        observe(&OutboxStore::new(folder.path().to_owned()), "1");
        let aside = folder.path().join("outbox.json.unreadable");
        assert_eq!(fs::read_to_string(aside).unwrap(), "{");
    }
}
