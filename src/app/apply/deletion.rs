//! How deletions end: what finalizers hold is waited for, and the record's own namespace goes last.

use std::time::Duration;

use futures::stream::{self, StreamExt as _};

use super::ApplyRun;
use super::worker::endpoint;
use crate::cluster::RetryPolicy;
use crate::core::finalizers::what_holds;
use crate::core::kinds::catalog::is_namespace;
use crate::core::object::ObjectKey;
use crate::core::plan::{Action, ReasonKind};
use crate::core::report::Outcome;
use crate::local::cancel::Cancellation;

/// How long to wait for what was deleted to be gone.
const DELETION_PATIENCE: Duration = Duration::from_secs(10);

/// Until when what was deleted is waited for, from now on.
pub(super) fn deletion_patience() -> RetryPolicy {
    RetryPolicy::of(DELETION_PATIENCE, &Cancellation::default())
}

impl ApplyRun<'_> {
    /// Gives finalizers a moment to finish; what is gone after it needs no place in the record.
    pub(super) async fn until_gone(&mut self) {
        let (survey, cluster) = (self.survey, self.cluster);
        let waits = self.pending.drain(..).map(|change| async move {
            let (Some(live), Some(served)) = (change.live(), endpoint(survey, change)) else {
                return (change, false);
            };
            let gone = cluster.until_gone(&served, live, &deletion_patience()).await;
            (change, gone.unwrap_or(false))
        });
        let ended: Vec<_> =
            stream::iter(waits).buffer_unordered(cluster.concurrency()).collect().await;
        for (change, gone) in ended {
            if !gone {
                self.pending.push(change);
            }
        }
        self.pending.append(&mut self.stuck);
        for change in &self.pending {
            let now = match endpoint(survey, change) {
                Some(served) => {
                    cluster.get(&served, change.key.namespace.as_deref(), &change.key.name).await
                }
                None => Ok(None),
            };
            let holder = now.ok().flatten().as_ref().and_then(what_holds);
            self.report.held.push((change.key.clone(), holder));
        }
    }

    /// Deletes the record's own namespace, and so the record, where the plan says so. It is deleted
    /// last: without the record, objects that are left would be unknown.
    pub(super) async fn delete_home(&mut self) {
        let inventory = self.course.inventory;
        let mut changes = self.survey.decided.plan.changes();
        let home =
            changes.find(|change| ends_home(change.action(), &change.key, &inventory.namespace));
        let Some(change) = home else { return };
        let why_not = if self.report.unfinished() > 0 {
            Some(ReasonKind::InventoryNeeded { is_deleting: false })
        } else if !self.pending.is_empty() {
            Some(ReasonKind::InventoryNeeded { is_deleting: true })
        } else if self.course.cancel.is_interrupted() {
            Some(ReasonKind::Interrupted)
        } else if self.course.lock.lost().is_some() {
            Some(ReasonKind::LockLost { to: None })
        } else {
            None
        };
        let outcome = match why_not {
            Some(why) => Outcome::Skipped(why.into()),
            None => self.change(change).await,
        };
        self.note(change, outcome);
    }
}

/// Whether the namespace that the record is kept in is deleted, and the record with it.
pub(super) fn ends_home(action: Action, key: &ObjectKey, home: &str) -> bool {
    action == Action::Delete && is_namespace(key) && key.name == home
}
