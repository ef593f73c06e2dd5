//! The end of a suspension as people write it: a time of day, a date, or both.

use jiff::civil::{Date, DateTime, Time};
use jiff::{Timestamp, Zoned};

/// The forms that [`until`] takes, in words.
pub const FORMS: &str = "18:00, 2026-10-03, 2026-10-03T14:00 or 2026-10-03T14:00:00Z";

/// The time that `text` names, as of `now`, whose time zone is that of a text without one. A time of day
/// is the next one, and a date is where that day begins.
///
/// # Errors
///
/// When it names no time, or one that is over.
pub fn until(text: &str, now: &Zoned) -> Result<Timestamp, String> {
    let invalid = || format!("invalid time {text:?}: expected {FORMS}");
    let at = time(text.trim(), now).ok_or_else(invalid)?;
    match at > now.timestamp() {
        true => Ok(at),
        false => Err(format!("{text:?} is over: it is {:.0}", now.timestamp())),
    }
}

fn time(text: &str, now: &Zoned) -> Option<Timestamp> {
    let zone = now.time_zone();
    let zoned = |at: DateTime| at.to_zoned(zone.clone()).ok().map(|at| at.timestamp());
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    let is_time_of_day = text.contains(':') && !text.contains('-');
    if let Some(time) = text.parse::<Time>().ok().filter(|_| is_time_of_day) {
        let today = zoned(now.date().to_datetime(time))?;
        return match today > now.timestamp() {
            true => Some(today),
            false => zoned(now.date().tomorrow().ok()?.to_datetime(time)),
        };
    }
    // A date with a time of day is a date too, so that one is tried before.
    if text.contains(':') {
        return text.parse::<DateTime>().ok().and_then(zoned);
    }
    let date = text.parse::<Date>().ok().filter(|_| text.len() <= "2026-10-03".len())?;
    zoned(date.to_datetime(Time::midnight()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        let now: Zoned = "2026-03-01T12:30:00+01:00[+01:00]".parse().unwrap();
        for (text, expected) in [
            ("18:00", Some("2026-03-01T17:00:00Z")),
            (" 12:31 ", Some("2026-03-01T11:31:00Z")),
            ("12:30", Some("2026-03-02T11:30:00Z")),
            ("06:00:30", Some("2026-03-02T05:00:30Z")),
            ("2026-03-02", Some("2026-03-01T23:00:00Z")),
            ("2026-03-01T18:00", Some("2026-03-01T17:00:00Z")),
            ("2026-03-01 18:00", Some("2026-03-01T17:00:00Z")),
            ("2026-03-01T18:00:00Z", Some("2026-03-01T18:00:00Z")),
            ("2026-03-01T18:00:00-05:00", Some("2026-03-01T23:00:00Z")),
            ("2026-03-01", None),
            ("2026-03-01T11:00:00Z", None),
            ("soon", None),
            ("25:00", None),
            ("2h", None),
            ("", None),
        ] {
            let read = until(text, &now);
            assert_eq!(
                read.clone().ok(),
                expected.map(|at| at.parse().unwrap()),
                "{text} {read:?}"
            );
        }
        assert_eq!(
            until("2026-03-01", &now).unwrap_err(),
            "\"2026-03-01\" is over: it is 2026-03-01T11:30:00Z"
        );
        assert!(
            until("soon", &now).unwrap_err().starts_with("invalid time \"soon\": expected 18:00")
        );
    }
}
