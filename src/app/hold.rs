//! Targets that are held: whether one is, and the annotations of the inventory's parent that say so.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::right_cluster::check_cluster;
use super::survey::{api, whose};
use super::{Error, Survey, Target};
use crate::cluster::Cluster;
use crate::core::inventory::Record;
use crate::core::modes::{
    Hold, HoldCause, HoldFacts, Holding, Passes, RELEASED, Release, SUSPENDED, Suspension, hold,
};
use crate::core::object::GroupKind;
use crate::core::plan::Action;
use crate::core::source::snapshot::Revision;
use crate::git::Checkout;

/// Why the commit of a target is not applied that was surveyed; `None` where it may be.
pub fn hold_of(survey: &Survey, target: &Target, passes: Passes) -> Option<Hold> {
    let found = &survey.found;
    let commit = Some(found.revision.commit.as_str()).filter(|_| !found.revision.dirty);
    let changes = survey.decided.plan.changes();
    let is_kept = |action| matches!(action, Action::Keep | Action::Refuse);
    let changes = changes.filter(|change| !is_kept(change.action()));
    let kinds: BTreeSet<GroupKind> = changes.map(|change| change.key.group_kind()).collect();
    let wanted = WantedCommit { commit, kinds: Some(&kinds) };
    let hold = hold_at(target, found.before.as_ref(), wanted, passes)?;
    Some(hold.masked(|text| survey.redactor().text(text)))
}

/// A commit that may be applied.
#[derive(Clone, Copy)]
pub(super) struct WantedCommit<'a> {
    /// Its full id; `None` for a work tree.
    pub(super) commit: Option<&'a str>,
    /// The kinds of the objects that it changes; `None` where they are unknown.
    pub(super) kinds: Option<&'a BTreeSet<GroupKind>>,
}

/// Why a commit is not applied to a target with this record; `None` where it may be. The texts are those
/// of the record.
pub(super) fn hold_at(
    target: &Target,
    record: Option<&Record>,
    wanted: WantedCommit<'_>,
    passes: Passes,
) -> Option<Hold> {
    let none = Holding::default();
    let past = record.map(|record| &record.past);
    let applied = record.and_then(|record| record.revision.as_deref());
    let healthy = past.and_then(|past| past.healthy.as_ref()).map(|healthy| healthy.what.as_str());
    let holding = record.map_or(&none, |record| &record.holding);
    let (known, now) = ([applied, healthy], Timestamp::now());
    let Target { mode, windows, .. } = target;
    let (mode, WantedCommit { commit, kinds }) = (*mode, wanted);
    hold(&HoldFacts { mode, windows, kinds, holding, commit, known, passes, now })
}

/// Whether the target may be written.
///
/// # Errors
///
/// When it is held.
pub fn check_not_held(survey: &Survey, target: &Target, passes: Passes) -> Result<(), Error> {
    match hold_of(survey, target, passes) {
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
pub async fn suspend(
    place: HoldingPlace<'_>,
    suspension: &Suspension,
) -> Result<HeldBefore, Error> {
    place.annotate(SUSPENDED, Some(&suspension.text()), |_| true).await
}

/// Ends the suspension of a target. Gives how it was held before.
///
/// # Errors
///
/// As of [`suspend`].
pub async fn resume(place: HoldingPlace<'_>) -> Result<HeldBefore, Error> {
    place.annotate(SUSPENDED, None, |record| record.holding.suspended.is_some()).await
}

/// Releases a commit to a target. Gives how it was held before.
///
/// # Errors
///
/// As of [`suspend`].
pub async fn release(place: HoldingPlace<'_>, release: &Release) -> Result<HeldBefore, Error> {
    let is_due = |record: &Record| record.revision.as_ref() != Some(&release.commit);
    place.annotate(RELEASED, Some(&release.text()), is_due).await
}

/// Releases the commit that is about to be applied, where the target would wait with it else.
pub(super) async fn release_applied(
    survey: &Survey,
    target: &Target,
    cluster: &Cluster,
    by: String,
) -> Result<(), Error> {
    let is_waiting = |hold: &Hold| matches!(hold.cause, HoldCause::Unreleased { .. });
    let all = Passes { suspended: true, windows: true, release: false };
    let hold = hold_of(survey, target, all);
    if survey.found.before.is_none()
        || survey.found.revision.dirty
        || !hold.is_some_and(|it| is_waiting(&it))
    {
        return Ok(());
    }
    let parent = cluster.parent(&target.inventory).await.map_err(api("read the inventory"))?;
    let Some(parent) = parent else { return Ok(()) };
    target.inventory.read(&parent)?;
    let commit = survey.found.revision.commit.clone();
    let text = Release { commit, by, at: Timestamp::now() }.text();
    let written = cluster.annotate_parent(&parent, RELEASED, Some(&text)).await;
    written.map_err(api("write the inventory"))
}

/// The state of a target before it was marked.
#[derive(Clone, Debug)]
pub struct HeldBefore {
    /// How it was held.
    pub holding: Holding,
    /// The commit that was last applied.
    pub runs: Option<String>,
}

impl HoldingPlace<'_> {
    /// Sets an annotation of the inventory's parent where that is `due`, or removes it. Gives how the
    /// target was held before.
    async fn annotate(
        &self,
        name: &str,
        value: Option<&str>,
        due: impl FnOnce(&Record) -> bool,
    ) -> Result<HeldBefore, Error> {
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
        Ok(HeldBefore { holding: record.holding, runs: record.revision })
    }
}
