//! `trueup pull`: fetch, and fast-forward the checkout.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use clap::{Args, ValueEnum};

use super::exit::{Exit, Failure};
use super::headings::{HOW, WHAT};
use super::machine_file::machine;
use super::present::pull::{self as present, Untrusted};
use super::present::trust::refusal;
use super::tracked;
use super::trust::{self, NamedBy};
use super::ui::Ui;
use crate::app::trust::{Refusal, Trust, TrustError, Wanted};
use crate::core::policy::run_options::duration;
use crate::git::pull::{
    PullError, PullOptions, Pulled, RefusedRef, TrackingTarget, Traffic, Warnings, pull,
};
use crate::git::{Checkout, RepositoryLimits};

/// The end of `trueup pull --help`.
const EXAMPLES: &str = "\
Examples:
  trueup pull                            the checkout of this folder
  trueup -C shop pull --url ssh://git@git.example/shop
                                         clone it the first time";

/// Fetch the remote's new commits and fast-forward the checkout
///
/// Local work is never touched: a change in the way, or a branch that has diverged, is refused.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct PullArgs {
    /// Clone from here if there is no checkout yet, and refuse a checkout of anything else
    #[arg(long, help_heading = WHAT)]
    url: Option<String>,

    /// The branch to check out when cloning, and the one that must be checked out
    #[arg(long, help_heading = WHAT)]
    branch: Option<String>,

    /// Clone without a work tree
    #[arg(long, requires = "url", help_heading = WHAT)]
    bare: bool,

    /// Follow tracked refs back, too: a branch that was force-pushed, a tag that moved or is gone
    ///
    /// A target that tracks such a ref stays where it is without this. The checked-out branch is
    /// only ever fast-forwarded.
    #[arg(long, help_heading = HOW)]
    allow_rewind: bool,

    /// How long the remote may be silent: 90s, 5m
    ///
    /// A plain number counts seconds. `--timeout` is the same here.
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = duration, alias = "timeout", help_heading = HOW)]
    pull_timeout: Duration,

    /// How to print what was done
    #[arg(short, long, value_name = "FORMAT", default_value = "text", help_heading = HOW)]
    output: PullFormat,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum PullFormat {
    /// One line
    Text,
    /// One JSON object
    Json,
}

/// Runs the verb.
///
/// # Errors
///
/// When the checkout can't be cloned, fetched or fast-forwarded.
pub fn run(args: PullArgs, directory: PathBuf, ui: &mut Ui) -> Result<Exit, Failure> {
    let PullArgs { url, branch, bare, allow_rewind, pull_timeout: timeout, output } = args;
    let interrupt = Arc::new(AtomicBool::new(false));
    let (limits, warnings) = (RepositoryLimits::default(), Warnings::default());
    let traffic = Traffic::default();
    let checkout = directory.clone();
    let options = PullOptions {
        directory,
        url,
        branch,
        bare,
        timeout,
        interrupt,
        limits,
        warnings: warnings.clone(),
        traffic: traffic.clone(),
        tracked: tracked::refs(None),
        allow_rewind,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let pulled = runtime.block_on(interruptible(options));
    runtime.shutdown_background();
    warnings.take().iter().for_each(|warning| ui.warning(warning));
    let pulled = pulled.context("the pull was interrupted")?;
    let untrusted = match &pulled {
        Ok(_) => untrusted(&checkout)?,
        Err(_) => Untrusted::default(),
    };
    let not_pulled = match &pulled {
        Ok(_) => tracked::not_pulled(&Checkout::discover(&checkout)?),
        Err(_) => Vec::new(),
    };
    let good = if untrusted.is_empty() { Exit::AtCommit } else { Exit::NotAtCommit };
    let (answer, exit) = match (&pulled, output) {
        (Ok(pulled), format) => {
            let exit = if pulled.refused.is_empty() { good } else { Exit::NotAtCommit };
            let answer = match format {
                PullFormat::Text => present::lines(pulled, ui.glyphs()),
                PullFormat::Json => present::json(pulled, traffic.count(), &untrusted)?,
            };
            (Some(answer), exit)
        }
        (Err(PullError::Interrupted), _) => (None, Exit::Interrupted),
        (Err(error), format) => {
            let exit = if error.is_refusal() { Exit::NotAtCommit } else { Exit::CouldNot };
            match format {
                PullFormat::Text => (None, exit),
                PullFormat::Json => (Some(present::failure_json(error)?), exit),
            }
        }
    };
    if let Some(answer) = answer {
        writeln!(ui.stdout(), "{answer}")?;
    }
    not_pulled.iter().for_each(|warning| ui.warning(warning));
    untrusted.head.iter().for_each(|refused| ui.warning(&refusal(refused)));
    for (target, refused) in &untrusted.tracked {
        ui.warning(&format!("{target}: {}", refusal(refused)));
    }
    for RefusedRef { targets, message, hint } in pulled.iter().flat_map(|it| &it.refused) {
        let error = anyhow::anyhow!("{}: {message}", targets.join(", "));
        ui.failure(&Failure { error, hints: vec![hint.clone()] });
    }
    if let Some(error) = pulled.err().filter(|_| exit != Exit::Interrupted) {
        let hints = error.hint().into_iter().collect();
        ui.failure(&Failure { error: error.into(), hints });
    }
    Ok(exit)
}

/// The pulled commits that the machine's rules do not trust. `HEAD` is for no target in particular, so
/// that all rules count. Of a target that tracks a ref, those count that `--target` leads to.
fn untrusted(directory: &Path) -> Result<Untrusted, Failure> {
    let mut untrusted = Untrusted::default();
    if machine()?.verify.is_empty() {
        return Ok(untrusted);
    }
    let checkout = Checkout::discover(directory)?;
    let trust = trust::trust(NamedBy::Checkout, &checkout, false)?;
    untrusted.head = refused(&trust, &checkout, Wanted::Head)?;
    for TrackingTarget { target, tracks } in tracked::tracking(&checkout) {
        // The pull itself tells those that lead nowhere.
        if checkout.resolve_tracked(&tracks).is_err() {
            continue;
        }
        let trust = trust::trust(NamedBy::Operator(&target), &checkout, false)?;
        if let Some(refused) = refused(&trust, &checkout, Wanted::Tracked(&tracks))? {
            untrusted.tracked.insert(target, refused);
        }
    }
    Ok(untrusted)
}

fn refused(
    trust: &Trust,
    checkout: &Checkout,
    wanted: Wanted<'_>,
) -> Result<Option<Refusal>, Failure> {
    match trust.judge(checkout, wanted) {
        Ok(judged) => Ok(judged.refused),
        Err(TrustError::Refused(refusal)) if !refusal.fault.is_unknown() => Ok(Some(*refusal)),
        Err(error) => Err(error.into()),
    }
}

/// How long a pull may take to stop and to clean up once a signal came; a second one ends it at once.
const GRACE: Duration = Duration::from_secs(3);

/// Pulls in a thread of its own, so that a signal can be heard meanwhile.
async fn interruptible(
    options: PullOptions,
) -> Result<Result<Pulled, PullError>, tokio::task::JoinError> {
    let interrupt = options.interrupt.clone();
    let mut pulling = tokio::task::spawn_blocking(move || pull(&options));
    tokio::select! {
        pulled = &mut pulling => return pulled,
        () = super::signals::wanted_to_stop() => interrupt.store(true, Ordering::Relaxed),
    }
    // A pull leaves sound files wherever it stops, and it may be held up where it does not look.
    tokio::select! {
        pulled = pulling => pulled,
        () = super::signals::wanted_to_stop() => Ok(Err(PullError::Interrupted)),
        () = tokio::time::sleep(GRACE) => Ok(Err(PullError::Interrupted)),
    }
}
