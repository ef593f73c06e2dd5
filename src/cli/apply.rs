//! `trueup apply`: make it so, prune, and wait until it is healthy.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;

use super::approved::{self, found};
use super::cascade::{self, Cascade};
use super::exit::{Exit, Failure};
use super::locking::{self, LOCK_TIMEOUT, LockArgs};
use super::present::steps::Steps;
use super::present::{self, Format};
use super::session::{Session, Wanted};
use super::signals;
use super::target::TargetArgs;
use super::throwaway::ThrowawayArgs;
use super::ui::Ui;
use super::waiting::{self, WaitArgs};
use crate::approval::Approval;
use crate::cancel::{Cancellation, Interrupt};
use crate::cluster::{Cluster, Patience};
use crate::conduct::duration;
use crate::plan_file;
use crate::precedence::Said;
use crate::reconcile::{self, Course, Lock, Return, Survey, TIMEOUT, carry_out, note_health};
use crate::report::Report;

/// How long what passes by itself is waited for in a sandbox: no pod runs there, so whatever does
/// not answer by then never will.
const ALONE: Duration = Duration::from_secs(10);

/// What is said to somebody who says no.
const NOTHING_WRITTEN: &str = "nothing was written";

/// What the end of `trueup apply --help` says.
const EXAMPLES: &str = "\
Examples:
  trueup apply                           show the plan, ask, make it so
  trueup apply --yes --target prod       as in a script
  trueup apply --wait --timeout 10m      and wait until everything is healthy
  trueup apply --on-failure rollback     or back to what was healthy
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
            "on_failure",
        ]
    )]
    #[cfg_attr(unix, arg(conflicts_with = "sandbox"))]
    plan: Option<PathBuf>,

    /// Do not ask, on a terminal either
    #[arg(short, long)]
    yes: bool,

    #[command(flatten)]
    waiting: WaitArgs,

    /// How objects are deleted that own others, such as a Deployment its pods [default: background]
    #[arg(long, value_enum, value_name = "HOW")]
    cascade: Option<Cascade>,

    /// How long to wait for everything to be healthy: 90s, 5m, 1h30m; a plain number counts seconds
    /// [default: 5m]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    timeout: Option<Duration>,

    #[command(flatten)]
    locking: LockArgs,

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
    let interrupt = Interrupt::default();
    signals::listen(&interrupt)?;
    // Until something is written a signal ends the run at once.
    let ready = tokio::select! {
        ready = ready(&args, directory, ui) => ready?,
        () = interrupt.requested() => return Ok(Exit::Interrupted),
    };
    let is_not = if args.exit_zero { Exit::AtCommit } else { Exit::NotAtCommit };
    let Some(mut ready) = ready else { return Ok(is_not) };
    let (who, begin, cancel) = (locking::who(), Instant::now(), Cancellation::with(&interrupt));
    let patience = args.locking.patience(&ready.session.named.conduct, LOCK_TIMEOUT);
    let report = loop {
        let Ready { session, survey, .. } = &ready;
        let target = &session.named.target;
        let lock = if survey.writes() && !args.throwaway.is_wanted() {
            let limits = ((patience, begin), (args.timeout(session), &cancel));
            match locking::lock((session, survey), &who, limits, ui).await {
                Err(reconcile::Error::Stopped) => return Ok(Exit::Interrupted),
                lock => lock?,
            }
        } else {
            Lock::without(&session.cluster, (&target.inventory, &who))
        };
        let ended = lock.keep(locked(&args, (&ready, &lock), (directory, &cancel), ui)).await;
        lock.give_back().await;
        ready.session.warn_of_credentials(ui);
        match ended {
            // Whoever was quicker to make the namespace is waited for like anybody else.
            Err(failure) if was_too_late(&failure) && begin.elapsed() < patience => {
                ready.survey = {
                    let Ready { session, survey, .. } = &ready;
                    session.survey_since(survey, &session.cluster, ui).await?
                };
            }
            ended => break ended?,
        }
    };
    let Some((again, report)) = report else { return Ok(is_not) };
    let (survey, glyphs) = (again.as_deref().unwrap_or(&ready.survey), ui.glyphs());
    let view = ready.session.view(survey);
    present::report(ui.stdout(), (&view, &report), args.output, glyphs)?;
    Ok(match report.is_good() {
        true => Exit::AtCommit,
        false if report.interrupted => Exit::Interrupted,
        false => is_not,
    })
}

impl ApplyArgs {
    /// Whether this is a run as from cron, so that nobody means the very commit that it meets. A
    /// person who runs it, a commit that is named and a plan that was approved are meant.
    fn is_unattended(&self) -> bool {
        self.yes && self.plan.is_none() && self.target.files.rev.is_none()
    }

    /// For how long what passes by itself is waited for.
    fn timeout(&self, session: &Session) -> Duration {
        let said = Said { operator: self.timeout, repository: session.named.conduct.timeout };
        said.counts().unwrap_or(TIMEOUT)
    }
}

/// What is done under the lock: what came of it, and of a second look where one was needed. `None`
/// where the answer is no.
async fn locked(
    args: &ApplyArgs,
    (ready, lock): (&Ready, &Lock<'_>),
    (directory, cancel): (&Path, &Cancellation),
    ui: &mut Ui,
) -> Result<Option<(Option<Box<Survey>>, Report)>, Failure> {
    let Ready { session, survey, approval, .. } = ready;
    let again = match lock.is_stale {
        false => None,
        true => {
            let patient = session.cluster.patient(Patience::of(args.timeout(session), cancel));
            match look_again(args, (ready, &patient), ui).await? {
                Some(again) => Some(Box::new(again)),
                None => return Ok(None),
            }
        }
    };
    let survey = again.as_deref().unwrap_or(survey);
    let (target, glyphs) = (&session.named.target, ui.glyphs());
    let steps = Steps::new(&survey.plan, survey.redactor(), glyphs);
    let is_watched = ui.has_progress() && !args.throwaway.is_wanted();
    let said = &session.named.conduct;
    let rolls_back = args.locking.rolls_back(said);
    let is_waiting = match rolls_back {
        true => args.waiting.is_wanted(None, true),
        false => args.waiting.is_wanted(said.wait, is_watched),
    };
    let timeout = args.timeout(session);
    let cascade = cascade::counts(args.cascade, said);
    let course = Course {
        inventory: &target.inventory,
        lock,
        approval: approval.as_ref(),
        wait: is_waiting.then_some(timeout),
        cancel,
        timeout: if args.throwaway.is_wanted() { timeout.min(ALONE) } else { timeout },
        cascade,
        events: &mut |step| {
            if args.output == Format::Text {
                // A closed stdout leaves nobody to tell; the work goes on.
                let _ = steps.write(ui.stdout(), step);
            }
        },
    };
    let mut report = carry_out(survey, &session.cluster, course).await?;
    if is_waiting {
        waiting::wait((session, survey), &mut report, (timeout, cancel), ui).await;
    }
    let patient = session.cluster.patient(Patience::of(timeout, cancel));
    note_health(survey, (target, &patient), (&mut report, lock)).await?;
    if rolls_back {
        let how = Return { lock, timeout, cascade, cancel };
        let back = |commit: &str| session.at(&args.target, commit, directory);
        let told = (args.output, back);
        locking::roll_back((session, survey, &mut report), how, told, ui).await?;
    }
    Ok(Some((again, report)))
}

/// Whether the lock could not be had once there was a namespace to have it in.
fn was_too_late(failure: &Failure) -> bool {
    let error = failure.error.downcast_ref::<reconcile::Error>();
    matches!(error, Some(reconcile::Error::Locked { .. }))
}

/// What is to be carried out, once it is known to be wanted.
struct Ready {
    session: Session,
    survey: Survey,
    approval: Option<Approval>,
    /// Whether somebody said yes to the plan.
    asked: bool,
}

/// Looks again, after others may have written, and asks again where what was said yes to is not
/// what there is to do now; `None` where it is not what was approved.
async fn look_again(
    args: &ApplyArgs,
    (ready, cluster): (&Ready, &Cluster),
    ui: &mut Ui,
) -> Result<Option<Survey>, Failure> {
    let Ready { session, survey, approval, asked } = ready;
    let mut now = session.survey_since(survey, cluster, ui).await?;
    let glyphs = ui.glyphs();
    if let Some(approval) = approval {
        let difference = approval.difference(found(&now));
        if !difference.is_none() {
            session.explain(&mut now).await;
            present::moved(ui.stdout(), (&session.view(&now), &difference), args.output, glyphs)?;
            return Ok(None);
        }
    }
    let is_same = || {
        let said = approved::approval(session, survey).ok();
        said.is_some_and(|said| said.difference(found(&now)).is_none())
    };
    if *asked && now.plan.writes() && !is_same() {
        session.explain(&mut now).await;
        present::plan(ui.stdout(), &session.view(&now), Format::Text, glyphs)?;
        ui.warning("somebody else wrote meanwhile: this is what there is to do now");
        if !ui.confirm(&present::question(&session.view(&now))).await? {
            ui.note(NOTHING_WRITTEN);
            return Ok(None);
        }
    }
    Ok(Some(now))
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
    if survey.has_failed() && args.is_unattended() {
        let (view, commit) = (session.view(&survey), survey.revision.short());
        match output {
            Format::Text => writeln!(
                ui.stdout(),
                "{} is NOT at {commit}: it failed before, and --yes does not try it again; --rev {commit} does",
                session.named.name
            )?,
            _ => present::plan(ui.stdout(), &view, *output, glyphs)?,
        }
        return Ok(None);
    }
    let asked = survey.plan.writes() && approval.is_none() && !yes && ui.can_ask();
    if asked {
        session.explain(&mut survey).await;
        present::plan(ui.stdout(), &session.view(&survey), Format::Text, glyphs)?;
        let since = Instant::now();
        if !ui.confirm(&present::question(&session.view(&survey))).await? {
            ui.note(NOTHING_WRITTEN);
            return Ok(None);
        }
        session.waited(since.elapsed());
    }
    Ok(Some(Ready { session, survey, approval, asked }))
}
