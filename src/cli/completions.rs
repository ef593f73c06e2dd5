//! `trueup completions`: the script that makes a shell complete trueup's arguments. It calls trueup
//! by its name, wherever it is, and [`super::completing`] answers.

use std::io::Write as _;

use anyhow::Context as _;
use clap::Args;
use clap_complete::Shell;
use clap_complete::env::Shells;

use super::completing::VARIABLE;
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
    ui.stdout().write_all(script(args.shell)?.as_bytes())?;
    Ok(Exit::AtCommit)
}

/// Completes the first time, too, where zsh loads the script from a folder of `fpath` only then.
const AT_ONCE: &str = "
if [[ $funcstack[1] == _trueup ]]; then
    _clap_dynamic_completer_trueup \"$@\"
fi
";

/// The script, whose calls say nothing where there is no trueup to call.
fn script(shell: Shell) -> Result<String, Failure> {
    let mut script = Vec::new();
    let shells = Shells::builtins();
    let known = shells.completer(&shell.to_string());
    let completer = known.with_context(|| format!("no completions for {shell}"))?;
    completer.write_registration(VARIABLE, "trueup", "trueup", "trueup", &mut script)?;
    let script = String::from_utf8(script).context("the script is not UTF-8")?;
    let (call, silent) = match shell {
        Shell::Bash => (
            "\"trueup\" -- \"${words[@]}\" \\\n",
            "command trueup -- \"${words[@]}\" 2>/dev/null \\\n",
        ),
        Shell::Fish => ("--current-token))\"", "--current-token) 2>/dev/null)\""),
        _ => ("", ""),
    };
    let script = if call.is_empty() { script } else { script.replace(call, silent) };
    let first = if shell == Shell::Zsh { AT_ONCE } else { "" };
    Ok(format!("{}\n{first}", script.trim()))
}
