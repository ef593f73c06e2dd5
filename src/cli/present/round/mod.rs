//! A watch as a log: a line for every round that did something or went wrong, none for the others.

mod common;
mod drift;
pub mod entry;
mod exit;
mod faults;
mod healed;
mod held;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

pub use self::common::Common;
use self::entry::Entry;
use self::faults::{
    KnownFaults, causes, held_back_line, rolled_back_lines, unusable, went_wrong, with_hint,
};
use self::held::SaidHold;
use super::{Glyphs, text, waiting};
use crate::app::Error;
use crate::app::trust::Refusal;
use crate::app::watch::{GitResult, Round, RoundError};
use crate::cli::remedy;
use crate::core::health::WaitEnd;
use crate::core::inventory::Inventory;
use crate::core::log::{LogEvent, normal_form, one_line};
use crate::core::mask::Masked;
use crate::core::moves::RemovedTarget;
use crate::core::object::ObjectKey;
use crate::core::report::Report;
use crate::core::schedule::Gate;
use crate::core::source::snapshot::{Revision, short};
use crate::git::pull::{PullError, Pulled};

/// The lines so far, so that nothing is said twice.
pub struct Log {
    glyphs: Glyphs,
    /// Whether a first round that finds everything true says so; all later ones are silent.
    greets: bool,
    /// The commit of the last round that came to something.
    commit: Option<String>,
    /// The lines that several targets have in common.
    common: Common,
    /// The name of this target among them.
    target: String,
    /// Whether any of the faults was said here.
    is_told: bool,
    /// The target that a newer commit waits for.
    gate: Option<Gate>,
    /// The commit that was said to have come.
    announced: Option<String>,
    /// Whether it was said that there is no lock.
    warned: bool,
    /// Why rounds could not be recorded, as far as it was said.
    unrecorded: BTreeSet<String>,
    /// The faults of the last round.
    wrong: KnownFaults,
    /// The warnings so far.
    warnings: KnownFaults,
    /// The line about a commit that is not applied again, as long as that is so.
    stays: Option<String>,
    /// The error of the last pull before the first round.
    unpulled: KnownFaults,
    /// The objects that were not ready when a round had waited for them, with the lines about each.
    unready: BTreeMap<ObjectKey, Vec<String>>,
    /// The hold of the target, as far as it was said.
    held: SaidHold,
}

impl Log {
    /// A log of a target; with `greets` a first round that finds everything true says so.
    pub fn new(greets: bool, glyphs: Glyphs) -> Self {
        Self {
            glyphs,
            greets,
            commit: None,
            common: Common::default(),
            target: String::new(),
            is_told: false,
            gate: None,
            announced: None,
            warned: false,
            unrecorded: BTreeSet::new(),
            wrong: KnownFaults::default(),
            warnings: KnownFaults::default(),
            stays: None,
            unpulled: KnownFaults::default(),
            unready: BTreeMap::new(),
            held: SaidHold::default(),
        }
    }

    /// The same for the `target` as one of several, which have lines in `common`.
    pub fn with(mut self, common: Common, target: &str) -> Self {
        (self.common, self.target) = (common, target.to_owned());
        self
    }

    /// The entry that a watch begins with.
    pub fn beginning(paths: &[String], interval: Duration, pulls: bool) -> Entry {
        let paths = paths.join(" ");
        let remote = if pulls { "" } else { ", without pulling" };
        let interval = interval.as_secs_f64();
        Entry::new(LogEvent::Started, format!("watching {paths} every {interval} s{remote}"))
    }

    /// Whether a round did all that it may, as the target is held.
    pub fn is_kept(round: &Result<Round, RoundError>) -> bool {
        let Ok(round) = round else { return false };
        let is_pulled = round.pulled.as_ref().is_none_or(Result::is_ok);
        let is_done = round.held.as_ref().is_some_and(|it| it.is_idle || round.report.is_good());
        is_pulled && is_done && round.held_back.is_none()
    }

    /// That a commit failed before and is not applied again, as soon as a round knows; said once.
    pub fn held_back(&mut self, failed: &str, healthy: &str) -> Option<Entry> {
        let text = held_back_line(short(failed), short(healthy));
        let is_new = self.stays.as_ref() != Some(&text) && !self.wrong.has(&text);
        let entry = is_new.then(|| Entry::new(LogEvent::HeldBack, text.clone()));
        self.stays = Some(text);
        entry
    }

    /// That a new commit waits for another target; said once.
    pub fn waits(&mut self, gate: &Gate) -> Option<Entry> {
        let before = self.gate.replace(gate.clone());
        let entry = match gate {
            Gate::Open => return None,
            Gate::Waits(name) => {
                Entry::new(LogEvent::Waiting, format!("a new commit waits for target {name}"))
            }
            Gate::Shut(name) => Entry::new(
                LogEvent::HeldBack,
                format!("a new commit is held back by target {name}, which is not good at it"),
            ),
        };
        (before.as_ref() != Some(gate)).then_some(entry)
    }

    /// That settings can be used again, where it was said that they can't.
    pub fn recovered(&mut self) -> Option<Entry> {
        self.common.note(&self.target, BTreeSet::new());
        let was_wrong = !std::mem::take(&mut self.wrong).is_empty();
        let is_told = std::mem::take(&mut self.is_told);
        (was_wrong && is_told).then(|| Entry::new(LogEvent::Recovered, "recovered"))
    }

    /// That a pull before the first round failed; said once as long as it is the same.
    pub fn pull_failed(&mut self, error: &PullError) -> Option<Entry> {
        let text = with_hint(&causes(error), error.hint());
        let is_new = !self.unpulled.has(&text);
        self.unpulled = KnownFaults::of(std::slice::from_ref(&text));
        is_new.then(|| Entry::new(LogEvent::Fault, text))
    }

    /// Something that is worth knowing; said once.
    pub fn warning(&mut self, text: &str) -> Option<Entry> {
        let text = one_line(text);
        self.warnings.add(&text).then(|| Entry::new(LogEvent::Warning, text))
    }

    /// The entries that a round is worth: what it did, and what went wrong that did not go wrong in
    /// the round before.
    /// A commit that can't be used is named with its author: the given one, or that of the round. Of a round
    /// that came to nothing, the faults of `git` are named as well.
    pub fn entries(
        &mut self,
        round: &Result<Round, RoundError>,
        commit: Option<&Revision>,
        git: &GitResult,
    ) -> Vec<Entry> {
        let of_round = round.as_ref().ok().map(|round| &round.survey.found.revision);
        let by = commit.or(of_round).map(|revision| self.by(revision)).unwrap_or_default();
        let (mut wrong, mut of_commit, mut is_common) = (Vec::new(), 0, false);
        let mut of_pull = None;
        let mut entries = Vec::new();
        let superseded = superseded(round);
        match round {
            // It came to nothing, and is reported below.
            Err(_) if superseded.is_some() => {}
            Err(error) => {
                wrong.extend(error.problems().iter().map(unusable));
                let hint = error.hint().as_ref().map(remedy::words);
                wrong.push(with_hint(&causes(error), hint));
                of_commit = if commit.is_some() { wrong.len() } else { 0 };
                wrong.extend(of_git(git.pulled.as_ref(), git.refused.as_ref()));
                is_common = !matches!(error, RoundError::OtherCluster { .. } | RoundError::Task(_));
            }
            Ok(round) => {
                wrong.extend(round.survey.masked_problems().iter().map(unusable));
                of_commit = wrong.len();
                // The place of the remote's fault, where there is one.
                of_pull = matches!(round.pulled, Some(Err(_))).then_some(wrong.len());
                let refused = round.survey.found.judged.refused.as_ref();
                wrong.extend(of_git(round.pulled.as_ref(), refused));
                let is_idle = is_idle(round);
                let news = self.held.entries(round, self.glyphs);
                if !is_idle {
                    let report = round.survey.masked_report(&round.report);
                    wrong.extend(went_wrong(round, &report));
                    wrong.extend(self.unhealthy(round, &report));
                    wrong.extend(rolled_back_lines(round));
                }
                // An end comes before what follows from it, and a hold after what it is about.
                let did = self.did(round);
                let is_held = round.held.is_some();
                let (first, then) = if is_held { (did, news) } else { (news, did) };
                entries.extend(first.into_iter().chain(then));
                match &round.waits {
                    Some(gate) => entries.extend(self.waits(gate)),
                    None => self.gate = None,
                }
            }
        }
        // A fault of the checkout or the cluster is that of other targets, too.
        let shared = |at: usize| is_common || of_pull == Some(at);
        let shared: BTreeSet<usize> = (0..wrong.len()).filter(|at| shared(*at)).collect();
        let known = self.common.note(
            &self.target,
            shared.iter().filter_map(|at| Some(normal_form(wrong.get(*at)?))).collect(),
        );
        for (at, text) in wrong.iter().enumerate() {
            let is_told = shared.contains(&at) && known.contains(&normal_form(text));
            if !self.wrong.has(text) && self.stays.as_ref() != Some(text) && !is_told {
                let of = commit.or(of_round).filter(|_| at < of_commit && shared.contains(&at));
                let tells =
                    |of: &Revision| self.common.tells(&self.target, &normal_form(text), &of.commit);
                if !of.is_none_or(tells) {
                    continue;
                }
                self.is_told = true;
                // A fault is the same whoever wrote it, so that the commit is no part of it.
                let by = if at < of_commit { &by } else { "" };
                let entry = Entry::new(LogEvent::Fault, format!("{text}{by}"));
                entries.push(match commit.or(of_round) {
                    Some(revision) => entry.of_commit(revision),
                    None => entry,
                });
            }
        }
        if let Ok(Round { warning: Some(warning), .. }) = round
            && !std::mem::replace(&mut self.warned, true)
        {
            entries.push(Entry::new(LogEvent::Warning, warning.clone()));
        }
        for warning in round.iter().flat_map(|round| &round.unrecorded) {
            if self.unrecorded.insert(normal_form(warning)) {
                entries.push(Entry::new(LogEvent::Warning, warning.clone()));
            }
        }
        if let Ok(round) = round {
            for removed in &round.survey.found.removed {
                if self.common.gone(&removed.name) {
                    entries.push(Entry::new(LogEvent::Warning, removed_line(removed)));
                }
            }
            self.stays = self.stays.take().filter(|stays| wrong.contains(stays));
            let is_done = superseded.is_none() && !is_idle(round);
            let recovered = !self.wrong.is_empty() && wrong.is_empty() && is_done;
            let is_told = recovered && std::mem::take(&mut self.is_told);
            if is_told {
                let commit = round.survey.found.revision.shown();
                let entry = Entry::new(LogEvent::Recovered, format!("recovered @ {commit}"));
                entries.push(entry.of_commit(&round.survey.found.revision).with_counts(round));
            } else if entries.is_empty()
                && self.commit.is_none()
                && std::mem::take(&mut self.greets)
            {
                let text = in_sync(round).join(self.glyphs.dot());
                let entry = Entry::new(LogEvent::InSync, text).with_counts(round);
                entries.push(entry.of_commit(&round.survey.found.revision));
            }
            let back = round.report.rollback.as_ref().and_then(|rollback| rollback.to.clone());
            if !is_idle(round) {
                self.commit = back.or_else(|| Some(round.survey.found.revision.commit.clone()));
            }
        }
        let is_idle = round.as_ref().is_ok_and(is_idle);
        entries.extend(
            superseded.as_ref().map(|text| Entry::new(LogEvent::Superseded, text.as_str())),
        );
        if superseded.is_some() || is_idle {
            // How it would have ended is unknown.
            let before = std::mem::replace(&mut self.wrong, KnownFaults::of(&wrong));
            self.wrong.extend(before);
        } else {
            self.wrong = KnownFaults::of(&wrong);
        }
        entries
    }

    /// The end of a line about a commit that can't be used.
    fn by(&self, revision: &Revision) -> String {
        let Revision { author, dirty, .. } = revision;
        match author.is_empty() || *dirty {
            true => String::new(),
            false => format!("{}{} by {author}", self.glyphs.dot(), revision.shown()),
        }
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

    /// The commit that a pull brought. A round may see it a moment before the pull is known to have ended.
    fn brought(&mut self, pulled: &Pulled, round: &Round) -> Option<Entry> {
        let awaits = round.held.as_ref().and_then(|held| held.waits.as_ref());
        let revision = awaits.map_or(&round.survey.found.revision, |awaits| &awaits.revision);
        if round.waits.is_some() {
            return None;
        }
        let has_come = match revision.tracked {
            Some(_) => !pulled.tracked.is_empty(),
            None => pulled.has_moved(),
        };
        let is_other = self.commit.as_ref().is_some_and(|before| *before != revision.commit);
        let is_new = self.announced.as_ref() != Some(&revision.commit);
        ((has_come || is_other && round.held_back.is_none()) && is_new).then(|| {
            self.announced = Some(revision.commit.clone());
            let summary = awaits.map(|awaits| awaits.summary.clone());
            let summary = summary.unwrap_or_else(|| round.survey.masked_summary());
            let author = &revision.author;
            let text = format!("new commit {} \"{}\" by {author}", revision.shown(), *summary);
            Entry::new(LogEvent::NewCommit, text).of_commit(revision)
        })
    }

    /// The entries about the changes of a round.
    fn did(&mut self, round: &Round) -> Vec<Entry> {
        let survey = &round.survey;
        let commit = survey.found.revision.shown();
        let mut entries = Vec::new();
        if let Some(Ok(pulled)) = &round.pulled {
            entries.extend(self.brought(pulled, round));
        }
        let is_drift = match &self.commit {
            Some(before) => *before == survey.found.revision.commit,
            None => {
                survey.found.before.as_ref().and_then(|record| record.revision.as_ref())
                    == Some(&survey.found.revision.commit)
            }
        };
        if is_drift {
            entries.extend(drift::drifts(round, self.glyphs));
        } else {
            entries.extend(drift::former_drifts(&round.former_drift, self.glyphs));
        }
        let changed = round.report.done();
        if changed > 0 && round.report.at_commit {
            let health = round.report.proof.as_ref().map(|it| format!(", {}", waiting::tally(it)));
            let health = health.unwrap_or_default();
            let parts = [format!("at {commit}"), format!("{changed} changed{health}")];
            let parts = parts.into_iter().chain(text::cost(round.requests, round.elapsed));
            let text = parts.collect::<Vec<_>>().join(self.glyphs.dot());
            let entry = Entry::new(LogEvent::Applied, text).with_counts(round);
            entries.push(entry.of_commit(&survey.found.revision));
        } else if changed > 0 {
            let text = format!("not at {commit}{}{changed} changed", self.glyphs.dot());
            let entry = Entry::new(LogEvent::NotApplied, text).with_counts(round);
            entries.push(entry.of_commit(&survey.found.revision));
        }
        entries
    }
}

/// Whether a round wrote nothing, as the target is held.
fn is_idle(round: &Round) -> bool {
    round.held.as_ref().is_some_and(|held| held.is_idle)
}

/// The faults that a round's pull and the verify rules found.
fn of_git(pulled: Option<&Result<Pulled, PullError>>, refused: Option<&Refusal>) -> Vec<String> {
    let mut wrong = Vec::new();
    match pulled {
        Some(Err(error)) => wrong.push(with_hint(&causes(error), error.hint())),
        Some(Ok(pulled)) => {
            let refused = pulled.refused.iter();
            wrong.extend(refused.map(|it| with_hint(&it.message, Some(it.hint.clone()))));
        }
        None => {}
    }
    wrong.extend(refused.map(super::trust::refusal));
    wrong
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

/// That a watched target is gone from trueup.yaml, whose inventory is known where a round came so far.
pub fn gone_line(name: &str, inventory: Option<&Inventory>) -> String {
    match inventory {
        Some(inventory) => {
            removed_line(&RemovedTarget { name: name.to_owned(), inventory: inventory.clone() })
        }
        None => format!("target {name} is gone from trueup.yaml, and is not watched any more"),
    }
}

/// That a round ended before its time, as a newer commit has come.
fn superseded(round: &Result<Round, RoundError>) -> Option<String> {
    match round {
        Ok(round) => {
            let newer = short(round.report.superseded.as_ref()?);
            Some(format!("stopped waiting: {newer} has arrived"))
        }
        Err(RoundError::Reconcile(error @ Error::Superseded(_))) => Some(error.to_string()),
        Err(_) => None,
    }
}

/// The parts of the line about a round that had nothing to do.
fn in_sync(round: &Round) -> Vec<String> {
    let objects = round.survey.masked_plan().object_count();
    let plural = if objects == 1 { "" } else { "s" };
    let commit = round.survey.found.revision.shown();
    let parts = [format!("in sync @ {commit}"), format!("{objects} object{plural}")];
    parts.into_iter().chain(text::cost(round.requests, round.elapsed)).collect()
}
