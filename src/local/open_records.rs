//! Records of runs that have not ended yet, or whose record the cluster does not have yet: a file for each.
//! Its run locks it, so that the next one knows whether it still lives.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::own_file::{self, own_folder};
use crate::core::history::RunRecord;
use crate::core::inventory::Inventory;

/// The most records of an inventory that are kept for the cluster.
const KEPT: usize = 16;
/// The most bytes that a file has.
const LARGEST: u64 = 1 << 20;

/// The folder with the records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenRecords {
    folder: PathBuf,
}

/// The record of a run, which no other run touches before this is dropped.
#[derive(Debug)]
pub struct OpenRecord {
    path: PathBuf,
    file: File,
    content: Content,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Content {
    /// Whether the run has not ended.
    is_open: bool,
    record: RunRecord,
}

impl OpenRecords {
    /// The records in `folder`, which is made with the first of them.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Keeps the record of a run, on disk once this returns.
    ///
    /// # Errors
    ///
    /// When it can't be written.
    pub fn open(&self, record: &RunRecord, is_open: bool) -> io::Result<OpenRecord> {
        own_folder(&self.folder)?;
        let path = self.folder.join(format!("{}.json", record.id));
        let file = own_file::open_or_make(&path)?;
        file.lock()?;
        let mut opened =
            OpenRecord { path, file, content: Content { is_open, record: record.clone() } };
        let written = opened.write();
        if written.is_err() {
            let _ = fs::remove_file(&opened.path);
        }
        written.map(|()| opened)
    }

    /// The records of an inventory on a server whose runs are over, the oldest first. Those that are too
    /// many are dropped, as are files that can't be read.
    pub fn left(&self, inventory: &Inventory, server: &str) -> Vec<OpenRecord> {
        let mut left = Vec::new();
        for entry in self.folder.read_dir().into_iter().flatten().flatten() {
            let path = entry.path();
            let Some(file) = claimed(&path) else { continue };
            match content(&file) {
                Some(content) => left.push(OpenRecord { path, file, content }),
                // Cut off before anything was written to the cluster.
                None => drop(fs::remove_file(&path)),
            }
        }
        left.retain(|it| {
            let record = it.record();
            record.inventory == *inventory && record.cluster.server == server
        });
        left.sort_by(|one, other| one.record().id.cmp(&other.record().id));
        let surplus = left.len().saturating_sub(KEPT);
        left.drain(..surplus).for_each(OpenRecord::remove);
        left
    }
}

impl OpenRecord {
    /// The record as it was kept.
    pub fn record(&self) -> &RunRecord {
        &self.content.record
    }

    /// Whether the run has not ended by itself.
    pub fn is_open(&self) -> bool {
        self.content.is_open
    }

    /// Keeps the record of a run that has ended, for the cluster.
    ///
    /// # Errors
    ///
    /// When it can't be written.
    pub fn end(&mut self, record: &RunRecord) -> io::Result<()> {
        self.content = Content { is_open: false, record: record.clone() };
        self.write()
    }

    /// Removes it: all that is to be kept of it is elsewhere.
    pub fn remove(self) {
        let _ = fs::remove_file(&self.path);
    }

    fn write(&mut self) -> io::Result<()> {
        let bytes = serde_json::to_vec(&self.content)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&bytes)?;
        self.file.set_len(bytes.len() as u64)?;
        self.file.sync_data()
    }
}

/// A file whose run is over. One that was removed meanwhile is not one.
fn claimed(path: &Path) -> Option<File> {
    path.extension().filter(|it| *it == "json")?;
    let file = own_file::read_and_write(path).ok()?;
    file.try_lock().ok()?;
    path.exists().then_some(file)
}

fn content(mut file: &File) -> Option<Content> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0)).ok()?;
    file.take(LARGEST).read_to_end(&mut bytes).ok()?;
    serde_json::from_slice(&bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::history_log::tests::record;

    fn left(records: &OpenRecords) -> Vec<(RunRecord, bool)> {
        let left = records.left(&record(1).inventory, "").into_iter();
        left.map(|it| (it.record().clone(), it.is_open())).collect()
    }

    #[test]
    fn a_record_is_left_once_its_run_is_over() {
        let folder = tempfile::tempdir().unwrap();
        let records = OpenRecords::new(folder.path().join("open"));
        assert_eq!(left(&records), []);
        let first = records.open(&record(1), true).unwrap();
        assert_eq!(left(&records), [], "its run lives");
        drop(first);
        let mut second = records.open(&record(2), true).unwrap();
        second.end(&RunRecord { changed: 7, ..record(2) }).unwrap();
        drop(second);
        let ended = RunRecord { changed: 7, ..record(2) };
        assert_eq!(left(&records), [(record(1), true), (ended, false)]);
        assert_eq!(records.left(&record(1).inventory, "elsewhere").len(), 0);
        let other = Inventory { name: "other".to_owned(), namespace: "shop".to_owned() };
        assert_eq!(records.left(&other, "").len(), 0);
        records.left(&record(1).inventory, "").into_iter().for_each(OpenRecord::remove);
        assert_eq!(left(&records), []);
    }

    #[test]
    fn the_oldest_are_dropped_and_what_was_cut_off_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let records = OpenRecords::new(folder.path().to_owned());
        for number in 1..=20 {
            records.open(&record(number), false).unwrap();
        }
        let cut = folder.path().join("cut.json");
        fs::write(&cut, "{\"is_open\":tr").unwrap();
        let ids: Vec<String> = left(&records).into_iter().map(|(record, _)| record.id).collect();
        assert_eq!(ids, (5..=20).map(|number| record(number).id).collect::<Vec<_>>());
        assert!(!cut.exists());
    }
}
