//! The questions that quiet targets of one cluster have in common, asked once for all of them: the
//! kinds, the records, and the versions of the members.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use crate::app::in_sync::{LookAt, ProofEvidence, uncommitted_beside};
use crate::app::survey::{ClusterHead, find_cluster};
use crate::app::{Error, LastRead, Look, Target, look};
use crate::cluster::Cluster;
use crate::core::in_sync::{MemberKind, MemberVersion};
use crate::core::inventory::Inventory;
use crate::core::object::Object;

/// The age up to which an answer about several targets is always new enough.
pub(super) const FRESH: Duration = Duration::from_secs(1);
/// How many times the age of an answer a target stays known that asks no more.
const FORGOTTEN: u32 = 10;

/// The shared questions of a cluster's targets.
#[derive(Default)]
pub(super) struct SharedLooks(Mutex<Looks>);

#[derive(Default)]
struct Looks {
    /// The targets that are asked for, by their inventories' ids.
    quiet: BTreeMap<String, QuietTarget>,
    answer: Option<SharedAnswer>,
    /// When the cluster did not answer.
    failed: Option<Instant>,
}

struct QuietTarget {
    inventory: Inventory,
    kinds: Vec<MemberKind>,
    asked: Instant,
}

/// The cluster's answer about all of them. Each target uses it once.
struct SharedAnswer {
    begun: Instant,
    of_cluster: ClusterHead,
    parents: BTreeMap<String, Object>,
    members: BTreeMap<String, Vec<MemberVersion>>,
    unused: BTreeSet<String>,
}

/// The share of one target.
struct OwnAnswer {
    of_cluster: ClusterHead,
    parent: Option<Object>,
    members: Option<Vec<MemberVersion>>,
}

impl SharedLooks {
    /// Notes a target that had nothing to do, so that the next answer is about it, too.
    pub(super) async fn expect(&self, inventory: &Inventory, cluster: &Cluster) {
        let Some(proof) = cluster.sync_proof(inventory) else { return };
        self.0.lock().await.note(inventory, proof.kinds());
    }

    /// As [`look`], with an answer that is no older than `age`, and that the target has not used yet.
    /// Where the cluster does not answer, each target asks for itself.
    ///
    /// # Errors
    ///
    /// As of [`look`].
    pub(super) async fn look(
        &self,
        at: LookAt<'_>,
        shared: &Cluster,
        last: Option<&LastRead>,
        age: Duration,
    ) -> Result<Look, Error> {
        let LookAt { target, checkout, cluster } = at;
        let Some(candidate) = at.candidate().await? else {
            return look(target, checkout, cluster, last).await;
        };
        let own = self.answer(target, candidate.proof.kinds(), shared, age).await;
        let Some(OwnAnswer { of_cluster, parent, members }) = own else {
            return look(target, checkout, cluster, last).await;
        };
        let head = of_cluster.with_record_of(&target.inventory, parent, cluster);
        let (head, uncommitted) = futures::try_join!(head, uncommitted_beside(target, checkout))?;
        at.judge(candidate, ProofEvidence { head, members, uncommitted }, last).await
    }

    async fn answer(
        &self,
        target: &Target,
        kinds: &[MemberKind],
        shared: &Cluster,
        age: Duration,
    ) -> Option<OwnAnswer> {
        let id = target.inventory.id();
        let mut looks = self.0.lock().await;
        looks.note(&target.inventory, kinds);
        if looks.failed.is_some_and(|failed| failed.elapsed() < age) {
            return None;
        }
        if let Some(own) = looks.take(&id, age) {
            return Some(own);
        }
        let known = age.max(FRESH).saturating_mul(FORGOTTEN);
        looks.quiet.retain(|_, quiet| quiet.asked.elapsed() < known);
        looks.ask(shared, &target.inventory.namespace).await;
        looks.take(&id, Duration::MAX)
    }
}

impl Looks {
    fn note(&mut self, inventory: &Inventory, kinds: &[MemberKind]) {
        let (inventory, kinds) = (inventory.clone(), kinds.to_vec());
        let quiet = QuietTarget { inventory, kinds, asked: Instant::now() };
        self.quiet.insert(quiet.inventory.id(), quiet);
    }

    fn take(&mut self, id: &str, age: Duration) -> Option<OwnAnswer> {
        let answer = self.answer.as_mut().filter(|answer| answer.begun.elapsed() <= age)?;
        answer.unused.remove(id).then(|| OwnAnswer {
            of_cluster: answer.of_cluster.clone(),
            parent: answer.parents.remove(id),
            members: answer.members.remove(id),
        })
    }

    /// Asks for all quiet targets.
    async fn ask(&mut self, cluster: &Cluster, near: &str) {
        let begun = Instant::now();
        let inventories: Vec<&Inventory> = self.quiet.values().map(|it| &it.inventory).collect();
        let kinds = self.quiet.iter().map(|(id, it)| (id.clone(), it.kinds.clone())).collect();
        let asked = futures::try_join!(
            Box::pin(find_cluster(cluster, Some(near))),
            async { Ok(cluster.parents(&inventories).await) },
            async { Ok(cluster.member_versions_of_all(&kinds).await) },
        );
        let unused = self.quiet.keys().cloned().collect();
        (self.answer, self.failed) = match asked {
            Ok((of_cluster, parents, members)) => {
                (Some(SharedAnswer { begun, of_cluster, parents, members, unused }), None)
            }
            Err(_) => (None, Some(Instant::now())),
        };
    }
}
