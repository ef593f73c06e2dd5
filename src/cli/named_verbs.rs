//! The verbs that the arguments name. To make the options of all of them takes longer than to read the
//! arguments, and a run needs those of its own verb alone.

use clap::{ArgMatches, Args as _, Command, Error, FromArgMatches, Subcommand};

#[cfg(unix)]
use super::sandbox;
use super::{
    Verb, apply, check, completions, diff, explain, help, history, install, pull, rbac, release,
    render, resume, schemas, status, suspend, sync, verify, watch,
};

/// A verb that an argument is named like.
#[derive(Debug)]
pub(super) struct NamedVerb(pub(super) Verb);

/// Adds the options of a verb.
type WithOptions = fn(Command) -> Command;

/// Each verb with its options.
const VERBS: &[(&str, WithOptions)] = &[
    ("pull", pull::PullArgs::augment_args),
    ("diff", diff::DiffArgs::augment_args),
    ("apply", apply::ApplyArgs::augment_args),
    ("watch", watch::WatchArgs::augment_args),
    ("sync", sync::SyncArgs::augment_args),
    ("status", status::StatusArgs::augment_args),
    ("suspend", suspend::SuspendArgs::augment_args),
    ("resume", resume::ResumeArgs::augment_args),
    ("release", release::ReleaseArgs::augment_args),
    ("check", check::CheckArgs::augment_args),
    ("explain", explain::ExplainArgs::augment_args),
    ("schemas", schemas::SchemasArgs::augment_args),
    ("render", render::RenderArgs::augment_args),
    ("history", history::HistoryArgs::augment_args),
    ("verify", verify::VerifyArgs::augment_args),
    ("rbac", rbac::RbacArgs::augment_args),
    ("install", install::InstallArgs::augment_args),
    #[cfg(unix)]
    ("sandbox", sandbox::SandboxArgs::augment_args),
    ("completions", completions::CompletionsArgs::augment_args),
    ("help", help::HelpArgs::augment_args),
    ("man", help::man::ManArgs::augment_args),
];

impl Subcommand for NamedVerb {
    #[allow(clippy::disallowed_methods, reason = "clap reads the same")]
    fn augment_subcommands(command: Command) -> Command {
        let is_named = |name: &str| std::env::args_os().any(|argument| argument == name);
        let named = VERBS.iter().filter(|(name, _)| is_named(name));
        command.subcommands(named.map(|(name, with_options)| with_options(Command::new(*name))))
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        Verb::has_subcommand(name)
    }
}

impl FromArgMatches for NamedVerb {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        Verb::from_arg_matches(matches).map(Self)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.0.update_from_arg_matches(matches)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn each_verb_has_the_same_options_as_in_the_whole_command_line() {
        let whole = Cli::command();
        let names: Vec<&str> = whole.get_subcommands().map(Command::get_name).collect();
        let listed: Vec<&str> = VERBS.iter().map(|(name, _)| *name).collect();
        assert_eq!(listed, names);
        for (name, with_options) in VERBS {
            let options = |verb: &Command| -> Vec<String> {
                verb.get_arguments().map(|option| format!("{option:?}")).collect()
            };
            let verb = whole.find_subcommand(name).unwrap();
            assert_eq!(options(&with_options(Command::new(*name))), options(verb), "{name}");
        }
    }
}
