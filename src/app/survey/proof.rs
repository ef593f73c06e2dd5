//! The proof that a survey found nothing to do.

use super::{Found, Survey};
use crate::app::Target;
use crate::cluster::Cluster;
use crate::core::in_sync::{Fingerprint, MemberVersion, SyncInputs, SyncProof, member_kinds};
use crate::core::inventory::Record;
use crate::core::kinds::catalog::Catalog;
use crate::core::plan::{Action, Change};

/// Whether what is found of a target can be known from its commit. A work tree may change at any
/// moment, and who wants objects in full reads them.
pub(in crate::app) fn may_be_proven(target: &Target) -> bool {
    !target.worktree && !target.verify && !target.whole && !target.is_removed
}

/// The part of a proof that is known before members are listed.
pub(in crate::app) fn fingerprint_of_cluster(
    uid: Option<&str>,
    catalog: &Catalog,
    record: &Record,
) -> Fingerprint {
    Fingerprint::of(&[Fingerprint::of(&uid), Fingerprint::of(catalog), Fingerprint::of(record)])
}

/// Keeps the proof of a survey that found nothing to do, and nothing to tell. `cluster_state` is
/// [`fingerprint_of_cluster`].
pub(super) fn note(
    target: &Target,
    cluster: &Cluster,
    survey: &Survey,
    cluster_state: Fingerprint,
) {
    let Some(members) = proven_members(target, survey).filter(|_| may_be_proven(target)) else {
        return;
    };
    let Found { before, catalog, .. } = &survey.found;
    let kinds = before.as_ref().and_then(|record| member_kinds(record, catalog, &members));
    let Some(kinds) = kinds else {
        return;
    };
    let inputs = SyncInputs {
        commit: survey.found.revision.commit.clone(),
        target: Fingerprint::of(target),
        cluster: cluster_state,
    };
    let last = cluster.sync_proof(&target.inventory);
    let proof = SyncProof::new(inputs, kinds, members, &survey.masked_summary(), last.as_ref());
    if last.as_ref() != Some(&proof) {
        cluster.keep_sync_proof(&target.inventory, &proof);
    }
}

/// The versions of all objects, where each is a member that simply stays as it is and there is nothing
/// else to tell.
fn proven_members(target: &Target, survey: &Survey) -> Option<Vec<MemberVersion>> {
    let (found, decided) = (&survey.found, &survey.decided);
    let is_quiet = decided.plan.is_true()
        && decided.warnings.is_empty()
        && found.desired.problems.is_empty()
        && found.unlisted.is_empty()
        && !survey.has_failed()
        && !survey.writes();
    if !is_quiet {
        return None;
    }
    let id = target.inventory.id();
    let member = |change: &Change| {
        let stays = change.action() == Action::Keep && change.reason.is_none();
        let live = change.live().filter(|_| stays && change.origin.is_some())?;
        MemberVersion::of(&change.key, live, &id)
    };
    decided.plan.changes().map(member).collect()
}
