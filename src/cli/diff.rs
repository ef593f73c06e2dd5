//! `trueup diff`: what apply would change.

use std::path::Path;

use clap::Args;

use super::exit::{Exit, Failure};
use super::present::{self, Format};
use super::session::Session;
use super::target::TargetArgs;
use super::throwaway::ThrowawayArgs;
use super::ui::Ui;

/// What the end of `trueup diff --help` says.
const EXAMPLES: &str = "\
Examples:
  trueup diff                            the only target of trueup.yaml, at HEAD
  trueup diff --target prod              one target of several
  trueup diff envs/prod --rev v1.4       a folder as it was at a tag
  trueup diff --worktree                 what is not committed yet, too
  trueup diff --sandbox                  against an empty API server of its own";

/// Show what apply would change
///
/// Nothing is written. What would come of a change is asked of the API server, so defaults,
/// conversions and admission are part of the answer.
///
/// Exit status 0: no differences, 1: differences, 2: could not tell.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct DiffArgs {
    #[command(flatten)]
    target: TargetArgs,

    #[command(flatten)]
    throwaway: ThrowawayArgs,

    /// How to print the answer
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: Format,

    /// Exit 0 where there are differences, too
    #[arg(long)]
    exit_zero: bool,
}

/// Shows what apply would change; writes nothing.
///
/// # Errors
///
/// When nobody can tell.
pub async fn run(args: DiffArgs, directory: &Path, ui: &mut Ui) -> Result<Exit, Failure> {
    let session = Session::open(&args.target, directory, &args.throwaway, ui).await?;
    let mut survey = session.survey(ui).await?;
    session.explain(&mut survey).await;
    let glyphs = ui.glyphs();
    present::plan(ui.stdout(), &session.view(&survey), args.output, glyphs)?;
    let same = survey.plan.is_noop() && survey.desired.problems.is_empty();
    Ok(if same || args.exit_zero { Exit::AtCommit } else { Exit::NotAtCommit })
}
