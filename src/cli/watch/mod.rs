//! `trueup watch`: pull + apply, again and again, and a line for each round that did something.

mod figures;
mod heartbeat;
mod page;
mod start;
mod waking;

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueHint};

use self::figures::Figures;
use self::heartbeat::{Beat, Heartbeat};
use self::page::PageWriter;
use self::start::WatchStart;
use self::waking::WakingArgs;
use super::cascade::{self, CascadeArg};
use super::exit::{Exit, Failure};
use super::headings::{HOW, WHAT};
use super::locking::{self, LOCK_TIMEOUT, LockArgs};
use super::machine_file::watch_marks;
use super::notify::Telling;
use super::present::round::Log;
use super::present::round::entry::{Entry, LineTime, LineWriter, LogFormat, RoundId};
use super::recording::recording;
use super::signals;
use super::status::{WatchedPage, usable_page};
use super::target::TargetArgs;
use super::tracked;
use super::ui::Ui;
use super::waiting::WaitArgs;
use crate::app::TIMEOUT;
use crate::app::watch::{
    Remote, SettingsError, SettingsReader, Touched, TouchedTarget, Wakes, Watch, WatchEvent,
    WatchSettings, watch,
};
use crate::cluster::Cluster;
use crate::core::liveness::longest_silence;
use crate::core::log::LogEvent;
use crate::core::metrics::{RoundFigures, RoundResult, TargetInfo};
use crate::core::policy::precedence::SettingLayers;
use crate::core::policy::run_options::duration;
use crate::git::pull::{PullOptions, Traffic, Warnings};
use crate::git::{Checkout, RepositoryLimits};
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

    #[command(flatten)]
    waking: WakingArgs,

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
    args.html.as_deref().map_or(Ok(()), usable_page)?;
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
    // Before there is a target: a commit that mends the settings may be waited for.
    let mut heart = Heartbeat::begin(args.status_file.clone());
    let mut remote = Remote::default();
    let Some(named) = beginning.resolve_target(&mut remote, &interrupt, ui).await? else {
        return Ok(Exit::AtCommit);
    };
    let (once, interval, who) = (args.once, args.interval, locking::who());
    let waking = args.waking.clone();
    let format = args.log_format;
    let (metrics_file, address) = (args.metrics_file.clone(), args.listen);
    let timeout = args.timeout.or(named.run_options.timeout).unwrap_or(TIMEOUT);
    let silence = longest_silence(interval, timeout, args.pull_timeout);
    let info = TargetInfo {
        target: named.name.clone(),
        cluster: cluster.name().to_owned(),
        namespace: named.target.inventory.namespace.clone(),
        inventory: named.target.inventory.name.clone(),
        commit: String::new(),
    };
    let mut args = args;
    if named.declared && args.target.files.paths.is_empty() {
        // Whatever targets there will be besides.
        let is_chosen = args.target.files.target.is_some();
        args.target.files.is_named_by_checkout = !is_chosen;
        args.target.files.target = Some(named.name.clone());
    }
    let page = args.html.clone().map(|file| WatchedPage {
        file,
        targets: args.target.files.target.iter().cloned().collect(),
        namespace: args.target.files.namespace.clone(),
        access: args.target.access.clone(),
    });
    let telling = Telling::of(&named.name, &checkout, pull.is_some())?;
    let settings = settings(args, directory.to_owned());
    let writer = line_writer(&named.name, format, ui);
    let delays = match format {
        LogFormat::Text => ui.delays(),
        LogFormat::Json => ui.delays_as({
            let writer = writer.clone();
            move |text| writer.line(&Entry::new(LogEvent::Waiting, text))
        }),
    };
    let directory = directory.to_owned();
    let recording = recording("watch", &who);
    let mark = watch_marks().filter(|_| !once).map(|marks| marks.own());
    let wakes = Wakes::default();
    let wake = wakes.of(&named.name);
    let touched = (!once && !waking.no_watch_api).then(|| TouchedTarget {
        touched: Touched::default(),
        name: named.name.clone(),
        resync: waking.resync,
    });
    let setting = Watch {
        directory,
        pull,
        settings,
        access,
        interval,
        once,
        who,
        recording,
        delays,
        mark,
        wake,
        touched,
    };
    // From cron, a round with nothing to tell should not send a mail.
    let mut log = Log::new(!once || ui.has_reader(), ui.glyphs());
    if !once {
        let beginning = Log::beginning(&setting, &named.shown_paths);
        writeln!(ui.stdout(), "{}", writer.line(&beginning))?;
    }
    let traffic = setting.pull.as_ref().map(|pull| pull.traffic.clone()).unwrap_or_default();
    let figures = Figures::new(info, metrics_file, setting.access.tally.clone(), traffic);
    heart.watches(&named.name, silence);
    if let Some(address) = address {
        let served = figures.serve(address, heart.deadline()).await;
        let served =
            served.map_err(|error| anyhow::anyhow!("cannot listen at {address}: {error}"))?;
        writeln!(
            ui.stdout(),
            "{}",
            writer.line(&Entry::new(
                LogEvent::Started,
                format!("figures at http://{served}/metrics")
            ))
        )?;
    }
    let page = page.map(|page| PageWriter::begin(page, &setting.directory));
    let mut exit = Exit::AtCommit;
    let is_warned = !once || ui.has_reader();
    Box::pin(watch(&setting, remote, &interrupt, &mut |event| {
        ui.cell();
        let warnings = setting.pull.iter().flat_map(|pull| pull.warnings.take());
        let warnings = warnings.chain(setting.access.credentials.take_warnings());
        let touched = setting.touched.iter();
        let warnings = warnings.chain(touched.flat_map(|it| it.touched.take_warnings()));
        let mut warnings: Vec<String> = warnings.filter(|_| is_warned).collect();
        warnings.extend(telling.iter().flat_map(|it| it.hear(&event, &setting.directory)));
        warnings.extend(page.as_ref().and_then(|page| page.hear(&event)));
        let mut entries: Vec<Entry> =
            warnings.iter().filter_map(|warning| log.warning(warning)).collect();
        let is_end = matches!(event, WatchEvent::Idle | WatchEvent::Ended { .. });
        match event {
            WatchEvent::Deploying(_) => {}
            WatchEvent::HeldBack { failed, healthy } => {
                entries.extend(log.held_back(&failed, &healthy));
            }
            WatchEvent::Idle => {
                let beat = Beat { is_good: true, commit: None, pause: Some(interval), fault: None };
                let warnings =
                    [heart.round(&beat), figures.add(&RoundFigures::of(RoundResult::AtCommit))];
                entries
                    .extend(warnings.iter().flatten().filter_map(|warning| log.warning(warning)));
            }
            WatchEvent::Ended { round, commit, pause } => {
                exit = log.exit(&round);
                entries.extend(log.entries(&round, commit.as_deref()));
                let of_event = |event| entries.iter().filter(move |entry| entry.event == event);
                let commit =
                    (*round).as_ref().ok().map(|round| round.survey.found.revision.commit.as_str());
                let beat = Beat {
                    is_good: exit == Exit::AtCommit,
                    commit: commit.filter(|_| exit == Exit::AtCommit),
                    pause,
                    fault: of_event(LogEvent::Fault).next().map(|entry| entry.text.as_str()),
                };
                let drifted = of_event(LogEvent::Drift).count();
                let warnings =
                    [heart.round(&beat), figures.add(&figures::of_round(&round, exit, drifted))];
                entries
                    .extend(warnings.iter().flatten().filter_map(|warning| log.warning(warning)));
            }
        }
        for entry in entries {
            // A closed stdout has no reader; the work goes on.
            let _ = writeln!(ui.stdout(), "{}", writer.line(&entry));
        }
        if is_end {
            writer.round.end();
        }
    }))
    .await;
    heart.end();
    let page_fault = match page {
        Some(page) => page.end(once).await,
        None => None,
    };
    for warning in telling.into_iter().flat_map(|it| it.finish(once)).chain(page_fault) {
        if let Some(entry) = log.warning(&warning) {
            writeln!(ui.stdout(), "{}", writer.line(&entry))?;
        }
    }
    match once {
        true => Ok(exit),
        false => {
            if let Some(pull) = &setting.pull {
                let cost = Entry::new(LogEvent::Traffic, pull.traffic.count().to_string());
                writeln!(ui.stdout(), "{}", writer.line(&cost))?;
            }
            writeln!(ui.stdout(), "{}", writer.line(&stopped()))?;
            Ok(Exit::AtCommit)
        }
    }
}

/// Writes the lines about a target, as whoever reads stdout needs them.
fn line_writer(target: &str, format: LogFormat, ui: &Ui) -> LineWriter {
    let time = if ui.has_reader() { LineTime::OfDay } else { LineTime::Full };
    LineWriter {
        target: target.to_owned(),
        time,
        glyphs: ui.glyphs(),
        format,
        is_journal: ui.is_journal(),
        round: RoundId::default(),
    }
}

/// The last entry.
fn stopped() -> Entry {
    Entry::new(LogEvent::Stopped, "stopped")
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
