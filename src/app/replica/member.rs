//! Renews the Lease of this process.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::watch;

use super::{Begin, GroupView, LeaseError, TRY_AGAIN, Tenure, Way};
use crate::app::renewed::Renewed;
use crate::core::object::Object;
use crate::core::replicas::{MemberState, RENEWAL, ReplicaGroup, member};
use crate::local::cancel::Interrupt;

/// How many renewals without an answer are remembered.
const MOST_SENT: usize = 16;

/// The membership under the present identity.
pub(super) struct Member {
    way: Way,
    group: ReplicaGroup,
    view: Arc<watch::Sender<GroupView>>,
    begin: Begin,
    tenure: Tenure,
    /// The Lease as it was written last; `None` before that.
    lease: Option<Object>,
    /// The times of the renewals that may be the last one that arrived.
    sent: Vec<String>,
}

impl Member {
    pub(super) fn new(
        way: Way,
        group: ReplicaGroup,
        view: Arc<watch::Sender<GroupView>>,
        begin: Begin,
    ) -> Self {
        let tenure = Tenure::new((begin.who)(), &group.name, begin.expired.clone());
        let member = Self { way, group, view, begin, tenure, lease: None, sent: Vec::new() };
        member.show(None);
        member
    }

    /// Renews the Lease until `stop`, and gives it back then.
    pub(super) async fn keep(mut self, stop: Interrupt) {
        while !stop.is_requested() {
            let renewed = tokio::select! {
                renewed = self.renew() => renewed,
                () = stop.requested() => break,
            };
            let pause = match renewed {
                Ok(()) => {
                    self.show(None);
                    RENEWAL
                }
                Err(error) => {
                    self.show(Some(error.to_string()));
                    TRY_AGAIN
                }
            };
            stop.sleep(pause).await;
        }
        self.tenure.end();
        self.give_back().await;
    }

    /// Deletes the Lease, so that others take over at once. It ends by itself else.
    async fn give_back(&mut self) {
        while let Some(lease) = self.lease.clone() {
            let cluster = self.way.cluster.clone();
            match self.way.ask(cluster.delete_lease(&lease)).await {
                // A renewal under way may have arrived.
                Err(error) if error.is_conflict() && self.settle().await.is_ok() => {}
                _ => return,
            }
        }
    }

    /// Shows whether this process is a member, and why not.
    fn show(&self, fault: Option<String>) {
        let is_member = self.tenure.barred().is_none();
        self.view.send_if_modified(|view| {
            let before = view.clone();
            view.own = self.group.lease_name(self.tenure.who());
            view.tenure = is_member.then(|| self.tenure.clone());
            view.fault = fault.filter(|_| !is_member);
            *view != before
        });
    }

    async fn renew(&mut self) -> Result<(), LeaseError> {
        match self.write().await {
            Err(error) if error.is_conflict() || error.is_not_found() && self.lease.is_some() => {
                self.settle().await?;
                self.write().await
            }
            written => written,
        }
    }

    /// Writes the Lease, if it is as it was known last.
    async fn write(&mut self) -> Result<(), LeaseError> {
        // From the moment it is sent, since it is unknown when it arrives.
        let renewed = Renewed::now();
        let now = Timestamp::now();
        let wanted = member(&self.group, self.lease.as_ref(), self.tenure.who(), now);
        let time = MemberState::of(&wanted).renewed;
        self.sent.push(time.clone());
        if self.sent.len() > MOST_SENT {
            // The first one is known to have arrived.
            self.sent.remove(1);
        }
        let cluster = self.way.cluster.clone();
        let lease = self.way.ask(cluster.put_lease(&wanted)).await?;
        self.lease = Some(lease);
        self.sent = vec![time];
        self.tenure.renew(renewed);
        Ok(())
    }

    /// The Lease is not as it was known. After a lost answer it is ours all the same. In any other case
    /// another process may have what this identity had, so it ends.
    async fn settle(&mut self) -> Result<(), LeaseError> {
        let (place, cluster) = (self.group.lease(self.tenure.who()), self.way.cluster.clone());
        let lease = self.way.ask(cluster.lease(&place)).await?;
        let mine = lease.filter(|lease| {
            let state = MemberState::of(lease);
            state.lease.identity == Some(self.tenure.who().identity())
                && self.sent.contains(&state.renewed)
        });
        match mine {
            Some(lease) => self.lease = Some(lease),
            None => {
                self.tenure.end();
                let expired = self.begin.expired.clone();
                self.tenure = Tenure::new((self.begin.who)(), &self.group.name, expired);
                (self.lease, self.sent) = (None, Vec::new());
            }
        }
        Ok(())
    }
}
