//! Whether a target is known to be in sync, so that neither git's files nor the objects have to be
//! read. What was proven last is kept on this machine, and only ever saves work: where anything has
//! moved, it is looked at in full.

use super::survey::proof::{may_be_proven, of_cluster};
use super::survey::{InventoryHead, Survey, find_head, survey_from};
use super::{Error, Target};
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
    /// What the proof says.
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
/// be in sync.
///
/// # Errors
///
/// As of [`survey`](super::survey()).
pub async fn look(target: &Target, checkout: &Checkout, cluster: &Cluster) -> Result<Look, Error> {
    let candidate = candidate(target, checkout, cluster).await?;
    let mut head = None;
    if let Some(candidate) = candidate {
        let found = find_head(&target.inventory, cluster).await?;
        if let Some(in_sync) = holds(&candidate, target, &found, cluster).await {
            let ProofCandidate { revision, uncommitted, .. } = candidate;
            let cluster_uid = found.cluster_uid;
            let synced = SyncedTarget { revision, uncommitted, cluster_uid, in_sync };
            return Ok(Look::InSync(Box::new(synced)));
        }
        head = Some(found);
    }
    Ok(Look::Survey(Box::new(survey_from(target, checkout, cluster, None, head).await?)))
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

/// What the proof says, where it holds. Where the members have moved, that is noted.
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
        cluster: of_cluster(head.cluster_uid.as_deref(), &head.catalog, record),
    };
    if !proof.is_worth_a_try(&inputs) {
        return None;
    }
    let members = cluster.member_versions(&target.inventory, record, &head.catalog).await;
    let in_sync = members.and_then(|members| proof.holds(members));
    let noted = match in_sync {
        Some(_) => proof.clone().found(),
        None => proof.clone().missed(),
    };
    if noted != *proof {
        cluster.keep_sync_proof(&target.inventory, &noted);
    }
    in_sync
}
