//! The one owner of stdout, stderr, colour, width, prompts and progress.
//!
//! stdout carries the answer, stderr everything else. Colour only repeats what a mark or a word
//! already says.

use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;

use super::exit::Failure;

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The terminal, or what stands in its place.
pub struct Ui {
    stdout: anstream::AutoStream<io::Stdout>,
    stderr: anstream::AutoStream<io::Stderr>,
}

impl Ui {
    /// The process's own streams.
    pub fn new(color: ColorChoice) -> Self {
        let choice = match color {
            ColorChoice::Auto => anstream::ColorChoice::Auto,
            ColorChoice::Always => anstream::ColorChoice::Always,
            ColorChoice::Never => anstream::ColorChoice::Never,
        };
        Self {
            stdout: anstream::AutoStream::new(io::stdout(), choice),
            stderr: anstream::AutoStream::new(io::stderr(), choice),
        }
    }

    /// Where the answer goes.
    pub fn stdout(&mut self) -> &mut impl Write {
        &mut self.stdout
    }

    /// Where everything else goes.
    pub fn stderr(&mut self) -> &mut impl Write {
        &mut self.stderr
    }

    /// Whether a person sees stderr at once, so that progress can be drawn there.
    pub fn has_progress(&self) -> bool {
        io::stderr().is_terminal()
    }

    /// Says why the run could not go on: message, causes, and what to do.
    pub fn failure(&mut self, failure: &Failure) {
        let bold = anstyle::AnsiColor::Red.on_default().bold();
        // A closed stderr leaves nobody to tell.
        let _ = writeln!(self.stderr, "{bold}error:{bold:#} {}", failure.error);
        for cause in failure.error.chain().skip(1) {
            let _ = writeln!(self.stderr, "  because: {cause}");
        }
        for hint in &failure.hints {
            let _ = writeln!(self.stderr, "  do this: {hint}");
        }
    }
}
