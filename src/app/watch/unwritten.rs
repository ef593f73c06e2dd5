//! The end of a round that writes nothing, as its target is held.

use std::collections::BTreeMap;

use super::held::HeldRound;
use super::round::{PendingRound, Round};
use crate::core::report::Report;

impl PendingRound {
    /// The end of a round that writes nothing. The pull of it is done.
    pub(super) fn without_writing(self, held: HeldRound, unrecorded: Vec<String>) -> Round {
        let Self { begin, phases, pulled, cluster, survey, held_back, waits, .. } = self;
        let at_commit = survey.is_in_sync() && !held.is_due;
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
