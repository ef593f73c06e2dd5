//! Whether a target is known to be in sync, so that neither git's files nor the objects have to be
//! read. What was proven last is kept on this machine, and only ever saves work: where anything has
//! moved, it is looked at in full.

use super::survey::{
    InventoryHead, Survey, find_head, fingerprint_of_cluster, may_be_proven, survey_from,
};
use super::{Error, LastRead, Target};
use crate::cluster::Cluster;
use crate::core::in_sync::{Fingerprint, InSync, MemberVersion, SyncInputs, SyncProof};
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

/// A proof of the commit that git has now.
struct ProofCandidate {
    proof: SyncProof,
    revision: Revision,
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
    let Some(candidate) = candidate(target, checkout, cluster).await? else {
        return Ok(Look::Survey(Box::new(
            survey_from(target, checkout, cluster, last, None).await?,
        )));
    };
    // The members are listed by the kinds that they had. Where these have moved, the proof does not
    // hold, whatever the lists say.
    let members = cluster.member_versions(&target.inventory, candidate.proof.kinds());
    let (uncommitted, head, members) = futures::try_join!(
        uncommitted(target, checkout),
        find_head(&target.inventory, cluster),
        async { Ok(members.await) },
    )?;
    match holds(&candidate, &head, members) {
        Verdict::Holds(in_sync) => {
            let (revision, cluster_uid) = (candidate.revision, head.cluster_uid);
            let synced = SyncedTarget { revision, uncommitted, cluster_uid, in_sync };
            return Ok(Look::InSync(Box::new(synced)));
        }
        Verdict::Moved => cluster.keep_sync_proof(&target.inventory, &candidate.proof.missed()),
        Verdict::OfOther => {}
    }
    Ok(Look::Survey(Box::new(survey_from(target, checkout, cluster, last, Some(head)).await?)))
}

/// The proof that may hold, as far as the commit and the settings say.
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
        let may_hold = proof.may_hold_of(&revision.commit, &settings);
        Ok(may_hold.then_some(ProofCandidate { proof, revision, target: settings }))
    })
    .await?
}

/// The changes in the work tree under the target's paths.
async fn uncommitted(target: &Target, checkout: &Checkout) -> Result<Uncommitted, Error> {
    if target.rev.is_some() {
        return Ok(Uncommitted::default());
    }
    let (paths, checkout) = (target.paths.clone(), checkout.clone());
    tokio::task::spawn_blocking(move || Ok(checkout.uncommitted(&paths)?)).await?
}

/// The judgement of a proof.
enum Verdict {
    Holds(InSync),
    /// The members have moved.
    Moved,
    /// It is a proof of something else.
    OfOther,
}

fn holds(
    candidate: &ProofCandidate,
    head: &InventoryHead,
    members: Option<Vec<MemberVersion>>,
) -> Verdict {
    let ProofCandidate { proof, revision, target: settings } = candidate;
    let Some(record) = &head.record else { return Verdict::OfOther };
    let inputs = SyncInputs {
        commit: revision.commit.clone(),
        target: settings.clone(),
        cluster: fingerprint_of_cluster(head.cluster_uid.as_deref(), &head.catalog, record),
    };
    if !proof.is_worth_a_try(&inputs) {
        return Verdict::OfOther;
    }
    match members.and_then(|members| proof.holds(members)) {
        Some(in_sync) => Verdict::Holds(in_sync),
        None => Verdict::Moved,
    }
}
