//! The command line: one file a verb, each with its arguments and the call of the library that
//! answers it.

mod access;
mod all_targets;
pub mod apply;
pub mod approved;
mod cache;
mod cascade;
pub mod check;
mod claims;
mod completing;
pub mod completions;
pub mod diff;
mod environment;
pub mod exit;
pub mod explain;
pub mod external;
mod failed_target;
mod habits;
mod headings;
pub mod help;
#[cfg(unix)]
pub mod hidden_verbs;
pub mod history;
mod holding;
pub mod install;
mod judged;
mod kept;
mod kubernetes;
pub mod locking;
mod machine_file;
mod merged;
mod mode;
mod named_verbs;
mod names;
mod notify;
mod other_targets;
mod outside;
mod plain_target;
mod policies;
pub mod present;
pub mod pull;
pub mod rbac;
mod recording;
pub mod release;
mod remedy;
mod removed;
pub mod render;
pub mod resume;
#[cfg(unix)]
pub mod sandbox;
mod schema_folders;
pub mod schemas;
pub mod search_path;
pub mod session;
mod several;
pub mod signals;
pub mod status;
pub mod suspend;
pub mod sync;
pub mod target;
mod target_choice;
pub mod throwaway;
mod tracked;
mod trust;
pub mod ui;
pub mod verify;
pub mod waiting;
pub mod watch;
mod way;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{ArgAction, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use exit::{Exit, Failure};
use headings::EVERYWHERE;
use named_verbs::NamedVerb;
use ui::{ColorChoice, Ui};

/// The end of `trueup --help`.
const EXAMPLES: &str = "\
Examples:
  trueup -C shop pull --url https://git.example/shop
                                 clone it, or bring it up to date
  trueup diff                    what would apply change?
  trueup apply                   show it, ask, make it so
  trueup watch                   pull and apply every 30 s
  trueup status                  what runs where, in sync and healthy or not
  trueup render                  the objects as git says them, without a cluster
  trueup check                   are the manifests sound? No cluster needed
  trueup explain deploy.spec     the fields of a kind, and what they mean
  trueup schemas pull --to DIR   keep the schemas of a cluster's custom resources
  trueup diff --sandbox          try the manifests on a throwaway API server
  trueup help                    list the commands and the topics

Exit status:
  0  the cluster is at the commit, or there was nothing to do
  1  it is not: differences, or something failed, was refused or is unhealthy
  2  could not tell or could not run: usage, configuration, git, manifests, API
  130  interrupted";

/// Git says what should run; trueup makes a Kubernetes cluster true to it
#[derive(Debug, Parser)]
#[command(name = "trueup", version, max_term_width = 80, after_help = EXAMPLES)]
#[command(disable_help_subcommand = true, disable_help_flag = true, disable_version_flag = true)]
pub struct CommandLine<V: Subcommand> {
    /// A folder in the checkout
    #[arg(
        short = 'C',
        long,
        global = true,
        value_name = "DIR",
        default_value = ".",
        value_hint = clap::ValueHint::DirPath,
        help_heading = EVERYWHERE,
        hide_short_help = true
    )]
    directory: PathBuf,

    /// When to colour the output: auto (on a terminal, unless NO_COLOR is set), always or never
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = true,
        help_heading = EVERYWHERE,
        hide_short_help = true
    )]
    color: ColorChoice,

    /// Print help: -h the common options on one screen, --help all of them
    #[arg(
        short,
        long,
        global = true,
        action = ArgAction::Help,
        help_heading = EVERYWHERE,
        hide_short_help = true
    )]
    help: Option<bool>,

    /// Print the version
    #[arg(short = 'V', long, action = ArgAction::Version, help_heading = EVERYWHERE, hide_short_help = true)]
    version: Option<bool>,

    #[command(subcommand)]
    verb: V,
}

/// The command line with all verbs.
pub type Cli = CommandLine<Verb>;

/// A verb with its options.
#[derive(Debug, Subcommand)]
#[allow(missing_docs, reason = "the options have the help")]
pub enum Verb {
    Pull(pull::PullArgs),
    Diff(diff::DiffArgs),
    Apply(apply::ApplyArgs),
    Watch(watch::WatchArgs),
    Sync(sync::SyncArgs),
    Status(status::StatusArgs),
    Suspend(suspend::SuspendArgs),
    Resume(resume::ResumeArgs),
    Release(release::ReleaseArgs),
    Check(check::CheckArgs),
    Explain(explain::ExplainArgs),
    Schemas(schemas::SchemasArgs),
    Render(render::RenderArgs),
    History(history::HistoryArgs),
    Verify(verify::VerifyArgs),
    Rbac(rbac::RbacArgs),
    Install(install::InstallArgs),
    #[cfg(unix)]
    Sandbox(sandbox::SandboxArgs),
    Completions(completions::CompletionsArgs),
    Help(help::HelpArgs),
    #[command(hide = true)]
    Man(help::man::ManArgs),
}

/// Parses the command line, runs the verb and says how it ended.
pub fn main() -> ExitCode {
    if completing::answer() {
        return ExitCode::SUCCESS;
    }
    #[cfg(unix)]
    if let Err(error) = search_path::without_relative_elements() {
        let error = anyhow::Error::new(error).context("cannot start again with an absolute PATH");
        Ui::new(ColorChoice::Auto).failure(&error.into());
        return Exit::CouldNot.into();
    }
    #[cfg(unix)]
    if let Some(exit) = hidden_verbs::answer(std::env::args_os().skip(1)) {
        return exit;
    }
    be_quiet_about_caught_panics();
    let cli = match parse() {
        Ok(cli) => cli,
        Err(error) => return Ui::new(ColorChoice::Auto).usage(&error).into(),
    };
    let mut ui = Ui::new(cli.color);
    // Both gix and kube take their TLS from rustls, and neither may choose a provider of its own.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let exit = run(cli.verb, cli.directory, &mut ui).unwrap_or_else(|failure| {
        ui.failure(&failure);
        failure.exit()
    });
    exit.into()
}

/// Reads the arguments. Help and errors speak of all verbs, so the whole command line is made for them.
/// Wherever `-h` stands, the help that it may ask for is a brief one.
#[allow(clippy::disallowed_methods, reason = "clap would read the same")]
fn parse() -> Result<Cli, clap::Error> {
    let arguments = std::env::args_os;
    match CommandLine::<NamedVerb>::try_parse_from(arguments()) {
        Ok(CommandLine { directory, color, help, version, verb: NamedVerb(verb) }) => {
            return Ok(Cli { directory, color, help, version, verb });
        }
        Err(error) if error.kind() == ErrorKind::DisplayVersion => return Err(error),
        Err(_) => {}
    }
    let mut command = Cli::command();
    if let Some(name) = arguments().next().as_deref().and_then(plugin_name) {
        command = command.bin_name(name);
    }
    if arguments().any(|argument| argument == "-h") {
        command = headings::brief(command);
    }
    let matches = match command.clone().try_get_matches_from(arguments()) {
        // The command line says what to use instead of the target that the environment names.
        Err(error) if error.kind() == ErrorKind::ArgumentConflict => {
            environment::without_environment(command).try_get_matches_from(arguments())
        }
        parsed => parsed,
    };
    Cli::from_arg_matches(&matches?)
}

/// The name that people call the program by, where kubectl runs it as its plugin `kubectl-trueup`.
/// <https://kubernetes.io/docs/tasks/extend-kubectl/kubectl-plugins/>
fn plugin_name(program: &OsStr) -> Option<&'static str> {
    (Path::new(program).file_stem()? == "kubectl-trueup").then_some("kubectl trueup")
}

fn run(verb: Verb, directory: PathBuf, ui: &mut Ui) -> Result<Exit, Failure> {
    match verb {
        Verb::Pull(args) => pull::run(args, directory, ui),
        Verb::Diff(args) => block_on(diff::run(args, &directory, ui)),
        Verb::Apply(args) => block_on(apply::run(args, &directory, ui)),
        Verb::Watch(args) => block_on(watch::run(args, &directory, ui)),
        Verb::Sync(args) => block_on(sync::run(args, &directory, ui)),
        Verb::Status(args) => block_on(status::run(args, &directory, ui)),
        Verb::Suspend(args) => block_on(suspend::run(args, &directory, ui)),
        Verb::Resume(args) => block_on(resume::run(args, &directory, ui)),
        Verb::Release(args) => block_on(release::run(args, &directory, ui)),
        Verb::Render(args) => block_on(render::run(args, &directory, ui)),
        Verb::Explain(args) => block_on(explain::run(args, &directory, ui)),
        Verb::Schemas(args) => block_on(schemas::run(args, &directory, ui)),
        Verb::Check(args) => block_on(check::run(args, &directory, ui)),
        Verb::History(args) => block_on(history::run(args, &directory, ui)),
        Verb::Rbac(args) => block_on(rbac::run(args, &directory, ui)),
        Verb::Install(args) => block_on(install::run(args, &directory, ui)),
        Verb::Verify(args) => verify::run(args, &directory, ui),
        Verb::Completions(args) => completions::run(&args, ui),
        Verb::Help(args) => help::run(&args, ui),
        Verb::Man(args) => help::man::run(&args),
        #[cfg(unix)]
        Verb::Sandbox(args) => sandbox::run(args, ui),
    }
}

/// The YAML parser's asserts are caught and told as problems of a file; any other panic is ours,
/// and told as panics are.
fn be_quiet_about_caught_panics() {
    std::panic::set_hook(Box::new(|panic| {
        if !crate::core::manifest::is_parsing() {
            ui::panicked(panic);
        }
    }));
}

/// Runs a verb that talks to many servers at once. The verb itself stays on the main thread, which
/// a sandbox's programs need: they end with the thread that started them.
fn block_on(verb: impl Future<Output = Result<Exit, Failure>>) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ended = runtime.block_on(signals::answering(verb));
    runtime.shutdown_background();
    ended
}
