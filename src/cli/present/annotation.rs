//! GitHub's annotations: a workflow command for each thing that is to be shown at a line of a file.
//!A character that would end a part of a command is written by its number, as GitHub's own toolkit
//!does
//! (`@actions/core`, `src/command.ts`).

use std::io::{self, Write};

use super::Glyphs;
use super::ink::OwnCommand;
use crate::core::manifest::Origin;
use crate::core::problem::Location;

/// GitHub takes UTF-8.
const GLYPHS: Glyphs = Glyphs { utf8: true, width: None };

/// A message and its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Annotation<'a> {
    /// `error` or `warning`.
    pub(super) level: &'static str,
    /// Where; `None` for what is in no file.
    pub(super) at: Option<FileLocation<'a>>,
    /// The title above the message; empty for GitHub's own choice.
    pub(super) title: &'a str,
    /// The text.
    pub(super) message: &'a str,
}

/// A place in a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct FileLocation<'a> {
    /// Path from the checkout's root.
    pub(super) file: &'a str,
    /// Line, from 1.
    pub(super) line: usize,
    /// Column, from 1, where it is known.
    pub(super) column: Option<usize>,
}

impl<'a> From<&'a Location> for FileLocation<'a> {
    fn from(place: &'a Location) -> Self {
        Self { file: &place.path, line: place.line, column: Some(place.column) }
    }
}

impl<'a> From<&'a Origin> for FileLocation<'a> {
    fn from(origin: &'a Origin) -> Self {
        Self { file: &origin.path, line: origin.line, column: None }
    }
}

impl Annotation<'_> {
    /// Writes the command.
    ///
    /// # Errors
    ///
    /// When `out` does not take it.
    pub(super) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let Self { level, at, title, message } = *self;
        let mut properties = Vec::new();
        if let Some(FileLocation { file, line, column }) = at {
            properties.push(format!("file={}", property(file)));
            properties.push(format!("line={line}"));
            properties.extend(column.map(|column| format!("col={column}")));
        }
        if !title.is_empty() {
            properties.push(format!("title={}", property(title)));
        }
        let space = if properties.is_empty() { "" } else { " " };
        writeln!(out, "{OwnCommand}::{level}{space}{}::{}", properties.join(","), escaped(message))
    }
}

/// A text of several lines, each of them harmless.
fn escaped(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(|line| GLYPHS.inert(line)).collect();
    lines.join("\n").replace('%', "%25").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    escaped(&GLYPHS.inert(text)).replace(':', "%3A").replace(',', "%2C")
}
