//! `trueup apply`: make it so, prune, and wait until it is healthy.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;

use super::approved::found;
use super::cascade::Cascade;
use super::exit::{Exit, Failure};
use super::present::steps::Steps;
use super::present::{self, Format};
use super::session::{Session, Wanted};
use super::signals;
use super::target::TargetArgs;
use super::throwaway::ThrowawayArgs;
use super::ui::Ui;
use super::waiting::{self, WaitArgs};
use crate::approval::Approval;
use crate::plan_file;
use crate::reconcile::{Course, Survey, carry_out};
use crate::watch::Stop;

/// What the end of `trueup apply --help` says.
const EXAMPLES: &str = "\
Examples:
  trueup apply                           show the plan, ask, make it so
  trueup apply --yes --target prod       as in a script
  trueup apply --wait --timeout 10m      and wait until everything is healthy
  trueup apply --rev HEAD~1              back to the commit before
  trueup apply --plan plan.json          what was approved, or nothing
  trueup apply --allow-delete Namespace  a deleted Namespace is meant";

/// Make the cluster true to the commit, and prune
///
/// On a terminal the plan is shown first, you are asked, and the run ends when everything is healthy
/// or something has failed; elsewhere `--wait` does that. What the inventory has and the commit no
/// longer declares is deleted last, and only if everything else went well.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ApplyArgs {
    #[command(flatten)]
    target: TargetArgs,

    #[command(flatten)]
    throwaway: ThrowawayArgs,

    /// Carry out exactly the plan in FILE, made by `trueup diff --out FILE`
    ///
    /// The file says what to make true and what may be deleted; the cluster is looked at anew. If
    /// anything that the plan depends on has moved, nothing is written, and the new difference is
    /// shown. No question is asked.
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = [
            "paths", "rev", "worktree", "name", "moved", "allow_delete", "replace",
            "max_prune", "allow_empty", "adopt", "on_conflict",
        ]
    )]
    #[cfg_attr(unix, arg(conflicts_with = "sandbox"))]
    plan: Option<PathBuf>,

    /// Do not ask, on a terminal either
    #[arg(short, long)]
    yes: bool,

    #[command(flatten)]
    waiting: WaitArgs,

    /// How objects are deleted that own others, such as a Deployment its pods
    #[arg(long, value_enum, value_name = "HOW", default_value_t)]
    cascade: Cascade,

    /// How long to wait: 90s, 5m, 1h30m
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = waiting::duration)]
    timeout: Duration,

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
    let Some(Ready { session, survey, approval }) = ready else {
        return Ok(if args.exit_zero { Exit::AtCommit } else { Exit::NotAtCommit });
    };
    let glyphs = ui.glyphs();
    let steps = Steps::new(&survey.plan, survey.redactor(), glyphs);
    let is_watched = ui.has_progress() && !args.throwaway.is_wanted();
    let is_waiting = args.waiting.is_wanted(is_watched);
    let course = Course {
        inventory: &session.named.target.inventory,
        approval: approval.as_ref(),
        wait: is_waiting.then_some(args.timeout),
        stop: stop.flag(),
        timeout: args.timeout,
        cascade: args.cascade.into(),
        events: &mut |step| {
            if args.output == Format::Text {
                // A closed stdout leaves nobody to tell; the work goes on.
                let _ = steps.write(ui.stdout(), step);
            }
        },
    };
    let mut report = carry_out(&survey, &session.cluster, course).await?;
    if is_waiting {
        waiting::wait((&session, &survey), &mut report, (args.timeout, stop.flag()), ui).await;
    }
    present::report(ui.stdout(), (&session.view(&survey), &report), args.output, glyphs)?;
    Ok(match report.is_good() {
        true => Exit::AtCommit,
        false if report.interrupted => Exit::Interrupted,
        false if args.exit_zero => Exit::AtCommit,
        false => Exit::NotAtCommit,
    })
}

/// What is to be carried out, once it is known to be wanted.
struct Ready {
    session: Session,
    survey: Survey,
    approval: Option<Approval>,
}

/// Looks, decides, and asks where there is somebody to ask; `None` when the answer is no, or when
/// an approved plan does not hold any more.
async fn ready(args: &ApplyArgs, directory: &Path, ui: &mut Ui) -> Result<Option<Ready>, Failure> {
    let ApplyArgs { target, throwaway, plan, yes, output, .. } = args;
    let approval = plan.as_deref().map(plan_file::read).transpose()?;
    let approved = approval.as_ref().map(|approval| &approval.purpose);
    let mut session = Session::open(Wanted { target, throwaway, approved }, directory, ui).await?;
    let mut survey = session.survey(ui).await?;
    let difference = approval.as_ref().map(|approval| approval.difference(found(&survey)));
    let glyphs = ui.glyphs();
    if let Some(difference) = difference.filter(|difference| !difference.is_none()) {
        session.explain(&mut survey).await;
        present::moved(ui.stdout(), (&session.view(&survey), &difference), *output, glyphs)?;
        return Ok(None);
    }
    if survey.plan.writes() && approval.is_none() && !yes && ui.can_ask() {
        session.explain(&mut survey).await;
        present::plan(ui.stdout(), &session.view(&survey), Format::Text, glyphs)?;
        let asked = Instant::now();
        if !ui.confirm(&present::question(&session.view(&survey))).await? {
            return Ok(None);
        }
        session.waited(asked.elapsed());
    }
    Ok(Some(Ready { session, survey, approval }))
}
