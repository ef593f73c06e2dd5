//! Tells of the events of a target: in the log, by messages, and by the signs of the whole watch.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;

use jiff::Timestamp;

use super::asked::AskedRounds;
use super::figures::{self, Figures};
use super::heartbeat::{Beat, Heartbeat};
use super::page::PageWriter;
use crate::app::watch::WatchEvent;
use crate::cli::exit::{Exit, Failure};
use crate::cli::notify::Telling;
use crate::cli::present::round::Log;
use crate::cli::present::round::entry::{Entry, LineWriter};
use crate::cli::ui::Ui;
use crate::core::log::{LogEvent, one_line};
use crate::core::metrics::{RoundFigures, RoundResult, TargetInfo};
use crate::core::trace::TracedRound;
use crate::notify::{DeliveryDeadline, Traces};

/// The signs of the whole watch.
pub(super) struct Signs {
    pub(super) heart: Heartbeat,
    pub(super) figures: Figures,
    pub(super) page: Option<PageWriter>,
    pub(super) traces: Option<Traces>,
    /// The rounds that people asked for.
    pub(super) asked: AskedRounds,
}

/// A round, as the log knows it.
struct LoggedRound<'a> {
    target: &'a str,
    id: &'a str,
    begin: Option<Timestamp>,
}

/// Tells of one target.
pub(super) struct Voice {
    pub(super) log: Log,
    pub(super) writer: LineWriter,
    pub(super) telling: Option<Telling>,
    /// How its last round ended.
    pub(super) exit: Exit,
    pub(super) directory: PathBuf,
    /// When the round under way began.
    pub(super) begun: Option<Timestamp>,
}

/// A target that is not told of any more, but for the messages that wait.
pub(super) struct Parting {
    pub(super) writer: LineWriter,
    telling: Option<Telling>,
    pub(super) exit: Exit,
}

/// The last lines about a target.
pub(super) struct LastLines {
    entries: Vec<Entry>,
    writer: LineWriter,
}

impl Parting {
    /// The messages that wait are sent from now on, without waiting for others.
    pub(super) fn new(writer: LineWriter, telling: Option<Telling>, exit: Exit) -> Self {
        telling.iter().for_each(Telling::close);
        Self { writer, telling, exit }
    }

    /// Waits for the messages of these until `end`. The verb's thread still hears of signals and of other
    /// targets meanwhile.
    pub(super) async fn finish(all: Vec<Self>, end: DeliveryDeadline) -> Vec<LastLines> {
        let finish = move || all.into_iter().map(|it| it.finish_one(&end)).collect();
        tokio::task::spawn_blocking(finish).await.unwrap_or_default()
    }

    fn finish_one(self, end: &DeliveryDeadline) -> LastLines {
        let news = self.telling.into_iter().flat_map(|it| it.finish(end));
        let entries = news.map(|text| warning(&text)).collect();
        LastLines { entries, writer: self.writer }
    }
}

impl LastLines {
    pub(super) fn print(&self, ui: &mut Ui) {
        print(&self.entries, &self.writer, ui);
    }
}

impl Signs {
    /// Serves the figures from now on, and gives the line that says where.
    pub(super) async fn serve(&self, address: SocketAddr) -> Result<Entry, Failure> {
        let served = self.figures.serve(address, self.heart.deadline()).await;
        let served =
            served.map_err(|error| anyhow::anyhow!("cannot listen at {address}: {error}"))?;
        Ok(Entry::new(LogEvent::Started, format!("figures at http://{served}/metrics")))
    }

    /// Ends all of them, and gives why the last figures or the last page could not be written.
    pub(super) async fn end(self, once: bool) -> Vec<String> {
        self.heart.end();
        let figures = self.figures.end();
        let page = match self.page {
            Some(page) => page.end(once).await,
            None => None,
        };
        let traces = match self.traces {
            Some(traces) => tokio::task::spawn_blocking(|| traces.finish()).await,
            None => Ok(Vec::new()),
        };
        figures.into_iter().chain(page).chain(traces.unwrap_or_default()).collect()
    }

    /// The news of the traces. They may come again.
    pub(super) fn news(&self) -> Vec<Entry> {
        let news = self.traces.iter().flat_map(Traces::take_warnings);
        news.map(|text| warning(&text)).collect()
    }

    /// Has the trace of a round sent.
    fn trace(&self, round: &LoggedRound<'_>, figures: &RoundFigures) {
        let Some(traces) = &self.traces else { return };
        let LoggedRound { target, id, begin } = *round;
        let unknown = || TargetInfo { target: target.to_owned(), ..TargetInfo::default() };
        let info = self.figures.info(target).unwrap_or_else(unknown);
        let end = Timestamp::now();
        // The clock may have been set back.
        let begin = begin.unwrap_or(end).min(end);
        traces.add(&TracedRound { info: &info, id, begin, end, figures }.spans());
    }

    /// Notes the end of a round, and gives the warnings.
    fn note(&mut self, target: &str, beat: &Beat<'_>, round: &RoundFigures) -> Vec<String> {
        let warnings = [self.heart.round(target, beat), self.figures.add(target, round)];
        warnings.into_iter().flatten().collect()
    }
}

impl Voice {
    /// Whether a round ends with the event.
    pub(super) fn is_end(event: &WatchEvent) -> bool {
        use WatchEvent::{Ended, Idle, Waits};
        matches!(event, Idle { .. } | Ended { .. } | Waits { .. })
    }

    /// Hears an event, and gives what the log says of it.
    pub(super) fn hear(
        &mut self,
        event: WatchEvent,
        warnings: Vec<String>,
        signs: &mut Signs,
    ) -> Vec<Entry> {
        let Self { log, telling, directory, writer, .. } = self;
        // These tell of a change each, which may come again.
        let mut news: Vec<String> =
            telling.iter().flat_map(|it| it.hear(&event, directory)).collect();
        news.extend(signs.page.as_ref().and_then(|page| page.hear(&event)));
        let mut entries: Vec<Entry> =
            warnings.iter().filter_map(|warning| log.warning(warning)).collect();
        entries.extend(news.iter().map(|text| warning(text)));
        let target = writer.target.as_str();
        let warnings = match event {
            WatchEvent::Begun { asked } => {
                self.begun = Some(Timestamp::now());
                signs.asked.begin(target, asked);
                Vec::new()
            }
            WatchEvent::HeldBack { failed, healthy } => {
                entries.extend(log.held_back(&failed, &healthy));
                Vec::new()
            }
            WatchEvent::Idle { pause } => {
                self.exit = Exit::AtCommit;
                signs.asked.end(target, self.exit, Vec::new());
                let beat = Beat { is_good: true, commit: None, pause: Some(pause), fault: None };
                signs.note(target, &beat, &RoundFigures::of(RoundResult::AtCommit))
            }
            WatchEvent::Healed { round, pause } => {
                signs.heart.lives(target, pause);
                let healed = log.healed(&round);
                let drifts = healed.iter().filter(|entry| entry.event == LogEvent::Drift).count();
                signs.figures.add_drifts(target, drifts);
                entries.extend(healed);
                Vec::new()
            }
            WatchEvent::Waits { gate, pause } => {
                self.exit = Exit::NotAtCommit;
                let all = Log::new(false, writer.glyphs).waits(&gate);
                signs.asked.end(target, self.exit, texts(all));
                entries.extend(log.waits(&gate));
                let beat = Beat { is_good: false, commit: None, pause, fault: None };
                signs.note(target, &beat, &RoundFigures::of(RoundResult::NotAtCommit))
            }
            WatchEvent::Ended { round, commit, git, pause } => {
                self.exit = log.exit(&round);
                let is_kept = Log::is_kept(&round);
                // All that is wrong, whether the log has told it before or not.
                let all = Log::new(false, writer.glyphs).entries(&round, commit.as_deref(), &git);
                signs.asked.end(target, self.exit, texts(all));
                entries.extend(log.entries(&round, commit.as_deref(), &git));
                let of_event = |event| entries.iter().filter(move |entry| entry.event == event);
                let commit =
                    (*round).as_ref().ok().map(|round| round.survey.found.revision.commit.as_str());
                let beat = Beat {
                    is_good: self.exit == Exit::AtCommit || is_kept,
                    commit: commit.filter(|_| self.exit == Exit::AtCommit),
                    pause,
                    fault: of_event(LogEvent::Fault).next().map(|entry| entry.text.as_str()),
                };
                let drifted = of_event(LogEvent::Drift).count();
                let figures = figures::of_round(&round, self.exit, drifted);
                let id = writer.round_id();
                let logged = LoggedRound { target, id: &id, begin: self.begun.take() };
                signs.trace(&logged, &figures);
                signs.note(target, &beat, &figures)
            }
            _ => Vec::new(),
        };
        entries.extend(warnings.iter().map(|text| warning(text)));
        entries
    }

    /// Ends it, but for its messages.
    pub(super) fn part(self) -> Parting {
        Parting::new(self.writer, self.telling, self.exit)
    }
}

/// The entry about something that changed for the worse, or back.
fn warning(text: &str) -> Entry {
    Entry::new(LogEvent::Warning, one_line(text))
}

fn texts(entries: impl IntoIterator<Item = Entry>) -> Vec<String> {
    entries.into_iter().map(|entry| entry.text).collect()
}

/// Writes entries as lines.
pub(super) fn print(entries: &[Entry], writer: &LineWriter, ui: &mut Ui) {
    for entry in entries {
        // A closed stdout has no reader; the work goes on.
        let _ = writeln!(ui.stdout(), "{}", writer.line(entry));
    }
}
