//! The words for times, spans, people and outcomes.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::cli::present::Glyphs;
use crate::cli::present::ink::Ink;
use crate::core::history::{Cause, KnownRun, RunOutcome, Summary};
use crate::core::source::snapshot::short;

/// A time as people read it: `2026-10-03 14:02`.
pub(super) fn time(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
}

/// A span as people read it: `41 s`, `12 min`, `3.5 h`, `2.1 d`.
pub(super) fn span(seconds: u64) -> String {
    let tenths = |unit: u64| format!("{:.1}", seconds as f64 / unit as f64);
    let tenths = |unit: u64| tenths(unit).trim_end_matches(".0").to_owned();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", tenths(3600)),
        _ => format!("{} d", tenths(86_400)),
    }
}

/// How many seconds a round took; `None` where it was killed: when is not known.
pub(in crate::cli::present) fn took(summary: &Summary) -> Option<u64> {
    let seconds = summary.ended.as_second() - summary.started.as_second();
    (summary.outcome != RunOutcome::Killed).then(|| u64::try_from(seconds).unwrap_or_default())
}

/// How long a round took as people read it.
pub(super) fn took_words(summary: &Summary) -> String {
    took(summary).map_or_else(|| "?".to_owned(), span)
}

/// The mark of how a round ended, and its colour.
pub(super) fn mark(outcome: RunOutcome, glyphs: Glyphs) -> (&'static str, Ink) {
    match outcome {
        RunOutcome::Healthy | RunOutcome::Applied if glyphs.utf8 => ("✓", Ink::GREEN),
        RunOutcome::Healthy | RunOutcome::Applied => ("=", Ink::GREEN),
        RunOutcome::Interrupted | RunOutcome::Killed => ("?", Ink::YELLOW),
        _ => ("!", Ink::RED),
    }
}

/// The words about a round beside its commit; `None` of a deployment that ended healthy.
pub(super) fn ending(run: &KnownRun) -> Option<String> {
    let Summary { outcome, cause, changed, restored, .. } = &run.summary;
    let objects = format!("{changed} object{}", if *changed == 1 { "" } else { "s" });
    let how = match (outcome, cause) {
        (RunOutcome::Healthy, Cause::Deployment) => return None,
        (RunOutcome::Healthy, Cause::Drift | Cause::Cleanup) => put_right(run),
        (RunOutcome::Healthy, Cause::Removal) => "target removed".to_owned(),
        (RunOutcome::Applied, Cause::Deployment) => "applied, health not waited for".to_owned(),
        (RunOutcome::Applied, Cause::Drift | Cause::Cleanup) => {
            format!("{}, health not waited for", put_right(run))
        }
        (RunOutcome::Applied, Cause::Removal) => "target removed".to_owned(),
        (RunOutcome::Unhealthy, _) => "applied, not all healthy".to_owned(),
        (RunOutcome::Failed, _) => format!("failed after {objects}"),
        (RunOutcome::RolledBack, _) => match restored {
            Some(restored) => format!("failed, rolled back to {}", short(restored)),
            None => "failed, rolled back".to_owned(),
        },
        (RunOutcome::Refused, _) => "refused".to_owned(),
        (RunOutcome::Interrupted, _) => format!("interrupted after {objects}"),
        (RunOutcome::Killed, _) => "killed, the end is not known".to_owned(),
    };
    Some(match run.reason() {
        Some(reason) => format!("{how}: {reason}"),
        None => how,
    })
}

/// The work of a round at a commit that was there already: it put drift back, or cleaned up after a round
/// that did not come to its end.
fn put_right(run: &KnownRun) -> String {
    let Summary { cause, changed, .. } = &run.summary;
    let objects = run.record.as_ref().map(|record| record.objects.as_slice()).unwrap_or_default();
    let objects = match (objects, changed) {
        (_, 0) => return "nothing had to change".to_owned(),
        ([one], 1) => one.key.to_string(),
        (_, 1) => "1 object".to_owned(),
        (_, changed) => format!("{changed} objects"),
    };
    match cause {
        Cause::Cleanup => format!("cleaned up: {objects}"),
        _ => format!("drift: {objects} put back"),
    }
}
