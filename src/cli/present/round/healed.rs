//! The entries about drift that was put back while a round waited for health.

use super::entry::Entry;
use super::faults::went_wrong;
use super::{Log, drift};
use crate::app::watch::Round;
use crate::core::log::LogEvent;

impl Log {
    /// The drift that was put back, and what of it could not be; the round that waits says the rest.
    pub fn healed(&mut self, round: &Round) -> Vec<Entry> {
        let revision = &round.survey.found.revision;
        let mut entries: Vec<Entry> = drift::drifts(round, self.glyphs).collect();
        let report = round.survey.masked_report(&round.report);
        for text in went_wrong(round, &report) {
            if self.wrong.add(&text) {
                self.is_told = true;
                entries.push(Entry::new(LogEvent::Fault, text).of_commit(revision));
            }
        }
        entries
    }
}
