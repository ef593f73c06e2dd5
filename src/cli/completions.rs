//! `trueup completions`: the script that makes a shell complete trueup's arguments.

use std::io::Write as _;

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::Cli;
use super::exit::{Exit, Failure};
use super::headings::WHAT;
use super::ui::Ui;

/// Print the completion script of a shell
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  trueup completions bash > ~/.local/share/bash-completion/completions/trueup
  trueup completions zsh > ~/.zfunc/_trueup
  trueup completions fish > ~/.config/fish/completions/trueup.fish")]
pub struct CompletionsArgs {
    /// The shell
    #[arg(help_heading = WHAT)]
    shell: Shell,
}

/// Prints the script.
///
/// # Errors
///
/// When stdout can't be written to.
pub fn run(args: &CompletionsArgs, ui: &mut Ui) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "trueup", &mut script);
    ui.stdout().write_all(&script)?;
    Ok(Exit::AtCommit)
}
