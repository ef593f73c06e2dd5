//! The end of a round that writes nothing, as its target is held.

use std::collections::BTreeMap;

use super::Watch;
use super::calm::follow;
use super::held::HeldRound;
use super::round::{PendingRound, Round};
use crate::core::report::Report;

impl PendingRound {
    /// Whether it says what the next one needn't say again: nothing waits, differs, or is to end.
    pub(super) fn is_calm(round: &Round) -> bool {
        let is_lasting = round.held.as_ref().is_some_and(|held| !held.hold.is_suspension());
        let pulled = round.pulled.as_ref();
        let is_pulled = pulled.is_none_or(|it| it.as_ref().is_ok_and(|it| it.refused.is_empty()));
        is_lasting
            && is_pulled
            && round.report.at_commit
            && round.held_back.is_none()
            && round.survey.found.judged.refused.is_none()
    }

    /// Whether the target is at its commit and healthy, so that those after it may go on.
    pub(super) fn is_good(round: &Round) -> bool {
        round.report.at_commit
            && round.held_back.is_none()
            && round.waits.is_none()
            && round.survey.found.unready.is_empty()
            && round.survey.found.judged.refused.is_none()
    }

    /// Watches the objects of the target, which tells of drift and of an end of the hold.
    pub(super) fn follow(&self, watch: &Watch) {
        follow(watch, &self.survey, &self.target, &self.cluster);
    }

    /// The end of a round that writes nothing. The pull of it is done.
    pub(super) fn without_writing(self, held: HeldRound, unrecorded: Vec<String>) -> Round {
        let Self { begin, phases, pulled, cluster, survey, held_back, waits, .. } = self;
        let at_commit = survey.is_in_sync() && !held.is_due && held.waits.is_none();
        Round {
            pulled,
            survey,
            report: Report { at_commit, ..Report::default() },
            former_drift: BTreeMap::new(),
            held_back,
            held: Some(held),
            waits,
            warning: None,
            unrecorded,
            phases,
            requests: cluster.counted(),
            elapsed: begin.elapsed(),
        }
    }
}
