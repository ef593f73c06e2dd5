//! The lines about a target that is held.

use std::collections::BTreeSet;

use super::drift::unrestored;
use super::entry::Entry;
use crate::app::watch::{HeldRound, Round};
use crate::cli::present::Glyphs;
use crate::core::log::{LogEvent, one_line};
use crate::core::plan::Action;

/// The hold of a target, as far as it was said.
#[derive(Default)]
pub(super) struct SaidHold {
    /// A suspension, in words.
    suspension: Option<String>,
    /// Whether it was said that it ends soon.
    is_end_said: bool,
    /// The line about the commit that waits.
    waits: Option<String>,
    /// The lines about drift that is not put back.
    drift: BTreeSet<String>,
}

impl SaidHold {
    /// The news of a round about the hold, and that there is none any more.
    pub(super) fn entries(&mut self, round: &Round, glyphs: Glyphs) -> Vec<Entry> {
        let revision = &round.survey.found.revision;
        let suspended = round.held.as_ref().filter(|held| held.hold.is_suspension());
        let words = suspended.map(|held| one_line(&held.hold.words()));
        let mut entries = Vec::new();
        if self.suspension != words {
            entries.push(match &words {
                Some(words) => Entry::new(LogEvent::Suspended, words.clone()),
                None => Entry::new(LogEvent::Resumed, "no longer suspended").of_commit(revision),
            });
            *self = Self { suspension: words, ..Self::default() };
        }
        let Some(held) = &round.held else {
            (self.waits, self.drift) = (None, BTreeSet::new());
            return entries;
        };
        let waits = waiting(round, held);
        if let Some(text) = waits.as_ref().filter(|text| self.waits.as_ref() != Some(text)) {
            let revision = held.waits.as_ref().map_or(revision, |waits| &waits.revision);
            entries.push(Entry::new(LogEvent::CommitWaits, text.clone()).of_commit(revision));
        }
        self.waits = waits;
        let drift = match held.is_idle && suspended.is_none() && is_applied(round) {
            true => unrestored(round, glyphs),
            false => Vec::new(),
        };
        let now: BTreeSet<String> = drift.iter().map(|entry| entry.text.clone()).collect();
        entries.extend(drift.into_iter().filter(|entry| !self.drift.contains(&entry.text)));
        self.drift = now;
        if held.ends_soon && !std::mem::replace(&mut self.is_end_said, true) {
            let text = match held.hold.until {
                Some(until) => format!("the suspension ends at {until:.0}"),
                None => "the suspension ends soon".to_owned(),
            };
            entries.push(Entry::new(LogEvent::Suspended, text));
        }
        entries
    }
}

/// Whether the round looked at the commit that runs.
fn is_applied(round: &Round) -> bool {
    let found = &round.survey.found;
    let applied = found.before.as_ref().and_then(|record| record.revision.as_ref());
    applied == Some(&found.revision.commit)
}

/// The line about a commit that waits, or about objects that differ while the target is suspended.
fn waiting(round: &Round, held: &HeldRound) -> Option<String> {
    let is_kept = |action| matches!(action, Action::Keep | Action::Refuse);
    let changes = || {
        let plan = round.survey.masked_plan();
        plan.changes().filter(|change| !is_kept(change.action())).count()
    };
    if let Some(waits) = &held.waits {
        let is_looked_at = waits.revision.commit == round.survey.found.revision.commit;
        let count = match is_looked_at.then(changes) {
            None | Some(0) => String::new(),
            Some(1) => ": 1 change".to_owned(),
            Some(count) => format!(": {count} changes"),
        };
        let why = held.hold.brief().map(|why| format!(": {why}")).unwrap_or_default();
        return Some(format!("{} waits{why}{count}", waits.revision.shown()));
    }
    let commit = round.survey.found.revision.shown();
    match (held.hold.is_suspension() && held.is_due).then(changes)? {
        1 => Some(format!("1 object differs from {commit}")),
        count => Some(format!("{count} objects differ from {commit}")),
    }
}
