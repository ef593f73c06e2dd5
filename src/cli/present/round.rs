//! A watch as a log: a line for every round that did something or went wrong, none for the others.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Zoned;

use super::{Glyphs, because, hint_of, text, waiting};
use crate::app::Error;
use crate::app::trust::TrustError;
use crate::app::watch::{Round, RoundError, Watch};
use crate::cli::exit::Exit;
use crate::cli::remedy;
use crate::core::diff::{Delta, FieldOrder};
use crate::core::health::WaitEnd;
use crate::core::mask::Masked;
use crate::core::masked_plan::MaskedChange;
use crate::core::moves::RemovedTarget;
use crate::core::object::ObjectKey;
use crate::core::plan::{Action, Reason};
use crate::core::redact::MaskedProblem;
use crate::core::report::{Outcome, Report};
use crate::core::source::snapshot::short;
use crate::git::pull::{PullError, Pulled};

/// The most fields of one object that are listed; of more, the number is given.
const FEW_FIELDS: usize = 3;

/// The lines so far, so that nothing is said twice.
pub struct Log {
    target: String,
    glyphs: Glyphs,
    /// Whether a first round that finds everything true says so; all later ones are silent.
    greets: bool,
    /// The commit of the last round that came to something.
    commit: Option<String>,
    /// The targets of which it was said that they are gone.
    gone: BTreeSet<String>,
    /// Whether it was said that there is no lock.
    warned: bool,
    /// Why rounds could not be recorded, as far as it was said.
    unrecorded: BTreeSet<String>,
    /// The faults of the last round.
    wrong: BTreeSet<String>,
    /// The line about a commit that is not applied again, as long as that is so.
    stays: Option<String>,
    /// The error of the last pull before the first round.
    unpulled: Option<String>,
    /// The objects that were not ready when a round had waited for them, with the lines about each.
    unready: BTreeMap<ObjectKey, Vec<String>>,
}

impl Log {
    /// The log of `target`; with `greets` a first round that finds everything true says so.
    pub fn new(target: &str, greets: bool, glyphs: Glyphs) -> Self {
        let (target, wrong) = (target.to_owned(), BTreeSet::new());
        let (warned, stays, unready) = (false, None, BTreeMap::new());
        let unrecorded = BTreeSet::new();
        let (gone, unpulled) = (BTreeSet::new(), None);
        Self {
            target,
            glyphs,
            greets,
            commit: None,
            gone,
            warned,
            unrecorded,
            wrong,
            stays,
            unpulled,
            unready,
        }
    }

    /// One line with the time and the target.
    pub fn line(&self, text: &str) -> String {
        let line = format!("{} {}  {text}", Zoned::now().strftime("%H:%M:%S"), self.target);
        self.glyphs.inert(&line).into_owned()
    }

    /// The line that a watch begins with.
    pub fn beginning(&self, watch: &Watch, paths: &[String]) -> String {
        let paths = paths.join(" ");
        let remote = if watch.pull.is_some() { "" } else { ", without pulling" };
        self.line(&format!("watching {paths} every {} s{remote}", watch.interval.as_secs_f64()))
    }

    /// The exit status of a round.
    pub fn exit(&self, round: &Result<Round, RoundError>) -> Exit {
        match round {
            Err(RoundError::Settings(error)) if error.is_refusal => Exit::NotAtCommit,
            Err(RoundError::Reconcile(Error::Trust(TrustError::Refused(refusal))))
                if !refusal.fault.is_unknown() =>
            {
                Exit::NotAtCommit
            }
            Err(_) => Exit::CouldNot,
            Ok(Round { pulled: Some(Err(error)), .. }) if !error.is_refusal() => Exit::CouldNot,
            Ok(Round { pulled: Some(Err(_)), .. }) => Exit::NotAtCommit,
            Ok(Round { pulled: Some(Ok(pulled)), .. }) if !pulled.refused.is_empty() => {
                Exit::NotAtCommit
            }
            Ok(Round { held_back: Some(_), .. }) => Exit::NotAtCommit,
            Ok(Round { survey, .. }) if survey.found.judged.refused.is_some() => Exit::NotAtCommit,
            Ok(round) if round.report.is_good() => Exit::AtCommit,
            Ok(round) if round.report.interrupted => Exit::Interrupted,
            Ok(_) => Exit::NotAtCommit,
        }
    }

    /// That a commit failed before and is not applied again, as soon as a round knows; said once.
    pub fn held_back(&mut self, failed: &str, healthy: &str) -> Option<String> {
        let text = held_back_line(short(failed), short(healthy));
        let is_new = self.stays.as_ref() != Some(&text) && !self.wrong.contains(&text);
        let line = is_new.then(|| self.line(&format!("! {text}")));
        self.stays = Some(text);
        line
    }

    /// That a pull before the first round failed; said once as long as it is the same.
    pub fn pull_failed(&mut self, error: &PullError) -> Option<String> {
        let text = with_hint(&causes(error), error.hint());
        let line = (self.unpulled.as_ref() != Some(&text)).then(|| self.line(&format!("! {text}")));
        self.unpulled = Some(text);
        line
    }

    /// The lines that a round is worth: what it did, and what went wrong that did not go wrong in
    /// the round before.
    pub fn lines(&mut self, round: Result<Round, RoundError>) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut done = Vec::new();
        let superseded = superseded(&round, self.glyphs);
        match &round {
            // It came to nothing, and is reported below.
            Err(_) if superseded.is_some() => {}
            Err(error) => {
                wrong.extend(error.problems().iter().map(unusable));
                let hint = error.hint().as_ref().map(remedy::words);
                wrong.push(with_hint(&causes(error), hint));
            }
            Ok(round) => {
                if let Some(Err(error)) = &round.pulled {
                    wrong.push(with_hint(&causes(error), error.hint()));
                }
                if let Some(Ok(pulled)) = &round.pulled {
                    let refused = pulled.refused.iter();
                    wrong.extend(refused.map(|it| with_hint(&it.message, Some(it.hint.clone()))));
                }
                let refused = round.survey.found.judged.refused.as_ref();
                wrong.extend(refused.map(super::trust::refusal));
                let report = round.survey.masked_report(&round.report);
                wrong.extend(went_wrong(round, &report));
                wrong.extend(self.unhealthy(round, &report));
                wrong.extend(rolled_back_lines(round));
                done.extend(self.did(round));
            }
        }
        let mut lines: Vec<String> = done.iter().map(|text| self.line(text)).collect();
        for text in &wrong {
            if !self.wrong.contains(text) && self.stays.as_ref() != Some(text) {
                lines.push(self.line(&format!("! {text}")));
            }
        }
        if let Ok(Round { warning: Some(warning), .. }) = &round
            && !std::mem::replace(&mut self.warned, true)
        {
            lines.push(self.line(&format!("warning: {warning}")));
        }
        for warning in round.iter().flat_map(|round| &round.unrecorded) {
            if self.unrecorded.insert(warning.clone()) {
                lines.push(self.line(&format!("warning: {warning}")));
            }
        }
        if let Ok(round) = &round {
            for removed in &round.survey.found.removed {
                if self.gone.insert(removed.name.clone()) {
                    lines.push(self.line(&format!("warning: {}", removed_line(removed))));
                }
            }
            self.stays = self.stays.take().filter(|stays| wrong.contains(stays));
            let recovered = !self.wrong.is_empty() && wrong.is_empty() && superseded.is_none();
            if recovered {
                lines.push(
                    self.line(&format!("recovered @ {}", round.survey.found.revision.shown())),
                );
            } else if lines.is_empty() && self.greets && self.commit.is_none() {
                lines.push(self.line(&in_sync(round).join(self.glyphs.dot())));
            }
            let back = round.report.rollback.as_ref().and_then(|rollback| rollback.to.clone());
            self.commit = back.or_else(|| Some(round.survey.found.revision.commit.clone()));
        }
        if let Some(text) = superseded {
            lines.push(self.line(&text));
            // How it would have ended is unknown.
            wrong.extend(std::mem::take(&mut self.wrong));
        }
        self.wrong = wrong.into_iter().collect();
        lines
    }

    /// The objects that are not healthy. The first line about each stays the same until it is ready
    /// or
    /// changed, so that a log is not filled with how it goes.
    fn unhealthy(&mut self, round: &Round, report: &Masked<Report>) -> Vec<String> {
        let survey = &round.survey;
        // An object that was not waited for to the end may be ready the next moment.
        let proof = report.proof.iter().filter(|it| it.ended != WaitEnd::Superseded);
        let now = proof.flat_map(|proof| &proof.others);
        let mut before = std::mem::take(&mut self.unready);
        if survey.masked_plan().writes() {
            before.clear();
        }
        for standing in now {
            let said = before.remove(&standing.key).unwrap_or_else(|| {
                let mut said = vec![waiting::sentence(standing, self.glyphs)];
                said.extend(standing.details.iter().cloned());
                said
            });
            self.unready.insert(standing.key.clone(), said);
        }
        before.retain(|key, _| survey.found.unready.contains_key(key));
        self.unready.append(&mut before);
        self.unready.values().map(|said| said.join("; ")).collect()
    }

    /// The lines about the changes of a round.
    fn did(&self, round: &Round) -> Vec<String> {
        let survey = &round.survey;
        let commit = survey.found.revision.shown();
        let mut lines = Vec::new();
        if let Some(Ok(pulled)) = &round.pulled {
            lines.extend(brought(pulled, round));
        }
        let is_drift = match &self.commit {
            Some(before) => *before == survey.found.revision.commit,
            None => {
                survey.found.before.as_ref().and_then(|record| record.revision.as_ref())
                    == Some(&survey.found.revision.commit)
            }
        };
        if is_drift {
            lines.extend(drifts(round));
        }
        let changed = round.report.done();
        if changed > 0 && round.report.at_commit {
            let health = round.report.proof.as_ref().map(|it| format!(", {}", waiting::tally(it)));
            let health = health.unwrap_or_default();
            let parts = [format!("at {commit}"), format!("{changed} changed{health}")];
            let parts = parts.into_iter().chain(text::cost(round.requests, round.elapsed));
            lines.push(parts.collect::<Vec<_>>().join(self.glyphs.dot()));
        } else if changed > 0 {
            lines.push(format!("not at {commit}{}{changed} changed", self.glyphs.dot()));
        }
        lines
    }
}

/// That a target is gone from trueup.yaml, and what takes it down.
pub fn removed_line(removed: &RemovedTarget) -> String {
    let RemovedTarget { name, inventory } = removed;
    format!(
        "target {name} is gone from trueup.yaml, and its inventory {} is still there: trueup apply \
        --removed {name} takes it down",
        inventory.key().path()
    )
}

/// The commit that a pull brought.
fn brought(pulled: &Pulled, round: &Round) -> Option<String> {
    let revision = &round.survey.found.revision;
    let has_come = match revision.tracked {
        Some(_) => !pulled.tracked.is_empty(),
        None => pulled.has_moved(),
    };
    has_come.then(|| {
        let (summary, author) = (round.survey.masked_summary(), &revision.author);
        format!("new commit {} \"{}\" by {author}", revision.shown(), *summary)
    })
}

/// The drift that was put back.
fn drifts(round: &Round) -> impl Iterator<Item = String> {
    let is_done = |key| {
        let mut steps = round.report.steps.iter();
        steps.any(|step| {
            step.key == key && matches!(step.outcome, Outcome::Done | Outcome::Terminating)
        })
    };
    let changes: Vec<MaskedChange<'_>> = round.survey.masked_plan().changes().collect();
    changes.into_iter().filter(move |change| is_done(change.key().clone())).map(|change| {
        let what = match change.action() {
            Action::Create => "gone".to_owned(),
            Action::Delete => "no longer declared".to_owned(),
            Action::Abandon => return format!("abandoned: {}", change.key()),
            _ => fields(&change.delta(FieldOrder::none())),
        };
        format!("drift: {} {what}, put back", change.key())
    })
}

/// The fields that a drift touched, with the value found and the value put back.
fn fields(delta: &Delta) -> String {
    let text = |value: &Option<crate::core::json::Value>| match value {
        Some(crate::core::json::Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => "none".to_owned(),
    };
    match delta.fields.as_slice() {
        [] => "changed".to_owned(),
        few if few.len() <= FEW_FIELDS => {
            let few = few.iter().map(|field| {
                format!("{} {} → {}", field.path, text(&field.before), text(&field.after))
            });
            few.collect::<Vec<_>>().join(", ")
        }
        many => format!("in {} fields", many.len()),
    }
}

/// A document that can't be used.
fn unusable(problem: &MaskedProblem) -> String {
    let text = format!("{}: {}", problem.place(), problem.message());
    with_hint(&text, problem.hint().map(str::to_owned))
}

/// That a commit was taken back, and what is kept true in its place; the same in every round.
fn rolled_back_lines(round: &Round) -> Vec<String> {
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

fn held_back_line(failed: &str, healthy: &str) -> String {
    format!("stays at {healthy} until there is a commit after {failed}, which failed")
}

/// The faults of a round, apart from its pull.
fn went_wrong(round: &Round, report: &Masked<Report>) -> Vec<String> {
    let mut wrong: Vec<String> = round.survey.masked_problems().iter().map(unusable).collect();
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

/// That a round ended before its time, as a newer commit has come.
fn superseded(round: &Result<Round, RoundError>, glyphs: Glyphs) -> Option<String> {
    let text = match round {
        Ok(round) => {
            let newer = short(round.report.superseded.as_ref()?);
            format!("stopped waiting: {newer} has arrived")
        }
        Err(RoundError::Reconcile(error @ Error::Superseded(_))) => error.to_string(),
        Err(_) => return None,
    };
    Some(format!("{} {text}", glyphs.gap()))
}

/// The parts of the line about a round that had nothing to do.
fn in_sync(round: &Round) -> Vec<String> {
    let objects = round.survey.masked_plan().object_count();
    let plural = if objects == 1 { "" } else { "s" };
    let commit = round.survey.found.revision.shown();
    let parts = [format!("in sync @ {commit}"), format!("{objects} object{plural}")];
    parts.into_iter().chain(text::cost(round.requests, round.elapsed)).collect()
}

/// An error with its causes in one line, whatever lines it has.
fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    let line = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.contains('\n') {
        true => text.lines().map(line).collect::<Vec<_>>().join("; "),
        false => text,
    }
}

/// A reason on one line, with what to do.
fn object_line(key: &ObjectKey, reason: &Reason) -> String {
    let message = because(reason).join("; ");
    with_hint(&format!("{key}: {message}"), hint_of(reason))
}

fn with_hint(text: &str, hint: Option<String>) -> String {
    match hint {
        Some(hint) => format!("{text} ({hint})"),
        None => text.to_owned(),
    }
}
