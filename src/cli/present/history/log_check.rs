//! The answer of `trueup history --verify`.

use std::io::{self, Write};

use serde::Serialize;

use crate::cli::present::ink::Ink;
use crate::cli::present::wrap::wrapped;
use crate::cli::present::{Glyphs, json};

/// A log that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedLog {
    /// Where it is.
    pub folder: String,
    /// How many lines it has.
    pub lines: usize,
    /// How many were dropped for their age.
    pub dropped: u64,
    /// With how many records of clusters it was compared; `None` where it was not.
    pub compared: Option<usize>,
    /// Its faults.
    pub faults: Vec<LogFaultView>,
}

/// Something that is wrong with a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFaultView {
    /// The file and the line in it; `None` where it is about a record of a cluster.
    pub place: Option<(String, usize)>,
    /// The id of the record, where it is about one of a cluster.
    pub run: Option<String>,
    /// The fault in one word.
    pub code: &'static str,
    /// The same in a sentence.
    pub message: String,
}

/// The answer of `trueup history --verify`.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "history_check"))]
pub(in crate::cli::present) struct LogCheckDocument<'a> {
    #[cfg_attr(test, schemars(extend("enum" = [1])))]
    version: u32,
    /// The folder of the log.
    folder: &'a str,
    /// How many lines it has.
    lines: usize,
    /// How many older lines were dropped for their age.
    dropped: u64,
    /// With how many records of the clusters it was compared; null where it was not.
    compared: Option<usize>,
    faults: Vec<LogFaultDocument<'a>>,
}

/// Something that is wrong with the log.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "history_fault"))]
pub(super) struct LogFaultDocument<'a> {
    /// Absent where it is about a record of a cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    /// The id of the record; absent where it is about a line.
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<&'a str>,
    /// `unreadable`, `missing`, `altered`, `ends`, `not-logged` or `differs`.
    code: &'static str,
    message: &'a str,
}

/// Writes the answer as JSON.
///
/// # Errors
///
/// When `out` does not take it.
pub fn json(out: &mut impl Write, checked: &CheckedLog) -> io::Result<()> {
    let faults = checked.faults.iter().map(|fault| LogFaultDocument {
        file: fault.place.as_ref().map(|(file, _)| file.as_str()),
        line: fault.place.as_ref().map(|(_, line)| *line),
        run: fault.run.as_deref(),
        code: fault.code,
        message: &fault.message,
    });
    let CheckedLog { folder, lines, dropped, compared, .. } = checked;
    let document = LogCheckDocument {
        version: 1,
        folder,
        lines: *lines,
        dropped: *dropped,
        compared: *compared,
        faults: faults.collect(),
    };
    writeln!(out, "{}", json::text(&document)?)
}

/// Writes the answer as text.
///
/// # Errors
///
/// When `out` does not take it.
pub fn text(out: &mut impl Write, checked: &CheckedLog, glyphs: Glyphs) -> io::Result<()> {
    let red = Ink::RED;
    for fault in &checked.faults {
        let place = match (&fault.place, &fault.run) {
            (Some((file, line)), _) => format!("{file}:{line}"),
            (None, run) => run.clone().unwrap_or_default(),
        };
        let line = format!("{place}: {}", fault.message);
        let lines = wrapped(&glyphs.inert(&line), glyphs.limit(), 2, 4);
        writeln!(out, "{red}!{red:#} {}", lines.join("\n"))?;
    }
    let count =
        |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let mut parts = vec![count(checked.lines, "line")];
    if checked.dropped > 0 {
        parts.push(format!("{} older ones dropped", checked.dropped));
    }
    parts.push(match checked.compared {
        Some(compared) => format!("compared with {} of the cluster", count(compared, "record")),
        None => "not compared with a cluster".to_owned(),
    });
    parts.push(match checked.faults.len() {
        0 if checked.lines == 0 => "empty".to_owned(),
        0 => "whole".to_owned(),
        faults => count(faults, "fault"),
    });
    writeln!(out, "{}", parts.join(glyphs.dot()))
}
