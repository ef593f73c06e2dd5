//! Spans of time that come again: `Mon-Fri 09:00-17:00`, `22:00-06:00`, `2026-12-20..2027-01-02`.

use std::fmt;

use jiff::ToSpan as _;
use jiff::civil::{Date, DateTime};

/// The forms of a span, in words.
const FORMS: &str =
    "\"Mon-Fri 09:00-17:00\", \"Sat,Sun\", \"22:00-06:00\" or \"2026-12-20..2027-01-02\"";
/// The weekdays, from Monday on.
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/// The minutes of a day.
const DAY: u32 = 24 * 60;

/// A span of time on some days. One that goes past midnight belongs to the day on which it begins.
#[derive(Clone, PartialEq, Eq)]
pub struct Span {
    /// As it is written.
    text: String,
    /// The first and the last day; all where it names none.
    dates: Option<(Date, Date)>,
    /// Which weekdays, from Monday on.
    days: [bool; 7],
    /// The minutes from midnight at which it begins and ends.
    minutes: (u32, u32),
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Span {
    /// Reads a span: dates, weekdays and times of day, of which it names one at least, in this order.
    ///
    /// # Errors
    ///
    /// When it is none of that.
    pub fn read(text: &str) -> Result<Self, String> {
        let invalid = || format!("invalid span {text:?}: expected {FORMS}");
        let mut parts = text.split_whitespace().peekable();
        let dates = parts.peek().and_then(|part| dates(part));
        parts.next_if(|_| dates.is_some());
        let days = parts.peek().and_then(|part| days(part));
        parts.next_if(|_| days.is_some());
        let minutes = parts.peek().and_then(|part| minutes(part));
        parts.next_if(|_| minutes.is_some());
        let is_nothing = dates.is_none() && days.is_none() && minutes.is_none();
        if is_nothing || parts.next().is_some() {
            return Err(invalid());
        }
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let (days, minutes) = (days.unwrap_or([true; 7]), minutes.unwrap_or((0, DAY)));
        Ok(Self { text, dates, days, minutes })
    }

    /// When it begins and ends that begins on this day, as the clocks show it.
    pub(super) fn on(&self, day: Date) -> Option<(DateTime, DateTime)> {
        let is_date = self.dates.is_none_or(|(first, last)| first <= day && day <= last);
        let weekday = usize::try_from(day.weekday().to_monday_zero_offset()).unwrap_or_default();
        if !is_date || !self.days[weekday] {
            return None;
        }
        let midnight = day.at(0, 0, 0, 0);
        let at = |minutes: u32| midnight.checked_add(i64::from(minutes).minutes()).ok();
        Some((at(self.minutes.0)?, at(self.minutes.1)?))
    }
}

/// `2026-12-24` or `2026-12-20..2027-01-02`.
fn dates(text: &str) -> Option<(Date, Date)> {
    let date = |text: &str| text.parse::<Date>().ok().filter(|_| text.len() == "2026-12-24".len());
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    let (first, last) = (date(first)?, date(last)?);
    (first <= last).then_some((first, last))
}

/// `Sat`, `Mon-Fri`, `Mon,Wed-Fri`.
fn days(text: &str) -> Option<[bool; 7]> {
    let day = |text: &str| DAYS.iter().position(|day| text.eq_ignore_ascii_case(day));
    let mut days = [false; 7];
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (day(first)?, day(last)?);
        let count = (last + 7 - first) % 7;
        (0..=count).for_each(|next| days[(first + next) % 7] = true);
    }
    Some(days)
}

/// `09:00-17:00`; the second one may be on the next day.
fn minutes(text: &str) -> Option<(u32, u32)> {
    let time = |text: &str| {
        let (hours, minutes) = text.split_once(':')?;
        let number = |text: &str| {
            let is_number = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse::<u32>().ok().filter(|_| is_number)
        };
        let (hours, minutes) = (number(hours)?, number(minutes)?);
        let time = hours * 60 + minutes;
        (minutes < 60 && time <= DAY).then_some(time)
    };
    let (from, to) = text.split_once('-')?;
    let (from, to) = (time(from).filter(|from| *from < DAY)?, time(to)?);
    match from == to {
        true => None,
        false if from < to => Some((from, to)),
        false => Some((from, to + DAY)),
    }
}
