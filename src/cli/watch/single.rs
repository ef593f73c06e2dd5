//! `trueup watch` of one target.

use std::io::Write as _;
use std::sync::Arc;

use futures::future::join;
use tokio::sync::mpsc;

use super::asked::AskedRounds;
use super::figures::Figures;
use super::heartbeat::Heartbeat;
use super::start::WatchStart;
use super::voice::{Parting, Signs, Voice, print};
use super::{
    Begun, INTERVAL, WatchArgs, context, delays, hear_pushes, line_writer, page, settings, stopped,
    touched as touched_target, traces,
};
use crate::app::TIMEOUT;
use crate::app::watch::{Connections, Events, Order, Remote, Watch, watch};
use crate::cli::exit::{Exit, Failure};
use crate::cli::locking;
use crate::cli::machine_file::watch_marks;
use crate::cli::notify::Telling;
use crate::cli::present::round::Log;
use crate::cli::present::round::entry::Entry;
use crate::cli::recording::recording;
use crate::cli::ui::Ui;
use crate::cluster::Cluster;
use crate::core::liveness::longest_silence;
use crate::core::log::LogEvent;
use crate::core::metrics::TargetInfo;
use crate::local::cancel::Interrupt;
use crate::notify::Couriers;

/// How many events may wait to be told.
const EVENTS: usize = 8;

pub(super) async fn run(
    mut args: WatchArgs,
    begun: Begun<'_>,
    ui: &mut Ui,
) -> Result<Exit, Failure> {
    let Begun { directory, checkout, interrupt, wakes, touched, faults } = &begun;
    let access = args.target.access_to(directory, checkout)?;
    // An identity provider that is down for a moment fails a round, as an API server does.
    let cluster = match args.once {
        true => Cluster::connect(&access).await?,
        false => Cluster::prepared(&access)?,
    };
    let options = begun.remote(&args, args.target.files.target.clone(), ui);
    let pull = options.pull.clone();
    let remote = Remote::start(options, interrupt, wakes);
    let beginning = WatchStart { args: &args, directory, cluster: &cluster, remote: &remote };
    // Before there is a target: a commit that mends the settings may be waited for.
    let heart = Heartbeat::begin(args.status_file.clone(), false);
    let Some(named) = beginning.resolve_target(interrupt, ui).await? else {
        return Ok(Exit::AtCommit);
    };
    let (once, who) = (args.once, locking::who());
    let interval = args.interval.or(named.interval).unwrap_or(INTERVAL);
    let timeout = args.timeout.or(named.run_options.timeout).unwrap_or(TIMEOUT);
    let silence = longest_silence(interval, timeout, args.pull_timeout);
    let info = TargetInfo {
        target: named.name.clone(),
        cluster: cluster.name().to_owned(),
        namespace: named.target.inventory.namespace.clone(),
        inventory: named.target.inventory.name.clone(),
        commit: String::new(),
    };
    if named.declared && args.target.files.paths.is_empty() {
        // Whatever targets there will be besides.
        let is_chosen = args.target.files.target.is_some();
        args.target.files.is_named_by_checkout = !is_chosen;
        args.target.files.target = Some(named.name.clone());
    }
    let telling = Telling::of(&named.name, checkout, pull.is_some(), &Couriers::default())?;
    let writer = line_writer(&named.name, args.log_format, ui);
    let tally = access.tally.clone();
    let args = Arc::new(args);
    let setting = Watch {
        name: named.name.clone(),
        directory: directory.to_path_buf(),
        remote: remote.clone(),
        settings: settings(Arc::clone(&args), args.target.clone(), directory.to_path_buf()),
        delays: delays(&writer, ui),
        access,
        context: context(args.target.clone(), &named.name),
        connections: Connections::default(),
        interval,
        once,
        recording: recording("watch", &who).map(Arc::new),
        who,
        mark: watch_marks().filter(|_| !once).map(|marks| marks.own()),
        wake: wakes.of(&named.name),
        touched: touched_target(&args, touched, &named.name),
        order: Order::new(wakes.clone()),
        leaves: Interrupt::default(),
        tenure: None,
    };
    // From cron, a round with nothing to tell should not send a mail.
    let log = Log::new(!once || ui.has_reader(), ui.glyphs());
    if !once {
        let beginning = Log::beginning(&named.shown_paths, interval, pull.is_some());
        writeln!(ui.stdout(), "{}", writer.line(&beginning))?;
    }
    let traffic = pull.as_ref().map(|pull| pull.traffic.clone()).unwrap_or_default();
    let traces = traces(&args)?;
    let figures = Figures::new(args.metrics_file.clone(), tally, traffic, false);
    figures.know(info);
    let targets = args.target.files.target.iter().cloned().collect();
    let page = page(&args, targets, directory);
    let mut signs = Signs { heart, figures, page, traces, asked: AskedRounds::default() };
    signs.heart.watches(&named.name, silence, interval);
    if let Some(address) = args.listen {
        let line = signs.serve(address).await?;
        writeln!(ui.stdout(), "{}", writer.line(&line))?;
    }
    if let Some(line) = hear_pushes(&args, &begun).await? {
        writeln!(ui.stdout(), "{}", writer.line(&line))?;
    }
    let is_warned = !once || ui.has_reader();
    let directory = directory.to_path_buf();
    let mut voice = Voice { log, writer, telling, exit: Exit::AtCommit, directory, begun: None };
    #[cfg(unix)]
    let socket = (!once).then(|| signs.asked.listen(checkout.root(), wakes));
    #[cfg(unix)]
    if let Some(Err(warning)) = &socket {
        let warning: Vec<Entry> = voice.log.warning(warning).into_iter().collect();
        print(&warning, &voice.writer, ui);
    }
    let (hearer, mut told) = mpsc::channel(EVENTS);
    let work = async {
        let events = Events::new(&named.name, hearer);
        Box::pin(watch(&setting, interrupt, &events)).await;
    };
    let tell = async {
        while let Some(told) = told.recv().await {
            ui.cell();
            let warnings = pull.iter().flat_map(|pull| pull.warnings.take());
            let warnings = warnings.chain(setting.access.credentials.take_warnings());
            let warnings = warnings.chain(touched.take_warnings()).chain(faults.take());
            let warnings = warnings.filter(|_| is_warned).collect();
            let is_end = Voice::is_end(&told.event);
            let entries = voice.hear(told.event, warnings, &mut signs);
            print(&entries, &voice.writer, ui);
            print(&signs.news(), &voice.writer, ui);
            if is_end {
                voice.writer.round.end();
            }
        }
    };
    join(work, tell).await;
    let Voice { mut log, writer, telling, exit, .. } = voice;
    let parting = Parting::new(writer.clone(), telling, exit);
    // Neither a slow sink nor a slow collector of traces takes the other's time.
    let last = Parting::finish(vec![parting], Telling::end(once, interrupt));
    let (faults, last) = join(signs.end(once), last).await;
    let faults: Vec<Entry> = faults.iter().filter_map(|it| log.warning(it)).collect();
    print(&faults, &writer, ui);
    last.iter().for_each(|last| last.print(ui));
    match once {
        true => Ok(exit),
        false => {
            if let Some(pull) = &pull {
                let cost = Entry::new(LogEvent::Traffic, pull.traffic.count().to_string());
                writeln!(ui.stdout(), "{}", writer.line(&cost))?;
            }
            writeln!(ui.stdout(), "{}", writer.line(&stopped()))?;
            Ok(Exit::AtCommit)
        }
    }
}
