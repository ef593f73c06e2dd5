//! A value that is searched for, and where it counts.

use std::ops::Range;

/// The quotes that a value may stand between.
pub(super) const QUOTES: &[u8] = b"'\"`";

/// Where a value counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum MatchContext {
    /// Wherever it stands.
    Anywhere,
    /// As a word of its own.
    AsWord,
    /// Between quotes.
    Quoted,
}

/// A value that is searched for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Needle {
    /// The value, without white space around it.
    pub(super) value: Vec<u8>,
    /// The number of its mask.
    pub(super) number: usize,
    /// Where it counts.
    pub(super) stands: MatchContext,
}

impl MatchContext {
    /// Whether a value counts that stands there.
    pub(super) fn counts(self, bytes: &[u8], range: &Range<usize>) -> bool {
        let (before, after) = (&bytes[..range.start], &bytes[range.end..]);
        match self {
            Self::Anywhere => true,
            Self::AsWord => !ends_in_word(before) && !begins_with_word(after),
            Self::Quoted => {
                before.last().is_some_and(|quote| QUOTES.contains(quote))
                    && before.last() == after.first()
            }
        }
    }
}

fn ends_in_word(bytes: &[u8]) -> bool {
    let last = (1..=4).find_map(|length| {
        let from = bytes.len().checked_sub(length)?;
        std::str::from_utf8(&bytes[from..]).ok()?.chars().next()
    });
    last.is_some_and(char::is_alphanumeric)
}

fn begins_with_word(bytes: &[u8]) -> bool {
    let first =
        (1..=4).find_map(|length| std::str::from_utf8(bytes.get(..length)?).ok()?.chars().next());
    first.is_some_and(char::is_alphanumeric)
}
