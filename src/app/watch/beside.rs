//! Waiting for health is a state: while a rollout is waited for, drift of its commit is put back at the
//! interval. The round that waits keeps the lock, its deadline, and what follows from that.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::choose::RoundPlace;
use super::pace::Pace;
use super::rollout::Rollout;
use super::runner::WatchRound;
use super::{Events, JITTER, Round, RoundError, WakeReason, WatchEvent};
use crate::app::{
    LastRead, NoCommitPoller, Renewed, RoundOptions, Target, WaitWhen, round, survey,
};
use crate::cluster::{Cascade, Cluster};
use crate::core::lease::{LeaseState, LeaseWatch};
use crate::core::modes::Passes;
use crate::local::cancel::{Cancellation, Interrupt};
use crate::local::jitter::jittered;

/// Puts drift back beside a round.
pub(super) struct Healer<'a> {
    /// The watch, the checkout and the cluster of the round.
    pub(super) place: RoundPlace<'a>,
    /// The target, as the round applies it.
    pub(super) target: &'a Target,
    /// The commit of the round.
    pub(super) commit: String,
    /// Whether the round holds the lock meanwhile.
    pub(super) has_lock: bool,
    pub(super) interval: Duration,
    pub(super) passing: Duration,
    pub(super) cascade: Cascade,
    pub(super) events: &'a Events,
    pub(super) interrupt: &'a Interrupt,
}

impl Healer<'_> {
    /// Does the `work` of a round, and puts drift back while that waits.
    pub(super) async fn beside<T>(&self, rollout: &Rollout, work: impl Future<Output = T>) -> T {
        let (mut work, mut healing) = (std::pin::pin!(work), Box::pin(self.run(rollout)));
        let done = tokio::select! {
            biased;
            done = &mut work => done,
            () = &mut healing => work.await,
        };
        rollout.over();
        // The requests in flight are finished.
        tokio::select! {
            biased;
            () = rollout.end() => {}
            () = healing => {}
        }
        rollout.kept().into_iter().for_each(|reason| self.place.watch.wake.ring(reason));
        done
    }

    async fn run(&self, rollout: &Rollout) {
        let (last, mut pace) = (LastRead::default(), Pace::default());
        if !rollout.begun().await {
            return;
        }
        loop {
            let pause = jittered(self.interval, JITTER);
            tokio::select! {
                () = rollout.ended() => return,
                // Whoever has the target from now on waits for it, too.
                () = self.place.watch.leaves.requested() => return self.interrupt.request(),
                () = tokio::time::sleep(pause) => {}
                reasons = self.place.watch.wake.rung() => {
                    self.hear(rollout, reasons);
                    // Others can ring, and must not make looks back to back.
                    tokio::select! {
                        () = rollout.ended() => return,
                        () = tokio::time::sleep(pace.wait(Instant::now())) => {}
                    }
                    pace.begin(Instant::now());
                }
            }
            let Some(_healing) = rollout.healing().await else { return };
            // The next look has the same error, and the rounds after this one report it.
            if let Ok(Some(round)) = Box::pin(self.heal(&last)).await {
                pace.wrote(Instant::now(), round.report.steps.iter().map(|step| &step.key));
                let (round, pause) = (Box::new(round), self.interval);
                self.events.send(WatchEvent::Healed { round, pause }).await;
            }
            pace.end();
        }
    }

    /// Keeps the reasons for a round that putting drift back does not settle.
    fn hear(&self, rollout: &Rollout, reasons: BTreeSet<WakeReason>) {
        if reasons.iter().any(|reason| reason.wants_pull()) {
            self.place.watch.remote.ask();
        }
        let settles =
            |reason: &WakeReason| matches!(reason, WakeReason::Touched | WakeReason::Back);
        rollout.keep(reasons.into_iter().filter(|reason| !settles(reason)));
    }

    /// Puts drift back where there is any, and no one else has the lock or applied another commit.
    async fn heal(&self, last: &LastRead) -> Result<Option<Round>, RoundError> {
        let begin = Instant::now();
        let Self { target, .. } = *self;
        let RoundPlace { watch, checkout, cluster } = self.place;
        let cluster = cluster.counting();
        let place = RoundPlace { watch, checkout, cluster: &cluster };
        let target = match target.worktree {
            true => target.clone(),
            false => place.back(target, &self.commit).await?,
        };
        let found = Box::pin(survey(&target, checkout, &cluster, Some(last))).await?;
        let is_its = found.found.before.as_ref().is_some_and(|before| {
            before.revision.is_some() && before.revision == found.decided.after.revision
        });
        if !is_its || !found.decided.plan.writes() {
            return Ok(None);
        }
        let Some(lent) = self.lent(&target, &cluster).await else { return Ok(None) };
        let cancel = Cancellation::with(self.interrupt);
        let options = RoundOptions {
            target: &target,
            checkout,
            cluster: &cluster,
            who: &watch.who,
            lock_timeout: (!self.has_lock).then_some(Duration::ZERO),
            lent,
            watched: &mut LeaseWatch::default(),
            tenure: watch.tenure.as_ref(),
            passes: Passes::default(),
            approval: None,
            passing: self.passing,
            wait: None,
            wait_when: WaitWhen::Always,
            cascade: self.cascade,
            rolls_back: false,
            recording: watch.recording.as_deref(),
            cancel: &cancel,
        };
        let mut runner = WatchRound::new(place, &target, last);
        let ended = Box::pin(round(options, found, &mut runner, &mut NoCommitPoller)).await?;
        Ok(Some(runner.ended(ended, cluster.counted(), begin.elapsed())))
    }

    /// When the lock was renewed, where the round has it; `None` inside where there is none to lend.
    /// `None` where nothing may be written: it is no longer ours.
    async fn lent(&self, target: &Target, cluster: &Cluster) -> Option<Option<Renewed>> {
        if !self.has_lock {
            return Some(None);
        }
        match cluster.lease(&target.inventory).await {
            Ok(Some(lease)) => {
                let holder = LeaseState::of(&lease).identity;
                let is_ours = holder == Some(self.place.watch.who.identity());
                is_ours.then(|| Renewed::of(&lease)).flatten().map(Some)
            }
            Ok(None) => None,
            // Then the round goes on without one, too.
            Err(error) => error.is_forbidden().then_some(None),
        }
    }
}
