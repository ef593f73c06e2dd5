//! Schedules and time zones of CronJobs.
//!
//! Source of the rules: github.com/robfig/cron/v3 `parser.go` as `ParseStandard` uses it, and
//! `validateTimeZone` in Kubernetes' `pkg/apis/batch/validation/validation.go`.

use super::faults::{Faults, of};
use crate::core::json::Map;
use crate::core::suggest::suggest;

/// The names of the time zone database, as Go carries it.
const ZONES: &str = include_str!("zones.txt");

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// A part of a schedule.
struct Part {
    name: &'static str,
    least: u64,
    most: u64,
    /// Names of the numbers, the first of which is `least`.
    names: &'static [&'static str],
}

const PARTS: [Part; 5] = [
    Part { name: "minute", least: 0, most: 59, names: &[] },
    Part { name: "hour", least: 0, most: 23, names: &[] },
    Part { name: "day of the month", least: 1, most: 31, names: &[] },
    Part { name: "month", least: 1, most: 12, names: &MONTHS },
    Part { name: "day of the week", least: 0, most: 6, names: &DAYS },
];

/// The schedule and the time zone of a CronJob.
pub(super) fn schedule<'v>(faults: &mut Faults<'v>, spec: &'v Map) {
    if let Some((value, text)) = of(spec, "schedule").and_then(|v| Some((v, v.as_str()?))) {
        if text.contains("TZ") {
            faults.says(value, "must not have a time zone in it");
            faults.hint(Some("write the time zone as `timeZone`".to_owned()));
        } else if let Some(fault) = fault(text) {
            faults.says(value, format!("must be a cron schedule: {fault}"));
        }
    }
    if let Some((value, zone)) = of(spec, "timeZone").and_then(|v| Some((v, v.as_str()?)))
        && !is_zone(zone)
    {
        faults.must(value, "be a name of the time zone database");
        let meant = suggest(zone, ZONES.lines()).first().map(|near| format!("write {near}"));
        faults.hint(meant);
    }
}

/// The fault of a schedule.
fn fault(text: &str) -> Option<String> {
    if let Some(descriptor) = text.strip_prefix('@') {
        return match descriptor {
            "yearly" | "annually" | "monthly" | "weekly" | "daily" | "midnight" | "hourly" => None,
            // How Go reads a duration is the server's to say.
            every if every.starts_with("every ") => None,
            _ => Some(format!("unknown @{descriptor}")),
        };
    }
    let count = text.split_whitespace().count();
    if count != PARTS.len() {
        return Some(format!("it has {count} fields and needs 5"));
    }
    let mut parts = text.split_whitespace().zip(&PARTS);
    parts.find_map(|(text, part)| {
        let mut ranges = text.split(',').filter(|range| !range.is_empty());
        ranges.find_map(|range| self::range(range, part))
    })
}

/// The fault of a range such as `1-5/2`.
fn range(text: &str, part: &Part) -> Option<String> {
    let Part { name, least, most, .. } = *part;
    let invalid = || Some(format!("{name} \"{text}\" is not valid"));
    let mut steps = text.split('/');
    let (ends, step) = (steps.next().unwrap_or_default(), steps.next());
    let mut bounds = ends.split('-');
    let (low, high) = (bounds.next().unwrap_or_default(), bounds.next());
    let (start, end) = if matches!(low, "*" | "?") {
        (least, most)
    } else {
        if bounds.next().is_some() {
            return invalid();
        }
        let Some(start) = number(low, part) else { return invalid() };
        match high.map(|high| number(high, part)) {
            None if step.is_some() => (start, most),
            None => (start, start),
            Some(Some(end)) => (start, end),
            Some(None) => return invalid(),
        }
    };
    match step.map(integer) {
        Some(None | Some(0)) => return invalid(),
        _ if steps.next().is_some() => return invalid(),
        _ => {}
    }
    if start < least || end > most {
        return Some(format!("{name} \"{text}\" is not from {least} to {most}"));
    }
    (start > end).then(|| format!("{name} \"{text}\" ends before it starts"))
}

fn number(text: &str, part: &Part) -> Option<u64> {
    let named =
        part.names.iter().zip(part.least..).find(|(name, _)| name.eq_ignore_ascii_case(text));
    named.map_or_else(|| integer(text), |(_, number)| Some(number))
}

/// A number as Go's `strconv.Atoi` reads it, which takes a sign.
fn integer(text: &str) -> Option<u64> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(u64::MAX))
}

/// Whether the server knows a time zone of this name.
fn is_zone(name: &str) -> bool {
    name == "UTC" || ZONES.lines().any(|zone| zone == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_are_read_as_the_server_reads_them() {
        let sound = [
            "* * * * *",
            "*/5 * * * *",
            "0 0 1 1 0",
            "59 23 31 12 6",
            "0 9-17/2 * * MON-fri",
            "5/10 * ? JAN *",
            "1,2,,3 * * * *",
            "@daily",
            "@every 1h30m",
            " 0  0 * * * ",
            "+1 * * * *",
            "*-5 * * * *",
            ", * * * *",
        ];
        for text in sound {
            assert_eq!(fault(text), None, "{text}");
        }
        let wrong = [
            "* * * *",
            "* * * * * *",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * * 13 *",
            "* * * * 7",
            "5-1 * * * *",
            "*/0 * * * *",
            "*/a * * * *",
            "1-2-3 * * * *",
            "1/2/3 * * * *",
            "a * * * *",
            "@dayly",
            "* * * JANUARY *",
            "-1 * * * *",
            "",
        ];
        for text in wrong {
            assert!(fault(text).is_some(), "{text}");
        }
        let told = fault("* 24 * * *");
        assert_eq!(told.as_deref(), Some("hour \"24\" is not from 0 to 23"));
    }

    #[test]
    fn time_zones_are_those_of_the_database() {
        for zone in ["UTC", "Europe/Zurich", "Etc/GMT+5", "US/Pacific"] {
            assert!(is_zone(zone), "{zone}");
        }
        for zone in ["", "Local", "Europe/Zurch", "europe/zurich", "+01:00"] {
            assert!(!is_zone(zone), "{zone}");
        }
    }
}
