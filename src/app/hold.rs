//! Targets that are held: whether one is, and the annotations of the inventory's parent that say so.

use jiff::Timestamp;

use super::right_cluster::check_cluster;
use super::survey::{api, whose};
use super::{Error, Survey, Target};
use crate::cluster::Cluster;
use crate::core::inventory::Record;
use crate::core::modes::{Hold, Holding, Passes, SUSPENDED, Suspension, hold};
use crate::core::source::snapshot::Revision;
use crate::git::Checkout;

/// Why a target is held that was surveyed; `None` where it may be written.
pub fn hold_of(survey: &Survey, passes: Passes) -> Option<Hold> {
    let record = survey.found.before.as_ref()?;
    let hold = hold(&record.holding, passes, Timestamp::now())?;
    Some(hold.masked(|text| survey.redactor().text(text)))
}

/// Whether the target may be written.
///
/// # Errors
///
/// When it is held.
pub fn check_not_held(survey: &Survey, target: &Target, passes: Passes) -> Result<(), Error> {
    match hold_of(survey, passes) {
        None => Ok(()),
        Some(hold) => {
            Err(Error::Held { target: target.shown_name().to_owned(), hold: Box::new(hold) })
        }
    }
}

/// A target, and where it is held.
#[derive(Clone, Copy)]
pub struct HoldingPlace<'a> {
    /// The target.
    pub target: &'a Target,
    /// The commit that git has for it.
    pub revision: &'a Revision,
    /// Where it is declared.
    pub checkout: &'a Checkout,
    /// Where it runs.
    pub cluster: &'a Cluster,
}

/// Suspends a target. Gives how it was held before.
///
/// # Errors
///
/// When it has no inventory, when that is not the target's, or when the API server refuses.
pub async fn suspend(place: HoldingPlace<'_>, suspension: &Suspension) -> Result<Holding, Error> {
    place.annotate(SUSPENDED, Some(&suspension.text()), |_| true).await
}

/// Ends the suspension of a target. Gives how it was held before.
///
/// # Errors
///
/// As of [`suspend`].
pub async fn resume(place: HoldingPlace<'_>) -> Result<Holding, Error> {
    place.annotate(SUSPENDED, None, |record| record.holding.suspended.is_some()).await
}

impl HoldingPlace<'_> {
    /// Sets an annotation of the inventory's parent where that is `due`, or removes it. Gives how the
    /// target was held before.
    async fn annotate(
        &self,
        name: &str,
        value: Option<&str>,
        due: impl FnOnce(&Record) -> bool,
    ) -> Result<Holding, Error> {
        let Self { target, revision, checkout, cluster } = *self;
        let inventory = &target.inventory;
        let (uid, parent) = futures::try_join!(
            async { cluster.uid().await.map_err(api("reach the cluster")) },
            async { cluster.parent(inventory).await.map_err(api("read the inventory")) },
        )?;
        let none = || Error::NoInventory { target: target.shown_name().to_owned() };
        let parent = parent.ok_or_else(none)?;
        let record = inventory.read(&parent)?;
        whose(target, checkout, revision, Some(&record))?;
        check_cluster(target, cluster, uid.as_deref(), &record.repository)?;
        if due(&record) {
            let written = cluster.annotate_parent(&parent, name, value).await;
            written.map_err(api("write the inventory"))?;
        }
        Ok(record.holding)
    }
}
