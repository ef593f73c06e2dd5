//! The lines about a target that is held.

use super::entry::Entry;
use crate::app::watch::Round;
use crate::core::log::{LogEvent, one_line};
use crate::core::plan::Action;

/// The hold of a target, as far as it was said.
#[derive(Default)]
pub(super) struct SaidHold {
    /// In words.
    words: Option<String>,
    /// Whether it was said that it ends soon.
    is_end_said: bool,
    /// The commit that waits.
    commit: Option<String>,
}

impl SaidHold {
    /// The news of a round about the hold, and that there is none any more.
    pub(super) fn entries(&mut self, round: &Round) -> Vec<Entry> {
        let revision = &round.survey.found.revision;
        let Some(held) = &round.held else {
            let was = std::mem::take(self).words;
            let resumed = Entry::new(LogEvent::Resumed, "no longer suspended");
            return was.map(|_| resumed.of_commit(revision)).into_iter().collect();
        };
        let words = one_line(&held.hold.words());
        let mut entries = Vec::new();
        if self.words.as_ref() != Some(&words) {
            *self = Self { words: Some(words.clone()), ..Self::default() };
            entries.push(Entry::new(LogEvent::Suspended, words.clone()));
        }
        let waits = held.is_due.then(|| revision.shown());
        if let Some(commit) = waits.as_ref().filter(|commit| self.commit.as_ref() != Some(commit)) {
            let text = waiting(round, commit);
            entries.push(Entry::new(LogEvent::Suspended, text).of_commit(revision));
        }
        self.commit = waits.or_else(|| self.commit.take());
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

/// A commit that waits, or that the objects differ from.
fn waiting(round: &Round, commit: &str) -> String {
    let is_kept = |action| matches!(action, Action::Keep | Action::Refuse);
    let (plan, found) = (round.survey.masked_plan(), &round.survey.found);
    let count = plan.changes().filter(|change| !is_kept(change.action())).count();
    let applied = found.before.as_ref().and_then(|record| record.revision.as_ref());
    match (applied == Some(&found.revision.commit), count) {
        (_, 0) => format!("{commit} waits"),
        (true, 1) => format!("1 object differs from {commit}"),
        (true, count) => format!("{count} objects differ from {commit}"),
        (false, 1) => format!("{commit} waits: 1 change"),
        (false, count) => format!("{commit} waits: {count} changes"),
    }
}
