//! `trueup apply`: make it so, prune, and wait until it is healthy.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;

use super::approved;
use super::cascade::{self, CascadeArg};
use super::exit::{Exit, Failure};
use super::headings::{HOW, WHAT};
use super::locking::{self, LOCK_TIMEOUT, LockArgs};
use super::present::steps::Steps;
use super::present::{self, OutputFormat};
use super::session::{Session, SessionOptions};
use super::signals;
use super::target::TargetArgs;
use super::throwaway::ThrowawayArgs;
use super::ui::Ui;
use super::waiting::{WaitArgs, WaitDisplay};
use crate::app::{
    self, Event, NoCommitPoller, RoundEnd, RoundOptions, Runner, Survey, TIMEOUT, Target, WaitWhen,
    round,
};
use crate::cluster::Cluster;
use crate::core::approval::Approval;
use crate::core::lease::{Candidate, LeaseWatch};
use crate::core::policy::precedence::SettingLayers;
use crate::core::policy::run_options::duration;
use crate::core::source::snapshot::{Revision, short};
use crate::local::cancel::{Cancellation, Interrupt};
use crate::local::plan_file;

/// How long what passes by itself is waited for in a sandbox: no pod runs there, so whatever does
/// not answer by then never will.
const ALONE: Duration = Duration::from_secs(10);

/// The note after the answer no.
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
    /// Carry out the plan that `trueup diff --out FILE` made
    ///
    /// The file says what to make true and what may be deleted; the cluster is looked at again. If
    /// anything that the plan depends on has moved, nothing is written, and the new difference is
    /// shown. No question is asked.
    #[arg(
        long,
        value_name = "FILE",
        help_heading = WHAT,
        display_order = 4,
        conflicts_with_all = [
            "paths", "rev", "worktree", "name", "moved", "allow_delete", "replace",
            "max_prune", "allow_empty", "adopt", "on_conflict",
            "on_failure",
        ]
    )]
    #[cfg_attr(unix, arg(conflicts_with = "sandbox"))]
    plan: Option<PathBuf>,

    /// Apply without asking; without a terminal it never asks
    #[arg(short, long, help_heading = HOW, display_order = 1)]
    yes: bool,

    #[command(flatten)]
    target: TargetArgs,

    #[command(flatten)]
    throwaway: ThrowawayArgs,

    #[command(flatten)]
    waiting: WaitArgs,

    /// How objects are deleted that own others, such as a Deployment its pods [default: background]
    #[arg(long, value_enum, value_name = "HOW", help_heading = HOW, display_order = 12, hide_short_help = true)]
    cascade: Option<CascadeArg>,

    /// How long to wait for that: 90s, 5m, 1h30m [default: 5m]
    ///
    /// A plain number counts seconds.
    #[arg(long, value_name = "TIME", value_parser = duration, help_heading = HOW, display_order = 3)]
    timeout: Option<Duration>,

    #[command(flatten)]
    locking: LockArgs,

    /// How to print the answer
    #[arg(short, long, value_name = "FORMAT", default_value = "text", help_heading = HOW, display_order = 4)]
    output: OutputFormat,

    /// Exit 0 where the cluster is not at the commit, too
    #[arg(long, help_heading = HOW, display_order = 14, hide_short_help = true)]
    exit_zero: bool,
}

/// Makes the cluster true to the commit.
///
/// # Errors
///
/// When it can't be found out what there is to do, or the inventory can't be written.
pub async fn run(args: ApplyArgs, directory: &Path, ui: &mut Ui) -> Result<Exit, Failure> {
    let interrupt = Interrupt::default();
    signals::listen(&interrupt)?;
    // Until something is written a signal ends the run at once.
    let ready = tokio::select! {
        ready = ready(&args, directory, ui) => ready?,
        () = interrupt.requested() => return Ok(Exit::Interrupted),
    };
    let is_not = if args.exit_zero { Exit::AtCommit } else { Exit::NotAtCommit };
    let Some(ConfirmedApply { session, survey, approval, asked }) = ready else {
        return Ok(is_not);
    };
    let (who, cancel) = (locking::who(), Cancellation::with(&interrupt));
    let (mut watched, is_watched) = (LeaseWatch::default(), ui.has_progress());
    let options = args.options(&session, &who, &cancel, &mut watched, is_watched);
    let options = RoundOptions { approval: approval.as_ref(), ..options };
    let mut applying = Applying {
        args: &args,
        session: &session,
        directory,
        approval: approval.as_ref(),
        asked,
        wait: options.wait.unwrap_or_default(),
        lock_timeout: options.lock_timeout.unwrap_or_default(),
        awaited: None,
        steps: None,
        display: None,
        ui,
    };
    let ended = round(options, survey, &mut applying, &mut NoCommitPoller).await;
    session.warn_of_credentials(ui);
    let RoundEnd { survey, report } = match ended {
        Ok(end) => end,
        Err(EndedEarly::Declined) => return Ok(is_not),
        Err(EndedEarly::Failed(failure)) if was_interrupted(&failure) => {
            return Ok(Exit::Interrupted);
        }
        Err(EndedEarly::Failed(failure)) => return Err(failure),
    };
    let glyphs = ui.glyphs();
    let masked = survey.masked_report(&report);
    present::report(ui.stdout(), &session.view(&survey), &masked, args.output, glyphs)?;
    Ok(match report.is_good() {
        true => Exit::AtCommit,
        false if report.interrupted => Exit::Interrupted,
        false => is_not,
    })
}

/// Whether a signal came before anything was written.
fn was_interrupted(failure: &Failure) -> bool {
    let error = failure.error.downcast_ref::<app::Error>();
    matches!(error, Some(app::Error::Stopped))
}

impl ApplyArgs {
    /// Whether this is a run as from cron, so that it does not mean the very commit that it meets. A
    /// person who runs it, a commit that is named and a plan that was approved are meant.
    fn is_unattended(&self) -> bool {
        self.yes && self.plan.is_none() && self.target.files.rev.is_none()
    }

    /// How the plan is made true.
    fn options<'a>(
        &self,
        session: &'a Session,
        who: &'a Candidate,
        cancel: &'a Cancellation,
        watched: &'a mut LeaseWatch,
        is_watched: bool,
    ) -> RoundOptions<'a> {
        let said = &session.named.run_options;
        let (is_throwaway, timeout) = (self.throwaway.is_wanted(), self.timeout(session));
        let rolls_back = self.locking.rolls_back(said);
        let waits = match rolls_back {
            true => self.waiting.is_wanted(None, true),
            false => self.waiting.is_wanted(said.wait, is_watched && !is_throwaway),
        };
        let lock_timeout = self.locking.patience(said, LOCK_TIMEOUT);
        RoundOptions {
            target: &session.named.target,
            checkout: &session.checkout,
            cluster: &session.cluster,
            who,
            lock_timeout: (!is_throwaway).then_some(lock_timeout),
            watched,
            approval: None,
            passing: if is_throwaway { timeout.min(ALONE) } else { timeout },
            wait: waits.then_some(timeout),
            wait_when: WaitWhen::Always,
            cascade: cascade::counts(self.cascade, said),
            rolls_back,
            cancel,
        }
    }

    /// How long passing faults are waited out.
    fn timeout(&self, session: &Session) -> Duration {
        let said =
            SettingLayers { operator: self.timeout, repository: session.named.run_options.timeout };
        said.counts().unwrap_or(TIMEOUT)
    }
}

/// What is to be carried out, once it is known to be wanted.
struct ConfirmedApply {
    session: Session,
    survey: Survey,
    approval: Option<Approval>,
    /// Whether a person said yes to the plan.
    asked: bool,
}

/// An apply under way.
struct Applying<'a> {
    args: &'a ApplyArgs,
    session: &'a Session,
    directory: &'a Path,
    approval: Option<&'a Approval>,
    /// Whether a person said yes to the plan.
    asked: bool,
    /// How long healthy objects are waited for.
    wait: Duration,
    /// How long another run is waited for.
    lock_timeout: Duration,
    /// Whose lock is waited for, as far as it was said.
    awaited: Option<String>,
    /// The columns of the plan that is being carried out.
    steps: Option<Steps>,
    /// What is shown while objects are waited for.
    display: Option<WaitDisplay>,
    ui: &'a mut Ui,
}

/// Why an apply ended before its plan was carried out.
enum EndedEarly {
    /// The plan that others' writes led to was not approved.
    Declined,
    Failed(Failure),
}

impl<E: Into<Failure>> From<E> for EndedEarly {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Runner for Applying<'_> {
    type Error = EndedEarly;

    async fn survey(&mut self, before: &Survey, cluster: &Cluster) -> Result<Survey, EndedEarly> {
        Ok(self.session.survey_since(before, cluster, self.ui).await?)
    }

    /// Asks again where what was said yes to is not what there is to do now.
    async fn approve(&mut self, before: &Survey, now: &mut Survey) -> Result<(), EndedEarly> {
        let (session, ui) = (self.session, &mut *self.ui);
        let glyphs = ui.glyphs();
        if let Some(approval) = self.approval {
            let difference = approval.difference(now.approval_input());
            if !difference.is_none() {
                session.explain(now).await;
                let view = session.view(now);
                present::moved(ui.stdout(), &view, &difference, self.args.output, glyphs)?;
                return Err(EndedEarly::Declined);
            }
        }
        let is_same = || {
            let said = approved::approval(session, before).ok();
            said.is_some_and(|said| said.difference(now.approval_input()).is_none())
        };
        if !self.asked || !now.decided.plan.writes() || is_same() {
            return Ok(());
        }
        session.explain(now).await;
        ui.warning("the cluster changed meanwhile; updated plan:");
        present::plan(ui.stdout(), &session.view(now), OutputFormat::Text, glyphs)?;
        if ui.confirm(&present::question(&session.view(now))).await? {
            return Ok(());
        }
        ui.note(NOTHING_WRITTEN);
        Err(EndedEarly::Declined)
    }

    fn target_at(&self, commit: &str) -> Result<Target, EndedEarly> {
        Ok(self.session.at(&self.args.target, commit, self.directory)?)
    }

    fn rollback_failed(&mut self, _: &Revision, error: EndedEarly) -> Option<String> {
        if let EndedEarly::Failed(failure) = error {
            self.ui.failure(&failure);
        }
        None
    }

    fn hear(&mut self, survey: &Survey, event: &Event) {
        match event {
            Event::LockAwaited(holder) => {
                if self.awaited.as_ref() != Some(&holder.name) {
                    self.awaited = Some(holder.name.clone());
                    self.ui.note(&locking::waits_for(holder, self.lock_timeout));
                }
            }
            Event::LockForbidden(warning) => self.ui.warning(warning),
            Event::WaitBegan => self.display = Some(WaitDisplay::new(self.wait, self.ui)),
            Event::Waiting(proof) => {
                if let Some(display) = &mut self.display {
                    display.show(proof, self.ui);
                }
            }
            Event::WaitEnded => self.display.take().into_iter().for_each(WaitDisplay::finish),
            Event::Changed(_) | Event::RollbackBegan { .. } | Event::RollbackEnded(_) => {
                if self.args.output == OutputFormat::Text {
                    // Without a reader of stdout the work goes on.
                    let _ = self.write(survey, event);
                }
            }
        }
    }
}

impl Applying<'_> {
    /// Writes what belongs to the answer as it comes.
    fn write(&mut self, survey: &Survey, event: &Event) -> io::Result<()> {
        let glyphs = self.ui.glyphs();
        let view = self.session.view(survey);
        let out = self.ui.stdout();
        match event {
            Event::Changed(step) => {
                let steps =
                    self.steps.get_or_insert_with(|| Steps::new(&survey.masked_plan(), glyphs));
                steps.write(out, step)
            }
            Event::RollbackBegan { to, failed } => {
                self.steps = None;
                present::unhealthy(out, &view, failed, glyphs)?;
                writeln!(out, "\ngoing back to {}\n", short(to))
            }
            Event::RollbackEnded(report) => present::unhealthy(out, &view, report, glyphs),
            _ => Ok(()),
        }
    }
}

/// Looks, decides, and asks where a person can be asked; `None` when the answer is no, or when
/// an approved plan does not hold any more.
async fn ready(
    args: &ApplyArgs,
    directory: &Path,
    ui: &mut Ui,
) -> Result<Option<ConfirmedApply>, Failure> {
    let ApplyArgs { target, throwaway, plan, yes, output, .. } = args;
    let stored = plan.as_deref().map(plan_file::read).transpose()?;
    let (approval, sha256) = stored.map(|it| (it.approval, it.sha256)).unzip();
    let approved = approval.as_ref().map(|approval| &approval.purpose);
    let mut session =
        Session::open(SessionOptions { target, throwaway, approved }, directory, ui).await?;
    session.plan_sha256 = sha256;
    session.name_plan(*output, ui);
    let mut survey = session.survey(ui).await?;
    let difference = approval.as_ref().map(|approval| approval.difference(survey.approval_input()));
    let glyphs = ui.glyphs();
    if let Some(difference) = difference.filter(|difference| !difference.is_none()) {
        session.explain(&mut survey).await;
        present::moved(ui.stdout(), &session.view(&survey), &difference, *output, glyphs)?;
        return Ok(None);
    }
    if survey.has_failed() && args.is_unattended() {
        let (view, commit) = (session.view(&survey), survey.found.revision.short());
        match output {
            OutputFormat::Text => writeln!(
                ui.stdout(),
                "{} is NOT at {commit}: it failed before, and --yes does not try it again; --rev {commit} does",
                session.named.name
            )?,
            _ => present::plan(ui.stdout(), &view, *output, glyphs)?,
        }
        return Ok(None);
    }
    let asked = survey.decided.plan.writes() && approval.is_none() && !yes && ui.can_ask();
    if asked {
        session.explain(&mut survey).await;
        present::plan(ui.stdout(), &session.view(&survey), OutputFormat::Text, glyphs)?;
        let since = Instant::now();
        if !ui.confirm(&present::question(&session.view(&survey))).await? {
            ui.note(NOTHING_WRITTEN);
            return Ok(None);
        }
        session.waited(since.elapsed());
    }
    Ok(Some(ConfirmedApply { session, survey, approval, asked }))
}
