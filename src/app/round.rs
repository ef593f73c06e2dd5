//! One round, from the lock to the rollback.
//!
//! Of two runs on one inventory the second waits for the lock, and looks again before it writes. What
//! was decided is carried out, waited for, and noted in the inventory's parent; where it fails, the
//! last healthy commit is applied in the same way.

use std::time::{Duration, Instant};

use super::hold::release_applied;
use super::record::{Ended, Phase, RecordedPlace, Recording, RoundRecorder, tell};
use super::replica::Tenure;
use super::right_cluster::remember_cluster_of;
use super::{CommitPoller, Event, RoundEnd, Runner, WaitWhen, check_not_held};
use crate::app::{
    ApplyOptions, Error, Lock, LockOptions, Renewed, Survey, Target, WaitOptions, apply,
    check_not_overtaken, is_failure, note_failure, note_health, rollback_revision, rolled_back,
    standing, survey, take, wait,
};
use crate::cluster::{self, Cascade, Cluster};
use crate::core::approval::Approval;
use crate::core::health::WaitEnd;
use crate::core::inventory::Record;
use crate::core::lease::{Candidate, LeaseWatch};
use crate::core::modes::Passes;
use crate::core::report::{Report, Rollback, RollbackOutcome, masked_health};
use crate::git::Checkout;
use crate::local::cancel::Cancellation;

/// The target of a round, and its options.
pub struct RoundOptions<'a> {
    /// The target to apply.
    pub target: &'a Target,
    /// Where it is declared.
    pub checkout: &'a Checkout,
    /// Where it is made true.
    pub cluster: &'a Cluster,
    /// The identity that holds the lock meanwhile.
    pub who: &'a Candidate,
    /// How long to wait for the lock; `None` where the cluster is the run's own and needs none.
    pub lock_timeout: Option<Duration>,
    /// When the lock was renewed, where another round of this run holds it and this one needs none.
    pub lent: Option<Renewed>,
    /// Earlier observations of the lock.
    pub watched: &'a mut LeaseWatch,
    /// The place in a group of replicas; `None` for a run of its own.
    pub tenure: Option<&'a Tenure>,
    /// The holds that do not count.
    pub passes: Passes,
    /// The approved plan: nothing else is written.
    pub approval: Option<&'a Approval>,
    /// How long passing faults are waited out, all in all.
    pub passing: Duration,
    /// How long to wait until everything is healthy; `None` not to wait.
    pub wait: Option<Duration>,
    /// In which rounds to wait.
    pub wait_when: WaitWhen<'a>,
    /// How objects are deleted that own others.
    pub cascade: Cascade,
    /// Whether the last healthy commit is applied where this one fails.
    pub rolls_back: bool,
    /// How the round is recorded; `None` where it is not, as of a cluster of the run's own.
    pub recording: Option<&'a Recording>,
    /// Ends the round early.
    pub cancel: &'a Cancellation,
}

/// The outcome of a plan under the lock.
enum LockedOutcome {
    /// It was carried out.
    Done(Box<RoundEnd>),
    /// The lock could be had only in a namespace that the plan makes, and another run was quicker.
    TooLate { survey: Box<Survey>, error: Error },
}

/// Makes what was surveyed true.
///
/// # Errors
///
/// When the target is held or the lock can't be had; when after a write of another run the new plan can't be made or is not
/// approved, or when the inventory can't be written.
pub async fn round<R: Runner>(
    mut options: RoundOptions<'_>,
    mut survey: Survey,
    runner: &mut R,
    lookout: &mut impl CommitPoller,
) -> Result<RoundEnd, R::Error> {
    let begun = Instant::now();
    let recorder = options.recorder();
    check_not_held(&survey, options.target, options.passes)?;
    loop {
        let left = options.lock_timeout.map(|timeout| timeout.saturating_sub(begun.elapsed()));
        let taking = Box::pin(options.lock(&survey, left, &recorder, runner, lookout));
        let lock = match recorder.timed(Phase::Lock, taking).await {
            Ok(lock) => lock,
            Err(error) => {
                tell(&recorder, &survey, Ended::Error(&error), runner).await;
                return Err(error.into());
            }
        };
        let fenced = lock.fenced();
        let under_lock = options.by(&fenced);
        let work = Box::pin(under_lock.locked(survey, &lock, &recorder, runner, lookout));
        let ended = lock.keep(work).await;
        lock.release().await;
        survey = match ended? {
            LockedOutcome::Done(end) => {
                tell(&recorder, &end.survey, Ended::Report(&end.report), runner).await;
                return Ok(*end);
            }
            // Whoever was quicker to make the namespace is waited for like any other run.
            LockedOutcome::TooLate { survey, .. } if left.is_some_and(|left| !left.is_zero()) => {
                runner.survey(&survey, options.cluster).await?
            }
            LockedOutcome::TooLate { error, .. } => return Err(error.into()),
        };
    }
}

impl<'a> RoundOptions<'a> {
    /// Records this round.
    fn recorder(&self) -> RoundRecorder<'a> {
        let Self { target, cluster, checkout, recording, .. } = *self;
        RoundRecorder::new(recording, RecordedPlace { target, cluster, checkout })
    }

    /// The cluster, with passing faults waited out from now on.
    fn patient(&self) -> Cluster {
        self.cluster.patient(cluster::RetryPolicy::of(self.passing, self.cancel))
    }

    /// The same with another way to the cluster.
    fn by<'b>(&'b mut self, cluster: &'b Cluster) -> RoundOptions<'b> {
        RoundOptions { cluster, watched: &mut *self.watched, ..*self }
    }

    /// Takes the lock that carrying out `survey` needs, and waits for another run as long as there is
    /// time `left`.
    async fn lock<R: Runner>(
        &mut self,
        survey: &Survey,
        left: Option<Duration>,
        recorder: &RoundRecorder<'_>,
        runner: &mut R,
        lookout: &mut impl CommitPoller,
    ) -> Result<Lock<'a>, Error> {
        let Some(timeout) = left.filter(|_| survey.writes()) else {
            let lock = Lock::without(self.cluster, &self.target.inventory, self.who);
            return Ok(match self.lent {
                Some(renewed) => lock.lent(renewed),
                None => lock,
            });
        };
        let patience = LockOptions {
            timeout,
            passing: self.passing,
            watched: self.watched,
            tenure: self.tenure,
            cancel: self.cancel,
            events: &mut |holder| runner.hear(survey, &Event::LockAwaited(holder.clone())),
        };
        let taking =
            Box::pin(take(survey, self.cluster, &self.target.inventory, self.who, patience));
        let taking = lookout.beside(&survey.found.revision.commit, self.cancel, taking);
        let (lock, ()) = futures::join!(taking, recorder.identify());
        let lock = lock?;
        if let Some(newer) = self.cancel.newer() {
            lock.release().await;
            return Err(Error::Superseded(newer.to_owned()));
        }
        if let Some(warning) = &lock.warning {
            runner.hear(survey, &Event::LockForbidden(survey.redactor().message(warning)));
        }
        Ok(lock)
    }

    /// Carries out what was surveyed, after another look where others may have written since.
    async fn locked<R: Runner>(
        &self,
        mut survey: Survey,
        lock: &Lock<'_>,
        recorder: &RoundRecorder<'_>,
        runner: &mut R,
        lookout: &mut impl CommitPoller,
    ) -> Result<LockedOutcome, R::Error> {
        if lock.is_stale {
            let mut now = runner.survey(&survey, &self.patient()).await?;
            check_not_held(&now, self.target, self.passes)?;
            runner.approve(&survey, &mut now).await?;
            survey = now;
        }
        if self.passes.release {
            release_applied(&survey, self.target, self.cluster, self.who.person()).await?;
        }
        let work = Box::pin(self.make_true(&survey, lock, recorder, runner));
        match lookout.beside(&survey.found.revision.commit, self.cancel, work).await {
            Ok(report) => Ok(LockedOutcome::Done(Box::new(RoundEnd { survey, report }))),
            Err(error @ Error::Locked { .. }) => {
                Ok(LockedOutcome::TooLate { survey: Box::new(survey), error })
            }
            Err(error) => {
                tell(recorder, &survey, Ended::Error(&error), runner).await;
                Err(error.into())
            }
        }
    }

    /// Carries out, waits, and rolls back where that is wanted.
    async fn make_true<R: Runner>(
        &self,
        survey: &Survey,
        lock: &Lock<'_>,
        recorder: &RoundRecorder<'_>,
        runner: &mut R,
    ) -> Result<Report, Error> {
        if survey.writes() {
            recorder.begin(survey);
        }
        if remember_cluster_of(survey, self.target, self.cluster) {
            runner.hear(survey, &Event::RememberedByAddress);
        }
        let applying = Box::pin(self.apply(survey, lock, runner));
        let mut report = recorder.timed(Phase::Apply, applying).await?;
        let waiting = Box::pin(self.wait(survey, &mut report, runner));
        recorder.timed(Phase::Wait, waiting).await;
        runner.waited().await;
        note_health(survey, self.target, &self.patient(), &mut report, lock).await?;
        if self.rolls_back && is_failure(survey, &report) {
            let back = Box::pin(self.roll_back(survey, &report, lock, runner));
            report.rollback = Some(recorder.timed(Phase::Rollback, back).await);
            report.supersede(self.cancel.newer());
        }
        Ok(report)
    }

    async fn apply<R: Runner>(
        &self,
        survey: &Survey,
        lock: &Lock<'_>,
        runner: &mut R,
    ) -> Result<Report, Error> {
        let course = ApplyOptions {
            inventory: &self.target.inventory,
            lock,
            approval: self.approval,
            wait: self.wait,
            cancel: self.cancel,
            timeout: self.passing,
            cascade: self.cascade,
            events: &mut |step| {
                runner.hear(survey, &Event::Changed(step.masked(survey.redactor())));
            },
        };
        Box::pin(apply(survey, self.cluster, course)).await
    }

    /// Waits until everything is healthy, where that is wanted, and adds what came of it.
    async fn wait<R: Runner>(&self, survey: &Survey, report: &mut Report, runner: &mut R) {
        let Some(timeout) = self.wait else { return };
        let is_due = match self.wait_when {
            WaitWhen::Always => true,
            WaitWhen::Needed { proven } => {
                survey.decided.plan.writes() || is_unproven(report, proven)
            }
        };
        // Else it is not the round to wait: the next commit would have to, too.
        if !is_due {
            report.proof = standing(survey, report);
            return;
        }
        runner.hear(survey, &Event::WaitBegan);
        let waiting = WaitOptions {
            inventory: &self.target.inventory,
            timeout,
            cancel: self.cancel,
            events: &mut |proof| {
                runner.hear(survey, &Event::Waiting(masked_health(proof, survey.redactor())));
            },
        };
        report.proof = wait(survey, self.cluster, report, waiting).await;
        report.interrupted |=
            report.proof.as_ref().is_some_and(|proof| proof.ended == WaitEnd::Interrupted);
        report.supersede(self.cancel.newer());
        runner.hear(survey, &Event::WaitEnded);
    }

    /// Applies the last healthy commit in place of the one that failed.
    async fn roll_back<R: Runner>(
        &self,
        failed: &Survey,
        report: &Report,
        lock: &Lock<'_>,
        runner: &mut R,
    ) -> Rollback {
        let revision = match rollback_revision(failed, self.checkout) {
            Ok(revision) => revision,
            Err(outcome) => return Rollback { to: None, outcome, report: None },
        };
        let to = revision.commit.clone();
        let masked = Box::new(report.masked(failed.redactor()));
        runner.hear(failed, &Event::RollbackBegan { to: to.clone(), failed: masked });
        match self.roll_back_to(&to, failed, lock, runner).await {
            Ok(RoundEnd { survey, report }) => rolled_back(&survey, report),
            Err(error) => {
                let error = runner.rollback_failed(&revision, error);
                let error = error.map(|error| failed.redactor().text(&error));
                let outcome = RollbackOutcome::Failed { commit: to.clone(), error };
                Rollback { to: Some(to), outcome, report: None }
            }
        }
    }

    /// Applies a commit that was healthy. A run that has no lock so far takes it: it found everything
    /// as declared, and has only waited.
    async fn roll_back_to<R: Runner>(
        &self,
        commit: &str,
        failed: &Survey,
        lock: &Lock<'_>,
        runner: &mut R,
    ) -> Result<RoundEnd, R::Error> {
        let target = runner.target_at(commit)?;
        let own = match lock.is_to_be_had() {
            true => {
                let patience = LockOptions {
                    timeout: Duration::ZERO,
                    passing: self.passing,
                    watched: &mut LeaseWatch::default(),
                    tenure: self.tenure,
                    cancel: self.cancel,
                    events: &mut |_| {},
                };
                Some(take(failed, self.cluster, &self.target.inventory, self.who, patience).await?)
            }
            false => None,
        };
        let mut back = RoundOptions {
            target: &target,
            watched: &mut LeaseWatch::default(),
            approval: None,
            wait: Some(self.wait.unwrap_or(self.passing)),
            wait_when: WaitWhen::Always,
            ..*self
        };
        let Some(own) = own else { return Ok(Box::pin(back.once(failed, lock, runner)).await?) };
        let fenced = own.fenced();
        let under_lock = back.by(&fenced);
        let done = own.keep(Box::pin(under_lock.once(failed, &own, runner))).await;
        own.release().await;
        Ok(done?)
    }

    /// Surveys and applies the target of a rollback. The inventory's parent remembers which commit
    /// failed, however this ends.
    async fn once<R: Runner>(
        &self,
        failed: &Survey,
        lock: &Lock<'_>,
        runner: &mut R,
    ) -> Result<RoundEnd, Error> {
        let mut survey = survey(self.target, self.checkout, &self.patient(), None).await?;
        check_not_overtaken(&survey, failed)?;
        survey.decided.after.past.failed.clone_from(&failed.decided.after.revision);
        let mut report = self.apply(&survey, lock, runner).await?;
        if !report.at_commit && lock.lost().is_none() {
            note_failure(&survey, failed, &self.target.inventory, &self.patient()).await?;
        }
        self.wait(&survey, &mut report, runner).await;
        let masked = Box::new(report.masked(survey.redactor()));
        runner.hear(&survey, &Event::RollbackEnded(masked));
        Ok(RoundEnd { survey, report })
    }
}

/// Whether the commit was made true by a run that did not see it healthy, such as one that was
/// killed. It was not waited for here either.
pub(super) fn is_unproven(report: &Report, proven: Option<&str>) -> bool {
    let unproven = report.recorded.as_ref().and_then(Record::unproven);
    unproven.is_some_and(|commit| proven != Some(commit))
}
