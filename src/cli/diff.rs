//! `trueup diff`: what apply would change.

use std::path::Path;

use clap::Args;

use super::exit::{Exit, Failure};
use super::present::{self, Format};
use super::session::Session;
use super::target::TargetArgs;
use super::throwaway::ThrowawayArgs;
use super::ui::Ui;

/// The arguments of `trueup diff`.
#[derive(Debug, Args)]
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
    let survey = session.survey(ui).await?;
    let glyphs = ui.glyphs();
    present::plan(ui.stdout(), &session.view(&survey), args.output, glyphs)?;
    let same = survey.plan.is_noop() && survey.desired.problems.is_empty();
    Ok(if same || args.exit_zero { Exit::AtCommit } else { Exit::NotAtCommit })
}
