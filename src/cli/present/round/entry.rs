//! The entries of a log, and how each is written as a line.

use jiff::{Timestamp, Zoned};

use crate::cli::present::Glyphs;
use crate::core::log::{Level, LogEvent, bounded};

/// The most characters of a line, its date and target included.
const LINE: usize = 2000;

/// One piece of news.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The kind of news.
    pub event: LogEvent,
    /// The same in words, on one line.
    pub text: String,
}

impl Entry {
    /// An entry with nothing but words.
    pub fn new(event: LogEvent, text: impl Into<String>) -> Self {
        Self { event, text: text.into() }
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
    /// How they say when they were written.
    pub time: LineTime,
    /// The characters that they are made of.
    pub glyphs: Glyphs,
}

impl LineWriter {
    /// One line, without its end.
    pub fn line(&self, entry: &Entry) -> String {
        let time = match self.time {
            LineTime::OfDay => Zoned::now().strftime("%H:%M:%S").to_string(),
            LineTime::Full => Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        };
        self.line_at(&time, entry)
    }

    fn line_at(&self, time: &str, entry: &Entry) -> String {
        let Entry { event, text } = entry;
        let mark = match event.level() {
            Level::Error => "! ".to_owned(),
            Level::Warning => "warning: ".to_owned(),
            _ if *event == LogEvent::Superseded => format!("{} ", self.glyphs.gap()),
            _ => String::new(),
        };
        let line = format!("{time} {}  {mark}{text}", self.target);
        // Escapes are made before the cut, so that it goes through none of them.
        bounded(&self.glyphs.inert(&line), LINE, self.glyphs.gap()).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(utf8: bool, entry: &Entry) -> String {
        let glyphs = Glyphs { utf8, width: None };
        let writer = LineWriter { target: "shop".to_owned(), time: LineTime::Full, glyphs };
        writer.line_at("2026-11-30T00:20:08Z", entry)
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
        let mut writer = LineWriter { target: "shop".to_owned(), time: LineTime::Full, glyphs };
        let line = writer.line(&Entry::new(LogEvent::Stopped, "stopped"));
        let (time, rest) = line.split_once(' ').unwrap();
        assert!(time.ends_with('Z') && time.parse::<Timestamp>().is_ok(), "{time}");
        assert_eq!(rest, "shop  stopped");
        writer.time = LineTime::OfDay;
        let line = writer.line(&Entry::new(LogEvent::Stopped, "stopped"));
        assert!(line.split(' ').next().unwrap().parse::<jiff::civil::Time>().is_ok(), "{line}");
    }
}
