//! Reads a range, and says at which character it is wrong.

use super::range::{Alternative, Bound, Operator, VersionRange};
use super::version::Version;

/// The most bytes that a range may have, as in the library.
const LONGEST: usize = 512;
/// The most alternatives, as in the library.
const ALTERNATIVES: usize = 32;

/// The fault of a range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} at character {at}")]
pub struct RangeError {
    /// The character, from 1.
    pub at: usize,
    /// The fault.
    pub message: String,
}

/// Operators, the longer ones first.
const OPERATORS: [(&str, Operator); 11] = [
    ("!=", Operator::IsNot),
    (">=", Operator::AtLeast),
    ("=>", Operator::AtLeast),
    ("<=", Operator::AtMost),
    ("=<", Operator::AtMost),
    ("~>", Operator::Tilde),
    (">", Operator::Above),
    ("<", Operator::Below),
    ("=", Operator::Is),
    ("~", Operator::Tilde),
    ("^", Operator::Caret),
];

impl VersionRange {
    /// Reads a range.
    ///
    /// # Errors
    ///
    /// When it is not one, with the character at which it is wrong.
    pub fn read(text: &str) -> Result<Self, RangeError> {
        if text.len() > LONGEST {
            let message = format!("a range of {} bytes; the limit is {LONGEST}", text.len());
            return Err(RangeError { at: 1, message });
        }
        let mut reader = Reader { text, at: 0 };
        let mut alternatives = vec![reader.alternative()?];
        while reader.takes("||") {
            if alternatives.len() == ALTERNATIVES {
                return Err(reader.wrong(format!("more than {ALTERNATIVES} alternatives")));
            }
            alternatives.push(reader.alternative()?);
        }
        match reader.rest().is_empty() {
            true => Ok(Self { text: text.to_owned(), alternatives }),
            false => Err(reader.unexpected()),
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn takes(&mut self, token: &str) -> bool {
        let is_next = self.rest().starts_with(token);
        self.at += if is_next { token.len() } else { 0 };
        is_next
    }

    /// Skips white space, and says whether there was any.
    fn skips_space(&mut self) -> bool {
        let trimmed = self.rest().trim_start_matches([' ', '\t', '\n', '\r', '\u{c}']);
        let skipped = self.rest().len() - trimmed.len();
        self.at += skipped;
        skipped > 0
    }

    fn wrong(&self, message: String) -> RangeError {
        RangeError { at: self.text[..self.at].chars().count() + 1, message }
    }

    fn unexpected(&self) -> RangeError {
        match self.rest().chars().next() {
            Some(c) => self.wrong(format!("unexpected {c:?}")),
            None => self.wrong("the range ends where a version is expected".to_owned()),
        }
    }

    /// Bounds that must all hold.
    fn alternative(&mut self) -> Result<Alternative, RangeError> {
        let mut bounds = Vec::new();
        // A hyphen range begins an alternative or follows a comma.
        let mut may_span = true;
        loop {
            self.skips_space();
            let begin = self.at;
            let first = self.bound()?;
            let end = self.at;
            let spans = self.skips_space() && self.takes("-") && self.skips_space();
            let is_apart = match spans {
                true if first.operator != Operator::Is || self.has_operator(begin) => {
                    self.at = begin;
                    let message = "the versions of a hyphen range have no operator";
                    return Err(self.wrong(message.to_owned()));
                }
                true if !may_span => {
                    self.at = begin;
                    let message = "a hyphen range after another bound needs a comma before it";
                    return Err(self.wrong(message.to_owned()));
                }
                true if self.has_operator(self.at) => return Err(self.unexpected()),
                true => {
                    let last = self.bound()?;
                    bounds.push(Bound { operator: Operator::AtLeast, ..first });
                    bounds.push(Bound { operator: Operator::AtMost, ..last });
                    true
                }
                false => {
                    self.at = end;
                    bounds.push(first);
                    false
                }
            };
            let is_apart = self.skips_space() || is_apart;
            may_span = self.takes(",");
            match self.rest() {
                "" if !may_span => return Ok(Alternative { bounds }),
                rest if rest.starts_with("||") && !may_span => return Ok(Alternative { bounds }),
                _ if may_span || is_apart => {}
                _ => return Err(self.unexpected()),
            }
        }
    }

    fn has_operator(&self, at: usize) -> bool {
        OPERATORS.iter().any(|(token, _)| self.text[at..].starts_with(token))
    }

    fn bound(&mut self) -> Result<Bound, RangeError> {
        let found = OPERATORS.into_iter().find(|(token, _)| self.takes(token));
        let operator = found.map_or(Operator::Is, |(_, operator)| operator);
        self.skips_space();
        let begin = self.at;
        let is_part = |c: char| c.is_ascii_alphanumeric() || "*.+-".contains(c);
        let end = self.rest().find(|c| !is_part(c)).unwrap_or(self.rest().len());
        let text = &self.rest()[..end];
        if text.is_empty() {
            return Err(self.unexpected());
        }
        self.at += end;
        let version = text.strip_prefix('v').unwrap_or(text);
        let (version, _) = version.split_once('+').unwrap_or((version, ""));
        let (numbers, pre) = version.split_at(version.find('-').unwrap_or(version.len()));
        let numbers: Vec<&str> = numbers.split('.').collect();
        let is_any = |number: &&str| matches!(*number, "x" | "X" | "*");
        let given = numbers.iter().position(is_any).unwrap_or(numbers.len());
        let is_number =
            |number: &&str| is_any(number) || number.bytes().all(|byte| byte.is_ascii_digit());
        let read = match numbers.len() <= 3 && numbers.iter().all(is_number) {
            // The numbers after an `x` count for nothing.
            true if given == 0 => Version::read(&format!("0{pre}")),
            true if given < 3 => Version::read(&format!("{}{pre}", numbers[..given].join("."))),
            true => Version::read(text),
            false => None,
        };
        let Some(version) = read.filter(|_| Version::read(&format!("0{}", tail(text))).is_some())
        else {
            self.at = begin;
            return Err(self.wrong(format!("invalid version {text:?}")));
        };
        Ok(Bound { operator, version, given })
    }
}

/// The pre-release and the build metadata of a version, with their signs.
fn tail(text: &str) -> &str {
    &text[text.find(['-', '+']).unwrap_or(text.len())..]
}
