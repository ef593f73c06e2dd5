//! The command line where the environment does not count: what is written there comes first.

use clap::Command;

/// The same command line, where the environment names no target.
pub(super) fn without_environment(mut command: Command) -> Command {
    let has_target =
        |verb: &&Command| verb.get_arguments().any(|argument| argument.get_id() == "target");
    let verbs: Vec<String> =
        command.get_subcommands().filter(has_target).map(|it| it.get_name().to_owned()).collect();
    for verb in verbs {
        // No variable has an empty name, and clap can't take a variable back.
        command = command
            .mut_subcommand(verb, |verb| verb.mut_arg("target", |argument| argument.env("")));
    }
    command
}
