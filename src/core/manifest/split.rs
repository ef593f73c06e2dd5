//! A file in YAML → its documents as text, by the lines that start with `---`.
//!
//! This is kubectl's rule and not YAML's: a separator counts inside a quoted text and inside a
//! block of text too.

use std::borrow::Cow;

use super::build::{self, BuiltDocument};
use super::encoding;
use super::fault::{ManifestFault, Spot};
use super::{tabs, tree};

/// The text between two separators.
pub(super) struct Chunk<'a> {
    /// With `\n` at the end of every line.
    text: Cow<'a, [u8]>,
    /// The file's line of its first line, from 1.
    line: u32,
    /// The file's line of a separator with something behind it.
    bad_separator: Option<u32>,
}

impl Chunk<'_> {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.text
    }

    /// The document, `None` if there is nothing in it.
    pub(super) fn read(&self) -> Result<Option<BuiltDocument>, ManifestFault> {
        if let Some(line) = self.bad_separator {
            return Err(ManifestFault::new(
                Spot { line, column: 4 },
                "only a comment may follow a line's `---`, which ends a document",
            )
            .hint("put what follows on a line of its own, or indent the line if it is text"));
        }
        if is_blank(&self.text) {
            return Ok(None);
        }
        let text = encoding::utf8(&self.text, self.line)?;
        let Some(mut tree) = tree::read(text, self.line)? else { return Ok(None) };
        let mut document = build::document(&mut tree)?;
        if let Some(document) = &mut document {
            document.warnings.extend(tabs::warnings(text, self.line, &tree));
            document.warnings.sort_by_key(|fault| (fault.spot.line, fault.spot.column));
        }
        Ok(document)
    }
}

/// Whether there are only comments, blank lines and separators, which is cheap to see.
fn is_blank(text: &[u8]) -> bool {
    text.split(|&byte| byte == b'\n').all(|line| {
        let mut rest = line.iter().skip_while(|&&byte| byte == b' ');
        match rest.next() {
            None => true,
            Some(b'#') => {
                rest.all(|&byte| byte == b'\t' || byte.is_ascii() && !byte.is_ascii_control())
            }
            _ => line == b"---",
        }
    })
}

/// The chunks of a text that begins at a line of the file. What a bad separator touches is one
/// chunk to the next good one: it may be in the middle of a text, and half a document must not pass
/// for a whole one.
pub(super) fn chunks(text: &[u8], mut line: u32) -> impl Iterator<Item = Chunk<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (start, first) = (rest, line);
        let mut bad_separator = None;
        let mut length = 0;
        let mut next = 0;
        while next < start.len() {
            let this = &start[next..];
            let after = next + memchr_line(this);
            if let Some(behind) = this.strip_prefix(b"---") {
                let behind = &behind[..after - next - 3];
                if !may_follow(behind) {
                    bad_separator = bad_separator.or(Some(line));
                } else if next > 0 {
                    next = after;
                    line += 1;
                    break;
                }
            }
            next = after;
            length = after;
            line += 1;
        }
        rest = &start[next..];
        Some(Chunk { text: normal(&start[..length]), line: first, bad_separator })
    })
}

/// The length of the first line with its line break.
fn memchr_line(text: &[u8]) -> usize {
    text.iter().position(|&byte| byte == b'\n').map_or(text.len(), |at| at + 1)
}

fn may_follow(behind: &[u8]) -> bool {
    let behind = String::from_utf8_lossy(behind);
    let behind = behind.trim();
    behind.is_empty() || behind.starts_with('#')
}

/// With `\n` for `\r\n`, and one at the end: kubectl reads line by line.
fn normal(text: &[u8]) -> Cow<'_, [u8]> {
    let ends = text.ends_with(b"\n");
    if ends && !text.contains(&b'\r') {
        return Cow::Borrowed(text);
    }
    let mut normal = Vec::with_capacity(text.len() + 1);
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        normal.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
        normal.push(b'\n');
    }
    Cow::Owned(normal)
}
