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
use super::present::pull as present;
use super::present::trust::refusal;
use super::trust::{self, NamedBy};
use super::ui::Ui;
use crate::app::trust::{Refusal, TrustError, Wanted};
use crate::core::policy::run_options::duration;
use crate::git::pull::{PullError, PullOptions, Pulled, Warnings, pull};
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
    let PullArgs { url, branch, bare, pull_timeout: timeout, output } = args;
    let interrupt = Arc::new(AtomicBool::new(false));
    let (limits, warnings) = (RepositoryLimits::default(), Warnings::default());
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
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let pulled = runtime.block_on(interruptible(options));
    runtime.shutdown_background();
    warnings.take().iter().for_each(|warning| ui.warning(warning));
    let pulled = pulled.context("the pull was interrupted")?;
    let refused = match &pulled {
        Ok(_) => refused(&checkout)?,
        Err(_) => None,
    };
    let good = if refused.is_some() { Exit::NotAtCommit } else { Exit::AtCommit };
    let (answer, exit) = match (&pulled, output) {
        (Ok(pulled), PullFormat::Text) => (Some(present::line(pulled, ui.glyphs())), good),
        (Ok(pulled), PullFormat::Json) => (Some(present::json(pulled, refused.as_ref())?), good),
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
    if let Some(refused) = &refused {
        ui.warning(&refusal(refused));
    }
    if let Some(error) = pulled.err().filter(|_| exit != Exit::Interrupted) {
        let hints = error.hint().into_iter().collect();
        ui.failure(&Failure { error: error.into(), hints });
    }
    Ok(exit)
}

/// The pulled commit, where the machine's rules do not trust it. A pull is for no target in particular,
/// so that all rules count.
fn refused(directory: &Path) -> Result<Option<Refusal>, Failure> {
    if machine()?.verify.is_empty() {
        return Ok(None);
    }
    let checkout = Checkout::discover(directory)?;
    let trust = trust::trust(NamedBy::Checkout, &checkout, false)?;
    match trust.judge(&checkout, Wanted::Head) {
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
