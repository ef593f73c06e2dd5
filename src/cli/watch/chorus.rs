//! Tells of several targets.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::task::JoinSet;
use unicode_width::UnicodeWidthStr as _;

use super::voice::{LastLines, Parting, Signs, Voice, print};
use super::{INTERVAL, WatchArgs, line_writer, replicas};
use crate::app::TIMEOUT;
use crate::app::watch::{GitResult, KnownTarget, Told, Unlisted, WatchEvent};
use crate::cli::exit::Exit;
use crate::cli::notify::Telling;
use crate::cli::present::round::entry::{Entry, LineWriter};
use crate::cli::present::round::{Common, Log, gone_line};
use crate::cli::ui::Ui;
use crate::core::liveness::longest_silence;
use crate::core::log::LogEvent;
use crate::core::metrics::TargetInfo;
use crate::git::Checkout;
use crate::local::cancel::Interrupt;
use crate::notify::Couriers;

/// The name that lines have which are about no target.
pub(super) const ALL: &str = "trueup";
/// How wide the column with the names is at most.
const COLUMN: usize = 30;

/// Tells of all targets.
pub(super) struct Chorus {
    pub(super) args: Arc<WatchArgs>,
    pub(super) checkout: Checkout,
    pub(super) pulls: bool,
    pub(super) signs: Signs,
    /// Tells of what is about no target.
    pub(super) whole: Voice,
    pub(super) voices: BTreeMap<String, Voice>,
    /// The threads that send the messages of all targets.
    pub(super) couriers: Couriers,
    pub(super) common: Common,
    /// The names of the last list.
    pub(super) listed: Option<BTreeSet<String>>,
    /// The width of the column with the names.
    pub(super) column: usize,
    pub(super) interrupt: Interrupt,
    /// The targets that are gone, whose last messages are sent.
    pub(super) parting: JoinSet<Vec<LastLines>>,
}

impl Chorus {
    /// Tells of an event.
    pub(super) fn hear(&mut self, told: Told, ui: &mut Ui) {
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
                if let Some(writer) = self.forget(&target) {
                    print(&[Entry::new(LogEvent::Warning, line)], &writer, ui);
                }
                self.common.gone(&target);
            }
            WatchEvent::Left => {
                self.forget(&target);
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

    /// Prints what is left to say of targets that are gone, and what is new of the traces.
    pub(super) fn print_news(&mut self, ui: &mut Ui) {
        print(&self.signs.news(), &self.whole.writer, ui);
        while let Some(Ok(last)) = self.parting.try_join_next() {
            last.iter().for_each(|last| last.print(ui));
        }
    }

    /// A target is not watched here any more. Gives what its lines were written with.
    fn forget(&mut self, target: &str) -> Option<LineWriter> {
        self.signs.heart.forget(target);
        self.signs.figures.forget(target);
        self.signs.asked.forget(target);
        let parting = self.voices.remove(target)?.part();
        let writer = parting.writer.clone();
        // A slow sink delays no other target.
        let end = Telling::end(false, &self.interrupt);
        self.parting.spawn(Parting::finish(vec![parting], end));
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
        Voice { log, writer, telling, exit: Exit::AtCommit, directory, begun: None }
    }

    /// Ends all, and gives the worst exit.
    pub(super) async fn finish(mut self, ui: &mut Ui) -> Exit {
        let mut exits = vec![self.whole.exit];
        // For all of them together. Neither a slow sink nor a slow collector of traces takes the other's time.
        let end = Telling::end(self.args.once, &self.interrupt);
        let parting: Vec<Parting> = self.voices.into_values().map(Voice::part).collect();
        exits.extend(parting.iter().map(|it| it.exit));
        self.parting.spawn(Parting::finish(parting, end));
        let faults = self.signs.end(self.args.once).await;
        let faults = faults.iter().filter_map(|fault| self.whole.log.warning(fault));
        print(&faults.collect::<Vec<_>>(), &self.whole.writer, ui);
        while let Some(last) = self.parting.join_next().await {
            last.iter().flatten().for_each(|last| last.print(ui));
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
