//! The guard around stdout and stderr: what passes it does nothing but stand there.
//!
//! Line breaks, tabs, and what is plain to see pass as they are, and of everything else only what
//! carries our own key ([`ink`]). A control character, a character that hides or reorders others
//! and a byte that is no text are spelled out. So is the character that would complete a command to
//! a CI runner ([`Commands`]). Whoever writes a text may make it inert before, which looks better;
//! nothing depends on it.

use std::io::{self, Write};

use crate::cli::present::ink;
use crate::core::sanitize::{Commands, is_harmless, spelled};

/// More than this between our own key and the end of its sequence is none of ours.
const LONGEST: usize = 32;

/// A writer that lets through what does nothing.
pub(in crate::cli) struct OutputGuard<W: Write> {
    inner: W,
    line: Commands,
    /// The beginning of a character, or of something of our own, whose rest is still to come.
    held: Vec<u8>,
    /// The bytes that go to `inner` with this write.
    out: Vec<u8>,
}

impl<W: Write> OutputGuard<W> {
    /// At the beginning of a line of `inner`.
    pub(in crate::cli) fn new(inner: W) -> Self {
        Self { inner, line: Commands::at_line_start(), held: Vec::new(), out: Vec::new() }
    }

    /// Takes in what can be told of `bytes`, and says how many these were: what is left is the
    /// beginning of something.
    fn take(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        while let Some(&first) = bytes.get(at) {
            let rest = &bytes[at..];
            if self.line.is_calm() {
                let calm = rest.iter().position(|byte| !is_calm(*byte)).unwrap_or(rest.len());
                self.out.extend_from_slice(&rest[..calm]);
                at += calm;
                if calm > 0 {
                    continue;
                }
            }
            match first {
                0x1b => match OwnSequence::at(rest) {
                    OwnSequence::Style(length) => {
                        self.out.extend_from_slice(b"\x1b[");
                        self.out.extend_from_slice(&rest[ink::prefix().len()..length]);
                        at += length;
                    }
                    OwnSequence::Command(length) => {
                        self.line = Commands::within_line();
                        at += length;
                    }
                    OwnSequence::Begun => return at,
                    OwnSequence::Foreign => {
                        self.character('\u{1b}');
                        at += 1;
                    }
                },
                0..0x80 => {
                    self.character(char::from(first));
                    at += 1;
                }
                _ => match character(rest) {
                    Character::Whole(c) => {
                        self.character(c);
                        at += c.len_utf8();
                    }
                    Character::Begun => return at,
                    Character::Bad(length) => {
                        rest[..length].iter().for_each(|byte| self.byte(*byte));
                        at += length;
                    }
                },
            }
        }
        at
    }

    fn character(&mut self, c: char) {
        let passes = is_harmless(c) || matches!(c, '\n' | '\t');
        if passes && !self.line.completes(c) {
            self.out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        } else {
            self.out.extend_from_slice(spelled(c).as_bytes());
            self.line = Commands::within_line();
        }
    }

    fn byte(&mut self, byte: u8) {
        self.out.extend_from_slice(format!("\\x{byte:02x}").as_bytes());
        self.line = Commands::within_line();
    }

    /// Hands on what was taken in.
    fn hand_on(&mut self) -> io::Result<()> {
        let written = self.inner.write_all(&self.out);
        self.out.clear();
        written
    }
}

impl<W: Write> Write for OutputGuard<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.held.is_empty() {
            let taken = self.take(bytes);
            self.held.extend_from_slice(&bytes[taken..]);
        } else {
            let mut whole = std::mem::take(&mut self.held);
            whole.extend_from_slice(bytes);
            let taken = self.take(&whole);
            self.held.extend_from_slice(&whole[taken..]);
        }
        self.hand_on()?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<W: Write> Drop for OutputGuard<W> {
    fn drop(&mut self) {
        // The rest never came.
        for byte in std::mem::take(&mut self.held) {
            match byte {
                0..0x80 => self.character(char::from(byte)),
                byte => self.byte(byte),
            }
        }
        // The reader has gone where this fails.
        let _ = self.hand_on();
    }
}

/// The text as it comes out of a guard.
pub(in crate::cli) fn guarded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    // Memory takes every write.
    let _ = OutputGuard::new(&mut out).write_all(text.as_bytes());
    String::from_utf8_lossy(&out).into_owned()
}

/// Whether a byte within a line always passes, and changes nothing about what follows it.
fn is_calm(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\t') && byte != b'#'
}

/// The kinds of sequence that an escape character begins.
enum OwnSequence {
    /// A style, with this many bytes.
    Style(usize),
    /// The leave for a command, with this many bytes.
    Command(usize),
    /// Something of our own that goes on.
    Begun,
    /// Nothing of ours.
    Foreign,
}

impl OwnSequence {
    fn at(bytes: &[u8]) -> Self {
        let prefix = ink::prefix().as_bytes();
        let Some(rest) = bytes.strip_prefix(prefix) else {
            return if prefix.starts_with(bytes) { Self::Begun } else { Self::Foreign };
        };
        let is_parameter = |byte: &u8| byte.is_ascii_digit() || *byte == b';';
        let parameters = rest.iter().take_while(|byte| is_parameter(byte)).count();
        match rest.get(parameters) {
            _ if parameters > LONGEST => Self::Foreign,
            Some(b'm') => Self::Style(prefix.len() + parameters + 1),
            Some(b'c') if parameters == 0 => Self::Command(prefix.len() + 1),
            Some(_) => Self::Foreign,
            None => Self::Begun,
        }
    }
}

/// The kinds of character that a byte beyond ASCII begins.
enum Character {
    Whole(char),
    /// A character that goes on.
    Begun,
    /// This many bytes that are no text.
    Bad(usize),
}

fn character(bytes: &[u8]) -> Character {
    let head = &bytes[..bytes.len().min(4)];
    let (valid, bad) = match std::str::from_utf8(head) {
        Ok(text) => (text, None),
        Err(error) => {
            let valid = std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default();
            (valid, error.error_len())
        }
    };
    match (valid.chars().next(), bad) {
        (Some(c), _) => Character::Whole(c),
        (None, Some(length)) => Character::Bad(length),
        (None, None) => Character::Begun,
    }
}

#[cfg(test)]
mod tests;
