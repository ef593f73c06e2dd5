//! Rings a target's bell when one of its objects is touched: one watch of metadata for each kind and
//! cluster, which all targets share.
//!
//! While the watches of a target are up, and nothing was touched since a round that found it in sync, the
//! next round has nothing to ask the cluster. What becomes of the watches is [`follow`]'s.

mod follow;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::AbortHandle;

use self::follow::{Door, KindFollower};
use super::{Wake, WakeReason};
use crate::cluster::{Access, Cluster};
use crate::core::inventory::{ID, Inventory, PART_OF, Record};
use crate::core::kinds::catalog::{Catalog, Served};
use crate::core::object::GroupKind;

/// The most kinds that are watched of one inventory.
const MOST_KINDS: usize = 200;

/// The watches of all targets. Clones share them.
#[derive(Clone, Default)]
pub struct Touched(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    targets: BTreeMap<String, FollowedTarget>,
    kinds: BTreeMap<KindKey, FollowedKind>,
    doors: BTreeMap<String, Arc<Door>>,
    /// The kinds that can't be watched, and why.
    forbidden: Faults,
    /// The kinds whose watch was lost, and why.
    lost: Faults,
}

/// Kinds with a fault, with one warning for each.
#[derive(Default)]
struct Faults {
    /// Not told yet.
    fresh: BTreeMap<String, String>,
    told: BTreeSet<String>,
}

impl Faults {
    fn add(&mut self, kind: &GroupKind, why: &str) {
        let kind = kind.to_string();
        if !self.told.contains(&kind) {
            self.fresh.entry(kind).or_insert_with(|| why.to_owned());
        }
    }

    /// A text about those that were not told yet.
    fn tell(&mut self, fault: &str) -> Option<String> {
        let fresh = std::mem::take(&mut self.fresh);
        let why = fresh.values().next()?.clone();
        self.told.extend(fresh.keys().cloned());
        let (kinds, left) = (fresh.keys().take(3), fresh.len().saturating_sub(3));
        let mut kinds = kinds.map(String::as_str).collect::<Vec<_>>().join(", ");
        if left > 0 {
            kinds.push_str(&format!(" and {left} more"));
        }
        Some(format!("{fault} {kinds}, so each round asks the cluster: {why}"))
    }
}

/// A target, and what is watched of it.
struct FollowedTarget {
    wake: Wake,
    interest: Interest,
    /// How often it was touched.
    touches: u64,
    /// Whether its cluster did not answer to its last round.
    is_away: bool,
    /// How often a watch of its kinds began.
    beginnings: u64,
    /// Whether an object may have been touched before its watch began, and after the last look.
    has_gap: bool,
}

/// The objects of a target that are watched.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Interest {
    cluster: String,
    /// The inventory's id.
    id: String,
    kinds: BTreeMap<KindKey, KindInterest>,
    /// Whether some kind can't be watched.
    has_gaps: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct KindInterest {
    served: Served,
    namespaces: BTreeSet<String>,
}

/// A kind in a cluster, by the label of interest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct KindKey {
    cluster: String,
    /// Its group and version with its name in URLs.
    path: String,
    label: &'static str,
}

/// A kind that is watched.
struct FollowedKind {
    wanted: watch::Sender<Wanted>,
    task: AbortHandle,
    /// The inventories whose objects are watched, by namespace; `None` for the whole cluster.
    up: BTreeMap<Option<String>, BTreeSet<String>>,
}

/// The inventories with objects of a kind, and the namespaces of each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Wanted {
    inventories: BTreeMap<String, BTreeSet<String>>,
    /// Moves where the watches are to begin again.
    times: u64,
}

/// The record of an inventory, as far as it says which objects to watch.
pub(super) struct Followed<'a> {
    pub(super) inventory: &'a Inventory,
    pub(super) records: &'a [&'a Record],
    pub(super) catalog: &'a Catalog,
    pub(super) cluster: &'a Cluster,
    pub(super) access: &'a Access,
}

impl Touched {
    /// Watches a target's objects from now on, in place of those that were watched of it.
    pub(super) fn follow(&self, target: &str, wake: &Wake, followed: &Followed<'_>) {
        let interest = Interest::of(followed);
        let mut state = self.lock();
        let state = &mut *state;
        if state.targets.get(target).is_some_and(|known| known.interest == interest) {
            return;
        }
        let (access, cluster) = (followed.access, interest.cluster.clone());
        let door = || Arc::new(Door::new(followed.cluster, access));
        state.doors.entry(cluster).or_insert_with(door);
        match state.targets.get_mut(target) {
            // Touches of objects that were not watched are not known.
            Some(known) => {
                let is_new = |(key, of): (&KindKey, &KindInterest)| {
                    known.interest.kinds.get(key).is_none_or(|before| before != of)
                };
                known.has_gap |= interest.kinds.iter().any(is_new);
                (known.interest, known.touches) = (interest, known.touches + 1);
            }
            None => {
                let followed = FollowedTarget {
                    wake: wake.clone(),
                    interest,
                    touches: 0,
                    is_away: false,
                    beginnings: 0,
                    has_gap: true,
                };
                state.targets.insert(target.to_owned(), followed);
            }
        }
        self.settle(state);
    }

    /// Watches a target no longer.
    pub fn forget(&self, target: &str) {
        let mut state = self.lock();
        state.targets.remove(target);
        self.settle(&mut state);
    }

    /// Begins all watches again, with what the kubeconfig says now.
    pub fn begin_again(&self) {
        let state = self.lock();
        state.doors.values().for_each(|door| door.close());
        for kind in state.kinds.values() {
            kind.wanted.send_modify(|wanted| wanted.times += 1);
        }
    }

    /// A round of a target begins. Gives how often a watch of its kinds began so far.
    fn begin(&self, target: &str) -> u64 {
        self.lock().targets.get_mut(target).map_or(0, |known| {
            known.is_away = false;
            known.beginnings
        })
    }

    /// The cluster did not answer to a round of a target, which is rung as soon as there are answers again:
    /// that may have been since the round `began`.
    fn miss(&self, target: &str, began: u64) {
        if let Some(known) = self.lock().targets.get_mut(target) {
            match known.beginnings == began {
                true => known.is_away = true,
                false => known.wake.ring(WakeReason::Back),
            }
        }
    }

    /// How often a target was touched, where none is missed now.
    pub(super) fn touches(&self, target: &str) -> Option<u64> {
        let state = self.lock();
        let followed = state.targets.get(target)?;
        followed.interest.is_up(&state.kinds).then_some(followed.touches)
    }

    /// The warnings since the last call.
    pub fn take_warnings(&self) -> Vec<String> {
        let mut state = self.lock();
        let forbidden = state.forbidden.tell("can't watch");
        let lost = state.lost.tell("lost the watch of");
        forbidden.into_iter().chain(lost).collect()
    }

    /// Begins and ends watches, so that there is one for each kind that any target wants.
    fn settle(&self, state: &mut State) {
        let mut wanted: BTreeMap<KindKey, (Served, Wanted)> = BTreeMap::new();
        for FollowedTarget { interest, .. } in state.targets.values() {
            for (key, KindInterest { served, namespaces }) in &interest.kinds {
                let all = wanted.entry(key.clone());
                let (_, all) = all.or_insert_with(|| (served.clone(), Wanted::default()));
                all.inventories.insert(interest.id.clone(), namespaces.clone());
            }
        }
        state.kinds.retain(|key, kind| {
            let is_wanted = wanted.contains_key(key);
            if !is_wanted {
                kind.task.abort();
            }
            is_wanted
        });
        for (key, (served, wanted)) in wanted {
            let Some(door) = state.doors.get(&key.cluster) else { continue };
            match state.kinds.get(&key) {
                Some(kind) => {
                    kind.wanted.send_if_modified(|now| {
                        let is_other = now.inventories != wanted.inventories;
                        now.inventories = wanted.inventories;
                        is_other
                    });
                }
                None => {
                    let (wanted, hears) = watch::channel(wanted);
                    let (hub, key_of, door) = (self.clone(), key.clone(), Arc::clone(door));
                    let follower = KindFollower { hub, key: key_of, served, door };
                    let task = tokio::spawn(follower.run(hears)).abort_handle();
                    let up = BTreeMap::new();
                    state.kinds.insert(key, FollowedKind { wanted, task, up });
                }
            }
        }
        let clusters: BTreeSet<&String> = state.kinds.keys().map(|key| &key.cluster).collect();
        state.doors.retain(|cluster, _| clusters.contains(cluster));
    }

    /// Rings the targets that keep these inventories.
    fn touch(&self, cluster: &str, ids: &BTreeSet<String>) {
        let mut state = self.lock();
        for target in state.targets.values_mut() {
            let Interest { cluster: its, id, .. } = &target.interest;
            if its == cluster && ids.contains(id) {
                target.touches += 1;
                target.wake.ring(WakeReason::Touched);
            }
        }
    }

    /// Notes whether the objects of these inventories are watched in a scope.
    fn set_up(&self, key: &KindKey, scope: Option<&str>, ids: Option<BTreeSet<String>>) {
        let mut state = self.lock();
        let State { kinds, targets, .. } = &mut *state;
        let Some(kind) = kinds.get_mut(key) else { return };
        let scope = scope.map(str::to_owned);
        let Some(ids) = ids else { return drop(kind.up.remove(&scope)) };
        for target in targets.values_mut() {
            let Interest { cluster, id, .. } = &target.interest;
            if *cluster != key.cluster || !ids.contains(id) {
                continue;
            }
            target.beginnings += 1;
            if std::mem::take(&mut target.is_away) {
                target.wake.ring(WakeReason::Back);
            }
        }
        kind.up.insert(scope, ids);
        for target in targets.values_mut().filter(|target| target.has_gap) {
            if target.interest.is_up(kinds) {
                target.has_gap = false;
                target.touches += 1;
                target.wake.ring(WakeReason::Touched);
            }
        }
    }

    fn forbidden(&self, kind: &GroupKind, why: &str) {
        self.lock().forbidden.add(kind, why);
    }

    fn lost(&self, kind: &GroupKind, why: &str) {
        self.lock().lost.add(kind, why);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Interest {
    fn of(followed: &Followed<'_>) -> Self {
        let Followed { inventory, records, catalog, cluster, .. } = *followed;
        let cluster = format!("{} {}", cluster.name(), cluster.url());
        let mut namespaces = BTreeSet::from([inventory.namespace.clone()]);
        namespaces.extend(records.iter().flat_map(|record| record.namespaces.iter().cloned()));
        let names: BTreeSet<&GroupKind> = records.iter().flat_map(|record| &record.kinds).collect();
        let mut has_gaps = names.len() > MOST_KINDS;
        let mut kinds = BTreeMap::new();
        let mut add = |served: &Served, label, namespaces: &BTreeSet<String>| {
            let path = format!("{}/{}/{}", served.group_kind.group, served.version, served.plural);
            let key = KindKey { cluster: cluster.clone(), path, label };
            let namespaces = if served.namespaced { namespaces.clone() } else { BTreeSet::new() };
            kinds.insert(key, KindInterest { served: served.clone(), namespaces });
        };
        for name in names.into_iter().take(MOST_KINDS) {
            match catalog.preferred(name) {
                Some(served) => add(served, PART_OF, &namespaces),
                // Without a definition there are no objects.
                None => has_gaps |= catalog.silence(&name.group).is_some(),
            }
        }
        // The inventory's own record, which other runs write to.
        let home = BTreeSet::from([inventory.namespace.clone()]);
        match catalog.preferred(&inventory.key().group_kind()) {
            Some(served) => add(served, ID, &home),
            None => has_gaps = true,
        }
        Self { cluster, id: inventory.id(), kinds, has_gaps }
    }
}

impl Interest {
    /// Whether all of its objects are watched.
    fn is_up(&self, watched: &BTreeMap<KindKey, FollowedKind>) -> bool {
        let is_up = |(key, of): (&KindKey, &KindInterest)| {
            watched.get(key).is_some_and(|kind| kind.is_up(&self.id, of))
        };
        !self.has_gaps && self.kinds.iter().all(is_up)
    }
}

impl FollowedKind {
    fn is_up(&self, id: &str, of: &KindInterest) -> bool {
        let is_up = |scope: Option<&String>| {
            self.up.get(&scope.cloned()).is_some_and(|ids| ids.contains(id))
        };
        let by_namespace = !of.namespaces.is_empty();
        is_up(None) || by_namespace && of.namespaces.iter().all(|name| is_up(Some(name)))
    }
}

/// The watches of one target, and how long a round may rely on them alone.
pub struct TouchedTarget {
    /// The watches.
    pub touched: Touched,
    /// The target's name.
    pub name: String,
    /// After how long it is looked at in any case.
    pub resync: Duration,
}

impl TouchedTarget {
    /// A round begins. Gives what [`Self::missed`] wants to know.
    pub(super) fn begin_round(&self) -> u64 {
        self.touched.begin(&self.name)
    }

    /// The cluster did not answer to the round that began with this.
    pub(super) fn missed(&self, began: u64) {
        self.touched.miss(&self.name, began);
    }

    /// How often it was touched, where none is missed now.
    pub(super) fn touches(&self) -> Option<u64> {
        self.touched.touches(&self.name)
    }
}
