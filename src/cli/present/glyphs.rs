//! The characters that output is made of: our own marks, and everyone else's text made harmless.
//!
//! A manifest or a server's message may hold escape sequences that would move the cursor, change a
//! title or hide text; shown, they are text like any other. What is forgotten here the guard around
//! stdout and stderr does ([`crate::cli::ui`]).

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::wrap::wrapped;
use crate::core::plan::Action;
use crate::core::sanitize::{is_harmless, spelled};

/// The abilities of the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Glyphs {
    /// It takes UTF-8; otherwise everything is written in ASCII.
    pub utf8: bool,
    /// Its width; `None` where it is no terminal, and long lines do no harm.
    pub width: Option<usize>,
}

/// The columns that our own lines fit into where their number is unknown.
const USUAL: usize = 80;
/// Lines are not made for fewer columns, nor for more: longer ones are hard to read.
const COLUMNS: std::ops::RangeInclusive<usize> = 40..=140;

impl Glyphs {
    /// The columns that a message is broken to; `None` where it is not.
    pub(super) fn limit(self) -> Option<usize> {
        self.width.map(|width| width.clamp(*COLUMNS.start(), *COLUMNS.end()))
    }

    /// The columns that our own lines fit into.
    pub(super) fn columns(self) -> usize {
        self.limit().unwrap_or(USUAL)
    }

    /// The same with so many columns less, for lines behind something else.
    pub fn beside(self, columns: usize) -> Self {
        Self { width: self.limit().map(|width| width.saturating_sub(columns)), ..self }
    }

    /// A question in lines that fit, with room for the answer.
    pub fn question(self, question: &str) -> String {
        const ANSWER: usize = " [y/N] y".len();
        let columns = self.limit().map(|columns| columns - ANSWER);
        wrapped(&self.inert(question), columns, 0, 2).join("\n")
    }

    /// A foreign message in lines that there is room for behind `introduction`, below which
    /// they hang: none but the first begins where our own lines do.
    pub fn broken(self, introduction: &str, message: &str) -> String {
        let hang = introduction.len();
        let lines = message
            .lines()
            .map(|line| wrapped(&self.inert(line), self.limit(), hang, hang).join("\n"));
        lines.collect::<Vec<_>>().join(&format!("\n{}", " ".repeat(hang)))
    }

    /// The mark of what happens to an object.
    pub fn mark(self, action: Action) -> &'static str {
        match action {
            Action::Create => "+",
            Action::Update => "~",
            Action::Replace if self.utf8 => "±",
            Action::Replace => "*",
            Action::Delete => "-",
            Action::Abandon => ">",
            Action::Keep => "=",
            Action::Refuse => "!",
        }
    }

    /// The mark of what was done.
    pub fn done(self) -> &'static str {
        if self.utf8 { "✓" } else { "ok" }
    }

    /// The separator of two parts of a line.
    pub fn dot(self) -> &'static str {
        if self.utf8 { " · " } else { " - " }
    }

    /// The arrow from the old value to the new one.
    pub fn arrow(self) -> &'static str {
        if self.utf8 { "→" } else { "->" }
    }

    /// The mark for lines that are left out.
    pub fn gap(self) -> &'static str {
        if self.utf8 { "…" } else { "..." }
    }

    /// So much of a text as fits into `columns`. It has to be inert.
    pub(super) fn cut(self, text: &str, columns: usize) -> String {
        if text.width() <= columns {
            return text.to_owned();
        }
        let gap = self.gap();
        let room = columns.saturating_sub(gap.width());
        let mut used = 0;
        let fits = text.chars().take_while(|c| {
            used += c.width().unwrap_or_default();
            used <= room
        });
        fits.collect::<String>().trim_end().to_owned() + gap
    }

    /// One line of foreign text, with everything escaped that is not plain to see.
    pub fn inert(self, text: &str) -> Cow<'_, str> {
        let passes = |c: char| is_harmless(c) && (self.utf8 || c.is_ascii());
        if text.chars().all(passes) {
            return Cow::Borrowed(text);
        }
        let mut inert = String::with_capacity(text.len() + 8);
        for c in text.chars() {
            match c {
                c if passes(c) => inert.push(c),
                '‹' => inert.push('<'), // a mask's brackets
                '›' => inert.push('>'),
                c => inert.push_str(&spelled(c)),
            }
        }
        Cow::Owned(inert)
    }
}
