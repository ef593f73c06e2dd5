//! A fault → a [`Problem`] with the file's name and the line itself, unless the line could give
//! away a Secret.

use std::cell::OnceCell;

use super::Reading;
use super::fault::{ManifestFault, Spot};
use crate::core::problem::{Location, Problem};

/// A longer line does not help the reader.
const EXCERPT: usize = 400;

/// The file that faults are found in.
pub(super) struct FaultSource<'a> {
    pub(super) path: &'a str,
    bytes: &'a [u8],
    /// The byte that each line begins at; only a file with faults needs it.
    lines: OnceCell<Vec<usize>>,
    has_secret: OnceCell<bool>,
}

impl<'a> FaultSource<'a> {
    pub(super) fn new(path: &'a str, bytes: &'a [u8]) -> Self {
        Self { path, bytes, lines: OnceCell::new(), has_secret: OnceCell::new() }
    }

    /// The outcome of a file that can't be read at all.
    pub(super) fn only(self, fault: ManifestFault) -> Reading {
        Reading { problems: vec![self.problem(fault, &[])], ..Reading::default() }
    }

    /// The problem, met in the text `document`.
    pub(super) fn problem(&self, fault: ManifestFault, document: &[u8]) -> Problem {
        let ManifestFault { spot, message, hint } = fault;
        let hidden = self.may_hold_secret(document);
        let shown = |text: String| if hidden { unquoted(&text) } else { text };
        let place = self.place(spot);
        Problem {
            message: shown(message),
            excerpt: if hidden { None } else { self.line(place.line) },
            place,
            hint: hint.map(shown),
        }
    }

    /// The place in the file. Something missing at the end of a file whose last line has no line
    /// break is missing from that line.
    fn place(&self, spot: Spot) -> Location {
        let (mut line, mut column) = (spot.line as usize, spot.column as usize);
        let last = self.lines().len();
        if line > last {
            let text = String::from_utf8_lossy(&self.bytes[self.lines()[last - 1]..]);
            (line, column) = (last, text.chars().count() + 1);
        }
        Location { path: self.path.to_owned(), line, column }
    }

    /// The bytes that the file's lines begin at.
    fn lines(&self) -> &[usize] {
        self.lines.get_or_init(|| {
            let breaks = self.bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
            std::iter::once(0).chain(breaks.map(|(at, _)| at + 1)).collect()
        })
    }

    fn line(&self, line: usize) -> Option<String> {
        let lines = self.lines();
        let start = *lines.get(line.checked_sub(1)?)?;
        let end = lines.get(line).map_or(self.bytes.len(), |next| next - 1);
        let text = std::str::from_utf8(self.bytes.get(start..end)?).ok()?;
        let text = text.strip_suffix('\r').unwrap_or(text);
        let shown = text.len() <= EXCERPT && !text.chars().any(|c| c.is_control() && c != '\t');
        shown.then(|| text.to_owned())
    }

    /// A text that says no kind may be the rest of a document that a separator cut in two.
    fn may_hold_secret(&self, document: &[u8]) -> bool {
        looks_secret(document)
            || !says_kind(document) && *self.has_secret.get_or_init(|| looks_secret(self.bytes))
    }
}

/// Without what the file says between backticks: any word could be a value that stands in a wrong
/// place. Signs may stay.
fn unquoted(text: &str) -> String {
    let quote = |(at, part): (usize, &str)| {
        let says_nothing = at % 2 == 0 || !part.contains(char::is_alphanumeric);
        if says_nothing { part.to_owned() } else { "…".to_owned() }
    };
    text.split('`').enumerate().map(quote).collect::<Vec<_>>().join("`")
}

fn says_kind(text: &[u8]) -> bool {
    text.windows(4).any(|word| word == b"kind")
}

/// Whether a kind with `Secret` in its name, a Secret's field, or what a kustomization makes Secrets
/// of, is in a text however broken.
fn looks_secret(text: &[u8]) -> bool {
    let has = |text: &[u8], word: &[u8]| text.windows(word.len()).any(|window| window == word);
    if has(text, b"stringData") || has(text, b"secretGenerator") {
        return true;
    }
    let mut rest = text;
    while let Some(at) = rest.windows(4).position(|word| word == b"kind") {
        rest = &rest[at + 4..];
        let value = rest
            .iter()
            .position(|byte| !b" \t\r\n:\"'|>-?".contains(byte))
            .map_or(&[][..], |at| &rest[at..]);
        let end = value.iter().position(|&byte| byte == b'\n').unwrap_or(value.len());
        let value = &value[..end.min(200)];
        // A name that is written with escapes is not looked into.
        if has(value, b"Secret") || value.contains(&b'\\') {
            return true;
        }
    }
    false
}
