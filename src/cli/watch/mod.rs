//! `trueup watch`: pull + apply, again and again, and a line for each round that did something.

mod asked;
mod chorus;
mod figures;
mod heartbeat;
mod lasting_fault;
mod page;
mod replicas;
mod several;
mod single;
mod start;
mod voice;
mod waking;
mod webhook;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueHint};

pub(super) use self::asked::{socket_folders, socket_name};
use self::page::PageWriter;
use self::replicas::ReplicaArgs;
use self::waking::WakingArgs;
use self::webhook::{PushFaults, WebhookArgs};
use super::cascade::{self, CascadeArg};
use super::exit::{Exit, Failure};
use super::headings::{HOW, WHAT};
use super::locking::{LOCK_TIMEOUT, LockArgs};
use super::machine_file::watch_marks;
use super::present::round::entry::{Entry, LineTime, LineWriter, LogFormat, RoundId};
use super::signals::{self, WatchSignal};
use super::status::{WatchedPage, prepare_page};
use super::target::TargetArgs;
use super::tracked;
use super::ui::Ui;
use super::waiting::WaitArgs;
use crate::app::TIMEOUT;
use crate::app::watch::{
    ContextReader, RemoteOptions, SettingsError, SettingsReader, Touched, TouchedTarget,
    WakeReason, Wakes, WatchSettings,
};
use crate::cluster::Listener;
use crate::config::ConfigError;
use crate::config::machine::MachineError;
use crate::config::notify::variable;
use crate::core::log::LogEvent;
use crate::core::policy::precedence::SettingLayers;
use crate::core::policy::run_options::duration;
use crate::git::pull::{PullOptions, Traffic, Warnings};
use crate::git::{Checkout, RepositoryLimits};
use crate::local::cancel::Interrupt;
use crate::local::few_arenas;
use crate::local::replaced_file::remove_left_behind;
use crate::local::watch_marks::WatchMarks;
use crate::notify::Traces;

/// The time between rounds where neither a flag nor the target's settings say it.
const INTERVAL: Duration = Duration::from_secs(30);

/// The end of `trueup watch --help`.
const EXAMPLES: &str = "\
Examples:
  trueup watch                           the only target of trueup.yaml
  trueup watch --all-targets --interval 5m
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

    /// Watch every target of trueup.yaml, side by side
    ///
    /// New targets are taken in while it runs. A new commit waits for the targets that its own comes `after`.
    #[arg(long, group = "several", help_heading = WHAT, display_order = 2, hide_short_help = true, conflicts_with_all = ["paths", "target", "name", "moved"])]
    all_targets: bool,

    /// Watch these targets of trueup.yaml: a,b
    #[arg(long, value_name = "NAMES", value_delimiter = ',', group = "several", help_heading = WHAT, display_order = 2, hide_short_help = true, conflicts_with_all = ["paths", "target", "name", "moved", "all_targets"])]
    targets: Vec<String>,

    /// Time between rounds: 90s, 5m [default: 30s]
    ///
    /// Give or take a tenth. It counts before `interval` of a target in trueup.yaml. A plain number counts seconds. Rounds that fail in a row come less and less often,
    /// every five minutes at least.
    #[arg(long, value_name = "TIME", value_parser = duration, env = "TRUEUP_INTERVAL", hide_env_values = true, help_heading = HOW, display_order = 1)]
    interval: Option<Duration>,

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

    /// How the log is written
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t, help_heading = HOW, display_order = 15, hide_short_help = true)]
    log_format: LogFormat,

    /// Replace FILE after each round that was good: the time, the commit, and when the next one is due
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = HOW, display_order = 16, hide_short_help = true)]
    status_file: Option<PathBuf>,

    /// Replace FILE after each round with figures for Prometheus' textfile collector
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = HOW, display_order = 17, hide_short_help = true)]
    metrics_file: Option<PathBuf>,

    /// Keep a page that shows the targets in FILE: that of trueup status --html
    ///
    /// It is replaced after each round that told something, and else once a minute.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with_all = ["paths", "name"], help_heading = HOW, display_order = 17, hide_short_help = true)]
    html: Option<PathBuf>,

    /// Serve /metrics, /healthz and /readyz at ADDRESS, such as 9464 or 0.0.0.0:9464
    ///
    /// A port alone is served to this machine alone.
    #[arg(long, value_name = "ADDRESS", value_parser = figures::address, conflicts_with = "once", help_heading = HOW, display_order = 18, hide_short_help = true)]
    listen: Option<SocketAddr>,

    /// Send a trace of each round but quiet ones to a collector, by OTLP over HTTP
    ///
    /// Where to is said by OpenTelemetry's variables, such as OTEL_EXPORTER_OTLP_ENDPOINT. The default is
    /// http://localhost:4318.
    #[arg(long, help_heading = HOW, display_order = 18, hide_short_help = true)]
    traces: bool,

    #[command(flatten)]
    waking: WakingArgs,

    #[command(flatten)]
    webhook: WebhookArgs,

    #[command(flatten)]
    replicas: Box<ReplicaArgs>,

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
    if !args.once {
        few_arenas::begin_again();
    }
    let interrupt = Interrupt::default();
    signals::listen(&interrupt)?;
    args.html.as_deref().map_or(Ok(()), prepare_page)?;
    for file in [&args.status_file, &args.metrics_file].into_iter().flatten() {
        remove_left_behind(file);
    }
    let checkout = Checkout::discover(directory)?;
    let (wakes, touched) = (Wakes::default(), Touched::default());
    if !args.once {
        hear_signals(&wakes, &touched, ui)?;
        // Those of watches that were killed would pile up.
        watch_marks().iter().for_each(WatchMarks::remove_stale);
    }
    let faults = PushFaults::default();
    let begun = Begun { directory, checkout, interrupt, wakes, touched, faults };
    match args.all_targets || !args.targets.is_empty() {
        true => Box::pin(several::run(args, begun, ui)).await,
        false => Box::pin(single::run(args, begun, ui)).await,
    }
}

/// The part of a watch that is there whatever its targets are.
struct Begun<'a> {
    directory: &'a Path,
    checkout: Checkout,
    interrupt: Interrupt,
    wakes: Wakes,
    touched: Touched,
    /// The faults of pushes that were heard.
    faults: PushFaults,
}

impl Begun<'_> {
    /// How to bring commits here, for one target or `None` for all.
    fn remote(&self, args: &WatchArgs, only: Option<String>, ui: &mut Ui) -> RemoteOptions {
        let has_remote = self.checkout.has_remote();
        let follows = !args.no_pull && args.target.follows_head();
        // From cron, a checkout without a remote should not send a mail each time.
        if follows && !has_remote && (!args.once || ui.has_reader()) {
            ui.warning(
                "the repository has no remote, so nothing is pulled: use --no-pull if this is intended",
            );
        }
        let tracked = tracked::refs(only);
        let pull = (follows && has_remote).then(|| PullOptions {
            directory: self.directory.to_owned(),
            url: None,
            branch: None,
            bare: false,
            timeout: args.pull_timeout,
            interrupt: Arc::clone(self.interrupt.flag()),
            limits: RepositoryLimits::default(),
            warnings: Warnings::default(),
            traffic: Traffic::default(),
            tracked: tracked.clone(),
            allow_rewind: false,
        });
        let interval = args.interval.unwrap_or(INTERVAL);
        let directory = self.directory.to_owned();
        RemoteOptions { directory, pull, tracked, interval, once: args.once }
    }
}

/// Begins to send traces, where that is wanted.
fn traces(args: &WatchArgs) -> Result<Option<Traces>, Failure> {
    match args.traces {
        true => Ok(Traces::start(variable).map_err(anyhow::Error::from)?),
        false => Ok(None),
    }
}

/// Hears of pushes from now on where that is wanted, and gives the line that says where.
async fn hear_pushes(args: &WatchArgs, begun: &Begun<'_>) -> Result<Option<Entry>, Failure> {
    let address = args.webhook.listen(begun).await?;
    let text = address.map(|address| format!("pushes at http://{address}/"));
    Ok(text.map(|text| Entry::new(LogEvent::Started, text)))
}

/// Hears what takes a while.
fn delays(writer: &LineWriter, ui: &Ui) -> Listener {
    match writer.format {
        LogFormat::Text => ui.delays(),
        LogFormat::Json => ui.delays_as({
            let writer = writer.clone();
            move |text| writer.line(&Entry::new(LogEvent::Waiting, text))
        }),
    }
}

/// Rings the bells when a signal asks for a round.
fn hear_signals(wakes: &Wakes, touched: &Touched, ui: &Ui) -> std::io::Result<()> {
    let (wakes, touched) = (wakes.clone(), touched.clone());
    signals::for_watch(ui.has_reader(), move |signal| match signal {
        WatchSignal::Sync => wakes.ring_all(WakeReason::Asked),
        WatchSignal::Reload => {
            touched.begin_again();
            wakes.ring_all(WakeReason::Reloaded);
        }
    })
}

/// Writes the lines about a target, as whoever reads stdout needs them.
fn line_writer(target: &str, format: LogFormat, ui: &Ui) -> LineWriter {
    let time = if ui.has_reader() { LineTime::OfDay } else { LineTime::Full };
    LineWriter {
        target: target.to_owned(),
        column: 0,
        time,
        glyphs: ui.glyphs(),
        format,
        is_journal: ui.is_journal(),
        round: RoundId::default(),
    }
}

/// The watches of a target's objects, unless a round is to look at them all each time.
fn touched(args: &WatchArgs, touched: &Touched, name: &str) -> Option<TouchedTarget> {
    let WakingArgs { no_watch_api, resync } = args.waking;
    (!args.once && !no_watch_api).then(|| TouchedTarget {
        touched: touched.clone(),
        name: name.to_owned(),
        resync,
    })
}

/// The page of these targets, or of all, where one is wanted.
fn page(args: &WatchArgs, targets: Vec<String>, directory: &Path) -> Option<PageWriter> {
    let page = args.html.clone().map(|file| WatchedPage {
        file,
        targets,
        namespace: args.target.files.namespace.clone(),
        access: args.target.access.clone(),
    });
    page.map(|page| PageWriter::begin(page, directory))
}

/// The last entry.
fn stopped() -> Entry {
    Entry::new(LogEvent::Stopped, "stopped")
}

fn settings_error(failure: Failure) -> SettingsError {
    let is_refusal = failure.exit() == Exit::NotAtCommit;
    let Failure { error, hints } = failure;
    let config = error.downcast_ref::<ConfigError>();
    let is_gone = matches!(config, Some(ConfigError::UnknownTarget { .. }));
    let hint = hints.into_iter().next();
    let is_of_machine = |cause: &(dyn std::error::Error + 'static)| {
        cause.is::<MachineError>() || cause.is::<std::io::Error>()
    };
    let is_of_commit = !is_refusal && !error.chain().any(is_of_machine);
    SettingsError { message: format!("{error:#}"), hint, is_refusal, is_of_commit, is_gone }
}

/// Reads by which context a target is reached.
fn context(target: TargetArgs, name: &str) -> ContextReader {
    let name = name.to_owned();
    Arc::new(move || Ok(target.access_of(&name).map_err(settings_error)?.context))
}

/// Reads what the flags and a commit's `trueup.yaml` say of a target.
fn settings(args: Arc<WatchArgs>, target: TargetArgs, directory: PathBuf) -> SettingsReader {
    Arc::new(move |checkout, cluster, commit| {
        let mut target = target.clone();
        if let Some(commit) = commit {
            (target.files.rev, target.files.worktree) = (Some(commit.to_owned()), false);
        }
        let named = target.resolve(&directory, checkout, cluster).map_err(settings_error)?;
        let said = &named.run_options;
        let timeout = SettingLayers { operator: args.timeout, repository: said.timeout };
        let timeout = timeout.counts().unwrap_or(TIMEOUT);
        let interval = SettingLayers { operator: args.interval, repository: named.interval };
        // Another replica that had the target before ends its round first.
        let waits = args.once || args.replicas.replica_group.is_some();
        let usually = if waits { LOCK_TIMEOUT } else { Duration::ZERO };
        Ok(WatchSettings {
            interval: interval.counts().unwrap_or(INTERVAL),
            after: named.after,
            shown_paths: named.shown_paths,
            cascade: cascade::counts(args.cascade, said),
            wait: args.waiting.is_wanted(said.wait, true).then_some(timeout),
            timeout,
            lock_timeout: args.locking.patience(said, usually),
            rolls_back: args.locking.rolls_back(said),
            target: named.target,
        })
    })
}
