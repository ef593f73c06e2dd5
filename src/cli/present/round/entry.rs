//! The entries of a log, and how each is written as a line.

use std::sync::{Arc, Mutex, PoisonError};

use clap::ValueEnum;
use jiff::{Timestamp, Zoned};
use serde::Serialize;
use unicode_width::UnicodeWidthStr as _;

use crate::app::watch::Round;
use crate::cli::present::{Glyphs, json};
use crate::core::history::record_id;
use crate::core::log::{Level, LogEvent, bounded, one_line};
use crate::core::object::ObjectKey;
use crate::core::source::snapshot::Revision;
use crate::local::jitter::random;

/// The most characters of a line, its date and target included.
const LINE: usize = 2000;

/// One piece of news.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The kind of news.
    pub event: LogEvent,
    /// The same in words, on one line.
    pub text: String,
    /// The parts that a program reads.
    pub facts: Facts,
}

/// The parts of an entry that a program reads.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// The commit.
    pub revision: Option<Box<Revision>>,
    /// The object.
    pub object: Option<ObjectKey>,
    /// The counts of the round.
    pub counts: Option<RoundCounts>,
}

/// The counts of a round.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "round_counts"))]
pub struct RoundCounts {
    /// The objects of the plan.
    objects: usize,
    /// The changes that were made.
    changed: usize,
    /// The changes that failed.
    failed: usize,
    /// The objects that are ready; absent where they were not waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    ready: Option<usize>,
    /// The objects that are not; absent where they were not waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_ready: Option<usize>,
    /// The requests to the API server.
    requests: usize,
    /// How long it took, in seconds.
    elapsed: f64,
}

impl RoundCounts {
    /// The counts of a round.
    pub fn of(round: &Round) -> Self {
        let proof = round.report.proof.as_ref();
        Self {
            objects: round.survey.masked_plan().object_count(),
            changed: round.report.done(),
            failed: round.report.failed(),
            ready: proof.map(|proof| proof.ready),
            not_ready: proof.map(|proof| proof.others.len()),
            requests: round.requests,
            elapsed: round.elapsed.as_secs_f64(),
        }
    }
}

/// The form of a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people
    #[default]
    Text,
    /// One JSON object a line
    Json,
}

impl Entry {
    /// An entry with nothing but words.
    pub fn new(event: LogEvent, text: impl Into<String>) -> Self {
        Self { event, text: text.into(), facts: Facts::default() }
    }

    /// The same about a commit.
    pub fn of_commit(mut self, revision: &Revision) -> Self {
        self.facts.revision = Some(Box::new(revision.clone()));
        self
    }

    /// The same about an object.
    pub fn of_object(mut self, object: &ObjectKey) -> Self {
        self.facts.object = Some(object.clone());
        self
    }

    /// The same with the counts of its round.
    pub fn with_counts(mut self, round: &Round) -> Self {
        self.facts.counts = Some(RoundCounts::of(round));
        self
    }
}

/// How a line says when it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineTime {
    /// By the time of day, for who reads it as it comes.
    OfDay,
    /// By date and time in UTC, for who reads it later.
    Full,
}

/// Writes entries as lines.
#[derive(Clone, Debug)]
pub struct LineWriter {
    /// The target that the lines are about.
    pub target: String,
    /// How wide the column of the target is at least.
    pub column: usize,
    /// How they say when they were written.
    pub time: LineTime,
    /// The characters that they are made of.
    pub glyphs: Glyphs,
    /// The form of each.
    pub format: LogFormat,
    /// Whether systemd's journal reads them, so that each begins with its level.
    pub is_journal: bool,
    /// The round under way.
    pub round: RoundId,
}

/// The id of the round under way, for every line of it: when its first line was written, and some
/// random digits. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct RoundId(Arc<Mutex<Option<String>>>);

impl RoundId {
    /// The next line is of another round.
    pub fn end(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    fn get(&self, now: Timestamp) -> String {
        let mut id = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        id.get_or_insert_with(|| record_id(now, random())).clone()
    }
}

/// A line in JSON.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "log_line"))]
pub struct LineDocument<'a> {
    /// When it was written, in UTC.
    time: String,
    /// How urgent it is.
    level: &'a str,
    /// The target.
    target: &'a str,
    /// The id of the round.
    round: String,
    /// The event by its name.
    event: &'a str,
    /// The same in words.
    message: String,
    /// The commit's full id.
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<&'a str>,
    /// The commit's author.
    #[serde(skip_serializing_if = "Option::is_none")]
    author: Option<&'a str>,
    /// The object.
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<&'a ObjectKey>,
    /// The counts of the round.
    #[serde(skip_serializing_if = "Option::is_none")]
    counts: Option<&'a RoundCounts>,
}

impl LineWriter {
    /// The id of the round under way.
    pub fn round_id(&self) -> String {
        self.round.get(Timestamp::now())
    }

    /// One line, without its end.
    pub fn line(&self, entry: &Entry) -> String {
        let now = Timestamp::now();
        let full = now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let line = match (self.format, self.time) {
            (LogFormat::Json, _) => self.json(full, entry, self.round.get(now)),
            (LogFormat::Text, LineTime::Full) => self.line_at(&full, entry),
            (LogFormat::Text, LineTime::OfDay) => {
                self.line_at(&Zoned::now().strftime("%H:%M:%S").to_string(), entry)
            }
        };
        match self.is_journal {
            true => format!("{}{line}", entry.event.level().journal_prefix()),
            false => line,
        }
    }

    fn json(&self, time: String, entry: &Entry, round: String) -> String {
        let Entry { event, text, facts: Facts { revision, object, counts } } = entry;
        let message = bounded(&one_line(text), LINE, self.glyphs.gap()).into_owned();
        let document = LineDocument {
            time,
            level: event.level().name(),
            target: &self.target,
            round,
            event: event.name(),
            message,
            commit: revision.as_ref().map(|revision| revision.commit.as_str()),
            author: revision.as_ref().map(|revision| revision.author.as_str()),
            object: object.as_ref(),
            counts: counts.as_ref(),
        };
        // It holds nothing but texts and numbers.
        json::line(&document).unwrap_or_default()
    }

    fn line_at(&self, time: &str, entry: &Entry) -> String {
        let Entry { event, text, facts: _ } = entry;
        let mark = match event.level() {
            Level::Error => "! ".to_owned(),
            Level::Warning => "warning: ".to_owned(),
            _ if *event == LogEvent::Superseded => format!("{} ", self.glyphs.gap()),
            _ => String::new(),
        };
        let gap = " ".repeat(self.column.saturating_sub(self.target.width()));
        let line = format!("{time} {}{gap}  {mark}{text}", self.target);
        // Escapes are made before the cut, so that it goes through none of them.
        bounded(&self.glyphs.inert(&line), LINE, self.glyphs.gap()).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn writer(glyphs: Glyphs) -> LineWriter {
        LineWriter {
            target: "shop".to_owned(),
            column: 0,
            time: LineTime::Full,
            glyphs,
            format: LogFormat::Text,
            is_journal: false,
            round: RoundId::default(),
        }
    }

    fn line(utf8: bool, entry: &Entry) -> String {
        let glyphs = Glyphs { utf8, width: None };
        writer(glyphs).line_at("2026-11-30T00:20:08Z", entry)
    }

    #[test]
    fn each_line_has_a_mark_by_its_level() {
        for (event, expected) in [
            (LogEvent::Applied, "2026-11-30T00:20:08Z shop  text"),
            (LogEvent::Fault, "2026-11-30T00:20:08Z shop  ! text"),
            (LogEvent::Warning, "2026-11-30T00:20:08Z shop  warning: text"),
            (LogEvent::Superseded, "2026-11-30T00:20:08Z shop  … text"),
        ] {
            assert_eq!(line(true, &Entry::new(event, "text")), expected);
        }
    }

    #[test]
    fn names_of_several_targets_are_a_column() {
        let mut writer = writer(Glyphs { utf8: true, width: None });
        writer.column = 6;
        let line = writer.line_at("2026-11-30T00:20:08Z", &Entry::new(LogEvent::Fault, "text"));
        assert_eq!(line, "2026-11-30T00:20:08Z shop    ! text");
    }

    #[test]
    fn no_line_is_longer_than_the_bound() {
        for (text, utf8) in [("\u{1b}[31m", true), ("é", false), ("a\nb\r", true), ("x", false)] {
            let line = line(utf8, &Entry::new(LogEvent::Drift, text.repeat(100_000)));
            assert!((LINE - 10..=LINE).contains(&line.chars().count()), "{}", line.len());
            assert!(line.ends_with("more characters)") && !line.contains(['\n', '\u{1b}']));
        }
    }

    #[test]
    fn times_of_lines_can_be_read_by_a_program() {
        let glyphs = Glyphs { utf8: true, width: None };
        let mut writer = writer(glyphs);
        let line = writer.line(&Entry::new(LogEvent::Stopped, "stopped"));
        let (time, rest) = line.split_once(' ').unwrap();
        assert!(time.ends_with('Z') && time.parse::<Timestamp>().is_ok(), "{time}");
        assert_eq!(rest, "shop  stopped");
        writer.time = LineTime::OfDay;
        let line = writer.line(&Entry::new(LogEvent::Stopped, "stopped"));
        assert!(line.split(' ').next().unwrap().parse::<jiff::civil::Time>().is_ok(), "{line}");
    }

    #[test]
    fn json_has_stable_keys_and_one_id_for_a_round() {
        let mut writer = writer(Glyphs { utf8: true, width: None });
        (writer.format, writer.is_journal) = (LogFormat::Json, true);
        let key = ObjectKey {
            group: "apps".to_owned(),
            kind: "Deployment".to_owned(),
            namespace: Some("shop".to_owned()),
            name: "web".to_owned(),
        };
        let entry = Entry::new(LogEvent::Drift, "a\nb\u{202e}::error::").of_object(&key);
        let read = |line: &str| -> serde_json::Value {
            assert!(!line.contains(['\n', '\u{202e}']), "{line}");
            serde_json::from_str(line.split_once('>').unwrap().1).unwrap()
        };
        let line = writer.line(&entry);
        assert!(line.starts_with("<5>{\"time\":\""), "{line}");
        let first = read(&line);
        assert_eq!(first["message"], "a; b\u{202e}::error::");
        assert_eq!(first["event"], "drift");
        assert_eq!(first["level"], "notice");
        assert_eq!(first["object"]["name"], "web");
        assert!(first["time"].as_str().unwrap().parse::<Timestamp>().is_ok());
        assert_eq!(first.as_object().unwrap().len(), 7, "{first}");
        let second = read(&writer.line(&Entry::new(LogEvent::Fault, "x".repeat(9000))));
        assert_eq!(first["round"], second["round"]);
        assert_eq!(second["message"].as_str().unwrap().chars().count(), LINE);
        writer.round.end();
        assert_ne!(read(&writer.line(&entry))["round"], first["round"]);
    }
}
