//! A problem of an input, its position, and the remedy.
//!
//! A [`Problem`] is data about one document, object or file; the run goes on without that part.
//! What ends a run is an error type of the module that met it.

use std::fmt;

use serde::Serialize;

use crate::core::remedy::Remedy;

/// A place in a file of the checkout.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Location {
    /// Path from the checkout's root, with `/` between the parts.
    pub path: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.path, self.line, self.column)
    }
}

/// A line and a column that a text has, at or before the ones that a parser names: some name a place
/// behind the end.
pub fn within(text: &[u8], line: usize, column: usize) -> (usize, usize) {
    let text = String::from_utf8_lossy(text);
    let end = |line: &str| line.chars().count() + 1;
    match text.lines().nth(line.saturating_sub(1)) {
        Some(found) => (line.max(1), column.clamp(1, end(found))),
        None => (text.lines().count().max(1), text.lines().last().map_or(1, end)),
    }
}

/// One thing that is wrong with the desired state: what, where, the line itself and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where it is.
    pub place: Location,
    /// The message, in a phrase without a final full stop.
    pub message: String,
    /// The line at `place`, without its line break; `None` where it could give away a Secret's
    /// value or can't be shown as text.
    pub excerpt: Option<String>,
    /// The remedy.
    pub hint: Option<String>,
}

/// Why the server refuses an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The server's message; it may quote the object, so it is redacted before it is shown.
    pub message: String,
    /// The remedy, where that is known.
    pub hint: Option<Remedy>,
    /// The message field by field, where the server names fields.
    pub causes: Vec<Cause>,
    /// Whether it is for lack of a right, of room or of something that it names, and not for what
    /// the object is. Then it may pass once something else is changed.
    pub may_pass: bool,
}

/// One thing that the API server says is wrong with an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cause {
    /// The field as the server names it, such as `spec.template.spec.containers[0].image`; empty
    /// where the server names none.
    pub field: String,
    /// The server's own words; they may quote the object, so they are redacted before they are
    /// shown.
    pub message: String,
    /// Where the field is declared, or the innermost field around it; `None` as long as it was not
    /// looked up.
    pub place: Option<Location>,
}

impl fmt::Display for Cause {
    /// The text behind the position.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.field.as_str() {
            "" => f.write_str(&self.message),
            field => write!(f, "{field}: {}", self.message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_behind_the_end_is_the_end() {
        for (text, place, expected) in [
            ("ab\nc", (1, 2), (1, 2)),
            ("ab\nc", (1, 9), (1, 3)),
            ("ab\nc", (3, 1), (2, 2)),
            ("ab\nc\n", (9, 9), (2, 2)),
            ("", (4, 1), (1, 1)),
            ("é", (0, 0), (1, 1)),
        ] {
            assert_eq!(within(text.as_bytes(), place.0, place.1), expected, "{text:?} {place:?}");
        }
    }
}
