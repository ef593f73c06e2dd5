//! The runner of a round of a watch: no one is asked, and what happens is kept for the round's result.

use std::collections::BTreeMap;
use std::time::Duration;

use super::choose::{RoundPlace, target_at};
use super::connections::Turn;
use super::rollout::Rollout;
use super::{Round, RoundError};
use crate::app::{self, LastRead, RoundEnd, Runner, Survey, Target, survey};
use crate::cluster::Cluster;
use crate::core::source::snapshot::Revision;

/// A round of a watch under way.
pub(super) struct WatchRound<'a> {
    place: RoundPlace<'a>,
    target: &'a Target,
    /// The commit that was read last.
    last: &'a LastRead,
    /// The turn among the targets of the cluster, until something is waited for.
    pub(super) turn: Option<Turn>,
    /// Hears that the round waits for health.
    pub(super) rollout: Option<&'a Rollout>,
    /// Why no lock is taken.
    pub(super) warning: Option<String>,
    /// Why it could not be recorded everywhere.
    pub(super) unrecorded: Vec<String>,
}

impl<'a> WatchRound<'a> {
    /// A round that has not begun.
    pub(super) fn new(place: RoundPlace<'a>, target: &'a Target, last: &'a LastRead) -> Self {
        let (turn, rollout, warning) = (None, None, None);
        Self { place, target, last, turn, rollout, warning, unrecorded: Vec::new() }
    }

    /// The result of a round that only put drift back.
    pub(super) fn ended(self, end: RoundEnd, requests: usize, elapsed: Duration) -> Round {
        let RoundEnd { survey, report } = end;
        Round {
            pulled: None,
            survey,
            report,
            former_drift: BTreeMap::new(),
            held_back: None,
            held: None,
            waits: None,
            warning: self.warning,
            unrecorded: self.unrecorded,
            phases: BTreeMap::new(),
            requests,
            elapsed,
        }
    }
}

impl Runner for WatchRound<'_> {
    type Error = RoundError;

    async fn survey(&mut self, _: &Survey, cluster: &Cluster) -> Result<Survey, RoundError> {
        Ok(survey(self.target, self.place.checkout, cluster, Some(self.last)).await?)
    }

    /// The plan that was found is approved by definition.
    async fn approve(&mut self, _: &Survey, _: &mut Survey) -> Result<(), RoundError> {
        Ok(())
    }

    fn target_at(&self, commit: &str) -> Result<Target, RoundError> {
        Ok(target_at(self.place, self.target, commit)?)
    }

    fn rollback_failed(&mut self, _: &Revision, error: RoundError) -> Option<String> {
        Some(error.to_string())
    }

    async fn waited(&mut self) {
        if let Some(rollout) = self.rollout {
            rollout.end().await;
        }
    }

    fn hear(&mut self, _: &Survey, event: &app::Event) {
        match event {
            app::Event::LockForbidden(warning) => self.warning = Some(String::clone(warning)),
            app::Event::LockAwaited(_) => drop(self.turn.take()),
            app::Event::WaitBegan => {
                drop(self.turn.take());
                self.rollout.into_iter().for_each(Rollout::waits);
            }
            app::Event::NotRecorded(warning) => self.unrecorded.push(String::clone(warning)),
            _ => {}
        }
    }
}
