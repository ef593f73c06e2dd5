//! Whether a target is known to be in sync, so that neither git's files nor the objects have to be
//! read. What was proven last is kept on this machine, and only ever saves work: where anything has
//! moved, it is looked at in full.

use super::declare::beside::read_paths;
use super::moved::removed_of;
use super::right_cluster::check_cluster;
use super::survey::{
    InventoryHead, Survey, find_head, fingerprint_of_cluster, may_be_proven, survey_from,
};
use super::{Error, LastRead, Target};
use crate::cluster::Cluster;
use crate::core::in_sync::{Fingerprint, InSync, MemberVersion, SyncInputs, SyncProof};
use crate::core::moves::RemovedTarget;
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
    /// Changes in the work tree, of files that the target is read from, that are not in the commit.
    pub uncommitted: Uncommitted,
    /// The cluster's identity, where the user may see it.
    pub cluster_uid: Option<String>,
    /// The statement of the proof.
    pub in_sync: InSync,
    /// Targets that are gone from `trueup.yaml`, whose inventories are still there.
    pub removed: Vec<RemovedTarget>,
    /// The repository's identity, as the inventory's record has it.
    pub repository: String,
}

/// A proof of the commit that git has now.
pub(super) struct ProofCandidate {
    pub(super) proof: SyncProof,
    pub(super) revision: Revision,
    target: Fingerprint,
}

/// A target, and where to look for its state.
#[derive(Clone, Copy)]
pub(super) struct LookAt<'a> {
    pub(super) target: &'a Target,
    pub(super) checkout: &'a Checkout,
    pub(super) cluster: &'a Cluster,
}

/// The state that a proof is held against.
pub(super) struct ProofEvidence {
    pub(super) head: InventoryHead,
    /// `None` where they could not be listed.
    pub(super) members: Option<Vec<MemberVersion>>,
    pub(super) uncommitted: Uncommitted,
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
    let at = LookAt { target, checkout, cluster };
    let Some(candidate) = at.candidate().await? else {
        return at.survey(last, None).await;
    };
    // The members are listed by the kinds that they had. Where these have moved, the proof does not
    // hold, whatever the lists say.
    let members = cluster.member_versions(&target.inventory, candidate.proof.kinds());
    let (uncommitted, head, members) =
        futures::try_join!(at.uncommitted(), Box::pin(find_head(target, cluster)), async {
            Ok(members.await)
        },)?;
    at.judge(candidate, ProofEvidence { head, members, uncommitted }, last).await
}

impl LookAt<'_> {
    /// Looks at everything, some of which is `known` already.
    pub(super) async fn survey(
        &self,
        last: Option<&LastRead>,
        known: Option<InventoryHead>,
    ) -> Result<Look, Error> {
        let Self { target, checkout, cluster } = self;
        let survey = Box::pin(survey_from(target, checkout, cluster, last, known)).await?;
        Ok(Look::Survey(Box::new(survey)))
    }

    /// The proof that may hold, as far as the commit and the settings say.
    pub(super) async fn candidate(&self) -> Result<Option<ProofCandidate>, Error> {
        let Self { target, checkout, cluster } = *self;
        let Some(proof) = cluster.sync_proof(&target.inventory).filter(|_| may_be_proven(target))
        else {
            return Ok(None);
        };
        let (target, checkout) = (target.clone(), checkout.clone());
        tokio::task::spawn_blocking(move || {
            let settings = Fingerprint::of(&target);
            let revision = target.revision(&checkout)?;
            let may_hold = proof.may_hold_of(&revision.commit, &settings);
            Ok(may_hold.then_some(ProofCandidate { proof, revision, target: settings }))
        })
        .await?
    }

    /// The statement of a proof, where that holds.
    pub(super) fn statement(
        &self,
        candidate: &ProofCandidate,
        head: &InventoryHead,
        members: Option<Vec<MemberVersion>>,
    ) -> Option<InSync> {
        match verdict(candidate, head, members) {
            Verdict::Holds(in_sync) => Some(in_sync),
            Verdict::Moved => {
                let missed = candidate.proof.clone().missed();
                self.cluster.keep_sync_proof(&self.target.inventory, &missed);
                None
            }
            Verdict::OfOther => None,
        }
    }

    /// The changes in the work tree of what the target is read from. Where a proof can hold, nothing is
    /// rendered.
    async fn uncommitted(&self) -> Result<Uncommitted, Error> {
        uncommitted_beside(self.target, self.checkout).await
    }

    /// The target as the proof has it, where that holds; else looks at everything.
    pub(super) async fn judge(
        &self,
        candidate: ProofCandidate,
        evidence: ProofEvidence,
        last: Option<&LastRead>,
    ) -> Result<Look, Error> {
        let ProofEvidence { head, members, uncommitted } = evidence;
        match verdict(&candidate, &head, members) {
            Verdict::Holds(in_sync) => {
                let (revision, cluster_uid) = (candidate.revision, head.cluster_uid);
                let repository = head.record.map(|record| record.repository).unwrap_or_default();
                check_cluster(self.target, self.cluster, cluster_uid.as_deref(), &repository)?;
                let removed =
                    removed_of(self.target, &head.parents, &repository, self.checkout, &revision);
                let synced = SyncedTarget {
                    revision,
                    uncommitted,
                    cluster_uid,
                    in_sync,
                    repository,
                    removed,
                };
                return Ok(Look::InSync(Box::new(synced)));
            }
            Verdict::Moved => {
                let missed = candidate.proof.missed();
                self.cluster.keep_sync_proof(&self.target.inventory, &missed);
            }
            Verdict::OfOther => {}
        }
        self.survey(last, Some(head)).await
    }
}

/// The changes in the work tree of what a target is read from.
pub(super) async fn uncommitted_beside(
    target: &Target,
    checkout: &Checkout,
) -> Result<Uncommitted, Error> {
    match target.is_at_head() {
        true => uncommitted_under(read_paths(target), checkout).await,
        false => Ok(Uncommitted::default()),
    }
}

/// The changes in the work tree under these paths.
pub(super) async fn uncommitted_under(
    paths: Vec<String>,
    checkout: &Checkout,
) -> Result<Uncommitted, Error> {
    let checkout = checkout.clone();
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

fn verdict(
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
