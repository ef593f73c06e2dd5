//! Looks at the Leases of the other members, and lets those expire that are not renewed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::{GroupView, LeaseError, TRY_AGAIN, Way};
use crate::core::lease::{LeaseOwnership, LeaseWatch};
use crate::core::object::Object;
use crate::core::replicas::{KEPT, LOOK, MemberState, ReplicaGroup, TENURE, expired};
use crate::local::cancel::Interrupt;

/// The time after which a Lease that was not renewed is surely over.
const MARGIN: Duration = Duration::from_millis(10);
/// How many Leases of a group are looked at: anyone who may write Leases may add some.
const MOST: usize = 1000;

/// The other members.
pub(super) struct Others {
    way: Way,
    group: ReplicaGroup,
    view: Arc<watch::Sender<GroupView>>,
    /// The identities that were seen to expire.
    expired: watch::Sender<BTreeSet<String>>,
    /// Earlier observations of Leases, by name.
    watched: BTreeMap<String, LeaseWatch>,
    /// Since when Leases were seen without a holder.
    idle: BTreeMap<String, Instant>,
    /// When they were last looked at.
    looked: Instant,
}

impl Others {
    pub(super) fn new(
        way: Way,
        group: ReplicaGroup,
        view: Arc<watch::Sender<GroupView>>,
        expired: watch::Sender<BTreeSet<String>>,
    ) -> Self {
        let (watched, idle, looked) = (BTreeMap::new(), BTreeMap::new(), Instant::now());
        Self { way, group, view, expired, watched, idle, looked }
    }

    /// Looks again and again until `stop`.
    pub(super) async fn look(mut self, stop: Interrupt) {
        while !stop.is_requested() {
            let looked = tokio::select! {
                looked = self.look_once() => looked,
                () = stop.requested() => return,
            };
            // The last view stays: without a view of them no one is taken for dead.
            let pause = looked.unwrap_or_else(|error| {
                self.miss(&error);
                TRY_AGAIN
            });
            stop.sleep(pause).await;
        }
    }

    /// Looks once, and says when to look again.
    async fn look_once(&mut self) -> Result<Duration, LeaseError> {
        let (cluster, selector) = (self.way.cluster.clone(), self.group.selector());
        let listed = self.way.ask(cluster.leases(&self.group.namespace, &selector)).await?;
        let now = Instant::now();
        // Of a time in which nothing was seen, it is not known that nothing moved.
        if now.duration_since(std::mem::replace(&mut self.looked, now)) > TENURE {
            self.watched.clear();
        }
        let own = self.view.borrow().own.clone();
        let (mut live, mut over, mut late, mut next) =
            (BTreeSet::new(), BTreeSet::new(), Vec::new(), LOOK);
        let mut names = BTreeSet::new();
        for lease in listed.iter().take(MOST).filter(|lease| lease.name() != own) {
            let (name, state) = (lease.name().to_owned(), MemberState::of(lease));
            names.insert(name.clone());
            let watched = self.watched.entry(name.clone()).or_default();
            match watched.observed(&state.lease, now) {
                LeaseOwnership::Theirs => {
                    next = next.min(watched.remaining(&state.lease, now) + MARGIN);
                    live.insert(name);
                }
                LeaseOwnership::Expired => late.push(lease),
                LeaseOwnership::Free | LeaseOwnership::Mine => {
                    over.extend(state.expired);
                    self.forget(lease, now).await;
                }
            }
        }
        self.watched.retain(|name, _| names.contains(name));
        self.idle.retain(|name, _| names.contains(name));
        for lease in late {
            match self.expire(lease).await {
                Some(identity) => over.extend([identity]),
                // Until others can know, too, it counts as one that lives.
                None => {
                    live.insert(lease.name().to_owned());
                    next = next.min(TRY_AGAIN);
                }
            }
        }
        // First, so that whoever takes a target over finds the lock free.
        self.expired.send_if_modified(|known| {
            let is_new = *known != over;
            *known = over;
            is_new
        });
        self.view.send_if_modified(|view| {
            let live = Some(live);
            let is_new = view.others != live || view.unseen.is_some();
            (view.others, view.unseen) = (live, None);
            is_new
        });
        Ok(next)
    }

    /// They could not be looked at. Once is no reason to say so.
    fn miss(&self, error: &LeaseError) {
        self.view.send_if_modified(|view| {
            let is_lasting = view.others.is_none() || self.looked.elapsed() > TENURE;
            let is_new = is_lasting && view.unseen.is_none();
            if is_new {
                view.unseen = Some(error.to_string());
            }
            is_new
        });
    }

    /// Writes that a member has expired. `None` where it was renewed in time, or can't be written to.
    async fn expire(&mut self, lease: &Object) -> Option<String> {
        let (cluster, wanted) = (self.way.cluster.clone(), expired(lease));
        let written = self.way.ask(cluster.put_lease(&wanted)).await.ok()?;
        MemberState::of(&written).expired
    }

    /// Deletes a Lease that no one holds, once no one needs to know of it.
    async fn forget(&mut self, lease: &Object, now: Instant) {
        let since = *self.idle.entry(lease.name().to_owned()).or_insert(now);
        if now.duration_since(since) > KEPT {
            let cluster = self.way.cluster.clone();
            // Another member may be quicker.
            let _ = self.way.ask(cluster.delete_lease(lease)).await;
        }
    }
}
