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
    /// The fault.
    pub problem: LogProblem,
}

/// A kind of fault of a log.
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
        let previous = last.map(line_digest).unwrap_or_default();
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
pub fn line_digest(line: &str) -> String {
    Sha256::digest(line).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Where a log begins and ends, as far as that is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogEnds<'a> {
    /// How many lines stood before the first one and were dropped for their age.
    pub dropped: u64,
    /// The digest of the last of those; empty where there are none.
    pub previous: &'a str,
    /// The number of the line that was written last, and its digest. Lines after it are of a run that was
    /// killed before it could note them.
    pub head: Option<(u64, &'a str)>,
}

/// Everything that is wrong with the lines of a log.
pub fn verify_log<'a>(
    lines: impl IntoIterator<Item = &'a str>,
    ends: LogEnds<'_>,
) -> Vec<LogFault> {
    let mut faults = Vec::new();
    let mut before: Option<(&str, Option<u64>)> = None;
    let (mut last, mut is_whole) = (0, ends.head.is_none_or(|(number, _)| number == ends.dropped));
    for (index, text) in lines.into_iter().enumerate() {
        let at = index + 1;
        last = at;
        let due = before.map_or(Some(ends.dropped + 1), |(_, number)| number.map(|it| it + 1));
        let line = LogLine::parse(text);
        let number = line.as_ref().map(|line| line.line).or(due);
        is_whole |= ends.head.is_some_and(|(head, end)| {
            number.is_none_or(|number| number == head) && line_digest(text) == end
        });
        let expected = before.map_or_else(|| ends.previous.to_owned(), |(it, _)| line_digest(it));
        let problem = match line {
            None => Some(LogProblem::Unreadable),
            Some(line) => match due {
                Some(due) if line.line > due => Some(LogProblem::Missing(line.line - due)),
                Some(due) if line.line < due => Some(LogProblem::Altered),
                _ => (line.previous != expected).then_some(LogProblem::Altered),
            },
        };
        faults.extend(problem.map(|problem| LogFault { at, problem }));
        before = Some((text, number));
    }
    if !is_whole {
        faults.push(LogFault { at: last + 1, problem: LogProblem::Ends });
    }
    faults
}
