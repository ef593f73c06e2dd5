//! The user's pager, as git finds it: `TRUEUP_PAGER`, else `PAGER`, else `less`, which ends by itself
//! where everything fits on the screen. What it is given is inert already.

use std::fmt;
use std::io::{self, Write as _};
use std::process::{Command, Stdio};

/// The variables that name it, the first that is set counts; empty means none.
const VARIABLES: [&str; 2] = ["TRUEUP_PAGER", "PAGER"];
/// The one that is used where none is named.
const USUAL: &str = "less";
/// Git's default for `LESS`: end where all fits, keep colours, leave the screen as it is.
const LESS: (&str, &str) = ("LESS", "FRX");

/// A program that shows a long text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pager {
    /// The command; `None` for the usual one.
    command: Option<String>,
}

impl Pager {
    /// The one that the environment names, or the usual one; `None` where there is to be none.
    #[allow(clippy::disallowed_methods, reason = "a convention of git, not a setting of ours")]
    pub(super) fn from_environment() -> Option<Self> {
        let named = VARIABLES.iter().find_map(std::env::var_os);
        Self::from_command(named.map(|named| named.to_string_lossy().into_owned()))
    }

    fn from_command(command: Option<String>) -> Option<Self> {
        match command.as_deref().map(str::trim) {
            Some("" | "cat") => None,
            _ => Some(Self { command }),
        }
    }

    /// Whether it is the default one.
    pub(super) fn is_usual(&self) -> bool {
        self.command.is_none()
    }

    /// Shows `text`, until the user has seen enough of it.
    ///
    /// # Errors
    ///
    /// When the program can't be started.
    #[allow(clippy::disallowed_methods, reason = "less gets the options that git gives it")]
    pub(super) fn show(&self, text: &[u8]) -> io::Result<()> {
        let mut command = match &self.command {
            None => Command::new(USUAL),
            Some(command) => shell(command),
        };
        if std::env::var_os(LESS.0).is_none() {
            command.env(LESS.0, LESS.1);
        }
        let mut child = command.stdin(Stdio::piped()).spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            // A reader who has seen enough closes it.
            let _ = stdin.write_all(text);
        }
        child.wait().map(drop)
    }
}

impl fmt::Display for Pager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.command.as_deref().unwrap_or(USUAL))
    }
}

/// A command as git runs it.
#[cfg(unix)]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", command]);
    shell
}

#[cfg(not(unix))]
fn shell(command: &str) -> Command {
    let mut words = command.split_whitespace();
    let mut program = Command::new(words.next().unwrap_or_default());
    program.args(words);
    program
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_name_and_cat_are_none() {
        for (named, is_one) in [
            (None, true),
            (Some("less -S"), true),
            (Some(""), false),
            (Some("  "), false),
            (Some("cat"), false),
        ] {
            let pager = Pager::from_command(named.map(str::to_owned));
            assert_eq!(pager.is_some(), is_one, "{named:?}");
            assert!(pager.is_none_or(|pager| pager.is_usual() == named.is_none()));
        }
    }
}
