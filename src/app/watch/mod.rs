//! When to run the story again: pull and apply, round after round, until cancelled.
//!
//! A round that fails is an event like any other; the next one runs. What is done in one is
//! [`round`]'s, and how a newer commit is noticed meanwhile [`remote_poller`]'s. [`fleet`] runs the loops of
//! several targets. They share the checkout's [`remote`], and their clusters' [`connections`].

mod backoff;
mod beside;
mod calm;
mod choose;
mod connections;
#[cfg(test)]
mod crowd;
mod events;
mod fault;
mod fleet;
mod former_drift;
mod git_result;
mod held;
mod identity;
mod observed;
mod order;
mod pace;
mod remote;
mod remote_poller;
mod rewritten;
mod rollout;
mod round;
mod runner;
mod share;
mod shared_looks;
mod stay;
mod touched;
mod unwritten;
mod wake;
mod workers;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use self::backoff::{pause_between_rounds, pause_until};
use self::calm::Calm;
pub use self::connections::Connections;
pub use self::events::{Events, KnownTarget, Told, Unlisted, WatchEvent};
pub use self::fault::RoundError;
use self::fault::{ReadCommit, is_failing, is_superseded};
pub use self::fleet::{FleetOptions, Roster, watch_all};
pub use self::git_result::GitResult;
pub use self::held::{HeldRound, WaitingCommit};
pub use self::identity::ClusterIdentity;
pub use self::observed::Watched;
pub use self::order::Order;
use self::pace::Pace;
pub use self::remote::{Remote, RemoteOptions, SeenNews};
pub use self::round::Round;
use self::round::{BegunRound, PendingRound, act, begin_round};
pub use self::share::Share;
use self::stay::KnownWaiting;
pub use self::touched::{Touched, TouchedTarget};
pub use self::wake::{Wake, WakeReason, Wakes};
use crate::app::{self, LastRead, Recording, Target, Tenure};
use crate::cluster::{Access, Cascade, Cluster, Listener};
use crate::core::lease::{Candidate, LeaseWatch};
use crate::core::schedule::Standing;
use crate::git::Checkout;
use crate::git::pull::{PullError, Pulled};
use crate::local::cancel::Interrupt;
use crate::local::jitter::jittered;
use crate::local::watch_marks::{OwnMark, WatchMark};

/// By how much a pause may be shorter or longer than the interval, so that many watchers of one
/// server do not march in step.
const JITTER: f64 = 0.1;

/// A target to watch.
pub struct Watch {
    /// Its name.
    pub name: String,
    /// Where the checkout is.
    pub directory: PathBuf,
    /// The commits that come there.
    pub remote: Remote,
    /// Reads what to make true.
    pub settings: SettingsReader,
    /// How to reach the cluster, but for the context.
    pub access: Access,
    /// Reads by which context.
    pub context: ContextReader,
    /// The connections of this watch.
    pub connections: Connections,
    /// How long from the end of one round to the beginning of the next, until the settings are read.
    pub interval: Duration,
    /// Whether one round is enough.
    pub once: bool,
    /// Our identity as a lock holder.
    pub who: Candidate,
    /// How rounds are recorded.
    pub recording: Option<Arc<Recording>>,
    /// Hears what takes a while.
    pub delays: Listener,
    /// Where to say when the next round is due; `None` to say it nowhere.
    pub mark: Option<OwnMark>,
    /// Ends a pause early.
    pub wake: Wake,
    /// Tells when an object was touched; `None` to look at all in each round.
    pub touched: Option<TouchedTarget>,
    /// How the targets stand that this one comes after.
    pub order: Order,
    /// Ends the loop once the round under way has written what it was to write.
    pub leaves: Interrupt,
    /// The place in a group of replicas; `None` outside of one.
    pub tenure: Option<Tenure>,
}

/// Reads what the settings of a commit say, of the one that is followed or, by its id, of another:
/// they may change with every commit.
pub type SettingsReader = Arc<
    dyn Fn(&Checkout, &Cluster, Option<&str>) -> Result<WatchSettings, SettingsError> + Send + Sync,
>;

/// Reads which context of the kubeconfig leads to the target's cluster: the machine's file may change.
pub type ContextReader = Arc<dyn Fn() -> Result<Option<String>, SettingsError> + Send + Sync>;

/// Why a commit's settings can't be used.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct SettingsError {
    /// The fault, with its position.
    pub message: String,
    /// The remedy.
    pub hint: Option<String>,
    /// Whether no commit may be applied.
    pub is_refusal: bool,
    /// Whether the commit is at fault, as opposed to this machine.
    pub is_of_commit: bool,
    /// Whether the settings are sound and the target is not among them.
    pub is_gone: bool,
}

/// The target, and its options.
#[derive(Clone)]
pub struct WatchSettings {
    /// The target to apply.
    pub target: Target,
    /// Its paths as people write them.
    pub shown_paths: Vec<String>,
    /// How long from the end of one round to the beginning of the next.
    pub interval: Duration,
    /// The targets that it comes after.
    pub after: Vec<String>,
    /// How objects are deleted that own others.
    pub cascade: Cascade,
    /// How long a round that changed something waits until everything is healthy; `None` not to
    /// wait.
    pub wait: Option<Duration>,
    /// The same for one that waits because others come after the target.
    pub timeout: Duration,
    /// How long a round waits for another run that writes.
    pub lock_timeout: Duration,
    /// Whether a commit that fails is taken back.
    pub rolls_back: bool,
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
    /// The commits that came so far.
    seen: SeenNews,
    /// Whether the remote is to be asked before the next round.
    is_urgent: bool,
    /// The commit that `HEAD` was at when the round began.
    head: Option<String>,
    /// The checkout and the target of the round under way.
    read: Option<ReadCommit>,
    /// The result of its pull, until it has looked.
    pulled: Option<Result<Pulled, PullError>>,
    /// The commit that the inventory names, where that is known.
    applied: Option<String>,
    /// The target as the last usable settings had it.
    target: Option<Target>,
    /// The interval that the settings gave last.
    interval: Option<Duration>,
    /// Whether the target was made known.
    is_known: bool,
    /// The cluster that the first round found.
    place: Option<ClusterIdentity>,
    /// Whether the last round had nothing to do and nothing to tell, of health either.
    is_quiet: bool,
    /// The last look that found the target in sync, where every touch since then would be known.
    calm: Option<Calm>,
    /// How often the target had been touched when the round began, where none is missed.
    touches: Option<u64>,
    /// How often a watch of its kinds had begun by then.
    beginnings: u64,
    /// Why the round began before it was due.
    reasons: BTreeSet<WakeReason>,
    /// How often bells began rounds lately.
    pace: Pace,
    /// Why rounds that came to nothing could not be recorded everywhere.
    unrecorded: Vec<String>,
    /// The commit that waits, as the target is held.
    waiting: Option<KnownWaiting>,
    /// When the target is held otherwise, as far as the last look knows.
    next_change: Option<Timestamp>,
    /// The mark of this watch, to say when the next round is due.
    mark: Option<WatchMark>,
    /// How many rounds in a row came to nothing.
    failures: u32,
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

    /// The pause after a round. Rounds that fail in a row are made less and less often.
    fn pause(&self, watch: &Watch) -> Duration {
        let interval = self.interval.unwrap_or(watch.interval);
        let pause = jittered(pause_between_rounds(interval, self.failures), JITTER);
        pause_until(pause, self.next_change, Timestamp::now(), interval)
    }

    /// Whether a round of the present head ended well.
    fn was_good(&self, watch: &Watch) -> bool {
        self.head.as_ref().is_some_and(|head| watch.order.is_good_at(&watch.name, head))
    }

    /// Notes how a round of the present head ended, for the targets after this one.
    fn settle(&self, watch: &Watch, is_good: bool) {
        if let Some(head) = &self.head {
            watch.order.note(&watch.name, Standing { head: head.clone(), is_good });
        }
    }

    /// Waits for as long as `pause`, or until there is a reason to begin a round, or to end. What others
    /// can cause waits for its turn.
    async fn rest(&mut self, watch: &Watch, pause: Duration, interrupt: &Interrupt) {
        self.read = None;
        self.pace.end();
        self.note_next(watch, pause);
        let mut pauses = std::pin::pin!(interrupt.sleep(pause));
        let mut reasons = BTreeSet::new();
        loop {
            if reasons.iter().any(|reason: &WakeReason| !reason.is_of_others()) {
                break;
            }
            let wait = self.pace.wait(Instant::now());
            if !reasons.is_empty() && wait.is_zero() {
                self.pace.begin(Instant::now());
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
                () = watch.leaves.requested() => break,
                () = turn => {}
                more = watch.wake.rung() => reasons.extend(more),
            }
        }
        self.reasons = BTreeSet::new();
        self.hear(reasons);
    }

    /// Notes why the next round begins.
    fn hear(&mut self, reasons: BTreeSet<WakeReason>) {
        if reasons.contains(&WakeReason::Commit) {
            self.failures = 0;
        }
        self.is_urgent |= reasons.iter().copied().any(WakeReason::wants_pull);
        self.reasons.extend(reasons);
    }
}

/// Runs rounds until cancelled, or until the target is gone from the settings, and sends the result of
/// each to `events`.
pub async fn watch(watch: &Watch, interrupt: &Interrupt, events: &Events) {
    let mut memory = RoundMemory::default();
    while !interrupt.is_requested() && !watch.leaves.is_requested() {
        let (reasons, asked) = watch.wake.begin();
        memory.hear(reasons);
        memory.note_watches(watch);
        memory.next_change = memory.next_change.filter(|at| *at > Timestamp::now());
        events.send(WatchEvent::Begun { asked }).await;
        // Looking writes nothing but the checkout, which a pull leaves sound wherever it stops.
        let looked = tokio::select! {
            looked = begin_round(watch, &mut memory, events) => looked,
            () = interrupt.requested() => return,
            () = watch.leaves.requested() => return,
        };
        let round = match looked {
            Ok(BegunRound::Idle) => {
                memory.settle(watch, true);
                memory.failures = 0;
                let pause = memory.pause(watch);
                events.send(WatchEvent::Idle { pause }).await;
                memory.rest(watch, pause, interrupt).await;
                continue;
            }
            Ok(BegunRound::Waiting(gate)) => {
                let pause = (!watch.once).then(|| memory.pause(watch));
                events.send(WatchEvent::Waits { gate, pause }).await;
                match pause {
                    Some(pause) => memory.rest(watch, pause, interrupt).await,
                    None => return memory.settle(watch, false),
                }
                continue;
            }
            Ok(BegunRound::Pending(looked)) => {
                if let Some(event) = looked.holding().or_else(|| looked.deploying()) {
                    events.send(event).await;
                }
                match looked.held.clone().filter(|held| held.is_idle) {
                    Some(held) => {
                        let unrecorded = std::mem::take(&mut memory.unrecorded);
                        looked.follow(watch);
                        let round = looked.without_writing(held, unrecorded);
                        memory.is_quiet = PendingRound::is_calm(&round);
                        if PendingRound::is_good(&round) {
                            memory.settle(watch, true);
                        }
                        Ok(round)
                    }
                    None => Box::pin(act(watch, *looked, &mut memory, interrupt, events)).await,
                }
            }
            Err(RoundError::Settings(error)) if error.is_gone && watch.connections.are_shared() => {
                if let Some(touched) = &watch.touched {
                    touched.touched.forget(&touched.name);
                }
                watch.wake.close();
                let inventory = memory.mark.map(|mark| mark.inventory);
                return events.send(WatchEvent::Gone { inventory }).await;
            }
            Err(error) => Err(error),
        };
        if let Err(RoundError::Reconcile(app::Error::Stopped)) = round {
            return;
        }
        memory.failures = if is_failing(&round) { memory.failures + 1 } else { 0 };
        if round.as_ref().is_err_and(RoundError::is_of_outage) {
            memory.missed(watch);
        }
        if round.as_ref().is_err_and(RoundError::is_settled) {
            memory.settle(watch, false);
        }
        if let Ok(round) = &round {
            memory.next_change = round.held.as_ref().and_then(|held| held.next_change);
        }
        let last = watch.once || interrupt.is_requested();
        let pause = match is_superseded(&round) {
            // News ends the pause.
            true => Duration::ZERO,
            false => memory.pause(watch),
        };
        let pause = (!last).then_some(pause);
        let commit = round.as_ref().err().filter(|error| error.is_of_commit());
        let commit = commit.and_then(|_| memory.read.as_ref()?.followed()).map(Box::new);
        let git = match &round {
            Ok(_) => GitResult::default(),
            Err(error) => memory.git_result(error).await,
        };
        let (round, git) = (Box::new(round), Box::new(git));
        events.send(WatchEvent::Ended { round, commit, git, pause }).await;
        match pause {
            Some(pause) => memory.rest(watch, pause, interrupt).await,
            None => return,
        }
    }
}
