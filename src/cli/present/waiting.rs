//! The state and the result of waiting: as lines of text, as a table that is drawn again and
//! again, and as the part of a JSON document.

use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;
use unicode_width::UnicodeWidthStr as _;

use super::Glyphs;
use super::ink::Ink;
use super::wrap::wrapped;
use crate::core::health::{HealthState, HealthSummary, ObjectHealth, WaitEnd};

/// How many objects the table names; of more, the number is given.
const FEW: usize = 8;

/// The annotation that leaves an object out of waiting.
const LEAVE_OUT: &str = "trueup.dev/wait: \"false\"";

/// `waiting up to 5m for 3 of 412`, for a log.
pub fn beginning(proof: &HealthSummary, timeout: Duration) -> String {
    let all = proof.ready + proof.others.len();
    format!("waiting up to {} for {} of {all} objects", span(timeout), proof.others.len())
}

/// The objects that are waited for, a line each.
pub fn table(proof: &HealthSummary, timeout: Duration, glyphs: Glyphs) -> String {
    let all = proof.ready + proof.others.len();
    let mut lines = vec![format!(
        "{} of {all} ready after {} of at most {}",
        proof.ready,
        span(proof.elapsed),
        span(timeout)
    )];
    for standing in proof.others.iter().take(FEW) {
        let (mark, _) = mark(standing, glyphs);
        let more = standing.details.first();
        let more = more.map(|it| format!("{}{}", glyphs.dot(), glyphs.inert(it)));
        let text = format!("{}{}", sentence(standing, glyphs), more.unwrap_or_default());
        let text = wrapped(&text, glyphs.limit(), mark.width() + 1, 4);
        lines.push(format!("{mark} {}", text.join("\n")));
    }
    if let Some(more @ 1..) = proof.others.len().checked_sub(FEW) {
        lines.push(format!("{} {more} more", glyphs.gap()));
    }
    lines.join("\n")
}

/// The objects that are not ready, with the details that a person would look up.
///
/// # Errors
///
/// When `out` does not take it.
pub(super) fn write(out: &mut impl Write, proof: &HealthSummary, glyphs: Glyphs) -> io::Result<()> {
    for standing in &proof.others {
        let (mark, style) = mark(standing, glyphs);
        let sentence = sentence(standing, glyphs);
        let sentence = wrapped(&sentence, glyphs.limit(), mark.width() + 1, 4);
        writeln!(out, "{style}{mark}{style:#} {}", sentence.join("\n"))?;
        for line in &standing.details {
            let line = wrapped(&glyphs.inert(line), glyphs.limit(), 4, 4);
            writeln!(out, "    {}", line.join("\n"))?;
        }
    }
    if proof.ended == WaitEnd::Timeout {
        let hint = format!(
            "wait longer with --timeout, or annotate an object not to wait for with {LEAVE_OUT}"
        );
        super::hint::write(out, &hint, glyphs)?;
    }
    Ok(())
}

fn mark(standing: &ObjectHealth, glyphs: Glyphs) -> (&'static str, Ink) {
    match standing.health.state {
        HealthState::Failed => ("!", Ink::RED),
        HealthState::Progressing | HealthState::Ready => (glyphs.gap(), Ink::YELLOW),
    }
}

/// `Deployment shop/web failed: its pods can't be made`
pub(super) fn sentence(standing: &ObjectHealth, glyphs: Glyphs) -> String {
    let word = match standing.health.state {
        HealthState::Failed => "failed",
        HealthState::Progressing => "is not ready",
        HealthState::Ready => "is ready",
    };
    let why = match standing.health.why.as_str() {
        "" => String::new(),
        why => format!(": {why}"),
    };
    let text = format!("{} {word}{why}", standing.key);
    glyphs.inert(&text).into_owned()
}

/// `412 ready`, or `1 failed, 2 not ready after 5m`.
pub fn tally(proof: &HealthSummary) -> String {
    if proof.is_ready() {
        return match proof.unasked {
            0 => format!("{} ready", proof.ready),
            n => format!("{} ready, {n} not waited for", proof.ready),
        };
    }
    let parts = [(proof.failed(), "failed"), (proof.progressing(), "not ready")];
    let parts = parts.into_iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> = parts.map(|(count, word)| format!("{count} {word}")).collect();
    let interrupted = if proof.ended == WaitEnd::Interrupted { "interrupted, " } else { "" };
    format!("{interrupted}{} after {}", parts.join(", "), span(proof.elapsed))
}

/// `41s`, `5m`, `1h30m`.
pub fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    let parts = [(seconds / 3600, 'h'), (seconds / 60 % 60, 'm'), (seconds % 60, 's')];
    let parts = parts.into_iter().filter(|(count, _)| *count > 0);
    let text: String = parts.map(|(count, unit)| format!("{count}{unit}")).collect();
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// A proof in JSON.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "health"))]
pub(super) struct HealthDocument {
    #[cfg_attr(test, schemars(with = "crate::core::health::WaitEnd"))]
    ended: &'static str,
    ready: usize,
    failed: usize,
    progressing: usize,
    not_waited_for: usize,
    objects: Vec<StandingDocument>,
    notes: Vec<String>,
    elapsed: f64,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "standing"))]
struct StandingDocument {
    group: String,
    kind: String,
    namespace: Option<String>,
    name: String,
    #[cfg_attr(test, schemars(extend("enum" = ["progressing", "failed"])))]
    state: &'static str,
    why: String,
    after: f64,
    details: Vec<String>,
}

/// A health summary in JSON.
pub(super) fn document(proof: &HealthSummary) -> HealthDocument {
    let objects = proof.others.iter().map(|standing| {
        let ObjectHealth { key, health, after, details } = standing;
        StandingDocument {
            group: key.group.clone(),
            kind: key.kind.clone(),
            namespace: key.namespace.clone(),
            name: key.name.clone(),
            state: health.state.name(),
            why: health.why.clone(),
            after: rounded(*after),
            details: details.clone(),
        }
    });
    HealthDocument {
        ended: proof.ended.name(),
        ready: proof.ready,
        failed: proof.failed(),
        progressing: proof.progressing(),
        not_waited_for: proof.unasked,
        objects: objects.collect(),
        notes: proof.notes.clone(),
        elapsed: rounded(proof.elapsed),
    }
}

/// Seconds, to the thousandth.
fn rounded(time: Duration) -> f64 {
    (time.as_secs_f64() * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::health::Health;
    use crate::core::object::ObjectKey;

    fn standing(name: &str, health: Health) -> ObjectHealth {
        let key = ObjectKey {
            group: "apps".to_owned(),
            kind: "Deployment".to_owned(),
            namespace: Some("shop".to_owned()),
            name: name.to_owned(),
        };
        let details = vec!["container main: exit code 1".to_owned()];
        ObjectHealth { key, health, after: Duration::from_secs(3), details }
    }

    fn proof(others: Vec<ObjectHealth>) -> HealthSummary {
        HealthSummary {
            ready: 409,
            others,
            elapsed: Duration::from_secs(300),
            ..HealthSummary::default()
        }
    }

    #[test]
    fn the_tally_counts_what_is_not_ready() {
        let failed = || standing("a", Health::failed("too slow"));
        let slow = || standing("b", Health::progressing("0 of 1 ready"));
        assert_eq!(tally(&proof(vec![])), "409 ready");
        assert_eq!(tally(&proof(vec![failed(), slow(), slow()])), "1 failed, 2 not ready after 5m");
        let interrupted = HealthSummary { ended: WaitEnd::Interrupted, ..proof(vec![slow()]) };
        assert_eq!(tally(&interrupted), "interrupted, 1 not ready after 5m");
        let exempt = HealthSummary { unasked: 2, ..proof(vec![]) };
        assert_eq!(tally(&exempt), "409 ready, 2 not waited for");
    }

    #[test]
    fn waiting_table_lists_waiters_and_is_bounded() {
        let glyphs = Glyphs { utf8: false, width: None };
        let few = proof(vec![standing("web", Health::progressing("2 of 3\u{1b}[31m ready"))]);
        assert_eq!(
            table(&few, Duration::from_secs(600), glyphs),
            "409 of 410 ready after 5m of at most 10m\n... Deployment shop/web is not ready: 2 of 3\\x1b[31m ready - container main: exit code 1"
        );
        let many = (0..20).map(|n| standing(&n.to_string(), Health::progressing(""))).collect();
        let table = table(&proof(many), Duration::from_secs(600), glyphs);
        assert_eq!(table.lines().count(), FEW + 2);
        assert!(table.ends_with("... 12 more"), "{table}");
    }

    #[test]
    fn the_documentation_names_every_key() {
        let documentation = include_str!("../../../docs/json.md");
        let proof = proof(vec![standing("web", Health::failed("too slow"))]);
        let json = crate::core::json::to_value(document(&proof)).unwrap();
        let standing = json["objects"][0].as_object().unwrap();
        for key in json.as_object().unwrap().keys().chain(standing.keys()) {
            let forms = [format!("`{key}`"), format!(".{key}`")];
            assert!(forms.iter().any(|form| documentation.contains(form)), "{key}");
        }
    }

    #[test]
    fn spans_are_short() {
        for (seconds, text) in
            [(0, "0s"), (41, "41s"), (300, "5m"), (330, "5m30s"), (5400, "1h30m"), (3600, "1h")]
        {
            assert_eq!(span(Duration::from_secs(seconds)), text);
        }
    }
}
