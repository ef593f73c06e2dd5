//! The texts about what is wrong, each on one line.

use std::collections::BTreeSet;

use crate::app::watch::Round;
use crate::cli::present::{because, hint_of};
use crate::core::log::{bounded, normal_form, one_line};
use crate::core::mask::Masked;
use crate::core::masked_plan::MaskedChange;
use crate::core::object::ObjectKey;
use crate::core::plan::{Action, Reason};
use crate::core::redact::MaskedProblem;
use crate::core::report::{Outcome, Report};
use crate::core::source::snapshot::short;

/// The most characters of what is wrong, so that the remedy fits in the line.
const FAULT: usize = 1400;

/// The faults of a round by their normal forms: one that comes again with another time or process id
/// in its text is the same.
#[derive(Clone, Debug, Default)]
pub(super) struct KnownFaults(BTreeSet<String>);

impl KnownFaults {
    pub(super) fn of(texts: &[String]) -> Self {
        Self(texts.iter().map(|text| normal_form(text)).collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn has(&self, text: &str) -> bool {
        self.0.contains(&normal_form(text))
    }

    /// Adds a text; whether it is new.
    pub(super) fn add(&mut self, text: &str) -> bool {
        self.0.insert(normal_form(text))
    }

    /// Adds those of another round.
    pub(super) fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }
}

/// A document that can't be used.
pub(super) fn unusable(problem: &MaskedProblem) -> String {
    let text = format!("{}: {}", problem.place(), problem.message());
    with_hint(&text, problem.hint().map(str::to_owned))
}

/// That a commit was taken back, and what is kept true in its place; the same in every round.
pub(super) fn rolled_back_lines(round: &Round) -> Vec<String> {
    if let Some(failed) = &round.held_back {
        let (failed, healthy) = (short(failed), round.survey.found.revision.short());
        return vec![held_back_line(failed, healthy)];
    }
    let Some(rollback) = &round.report.rollback else { return Vec::new() };
    let failed = round.survey.found.revision.short();
    let mut wrong = vec![format!("{failed} failed: {}", rollback.outcome)];
    if let (Some(to), Some(_)) = (&rollback.to, &rollback.report) {
        wrong.push(held_back_line(failed, short(to)));
    }
    wrong
}

pub(super) fn held_back_line(failed: &str, healthy: &str) -> String {
    format!("stays at {healthy} until there is a commit after {failed}, which failed")
}

/// The faults of a round, apart from its pull and the commit's documents.
pub(super) fn went_wrong(round: &Round, report: &Masked<Report>) -> Vec<String> {
    let mut wrong = Vec::new();
    let plan = round.survey.masked_plan();
    let is_wrong = |change: &MaskedChange<'_>| {
        change.action() == Action::Refuse || plan.is_short(change.key())
    };
    for change in plan.changes().filter(is_wrong) {
        wrong.extend(change.reason().map(|reason| object_line(change.key(), &reason)));
    }
    for key in plan.held_back() {
        let mut kept = plan.changes().filter(|it| it.key() == key && it.origin().is_none());
        let reason = kept.find_map(MaskedChange::reason);
        wrong.extend(reason.map(|reason| object_line(key, &reason)));
    }
    if let Some(to) = &report.lost {
        wrong.push(format!("lost the lock to {to}"));
    }
    for step in &report.steps {
        if let Outcome::Failed(reason) | Outcome::Differs(reason) = &step.outcome {
            wrong.push(object_line(&step.key, reason));
        }
    }
    wrong
}

/// An error with its causes in one line, whatever lines it has.
pub(super) fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    one_line(&text)
}

/// A reason on one line, with what to do.
pub(super) fn object_line(key: &ObjectKey, reason: &Reason) -> String {
    let message = because(reason).join("; ");
    with_hint(&format!("{key}: {message}"), hint_of(reason))
}

pub(super) fn with_hint(text: &str, hint: Option<String>) -> String {
    let text = one_line(text);
    let text = bounded(&text, FAULT, "…");
    match hint {
        Some(hint) => format!("{text} ({})", one_line(&hint)),
        None => text.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_becomes_one_line_with_its_remedy() {
        let ssh = "git can't be reached:\nssh: connect to host a port 22: timed out\r\nfatal: Could not read.\n";
        assert_eq!(
            with_hint(ssh, Some("check\nthe key".to_owned())),
            "git can't be reached:; ssh: connect to host a port 22: timed out; fatal: Could not read. \
             (check; the key)"
        );
        let long = with_hint(&"x\n".repeat(10_000), Some("do this".to_owned()));
        assert!(long.ends_with("more characters) (do this)"), "{long}");
        assert!(long.chars().count() < FAULT + 20 && !long.contains('\n'));
    }

    #[test]
    fn a_fault_with_another_time_is_known() {
        let mut known = KnownFaults::of(&["E1127 12:00:00.1 71 a.go:1] no route".to_owned()]);
        assert!(known.has("E1130 07:31:10.9 1234 a.go:1] no route"));
        assert!(!known.has("E1130 07:31:10.9 1234 a.go:1] no host"));
        assert!(
            known.add("pid 4711 died") && !known.add("pid 12 died") && known.add("pid 12 left")
        );
    }
}
