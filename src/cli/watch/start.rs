//! The beginning of a watch, until its target is known.

use std::io::Write as _;
use std::path::Path;

use super::{INTERVAL, WatchArgs, line_writer, settings_error, stopped};
use crate::app::trust::TrustError;
use crate::app::watch::{GitResult, Remote, SeenNews};
use crate::cli::exit::{Exit, Failure};
use crate::cli::present::round::Log;
use crate::cli::target::NamedTarget;
use crate::cli::ui::Ui;
use crate::cluster::Cluster;
use crate::config::ConfigError;
use crate::git::{self, Checkout};
use crate::local::cancel::Interrupt;

/// The part of a watch that exists before its target is known.
pub(super) struct WatchStart<'a> {
    pub(super) args: &'a WatchArgs,
    pub(super) directory: &'a Path,
    pub(super) cluster: &'a Cluster,
    pub(super) remote: &'a Remote,
}

impl WatchStart<'_> {
    /// The target to watch; `None` where a signal came first. Where `trueup.yaml` is wrong, the
    /// commit that mends it may come with any pull. A ref that the target tracks is pulled at once where
    /// it is not here yet.
    pub(super) async fn resolve_target(
        &self,
        interrupt: &Interrupt,
        ui: &mut Ui,
    ) -> Result<Option<NamedTarget>, Failure> {
        let Self { args, directory, cluster, remote } = *self;
        let mut seen = SeenNews::default();
        let mut log = Log::new(false, ui.glyphs());
        let name = args.target.files.target.as_deref().unwrap_or("trueup");
        let writer = line_writer(name, args.log_format, ui);
        let mut has_pulled = false;
        loop {
            // A commit that comes meanwhile is not to blame.
            let checkout = Checkout::discover(directory)?.steady();
            let failure = match args.target.resolve(directory, &checkout, cluster) {
                Ok(named) => return Ok(Some(named)),
                Err(failure) => failure,
            };
            let error = failure.error.downcast_ref::<ConfigError>();
            // A signed commit may come with any pull, too, and so may a ref.
            let is_unfetched = leads_nowhere(&failure);
            let is_wrong = matches!(error, Some(ConfigError::Invalid { .. }))
                || failure.exit() == Exit::NotAtCommit
                || is_unfetched;
            let is_first = is_unfetched && !std::mem::replace(&mut has_pulled, true);
            let goes_on = is_first || is_wrong && !args.once;
            if !goes_on || !remote.pulls() {
                return Err(failure);
            }
            if !is_first {
                let failed = settings_error(failure);
                let commit = checkout.resolve(None).ok().filter(|_| failed.is_of_commit);
                let (round, git) = (Err(failed.into()), GitResult::default());
                for entry in log.entries(&round, commit.as_ref(), &git) {
                    writeln!(ui.stdout(), "{}", writer.line(&entry))?;
                }
            }
            let pulled = tokio::select! {
                pulled = remote.next(&mut seen, false) => pulled,
                () = interrupt.requested() => None,
            };
            if let Some(Err(error)) = pulled.filter(|_| !interrupt.is_requested()) {
                if args.once {
                    let hints = error.hint().into_iter().collect();
                    return Err(Failure { error: error.into(), hints });
                }
                if let Some(entry) = log.pull_failed(&error) {
                    writeln!(ui.stdout(), "{}", writer.line(&entry))?;
                }
            }
            if !is_first {
                interrupt.sleep(args.interval.unwrap_or(INTERVAL)).await;
            }
            if interrupt.is_requested() {
                writeln!(ui.stdout(), "{}", writer.line(&stopped()))?;
                return Ok(None);
            }
        }
    }
}

/// Whether the target tracks a ref that is not here.
fn leads_nowhere(failure: &Failure) -> bool {
    let error = failure.error.downcast_ref::<TrustError>();
    matches!(error, Some(TrustError::Git(git::Error::Tracked(_))))
}
