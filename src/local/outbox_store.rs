//! The outbox of one target, in a file of this machine. It is replaced whole, and it is on the disk
//! before anything is sent: a process that is killed loses no message and makes none twice.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::{bounded_read, own_file};
use crate::core::notify::Outbox;

/// The most bytes that an outbox may have: a full queue for each of many sinks.
const LARGEST: u64 = 64 << 20;

/// The folder of one outbox, which several processes may use.
#[derive(Clone, Debug)]
pub struct OutboxStore {
    folder: PathBuf,
}

impl OutboxStore {
    /// The outbox in `folder`, which is made with the first thing to keep.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Changes the outbox, and keeps what has changed. Other processes wait meanwhile.
    ///
    /// # Errors
    ///
    /// When it can't be read or written. It is unchanged then.
    pub fn update<T>(&self, change: impl FnOnce(&mut Outbox) -> T) -> io::Result<T> {
        let _lock = self.lock("lock")?;
        let before = self.read()?;
        let mut outbox = before.clone();
        let result = change(&mut outbox);
        if outbox != before {
            self.write(&outbox)?;
        }
        Ok(result)
    }

    /// The right to send to a sink, which one process has at a time. It is waited for.
    ///
    /// # Errors
    ///
    /// When the file of the lock can't be made.
    pub fn turn(&self, sink: &str) -> io::Result<File> {
        let name: String = sink.bytes().map(|byte| format!("{byte:02x}")).collect();
        self.lock(&format!("turn-{name}"))
    }

    fn lock(&self, name: &str) -> io::Result<File> {
        make(&self.folder)?;
        let mut options = File::options();
        options.create(true).truncate(false).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(self.folder.join(name))?;
        file.lock()?;
        Ok(file)
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
    fn an_unreadable_outbox_is_put_aside() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("outbox.json"), "{").unwrap();
        observe(&OutboxStore::new(folder.path().to_owned()), "1");
        let aside = folder.path().join("outbox.json.unreadable");
        assert_eq!(fs::read_to_string(aside).unwrap(), "{");
    }
}
