//! `trueup apply`: make it so, and prune.

use std::path::Path;
use std::sync::Arc;

use clap::Args;

use super::exit::{Exit, Failure};
use super::present::steps::Steps;
use super::present::{self, Format};
use super::session::{Session, ThrowawayArgs};
use super::signals;
use super::target::TargetArgs;
use super::ui::Ui;
use crate::reconcile::{Course, carry_out};
use crate::watch::Stop;

/// The arguments of `trueup apply`.
#[derive(Debug, Args)]
pub struct ApplyArgs {
    #[command(flatten)]
    target: TargetArgs,

    #[command(flatten)]
    throwaway: ThrowawayArgs,

    /// Do not ask, on a terminal either
    #[arg(short, long)]
    yes: bool,

    /// How to print the answer
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: Format,

    /// Exit 0 where the cluster is not at the commit, too
    #[arg(long)]
    exit_zero: bool,
}

/// Makes the cluster true to the commit.
///
/// # Errors
///
/// When nobody can tell what there is to do, or the inventory can't be written.
pub async fn run(args: ApplyArgs, directory: &Path, ui: &mut Ui) -> Result<Exit, Failure> {
    let stop = Arc::new(Stop::default());
    signals::listen(&stop)?;
    let session = Session::open(&args.target, directory, &args.throwaway, ui).await?;
    let survey = session.survey(ui).await?;

    let glyphs = ui.glyphs();

    if survey.plan.writes() && !args.yes && ui.can_ask() {
        present::plan(ui.stdout(), &session.view(&survey), Format::Text, glyphs)?;
        if !ui.confirm(&present::question(&session.view(&survey)))? {
            return Ok(Exit::NotAtCommit);
        }
    }
    let steps = Steps::new(&survey.plan, &survey.redactor, glyphs);
    let course = Course {
        inventory: &session.named.target.inventory,
        stop: stop.flag(),
        events: &mut |step| {
            if args.output == Format::Text {
                // A closed stdout leaves nobody to tell; the work goes on.
                let _ = steps.write(ui.stdout(), step);
            }
        },
    };
    let report = carry_out(&survey, &session.cluster, course).await?;
    present::report(ui.stdout(), (&session.view(&survey), &report), args.output, glyphs)?;
    Ok(match report.at_commit {
        true => Exit::AtCommit,
        false if report.interrupted => Exit::Interrupted,
        false if args.exit_zero => Exit::AtCommit,
        false => Exit::NotAtCommit,
    })
}
