//! Regular expressions from elsewhere, such as those of a definition's schema or of a rule for
//! health: none takes more memory than it may, and each knows how much work it is.
//!
//! Looking through a text takes as long as the text is long, times what the pattern is: a few
//! characters can repeat something a thousand times.

use regex::{Regex, RegexBuilder};

/// The size of an ordinary compiled pattern.
const SMALL: usize = 4 << 10;
/// How deep the parts of a pattern may be nested.
const DEPTH: u32 = 50;

/// A regular expression.
#[derive(Clone, Debug)]
pub struct Pattern {
    regex: Regex,
    size: usize,
}

/// Why a text is not a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// It is not one that this reader knows.
    #[error("a pattern is not a regular expression")]
    Unknown,
    /// It takes too much memory.
    #[error(
        "a pattern takes more than {limit} bytes compiled; shorten it, or use fewer repetitions"
    )]
    TooLarge {
        /// How much it may take.
        limit: usize,
    },
}

impl Pattern {
    /// Compiles a pattern that takes no more than `limit` bytes.
    ///
    /// # Errors
    ///
    /// When it takes more, or is not a regular expression.
    pub fn new(text: &str, limit: usize) -> Result<Self, PatternError> {
        let mut size = SMALL.min(limit);
        loop {
            let mut builder = RegexBuilder::new(text);
            match builder.size_limit(size).dfa_size_limit(size).nest_limit(DEPTH).build() {
                Ok(regex) => return Ok(Self { regex, size }),
                Err(regex::Error::CompiledTooBig(_)) if size < limit => {
                    size = size.saturating_mul(4).min(limit);
                }
                Err(regex::Error::CompiledTooBig(_)) => {
                    return Err(PatternError::TooLarge { limit });
                }
                Err(_) => return Err(PatternError::Unknown),
            }
        }
    }

    /// Whether it is found in a text.
    pub fn is_in(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// The parts of a text that it matches.
    pub fn all_in<'t>(&self, text: &'t str) -> impl Iterator<Item = &'t str> {
        self.regex.find_iter(text).map(|found| found.as_str())
    }

    /// About how many bytes it takes.
    pub fn size(&self) -> usize {
        self.size
    }

    /// How much work each byte of a text is; 4 of an ordinary one.
    pub fn weight(&self) -> u64 {
        u64::try_from(self.size >> 10).unwrap_or(u64::MAX).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_as_large_as_it_may_be_and_no_larger() {
        let size = |text: &str| Pattern::new(text, 64 << 10).map(|pattern| pattern.size() >> 10);
        assert_eq!(size("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"), Ok(4));
        assert_eq!(size("[a-z]{1,200}"), Ok(64));
        assert_eq!(size("[a-z]{1,999}"), Err(PatternError::TooLarge { limit: 64 << 10 }));
        assert_eq!(size("("), Err(PatternError::Unknown));
        assert_eq!(size(&"(".repeat(60)), Err(PatternError::Unknown));
        assert!(Pattern::new("^a.c$", 64 << 10).unwrap().is_in("abc"));
    }
}
