//! `trueup watch`: pull + apply, again and again, and a line for each round that did something.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use super::cascade::{self, CascadeArg};
use super::exit::{Exit, Failure};
use super::headings::{HOW, WHAT};
use super::locking::{self, LOCK_TIMEOUT, LockArgs};
use super::machine_file::watch_marks;
use super::notify::Telling;
use super::present::round::Log;
use super::recording::recording;
use super::signals;
use super::target::{NamedTarget, TargetArgs};
use super::tracked;
use super::ui::Ui;
use super::waiting::WaitArgs;
use crate::app::TIMEOUT;
use crate::app::trust::TrustError;
use crate::app::watch::{
    Remote, SettingsError, SettingsReader, Watch, WatchEvent, WatchSettings, watch,
};
use crate::cluster::Cluster;
use crate::config::ConfigError;
use crate::core::policy::precedence::SettingLayers;
use crate::core::policy::run_options::duration;
use crate::git::pull::{PullOptions, Traffic, Warnings};
use crate::git::{self, Checkout, RepositoryLimits};
use crate::local::cancel::Interrupt;

/// The end of `trueup watch --help`.
const EXAMPLES: &str = "\
Examples:
  trueup watch                           the only target of trueup.yaml
  trueup watch --target prod --interval 5m
  trueup watch --on-failure rollback     back to what was healthy
  trueup watch --once                    one round, as from cron";

/// Pull and apply, again and again
///
/// A round that changed something waits until it is healthy. A round that did something says so in a line; a round that found everything true says nothing.
/// A round that fails is reported, and the next one runs.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct WatchArgs {
    /// Do not fetch; watch the checkout as others update it
    #[arg(long, help_heading = WHAT, display_order = 9)]
    no_pull: bool,

    /// Time between rounds: 90s, 5m
    ///
    /// Give or take a tenth. A plain number counts seconds.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration, env = "TRUEUP_INTERVAL", hide_env_values = true, help_heading = HOW, display_order = 1)]
    interval: Duration,

    /// Run one round and end with its result
    #[arg(long, help_heading = HOW, display_order = 2)]
    once: bool,

    #[command(flatten)]
    target: TargetArgs,

    #[command(flatten)]
    waiting: WaitArgs,

    /// How objects are deleted that own others, such as a Deployment its pods [default: background]
    #[arg(long, value_enum, value_name = "HOW", help_heading = HOW, display_order = 12, hide_short_help = true)]
    cascade: Option<CascadeArg>,

    /// How long a round waits for that: 90s, 5m [default: 5m]
    ///
    /// A plain number counts seconds. `--wait-timeout` is the same.
    #[arg(long, value_name = "TIME", value_parser = duration, alias = "wait-timeout", help_heading = HOW, display_order = 4)]
    timeout: Option<Duration>,

    #[command(flatten)]
    locking: LockArgs,

    /// How long the remote may be silent: 90s, 5m; a plain number counts seconds
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = duration, help_heading = HOW, display_order = 14, hide_short_help = true)]
    pull_timeout: Duration,
}

/// Runs rounds until a signal comes, or one with `--once`.
///
/// # Errors
///
/// When there is no checkout or no way to the cluster to begin with.
pub async fn run(args: WatchArgs, directory: &Path, ui: &mut Ui) -> Result<Exit, Failure> {
    let interrupt = Interrupt::default();
    signals::listen(&interrupt)?;
    let checkout = Checkout::discover(directory)?;
    let access = args.target.access_to(directory, &checkout)?;
    // An identity provider that is down for a moment fails a round, as an API server does.
    let cluster = match args.once {
        true => Cluster::connect(&access).await?,
        false => Cluster::prepared(&access)?,
    };
    let follows = !args.no_pull && args.target.follows_head();
    // From cron, a checkout without a remote should not send a mail each time.
    if follows && !checkout.has_remote() && (!args.once || ui.has_reader()) {
        ui.warning(
            "the repository has no remote, so nothing is pulled: use --no-pull if this is intended",
        );
    }
    let pull = (follows && checkout.has_remote()).then(|| PullOptions {
        directory: directory.to_owned(),
        url: None,
        branch: None,
        bare: false,
        timeout: args.pull_timeout,
        interrupt: Arc::clone(interrupt.flag()),
        limits: RepositoryLimits::default(),
        warnings: Warnings::default(),
        traffic: Traffic::default(),
        tracked: tracked::refs(args.target.files.target.clone()),
        allow_rewind: false,
    });
    let beginning = WatchStart { args: &args, directory, cluster: &cluster, pull: pull.as_ref() };
    let mut remote = Remote::default();
    let Some(named) = beginning.resolve_target(&mut remote, &interrupt, ui).await? else {
        return Ok(Exit::AtCommit);
    };
    let (once, interval, who) = (args.once, args.interval, locking::who());
    let mut args = args;
    if named.declared && args.target.files.paths.is_empty() {
        // Whatever targets there will be besides.
        let is_chosen = args.target.files.target.is_some();
        args.target.files.is_named_by_checkout = !is_chosen;
        args.target.files.target = Some(named.name.clone());
    }
    let telling = Telling::of(&named.name, &checkout, pull.is_some())?;
    let settings = settings(args, directory.to_owned());
    let (directory, delays) = (directory.to_owned(), ui.delays());
    let recording = recording("watch", &who);
    let mark = watch_marks().filter(|_| !once).map(|marks| marks.own());
    let setting =
        Watch { directory, pull, settings, access, interval, once, who, recording, delays, mark };
    // From cron, a round with nothing to tell should not send a mail.
    let mut log = Log::new(&named.name, !once || ui.has_reader(), ui.glyphs());
    if !once {
        writeln!(ui.stdout(), "{}", log.beginning(&setting, &named.shown_paths))?;
    }
    let (mut exit, mut warned) = (Exit::AtCommit, BTreeSet::new());
    let is_warned = !once || ui.has_reader();
    Box::pin(watch(&setting, remote, &interrupt, &mut |event| {
        ui.cell();
        let warnings = setting.pull.iter().flat_map(|pull| pull.warnings.take());
        let warnings = warnings.chain(setting.access.credentials.take_warnings());
        // Once: they are the same in every round.
        let new = warnings.filter(|warning| is_warned && warned.insert(warning.clone()));
        for warning in new {
            let _ = writeln!(ui.stdout(), "{}", log.line(&format!("warning: {warning}")));
        }
        let of_telling = telling.iter().flat_map(|it| it.hear(&event, &setting.directory));
        for warning in of_telling.collect::<Vec<_>>() {
            let _ = writeln!(ui.stdout(), "{}", log.line(&format!("warning: {warning}")));
        }
        let lines = match event {
            WatchEvent::HeldBack { failed, healthy } => {
                log.held_back(&failed, &healthy).into_iter().collect()
            }
            WatchEvent::Idle | WatchEvent::Deploying(_) => Vec::new(),
            WatchEvent::Ended { round, .. } => {
                exit = log.exit(&round);
                log.lines(*round)
            }
        };
        for line in lines {
            // A closed stdout has no reader; the work goes on.
            let _ = writeln!(ui.stdout(), "{line}");
        }
    }))
    .await;
    for warning in telling.into_iter().flat_map(|it| it.finish(once)) {
        writeln!(ui.stdout(), "{}", log.line(&format!("warning: {warning}")))?;
    }
    match once {
        true => Ok(exit),
        false => {
            if let Some(pull) = &setting.pull {
                let cost = pull.traffic.count().to_string();
                writeln!(ui.stdout(), "{}", log.line(&cost))?;
            }
            writeln!(ui.stdout(), "{}", log.line("stopped"))?;
            Ok(Exit::AtCommit)
        }
    }
}

/// The part of a watch that exists before its target is known.
struct WatchStart<'a> {
    args: &'a WatchArgs,
    directory: &'a Path,
    cluster: &'a Cluster,
    pull: Option<&'a PullOptions>,
}

impl WatchStart<'_> {
    /// The target to watch; `None` where a signal came first. Where `trueup.yaml` is wrong, the
    /// commit that mends it may come with any pull. A ref that the target tracks is pulled at once where
    /// it is not here yet.
    async fn resolve_target(
        &self,
        remote: &mut Remote,
        interrupt: &Interrupt,
        ui: &mut Ui,
    ) -> Result<Option<NamedTarget>, Failure> {
        let Self { args, directory, cluster, pull } = *self;
        let mut log =
            Log::new(args.target.files.target.as_deref().unwrap_or("trueup"), false, ui.glyphs());
        let mut has_pulled = false;
        loop {
            let checkout = Checkout::discover(directory)?;
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
            let Some(pull) = pull.filter(|_| goes_on) else { return Err(failure) };
            if !is_first {
                for line in log.lines(Err(settings_error(failure).into())) {
                    writeln!(ui.stdout(), "{line}")?;
                }
            }
            let pulled = tokio::select! {
                pulled = remote.next(pull, args.interval) => pulled.ok(),
                () = interrupt.requested() => None,
            };
            if let Some(Err(error)) = pulled.filter(|_| !interrupt.is_requested()) {
                if args.once {
                    let hints = error.hint().into_iter().collect();
                    return Err(Failure { error: error.into(), hints });
                }
                if let Some(line) = log.pull_failed(&error) {
                    writeln!(ui.stdout(), "{line}")?;
                }
            }
            if !is_first {
                interrupt.sleep(args.interval).await;
            }
            if interrupt.is_requested() {
                writeln!(ui.stdout(), "{}", log.line("stopped"))?;
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

fn settings_error(failure: Failure) -> SettingsError {
    let is_refusal = failure.exit() == Exit::NotAtCommit;
    let Failure { error, hints } = failure;
    SettingsError { message: format!("{error:#}"), hint: hints.into_iter().next(), is_refusal }
}

/// Reads what the flags and a commit's `trueup.yaml` say.
fn settings(args: WatchArgs, directory: PathBuf) -> SettingsReader {
    Box::new(move |checkout, cluster, commit| {
        let mut target = args.target.clone();
        if let Some(commit) = commit {
            (target.files.rev, target.files.worktree) = (Some(commit.to_owned()), false);
        }
        let named = target.resolve(&directory, checkout, cluster).map_err(settings_error)?;
        let said = &named.run_options;
        let timeout = SettingLayers { operator: args.timeout, repository: said.timeout };
        let timeout = timeout.counts().unwrap_or(TIMEOUT);
        let usually = if args.once { LOCK_TIMEOUT } else { Duration::ZERO };
        Ok(WatchSettings {
            cascade: cascade::counts(args.cascade, said),
            wait: args.waiting.is_wanted(said.wait, true).then_some(timeout),
            lock_timeout: args.locking.patience(said, usually),
            rolls_back: args.locking.rolls_back(said),
            target: named.target,
        })
    })
}
