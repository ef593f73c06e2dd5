//! When to run the story again: pull and apply, round after round, until told to stop.
//!
//! A round that fails is an event like any other; the next one runs.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::cluster::{Access, Cascade, Cluster, ConnectError};
use crate::git::pull::{PullError, PullOptions, Pulled, pull};
use crate::git::{self, Checkout};
use crate::lease::{Watched, Who};
use crate::problem::Problem;
use crate::reconcile::{
    self, Course, LastRead, Lock, Patience, Return, Survey, TIMEOUT, Target, Waiting, carry_out,
    go_back, is_failure, note_health, prove, standing, survey, take, way_back,
};
use crate::report::{Report, Rollback};

/// By how much a pause may be shorter or longer than the interval, so that many watchers of one
/// server do not march in step.
const JITTER: f64 = 0.1;

/// What to watch, and how often.
pub struct Watch {
    /// Where the checkout is.
    pub directory: PathBuf,
    /// How to pull; `None` where there is no remote to pull from.
    pub pull: Option<PullOptions>,
    /// What to make true.
    pub target: Target,
    /// Where.
    pub access: Access,
    /// How long from the end of one round to the beginning of the next.
    pub interval: Duration,
    /// How objects are deleted that own others.
    pub cascade: Cascade,
    /// Whether one round is enough.
    pub once: bool,
    /// How long a round that changed something waits until everything is healthy; `None` not to
    /// wait.
    pub wait: Option<Duration>,
    /// Who we are to others.
    pub who: Who,
    /// How long a round waits for somebody else who writes.
    pub lock_timeout: Duration,
    /// Whether a commit that fails is taken back.
    pub rolls_back: bool,
}

/// Tells a watch, and the plan that it is carrying out, to stop.
#[derive(Debug, Default)]
pub struct Stop {
    told: Arc<AtomicBool>,
    wake: Notify,
}

impl Stop {
    /// Stops what is running at the next safe point.
    pub fn tell(&self) {
        self.told.store(true, Ordering::Relaxed);
        self.wake.notify_waiters();
    }

    /// The flag that [`Course`] and [`PullOptions`] look at.
    pub fn flag(&self) -> &Arc<AtomicBool> {
        &self.told
    }

    /// Whether it was told.
    pub fn is_told(&self) -> bool {
        self.told.load(Ordering::Relaxed)
    }

    /// Waits until told.
    pub async fn told(&self) {
        loop {
            let wake = self.wake.notified();
            if self.is_told() {
                return;
            }
            wake.await;
        }
    }

    /// Waits for as long as `pause`, or until told.
    async fn sleep(&self, pause: Duration) {
        let _ = tokio::time::timeout(pause, self.told()).await;
    }
}

/// What a round came to.
pub struct Round {
    /// What the pull brought, or why it failed: then the cluster was made true to the commit that
    /// is there. `None` without a remote.
    pub pulled: Option<Result<Pulled, PullError>>,
    /// What was found and decided.
    pub survey: Survey,
    /// What was done.
    pub report: Report,
    /// The commit that is not tried, as it was taken back; the last healthy one is kept true.
    pub held_back: Option<String>,
    /// Why there was no lock, where the user may not have one.
    pub warning: Option<String>,
    /// How many requests it took.
    pub requests: usize,
    /// How long it took.
    pub elapsed: Duration,
}

/// Why a round came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum RoundError {
    /// The checkout could not be read.
    #[error(transparent)]
    Git(#[from] git::Error),
    /// No way to the cluster.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The target could not be surveyed or carried out.
    #[error(transparent)]
    Reconcile(#[from] reconcile::Error),
    /// A task of our own ended without an answer.
    #[error("pulling was cut short")]
    Task(#[from] tokio::task::JoinError),
}

impl RoundError {
    /// What is wrong with the manifests, where it is that.
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Reconcile(error) => error.problems(),
            _ => &[],
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Git(error) => error.hint(),
            Self::Connect(error) => error.hint(),
            Self::Reconcile(error) => error.hint(),
            Self::Task(_) => None,
        }
    }
}

/// What one round leaves for the next.
#[derive(Default)]
struct Memory {
    /// The commit that was read last.
    last: LastRead,
    /// What was seen of the lock.
    watched: Watched,
    /// The commit that was taken back, and the one that is kept true in its place.
    held_back: Option<(String, String)>,
}

/// Runs rounds until told to stop, and hands each to `events` as it ends, with the pause that
/// follows; `None` after the last.
pub async fn watch(
    watch: &Watch,
    stop: &Stop,
    events: &mut (dyn FnMut(Result<Round, RoundError>, Option<Duration>) + Send),
) {
    let mut memory = Memory::default();
    while !stop.is_told() {
        // Looking writes nothing but the checkout, which a pull leaves sound wherever it stops.
        let looked = tokio::select! {
            looked = look(watch, &mut memory) => looked,
            () = stop.told() => return,
        };
        let round = match looked {
            Ok(looked) => act(watch, looked, (&mut memory, stop)).await,
            Err(error) => Err(error),
        };
        if let Err(RoundError::Reconcile(reconcile::Error::Stopped)) = round {
            return;
        }
        let last = watch.once || stop.is_told();
        let pause = (!last).then(|| pause(watch.interval, spread()));
        events(round, pause);
        match pause {
            Some(pause) => stop.sleep(pause).await,
            None => return,
        }
    }
}

/// A round half-way: what was found, and nothing done about it yet.
struct Looked {
    begin: Instant,
    pulled: Option<Result<Pulled, PullError>>,
    checkout: Checkout,
    cluster: Cluster,
    target: Target,
    survey: Survey,
    held_back: Option<String>,
}

/// Pulls, looks at git and the cluster, and decides.
async fn look(watch: &Watch, memory: &mut Memory) -> Result<Looked, RoundError> {
    let begin = Instant::now();
    let pulled = match watch.pull.clone() {
        Some(options) => Some(tokio::task::spawn_blocking(move || pull(&options)).await?),
        None => None,
    };
    let checkout = Checkout::discover(&watch.directory)?;
    let cluster = Cluster::connect(&watch.access).await?;
    let (target, survey, held_back) = choose(watch, (&checkout, &cluster), memory).await?;
    Ok(Looked { begin, pulled, checkout, cluster, target, survey, held_back })
}

/// What is to be made true: the target's commit, or the last healthy one where that one was taken
/// back. The cluster says so, so that it is known after a restart as well.
async fn choose(
    watch: &Watch,
    (checkout, cluster): (&Checkout, &Cluster),
    memory: &mut Memory,
) -> Result<(Target, Survey, Option<String>), RoundError> {
    let target = &watch.target;
    if !watch.rolls_back {
        let survey = survey(target, checkout, cluster, Some(&memory.last)).await?;
        return Ok((target.clone(), survey, None));
    }
    let back = |commit: &str| Target {
        rev: Some(commit.to_owned()),
        worktree: false,
        moved: true,
        ..target.clone()
    };
    let now = checkout.resolve(target.rev.as_deref())?.commit;
    if let Some((failed, healthy)) = memory.held_back.take().filter(|(failed, _)| *failed == now) {
        let target = back(&healthy);
        let survey = survey(&target, checkout, cluster, Some(&memory.last)).await?;
        if held_back(&survey, &failed).as_ref() == Some(&healthy) {
            memory.held_back = Some((failed.clone(), healthy));
            return Ok((target, survey, Some(failed)));
        }
    }
    let found = survey(target, checkout, cluster, Some(&memory.last)).await?;
    let failed = found.revision.commit.clone();
    let Some(healthy) = held_back(&found, &failed).filter(|_| !found.revision.dirty) else {
        return Ok((target.clone(), found, None));
    };
    let target = back(&healthy);
    let survey = survey(&target, checkout, cluster, Some(&memory.last)).await?;
    memory.held_back = Some((failed.clone(), healthy));
    Ok((target, survey, Some(failed)))
}

/// The last healthy commit, where the inventory says that `commit` was taken back.
fn held_back(survey: &Survey, commit: &str) -> Option<String> {
    let past = &survey.before.as_ref()?.past;
    past.failed.as_ref().filter(|failed| *failed == commit)?;
    past.healthy.as_ref().map(|healthy| healthy.what.clone())
}

/// Does what was decided, under the lock if something is to be written.
async fn act(
    watch: &Watch,
    looked: Looked,
    (memory, stop): (&mut Memory, &Stop),
) -> Result<Round, RoundError> {
    let Looked { begin, pulled, checkout, cluster, target, mut survey, held_back } = looked;
    let about = (&target.inventory, &watch.who);
    let patience = Patience {
        timeout: watch.lock_timeout,
        watched: &mut memory.watched,
        stop: stop.flag(),
        events: &mut |_| {},
    };
    let lock = match survey.writes() {
        true => take(&survey, &cluster, about, patience).await?,
        false => Lock::without(&cluster, about),
    };
    if lock.is_stale {
        let looked = self::survey(&target, &checkout, &cluster, Some(&memory.last));
        match lock.keep(looked).await {
            Ok(now) => survey = now,
            Err(error) => {
                lock.give_back().await;
                return Err(error.into());
            }
        }
    }
    let locked = Locked { watch, target: &target, reach: (&checkout, &cluster), lock: &lock };
    let report = lock.keep(locked.carry_out(&survey, stop)).await;
    let warning = lock.warning.clone();
    lock.give_back().await;
    let (requests, elapsed) = (cluster.requests(), begin.elapsed());
    Ok(Round { pulled, survey, report: report?, held_back, warning, requests, elapsed })
}

/// A round that may write.
struct Locked<'a> {
    watch: &'a Watch,
    target: &'a Target,
    reach: (&'a Checkout, &'a Cluster),
    lock: &'a Lock<'a>,
}

impl Locked<'_> {
    /// Carries out what was decided, waits, and goes back where that is wanted.
    async fn carry_out(&self, survey: &Survey, stop: &Stop) -> Result<Report, reconcile::Error> {
        let Self { watch, target, reach: (checkout, cluster), lock } = *self;
        let (inventory, stop) = (&target.inventory, stop.flag());
        let (wait, events) = (watch.wait, &mut |_: &_| {});
        let (timeout, cascade) = (watch.wait.unwrap_or(TIMEOUT), watch.cascade);
        let course =
            Course { inventory, lock, approval: None, wait, timeout, cascade, stop, events };
        let mut report = carry_out(survey, cluster, course).await?;
        report.proof = match watch.wait {
            // A round that changed nothing is not the one to wait: the next commit would have to, too.
            Some(timeout) if watch.once || survey.plan.writes() => {
                let waiting = Waiting { inventory, timeout, stop, events: &mut |_| {} };
                prove(survey, cluster, (&report, waiting)).await
            }
            Some(_) => standing(survey, &report),
            None => None,
        };
        note_health(survey, (target, cluster), (&mut report, lock)).await?;
        if watch.rolls_back && is_failure(survey, &report) {
            report.rollback = Some(self.go_back(survey, (checkout, cluster), stop).await);
        }
        Ok(report)
    }

    async fn go_back(
        &self,
        survey: &Survey,
        (checkout, cluster): (&Checkout, &Cluster),
        stop: &Arc<AtomicBool>,
    ) -> Rollback {
        let revision = match way_back(survey, checkout) {
            Ok(revision) => revision,
            Err(why) => return why.into(),
        };
        let commit = revision.commit.clone();
        let target =
            Target { rev: Some(commit), worktree: false, moved: true, ..self.target.clone() };
        let timeout = self.watch.wait.unwrap_or_default();
        let how = Return { lock: self.lock, timeout, cascade: self.watch.cascade, stop };
        match go_back(survey, &target, (checkout, cluster), how).await {
            Ok(back) => back.told(),
            Err(error) => Rollback {
                words: format!("going back to {} was not possible: {error}", revision.short()),
                to: Some(revision.commit),
                report: None,
            },
        }
    }
}

/// The interval, shorter or longer by up to [`JITTER`]; `spread` runs from 0 to 1.
fn pause(interval: Duration, spread: f64) -> Duration {
    interval.mul_f64(1.0 - JITTER + 2.0 * JITTER * spread.clamp(0.0, 1.0))
}

/// A number from 0 to 1 that differs from process to process and from round to round.
fn spread() -> f64 {
    use std::hash::{BuildHasher as _, RandomState};
    let bits = RandomState::new().hash_one(Instant::now());
    f64::from(u32::try_from(bits >> 32).unwrap_or(u32::MAX)) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_the_interval_give_or_take_a_tenth() {
        let interval = Duration::from_secs(30);
        let pauses = [0.0, 0.5, 1.0].map(|spread| pause(interval, spread).as_secs_f64());
        let expected = [27.0, 30.0, 33.0];
        assert!(pauses.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{pauses:?}");
        assert!((0..1000).all(|_| (0.0..=1.0).contains(&spread())));
    }
}
