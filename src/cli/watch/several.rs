//! `trueup watch` of several targets: all of `trueup.yaml`, or those that are named.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::asked::AskedRounds;
use super::chorus::{ALL, Chorus};
use super::figures::Figures;
use super::heartbeat::Heartbeat;
use super::voice::{Signs, Voice, print};
use super::{
    Begun, INTERVAL, WatchArgs, context, delays, hear_pushes, line_writer, page, replicas,
    settings, settings_error, stopped, touched as touched_target, traces,
};
use crate::app::Recording;
use crate::app::watch::{
    Connections, FleetOptions, Order, Remote, RemoteOptions, Roster, SettingsError, Touched, Wakes,
    Watch, watch_all,
};
use crate::cli::exit::{Exit, Failure};
use crate::cli::locking;
use crate::cli::machine_file::watch_marks;
use crate::cli::present::round::entry::Entry;
use crate::cli::present::round::{Common, Log};
use crate::cli::recording::recording;
use crate::cli::several::none;
use crate::cli::ui::Ui;
use crate::cluster::{Access, Listener};
use crate::config::ConfigError;
use crate::core::lease::Candidate;
use crate::core::log::LogEvent;
use crate::core::replicas::TargetSet;
use crate::git::Checkout;
use crate::local::cancel::Interrupt;
use crate::notify::Couriers;

/// How many events may wait to be told. Each may hold the objects of a target.
const EVENTS: usize = 4;

pub(super) async fn run(args: WatchArgs, begun: Begun<'_>, ui: &mut Ui) -> Result<Exit, Failure> {
    let args = Arc::new(args);
    first_look(&args, &begun.checkout)?;
    let options = begun.remote(&args, None, ui);
    let (pull, wakes) = (options.pull.clone(), begun.wakes.clone());
    let RemoteOptions { directory, .. } = &options;
    let directory = directory.clone();
    let remote = Remote::start(options, &begun.interrupt, &wakes);
    let heart = Heartbeat::begin(args.status_file.clone(), true);
    let writer = line_writer(ALL, args.log_format, ui);
    let access = args.target.access.access();
    let traffic = pull.as_ref().map(|pull| pull.traffic.clone()).unwrap_or_default();
    let figures = Figures::new(args.metrics_file.clone(), access.tally.clone(), traffic, true);
    let page = page(&args, args.targets.clone(), begun.directory);
    let signs =
        Signs { heart, figures, page, traces: traces(&args)?, asked: AskedRounds::default() };
    if let Some(address) = args.listen {
        let line = signs.serve(address).await?;
        writeln!(ui.stdout(), "{}", writer.line(&line))?;
    }
    if let Some(line) = hear_pushes(&args, &begun).await? {
        writeln!(ui.stdout(), "{}", writer.line(&line))?;
    }
    let who = locking::who();
    let touched = begun.touched.clone();
    let order = Order::new(wakes.clone());
    let common = Common::default();
    let beginner = Beginner {
        recording: recording("watch", &who).map(Arc::new),
        who,
        args: Arc::clone(&args),
        access: access.clone(),
        directory: directory.clone(),
        remote: remote.clone(),
        wakes: wakes.clone(),
        order: order.clone(),
        connections: Connections::shared(),
        delays: delays(&writer, ui),
        touched: touched.clone(),
    };
    let fleet = FleetOptions {
        directory: directory.clone(),
        remote,
        wakes,
        order,
        once: args.once,
        interval: args.interval.unwrap_or(INTERVAL),
        replica: replicas::join(&args, &access)?,
    };
    let log = Log::new(false, ui.glyphs()).with(common.clone(), ALL);
    let whole = Voice { log, writer, telling: None, exit: Exit::AtCommit, directory, begun: None };
    let is_warned = !args.once || ui.has_reader();
    let mut chorus = Chorus {
        args: Arc::clone(&args),
        checkout: begun.checkout.clone(),
        pulls: pull.is_some(),
        signs,
        whole,
        voices: BTreeMap::new(),
        couriers: Couriers::default(),
        common,
        listed: None,
        column: 0,
        interrupt: begun.interrupt.clone(),
        parting: JoinSet::new(),
    };
    #[cfg(unix)]
    let socket =
        (!args.once).then(|| chorus.signs.asked.listen(begun.checkout.root(), &begun.wakes));
    #[cfg(unix)]
    if let Some(Err(warning)) = &socket {
        let warning: Vec<Entry> = chorus.whole.log.warning(warning).into_iter().collect();
        print(&warning, &chorus.whole.writer, ui);
    }
    let (hearer, mut told) = mpsc::channel(EVENTS);
    let roster = beginner.roster();
    let work = tokio::spawn(watch_all(roster, fleet, begun.interrupt.clone(), hearer));
    while let Some(told) = told.recv().await {
        ui.cell();
        let warnings = pull.iter().flat_map(|pull| pull.warnings.take());
        let warnings = warnings.chain(access.credentials.take_warnings());
        let warnings = warnings.chain(touched.take_warnings()).chain(begun.faults.take());
        let warnings: Vec<String> = warnings.filter(|_| is_warned).collect();
        let of_checkout = warnings.iter().filter_map(|it| chorus.whole.log.warning(it));
        let of_checkout: Vec<Entry> = of_checkout.collect();
        print(&of_checkout, &chorus.whole.writer, ui);
        chorus.print_news(ui);
        chorus.hear(told, ui);
    }
    // Its own end has been told.
    let _ = work.await;
    let exit = chorus.finish(ui).await;
    match args.once {
        true if begun.interrupt.is_requested() => Ok(Exit::Interrupted),
        true => Ok(exit),
        false => {
            let writer = line_writer(ALL, args.log_format, ui);
            if let Some(pull) = &pull {
                let cost = Entry::new(LogEvent::Traffic, pull.traffic.count().to_string());
                writeln!(ui.stdout(), "{}", writer.line(&cost))?;
            }
            writeln!(ui.stdout(), "{}", writer.line(&stopped()))?;
            Ok(Exit::AtCommit)
        }
    }
}

/// Says what is wrong with the arguments, or with settings that no pull mends.
fn first_look(args: &WatchArgs, checkout: &Checkout) -> Result<(), Failure> {
    let failure = match args.target.listed(checkout) {
        Ok((config, _)) => {
            let known: Vec<String> = config.targets.keys().cloned().collect();
            let missing = args.targets.iter().find(|name| !known.contains(name));
            return match missing {
                Some(name) => Err(ConfigError::UnknownTarget { name: name.clone(), known }.into()),
                None if known.is_empty() => Err(none(&args.target.files, checkout)?),
                None => Ok(()),
            };
        }
        Err(failure) => failure,
    };
    let error = failure.error.downcast_ref::<ConfigError>();
    let may_be_mended =
        matches!(error, Some(ConfigError::Invalid { .. })) || failure.exit() == Exit::NotAtCommit;
    if may_be_mended && !args.once { Ok(()) } else { Err(failure) }
}

/// Begins to watch a target.
struct Beginner {
    args: Arc<WatchArgs>,
    access: Access,
    directory: PathBuf,
    remote: Remote,
    wakes: Wakes,
    order: Order,
    connections: Connections,
    who: Candidate,
    recording: Option<Arc<Recording>>,
    delays: Listener,
    touched: Touched,
}

impl Beginner {
    fn roster(self) -> Roster {
        let args = Arc::clone(&self.args);
        let list = move |checkout: &Checkout| {
            let (config, _) = args.target.listed(checkout).map_err(settings_error)?;
            let is_wanted =
                |name: &&str| args.targets.is_empty() || args.targets.iter().any(|it| it == name);
            let names = config.order().into_iter().filter(is_wanted);
            let targets = names.map(|name| (name, config.targets[name].after.as_slice()));
            match config.targets.is_empty() {
                true => {
                    let none = none(&args.target.files, checkout).unwrap_or_else(|failure| failure);
                    Err(settings_error(none))
                }
                false => Ok(TargetSet::new(targets)),
            }
        };
        Roster { list: Box::new(list), begin: Box::new(move |name| self.begin(name)) }
    }

    fn begin(&self, name: &str) -> Result<Watch, SettingsError> {
        let mut target = self.args.target.clone();
        target.files.target = Some(name.to_owned());
        let context = context(target.clone(), name);
        let marks = watch_marks().filter(|_| !self.args.once);
        Ok(Watch {
            name: name.to_owned(),
            directory: self.directory.clone(),
            remote: self.remote.clone(),
            settings: settings(Arc::clone(&self.args), target, self.directory.clone()),
            access: Access { context: context()?, ..self.access.clone() },
            context,
            connections: self.connections.clone(),
            interval: self.args.interval.unwrap_or(INTERVAL),
            once: self.args.once,
            who: self.who.clone(),
            recording: self.recording.clone(),
            delays: self.delays.clone(),
            mark: marks.map(|marks| marks.own_of(name)),
            wake: self.wakes.of(name),
            touched: touched_target(&self.args, &self.touched, name),
            order: self.order.clone(),
            leaves: Interrupt::default(),
            tenure: None,
        })
    }
}
