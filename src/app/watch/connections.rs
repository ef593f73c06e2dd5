//! The connections of a watch. Targets of one cluster share one, and what they ask of it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::shared_looks::SharedLooks;
use crate::cluster::{Access, Cluster, ConnectError, Listener, way_digest};

/// How many targets of a cluster are looked at side by side. Each holds its objects meanwhile.
const AT_ONCE: usize = 8;
/// How many of these may be looked at though they can wait. A commit of one target makes a round of each.
const IDLE_AT_ONCE: usize = 6;
/// How long a round counts as one of them. One that takes longer waits for something, and must not
/// keep others from their turns.
const TURN: Duration = Duration::from_secs(10);
/// How many there are at most that take longer, each with its objects. On a slow machine, or behind a slow
/// API server, that is every round.
const MOST: usize = 32;
/// How long a round counts as one of these.
const LONG_TURN: Duration = Duration::from_secs(120);

/// The connections of all targets, by context. Clones share them.
#[derive(Clone, Default)]
pub struct Connections(Option<Arc<Mutex<Slots>>>);

/// The connection of each context.
type Slots = BTreeMap<Option<String>, Arc<Slot>>;

/// The connection of one context.
#[derive(Default)]
struct Slot(tokio::sync::Mutex<Option<KeptPlace>>);

struct KeptPlace {
    /// A digest of the kubeconfig's way there.
    way: [u8; 32],
    place: Arc<Place>,
}

/// A cluster, with what its targets share.
pub(super) struct Place {
    pub(super) cluster: Cluster,
    /// `None` where no other target could share them.
    pub(super) looks: Option<SharedLooks>,
    turns: Turns,
}

/// The turns to look at a cluster.
struct Turns {
    all: Arc<Semaphore>,
    /// Those of idle rounds.
    idle: Arc<Semaphore>,
    /// Those that take longer, too.
    long: Arc<Semaphore>,
}

/// How soon a round has to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Urgency {
    /// Something waits to be written, as far as is known.
    Urgent,
    /// Most likely there is nothing to do.
    Idle,
}

impl Connections {
    /// Those of several targets. By default each round makes its own.
    pub fn shared() -> Self {
        Self(Some(Arc::default()))
    }

    /// Whether several targets share them.
    pub(super) fn are_shared(&self) -> bool {
        self.0.is_some()
    }

    /// The connection to a cluster: the one that there is, unless the kubeconfig leads elsewhere or
    /// names another user by now.
    pub(super) async fn place(
        &self,
        access: &Access,
        delays: &Listener,
    ) -> Result<Arc<Place>, ConnectError> {
        let connect = async || {
            let cluster = Cluster::connect(access).await?;
            cluster.on_delay(delays.clone());
            let looks = self.0.is_some().then(SharedLooks::default);
            Ok::<_, ConnectError>(Arc::new(Place { cluster, looks, turns: Turns::new() }))
        };
        let Some(slots) = &self.0 else { return connect().await };
        let slot = {
            let mut slots = slots.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(slots.entry(access.context.clone()).or_default())
        };
        // A login that hangs holds up the targets of its own context alone.
        let mut kept = slot.0.lock().await;
        let way = way_digest(access)?;
        if let Some(kept) = kept.as_ref().filter(|kept| kept.way == way) {
            return Ok(Arc::clone(&kept.place));
        }
        let place = connect().await?;
        *kept = Some(KeptPlace { way, place: Arc::clone(&place) });
        Ok(place)
    }
}

impl Place {
    /// Waits for a turn to look at the cluster.
    pub(super) async fn turn(&self, urgency: Urgency) -> Turn {
        self.turns.take(urgency).await
    }
}

impl Turns {
    fn new() -> Self {
        let [all, idle, long] =
            [AT_ONCE, IDLE_AT_ONCE, MOST].map(|most| Arc::new(Semaphore::new(most)));
        Self { all, idle, long }
    }

    /// Waits for a turn. Idle rounds leave turns to urgent ones.
    async fn take(&self, urgency: Urgency) -> Turn {
        let idle = match urgency {
            Urgency::Urgent => None,
            Urgency::Idle => Arc::clone(&self.idle).acquire_owned().await.ok(),
        };
        let long = Arc::clone(&self.long).acquire_owned().await;
        let short = Arc::clone(&self.all).acquire_owned().await;
        Turn(tokio::spawn(async move {
            tokio::time::sleep(TURN).await;
            drop((idle, short));
            tokio::time::sleep(LONG_TURN.saturating_sub(TURN)).await;
            drop(long);
        }))
    }
}

/// The turn of a round. It is over when this is dropped, or earlier.
pub(super) struct Turn(JoinHandle<()>);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use futures::future::join_all;

    use super::*;

    #[tokio::test]
    async fn idle_rounds_leave_turns_to_urgent_ones() {
        let turns = &Turns::new();
        let take = |urgency, count| join_all((0..count).map(move |_| turns.take(urgency)));
        let idle = take(Urgency::Idle, IDLE_AT_ONCE).await;
        assert!(take(Urgency::Idle, 1).now_or_never().is_none(), "one more idle round waits");
        let urgent = take(Urgency::Urgent, AT_ONCE - IDLE_AT_ONCE).await;
        assert!(take(Urgency::Urgent, 1).now_or_never().is_none(), "all turns are taken");
        drop((idle, urgent));
        take(Urgency::Urgent, AT_ONCE).await;
    }
}
