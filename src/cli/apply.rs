//! `trueup apply`: make it so, and prune.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use clap::Args;

use super::exit::{Exit, Failure};
use super::present::steps::Steps;
use super::present::{self, Format};
use super::session::Session;
use super::signals;
use super::target::TargetArgs;
use super::throwaway::ThrowawayArgs;
use super::ui::Ui;
use crate::reconcile::{Course, Survey, carry_out};
use crate::watch::Stop;

/// What the end of `trueup apply --help` says.
const EXAMPLES: &str = "\
Examples:
  trueup apply                           show the plan, ask, make it so
  trueup apply --yes --target prod       as in a script
  trueup apply --rev HEAD~1              back to the commit before
  trueup apply --allow-delete Namespace  a deleted Namespace is meant";

/// Make the cluster true to the commit, and prune
///
/// On a terminal the plan is shown first, and you are asked. What the inventory has and the commit
/// no longer declares is deleted last, and only if everything else went well.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
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
    // Until something is written a signal ends the run at once.
    let ready = tokio::select! {
        ready = ready(&args, directory, ui) => ready?,
        () = stop.told() => return Ok(Exit::Interrupted),
    };
    let Some((session, survey)) = ready else { return Ok(Exit::NotAtCommit) };
    let glyphs = ui.glyphs();
    let steps = Steps::new(&survey.plan, survey.redactor(), glyphs);
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

/// Looks, decides, and asks where there is somebody to ask; `None` when the answer is no.
async fn ready(
    args: &ApplyArgs,
    directory: &Path,
    ui: &mut Ui,
) -> Result<Option<(Session, Survey)>, Failure> {
    let mut session = Session::open(&args.target, directory, &args.throwaway, ui).await?;
    let mut survey = session.survey(ui).await?;
    if survey.plan.writes() && !args.yes && ui.can_ask() {
        session.explain(&mut survey).await;
        let glyphs = ui.glyphs();
        present::plan(ui.stdout(), &session.view(&survey), Format::Text, glyphs)?;
        let asked = Instant::now();
        if !ui.confirm(&present::question(&session.view(&survey))).await? {
            return Ok(None);
        }
        session.waited(asked.elapsed());
    }
    Ok(Some((session, survey)))
}
