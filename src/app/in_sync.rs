//! Whether a target is known to be in sync, so that neither git's files nor the objects have to be
//! read. What was proven last is kept on this machine, and only ever saves work: where anything has
//! moved, it is looked at in full.

use super::survey::{
    InventoryHead, Survey, find_head, fingerprint_of_cluster, may_be_proven, survey_from,
};
use super::{Error, LastRead, Target};
use crate::cluster::Cluster;
use crate::core::in_sync::{Fingerprint, InSync, SyncInputs, SyncProof};
use crate::core::source::snapshot::Revision;
use crate::git::{Checkout, Uncommitted};

/// The result of looking at git and the cluster.
pub enum Look {
    /// Nothing has moved since the target was in sync.
    InSync(Box<SyncedTarget>),
    /// Anything else.
    Survey(Box<Survey>),
}

/// A target that is in sync.
pub struct SyncedTarget {
    /// The commit that it is true to.
    pub revision: Revision,
    /// Changes in the work tree under the target's paths that are not in the commit.
    pub uncommitted: Uncommitted,
    /// The cluster's identity, where the user may see it.
    pub cluster_uid: Option<String>,
    /// The statement of the proof.
    pub in_sync: InSync,
}

/// A proof that may hold, as far as git says.
struct ProofCandidate {
    proof: SyncProof,
    revision: Revision,
    uncommitted: Uncommitted,
    target: Fingerprint,
}

/// Looks at git and the cluster at the same time, and decides what to do, unless the target is known to
/// be in sync. A commit that was read `last` is not read again.
///
/// # Errors
///
/// As of [`survey`](super::survey()).
pub async fn look(
    target: &Target,
    checkout: &Checkout,
    cluster: &Cluster,
    last: Option<&LastRead>,
) -> Result<Look, Error> {
    let candidate = candidate(target, checkout, cluster).await?;
    let mut head = None;
    if let Some(candidate) = candidate {
        let found = Box::pin(find_head(&target.inventory, cluster)).await?;
        if let Some(in_sync) = holds(&candidate, target, &found, cluster).await {
            let ProofCandidate { revision, uncommitted, .. } = candidate;
            let cluster_uid = found.cluster_uid;
            let synced = SyncedTarget { revision, uncommitted, cluster_uid, in_sync };
            return Ok(Look::InSync(Box::new(synced)));
        }
        head = Some(found);
    }
    let survey = Box::pin(survey_from(target, checkout, cluster, last, head)).await?;
    Ok(Look::Survey(Box::new(survey)))
}

async fn candidate(
    target: &Target,
    checkout: &Checkout,
    cluster: &Cluster,
) -> Result<Option<ProofCandidate>, Error> {
    let Some(proof) = cluster.sync_proof(&target.inventory).filter(|_| may_be_proven(target))
    else {
        return Ok(None);
    };
    let (target, checkout) = (target.clone(), checkout.clone());
    tokio::task::spawn_blocking(move || {
        let settings = Fingerprint::of(&target);
        let revision = checkout.resolve(target.rev.as_deref())?;
        if !proof.may_hold_of(&revision.commit, &settings) {
            return Ok(None);
        }
        let uncommitted = match target.rev {
            None => checkout.uncommitted(&target.paths)?,
            Some(_) => Uncommitted::default(),
        };
        Ok(Some(ProofCandidate { proof, revision, uncommitted, target: settings }))
    })
    .await?
}

/// The statement of the proof, where it holds. Where the members have moved, that is noted.
async fn holds(
    candidate: &ProofCandidate,
    target: &Target,
    head: &InventoryHead,
    cluster: &Cluster,
) -> Option<InSync> {
    let ProofCandidate { proof, revision, target: settings, .. } = candidate;
    let record = head.record.as_ref()?;
    let inputs = SyncInputs {
        commit: revision.commit.clone(),
        target: settings.clone(),
        cluster: fingerprint_of_cluster(head.cluster_uid.as_deref(), &head.catalog, record),
    };
    if !proof.is_worth_a_try(&inputs) {
        return None;
    }
    let members = cluster.member_versions(&target.inventory, record, &head.catalog).await;
    let in_sync = members.and_then(|members| proof.holds(members));
    if in_sync.is_none() {
        cluster.keep_sync_proof(&target.inventory, &proof.clone().missed());
    }
    in_sync
}
