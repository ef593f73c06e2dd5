//! The command line: one file a verb, each with its arguments and the call of the library that
//! answers it.

pub mod exit;
pub mod present;
pub mod pull;
#[cfg(unix)]
pub mod sandbox;
pub mod signal;
pub mod ui;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use exit::{Exit, Failure};
use ui::{ColorChoice, Ui};

/// Git says what should run; trueup makes a Kubernetes cluster true to it
#[derive(Debug, Parser)]
#[command(name = "trueup", version, max_term_width = 80)]
pub struct Cli {
    /// When to colour the output
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: ColorChoice,

    /// A folder in the checkout
    #[arg(short = 'C', long, global = true, value_name = "DIR", default_value = ".")]
    directory: PathBuf,

    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    #[cfg(unix)]
    Sandbox(sandbox::SandboxArgs),
    Pull(pull::PullArgs),
}

/// Parses the command line, runs the verb and says how it ended.
pub fn main() -> ExitCode {
    #[cfg(unix)]
    if let Some(exit) = sandbox::hidden_verb(std::env::args_os().skip(1)) {
        return exit;
    }
    let cli = Cli::parse();
    let mut ui = Ui::new(cli.color);
    // Both gix and kube take their TLS from rustls, and neither may choose a provider of its own.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let exit = run(cli.verb, cli.directory, &mut ui).unwrap_or_else(|failure| {
        ui.failure(&failure);
        Exit::CouldNot
    });
    exit.into()
}

fn run(verb: Verb, directory: PathBuf, ui: &mut Ui) -> Result<Exit, Failure> {
    match verb {
        Verb::Pull(args) => pull::run(args, directory, ui),
        #[cfg(unix)]
        Verb::Sandbox(args) => sandbox::run(args, ui),
    }
}
