//! The one owner of stdout, stderr, colour, width, prompts and progress.
//!
//! stdout carries the answer, stderr everything else. Colour only repeats what a mark or a word
//! already says. Whatever is written to either goes through a [`OutputGuard`], so that no text from outside
//! does anything to a terminal or a CI runner; clippy holds that nothing is written elsewhere.

#![allow(clippy::disallowed_methods, reason = "the one owner of stdout and stderr")]

mod guard;
mod journal;
mod pager;
mod progress;
mod usage;

use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};

use clap::ValueEnum;
use terminal_size::{Height, Width, terminal_size_of};
use unicode_width::UnicodeWidthStr as _;

#[cfg(test)]
pub(in crate::cli) use guard::guarded;
pub use progress::ProgressIndicator;
pub(in crate::cli) use usage::panicked;

use super::exit::Failure;
use super::present::ink::Ink;
use super::present::{self, Glyphs};
use crate::cluster::{Delay, DelayEnd, Listener};
use crate::core::log::Level;
use crate::core::redact::MaskedProblem;
use crate::git::Uncommitted;
use crate::render::cell::guards::Guards;
use guard::OutputGuard;
use pager::Pager;

/// How many warnings about manifests are told one by one where there is something else to say.
const FEW_WARNINGS: usize = 10;

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
    utf8: bool,
    /// When to colour.
    color: anstream::ColorChoice,
    stdout: OutputGuard<anstream::AutoStream<io::Stdout>>,
    stderr: OutputGuard<anstream::AutoStream<io::Stderr>>,
    /// The drawing on stderr, if there is any.
    progress: Arc<Mutex<ProgressIndicator>>,
    /// Whether it was said what is missing of the cell that renderers run in.
    is_cell_told: bool,
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
            utf8: is_utf8(),
            color: choice,
            stdout: OutputGuard::new(anstream::AutoStream::new(io::stdout(), choice)),
            stderr: OutputGuard::new(anstream::AutoStream::new(io::stderr(), choice)),
            progress: Arc::default(),
            is_cell_told: false,
        }
    }

    /// Where the answer goes.
    pub fn stdout(&mut self) -> &mut impl Write {
        &mut self.stdout
    }

    /// Gives the answer that `write` writes to the user's pager, where there is a terminal; else it
    /// goes to stdout as it is.
    ///
    /// # Errors
    ///
    /// When stdout does not take it.
    pub fn page(
        &mut self,
        write: impl FnOnce(&mut dyn Write, Glyphs) -> io::Result<()>,
    ) -> io::Result<()> {
        let glyphs = self.glyphs();
        let Some(pager) = Pager::from_environment().filter(|_| self.has_reader()) else {
            return write(&mut self.stdout, glyphs);
        };
        let color = match self.color {
            anstream::ColorChoice::Auto => anstream::AutoStream::choice(&io::stdout()),
            choice => choice,
        };
        let mut text = Vec::new();
        // The guard's output is what the terminal would have got.
        write(
            &mut OutputGuard::new(anstream::AutoStream::new(&mut text as &mut dyn Write, color)),
            glyphs,
        )?;
        // less would show it and end; who names another one is to get everything, as from git.
        if pager.is_usual() && fits(&text, terminal_size_of(io::stdout())) {
            return io::stdout().write_all(&text);
        }
        match pager.show(&text) {
            Ok(()) => Ok(()),
            Err(error) if pager.is_usual() => {
                drop(error); // there is none, as on a small machine
                io::stdout().write_all(&text)
            }
            Err(error) => {
                self.warning(&format!("cannot run the pager {pager}: {error}"));
                io::stdout().write_all(&text)
            }
        }
    }

    /// Where everything else goes.
    pub fn stderr(&mut self) -> &mut impl Write {
        &mut self.stderr
    }

    /// Whether a person sees stderr at once, so that progress can be drawn there.
    pub fn has_progress(&self) -> bool {
        io::stderr().is_terminal()
    }

    /// Whether a person reads the answer as it comes, and is not sent it by mail, say.
    pub fn has_reader(&self) -> bool {
        io::stdout().is_terminal()
    }

    /// Whether systemd's journal gets the answer.
    pub fn is_journal(&self) -> bool {
        journal::has_stdout()
    }

    /// Whether a person can be asked.
    pub fn can_ask(&self) -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Asks a question; only `y` or `yes` is a yes.
    ///
    /// # Errors
    ///
    /// When the terminal can't be written to or read from.
    pub async fn confirm(&mut self, question: &str) -> io::Result<bool> {
        let question = self.beside().question(question);
        write!(self.stderr, "{question} [y/N] ")?;
        self.stderr.flush()?;
        // In a thread of its own, so that a signal is heard while the question stands.
        let answer = tokio::task::spawn_blocking(|| {
            let mut answer = String::new();
            io::stdin().read_line(&mut answer).map(|_| answer)
        });
        let answer = answer.await.map_err(io::Error::other)??;
        Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
    }

    /// Shows that something is under way, where a person sees it, until the result is finished.
    pub fn waiting(&self, what: &'static str) -> ProgressIndicator {
        if !self.has_progress() {
            return ProgressIndicator::default();
        }
        let progress = ProgressIndicator::drawn();
        progress.set_message(what);
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&progress);
        progress
    }

    /// Says what takes a while and until when at most, whatever else is under way: above the
    /// progress where there is some.
    pub fn delays(&self) -> Listener {
        let (glyphs, is_journal) = (self.beside(), journal::has_stderr());
        self.delays_as(move |text| {
            let line = format!("waiting: {}", glyphs.broken("waiting: ", &glyphs.inert(text)));
            match is_journal {
                true => journal::with_level(Level::Info, &line),
                false => line,
            }
        })
    }

    /// The same with each said in a line that `line` makes.
    pub fn delays_as(&self, line: impl Fn(&str) -> String + Send + Sync + 'static) -> Listener {
        let progress = Arc::clone(&self.progress);
        Listener::new(move |Delay { cause, next }| {
            let next = match next {
                DelayEnd::GivesUp(left) => {
                    format!("giving up in {}", present::waiting::span(*left))
                }
                DelayEnd::Again(pause) => {
                    format!("trying again in {}", present::waiting::span(*pause))
                }
            };
            let line = line(&format!("{cause}; {next}"));
            let progress = progress.lock().unwrap_or_else(PoisonError::into_inner);
            // A closed stderr has no reader.
            progress.suspend(|| drop(writeln!(OutputGuard::new(io::stderr()), "{line}")));
        })
    }

    /// The characters that the terminal for the answer can show, by its locale.
    pub fn glyphs(&self) -> Glyphs {
        Glyphs { utf8: self.utf8, width: width(terminal_size_of(io::stdout())) }
    }

    /// The same of the terminal that everything else goes to.
    fn beside(&self) -> Glyphs {
        Glyphs { utf8: self.utf8, width: width(terminal_size_of(io::stderr())) }
    }

    /// Says what is wrong with the manifests.
    pub fn problems(&mut self, problems: &[MaskedProblem]) {
        let glyphs = self.beside();
        // A closed stderr has no reader.
        let _ = present::problems(&mut self.stderr, problems, glyphs);
    }

    /// Says what goes on, for a log.
    pub fn note(&mut self, message: &str) {
        let message = self.beside().broken("  ", message);
        self.write_beside(Level::Info, &message);
    }

    /// Writes a text to stderr, with its level where systemd's journal reads it.
    fn write_beside(&mut self, level: Level, text: &str) {
        // A closed stderr has no reader.
        let _ = match journal::has_stderr() {
            true => writeln!(self.stderr, "{}", journal::with_level(level, text)),
            false => writeln!(self.stderr, "{text}"),
        };
    }

    /// Says what is worth knowing and stops nothing.
    pub fn warning(&mut self, message: &str) {
        let yellow = Ink::YELLOW.bold();
        let message = self.beside().broken("warning: ", message);
        let text = format!("{yellow}warning:{yellow:#} {message}");
        self.write_beside(Level::Warning, &text);
    }

    /// Says what Kubernetes reads as something else than it looks like.
    pub fn warnings(&mut self, warnings: &[MaskedProblem]) {
        let folded = present::folded_problems(warnings);
        let gap = self.beside().gap();
        for repeated in folded.iter().take(FEW_WARNINGS) {
            let warning = repeated.first;
            let hint = warning.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
            let more = repeated.more(present::problem_place, gap);
            let more = more.map(|more| format!("; {more}")).unwrap_or_default();
            self.warning(&format!("{}: {}{hint}{more}", warning.place(), warning.message()));
        }
        let others: usize =
            folded.iter().skip(FEW_WARNINGS).map(|repeated| 1 + repeated.others.len()).sum();
        if others > 0 {
            self.warning(&format!("{others} more like these"));
        }
    }

    /// Says, once, what is missing of the cell that programs rendered in, if any did.
    pub fn cell(&mut self) {
        let missing = Guards::found().and_then(Guards::missing);
        if let Some(missing) = missing.filter(|_| !std::mem::replace(&mut self.is_cell_told, true))
        {
            self.warning(&format!(
                "renderers are not fully confined on this machine: {missing}; see \
                 render: cell: in docs/security.md"
            ));
        }
    }

    /// Says that some files are not as they are committed.
    pub fn uncommitted(&mut self, found: &Uncommitted) {
        if let Some(why) = &found.unknown {
            self.warning(&format!(
                "cannot tell which files have uncommitted changes; this run \
                ignores them: {why}"
            ));
        }
        let [first, others @ ..] = &found.paths[..] else { return };
        let more = match others.len() {
            0 => String::new(),
            count => format!(" and {count} more"),
        };
        self.warning(&format!("{first}{more} changed in the work tree and not committed: not part of this (see --worktree)"));
    }

    /// Says why the run could not go on: message, causes, and what to do.
    pub fn failure(&mut self, failure: &Failure) {
        if failure.is_broken_pipe() {
            return; // whoever read the answer has had enough of it
        }
        let bold = Ink::RED.bold();
        let glyphs = self.beside();
        let message = glyphs.broken("error: ", &failure.error.to_string());
        self.write_beside(Level::Error, &format!("{bold}error:{bold:#} {message}"));
        for cause in failure.error.chain().skip(1) {
            let cause = glyphs.broken("  because: ", &cause.to_string());
            self.write_beside(Level::Error, &format!("  because: {cause}"));
        }
        for hint in &failure.hints {
            let hint = glyphs.broken("  do this: ", hint);
            self.write_beside(Level::Error, &format!("  do this: {hint}"));
        }
    }
}

/// Whether a text fits on a terminal, with a line for the prompt.
fn fits(text: &[u8], size: Option<(Width, Height)>) -> bool {
    let Some((Width(columns @ 1..), Height(rows))) = size else { return false };
    let text = String::from_utf8_lossy(text);
    let text = anstream::adapter::strip_str(&text).to_string();
    let rows_of = |line: &str| line.width().div_ceil(columns.into()).max(1);
    text.lines().map(rows_of).sum::<usize>() < rows.into()
}

fn width(size: Option<(Width, Height)>) -> Option<usize> {
    size.map(|(Width(columns), _)| columns.into())
}

/// Whether the locale is a UTF-8 one; where none is set, most terminals of today are.
#[allow(clippy::disallowed_methods, reason = "the locale is the terminal's, no setting of ours")]
fn is_utf8() -> bool {
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG"));
    locale.is_none_or(|locale| {
        let locale = locale.to_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_fits_where_its_lines_and_the_prompt_do() {
        let screen = |columns, rows| Some((Width(columns), Height(rows)));
        for (text, size, expected) in [
            ("a\nb\n", screen(80, 3), true),
            ("a\nb\nc\n", screen(80, 3), false),
            ("\u{1b}[32mabc\u{1b}[0m\n\n", screen(3, 3), true),
            ("abcd\n\n", screen(3, 3), false),
            ("a\n", None, false),
            ("a\n", screen(0, 0), false),
        ] {
            assert_eq!(fits(text.as_bytes(), size), expected, "{text:?}");
        }
    }
}
