//! The codes that trueup itself may send to a terminal and to a CI runner: styles, and workflow
//! commands.
//!
//! Each carries a key that is made up once a process and that no text from outside can know. The
//! guard around stdout and stderr ([`crate::cli::ui`]) takes the key away from what has it, and
//! takes the effect from everything else. So a style that a text brings along, even one of our own,
//! is shown as text, wherever that text is from.

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::OnceLock;

use anstyle::{AnsiColor, Effects, Style};

/// Letters in colour or in bold: `{ink}` begins and `{ink:#}` ends it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::cli) struct Ink(Style);

impl Ink {
    /// Fainter than the rest.
    pub(in crate::cli) const DIM: Self = Self(Style::new().effects(Effects::DIMMED));
    /// Heavier than the rest.
    pub(in crate::cli) const BOLD: Self = Self(Style::new().effects(Effects::BOLD));
    pub(in crate::cli) const RED: Self = Self(AnsiColor::Red.on_default());
    pub(in crate::cli) const GREEN: Self = Self(AnsiColor::Green.on_default());
    pub(in crate::cli) const YELLOW: Self = Self(AnsiColor::Yellow.on_default());
    pub(in crate::cli) const MAGENTA: Self = Self(AnsiColor::Magenta.on_default());
    pub(in crate::cli) const CYAN: Self = Self(AnsiColor::Cyan.on_default());

    /// The same in bold.
    pub(in crate::cli) const fn bold(self) -> Self {
        Self(self.0.effects(self.0.get_effects().insert(Effects::BOLD)))
    }

    /// The same, underlined.
    pub(in crate::cli) const fn underline(self) -> Self {
        Self(self.0.effects(self.0.get_effects().insert(Effects::UNDERLINE)))
    }
}

impl fmt::Display for Ink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let style = self.0;
        match f.alternate() {
            true => f.write_str(&adopted(&format!("{style:#}"))),
            false => f.write_str(&adopted(&format!("{style}"))),
        }
    }
}

/// Stands before a workflow command of our own.
#[derive(Clone, Copy, Debug)]
pub(in crate::cli) struct OwnCommand;

impl fmt::Display for OwnCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}c", prefix())
    }
}

/// Text whose styles are known to be our own, as ours.
pub(in crate::cli) fn adopted(text: &str) -> String {
    text.replace("\u{1b}[", prefix())
}

/// The beginning of every code of our own, with the key. Programs that take styles out of a text
/// know it
/// for a sequence like others.
pub(in crate::cli) fn prefix() -> &'static str {
    static PREFIX: OnceLock<String> = OnceLock::new();
    PREFIX.get_or_init(|| {
        let key = RandomState::new().hash_one("the key of what is our own");
        format!("\u{1b}[{key:020};")
    })
}
