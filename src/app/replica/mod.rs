//! The place of this process in a group of replicas: a Lease of its own that [`member`] renews, and the
//! Leases of the [`others`]. What they say, and how long each counts, is [`crate::core::replicas`]'.
//!
//! Two things follow from it: which targets this process watches, and whether it may write at all.

mod member;
mod others;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use self::member::Member;
use self::others::Others;
use super::renewed::Renewed;
use crate::cluster::{Access, ApiError, Cluster, ConnectError, WriteFence};
use crate::core::lease::Candidate;
use crate::core::replicas::{ReplicaGroup, TENURE};
use crate::local::cancel::Interrupt;

/// How long an answer about a Lease is waited for.
const ANSWER: Duration = Duration::from_secs(3);
/// The pause after a request that failed.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// How to join a group.
pub struct ReplicaOptions {
    /// The group's name.
    pub group: String,
    /// The namespace of its Leases; `None` for that of the kubeconfig's context, or of the pod.
    pub namespace: Option<String>,
    /// The cluster that has the Leases.
    pub access: Access,
    /// Gives an identity that none had before.
    pub who: fn() -> Candidate,
}

/// The right to write that a member has under one identity. It is renewed, and it ends for good. Clones
/// share it.
#[derive(Clone)]
pub struct Tenure(Arc<TenureOf>);

struct TenureOf {
    who: Candidate,
    group: String,
    state: Mutex<TenureState>,
    /// The identities that were seen to expire.
    expired: watch::Receiver<BTreeSet<String>>,
}

enum TenureState {
    /// The Lease was not written yet.
    Wanted,
    /// It was written, and this is when that was sent.
    Renewed(Renewed),
    /// Others take it for expired, or may.
    Ended,
}

impl fmt::Debug for Tenure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tenure").field(&self.0.who).finish()
    }
}

impl PartialEq for Tenure {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Tenure {
    fn new(who: Candidate, group: &str, expired: watch::Receiver<BTreeSet<String>>) -> Self {
        let (group, state) = (group.to_owned(), Mutex::new(TenureState::Wanted));
        Self(Arc::new(TenureOf { who, group, state, expired }))
    }

    /// The identity, for the locks of this process, too.
    pub fn who(&self) -> &Candidate {
        &self.0.who
    }

    /// Why nothing may be written now.
    pub fn barred(&self) -> Option<String> {
        let group = &self.0.group;
        match &*self.state() {
            TenureState::Renewed(renewed) if renewed.elapsed() <= TENURE => None,
            TenureState::Renewed(_) | TenureState::Wanted => Some(format!(
                "this replica has not renewed its Lease in group {group} for {} s",
                TENURE.as_secs()
            )),
            TenureState::Ended => {
                Some(format!("the Lease of this replica in group {group} has expired"))
            }
        }
    }

    /// Keeps a cluster from being written to while nothing may be written.
    pub fn fence(&self) -> WriteFence {
        let tenure = self.clone();
        WriteFence::new(move || tenure.barred())
    }

    /// Whether the holder of this identity was seen to expire: it writes no more, and its locks are free.
    pub fn has_expired(&self, identity: &str) -> bool {
        self.0.expired.borrow().contains(identity)
    }

    /// Returns once that is so.
    pub async fn expiry_of(&self, identity: &str) {
        let mut expired = self.0.expired.clone();
        if expired.wait_for(|expired| expired.contains(identity)).await.is_err() {
            std::future::pending().await
        }
    }

    fn renew(&self, renewed: Renewed) {
        let mut state = self.state();
        if !matches!(&*state, TenureState::Ended) {
            *state = TenureState::Renewed(renewed);
        }
    }

    fn end(&self) {
        *self.state() = TenureState::Ended;
    }

    fn state(&self) -> MutexGuard<'_, TenureState> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The group as it looks from here.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GroupView {
    /// The group's name.
    pub group: String,
    /// The tenure of this process, while it may write.
    tenure: Option<Tenure>,
    /// The Lease of this process.
    own: String,
    /// The Leases of the others that live; `None` until they were looked at.
    others: Option<BTreeSet<String>>,
    /// Why this process has no tenure.
    fault: Option<String>,
    /// Why the others can't be looked at.
    unseen: Option<String>,
}

impl GroupView {
    /// The members that live, by the names of their Leases, and which is this process.
    pub fn members(&self) -> (BTreeSet<String>, &str) {
        let own = self.tenure().map(|_| self.own.clone());
        (self.others.iter().flatten().cloned().chain(own).collect(), &self.own)
    }

    /// The tenure of this process, while it is a member: it may write, and knows the others.
    pub fn tenure(&self) -> Option<&Tenure> {
        self.tenure.as_ref().filter(|_| self.others.is_some())
    }

    /// Why this process is no member, or does not know how it stands with the others by now.
    pub fn fault(&self) -> Option<&str> {
        self.fault.as_deref().or(self.unseen.as_deref())
    }
}

/// A membership.
pub struct Replica {
    view: watch::Receiver<GroupView>,
    stop: Interrupt,
    work: JoinHandle<()>,
}

impl Replica {
    /// Joins a group from now on, and for as long as [`leave`](Self::leave) is not called.
    ///
    /// # Errors
    ///
    /// When there is no way to the cluster to begin with.
    pub fn join(options: ReplicaOptions) -> Result<Self, ConnectError> {
        let ReplicaOptions { group, namespace, access, who } = options;
        let access = Access { request_timeout: Some(ANSWER), ..access };
        let cluster = Cluster::prepared(&access)?;
        let namespace = namespace.unwrap_or_else(|| cluster.namespace().to_owned());
        let group = ReplicaGroup { name: group, namespace };
        let seen = GroupView { group: group.name.clone(), ..GroupView::default() };
        let (tell, view) = watch::channel(seen);
        let (tell, stop) = (Arc::new(tell), Interrupt::default());
        let (expire, expired) = watch::channel(BTreeSet::new());
        let way = Way { access, cluster };
        let others = Others::new(way.clone(), group.clone(), Arc::clone(&tell), expire);
        let member = Member::new(way, group, tell, Begin { who, expired });
        let stopped = stop.clone();
        let work = tokio::spawn(async move {
            let looking = tokio::spawn(others.look(stopped.clone()));
            member.keep(stopped).await;
            // It ends at the same signal.
            let _ = looking.await;
        });
        Ok(Self { view, stop, work })
    }

    /// The group as it looks now.
    pub fn view(&self) -> GroupView {
        self.view.borrow().clone()
    }

    /// Returns once it looks otherwise than at the last call.
    pub async fn changed(&mut self) {
        if self.view.changed().await.is_err() {
            std::future::pending().await
        }
    }

    /// Leaves the group: others take the targets at once. Nothing may be written any more.
    pub async fn leave(self) {
        self.stop.request();
        // The Lease ends by itself where it can't be given back.
        let _ = self.work.await;
    }
}

/// How a tenure begins.
struct Begin {
    who: fn() -> Candidate,
    expired: watch::Receiver<BTreeSet<String>>,
}

/// The way to the Leases, which no other request shares.
#[derive(Clone)]
struct Way {
    access: Access,
    cluster: Cluster,
}

impl Way {
    /// Waits for an answer, for a short time. After a failure another connection is used: one that hangs
    /// may do so for minutes.
    async fn ask<T>(
        &mut self,
        asking: impl Future<Output = Result<T, ApiError>>,
    ) -> Result<T, LeaseError> {
        let answer = match tokio::time::timeout(ANSWER, asking).await {
            Ok(answer) => answer.map_err(LeaseError::Api),
            Err(_) => Err(LeaseError::Silent),
        };
        if answer.as_ref().is_err_and(|error| !error.is_conflict() && !error.is_not_found())
            && let Ok(cluster) = Cluster::prepared(&self.access)
        {
            self.cluster = cluster;
        }
        answer
    }
}

/// Why a Lease could not be read or written.
#[derive(Debug, thiserror::Error)]
enum LeaseError {
    /// The server refuses, or is not reached.
    #[error(transparent)]
    Api(ApiError),
    /// It has not answered in time.
    #[error("the API server has not answered within {} s", ANSWER.as_secs())]
    Silent,
}

impl LeaseError {
    /// Whether the Lease has moved, or is there already.
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Api(error) if error.is_conflict())
    }

    /// Whether the Lease is gone, or has no place.
    fn is_not_found(&self) -> bool {
        matches!(self, Self::Api(error) if error.is_not_found())
    }
}
