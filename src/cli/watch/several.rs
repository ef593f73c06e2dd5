//! `trueup watch` of several targets: all of `trueup.yaml`, or those that are named.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::mpsc;
use unicode_width::UnicodeWidthStr as _;

use super::asked::AskedRounds;
use super::figures::Figures;
use super::heartbeat::Heartbeat;
use super::voice::{Signs, Voice, print};
use super::{
    Begun, INTERVAL, WatchArgs, context, delays, hear_pushes, line_writer, page, replicas,
    settings, settings_error, stopped, touched as touched_target,
};
use crate::app::watch::{
    Connections, FleetOptions, GitResult, KnownTarget, Order, Remote, RemoteOptions, Roster,
    SettingsError, Told, Touched, Unlisted, Wakes, Watch, WatchEvent, watch_all,
};
use crate::app::{Recording, TIMEOUT};
use crate::cli::exit::{Exit, Failure};
use crate::cli::locking;
use crate::cli::machine_file::watch_marks;
use crate::cli::notify::Telling;
use crate::cli::present::round::entry::{Entry, LineWriter};
use crate::cli::present::round::{Common, Log, gone_line};
use crate::cli::recording::recording;
use crate::cli::several::none;
use crate::cli::ui::Ui;
use crate::cluster::{Access, Listener};
use crate::config::ConfigError;
use crate::core::lease::Candidate;
use crate::core::liveness::longest_silence;
use crate::core::log::LogEvent;
use crate::core::metrics::TargetInfo;
use crate::core::replicas::TargetSet;
use crate::git::Checkout;
use crate::local::cancel::Interrupt;
use crate::notify::Couriers;

/// The name that lines have which are about no target.
const ALL: &str = "trueup";
/// How many events may wait to be told. Each may hold the objects of a target.
const EVENTS: usize = 4;
/// How wide the column with the names is at most.
const COLUMN: usize = 30;

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
    let signs = Signs { heart, figures, page, asked: AskedRounds::default() };
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
    let whole = Voice { log, writer, telling: None, exit: Exit::AtCommit, directory };
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

/// Tells of all targets.
struct Chorus {
    args: Arc<WatchArgs>,
    checkout: Checkout,
    pulls: bool,
    signs: Signs,
    /// Tells of what is about no target.
    whole: Voice,
    voices: BTreeMap<String, Voice>,
    /// The threads that send the messages of all targets.
    couriers: Couriers,
    common: Common,
    /// The names of the last list.
    listed: Option<BTreeSet<String>>,
    /// The width of the column with the names.
    column: usize,
}

impl Chorus {
    fn hear(&mut self, told: Told, ui: &mut Ui) {
        let Told { target, event } = told;
        match event {
            WatchEvent::Unlisted(Unlisted { error, commit }) => {
                let round = Err(error.into());
                self.whole.exit = self.whole.log.exit(&round);
                let git = GitResult::default();
                let entries = self.whole.log.entries(&round, commit.as_deref(), &git);
                print(&entries, &self.whole.writer, ui);
            }
            WatchEvent::Listed(names) => self.list(names, ui),
            WatchEvent::Gone { inventory } => {
                let line = gone_line(&target, inventory.as_ref());
                if let Some(writer) = self.forget(&target, ui) {
                    print(&[Entry::new(LogEvent::Warning, line)], &writer, ui);
                }
                self.common.gone(&target);
            }
            WatchEvent::Left => {
                self.forget(&target, ui);
                self.common.gone(&target);
                self.common.back(&target);
            }
            WatchEvent::Shared(share) => {
                self.signs.figures.share(replicas::figures(&share));
                let owned = share.owned.iter().cloned().collect();
                self.expect(&owned);
                print(&[replicas::entry(&share)], &self.whole.writer, ui);
            }
            event => {
                let name = target.to_string();
                if !self.voices.contains_key(&name) {
                    let voice = self.voice(&name, ui);
                    self.voices.insert(name.clone(), voice);
                }
                let Some(voice) = self.voices.get_mut(&name) else { return };
                if let WatchEvent::Known(known) = &event {
                    know(known, &name, &self.args, &mut self.signs);
                }
                let is_end = Voice::is_end(&event);
                let entries = voice.hear(event, Vec::new(), &mut self.signs);
                print(&entries, &voice.writer, ui);
                if is_end {
                    voice.writer.round.end();
                }
            }
        }
    }

    /// A target is not watched here any more. Gives what its lines were written with.
    fn forget(&mut self, target: &str, ui: &mut Ui) -> Option<LineWriter> {
        self.signs.heart.forget(target);
        self.signs.figures.forget(target);
        self.signs.asked.forget(target);
        let (last, writer, _) = self.voices.remove(target)?.finish(Telling::end(false), Vec::new());
        print(&last, &writer, ui);
        Some(writer)
    }

    /// Rounds of these targets are to come.
    fn expect(&mut self, targets: &BTreeSet<String>) {
        let (interval, timeout) =
            (self.args.interval.unwrap_or(INTERVAL), self.args.timeout.unwrap_or(TIMEOUT));
        let silence = longest_silence(interval, timeout, self.args.pull_timeout);
        for name in targets.iter().filter(|name| !self.voices.contains_key(*name)) {
            self.common.back(name);
            // Until its settings say more.
            self.signs.heart.watches(name, silence, interval);
        }
        self.signs.heart.expect(targets);
    }

    /// Tells which targets there are.
    fn list(&mut self, names: Vec<String>, ui: &mut Ui) {
        self.whole.exit = Exit::AtCommit;
        let mut entries: Vec<Entry> = self.whole.log.recovered().into_iter().collect();
        let interval = self.args.interval.unwrap_or(INTERVAL);
        let now: BTreeSet<String> = names.into_iter().collect();
        match &self.listed {
            None if self.args.once => {}
            None => {
                let plural = if now.len() == 1 { "" } else { "s" };
                let shown = [format!("{} target{plural}", now.len())];
                entries.push(Log::beginning(&shown, interval, self.pulls));
            }
            Some(before) => {
                let new = now.difference(before).map(|name| format!("new target {name}"));
                entries.extend(new.map(|text| Entry::new(LogEvent::Started, text)));
            }
        }
        if self.args.replicas.replica_group.is_none() {
            self.expect(&now);
        }
        let widest = now.iter().map(|name| name.width()).max().unwrap_or_default();
        let own = if self.args.once { 0 } else { ALL.len() };
        self.column = widest.max(own).min(COLUMN);
        self.whole.writer.column = self.column;
        self.voices.values_mut().for_each(|voice| voice.writer.column = self.column);
        self.listed = Some(now);
        print(&entries, &self.whole.writer, ui);
    }

    fn voice(&mut self, name: &str, ui: &mut Ui) -> Voice {
        let mut writer = line_writer(name, self.args.log_format, ui);
        writer.column = self.column;
        let greets = !self.args.once || ui.has_reader();
        let mut log = Log::new(greets, ui.glyphs()).with(self.common.clone(), name);
        let telling = Telling::of(name, &self.checkout, self.pulls, &self.couriers);
        let telling = telling.unwrap_or_else(|failure| {
            let text = format!("{:#}", failure.error);
            print(&log.warning(&text).into_iter().collect::<Vec<_>>(), &writer, ui);
            None
        });
        let directory = self.whole.directory.clone();
        Voice { log, writer, telling, exit: Exit::AtCommit, directory }
    }

    /// Ends all, and gives the worst exit.
    async fn finish(mut self, ui: &mut Ui) -> Exit {
        let faults = self.signs.end(self.args.once).await;
        let faults = faults.iter().filter_map(|fault| self.whole.log.warning(fault));
        print(&faults.collect::<Vec<_>>(), &self.whole.writer, ui);
        let mut exits = vec![self.whole.exit];
        // For all of them together.
        let end = Telling::end(self.args.once);
        for voice in self.voices.into_values() {
            let (last, writer, exit) = voice.finish(end, Vec::new());
            print(&last, &writer, ui);
            exits.push(exit);
        }
        let worst = [Exit::Interrupted, Exit::CouldNot, Exit::NotAtCommit];
        worst.into_iter().find(|exit| exits.contains(exit)).unwrap_or(Exit::AtCommit)
    }
}

/// Notes a target for the signs of the watch.
fn know(known: &KnownTarget, name: &str, args: &WatchArgs, signs: &mut Signs) {
    let KnownTarget { interval, timeout, cluster, inventory, .. } = known;
    signs.heart.watches(name, longest_silence(*interval, *timeout, args.pull_timeout), *interval);
    signs.figures.know(TargetInfo {
        target: name.to_owned(),
        cluster: cluster.clone(),
        namespace: inventory.namespace.clone(),
        inventory: inventory.name.clone(),
        commit: String::new(),
    });
}
