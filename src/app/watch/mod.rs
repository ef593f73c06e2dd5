//! When to run the story again: pull and apply, round after round, until cancelled.
//!
//! A round that fails is an event like any other; the next one runs. What is done in one is
//! [`round`]'s, and how a newer commit is noticed meanwhile [`remote_poller`]'s.

mod backoff;
mod calm;
mod fault;
mod former_drift;
mod held;
mod identity;
mod observed;
mod pace;
mod remote_poller;
mod round;
mod touched;
mod unwritten;
mod wake;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use self::calm::Calm;
use self::fault::followed;
pub use self::held::HeldRound;
pub use self::identity::ClusterIdentity;
pub use self::observed::Watched;
use self::pace::Pace;
pub use self::remote_poller::Remote;
use self::round::{BegunRound, act, begin_round};
pub use self::round::{Round, RoundError};
pub use self::touched::{Touched, TouchedTarget};
pub use self::wake::{Wake, WakeReason, Wakes};
use crate::app::{self, LastRead, Recording, Target};
use crate::cluster::{Access, Cascade, Cluster, Listener};
use crate::core::lease::{Candidate, LeaseWatch};
use crate::core::notify::Commit;
use crate::core::source::snapshot::Revision;
use crate::git::Checkout;
use crate::git::pull::PullOptions;
use crate::local::cancel::Interrupt;
use crate::local::jitter::jittered;
use crate::local::watch_marks::{OwnMark, WatchMark};

/// By how much a pause may be shorter or longer than the interval, so that many watchers of one
/// server do not march in step.
const JITTER: f64 = 0.1;

/// A repository to watch, and how often.
pub struct Watch {
    /// Where the checkout is.
    pub directory: PathBuf,
    /// How to pull; `None` where there is no remote to pull from.
    pub pull: Option<PullOptions>,
    /// Reads what to make true.
    pub settings: SettingsReader,
    /// Where.
    pub access: Access,
    /// How long from the end of one round to the beginning of the next.
    pub interval: Duration,
    /// Whether one round is enough.
    pub once: bool,
    /// Our identity as a lock holder.
    pub who: Candidate,
    /// How rounds are recorded.
    pub recording: Option<Recording>,
    /// Hears what takes a while.
    pub delays: Listener,
    /// Where to say when the next round is due; `None` to say it nowhere.
    pub mark: Option<OwnMark>,
    /// Ends a pause early.
    pub wake: Wake,
    /// Tells when an object was touched; `None` to look at all in each round.
    pub touched: Option<TouchedTarget>,
}

impl Watch {
    /// Waits for as long as `pause`, or until there is a reason to begin a round, or to end. What others
    /// can cause waits for its turn.
    async fn rest(&self, pause: Duration, memory: &mut RoundMemory, interrupt: &Interrupt) {
        let mut pauses = std::pin::pin!(interrupt.sleep(pause));
        let mut reasons = BTreeSet::new();
        loop {
            let is_asked = reasons.iter().any(|reason: &WakeReason| !reason.is_of_others());
            let wait = memory.pace.wait(Instant::now());
            if is_asked {
                break;
            }
            if !reasons.is_empty() && wait.is_zero() {
                memory.pace.begin(Instant::now(), memory.has_written);
                break;
            }
            let turn = async {
                match reasons.is_empty() {
                    true => std::future::pending().await,
                    false => tokio::time::sleep(wait).await,
                }
            };
            tokio::select! {
                () = &mut pauses => break,
                () = turn => {}
                more = self.wake.rung() => reasons.extend(more),
            }
        }
        memory.reasons = reasons;
        memory.has_written = false;
    }
}

/// Reads what the settings of a commit say, of the one that is followed or, by its id, of another:
/// they may change with every commit.
pub type SettingsReader = Box<
    dyn Fn(&Checkout, &Cluster, Option<&str>) -> Result<WatchSettings, SettingsError> + Send + Sync,
>;

/// Why a commit's settings can't be used.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct SettingsError {
    /// The fault, with its position.
    pub message: String,
    /// The remedy.
    pub hint: Option<String>,
    /// Whether no commit may be applied.
    pub is_refusal: bool,
}

/// The target, and its options.
#[derive(Clone)]
pub struct WatchSettings {
    /// The target to apply.
    pub target: Target,
    /// How objects are deleted that own others.
    pub cascade: Cascade,
    /// How long a round that changed something waits until everything is healthy; `None` not to
    /// wait.
    pub wait: Option<Duration>,
    /// How long a round waits for another run that writes.
    pub lock_timeout: Duration,
    /// Whether a commit that fails is taken back.
    pub rolls_back: bool,
}

/// An event of a watch.
pub enum WatchEvent {
    /// A round found that the commit was taken back before, and keeps the last healthy one true; it
    /// has not done so yet.
    HeldBack {
        /// The commit that failed.
        failed: String,
        /// The one that is kept true.
        healthy: String,
    },
    /// A round is about to write objects of a commit that the inventory does not name yet.
    Deploying(Commit),
    /// A round found that nothing has moved since one that had nothing to do and nothing to tell.
    Idle,
    /// A round ended.
    Ended {
        /// The result of the round.
        round: Box<Result<Round, RoundError>>,
        /// The commit that the round came to nothing for, where that is what is wrong.
        commit: Option<Box<Revision>>,
        /// The pause that follows; `None` after the last.
        pause: Option<Duration>,
    },
}

/// State that one round leaves for the next.
#[derive(Default)]
struct RoundMemory {
    /// The commit that was read last.
    last: LastRead,
    /// Earlier observations of the lock.
    watched: LeaseWatch,
    /// The commit that was taken back, and the one that is kept true in its place.
    held_back: Option<(String, String)>,
    /// The commit that was waited for to its end.
    proved: Option<String>,
    /// Commits from the remote.
    remote: Remote,
    /// The cluster that the first round found.
    place: Option<ClusterIdentity>,
    /// Whether the last round had nothing to do and nothing to tell, of health either.
    is_quiet: bool,
    /// The last look that found the target in sync, where every touch since then would be known.
    calm: Option<Calm>,
    /// How often the target had been touched when the round began, where none is missed.
    touches: Option<u64>,
    /// Why the round began before it was due.
    reasons: BTreeSet<WakeReason>,
    /// How often bells began rounds lately.
    pace: Pace,
    /// Whether the last round wrote to the cluster.
    has_written: bool,
    /// Whether the last pull went well.
    has_pulled: bool,
    /// Why rounds that came to nothing could not be recorded everywhere.
    unrecorded: Vec<String>,
    /// The mark of this watch, to say when the next round is due.
    mark: Option<WatchMark>,
}

impl RoundMemory {
    /// Notes the watched target, for others on this machine to read.
    fn note_watched(&mut self, target: &Target, cluster: &Cluster) {
        let inventory = target.inventory.clone();
        let name = target.declared.clone().unwrap_or_else(|| inventory.name.clone());
        let (pid, server, next) = (std::process::id(), cluster.url().to_owned(), Timestamp::now());
        self.mark = Some(WatchMark { pid, target: name, inventory, server, next });
    }

    /// Says when the next round is due.
    fn note_next(&self, watch: &Watch, pause: Duration) {
        if let (Some(own), Some(mark)) = (&watch.mark, &self.mark) {
            let next = Timestamp::now().saturating_add(pause).unwrap_or(mark.next);
            own.write(&WatchMark { next, ..mark.clone() });
        }
    }
}

/// Runs rounds until cancelled, and sends the result of each to `events`. The `remote` may have been asked
/// before.
pub async fn watch(
    watch: &Watch,
    remote: Remote,
    interrupt: &Interrupt,
    events: &mut (dyn FnMut(WatchEvent) + Send),
) {
    let mut memory = RoundMemory { remote, ..RoundMemory::default() };
    while !interrupt.is_requested() {
        // Looking writes nothing but the checkout, which a pull leaves sound wherever it stops.
        let looked = tokio::select! {
            looked = begin_round(watch, &mut memory) => looked,
            () = interrupt.requested() => return,
        };
        let round = match looked {
            Ok(BegunRound::Idle) => {
                events(WatchEvent::Idle);
                let pause = jittered(watch.interval, JITTER);
                memory.note_next(watch, pause);
                watch.rest(pause, &mut memory, interrupt).await;
                continue;
            }
            Ok(BegunRound::Pending(looked)) => {
                looked.holding().or_else(|| looked.deploying()).into_iter().for_each(&mut *events);
                match looked.held.clone() {
                    Some(held) => {
                        Ok(looked.without_writing(held, std::mem::take(&mut memory.unrecorded)))
                    }
                    None => Box::pin(act(watch, *looked, &mut memory, interrupt)).await,
                }
            }
            Err(error) => Err(error),
        };
        if let Err(RoundError::Reconcile(app::Error::Stopped)) = round {
            return;
        }
        let last = watch.once || interrupt.is_requested();
        let pause = match is_superseded(&round) {
            // News ends the pause.
            true => Duration::ZERO,
            false => jittered(watch.interval, JITTER),
        };
        let pause = (!last).then_some(pause);
        let commit = round.as_ref().err().filter(|error| error.is_of_commit());
        let commit = commit.and_then(|_| followed(watch)).map(Box::new);
        events(WatchEvent::Ended { round: Box::new(round), commit, pause });
        match pause {
            Some(pause) => {
                memory.note_next(watch, pause);
                watch.rest(pause, &mut memory, interrupt).await;
            }
            None => return,
        }
    }
}

/// Whether a round ended because a newer commit has come.
fn is_superseded(round: &Result<Round, RoundError>) -> bool {
    match round {
        Ok(round) => round.report.superseded.is_some(),
        Err(error) => matches!(error, RoundError::Reconcile(app::Error::Superseded(_))),
    }
}
