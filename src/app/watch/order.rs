//! Which of several watched targets may apply a new commit: those after others wait for these.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::wake::{WakeReason, Wakes};
use crate::core::schedule::{Gate, Standing};

/// The standing of each target. Clones share it.
#[derive(Clone)]
pub struct Order(Arc<Shared>);

struct Shared {
    places: Mutex<Places>,
    wakes: Wakes,
    changes: watch::Sender<u64>,
}

#[derive(Default)]
struct Places {
    standings: BTreeMap<String, Option<Standing>>,
    /// The targets that each comes after.
    after: BTreeMap<String, Vec<String>>,
    /// The targets that have no more rounds to come.
    over: BTreeSet<String>,
}

impl Order {
    /// No target is watched yet. Those that may go on are rung.
    pub fn new(wakes: Wakes) -> Self {
        Self(Arc::new(Shared {
            places: Mutex::default(),
            wakes,
            changes: watch::Sender::default(),
        }))
    }

    /// A target is watched from now on.
    pub(super) fn add(&self, target: &str) {
        self.lock().standings.entry(target.to_owned()).or_default();
    }

    /// A target is not watched any more.
    pub(super) fn remove(&self, target: &str) {
        let mut places = self.lock();
        places.standings.remove(target);
        places.after.remove(target);
        drop(places);
        self.0.changes.send_modify(|changes| *changes += 1);
    }

    /// Notes the targets that one comes after, and gives its gate.
    pub(super) fn gate(&self, target: &str, after: &[String], head: &str) -> Gate {
        let mut places = self.lock();
        if places.after.get(target).map(Vec::as_slice).unwrap_or_default() != after {
            places.after.insert(target.to_owned(), after.to_vec());
        }
        match Gate::of(after, &places.standings, head) {
            Gate::Waits(name) if places.over.contains(&name) => Gate::Shut(name),
            gate => gate,
        }
    }

    /// A target has no more rounds to come: those after it wait for none.
    pub(super) fn end(&self, target: &str) {
        self.lock().over.insert(target.to_owned());
        self.0.changes.send_modify(|changes| *changes += 1);
    }

    /// The same, once there is no target that it waits for.
    pub(super) async fn settled(&self, target: &str, after: &[String], head: &str) -> Gate {
        let mut changes = self.0.changes.subscribe();
        loop {
            changes.mark_unchanged();
            match self.gate(target, after, head) {
                Gate::Waits(_) => {}
                gate => return gate,
            }
            // The sender is a part of this, so that there is one.
            let _ = changes.changed().await;
        }
    }

    /// Whether others come after this target.
    pub(super) fn is_before_others(&self, target: &str) -> bool {
        self.lock().after.values().any(|after| after.iter().any(|name| name == target))
    }

    /// Whether a round of a target at this head ended well.
    pub(super) fn is_good_at(&self, target: &str, head: &str) -> bool {
        let places = self.lock();
        let standing = places.standings.get(target).and_then(Option::as_ref);
        standing.is_some_and(|standing| standing.is_good && standing.head == head)
    }

    /// Notes how a round of a target ended.
    pub(super) fn note(&self, target: &str, standing: Standing) {
        let mut places = self.lock();
        let Places { standings, after, over: _ } = &mut *places;
        let Some(known) = standings.get_mut(target) else { return };
        if known.as_ref() == Some(&standing) {
            return;
        }
        *known = Some(standing);
        let later = after.iter().filter(|(_, after)| after.iter().any(|name| name == target));
        let later: Vec<String> = later.map(|(name, _)| name.clone()).collect();
        drop(places);
        self.0.changes.send_modify(|changes| *changes += 1);
        for name in later {
            self.0.wakes.ring(&name, WakeReason::Commit);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Places> {
        self.0.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
