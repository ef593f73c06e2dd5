//! The lock of an inventory: taken when there is something to write, renewed while that goes on, and
//! given back. Of two runs of one target the second waits; another target's is another Lease.
//!
//! When a Lease counts is [`crate::core::lease`]'s to say.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::renewed::Renewed;
use super::replica::Tenure;
use super::survey::api;
use super::{Error, Survey};
use crate::cluster::{ApiError, Cluster, RetryPolicy, WriteFence};
use crate::core::inventory::Inventory;
use crate::core::lease::{
    self, Candidate, DURATION, Holder, LeaseOwnership, LeaseState, LeaseWatch, RENEWAL,
};
use crate::core::object::Object;
use crate::local::cancel::Cancellation;

/// The time after which a Lease that was not renewed is surely over.
const MARGIN: Duration = Duration::from_millis(10);
/// The pause before a renewal that failed is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(2);
/// How long giving back may take: the run is over, and the Lease ends by itself.
const GIVE_BACK: Duration = Duration::from_secs(5);
/// How often the Lease is tried to be had while others try, too.
const TAKE_TRIES: usize = 3;

/// How to wait for a lock.
pub struct LockOptions<'a> {
    /// For how long.
    pub timeout: Duration,
    /// How long what passes by itself is waited for, such as a server that does not answer.
    pub passing: Duration,
    /// Earlier observations of the Lease.
    pub watched: &'a mut LeaseWatch,
    /// The place in a group of replicas: of a member that expired there, no lock is waited for.
    pub tenure: Option<&'a Tenure>,
    /// Says when to stop.
    pub cancel: &'a Cancellation,
    /// Hears for whom it is waited.
    pub events: &'a mut (dyn FnMut(&Holder) + Send),
}

/// The lock of an inventory.
pub struct Lock<'a> {
    cluster: &'a Cluster,
    inventory: &'a Inventory,
    who: &'a Candidate,
    revision: String,
    /// The branch or tag that led to it.
    tracked: Option<String>,
    state: Arc<Mutex<LockState>>,
    /// Whether another client may have written since the plan was made.
    pub is_stale: bool,
    /// Why there is no lock, where the user may not have one.
    pub warning: Option<String>,
}

enum LockState {
    /// There is none, and none is needed or to be had.
    Without,
    /// It can be had only once the namespace is there.
    Homeless,
    /// It is ours, to the last renewal.
    Held { lease: Object, renewed: Renewed },
    /// Another round of this run holds it, which renewed it then.
    Lent(Renewed),
    /// It is no longer ours.
    Lost(String),
}

/// Takes the lock that carrying out `survey` needs, and waits for whoever has it.
///
/// # Errors
///
/// When another run holds it for too long, a signal or a newer commit comes, or the API server does
/// not answer.
pub async fn take<'a>(
    survey: &Survey,
    cluster: &'a Cluster,
    inventory: &'a Inventory,
    who: &'a Candidate,
    patience: LockOptions<'_>,
) -> Result<Lock<'a>, Error> {
    let mut lock = Lock::without(cluster, inventory, who);
    lock.revision.clone_from(&survey.found.revision.commit);
    lock.tracked.clone_from(&survey.found.revision.tracked);
    let LockOptions { timeout, passing, watched, tenure, cancel, events } = patience;
    let has_expired = |seen: &LeaseState| {
        tenure.zip(seen.identity.as_ref()).is_some_and(|(tenure, it)| tenure.has_expired(it))
    };
    let cluster = cluster.patient(RetryPolicy::of(passing, cancel));
    let end = Instant::now() + timeout;
    loop {
        let before = match cluster.lease(inventory).await {
            Ok(before) => before,
            Err(error) if error.is_forbidden() => return Ok(lock.forbidden(&error)),
            Err(error) => return Err(api("read the lock")(error)),
        };
        let seen = before.as_ref().map(LeaseState::of);
        let standing = match &seen {
            None => LeaseOwnership::Free,
            Some(seen) if has_expired(seen) => LeaseOwnership::Expired,
            Some(seen) => watched.standing(seen, who, Instant::now()),
        };
        if standing != LeaseOwnership::Theirs {
            match lock.put(&cluster, before.as_ref()).await {
                Ok(()) => {
                    lock.is_stale |= seen.is_some_and(|seen| {
                        seen.moved_within(survey.found.begun.elapsed(), &lock.seen())
                    });
                    return Ok(lock);
                }
                // Another run was quicker.
                Err(error) if error.is_conflict() => lock.is_stale = true,
                Err(error) if error.is_not_found() && before.is_none() => {
                    *lock.state() = LockState::Homeless;
                    return Ok(lock);
                }
                Err(error) if error.is_forbidden() => return Ok(lock.forbidden(&error)),
                Err(error) => return Err(api("take the lock")(error)),
            }
        } else if let Some(seen) = seen {
            if Instant::now() >= end {
                return Err(Error::Locked { inventory: inventory.name.clone(), by: seen.holder });
            }
            events(&seen.holder);
            // Whoever has it may write, even where the Lease is gone before it can be asked.
            lock.is_stale = true;
            let now = Instant::now();
            let left = (watched.remaining(&seen, now) + MARGIN).min(end.duration_since(now));
            let patience = RetryPolicy::of(left, cancel);
            let news = cluster.lease_news(inventory, &patience, |lease| {
                let Some(now) = lease.map(LeaseState::of) else { return true };
                let standing = watched.standing(&now, who, Instant::now());
                standing != LeaseOwnership::Theirs || now.holder.name != seen.holder.name
            });
            let expiry = async {
                match tenure.zip(seen.identity.as_ref()) {
                    Some((tenure, identity)) => tenure.expiry_of(identity).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                news = news => news.map_err(api("read the lock"))?,
                () = expiry => {}
            }
            if cancel.is_interrupted() {
                return Err(Error::Stopped);
            }
            if let Some(newer) = cancel.newer() {
                return Err(Error::Superseded(newer.to_owned()));
            }
        }
    }
}

impl<'a> Lock<'a> {
    /// No lock: for a run that writes nothing, or a cluster that only this run knows.
    pub fn without(cluster: &'a Cluster, inventory: &'a Inventory, who: &'a Candidate) -> Self {
        Self {
            cluster,
            inventory,
            who,
            revision: String::new(),
            tracked: None,
            state: Arc::new(Mutex::new(LockState::Without)),
            is_stale: false,
            warning: None,
        }
    }

    /// The lock that another round of this run holds: it counts for as long as its last renewal does.
    pub(super) fn lent(self, renewed: Renewed) -> Self {
        *self.state() = LockState::Lent(renewed);
        self
    }

    fn forbidden(mut self, error: &ApiError) -> Self {
        self.warning = Some(format!(
            "running without a lock, so another run may interfere: \
            {error}"
        ));
        self
    }

    /// The identity of this run.
    pub fn who(&self) -> &Candidate {
        self.who
    }

    /// Whether there is none so far, and one could be had.
    pub fn is_to_be_had(&self) -> bool {
        matches!(&*self.state(), LockState::Without) && self.warning.is_none()
    }

    /// Does `work`, and renews the lock while that goes on.
    pub async fn keep<T>(&self, work: impl Future<Output = T>) -> T {
        tokio::select! {
            biased;
            done = work => done,
            never = self.renewing() => match never {},
        }
    }

    /// To whom the lock was lost, if it was: nothing may be written then.
    pub fn lost(&self) -> Option<String> {
        lost(self.cluster, &self.state)
    }

    /// The cluster, written to only while the lock is not lost. A write that failed may be sent again long
    /// after it was allowed.
    pub(super) fn fenced(&self) -> Cluster {
        let (cluster, state) = (self.cluster.clone(), Arc::clone(&self.state));
        let barred = move || Some(format!("the lock was lost to {}", lost(&cluster, &state)?));
        self.cluster.fenced(Some(WriteFence::new(barred)))
    }

    /// Takes the lock in a namespace that was made a moment ago, where there was no other place.
    ///
    /// # Errors
    ///
    /// When another run was quicker: then the plan may not hold any more.
    pub async fn settle(&self, cluster: &Cluster) -> Result<(), Error> {
        if !matches!(&*self.state(), LockState::Homeless) {
            return Ok(());
        }
        match self.put(cluster, None).await {
            Ok(()) => Ok(()),
            Err(error) if error.is_conflict() => {
                let lease = cluster.lease(self.inventory).await;
                let lease = lease.map_err(api("read the lock"))?.unwrap_or_default();
                let inventory = self.inventory.name.clone();
                Err(Error::Locked { inventory, by: LeaseState::of(&lease).holder })
            }
            // It was reported, or the next run will report it.
            Err(error) if error.is_forbidden() => {
                *self.state() = LockState::Without;
                Ok(())
            }
            Err(error) => Err(api("take the lock")(error)),
        }
    }

    /// Gives the lock back. Where that fails it ends by itself.
    pub async fn release(self) {
        let lease = match &*self.state() {
            LockState::Held { lease, .. } => lease.clone(),
            LockState::Lost(_) | LockState::Lent(_) | LockState::Homeless | LockState::Without => {
                return;
            }
        };
        let lease = lease::released(self.inventory, &lease, Timestamp::now());
        let _ = tokio::time::timeout(GIVE_BACK, self.cluster.put_lease(&lease)).await;
    }

    /// Renews the lock for as long as it is ours.
    async fn renewing(&self) -> Infallible {
        let mut pause = RENEWAL;
        loop {
            tokio::time::sleep(pause).await;
            let before = match &*self.state() {
                LockState::Held { lease, .. } => lease.clone(),
                LockState::Lost(_)
                | LockState::Lent(_)
                | LockState::Homeless
                | LockState::Without => continue,
            };
            let renewed =
                tokio::time::timeout(RENEWAL, self.put(self.cluster, Some(&before))).await;
            pause = match renewed {
                Ok(Ok(())) => RENEWAL,
                Ok(Err(error)) if error.is_conflict() || error.is_not_found() => {
                    if let Ok(Some(to)) = self.whose().await {
                        *self.state() = LockState::Lost(to);
                    }
                    TRY_AGAIN
                }
                Ok(Err(_)) | Err(_) => TRY_AGAIN,
            };
        }
    }

    /// The Lease's holder, if that is no longer this run. After a lost answer it is still ours, in
    /// a state that is not known here; so it may be after a client wrote to it without taking it.
    async fn whose(&self) -> Result<Option<String>, ApiError> {
        let Some(lease) = self.cluster.lease(self.inventory).await? else {
            return Ok(Some("a deletion of its Lease".to_owned()));
        };
        let seen = LeaseState::of(&lease);
        if seen.identity != Some(self.who.identity()) {
            return Ok(Some(seen.holder.to_string()));
        }
        if let LockState::Held { lease: known, .. } = &mut *self.state() {
            *known = lease;
        }
        Ok(None)
    }

    /// Writes that the lock is ours.
    async fn put(&self, cluster: &Cluster, before: Option<&Object>) -> Result<(), ApiError> {
        // From the moment it is sent, since it is unknown when it arrives.
        let mut renewed = Renewed::now();
        let wanted = lease::taken(
            self.inventory,
            before,
            self.who,
            self.revision.as_str(),
            self.tracked.as_deref(),
            Timestamp::now(),
        );
        let mut result = cluster.put_lease(&wanted).await;
        for _ in 1..TAKE_TRIES {
            if !matches!(&result, Err(error) if error.is_conflict()) {
                break;
            }
            // The first answer may have got lost: then the Lease is ours already.
            match cluster.lease(self.inventory).await? {
                Some(lease) if LeaseState::of(&lease).identity == Some(self.who.identity()) => {
                    renewed = Renewed::now();
                    let wanted = lease::taken(
                        self.inventory,
                        Some(&lease),
                        self.who,
                        self.revision.as_str(),
                        self.tracked.as_deref(),
                        Timestamp::now(),
                    );
                    result = cluster.put_lease(&wanted).await;
                }
                _ => break,
            }
        }
        let lease = result?;
        *self.state() = LockState::Held { lease, renewed };
        Ok(())
    }

    /// The Lease as it was written last.
    fn seen(&self) -> LeaseState {
        match &*self.state() {
            LockState::Held { lease, .. } => LeaseState::of(lease),
            LockState::Lost(_) | LockState::Lent(_) | LockState::Homeless | LockState::Without => {
                LeaseState::of(&Object::default())
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, LockState> {
        of(&self.state)
    }
}

fn of(state: &Mutex<LockState>) -> MutexGuard<'_, LockState> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// To whom a lock in this state is lost.
fn lost(cluster: &Cluster, state: &Mutex<LockState>) -> Option<String> {
    if let Some(why) = cluster.barred() {
        return Some(format!("expiry: {why}"));
    }
    match &*of(state) {
        LockState::Lost(to) => Some(to.clone()),
        LockState::Held { renewed, .. } | LockState::Lent(renewed)
            if renewed.elapsed() > DURATION =>
        {
            Some("expiry: it could not be renewed in time".to_owned())
        }
        LockState::Held { .. } | LockState::Lent(_) | LockState::Homeless | LockState::Without => {
            None
        }
    }
}
