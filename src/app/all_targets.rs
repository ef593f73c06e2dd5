//! Looks at several targets of one commit and one cluster. What they have in common is asked for once:
//! the kinds, the records, and the members of those that may be known to be in sync.

use std::collections::BTreeMap;

use futures::stream::{self, Stream, StreamExt as _};

use super::declare::beside::read_paths;
use super::in_sync::{LookAt, ProofCandidate, ProofEvidence, uncommitted_under};
use super::survey::{ClusterHead, find_cluster, parents_near};
use super::{Error, Look, Target};
use crate::cluster::Cluster;
use crate::core::in_sync::MemberVersion;
use crate::core::inventory::Inventory;
use crate::core::object::Object;
use crate::git::{Checkout, Uncommitted};

/// How many targets are looked at side by side.
const AT_ONCE: usize = 4;

/// The result of looking at one of several targets.
pub struct TargetLook {
    /// Its place among the targets.
    pub index: usize,
    /// The result, or why there is none.
    pub look: Result<Look, Error>,
    /// How many requests were about it alone.
    pub requests: usize,
}

/// Looks at each of the targets, and gives the results in their order.
///
/// # Errors
///
/// When the commit can't be read, or the API server does not answer.
pub async fn look_at_all<'a>(
    targets: &'a [Target],
    checkout: &'a Checkout,
    cluster: &'a Cluster,
) -> Result<impl Stream<Item = TargetLook> + 'a, Error> {
    let (mut candidates, mut kinds) = (Vec::new(), BTreeMap::new());
    for target in targets {
        let candidate = LookAt { target, checkout, cluster }.candidate().await?;
        if let Some(candidate) = &candidate {
            kinds.insert(target.inventory.id(), candidate.proof.kinds().to_vec());
        }
        candidates.push(candidate);
    }
    let inventories: Vec<&Inventory> = targets.iter().map(|target| &target.inventory).collect();
    // One look at the work tree costs as much as one for each target.
    let paths = || {
        let beside_head = targets
            .iter()
            .zip(&candidates)
            .filter(|(target, candidate)| candidate.is_some() && target.is_at_head());
        beside_head.flat_map(|(target, _)| read_paths(target)).collect::<Vec<_>>()
    };
    let uncommitted = async {
        match paths() {
            // No path means all of them.
            none if none.is_empty() => Ok(Uncommitted::default()),
            paths => uncommitted_under(paths, checkout).await,
        }
    };
    let near = targets.iter().find_map(parents_near);
    let (of_cluster, mut parents, mut versions, uncommitted) = futures::try_join!(
        find_cluster(cluster, near),
        async { Ok(cluster.parents(&inventories).await) },
        async { Ok(cluster.member_versions_of_all(&kinds).await) },
        uncommitted,
    )?;
    let looks = targets.iter().zip(candidates).enumerate();
    let looks = looks.map(move |(index, (target, candidate))| {
        let id = target.inventory.id();
        let (parent, members) = (parents.remove(&id), versions.remove(&id));
        let (of_cluster, cluster) = (of_cluster.clone(), cluster.counting());
        let uncommitted = match target.is_at_head() {
            true => uncommitted.under(&read_paths(target)),
            false => Uncommitted::default(),
        };
        async move {
            let at = LookAt { target, checkout, cluster: &cluster };
            let known = Known { candidate, of_cluster, parent, members, uncommitted };
            let look = look_at(at, known).await;
            TargetLook { index, look, requests: cluster.counted() }
        }
    });
    Ok(stream::iter(looks).buffered(AT_ONCE))
}

/// The share of one target in what was asked for all of them.
struct Known {
    candidate: Option<ProofCandidate>,
    of_cluster: ClusterHead,
    parent: Option<Object>,
    members: Option<Vec<MemberVersion>>,
    uncommitted: Uncommitted,
}

async fn look_at(at: LookAt<'_>, known: Known) -> Result<Look, Error> {
    let Known { candidate, of_cluster, parent, members, uncommitted } = known;
    let head = of_cluster.with_record_of(&at.target.inventory, parent, at.cluster).await?;
    let Some(candidate) = candidate else { return at.survey(None, Some(head)).await };
    at.judge(candidate, ProofEvidence { head, members, uncommitted }, None).await
}
