//! The marks of the watches of this machine: a small file each, which says which target is watched and when
//! the next round is due. A watch takes its file away when it ends. One whose process is gone counts for
//! nothing, and is taken away by whoever finds it.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::replaced_file;
use crate::core::inventory::Inventory;

/// How many bytes a mark has at most.
const LARGEST: u64 = 1 << 16;
/// How many marks are read.
const MOST: usize = 10_000;

/// The mark of one watch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchMark {
    /// The process.
    pub pid: u32,
    /// The target.
    pub target: String,
    /// Its inventory.
    pub inventory: Inventory,
    /// The address of the API server.
    pub server: String,
    /// When the next round is due.
    pub next: Timestamp,
}

/// The folder with the marks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchMarks {
    folder: PathBuf,
}

/// The mark of a watch of this process. It goes when this is dropped.
#[derive(Debug)]
pub struct OwnMark {
    file: PathBuf,
}

impl WatchMarks {
    /// Those in `folder`, which is made with the first one.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The place for the mark of this process.
    pub fn own(&self) -> OwnMark {
        OwnMark { file: self.folder.join(format!("{}.json", std::process::id())) }
    }

    /// The place for the mark of one of several targets that this process watches.
    pub fn own_of(&self, target: &str) -> OwnMark {
        let digest = Sha256::digest(target);
        let digest: String = digest[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        OwnMark { file: self.folder.join(format!("{}-{digest}.json", std::process::id())) }
    }

    /// Takes away the marks of watches that were killed, and what they left of marks that they wrote.
    pub fn remove_stale(&self) {
        drop(self.all());
        replaced_file::remove_left_behind_in(&self.folder);
    }

    /// The marks of watches that run.
    pub fn all(&self) -> Vec<WatchMark> {
        let Ok(entries) = fs::read_dir(&self.folder) else { return Vec::new() };
        entries.flatten().take(MOST).filter_map(|entry| read(&entry.path())).collect()
    }
}

fn read(file: &Path) -> Option<WatchMark> {
    let bytes = super::bounded_read::read_regular(file, LARGEST).ok()?;
    let mark: WatchMark = serde_json::from_slice(&bytes).ok()?;
    let name = file.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
    let pid = name.split_once('-').map_or(name, |(pid, _)| pid);
    if pid != mark.pid.to_string() {
        return None;
    }
    if !is_alive(mark.pid) {
        let _ = fs::remove_file(file);
        return None;
    }
    Some(mark)
}

/// Whether there is a process by this number.
#[cfg(unix)]
fn is_alive(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
    pid.is_some_and(|pid| {
        !matches!(rustix::process::test_kill_process(pid), Err(rustix::io::Errno::SRCH))
    })
}

/// Elsewhere it is not known, and the time alone counts.
#[cfg(not(unix))]
fn is_alive(_: u32) -> bool {
    true
}

impl OwnMark {
    /// Writes the mark, whole or not at all. It does not matter if that can't be done.
    pub fn write(&self, mark: &WatchMark) {
        let _ = self.try_write(mark);
    }

    fn try_write(&self, mark: &WatchMark) -> io::Result<()> {
        let Some(folder) = self.file.parent() else { return Ok(()) };
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)?;
        let mut file = replaced_file::replacement().tempfile_in(folder)?;
        file.write_all(&serde_json::to_vec(mark)?)?;
        file.persist(&self.file)?;
        Ok(())
    }
}

impl Drop for OwnMark {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.file);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(pid: u32) -> WatchMark {
        WatchMark {
            pid,
            target: "prod".to_owned(),
            inventory: Inventory { name: "trueup-prod".into(), namespace: "shop".into() },
            server: "https://shop.example".to_owned(),
            next: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn mark_is_there_as_long_as_its_watch() {
        let folder = tempfile::tempdir().unwrap();
        let marks = WatchMarks::new(folder.path().join("watches"));
        assert_eq!(marks.all(), []);
        let own = marks.own();
        own.write(&mark(std::process::id()));
        assert_eq!(marks.all(), [mark(std::process::id())]);
        drop(own);
        assert_eq!(marks.all(), []);
        let several = ["one", "../other"].map(|target| marks.own_of(target));
        several.iter().for_each(|own| own.write(&mark(std::process::id())));
        assert_eq!(marks.all().len(), 2);
        drop(several);
        assert_eq!(marks.all(), []);
    }

    #[cfg(unix)]
    #[test]
    fn mark_of_a_process_that_is_gone_counts_for_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let marks = WatchMarks::new(folder.path().to_owned());
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = child.id();
        child.wait().unwrap();
        let file = folder.path().join(format!("{pid}.json"));
        fs::write(&file, serde_json::to_vec(&mark(pid)).unwrap()).unwrap();
        fs::write(folder.path().join("other.json"), "{}").unwrap();
        assert_eq!(marks.all(), []);
        assert!(!file.exists());
    }
}
