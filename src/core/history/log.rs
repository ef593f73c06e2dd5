//! Records on this machine: a file of lines, each with the digest of the line before, so that a line
//! that is missing or was altered shows.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::record::RunRecord;

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogLine {
    /// The number of the line, from 1 on, through all files of the log.
    pub line: u64,
    /// The SHA-256 of the line before without its line break, in hexadecimal; empty for the first.
    pub previous: String,
    /// The record.
    pub record: RunRecord,
}

/// Something that is wrong with a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFault {
    /// The line in the text, from 1.
    pub at: usize,
    /// What is wrong.
    pub problem: LogProblem,
}

/// What can be wrong with a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogProblem {
    /// The line is no record, such as one that was cut off.
    Unreadable,
    /// Lines before it are missing: how many.
    Missing(u64),
    /// The line before it is not as it was when this one was written.
    Altered,
    /// The last line is not the one that was written last.
    Ends,
}

impl LogLine {
    /// The line for a record after `last`, which is the last line of the log without its line break.
    /// A last line that is no line of a log leaves its digest and no number: `line` is that number.
    pub fn after(last: Option<&str>, line: u64, record: RunRecord) -> Self {
        let previous = last.map(digest).unwrap_or_default();
        Self { line, previous, record }
    }

    /// The text of the line, without a line break.
    pub fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads a line.
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

/// The digest of a line, in hexadecimal.
pub(super) fn digest(line: &str) -> String {
    Sha256::digest(line).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Everything that is wrong with the lines of a log. `head` is the digest of the line that was written
/// last, where that is known.
pub fn verify_log<'a>(
    lines: impl IntoIterator<Item = &'a str>,
    head: Option<&str>,
) -> Vec<LogFault> {
    let mut faults = Vec::new();
    let mut before: Option<(&str, Option<u64>)> = None;
    let mut last = 0;
    for (index, text) in lines.into_iter().enumerate() {
        let at = index + 1;
        last = at;
        let Some(line) = LogLine::parse(text) else {
            faults.push(LogFault { at, problem: LogProblem::Unreadable });
            before = Some((text, before.and_then(|(_, number)| number).map(|number| number + 1)));
            continue;
        };
        let due = before.map_or(Some(1), |(_, number)| number.map(|number| number + 1));
        let expected = before.map(|(text, _)| digest(text)).unwrap_or_default();
        if due.is_some_and(|due| line.line > due) {
            let missing = line.line - due.unwrap_or_default();
            faults.push(LogFault { at, problem: LogProblem::Missing(missing) });
        } else if line.previous != expected || due.is_some_and(|due| line.line != due) {
            faults.push(LogFault { at, problem: LogProblem::Altered });
        }
        before = Some((text, Some(line.line)));
    }
    let end = before.map(|(text, _)| digest(text)).unwrap_or_default();
    if head.is_some_and(|head| head != end) {
        faults.push(LogFault { at: last + 1, problem: LogProblem::Ends });
    }
    faults
}
