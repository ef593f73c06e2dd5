//! `trueup render`: the objects as git says them, without a cluster.

use std::io::Write as _;
use std::path::Path;

use clap::{Args, ValueEnum};

use super::exit::{Exit, Failure};
use super::headings::HOW;
use super::present;
use super::target::FilesArgs;
use super::ui::Ui;
use crate::app::declare;
use crate::core::redact::Redactor;
use crate::git::Checkout;
use crate::render::Setting;
use crate::render::cell::guards::Guards;

/// The end of `trueup render --help`.
const EXAMPLES: &str = "\
Examples:
  trueup render envs/prod                what a folder declares
  trueup render --rev v1.4 -o json       at a tag, as one List
  trueup render --show-secrets | kubectl apply -f -";

/// Print the objects as git says them
///
/// Manifests are read; kustomizations, Helm charts and Jsonnet programs are rendered. No cluster is
/// asked: what git leaves out stays left out. Values of Secrets are masked.
///
/// Exit status 0: all is there, 1: something could not be read or rendered, 2: could not run.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct RenderArgs {
    #[command(flatten)]
    files: FilesArgs,

    /// How to print the objects
    #[arg(short, long, value_name = "FORMAT", default_value = "yaml", help_heading = HOW, display_order = 1)]
    output: RenderFormat,

    /// Say what confines the programs that render
    #[arg(short, long, help_heading = HOW, display_order = 3)]
    verbose: bool,

    /// Print the values of Secrets as they are
    #[arg(long, help_heading = HOW, display_order = 2)]
    show_secrets: bool,
}

/// How objects are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RenderFormat {
    /// A document for each object, below a comment that says where it is from
    Yaml,
    /// One List
    Json,
}

/// Prints the objects, without a cluster.
///
/// # Errors
///
/// When git can't be read.
pub async fn run(args: RenderArgs, directory: &Path, ui: &mut Ui) -> Result<Exit, Failure> {
    let checkout = Checkout::discover(directory)?;
    let target = args.files.resolve(directory, &checkout)?;
    let waiting = ui.waiting("reading and rendering");
    let declared = declare(&target, &checkout).await;
    waiting.finish_and_clear();
    match args.verbose {
        true => cell(&target.render, ui),
        false => ui.cell(),
    }
    let declared = declared?;
    let redactor = match args.show_secrets {
        true => Redactor::default(),
        false => Redactor::with_rules(
            declared.manifests.iter().map(|manifest| &manifest.object),
            &target.redact,
            &declared.inputs,
        ),
    };
    let shown: Vec<_> = declared
        .manifests
        .iter()
        .map(|manifest| match args.show_secrets {
            true => (&manifest.origin, manifest.object.clone()),
            false => (&manifest.origin, redactor.object(&manifest.object)),
        })
        .collect();
    match args.output {
        RenderFormat::Yaml => present::objects::yaml(ui.stdout(), &shown)?,
        RenderFormat::Json => present::objects::json(ui.stdout(), &shown)?,
    }
    ui.stdout().flush()?;
    let problems: Vec<_> =
        declared.problems.iter().map(|problem| redactor.problem(problem)).collect();
    ui.problems(&problems);
    Ok(if declared.problems.is_empty() { Exit::AtCommit } else { Exit::NotAtCommit })
}

/// Says which guards of the renderers' cell there are.
fn cell(setting: &Setting, ui: &mut Ui) {
    let guards = Guards::of_this_machine(setting.launcher.as_deref());
    for line in guards.lines(&setting.limits) {
        // A closed stderr has no reader.
        let _ = writeln!(ui.stderr(), "cell: {line}");
    }
}
