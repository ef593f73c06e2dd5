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
use crate::problem::Problem;
use crate::reconcile::{
    self, Course, LastRead, Survey, TIMEOUT, Target, Waiting, carry_out, prove, standing, survey,
};
use crate::report::Report;

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

/// Runs rounds until told to stop, and hands each to `events` as it ends, with the pause that
/// follows; `None` after the last.
pub async fn watch(
    watch: &Watch,
    stop: &Stop,
    events: &mut (dyn FnMut(Result<Round, RoundError>, Option<Duration>) + Send),
) {
    let last = LastRead::default();
    while !stop.is_told() {
        // Looking writes nothing but the checkout, which a pull leaves sound wherever it stops.
        let looked = tokio::select! {
            looked = look(watch, &last) => looked,
            () = stop.told() => return,
        };
        let round = match looked {
            Ok(looked) => act(watch, looked, stop).await,
            Err(error) => Err(error),
        };
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
    cluster: Cluster,
    survey: Survey,
}

/// Pulls, looks at git and the cluster, and decides.
async fn look(watch: &Watch, last: &LastRead) -> Result<Looked, RoundError> {
    let begin = Instant::now();
    let pulled = match watch.pull.clone() {
        Some(options) => Some(tokio::task::spawn_blocking(move || pull(&options)).await?),
        None => None,
    };
    let checkout = Checkout::discover(&watch.directory)?;
    let cluster = Cluster::connect(&watch.access).await?;
    let survey = survey(&watch.target, &checkout, &cluster, Some(last)).await?;
    Ok(Looked { begin, pulled, cluster, survey })
}

/// Does what was decided.
async fn act(watch: &Watch, looked: Looked, stop: &Stop) -> Result<Round, RoundError> {
    let Looked { begin, pulled, cluster, survey } = looked;
    let course = Course {
        inventory: &watch.target.inventory,
        approval: None,
        wait: watch.wait,
        stop: stop.flag(),
        cascade: watch.cascade,
        timeout: watch.wait.unwrap_or(TIMEOUT),
        events: &mut |_| {},
    };
    let mut report = carry_out(&survey, &cluster, course).await?;
    report.proof = match watch.wait {
        // A round that changed nothing is not the one to wait: the next commit would have to, too.
        Some(timeout) if watch.once || survey.plan.writes() => {
            let (inventory, stop) = (&watch.target.inventory, stop.flag());
            let waiting = Waiting { inventory, timeout, stop, events: &mut |_| {} };
            prove(&survey, &cluster, (&report, waiting)).await
        }
        Some(_) => standing(&survey, &report),
        None => None,
    };
    let (requests, elapsed) = (cluster.requests(), begin.elapsed());
    Ok(Round { pulled, survey, report, requests, elapsed })
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
