//! Rings the loops of a watch before their pause is over.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Why a round begins before it is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WakeReason {
    /// An object of the target was touched.
    Touched,
    /// A webhook told of a push.
    Pushed,
    /// The API server answers again.
    Back,
    /// `trueup sync` or SIGUSR1 asked for it.
    Asked,
    /// The settings are to be read again.
    Reloaded,
    /// A commit is there that was not, or may be applied that was to wait.
    Commit,
}

/// The bell of one target. Clones share it. A reason stays until a pause hears it, so that one that comes
/// during a round is not lost.
#[derive(Clone, Debug, Default)]
pub struct Wake(Arc<Bell>);

#[derive(Debug, Default)]
struct Bell {
    heard: Mutex<Heard>,
    rung: Notify,
    /// Whether the target is not watched any more.
    is_closed: AtomicBool,
}

/// The reasons that no pause has heard yet.
#[derive(Debug, Default)]
struct Heard {
    reasons: BTreeSet<WakeReason>,
    /// How often a round was asked for.
    asked: u64,
}

impl WakeReason {
    /// Whether the remote is to be asked first.
    pub(super) fn wants_pull(self) -> bool {
        matches!(self, Self::Pushed | Self::Asked | Self::Reloaded)
    }
}

impl Wake {
    /// Ends the pause that the target is in, or else the next one.
    pub fn ring(&self, reason: WakeReason) {
        lock(&self.0.heard).reasons.insert(reason);
        self.0.rung.notify_one();
    }

    /// Asks for a round, and says how often that was by now.
    pub fn ask(&self) -> u64 {
        let asked = {
            let mut heard = lock(&self.0.heard);
            heard.reasons.insert(WakeReason::Asked);
            heard.asked += 1;
            heard.asked
        };
        self.0.rung.notify_one();
        asked
    }

    /// The target is not watched any more, and no one may ask for a round of it.
    pub(super) fn close(&self) {
        self.0.is_closed.store(true, Ordering::SeqCst);
    }

    /// Takes the reasons that there are now, and says how often a round was asked for by then.
    pub fn begin(&self) -> (BTreeSet<WakeReason>, u64) {
        let mut heard = lock(&self.0.heard);
        (std::mem::take(&mut heard.reasons), heard.asked)
    }

    /// Waits until there is a reason, and takes all that there are. Where it is dropped before, they
    /// stay.
    pub async fn rung(&self) -> BTreeSet<WakeReason> {
        loop {
            let reasons = self.take();
            if !reasons.is_empty() {
                return reasons;
            }
            self.0.rung.notified().await;
        }
    }

    /// Takes the reasons that there are now.
    pub fn take(&self) -> BTreeSet<WakeReason> {
        self.begin().0
    }
}

/// The bells of all targets, by name. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Wakes(Arc<Mutex<BTreeMap<String, Wake>>>);

impl Wakes {
    /// The bell of a target, which is made where there is none.
    pub fn of(&self, target: &str) -> Wake {
        lock(&self.0).entry(target.to_owned()).or_default().clone()
    }

    /// Rings that of one target; `false` where there is none.
    pub fn ring(&self, target: &str, reason: WakeReason) -> bool {
        let bell = lock(&self.0).get(target).cloned();
        bell.inspect(|wake| wake.ring(reason)).is_some()
    }

    /// Rings all.
    pub fn ring_all(&self, reason: WakeReason) {
        lock(&self.0).values().for_each(|wake| wake.ring(reason));
    }

    /// The bell of a target that is watched.
    pub fn get(&self, target: &str) -> Option<Wake> {
        let bell = lock(&self.0).get(target).cloned();
        bell.filter(|wake| !wake.0.is_closed.load(Ordering::SeqCst))
    }

    /// The targets that there are bells of.
    pub fn names(&self) -> Vec<String> {
        lock(&self.0).keys().cloned().collect()
    }

    /// Lets go of the bell of a target that is not watched any more.
    pub fn remove(&self, target: &str) {
        lock(&self.0).remove(target);
    }
}

/// A lock whose holder panicked holds sound data all the same.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn reasons_coalesce_and_wait_for_the_next_pause() {
        let wake = Wake::default();
        wake.ring(WakeReason::Touched);
        wake.ring(WakeReason::Touched);
        wake.clone().ring(WakeReason::Asked);
        let heard = BTreeSet::from([WakeReason::Touched, WakeReason::Asked]);
        assert_eq!(wake.rung().await, heard);
        let mut pause = Box::pin(wake.rung());
        assert!(futures::poll!(&mut pause).is_pending(), "all were heard");
        wake.ring(WakeReason::Pushed);
        drop(pause);
        assert_eq!(wake.rung().await, [WakeReason::Pushed].into(), "a dropped pause loses none");
        assert_eq!(wake.take(), BTreeSet::new());
    }

    #[tokio::test]
    async fn bells_are_rung_by_name_or_together() {
        let wakes = Wakes::default();
        let (one, other) = (wakes.of("one"), wakes.of("other"));
        assert!(wakes.ring("one", WakeReason::Pushed));
        assert!(!wakes.ring("none", WakeReason::Pushed));
        assert_eq!(one.rung().await, [WakeReason::Pushed].into());
        assert_eq!(other.take(), BTreeSet::new());
        wakes.ring_all(WakeReason::Reloaded);
        assert_eq!(one.take(), other.take());
        wakes.remove("one");
        assert_eq!(wakes.names(), ["other"]);
    }
}
