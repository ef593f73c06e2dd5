//! `trueup apply`: make it so, prune, and wait until it is healthy.

mod all;
mod confirm;
mod one_of_all;
mod runner;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use confirm::{ConfirmedApply, Decision, ready};
use runner::{Applying, EndedEarly};

use crate::app::{
    self, NoCommitPoller, Recording, RoundEnd, RoundOptions, TIMEOUT, WaitWhen, round,
};
use crate::cli::cascade::{self, CascadeArg};
use crate::cli::exit::{Exit, Failure};
use crate::cli::headings::{GUARDS, HOW, WHAT};
use crate::cli::locking::{self, LOCK_TIMEOUT, LockArgs};
use crate::cli::present::{self, OutputFormat};
use crate::cli::recording::recording;
use crate::cli::signals;
use crate::cli::target::{NamedTarget, TargetArgs};
use crate::cli::throwaway::ThrowawayArgs;
use crate::cli::ui::Ui;
use crate::cli::waiting::WaitArgs;
use crate::cluster::Cluster;
use crate::core::lease::{Candidate, LeaseWatch};
use crate::core::modes::Passes;
use crate::core::policy::precedence::SettingLayers;
use crate::core::policy::run_options::{RunOptions, duration};
use crate::git::Checkout;
use crate::local::cancel::{Cancellation, Interrupt};

/// How long what passes by itself is waited for in a sandbox: no pod runs there, so whatever does
/// not answer by then never will.
const ALONE: Duration = Duration::from_secs(10);

/// The note after the answer no.
const NOTHING_WRITTEN: &str = "nothing was written";

/// The end of `trueup apply --help`.
const EXAMPLES: &str = "\
Examples:
  trueup apply                           show the plan, ask, make it so
  trueup apply --yes --target prod       as in a script
  trueup apply --all-targets --yes       every target, in order
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

    /// Apply every target of trueup.yaml
    ///
    /// Each once those are healthy that it comes `after`, and independent ones side by side. One that
    /// fails holds back those after it, and no others. Those that others come after are waited for with
    /// --no-wait, too.
    #[arg(
        long,
        help_heading = WHAT,
        display_order = 2,
        hide_short_help = true,
        conflicts_with_all = ["paths", "target", "name", "moved", "plan"]
    )]
    all_targets: bool,

    /// Take down a target that is gone from trueup.yaml
    ///
    /// Objects that other targets of the commit declare are left to them. All others of its inventory are
    /// deleted, and the inventory last. --allow-delete counts, and --max-prune where it is given.
    #[arg(
        long,
        value_name = "NAME",
        help_heading = WHAT,
        display_order = 3,
        hide_short_help = true,
        conflicts_with_all = ["paths", "target", "name", "moved", "plan", "all_targets", "worktree"]
    )]
    removed: Option<String>,

    /// Apply without asking; without a terminal it never asks
    #[arg(short, long, help_heading = HOW, display_order = 1)]
    yes: bool,

    #[command(flatten)]
    target: TargetArgs,

    /// Release the commit where the target's mode is hold
    #[arg(long, conflicts_with = "worktree", help_heading = GUARDS, display_order = 12, hide_short_help = true)]
    release: bool,

    /// Though the target's windows are closed
    #[arg(long, help_heading = GUARDS, display_order = 13, hide_short_help = true)]
    outside_windows: bool,

    /// Though the target is suspended, which it stays
    #[arg(long, help_heading = GUARDS, display_order = 11, hide_short_help = true)]
    suspended: bool,

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
pub async fn run(mut args: ApplyArgs, directory: &Path, ui: &mut Ui) -> Result<Exit, Failure> {
    let interrupt = Interrupt::default();
    signals::listen(&interrupt)?;
    args.target.removed = args.removed.take();
    if args.all_targets {
        return Box::pin(all::run(&args, directory, &interrupt, ui)).await;
    }
    let who = locking::who();
    let recording = recording("apply", &who).filter(|_| !args.throwaway.is_wanted());
    let recording = recording.as_ref();
    // Until something is written a signal ends the run at once.
    let ready = tokio::select! {
        ready = ready(&args, directory, recording, ui) => ready?,
        () = interrupt.requested() => return Ok(Exit::Interrupted),
    };
    let is_not = if args.exit_zero { Exit::AtCommit } else { Exit::NotAtCommit };
    let ConfirmedApply { session, survey, approval, asked } = match ready {
        Decision::Apply(confirmed) => *confirmed,
        Decision::InSync(Exit::AtCommit) => return Ok(Exit::AtCommit),
        Decision::InSync(_) => return Ok(is_not),
        Decision::Declined => return Ok(is_not),
    };
    let cancel = Cancellation::with(&interrupt);
    let (mut watched, is_watched) = (LeaseWatch::default(), ui.has_progress());
    let place = ApplyPlace {
        named: &session.named,
        checkout: &session.checkout,
        cluster: &session.cluster,
        recording,
    };
    let options = args.options(place, &who, &cancel, &mut watched, is_watched);
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
        true if session.refused().is_none() => Exit::AtCommit,
        true => is_not,
        false if report.interrupted => Exit::Interrupted,
        false => is_not,
    })
}

/// Whether a signal came before anything was written.
fn was_interrupted(failure: &Failure) -> bool {
    let error = failure.error.downcast_ref::<app::Error>();
    matches!(error, Some(app::Error::Stopped))
}

/// A target, and where it is declared and made true.
#[derive(Clone, Copy)]
struct ApplyPlace<'a> {
    named: &'a NamedTarget,
    checkout: &'a Checkout,
    cluster: &'a Cluster,
    /// How the round is recorded.
    recording: Option<&'a Recording>,
}

impl ApplyArgs {
    /// Whether this is a run as from cron, so that it does not mean the very commit that it meets. A
    /// person who runs it, a commit that is named and a plan that was approved are meant.
    fn is_unattended(&self) -> bool {
        self.yes && self.plan.is_none() && self.target.files.rev.is_none()
    }

    /// The holds that whoever runs this goes past on purpose. A cluster of the run's own holds nothing.
    fn passes(&self) -> Passes {
        Passes {
            suspended: self.suspended || self.throwaway.is_wanted(),
            release: self.release,
            windows: self.outside_windows,
        }
    }

    /// How the plan is made true.
    fn options<'a>(
        &self,
        place: ApplyPlace<'a>,
        who: &'a Candidate,
        cancel: &'a Cancellation,
        watched: &'a mut LeaseWatch,
        is_watched: bool,
    ) -> RoundOptions<'a> {
        let ApplyPlace { named, checkout, cluster, recording } = place;
        let said = &named.run_options;
        let (is_throwaway, timeout) = (self.throwaway.is_wanted(), self.timeout(said));
        let rolls_back = self.locking.rolls_back(said);
        let waits = self.waits(said, is_watched);
        let lock_timeout = self.locking.patience(said, LOCK_TIMEOUT);
        RoundOptions {
            target: &named.target,
            checkout,
            cluster,
            who,
            lock_timeout: (!is_throwaway).then_some(lock_timeout),
            lent: None,
            watched,
            tenure: None,
            passes: self.passes(),
            approval: None,
            passing: if is_throwaway { timeout.min(ALONE) } else { timeout },
            wait: waits.then_some(timeout),
            wait_when: WaitWhen::Always,
            cascade: cascade::counts(self.cascade, said),
            rolls_back,
            recording,
            cancel,
        }
    }

    /// Whether healthy objects are waited for.
    fn waits(&self, said: &RunOptions, is_watched: bool) -> bool {
        match self.locking.rolls_back(said) {
            true => self.waiting.is_wanted(None, true),
            false => self.waiting.is_wanted(said.wait, is_watched && !self.throwaway.is_wanted()),
        }
    }

    /// How long passing faults are waited out.
    fn timeout(&self, said: &RunOptions) -> Duration {
        let said = SettingLayers { operator: self.timeout, repository: said.timeout };
        said.counts().unwrap_or(TIMEOUT)
    }
}
