//! The groups of options in a verb's help, in the order in which they are shown, and what `-h`
//! leaves to `--help`.

use clap::{Arg, Command};

/// The scope of a run: the files, the commit, the inventory.
pub const WHAT: &str = "What";

/// How the verb goes about it.
pub const HOW: &str = "How";

/// The permissions of a run, and its refusals.
pub const GUARDS: &str = "Guards";

/// Which cluster, and how to reach it.
pub const CLUSTER: &str = "Cluster";

/// The options that every verb has.
pub const EVERYWHERE: &str = "Everywhere";

/// The verbs that the brief list leaves to the whole one, so that it fits one screen: few need them, or they
/// follow another.
const RARE: [&str; 4] = ["resume", "release", "install", "completions"];

/// The command line as `-h` shows it: a line for each of the common options, so that the help of
/// a verb fits one screen.
pub fn brief(command: Command) -> Command {
    let verbs: Vec<String> =
        command.get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
    let command = verbs.into_iter().fold(command, |command, name| {
        let rest = format!("trueup {name} --help shows all options");
        let is_rare = RARE.contains(&name.as_str());
        command.mut_subcommand(name, |verb| {
            let is_hidden = verb.is_hide_set() || is_rare;
            verb.mut_args(brief_arg).after_help(rest).hide(is_hidden)
        })
    });
    command.after_help("trueup --help shows all options and commands, examples and exit statuses")
}

/// An option whose help is one line: its values are the help, where there are some to choose from.
fn brief_arg(arg: Arg) -> Arg {
    if !arg.get_action().takes_values() {
        return arg;
    }
    let arg = arg.hide_env(true);
    let is_listed = !arg.is_hide_possible_values_set();
    let values = arg.get_possible_values();
    let names: Vec<&str> = values.iter().map(|value| value.get_name()).collect();
    match names.as_slice() {
        [first @ .., last] if is_listed && !first.is_empty() => {
            let help = format!("{} or {last}", first.join(", "));
            arg.help(help).hide_possible_values(true)
        }
        _ => arg,
    }
}
