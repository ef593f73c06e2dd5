//! The records of this machine: lines that are only appended to, each with the digest of the one before,
//! in files of bounded size. A head file has the digest of the last line, so that a missing end shows.
//!
//! It tells of an accident and of a careless hand. Whoever may write the files can also write a chain that holds.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::own_file::{self, own_folder};
use crate::core::history::{LogEnds, LogLine, LogProblem, RunRecord, line_digest, verify_log};
use crate::core::inventory::Inventory;

/// The file with the number and digest of the last line.
const HEAD: &str = "head.json";
/// The file that whoever reads or writes the log locks.
const LOCK: &str = "lock";
/// How a file with lines is named: its number stands between the two.
const SEGMENT: (&str, &str) = ("runs-", ".jsonl");
/// The most bytes that the head file has.
const LARGEST_HEAD: u64 = 4096;
/// The most bytes that a line is looked for in.
const LARGEST_LINE: u64 = 1 << 20;

/// How much a log keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct LogBounds {
    /// A file of so many bytes is not written to any more.
    bytes: u64,
    /// How many files there are.
    files: usize,
}

/// Some years of a busy machine.
const BOUNDS: LogBounds = LogBounds { bytes: 16 << 20, files: 8 };

/// The log in a folder of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryLog {
    folder: PathBuf,
    bounds: LogBounds,
}

/// The result of a look at all lines of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogCheck {
    /// How many lines there are.
    pub lines: usize,
    /// How many lines were dropped before them for their age.
    pub dropped: u64,
    /// Their faults.
    pub faults: Vec<FileFault>,
}

/// Something that is wrong in a file of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileFault {
    /// The file.
    pub file: PathBuf,
    /// The line in it, from 1.
    pub line: usize,
    /// The fault.
    pub problem: LogProblem,
}

/// The state of a log besides its lines.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    /// The number of the last line.
    line: u64,
    /// Its digest.
    digest: String,
    /// The number of the first file that is kept.
    first: u64,
    /// How many lines stood in the files before that.
    dropped: u64,
    /// The digest of the last of them.
    previous: String,
}

/// The last line of a log.
#[derive(Default)]
struct LastLine {
    number: u64,
    text: Option<String>,
}

impl HistoryLog {
    /// The log in `folder`, which is made with the first record.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, bounds: BOUNDS }
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Appends a record, on disk once this returns.
    ///
    /// # Errors
    ///
    /// When it can't be written; the log is then as it was.
    pub fn append(&self, record: &RunRecord) -> io::Result<()> {
        own_folder(&self.folder)?;
        let lock = own_file::append(&self.folder.join(LOCK))?;
        lock.lock()?;
        let mut head = self.head()?.unwrap_or(Head { first: 1, ..Head::default() });
        let segments = self.segments(&head)?;
        let (mut number, mut last) = (head.first, LastLine::default());
        for segment in segments.iter().rev() {
            number = number.max(*segment);
            if let Some(found) = self.last_line(*segment)? {
                last = found;
                break;
            }
        }
        // Of lines that can't be read, the head file has the number.
        last.number = last.number.max(head.line);
        let path = self.segment(number);
        let mut file = own_file::append(&path)?;
        if file.metadata()?.len() >= self.bounds.bytes {
            number += 1;
            file = own_file::append(&self.segment(number))?;
        }
        if head.line == 0 {
            // From now on a missing first line shows, too.
            self.write_head(&head)?;
        }
        let line = LogLine::after(last.text.as_deref(), last.number + 1, record.clone()).text();
        add(&mut file, &line)?;
        (head.line, head.digest) = (last.number + 1, line_digest(&line));
        self.drop_oldest(&mut head, number)?;
        self.write_head(&head)
    }

    /// All records that can be read, the oldest first.
    ///
    /// # Errors
    ///
    /// When the folder or a file can't be read.
    pub fn records(&self) -> io::Result<Vec<RunRecord>> {
        let Some(read) = self.read()? else { return Ok(Vec::new()) };
        let lines = read.files.iter().flat_map(|(_, text)| text.lines());
        Ok(lines.filter_map(LogLine::parse).map(|line| line.record).collect())
    }

    /// The record with an id, where the log has it. The newest lines are read first.
    ///
    /// # Errors
    ///
    /// When the folder or a file can't be read.
    pub fn find(&self, id: &str) -> io::Result<Option<RunRecord>> {
        let Some(read) = self.read()? else { return Ok(None) };
        let lines = read.files.iter().rev().flat_map(|(_, text)| text.lines().rev());
        let lines = lines.filter(|line| line.contains(id)).filter_map(LogLine::parse);
        let mut records = lines.map(|line| line.record);
        Ok(records.find(|record| record.id == id))
    }

    /// The last record of an inventory, where the log has one.
    ///
    /// # Errors
    ///
    /// When the folder or a file can't be read.
    pub fn last(&self, inventory: &Inventory) -> io::Result<Option<RunRecord>> {
        let Some(read) = self.read()? else { return Ok(None) };
        let lines = read.files.iter().rev().flat_map(|(_, text)| text.lines().rev());
        let lines = lines.filter(|line| line.contains(&inventory.name));
        let mut records = lines.filter_map(LogLine::parse).map(|line| line.record);
        Ok(records.find(|record| record.inventory == *inventory))
    }

    /// Looks for lines that are missing or were altered.
    ///
    /// # Errors
    ///
    /// When the folder or a file can't be read.
    pub fn verify(&self) -> io::Result<LogCheck> {
        let Some(ReadLog { head, files }) = self.read()? else { return Ok(LogCheck::default()) };
        let lines: Vec<(&Path, usize, &str)> = files
            .iter()
            .flat_map(|(path, text)| {
                text.lines().enumerate().map(|(at, line)| (path.as_path(), at + 1, line))
            })
            .collect();
        let known = head.clone().unwrap_or_default();
        // A log without its head file has lost it.
        let noted = head.as_ref().map_or((u64::MAX, ""), |head| (head.line, &*head.digest));
        let ends = LogEnds { dropped: known.dropped, previous: &known.previous, head: Some(noted) };
        let faults = verify_log(lines.iter().map(|(_, _, line)| *line), ends);
        let end =
            lines.last().map_or((self.segment(1), 1), |(path, at, _)| (path.to_path_buf(), at + 1));
        let faults = faults.into_iter().map(|fault| {
            let place = lines.get(fault.at - 1).map(|(path, at, _)| (path.to_path_buf(), *at));
            let (file, line) = place.unwrap_or_else(|| end.clone());
            FileFault { file, line, problem: fault.problem }
        });
        Ok(LogCheck { lines: lines.len(), dropped: known.dropped, faults: faults.collect() })
    }

    /// The head and the text of each file; `None` where there is no log.
    fn read(&self) -> io::Result<Option<ReadLog>> {
        // Without a lock to take, no run writes: each makes one.
        let lock = present(own_file::read(&self.folder.join(LOCK)))?;
        lock.as_ref().map(File::lock_shared).transpose()?;
        let head = self.head()?;
        let segments = self.segments(&head.clone().unwrap_or_default());
        let segments = present(segments)?.unwrap_or_default();
        if lock.is_none() && head.is_none() && segments.is_empty() {
            return Ok(None);
        }
        let mut files = Vec::new();
        for segment in segments {
            let path = self.segment(segment);
            let mut bytes = Vec::new();
            // The last line may go beyond the bound.
            let most = self.bounds.bytes + LARGEST_LINE;
            own_file::read(&path)?.take(most).read_to_end(&mut bytes)?;
            files.push((path, String::from_utf8_lossy(&bytes).into_owned()));
        }
        Ok(Some(ReadLog { head, files }))
    }

    fn head(&self) -> io::Result<Option<Head>> {
        let mut text = Vec::new();
        let Some(file) = present(own_file::read(&self.folder.join(HEAD)))? else {
            return Ok(None);
        };
        file.take(LARGEST_HEAD).read_to_end(&mut text)?;
        Ok(serde_json::from_slice(&text).ok())
    }

    fn write_head(&self, head: &Head) -> io::Result<()> {
        own_file::replace(&self.folder.join(HEAD), &serde_json::to_vec(head).unwrap_or_default())
    }

    fn segment(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{}{number:06}{}", SEGMENT.0, SEGMENT.1))
    }

    /// The numbers of the files with lines, in order.
    fn segments(&self, head: &Head) -> io::Result<Vec<u64>> {
        let mut numbers = Vec::new();
        for entry in self.folder.read_dir()? {
            let name = entry?.file_name();
            let number = name.to_str().and_then(|name| {
                name.strip_prefix(SEGMENT.0)?.strip_suffix(SEGMENT.1)?.parse().ok()
            });
            numbers.extend(number.filter(|number: &u64| *number >= head.first));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// The last line of a file, whole or not; `None` where it has none.
    fn last_line(&self, segment: u64) -> io::Result<Option<LastLine>> {
        let mut file = own_file::read(&self.segment(segment))?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(LARGEST_LINE)))?;
        let mut bytes = Vec::new();
        file.take(LARGEST_LINE).read_to_end(&mut bytes)?;
        let text = String::from_utf8_lossy(&bytes);
        let Some(last) = text.lines().next_back() else { return Ok(None) };
        // Lines that can't be read have a number all the same.
        let readable = text.lines().rev().enumerate();
        let mut readable = readable
            .filter_map(|(after, line)| LogLine::parse(line).map(|line| line.line + after as u64));
        let number = readable.next().unwrap_or_else(|| text.lines().count() as u64);
        Ok(Some(LastLine { number, text: Some(last.to_owned()) }))
    }

    /// Drops the oldest files, of which the head keeps how many lines they had. The head is written first,
    /// so that what is left of a run that was killed meanwhile is not taken for a part of the log.
    fn drop_oldest(&self, head: &mut Head, newest: u64) -> io::Result<()> {
        let segments = self.segments(head)?;
        let surplus = segments.len().saturating_sub(self.bounds.files);
        let Some(last) = segments[..surplus].last() else { return Ok(()) };
        let Some(line) = self.last_line(*last)? else { return Ok(()) };
        head.first = (last + 1).min(newest);
        (head.dropped, head.previous) =
            (line.number, line.text.as_deref().map(line_digest).unwrap_or_default());
        self.write_head(head)?;
        for segment in &segments[..surplus] {
            fs::remove_file(self.segment(*segment))?;
        }
        Ok(())
    }
}

/// The file; `None` where it does not exist.
fn present<T>(found: io::Result<T>) -> io::Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// A log as it was read.
struct ReadLog {
    head: Option<Head>,
    files: Vec<(PathBuf, String)>,
}

/// Writes a line to the end of a file, or nothing of it. A line before it that was cut off is ended first.
fn add(file: &mut File, line: &str) -> io::Result<()> {
    let length = file.metadata()?.len();
    let mut last = [b'\n'];
    if length > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    let gap = if last == [b'\n'] { "" } else { "\n" };
    let written =
        file.write_all(format!("{gap}{line}\n").as_bytes()).and_then(|()| file.sync_data());
    if written.is_err() {
        let _ = file.set_len(length);
    }
    written
}

#[cfg(test)]
pub(crate) mod tests;
