//! Which suspension was told, and what is new of it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::message::Transition;
use super::observation::SuspendedRound;

/// The suspension that was told last, until it is over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ToldSuspension(Option<Told>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Told {
    key: String,
    since: Timestamp,
    is_end_told: bool,
}

impl ToldSuspension {
    /// Notes the suspension of a round, or that there is none, and gives what is new, with the time since
    /// when the target is suspended.
    pub(super) fn note(
        &mut self,
        now: Option<&SuspendedRound>,
        at: Timestamp,
    ) -> Vec<(Transition, Timestamp)> {
        let Some(SuspendedRound { key, ends_soon, text: _ }) = now else {
            return self
                .0
                .take()
                .map(|told| (Transition::Resumed, told.since))
                .into_iter()
                .collect();
        };
        let is_known = self.0.as_ref().is_some_and(|told| told.key == *key);
        let since = self.0.as_ref().map_or(at, |told| told.since.min(at));
        let was_told = is_known && self.0.as_ref().is_some_and(|told| told.is_end_told);
        let is_ending = *ends_soon && !was_told;
        self.0 = Some(Told { key: key.clone(), since, is_end_told: was_told || is_ending });
        let begun = (!is_known).then_some((Transition::Suspended, since));
        let ending = is_ending.then_some((Transition::SuspensionEnding, since));
        begun.into_iter().chain(ending).collect()
    }
}
