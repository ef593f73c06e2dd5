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

/// How clap's script for bash takes the words.
const BASH_WORDS: &str = r#"    local words=("${COMP_WORDS[@]}")
    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
        words[COMP_CWORD]="$2"
    fi
"#;

/// The words as they are typed: bash splits them at `=` and `:` too, which are in `COMP_WORDBREAKS`,
/// and replaces only what is behind the last of these.
const BASH_JOINED_WORDS: &str = r#"    local words=() rest=$COMP_LINE typed="" i word gap
    for i in "${!COMP_WORDS[@]}"; do
        word=${COMP_WORDS[i]} gap=" "
        if [[ -n $word ]]; then
            gap=${rest%%"$word"*}
            rest=${rest:${#gap}+${#word}}
        fi
        # Text behind the cursor does not belong to the word, and a break is not in $2.
        if [[ $i -eq $COMP_CWORD && $word == *[!:=]* && "${BASH_VERSINFO[0]}" -ge 4 ]]; then
            word=$2
        fi
        if [[ $i -eq 0 || -n $gap ]]; then
            words+=("$word")
        elif [[ $i -le $COMP_CWORD ]]; then
            words[${#words[@]}-1]+=$word
        fi
        if [[ $i -eq $COMP_CWORD ]]; then
            _CLAP_COMPLETE_INDEX=$((${#words[@]} - 1))
            typed=${words[_CLAP_COMPLETE_INDEX]}
        fi
    done
"#;

/// The use that clap's script for bash makes of the answer.
const BASH_ANSWER: &str = "    if [[ $? != 0 ]]; then\n        unset COMPREPLY\n    elif";

/// The same, and what bash does not replace is left out of it.
const BASH_CUT_ANSWER: &str = r#"    if [[ $? != 0 ]]; then
        unset COMPREPLY
        return
    fi
    COMPREPLY=("${COMPREPLY[@]#"${typed%"$2"}"}")
    if"#;

/// The script, whose calls say nothing where there is no trueup to call.
fn script(shell: Shell) -> Result<String, Failure> {
    let mut script = Vec::new();
    let shells = Shells::builtins();
    let known = shells.completer(&shell.to_string());
    let completer = known.with_context(|| format!("no completions for {shell}"))?;
    completer.write_registration(VARIABLE, "trueup", "trueup", "trueup", &mut script)?;
    let script = String::from_utf8(script).context("the script is not UTF-8")?;
    let changes: &[(&str, &str)] = match shell {
        Shell::Bash => &[
            (
                "\"trueup\" -- \"${words[@]}\" \\\n",
                "command trueup -- \"${words[@]}\" 2>/dev/null \\\n",
            ),
            (BASH_WORDS, BASH_JOINED_WORDS),
            (BASH_ANSWER, BASH_CUT_ANSWER),
        ],
        Shell::Fish => &[("--current-token))\"", "--current-token) 2>/dev/null)\"")],
        Shell::Elvish => &[
            ("put (env ", "put (try { env "),
            ("trueup -- $@words)", "trueup -- $@words 2>/dev/null } catch _ { })"),
        ],
        _ => &[],
    };
    let script = changes.iter().fold(script, |script, (theirs, ours)| script.replace(theirs, ours));
    let first = if shell == Shell::Zsh { AT_ONCE } else { "" };
    Ok(format!("{}\n{first}", script.trim()))
}
