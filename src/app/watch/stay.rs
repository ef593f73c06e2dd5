//! A target that is held stays at the commit that runs, while the one that git has waits.

use super::held::{HeldRound, WaitingCommit};
use crate::app::hold::{WantedCommit, hold_at};
use crate::app::trust::Refusal;
use crate::app::{self, LastRead, Survey, Target, hold_of, survey};
use crate::cluster::Cluster;
use crate::core::inventory::Record;
use crate::core::modes::{Hold, HoldCause, Passes};
use crate::core::source::snapshot::Revision;
use crate::core::status::CommitOrder;
use crate::git::Checkout;

/// The target of a round, and where to look for its state.
#[derive(Clone, Copy)]
pub(super) struct Stay<'a> {
    /// The target at the commit that git has.
    pub(super) target: &'a Target,
    pub(super) checkout: &'a Checkout,
    pub(super) cluster: &'a Cluster,
    /// The commit that was read last.
    pub(super) last: &'a LastRead,
}

/// The target at the commit that it stays at, and why.
pub(super) struct Stayed {
    pub(super) target: Target,
    pub(super) survey: Survey,
    pub(super) held: Option<HeldRound>,
}

/// A commit that waits, as far as the last round knew.
pub(super) struct KnownWaiting {
    waits: WaitingCommit,
    /// The commit that runs meanwhile.
    stays: String,
    /// The commit that is not trusted, where there is one.
    refused: Option<Refusal>,
}

/// Gives the target as another commit's settings have it.
pub(super) type TargetAt<'a> = dyn Fn(&str) -> Option<Target> + Sync + 'a;

impl Stay<'_> {
    /// The same as [`find`](Self::find) where the last round knew that the commit waits: it is not looked
    /// at again. `None` where that is over.
    pub(super) async fn again(
        &self,
        known: Option<&KnownWaiting>,
        at: &TargetAt<'_>,
    ) -> Result<Option<Stayed>, app::Error> {
        let Some(KnownWaiting { waits, stays, refused }) = known else { return Ok(None) };
        let revision = self.target.revision(self.checkout)?;
        let Some(there) = at(stays).filter(|_| revision.commit == waits.revision.commit) else {
            return Ok(None);
        };
        let stayed = self.survey_at(there, refused.clone()).await?;
        let record = stayed.survey.found.before.as_ref();
        let hold = self.hold_of(record, &revision);
        let Some(hold) = hold.filter(|hold| !hold.is_suspension()) else { return Ok(None) };
        match self.commit_to_stay_at(record, &hold, &revision).as_ref() == Some(stays) {
            true => Ok(Some(Self::stayed(stayed, hold, waits.clone()))),
            false => Ok(None),
        }
    }

    /// The commit that the target stays at, where it is held, and the one that it was surveyed at else.
    pub(super) async fn find(
        &self,
        survey: Survey,
        at: &TargetAt<'_>,
    ) -> Result<Stayed, app::Error> {
        let target = self.target.clone();
        let Some(hold) = hold_of(&survey, &target, Passes::default()) else {
            return Ok(Stayed { target, survey, held: None });
        };
        let revision = &survey.found.revision;
        let record = survey.found.before.as_ref();
        let is_new = record.and_then(|it| it.revision.as_ref()) != Some(&revision.commit);
        let summary = survey.masked_summary();
        let waits = WaitingCommit { revision: revision.clone(), summary };
        if hold.is_suspension() || !is_new {
            let held = HeldRound::idle(hold, &survey, is_new.then_some(waits));
            return Ok(Stayed { target, survey, held: Some(held) });
        }
        let there = self.commit_to_stay_at(record, &hold, revision).and_then(|commit| at(&commit));
        let Some(there) = there else {
            let held = HeldRound::idle(hold, &survey, Some(waits));
            return Ok(Stayed { target, survey, held: Some(held) });
        };
        let refused = survey.found.judged.refused.clone();
        let stayed = self.survey_at(there, refused).await?;
        Ok(Self::stayed(stayed, hold, waits))
    }

    /// The state to remember, so that a commit that waits is not looked at in each round.
    pub(super) fn known(stayed: &Stayed) -> Option<KnownWaiting> {
        let waits = stayed.held.as_ref()?.waits.clone()?;
        let found = &stayed.survey.found;
        let (stays, refused) = (found.revision.commit.clone(), found.judged.refused.clone());
        (stays != waits.revision.commit).then_some(KnownWaiting { waits, stays, refused })
    }

    async fn survey_at(
        &self,
        there: Target,
        refused: Option<Refusal>,
    ) -> Result<Stayed, app::Error> {
        let windows = self.target.windows.clone();
        let there = Target { mode: self.target.mode, windows, ..there };
        let last = Some(self.last);
        let mut survey = Box::pin(survey(&there, self.checkout, self.cluster, last)).await?;
        survey.found.judged.refused = refused;
        Ok(Stayed { target: there, survey, held: None })
    }

    fn stayed(at: Stayed, hold: Hold, waits: WaitingCommit) -> Stayed {
        let Stayed { target, survey, .. } = at;
        let is_held = hold_of(&survey, &target, Passes::default()).is_some();
        let is_idle = !hold.heals() || is_held;
        let held = HeldRound { is_idle, ..HeldRound::idle(hold, &survey, Some(waits)) };
        Stayed { target, survey, held: Some(held) }
    }

    fn hold_of(&self, record: Option<&Record>, revision: &Revision) -> Option<Hold> {
        let commit = (!revision.dirty).then_some(revision.commit.as_str());
        let wanted = WantedCommit { commit, kinds: None };
        hold_at(self.target, record, wanted, Passes::default())
    }

    /// The commit that was applied, or one that was released since; `None` where that is not known.
    fn commit_to_stay_at(
        &self,
        record: Option<&Record>,
        hold: &Hold,
        newest: &Revision,
    ) -> Option<String> {
        let record = record?;
        let applied = record.revision.as_ref().filter(|applied| !applied.contains('-'))?;
        let released = match &record.holding.released {
            Some(Ok(release)) if matches!(hold.cause, HoldCause::Unreleased { .. }) => {
                Some(&release.commit)
            }
            _ => None,
        };
        let is_before =
            |one: &str, other: &str| matches!(self.checkout.order(one, other), CommitOrder::Before);
        // It may have been overtaken long ago, or have failed.
        let released = released.filter(|released| {
            is_before(applied, released)
                && is_before(released, &newest.commit)
                && record.past.failed.as_ref() != Some(*released)
        });
        Some(released.unwrap_or(applied).clone())
    }
}
