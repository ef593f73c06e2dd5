//! The state of a round that waits for health, for whoever works beside it.

use std::collections::BTreeSet;
use std::sync::{Mutex as StdMutex, PoisonError};

use tokio::sync::{Mutex, MutexGuard, watch};

use super::WakeReason;

/// How far a round is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    /// It looks or writes.
    #[default]
    Working,
    /// It waits for health.
    Waiting,
    /// It has come to an end of waiting.
    Over,
}

/// The state of a round that may wait for health.
#[derive(Default)]
pub(super) struct Rollout {
    stage: watch::Sender<Stage>,
    /// Held while drift is put back.
    healing: Mutex<()>,
    /// The reasons to begin a round that came meanwhile.
    heard: StdMutex<BTreeSet<WakeReason>>,
}

impl Rollout {
    /// It waits from now on, unless it has before.
    pub(super) fn waits(&self) {
        self.stage.send_if_modified(|stage| {
            let begins = *stage == Stage::Working;
            if begins {
                *stage = Stage::Waiting;
            }
            begins
        });
    }

    /// No more drift is put back from now on. Returns once what is under way has ended.
    pub(super) async fn end(&self) {
        self.over();
        drop(self.healing.lock().await);
    }

    pub(super) fn over(&self) {
        self.stage.send_replace(Stage::Over);
    }

    /// Returns once it waits, or is over. Says whether it waits.
    pub(super) async fn begun(&self) -> bool {
        let mut stage = self.stage.subscribe();
        let begun = stage.wait_for(|stage| *stage != Stage::Working).await;
        begun.is_ok_and(|stage| *stage == Stage::Waiting)
    }

    /// Returns once it is over.
    pub(super) async fn ended(&self) {
        // The sender is a part of this, so that there is one.
        let _ = self.stage.subscribe().wait_for(|stage| *stage == Stage::Over).await;
    }

    /// The right to put drift back; `None` once it is over.
    pub(super) async fn healing(&self) -> Option<MutexGuard<'_, ()>> {
        let healing = self.healing.lock().await;
        (*self.stage.borrow() != Stage::Over).then_some(healing)
    }

    /// Keeps reasons to begin a round.
    pub(super) fn keep(&self, reasons: impl Iterator<Item = WakeReason>) {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).extend(reasons);
    }

    /// The reasons that were kept.
    pub(super) fn kept(&self) -> BTreeSet<WakeReason> {
        std::mem::take(&mut *self.heard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
